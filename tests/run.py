#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run all tests, fastest first, and close with one line: `N passed, N failed, N skipped`.

Unit tests (cmocka, TAP) need nothing; tests/lang, tests/host and tests/probes are pytest suites that run
the program on the live kernel, tests/random random programs, tests/hard failures, kills and load, tests/vm those that
run it on others. A few failures are run once more at the end, alone: on a shared machine another one's load may have
been the reason. What passes only then is named with what it said at first. Every failed or skipped test is named with
its reason before the closing line.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


PARTS = ["unit", "lang", "random", "host", "hard", "probes", "tools", "vm"]
# More failures than these are no accident.
AGAIN_MOST = 5


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []
        self.again = []

    def add(self, name, state, reason=""):
        if state == "pass":
            self.passed += 1
        elif state == "skip":
            self.skipped.append((name, reason))
        else:
            self.failed.append((name, reason))


def run_unit(build, tally):
    """Each unit test is one binary that prints TAP; a crash or silence is a failure of its own."""
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    for binary in sorted((build / "tests" / "unit").glob("test_*")):
        if not os.access(binary, os.X_OK) or binary.is_dir():
            continue
        try:
            r = subprocess.run([str(binary)], capture_output=True, text=True, errors="replace",
                               env=env, timeout=600, cwd=ROOT, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            tally.add(binary.name, "fail", "timed out after 600 s")
            continue
        seen = failed = 0
        for line in r.stdout.splitlines():
            m = re.match(r"(not )?ok \d+ (?:- )?([^#]*)(# ?[Ss][Kk][Ii][Pp]\s*(.*))?", line)
            if not m:
                continue
            seen += 1
            name = f"{binary.name}: {m[2].strip()}"
            if m[3]:
                tally.add(name, "skip", m[4] or "no reason given")
            elif m[1]:
                failed += 1
                tally.add(name, "fail", r.stderr.strip()[-2000:])
            else:
                tally.add(name, "pass")
        if not seen or (r.returncode and not failed):
            tally.add(binary.name, "fail", f"exit status {r.returncode}\n{r.stderr[-3000:]}")


def run_pytest(build, tests, tally, extra):
    """tests: folders, or names of single tests."""
    with tempfile.TemporaryDirectory() as tmp:
        xml = Path(tmp) / "r.xml"
        env = dict(os.environ, SONDE=str(build / "sonde"), SONDE_BUILD=str(build),
                   PYTHONDONTWRITEBYTECODE="1")
        r = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                            f"--junitxml={xml}", *map(str, tests), *extra],
                           env=env, cwd=ROOT, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        if not xml.exists():
            tally.add(str(tests[0]), "fail", r.stdout[-3000:])
            return
        for case in ET.parse(xml).iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}"
            if (bad := case.find("failure")) is not None or (bad := case.find("error")) is not None:
                tally.add(name, "fail", (bad.text or bad.get("message", ""))[-3000:])
            elif (skip := case.find("skipped")) is not None:
                tally.add(name, "skip", skip.get("message", ""))
            else:
                tally.add(name, "pass")


def run_again(build, tally):
    """The few failures of pytest's, each folder's once more; what still fails stays failed."""
    folders = {}
    for name, _ in tally.failed if len(tally.failed) <= AGAIN_MOST else []:
        if m := re.match(r"tests\.(\w+)\.(\w+)\.(.+)", name, re.S):
            folders.setdefault(m[1], {})[name] = f"tests/{m[1]}/{m[2]}.py::{m[3]}"
    for names in folders.values():
        second = Tally()
        run_pytest(build, list(names.values()), second, [])
        still = {name for name, _ in second.failed}
        passed = names.keys() - still
        if second.passed != len(passed) or not still <= names.keys():
            continue
        tally.again += [f for f in tally.failed if f[0] in passed]
        tally.failed = [f for f in tally.failed if f[0] not in passed]
        tally.passed += len(passed)


def by_reason(tests):
    """(names, reason): tests with one cause, such as a machine that is not there, are told once."""
    names = {}
    for name, reason in tests:
        names.setdefault(reason, []).append(name)
    return [(n[0] if len(n) == 1 else f"{n[0]} and {len(n) - 1} more", reason) for reason, n in names.items()]


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--build", type=Path, default=ROOT / "build")
    p.add_argument("--only", choices=PARTS, action="append")
    p.add_argument("pytest_args", nargs="*")
    args = p.parse_args()
    build = args.build.resolve()
    tally = Tally()
    for part in args.only or PARTS:
        before = (tally.passed, len(tally.failed), len(tally.skipped))
        start = time.monotonic()
        if part == "unit":
            run_unit(build, tally)
        else:
            run_pytest(build, [ROOT / "tests" / part], tally, args.pytest_args)
        print(f"{part}: {tally.passed - before[0]} passed, {len(tally.failed) - before[1]} failed, "
              f"{len(tally.skipped) - before[2]} skipped in {time.monotonic() - start:.1f} s", flush=True)
        for name, _ in tally.failed[before[1]:]:
            print(f"  failed: {name}", flush=True)
    run_again(build, tally)
    for name, reason in tally.again:
        print(f"passed when run again, alone: {name}\n{reason}\n")
    for names, reason in by_reason(tally.skipped):
        print(f"skipped: {names}: {reason}")
    for names, reason in by_reason(tally.failed):
        print(f"FAILED: {names}\n{reason}\n")
    print(f"{tally.passed} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
