# SPDX-License-Identifier: GPL-2.0-or-later
"""How many instructions the kernel runs for small questions (as the verifier leaves them): no more than these.

The limits are what the reference needs for the same without counting refused updates, which sonde always does.
Only storing a number needs more for that reason: the count alone is five instructions.
"""
import json
import os
import re
import subprocess

import pytest

SYS = "tracepoint:raw_syscalls:sys_"
LIMITS = [
    (SYS + "enter {}", 2),
    (SYS + "enter { @ = count(); }", 28),
    (SYS + "enter /pid == 1/ { @ = count(); }", 35),
    (SYS + 'enter /comm == "dd"/ { @ = count(); }', 55),
    (SYS + "enter { @[comm] = count(); }", 33),
    (SYS + "enter { @[pid, comm] = count(); }", 45),
    (SYS + "enter { @ = hist(args.id); }", 69),
    (SYS + "enter { @ = lhist(args.id, 0, 500, 10); }", 37),
    (SYS + "enter { @[comm] = stats(args.id); }", 39),
    (SYS + "enter { @s[tid] = nsecs; }", 15 + 4),
    (SYS + "exit { @ = hist(nsecs - @s[tid]); delete(@s, tid); } begin { @s[tid] = nsecs; }", 105),
    ("profile:hz:999 { @[kstack] = count(); }", 72),
]


def programs_of(pid):
    """What bpftool knows of the programs that the process has open."""
    ids = set()
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        with open(f"/proc/{pid}/fdinfo/{fd}") as f:
            ids.update(re.findall(r"^prog_id:\s*(\d+)$", f.read(), re.M))
    for i in ids:
        out = subprocess.run(["bpftool", "-j", "prog", "show", "id", i], capture_output=True, text=True, check=True)
        yield json.loads(out.stdout)


@pytest.mark.parametrize("question,most", LIMITS, ids=[q for q, _ in LIMITS])
def test_instructions_per_event(running, question, most):
    r = running("-e", question)
    r.wait_for("Attached")
    sizes = [p["bytes_xlated"] // 8 for p in programs_of(r.p.pid) if p["name"].startswith(("tracepoint", "profile"))]
    r.finish()
    assert len(sizes) == 1
    assert sizes[0] <= most
