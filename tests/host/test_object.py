# SPDX-License-Identifier: GPL-2.0-or-later
"""`sonde build`: a standard object that other tools load and read."""
import os
import shutil
import subprocess
import time

import pytest

OBJDUMP = shutil.which("llvm-objdump-19") or shutil.which("llvm-objdump")
PROGRAM = """tracepoint:raw_syscalls:sys_enter
/pid != 0/
{
	@calls[comm] = count();
	@sizes = hist(args.id);
}
"""


@pytest.fixture
def built(run, tmp_path):
    q, o = tmp_path / "q.bt", tmp_path / "q.bpf.o"
    q.write_text(PROGRAM)
    res = run("build", q, "-o", o)
    assert res.status == 0, res
    return o


def test_the_object_is_an_elf_file_of_bpf(built):
    head = built.read_bytes()[:20]
    assert head[:4] == b"\x7fELF" and int.from_bytes(head[18:20], "little") == 247


def test_llvm_objdump_shows_source_lines(built):
    out = subprocess.run([OBJDUMP, "-S", str(built)], capture_output=True, text=True, check=True).stdout
    assert "@calls[comm] = count();" in out, out
    assert "call" in out and "exit" in out


def test_bpftool_loads_it(built):
    pin = f"/sys/fs/bpf/sonde-test-{os.getpid()}-{time.monotonic_ns()}"
    mounted = os.path.ismount("/sys/fs/bpf")
    if not mounted:
        subprocess.run(["mount", "-t", "bpf", "bpf", "/sys/fs/bpf"], check=True)
    try:
        r = subprocess.run(["bpftool", "prog", "loadall", str(built), pin], capture_output=True, text=True)
        assert r.returncode == 0, r
        assert os.listdir(pin), "no program was pinned"
    finally:
        subprocess.run(["rm", "-rf", pin])
        if not mounted:
            subprocess.run(["umount", "/sys/fs/bpf"])


def test_an_error_leaves_the_old_file(run, tmp_path):
    q, o = tmp_path / "q.bt", tmp_path / "q.bpf.o"
    q.write_text("BEGIN { nonsense( }")
    o.write_text("old")
    res = run("build", q, "-o", o)
    assert res.status == 1 and o.read_text() == "old", res
    assert sorted(p.name for p in tmp_path.iterdir()) == ["q.bpf.o", "q.bt"]


@pytest.mark.parametrize("stage, words", [("ast", ["count", "sys_enter"]), ("types", ["count_t", "@calls"]),
                                          ("ir", ["ret"]), ("bpf", ["r0", "exit"]), ("elf", [".maps", ".BTF", "license"])])
def test_every_stage_can_be_dumped(run, stage, words):
    res = run("-d", stage, "-e", PROGRAM)
    assert res.status == 0, res
    for w in words:
        assert w in res.out, res
