# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of addresses in processes: programs of known shape, with everything that may be missing."""
import ctypes.util
import functools
import http.server
import lzma
import os
import re
import shutil
import signal
import subprocess
import textwrap
import threading

import pytest

from conftest import SANITIZED, SONDE

# f1 calls f2 calls f3, which asks for its parent: three times, then it waits for a line if it was told to.
SHAPE_C = """
#include <unistd.h>
#include <time.h>

__attribute__((always_inline)) static inline long ask(void)
{
	long r;

	__asm__ volatile("syscall; nop" : "=a"(r) : "a"(110) : "rcx", "r11", "memory"); /* line ASK */
	return r;
}

__attribute__((noinline)) long f3(void) { long r = ask(); __asm__ volatile("" : "+r"(r) : "r"(__builtin_frame_address(0))); return r; }
__attribute__((noinline)) long f2(void) { long r = f3(); __asm__ volatile("" : "+r"(r)); return r; }
__attribute__((noinline)) long f1(void) { long r = f2(); __asm__ volatile("" : "+r"(r)); return r; }

int main(int argc, char **argv)
{
	char c;

	if (argc > 1 && argv[1][0] == 's')
		usleep(200000);
	else if (argc > 1 && read(0, &c, 1) < 0)
		return 1;
	for (volatile int i = 0; i < 3; i++)
		f1();
	return 0;
}
"""
ASK_LINE = 1 + next(i for i, line in enumerate(SHAPE_C.split("\n")) if "line ASK" in line)
FRAMES = ["-O1", "-fno-omit-frame-pointer", "-mno-omit-leaf-frame-pointer"]
FLAGS = [*FRAMES, "-g"]
STACK = 'tracepoint:syscalls:sys_enter_getppid /comm == "shape"/ { @[ustack] = count(); }'

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the test programs ask in x86-64")


def compile_c(tmp_path, *flags, source=SHAPE_C, name="shape", cc="gcc"):
    suffix = ".cc" if cc == "g++" else ".c"
    (tmp_path / f"{name}{suffix}").write_text(source)
    subprocess.run([cc, f"{name}{suffix}", *(flags or FLAGS), "-o", name], cwd=tmp_path, check=True)
    return tmp_path / name


def sonde(script, *options, env=None, **kw):
    r = subprocess.run([SONDE, "-e", script, *options], capture_output=True, text=True, timeout=60,
                       env={**os.environ, **(env or {})}, **kw)
    assert r.returncode == 0, r.stderr
    return r.stdout


def names(out):
    """The functions of the only stack, without offsets and lines."""
    stacks = re.findall(r"@\[\n(.*?)\n\]: 3", out, re.S)
    assert len(stacks) == 1, out
    return [re.sub(r"[+@].*", "", line.strip()) for line in stacks[0].split("\n")]


@pytest.mark.parametrize("flags", [["-pie", "-fPIE"], ["-no-pie"], ["-static"], ["-static-pie"]])
def test_every_way_to_link(tmp_path, flags):
    prog = compile_c(tmp_path, *FRAMES, *flags)
    # it has ended when the map is shown
    assert names(sonde(STACK, "-c", str(prog)))[:4] == ["f3", "f2", "f1", "main"]


def test_inlined_functions_and_lines(tmp_path):
    prog = compile_c(tmp_path)
    out = sonde(STACK, "-c", str(prog))
    lines = [line.strip() for line in out.split("\n")]
    at = next(i for i, line in enumerate(lines) if line.startswith("[inlined]"))
    assert re.fullmatch(rf"\[inlined\] ask@\S*shape\.c:{ASK_LINE}", lines[at])
    assert re.fullmatch(r"f3\+\d+@\S*shape\.c:%d" % (ASK_LINE + 4), lines[at + 1])
    # the line of the call, not the one behind it
    assert re.fullmatch(r"f2\+\d+@\S*shape\.c:%d" % (ASK_LINE + 5), lines[at + 2])
    out = sonde(STACK.replace("ustack", "ustack(perf)"), "-c", str(prog))
    assert re.search(r"^\t[0-9a-f]+ ask \(inlined\)\n\t[0-9a-f]+ f3\+\d+ \(.*/shape\)$", out, re.M), out


