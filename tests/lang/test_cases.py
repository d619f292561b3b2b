# SPDX-License-Identifier: GPL-2.0-or-later
"""Run every case of tests/lang/cases on the live kernel."""
import os
import re
import subprocess
from pathlib import Path

import pytest

from cases import load

SONDE = os.environ.get("SONDE", "build/sonde")
CASES = load(Path(__file__).parent / "cases")


@pytest.mark.parametrize("case", CASES, ids=[c.id for c in CASES])
def test_case(case):
    env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", **dict(w.split("=", 1) for w in case.words("env")))
    argv = [SONDE, "-q", *case.words("options"), "-e", case.keys["program"], *case.words("params")]
    r = subprocess.run(argv, capture_output=True, env=env, stdin=subprocess.DEVNULL,
                       timeout=float(case.keys.get("timeout", 20)))
    out = r.stdout.decode(errors="backslashreplace")
    err = r.stderr.decode(errors="backslashreplace")
    shown = f"{case.file.name}:{case.line}\nstdout:\n{out}\nstderr:\n{err}"
    # What the first failure says should be the cause, so the error text comes before the output.
    for line in case.keys.get("err", "").splitlines():
        assert line in err, shown
    if "err" not in case.keys:
        assert err == "", shown
    if "out" in case.keys:
        # Blank lines at the end do not count: cases cannot show them.
        assert out.rstrip("\n") == case.keys["out"], shown
    if "out-re" in case.keys:
        assert re.fullmatch(case.keys["out-re"], out.rstrip("\n"), re.S), shown
    assert r.returncode == int(case.keys.get("status", 0)), shown
