# SPDX-License-Identifier: GPL-2.0-or-later
"""Maps from ten to a million keys: filling, printing the top ten, ending; and whether memory stays as it is while
keys come and go."""
import os
import re
import time

from common import Absent, Table, Tracer, spawn

SIZES = (10, 1000, 100000, 1000000)
COUNT = ("tracepoint:syscalls:sys_enter_getpgid /args->pid >= 1000000000/ { @[args->pid] = count(); } "
         "tracepoint:syscalls:sys_enter_getpgid /args->pid == 999999999/ { print(@, 10); printf(\"top done\\n\"); }")
CHURN = ("tracepoint:syscalls:sys_enter_getpgid /args.pid >= 1000000000/ { @[args.pid] = nsecs; } "
         "tracepoint:syscalls:sys_enter_getsid /args.pid >= 1000000000/ { delete(@, args.pid); @gone = count(); }")
CHURN_KEYS = 1000000


def environment(keys):
    return {"BPFTRACE_MAP_KEYS_MAX": str(keys + 10), "SONDE_MAX_MAP_KEYS": str(keys + 10)}


def top_ten(tools, argv, keys):
    """ns per event while filling; seconds from the last event to the end of the top ten; CPU and MiB of it all."""
    with Tracer(tools, [*argv, "-e", COUNT], env=environment(keys), seconds=60) as t:
        t.wait_for("Attach")
        time.sleep(0.5)
        begin = time.monotonic()
        load = spawn([tools.load, "keys", keys], stdin=-1)
        while b"\0" not in open(f"/proc/{load.pid}/cmdline", "rb").read() or not asleep(load.pid):
            t.check_deadline()
            time.sleep(0.001)
        filled = time.monotonic()
        t.wait_for("top done")
        done = time.monotonic()
        load.stdin.close()
        load.wait()
        end, cpu, mib = t.finish()
        top = re.findall(r"^@\[\d+\]: (\d+)$", t.said()[:t.said().index("top done")], re.M)
        if len(top) != 10 or any(n != "1" for n in top):
            raise Absent(f"its top ten is not what was counted: {top}")
    return (filled - begin) * 1e9 / keys, done - filled, end, cpu, mib


def asleep(pid):
    """Has it come to the read() at its end?"""
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rpartition(")")[2].split()[0] == "S"


def sizes(tools, rounds):
    t = Table("Maps of many keys", "A count for each of so many keys; then the top ten are printed; then the tracer is "
              "stopped, and prints them all (into a file).",
              [("ns per new key", 0), ("top ten s", 3), ("end s", 2), ("CPU s", 2), ("peak MiB", 1)])
    for keys in SIZES:
        for _ in range(rounds):
            for name, exe in tools.languages():
                t.attempt(f"{keys} keys", name, exe, lambda e=exe, k=keys: top_ten(tools, e, k))
    t.limit("1000000 keys", "top ten in at most 1 s", t.median("1000000 keys", "sonde", 1), 1)
    return t


# ---- keys that come and go ----

def resident_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return int(re.search(r"^Rss:\s*(\d+) kB", f.read(), re.M)[1])


def map_kib(pid):
    """What the kernel has for the maps of the process."""
    total, seen = 0, set()
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        with open(f"/proc/{pid}/fdinfo/{fd}") as f:
            text = f.read()
        number = re.search(r"^map_id:\s*(\d+)$", text, re.M)
        size = re.search(r"^memlock:\s*(\d+)$", text, re.M)
        if number and size and number[1] not in seen:
            seen.add(number[1])
            total += int(size[1])
    return total // 1024


def churn(tools, minutes):
    t = Table("Keys that come and go", f"`{CHURN}` while {CHURN_KEYS} different keys arrive and are deleted, over and over, "
              f"for {minutes:g} minutes. Memory is that of the process and of its maps in the kernel, looked at every "
              "second; the first tenth of the time is when the maps are filled for the first time.",
              [("rounds of a million", 0), ("least MiB", 2), ("most MiB", 2), ("growth MiB", 2)])
    title = f"{CHURN_KEYS} keys, {minutes:g} minutes"
    try:
        with Tracer(tools, [tools.sonde, "-e", CHURN], env=environment(CHURN_KEYS), seconds=minutes * 60 + 120) as tracer:
            tracer.wait_for("Attached")
            load = spawn([tools.load, "churn", CHURN_KEYS, minutes * 60], stdout=-1)
            seen = []
            while load.poll() is None:
                seen.append((resident_kib(tracer.pid) + map_kib(tracer.pid)) / 1024)
                tracer.check_deadline()
                time.sleep(1)
            rounds = int(load.stdout.read())
            tracer.finish()
            check_churn(tracer.said() + tracer.complained(), rounds)
        steady = seen[max(len(seen) // 10, 1):]
        tenth = max(len(steady) // 10, 1)
        growth = max(steady[-tenth:]) - max(steady[:tenth])
        t.add(title, "sonde", (rounds, min(steady), max(steady), growth))
    except (Absent, FileNotFoundError) as e:
        t.absent(title, "sonde", e)
    t.limit(title, "memory grows by at most 1 MiB", t.median(title, "sonde", 3), 1)
    return t


def check_churn(text, rounds):
    gone = re.search(r"^@gone: (\d+)$", text, re.M)
    if not gone or int(gone[1]) != rounds * CHURN_KEYS or "refused" in text or "found no entry" in text:
        raise Absent(f"{gone and gone[1]} of {rounds * CHURN_KEYS} keys were deleted: {text[-300:]}")