def test_without_debug_info(tmp_path):
    prog = compile_c(tmp_path)
    out = sonde("config = { show_debug_info = false } " + STACK, "-c", str(prog))
    assert "inlined" not in out and "shape.c" not in out
    assert names(out)[:4] == ["f3", "f2", "f1", "main"]


def strip_to(prog, debug):
    subprocess.run(["objcopy", "--only-keep-debug", prog, debug], check=True)
    subprocess.run(["strip", "-s", prog], check=True)


def test_debug_link(tmp_path):
    prog = compile_c(tmp_path)
    (tmp_path / ".debug").mkdir()
    strip_to(prog, tmp_path / ".debug" / "shape.debug")
    subprocess.run(["objcopy", f"--add-gnu-debuglink={tmp_path}/.debug/shape.debug", prog], check=True)
    out = sonde(STACK, "-c", str(prog))
    assert "[inlined] ask" in out
    assert [n for n in names(out) if not n.startswith("[inlined]")][:4] == ["f3", "f2", "f1", "main"]


def test_debug_file_by_build_id(tmp_path):
    prog = compile_c(tmp_path, *FLAGS, "-Wl,--build-id=0x5d0123456789abcdef5d0123456789abcdef5d01")
    where = "/usr/lib/debug/.build-id/5d"
    os.makedirs(where, exist_ok=True)
    debug = f"{where}/0123456789abcdef5d0123456789abcdef5d01.debug"
    try:
        strip_to(prog, debug)
        assert "[inlined] ask" in sonde(STACK, "-c", str(prog))
    finally:
        os.unlink(debug)


def test_debug_file_from_a_server(tmp_path):
    """Only when one is named."""
    if not ctypes.util.find_library("debuginfod"):
        pytest.skip("libdebuginfod is not installed")
    prog = compile_c(tmp_path, *FLAGS, "-Wl,--build-id=0x5d0123456789abcdef5d0123456789abcdef5d02")
    served = tmp_path / "served" / "buildid" / "5d0123456789abcdef5d0123456789abcdef5d02"
    served.mkdir(parents=True)
    strip_to(prog, served / "debuginfo")
    assert "f3" not in sonde(STACK, "-c", str(prog))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(
            http.server.SimpleHTTPRequestHandler, directory=tmp_path / "served")) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        out = sonde(STACK, "-c", str(prog), env={
            "DEBUGINFOD_URLS": f"http://127.0.0.1:{server.server_port}/", "DEBUGINFOD_CACHE_PATH": str(tmp_path / "cache")})
        server.shutdown()
    assert "[inlined] ask" in out and "f1+" in out, out


def test_stripped_says_where(tmp_path):
    prog = compile_c(tmp_path)
    subprocess.run(["strip", "-s", prog], check=True)
    out = sonde(STACK.replace("ustack", "ustack(perf, 2)"), "-c", str(prog))
    assert re.search(r"^\t([0-9a-f]+) 0x\1 \(.*/shape\)$", out, re.M), out


def test_mini_debug_info(tmp_path):
    """A stripped program with the names of its functions in .gnu_debugdata."""
    prog = compile_c(tmp_path, *FRAMES)
    mini = tmp_path / "mini"
    subprocess.run(["objcopy", "-S", "--keep-symbol=f1", "--keep-symbol=f2", "--keep-symbol=f3", prog, mini], check=True)
    (tmp_path / "mini.xz").write_bytes(lzma.compress(mini.read_bytes(), format=lzma.FORMAT_XZ))
    subprocess.run(["strip", "-s", prog], check=True)
    subprocess.run(["objcopy", "--add-section", f".gnu_debugdata={tmp_path}/mini.xz", prog], check=True)
    assert names(sonde(STACK, "-c", str(prog)))[:3] == ["f3", "f2", "f1"]


