# SPDX-License-Identifier: GPL-2.0-or-later
"""Each tool has a page in the manual, with the options that the tool really has, and none is left unsaid."""
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

import programs
import test_cases as lang
import toolcases

MANUAL = programs.BUILD / "docs"


def help_of(name):
    done = subprocess.run([lang.SONDE, "help", name], capture_output=True, text=True, timeout=30)
    return done.stdout if done.returncode == 0 else f"{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def helps():
    """{tool: its page of help}"""
    names = list(toolcases.headers())
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(names, pool.map(help_of, names)))


def options_of_help(text):
    lines = re.search(r"^Options:\n((?:  .*\n)*)", text, re.M)
    return {m[2]: m[1] for m in re.finditer(r"^  (?:-(\w), )?--([\w-]+)", lines[1] if lines else "", re.M)}


def options_of_page(name):
    text = (MANUAL / f"sonde-{name}.1").read_text().replace("\\", "")
    part = text.partition(".SH OPTIONS")[2].partition(".SH ")[0]
    return {m[2]: m[1] for m in re.finditer(r"^(?:fB-(\w)fR, )?fB--([\w-]+)fR", part, re.M)}


def test_pages_have_the_options_of_the_tools(helps):
    if not (MANUAL / "sonde-tools.1").exists():
        pytest.skip("scdoc is not installed")
    differs = {name: (options_of_help(text), options_of_page(name)) for name, text in helps.items()
               if options_of_help(text) != options_of_page(name)}
    assert not differs


def test_every_option_is_described(helps):
    for name, text in helps.items():
        assert f"{name}: " in text, text
        for line in re.findall(r"^  (?:-\w, )?--[\w=-]+\n?.*$", text, re.M):
            assert re.search(r"--[\w=-]+\s+\S", line), f"{name}: {line}"
