# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases and tables of tests/lang on other kernels: their verifiers accept the same programs, and the
output is the same.

SONDE_VM_KERNELS names the kernels (default `6.1-cloud 6.12-cloud`). All cases run that get as far as the
kernel, and of the tables every STRIDE-th row; with SONDE_VM_FULL=1 errors of the compiler and all rows too.
Only what is selected (pytest -k) is run. The kernels run side by side, at most SONDE_VM_JOBS of them (default:
one for each CPU).
"""
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

import kernels
import machine
import test_cases as lang
import tables
from inside_jobs import inside

NAMES = os.environ.get("SONDE_VM_KERNELS", "6.1-cloud 6.12-cloud").split()
FULL = os.environ.get("SONDE_VM_FULL") == "1"
STRIDE = 1 if FULL else 6
BATCH = 24
CASES = [c for c in lang.CASES if FULL or c.keys.get("status", "0") == "0"]
ROWS = lang.ROWS if FULL else [r for r in lang.ROWS if not r.errors][::STRIDE]


def batch_results(kernel, batches, answers):
    """{id(row): its output, or what it did alone where the batch did not do}"""
    results, alone = {}, []
    for batch, answer in zip(batches, answers):
        outputs = lang.batch_answers(batch, answer)
        for row in batch:
            if outputs.get(row) == row.expected:
                results[id(row)] = (row.expected, "", 0)
            else:
                alone.append(row)
    if alone:
        again = machine.run_jobs(kernel, [inside(lang.row_job(r)) for r in alone])
        results.update({id(r): a for r, a in zip(alone, again)})
    return results


def run_all(name, cases, rows):
    """{id(case or row): (stdout, stderr, status)}"""
    machine.check_tools()
    kernel = kernels.get(name)
    single = [*cases, *(r for r in rows if r.alone)]
    batches = tables.batches(rows, BATCH)
    jobs = [lang.case_job(c) for c in cases] + [lang.row_job(r) for r in rows if r.alone]
    jobs += [lang.batch_job(b) for b in batches]
    answers = machine.run_jobs(kernel, [inside(j) for j in jobs])
    results = {id(one): answer for one, answer in zip(single, answers)}
    results.update(batch_results(kernel, batches, answers[len(single):]))
    return results


def selected(session, name, kind):
    """What the selected tests of a kernel ask for: cases or rows."""
    params = [i.callspec.params for i in session.items if hasattr(i, "callspec")]
    return [p[kind] for p in params if p.get("answers") == name and kind in p]


@pytest.fixture(scope="module")
def machines(request):
    """A future of the answers for each kernel."""
    count = int(os.environ.get("SONDE_VM_JOBS", 0)) or os.cpu_count() or 1
    with ThreadPoolExecutor(count) as pool:
        yield {n: pool.submit(run_all, n, selected(request.session, n, "case"),
                              selected(request.session, n, "row")) for n in NAMES}


@pytest.fixture(scope="module", params=NAMES)
def answers(request, machines):
    try:
        return machines[request.param].result()
    except kernels.Unavailable as e:
        pytest.skip(str(e))


@pytest.mark.parametrize("case", CASES, ids=[c.id for c in CASES])
def test_case(case, answers):
    lang.check_case(case, answers[id(case)])


@pytest.mark.parametrize("row", ROWS, ids=[r.id for r in ROWS])
def test_row(row, answers):
    lang.check_alone(row, answers[id(row)])