def test_process_that_ran_before_and_has_ended(tmp_path):
    prog = compile_c(tmp_path)
    child = subprocess.Popen([prog, "wait"], stdin=subprocess.PIPE)
    s = subprocess.Popen([SONDE, "-e", 'begin { printf("ready\\n"); } ' + STACK], stdout=subprocess.PIPE, text=True)
    try:
        while "ready" not in s.stdout.readline():
            pass
        child.communicate(b"\n", timeout=20)
        s.send_signal(signal.SIGINT)
        out = s.communicate(timeout=20)[0]
    finally:
        child.kill()
        s.kill()
    assert [n for n in names(out) if not n.startswith("[inlined]")][:4] == ["f3", "f2", "f1", "main"]


def test_one_process_by_its_number(tmp_path):
    prog = compile_c(tmp_path)
    child = subprocess.Popen([prog, "wait"], stdin=subprocess.PIPE)
    s = subprocess.Popen([SONDE, "-p", str(child.pid), "-e", 'begin { printf("ready\\n"); } ' + STACK],
                         stdout=subprocess.PIPE, text=True)
    try:
        while "ready" not in s.stdout.readline():
            pass
        child.communicate(b"\n", timeout=20)
        out = s.communicate(timeout=20)[0]  # its end is the end
    finally:
        child.kill()
        s.kill()
    assert [n for n in names(out) if not n.startswith("[inlined]")][:4] == ["f3", "f2", "f1", "main"]


def test_another_root_directory(tmp_path):
    """What a container has is found in its own root, also after its end."""
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    compile_c(tmp_path, *FLAGS, "-static")
    shutil.move(tmp_path / "shape", root / "bin" / "shape")
    out = sonde(STACK, "-c", f"/usr/bin/unshare -m /usr/sbin/chroot {root} /bin/shape sleep")
    assert [n for n in names(out) if not n.startswith("[inlined]")][:4] == ["f3", "f2", "f1", "main"]


def test_program_that_was_replaced(tmp_path):
    """The names are those of the file that runs, not of the one that lies there now."""
    prog = compile_c(tmp_path)
    other = compile_c(tmp_path, *FLAGS, name="other", source=SHAPE_C.replace("f3", "wrong"))
    child = subprocess.Popen([prog, "wait"], stdin=subprocess.PIPE)
    s = None
    try:
        os.rename(other, prog)
        s = subprocess.Popen([SONDE, "-e", 'begin { printf("ready\\n"); } ' + STACK], stdout=subprocess.PIPE, text=True)
        while "ready" not in s.stdout.readline():
            pass
        child.communicate(b"\n", timeout=20)
        s.send_signal(signal.SIGINT)
        out = s.communicate(timeout=20)[0]
    finally:
        child.kill()
        if s:
            s.kill()
    assert [n for n in names(out) if not n.startswith("[inlined]")][:4] == ["f3", "f2", "f1", "main"]


@pytest.mark.parametrize("between", [0, 8])
def test_program_that_executes_another(tmp_path, between):
    """A stack from before exec() keeps its names, also where a script's interpreter and wrappers come between."""
    last = compile_c(tmp_path)
    arguments = ", ".join(f'"{a}"' for a in ["/usr/bin/env"] * between + [str(last)])
    source = SHAPE_C.replace("f3", "g3").replace("return 0;\n}", f'execl({arguments.split(",")[0]}, {arguments}, NULL);\n\treturn 1;\n}}')
    (tmp_path / "first").mkdir()
    first = compile_c(tmp_path / "first", source=source)
    out = sonde(STACK, "-c", str(first))
    assert re.search(r"^ +g3\+", out, re.M) and re.search(r"^ +f3\+", out, re.M), out


