# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases of probes on other kernels, all cases of a kernel in one machine.

SONDE_VM_KERNELS names the kernels (default `6.1 6.1-rt 6.12 6.12-rt`). The realtime ones run every STRIDE-th, and not the
same; with SONDE_VM_FULL=1 all of them.
"""
import os

import pytest

import kernels
import machine
import probes
import programs
from inside_jobs import inside

NAMES = kernels.asked_for("6.1 6.1-rt 6.12 6.12-rt")
STRIDE = 1 if os.environ.get("SONDE_VM_FULL") else 4
SEEN = {}


def chosen(name):
    if not name.endswith("-rt"):
        return probes.CASES
    first = NAMES.index(name) % STRIDE
    return [c for i, c in enumerate(probes.CASES) if i % STRIDE == first]


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


def test_case(case, answers, results):
    have, answer, _ = answers
    results.check(case, answer[id(case)], have)
