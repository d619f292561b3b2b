# SPDX-License-Identifier: GPL-2.0-or-later
"""What the audit must find in each mode of rtwork.c: a good program and a bad one for each item of the list. Run on the live
kernel by tests/host/test_rt.py and on the -rt kernels by tests/vm/test_rt.py.
"""
import json
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("SONDE_BUILD") or HERE.parent.parent / "build").resolve()
PROGRAM = BUILD / "tests" / "rtwork"
# Locks and other calls are seen as often as this.
TURNS = 200

# Mode: the items that must fail. What else is judged must pass.
MODES = {
    "good": set(), "good-rr": set(), "good-mutex": set(), "good-cond": set(), "good-malloc": set(), "good-epoll": set(),
    "none": {"policy"}, "highest": {"policy"}, "everyone": {"policy", "affinity"},
    "affinity": {"affinity"},
    "unlocked": {"memory-locked"}, "current": {"memory-locked"},
    "fault": {"page-faults"},
    "memory": {"memory-calls"},
    "relative": {"clock"}, "usleep": {"clock"}, "realtime": {"clock"},
    "timer": {"signals"}, "kill": {"signals"},
    "mutex": {"mutexes"}, "rwlock": {"mutexes"},
    "semaphore": {"semaphores", "wakers"},
    "cond": {"condition-variables"},
    "waker": {"wakers"},
    "pipe": {"waits"},
}
# Follows from the fault, or not, by chance: memory that is not locked may be there all the same.
MAY_FAIL = {"unlocked": {"page-faults"}, "mutex": {"wakers"}, "memory": {"waits"}}
# Words that the evidence of a failed item must hold.
EVIDENCE = {"fault": "page fault", "memory": "munmap", "relative": "clock_nanosleep", "realtime": "CLOCK_REALTIME",
            "timer": "timer_create", "kill": "SIGUSR1", "mutex": "mutex without priority inheritance", "rwlock": "read-write lock",
            "semaphore": "semaphore", "cond": "condition variable", "pipe": "slept in read", "waker": "lower priority"}


def build():
    source = HERE / "rtwork.c"
    if not PROGRAM.exists() or PROGRAM.stat().st_mtime < source.stat().st_mtime:
        PROGRAM.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-O1", "-g", "-o", f"{PROGRAM}.{os.getpid()}", source, "-lpthread"], check=True)
        os.rename(f"{PROGRAM}.{os.getpid()}", PROGRAM)
    return PROGRAM


def arguments(mode):
    return ["rt", "--scope", "process", "-f", "json", "--", str(PROGRAM), mode, str(TURNS)]


def check(mode, out, err, status, one_cpu=False):
    records = [json.loads(line) for line in out.splitlines()]
    verdicts = {r["data"]["item"]: r["data"] for r in records if r["type"] == "verdict"}
    said = {k: (v["verdict"], v["found"], v.get("evidence")) for k, v in verdicts.items()}
    failed = {k for k, v in verdicts.items() if v["verdict"] == "fail"}
    unseen = {k for k, v in verdicts.items() if v["verdict"] == "not observable"}
    must = MODES[mode] - ({"affinity"} if one_cpu else set())
    assert must <= failed <= must | MAY_FAIL.get(mode, set()), (said, err)
    if mode == "none":
        assert unseen == set(verdicts) - {"policy"}, said
    else:
        assert unseen == ({"affinity"} if one_cpu else set()), (said, err)
    for item in must:
        assert EVIDENCE.get(mode, "") in json.dumps(verdicts[item]) or item == "wakers", said
    assert status == (3 if failed else 4 if unseen else 0), (status, err)
    if mode.startswith("good"):
        [latency] = [r["data"] for r in records if r["type"] == "latency"]
        assert latency["worst_wakeup_ns"] > 0 and sum(b["count"] for b in latency["wakeup_us"]) >= TURNS / 2
