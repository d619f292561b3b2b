# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of code that was made at run time: of real compilers (Node's and Python's), and of files written here to be
exactly as the format allows, or broken."""
import glob
import os
import re
import shutil
import struct
import subprocess
import time
from pathlib import Path

import pytest

from conftest import SONDE
from test_symbol import FRAMES, compile_c

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the code made here is of x86-64")
ASKED = 'tracepoint:syscalls:sys_enter_getppid /comm == "shape"/ { printf("%s", ustack(1)); }'


def sonde(script, *options, cwd=None, timeout=60):
    r = subprocess.run([SONDE, "-q", "-e", script, *map(str, options)], capture_output=True, text=True, timeout=timeout, cwd=cwd,
                       errors="replace")
    assert r.returncode == 0, r.stderr
    return r.stdout


@pytest.fixture(autouse=True)
def no_maps_left():
    before = set(glob.glob("/tmp/perf-*.map"))
    yield
    for path in set(glob.glob("/tmp/perf-*.map")) - before:
        os.unlink(path)


# ---- real compilers ----

# As much time of its own as it is told, however busy the machine.
SPIN_JS = """
function innermost(n) { let s = 0; for (let i = 0; i < n; i++) s += Math.sqrt(i * s % 7); return s; }
function middle(n) { return innermost(n) + 1; }
function outermost(n) { return middle(n) + 1; }
const end = process.cpuUsage().user + Number(process.argv[2]) * 1000;
let x = 0;
while (process.cpuUsage().user < end) x += outermost(20000);
"""
SPIN_PY = """
import sys, time
def innermost(n):
    s = 0
    for i in range(n):
        s += i * i
    return s
def middle(n):
    return innermost(n) + 1
def outermost(n):
    return middle(n) + 1
end = time.process_time() + float(sys.argv[1]) / 1000
while time.process_time() < end:
    outermost(10000)
"""
PROFILE = "profile:hz:199 /pid == cpid/ { @[comm, ustack(100)] = count(); }"


def spin(tmp_path, suffix, source, command):
    """Its samples, as folded stacks."""
    (tmp_path / f"spin.{suffix}").write_text(source)
    out = sonde(PROFILE, "-f", "folded", "-c", f"{command} spin.{suffix} 1500", cwd=tmp_path)
    return {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in out.splitlines()}


def share(stacks, pattern):
    return sum(n for stack, n in stacks.items() if re.search(pattern, stack)) / sum(stacks.values())


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
@pytest.mark.parametrize("option", ["--perf-basic-prof", "--perf-prof"])  # a map; a dump
def test_node(tmp_path, option):
    stacks = spin(tmp_path, "js", SPIN_JS, f"node {option} --interpreted-frames-native-stack")
    if option == "--perf-prof":
        assert list(tmp_path.glob("jit-*.dump"))
    assert share(stacks, r";JS:[*^~+']*innermost \S*spin\.js:2") > 0.6, stacks
    # The callers, as far as they were not inlined into the loop.
    assert share(stacks, r"Builtins_JSEntryTrampoline|JS:") > 0.8, stacks


def python_with_maps():
    """One of 3.12 and later, which can write them."""
    found = [shutil.which(f"python3.{n}") for n in range(20, 11, -1)] + sorted(glob.glob("/root/.pyenv/versions/3.1[2-9]*/bin/python3"))
    for python in filter(None, found):
        code = "import sys; sys.activate_stack_trampoline('perf')"
        if not subprocess.run([python, "-c", code], capture_output=True).returncode:
            return python
    return None


def test_python(tmp_path):
    python = python_with_maps()
    if not python:
        pytest.skip("no Python that writes maps (3.12 and later)")
    stacks = spin(tmp_path, "py", SPIN_PY, f"{python} -X perf")
    # All of its frames: what names them has neither tables nor frame pointers, but is known by its code.
    assert share(stacks, r"py::<module>:\S*spin\.py;.*py::outermost:.*;.*py::middle:.*;.*py::innermost:") > 0.6, stacks
    assert share(stacks, r"^\w+;_start;.*py::innermost") > 0.6, stacks


# ---- a compiler of our own ----

# push rbp; mov rbp, rsp; mov eax, 110; syscall; pop rbp; ret
CODE = bytes([0x55, 0x48, 0x89, 0xe5, 0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0x5d, 0xc3])
# Makes code at 0x70000000 + 64 * i and runs it when a line says so; the file argv[1] is mapped as a dump is.
RUNNER_C = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const unsigned char code[] = { 0x55, 0x48, 0x89, 0xe5, 0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0x5d, 0xc3 };

int main(int argc, char **argv)
{
	char *at = mmap((void *)0x70000000, 1 << 20, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	char line[64];

	if (argc > 1 && mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, open(argv[1], O_RDONLY), 0) == MAP_FAILED)
		return 1;
	for (int i = 0; i < 1000; i++)
		memcpy(at + i * 64, code, sizeof(code));
	while (fgets(line, sizeof(line), stdin))
		((void (*)(void))(at + atoi(line) * 64))();
	return 0;
}
"""
BASE = 0x70000000


