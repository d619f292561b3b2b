# SPDX-License-Identifier: GPL-2.0-or-later
"""Failures of allocations and system calls, one by one (faults.py): a sample of them.

SONDE_HARD_SECONDS says for how long (default 15 for all runs together); faults.py by itself does them all.
"""
import os
import random
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import faults  # noqa: E402

SECONDS = float(os.environ.get("SONDE_HARD_SECONDS", 15))
# Those that detach slowly are left to faults.py.
QUICK = [name for name in faults.RUNS if name not in ("uprobe", "uretprobe", "usdt")]


@pytest.mark.parametrize("name", QUICK)
def test_some_fail(name, tmp_path):
    bench = faults.Bench(name, tmp_path)
    before = faults.state()
    end = time.monotonic() + SECONDS / len(QUICK)
    counts = {kind: bench.count(kind) for kind in ("alloc", "call")}
    found = []
    # Always the same ones, so that a failure is of the change that is tested.
    chosen = random.Random(name)
    while time.monotonic() < end:
        kind = chosen.choice(("alloc", "call"))
        problem = bench.problem(kind, chosen.randint(1, counts[kind]), kind == "alloc" and chosen.random() < 0.3)
        found += [problem] if problem else []
    assert not found, "\n".join(found)
    assert not faults.left_behind(before, tmp_path)
