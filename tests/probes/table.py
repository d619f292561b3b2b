# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of docs/kernels.md: kinds of probes by kernels, made of what the cases of each kind saw.

A run of tests/probes and tests/vm leaves its results in the build directory (probes.Results).
"""
import json
import re
from pathlib import Path

import probes

DOC = Path(__file__).resolve().parent.parent.parent / "docs" / "kernels.md"
MARKS = r"(<!-- table kernels -->\n).*?(<!-- end kernels -->)"
KERNELS = ["live", "6.1", "6.1-rt", "6.12", "6.12-rt"]


def evidence():
    """{kind: its cases}, sorted."""
    kinds = {}
    for c in probes.CASES:
        if probes.is_evidence(c):
            kinds.setdefault(c.keys["kind"], []).append(c.id)
    return dict(sorted(kinds.items()))


def results():
    """{kernel: what its file says} of those that were run."""
    paths = {k: probes.RESULTS / f"{k}.json" for k in KERNELS}
    return {k: json.loads(p.read_text()) for k, p in paths.items() if p.exists()}


def reason(seen):
    return f"needs {', '.join(seen['lacks'])}: “{seen['said']}”"


def cell(cases, seen):
    """(word, reasons) of one kind on one kernel."""
    of_kind = [seen[c] for c in cases if c in seen]
    states = {s["state"] for s in of_kind}
    reasons = list(dict.fromkeys(reason(s) for s in of_kind if s["state"] == "no"))
    if not states:
        return "untested", []
    if "fails" in states:
        return "fails", []
    return ("partly" if len(states) > 1 else states.pop()), reasons


def cells(seen):
    """{kind: (word, reasons)} on one kernel, of what was seen of its cases."""
    return {kind: cell(cases, seen) for kind, cases in evidence().items()}


def column_name(kernel, of_kernel):
    if kernel != "live":
        return kernel
    return re.match(r"\d+\.\d+", of_kernel["release"])[0] + " (build machine)" if of_kernel else "build machine"


def render(by_kernel):
    """The text between the marks."""
    columns = {k: cells(by_kernel[k]["cases"] if k in by_kernel else {}) for k in KERNELS}
    notes = {}
    text = "| | " + " | ".join(column_name(k, by_kernel.get(k)) for k in KERNELS) + " |\n"
    text += "|---" * (len(KERNELS) + 1) + "|\n"
    for kind in evidence():
        row = []
        for kernel in KERNELS:
            word, reasons = columns[kernel][kind]
            numbers = [notes.setdefault(r, len(notes) + 1) for r in reasons]
            row.append(word + "".join(f" [{n}]" for n in numbers))
        text += f"| {kind} | " + " | ".join(row) + " |\n"
    text += "".join(f"\n[{n}] {r}  " for r, n in notes.items()) + ("\n" if notes else "")
    releases = [f"{column_name(k, v)} is {v['release']}" for k, v in by_kernel.items()]
    return text + ("\nSeen on: " + "; ".join(releases) + ".\n" if releases else "")


def committed():
    """{kind: {column: word}} of the document."""
    lines = re.search(MARKS, DOC.read_text(), re.S)[0].splitlines()
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    head = rows[0][1:]
    return {r[0]: dict(zip(head, (c.split(" [")[0] for c in r[1:]))) for r in rows[2:]}


def with_table(document, by_kernel):
    return re.sub(MARKS, lambda m: m[1] + render(by_kernel) + m[2], document, flags=re.S)
