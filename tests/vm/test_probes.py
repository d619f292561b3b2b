# SPDX-License-Identifier: GPL-2.0-or-later
"""Every case of a probe on other kernels, all cases of a kernel in one machine.

SONDE_VM_KERNELS names the kernels (default `6.1 6.1-rt 6.12 6.12-rt`).
"""
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

import kernels
import machine
import probes
import programs
from inside_jobs import inside

NAMES = os.environ.get("SONDE_VM_KERNELS", "6.1 6.1-rt 6.12 6.12-rt").split()


def run_all(name, cases):
    """(features, {id(case): answer}, the results to be kept)"""
    machine.check_tools()
    info, *answers = machine.run_jobs(kernels.get(name), [inside(j) for j in (probes.INFO, *map(probes.job, cases))])
    return probes.features(info), {id(c): a for c, a in zip(cases, answers)}, probes.Results(name, info)


def selected(session, name):
    params = [i.callspec.params for i in session.items if i.module.__name__ == __name__ and hasattr(i, "callspec")]
    return [p["case"] for p in params if p["answers"] == name]


@pytest.fixture(scope="module")
def machines(request):
    """A future of the answers for each kernel."""
    programs.build()
    count = int(os.environ.get("SONDE_VM_JOBS", 0)) or os.cpu_count() or 1
    with ThreadPoolExecutor(count) as pool:
        yield {n: pool.submit(run_all, n, selected(request.session, n)) for n in NAMES}


@pytest.fixture(scope="module", params=NAMES)
def answers(request, machines):
    try:
        have, answer, results = machines[request.param].result()
    except kernels.Unavailable as e:
        pytest.skip(str(e))
    yield have, answer, results
    results.write()


@pytest.mark.parametrize("case", probes.CASES, ids=[c.id for c in probes.CASES])
def test_case(case, answers):
    have, answer, results = answers
    results.check(case, answer[id(case)], have)
