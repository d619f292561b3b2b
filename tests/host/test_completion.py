# SPDX-License-Identifier: GPL-2.0-or-later
"""Completion: what `sonde complete` offers, and that each shell shows it."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT, SONDE

SCRIPTS = ROOT / "packaging" / "completion"
ENVIRONMENT = {**os.environ, "PATH": f"{Path(SONDE).resolve().parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}

# How each shell is asked what it would offer at the end of a line; it prints a candidate per line.
BASH = '''
source "$1"
compopt() { :; }
COMP_LINE=$2 COMP_POINT=${#2}
_sonde
printf '%s\\n' "${COMPREPLY[@]}"
'''
ZSH = '''
compadd() { print -l -- ${(P)@[-1]} }
_files() { print -- a file }
words=("${(@s: :)2}") CURRENT=${#words}
source "$1"
'''
FISH = 'source $argv[1]; complete -C $argv[2] | string replace -r "\\t.*" ""; true'


def ask(run, *words):
    """{candidate: what it means}"""
    res = run("complete", *words)
    assert res.status == 0 and res.err == "", res
    return dict((*line.split("\t", 1), "")[:2] for line in res.out.splitlines())


def test_first_word(run):
    offered = ask(run, "")
    assert offered["biosnoop"].startswith("each request to a disk")
    assert {"help", "tools", "show", "ext4slower"} <= set(offered)
    assert set(ask(run, "biol")) == {"biolatency"}
    assert "--dry-run" in ask(run, "--d")


def test_options_of_a_tool(run):
    offered = ask(run, "biolatency", "-")
    assert offered["--milliseconds"] == "in milliseconds instead of microseconds"
    assert offered["-m"] == "--milliseconds"
    assert "--disk=" in offered and "--view" in offered
    assert set(ask(run, "biolatency", "--disk=")) == {f"--disk={d}" for d in os.listdir("/sys/block")}


def test_what_follows_a_command(run):
    assert set(ask(run, "show", "opens")) == {"opensnoop"}
    assert {"options", "probes", "tools", "opensnoop"} <= set(ask(run, "help", ""))
    assert {"disk", "fs", "security"} <= set(ask(run, "tools", ""))


def test_probes_part_by_part(run):
    assert "tracepoint:" in ask(run, "-l", "trace")
    subsystems = ask(run, "-l", "tracepoint:")
    assert "tracepoint:sched:" in subsystems and all(s.endswith(":") for s in subsystems)
    assert "tracepoint:sched:sched_switch" in ask(run, "-lv", "tracepoint:sched:sched_s")
    assert ask(run, "-l", "tracepoint:no_such:") == {}


def test_values(run):
    assert {"json", "table"} <= set(ask(run, "-f", ""))
    assert set(ask(run, "opensnoop", "-f", "js")) == {"json"}


def test_without_words(run):
    assert run("complete").status == 2


def shell(name, program, script, line):
    path = shutil.which(name)
    if not path:
        pytest.skip(f"{name} is not installed")
    before = ["--no-config"] if name == "fish" else ["--norc"] if name == "bash" else ["-f"]
    words = [path, *before, "-c", program, *([] if name == "fish" else [name]), str(SCRIPTS / script), line]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, env=ENVIRONMENT)
    assert done.returncode == 0 and done.stderr == "", done
    return set(done.stdout.split("\n")) - {""}


@pytest.mark.parametrize("line, offered, not_offered", [
    ("sonde biol", "biolatency", "biosnoop"),
    ("sonde opensnoop --fa", "--failed", "--pid="),
    ("sonde -l tracepoint:sched:sched_sw", "tracepoint:sched:sched_switch", "tracepoint:sched:sched_waking"),
    ("sonde help ", "probes", "--dry-run"),
])
def test_shells(line, offered, not_offered):
    # bash has the last part only, as what stands before a colon is a word for it.
    assert offered.rpartition(":")[2] in shell("bash", BASH, "sonde.bash", line)
    for answer in (shell("zsh", ZSH, "_sonde", line), shell("fish", FISH, "sonde.fish", line)):
        assert offered in answer and not_offered not in answer


@pytest.mark.parametrize("words", [("biosnoop", "-d"), ("biosnoop", "--disk"), ("biolatency", "-d")])
def test_disks_stand_behind_the_option_of_a_tool(run, words):
    offered = ask(run, *words, "")
    assert offered and set(offered) <= set(os.listdir("/sys/block"))


@pytest.mark.parametrize("words, before", [(("opensnoop", "-p"), ""), (("-p",), ""), (("opensnoop",), "--pid=")])
def test_processes_stand_behind_the_option_of_a_process(run, words, before):
    assert f"{before}{os.getpid()}" in ask(run, *words, f"{before}{os.getpid()}")
