# SPDX-License-Identifier: GPL-2.0-or-later
"""`sonde pressure --kill` on a machine with cgroup v2 whose memory comes to its end: every hog is killed, the kernel need not
kill, and the bystander lives. bench/pressure.py does the same more often, and beside other killers.
"""
import json
import subprocess
from pathlib import Path

import pytest

import kernels
import machine
import test_cases as lang

HERE = Path(__file__).resolve().parent.parent / "pressure"
NAMES = [n for n in kernels.asked_for("6.1 6.12") if not n.endswith("-cloud")]
RUNS = 2
# MiB of swap, MiB of the hog's limit, options, the reason and the domain that the log must name (None: any).
SETTINGS = {
    "no-swap": (0, 0, [], "exhausted", "the machine"),
    "zram": (400, 0, [], None, "the machine"),
    "cgroup": (0, 256, [], "exhausted", "/work/hog"),
    "policy-cgroup": (0, 0, ["--policy", "cgroup"], "exhausted", "the machine"),
}


def programs(sonde):
    """Where they are: beside sonde, which machines see."""
    directory = Path(sonde).resolve().parent / "tests"
    directory.mkdir(exist_ok=True)
    for name in ("memhog", "bystander"):
        subprocess.run(["gcc", "-O2", "-o", directory / name, HERE / f"{name}.c"], check=True)
    return str(directory)


def run_all(name, params):
    """Each setting has a machine of its own: what one leaves behind is no start for the next."""
    machine.check_tools()
    sonde = str(Path(lang.SONDE).resolve())
    answers = {}
    for setting in sorted({p["setting"] for p in params}):
        swap, limit, options, _, _ = SETTINGS[setting]
        job = {"command": ["/usr/bin/python3", str(HERE / "inside.py"), "sonde", str(swap), str(limit), str(RUNS), programs(sonde), sonde,
                           *options], "env": {}, "timeout": 600}
        [answers[setting]] = machine.run_jobs(kernels.get(name), [job], machine.CLOCK_OF_ITS_OWN)
    return answers


@pytest.mark.parametrize("setting", SETTINGS)
def test_hogs_are_killed(answers, setting):
    out, err, status = answers[setting]
    assert status == 0, (out[-2000:], err)
    told = json.loads(out)
    _, _, options, reason, domain = SETTINGS[setting]
    for run in told["runs"]:
        assert (run["hog"], run["kernel_kills"], run["bystander_alive"]) == ("killed", 0, True), told["said"]
    decisions = [d["data"] for d in told["decisions"] if d["type"] == "decision"]
    assert len(decisions) == RUNS and {d["action"] for d in decisions} == {"kill"}, told["said"]
    assert {d["victim"]["comm"] for d in decisions} == {"memhog"} and {d["domain"] for d in decisions} == {domain}
    # Nobody dies for what another one did who is dead.
    victims = [d["victim"]["pid"] for d in decisions]
    for i, d in enumerate(decisions):
        assert d["evidence"].get("stalled", {}).get("pid") not in victims[:i], decisions
    assert not reason or {d["reason"] for d in decisions} == {reason}, decisions
    assert all(("cgroup" in d["victim"]) == bool(options) for d in decisions), decisions
    # It looks after the machine from memory that it has, which is not much.
    assert all(int(told["memory"][k].split()[0]) < 6 * 1024 for k in ("VmRSS", "VmHWM")), told["memory"]
