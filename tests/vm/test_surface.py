# SPDX-License-Identifier: GPL-2.0-or-later
"""`sonde surface` with runc and crun on other kernels, where cgroups of version 2 are complete and functions can be
traced: a container starts under the profile that was made of one start, and every refusal is reported.

SONDE_VM_KERNELS names the kernels (default `6.1 6.12`).
"""
import json
import sys

import pytest

import containers
import kernels
import machine
import probes
from inside_jobs import inside

NAMES = kernels.asked_for("6.1 6.12")
CASES = [(mode, runtime) for mode in containers.MODES for runtime in ("runc", "crun")]


def job(mode, runtime):
    sonde = inside(probes.INFO)["command"][0]
    return {"command": [sys.executable, containers.__file__, mode, sonde, runtime], "env": {}, "timeout": 900}


def run_all(name, params):
    machine.check_tools()
    cases = [c for c in CASES if containers.available(c[1])]
    if not cases:
        raise kernels.Unavailable("neither runc nor crun is installed")
    return dict(zip(cases, machine.run_jobs(kernels.get(name), [job(*c) for c in cases])))


@pytest.mark.parametrize("mode, runtime", CASES)
def test_container(mode, runtime, answers):
    if (mode, runtime) not in answers:
        pytest.skip(f"{runtime} is not installed")
    out, err, status = answers[mode, runtime]
    assert status == 0, err
    seen = containers.CHECKS[mode](json.loads(out))
    assert seen is not False  # functions can be traced there
