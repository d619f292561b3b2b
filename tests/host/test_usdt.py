# SPDX-License-Identifier: GPL-2.0-or-later
"""Markers of programs on the live kernel: listing, processes, semaphores, files that are moved, changed or broken."""
import random
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "probes"))
import programs  # noqa: E402


@pytest.fixture(scope="module")
def bin_dir():
    programs.build()
    return programs.DIRECTORY


@pytest.fixture
def start():
    """Start a program that runs until the test ends."""
    started = []

    def go(*args, **kw):
        p = subprocess.Popen([str(a) for a in args], stdin=subprocess.DEVNULL, **kw)
        started.append(p)
        time.sleep(0.2)
        return p

    yield go
    for p in started:
        if p.poll() is None:
            p.kill()
        p.wait()


# ---- listing ----

def test_list_of_a_file(run, bin_dir):
    names = run("-l", f"usdt:{bin_dir}/pusdt:*").out.splitlines()
    assert names == [f"usdt:{bin_dir}/pusdt:{n}" for n in
                     ["forms:constants", "forms:element", "forms:globals", "forms:local", "forms:member", "forms:none",
                      "forms:small", "forms:twelve", "forms:words", "sites:inlined"]]


@pytest.mark.parametrize("pattern,found", [
    ("usdt:./pusdt:sites:*", ["./pusdt:sites:inlined"]), ("U:./pusdt::inl*", ["./pusdt:sites:inlined"]),
    ("usdt:./pusdt:*:*line*", ["./pusdt:sites:inlined"]),
    ("usdt:./pusdtsem*:watched:tick", ["./pusdtsem:watched:tick", "./pusdtsem-nopie:watched:tick"]),
    ("usdt:./pusdt[ab]*-nopie:*:r[a]?", ["./pusdtasm-nopie:hand:rax"]), ("*:./pusdtsem:*tick", ["./pusdtsem:watched:tick"]),
])
def test_list_patterns(run, bin_dir, pattern, found):
    res = run("-l", pattern, cwd=bin_dir)
    names = [n for n in res.out.splitlines() if n.startswith("usdt:")]
    assert sorted(names) == sorted(f"usdt:{f}" for f in found), res


def test_list_nothing(run, bin_dir):
    res = run("-l", f"usdt:{bin_dir}/pcalls:*")
    assert res.status == 1 and res.out == "" and "no probe matches" in res.err


def test_list_with_types(run, bin_dir):
    assert run("-lv", f"usdt:{bin_dir}/pusdt:small").out == f"usdt:{bin_dir}/pusdt:forms:small\n" + "".join(
        f"    {t} arg{i}\n" for i, t in enumerate(["int8", "uint8", "int16", "uint16", "int32", "uint32"]))
    assert "    int32 arg0\n    float arg1\n    double arg2\n" in run("-lv", f"usdt:{bin_dir}/pusdtfloat:*").out
    # What differs from place to place is as wide as the widest.
    assert "    int32 arg0\n    int64 arg1\n" in run("-lv", f"usdt:{bin_dir}/pusdt:inlined").out


def test_list_of_a_process(run, bin_dir, start):
    p = start(bin_dir / "pusdtsem", 100000)
    own = [f"usdt:{bin_dir}/pusdtsem:watched:other", f"usdt:{bin_dir}/pusdtsem:watched:tick"]
    for pattern in ("usdt:*", "usdt::*", "usdt:*:watched:*", "usdt:::*"):
        assert [n for n in run("-l", pattern, "-p", p.pid).out.splitlines() if ":watched:" in n] == own, pattern
    assert own[1] in run("-l", "-p", p.pid).out


def test_list_of_a_library_that_a_process_uses(run, bin_dir, start):
    p = start("/usr/bin/python3", "-c", f"import ctypes, time; ctypes.CDLL('{bin_dir}/libpusdtlib.so'); time.sleep(60)")
    time.sleep(0.5)
    out = run("-l", "usdt:*", "-p", p.pid).out
    assert f"usdt:{bin_dir}/libpusdtlib.so:library:call\n" in out and ":python:gc__start\n" in out


# ---- processes ----

def test_only_the_process_of_p(run, bin_dir, start):
    first, second = (start(bin_dir / "pusdtsem", 100000) for _ in range(2))
    program = "usdt::tick { @[pid] = count(); } interval:ms:300 { exit(); }"
    res = run("-p", second.pid, "-e", program)
    assert f"@[{second.pid}]" in res.out and str(first.pid) not in res.out
    both = run("-e", f"usdt:{bin_dir}/pusdtsem:tick {{ @[pid] = count(); }} interval:ms:300 {{ exit(); }}").out
    assert f"@[{first.pid}]" in both and f"@[{second.pid}]" in both
    # Without -p, * is the programs of all processes.
    every = run("-e", "usdt:*:watched:tick { @[pid] = count(); } interval:ms:300 { exit(); }").out
    assert f"@[{first.pid}]" in every and f"@[{second.pid}]" in every


