# SPDX-License-Identifier: GPL-2.0-or-later
"""Tracepoints that run raw say what the kernel's records say; tests/vm asks other kernels."""
import subprocess
import sys

import test_cases as lang
import ways_check


def test_both_ways_agree():
    r = subprocess.run([sys.executable, str(ways_check.WAYS), lang.SONDE], capture_output=True, text=True, timeout=300)
    ways_check.check(r.stdout, r.stderr, r.returncode)
