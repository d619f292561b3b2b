# SPDX-License-Identifier: GPL-2.0-or-later
"""Much of everything: an answer, or a limit that is named. SONDE_HARD_LOAD=full runs what takes longer (make check-deep)."""
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SONDE = os.environ.get("SONDE", str(ROOT / "build" / "sonde"))
FULL = os.environ.get("SONDE_HARD_LOAD") == "full"

# load calls SECONDS | spawn NUMBER PER_SECOND: prints how many it made.
LOAD_C = r"""
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void spawn(long number, long per_second)
{
	char *argv[] = { "/tmp/none", NULL };
	double start = now();

	for (long i = 0; i < number; i++) {
		pid_t pid = vfork();

		if (!pid) {
			execve(argv[0], argv, NULL);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		while (now() < start + (double)i / (double)per_second)
			usleep(100);
	}
	printf("%ld\n", number);
}

int main(int argc, char **argv)
{
	double end;
	long n = 0;

	if (argc == 4) {
		spawn(atol(argv[2]), atol(argv[3]));
		return 0;
	}
	for (end = now() + atof(argv[2]); now() < end; n += 1000)
		for (int i = 0; i < 1000; i++)
			syscall(SYS_getppid);
	printf("%ld\n", n);
	return 0;
}
"""


@pytest.fixture(scope="session")
def load(tmp_path_factory):
    d = tmp_path_factory.mktemp("load")
    (d / "hardload.c").write_text(LOAD_C)
    subprocess.run(["gcc", "-O2", "-o", d / "hardload", d / "hardload.c"], check=True)
    return str(d / "hardload")


def run(script, *options, timeout=120, path=None):
    if path:
        path.write_text(script)
    args = [SONDE, "-q", *options, *([str(path)] if path else ["-e", script])]
    r = subprocess.run(args, capture_output=True, text=True, timeout=timeout, errors="replace", stdin=subprocess.DEVNULL)
    return r.returncode, r.stdout, r.stderr


