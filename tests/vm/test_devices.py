# SPDX-License-Identifier: GPL-2.0-or-later
"""`sonde devices` beside a real systemd-udevd: both views of each event, and rules that come to the same in udev's
database and in sonde's own replay of them.

SONDE_VM_KERNELS names the kernels (default `6.12`).
"""
import grp
import json
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kernels
import machine
import probes
import udevd
from inside_jobs import inside

NAMES = kernels.asked_for("6.12")
ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = Path(os.environ.get("SONDE_RULES", ROOT / ".cache" / "rules")).parent / "udevd"


def udevadm():
    """It is udevd too. From Debian's package, kept in the cache."""
    if not (CACHE / "udevadm").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        got = subprocess.run(["apt-get", "download", "-qq", "udev"], cwd=CACHE, capture_output=True, timeout=300)
        debs = list(CACHE.glob("udev_*.deb"))
        if got.returncode or not debs:
            raise kernels.Unavailable("the package udev cannot be downloaded")
        subprocess.run(["dpkg", "-x", debs[0], CACHE / "unpacked"], check=True)
        shutil.copy(next((CACHE / "unpacked").rglob("bin/udevadm")), CACHE / "udevadm")
        shutil.rmtree(CACHE / "unpacked")
        debs[0].unlink()
    if subprocess.run([CACHE / "udevadm", "--version"], capture_output=True).returncode:
        raise kernels.Unavailable("udevadm of the package udev does not run here")
    return CACHE / "udevadm"


def run_all(name, params):
    machine.check_tools()
    job = {"command": [sys.executable, udevd.__file__, inside(probes.INFO)["command"][0], str(udevadm())], "env": {}, "timeout": 900}
    out, err, status = machine.run_jobs(kernels.get(name), [job])[0]
    assert status == 0, err
    return json.loads(out)


@pytest.mark.parametrize("event", udevd.EVENTS)
@pytest.mark.parametrize("device", udevd.DEVICES)
def test_rules_come_to_the_same(answers, device, event):
    i = udevd.EVENTS.index(event)
    udev = answers["udev"][device][i]
    said, err = answers["sonde"][device]
    assert not err
    sonde = said[i]
    assert sonde["event"] == event
    assert {p["name"]: p["value"] for p in sonde["properties"] if p["value"] and p["name"][0] != "."} == udev["properties"]
    assert sorted(t["name"] for t in sonde["tags"]) == udev["tags"]
    assert sorted(sonde["all_tags"]) == udev["all_tags"]
    assert sorted(x["name"] for x in sonde["links"]) == udev["links"]
    assert not [k for k in udev["properties"] if k == "T_WRONG"]
    if "node" in udev:
        n = sonde["node"]
        assert [n["mode"], pwd.getpwnam(n["owner"]).pw_uid, grp.getgrnam(n["group"]).gr_gid] == udev["node"]


def test_lines_that_udev_refuses(answers):
    """The same lines, of which it says so in its log."""
    for said in ("Invalid operator for SUBSYSTEM", 'GOTO="nowhere" has no matching label'):
        assert said in answers["log"]


def test_each_event_is_seen_twice(answers):
    events = [e["data"] for e in answers["events"] if e["type"] == "event"]
    for device in udevd.DEVICES:
        for event in udevd.EVENTS:
            both = [e for e in events if e["devpath"].endswith(device[len("/sys/class"):]) and e["action"] == event]
            assert [e["from"] for e in both] == ["kernel", "udev"], (device, event)
            assert both[0]["seqnum"] == both[1]["seqnum"] and both[1]["after_kernel_ns"] > 0
    [summary] = [e["data"] for e in answers["events"] if e["type"] == "summary"]
    assert summary["answers"] == len(udevd.DEVICES) * len(udevd.EVENTS)
    assert summary["unanswered"] == summary["overruns"] == 0 and summary["udev_runs"]


def test_what_bind_loses_is_shown(answers):
    [bind] = [e["data"] for e in answers["events"] if e["type"] == "event" and e["data"]["from"] == "udev" and
              e["data"]["action"] == "bind" and e["data"]["devpath"] == "/devices/virtual/mem/null"]
    lost = {(x["name"], x["value"], x["since"]) for x in bind["lost"]}
    assert {("T_ADD", "1", "add"), ("T_ADD_CHANGE", "1", "add"), ("TAG", "t_add", "add")} <= lost
    assert "T_KEPT" not in {x["name"] for x in bind["lost"]}