def header(magic=0x4A695444, version=1, size=40):
    return struct.pack("<IIIIIIQQ", magic, version, size, 62, 0, 1, 0, 0)


def record(kind, body, size=None):
    return struct.pack("<IIQ", kind, 16 + len(body) if size is None else size, 1) + body


def load(number, name, index=0, size=len(CODE), code=CODE):
    at = BASE + 64 * number
    return record(0, struct.pack("<IIQQQQ", 1, 1, at, at, size, index) + name.encode() + b"\0" + code)


def move(index, number):
    at = BASE + 64 * number
    return record(1, struct.pack("<IIQQQQQ", 1, 1, at, 0, at, len(CODE), index))


def lines(number, *entries, shift=0):
    at = BASE + 64 * number
    body = b"".join(struct.pack("<Qii", at + offset + shift, line, 0) + name + b"\0" for offset, line, name in entries)
    return record(2, struct.pack("<QQ", at, len(entries)) + body)


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    return compile_c(tmp_path_factory.mktemp("runner"), *FRAMES, source=RUNNER_C)


class Made:
    """The program, looked at by sonde while it runs."""

    def __init__(self, runner, dump=None):
        self.p = subprocess.Popen([runner, *([dump] if dump else [])], stdin=subprocess.PIPE, text=True)
        self.s = subprocess.Popen([SONDE, "-e", 'begin { printf("ready\\n"); } ' + ASKED, "-p", str(self.p.pid)],
                                  stdout=subprocess.PIPE, text=True, errors="replace")
        while "ready" not in self.s.stdout.readline():
            pass

    def run(self, number):
        """Runs the code; the line that sonde then shows."""
        self.p.stdin.write(f"{number}\n")
        self.p.stdin.flush()
        while not (line := self.s.stdout.readline().strip()):
            pass
        return line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for p in (self.p, self.s):
            p.kill()
            p.wait()


def test_dump(runner, tmp_path):
    dump = tmp_path / "jit-77.dump"
    dump.write_bytes(header() + load(0, "first(int)") + record(99, b"of a kind to come") + load(1, "second"))
    with Made(runner, dump) as made:
        assert made.run(0) == "first(int)+11"
        assert made.run(1) == "second+11"
        assert re.fullmatch("0x7000008b", made.run(2))
        # Written while it runs; half a record is none.
        late = load(2, "late")
        with open(dump, "ab") as f:
            f.write(late[:30])
            f.flush()
            time.sleep(0.2)
            assert re.fullmatch("0x7000008b", made.run(2))
            f.write(late[30:])
            f.flush()
        time.sleep(0.2)
        assert made.run(2) == "late+11"
        # Other code lies there now.
        with open(dump, "ab") as f:
            f.write(load(0, "other"))
        time.sleep(0.2)
        assert made.run(0) == "other+11"


def test_dump_with_lines_and_code_that_moves(runner, tmp_path):
    dump = tmp_path / "jit-77.dump"
    dump.write_bytes(header() + lines(0, (0, 10, b"src/one.js"), (8, 12, b"\xff"), (12, 13, b"\xff")) + load(0, "one", index=7) +
                     lines(1, (0, 20, b"two.js"), (11, 21, b"\xff"), shift=0x40) + load(1, "two") +
                     lines(2, (0, 20, b"\x01no text\x02")) + load(2, "three") + move(7, 3))
    with Made(runner, dump) as made:
        assert made.run(0) == "one+11@src/one.js:12"
        assert made.run(1) == "two+11@two.js:21"
        assert made.run(2) == "three+11"
        assert made.run(3) == "one+11"


