# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: help, commands, listing, settings from the environment, messages."""
import os
import re
import subprocess
from pathlib import Path

import pytest

from conftest import SONDE

ROOT = Path(__file__).resolve().parent.parent.parent


def test_help_names_every_option(run):
    res = run("--help")
    assert res.status == 0 and not res.err, res
    for option in ("-e PROGRAM", "-c, --cmd COMMAND", "-p, --pid PID", "-f, --view NAME", "-o, --output FILE", "-B MODE", "-q, --quiet", "-l, --list",
                   "-k, --warnings", "--fmt", "--test", "--bench", "--mode MODE", "--probe-filter REGEX", "-I DIR", "--include FILE", "--info",
                   "-h, --help", "-V, --version", "-v, --verbose", "-d, --debug STAGE", "--dry-run", "--unsafe", "--no-warnings"):
        assert f"  {option}" in res.out, option
    assert run("-h").out == res.out == run("help").out


def test_the_manual_names_every_option(run):
    manual = (ROOT / "docs" / "sonde.1.scd").read_text()
    for line in run("--help").out.splitlines():
        if line.startswith("  -"):
            for word in line.split()[:2]:
                name = word.rstrip(",")
                if name.startswith("-"):
                    assert f"*{name}*" in manual, name


def test_version(run):
    out = run("version").out
    assert out.startswith("sonde ") and out == run("-V").out == run("--version").out


def test_without_anything(run):
    res = run()
    assert res.status == 2 and not res.out and res.err.startswith("USAGE:\n  sonde [OPTIONS] FILE"), res


@pytest.mark.parametrize("args, message, hint", [
    (["--hlep"], "there is no option '--hlep'", "did you mean '--help'?"),
    (["-Z"], "there is no option '-Z'", "go after --"),
    (["-f"], "-f needs a value", ""),
    (["-f", "xml", "-e", "BEGIN { }"], 'Invalid output format "xml"', "known views: text json csv table"),
    (["-d", "llvm", "-e", "BEGIN { }"], "no stage 'llvm'", "known stages: ast"),
    (["--quiet=1"], "--quiet takes no value", ""),
    (["--dry-run=1"], "--dry-run takes no value", ""),
    (["-c", "true", "-p", "1", "-e", "BEGIN { }"], "-c and -p exclude each other", ""),
    (["-l", "a", "b"], "'b' is left over", "quotes"),
    (["biuld"], "'biuld' is neither a command nor a file", "did you mean 'sonde build'?"),
    (["help", "prinft"], "there is no help on 'prinft'", "did you mean 'printf'?"),
    (["build"], "there is no program", ""),
    (["build", "-e", "BEGIN { }"], "-o OUT.bpf.o", ""),
])
def test_mistakes_are_named(run, args, message, hint):
    res = run(*args)
    assert res.status == 2 and not res.out, res
    assert res.err.startswith("ERROR: ") and message in res.err and hint in res.err, res
    # A wrong option is followed by the usage.
    assert len(res.err.partition("USAGE:")[0].splitlines()) <= 2, res


@pytest.mark.parametrize("args, message", [
    (["/nonexistent.bt"], "failed to open file '/nonexistent.bt': No such file"),
    (["/tmp"], "failed to open file '/tmp': Is a directory"),
    (["/bin/sh"], "contains a NUL byte"),
    (["-l", "nothing:at:all"], "nothing:at:all"),
])
def test_what_cannot_be_done(run, args, message):
    res = run(*args)
    assert res.status == 1 and not res.out and message in res.err, res


def test_options_stand_anywhere_before_two_dashes(run, tmp_path):
    q = tmp_path / "q.bt"
    q.write_text('BEGIN { printf("%s %s %d\\n", str($1), str($2), $#); exit(); }')
    assert run(q, "a", "-q", "b").out == "a b 2\n"
    assert run("-q", q, "--", "a", "-q").out == "a -q 2\n"
    assert run("-qe", "BEGIN { print($1); exit(); }", "7").out == "7\n"
    assert run("-q", "--", q, "x").out.startswith("x ")


def test_letters_can_be_joined(run):
    out = run("-lv", "tracepoint:sched:sched_switch").out
    assert out == run("-l", "-v", "tracepoint:sched:sched_switch").out
    assert out.splitlines()[0] == "tracepoint:sched:sched_switch"
    assert all(line.startswith("    ") for line in out.splitlines()[1:]) and "prev_pid" in out


