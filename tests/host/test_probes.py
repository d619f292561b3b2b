# SPDX-License-Identifier: GPL-2.0-or-later
"""Probe kinds on the live kernel: the raw way of system calls agrees with the perf way, and who is seen."""
import os
import platform
import re
import subprocess
import time

import pytest

from conftest import SONDE

COMPAT_C = r"""
/* int $0x80 makes 32-bit calls: number 20 is getpid there, and writev for 64-bit programs. */
int main(void)
{
	for (int i = 0; i < 1000; i++) {
		long r;

		__asm__ volatile("int $0x80" : "=a"(r) : "a"(20), "b"(0) : "memory", "r8", "r9", "r10", "r11");
	}
	return 0;
}
"""

THREAD_C = r"""
#include <pthread.h>
#include <sys/prctl.h>
#include <time.h>

static void *burn(void *name)
{
	struct timespec now, begin;

	prctl(PR_SET_NAME, name);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (now.tv_sec - begin.tv_sec < 2);
	return 0;
}

int main(void)
{
	pthread_t early, late;

	pthread_create(&early, 0, burn, "early");
	nanosleep(&(struct timespec){ .tv_nsec = 700000000 }, 0);
	pthread_create(&late, 0, burn, "late");
	pthread_join(early, 0);
	pthread_join(late, 0);
	return 0;
}
"""


def build(path, name, source):
    (path / f"{name}.c").write_text(source)
    subprocess.run(["gcc", "-O1", "-o", path / name, path / f"{name}.c", "-lpthread"], check=True)
    return str(path / name)


def rows(result, name):
    return dict(re.findall(rf"^@{name}\[(.*)\]: (.*)$", result.out, re.M))


def test_system_calls_agree_with_raw_syscalls(run):
    """The words of the record that the kernel makes are the registers that the shared program reads."""
    r = run("-e", """
        t:raw_syscalls:sys_enter /comm == "dd" && args.id == 1/ { @a[args.args[0], args.args[2]] = count(); }
        t:syscalls:sys_enter_write /comm == "dd"/ { @b[args.fd, args.count] = count(); @n[args.__syscall_nr] = count(); }
        t:raw_syscalls:sys_exit /comm == "dd" && args.id == 1/ { @c[args.ret] = count(); }
        t:syscalls:sys_exit_write /comm == "dd"/ { @d[args.ret] = count(); @m[args.__syscall_nr] = count(); }
        """, "-c", "dd if=/dev/zero of=/dev/null bs=512 count=1000")
    assert r.status == 0, r
    assert rows(r, "a") and rows(r, "a") == rows(r, "b"), r
    assert rows(r, "c") and rows(r, "c") == rows(r, "d"), r
    assert rows(r, "n") == rows(r, "m") and list(rows(r, "n")) == ["1"], r
    assert rows(r, "a")["1, 512"] == "1000", r


@pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86-64 programs can make 32-bit calls so")
@pytest.mark.skipif(not os.path.exists("/proc/sys/abi/vsyscall32"), reason="this kernel has no 32-bit calls")
def test_compat_calls_are_not_taken_for_others(run, tmp_path):
    program = build(tmp_path, "sondecompat", COMPAT_C)
    r = run("-e", """
        t:syscalls:sys_enter_writev /comm == "sondecompat"/ { @wrong = count(); }
        t:syscalls:sys_exit_writev /comm == "sondecompat"/ { @wrong = count(); }
        t:raw_syscalls:sys_enter /comm == "sondecompat" && args.id == 20/ { @calls = count(); }
        """, "-c", program)
    assert "@calls: 1000\n" in r.out, r
    assert "@wrong: 0\n" in r.out or "@wrong" not in r.out, r


def test_profile_follows_the_threads_of_a_process(run, tmp_path):
    p = subprocess.Popen([build(tmp_path, "sondethread", THREAD_C)])
    try:
        time.sleep(0.3)
        r = run("-p", p.pid, "-e", "profile:hz:199 { @[comm] = count(); } interval:s:2 { exit(); }")
    finally:
        p.kill()
        p.wait()
    seen = rows(r, "")
    assert set(seen) <= {"early", "late", "sondethread"}, r
    # How many depends on what else runs; that both threads are seen does not.
    assert int(seen["early"]) > 0 and int(seen["late"]) > 0, r


def test_software_event_counts_every_one(run):
    r = run("-e", 'software:minor-faults:1 /comm == "dd"/ { @ = count(); }', "-c",
            "dd if=/dev/zero of=/dev/null bs=4M count=1")
    assert int(re.search(r"^@: (\d+)$", r.out, re.M)[1]) >= 1000, r


def test_rawtracepoint_words_are_its_args(run):
    r = run("-e", 'rt:sched_process_exec { @[arg0 == (uint64)args.p, args.old_pid > 0] = count(); }', "-c",
            "/bin/true")
    # Whatever else was executed meanwhile, the first word was always the first argument.
    assert rows(r, "") and all(key.startswith("true, ") for key in rows(r, "")), r


