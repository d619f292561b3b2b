# SPDX-License-Identifier: GPL-2.0-or-later
"""Events that are printed: how many of two million arrive while their source runs at full speed on the other CPU;
what a probe adds to a system call; and whether what was delivered and what was lost is what happened."""
import os
import re
import signal
import subprocess
import time

from common import Absent, Table, Tracer

PRINT = 'tracepoint:raw_syscalls:sys_enter { printf("%d %s\\n", pid, comm); }'
DD = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=1000000"]
DD_CALLS = 2000000
OPEN = "tracepoint:syscalls:sys_enter_openat { @ = count(); }"
OPENS = "200000"


def lost_of(text):
    return sum(int(n) for n in re.findall(r"[Ll]ost (\d+) events", text))


def dd_seconds(tools):
    begin = time.monotonic()
    subprocess.run(["taskset", "-c", "0", *DD], check=True, stderr=subprocess.DEVNULL)
    return time.monotonic() - begin


def printed_by_dd(tracer):
    tracer.out.flush()
    with open(tracer.out.name, "rb") as f:
        return sum(1 for line in f if line.endswith(b" dd\n"))


def wait_for_events(tracer):
    """Something makes a system call all the time: once they are printed, the probe is attached."""
    while os.fstat(tracer.out.fileno()).st_size < 1000:
        if tracer.p.poll() is not None:
            raise Absent(f"it ended early: {tracer.complained()[-200:]}")
        tracer.check_deadline()
        os.getppid()
        time.sleep(0.02)


def print_once(tools, argv):
    with Tracer(tools, [*argv, "-e", PRINT], output=tools.file("printed"), pin=1) as t:
        wait_for_events(t)
        took = dd_seconds(tools)
        _, cpu, _ = t.finish()
        text = t.complained()
        with open(t.out.name, errors="replace") as f:
            text += "".join(line for line in f if "ost " in line)
        return printed_by_dd(t) / 1e6, lost_of(text) / 1e6, took, cpu


def printing(tools, rounds):
    t = Table("Two million events, printed", f"`{PRINT}` into a file on one CPU, while `{' '.join(DD)}` makes 2.0 M "
              "system calls at full speed on the other. The default buffer; bpftrace with -B full.",
              [("delivered M", 4), ("lost M", 4), ("dd s", 2), ("tracer's CPU s", 2)])
    if os.cpu_count() < 2:
        for name, _ in tools.languages():
            t.absent("printf of each", name, "it takes two CPUs")
        return t
    for i in range(rounds):
        t.attempt("nothing traced", "-", [], lambda: (None, None, dd_seconds(tools), None))
        for name, exe in tools.languages():
            if exe and name == "bpftrace":
                # Line by line, each line that it writes is an event that it has to write a line of.
                exe = [*exe, "-B", "full"]
            if name == "sonde" or i < 2: # the peer slows dd down to half a minute
                t.attempt("printf of each", name, exe, lambda e=exe: print_once(tools, e))
    delivered = [s[0] * 1e6 for s in t.samples.get(("printf of each", "sonde"), ())]
    t.limit("printf of each", "delivered in every round: at least 2.0 M of dd's (those missing, at most 0)",
            max([0, *(DD_CALLS - n for n in delivered)]) if delivered else None, 0)
    t.limit("printf of each", "lost: none (median)", t.median("printf of each", "sonde", 1), 0)
    t.limit("printf of each", "dd done in at most 1.1 s", t.median("printf of each", "sonde", 2), 1.1)
    return t


def open_ns(tools):
    out = subprocess.run(["taskset", "-c", "0", tools.load, "open", OPENS], check=True, capture_output=True, text=True)
    return float(out.stdout)


def open_under(tools, argv):
    """Nanoseconds that the probe adds to each call: with it, and without it right before and after."""
    before = open_ns(tools)
    with Tracer(tools, [*argv, "-e", OPEN]) as t:
        t.wait_for("Attach")
        time.sleep(1)
        under = open_ns(tools)
        t.finish()
    bare = (before + open_ns(tools)) / 2
    return under - bare, under, bare


def system_call(tools, rounds):
    t = Table("openat under its enter tracepoint", f"`{OPEN}`: what a call of openat() takes longer with it.",
              [("added ns", 0), ("with it ns", 0), ("without ns", 0)])
    for _ in range(rounds):
        for name, exe in tools.languages():
            t.attempt("count of openat", name, exe, lambda e=exe: open_under(tools, e))
    peer = t.median("count of openat", "bpftrace", 0)
    t.limit("count of openat", "at most 0.6 x what bpftrace adds (ns)", t.median("count of openat", "sonde", 0),
            peer and 0.6 * peer)
    return t


# ---- exactness ----

EXACT = ('tracepoint:syscalls:sys_enter_getppid /comm == "load"/ '
         '{ @n = count(); printf("event %d %s\\n", pid, comm); }')
CALLS = 300000


def ends_by_itself(tracer, load):
    load.wait()


def stopped_in_the_middle(tracer, load):
    time.sleep(0.1)
    tracer.finish()
    load.wait()


def consumer_stands_still(tracer, load):
    tracer.signal(signal.SIGSTOP)
    time.sleep(1)
    tracer.signal(signal.SIGCONT)
    load.wait()


WAYS = [("every event, on all CPUs", ends_by_itself), ("stopped in the middle", stopped_in_the_middle),
        ("kill -STOP for a second", consumer_stands_still)]


def exact_once(tools, way):
    """(1 if delivered + lost = generated, generated, lost)"""
    ncpu = os.cpu_count()
    with Tracer(tools, [tools.sonde, "-e", EXACT], output=tools.file("exact")) as t:
        t.wait_for("Attached")
        load = subprocess.Popen([tools.load, "calls", str(CALLS), str(ncpu)])
        way(t, load)
        if t.p.poll() is None:
            t.finish()
        text = t.said() + t.complained()
    generated = re.search(r"^@n: (\d+)$", text, re.M)
    if not generated:
        raise Absent("it did not say how many events there were")
    delivered, lost = len(re.findall(r"^event \d+ load$", text, re.M)), lost_of(text)
    right = delivered + lost == int(generated[1])
    if way is not stopped_in_the_middle:
        right &= int(generated[1]) == CALLS * ncpu
    return int(right), int(generated[1]), lost


def exactness(tools, rounds):
    t = Table("Delivered + lost = generated", f"`{EXACT}` while {CALLS} calls are made on each CPU at once. Right: how "
              "many of the runs add up, each of them with what the kernel counted and with what the load did.",
              [("runs", 0), ("right", 0), ("generated, all runs", 0), ("lost, all runs", 0)])
    counts = {}
    for i in range(rounds):
        title, way = WAYS[i % len(WAYS)]
        try:
            counts.setdefault(title, []).append(exact_once(tools, way))
        except Absent as e:
            t.absent(title, "sonde", e)
    for title, runs in counts.items():
        t.add(title, "sonde", (len(runs), *(sum(r[c] for r in runs) for c in range(3))))
    wrong = [len(runs) - sum(r[0] for r in runs) for runs in counts.values()]
    t.limit("all three", f"runs that do not add up, of {rounds}: none", sum(wrong) if wrong and not t.why else None, 0)
    return t


def parts(tools, rounds):
    return [system_call(tools, rounds), printing(tools, 5)]
