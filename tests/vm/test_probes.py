# SPDX-License-Identifier: GPL-2.0-or-later
"""Every case of a probe on other kernels, all cases of a kernel in one machine.

SONDE_VM_KERNELS names the kernels (default `6.1 6.1-rt 6.12 6.12-rt`).
"""
import pytest

import kernels
import machine
import probes
import programs
from inside_jobs import inside

NAMES = kernels.asked_for("6.1 6.1-rt 6.12 6.12-rt")
SEEN = {}


def run_all(name, params):
    """(features, {id(case): answer}, the results to be kept)"""
    machine.check_tools()
    programs.build()
    cases = [p["case"] for p in params]
    jobs = [probes.INFO, *map(probes.job, cases)]
    info, *answers = machine.run_jobs(kernels.get(name), [inside(j) for j in jobs])
    return probes.features(info), {id(c): a for c, a in zip(cases, answers)}, probes.Results(name, info)


@pytest.fixture(scope="module")
def results(answers):
    yield answers[2]
    answers[2].write()
    SEEN[answers[2].head["kernel"]] = answers[2].now


@pytest.mark.parametrize("case", probes.CASES, ids=[c.id for c in probes.CASES])
def test_case(case, answers, results):
    have, answer, _ = answers
    results.check(case, answer[id(case)], have)
