# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/tools.md has a row for each tool and no other, and says of this kernel what the cases just saw."""
import re
import subprocess
from types import SimpleNamespace

import pytest

import test_cases as lang
import toolcases
import tooltable


def test_rows_are_the_tools():
    assert list(tooltable.committed()) == list(tooltable.tools()), \
        "scripts/tools-table writes the rows, make tools-table also what is in them"


def test_cells():
    def case(name, status="0"):
        return SimpleNamespace(id=name, keys={"status": status})

    def seen(state, said=""):
        return {"state": state, "lacks": [], "said": said}
    a, b, none = case("a"), case("b"), case("c", "1")
    assert tooltable.cell([a], {}, None) == ("untested here", [])
    assert tooltable.cell([], {}, "no such machine") == ("untested here", ["no such machine"])
    assert tooltable.cell([a, b], {"a": seen("yes"), "b": seen("fails")}, None) == ("fails", [])
    assert tooltable.cell([a, b], {"a": seen("yes"), "b": seen("yes")}, None) == ("yes", [])
    assert tooltable.cell([none], {"c": seen("yes", "no disk")}, None) == ("no", ["no disk"])
    assert tooltable.cell([a, none], {"a": seen("yes"), "c": seen("yes", "no disk")}, None) == ("partly", ["no disk"])
    assert tooltable.cell([a], {"a": seen("no", "no kprobe")}, None) == ("no", ["no kprobe"])


@pytest.mark.parametrize("line", re.findall(r"^    sonde (-l.*)$", tooltable.DOC.read_text(), re.M))
def test_lists(line):
    """The lines of the document that list probes find some."""
    done = subprocess.run(f"{lang.SONDE} {line}", shell=True, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and done.stdout.count("\n") > 10, done.stderr


def test_no_tool_is_a_command():
    """Names of tools and aliases are told apart from each other."""
    names = [n for name, t in tooltable.tools().items() for n in (name, *t["aliases"])]
    assert len(names) == len(set(names)), sorted(n for n in names if names.count(n) > 1)
    assert set(toolcases.headers()) == set(tooltable.tools())


def test_the_document_has_all_tools_whose_values_are_compared():
    assert tooltable.values() in tooltable.DOC.read_text(), "run scripts/tools-table"
    assert set(tooltable.all_compared()) <= set(tooltable.tools())
    assert len(tooltable.all_compared()) >= 45
