# SPDX-License-Identifier: GPL-2.0-or-later
"""User stacks of programs without frame pointers, by what their files say of their frames."""
import os
import re
import subprocess

import pytest

from conftest import SONDE

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="frames are unwound on x86-64")

BEGIN = """
#include <alloca.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define APART __attribute__((noinline, noclone))
volatile long sink;

static void nap(void)
{
	struct timespec t = { .tv_nsec = 5000000 };

	nanosleep(&t, NULL);
}
"""

# Whatever asks for its parent does so through f3, f2 and f1, each with a frame of another size.
CHAIN = """
APART long f3(void) { sink += getppid(); return sink; }
APART long f2(int n) { char b[200]; memset(b, n, sizeof(b)); sink += b[n & 63] + f3(); return sink + b[n & 31]; }
APART long f1(int n) { volatile long a[4] = { n }; sink += f2(n) + a[n & 3]; return sink; }
"""

# Long enough for its tables to be read while it goes on.
LOOP = "int main(void) { for (int i = 0; i < 120; i++) { f1(i); nap(); } return 0; }\n"
OMIT = ["-O2", "-fomit-frame-pointer"]
KEEP = ["-O2", "-fno-omit-frame-pointer"]
ASKED = 'tracepoint:syscalls:sys_enter_getppid /comm == "shape"/ { @[ustack] = count(); }'


def build(tmp_path, source, *flags, name="shape"):
    (tmp_path / f"{name}.c").write_text(BEGIN + source)
    subprocess.run(["gcc", "-D_GNU_SOURCE", f"{name}.c", *flags, "-o", name], cwd=tmp_path, check=True)
    return str(tmp_path / name)