def test_options_of_the_reference_are_accepted(run):
    args = ["-I", "/usr/include", "--include", "x.h", "--no-feature", "kprobe_multi", "--usdt-file-activation"]
    assert run("-q", *args, "-e", "BEGIN { print(1); exit(); }").out == "1\n"
    res = run("-v", *args, "-e", "BEGIN { exit(); }")
    assert "--usdt-file-activation has no effect" in res.err and res.status == 0, res


def test_settings_come_from_the_environment(run):
    program = 'BEGIN { @x[1] = 1; @x[2] = 2; exit(); }'
    for name in ("SONDE_MAX_MAP_KEYS", "BPFTRACE_MAX_MAP_KEYS", "BPFTRACE_MAP_KEYS_MAX"):
        res = run("-q", "-e", program, env={name: "1"})
        assert res.out == "@x[1]: 1\n" and "@x" in res.err, (name, res)
    res = run("-q", "-e", program, env={"SONDE_MAX_MAP_KEYS": "2", "BPFTRACE_MAX_MAP_KEYS": "1"})
    assert res.err == "", res
    res = run("-q", "-e", program, env={"SONDE_MAX_MAP_KEYS": "many"})
    assert res.status == 1 and "many" in res.err, res


def test_warnings_can_be_silenced(run):
    res = run("-q", "--no-warnings", "-e", 'BEGIN { @x[1] = 1; @x[2] = 2; exit(); }', env={"SONDE_MAX_MAP_KEYS": "1"})
    assert res.status == 0 and res.err == "", res


def test_colour_only_where_it_is_wanted(run):
    assert "\033" not in run("-x").err
    assert "\033[" in run("-x", env={"SONDE_COLOR": "always"}).err
    assert "\033" not in run("-x", env={"SONDE_COLOR": "never"}).err


def test_the_exit_status_of_the_program(run):
    assert run("-q", "-e", "BEGIN { exit(7); }").status == 7
    assert run("-q", "-e", "BEGIN { exit(); }").status == 0


@pytest.mark.parametrize("mode", ["full", "line", "none"])
def test_every_way_of_buffering_shows_everything(run, mode):
    res = run("-q", "-B", mode, "-e", "BEGIN { print(1); print(2); exit(); }")
    assert res.out == "1\n2\n", res


def test_a_pipe_sees_output_at_once(running):
    r = running("-q", "-e", 'interval:ms:20 { print("tick"); }')
    r.wait_for("tick\ntick\n", seconds=5)
    assert r.finish().status == 130


def test_a_stage_is_shown_although_a_later_one_fails(run):
    res = run("-d", "ast", "-e", "BEGIN { print(pidd); }")
    assert res.status == 1 and "pidd" in res.out and "did you mean 'pid'?" in res.err, res


def test_names_of_stages_of_the_reference(run):
    assert run("-d", "dis", "-e", "BEGIN { exit(); }").out == run("-d", "bpf", "-e", "BEGIN { exit(); }").out


def test_external_commands(tmp_path):
    tool = tmp_path / "sonde-hello"
    tool.write_text("#!/bin/sh\necho hello \"$@\"\n")
    tool.chmod(0o755)
    env = dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}")
    r = subprocess.run([SONDE, "hello", "a", "b"], capture_output=True, text=True, env=env)
    assert r.returncode == 0 and r.stdout == "hello a b\n", r


def test_build_names_its_output_after_the_program(run, tmp_path):
    q = tmp_path / "q.bt"
    q.write_text("BEGIN { exit(); }")
    assert run("build", q).status == 0
    assert (tmp_path / "q.bpf.o").read_bytes()[:4] == b"\x7fELF"


def test_info(run):
    res = run("--info")
    assert res.status == 0 and "Kernel: " in res.out, res


def test_a_command_gets_its_signals_as_they_were(run):
    res = run("-q", "-c", "sh -c 'yes | head -n 1 >/dev/null; grep SigIgn /proc/self/status'", "-e", "interval:s:5 { }")
    assert res.status == 0 and "Broken pipe" not in res.err, res
    ignored = int(res.out.split()[1], 16)
    assert not ignored >> 12 & 1, res  # SIGPIPE is 13


@pytest.mark.parametrize("name", ["build", "checkup", "complete", "diff", "help", "show", "tools", "version"])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_each_command_explains_itself(run, name, option):
    res = run(name, option)
    assert res.status == 0 and res.err == "" and re.match(rf"usage: sonde {name}\b.*\n\n{name}: \w", res.out), res
