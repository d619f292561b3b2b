# SPDX-License-Identifier: GPL-2.0-or-later
"""What docs/kernels.md says of each kernel is what the cases just saw there. It runs after test_probes.py."""
import pytest

import table
import test_probes


@pytest.mark.parametrize("kernel", [n for n in test_probes.NAMES if n in table.KERNELS])
def test_document_agrees(kernel):
    seen = test_probes.SEEN.get(kernel)
    if not seen:
        pytest.skip(f"no case was run on {kernel}")
    told = {kind: row[kernel] for kind, row in table.committed().items()}
    complete = [kind for kind, cases in table.evidence().items() if set(cases) <= set(seen)]
    words = {kind: word for kind, (word, _) in table.cells(seen).items() if kind in complete and word != "fails"}
    differs = {kind: (told[kind], word) for kind, word in words.items()
               if told.get(kind, "untested") not in ("untested", word)}
    assert not differs, "make kernels-table brings it up to date, if that is right"
