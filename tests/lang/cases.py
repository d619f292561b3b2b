# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of the language: programs and what they must print, in tests/lang/cases/*.case.

    [name of the case]
    program:
        BEGIN { print(1 + 2); }
    out:
        3

Blocks are indented by four spaces. Keys: program (required), params, options, env (NAME=value words),
out (exact standard output; maps at the end included), out-re (a regular expression that all of standard
output must match), err (every line must be found within standard error), status (default 0), timeout,
peer (`same`: bpftrace 0.17 prints the same; `no REASON`; `differs REASON`). The cases of tests/probes have
more: kind, needs, refused, where and before (see probes.py there), those of tests/tools have a tool in place of the program.
Lines that begin with # outside blocks are comments.
"""
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

BLOCKS = ("program", "out", "out-re", "err", "before", "trigger", "beside", "find", "absent")
WORDS = ("params", "options", "env", "status", "timeout", "peer", "kind", "needs", "refused", "where", "tool", "kernels", "before", "untested")


@dataclass
class Case:
    file: Path
    line: int
    name: str
    keys: dict = field(default_factory=dict)

    @property
    def id(self):
        return f"{self.file.stem}: {self.name}"

    def words(self, key):
        return shlex.split(self.keys.get(key, ""))


def parse(path):
    cases, block = [], None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        where = f"{path}:{number}"
        if block is not None and (line.startswith("    ") or not line.strip()):
            block.append(line[4:])
            continue
        block = None
        if not line.strip() or line.startswith("#"):
            continue
        if m := re.fullmatch(r"\[(.+)\]", line):
            cases.append(Case(path, number, m[1]))
            continue
        if not cases or not (m := re.fullmatch(r"([a-z-]+):\s*(.*)", line)):
            raise ValueError(f"{where}: cannot read {line!r}")
        key, rest = m[1], m[2]
        if key in cases[-1].keys:
            raise ValueError(f"{where}: {key} is given twice")
        if key in BLOCKS:
            block = cases[-1].keys.setdefault(key, [rest] if rest else [])
        elif key in WORDS:
            cases[-1].keys[key] = rest
        else:
            raise ValueError(f"{where}: unknown key {key}")
    for case in cases:
        for key in BLOCKS:
            if key in case.keys:
                lines = case.keys[key]
                while lines and not lines[-1].strip():
                    lines.pop()
                case.keys[key] = "\n".join(lines)
        if "program" not in case.keys and "tool" not in case.keys:
            raise ValueError(f"{case.file}:{case.line}: no program")
        if not any(k in case.keys for k in ("out", "out-re", "err", "status", "find", "untested")):
            raise ValueError(f"{case.file}:{case.line}: nothing is expected")
    return cases


def load(directory):
    cases = [c for p in sorted(directory.glob("*.case")) for c in parse(p)]
    seen = set()
    for c in cases:
        if c.id in seen:
            raise ValueError(f"{c.file}:{c.line}: a second case is called {c.name}")
        seen.add(c.id)
    return cases
