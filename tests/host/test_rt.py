# SPDX-License-Identifier: GPL-2.0-or-later
"""`sonde rt` on the live kernel."""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "rt"))
import rtcases  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def program():
    return rtcases.build()


@pytest.mark.parametrize("mode", rtcases.MODES)
def test_mode(run, mode):
    res = run(*rtcases.arguments(mode), timeout=60)
    rtcases.check(mode, res.out, res.err, res.status, os.cpu_count() == 1)


def verdicts(res):
    return {r["data"]["item"]: r["data"] for r in res.json() if r["type"] == "verdict"}


def test_stack_names_the_call(run):
    res = run("rt", "--scope", "process", "--", rtcases.PROGRAM, "mutex", "100", timeout=60)
    assert res.status == 3
    lines = res.out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("fail ") and " mutexes " in line)
    assert lines[at + 1].strip().endswith("locked a mutex without priority inheritance, 100 times")
    assert "pthread_mutex_lock" in lines[at + 2]
    assert any("PTHREAD_PRIO_INHERIT" in line for line in lines[at:])


def test_running_process(run):
    p = subprocess.Popen([rtcases.PROGRAM, "relative", "3000"])
    try:
        time.sleep(0.3)
        res = run("rt", "-p", p.pid, "--duration", "1", "-f", "json", "--scope", "process")
    finally:
        p.kill()
        p.wait()
    found = verdicts(res)
    assert res.status == 3
    assert found["clock"]["verdict"] == "fail"
    assert found["memory-locked"]["verdict"] == "pass" and "locked" in found["memory-locked"]["found"]
    assert found["policy"]["evidence"]["threads"][1]["policy"] == "SCHED_FIFO"


def test_process_that_ends(run):
    """What was seen until then is told; what was not is no pass."""
    p = subprocess.Popen([rtcases.PROGRAM, "good", "1000"])
    res = run("rt", "-p", p.pid, "--duration", "20", "-f", "json", "--scope", "process")
    p.wait()
    assert res.status == 0, res
    quick = run("rt", "--scope", "process", "-f", "json", "--", "true")
    found = verdicts(quick)
    assert quick.status in (3, 4)
    assert not [v for v in found.values() if v["verdict"] == "pass"], found
    assert found["clock"]["found"] == "the process has no realtime thread"


def test_bound_of_latency(run):
    args = ["--scope", "process", "-f", "json", "--", rtcases.PROGRAM, "good", "100"]
    assert verdicts(run("rt", "--latency", "10s", *args))["latency"]["verdict"] == "pass"
    late = run("rt", "--latency", "10ns", *args)
    assert late.status == 3
    assert verdicts(late)["latency"]["verdict"] == "fail"


def test_items_can_be_left_out(run):
    res = run("rt", "--scope", "process", "--skip", "clock", "--", rtcases.PROGRAM, "relative", "50")
    assert " clock " not in res.out
    assert res.status == 0, res


def test_machine(run):
    res = run("rt", "--scope", "machine", "-f", "json")
    found = verdicts(res)
    assert set(found) == {"preempt-rt", "rt-throttling", "governor", "idle-states", "huge-pages", "swap", "timer-migration", "nmi",
                          "smt", "isolation", "interrupts", "caches"}
    swaps = Path("/proc/swaps").read_text().splitlines()[1:]
    assert found["swap"]["verdict"] == ("fail" if swaps else "pass")
    runtime = int(Path("/proc/sys/kernel/sched_rt_runtime_us").read_text())
    assert found["rt-throttling"]["verdict"] == ("pass" if runtime < 0 else "fail")
    kinds = {v["verdict"] for v in found.values()}
    assert res.status == (3 if "fail" in kinds else 4 if "not observable" in kinds else 0)


@pytest.mark.parametrize("args, said", [
    (["--scope", "process"], "rt: there is no process to look at"),
    (["-p", "1", "--", "true"], "-p PID and -- COMMAND are two things"),
    (["-p", "none"], "--pid: 'none' is no number from 1 to 4194304"),
    (["--"], "rt: there is no command behind --"),
])
def test_wrong_command_line(run, args, said):
    res = run("rt", *args)
    assert res.status == 2 and said in res.err


def test_no_such_process(run):
    res = run("rt", "-p", "4194303")
    assert res.status == 1 and "there is no process 4194303" in res.err


def test_no_such_command(run):
    res = run("rt", "--", "/no/such/program")
    assert res.status == 1 and "/no/such/program" in res.err
