# SPDX-License-Identifier: GPL-2.0-or-later
"""A program of known shape under the profiler: f1 calls f2 calls f3, and each spends a known part of the time itself.
Names, order and parts must come out right however it was built and wherever it runs. Each way is tried with two
divisions of the time, so that none is right by accident, and its stacks have to be whole, from f3 to the first function.
"""
import json
import os
import re
import shutil
import subprocess
import time
from collections import Counter

import pytest

from conftest import SONDE

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="frames are unwound on x86-64")

# Turns of f1, f2 and f3 themselves, and so their parts of the time. It ends after so much time of its own.
SHAPE_C = """
#include <time.h>
#include <unistd.h>
#define APART __attribute__((noinline, noclone))
volatile long sink;
#define TURNS(n) for (long i = 0; i < (n) * 1000L; i++) sink += i * 3
APART void f3(int n) { char b[48]; b[n & 15] = (char)n; TURNS(N3); sink += b[n & 31]; }
APART void f2(int n) { TURNS(N2); f3(n + 1); sink++; }
APART void f1(int n) { volatile char b[200]; b[n & 127] = 1; TURNS(N1); f2(n); sink += b[0]; }
int main(int argc, char **argv)
{
	struct timespec t;

	(void)argv;
	do {
		f1(argc);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	} while (t.tv_sec * 1000000000L + t.tv_nsec < MILLISECONDS * 1000000L);
	if (argc > 1)
		pause();
	return 0;
}
"""
PARTS = [(10, 30, 60), (45, 35, 20)]
OMIT = ["-O2", "-fomit-frame-pointer"]
KEEP = ["-O2", "-fno-omit-frame-pointer"]
BUILDS = {
    "pie": [*OMIT, "-pie", "-fPIE"], "pie with frame pointers": [*KEEP, "-pie", "-fPIE"],
    "no pie": [*OMIT, "-no-pie"], "no pie with frame pointers": [*KEEP, "-no-pie"],
    "static": [*OMIT, "-static"], "static with frame pointers": [*KEEP, "-static"],
}
MS = 700


def build(directory, parts, flags, name="shape", ms=MS, source=SHAPE_C):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.c").write_text(source)
    numbers = [f"-DN{i}={n}" for i, n in enumerate(parts, 1)]
    subprocess.run(["gcc", "-D_GNU_SOURCE", f"{name}.c", *flags, *numbers, f"-DMILLISECONDS={ms}", "-o", name], cwd=directory, check=True)
    return directory / name