def run_watched(script, *options, timeout):
    """As run(), and what it had in memory (MiB) at its most in the first and in the second half."""
    p = subprocess.Popen([SONDE, "-q", *options, "-e", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         stdin=subprocess.DEVNULL)
    sizes, end = [], time.monotonic() + timeout
    while p.poll() is None:
        assert time.monotonic() < end
        held = re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{p.pid}/status").read_text())
        sizes += [int(held[1]) / 1024] if held else []
        time.sleep(0.1)
    out, err = p.communicate()
    half = len(sizes) // 2
    return p.returncode, out, err, (max(sizes[:half], default=0), max(sizes[half:], default=0))


# ---- events ----

def test_events_counted(load):
    """Millions of events a second, counted by the program: all of them."""
    seconds = 60 if FULL else 1
    status, out, err = run("tracepoint:syscalls:sys_enter_getppid /pid == cpid/ { @ = count(); }",
                           "-c", f"{load} calls {seconds}", timeout=seconds + 60)
    made, counted = int(out.split()[0]), int(re.search(r"@: (\d+)", out)[1])
    print(f"{made} events in {seconds} s")
    assert (status, counted) == (0, made), err


def test_events_shown(load, tmp_path):
    """As many events, each sent to user space and shown: what is shown and what is said to be lost is all there were."""
    seconds = 60 if FULL else 1
    out = tmp_path / "out"
    status, said, err, (first, later) = run_watched(
        "tracepoint:syscalls:sys_enter_getppid /pid == cpid/ { printf(\"%d\\n\", pid); }",
        "-c", f"{load} calls {seconds}", "-o", str(out), timeout=seconds + 300)
    made = int(said.split()[0])
    shown = sum(1 for _ in out.open())
    lost = sum(int(n) for n in re.findall(r"Lost (\d+) events", err))
    print(f"{made} events in {seconds} s: {shown} shown, {lost} lost; {first:.1f}, later {later:.1f} MiB")
    assert status == 0 and shown + lost == made
    if FULL:
        assert later < first + 8, "it grows"


def test_more_than_can_be_shown(load, tmp_path):
    """Whoever reads the output is slow: what is lost is counted, and nothing piles up."""
    seconds = 20 if FULL else 1
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    code = "import sys, time\nn = 0\nfor line in open(sys.argv[1]):\n  n += 1\n  (n % 2000) or time.sleep(0.01)\nprint(n)"
    with subprocess.Popen([sys.executable, "-c", code, str(pipe)], stdout=subprocess.PIPE, text=True) as reader:
        status, said, err, (first, later) = run_watched(
            "tracepoint:syscalls:sys_enter_getppid /pid == cpid/ { printf(\"%d %s\\n\", pid, comm); }",
            "-c", f"{load} calls {seconds}", "-o", str(pipe), timeout=300)
        shown = int(reader.communicate(timeout=120)[0])
    made, lost = int(said.split()[0]), sum(int(n) for n in re.findall(r"Lost (\d+) events", err))
    print(f"{made} events in {seconds} s: {shown} shown, {lost} lost; {first:.1f}, later {later:.1f} MiB")
    assert status == 0 and shown and shown + lost == made, err


def test_short_lived_processes(load):
    """A thousand processes a second, each of which ends at once."""
    number = 20000 if FULL else 1500
    start = time.monotonic()
    status, out, err = run("tracepoint:sched:sched_process_exit /comm == \"hardload\" && pid != cpid/ { @[pid] = 1; @n = count(); }",
                           "-c", f"{load} spawn {number} 1000", timeout=120)
    print(f"{number} processes in {time.monotonic() - start:.1f} s")
    assert status == 0 and f"@n: {number}\n" in out, err


def test_names_of_processes_that_have_ended(load):
    """Stacks of processes that are gone when somebody reads them: nothing hangs, and each is there."""
    number = 5000 if FULL else 300
    status, out, _ = run("tracepoint:sched:sched_process_exit /comm == \"hardload\" && pid != cpid/ { @[ustack(3)] = count(); @n = count(); }",
                         "-c", f"{load} spawn {number} 1000", timeout=120)
    assert status == 0 and f"@n: {number}\n" in out


# ---- probes ----

@pytest.fixture(scope="session")
def many(tmp_path_factory):
    """A program with thousands of functions; prints how many it called."""
    number = 10000 if FULL else 2000
    d = tmp_path_factory.mktemp("many")
    lines = [f"__attribute__((noinline)) void many_{i}(void) {{ __asm__ volatile(\"nop\"); }}" for i in range(number)]
    lines += ["int main(void) {", *(f"many_{i}();" for i in range(number)), "return 0; }"]
    (d / "many.c").write_text("\n".join(lines))
    subprocess.run(["gcc", "-O0", "-o", d / "many", d / "many.c"], check=True)
    return str(d / "many"), number


def test_many_uprobes(many):
    program, number = many
    start = time.monotonic()
    status, out, err = run(f"config = {{ max_probes = 20000; max_map_keys = 20000 }} uprobe:{program}:many_* "
                           "{ @[func] = count(); @n = count(); } end { print(len(@)); clear(@); }", "-c", program, timeout=300)
    print(f"{number} functions in {time.monotonic() - start:.1f} s")
    assert status == 0 and out == f"{number}\n@n: {number}\n", err


def test_more_probes_than_allowed(many):
    program, number = many
    status, _, err = run(f"uprobe:{program}:many_* {{ @ = count(); }}", "-c", program)
    assert status == 1 and "max_probes" in err


# ---- maps ----

def test_a_million_keys():
    number = 1_000_000 if FULL else 200_000
    start = time.monotonic()
    status, out, err = run(f"config = {{ max_map_keys = {number} }} begin {{ for ($i : 0..{number}) {{ @[$i] = $i; }} "
                           "print(len(@)); print(@, 2); clear(@); }", timeout=300)
    print(f"{number} keys in {time.monotonic() - start:.1f} s")
    assert (status, out) == (0, f"{number}\n@[{number - 2}]: {number - 2}\n@[{number - 1}]: {number - 1}\n"), err


def test_keys_that_find_no_room_are_counted():
    """Faster than the kernel finds memory for parts of each CPU: what is there and what was refused is all."""
    number = 300_000
    status, out, err = run(f"config = {{ max_map_keys = {number} }} begin {{ for ($i : 0..{number}) {{ @[$i] = count(); }} "
                           "print(len(@)); clear(@); }", timeout=300)
    refused = sum(int(n) for n in re.findall(r"(\d+) updates? of @ (?:was|were) refused", err))
    assert status == 0 and int(out) + refused == number, err


# ---- scripts ----

def nested(n, before, middle, after):
    return before * n + middle + after * n


@pytest.mark.parametrize("script,expected", [
    ("begin { " + " ".join(f"@x[{i}] = {i};" for i in range(500)) + " print(len(@x)); clear(@x); }", "500\n"),
    ("begin { " + " ".join(f"$x{i} = {i} + (nsecs & 0);" for i in range(500)) + " print($x499); }", "499\n"),
    ("begin { " + " ".join(f'printf("{i} %s\\n", str($1));' for i in range(500)) + " }", "".join(f"{i} \n" for i in range(500))),
    ("begin { print(" + nested(200, "(", "1", ")") + "); }", "1\n"),
    ("begin { " + nested(200, "if (pid) { ", "print(1);", " }") + " }", "1\n"),
    ("begin { " + nested(200, "{ ", "print(1);", " }") + " }", "1\n"),
    ("begin { $x = pid; print(" + nested(200, "$x ? ", "1", " : 2") + "); }", "1\n"),
    ("begin { $x = pid; print(" + nested(200, "!", "$x", "") + "); }", "true\n"),
    ("begin { $x = 1; print($x" + nested(400, " + 1", "", "") + "); }", "401\n"),
    ("".join(f"macro m{i}(x) {{ m{i + 1}(x) }} " for i in range(90)) + "macro m90(x) { x + 1 } begin { print(m0(1)); }", "2\n"),
], ids=["500 statements", "500 variables", "500 events", "parentheses", "if", "blocks", "choices", "not", "sum", "macros"])
def test_large_scripts(script, expected, tmp_path):
    assert run(script, path=tmp_path / "q.bt") == (0, expected, "")


@pytest.mark.parametrize("script,expected", [
    ("/* " + "x" * 1_000_000 + " */ begin { print(1); }", "1\n"),
    ("\n".join(f"macro m{i}(x) {{ x + {i} }}" for i in range(30000)) + " begin { print(m5(1)); }", "6\n"),
    ("\n".join(f"#define C{i} {i}" for i in range(50000)) + "\nbegin { print(C49999); }", "49999\n"),
    ("\n".join(f"struct s{i} {{ int a; char b[{i + 1}]; }};" for i in range(20000)) + "\nbegin { print(sizeof(struct s8)); }", "16\n"),
    ("begin { $x = 0; " + "$x += 1; " * 2000 + "print($x); }", "2000\n"),
], ids=["comment", "macros", "defines", "structs", "statements"])
def test_a_megabyte(script, expected, tmp_path):
    start = time.monotonic()
    assert run(script, path=tmp_path / "q.bt") == (0, expected, "")
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("script,says", [
    ("begin { print(" + nested(5000, "(", "1", ")") + "); }", "nested deeper"),
    ("begin { " + nested(5000, "if (1) { ", "", "}") + " }", "nested deeper"),
    ("begin { $i = 0; " + nested(200, "while ($i < 3) { ", "$i++;", "}") + " }", "loops are nested too deeply"),
    ("".join(f"macro m{i}(x) {{ m{i + 1}(x) }} " for i in range(200)) + "macro m200(x) { x } begin { print(m0(1)); }",
     "deeper than 100 levels"),
    ("macro a(x) { b(x) + b(x) } macro b(x) { a(x) } begin { print(a(1)); }", "calls itself"),
    ("\n".join(f"begin /{i} < 0/ {{ @x[{i}] = count(); }}" for i in range(25000)), "max_probes"),
    ("begin { $s = str(0, 1000000); }", "max_strlen"),
    ("begin { unroll (101) { } }", r"unroll .*100"),
], ids=["parentheses", "if", "while", "macros", "recursion", "probes", "string", "unroll"])
def test_limits_are_named(script, says, tmp_path):
    start = time.monotonic()
    status, _, err = run(script, path=tmp_path / "q.bt")
    assert (status == 1 or "max_strlen" in says) and re.search(says, err), err[-500:]
    assert time.monotonic() - start < 10