def sonde(script, command, *options):
    r = subprocess.run([SONDE, "-e", "config = { show_debug_info = false } " + script, "-c", command, *options],
                       capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stderr
    return r.stdout


def stacks(out):
    """Stacks as lists of names, with how often they came, the most frequent first."""
    found = {}
    for text, n in re.findall(r"@\[\n(.*?)\n?\]: (\d+)", out, re.S):
        names = tuple(re.sub(r"\+\d+$", "", line.strip()) for line in text.split("\n"))
        found[names] = found.get(names, 0) + int(n)
    return sorted(found.items(), key=lambda item: -item[1])


def most_of(out):
    """The stack that is most of them."""
    all_of_them = stacks(out)
    assert all_of_them, out
    names, n = all_of_them[0]
    assert n > 0.5 * sum(k for _, k in all_of_them), out
    return list(names)


def below(names, first):
    return names[names.index(first):]


@pytest.mark.parametrize("flags", [[*OMIT, "-pie", "-fPIE"], [*OMIT, "-no-pie"], [*OMIT, "-static"],
                                   ["-Os", "-fomit-frame-pointer"], KEEP, [*KEEP, "-static"], ["-O0"]])
def test_however_it_is_built(tmp_path, flags):
    names = most_of(sonde(ASKED, build(tmp_path, CHAIN + LOOP, *flags)))
    assert below(names, "f3")[:4] == ["f3", "f2", "f1", "main"]
    assert names[-1] == "_start"


def test_without_symbols(tmp_path):
    prog = build(tmp_path, CHAIN + LOOP, *OMIT, "-no-pie")
    places = {"f3": 0, "f2": 0, "f1": 0, "main": 0}
    for line in subprocess.run(["nm", "-S", prog], capture_output=True, text=True, check=True).stdout.split("\n"):
        parts = line.split()
        if len(parts) == 4 and parts[3] in places:
            places[parts[3]] = range(int(parts[0], 16), int(parts[0], 16) + int(parts[1], 16) + 1)
    subprocess.run(["strip", "-s", prog], check=True)
    out = sonde(ASKED.replace("ustack", "ustack(raw)"), prog)
    names = most_of(out)
    at = next(i for i, name in enumerate(names) if int(name, 16) in places["f3"])
    for address, function in zip(names[at:], places, strict=False):
        assert int(address, 16) in places[function]


def test_number_of_frames(tmp_path):
    prog = build(tmp_path, CHAIN + LOOP, *OMIT, "-static")
    script = ASKED.replace("ustack", "ustack(3)")
    assert len(most_of(sonde(script, prog))) == 3
    out = sonde('tracepoint:syscalls:sys_enter_getppid /comm == "shape"/ { @[ustack(2), ustack(4)] = count(); }', prog)
    assert re.search(r"f3\+\d+\n +f2\+\d+\n +f1\+\d+\n|f3\+\d+\n *, *\n", out), out


def test_called_back_by_a_library(tmp_path):
    source = CHAIN + """
APART int compare(const void *a, const void *b) { f1(*(const int *)a); return *(const int *)a - *(const int *)b; }
int main(void) { for (int i = 0; i < 60; i++) { int v[2] = { 2, 1 }; qsort(v, 2, sizeof(*v), compare); nap(); } return 0; }
"""
    names = below(most_of(sonde(ASKED, build(tmp_path, source, *OMIT))), "f3")
    assert names[:4] == ["f3", "f2", "f1", "compare"]
    assert any(name.startswith("qsort") for name in names[4:]) and names[-1] == "_start"
    assert names.index("main") > 4


def test_from_a_signal_handler(tmp_path):
    source = CHAIN + """
APART void handler(int sig) { f1(sig); sink++; }
APART void waits(void) { raise(SIGUSR1); sink++; }
int main(void) { signal(SIGUSR1, handler); for (int i = 0; i < 100; i++) { waits(); nap(); } return 0; }
"""
    names = below(most_of(sonde(ASKED, build(tmp_path, source, *OMIT))), "f3")
    assert names[:4] == ["f3", "f2", "f1", "handler"]
    rest = names[5:]  # the kernel's frame has a name or none
    assert rest[-1] == "_start" and rest.index("waits") < rest.index("main")


def test_an_aligned_frame(tmp_path):
    source = CHAIN + """
APART long aligned(int n)
{
	char b[64] __attribute__((aligned(64))), *more = alloca((size_t)n + 16);

	more[n & 7] = b[n & 63] = (char)n;
	sink += f1(n) + more[3] + b[5];
	return sink;
}
int main(void) { for (int i = 0; i < 100; i++) { aligned(i); nap(); } return 0; }
"""
    names = below(most_of(sonde(ASKED, build(tmp_path, source, *OMIT))), "f3")
    assert names[:5] == ["f3", "f2", "f1", "aligned", "main"] and names[-1] == "_start"


def test_a_library_that_is_loaded_later(tmp_path):
    build(tmp_path, CHAIN + "void enter(int n) { f1(n); sink++; }\n", *OMIT, "-shared", "-fPIC", name="later.so")
    source = """
int main(void)
{
	void (*enter)(int) = NULL;

	for (int i = 0; i < 20; i++)
		nap();
	enter = (void (*)(int))dlsym(dlopen("%s/later.so", RTLD_NOW), "enter");
	for (int i = 0; i < 200; i++) {
		enter(i);
		nap();
	}
	return 0;
}
""" % tmp_path
    names = below(most_of(sonde(ASKED, build(tmp_path, source, *OMIT, "-ldl"))), "f3")
    assert names[:5] == ["f3", "f2", "f1", "enter", "main"] and names[-1] == "_start"


def test_a_child_of_the_process(tmp_path):
    source = CHAIN + """
APART void work(void) { for (int i = 0; i < 100; i++) { f1(i); nap(); } }
int main(void) { if (!fork()) { work(); _exit(0); } work(); return 0; }
"""
    out = sonde('tracepoint:syscalls:sys_enter_getppid /comm == "shape" && pid != cpid/ { @[ustack] = count(); }',
                build(tmp_path, source, *OMIT))
    names = below(most_of(out), "f3")
    assert names[:5] == ["f3", "f2", "f1", "work", "main"] and names[-1] == "_start"


def test_at_a_uprobe(tmp_path):
    prog = build(tmp_path, CHAIN + LOOP, *OMIT)
    names = most_of(sonde(f"uprobe:{prog}:f3 {{ @[ustack] = count(); }}", prog))
    assert names[:4] == ["f3", "f2", "f1", "main"] and names[-1] == "_start"
    names = most_of(sonde(f"uretprobe:{prog}:f3 {{ @[ustack] = count(); }}", prog))
    assert names[:3] == ["f2", "f1", "main"] and names[-1] == "_start"


def test_the_first_stack_of_a_command(tmp_path):
    """It is held when its program is there, and its tables are read before it runs."""
    command = build(tmp_path, CHAIN + "int main(void) { f1(1); return 0; }\n", *OMIT)
    names = most_of(sonde(f"uprobe:{command}:f3 {{ @[ustack] = count(); }}", command))
    assert names[:4] == ["f3", "f2", "f1", "main"], names


def test_in_the_table_of_jumps(tmp_path):
    prog = build(tmp_path, CHAIN + LOOP, *OMIT, "-no-pie", "-fcf-protection=none", "-Wl,-z,lazy", "-Wl,-z,norelro")
    text = subprocess.run(["objdump", "-d", "-j", ".plt", prog], capture_output=True, text=True, check=True).stdout
    stub = int(re.search(r"^([0-9a-f]+) <getppid@plt>", text, re.M).group(1), 16)
    out = sonde(f"uprobe:{prog}:0x{stub:x} {{ @[ustack] = count(); }}", prog, "--unsafe")
    assert most_of(out)[1:5] == ["f3", "f2", "f1", "main"]


def test_samples(tmp_path):
    source = """
APART void f3(long n) { for (long i = 0; i < n; i++) sink += i * sink; }
APART void f2(long n) { char b[100]; memset(b, (int)n, 99); f3(n); sink += b[n & 15]; }
APART void f1(long n) { f2(n); sink++; }
APART void g1(long n) { f3(n); sink++; }
int main(void) { struct timespec t; do { f1(30000); g1(10000); clock_gettime(CLOCK_MONOTONIC, &t); sink++; } while (1); }
"""
    prog = build(tmp_path, source, *OMIT)
    out = sonde('profile:hz:499 /pid == cpid && elapsed > 300000000/ { @[ustack] = count(); } '
                'interval:ms:1500 { exit(); }', prog)
    ways = {"f1": 0, "g1": 0, "other": 0}
    for names, n in stacks(out):
        if names[0] != "f3":
            continue
        assert names[-1] == "_start", names
        way = "f1" if names[1:4] == ("f2", "f1", "main") else "g1" if names[1:3] == ("g1", "main") else "other"
        ways[way] += n
    assert ways["other"] == 0, out
    assert 0.6 < ways["f1"] / (ways["f1"] + ways["g1"]) < 0.9, ways


def test_short_processes_that_begin_while_it_looks(tmp_path):
    """They have ended before one could look at them twice: what they have mapped is made known when they map it."""
    source = """
APART void f3(long n) { for (long i = 0; i < n; i++) sink += i * sink; }
APART void f2(long n) { char b[100]; memset(b, (int)n, 99); f3(n); sink += b[n & 15]; }
APART void f1(long n) { f2(n); sink++; }
int main(void)
{
	struct timespec t;

	do {
		f1(30000);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	} while (t.tv_nsec < 100000000);
	return 0;
}
"""
    prog = build(tmp_path, source, *OMIT)
    s = subprocess.Popen([SONDE, "-e", 'config = { show_debug_info = false } begin { printf("ready\\n"); } '
                          'profile:hz:999 /comm == "shape"/ { @[ustack] = count(); }'], stdout=subprocess.PIPE, text=True)
    try:
        while "ready" not in s.stdout.readline():
            pass
        for _ in range(20):
            subprocess.run([prog], check=True)
        s.terminate()
        out = s.communicate(timeout=30)[0]
    finally:
        s.kill()
    mine = [(names, n) for names, n in stacks(out) if names and names[0] == "f3"]
    whole = sum(n for names, n in mine if names[1:4] == ("f2", "f1", "main") and names[-1] == "_start")
    assert whole > 0.7 * sum(n for _, n in mine) > 500, out
