# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole process, from its start to its end: wall time, CPU, peak memory."""
import shutil

from common import Table, run_measured

TEN = ",".join(f"tracepoint:syscalls:sys_enter_{n}"
               for n in "openat read write close mmap futex poll ioctl nanosleep kill".split())
QUESTIONS = [
    ("BEGIN { exit(); }", ["-e", "BEGIN { exit(); }"]),
    ("ten system calls, then exit", ["-e", TEN + " { @[comm] = count(); } BEGIN { exit(); }"]),
    ("raw_syscalls by comm, then exit",
     ["-e", "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); } BEGIN { exit(); }"]),
    ("hist of results, then exit",
     ["-e", "tracepoint:raw_syscalls:sys_exit { @ = hist(args->ret); } BEGIN { exit(); }"]),
    ("-l 'tracepoint:*'", ["-l", "tracepoint:*"]),
]
ALL_CALLS = "tracepoint:syscalls:sys_enter_* { @[probe] = count(); } interval:s:1 { exit(); }"
# A tool that is asked for one second of the machine: sonde's, libbpf-tools', bpfcc-tools'.
ONE_SECOND = [
    ("biolatency 1 1", ["biolatency", "1", "1"], ["biolatency", "1", "1"], ["biolatency-bpfcc", "1", "1"]),
    ("syscount for 1 s", ["syscount", "--duration", "1"], ["syscount", "-d", "1"], ["syscount-bpfcc", "-d", "1"]),
    ("runqlat 1 1", ["runqlat", "1", "1"], ["runqlat", "1", "1"], ["runqlat-bpfcc", "1", "1"]),
]
MEASURES = [("wall ms", 1), ("CPU ms", 1), ("peak MiB", 1)]


def questions(tools, rounds):
    t = Table("Whole process", "From start to end of the process, one after the other in turn.", MEASURES)
    for title, argv in QUESTIONS:
        for _ in range(rounds):
            for name, exe in tools.languages():
                t.attempt(title, name, exe, lambda e=exe, a=argv: run_measured(tools, e + a))
    t.limit("BEGIN { exit(); }", "at most 6 ms wall", t.median("BEGIN { exit(); }", "sonde", 0), 6)
    t.limit("BEGIN { exit(); }", "at most 4 ms CPU", t.median("BEGIN { exit(); }", "sonde", 1), 4)
    t.limit("BEGIN { exit(); }", "at most 5 MiB", t.median("BEGIN { exit(); }", "sonde", 2), 5)
    ten = QUESTIONS[1][0]
    t.limit(ten, "at most 15 ms wall", t.median(ten, "sonde", 0), 15)
    t.limit(ten, "at most 8 ms CPU", t.median(ten, "sonde", 1), 8)
    t.limit(ten, "at most 8 MiB", t.median(ten, "sonde", 2), 8)
    t.limit(QUESTIONS[4][0], "at most 20 ms wall", t.median(QUESTIONS[4][0], "sonde", 0), 20)
    return t


def one_second(tools, rounds):
    t = Table("Tools that look for one second", "sonde's tools beside those of libbpf-tools (C, compiled beforehand) "
              "and bpfcc-tools (Python, compiled by LLVM when started). One second of the wall time is the question.",
              MEASURES)
    for title, ours, theirs, bcc in ONE_SECOND:
        ways = [("sonde", [tools.sonde, *ours])]
        for name, argv in (("libbpf-tools", theirs), ("bpfcc-tools", bcc)):
            exe = shutil.which(argv[0])
            ways.append((name, [exe, *argv[1:]] if exe else None))
        for _ in range(rounds):
            for name, argv in ways:
                t.attempt(title, name, argv, lambda a=argv: run_measured(tools, a, 30))
    return t


def many_probes(tools, rounds):
    """The peer takes half a minute for one answer: it is asked once."""
    t = Table("All system calls for one second", f"`{ALL_CALLS}`: attaching, one second, the answer, detaching.", MEASURES)
    for i in range(rounds):
        for name, exe in tools.languages():
            if name == "sonde" or not i:
                env = {"BPFTRACE_MAX_PROBES": "2000", "BPFTRACE_MAX_BPF_PROGS": "2000"}
                t.attempt("tracepoint:syscalls:sys_enter_*", name, exe,
                          lambda e=exe: run_measured(tools, e + ["-e", ALL_CALLS], 120, env))
    t.limit("tracepoint:syscalls:sys_enter_*", "at most 1060 ms wall", t.median(t.rows[0][0], "sonde", 0), 1060)
    t.limit("tracepoint:syscalls:sys_enter_*", "at most 16 MiB", t.median(t.rows[0][0], "sonde", 2), 16)
    return t


def attach_many(tools, rounds):
    t = Table("Attaching and detaching many probes", "A count on each of many probes, attached and detached at once.",
              MEASURES)
    for title, probes in (("sched, irq, timer, block: all tracepoints",
                           "tracepoint:sched:*,tracepoint:irq:*,tracepoint:timer:*,tracepoint:block:*"),
                          ("uprobe: str* of the C library", "uprobe:libc:str*"),
                          ("raw_syscalls and 20 intervals", "tracepoint:raw_syscalls:sys_enter," +
                           ",".join(f"interval:ms:{n}00" for n in range(10, 30)))):
        for _ in range(rounds):
            for name, exe in tools.languages():
                q = probes + " { @ = count(); } BEGIN { exit(); }"
                t.attempt(title, name, exe, lambda e=exe, q=q: run_measured(tools, e + ["-e", q], 120))
    return t


def parts(tools, rounds):
    return [questions(tools, rounds), one_second(tools, 3), many_probes(tools, 5), attach_many(tools, 3)]
