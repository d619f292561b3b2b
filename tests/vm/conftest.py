# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/vm runs what the other folders have, so it sees their modules; and the machines that all its tests share.

A module of tests here has NAMES, the kernels it runs on, and run_all(kernel, params), which boots one for
all of its selected tests and returns the answers; one whose kernels do not all run the same cases has
chosen(kernel), which names them. They run side by side, the largest first, at most SONDE_VM_JOBS of them
(default: one for each CPU).
"""
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

for part in ("host", "lang", "probes", "tools"):
    sys.path.append(str(Path(__file__).resolve().parent.parent / part))

import kernels  # noqa: E402

# Each of their tests has a machine of its own, for up to a minute: `make check-deep` runs them.
if not os.environ.get("SONDE_VM_FULL"):
    collect_ignore = [f"test_{name}.py" for name in
                      ("devices", "many", "pressure", "random", "rt", "service", "surface", "tone")]


def plans(items):
    """{(module, kernel): the parameters of its selected tests}"""
    found = {}
    for item in items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        if name := params.get("answers"):
            found.setdefault((item.module, name), []).append(params)
    return found


@pytest.fixture(scope="session")
def machines(request):
    """A future of the answers for each module and kernel."""
    count = int(os.environ.get("SONDE_VM_JOBS", 0)) or os.cpu_count() or 1
    work = sorted(plans(request.session.items).items(), key=lambda plan: -len(plan[1]))
    with ThreadPoolExecutor(count) as pool:
        futures = {(module.__name__, name): pool.submit(module.run_all, name, params)
                   for (module, name), params in work}
        yield futures
        for future in futures.values():
            future.cancel()


def pytest_generate_tests(metafunc):
    if "answers" not in metafunc.fixturenames:
        return
    names, chosen = metafunc.module.NAMES, getattr(metafunc.module, "chosen", None)
    if chosen:
        pairs = [(name, case) for name in names for case in chosen(name)]
        metafunc.parametrize(("answers", "case"), pairs, ids=[f"{name}-{case.id}" for name, case in pairs],
                             indirect=["answers"], scope="module")
    else:
        metafunc.parametrize("answers", names, indirect=True, scope="module")


@pytest.fixture(scope="module")
def answers(request, machines):
    """What run_all() returned for the kernel that is this parameter."""
    try:
        return machines[request.module.__name__, request.param].result()
    except kernels.Unavailable as e:
        pytest.skip(str(e))
