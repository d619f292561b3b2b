# SPDX-License-Identifier: GPL-2.0-or-later
"""Random programs on other kernels: their verifiers accept them too, and they do the same.

SONDE_RANDOM_COUNT says how many (default 100), SONDE_RANDOM_SEED which.
"""
import os
import sys
from pathlib import Path

import pytest

import kernels
import machine
import test_cases as lang
from inside_jobs import inside

sys.path.append(str(Path(__file__).resolve().parent.parent / "random"))
from batch import compare, script  # noqa: E402
from generate import program  # noqa: E402

NAMES = kernels.asked_for("6.1 6.12")
COUNT = int(os.environ.get("SONDE_RANDOM_COUNT", 100))
SEED = os.environ.get("SONDE_RANDOM_SEED", "vm")
BATCH = 10
FIRST = list(range(0, COUNT, BATCH))


def programs(first):
    return [program(f"{SEED}-{n}", n) for n in range(first, min(first + BATCH, COUNT))]


def job(made):
    return inside({"command": [lang.SONDE, "-q", "-e", script([p for p, _ in made])], "env": {}, "timeout": 60})


def outcomes(made, answers):
    """What is wrong with each of the programs, as text."""
    wrong = []
    for one, (out, err, status) in zip(made, answers):
        wrong += [f"{one[0].text()}\nstatus {status}\n{err}"] if status else map(str, compare([one[0]], [one[1]], out))
    return wrong


def run_all(name, params):
    """{first: what was wrong with the programs from there on}"""
    machine.check_tools()
    kernel = kernels.get(name)
    made = {p["first"]: programs(p["first"]) for p in params}
    answers = dict(zip(made, machine.run_jobs(kernel, [job(m) for m in made.values()])))
    results = {}
    for first, (out, _, status) in answers.items():
        results[first] = [] if status else list(map(str, compare([p for p, _ in made[first]], [r for _, r in made[first]], out)))
    failed = [f for f, answer in answers.items() if answer[2]]
    single = [(f, one) for f in failed for one in made[f]]
    again = machine.run_jobs(kernel, [job([one]) for _, one in single]) if single else []
    for (first, one), answer in zip(single, again):
        results[first] += outcomes([one], [answer])
    return results


@pytest.mark.parametrize("first", FIRST)
def test_programs(first, answers):
    assert not answers[first], "\n".join(answers[first])
