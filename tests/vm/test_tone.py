# SPDX-License-Identifier: GPL-2.0-or-later
"""WiFi heard as a tone, through all that stands between the air and the ear: a radio that the kernel simulates receives
beacons, `sonde wifitone` reads their signal and sonde-play plays it on a simulated sound card, whose other end is
recorded while the strength of the signal changes (tone_inside.py).

The machine's clock goes by the instructions it has executed, 2 ns each, so what is slow in emulation is slow in that
time only as far as a processor of 500 million instructions a second would be; times are those of its kernel.
"""
import array
import base64
import json
import shutil
import wave
import zlib
from pathlib import Path

import kernels
import machine
import test_cases as lang

NAMES = [n for n in kernels.asked_for("6.12") if not n.endswith("-cloud")]  # those have neither WiFi nor sound
RATE = 44100
LEVELS = [-100, -60, -85, -55, -75, -65]
SECONDS = 0.8
# The power of the sender, which the kernel adds to what is set.
POWER = 20
PLAY = Path(lang.SONDE).resolve().parent / "src" / "play"


def job():
    return {"command": ["/usr/bin/python3", str(Path(__file__).with_name("tone_inside.py")), str(Path(lang.SONDE).resolve()),
                        str(PLAY), str(SECONDS), *map(str, LEVELS)], "env": {}, "timeout": 600}


def run_all(name, params):
    """What tone_inside.py tells."""
    machine.check_tools()
    for tool in ("hostapd", "wpa_supplicant", "iw", "arecord"):
        if not shutil.which(tool):
            raise kernels.Unavailable(f"{tool} is not installed")
    if not (PLAY / "sonde-play").exists():
        raise kernels.Unavailable("libasound was not there when sonde was built")
    [[out, err, status]] = machine.run_jobs(kernels.get(name), [job()], machine.CLOCK_OF_ITS_OWN)
    assert status == 0, (out[-2000:], err)
    return json.loads(out)


def mapped_hz(dbm):
    """-90 to -30 dBm are 220 to 1760 Hz, in equal intervals."""
    return 220 * 8 ** ((dbm + 90) / 60)


class Sound:
    """The recording on the machine's clock. A read may come late but never early: the earliest tells when it began."""

    def __init__(self, told):
        self.data = array.array("h", zlib.decompress(base64.b64decode(told["samples"])))
        self.begin = min(time - samples / RATE for time, samples in told["reads"])
        d = self.data
        self.ups = [self.begin + (i + d[i] / (d[i] - d[i + 1])) / RATE for i in range(len(d) - 1) if d[i] < 0 <= d[i + 1]]

    def pitch(self, begin, end):
        ups = [t for t in self.ups if begin < t < end]
        return (len(ups) - 1) / (ups[-1] - ups[0])

    def reaches(self, hz, begin):
        """When, after `begin`, the first of three waves in a row has this pitch."""
        after = [t for t in self.ups if t > begin]
        for four in zip(after, after[1:], after[2:], after[3:]):
            if all(abs(1 / (b - a) / hz - 1) < 0.02 for a, b in zip(four, four[1:])):
                return four[0]
        return float("inf")

    def write(self, path):
        with wave.open(str(path), "wb") as w:
            w.setparams((1, 2, RATE, 0, "NONE", ""))
            w.writeframes(self.data.tobytes())


def test_the_tone_follows_the_signal(answers, tmp_path):
    assert "range: -90:-30,220:1760" in (Path(__file__).parents[2] / "tools" / "net" / "wifitone.bt").read_text()
    told = answers
    sound = Sound(told)
    sound.write(tmp_path / "wifitone.wav")
    assert not told["ended_early"] and told["status"] == 130 and not told["complaints"], told["said"][-500:] + told["complaints"]
    # The kernel's own word for what was received.
    assert told["heard"] == [level + POWER for level in LEVELS]
    seen = []
    for (begin, _), dbm in zip(told["steps"], told["heard"]):
        hz = mapped_hz(dbm)
        seen.append((dbm, round(sound.pitch(begin + 0.3, begin + SECONDS) / hz - 1, 5), round(sound.reaches(hz, begin) - begin, 4)))
    print(f"dBm, error of the pitch, seconds until it is heard: {seen}")
    assert all(abs(error) < 0.02 and late < 0.1 for _, error, late in seen), seen
