# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs within a virtual machine: memory hogs beside a bystander, with a killer that is to end them.

    inside.py KILLER SWAP_MIB LIMIT_MIB RUNS PROGRAMS SONDE [OPTION...]

KILLER is sonde, earlyoom=PATH, oomd=PATH or none; with a limit, the hog's cgroup has it. Prints one object of JSON: for each run how the hog ended, how long it
took, whether the kernel had to kill, and how late the bystander was; and what the killer said.
"""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def cgroup(name):
    (CGROUPS / name).mkdir(exist_ok=True)
    return CGROUPS / name


def start(group, *command, **how):
    """A process that is in the cgroup from its first instruction."""
    procs = str(group / "cgroup.procs")

    def enter():
        with open(procs, "w") as f:
            f.write("0")
        with open("/proc/self/oom_score_adj", "w") as f:
            f.write("0")
    return subprocess.Popen(command, preexec_fn=enter, text=True, **how)


def swap_on(mib):
    subprocess.run(["modprobe", "zram"], check=True)
    Path("/sys/block/zram0/disksize").write_text(f"{mib}M")
    subprocess.run(["mkswap", "/dev/zram0"], check=True, capture_output=True)
    subprocess.run(["swapon", "/dev/zram0"], check=True)


def kernel_kills():
    with open("/proc/vmstat") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("oom_kill "))


class Manager(threading.Thread):
    """What systemd's first process tells systemd-oomd: which cgroups it is to look after."""

    def __init__(self, groups):
        super().__init__(daemon=True)
        limit = int(0.6 * (2**32 - 1))
        self.reply = {"parameters": {"cgroups": [
            {"mode": "kill", "path": g, "property": p, **({"limit": limit} if p.endswith("Pressure") else {})}
            for g in groups for p in ("ManagedOOMSwap", "ManagedOOMMemoryPressure")]}, "continues": True}
        os.makedirs("/run/systemd/oom", exist_ok=True)
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.s.bind("/run/systemd/io.system.ManagedOOM")
        self.s.listen(4)
        self.kept = []

    def run(self):
        while True:
            c, _ = self.s.accept()
            c.recv(65536)
            c.sendall(json.dumps(self.reply).encode() + b"\0")
            self.kept.append(c)


def killer_start(kind, path, sonde, options, log):
    group = cgroup("killer")
    if kind == "none":
        return None
    if kind == "oomd":
        Manager(["/", "/work"]).start()
    command = {"sonde": [sonde, "pressure", "--kill", "--log", "/tmp/decisions", *options],
               "earlyoom": [path, "-r", "0"], "oomd": [path]}[kind]
    p = start(group, *command, stdout=log, stderr=log)
    time.sleep(3)
    assert p.poll() is None, f"{command} has ended"
    return p


def run_once(programs, file, group, mib):
    by = start(cgroup("work/bystander"), f"{programs}/bystander", file, stdout=subprocess.PIPE)
    by.stdout.readline()
    time.sleep(0.5)
    before, begin = kernel_kills(), time.monotonic()
    hog = start(group, f"{programs}/memhog", str(mib), stdout=subprocess.DEVNULL)
    try:
        hog.wait(120)
        ended = "killed" if hog.returncode == -signal.SIGKILL else f"status {hog.returncode}"
        if hog.returncode == -signal.SIGTERM:
            ended = "killed"
    except subprocess.TimeoutExpired:
        hog.kill()
        hog.wait()
        ended = "never"
    seconds = time.monotonic() - begin
    time.sleep(0.3)
    alive = by.poll() is None
    by.send_signal(signal.SIGTERM)
    late = by.communicate(timeout=60)[0].strip()
    return {"hog": ended, "seconds": seconds, "kernel_kills": kernel_kills() - before,
            "bystander_alive": alive, "bystander_worst_us": int(late) if alive and late else None}


def main():
    kind, _, path = sys.argv[1].partition("=")
    swap_mib, limit_mib, runs = map(int, sys.argv[2:5])
    programs, sonde, options = sys.argv[5], sys.argv[6], sys.argv[7:]
    # Of those who are killed, the one that counts is not to be among them; who it starts is.
    for pid in os.getpid(), os.getppid():
        Path(f"/proc/{pid}/oom_score_adj").write_text("-1000")
    (CGROUPS / "cgroup.subtree_control").write_text("+memory")
    (cgroup("work") / "cgroup.subtree_control").write_text("+memory")
    if limit_mib:
        (cgroup("work/hog") / "memory.max").write_text(f"{limit_mib}M")
    if swap_mib:
        swap_on(swap_mib)
    with tempfile.TemporaryFile("w+") as log, open("/var/tmp/file-of-bystander", "wb") as f:
        f.write(os.urandom(1 << 20) * 8)
        f.flush()
        killer = killer_start(kind, path, sonde, options, log)
        mem = {}
        if killer:
            with open(f"/proc/{killer.pid}/status") as s:
                mem = {k: v.strip() for k, v in (line.split(":", 1) for line in s) if k in ("VmRSS", "VmHWM", "VmLck")}
        done = []
        for _ in range(runs):
            done.append(run_once(programs, f.name, cgroup("work/hog"), 4096))
            time.sleep(1)
        if killer:
            killer.send_signal(signal.SIGINT if kind == "sonde" else signal.SIGTERM)
            killer.wait(30)
        log.seek(0)
        said = log.read()[-4000:]
    decisions = [json.loads(line) for line in open("/tmp/decisions")] if os.path.exists("/tmp/decisions") else []
    print(json.dumps({"runs": done, "said": said, "memory": mem, "decisions": decisions}))


main()
