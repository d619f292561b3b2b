# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of probes: each attaches, makes its event happen and prints what it saw of it.

The form is that of tests/lang/cases.py, and every case has
    kind      the row of the table in docs/kernels.md that it stands for
    needs     features, by the names `sonde --info` gives them (a space in a name is written _), each of
              which the kernel must have for the case to work
    refused   given with needs: a regular expression found in standard error where the kernel lacks one of
              them; sonde must then end with status 1
    before    commands of a shell that run first
    where     features, likewise, of which it depends what is seen: where the kernel lacks one, the case says nothing
{programs} stands for the directory of programs.py's programs and {sonde} for the program, in all of a case.
"""
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import cases
import programs
import test_cases as lang

HERE = Path(__file__).resolve().parent
INFO = {"command": [lang.SONDE, "--info"], "env": {}, "timeout": 20.0}
RESULTS = programs.BUILD / "probe-results"


def load():
    loaded = cases.load(HERE)
    for c in loaded:
        where = f"{c.file}:{c.line}"
        if not c.keys.get("kind"):
            raise ValueError(f"{where}: no kind")
        if ("needs" in c.keys) != ("refused" in c.keys):
            raise ValueError(f"{where}: needs and refused belong together")
        if "refused" in c.keys:
            re.compile(c.keys["refused"])
    return [replace(c, keys={k: filled(v) for k, v in c.keys.items()}) for c in loaded]


def filled(text):
    return text.replace("{programs}", str(programs.DIRECTORY)).replace("{sonde}", str(lang.SONDE))


CASES = load()


def job(case):
    job = lang.case_job(case)
    if "before" in case.keys:
        job["command"] = ["/bin/sh", "-c", case.keys["before"] + '\nexec "$@"', "sh", *job["command"]]
    return job


def features(answer):
    """{name: whether the kernel has it}, of what --info printed."""
    out, err, status = answer
    assert status == 0, err
    return {m[1].replace(" ", "_"): m[2] == "yes" for m in re.finditer(r"^  (.+): (yes|no)$", out, re.M)}


def release(answer):
    return re.search(r"^  Kernel: (\S+)$", answer[0], re.M)[1]


def lacking(case, have):
    return absent(case, "needs", have)


def absent(case, key, have):
    names = case.words(key)
    for name in names:
        assert name in have, f"{case.file.name}:{case.line}: sonde --info names no feature {name}"
    return [n for n in names if not have[n]]


def check(case, answer, have):
    """What the kernel lacks; raises AssertionError when the answer is not what that lets expect."""
    missing = lacking(case, have)
    if not missing:
        lang.check_case(case, answer)
        return missing
    out, err, status = answer
    shown = f"{case.file.name}:{case.line}: without {', '.join(missing)}\nstdout:\n{out}\nstderr:\n{err}"
    assert status == 1, shown
    assert re.search(case.keys["refused"], err), shown
    return missing


def is_evidence(case):
    """A probe that is wrong and is refused says nothing about the kernel."""
    return case.keys.get("status", "0") == "0"


def said(answer):
    """The first line of an error, without where it is. What may be done about it is not what is wrong."""
    found = re.findall(r"(?:error|ERROR): (.*)", answer[1])
    causes = [text for text in found if not text.startswith("Unable to attach probe: ")]
    return (causes + found + answer[1].strip().split("\n"))[0]


class Results:
    """What was seen on one kernel, kept in a file for the table of kernels. A run of some cases changes theirs."""

    DIRECTORY = RESULTS

    def __init__(self, kernel, of_info):
        self.path = self.DIRECTORY / f"{kernel}.json"
        self.head = {"kernel": kernel, "release": release(of_info)}
        self.now = {}

    def check(self, case, answer, have):
        if absent(case, "where", have):
            return
        self.now[case.id] = {"state": "fails"}
        missing = check(case, answer, have)
        self.now[case.id] = {"state": "no" if missing else "yes", "lacks": missing,
                             "said": said(answer) if missing else ""}

    def write(self):
        before = json.loads(self.path.read_text())["cases"] if self.path.exists() else {}
        self.DIRECTORY.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps({**self.head, "cases": {**before, **self.now}}, indent=1))
        part.rename(self.path)
