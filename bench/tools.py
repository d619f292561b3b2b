# SPDX-License-Identifier: GPL-2.0-or-later
"""How long each tool keeps a processor until it is attached, and ends again."""
import re
import subprocess

from common import Table, run_measured

LIMIT_MS = 60
# What a tool cannot do without.
WORDS = {"funclatency": ["libc:malloc"], "ksnoop": ["vfs_read"]}


def names(sonde):
    out = subprocess.run([sonde, "tools"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  ([\w-]+)", out, re.M)


def part(tools, rounds):
    """Only sonde's: what the peers have of the same name does other things."""
    t = Table("Start of each tool", "Processor time of the whole process, from its start until it is attached, and its end "
              "(`--dry-run`). Attached at once are only tools that work on this kernel.", [("CPU ms", 1)])
    for name in names(tools.sonde):
        argv = [tools.sonde, name, *WORDS.get(name, []), "--dry-run"]
        for _ in range(rounds):
            t.attempt(name, "sonde", argv, lambda a=argv: (run_measured(tools, a)[1],))
    known = {q: t.median(q, "sonde", 0) for q, _ in t.rows if t.samples[q, "sonde"]}
    slowest = max(known, key=known.get, default="each of them")
    t.limit(slowest, f"the slowest of {len(known)}: at most {LIMIT_MS} ms CPU", known.get(slowest), LIMIT_MS)
    return t
