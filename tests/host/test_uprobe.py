# SPDX-License-Identifier: GPL-2.0-or-later
"""uprobe and uretprobe on the live kernel: real programs, what cannot be traced and why, processes, containers."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "probes"))
import programs  # noqa: E402
from conftest import SONDE  # noqa: E402

SOURCE = r"""
#include <string.h>
#include <unistd.h>

int counter = 7;
_Thread_local int each = 1;
__attribute__((noinline)) int work(int n) { __asm__ volatile("" ::: "memory"); return n + counter + each; }
__attribute__((noinline)) int other(int n) { __asm__ volatile("" ::: "memory"); return n - 1; }
static int (*pick(void))(int) { return other; }
int chosen(int n) __attribute__((ifunc("pick")));

static inline __attribute__((always_inline)) int within(int n) { __asm__ volatile("nop" ::: "memory"); return n + 1; }

int main(int argc, char **argv)
{
	other(within(argc));
	for (int i = 0; argc < 2 || i < 3; i++) {
		work(i);
		other(i);
		chosen(i);
		usleep(argc < 2 ? 10000 : 100);
	}
	return (int)strlen(argv[0]) == 0;
}
"""


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """A directory with one program in several forms: traced, traced-stripped, ..."""
    d = tmp_path_factory.mktemp("uprobe")
    (d / "traced.c").write_text(SOURCE)
    subprocess.run(["gcc", "-O1", "-g", "-o", d / "traced", d / "traced.c"], check=True)
    subprocess.run(["gcc", "-O1", "-s", "-o", d / "traced-stripped", d / "traced.c"], check=True)
    return d


def fails(r, *texts):
    assert r.status == 1, r
    for text in texts:
        assert text in r.err, r


# ---- real programs ----

def test_readline_of_bash(run):
    r = run("-e", 'uretprobe:/bin/bash:readline { printf("%s\\n", str(retval)); } uprobe:bash:readline { @ = count(); }',
            "-c", "sh -c 'echo echo seen | bash --norc -i 2>/dev/null'")
    assert r.status == 0 and "Attached 2 probes" in r.out + r.err, r


def test_malloc_of_libc(run):
    r = run("-e", "uprobe:libc:malloc /arg0 == 12345/ { @sizes = count(); } uretprobe:libc.so.6:malloc { @ok += retval != 0; }",
            "-c", "/usr/bin/python3 -c 'import ctypes; m = ctypes.CDLL(None).malloc; [m(12345) for i in range(50)]'")
    assert r.status == 0 and "@sizes: 50\n" in r.out, r
    assert int(re.search(r"@ok: (\d+)", r.out)[1]) >= 50, r


def test_library_whose_functions_libc_has_taken_over(run):
    """Scripts from before glibc 2.34 name libpthread."""
    threads = "import threading; [threading.Thread(target=int).start() for i in range(7)]"
    r = run("-e", "uprobe:libpthread:pthread_create /pid == cpid/ { @[probe] = count(); }", "-c", f"/usr/bin/python3 -c '{threads}'")
    assert r.status == 0 and re.search(r"^@\[uprobe:/.*/libc\.so\.6:pthread_create\]: 7$", r.out, re.M), r
    listed = run("-l", "uprobe:libpthread:pthread_create")
    assert re.fullmatch(r"uprobe:/.*/libc\.so\.6:pthread_create\n", listed.out), listed
    fails(run("-e", "uprobe:libpthread:pthread_crate { }"), "Could not resolve symbol: ", "libpthread.so.0:pthread_crate")


def test_python3(run):
    python = os.path.realpath("/usr/bin/python3")
    r = run("-e", f"uprobe:{python}:PyLong_FromUnicodeObject {{ @ = count(); }}",
            "-c", f"{python} -c 'for i in range(20): int(\"%d\" % i)'")
    assert r.status == 0 and int(re.search(r"@: (\d+)", r.out)[1]) >= 20, r


# ---- what cannot be traced ----

def test_missing_functions(run, traced):
    exe = traced / "traced"
    fails(run("-e", f"uprobe:{exe}:wrk {{ }}"), f"no function 'wrk' in {exe}", "did you mean 'work'?")
    fails(run("-e", f"uprobe:{exe}:counter {{ }}"), "'counter' is a variable of")
    fails(run("-e", f"uprobe:{exe}:strlen {{ }}"), "which takes it from /", "libc.so.6:strlen'?")
    fails(run("-e", f"uprobe:{exe}-stripped:work {{ }}"), "Could not resolve symbol:", "is stripped", "0xADDRESS")
    fails(run("-e", f"uprobe:{exe}:nothing_like_it* {{ }}"), "Probe has no valid attach points.")
    fails(run("-e", f"uprobe:{exe}:within {{ }}"), "'within' is no function of its own", "(1 copy)", "@FILE:LINE")
    fails(run("-e", f"uprobe:{exe}:cpp:\"ns::f\" {{ }}"), "no function 'ns::f'")


def test_function_that_is_chosen(run, traced):
    r = run("-e", f"uprobe:{traced}/traced:chosen {{ @ = count(); }}", "-c", f"{traced}/traced 1")
    assert r.status == 0 and "@: 1\n" in r.out, r
    assert "warning: 'chosen'" in r.err.lower() and "is chosen from several when a program starts" in r.err, r


def test_missing_probes_may_be_left_out(run, traced):
    exe = traced / "traced"
    r = run("-e", f'config = {{ missing_probes = "warn" }} uprobe:{exe}:work,uprobe:{exe}:wrk {{ @ = count(); }}', "-c", f"{exe} 1")
    assert r.status == 0 and "@: 3\n" in r.out and f"warning: Could not resolve symbol: {exe}:wrk\n" in r.err and "no function 'wrk'" in r.err, r


def test_missing_files(run, traced, tmp_path):
    fails(run("-e", f"uprobe:{traced}/tracd:work {{ }}"), "No such file", f"did you mean '{traced}/traced'?")
    fails(run("-e", "uprobe:no-such-program:main { }"), "there is no program 'no-such-program'", "PATH")
    fails(run("-e", "uprobe:libnosuch:f { }"), "no program or library 'libnosuch'")
    fails(run("-e", f"uprobe:{tmp_path}:f {{ }}"), "it is a directory")
    fails(run("-e", "uprobe:/etc/passwd:f { }"), "it is no ELF file")
    fails(run("-e", "uprobe:/dev/null:f { }"), "no regular file")


def test_broken_files(run, traced, tmp_path):
    whole = (traced / "traced").read_bytes()
    (tmp_path / "short").write_bytes(whole[:5000])
    fails(run("-e", f"uprobe:{tmp_path}/short:work {{ }}"), "cannot trace", "truncated")
    (tmp_path / "other").write_bytes(whole[:18] + b"\xb7\x00" + whole[20:])
    fails(run("-e", f"uprobe:{tmp_path}/other:work {{ }}"), "another machine (64-bit ARM)")
    (tmp_path / "narrow").write_bytes(b"\x7fELF\x01\x01\x01" + bytes(9) + b"\x02\x00\x03\x00\x01" + bytes(200))
    fails(run("-e", f"uprobe:{tmp_path}/narrow:work {{ }}"), "cannot trace")
    subprocess.run(["gcc", "-c", "-o", tmp_path / "part.o", traced / "traced.c"], check=True)
    fails(run("-e", f"uprobe:{tmp_path}/part.o:work {{ }}"), "neither a program nor a library")


def test_places(run, traced):
    exe = traced / "traced"
    fails(run("-e", f"uprobe:{exe}:work+1000 {{ }}"), "Offset outside the function bounds ('work' size is ")
    fails(run("-e", f"uprobe:{exe}:16 {{ }}"), f"error: Could not resolve address: {exe}:0x10")
    fails(run("-e", f"uprobe:{exe}:main+1 {{ }}"), "lies within an instruction", "--unsafe")
    fails(run("-e", f"uprobe:{exe}:w*+1 {{ }}"), "a pattern of functions cannot have an offset")
    fails(run("-e", f"uretprobe:{exe}:work+4 {{ }}"), "uretprobe needs a function")
    fails(run("-e", f"uprobe:{exe}:py:f {{ }}"), "'py' is no language")
    fails(run("-e", "uprobe:main { }"), "needs a program or library and a function", "-p PID")
    fails(run("-e", f'uprobe:{exe}:work {{ print(uaddr("nothing")); }}'), "has no symbol 'nothing'")
    fails(run("-e", f'uprobe:{exe}:work {{ print(uaddr("each")); }}'), "every thread has a 'each' of its own")


def addresses(path):
    """{function: (address, addresses of all its instructions)}"""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], capture_output=True, text=True, check=True).stdout
    found, name = {}, None
    for line in text.splitlines():
        if m := re.match(r"([0-9a-f]+) <(.+)>:$", line):
            name = m[2]
            found[name] = []
        elif m := re.match(r"\s+([0-9a-f]+):\t", line):
            found[name].append(int(m[1], 16))
    return found


def test_every_instruction(run, traced):
    """Each begins where it does: nothing else is let through, and the program is none the worse."""
    exe = traced / "traced"
    work = addresses(exe)["work"]
    probes = ",".join(f"uprobe:{exe}:work+{a - work[0]}" for a in work)
    r = run("-e", f"{probes} {{ @[reg(\"ip\") & 0xfff] = count(); }}", "-c", f"{exe} 1")
    assert r.status == 0, r
    seen = dict(re.findall(r"@\[(\d+)\]: (\d+)", r.out))
    assert seen == {str(a & 0xfff): "3" for a in work}, r
    by_address = run("-e", f"uprobe:{exe}:{work[0]:#x} {{ @[func] = count(); }}", "-c", f"{exe} 1")
    assert by_address.status == 0 and "@[work]: 3" in by_address.out, by_address


def test_lines(run, traced):
    line = 1 + SOURCE.split("\n").index("\t\tother(i);")
    exe = traced / "traced"
    r = run("-e", f"uprobe:{exe}@traced.c:{line} {{ @[func] = count(); }}", "-c", f"{exe} 1")
    assert r.status == 0 and "@[main]: 3" in r.out, r
    fails(run("-e", f"uprobe:{exe}@traced.c:99999 {{ }}"), "line 99999")
    fails(run("-e", f"uprobe:{exe}-stripped@traced.c:{line} {{ }}"), "no debugging information")


def test_columns(run, traced):
    """A loop has one line and several places in it: it is begun once, and counts three times."""
    lines = SOURCE.split("\n")
    line, text = next((i + 1, t) for i, t in enumerate(lines) if t.startswith("\tfor (int i"))
    exe = traced / "traced"
    for word, times in (("i =", 1), ("++", 3)):
        column = text.index(word) + 1
        r = run("-e", f"uprobe:{exe}@traced.c:{line}:{column} {{ @[probe] = count(); }}", "-c", f"{exe} 1")
        assert r.status == 0 and f"@[uprobe:{exe}@traced.c:{line}:{column}]: {times}" in r.out, r
    fails(run("-e", f"uprobe:{exe}@traced.c:{line}:1 {{ }}"), f"column 1 of line {line} of", "those that have are ")
    fails(run("-e", f"uprobe:{exe}@traced.c:99999:1 {{ }}"), "line 99999")


# ---- processes ----

@pytest.fixture
def process(traced):
    p = subprocess.Popen([traced / "traced"])
    yield p
    p.kill()
    p.wait()


def test_only_the_process(run, traced, process):
    other = subprocess.Popen([traced / "traced"])
    try:
        r = run("-p", str(process.pid), "-e", f"uprobe:{traced}/traced:work {{ @[pid] = count(); }} interval:ms:300 {{ exit(); }}")
    finally:
        other.kill()
        other.wait()
    assert r.status == 0 and re.findall(r"@\[(\d+)\]", r.out) == [str(process.pid)], r


def test_the_program_may_be_left_out(run, process):
    r = run("-p", str(process.pid), "-e", "uprobe:work { @ = count(); } interval:ms:300 { exit(); }")
    assert r.status == 0 and re.search(r"@: \d+", r.out), r
    r = run("-p", str(process.pid), "-e", "uprobe:*:usleep { @ = count(); } interval:ms:300 { exit(); }")
    assert r.status == 0 and re.search(r"@: \d+", r.out), r
    r = run("-p", str(process.pid), "-e", "uprobe:libc:usleep { @ = count(); } interval:ms:300 { exit(); }")
    assert r.status == 0 and re.search(r"@: \d+", r.out), r


def test_names_of_a_running_process(run, traced, process):
    """usym and ustack in a program that lies where the kernel put it."""
    r = run("-p", str(process.pid), "-e",
            'uprobe:work { printf("%s %s\\n", usym(reg("ip")), usym(uaddr("main"))); print(ustack(1)); exit(); }')
    assert r.status == 0 and "work main\n" in r.out and "work+0" in r.out, r
    # Of the stripped one only the file is known.
    stripped = subprocess.Popen([traced / "traced-stripped"])
    try:
        r = run("-p", str(stripped.pid), "-e", "uprobe:libc:usleep { print(ustack(perf, 1)); exit(); }")
    finally:
        stripped.kill()
        stripped.wait()
    assert r.status == 0 and re.search(r"[0-9a-f]+ usleep\+0 \(.*libc", r.out), r


def test_process_that_dies(run, traced, process):
    began = time.monotonic()
    pid = os.fork()
    if not pid:
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGKILL)
        os._exit(0)
    r = run("-p", str(process.pid), "-e", "uprobe:work { @ = count(); }")
    os.waitpid(pid, 0)
    assert r.status == 0 and re.search(r"@: \d+", r.out), r
    assert time.monotonic() - began < 10
    fails(run("-p", str(2**22 - 3), "-e", "uprobe:main { }"), "no process")


def test_file_that_is_replaced(run, traced, tmp_path):
    """The file that was there is traced, and what runs of it."""
    exe = tmp_path / "replaced"
    shutil.copy(traced / "traced", exe)
    r = run("-e", f"uprobe:{exe}:work {{ @ = count(); }}", "-c",
            f"sh -c '{exe} 1; cp {traced}/traced-stripped {exe}.new; mv {exe}.new {exe}; {exe} 1'")
    assert r.status == 0, r
    old = subprocess.Popen([exe])
    shutil.copy(traced / "traced", tmp_path / "new")
    os.rename(tmp_path / "new", exe)
    try:
        r = run("-p", str(old.pid), "-e", "uprobe:*:usleep { @ = count(); } interval:ms:300 { exit(); }")
    finally:
        old.kill()
        old.wait()
    assert r.status == 0 and re.search(r"@: \d+", r.out), r


@pytest.mark.skipif(not shutil.which("unshare"), reason="no unshare")
def test_container(run, traced, tmp_path):
    """A file that only the process can see, below its own root."""
    inside = tmp_path / "inside"
    inside.mkdir()
    p = subprocess.Popen(["unshare", "-m", "sh", "-c", f"mount -t tmpfs none {inside} && cp {traced}/traced {inside}/hidden && exec {inside}/hidden"])
    try:
        exe = f"/proc/{p.pid}/exe"
        for _ in range(100):
            if os.readlink(exe).endswith("/hidden"):
                break
            time.sleep(0.05)
        assert not (inside / "hidden").exists()
        stop = "interval:ms:300 { exit(); }"
        r = run("-p", str(p.pid), "-e", f"uprobe:{inside}/hidden:work {{ @ = count(); }} {stop}")
        assert r.status == 0 and re.search(r"@: \d+", r.out), r
        r = run("-p", str(p.pid), "-e", f"uprobe:work {{ @[usym(reg(\"ip\"))] = count(); }} {stop}")
        assert r.status == 0 and re.search(r"@\[work\]: \d+", r.out), r
        r = run("-l", "-p", str(p.pid), "uprobe:wor*")
        assert r.status == 0 and r.out.strip().endswith(f"{inside}/hidden:work"), r
    finally:
        p.kill()
        p.wait()


# ---- lists and patterns ----

def test_list(run, traced, monkeypatch):
    # Clang's leak checker crashes over the thread-local memory of libdw; valgrind finds nothing wrong there.
    monkeypatch.setenv("LSAN_OPTIONS", "use_tls=0")
    exe = traced / "traced"
    r = run("-l", f"uprobe:{exe}:*")
    names = r.out.split()
    assert r.status == 0 and f"uprobe:{exe}:work" in names and names == sorted(set(names)), r
    r = run("-l", f"uretprobe:{traced}/tra*:w?rk")
    assert r.status == 0 and r.out == f"uretprobe:{exe}:work\n", r
    r = run("-lv", f"uprobe:{exe}:main")
    assert r.status == 0 and r.out.startswith(f"uprobe:{exe}:main\n    int argc\n"), r
    began = time.monotonic()
    r = run("-l", "uprobe:/bin/bash:*")
    assert r.status == 0 and len(r.out.split()) > 1000, r
    assert time.monotonic() - began < 5
    assert run("-l", f"uprobe:{exe}:nothing*").status == 1


def test_one_link_for_many(run, traced):
    """Every function of the program, and each of them once although some have several names."""
    exe = traced / "traced"
    r = run("-e", f"uprobe:{exe}:* {{ @[func] = count(); }}", "-c", f"{exe} 1")
    seen = dict(re.findall(r"@\[(\w+)\]: (\d+)", r.out))
    # other() is called once before, and then as itself and as chosen().
    assert r.status == 0 and seen["work"] == "3" and seen["other"] == "7" and seen["main"] == "1", r
    if "uprobe_multi: yes" in run("--info").out:
        r = run("--unsafe", "-e", f"""uprobe:{exe}:*o* {{ @ = count(); }}
                interval:ms:50 {{ system("cat /proc/$PPID/fdinfo/* 2>/dev/null | grep -c uprobe_multi"); exit(); }}""")
        assert r.status == 0 and re.search(r"^1$", r.out, re.M), r
    r = run("-e", f"config = {{ max_probes = 3 }} uprobe:{exe}:* {{ }}")
    fails(r, "matches more than 3 probes", "max_probes")


@pytest.mark.parametrize("kind", ["uprobe", "uretprobe"])
def test_clauses_of_one_place_run_in_their_order(run, traced, kind):
    exe = traced / "traced"
    r = run("-e", f"""{kind}:{exe}:work {{ @a = 1; }} {kind}:{exe}:work {{ printf("%d\\n", @a); exit(); }}""", "-c", f"{exe} 1")
    assert r.status == 0 and "\n1\n" in r.out and "\n0\n" not in r.out, r


def test_names_within_a_pid_namespace(traced):
    """The numbers of processes there are not those that the kernel knows them by."""
    exe = traced / "traced"
    program = f"uprobe:{exe}:work {{ print(ustack(1)); print(func); exit(); }}"
    r = subprocess.run(["unshare", "--fork", "--pid", "--mount-proc", SONDE, "-e", program, "-c", f"{exe} 1"],
                       capture_output=True, text=True, timeout=60)
    assert r.returncode == 0 and "work+0" in r.stdout, r


# ---- watching arguments ----

def state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


@pytest.mark.parametrize("end", ["exit", "signal"])
def test_no_process_stays_stopped(running, end):
    programs.build()
    p = subprocess.Popen([programs.DIRECTORY / "pwatchfn", "3", "100000"])
    try:
        s = running("-p", str(p.pid), "-e", "watchpoint:number_add+arg1:8:w { @ = count(); print(1);"
                    + (" exit(); }" if end == "exit" else " }"))
        s.wait_for("1\n")
        s.finish(None if end == "exit" else signal.SIGINT)
        assert state(p.pid) in "SRZ"
        assert p.wait(10) == 0
    finally:
        p.kill()
        p.wait()