@pytest.mark.parametrize("broken", [
    b"", header()[:20], header(magic=0x4454694A) + load(0, "wrong order"), header(version=9) + load(0, "wrong version"),
    header() + load(0, "right") + record(0, b"", size=3), header() + load(0, "right") + record(0, b"x" * 8, size=24),
    header() + load(0, "right") + record(2, struct.pack("<QQ", BASE, 1 << 60)), header() + load(0, "right") + move(1 << 60, 0),
    header() + load(0, "right") + record(0, b"", size=0xffffffff),
    header() + load(0, "right") + load(1, "x" * 100000, size=1 << 40) + record(3, b""),
], ids=["empty", "cut header", "byte order", "version", "size 3", "no room", "too many lines", "unknown index", "beyond its end", "long name"])
def test_broken_dump(runner, tmp_path, broken):
    dump = tmp_path / "jit-77.dump"
    dump.write_bytes(broken or b"\0" * 8)
    with Made(runner, dump) as made:
        shown = made.run(0)
        assert shown == ("right+11" if b"right" in broken else "0x7000000b")


def resident(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def test_endless_dump(runner, tmp_path):
    """No more than so many records are taken."""
    dump = tmp_path / "jit-77.dump"
    small = record(9, b"") * 65536
    with open(dump, "wb") as f:
        f.write(header() + load(0, "right"))
        for _ in range(96):
            f.write(small)
    with Made(runner, dump) as made:
        begin = time.monotonic()
        assert made.run(0) == "right+11" and time.monotonic() - begin < 5
        assert resident(made.s.pid) < 300000


def test_map_of_a_gigabyte(runner):
    """As much of it is read as helps; what was found is shown, and soon."""
    with Made(runner) as made:
        path = Path(f"/tmp/perf-{made.p.pid}.map")
        with open(path, "w") as f:
            f.write(f"{BASE:x} 40 right\n")
            chunk = "".join(f"{0x10000000 + 16 * i:x} 10 some function that was made number {i}\n" for i in range(20000))
            while f.tell() < 1 << 30:
                f.write(chunk)
        begin = time.monotonic()
        assert made.run(0) == "right+11"
        assert time.monotonic() - begin < 10
        assert re.fullmatch("0x7000004b", made.run(1))
        assert resident(made.s.pid) < 500000
        path.unlink()


@pytest.mark.parametrize("text", ["", "\n\n\n", "zz 10 x\n", "70000000\n", "70000000 \n", "70000000 40\n", "70000000 0 nothing\n",
                                  "70000000 ffffffffffffffffffffff x", "\0" * 5000, "x" * 300000],
                         ids=["empty", "lines", "letters", "no size", "blank", "no name", "no bytes", "absurd", "zeros", "one line"])
def test_broken_map(runner, text):
    with Made(runner) as made:
        Path(f"/tmp/perf-{made.p.pid}.map").write_text(text)
        assert made.run(0) == "0x7000000b"


def test_map_in_a_tmp_of_its_own(tmp_path):
    """A service has another /tmp and a container another number; both are gone when the process has ended."""
    source = RUNNER_C.replace('	char line[64];', r'''	char line[64];
	FILE *map = fopen("/tmp/perf-1.map", "w");

	fprintf(map, "70000000 40 in a container\n");
	fclose(map);''').replace("while (fgets(line, sizeof(line), stdin))\n\t\t((void (*)(void))(at + atoi(line) * 64))();",
                          "usleep(300000);\n\t((void (*)(void))at)();")
    prog = compile_c(tmp_path, *FRAMES, "-static", source=source)
    own = tmp_path / "own"
    own.mkdir()
    prog.rename(own / "shape")
    out = sonde(ASKED.replace("printf(\"%s\", ustack(1))", "@[ustack(1)] = count()"), "-c",
                f"/usr/bin/unshare -m -p -f --mount-proc /bin/sh -c 'mount --bind {own} /tmp && exec /tmp/shape'")
    assert "in a container+11" in out, out
