# SPDX-License-Identifier: GPL-2.0-or-later
"""Iterators on the live kernel: what they see is what /proc sees; nothing is lost; pinned ones outlive sonde."""
import os
import re
import shutil
import socket
import subprocess
import textwrap
import threading
from pathlib import Path

import pytest

from conftest import SONDE


def test_threads_of_a_process(run):
    stop = threading.Event()
    threads = [threading.Thread(target=stop.wait) for _ in range(5)]
    for t in threads:
        t.start()
    try:
        want = sorted(os.listdir(f"/proc/{os.getpid()}/task"), key=int)
        r = run("-p", str(os.getpid()), "-e", 'iter:task { printf("%d\\n", ctx.task.pid); }')
    finally:
        stop.set()
    assert sorted(r.out.split()[-len(want):], key=int) == want, r.out
    assert r.status == 0


def test_files_of_a_process(run, tmp_path):
    with open(tmp_path / "open-file", "w") as f:
        r = run("-p", str(os.getpid()), "-e",
                'iter:task_file { printf("%d %s %d\\n", ctx.fd, path(ctx.file.f_path), ctx.task.tgid); }')
        assert f"{f.fileno()} {tmp_path}/open-file {os.getpid()}\n" in r.out
        seen = {int(m) for m in re.findall(rf"^(\d+) \S.* {os.getpid()}$", r.out, re.M)}
        assert seen >= {f.fileno(), 0, 1, 2}


def test_memory_areas_of_a_process(run):
    r = run("-p", str(os.getpid()), "-e",
            'iter:task_vma { printf("%lx-%lx\\n", ctx.vma.vm_start, ctx.vma.vm_end); }')
    seen = set(re.findall(r"^[0-9a-f]+-[0-9a-f]+$", r.out, re.M))
    maps = Path("/proc/self/maps").read_text()
    # Memory comes and goes meanwhile; what is mapped from files stays.
    stays = {m[1] for m in re.finditer(r"^([0-9a-f]+-[0-9a-f]+) \S+ \S+ \S+ [1-9]\d* +/", maps, re.M)}
    stays = {re.sub(r"\b0+(?=\w)", "", s) for s in stays}
    assert stays and stays <= seen, stays - seen


@pytest.mark.parametrize("kind, port", [(socket.SOCK_STREAM, "ctx.sk_common.skc_num"),
                                        (socket.SOCK_DGRAM, "ctx.udp_sk.inet.sk.__sk_common.skc_num")])
def test_sockets(run, kind, port):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            s.listen()
        name = "tcp" if kind == socket.SOCK_STREAM else "udp"
        r = run("-e", f'iter:{name} {{ printf("port %d\\n", {port}); }}')
        assert f"port {s.getsockname()[1]}\n" in r.out, r.out + r.err


def test_nothing_is_lost_of_what_is_more_than_the_ring_holds(run):
    # 64 KiB of ring, and some hundred thousand symbols.
    r = run("-e", 'config = { perf_rb_pages = 16 } iter:ksym { printf("%lx %s\\n", ctx.ksym.value, str(ctx.ksym.name)); }')
    lines = r.out.count("\n")
    symbols = Path("/proc/kallsyms").read_text().count("\n")
    assert "ring buffer" not in r.err
    assert abs(lines - symbols) < 200, (lines, symbols)


def test_all_are_listed_with_what_they_offer(run):
    r = run("-lv", "iter:*")
    assert "iter:task\n    struct bpf_iter_meta * meta\n    struct task_struct * task\n" in r.out
    assert "iter:bpf_map_elem" not in r.out
    assert run("-l", "it:task_f*").out == "iter:task_file\n"


def test_a_read_that_finds_nothing_counts_no_fault(run):
    r = run("-e", 'iter:task { @ = sum(ctx.task.pid); } iter:task_vma { @v = count(); }')
    assert (r.status, r.err) == (0, "")


def test_a_dry_run_goes_through_nothing(run):
    r = run("--dry-run", "-e", 'iter:task { print(1); }')
    assert "1\n" not in r.out.replace("Attached 1 probe\n", "") and r.status == 0


needs_bpffs = pytest.mark.skipif(not shutil.which("unshare"), reason="no unshare")


def in_bpffs(script):
    """Run a script where /sys/fs/bpf is a BPF file system of its own."""
    return subprocess.run(["unshare", "-m", "sh", "-c", "mount -t bpf bpf /sys/fs/bpf && " + textwrap.dedent(script)],
                          capture_output=True, text=True, timeout=30, env={**os.environ, "SONDE": str(SONDE)})


PINNED = r"""iter:task:sonde_test { if (ctx.task.pid == 2) { printf("%d|%5d|%-3x|%s|%s%%\n", 1 - 2, 7, 255, "text", ctx.task.comm); } }"""


@needs_bpffs
def test_pinned(tmp_path):
    (tmp_path / "q.bt").write_text(PINNED)
    r = in_bpffs(f'"$SONDE" {tmp_path}/q.bt; echo "status $?"; cat /sys/fs/bpf/sonde_test; cat /sys/fs/bpf/sonde_test')
    assert "Program pinned to /sys/fs/bpf/sonde_test" in r.stderr
    assert r.stdout.endswith("\nstatus 0\n" + "-1|    7|ff |text|kthreadd%\n" * 2), r.stdout


@needs_bpffs
def test_a_pinned_one_is_not_replaced(tmp_path):
    (tmp_path / "q.bt").write_text(PINNED)
    r = in_bpffs(f'"$SONDE" -q {tmp_path}/q.bt && "$SONDE" -q {tmp_path}/q.bt; echo "status $?"')
    assert "cannot pin iter:task:sonde_test to /sys/fs/bpf/sonde_test: File exists" in r.stderr
    assert "remove it first" in r.stderr and r.stdout == "status 1\n"


def test_pinned_somewhere_else(run, tmp_path):
    r = run("-e", f'iter:task:{tmp_path}/list {{ printf("%d\\n", ctx.task.pid); }}')
    assert r.status == 1 and not (tmp_path / "list").exists()
    assert "it must be on a BPF file system" in r.err
