# SPDX-License-Identifier: GPL-2.0-or-later
"""Many random programs as one script: compiled and run by sonde, compared with what the interpreter says."""
import re
import subprocess

from generate import program
from text import map_text

MARK = re.compile(r"\n<<<(\d+|end)>>>\n")


def mark(name):
    return f'begin {{ printf("\\n<<<{name}>>>\\n"); }}\n'


def script(programs):
    parts = [p.head() + "\n" for p in programs]
    for p in programs:
        parts.append(mark(p.number) + "".join(c.text() + "\n" for c in p.clauses))
    return "config = { max_map_keys = 512 }\n" + "".join(parts) + mark("end")


def maps_at_end(p, run):
    """{name: text} of the maps that are shown at the end."""
    out = {}
    for m in p.maps:
        entries = run.entries(m)
        if m.agg == "count" and not m.keyed and not entries and m.t is None and used(p, m):
            entries = {None: 0}
        if entries:
            out[m.name] = "\n".join(map_text(m, entries)).strip("\n")
    return out


def used(p, m):
    return re.search(re.escape(m.name) + r"\b", p.text())


def split_maps(text):
    out = {}
    for line in text.strip("\n").split("\n"):
        if found := re.match(r"@\w+", line):
            name = found[0]
        elif not line and not out:
            continue
        out[name] = out.get(name, "") + line + "\n"
    return {k: v.strip("\n") for k, v in out.items()}


def run_sonde(sonde, text, timeout=300):
    r = subprocess.run([*sonde, "-q", "/dev/stdin"], input=text, capture_output=True, text=True, timeout=timeout,
                       errors="replace")
    return r.returncode, r.stdout, r.stderr


class Outcome:
    def __init__(self, program, why, expected="", got=""):
        self.program, self.why, self.expected, self.got = program, why, expected, got

    def __str__(self):
        return (f"program {self.program.number}: {self.why}\n--- program\n{self.program.text()}--- expected\n"
                f"{self.expected}\n--- got\n{self.got}\n")


def compare(programs, runs, out):
    parts = MARK.split(out)
    seen = {parts[i]: parts[i + 1] for i in range(1, len(parts), 2)}
    maps = split_maps(seen.get("end", ""))
    wrong = []
    for p, run in zip(programs, runs):
        expected, got = "".join(run.out).strip("\n"), seen.get(str(p.number), "").strip("\n")
        if expected != got:
            wrong.append(Outcome(p, "printed something else", expected, got))
            continue
        want = maps_at_end(p, run)
        have = {k: v for k, v in maps.items() if re.match(rf"@m{p.number}_", k)}
        if want != have:
            wrong.append(Outcome(p, "maps hold something else", "\n".join(want.values()), "\n".join(have.values())))
    return wrong


def check(sonde, made):
    """Outcomes of programs that do not do what they should. A script that fails as a whole is halved."""
    programs, runs = [p for p, _ in made], [r for _, r in made]
    status, out, err = run_sonde(sonde, script(programs))
    if status == 0:
        return compare(programs, runs, out)
    if len(made) == 1:
        return [Outcome(programs[0], f"status {status}", "", out + err)]
    half = len(made) // 2
    return check(sonde, made[:half]) + check(sonde, made[half:])


def campaign(sonde, seed, count, size=50):
    """Yield (how many were run, outcomes) batch by batch. Program n of a seed is always the same."""
    for first in range(0, count, size):
        made = [program(f"{seed}-{n}", n) for n in range(first, min(first + size, count))]
        yield len(made), check(sonde, made)
