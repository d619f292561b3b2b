# SPDX-License-Identifier: GPL-2.0-or-later
"""What an event costs in the kernel: nanoseconds as the kernel counts them, and instructions as its verifier leaves
them, of the same question in sonde, in C (event.bpf.c, by clang -O2) and in bpftrace.

All three are attached at the same time and see the same events, one after the other in an order that changes from
round to round: what else the machine does meets them alike."""
import json
import os
import re
import shutil
import statistics
import subprocess
import time

from common import HERE, Absent, Table, Tracer

ENTER, EXIT = "tracepoint:raw_syscalls:sys_enter ", "tracepoint:raw_syscalls:sys_exit "
STATS = "/proc/sys/kernel/bpf_stats_enabled"
BOTH = ENTER + "{ @s[tid] = nsecs; } " + EXIT + "{ @ = hist(nsecs - @s[tid]); delete(@s[tid]); }"
CALLS = 200000
# Samples come a thousand times a second and meet stacks of every depth.
SAMPLED_S = 3

# What is measured; what its program is attached to; the programs in C; the question; and the instructions that
# bpftrace of August 2026 (LLVM 19) needs without counting refused updates.
ROWS = [
    ("{ }", "sys_enter", ["empty"], ENTER + "{ }", 2),
    ("{ @ = count(); }", "sys_enter", ["count"], ENTER + "{ @ = count(); }", 28),
    ("/pid == 1/ { @ = count(); }", "sys_enter", ["count_pid"], ENTER + "/pid == 1/ { @ = count(); }", 35),
    ('/comm == "dd"/ { @ = count(); }', "sys_enter", ["count_comm"], ENTER + '/comm == "dd"/ { @ = count(); }', 55),
    ("{ @[comm] = count(); }", "sys_enter", ["by_comm"], ENTER + "{ @[comm] = count(); }", 33),
    ("{ @[pid, comm] = count(); }", "sys_enter", ["by_pid_comm"], ENTER + "{ @[pid, comm] = count(); }", 45),
    ("{ @ = hist(args.id); }", "sys_enter", ["hist"], ENTER + "{ @ = hist(args->id); }", 69),
    ("{ @ = lhist(args.id, 0, 500, 10); }", "sys_enter", ["lhist"],
     ENTER + "{ @ = lhist(args->id, 0, 500, 10); }", 37),
    ("{ @[comm] = stats(args.id); }", "sys_enter", ["stats"], ENTER + "{ @[comm] = stats(args->id); }", 39),
    ("enter { @s[tid] = nsecs; }", "sys_enter", ["store", "latency"], BOTH, 15),
    ("exit { @ = hist(nsecs - @s[tid]); delete(@s, tid); }", "sys_exit", ["store", "latency"], BOTH, 105),
    ("profile:hz:999 { @[kstack] = count(); }", "perf_event", ["kstack"], "profile:hz:999 { @[kstack] = count(); }", 72),
]


def bpftool(*words):
    out = subprocess.run(["bpftool", "-j", *map(str, words)], capture_output=True, text=True)
    return json.loads(out.stdout) if out.returncode == 0 else {}


def program_of(pid, place):
    """The number of the program that the process has attached to `place`; None: not yet."""
    if place != "perf_event":
        found = [p["prog_id"] for p in bpftool("perf", "show") if p["pid"] == pid and p.get("tracepoint") == place]
        return found[0] if found else None
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{fd}") as f:
                ids = re.findall(r"^prog_id:\s*(\d+)$", f.read(), re.M)
        except FileNotFoundError:
            continue
        for i in ids:
            info = bpftool("prog", "show", "id", i)
            if info.get("type") == "perf_event" and info.get("run_cnt", 0):
                return int(i)
    return None


def wait_for_program(tracer, place):
    while True:
        if tracer.p.poll() is not None:
            raise Absent(f"it ended early: {tracer.said()[-200:]} {tracer.complained()[-200:]}")
        number = program_of(tracer.pid, place)
        if number is not None:
            return number
        tracer.check_deadline()
        time.sleep(0.02)


def instructions_run(number):
    """How many are run where no update is refused, as the limits count those of programs that do not look whether one
    was; None: that depends on more than updates."""
    at, insns = 0, {}
    for text in [i["disasm"] for i in bpftool("prog", "dump", "xlated", "id", number)]:
        insns[at] = text
        at += 2 if text.startswith("(18)") else 1
    at, run, before = 0, 0, ""
    while at in insns:
        text, jump = insns[at], re.search(r"goto pc([+-]\d+)", insns[at])
        conditional = jump and " if " in text
        if conditional and not ("update_elem" in before and "r0 == 0x0" in text):
            return None
        size = 2 if text.startswith("(18)") else 1
        run += size
        if text.startswith("(95)"):
            return run
        before, at = text, at + size + (int(jump[1]) if jump else 0)
    return None


