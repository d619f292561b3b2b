# SPDX-License-Identifier: GPL-2.0-or-later
"""Every case of a probe on the live kernel, two at a time; tests/vm runs them on other kernels."""
from concurrent.futures import ThreadPoolExecutor

import pytest

import probes
import programs
import test_cases as lang


@pytest.fixture(scope="session")
def live(request):
    """(features, futures of the answers by case, the results to be kept)"""
    programs.build()
    info = lang.run(probes.INFO)
    selected = [i.callspec.params["case"] for i in request.session.items if hasattr(i, "callspec")]
    results = probes.Results("live", info)
    with ThreadPoolExecutor(2) as pool:
        yield probes.features(info), {id(c): pool.submit(lang.run, probes.job(c)) for c in selected}, results
    results.write()


@pytest.mark.parametrize("case", probes.CASES, ids=[c.id for c in probes.CASES])
def test_case(case, live):
    have, answers, results = live
    results.check(case, answers[id(case)].result(), have)
