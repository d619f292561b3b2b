# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs within a virtual machine that systemd has started: the unit of the low-memory killer from its start to its stop.

    service_inside.py SONDE PROGRAMS

Prints one object of JSON: what each step said, and the figures of the service.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
UNIT = "sonde-pressure.service"
LOG = Path("/var/log/sonde/pressure.json")


def run(*command):
    r = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return {"status": r.returncode, "said": r.stdout + r.stderr}


def shown(unit, *names):
    return dict(line.split("=", 1) for line in run("systemctl", "show", "-p", ",".join(names), unit)["said"].splitlines())


def logged():
    return [json.loads(line) for line in LOG.read_text().splitlines()] if LOG.exists() else []


def wait_for(condition):
    for _ in range(600):
        if condition():
            return True
        time.sleep(0.1)
    return False


def install(sonde):
    """Where a package puts them."""
    shutil.copy(sonde, "/usr/bin/sonde")
    text = (REPOSITORY / "packaging" / "systemd" / f"{UNIT}.in").read_text()
    Path("/etc/systemd/system", UNIT).write_text(text.replace("@bindir@", "/usr/bin"))
    return run("systemctl", "daemon-reload")


def hog(programs, name):
    """Its end, as systemd tells it."""
    run("systemd-run", "--unit", name, "-p", "OOMScoreAdjust=0", "-p", "RemainAfterExit=yes", f"{programs}/memhog", "4096")
    wait_for(lambda: shown(name, "SubState")["SubState"] not in ("running", "start"))
    return shown(name, "Result", "ExecMainStatus")


def kernel_kills():
    return int(re.search(r"^oom_kill (\d+)$", Path("/proc/vmstat").read_text(), re.M)[1])


def main():
    sonde, programs = sys.argv[1:]
    told = {"install": install(sonde), "verify": run("systemd-analyze", "verify", "--man=no", UNIT)}
    told["start"] = run("systemctl", "start", UNIT)
    told["running"] = shown(UNIT, "ActiveState", "MainPID", "NRestarts")
    pid = told["running"]["MainPID"]
    if pid != "0":
        status = Path(f"/proc/{pid}/status").read_text()
        told["status"] = {k: v.strip() for k, v in (line.split(":", 1) for line in status.splitlines())}
        told["oom_score_adj"] = int(Path(f"/proc/{pid}/oom_score_adj").read_text())
        told["policy"] = os.sched_getscheduler(int(pid)) & ~os.SCHED_RESET_ON_FORK
    told["hog"] = hog(programs, "hog")
    told["kernel_kills"] = kernel_kills()
    told["log"] = logged()
    os.kill(int(pid), signal.SIGKILL)
    told["again"] = wait_for(lambda: shown(UNIT, "ActiveState")["ActiveState"] == "active" and shown(UNIT, "MainPID")["MainPID"] not in ("0", pid))
    told["second"] = hog(programs, "second")
    told["restarts"] = shown(UNIT, "NRestarts")["NRestarts"]
    told["stop"] = run("systemctl", "stop", UNIT)
    told["stopped"] = shown(UNIT, "ActiveState", "Result")
    told["end"] = logged()[-1:]
    told["journal"] = run("journalctl", "-u", UNIT, "-o", "cat", "--no-pager")["said"]
    told["security"] = run("systemd-analyze", "security", "--no-pager", UNIT)["said"]
    print(json.dumps(told))


main()