@pytest.mark.parametrize("probe,text,hint", [
    ("t:sched:sched_swich", "no tracepoint 'sched_swich' in 'sched'", "did you mean 'sched_switch'?"),
    ("t:syscall:sys_enter_read", "no tracepoint subsystem 'syscall'", "did you mean 'syscalls'?"),
    ("rt:sched_swich", "no raw tracepoint 'sched_swich'", "did you mean 'sched_switch'?"),
    ("interval:sec:1", "'sec' is not a unit of interval", "did you mean 's'?"),
    ("profile:hz:0", "the rate must be greater than 0", ""),
    ("software:fault:1", "no software event 'fault'", "did you mean 'faults'?"),
    ("tracepoint:sched", "tracepoint needs a subsystem and an event: tracepoint:SUBSYSTEM:EVENT", ""),
    ("hardware:cycle", "no hardware event 'cycle'", "did you mean 'cycles'?"),
    ("watchpoint:7:8:w", "0x7 is not a multiple of the length 8", ""),
])
def test_a_wrong_probe_is_pointed_at(run, probe, text, hint):
    r = run("-e", probe + " { exit(); }")
    assert r.status == 1, r
    assert text in r.err and hint in r.err and "^" in r.err, r


def test_lists(run):
    everything = run("-l", "tracepoint:*").out.splitlines()
    assert len(everything) > 100 and len(set(everything)) == len(everything)
    assert run("-l", "tracepoint:sched:sched_switch").out == "tracepoint:sched:sched_switch\n"
    assert "software:cs:\n" in run("-l", "software:*").out
    assert run("-l", "interval:*").out.split() == ["interval:hz:", "interval:ms:", "interval:s:", "interval:us:"]
    assert "rawtracepoint:vmlinux:sched_switch\n" in run("-l", "rawtracepoint:*").out


def test_probe_in_one_body():
    """All system calls that look at `probe` are one program, and each is told apart."""
    q = "tracepoint:syscalls:sys_enter_* /pid == cpid/ { @[probe] = count(); }"
    dump = subprocess.run([SONDE, "-d", "bpf", "-e", q], capture_output=True, text=True, check=True, timeout=60).stdout
    assert len(re.findall(r"^\w+ \(raw_tp/sys_enter\):$", dump, re.M)) == 1
    assert len(dump.splitlines()) < 150
    r = subprocess.run([SONDE, "-q", "-e", q, "-c", "/bin/true"], capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stderr
    assert "@[tracepoint:syscalls:sys_enter_exit_group]: 1\n" in r.stdout
    assert "@[tracepoint:syscalls:sys_enter_mmap]: " in r.stdout


KPROBE_MESSAGES = [
    ("kprobe:vfs_raed { }", "did you mean 'vfs_read'?"),
    ("kprobe { }", "kprobe needs a function"),
    ("kprobe:a:b:c { }", "kprobe needs a function"),
    ("kprobe:vfs_read+x { }", "'x' is not an offset into a function"),
    ("kprobe:vfs_*+4 { }", "an offset belongs to one function"),
    ("kretprobe:vfs_read+4 { }", "kretprobe takes no offset"),
    ("kretprobe:0xffffffff81000000 { }", "a return has no address"),
    ("kretprobe:_raw_spin_lock { }", "might lock up your system"),
    ("kretprobe:vfs_read { print(arg0); }", "arg0 is not available in kretprobe probes"),
    ("kprobe:vfs_read { print(retval); }", "retval is not available in kprobe probes"),
    ("kprobe:0xffffffff81000000 { print(func); }", "traces no function that has a name"),
    ("kprobe:no_such_module:f { }", "specified module no_such_module in probe kprobe:no_such_module:f is not loaded."),
    ("kprobe:* { }", "kprobe:* matches more than 1024 probes"),
    ("kprobe:no_function_is_called_so* { }", "Probe has no valid attach points."),
]


@pytest.mark.parametrize("program, message", KPROBE_MESSAGES, ids=[m[0] for m in KPROBE_MESSAGES])
def test_kprobe_refusals(program, message):
    r = subprocess.run([SONDE, "-d", "bpf", "-e", program], capture_output=True, text=True, timeout=60)
    assert r.returncode == 1
    assert message in r.stderr


def test_kprobe_duplicates_collapse():
    q = "kprobe:vfs_read, kprobe:vmlinux:vfs_read, k:vfs_read+0, kprobe:vfs_rea[d] { }"
    out = subprocess.run([SONDE, "-d", "types", "-e", q], capture_output=True, text=True, check=True, timeout=60).stdout
    assert re.findall(r"^  at: (.*)$", out, re.M) == ["kprobe:vfs_read"]
