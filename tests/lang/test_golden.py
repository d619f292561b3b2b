# SPDX-License-Identifier: GPL-2.0-or-later
"""The instructions of small questions, read and found right by a person: tests/lang/golden/*.golden.

The first line is the question, the rest what `sonde -d bpf` must print. It is asked as a user without any
rights, since compiling needs none. When a change makes code better, read the difference before accepting it.
"""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

SONDE = os.environ.get("SONDE", "build/sonde")
GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.golden"))


@pytest.fixture(scope="module")
def unprivileged():
    """A copy of the program that a user without rights can reach."""
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        shutil.copy(SONDE, f"{d}/sonde")
        os.chmod(f"{d}/sonde", 0o755)
        drop = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] if os.getuid() == 0 else []
        yield [*drop, f"{d}/sonde"]


@pytest.mark.parametrize("path", GOLDEN, ids=[p.stem for p in GOLDEN])
def test_instructions(path, unprivileged):
    question, _, listing = path.read_text().partition("\n")
    if "comm" in question and tuple(int(n) for n in os.uname().release.split(".")[:2]) < (6, 5):
        pytest.skip("before Linux 6.5 the memory for a name is cleared first")
    r = subprocess.run([*unprivileged, "-d", "bpf", "-e", question], capture_output=True, text=True,
                       stdin=subprocess.DEVNULL, cwd="/", env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
    assert r.returncode == 0, r.stderr
    assert r.stdout == listing


def test_there_are_some():
    assert len(GOLDEN) >= 8
