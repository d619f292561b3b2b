#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure sonde beside its peers in one run, interleaved (A B A B), medians and spread.

A peer that is not installed, or a row that cannot run, leaves its cells empty and says why below the
table; no figure is ever filled in from elsewhere.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import events
import stacks
import tools as tool_starts

ROOT = Path(__file__).resolve().parent.parent


def private_tracefs():
    """Peers look for tracefs where it is usually mounted: mount it in a mount namespace of our own, so that
    the machine stays as it is."""
    if "SONDE_BENCH_INSIDE" in os.environ:
        return
    inside = ("mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; "
              "mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null; exec \"$@\"")
    os.environ["SONDE_BENCH_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "-m", "sh", "-c", inside, "sh", sys.executable, *sys.argv])


def launcher(directory):
    exe = f"{directory}/measure"
    subprocess.run(["cc", "-O2", "-o", exe, ROOT / "bench" / "measure.c"], check=True)
    return exe


def run_once(measure, argv):
    """Wall and CPU milliseconds and peak MiB of one process, or the reason why it failed."""
    read, write = os.pipe()
    with tempfile.TemporaryFile() as err:
        p = subprocess.Popen(["sh", "-c", f"exec 3>&{write}; exec \"$@\"", "sh", measure, *argv], pass_fds=(write,),
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err)
        os.close(write)
        with os.fdopen(read) as f:
            words = f.read().split()
        p.wait()
        if len(words) != 4 or words[3] != "0":
            err.seek(0)
            first = err.read().decode(errors="replace").strip().splitlines()
            return None, f"it failed: {first[-1] if first else 'no message'}"
    return (float(words[0]), float(words[1]), float(words[2]) / 1024), None


def startup_rows():
    ten = ",".join(f"tracepoint:syscalls:sys_enter_{n}" for n in
                   "openat read write close mmap futex poll ioctl nanosleep kill".split())
    return [
        ("BEGIN { exit(); }", "BEGIN { exit(); }"),
        ("ten syscall tracepoints", ten + " { @[comm] = count(); } BEGIN { exit(); }"),
        ("raw_syscalls count by comm",
         "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); } BEGIN { exit(); }"),
        ("hist of a system call's result",
         "tracepoint:raw_syscalls:sys_exit { @ = hist(args->ret); } BEGIN { exit(); }"),
    ]


def measure(tools, rounds, exe):
    notes, table = [], []
    for title, program in startup_rows():
        samples = {name: [] for name, _ in tools}
        for _ in range(rounds):
            for name, argv in tools:
                if argv is None:
                    continue
                figures, why = run_once(exe, argv + ["-e", program])
                if figures:
                    samples[name].append(figures)
                elif (note := f"{name}: {title}: {why}") not in notes:
                    notes.append(note)
        table.append((title, samples))
    return table, notes


def cell(samples, column):
    if not samples:
        return f"{'':>16}"
    values = [s[column] for s in samples]
    return f"{statistics.median(values):8.1f} ±{(max(values) - min(values)) / 2:6.1f}"


def show(tools, table, rounds):
    print(f"Whole process, median of {rounds} interleaved rounds ± half the spread")
    print(f"{'':32}{'':10}{'wall ms':>16}{'CPU ms':>16}{'peak MiB':>16}")
    for title, samples in table:
        for name, _ in tools:
            print(f"{title:32}{name:10}" + "".join(cell(samples[name], c) for c in range(3)))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--sonde", default="build/sonde")
    p.add_argument("--rounds", type=int, default=11)
    p.add_argument("--only", choices=("start", "events", "stacks", "tools"), help="one part of it")
    args = p.parse_args()
    tools = [("sonde", [args.sonde]),
             ("bpftrace", [shutil.which("bpftrace")] if shutil.which("bpftrace") else None)]
    private_tracefs()
    notes, table, costs = [], [], []
    of_stacks = None
    with tempfile.TemporaryDirectory() as tmp:
        if args.only in (None, "start"):
            table, notes = measure(tools, args.rounds, launcher(tmp))
        if args.only in (None, "events"):
            costs, more = events.measure(args.sonde, shutil.which("bpftrace"), 3, tmp)
            notes += more
        if args.only in (None, "stacks"):
            *of_stacks, more = stacks.measure(args.sonde, 3, tmp)
            notes += more
    notes += [f"{name}: not installed" for name, argv in tools if argv is None]
    if table:
        show(tools, table, args.rounds)
    if costs:
        events.show(costs, 3)
    if of_stacks:
        stacks.show(*of_stacks, 3)
    starts = tool_starts.measure(args.sonde, 3) if args.only in (None, "tools") else []
    if starts:
        tool_starts.show(starts, 3)
    for note in notes:
        print("note:", note)
    return 0 if starts or of_stacks or any(s["sonde"] for _, s in table + costs) else 1


if __name__ == "__main__":
    sys.exit(main())
