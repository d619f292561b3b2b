# SPDX-License-Identifier: GPL-2.0-or-later
"""Every case of a tool on the live kernel; tests/vm runs them on other kernels."""
from concurrent.futures import ThreadPoolExecutor

import pytest

import probes
import test_cases as lang
import toolcases

CASES = [c for c in toolcases.CASES if toolcases.runs_on(c, "live")]


@pytest.fixture(scope="session")
def live(request):
    """(features, futures of the answers by case, the results to be kept)"""
    toolcases.prepare()
    info = lang.run(probes.INFO)
    selected = [i.callspec.params["case"] for i in request.session.items
                if "case" in getattr(getattr(i, "callspec", None), "params", {})]
    results = toolcases.Results("live", info)
    with ThreadPoolExecutor(2) as pool:
        yield probes.features(info), {id(c): pool.submit(lang.run, toolcases.job(c)) for c in selected}, results
    results.write()


@pytest.mark.parametrize("case", CASES, ids=[c.id for c in CASES])
def test_case(case, live):
    have, answers, results = live
    results.check(case, answers[id(case)].result(), have)


def test_every_tool_has_a_case_or_says_why_not():
    tested = {c.keys["tool"] for c in toolcases.CASES}
    for name, header in toolcases.headers().items():
        assert name in tested or "untested:" in header, f"{name} has no case in tests/tools"
