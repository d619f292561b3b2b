# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers as a tone: the pitch that is written is measured by the zero crossings of the sound."""
import array
import json
import os
import subprocess
import wave
from pathlib import Path

import pytest

from conftest import SONDE

PLAY = Path(SONDE).parent / "src" / "play" / "sonde-play"
STEPS = """BEGIN { @n = 0; } interval:ms:250 { @n++; if (@n <= 4) { print((name="x", level=@n * 25 - 25)); }
    if (@n == 5) { clear(@n); exit(); } }"""


def samples_of(path):
    with wave.open(str(path)) as w:
        assert (w.getframerate(), w.getnchannels(), w.getsampwidth()) == (44100, 1, 2)
        data = array.array("h", w.readframes(w.getnframes()))
        assert len(data) == w.getnframes()
    return data


def pitch(data, at, seconds=0.06):
    """Hz around the time `at`: between the first and the last upward crossing of zero."""
    begin, end = int((at - seconds / 2) * 44100), int((at + seconds / 2) * 44100)
    ups = [i + data[i] / (data[i] - data[i + 1]) for i in range(max(begin, 0), min(end, len(data) - 1))
           if data[i] < 0 <= data[i + 1]]
    return (len(ups) - 1) * 44100 / (ups[-1] - ups[0])


def plateaus(data, tolerance=0.005):
    """The pitches that last, in order."""
    seen = []
    for i in range(4, int(len(data) / 44100 * 100) - 4, 2):
        now, soon = pitch(data, i / 100), pitch(data, i / 100 + 0.02)
        if abs(now / soon - 1) < tolerance and (not seen or abs(now / seen[-1] - 1) > 0.02):
            seen.append(now)
    return seen


@pytest.mark.parametrize("args,expected", [
    ([], [220 * 8 ** (n / 4) for n in range(4)]),
    (["--range", "0:75,100:1000"], [100 * 10 ** (n / 3) for n in range(4)]),
    (["--range=0:75,100:1000,linear"], [100, 400, 700, 1000]),
    (["--range", "75:0,300:600"], [600 / 2 ** (n / 3) for n in range(4)]),
    (["--range", "25:50,300:600"], [300, 600]),
])
def test_numbers_are_pitches(run, tmp_path, args, expected):
    r = run("-q", *args, "-o", tmp_path / "x.wav", "-e", STEPS)
    assert r.status == 0, r
    data = samples_of(tmp_path / "x.wav")
    found = plateaus(data)
    assert len(found) == len(expected), (found, expected)
    for f, e in zip(found, expected):
        assert abs(f / e - 1) < 0.02, (found, expected)
    # One sound from beginning to end: neighbours differ by no more than the highest pitch makes them.
    most = 2 * 3.15 * max(expected) / 44100 * 32767 * 0.5 + 200
    assert max(abs(a - b) for a, b in zip(data, data[1:])) < most
    assert 0.9 < len(data) / 44100 < 3


def test_a_map_of_one_number_and_negative_numbers(run, tmp_path):
    run("-q", "--range", "-90:-30,200:400", "-o", tmp_path / "x.wav", "-e",
        "BEGIN { @dbm = -60; print(@dbm); } interval:ms:300 { exit(); }")
    assert abs(pitch(samples_of(tmp_path / "x.wav"), 0.15) / 200 / 2 ** 0.5 - 1) < 0.02


def test_sound_into_a_pipe_has_a_header_and_no_end(run):
    r = subprocess.run([SONDE, "-q", "-f", "tone", "-e", "BEGIN { print(50); } interval:ms:100 { exit(); }"],
                       capture_output=True, timeout=30)
    assert r.stdout[:4] == b"RIFF" and r.stdout[4:8] == b"\xff" * 4 and len(r.stdout) > 44 + 2 * 4410 * 0.8, r.stderr


@pytest.mark.parametrize("text,message", [
    ("5", "LOW:HIGH"), ("5:5", "the same"), ("0:1,5:100", "between 20"), ("0:1,100:30000", "between 20"),
    ("0:1,100:200,curved", "LOW:HIGH"), ("a:b", "LOW:HIGH"), ("0:inf", "LOW:HIGH"),
])
def test_a_range_that_is_none_is_refused(run, tmp_path, text, message):
    r = run("--range", text, "-o", tmp_path / "x.wav", "-e", "BEGIN { print(1); exit(); }")
    assert r.status == 2 and message in r.err and not list(tmp_path.iterdir()), r


def test_without_numbers_there_is_a_hint(run, tmp_path):
    r = run("-q", "-o", tmp_path / "x.wav", "-e", 'BEGIN { print("text"); exit(); }')
    assert "no numbers" in r.err and r.out == "text\n" and len(samples_of(tmp_path / "x.wav")) == 0, r


# ---- sonde-play ----

needs_player = pytest.mark.skipif(not PLAY.exists(), reason="libasound was not there when it was built")


def play(tmp_path, text, *args):
    raw = tmp_path / "sound.raw"
    (tmp_path / "alsa.conf").write_text(f'pcm.keep {{ type file file "{raw}" format "raw" slave.pcm {{ type null }} }}')
    r = subprocess.run([PLAY, "-D", "keep", *args], input=text.encode(), capture_output=True, timeout=30,
                       env={**os.environ, "ALSA_CONFIG_PATH": str(tmp_path / "alsa.conf")})
    data = array.array("h", raw.read_bytes()) if raw.exists() else []
    return r, data


@needs_player
@pytest.mark.parametrize("line,hz", [
    ("50", 220 * 8 ** 0.5), ('{"type": "value", "data": 25}', 220 * 8 ** 0.25),
    ('{"type": "value", "data": {"name": "99", "level": 75}}', 220 * 8 ** 0.75),
    ('{"type": "map", "data": {"@1": 100}}', 1760),
    ('50\n{"type": "lost_events", "data": {"events": 9}}\nno number\n', 220 * 8 ** 0.5),
])
def test_player_plays_lines_and_records(tmp_path, line, hz):
    r, data = play(tmp_path, line)
    assert r.returncode == 0 and abs(pitch(data, 0.15) / hz - 1) < 0.02, (r, len(data))


@needs_player
def test_player_says_what_is_wrong(tmp_path):
    assert b"cannot open" in subprocess.run([PLAY, "-D", "nothing"], input=b"1\n", capture_output=True, timeout=30).stderr
    assert play(tmp_path, "", "-r", "1:1")[0].returncode == 2
    assert play(tmp_path, "", "left")[0].returncode == 2


def test_a_terminal_gets_the_player(tmp_path):
    """The view needs a program that plays; here one that keeps what it is given."""
    from test_views import read_terminal
    fake = tmp_path / "sonde-play"
    fake.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/args\nexec cat > {tmp_path}/records\n')
    fake.chmod(0o755)
    command = [SONDE, "-q", "-f", "tone", "--range", "0:9", "-e", "BEGIN { print(5); } interval:ms:50 { exit(); }"]
    read_terminal(["env", f"PATH={tmp_path}:/usr/bin:/bin", *command], 20)
    assert (tmp_path / "args").read_text() == "--range=0:9\n"
    assert [json.loads(x)["data"] for x in (tmp_path / "records").read_text().splitlines() if '"value"' in x] == [5]
    out = read_terminal(["env", "PATH=/nowhere", "/usr/bin/env", *command], 20)
    assert "sonde-play" in out and "-o FILE.wav" in out
