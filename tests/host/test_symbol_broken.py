# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that say nonsense about themselves, and that change under a running process: no names are invented, nothing
hangs, nothing grows, and what is not known is shown as its address."""
import os
import random
import re
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

from conftest import SANITIZED, SONDE
from test_symbol import FLAGS, FRAMES, SHAPE_C, STACK, compile_c

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the test programs are of x86-64")
MOST_SECONDS, MOST_KIB = 10, 800000 if SANITIZED else 400000


class Ended:
    def __init__(self, out, err, seconds, kib):
        self.out, self.err, self.seconds, self.kib = out, err, seconds, kib


def sonde(script, *options):
    """Runs within bounds and ends well, whatever it looks at."""
    begin = time.monotonic()
    p = subprocess.Popen([SONDE, "-q", "-e", script, *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = {}
    readers = [threading.Thread(target=lambda f=f, n=n: said.update({n: f.read().decode(errors="replace")}))
               for n, f in (("out", p.stdout), ("err", p.stderr))]
    for r in readers:
        r.start()
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    for r in readers:
        r.join()
    seconds = time.monotonic() - begin
    assert p.returncode == 0, (p.returncode, said)
    assert seconds < MOST_SECONDS and usage.ru_maxrss < MOST_KIB, (seconds, usage.ru_maxrss)
    return Ended(said["out"], said["err"], seconds, usage.ru_maxrss)


# ---- sections of an ELF file, changed in place ----

class Elf:
    """Sections by name; what is written here goes into the file."""

    def __init__(self, path):
        self.path, self.data = path, bytearray(Path(path).read_bytes())
        self.shoff, = struct.unpack_from("<Q", self.data, 40)
        size, n, names = struct.unpack_from("<HHH", self.data, 58)
        self.headers = [self.shoff + i * size for i in range(n)]
        text, = struct.unpack_from("<Q", self.data, self.headers[names] + 24)
        self.sections = {}
        for at in self.headers:
            name, = struct.unpack_from("<I", self.data, at)
            self.sections[self.data[text + name:self.data.index(0, text + name)].decode()] = at

    def field(self, section, name):
        """Its place in the file and its form."""
        offset, form = {"type": (4, "<I"), "offset": (24, "<Q"), "size": (32, "<Q"), "link": (40, "<I"), "entsize": (56, "<Q")}[name]
        return self.sections[section] + offset, form

    def get(self, section, name):
        at, form = self.field(section, name)
        return struct.unpack_from(form, self.data, at)[0]

    def set(self, section, **values):
        for name, value in values.items():
            at, form = self.field(section, name)
            struct.pack_into(form, self.data, at, value)

    def bytes_of(self, section):
        begin = self.get(section, "offset")
        return begin, begin + self.get(section, "size")

    def fill(self, section, make):
        begin, end = self.bytes_of(section)
        self.data[begin:end] = make(end - begin)

    def save(self):
        Path(self.path).write_bytes(self.data)


def symbols(change):
    """Change each symbol: (name, info, other, section, value, size)."""
    def spoil(elf):
        begin, end = elf.bytes_of(".symtab")
        for at in range(begin, end - 23, 24):
            struct.pack_into("<IBBHQQ", elf.data, at, *change(*struct.unpack_from("<IBBHQQ", elf.data, at)))
    return spoil


def noise(n):
    return random.Random(1).randbytes(n)


BROKEN = {
    "symbols beyond the file": lambda e: e.set(".symtab", offset=1 << 40),
    "more symbols than bytes": lambda e: e.set(".symtab", size=1 << 50),
    "symbols of no size": lambda e: e.set(".symtab", entsize=0),
    "symbols of one byte": lambda e: e.set(".symtab", entsize=1),
    "symbols of another section's names": lambda e: e.set(".symtab", link=0xffff),
    "symbols are their own names": lambda e: e.set(".symtab", link=[*e.sections.values()].index(e.sections[".symtab"])),
    "random symbols": lambda e: e.fill(".symtab", noise),
    "random names": lambda e: e.fill(".strtab", noise),
    "names without an end": lambda e: e.fill(".strtab", lambda n: b"x" * n),
    "names beyond their section": symbols(lambda name, *rest: (0xfffffff0, *rest)),
    "all symbols are everywhere": symbols(lambda name, info, other, section, value, size: (name, info, other, section, 1, 1 << 63)),
    "symbols wrap around": symbols(lambda name, info, other, section, value, size: (name, info, other, section, value, 2**64 - 1)),
    "random frames": lambda e: e.fill(".eh_frame", noise),
    "frames of zeros": lambda e: e.fill(".eh_frame", bytes),
    "frames of ones": lambda e: e.fill(".eh_frame", lambda n: b"\xff" * n),
    "endless record": lambda e: e.fill(".eh_frame", lambda n: struct.pack("<I", 0xfffffff0) + noise(n - 4)),
    "record of itself": lambda e: e.fill(".eh_frame", lambda n: struct.pack("<II", n - 4, 4) + bytes(n - 8)),
    "frames beyond the file": lambda e: e.set(".eh_frame", offset=1 << 40),
    "no section names": lambda e: struct.pack_into("<H", e.data, 62, 0xfff0),
    "sections beyond the file": lambda e: struct.pack_into("<Q", e.data, 40, 1 << 50),
    "random sections": lambda e: e.data.__setitem__(slice(e.shoff, None), noise(len(e.data) - e.shoff)),
    "random debugging information": lambda e: e.fill(".debug_info", noise),
    "random lines": lambda e: e.fill(".debug_line", noise),
    "random abbreviations": lambda e: e.fill(".debug_abbrev", noise),
    "names of files without an end": lambda e: e.fill(".debug_line_str", lambda n: b"x" * n),
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("flags", [FLAGS, ["-O2", "-g", "-fomit-frame-pointer"]], ids=["frame pointers", "none"])
def test_broken_file(tmp_path, what, flags):
    prog = compile_c(tmp_path, *flags, "-no-pie")
    elf = Elf(prog)
    BROKEN[what](elf)
    elf.save()
    r = sonde(STACK.replace("@[ustack]", "@[ustack(perf, 20)]"), "-c", prog)
    stacks = re.findall(r"@\[\n(.*?)\n\]: (\d+)", r.out, re.S)
    assert sum(int(n) for _, n in stacks) == 3, r.out
    for line in stacks[0][0].split("\n"):
        # An address, a name or the address again, and where it lies.
        assert re.fullmatch(r"\t[0-9a-f]+ .+ \((inlined|/.*|\[\w+\])\)", line), r.out
    if what in ("symbols beyond the file", "more symbols than bytes", "symbols of another section's names", "names beyond their section"):
        assert not re.search(r"\bf[123]\+", r.out), r.out


@pytest.mark.parametrize("section", [".debug_str", ".debug_line_str"])
def test_texts_that_do_not_end(tmp_path, section):
    """Debugging information whose last text runs into what lies behind it is none."""
    source = tmp_path / "long.c"
    source.write_text("int main(int a_count_of_arguments, char **their_long_array)\n{\n\treturn !their_long_array + a_count_of_arguments;\n}\n")
    prog = tmp_path / "long"
    subprocess.run(["gcc", "-g", "-gdwarf-5", "-o", prog, source], check=True)
    listed = [SONDE, "-lv", f"uprobe:{prog}:main"]
    assert "int a_count_of_arguments" in subprocess.run(listed, capture_output=True, text=True, check=True).stdout
    elf = Elf(prog)
    elf.set(section, size=elf.get(section, "size") - 1)
    elf.save()
    assert subprocess.run(listed, capture_output=True, text=True, check=True).stdout == f"uprobe:{prog}:main\n"


def test_many_symbols(tmp_path):
    """Tens of millions of them are not all taken."""
    prog = compile_c(tmp_path, *FRAMES, "-no-pie")
    elf = Elf(prog)
    begin, end = elf.bytes_of(".symtab")
    at = (len(elf.data) + 15) // 16 * 16
    f3 = subprocess.run(["nm", prog], capture_output=True, text=True, check=True).stdout
    where = int(re.search(r"^(\w+) T f3$", f3, re.M)[1], 16)
    n = 12 << 20
    elf.set(".symtab", offset=at, size=24 * n)
    elf.save()
    with open(prog, "r+b") as f:
        f.seek(at)
        f.write(elf.data[begin:end])
        one = b"".join(struct.pack("<IBBHQQ", 1, 0x12, 0, 1, where + 1000 + i * 16, 16) for i in range(1 << 16))
        while f.tell() < at + 24 * n:
            f.write(one)
        f.truncate(at + 24 * n)
    r = sonde("config = { show_debug_info = false } " + STACK, "-c", prog)
    assert re.search(r"^ +f3\+\d+$", r.out, re.M), r.out


def test_frames_that_go_round(tmp_path):
    """What would lead from a frame to itself, or down the stack, ends it."""
    source = SHAPE_C.replace("int main(", r"""
