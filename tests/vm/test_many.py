# SPDX-License-Identifier: GPL-2.0-or-later
"""Ten thousand functions of the kernel probed at once, where it has kprobe.multi; and more than is allowed."""
from pathlib import Path

import pytest

import kernels
import machine
import test_cases as lang

NAMES = kernels.asked_for("6.12")
# About 10,000 functions, none of which the machine lives by.
PROBED = "kprobe:[n-t]*"
SCRIPTS = {
    "attached": f"config = {{ max_probes = 30000 }} {PROBED} {{ @ = count(); }} interval:s:2 {{ exit(); }}",
    "too many": f"{PROBED} {{ @ = count(); }}",
    "all there are": "config = { max_probes = 1000 } kprobe:* { @ = count(); }",
}


def run_all(name, params):
    machine.check_tools()
    sonde = str(Path(lang.SONDE).resolve())
    jobs = [{"command": [sonde, "-q", "-e", SCRIPTS[p["script"]]], "env": {}, "timeout": 600} for p in params]
    jobs.append({"command": [sonde, "-l", PROBED], "env": {}, "timeout": 200})
    *answers, listed = machine.run_jobs(kernels.get(name), jobs)
    return {p["script"]: a for p, a in zip(params, answers)}, len(listed[0].splitlines())


@pytest.mark.parametrize("script", SCRIPTS)
def test_many(answers, script):
    found, number = answers
    out, err, status = found[script]
    print(f"{number} functions")
    if script == "attached":
        assert status == 0 and number > 9000 and int(out.split(":")[1]) > 0, err
    else:
        assert status == 1 and "max_probes" in err
