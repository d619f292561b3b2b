# SPDX-License-Identifier: GPL-2.0-or-later
"""Run every case and every table of tests/lang/cases on the live kernel, several at a time."""
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import cases
import tables

SONDE = os.environ.get("SONDE", "build/sonde")
HERE = Path(__file__).parent / "cases"
CASES = cases.load(HERE)
ROWS = tables.load(HERE)
BATCH = 24


def sonde_job(program, options=(), params=(), env=(), timeout=20.0):
    """What is to be run and how; the virtual machines of tests/vm run the same."""
    return {"command": [SONDE, "-q", *options, "-e", program, *params], "timeout": timeout,
            "env": {"TZ": "UTC", "LC_ALL": "C.UTF-8", **dict(w.split("=", 1) for w in env)}}


def run(job):
    """(stdout, stderr, exit status)"""
    r = subprocess.run(job["command"], capture_output=True, env=dict(os.environ, **job["env"]),
                       stdin=subprocess.DEVNULL, timeout=job["timeout"])
    return (r.stdout.decode(errors="backslashreplace"), r.stderr.decode(errors="backslashreplace"),
            r.returncode)


def case_job(case):
    return sonde_job(case.keys["program"], case.words("options"), case.words("params"), case.words("env"),
                     float(case.keys.get("timeout", 20)))


def row_job(row):
    g = row.group
    return sonde_job(row.program, g.words("options"), g.words("params"), g.words("env"))


def batch_job(batch):
    g = batch[0].group
    program = tables.QUIET + "\n".join(
        f"BEGIN {{ {tables.mark(i)} {tables.renamed(row.statements, i)} }}" for i, row in enumerate(batch))
    return sonde_job(program, g.words("options"), g.words("params"), g.words("env"), 60.0)


def batch_answers(batch, answer):
    """{row: output}; empty when the program as a whole did not do."""
    out, err, status = answer
    if status or err:
        return {}
    parts = tables.split_output(out)
    return {row: tables.plain(parts[i], i) for i, row in enumerate(batch) if i in parts}


def run_batch(batch):
    return batch_answers(batch, run(batch_job(batch)))


@pytest.fixture(scope="session")
def answers():
    """Futures: of a case and of a row that runs alone by its identity, of a batch for each of its rows."""
    with ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        futures = {id(c): pool.submit(run, case_job(c)) for c in CASES}
        futures.update({id(r): pool.submit(run, row_job(r)) for r in ROWS if r.alone})
        for batch in tables.batches(ROWS, BATCH):
            future = pool.submit(run_batch, batch)
            futures.update({id(r): future for r in batch})
        yield futures
        for future in futures.values():
            future.cancel()


def check_case(case, answer):
    out, err, status = answer
    shown = f"{case.file.name}:{case.line}\nstdout:\n{out}\nstderr:\n{err}"
    # What the first failure says should be the cause, so the error text comes before the output.
    for line in case.keys.get("err", "").splitlines():
        assert line in err, shown
    if "err" not in case.keys:
        assert err == "", shown
    if "out" in case.keys:
        # Blank lines at the end do not count: cases cannot show them.
        assert out.rstrip("\n") == case.keys["out"], shown
    if "out-re" in case.keys:
        assert re.fullmatch(case.keys["out-re"], out.rstrip("\n"), re.S), shown
    assert status == int(case.keys.get("status", 0)), shown


@pytest.mark.parametrize("case", CASES, ids=[c.id for c in CASES])
def test_case(case, answers):
    check_case(case, answers[id(case)].result())


def check_alone(row, answer):
    out, err, status = answer
    shown = f"{row.group.file.name}:{row.line}\nprogram: {row.program}\nstdout:\n{out}\nstderr:\n{err}"
    for text in row.errors:
        assert text in err, shown
    assert status == (1 if row.errors else 0), shown
    if not row.errors:
        assert err == "", shown
        assert out.strip("\n") == row.expected, shown


@pytest.mark.parametrize("row", ROWS, ids=[r.id for r in ROWS])
def test_row(row, answers):
    answer = answers[id(row)].result()
    if row.alone:
        check_alone(row, answer)
    elif answer.get(row) != row.expected:
        check_alone(row, run(row_job(row)))
        # Alone it does; then what it did among others must have been no answer at all.
        assert not answer, f"{row.group.file.name}:{row.line}\nright alone, but in a batch:\n{answer.get(row)}"
