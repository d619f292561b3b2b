# SPDX-License-Identifier: GPL-2.0-or-later
"""Options that the reference has too, in their meaning: what they change can be seen."""
import re
import shutil
import subprocess
import time

import pytest

SOURCE = """
struct pair { int one; long two; };
__attribute__((noinline)) long work(int count, struct pair *p) { __asm__ volatile(""); return count + p->one; }
int main(void) { struct pair p = { 3, 4 }; return work(5, &p) == 8 ? 0 : 1; }
"""


def test_emit_elf(run, tmp_path):
    out = tmp_path / "q.bpf.o"
    res = run("--emit-elf", out, "-e", "interval:ms:10 { @seen[comm] = count(); print(1); }")
    assert (res.status, res.out, res.err) == (0, "", ""), res
    assert out.read_bytes()[:4] == b"\x7fELF"
    if shutil.which("llvm-objdump"):
        text = subprocess.run(["llvm-objdump", "-h", "-d", out], capture_output=True, text=True, check=True).stdout
        for section in (".maps", ".BTF", ".BTF.ext", "license"):
            assert f" {section} " in text, text
        assert "elf64-bpf" in text and re.search(r"call 14|call 0xe|call 16|call 0x10", text), text


def test_emit_elf_replaces_only_objects(run, tmp_path):
    script = tmp_path / "q.bt"
    script.write_text("begin { print(1); }\n")
    res = run("--emit-elf", script, script)
    assert res.status == 1 and f"{script} is there and is no ELF file" in res.err, res
    assert script.read_text() == "begin { print(1); }\n"
    assert run("--emit-elf", tmp_path, script).status == 1
    out = tmp_path / "q.o"
    assert run("--emit-elf", out, script).status == 0
    first = out.read_bytes()
    assert run("--emit-elf", out, "-e", "begin { print((1, 2, 3)); }").status == 0
    assert out.read_bytes() != first
    res = run("--emit-elf", tmp_path / "no" / "q.o", script)
    assert res.status == 1 and "No such file or directory" in res.err, res
    assert run("--emit-elf", out, "--test", script).status == 2


@pytest.fixture(scope="module")
def separated(tmp_path_factory):
    """A program without debugging information, which lies in a directory of its own."""
    d = tmp_path_factory.mktemp("separated")
    (d / "p.c").write_text(SOURCE)
    subprocess.run(["gcc", "-g", "-O1", "-o", d / "p", d / "p.c"], check=True)
    (d / "aside").mkdir()
    subprocess.run(["objcopy", "--only-keep-debug", d / "p", d / "aside" / "p.debug"], check=True)
    subprocess.run(["objcopy", "--strip-debug", f"--add-gnu-debuglink={d}/aside/p.debug", d / "p"], check=True)
    return d


@pytest.mark.parametrize("form", ("absolute", "beside the file", "one of several"))
def test_debuginfo(run, separated, form):
    exe = separated / "p"
    dirs = {"absolute": separated / "aside", "beside the file": "aside",
            "one of several": f"/no/such:{separated}/aside:/nor/this"}[form]
    shown = run("-lv", f"uprobe:{exe}:work", f"--debuginfo={dirs}")
    assert "int count" in shown.out and "struct pair* p" in shown.out, shown
    seen = run("-q", "--debuginfo", dirs, "-e", f"uprobe:{exe}:work {{ print((args.count, args.p.one)); }}", "-c", exe)
    assert seen.out.strip() == "(5, 3)", seen


def test_without_debuginfo(run, separated):
    shown = run("-lv", f"uprobe:{separated}/p:work")
    assert "int count" not in shown.out, shown


def test_traceable_functions(run, tmp_path):
    names = tmp_path / "names"
    names.write_text("vfs_read\nvfs_no_such_one\n")
    res = run("--traceable-functions", names, "-l", "fentry:vfs_*")
    assert res.out == "fentry:vmlinux:vfs_read\n", res
    res = run("--traceable-functions", tmp_path / "none", "-l", "fentry:vfs_*")
    assert res.status == 2 and "cannot read the list of functions" in res.err, res


def test_no_feature(run):
    res = run("--no-feature", "uprobe_multi,kprobe_multi", "--info")
    assert "  uprobe_multi: no\n" in res.out and "  kprobe_multi: no\n" in res.out, res
    res = run("--no-feature", "uprobe_multi,wheels", "-e", "begin { }")
    assert res.status == 2 and "'wheels' is no feature that can be left out" in res.err, res


def test_probes_without_a_multi_link(run, separated):
    """A pattern of functions is attached one by one then, with the same result."""
    program = f"uprobe:{separated}/p:wor*, uprobe:{separated}/p:mai* {{ @n[func] = count(); }}"
    for options in ([], ["--no-feature=uprobe_multi"]):
        res = run("-q", *options, "-e", program, "-c", separated / "p")
        assert sorted(res.out.split("\n"))[-2:] == ["@n[main]: 1", "@n[work]: 1"], res


def test_dwarf_pid(run):
    with subprocess.Popen(["sleep", "20"]) as other:
        try:
            res = run("-q", "--dwarf-pid", str(other.pid), "-e",
                      "profile:hz:99 { @[ustack(3)] = count(); } interval:ms:100 { clear(@); exit(); }")
            assert res.status == 0 and res.err == "", res
        finally:
            other.kill()
    assert run("--dwarf-pid", "x1", "-e", "begin { }").status == 2


def test_logs(run):
    program = "begin { $x = 1; print($x); }"
    res = run("-q", "-d", "libbpf", "-e", program)
    assert res.status == 0 and res.out == "1\n", res
    assert "libbpf: loading object" in res.err and "found program 'begin_0'" in res.err, res
    res = run("-q", "-d", "verifier", "-e", program)
    assert res.out == "1\n" and "BEGIN PROG LOAD LOG" in res.err and "processed " in res.err, res
    assert "loading object" not in res.err
    res = run("-q", "-e", program)
    assert res.err == "", res