__asm__(".text\n.globl odd\n.type odd, @function\nodd: .cfi_startproc\n"
        "push %rbp\npush %rbp\n.cfi_def_cfa 7, 0\nlea -8(%rsp), %rbp\ncall f3\nadd $8, %rsp\npop %rbp\nret\n"
        ".cfi_endproc\n.size odd, . - odd\n"
        ".globl odder\n.type odder, @function\nodder: push %rbp\nsub $16, %rsp\nmov %rsp, %rbp\nmov %rbp, (%rbp)\n"
        "lea odder(%rip), %rax\nmov %rax, 8(%rbp)\ncall f3\nadd $16, %rsp\npop %rbp\nret\n.size odder, . - odder\n");
void odd(void), odder(void);
/* The tables of the process become known meanwhile, on a busy machine too. */
static __attribute__((constructor)) void wait(void) { usleep(150000); }
int main(""").replace("\t\tf1();", "\t\todd(), odder();")
    prog = compile_c(tmp_path, "-O2", "-fno-omit-frame-pointer", "-no-pie", source=source)
    # Those of the first are asked for by its stacks.
    r = sonde(STACK, "-c", f"sh -c 'for i in 1 2 3 4 5 6; do {prog} s; done'")
    stacks = re.findall(r"@\[\n(.*?)\n?\]: (\d+)", r.out, re.S)
    assert sum(int(n) for _, n in stacks) == 36, r.out
    # A process whose tables are not known yet is followed by its frame pointers, as far as there is room.
    assert sum(int(n) for text, n in stacks if text.count("\n") < 12) >= 24, r.out
    assert max(text.count("\n") for text, _ in stacks) < 127, r.out



def asks(prog):
    """The program, waiting for a line; and sonde, which prints each stack."""
    child = subprocess.Popen([prog, "wait"], stdin=subprocess.PIPE)
    s = subprocess.Popen([SONDE, "-q", "-p", str(child.pid), "-e", 'begin { printf("ready\\n"); } '
                          'tracepoint:syscalls:sys_enter_getppid /comm == "shape"/ { printf("%s", ustack(3)); }'],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "ready" not in s.stdout.readline():
        pass
    return child, s


@pytest.mark.parametrize("way", ["deleted", "another in its place", "a directory", "garbage in its place"])
def test_file_that_changes_under_a_running_process(tmp_path, way):
    prog = compile_c(tmp_path, *FRAMES)
    other = compile_c(tmp_path, *FRAMES, name="other", source=SHAPE_C.replace("f3", "wrong"))
    child, s = asks(prog)
    try:
        os.unlink(prog)
        if way == "another in its place":
            os.rename(other, prog)
        elif way == "a directory":
            os.mkdir(prog)
        elif way == "garbage in its place":
            Path(prog).write_bytes(noise(100000))
        child.communicate(b"\n", timeout=20)
        out, err = s.communicate(timeout=20)
    finally:
        child.kill()
        s.kill()
    assert s.returncode == 0 and "wrong" not in out, (out, err)
    assert [re.sub(r"\+\d+$", "", x.strip()) for x in out.split("\n") if x.strip()] == ["f3", "f2", "f1"] * 3, (out, err)


def test_debug_file_that_is_cut_while_it_is_read(tmp_path):
    """A large one is mapped: what is missing is no reason to end."""
    source = SHAPE_C.replace("for (volatile int i = 0; i < 3; i++)\n\t\tf1();", "f1();\n\tif (read(0, &c, 1) < 0)\n\t\treturn 1;\n\tf2();\n\tf1();")
    prog = compile_c(tmp_path, *FLAGS, "-gz=none", source=source)
    debug = tmp_path / "shape.debug"
    subprocess.run(["objcopy", "--only-keep-debug", prog, debug], check=True)
    subprocess.run(["strip", "-s", prog], check=True)
    with open(tmp_path / "fill", "wb") as f:
        f.write(noise(40 << 20))
    subprocess.run(["objcopy", "--add-section", f"fill={tmp_path}/fill", debug], check=True)
    subprocess.run(["objcopy", f"--add-gnu-debuglink={debug}", prog], check=True)
    child, s = asks(prog)
    try:
        child.stdin.write(b"\n")
        child.stdin.flush()
        first = "".join(s.stdout.readline() for _ in range(5))
        assert re.search(r"f3\+\d+@\S*shape\.c:\d+", first), first
        os.truncate(debug, 4096)
        child.communicate(b"\n", timeout=20)
        out, err = s.communicate(timeout=20)
    finally:
        child.kill()
        s.kill()
    assert s.returncode == 0 and len(re.findall(r"f2\+|0x\w+", out)) >= 2, (s.returncode, first, out, err)


def test_file_that_is_a_pipe_or_cannot_be_read(tmp_path):
    """A mapping may have the name of anything."""
    prog = compile_c(tmp_path, *FRAMES)
    child, s = asks(prog)
    try:
        os.unlink(prog)
        os.mkfifo(prog)
        child.communicate(b"\n", timeout=20)
        out, _ = s.communicate(timeout=20)
    finally:
        child.kill()
        s.kill()
    assert s.returncode == 0 and out.count("f3+") == 3, out

