#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Typical runs of which every allocation and every system call fails once, in turn.

    faults.py [RUN...]     all of them, or those of these runs; ends with 1 when something is wrong

What must hold each time: no crash and no hang; the exit status is 1 and there is a message, or the failure did not matter:
then the output is the usual one, but for events that are said to be lost. Nothing stays loaded, attached or on disk.
"""
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import objects

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SONDE = os.environ.get("SONDE", str(ROOT / "build" / "sonde"))
# Our maps are told by this.
MARK = f"fp{os.getpid() % 100000}"
TIMEOUT = 30
OWN_FILES = ("out.txt", "count", "fail_alloc.so", "fail_call")


@dataclass
class Run:
    args: list
    same: bool = True  # the output is the same each time
    statuses: tuple = (0,)
    env: dict = field(default_factory=dict)


def script(text):
    return ["-q", "-e", text.replace("@m", f"@{MARK}")]


RUNS = {
    "begin": Run(script('begin { @m[1, "a"] = 2; print("x"); printf("%d %s\\n", 5, comm); @m2 = hist(5); }')),
    "json": Run(["-f", "json", *script('begin { @m[1] = (1, "x"); print((1, "a")); @m2 = stats(4); }')]),
    "loops": Run(script('fn f($a : int64) : int64 { return $a * 2; } begin { for ($i : 0..50) { @m[$i] = f($i); } '
                        'for ($kv : @m) { @m2 = sum($kv.1); } $s = str_concat("a", "b"); print($s); clear(@m); }')),
    "tracepoint": Run(["-c", "/bin/true", *script('tracepoint:sched:sched_process_exit /pid == cpid/ { @m[args.comm] = count(); }')]),
    "syscalls": Run(["-c", "/bin/cat /no-such-file", *script(
        'tracepoint:syscalls:sys_enter_openat /pid == cpid && strcontains(str(args.filename), "no-such")/ '
        '{ @m[tid] = str(args.filename); print(@m[tid]); clear(@m); }')], statuses=(0,)),
    "uprobe": Run(["-c", "/bin/true", *script('uprobe:libc:exit /pid == cpid/ { @m = count(); print(usym(reg("ip"))); }')], same=False),
    "uretprobe": Run(["-c", "/bin/true", *script('uretprobe:libc:setlocale /pid == cpid/ { @m[ustack(3)] = count(); }')], same=False),
    "usdt": Run(["-c", "/bin/true", *script('usdt:/usr/bin/python3:python:gc__start /pid == cpid/ { @m = count(); } begin { print(1); }')], same=False),
    "stack": Run(script('profile:hz:99 { @m[kstack(4), ustack(4)] = count(); } interval:ms:60 { exit(); }'), same=False),
    "iter": Run(script('iter:task { if (ctx.task.pid == tid) { print(ctx.task.comm); @m = count(); } }')),
    "flame": Run(["-f", "folded", *script('profile:hz:99 { @m[kstack] = count(); } interval:ms:60 { exit(); }')], same=False),
    "output": Run(["-o", "OUT", *script('begin { print("x"); @m = 1; }')]),
    "build": Run(["build", "-e", script('begin { @m[1] = 1; print("x"); }')[2], "-o", "OUT"]),
    "list": Run(["-l", "tracepoint:sched:*"]),
    "list-args": Run(["-lv", "fentry:vfs_read"]),
    "list-uprobes": Run(["-l", "uprobe:libc:mall*"], same=False),
    "info": Run(["--info"], same=False),
    "dump": Run(["-d", "bpf", *script('begin { @m[1] = count(); }')]),
    "error": Run(script('begin { print($x); }'), statuses=(1,)),
    "tool": Run(["syscount", "--help"]),
}


def build_tools(directory):
    alloc, call = Path(directory) / "fail_alloc.so", Path(directory) / "fail_call"
    if not call.exists():
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", alloc, HERE / "fail_alloc.c"], check=True)
        subprocess.run(["gcc", "-O1", "-o", call, HERE / "fail_call.c"], check=True)
    return str(alloc), str(call)


class Bench:
    """One run, again and again."""

    def __init__(self, name, directory):
        self.name, self.run, self.dir = name, RUNS[name], Path(directory)
        self.alloc, self.call = build_tools(directory)
        self.count_file, self.out = self.dir / "count", self.dir / "out.txt"
        self.usual = None

    def once(self, kind, n, keep_on=False):
        """(status, standard output and what is in the file of -o, messages, how many there were, which failed)"""
        command = [SONDE, *(a.replace("OUT", str(self.out)) if a == "OUT" else a for a in self.run.args)]
        env = dict(os.environ, FAIL_COUNT=str(self.count_file), **self.run.env)
        self.count_file.unlink(missing_ok=True)
        self.out.unlink(missing_ok=True)
        if kind == "alloc":
            env.update(LD_PRELOAD=self.alloc, FAIL_ALLOC=str(n), **({"FAIL_ALLOC_ON": "1"} if keep_on else {}))
        else:
            env.pop("FAIL_COUNT")
            command = [self.call, str(n), str(self.count_file), "env", f"LD_PRELOAD={self.alloc}", *command]
        try:
            r = subprocess.run(command, capture_output=True, env=env, timeout=TIMEOUT, stdin=subprocess.DEVNULL, cwd=self.dir)
            status, out, err = r.returncode, r.stdout, r.stderr
        except subprocess.TimeoutExpired as e:
            status, out, err = "hang", e.stdout or b"", e.stderr or b""
        words = self.count_file.read_text().split() if self.count_file.exists() else ["0"]
        written = self.out.read_bytes() if self.out.exists() else b""
        return status, out + written, err.decode(errors="replace"), [int(w) for w in words]

    def count(self, kind):
        status, self.usual, err, seen = self.once(kind, 0)
        assert status in self.run.statuses, f"{self.name}: {status} without any failure\n{err}"
        return seen[0]

    def problem(self, kind, n, keep_on=False):
        """What is wrong with the run whose n-th allocation or system call fails; None: nothing."""
        status, out, err, seen = self.once(kind, n, keep_on)
        where = f"{self.name}: {kind} {n}" + (f" (system call {seen[1]})" if len(seen) > 1 else "")
        if status == "hang":
            return f"{where}: hangs"
        if status < 0 or status >= 128:
            return f"{where}: status {status}\n{err[-1500:]}"
        if status not in (0, 1, *self.run.statuses):
            return f"{where}: status {status}\n{err[-1500:]}"
        if status and not err.strip():
            return f"{where}: status {status} without a message" if not self.stderr_failed(seen) else None
        if kind == "alloc" and "no probe matches" in err:
            return f"{where}: memory was missing, and the message tells of probes\n{err[:500]}"
        if not status and self.run.same and out != self.usual and not re.search(r"lost|WARNING|warning", err):
            return f"{where}: status 0 and another output:\n{out[:500]!r}\n{err[:500]}"
        return None

    @staticmethod
    def stderr_failed(seen):
        """Writing the message was what failed."""
        return len(seen) > 1 and seen[1] in (1, 20)


def left_behind(before, directory):
    """Since before = state()."""
    wrong = [f"map {m}" for m in objects.maps_named(MARK)]
    events, pins = before
    wrong += [f"probe event {e}" for e in set(objects.probe_events()) - set(events)]
    wrong += [f"pinned {p}" for p in set(objects.pinned()) - set(pins) if MARK in p]
    wrong += [f"file {p.name}" for p in Path(directory).iterdir() if p.name not in OWN_FILES]
    return wrong


def state():
    return objects.probe_events(), objects.pinned()


def problems(name, kind, directory, numbers=None, keep_on=False):
    """Of the n-th failures for all n, or of numbers(count)."""
    bench = Bench(name, directory)
    before = state()
    count = bench.count(kind)
    chosen = numbers(count) if numbers else range(1, count + 1)
    found = [p for n in chosen if (p := bench.problem(kind, n, keep_on))]
    return count, found + [f"{name}: {kind}: left behind: {w}" for w in left_behind(before, directory)]


def main():
    bad = total = 0
    with tempfile.TemporaryDirectory() as directory:
        for name in sys.argv[1:] or RUNS:
            for kind, on in ("alloc", False), ("alloc", True), ("call", False):
                count, found = problems(name, kind, directory, keep_on=on)
                total, bad = total + count, bad + len(found)
                print(f"{name}: {count} {'allocations and all after each' if on else 'allocations' if kind == 'alloc' else 'system calls'}, "
                      f"{len(found)} wrong", flush=True)
                for p in found:
                    print(p, flush=True)
    print(f"{total} failures, {bad} wrong")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
