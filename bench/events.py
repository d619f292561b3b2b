# SPDX-License-Identifier: GPL-2.0-or-later
"""What an event costs in the kernel: nanoseconds as the kernel counts them, and instructions as its verifier
leaves them, of the same question in sonde, in C (event.bpf.c) and in bpftrace."""
import json
import os
import re
import shutil
import statistics
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENTER, EXIT = "tracepoint:raw_syscalls:sys_enter ", "tracepoint:raw_syscalls:sys_exit "
STATS = "/proc/sys/kernel/bpf_stats_enabled"

# The name of the program in C, and the question. A second clause gives a map its type.
ROWS = [
    ("empty", ENTER + "{ }"),
    ("count", ENTER + "{ @ = count(); }"),
    ("count_pid", ENTER + "/pid == 1/ { @ = count(); }"),
    ("count_comm", ENTER + '/comm == "dd"/ { @ = count(); }'),
    ("by_comm", ENTER + "{ @[comm] = count(); }"),
    ("by_pid_comm", ENTER + "{ @[pid, comm] = count(); }"),
    ("hist", ENTER + "{ @ = hist(args->id); }"),
    ("lhist", ENTER + "{ @ = lhist(args->id, 0, 500, 10); }"),
    ("stats", ENTER + "{ @[comm] = stats(args->id); }"),
    ("store", ENTER + "{ @s[tid] = nsecs; }"),
    ("latency", EXIT + "{ @ = hist(nsecs - @s[tid]); delete(@s[tid]); } BEGIN { @s[tid] = nsecs; }"),
    ("kstack", "profile:hz:999 { @[kstack] = count(); }"),
]

LOAD = """
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>
int main(void) { for (long i = 0; i < 300000; i++) syscall(SYS_getppid); return 0; }
"""


def prog_info(number):
    out = subprocess.run(["bpftool", "-j", "prog", "show", "id", str(number)], capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


def programs_of(pid):
    """The attached program among those that the process has open: its own tests and begin programs never run long."""
    ids = set()
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{fd}") as f:
                ids.update(re.findall(r"^prog_id:\s*(\d+)$", f.read(), re.M))
        except FileNotFoundError:
            pass
    return [int(i) for i in ids]


class Tracer:
    """One way to ask: started, and its program found."""

    def __init__(self, argv):
        self.p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def number(self, rows_name, seconds=20):
        """The program that runs: the one whose count grows while system calls are made."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.p.poll() is None:
            before = {i: prog_info(i).get("run_cnt", 0) for i in programs_of(self.p.pid)}
            for _ in range(200):
                os.getppid()
            time.sleep(0.02 if rows_name != "kstack" else 0.2)
            grown = [i for i, n in before.items() if prog_info(i).get("run_cnt", 0) > n + (1 if n == 0 else 0)]
            if len(grown) == 1:
                return grown[0]
        return None

    def close(self):
        if self.p.poll() is None:
            self.p.send_signal(2)
        self.p.stdin.close()
        self.p.stdout.read()
        self.p.wait()


def one_sample(argv, name, load):
    """ns per event and instructions, or None."""
    t = Tracer(argv)
    try:
        number = t.number(name)
        if number is None:
            return None
        before = prog_info(number)
        if name == "kstack":
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                pass
        else:
            subprocess.run([load], check=True)
        after = prog_info(number)
        runs = after["run_cnt"] - before["run_cnt"]
        return (after["run_time_ns"] - before["run_time_ns"]) / max(runs, 1), after["bytes_xlated"] // 8
    finally:
        t.close()


def build(directory):
    """The load and, with clang, the programs in C. Returns (load, argv of the C programs or None, why not)."""
    load = f"{directory}/load"
    with open(f"{directory}/load.c", "w") as f:
        f.write(LOAD)
    subprocess.run(["cc", "-O1", "-o", load, f"{directory}/load.c"], check=True)
    if not shutil.which("clang"):
        return load, None, "C: clang is not installed"
    arch = subprocess.run(["cc", "-dumpmachine"], capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(["clang", "-O2", "-g", "-target", "bpf", f"-I/usr/include/{arch}", "-c", HERE / "event.bpf.c",
                    "-o", f"{directory}/event.bpf.o"], check=True)
    subprocess.run(["cc", "-O1", "-o", f"{directory}/event_load", HERE / "event_load.c", "-lbpf"], check=True)
    return load, [f"{directory}/event_load", f"{directory}/event.bpf.o"], None


def measure(sonde, bpftrace, rounds, directory):
    """[(question, {tool: [(ns, instructions), ...]})], notes."""
    if not os.path.exists(STATS) or not shutil.which("bpftool"):
        return [], ["cost per event: this needs bpftool, and a kernel with statistics of BPF programs"]
    load, c_argv, why = build(directory)
    notes = [why] if why else []
    with open(STATS) as f:
        was = f.read()
    table = []
    try:
        with open(STATS, "w") as f:
            f.write("1")
        for name, question in ROWS:
            ways = {"sonde": [sonde, "-e", question]}
            if c_argv:
                ways["C"] = [*c_argv, name]
            if bpftrace:
                ways["bpftrace"] = [bpftrace, "-e", question]
            samples = {tool: [] for tool in ways}
            for _ in range(rounds):
                for tool, argv in ways.items():
                    s = one_sample(argv, name, load)
                    if s:
                        samples[tool].append(s)
                    elif (note := f"{tool}: {question}: no program of it ran") not in notes:
                        notes.append(note)
            table.append((question, samples))
    except PermissionError:
        return [], ["cost per event: no permission to have the kernel count"]
    finally:
        try:
            with open(STATS, "w") as f:
                f.write(was)
        except PermissionError:
            pass
    return table, notes


def show(table, rounds):
    tools = ("sonde", "C", "bpftrace")
    print(f"\nCost per event in the kernel, median of {rounds} interleaved rounds: ns, instructions")
    print(f"{'':72}" + "".join(f"{t:>16}" for t in tools))
    for question, samples in table:
        cells = []
        for tool in tools:
            s = samples.get(tool)
            cells.append(f"{statistics.median(x[0] for x in s):9.0f} {s[0][1]:6d}" if s else f"{'':16}")
        print(f"{question[:71]:72}" + "".join(cells))
