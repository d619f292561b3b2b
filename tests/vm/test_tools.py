# SPDX-License-Identifier: GPL-2.0-or-later
"""Every case of a tool on other kernels, all cases of a kernel in one machine.

SONDE_VM_KERNELS names the kernels (default `6.1 6.12`).
"""
import pytest

import kernels
import machine
import probes
import toolcases
from inside_jobs import inside

NAMES = kernels.asked_for("6.1 6.12")


def run_all(name, params):
    """(features, {id(case): answer}, the results to be kept)"""
    machine.check_tools()
    toolcases.prepare()
    cases = [p["case"] for p in params if toolcases.runs_on(p["case"], name)]
    jobs = [probes.INFO, *map(toolcases.job, cases)]
    info, *answers = machine.run_jobs(kernels.get(name), [inside(j) for j in jobs])
    return probes.features(info), {id(c): a for c, a in zip(cases, answers)}, toolcases.Results(name, info)


@pytest.fixture(scope="module")
def results(answers):
    yield answers[2]
    answers[2].write()


CASES = [c for c in toolcases.CASES if any(toolcases.runs_on(c, n) for n in NAMES)]


@pytest.mark.parametrize("case", CASES, ids=[c.id for c in CASES])
def test_case(case, answers, results):
    have, answer, _ = answers
    if id(case) in answer:
        results.check(case, answer[id(case)], have)
    else:
        assert not toolcases.runs_on(case, results.head["kernel"])
