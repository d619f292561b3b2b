# SPDX-License-Identifier: GPL-2.0-or-later
"""The unit of the low-memory killer under systemd, which is the first process of the machine: it starts, does its work with no
more rights than it has, comes back when it is killed, and stops.
"""
import json
import os
import re
from pathlib import Path

import pytest

import kernels
import machine
import test_cases as lang
from test_pressure import programs

NAMES = [n for n in kernels.asked_for("6.12") if not n.endswith("-cloud")]


def run_all(name, params):
    machine.check_tools()
    if not Path("/lib/systemd/systemd").exists():
        raise kernels.Unavailable("systemd is not installed")
    sonde = str(Path(lang.SONDE).resolve())
    job = {"command": ["/usr/bin/python3", str(Path(__file__).with_name("service_inside.py")), sonde, programs(sonde)], "env": {},
           "timeout": 600}
    [[out, err, status]] = machine.run_jobs(kernels.get(name), [job], machine.CLOCK_OF_ITS_OWN, systemd=True)
    assert status == 0, (out, err)
    return json.loads(out)


@pytest.fixture
def told(answers):
    return answers


def test_starts(told):
    for step in ("install", "verify", "start"):
        assert told[step] == {"status": 0, "said": ""}, (step, told["journal"])
    assert told["running"]["ActiveState"] == "active" and told["running"]["NRestarts"] == "0", told["journal"]
    assert told["journal"].startswith("looking after the machine"), told["journal"]


def test_has_its_place(told):
    """Locked, in front, last to be chosen; and with no more rights than the unit says."""
    status = told["status"]
    assert told["oom_score_adj"] == -1000 and told["policy"] == os.SCHED_RR
    assert int(status["VmLck"].split()[0]) >= int(status["VmRSS"].split()[0]) - 1024
    assert max(int(status[k].split()[0]) for k in ("VmRSS", "VmHWM")) < 6 * 1024, status
    # KILL, DAC_OVERRIDE, IPC_LOCK, SYS_PTRACE, SYS_NICE, SYS_RESOURCE, PERFMON, BPF
    assert int(status["CapEff"], 16) == sum(1 << n for n in (1, 5, 14, 19, 23, 24, 38, 39))
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"


def test_kills_and_logs(told):
    decisions = [d["data"] for d in told["log"] if d["type"] == "decision"]
    assert told["hog"] == {"Result": "signal", "ExecMainStatus": "9"}, told["journal"]
    assert [(d["action"], d["victim"]["comm"]) for d in decisions] == [("kill", "memhog")]
    assert [d["type"] for d in told["log"]] == ["decision", "death"]
    assert told["kernel_kills"] == 0


def test_comes_back_and_stops(told):
    assert told["again"] and told["second"] == {"Result": "signal", "ExecMainStatus": "9"}, told["journal"]
    assert told["stop"] == {"status": 0, "said": ""}
    assert told["stopped"] == {"ActiveState": "inactive", "Result": "success"} and told["restarts"] == "1"
    assert [(d["type"], d["data"]["kills"], d["data"]["kernel_kills"]) for d in told["end"]] == [("end", 1, 0)]


def test_little_is_exposed(told):
    """As systemd adds it up: 10 is everything."""
    assert float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", told["security"])[1]) < 3
