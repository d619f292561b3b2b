# SPDX-License-Identifier: GPL-2.0-or-later
"""What stacks cost: in the kernel for each sample, by frame pointers and by unwind tables side by side, of one program
built with and without frame pointers; and at the end, until 100,000 distinct ones have their names."""
import os
import re
import shutil
import subprocess
import time

import events
from common import Absent, Table

DEPTHS = (4, 16, 64)
CALLS = 200000
# Without a C library, whose functions would have other frames than the program's. It sleeps a little first, so that
# its tables are there when it is measured.
DEEP_C = """
static long call(long n, long a, long b)
{
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return r;
}

__attribute__((noinline)) static long ask(long n)
{
	long sum = 0;

	for (long i = 0; i < n; i++)
		sum += call(110, 0, 0);
	return sum;
}

__attribute__((noinline)) long down(long depth, long n)
{
	volatile long here[4] = { depth };

	return (depth > 1 ? down(depth - 1, n) : ask(n)) + here[0];
}

void begin(void)
{
	long nap[2] = { 0, 10000000 };

	for (int i = 0; i < 60; i++) {
		down(DEPTH - 2, 1);
		call(35, (long)nap, 0);
	}
	down(DEPTH - 2, CALLS);
	call(231, 0, 0);
}

__asm__(".globl _start\\n_start: .cfi_startproc\\n.cfi_undefined rip\\nxor %ebp, %ebp\\ncall begin\\nhlt\\n.cfi_endproc");
"""
WAYS = {"frame pointers": "-fno-omit-frame-pointer", "unwind tables": "-fomit-frame-pointer"}
ASKED = 'tracepoint:syscalls:sys_enter_getppid /comm == "deep"/ '


def deep(directory, way, depth):
    place = f"{directory}/{WAYS[way][2:]}-{depth}"
    os.makedirs(place, exist_ok=True)
    with open(f"{place}/deep.c", "w") as f:
        f.write(DEEP_C)
    subprocess.run(["cc", "-O1", "-fno-optimize-sibling-calls", "-fasynchronous-unwind-tables", "-nostdlib", "-static", "-no-pie",
                    f"-DDEPTH={depth}", f"-DCALLS={CALLS}", WAYS[way], "-o", f"{place}/deep", f"{place}/deep.c"], check=True)
    return f"{place}/deep"


def programs_of(pid):
    """{number: ns} of all programs the process has open; its own tests and begin programs never run long."""
    ids = set()
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{fd}") as f:
                ids.update(re.findall(r"^prog_id:\s*(\d+)$", f.read(), re.M))
        except FileNotFoundError:
            pass
    return {i: events.bpftool("prog", "show", "id", i).get("run_time_ns", 0) for i in ids}


def one_cost(sonde, question, program):
    """ns for each call, and what sonde printed."""
    s = subprocess.Popen([sonde, "-e", 'begin { printf("ready\\n"); } ' + question], stdout=subprocess.PIPE, text=True)
    while "ready" not in (line := s.stdout.readline()):
        if not line:
            raise Absent(f"it ended with status {s.wait()}")
    before = programs_of(s.pid)
    subprocess.run([program], check=True)
    spent = max(ns - before.get(i, 0) for i, ns in programs_of(s.pid).items())
    s.send_signal(2)
    return spent / CALLS, s.communicate()[0]


def frames(out):
    """Of the stack that came most often."""
    found = re.findall(r"@\[\n(.*?)\n?\]: (\d+)", out, re.S)
    return max(((int(n), text.count("\n") + 1) for text, n in found), default=(0, 0))[1]


def stack_cost(sonde, program):
    """ns that a stack adds to counting the call; frames it had."""
    bare, _ = one_cost(sonde, ASKED + "{ @[pid] = count(); }", program)
    ns, out = one_cost(sonde, ASKED + "{ @[ustack(100)] = count(); }", program)
    return ns - bare, frames(out)


