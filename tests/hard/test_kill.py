# SPDX-License-Identifier: GPL-2.0-or-later
"""Killed (SIGKILL) at random moments: nothing stays loaded, attached or pinned, and files are whole or not there.

SONDE_HARD_KILLS says how often (default 24 in all; `make check-deep`: 200).
"""
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

import objects

ROOT = Path(__file__).resolve().parent.parent.parent
SONDE = os.environ.get("SONDE", str(ROOT / "build" / "sonde"))
KILLS = int(os.environ.get("SONDE_HARD_KILLS", 24))
MARK = f"kp{os.getpid() % 100000}"
MANY = " ".join(f'@m[{i}] = "{"x" * 50}";' for i in range(40))

# Command, and how long it runs about.
RUNS = {
    "uprobe": (["-q", "-e", "uprobe:libc:malloc { @m[comm] = count(); } uretprobe:libc:free { @m[comm] = count(); }"], 0.4),
    "tracepoint": (["-q", "-e", "tracepoint:sched:sched_switch { @m[kstack] = count(); } profile:hz:999 { @m[ustack] = count(); }"], 0.4),
    "iter": (["-q", "-e", "iter:task { @m[0] = count(); printf(\"%s\\n\", ctx.task.comm); }"], 0.1),
    "child": (["-q", "-c", "sleep 5", "-e", "uprobe:libc:malloc /pid == cpid/ { @m[1] = count(); }"], 0.4),
    "build": (["build", "-e", f"begin {{ {MANY} }}", "-o", "OUT"], 0.05),
    "picture": (["-q", "-f", "flame", "-o", "OUT", "-e", "profile:hz:999 { @m[kstack] = count(); } interval:ms:50 { exit(); }"], 0.2),
}


def is_whole(name, path):
    """What ends in one piece, if it is there."""
    if not path.exists():
        return True
    data = path.read_bytes()
    if name == "build":
        return data[:4] == b"\x7fELF" and subprocess.run(["readelf", "-S", path], capture_output=True).stderr == b""
    return data.endswith(b"</svg>\n")


def kill_at(name, after, out, sleeping):
    args, _ = RUNS[name]
    command = [a.replace("@m", f"@{MARK}").replace("OUT", str(out)) for a in args]
    out.unlink(missing_ok=True)
    p = subprocess.Popen([SONDE, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                         start_new_session=True)
    time.sleep(after)
    p.send_signal(signal.SIGKILL)
    p.wait()
    sleeping.append(p.pid)


@pytest.mark.parametrize("name", RUNS)
def test_killed(name, tmp_path):
    events, pins = objects.probe_events(), objects.pinned()
    sleeping, broken = [], []
    for n in range(max(KILLS // len(RUNS), 1)):
        out = tmp_path / f"out{n}"
        after = random.uniform(0, RUNS[name][1])
        kill_at(name, after, out, sleeping)
        if not is_whole(name, out):
            broken.append(after)
    for session in sleeping:  # what -c had started has no parent any more
        try:
            os.killpg(session, signal.SIGKILL)
        except ProcessLookupError:
            pass
    assert not broken, f"a file is there and not whole, killed after {broken} s"
    assert not objects.maps_named(MARK)
    assert objects.probe_events() == events
    assert [p for p in objects.pinned() if p not in pins and MARK in p] == []
