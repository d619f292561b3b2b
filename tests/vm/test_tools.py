# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of tools on other kernels, all cases of a kernel in one machine.

SONDE_VM_KERNELS names the kernels (default `6.1 6.12`). Those run that this machine's own kernel cannot show, and of the
others every STRIDE-th, not the same on each kernel; with SONDE_VM_FULL=1 all of them.
"""
import os

import pytest

import kernels
import machine
import probes
import toolcases
from inside_jobs import inside

NAMES = kernels.asked_for("6.1 6.12")
STRIDE = 1 if os.environ.get("SONDE_VM_FULL") else 4


def chosen(name):
    here = [c for c in toolcases.CASES if toolcases.runs_on(c, name)]
    first = NAMES.index(name) * 2 % STRIDE
    return [c for i, c in enumerate(here) if i % STRIDE == first or "needs" in c.keys or
            not toolcases.runs_on(c, "live")]


def run_all(name, params):
    """(features, {id(case): answer}, the results to be kept)"""
    machine.check_tools()
    toolcases.prepare()
    cases = [p["case"] for p in params]
    jobs = [probes.INFO, *map(toolcases.job, cases)]
    info, *answers = machine.run_jobs(kernels.get(name), [inside(j) for j in jobs])
    return probes.features(info), {id(c): a for c, a in zip(cases, answers)}, toolcases.Results(name, info)


@pytest.fixture(scope="module")
def results(answers):
    yield answers[2]
    answers[2].write()


def test_case(case, answers, results):
    have, answer, _ = answers
    results.check(case, answer[id(case)], have)
