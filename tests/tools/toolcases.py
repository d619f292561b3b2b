# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of tools: each makes the very event happen that a tool shows, and finds it in what the tool prints.

The form is that of tests/lang/cases.py with these keys:
    tool      its name, or one of its aliases (required)
    options   as on its command line
    before    a shell script, run before the tool begins; its failure is that of the case
    trigger   a shell script, run by -c when everything is attached; the tool ends when it ends
    beside    a shell script instead of a trigger, for what other programs do than the command of -c: run when everything
              is attached; the tool is interrupted when it has ended
    find      regular expressions, one per line; each must match somewhere in standard output
    absent    likewise, and none may match
    needs     features, by the names `sonde --info` gives them, without which the tool cannot work on a kernel;
    refused   it must then end with status 1 and standard error must match this
    untested  why the kernels of `kernels` cannot show the tool, in place of everything else: the case is not run
    kernels   names or beginnings of names of kernels that it can run on (`live 6.12`); all without it
{programs} stands for the directory of the programs of tests/probes/programs, {sonde} for sonde itself, {here} for
the directory of this file.
What a trigger does must be seen from inside: values are compared with what the trigger itself knows.
"""
import re
from dataclasses import replace
from pathlib import Path

import cases
import probes
import programs
import test_cases as lang

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parent.parent / "tools"
TRIGGERS = programs.BUILD / "tests" / "triggers"
UNTESTED = {}
# $1 is the script, what follows it the tool. Ctrl-C ends a tool as well as anything.
BESIDE = """
out=$(mktemp) script=$1; shift
__BPFTRACE_NOTIFY_PROBES_ATTACHED=1 "$@" >"$out" & pid=$!
until grep -q __BPFTRACE_NOTIFY_PROBES_ATTACHED "$out" || ! kill -0 $pid 2>/dev/null; do sleep 0.1; done
sh "$script"; done=$?
kill -INT $pid 2>/dev/null; wait $pid; status=$?
grep -v __BPFTRACE_NOTIFY_PROBES_ATTACHED "$out"; rm -f "$out"
[ $done = 0 ] || exit $done
[ $status = 130 ] || exit $status
"""


def fill(text):
    return (text.replace("{programs}", str(programs.DIRECTORY)).replace("{sonde}", str(Path(lang.SONDE).resolve()))
            .replace("{here}", str(HERE)))


def load():
    loaded = []
    for c in cases.load(HERE):
        where = f"{c.file}:{c.line}"
        if "tool" not in c.keys:
            raise ValueError(f"{where}: no tool")
        if "untested" in c.keys:
            UNTESTED.setdefault(c.keys["tool"], []).append(c)
            continue
        if not any(k in c.keys for k in ("find", "out", "out-re", "err", "status")):
            raise ValueError(f"{where}: nothing is expected")
        for key in ("find", "absent"):
            for line in c.keys.get(key, "").splitlines():
                re.compile(line)
        loaded.append(replace(c, keys={k: fill(v) for k, v in c.keys.items()}))
    return loaded


CASES = load()


def headers():
    """{name: the text of its header}"""
    return {p.stem: p.read_text().split("*/")[0] for p in sorted(TOOLS.glob("*/*.bt")) if p.parent.name != "lib"}


def script_file(case, key):
    return TRIGGERS / (re.sub(r"\W+", "-", case.id) + f".{key}.sh")


def prepare():
    """Everything that machines must find on the host's file system when they boot."""
    programs.build()
    TRIGGERS.mkdir(parents=True, exist_ok=True)
    for c in CASES:
        for key in ("before", "trigger", "beside"):
            if key in c.keys:
                script_file(c, key).write_text("set -e\n" + c.keys[key] + "\n")


def job(case):
    command = [lang.SONDE, case.keys["tool"], *case.words("options")]
    if "trigger" in case.keys:
        command += ["--cmd", f"sh {script_file(case, 'trigger')}"]
    if "beside" in case.keys:
        command = ["/bin/sh", "-c", BESIDE, "sh", str(script_file(case, "beside")), *command]
    if "before" in case.keys:
        command = ["/bin/sh", "-c", 'sh "$0" && exec "$@"', str(script_file(case, "before")), *command]
    return {"command": command, "timeout": float(case.keys.get("timeout", 30)),
            "env": {"TZ": "UTC", "LC_ALL": "C.UTF-8", **dict(w.split("=", 1) for w in case.words("env"))}}


def runs_on(case, kernel):
    return "kernels" not in case.keys or any(kernel.startswith(k) for k in case.words("kernels"))


def said(answer):
    """The first line of an error, without where it is and what stands before it."""
    return re.sub(r"^ERROR: ", "", probes.said(answer))


class Results(probes.Results):
    """What was seen of each tool on one kernel."""

    DIRECTORY = programs.BUILD / "tool-results"

    def check(self, case, answer, have):
        self.now[case.id] = {"state": "fails"}
        missing = probes.lacking(case, have)
        if missing:
            out, err, status = answer
            shown = f"{case.file.name}:{case.line}: without {', '.join(missing)}\nstdout:\n{out}\nstderr:\n{err}"
            assert status == 1 and re.search(case.keys["refused"], err), shown
        else:
            check_answer(case, answer)
        refused = missing or case.keys.get("status", "0") != "0"
        self.now[case.id] = {"state": "no" if missing else "yes", "lacks": missing,
                             "said": said(answer) if refused else ""}


def check_answer(case, answer):
    out, err, status = answer
    shown = f"{case.file.name}:{case.line}: {case.id}\nstdout:\n{out[-4000:]}\nstderr:\n{err[-2000:]}"
    assert status == int(case.keys.get("status", 0)), shown
    for line in case.keys.get("find", "").splitlines():
        assert re.search(line, out, re.M), f"not found: {line}\n{shown}"
    for line in case.keys.get("absent", "").splitlines():
        assert not re.search(line, out, re.M), f"found: {line}\n{shown}"
    for line in case.keys.get("err", "").splitlines():
        assert line in err, shown
    if "err" not in case.keys and "trigger" not in case.keys and "beside" not in case.keys:
        assert err == "", shown
    assert "ERROR: " not in err or "err" in case.keys, shown
    if "out" in case.keys:
        assert out.rstrip("\n") == case.keys["out"], shown
    if "out-re" in case.keys:
        assert re.fullmatch(case.keys["out-re"], out.rstrip("\n"), re.S), shown