CPP = """
#include <unistd.h>
namespace space {
template <typename T> struct Thing {
	T value;
	__attribute__((noinline)) T ask(const char *, int n) const
	{
		long r;
		__asm__ volatile("" : : "r"(__builtin_frame_address(0)));
		__asm__ volatile("syscall" : "=a"(r) : "a"(110) : "rcx", "r11", "memory");
		return value + (T)r + n;
	}
};
template struct Thing<long>;
}
int main()
{
	space::Thing<long> t{1};
	for (volatile int i = 0; i < 3; i++)
		t.ask("x", i);
}
"""


def test_names_of_cpp(tmp_path):
    prog = compile_c(tmp_path, *FRAMES, source=CPP, cc="g++")
    out = sonde(STACK, "-c", str(prog))
    assert re.search(r"^ +space::Thing<long>::ask\(char const\*, int\) const\+\d+$", out, re.M), out
    out = sonde("config = { cpp_demangle = false } " + STACK, "-c", str(prog))
    assert "_ZNK5space5ThingIlE3askEPKci+" in out


JIT_C = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* push rbp; mov rbp, rsp; mov eax, 110; syscall; pop rbp; ret */
static const unsigned char code[] = { 0x55, 0x48, 0x89, 0xe5, 0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0x5d, 0xc3 };

int main(void)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char path[64];
	FILE *map;

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	map = fopen(path, "w");
	for (int i = 0; i < 2; i++) {
		memcpy(at + i * 64, code, sizeof(code));
		fprintf(map, "%lx %zx made at run time %d\n", (long)at + i * 64, sizeof(code), i);
		fflush(map);
		((void (*)(void))(at + i * 64))();
		usleep(300000);
	}
	return 0;
}
"""


def test_code_made_at_run_time(tmp_path):
    prog = compile_c(tmp_path, *FRAMES, source=JIT_C)
    script = 'tracepoint:syscalls:sys_enter_getppid /comm == "shape"/ { printf("%s", ustack(1)); }'
    try:
        out = sonde(script, "-c", str(prog))
    finally:
        for p in [p for p in os.listdir("/tmp") if re.fullmatch(r"perf-\d+\.map", p)]:
            if "made at run time" in open(f"/tmp/{p}", errors="replace").read():
                os.unlink(f"/tmp/{p}")
    assert re.findall(r"made at run time (\d)\+11", out) == ["0", "1"], out


def test_the_kernels_own_page(tmp_path):
    prog = compile_c(tmp_path, "-O1", source=textwrap.dedent("""
        #include <time.h>
        int main(void)
        {
            struct timespec t, end;
            clock_gettime(CLOCK_MONOTONIC, &end);
            end.tv_sec += 1;
            do
                clock_gettime(CLOCK_MONOTONIC, &t);
            while (t.tv_sec < end.tv_sec || (t.tv_sec == end.tv_sec && t.tv_nsec < end.tv_nsec));
            return 0;
        }"""))
    out = sonde('profile:hz:499 /comm == "shape"/ { @[usym(reg("ip"))] = count(); }', "-c", str(prog))
    assert re.search(r"^@\[(__vdso_)?clock_gettime\]: \d+$", out, re.M), out


@pytest.mark.skipif(SANITIZED, reason="the sanitizers link their own libraries")
def test_nothing_is_loaded_that_is_not_needed():
    """Libraries for debugging information and for names of C++ are there only when somebody asks."""
    s = subprocess.Popen([SONDE, "-e", 'begin { printf("ready\\n"); } interval:s:60 { exit(); }'],
                         stdout=subprocess.PIPE, text=True)
    try:
        while "ready" not in s.stdout.readline():
            pass
        with open(f"/proc/{s.pid}/maps", encoding="utf-8") as f:
            maps = f.read()
    finally:
        s.kill()
    assert "libdw" not in maps and "libstdc++" not in maps and "liblzma" not in maps
