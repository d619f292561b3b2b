# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of docs/tools.md: tools by kernels, made of what the cases of each tool saw.

A run of tests/tools and tests/vm leaves its results in the build directory (toolcases.Results). A case that expects
status 1 on certain kernels is the evidence that these lack what the tool needs, and that it says so.
"""
import json
import re

import toolcases
from values import all_compared

DOC = toolcases.HERE.parent.parent / "docs" / "tools.md"
MARKS = r"(<!-- table tools -->\n).*?(<!-- end tools -->)"
VALUES = r"(<!-- table values -->\n).*?(<!-- end values -->)"
KERNELS = ["live", "6.1", "6.12"]
AREAS = {"cpu": "CPU", "memory": "Memory", "fs": "Files and file systems", "disk": "Disks", "net": "Network",
         "security": "Security", "app": "Applications and languages", "kernel": "The kernel itself",
         "container": "Containers and hypervisors"}


def lines_of(header, key):
    """The values of "key: value" lines of a header, without what continues them."""
    return re.findall(rf"^ \* {key}: *(.*)$", header, re.M)


def tool(name, path_area, header):
    return {"area": path_area, "summary": re.search(r"^ \* [\w.-]+: *(.*)$", header, re.M)[1],
            "aliases": [v.split()[0] for v in lines_of(header, "alias")],
            "untested": (lines_of(header, "untested") or [None])[0]}


def tools():
    """{name: what its header says}, by area and name."""
    found = {p.stem: tool(p.stem, p.parent.name, p.read_text().split("*/")[0])
             for p in toolcases.TOOLS.glob("*/*.bt") if p.parent.name != "lib"}
    order = list(AREAS)
    return dict(sorted(found.items(), key=lambda t: (order.index(t[1]["area"]), t[0])))


def results():
    """{kernel: what its file says} of those that were run."""
    paths = {k: toolcases.Results.DIRECTORY / f"{k}.json" for k in KERNELS}
    return {k: json.loads(p.read_text()) for k, p in paths.items() if p.exists()}


def evidence(kernel):
    """{name of a tool: its cases that tell whether it works on the kernel}"""
    of_name = {alias: name for name, t in tools().items() for alias in (name, *t["aliases"])}
    found = {}
    for c in toolcases.CASES:
        status = c.keys.get("status", "0")
        if toolcases.runs_on(c, kernel) and (status == "0" or status == "1" and "kernels" in c.keys):
            found.setdefault(of_name[c.keys["tool"]], []).append(c)
    return found


def cell(cases, seen, untested):
    """(word, reasons) of one tool on one kernel."""
    states = [(c, seen[c.id]) for c in cases if c.id in seen]
    refused = [s for c, s in states if s["state"] == "no" or c.keys.get("status", "0") == "1"]
    if any(s["state"] == "fails" for _, s in states):
        return "fails", []
    if not states:
        return "untested here", [untested] if untested else []
    reasons = list(dict.fromkeys(s["said"] for s in refused if s["said"]))
    return ("no" if len(refused) == len(states) else "partly" if refused else "yes"), reasons


def cells(kernel, seen):
    """{tool: (word, reasons)} on one kernel, of what was seen of its cases."""
    cases = evidence(kernel)
    return {name: cell(cases.get(name, []), seen, untested_here(name, kernel) or t["untested"])
            for name, t in tools().items()}


def untested_here(name, kernel):
    """Why this kernel cannot show the tool, or None."""
    return next((c.keys["untested"] for c in toolcases.UNTESTED.get(name, []) if toolcases.runs_on(c, kernel)), None)


def column_name(kernel, by_kernel):
    if kernel != "live":
        return kernel
    return re.match(r"\d+\.\d+", by_kernel["live"]["release"])[0] if "live" in by_kernel else "build machine"


def row(name, t, words):
    also = f" (also {', '.join(f'`{a}`' for a in t['aliases'])})" if t["aliases"] else ""
    return f"| `{name}` | {t['summary']}{also} | " + " | ".join(words) + " |\n"


def summary(columns, by_kernel):
    """How many work where."""
    n = {column_name(k, by_kernel): sum(word in ("yes", "partly") for word, _ in c.values())
         for k, c in columns.items()}
    names = sum(1 + len(t["aliases"]) for t in tools().values())
    return (f"{len(tools())} tools, which answer to {names} names. "
            + ", ".join(f"{count} were seen to work on {kernel}" for kernel, count in n.items()) + ".\n")


def render(by_kernel):
    """The text between the marks."""
    columns = {k: cells(k, by_kernel[k]["cases"] if k in by_kernel else {}) for k in KERNELS}
    notes, text, area = {}, summary(columns, by_kernel), None
    for name, t in tools().items():
        if t["area"] != area:
            area = t["area"]
            text += f"\n### {AREAS[area]}\n\n| tool | shows | "
            text += " | ".join(column_name(k, by_kernel) for k in KERNELS) + " |\n" + "|---" * (len(KERNELS) + 2) + "|\n"
        words = []
        for k in KERNELS:
            word, reasons = columns[k][name]
            words.append(word + "".join(f" [{notes.setdefault(r, len(notes) + 1)}]" for r in reasons))
        text += row(name, t, words)
    text += "".join(f"\n[{n}] {r}  " for r, n in notes.items()) + ("\n" if notes else "")
    releases = [f"{column_name(k, by_kernel)} is {v['release']}" for k, v in by_kernel.items()]
    return text + ("\nSeen on: " + "; ".join(releases) + ".\n" if releases else "")


def committed():
    """{tool: {column: word}} of the document."""
    lines = [line for line in re.search(MARKS, DOC.read_text(), re.S)[0].splitlines() if line.startswith("| ")]
    rows = [[c.strip() for c in line.strip("|").split(" | ")] for line in lines]
    head = rows[0][2:] if rows else []
    return {r[0].strip("` "): dict(zip(head, (c.split(" [")[0].strip() for c in r[2:]))) for r in rows if r[0] != "tool"}


def values():
    """Which tools are compared with what: the table of the tests' own marks."""
    rows = all_compared()
    return (f"{len(rows)} tools.\n\n| tool | compared with |\n|---|---|\n"
            + "".join(f"| `{tool}` | {source} |\n" for tool, source in rows.items()))


def with_table(document, by_kernel):
    document = re.sub(VALUES, lambda m: m[1] + values() + m[2], document, flags=re.S)
    return re.sub(MARKS, lambda m: m[1] + render(by_kernel) + m[2], document, flags=re.S)
