# SPDX-License-Identifier: GPL-2.0-or-later
"""`sonde rt` on kernels with PREEMPT_RT: every bad program is caught and no good one blamed; and the items of the machine,
set wrong and set right.
"""
import json
import sys
from pathlib import Path

import pytest

import kernels
import machine
import test_cases as lang

sys.path.append(str(Path(__file__).resolve().parent.parent / "rt"))
import rtcases  # noqa: E402

NAMES = kernels.asked_for("6.1-rt 6.12-rt")

# What is done before the machine is looked at, the item, and its verdict.
MACHINE = [
    ("true", "preempt-rt", "pass"),
    ("sysctl -q kernel.sched_rt_runtime_us=950000", "rt-throttling", "fail"),
    ("sysctl -q kernel.sched_rt_runtime_us=-1", "rt-throttling", "pass"),
    # These kernels have none.
    ("true", "huge-pages", "pass"),
    ("true", "swap", "pass"),
    ("modprobe zram; echo 16M >/sys/block/zram0/disksize; mkswap /dev/zram0 >/dev/null; swapon /dev/zram0", "swap", "fail"),
    ("exec 9<>/dev/cpu_dma_latency; printf '\\0\\0\\0\\0' >&9", "idle-states", "pass"),
    ("true", "governor", "not observable"),
    ("true", "isolation", "not observable"),
    ("true", "smt", "pass"),
]


def run_all(name, params):
    machine.check_tools()
    rtcases.build()
    sonde = str(Path(lang.SONDE).resolve())
    modes = [p["mode"] for p in params if "mode" in p]
    numbers = [p["number"] for p in params if "number" in p]
    jobs = [{"command": [sonde, *rtcases.arguments(m)], "env": {}, "timeout": 200} for m in modes]
    jobs += [{"command": ["/bin/sh", "-c", f"{MACHINE[n][0]}; exec {sonde} rt --scope machine -f json --duration 0.2"], "env": {},
              "timeout": 200} for n in numbers]
    answers = machine.run_jobs(kernels.get(name), jobs, machine.CLOCK_OF_ITS_OWN)
    return dict(zip([*modes, *numbers], answers))


@pytest.mark.parametrize("mode", rtcases.MODES)
def test_mode(answers, mode):
    out, err, status = answers[mode]
    rtcases.check(mode, out, err, status, one_cpu=True)


@pytest.mark.parametrize("number", range(len(MACHINE)))
def test_machine(answers, number):
    out, err, _ = answers[number]
    _, item, verdict = MACHINE[number]
    found = {r["data"]["item"]: r["data"] for r in map(json.loads, out.splitlines())}
    assert found[item]["verdict"] == verdict, (found[item], err)
