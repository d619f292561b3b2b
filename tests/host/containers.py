# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers for tests: bundles with busybox as their whole world, run by runc or crun. As a program it does within a
virtual machine what test_surface.py does here:

    containers.py first-try SONDE RUNTIME   records one start, and starts again under the profile made of it
    containers.py functions SONDE RUNTIME   which functions of the kernel a container reaches
    containers.py audit SONDE RUNTIME       counts refusals of a container that has a profile
"""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# It forks, opens files of /proc, and makes a pipe: a bit of everything.
WORK = "echo hello; ls /proc/self >/dev/null; cat /proc/version | cat >/dev/null; (sleep 0.1; true) & wait; echo done"
SECONDS = 120


def available(runtime):
    return shutil.which(runtime) and shutil.which("busybox")


def bundle(parent, name, script, profile=None, no_new_privileges=True):
    """A directory that a runtime can run."""
    d = Path(parent) / name
    root = d / "rootfs"
    for sub in ("bin", "proc", "sys", "dev", "tmp"):
        (root / sub).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    for applet in ("sh", "sleep", "ls", "cat", "true", "mount", "mkdir", "chown", "umount", "chroot", "nice", "hostname"):
        (root / "bin" / applet).symlink_to("busybox")
    capabilities = ["CAP_KILL", "CAP_NET_BIND_SERVICE"]
    config = {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False, "user": {"uid": 0, "gid": 0}, "args": ["/bin/sh", "-c", script],
            "env": ["PATH=/bin"], "cwd": "/", "noNewPrivileges": no_new_privileges,
            "capabilities": {k: capabilities for k in ("bounding", "effective", "permitted")},
        },
        "root": {"path": "rootfs", "readonly": False}, "hostname": "test",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]},
        ],
        "linux": {
            "namespaces": [{"type": t} for t in ("pid", "network", "ipc", "uts", "mount")],
            "maskedPaths": ["/proc/kcore", "/proc/keys"], "readonlyPaths": ["/proc/sys", "/proc/irq"],
        },
    }
    if profile is not None:
        config["linux"]["seccomp"] = profile
    (d / "config.json").write_text(json.dumps(config))
    return d


def command(runtime, d, name):
    return [runtime, "run", "--bundle", str(d), name]


def run(args, **kw):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL, **kw)


@contextlib.contextmanager
def place():
    with tempfile.TemporaryDirectory(prefix="sonde-c-") as tmp:
        yield Path(tmp)


def unique(name):
    return f"sonde-{name}-{os.getpid()}"


def first_try(sonde, runtime):
    """One recording without a profile, then starts under what it gave: one for each time at which runtimes load it."""
    with place() as tmp:
        profile = tmp / "profile.json"
        plain = bundle(tmp, "plain", WORK)
        seen = run([sonde, "surface", "-f", "json", "-o", tmp / "recording.json", "-p", profile, "--",
                    *command(runtime, plain, unique("plain"))])
        answer = {"recording": [seen.returncode, seen.stdout, seen.stderr], "starts": []}
        if not profile.exists():
            return answer
        answer["profile"] = json.loads(profile.read_text())
        lines = map(json.loads, (tmp / "recording.json").read_text().splitlines())
        [answer["surface"]] = [line["data"] for line in lines if line["type"] == "surface"]
        for nnp in (True, False):
            d = bundle(tmp, f"limited{nnp}", WORK, answer["profile"], nnp)
            res = run(command(runtime, d, unique(f"limited{nnp}")))
            answer["starts"].append([res.returncode, res.stdout, res.stderr])
        # Something that it never did is refused, or the profile would be worth nothing.
        d = bundle(tmp, "other", "mkdir /tmp/x && echo made", answer["profile"])
        res = run(command(runtime, d, unique("other")))
        answer["other"] = [res.returncode, res.stdout, res.stderr]
        return answer


def functions(sonde, runtime):
    """Functions of the kernel, with the parts of it that they belong to."""
    with place() as tmp:
        d = bundle(tmp, "traced", WORK)
        res = run([sonde, "surface", "-f", "json", "--functions", "vfs_*,pipe_*", "--", *command(runtime, d, unique("traced"))])
        return {"status": res.returncode, "err": res.stderr, "lines": [json.loads(x) for x in res.stdout.splitlines() if x[:1] == "{"]}


def check_functions(a):
    assert a["status"] == 0, a["err"]
    [s] = [line["data"] for line in a["lines"] if line["type"] == "surface"]
    if "functions" in [u["item"] for u in s["not_observable"]]:
        assert not s["functions"] and not s["subsystems"]
        return False
    names = {f["name"] for f in s["functions"] if f["part"] == "work"}
    assert {"vfs_read", "pipe_write"} <= names
    totals = {x["name"]: x for x in s["subsystems"] if x["part"] == "work"}
    assert set(totals) == {"files: VFS", "files: pipes"}
    for name, begin in (("files: VFS", "vfs_"), ("files: pipes", "pipe_")):
        rows = [f for f in s["functions"] if f["part"] == "work" and f["name"].startswith(begin)]
        assert (totals[name]["functions"], totals[name]["count"]) == (len(rows), sum(f["count"] for f in rows))
    return True


def refusing(profile_calls):
    """Everything but these calls."""
    return {"defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{"names": profile_calls, "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}


def audit(sonde, runtime):
    """100 refusals of a container that runs: 50 of mkdir and 50 of chown, between two marks."""
    script = ("while [ ! -e /tmp/go ]; do sleep 0.05; done; i=0; "
              "while [ $i -lt 50 ]; do mkdir /tmp/d; chown 1 /tmp/go; i=$((i+1)); done 2>/dev/null; sleep 0.3; echo done")
    with place() as tmp:
        d = bundle(tmp, "audited", script, refusing(["mkdir", "mkdirat", "chown", "lchown", "fchownat"]))
        name = unique("audited")
        container = subprocess.Popen(command(runtime, d, name), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True)
        p = None
        try:
            for _ in range(600):
                if run([runtime, "state", name]).stdout.find('"running"') > 0:
                    break
                time.sleep(0.05)
            p = subprocess.Popen([sonde, "surface", "--audit", "-f", "json", "--container", name], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            head = p.stdout.readline()
            (d / "rootfs/tmp/go").write_text("")
            said, _ = container.communicate(timeout=SECONDS)
            out, err = p.communicate(timeout=SECONDS)
        finally:
            for q in (p, container):
                if q and q.poll() is None:
                    q.kill()
        return {"container": [container.returncode, said], "status": p.returncode, "err": err,
                "lines": [json.loads(line) for line in (head + out).splitlines()]}


def check_first_try(a):
    assert a["recording"][0] == 0, a
    assert a["surface"]["contained"] and a["surface"]["lost"] == 0
    assert [u["item"] for u in a["surface"]["not_observable"]] == ["functions"]
    asked = {c["name"]: c for c in a["surface"]["capabilities"] if c["part"] != "outside"}
    assert "CAP_SYS_ADMIN" in asked or "CAP_SYS_ADMIN (refused)" in asked
    assert {"/proc/version"} <= {f["name"] for f in a["surface"]["files"] if f["part"] == "work"}
    for status, out, err in a["starts"]:
        assert (status, out) == (0, "hello\ndone\n"), (err, a["profile"])
    assert "made" not in a["other"][1]
    names = {n for s in a["profile"]["syscalls"] for n in s["names"]}
    assert not names & {"mount", "pivot_root", "unshare", "setns", "bpf", "ptrace", "mkdir"}


def check_audit(a):
    assert a["container"] == [0, "done\n"], a
    refusals = [line["data"] for line in a["lines"] if line["type"] == "refusal"]
    calls = [r["call"] for r in refusals]
    assert sum(c in ("mkdir", "mkdirat") for c in calls) == 50
    assert sum(c in ("chown", "lchown", "fchownat") for c in calls) == 50
    assert len(calls) == 100
    assert {r["error"] for r in refusals} == {"EPERM"}
    [summary] = [line["data"] for line in a["lines"] if line["type"] == "summary"]
    assert summary["refusals"] == 100 and summary["ended"] and summary["lost"] == summary["unsure"] == 0
    assert a["status"] == 3


MODES = {"first-try": first_try, "functions": functions, "audit": audit}
CHECKS = {"first-try": check_first_try, "functions": check_functions, "audit": check_audit}

if __name__ == "__main__":
    mode, sonde_path, runtime_name = sys.argv[1:]
    print(json.dumps(MODES[mode](sonde_path, runtime_name)))
