# SPDX-License-Identifier: GPL-2.0-or-later
"""How long each tool keeps a processor until it is attached, and ends again: user and system time of the whole
process, the least of a few rounds."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT_MS = 60
# What a tool cannot do without.
WORDS = {"funclatency": ["libc:malloc"], "ksnoop": ["vfs_read"]}


def names(sonde):
    out = subprocess.run([sonde, "tools"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  ([\w-]+)", out, re.M)


def start_once(argv):
    """(CPU milliseconds, "" or the last line of what it said when it failed)"""
    with tempfile.TemporaryFile() as err:
        pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, err.fileno(), 2)])
        _, status, used = os.wait4(pid, 0)
        err.seek(0)
        said = err.read().decode(errors="replace").splitlines()
    why = (said[0] if said else f"status {status}") if status else ""
    return (used.ru_utime + used.ru_stime) * 1000, why


def measure(sonde, rounds):
    """[(CPU milliseconds, name, why not)], the slowest first"""
    rows = []
    for name in names(sonde):
        runs = [start_once([sonde, name, *WORDS.get(name, []), "--dry-run"]) for _ in range(rounds)]
        rows.append((min(ms for ms, _ in runs), name, next((why for _, why in runs if why), "")))
    return sorted(rows, reverse=True)


def show(rows, rounds):
    works = [r for r in rows if not r[2]]
    print(f"Start of each tool until it is attached, and its end: CPU ms, the least of {rounds} rounds")
    for ms, name, why in rows:
        print(f"{name:16}{ms:8.1f}  {why}".rstrip())
    slow = [name for ms, name, _ in works if ms >= LIMIT_MS]
    print(f"{len(works)} tools attach here, the slowest in {works[0][0]:.1f} ms, half of them within "
          f"{works[len(works) // 2][0]:.1f} ms; above {LIMIT_MS} ms: {', '.join(slow) or 'none'}")


if __name__ == "__main__":
    show(measure(sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).resolve().parent.parent / "build/sonde"), 3), 3)
