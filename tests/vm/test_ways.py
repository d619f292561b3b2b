# SPDX-License-Identifier: GPL-2.0-or-later
"""Tracepoints that run raw say what the kernel's records say, on other kernels.

SONDE_VM_KERNELS names the kernels (default `6.1 6.1-rt 6.12 6.12-rt`).
"""
import sys

import kernels
import machine
import probes
import ways_check
from inside_jobs import inside

NAMES = kernels.asked_for("6.1 6.1-rt 6.12 6.12-rt")


def run_all(name, params):
    """What the one job printed."""
    machine.check_tools()
    sonde = inside(probes.INFO)["command"][0]
    job = {"command": [sys.executable, str(ways_check.WAYS), sonde, "alone"], "env": {}, "timeout": 1500}
    return machine.run_jobs(kernels.get(name), [job])[0]


def test_both_ways_agree(answers):
    ways_check.check(*answers)