def test_new_processes(running, bin_dir):
    r = running("-e", f"usdt:{bin_dir}/pusdt:none {{ @[comm] = count(); }} begin {{ printf(\"ready\\n\"); }}")
    r.wait_for("ready")
    time.sleep(0.3)
    subprocess.run(["sh", "-c", f"{bin_dir}/pusdt; {bin_dir}/pusdt; (exec {bin_dir}/pusdt)"], check=True)
    assert "@[pusdt]: 3" in r.finish().out


def semaphore(process, path):
    """The value of watched_tick_semaphore in a process."""
    address = next(int(line.split()[0], 16) for line in
                   subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout.splitlines()
                   if line.endswith(" watched_tick_semaphore"))
    base = int(Path(f"/proc/{process.pid}/maps").read_text().split("-", 1)[0], 16)
    with open(f"/proc/{process.pid}/mem", "rb") as mem:
        mem.seek(base + address)
        return struct.unpack("<H", mem.read(2))[0]


def test_semaphore_in_the_process(run, running, bin_dir, start):
    p = start(bin_dir / "pusdtsem", 100000)
    other = start(bin_dir / "pusdtsem", 100000)
    assert semaphore(p, bin_dir / "pusdtsem") == 0
    r = running("-p", p.pid, "-e", f"usdt:{bin_dir}/pusdtsem:tick {{ @ = count(); }} begin {{ printf(\"ready\\n\"); }}")
    r.wait_for("ready")
    time.sleep(0.3)
    assert semaphore(p, bin_dir / "pusdtsem") == 1 and semaphore(other, bin_dir / "pusdtsem") == 0
    res = run("-q", "--usdt-file-activation", "-e", f"usdt:{bin_dir}/pusdtsem:tick /pid == {other.pid}/ {{ print(arg1); exit(); }}")
    assert res.out.split()[0] == "1"
    assert "@: " in r.finish().out
    end = time.monotonic() + 5
    while semaphore(p, bin_dir / "pusdtsem") and time.monotonic() < end:
        time.sleep(0.05)
    assert semaphore(p, bin_dir / "pusdtsem") == 0 and p.poll() is None


def test_process_ends(running, bin_dir, start):
    p = start(bin_dir / "pusdtsem", 100000)
    r = running("-p", p.pid, "-e", "usdt::tick { @ = max(arg1); } begin { printf(\"ready\\n\"); }")
    r.wait_for("ready")
    time.sleep(0.3)
    p.kill()
    p.wait()
    res = r.finish(sig=None)
    assert res.status == 0 and "@: 1" in res.out


def test_no_process(run, bin_dir):
    res = run("-e", "usdt::tick { }")
    assert res.status == 1 and "give -p PID" in res.err
    res = run("-p", 99999999, "-e", "usdt::tick { }")
    assert res.status != 0 and "99999999" in res.err


def test_stack(run, bin_dir, start):
    p = start(bin_dir / "pusdtsem", 100000)
    res = run("-q", "-p", p.pid, "-e", "usdt::tick { print(ustack(1)); exit(); }")
    assert res.out.split()[0].startswith("main+"), res


