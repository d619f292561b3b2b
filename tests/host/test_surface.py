# SPDX-License-Identifier: GPL-2.0-or-later
"""`sonde surface`: what a container reaches, the profile made of it, and what a profile refuses."""
import json
import os
import signal
import subprocess
import textwrap
import time
from pathlib import Path

import pytest

import containers
from conftest import SONDE

needs_runc = pytest.mark.skipif(not containers.available("runc"), reason="runc or busybox is not installed")


def data(res, kind):
    return [line["data"] for line in res.json() if line["type"] == kind]


def surface_of(res):
    [one] = data(res, "surface")
    return one


# ---- recording ----

@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A program whose calls are known."""
    d = tmp_path_factory.mktemp("surface")
    (d / "p.c").write_text(textwrap.dedent("""\
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <sched.h>
        #include <sys/personality.h>
        #include <sys/prctl.h>
        #include <sys/socket.h>
        #include <sys/wait.h>
        #include <unistd.h>
        int main(void)
        {
            for (int i = 0; i < 7; i++)
                getppid();
            socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
            socket(AF_INET, SOCK_STREAM, 0);
            personality(0xffffffff);
            prctl(PR_SET_NAME, "renamed");
            close(open("/proc/self/status", O_RDONLY));
            close(open("/sys/kernel/mm/ksm/run", O_RDWR));
            if (fork() == 0) {
                getpgid(0);
                _exit(0);
            }
            wait(NULL);
            return 0;
        }
        """))
    subprocess.run(["gcc", "-O1", "-o", d / "p", d / "p.c"], check=True)
    return d / "p"


def test_command(run, program):
    s = surface_of(run("surface", "-f", "json", "--", program))
    calls = {c["name"]: c for c in s["calls"]}
    assert not s["contained"] and s["lost"] == 0 and s["target"] == str(program)
    assert calls["getppid"]["count"] == 7 and calls["getppid"]["part"] == "outside"
    assert calls["getpgid"]["count"] == 1  # of its child
    assert {x["name"] for x in s["sockets"]} == {"AF_UNIX datagram", "AF_INET stream"}
    assert {"prctl(PR_SET_NAME)", "personality(0xffffffff)"} <= {a["name"] for a in s["arguments"]}
    files = {f["name"] for f in s["files"]}
    assert "/proc/PID/status" in files
    if os.path.exists("/sys/kernel/mm/ksm/run"):
        assert "/sys/kernel/mm/ksm/run (written)" in files


def test_text(run, program):
    res = run("surface", "--", program)
    assert res.status == 0
    assert "\nSystem calls\n" in res.out and "           7  getppid\n" in res.out
    assert "\nNot observable\n" in res.out and "  functions: not asked for: --functions PATTERN\n" in res.out


def test_capabilities_or_why_not(run):
    s = surface_of(run("surface", "-f", "json", "--", "chown", "root", "/dev/null"))
    missing = {u["item"] for u in s["not_observable"]}
    assert ("capabilities" in missing) != bool(s["capabilities"])


def test_functions_or_why_not(run, program):
    s = surface_of(run("surface", "-f", "json", "--functions", "vfs_read,vfs_open", "--", program))
    missing = {u["item"]: u["reason"] for u in s["not_observable"]}
    if "functions" in missing:
        assert missing["functions"] and not s["functions"]
    else:
        assert {f["name"] for f in s["functions"]} <= {"vfs_read", "vfs_open"}
        assert s["subsystems"][0]["name"] == "files: VFS"


def test_profile_of_a_command(run, program, tmp_path):
    out = tmp_path / "profile.json"
    out.write_text("old")
    assert run("surface", "-p", out, "--", program).status == 0
    p = json.loads(out.read_text())
    assert p["defaultAction"] == "SCMP_ACT_ERRNO" and p["defaultErrnoRet"] == 1
    names = [n for s in p["syscalls"] for n in s["names"]]
    assert "getppid" in names and "getpgid" in names and "restart_syscall" in names and "mount" not in names
    families = {s["args"][0]["value"] for s in p["syscalls"] if s["names"] == ["socket"]}
    assert families == {1, 2}
    [personality] = [s for s in p["syscalls"] if s["names"] == ["personality"]]
    assert personality["args"] == [{"index": 0, "value": 0xffffffff, "op": "SCMP_CMP_EQ"}]
    assert [f.name for f in tmp_path.iterdir()] == ["profile.json"]


def test_profile_is_left_alone_when_it_cannot_be_written(run, program, tmp_path):
    res = run("surface", "-p", tmp_path / "none" / "profile.json", "--", program)
    assert res.status == 1
    assert f"cannot write {tmp_path}/none/profile.json: No such file or directory" in res.err


@pytest.mark.parametrize("args, status, said", [
    ([], 2, "what is to be looked at?"),
    (["--cgroup", "/", "--", "true"], 2, "only one can be looked at"),
    (["--cgroup", "/no/such/group"], 1, "there is no cgroup "),
    (["--container", "no-such-container"], 1, "there is no container no-such-container"),
    (["--container", "../x"], 2, "'../x' is no name of a container"),
    (["--audit", "-p", "x", "--", "true"], 2, "--profile and --functions do not go with it"),
    (["--", "/no/such/program"], 1, "/no/such/program"),
])
def test_wrong(run, args, status, said):
    res = run("surface", *args)
    assert res.status == status
    assert said in res.err


# ---- cgroups ----

@pytest.fixture
def cgroup():
    root = next((p for p in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup") if os.path.exists(f"{p}/cgroup.controllers")), None)
    if not root:
        pytest.skip("no cgroups of version 2")
    path = f"{root}/sonde-surface-{os.getpid()}"
    os.mkdir(path)
    os.mkdir(f"{path}/below")
    yield path
    for p in (f"{path}/below", path):
        for _ in range(100):
            try:
                os.rmdir(p)
            except FileNotFoundError:
                pass
            except OSError:
                continue
            break


def within(group, command):
    p = subprocess.Popen(["sh", "-c", f"echo $$ > {group}/cgroup.procs; {command}"], stdin=subprocess.PIPE, text=True)
    while str(p.pid) not in Path(group, "cgroup.procs").read_text().split():
        time.sleep(0.01)
    return p


def test_cgroup_and_those_below(running, cgroup):
    a = within(cgroup, "read x; kill -0 $$; exec true")
    b = within(f"{cgroup}/below", "read x; umask; exec true")
    r = running("surface", "-f", "json", "--cgroup", cgroup)
    r.wait_for('"attached"')
    for p in (a, b):
        p.communicate("go\n")
    s = surface_of(r.finish(sig=None))
    names = {c["name"] for c in s["calls"]}
    assert {"kill", "umask"} <= names
    assert s["ended"]


def test_cgroup_removed_meanwhile(running, cgroup):
    a = within(cgroup, "read x")
    r = running("surface", "--audit", "-f", "json", "--cgroup", cgroup)
    r.wait_for('"attached"')
    a.communicate("go\n")
    os.rmdir(f"{cgroup}/below")
    os.rmdir(cgroup)
    res = r.finish(sig=None)
    [summary] = data(res, "summary")
    assert summary["ended"] and summary["refusals"] == 0
    [verdict] = data(res, "verdict")
    # Nothing there had a filter: that nothing was refused says nothing.
    assert verdict["verdict"] == "not observable" and "none of its processes has a seccomp filter" in verdict["found"]
    assert res.status == 4


# ---- containers ----

@needs_runc
def test_container_starts_under_its_profile_at_first_try():
    containers.check_first_try(containers.first_try(SONDE, "runc"))


@needs_runc
def test_functions_of_a_container():
    containers.check_functions(containers.functions(SONDE, "runc"))


@needs_runc
def test_hundred_of_hundred_refusals():
    containers.check_audit(containers.audit(SONDE, "runc"))


# ---- audit ----

FILTER = textwrap.dedent("""\
    import ctypes, os, struct, sys
    libc = ctypes.CDLL(None, use_errno=True)
    action, number, times = int(sys.argv[1], 0), int(sys.argv[2]), int(sys.argv[3])

    def insn(code, jt, jf, k):
        return struct.pack("HBBI", code, jt, jf, k)

    program = insn(0x20, 0, 0, 0) + insn(0x15, 0, 1, number) + insn(6, 0, 0, action) + insn(6, 0, 0, 0x7fff0000)
    text = ctypes.create_string_buffer(program)

    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    p = Program(4, ctypes.cast(text, ctypes.c_void_p).value)
    libc.prctl(38, 1, 0, 0, 0)
    assert libc.prctl(22, 2, ctypes.byref(p)) == 0
    for i in range(times):
        libc.syscall(number)
        if i % 5 == 0:
            child = os.fork()
            if child == 0:
                libc.syscall(number)
                os._exit(0)
            os.waitpid(child, 0)
    """)
GETPPID = {"x86_64": 110, "aarch64": 173}[os.uname().machine]


def audit_filter(run, tmp_path, action, times):
    (tmp_path / "filter.py").write_text(FILTER)
    return run("surface", "--audit", "-f", "json", "--", "python3", tmp_path / "filter.py", action, GETPPID, times)


@pytest.mark.parametrize("errno, name", [(1, "EPERM"), (38, "ENOSYS"), (13, "EACCES")])
def test_refused_with_an_error(run, tmp_path, errno, name):
    res = audit_filter(run, tmp_path, 0x50000 + errno, 100)
    refusals = data(res, "refusal")
    assert len(refusals) == 120  # 20 of them in children
    assert {(r["call"], r["error"], r["how"], r["comm"]) for r in refusals} == {("getppid", name, "error", "python3")}
    assert res.status == 3


@pytest.mark.parametrize("action", [0x30000, 0x80000000, 0x0])
def test_refused_with_a_signal(run, tmp_path, action):
    [refusal] = data(audit_filter(run, tmp_path, action, 1), "refusal")
    assert refusal["how"] in ("signal", "killed")
    if refusal["how"] == "signal":
        assert refusal["call"] == "getppid"


def test_only_logged_is_not_refused(run, tmp_path):
    res = audit_filter(run, tmp_path, 0x7ffc0000, 10)
    assert data(res, "refusal") == []
    assert res.status == 0


def test_audit_of_what_was_running(running, tmp_path):
    """Threads that sleep in a call when the audit begins are no refusals."""
    res = running("surface", "--audit", "-f", "json", "--duration", "1", "--cgroup", "/").finish(sig=None)
    assert [r for r in data(res, "refusal") if r["call"] in ("nanosleep", "clock_nanosleep", "epoll_wait", "futex", "poll")] == []


def test_interrupt_shows_what_was_seen(running):
    r = running("surface", "-f", "json", "--", "sleep", "20")
    r.wait_for('"attached"')
    time.sleep(0.3)
    res = r.finish(signal.SIGINT)
    assert res.status == 130
    assert "clock_nanosleep" in {c["name"] for c in surface_of(res)["calls"]}


# ---- two recordings ----

@pytest.fixture
def recordings(run, tmp_path):
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for path, command in zip(paths, (["sh", "-c", "true"], ["sh", "-c", "umask 077; kill -0 $$; cat /proc/self/limits >/dev/null"])):
        assert run("surface", "-f", "json", "-o", path, "--", *command).status == 0
    return paths


def test_diff(run, recordings):
    res = run("surface", "diff", *recordings)
    assert res.status == 0
    assert "\nSystem calls\n" in res.out and "  + umask  (3)\n" in res.out and "  + kill  (1)\n" in res.out
    assert "  + /proc/PID/limits  (1)\n" in res.out
    assert "\nFunctions of the kernel\n  not observable in both recordings\n" in res.out
    back = run("surface", "diff", *reversed(recordings))
    assert "  - umask  (3)\n" in back.out and "  + umask" not in back.out


def test_diff_json(run, recordings):
    [d] = data(run("surface", "diff", "-f", "json", *recordings), "diff")
    assert {"name": "umask", "count": 3} in d["calls"]["added"] and d["calls"]["comparable"]
    assert not d["functions"]["comparable"]


def test_diff_of_the_same(run, recordings):
    assert "\nThey reach the same.\n" in run("surface", "diff", recordings[0], recordings[0]).out


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"type": "surface", "data": {}}', "[" * 100000, '{"type": "surface"', "\0"])
def test_diff_of_what_is_no_recording(run, recordings, tmp_path, text):
    (tmp_path / "bad").write_text(text)
    res = run("surface", "diff", recordings[0], tmp_path / "bad")
    assert res.status == 1
    assert f"{tmp_path}/bad is no recording of sonde surface" in res.err


def test_diff_wrong(run, recordings):
    assert "two recordings are compared" in run("surface", "diff", recordings[0]).err
    res = run("surface", "diff", recordings[0], "/no/such/file")
    assert (res.status, res.err) == (1, "ERROR: cannot read /no/such/file: No such file or directory\n")
