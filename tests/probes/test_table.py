# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/kernels.md has a row for each kind that has cases, and no other."""
import table


def test_rows_are_the_kinds():
    assert list(table.committed()) == list(table.evidence()), \
        "scripts/kernels-table writes the rows, make kernels-table also what is in them"


def test_cells():
    def seen(state, said=""):
        return {"state": state, "lacks": ["kprobe"] if said else [], "said": said}
    assert table.cell(["a"], {}) == ("untested", [])
    assert table.cell(["a"], {"b": seen("fails")}) == ("untested", [])
    assert table.cell(["a", "b"], {"a": seen("yes")}) == ("yes", [])
    assert table.cell(["a", "b"], {"a": seen("yes"), "b": seen("fails")}) == ("fails", [])
    no = seen("no", "no such thing")
    assert table.cell(["a", "b"], {"a": no, "b": no}) == ("no", ["needs kprobe: “no such thing”"])
    assert table.cell(["a", "b"], {"a": no, "b": seen("yes")}) == ("partly", ["needs kprobe: “no such thing”"])
