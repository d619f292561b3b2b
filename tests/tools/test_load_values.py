# SPDX-License-Identifier: GPL-2.0-or-later
"""Tools beside a program that knows how often it does what they show, and beside strace."""
import os
import re
import shutil
import subprocess

import pytest

import test_cases as lang
from values import HERE, compared, entries, shown, total

KILLS, SLEEPS, THREADS, WRITES, SYNCS, READS, MAPS, REFUSED, SHARED = 7, 5, 6, 9, 4, 3, 11, 13, 8

LOAD = f"""
import ctypes, mmap, os, signal, sys, threading, time
ctypes.CDLL(None).prctl(15, b"sonde-load", 0, 0, 0)
signal.signal(signal.SIGUSR1, lambda *a: None)
for i in range({KILLS}):
    os.kill(os.getpid(), signal.SIGUSR1)
for i in range({SLEEPS}):
    time.sleep(0.0171)
threads = [threading.Thread(target=lambda: None) for i in range({THREADS})]
for t in threads: t.start()
for t in threads: t.join()
f = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
for i in range({WRITES}): os.write(f, b"x" * 100)
for i in range({SYNCS}): os.fsync(f)
os.lseek(f, 0, 0)
for i in range({READS}): os.read(f, 10)
for i in range({MAPS}): mmap.mmap(f, 900).close()
libc = ctypes.CDLL(None, use_errno=True)
for i in range({SHARED}):
    libc.shmctl(libc.shmget(0, 4096, 0o1600), 0, 0)
child = os.fork()
if not child:
    os.setuid(65534)
    for i in range({REFUSED}):
        try: os.chown("/etc/passwd", 0, 0)
        except PermissionError: pass
    os._exit(0)
os.waitpid(child, 0)
os.symlink(str(os.getpid()), sys.argv[1] + ".pid")
"""


@pytest.fixture
def load(tmp_path):
    """A function that runs the load beside a tool: (what is shown, its process)"""
    script, own = tmp_path / "load.py", tmp_path / "sonde-own"
    script.write_text(LOAD)

    def run(tool, *options):
        data, _ = shown(tool, f"/usr/bin/python3 {script} {own}", *options)
        return data, int(os.readlink(f"{own}.pid"))
    return run


def of(data, pid):
    return [d for d in data if d.get("pid", d.get("tid")) == pid]


@compared("sigsnoop", "the load's own count")
def test_sigsnoop_shows_each_signal(load):
    data, pid = load("sigsnoop")
    assert sum(d["name"] == "SIGUSR1" and d["tpid"] == pid for d in of(data, pid)) == KILLS


@compared("signals", "the load's own count")
def test_signals_counts_them(load):
    data, pid = load("signals")
    assert entries(data, "@signals")[f"SIGUSR1,{pid},sonde-load"] == KILLS


@compared("naptime", "the load's own count")
def test_naptime_shows_each_sleep(load):
    data, pid = load("naptime")
    assert [d["ms"] for d in of(data, pid) if d["ms"] == 17] == [17] * SLEEPS


@compared("threadsnoop", "the load's own count")
def test_threadsnoop_shows_each_thread(load):
    data, pid = load("threadsnoop")
    assert len(of(data, pid)) == THREADS


@compared("syncsnoop", "the load's own count")
def test_syncsnoop_shows_each_sync(load):
    data, pid = load("syncsnoop")
    assert sum(d["call"] == "fsync" and d["file"] == "sonde-own" for d in of(data, pid)) == SYNCS


@compared("fileslower", "the load's own count")
def test_fileslower_shows_each_operation(load):
    data, _ = load("fileslower", "0")
    mine = [d for d in data if d["file"] == "sonde-own"]
    assert [d["bytes"] for d in mine if d["d"] == "W"] == [100] * WRITES
    assert [d["bytes"] for d in mine if d["d"] == "R"] == [10] * READS


@compared("vfssize", "the load's own count")
def test_vfssize_counts_each_operation(load):
    data, _ = load("vfssize")
    found = entries(data, "@bytes")
    assert total(found["sonde-load,sonde-own,write"]) == WRITES
    assert total(found["sonde-load,sonde-own,read"]) == READS


@compared("scread", "the load's own count")
def test_scread_counts_each_read(load):
    data, _ = load("scread")
    assert entries(data, "@reads")["sonde-own"] == READS


@compared("filetype", "the load's own count")
def test_filetype_counts_writes_of_files(load):
    data, _ = load("filetype")
    assert entries(data, "@calls")["write,regular,sonde-load"] == WRITES


@compared("mmapfiles", "the load's own count")
def test_mmapfiles_counts_each_mapping(load):
    data, _ = load("mmapfiles")
    assert sum(n for key, n in entries(data, "@maps").items() if key.startswith("sonde-load,") and key.endswith("sonde-own")) \
        == MAPS


