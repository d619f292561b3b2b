# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases and tables of tests/lang on other kernels: their verifiers accept the same programs, and the
output is the same.

SONDE_VM_KERNELS names the kernels (default `6.1 6.12`). All cases run that get as far as the
kernel, and of the tables every STRIDE-th row; with SONDE_VM_FULL=1 errors of the compiler and all rows too.
Only what is selected (pytest -k) is run.
"""
import os

import pytest

import kernels
import machine
import test_cases as lang
import tables
from inside_jobs import inside

NAMES = kernels.asked_for("6.1 6.12")
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


def run_all(name, params):
    """{id(case or row): (stdout, stderr, status)}"""
    machine.check_tools()
    kernel = kernels.get(name)
    cases = [p["case"] for p in params if "case" in p]
    rows = [p["row"] for p in params if "row" in p]
    single = [*cases, *(r for r in rows if r.alone)]
    batches = tables.batches(rows, BATCH)
    jobs = [lang.case_job(c) for c in cases] + [lang.row_job(r) for r in rows if r.alone]
    jobs += [lang.batch_job(b) for b in batches]
    answers = machine.run_jobs(kernel, [inside(j) for j in jobs])
    results = {id(one): answer for one, answer in zip(single, answers)}
    results.update(batch_results(kernel, batches, answers[len(single):]))
    return results


@pytest.mark.parametrize("case", CASES, ids=[c.id for c in CASES])
def test_case(case, answers):
    lang.check_case(case, answers[id(case)])


@pytest.mark.parametrize("row", ROWS, ids=[r.id for r in ROWS])
def test_row(row, answers):
    lang.check_alone(row, answers[id(row)])
