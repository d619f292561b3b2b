# SPDX-License-Identifier: GPL-2.0-or-later
"""How sonde starts, follows processes, ends, and what its exit status says."""
import os
import signal
import subprocess
import time

import pytest

from conftest import SONDE


def test_ctrl_c_ends_with_results(running):
    r = running("-e", "BEGIN { @x = 7; } interval:s:60 { }")
    r.wait_for("Attached")
    res = r.finish(signal.SIGINT)
    assert "@x: 7\n" in res.out, res
    assert res.status == 130, res


def test_sigterm_ends_with_results(running):
    r = running("-e", "BEGIN { @x = 7; } interval:s:60 { } END { printf(\"end\\n\"); }")
    r.wait_for("Attached")
    res = r.finish(signal.SIGTERM)
    assert "end\n" in res.out and "@x: 7\n" in res.out, res
    assert res.status == 143, res


def test_the_end_of_a_command_ends_the_session(run, load):
    res = run("-c", f"{load} 500", "-e", "tracepoint:syscalls:sys_enter_getppid /pid == cpid/ { @ = count(); }")
    assert res.status == 0 and "@: 500\n" in res.out, res


def test_a_command_does_not_start_before_the_probes(run, load):
    for _ in range(5):
        res = run("-q", "-c", f"{load} 3", "-e",
                  "tracepoint:syscalls:sys_enter_getppid /pid == cpid/ { @ = count(); }")
        assert "@: 3\n" in res.out, res


def test_a_command_that_does_not_exist(run):
    res = run("-c", "/nonexistent/program", "-e", "interval:s:5 { }")
    assert res.status == 1 and "/nonexistent/program" in res.err, res


def test_the_end_of_a_process_ends_the_session(running):
    sleeper = subprocess.Popen(["sleep", "60"])
    r = running("-p", sleeper.pid, "-e", "profile:hz:99 { @ = count(); }")
    r.wait_for("Attached")
    sleeper.kill()
    sleeper.wait()
    res = r.finish(None, timeout=20)
    assert res.status == 0, res


def test_a_process_that_does_not_exist(run):
    res = run("-p", "4194303", "-e", "interval:s:5 { }")
    assert res.status == 1 and "4194303" in res.err, res


@pytest.mark.parametrize("args", [["-x"], ["--no-such-option"], ["-e"], [], ["-f", "xml", "-e", "BEGIN{}"],
                                  ["-p", "abc", "-e", "BEGIN{}"], ["-B", "odd", "-e", "BEGIN{}"]])
def test_a_wrong_command_line(run, args):
    res = run(*args)
    assert res.status == 2, res
    assert res.err and not res.out, res


def test_a_file_that_does_not_exist(run):
    res = run("/nonexistent/q.bt")
    assert res.status in (1, 2) and "/nonexistent/q.bt" in res.err, res


def test_a_file_with_an_interpreter_line(tmp_path):
    q = tmp_path / "q.bt"
    q.write_text("#!/usr/bin/env sonde\n\nBEGIN { printf(\"from %s\\n\", str($1)); }\n")
    q.chmod(0o755)
    env = dict(os.environ, PATH=f"{os.path.dirname(SONDE)}:{os.environ['PATH']}")
    r = subprocess.run([str(q), "file"], capture_output=True, text=True, env=env)
    assert "from file\n" in r.stdout, r


def test_diagnostics_name_the_file(run, tmp_path):
    q = tmp_path / "q.bt"
    q.write_text("BEGIN\n{\n  print(pidd);\n}\n")
    res = run(q)
    assert res.status == 1
    assert f"{q}:3:9: error:" in res.err and "^~~~" in res.err and "did you mean 'pid'" in res.err, res


def test_standard_input(run):
    res = run("-q", "-", input=b"BEGIN { print(5); }")
    assert res.out == "5\n", res


def test_quiet_and_not(run):
    assert run("-e", "BEGIN { print(1); }").out == "Attached 1 probe\n1\n\n\n"
    assert run("-q", "-e", "BEGIN { print(1); }").out == "1\n"


def test_dry_run_executes_nothing(run):
    res = run("--dry-run", "-e", 'BEGIN { print("begun"); @x = 1; } interval:s:9 { } END { print("ended"); }')
    assert res.status == 0 and res.out == "Attached 3 probes\n" and res.err == "", res


def test_unsafe_functions_need_the_option(run):
    res = run("-e", 'BEGIN { system("echo no"); }')
    assert res.status == 1 and "no\n" not in res.out, res


def test_output_file(run, tmp_path):
    out = tmp_path / "o.txt"
    res = run("-q", "-o", out, "-e", "BEGIN { print(5); @x = 1; }")
    assert res.status == 0 and res.out == "", res
    assert out.read_text() == "5\n@x: 1\n"


def test_full_disk(run):
    res = run("-q", "-o", "/dev/full", "-e", "BEGIN { print(5); }")
    assert res.status == 1 and "No space left" in res.err and "/dev/full" in res.err, res
    assert len(res.err.strip().splitlines()) <= 2, res


def test_output_into_a_directory_that_does_not_exist(run):
    res = run("-o", "/nonexistent/o", "-e", "BEGIN { print(5); }")
    assert res.status == 1 and "/nonexistent/o" in res.err, res


def test_closed_pipe():
    p = subprocess.Popen([SONDE, "-q", "-e", "interval:ms:5 { print(\"line\"); }"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    p.stdout.readline()
    p.stdout.close()
    err = p.stderr.read().decode()
    assert p.wait(timeout=20) == 1
    assert "Broken pipe" in err and len(err.strip().splitlines()) <= 2, err


@pytest.mark.parametrize("program, words", [
    ("rawtracepoint:sched_switch { @ = count(); }", ["CAP_BPF", "CAP_PERFMON"]),
    ("BEGIN { print(1); }", ["CAP_BPF", "CAP_PERFMON"]),
    # Names of tracepoints are needed before anything is loaded.
    ("tracepoint:sched:sched_switch { @ = count(); }", ["tracefs", "CAP_SYS_ADMIN"])])
def test_without_capabilities(program, words):
    if os.path.ismount("/sys/kernel/tracing") and "tracefs" in words:
        words = ["CAP_BPF", "CAP_PERFMON"]
    # setpriv keeps uid 0: with an empty bounding set an exec leaves no capability.
    r = subprocess.run(["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", SONDE, "-e", program],
                       capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert r.returncode == 1, r
    for word in words:
        assert word in r.stderr, r
    assert len(r.stderr.strip().splitlines()) <= 3, r


def test_a_kernel_without_btf(tmp_path):
    """Types of the kernel cannot be known then; everything that needs none works."""
    script = f"mount -t tmpfs none /sys/kernel/btf && exec {SONDE} -q -e \"$1\""

    def ask(program):
        return subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", program], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=30)

    assert ask("BEGIN { @x = 1; }").stdout == "@x: 1\n"
    assert "@n: " in ask("rawtracepoint:sched_switch { @n = count(); } interval:ms:200 { exit(); }").stdout
    r = ask("rawtracepoint:sched_switch { print(args.prev); }")
    assert r.returncode == 1 and "BTF" in r.stderr and len(r.stderr.splitlines()) <= 5, r
