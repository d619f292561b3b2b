# SPDX-License-Identifier: GPL-2.0-or-later
"""Failures of allocations and system calls, one by one (faults.py): a sample of them.

SONDE_HARD_SECONDS says for how long (default 15 for all runs together); faults.py by itself does them all.
"""
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import faults  # noqa: E402

SECONDS = float(os.environ.get("SONDE_HARD_SECONDS", 15))
# Those that detach slowly are left to faults.py.
QUICK = [name for name in faults.RUNS if name not in ("uprobe", "uretprobe", "usdt")]


SANITIZED = b"__asan_init" in Path(faults.SONDE).read_bytes()


@pytest.mark.skipif(SANITIZED, reason="AddressSanitizer has an allocator of its own, which cannot be made to fail from outside")
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


DEBUGGED_C = """
struct pair { int a; char *b; };
static inline __attribute__((always_inline)) int inner(struct pair *p) { return p->a + 1; }
__attribute__((noinline)) int outer(struct pair *p, long n) { return inner(p) + (int)n; }
int main(void) { struct pair p = { 1, "x" }; return outer(&p, 2) != 4; }
"""


@pytest.mark.skipif(SANITIZED, reason="AddressSanitizer takes terabytes of address space")
def test_little_address_space(tmp_path):
    """Debugging information is read by a library that ends the process when it finds no memory: it is not asked then."""
    (tmp_path / "debugged.c").write_text(DEBUGGED_C)
    subprocess.run(["gcc", "-g", "-O1", "-o", tmp_path / "debugged", tmp_path / "debugged.c"], check=True)
    program = str(tmp_path / "debugged")
    command = [faults.SONDE, "-q", "-c", program, "-e", f"uprobe:{program}:outer {{ @ = args.n; print(ustack); }}"]
    answers = set()
    for mib in (20, 40, 60, 80, 100, 120, 160, 240, 400):
        r = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
                           preexec_fn=lambda most=mib << 20: resource.setrlimit(resource.RLIMIT_AS, (most, most)))
        # 127: the program itself could not be loaded
        assert r.returncode in (0, 1, 127) and (r.returncode == 0 or r.stderr), (mib, r)
        answers.add(r.returncode)
    assert 0 in answers and "@: 2\n" in r.stdout
