#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure sonde beside its peers in one run, in turn (A B A B), medians and half the spread.

A peer that is not installed, or a row that cannot run, leaves its cells empty and says why; no figure is ever
filled in from elsewhere. --write puts what was measured into docs/performance.md.
"""
import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import events
import maps
import size
import stacks
import starting
import symbols
import throughput
import tools as tool_starts
from common import Tools, table_markdown, table_text

# Name, and what measures it.
PARTS = {
    "start": lambda tools, a: starting.parts(tools, a.rounds),
    "size": lambda tools, a: [size.part(tools)],
    "events": lambda tools, a: [events.part(tools, a.rounds)],
    "throughput": lambda tools, a: throughput.parts(tools, a.rounds),
    "maps": lambda tools, a: [maps.sizes(tools, 3)],
    "tools": lambda tools, a: [tool_starts.part(tools, 3)],
    "stacks": lambda tools, a: stacks.parts(tools, 3),
    "symbols": lambda tools, a: [symbols.part(tools, 3)],
    "exact": lambda tools, a: [throughput.exactness(tools, a.runs)],
    "churn": lambda tools, a: [maps.churn(tools, a.minutes)],
}


def private_tracefs():
    """Peers look for tracefs where it is usually mounted: mount it in a mount namespace of our own, so that
    the machine stays as it is."""
    if "SONDE_BENCH_INSIDE" in os.environ:
        return
    inside = ("mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; "
              "mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null; exec \"$@\"")
    os.environ["SONDE_BENCH_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "-m", "sh", "-c", inside, "sh", sys.executable, *sys.argv])


def version(argv):
    try:
        out = subprocess.run(argv, capture_output=True, text=True).stdout.split("\n")[0].strip()
    except OSError:
        return f"{argv[0]}: not installed"
    return out or f"{argv[0]}: not installed"


def package_version(name):
    out = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True, text=True)
    return f"{name} {out.stdout}" if out.stdout else f"{name}: not installed"


def machine(tools):
    with open("/proc/meminfo") as f:
        gib = int(f.readline().split()[1]) / (1 << 20)
    return [f"{os.cpu_count()} CPUs, {gib:.0f} GiB, Linux {platform.release()}; load before: {os.getloadavg()[0]:.1f}",
            ", ".join([version([tools.sonde, "--version"]), version(["bpftrace", "--version"]),
                       package_version("libbpf-tools"), package_version("bpfcc-tools"),
                       version(["clang", "--version"])])]


def figure(x):
    return f"{x:.3g}" if x is not None and abs(x) < 100 else "" if x is None else f"{x:.0f}"


def verdict(reached):
    return {True: "yes", False: "NO", None: "not measured"}[reached]


def limits_text(tables):
    lines = ["", "What was to be reached"]
    for t in tables:
        for question, words, value, reached in t.limits:
            lines.append(f"  {verdict(reached):12} {figure(value):>8}  {question}: {words}")
    return "\n".join(lines)


def document(tables, about, argv):
    lines = ["# Performance", "", "Written by `" + " ".join(argv) + "`; run it to have it for your machine. Medians "
             "of rounds that were run in turn, with half the distance from the smallest to the largest. Where nothing could be "
             "measured the cell is empty, and the reason below the table.", ""]
    lines += [f"- {a}" for a in about]
    lines += ["", "## What was to be reached", "", "| | | measured | reached |", "|---|---|--:|---|"]
    for t in tables:
        for question, words, value, reached in t.limits:
            name = question.replace("|", "\\|")
            lines.append(f"| `{name}` | {words} | {figure(value)} | {verdict(reached)} |")
    return "\n".join(lines + ["", *(table_markdown(t) for t in tables)]).rstrip() + "\n"


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--sonde", default="build/sonde")
    p.add_argument("--rounds", type=int, default=9)
    p.add_argument("--runs", type=int, default=100, help="of the check that every event is accounted for")
    p.add_argument("--minutes", type=float, default=1, help="for which keys come and go")
    p.add_argument("--only", action="append", choices=PARTS, help="one part of it; may be repeated")
    p.add_argument("--write", type=Path, help="a Markdown file for what was measured")
    return p.parse_args()


def write(args, tables, about):
    if args.write:
        args.write.write_text(document(tables, about, ["make", "bench"]))


def main():
    args = arguments()
    private_tracefs()
    tables = []
    with tempfile.TemporaryDirectory() as tmp:
        tools = Tools(args.sonde, tmp)
        about = machine(tools)
        print("\n".join(about), flush=True)
        for name in args.only or PARTS:
            begin = time.monotonic()
            for t in PARTS[name](tools, args):
                tables.append(t)
                print(table_text(t))
            print(f"({name}: {time.monotonic() - begin:.0f} s)", flush=True)
            # Also when what follows is interrupted.
            write(args, tables, about)
    about.append(f"load after: {os.getloadavg()[0]:.1f} (on {os.cpu_count()} CPUs; wall times grow with it)")
    print(about[-1])
    print(limits_text(tables))
    write(args, tables, about)
    return 0 if any(any(t.samples.values()) for t in tables) else 1


if __name__ == "__main__":
    sys.exit(main())
