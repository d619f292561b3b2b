# SPDX-License-Identifier: GPL-2.0-or-later
"""Tracepoints that run raw say what the kernel's records say, on other kernels.

SONDE_VM_KERNELS names the kernels (default `6.1 6.1-rt 6.12 6.12-rt`).
"""
import os
import sys
from pathlib import Path

import pytest

import kernels
import machine
import test_cases as lang
import ways_check

NAMES = os.environ.get("SONDE_VM_KERNELS", "6.1 6.1-rt 6.12 6.12-rt").split()


@pytest.mark.parametrize("name", NAMES)
def test_both_ways_agree(name):
    machine.check_tools()
    sonde = str(Path(lang.SONDE).resolve())
    job = {"command": [sys.executable, str(ways_check.WAYS), sonde, "alone"], "env": {}, "timeout": 1500}
    try:
        (answer,) = machine.run_jobs(kernels.get(name), [job], timeout=1600)
    except kernels.Unavailable as e:
        pytest.skip(str(e))
    ways_check.check(*answer)