@compared("eperm", "the load's own count")
def test_eperm_shows_each_refusal(load):
    data, _ = load("eperm")
    mine = [d for d in data if d["uid"] == 65534 and d["comm"] == "sonde-load"]
    assert [(d["syscall"], d["err"]) for d in mine] == [("chown", "EPERM")] * REFUSED


@compared("setuids", "the load's own count")
def test_setuids_shows_the_change(load):
    data, _ = load("setuids")
    assert [d["euid"] for d in data if d["comm"] == "sonde-load"] == [65534]


@compared("shmsnoop", "the load's own count")
def test_shmsnoop_shows_each_segment(load):
    data, pid = load("shmsnoop")
    calls = [d["call"] for d in of(data, pid)]
    assert (calls.count("shmget"), calls.count("shmctl")) == (SHARED, SHARED)


def traced(tmp_path, tool, calls, command, *options):
    """(what the tool shows, what strace has written of the same run)"""
    log = tmp_path / "strace"
    data, _ = shown(tool, f"strace -f -o {log} -e trace={calls} {command}", *options)
    return data, log.read_text()


@compared("opensnoop", "strace")
@pytest.mark.skipif(not shutil.which("strace"), reason="there is no strace")
def test_opensnoop_sees_what_strace_sees(tmp_path):
    data, log = traced(tmp_path, "opensnoop", "open,openat,openat2", "ls -R /etc/apt")
    theirs = re.findall(r'open\w*\((?:[\w./"]+, )?"([^"]*)".* = (-?\d+)', log)
    assert len(theirs) > 5
    assert [(d["path"], str(d["fd"])) for d in data if d["comm"] == "ls"] == theirs


@compared("brkstack", "strace")
@pytest.mark.skipif(not shutil.which("strace"), reason="there is no strace")
def test_brkstack_counts_what_strace_counts(tmp_path):
    data, log = traced(tmp_path, "brkstack", "brk", "/usr/bin/python3 -c 'x = [bytes(1000) for i in range(5000)]'")
    theirs = len(re.findall(r"brk\(", log))
    mine = sum(n for key, n in entries(data, "@calls").items() if "python3" in key)
    assert theirs > 10 and abs(mine - theirs) <= 2


@compared("javagc", "the log of the virtual machine")
@pytest.mark.skipif(not shutil.which("keytool"), reason="there is no Java")
def test_javagc_counts_what_the_virtual_machine_logs(tmp_path):
    directory, out = tmp_path / "jvm", tmp_path / "out"
    helper = HERE / "jvm.sh"
    subprocess.run([helper, "begin", directory, "much"], check=True, timeout=60)
    before = (directory / "gc.log").read_text().count(" Pause ")
    with open(out, "w") as f:
        p = subprocess.Popen([lang.SONDE, "javagc", "-p", (directory / "pid").read_text().strip(), "-f", "json"], stdout=f,
                             env={**os.environ, "__BPFTRACE_NOTIFY_PROBES_ATTACHED": "1"})
    while "NOTIFY" not in out.read_text():
        assert p.poll() is None
    subprocess.run([helper, "go", directory], check=True, timeout=60)
    assert p.wait(30) == 0
    found = [m for m in re.findall(r'"count": (\d+)', out.read_text().split('"@msecs"')[-1])]
    after = (directory / "gc.log").read_text().count(" Pause ")
    assert sum(map(int, found)) == after - before > 0


@compared("mysqld_clat", "the number of queries")
@pytest.mark.skipif(not shutil.which("mysqld"), reason="there is no MariaDB")
def test_mysqld_clat_counts_each_query(tmp_path):
    helper, directory = HERE / "mysqld.sh", tmp_path / "db"
    subprocess.run([helper, "begin", directory], check=True, timeout=60)
    out = tmp_path / "out"
    with open(out, "w") as f:
        p = subprocess.Popen([lang.SONDE, "mysqld_clat", "-f", "json"], stdout=f,
                             env={**os.environ, "__BPFTRACE_NOTIFY_PROBES_ATTACHED": "1"})
    while "NOTIFY" not in out.read_text():
        assert p.poll() is None
    subprocess.run([helper, "ask", directory, ";".join(["select 1"] * 23)], check=True, timeout=30)
    subprocess.run([helper, "end", directory], check=True, timeout=30)
    p.send_signal(2)
    p.wait(30)
    block = re.search(r'"3": \[(.*?)\]', out.read_text())[1]
    assert 23 <= sum(map(int, re.findall(r'"count": (\d+)', block))) <= 24  # the client asks one for itself
