# SPDX-License-Identifier: GPL-2.0-or-later
"""Names for addresses: what stacks cost when they are shown, and how much of them gets a name."""
import re
import subprocess
import time

from common import Absent, Table, Tracer

SECONDS = 2
QUESTIONS = [
    ("kernel stacks", "profile:hz:999 { @[kstack] = count(); }"),
    ("user stacks", "profile:hz:999 { @[ustack] = count(); }"),
]
# Frames as both print them: a name with what is behind it, or an address.
FRAME = re.compile(r"^\s{2,}(\S.*)$", re.M)


def is_named(frame):
    return not re.match(r"(0x)?[0-9a-f]{6,}\b", frame) and not frame.startswith("[unknown]")


def sample(tools, argv, question):
    """Seconds from the signal to the end; CPU seconds and MiB of it all; frames; share of them with a name."""
    with Tracer(tools, [*argv, "-e", question], seconds=120) as t:
        t.wait_for("Attach")
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            subprocess.run(["dd", "if=/dev/zero", "of=/dev/null", "bs=64", "count=100000"], check=True,
                           stderr=subprocess.DEVNULL)
        took, cpu, mib = t.finish()
        frames = [f for f in FRAME.findall(t.said()) if not f.startswith("@")]
    if not frames:
        raise Absent("no stack was seen")
    return took, cpu, mib, len(frames), 100 * sum(map(is_named, frames)) / len(frames)


def part(tools, rounds):
    t = Table("Symbolisation", f"Stacks 999 times a second on each CPU for {SECONDS} seconds of dd; then they are shown.",
              [("end s", 2), ("CPU s", 2), ("peak MiB", 1), ("frames", 0), ("named %", 1)])
    for title, question in QUESTIONS:
        for _ in range(rounds):
            for name, exe in tools.languages():
                t.attempt(title, name, exe, lambda e=exe, q=question: sample(tools, e, q))
    return t