class Profile:
    """sonde, looking at what is called shape while it is open."""

    def __enter__(self):
        self.p = subprocess.Popen([SONDE, "-q", "-f", "folded", "-e", 'begin { printf("ready\\n"); } '
                                   'profile:hz:499 /comm == "shape"/ { @[ustack] = count(); }'],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert "ready" in self.p.stderr.readline()
        return self

    def stacks(self):
        self.p.terminate()
        out, err = self.p.communicate(timeout=60)
        found = Counter()
        for line in out.splitlines():
            stack, _, n = line.rpartition(" ")
            found[tuple(f for f in stack.split(";") if not f.endswith("_[i]"))] += int(n)
        assert found, err
        return found

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()


def check(stacks, parts, first="_start"):
    """Of the samples in f1 and below nearly all are whole, and each function has its part."""
    mine = Counter({s: n for s, n in stacks.items() if s[-1] in ("f1", "f2", "f3")})
    count = sum(mine.values())
    whole = Counter()
    for stack, n in mine.items():
        below = stack[stack.index("f1") - 1:] if "f1" in stack[1:] else ()
        if stack[0] == first and below in (("main", "f1"), ("main", "f1", "f2"), ("main", "f1", "f2", "f3")):
            whole[stack[-1]] += n
    assert count > 200, stacks
    # The first few may come before it is known what the process has mapped.
    assert sum(whole.values()) > 0.9 * count, stacks
    for name, part in zip(("f1", "f2", "f3"), parts):
        seen = 100 * whole[name] / sum(whole.values())
        assert abs(seen - part) < 9, (name, seen, part, stacks)


@pytest.mark.parametrize("parts", PARTS, ids=str)
@pytest.mark.parametrize("way", BUILDS)
def test_after_its_end(tmp_path, way, parts):
    prog = build(tmp_path, parts, BUILDS[way])
    with Profile() as p:
        subprocess.run([prog], check=True)
        os.unlink(prog)  # and its file is gone
        check(p.stacks(), parts)


@pytest.mark.parametrize("parts", PARTS, ids=str)
def test_while_it_runs(tmp_path, parts):
    prog = build(tmp_path, parts, BUILDS["pie"])
    with Profile() as p:
        child = subprocess.Popen([prog, "waits"])
        try:
            time.sleep(MS / 1000 * 2.5)
            assert child.poll() is None
            check(p.stacks(), parts)
        finally:
            child.kill()
            child.wait()


@pytest.mark.parametrize("parts", PARTS, ids=str)
@pytest.mark.parametrize("way", ["pie", "no pie with frame pointers"])
def test_stripped_with_a_debug_file(tmp_path, way, parts):
    prog = build(tmp_path, parts, [*BUILDS[way], "-g"])
    subprocess.run(["objcopy", "--only-keep-debug", prog, tmp_path / "shape.debug"], check=True)
    subprocess.run(["strip", "-s", prog], check=True)
    assert b"f3" not in subprocess.run(["nm", "-a", prog], capture_output=True).stdout
    # Without it nothing has a name that is none of the library's.
    with Profile() as p:
        subprocess.run([prog], check=True)
        assert not any("f3" in s for s in p.stacks())
    subprocess.run(["objcopy", f"--add-gnu-debuglink={tmp_path}/shape.debug", prog], check=True)
    with Profile() as p:
        subprocess.run([prog], check=True)
        check(p.stacks(), parts)


def libraries(prog):
    return re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", prog], capture_output=True, text=True, check=True).stdout)


def container_root(tmp_path, prog, decoy):
    """A root directory with the program, at a path where the host has another one, and its libraries."""
    root = tmp_path / "root"
    for path in [prog, *libraries(prog)]:
        (root / str(path).lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / str(path).lstrip("/"))
    shutil.copy(decoy, prog)
    return root


def runc(tmp_path, root, prog):
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    subprocess.run(["runc", "spec"], cwd=bundle, check=True)
    spec = json.loads((bundle / "config.json").read_text())
    spec["root"] = {"path": str(root), "readonly": False}
    spec["process"].update(args=[str(prog)], terminal=False, cwd="/")
    spec["mounts"] = [m for m in spec["mounts"] if m["destination"] == "/proc"]
    # No control groups: they may be of a kind that it does not know.
    spec["linux"].pop("resources", None)
    (bundle / "config.json").write_text(json.dumps(spec))
    return ["runc", "run", "--bundle", str(bundle), f"sonde-test-{os.getpid()}"]


@pytest.mark.parametrize("parts", PARTS, ids=str)
@pytest.mark.parametrize("how", ["chroot", "runc"])
def test_in_a_container(tmp_path, how, parts):
    """Its files are its own, and all of it is gone when names are asked for."""
    prog = build(tmp_path, parts, BUILDS["pie"])
    decoy = build(tmp_path / "decoy", parts, BUILDS["pie"], source=re.sub(r"\bf([123])\b", r"wrong\1", SHAPE_C))
    root = container_root(tmp_path, prog, decoy)
    command = ["unshare", "-m", "-p", "-f", "chroot", str(root), str(prog)]
    if how == "runc":
        if not shutil.which("runc"):
            pytest.skip("runc is not installed")
        command = runc(tmp_path, root, prog)
    with Profile() as p:
        r = subprocess.run(command, capture_output=True, text=True)
        if how == "runc" and r.returncode and "shape" not in r.stderr:
            pytest.skip(f"runc starts no containers here: {r.stderr.strip()[-200:]}")
        assert r.returncode == 0, r.stderr
        shutil.rmtree(root)
        stacks = p.stacks()
    assert not any("wrong" in f for s in stacks for f in s)
    check(stacks, parts)