def costs(tools, rounds):
    t = Table("Cost of a user stack in the kernel", "What taking the stack of a system call's caller adds to counting the "
              "call, by frame pointers and, of the same program built without them, by unwind tables.",
              [("ns", 0), ("frames", 0)])
    try:
        if os.uname().machine != "x86_64" or not shutil.which("bpftool"):
            raise Absent("this needs bpftool, and x86-64")
        was = events.statistics_on()
    except Absent as e:
        for depth in DEPTHS:
            t.absent(f"{depth} frames", "sonde", e)
        return t
    try:
        for depth in DEPTHS:
            programs = {way: deep(tools.directory, way, depth) for way in WAYS}
            for _ in range(rounds):
                for way, program in programs.items():
                    t.attempt(f"{depth} frames", way, tools.sonde, lambda p=program: stack_cost(tools.sonde, p))
    finally:
        with open(events.STATS, "w") as f:
            f.write(was)
    return t


# ---- names ----

DISTINCT = 100000
VIEWS = ("text", "json", "folded", "flame")
# Each of so many functions asks once, called by five others that its number's digits choose.
WIDE_S = """
	.altmacro
	.macro leaf n
	.globl leaf_\\n
	.type leaf_\\n, @function
leaf_\\n:
	push %rbp
	mov %rsp, %rbp
	mov $110, %eax
	syscall
	pop %rbp
	ret
	.size leaf_\\n, . - leaf_\\n
	.balign 16
	.endm
	.text
	.balign 16
	.set i, 0
	.globl leaves
leaves:
	.rept COUNT
	leaf %i
	.set i, i + 1
	.endr
	.section .note.GNU-stack, "", @progbits
"""
WIDE_C = """
#include <stdio.h>
#include <time.h>
extern char leaves[];
#define LEVEL(n, next) \\
	__attribute__((noinline)) void level##n##_a(long i) { next; __asm__ volatile("" ::: "memory"); } \\
	__attribute__((noinline)) void level##n##_b(long i) { next; __asm__ volatile("nop" ::: "memory"); }
#define CHOOSE(n, bit) ((i >> bit & 1) ? level##n##_a(i) : level##n##_b(i))
LEVEL(1, ((void (*)(void))(leaves + i * 16))())
LEVEL(2, CHOOSE(1, 0))
LEVEL(3, CHOOSE(2, 1))
LEVEL(4, CHOOSE(3, 2))
LEVEL(5, CHOOSE(4, 3))
int main(void)
{
	struct timespec t;

	for (long i = 0; i < COUNT; i++)
		CHOOSE(5, 4);
	clock_gettime(CLOCK_MONOTONIC, &t);
	fprintf(stderr, "ended %ld.%09ld\\n", (long)t.tv_sec, t.tv_nsec);
	return 0;
}
"""


def wide(directory):
    with open(f"{directory}/wide.S", "w") as f:
        f.write(WIDE_S)
    with open(f"{directory}/wide.c", "w") as f:
        f.write(WIDE_C)
    subprocess.run(["cc", "-O1", "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls", f"-DCOUNT={DISTINCT}", "-o",
                    f"{directory}/wide", f"{directory}/wide.c", f"{directory}/wide.S"], check=True)
    return f"{directory}/wide"


def one_naming(sonde, program, view, directory):
    """Seconds from the end of the program to the end of sonde, and how many stacks were written with all names."""
    output = f"{directory}/out.{view}"
    r = subprocess.run([sonde, "-q", "-f", view, "-o", output, "-c", program, "-e", "config = { max_map_keys = 262144 } "
                        'tracepoint:syscalls:sys_enter_getppid /comm == "wide"/ { @[ustack(16)] = count(); }'],
                       stderr=subprocess.PIPE, text=True)
    seconds = time.monotonic() - float(re.search(r"ended ([\d.]+)", r.stderr)[1])
    with open(output, "rb") as f:
        named = len(set(re.findall(rb"\bleaf_\d+", f.read())))
    return seconds, named


def naming(tools, rounds):
    t = Table(f"{DISTINCT} distinct stacks", "From the end of the load to the end of sonde, which writes them with their names.",
              [("s", 2), ("named", 0)])
    program = wide(tools.directory)
    for _ in range(rounds):
        for view in VIEWS:
            t.attempt(view, "sonde", tools.sonde, lambda v=view: one_naming(tools.sonde, program, v, tools.directory))
    for view in VIEWS:
        t.limit(view, "under 2 s", t.median(view, "sonde", 0), 2)
    return t


def parts(tools, rounds):
    return [costs(tools, rounds), naming(tools, rounds)]