def make_events(tools, place):
    if place != "perf_event":
        subprocess.run([tools.load, "calls", str(CALLS), "1"], check=True)
        return
    end = time.monotonic() + SAMPLED_S
    while time.monotonic() < end:
        os.getppid()


def build_c(tools):
    """argv that loads programs in C; None with a reason."""
    if not shutil.which("clang"):
        return None
    arch = subprocess.run(["cc", "-dumpmachine"], capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(["clang", "-O2", "-g", "-target", "bpf", f"-I/usr/include/{arch}", "-c", HERE / "event.bpf.c",
                    "-o", tools.file("event.bpf.o")], check=True)
    return [tools.compile("event_load", "-lbpf"), tools.file("event.bpf.o")]


def one_round(t, row, ways, tools):
    title, place, _, _, _ = row
    running = []
    try:
        for name, argv in ways:
            if (title, name) in t.why:
                continue
            tracer = Tracer(tools, argv)
            running.append((name, tracer, None))
            try:
                running[-1] = (name, tracer, wait_for_program(tracer, place))
            except Absent as e:
                t.absent(title, name, e)
        before = {name: bpftool("prog", "show", "id", n) for name, _, n in running if n is not None}
        make_events(tools, place)
        for name, _, n in running:
            if n is None:
                continue
            after, was = bpftool("prog", "show", "id", n), before[name]
            runs = after.get("run_cnt", 0) - was.get("run_cnt", 0)
            if runs > 0:
                t.add(title, name, ((after["run_time_ns"] - was["run_time_ns"]) / runs, after["bytes_xlated"] // 8,
                                    instructions_run(n)))
    finally:
        for _, tracer, _ in running:
            tracer.close()


def ratio(t, title, a, b, column):
    """The median of what one needs divided by what the other needs, taken within each round."""
    pairs = list(zip(t.samples.get((title, a), ()), t.samples.get((title, b), ())))
    return statistics.median(x[column] / y[column] for x, y in pairs) if pairs else None


def set_limits(t):
    for title, _, _, _, most in ROWS:
        own = t.median(title, "sonde", 1)
        t.limit(title, f"at most {most} instructions", own, most)
        run = t.median(title, "sonde", 2)
        if own is not None and own > most and run is not None:
            t.limit(title, f"at most {most} instructions run, where no update is refused", run, most)
        t.limit(title, "instructions at most 1.15 x C", ratio(t, title, "sonde", "C", 1), 1.15)
        t.limit(title, "ns at most 1.05 x C", ratio(t, title, "sonde", "C", 0), 1.05)


def statistics_on():
    """Have the kernel count; returns what was set before."""
    try:
        with open(STATS) as f:
            was = f.read()
        with open(STATS, "w") as f:
            f.write("1")
    except OSError as e:
        raise Absent(f"the kernel does not count for us: {e.strerror}") from None
    return was


def part(tools, rounds):
    t = Table("Cost of an event in the kernel", "Nanoseconds as the kernel counts them (of which some 30 are the counting "
              "itself) and instructions as the verifier leaves them; and those of them that are run where no update is "
              "refused, if that is all that it depends on. All ways are attached at once and see the same "
              "events. C is bench/event.bpf.c, compiled by clang -O2.", [("ns", 1), ("instructions", 0), ("run", 0)])
    c = build_c(tools)
    try:
        if not shutil.which("bpftool"):
            raise Absent("bpftool is not installed")
        was = statistics_on()
    except Absent as e:
        for title, *_ in ROWS:
            t.absent(title, "sonde", e)
        return t
    try:
        for row in ROWS:
            title, _, names, question, _ = row
            ways = [("sonde", [tools.sonde, "-e", question]), ("C", c and [*c, *names]),
                    ("bpftrace", tools.bpftrace and [tools.bpftrace, "-e", question])]
            for name, argv in ways:
                t.touch(title, name)
                if not argv:
                    t.absent(title, name, "it is not installed" if name != "C" else "clang is not installed")
            ways = [w for w in ways if w[1]]
            # Each way comes first, second and third equally often: the first pays for what the others find in the caches.
            for i in range(-(-rounds // len(ways)) * len(ways)):
                one_round(t, row, ways[i % len(ways):] + ways[:i % len(ways)], tools)
    finally:
        with open(STATS, "w") as f:
            f.write(was)
    set_limits(t)
    return t
