# SPDX-License-Identifier: GPL-2.0-or-later
"""A few hundred random programs that are always the same, so that a failure is of the change that is tested; with
SONDE_RANDOM_SEED as many that nobody has seen before. SONDE_RANDOM_COUNT says how many of each (default 400). What a
failure shows is run again with tests/random/run.py --seed S --only N.
"""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from batch import check  # noqa: E402
from generate import program  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
SONDE = [os.environ.get("SONDE", str(ROOT / "build" / "sonde"))]
COUNT = int(os.environ.get("SONDE_RANDOM_COUNT", 400))
SEEDS = ["same"] + [s for s in [os.environ.get("SONDE_RANDOM_SEED")] if s]
BATCH = 40
FIRST = [(seed, n) for seed in SEEDS for n in range(0, COUNT, BATCH)]


@pytest.mark.parametrize("seed,first", FIRST, ids=[f"{'same' if s == 'same' else 'new'}-{n}" for s, n in FIRST])
def test_programs(seed, first):
    made = [program(f"{seed}-{n}", n) for n in range(first, min(first + BATCH, COUNT))]
    wrong = check(SONDE, made)
    assert not wrong, f"seed {seed}\n" + "\n".join(map(str, wrong))
