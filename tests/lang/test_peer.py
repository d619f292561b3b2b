# SPDX-License-Identifier: GPL-2.0-or-later
"""The same programs under packaged bpftrace 0.17, where it knows the feature: the outputs must agree.

Starting it costs a quarter of a second, of which it mostly waits, so rows of a table are put together and
several run at a time; a batch that it refuses is halved until the row that it does not like stands alone.
"""
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import cases
import tables

HERE = Path(__file__).parent / "cases"
PEER = shutil.which("bpftrace")
ROWS = [r for r in tables.load(HERE) if r.peer == "same"]
CASES = [c for c in cases.load(HERE) if c.keys.get("peer") == "same"]
BATCH = 16
AT_A_TIME = 8


def version():
    if not PEER:
        return "bpftrace is not installed"
    r = subprocess.run([PEER, "--version"], capture_output=True, text=True)
    return "" if " v0.17" in r.stdout else f"bpftrace 0.17 is wanted, installed is {r.stdout.strip()}"


pytestmark = [pytest.mark.skipif(bool(version()), reason=version() or "-"),
              pytest.mark.skipif(os.geteuid() != 0, reason="bpftrace 0.17 wants root")]


def peer(program, options=(), params=(), env=()):
    """(stdout, stderr): the program ends by itself, as it would under sonde."""
    if "exit(" not in program:
        program += "\ninterval:ms:1 { exit(); }"
    r = subprocess.run([PEER, "-q", *options, "-e", program, *params], capture_output=True, timeout=120,
                       env=dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", **dict(w.split("=", 1) for w in env)),
                       stdin=subprocess.DEVNULL)
    return r.stdout.decode(errors="backslashreplace"), r.stderr.decode(errors="backslashreplace")


def run_rows(batch):
    """{row: output}, or a row's error text where it had to stand alone."""
    g = batch[0].group
    statements = "\n".join(f"{tables.mark(i)} {tables.renamed(r.statements, i)}" for i, r in enumerate(batch))
    # Maps are printed at the end, in no form that says whose they are: what follows the last mark is dropped.
    program = f'BEGIN {{ {statements}\n{tables.mark(len(batch))} }}'
    out, err = peer(program, g.words("options"), g.words("params"), g.words("env"))
    parts = tables.split_output(out)
    if len(parts) == len(batch) + 1:
        return {r: tables.plain(parts[i], i) for i, r in enumerate(batch)}
    if len(batch) == 1:
        return {batch[0]: err}
    half = len(batch) // 2
    return {**run_rows(batch[:half]), **run_rows(batch[half:])}


def run_program(row):
    g = row.group
    return {row: peer(row.text, g.words("options"), g.words("params"), g.words("env"))[0]}


def run_case(case):
    return peer(case.keys["program"], case.words("options"), case.words("params"), case.words("env"))[0]


def lines(text):
    """Lines that say something: 0.17 puts other blank lines around maps, and a note about memlock."""
    return [line.rstrip() for line in text.split("\n") if line.strip() and "RLIMIT_MEMLOCK" not in line]


@pytest.fixture(scope="session")
def peer_answers():
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        futures = {id(c): pool.submit(run_case, c) for c in CASES}
        futures.update({id(r): pool.submit(run_program, r) for r in ROWS if r.alone})
        for batch in tables.batches(ROWS, BATCH):
            future = pool.submit(run_rows, batch)
            futures.update({id(r): future for r in batch})
        yield futures
        for future in futures.values():
            future.cancel()


@pytest.mark.parametrize("row", ROWS, ids=[r.id for r in ROWS])
def test_row_agrees(row, peer_answers):
    answer = peer_answers[id(row)].result()[row]
    assert lines(answer) == lines(row.expected), f"{row.group.file.name}:{row.line}: {row.text}\n{answer}"


@pytest.mark.parametrize("case", CASES, ids=[c.id for c in CASES])
def test_case_agrees(case, peer_answers):
    answer = peer_answers[id(case)].result()
    shown = f"{case.file.name}:{case.line}\n{answer}"
    if "out-re" in case.keys:
        assert re.fullmatch(case.keys["out-re"], "\n".join(lines(answer)), re.S), shown
    else:
        assert lines(answer) == lines(case.keys["out"]), shown


def test_enough_is_compared():
    assert len(ROWS) + len(CASES) >= 300
