# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of values share. `@compared(TOOL, WITH)` says that a test compares what a tool shows with an independent
source; docs/tools.md has a table of them, made from these lines by scripts/tools-table."""
import json
import os
import re
import subprocess
from pathlib import Path

import test_cases as lang

HERE = Path(__file__).resolve().parent


def compared(_tool, _with):
    return lambda test: test


def all_compared():
    """{tool: what it is compared with} of all tests."""
    texts = [p.read_text() for p in sorted(HERE.glob("test_*.py"))]
    return dict(sorted(m for text in texts for m in re.findall(r'^@compared\("([\w-]+)", "([^"]+)"\)$', text, re.M)))


def shown(tool, command, *options):
    """(data that the tool shows while the command runs, what the command prints)"""
    done = subprocess.run([lang.SONDE, tool, "-f", "json", "-q", *options, "--cmd", command], capture_output=True, text=True,
                          timeout=60, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    mine = [line for line in lines if line.startswith('{"type"')]
    data = [d["data"] for d in map(json.loads, mine) if d["type"] in ("value", "map", "hist", "stats")]
    return data, "\n".join(line for line in lines if not line.startswith('{"type"'))


def plain_key(key):
    """The values of a record that is a key, without their names: "{.a=1,.b=x}" is "1,x"."""
    return re.sub(r"(^|,)\.\w+=", r"\1", key[1:-1]) if key.startswith("{.") else key


def entries(data, name):
    """All entries of a map, the keys plain."""
    found = {}
    for d in data:
        if isinstance(d.get(name), dict):
            found.update((plain_key(k), v) for k, v in d[name].items())
    return found


def total(buckets):
    return sum(b["count"] for b in buckets)
