# SPDX-License-Identifier: GPL-2.0-or-later
"""The frame of subjects: command line, help, completion, output, Ctrl-C."""
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from conftest import SONDE


def test_help_is_the_same_everywhere(run):
    asked, named = run("pressure", "--help"), run("help", "pressure")
    assert asked.status == named.status == 0
    assert asked.out == named.out
    assert asked.out.startswith("usage: sonde pressure [OPTIONS] [-- COMMAND]\n")
    assert "  --duration TIME " in asked.out and "  -f, --view NAME " in asked.out


def test_listed_with_the_commands(run):
    assert "\n  sonde pressure [OPTIONS]" in run("--help").out


def test_manual_is_made_of_the_entry(run):
    res = run("help", "--manual", "pressure")
    assert res.status == 0
    assert res.out.startswith("sonde-pressure(1)\n\n# NAME\n\nsonde-pressure - ")
    assert "*-f*, *--view* _NAME_\n\t" in res.out


DOCS = Path(SONDE).parent / "docs"
SUBJECTS = ["pressure", "rt", "devices", "devices lint", "surface", "surface diff"]


@pytest.mark.parametrize("name", SUBJECTS)
def test_manual_shows_what_help_says(run, name, tmp_path):
    """Every word of it, in its order, and every command of the examples in one line."""
    page = tmp_path / "page.1"
    text, said = run("help", "--manual", *name.split()), run("help", *name.split()).out
    page.write_bytes(subprocess.run(["scdoc"], input=text.out.encode(), capture_output=True, check=True).stdout)
    shown = subprocess.run(["mandoc", "-Tutf8", "-O", "width=1000", page], capture_output=True, text=True, check=True).stdout
    head, _, rest = said.partition("\n\nOptions:\n")
    options, _, examples = rest.partition("\nExamples:\n")
    options = options.partition("\nExit status:")[0]
    words = iter(re.sub(".\b", "", shown).split())
    for word in [*head.split("\n\n", 2)[2].split(), *options.split()]:
        assert word in words, word
    commands = [line.strip() for line in examples.splitlines() if line.startswith("  sonde")]
    assert commands and set(commands) <= {line.strip() for line in re.sub(".\b", "", shown).splitlines()}


def test_manual_is_right(tmp_path):
    """As a program sees it that is strict with pages; the paragraphs are scdoc's own."""
    pages = sorted(DOCS.glob("sonde-*.1")) + [DOCS / "sonde.1"]
    assert len(pages) > 100
    said = subprocess.run(["mandoc", "-Tlint", "-W", "warning", *pages], capture_output=True, text=True).stdout
    assert [line for line in said.splitlines() if "skipping paragraph macro: PP" not in line] == []


def test_completion(run):
    assert run("complete", "pressur").out.startswith("pressure\t")
    offered = run("complete", "pressure", "-").out
    assert "--duration\t" in offered and "-f\t" in offered
    assert run("complete", "pressure", "-f", "").out == "text\njson\n"


@pytest.mark.parametrize("args, said", [
    (["--intervall", "1"], "ERROR: pressure: there is no option '--intervall'\nhint: did you mean --interval?\n"),
    (["--interval", "soon"], "ERROR: --interval: 'soon' is no time\n"
                             "hint: seconds, or a number with us, ms, s, m or h: 500ms\n"),
    (["--interval"], "ERROR: --interval needs a value: TIME\n"),
    (["--help=yes"], "ERROR: --help takes no value\n"),
    (["-f", "xml"], "ERROR: --view: there is no 'xml'\nhint: one of: text json\n"),
    (["word"], "ERROR: pressure does not know what to do with 'word'\nhint: a command stands behind --\n"),
    (["--", "true"], "ERROR: a command is run by --watch; there is none\n"),
])
def test_wrong_command_line(run, args, said):
    res = run("pressure", *args)
    assert (res.status, res.out, res.err) == (2, "", said)


def test_interrupt_ends_with_results():
    p = subprocess.Popen([SONDE, "pressure", "-f", "json", "-i", "60"], stdout=subprocess.PIPE, text=True)
    time.sleep(1)
    p.send_signal(signal.SIGINT)
    out, _ = p.communicate(timeout=20)
    assert p.returncode == 130
    assert '"type": "pressure"' in out


def test_failed_write(run):
    res = run("pressure", "--duration", "0.3", "-o", "/dev/full")
    assert res.status == 1
    assert "cannot write to /dev/full: No space left on device" in res.err


@pytest.mark.parametrize("name", ["{tmp}/notify", "\0sonde-test-notify"])
def test_service_is_told(tmp_path, name):
    """That it has begun, and that it comes to its end, as systemd wants it."""
    name = name.format(tmp=tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(name)
        s.settimeout(30)
        p = subprocess.Popen([SONDE, "pressure", "-i", "60"], stdout=subprocess.DEVNULL, env=dict(os.environ, NOTIFY_SOCKET=name.replace("\0", "@")))
        assert s.recv(100) == b"READY=1"
        p.send_signal(signal.SIGTERM)
        assert s.recv(100) == b"STOPPING=1"
        assert p.wait(30) == 143
