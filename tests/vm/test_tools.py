# SPDX-License-Identifier: GPL-2.0-or-later
"""Every case of a tool on other kernels, all cases of a kernel in one machine.

SONDE_TOOL_KERNELS names the kernels (default `6.1 6.12`).
"""
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

import kernels
import machine
import probes
import toolcases
from inside_jobs import inside

NAMES = os.environ.get("SONDE_TOOL_KERNELS", "6.1 6.12").split()
PAIRS = [(n, c) for n in NAMES for c in toolcases.CASES if toolcases.runs_on(c, n)]


def run_all(name, cases):
    """(features, {id(case): answer}, the results to be kept)"""
    machine.check_tools()
    info, *answers = machine.run_jobs(kernels.get(name), [inside(j) for j in (probes.INFO, *map(toolcases.job, cases))])
    return probes.features(info), {id(c): a for c, a in zip(cases, answers)}, toolcases.Results(name, info)


@pytest.fixture(scope="module")
def machines(request):
    """A future of the answers for each kernel, and at the end the results written."""
    toolcases.prepare()
    items = [i.callspec.params["pair"] for i in request.session.items if i.module.__name__ == __name__]
    count = int(os.environ.get("SONDE_VM_JOBS", 0)) or os.cpu_count() or 1
    with ThreadPoolExecutor(count) as pool:
        futures = {n: pool.submit(run_all, n, [c for k, c in items if k == n]) for n in {k for k, _ in items}}
        yield futures
        for f in futures.values():
            if not f.exception():
                f.result()[2].write()


@pytest.mark.parametrize("pair", PAIRS, ids=[f"{n}: {c.id}" for n, c in PAIRS])
def test_case(pair, machines):
    name, case = pair
    try:
        have, answers, results = machines[name].result()
    except kernels.Unavailable as e:
        pytest.skip(str(e))
    results.check(case, answers[id(case)], have)
