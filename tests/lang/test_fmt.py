# SPDX-License-Identifier: GPL-2.0-or-later
"""The formatter: what it makes of every program of the cases means the same and is left as it is."""
import os
import re
import subprocess
from pathlib import Path

import pytest

from cases import load

SONDE = os.environ.get("SONDE", "build/sonde")
CASES = load(Path(__file__).parent / "cases")


def sonde(*args, env=None):
    r = subprocess.run([SONDE, *args], capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
                       env=dict(os.environ, **(env or {})))
    return r.returncode, r.stdout.decode(errors="surrogateescape"), r.stderr.decode(errors="surrogateescape")


def fmt(text):
    status, out, err = sonde("--fmt", "-e", text)
    return out if status == 0 else None


@pytest.mark.parametrize("case", CASES, ids=[c.id for c in CASES])
def test_formatting_keeps_the_meaning(case):
    text = case.keys["program"]
    formatted = fmt(text)
    if formatted is None:
        # What cannot be read is not formatted, and then it does not compile either.
        assert sonde("-d", "ast", "-e", text)[0] != 0
        return
    assert fmt(formatted) == formatted
    # Nothing but blanks, the ';' that ends a statement and the ',' behind the last probe has changed.
    squeeze = lambda s: re.sub(r",([/{])", r"\1", re.sub(r"[\s;]", "", s)).lower()
    assert squeeze(formatted) == squeeze(text)
    env = dict(w.split("=", 1) for w in case.words("env"))
    # Constants of 64 bits may come from the clock of the compilation (time series).
    clocks = lambda r: (r[0], re.sub(r"= 0x[0-9a-f]+ ll", "= CONSTANT ll", r[1]))
    before = sonde("-d", "bpf", *case.words("options"), "-e", text, *case.words("params"), env=env)
    after = sonde("-d", "bpf", *case.words("options"), "-e", formatted, *case.words("params"), env=env)
    assert clocks(before) == clocks(after)