def test_in_another_mount_namespace(run, bin_dir, start, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    p = start("unshare", "-m", "sh", "-c", f"mount -t tmpfs none {inside} && cp {bin_dir}/pusdtsem {inside} && "
              f"exec {inside}/pusdtsem 100000")
    time.sleep(0.5)
    if p.poll() is not None:
        pytest.skip("no mount namespace here")
    assert f"{inside}/pusdtsem:watched:tick" in run("-l", "usdt:*", "-p", p.pid).out
    for binary in ("", f"{inside}/pusdtsem"):
        res = run("-q", "-p", p.pid, "-e", f"usdt:{binary}:tick {{ printf(\"%d\\n\", arg1); exit(); }}")
        assert res.out.split()[:1] == ["1"], res


# ---- files ----

def test_replaced_while_attached(running, bin_dir, tmp_path):
    prog = tmp_path / "prog"
    shutil.copy(bin_dir / "pusdt", prog)
    r = running("-e", f"usdt:{prog}:none {{ @ = count(); }} begin {{ printf(\"ready\\n\"); }}")
    r.wait_for("ready")
    time.sleep(0.3)
    subprocess.run([prog], check=True)
    shutil.copy(bin_dir / "pusdt", tmp_path / "new")
    (tmp_path / "new").rename(prog)
    subprocess.run([prog], check=True)
    assert "@: 1" in r.finish().out


def sections(path):
    """name: (offset, size, address)"""
    out = subprocess.run(["readelf", "-SW", path], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in out.splitlines():
        words = line.split("]", 1)[-1].split()
        if len(words) > 5 and words[0].startswith("."):
            found[words[0]] = (int(words[3], 16), int(words[4], 16), int(words[2], 16))
    return found


def change_notes(path, change):
    """change(location, base, semaphore) for every note of the file."""
    data = bytearray(path.read_bytes())
    at, size, _ = sections(path)[".note.stapsdt"]
    end = at + size
    while at < end:
        namesz, descsz, _ = struct.unpack_from("<III", data, at)
        desc = at + 12 + (namesz + 3) // 4 * 4
        struct.pack_into("<QQQ", data, desc, *(w % 2**64 for w in change(*struct.unpack_from("<QQQ", data, desc))))
        at = desc + (descsz + 3) // 4 * 4
    path.write_bytes(data)


def copy_of(bin_dir, name, tmp_path):
    path = tmp_path / name
    shutil.copy(bin_dir / name, path)
    return path


def test_moved_by_prelink(run, bin_dir, tmp_path):
    path = copy_of(bin_dir, "pusdtsem", tmp_path)
    change_notes(path, lambda location, base, semaphore: (location - 0x5000, base - 0x5000, semaphore - 0x5000))
    res = run("-q", "-e", f"usdt:{path}:tick {{ print((arg0, arg1)); }}", "-c", path)
    assert res.out.splitlines() == ["(0, 1)", "(1, 1)", "(2, 1)"], res


def test_places_outside_of_the_code(run, bin_dir, tmp_path):
    path = copy_of(bin_dir, "pusdtsem", tmp_path)
    change_notes(path, lambda location, base, semaphore: (location + (1 << 40), base, semaphore))
    res = run("-e", f"usdt:{path}:tick {{ }}")
    assert res.status == 1 and "has no markers" in res.err


def test_semaphore_out_of_reach(run, bin_dir, tmp_path):
    path = copy_of(bin_dir, "pusdtsem", tmp_path)
    change_notes(path, lambda location, base, semaphore: (location, base, location))
    res = run("-e", f"usdt:{path}:tick {{ }}", "-c", path)
    assert res.status == 1 and f"cannot attach usdt:{path}:watched:tick: its semaphore" in res.err
    res = run("-e", f"usdt:{path}:t* {{ }}", "-c", path)
    assert res.status == 0 and "may never fire" in res.err


def test_other_machine(run, tmp_path):
    (tmp_path / "x.c").write_text("int main(void) { return 0; }\n")
    subprocess.run(["aarch64-linux-gnu-gcc", "-o", tmp_path / "x", tmp_path / "x.c"], check=True)
    res = run("-e", f"usdt:{tmp_path}/x:y {{ }}")
    assert res.status == 1 and "built for another machine" in res.err


def test_hostile_files(run, bin_dir, tmp_path):
    """Bytes of the headers and notes changed at random, and files cut short: an answer, never a crash."""
    good = (bin_dir / "pusdtasm").read_bytes()
    found = sections(bin_dir / "pusdtasm")
    note, size, _ = found[".note.stapsdt"]
    places = [range(0, 64), range(64, 800), range(note, note + size), range(len(good) - 64 * 40, len(good))]
    rng = random.Random(7)
    bad = tmp_path / "bad"
    for round_ in range(120):
        data = bytearray(good)
        for _ in range(rng.choice([1, 2, 8, 40])):
            data[rng.choice(rng.choice(places))] = rng.choice([0, 1, 0x7f, 0xff, rng.randrange(256)])
        if round_ % 4 == 0:
            data = data[:rng.randrange(len(data))]
        bad.write_bytes(data)
        res = run("-lv", f"usdt:{bad}:*")
        assert res.status in (0, 1), (round_, res)
        res = run("--dry-run", "-e", f"usdt:{bad}:rax {{ print(arg0); }}")
        assert res.status in (0, 1) and "bug" not in res.err, (round_, res)


def test_unreadable_symbols_are_named(run, bin_dir):
    for i, why in enumerate(["floating-point or vector register", "floating-point number", "16 bytes", "storage of the thread",
                             "its symbol nowhere", "only the linker knew"]):
        res = run("-e", f"usdt:{bin_dir}/pusdtasm:refused {{ print(arg{i}); }}")
        assert res.status == 1 and f"arg{i} of usdt:{bin_dir}/pusdtasm:hand:refused cannot be read" in res.err, res
        assert why in res.err, res
