# SPDX-License-Identifier: GPL-2.0-or-later
"""What the parts of the measurement share: the tools, processes with a deadline, samples, tables."""
import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
DEADLINE = 90


class Tools:
    """What is compared, and what was built for it in `directory`."""

    def __init__(self, sonde, directory):
        self.sonde = os.path.abspath(sonde)
        self.bpftrace = shutil.which("bpftrace")
        self.directory = directory
        self.measure = self.compile("measure")
        self.load = self.compile("load", "-lpthread")

    def compile(self, name, *libs):
        exe = f"{self.directory}/{name}"
        subprocess.run(["cc", "-O2", "-o", exe, HERE / f"{name}.c", *libs], check=True)
        return exe

    def file(self, name):
        return f"{self.directory}/{name}"

    def languages(self):
        """The two that speak the language: [(name, argv or None)]."""
        return [("sonde", [self.sonde]), ("bpftrace", [self.bpftrace] if self.bpftrace else None)]


class Absent(Exception):
    """Why a figure is missing."""


def first_words(text):
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    words = lines[-1] if lines else "it said nothing"
    return re.sub(r"\x1b\[[0-9;]*m", "", words)[:160]


def end_group(p, sig=signal.SIGKILL):
    try:
        os.killpg(p.pid, sig)
    except ProcessLookupError:
        pass


def spawn(argv, **kw):
    return subprocess.Popen([str(a) for a in argv], start_new_session=True, **kw)


def run_measured(tools, argv, seconds=DEADLINE, env=None):
    """(wall ms, CPU ms, peak MiB) of one process that must succeed."""
    read, write = os.pipe()
    with tempfile.TemporaryFile() as err:
        p = spawn([tools.measure, write, *argv], pass_fds=(write,), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                  stderr=err, env=dict(os.environ, **(env or {})))
        os.close(write)
        try:
            p.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            end_group(p)
            p.wait()
            raise Absent(f"it had not ended after {seconds} s") from None
        finally:
            with os.fdopen(read) as f:
                words = f.read().split()
        if len(words) != 5 or words[4] != "0":
            err.seek(0)
            raise Absent(f"it failed: {first_words(err.read().decode(errors='replace'))}")
    return float(words[1]), float(words[2]), float(words[3]) / 1024


class Tracer:
    """A tracer in the background, its output in a file."""

    def __init__(self, tools, argv, output=None, env=None, pin=None, seconds=DEADLINE):
        self.end = time.monotonic() + seconds
        self.out = open(output, "w+b") if output else tempfile.TemporaryFile()
        self.err = tempfile.TemporaryFile()
        self.figures, write = os.pipe()
        if pin is not None:
            argv = ["taskset", "-c", str(pin), *argv]
        self.p = spawn([tools.measure, write, *argv], stdin=subprocess.PIPE, stdout=self.out, stderr=self.err, pass_fds=(write,),
                       env=dict(os.environ, **(env or {})))
        os.close(write)
        self.reader = os.fdopen(self.figures)
        self.pid = int(self.reader.readline())

    def said(self):
        return os.pread(self.out.fileno(), 1 << 26, 0).decode(errors="replace")

    def complained(self):
        return os.pread(self.err.fileno(), 1 << 20, 0).decode(errors="replace")

    def wait_for(self, *words):
        """Until it has said one of the words."""
        while not any(w in self.said() + self.complained() for w in words):
            if self.p.poll() is not None:
                raise Absent(f"it ended early: {first_words(self.said() + self.complained())}")
            self.check_deadline()
            time.sleep(0.005)
        return self

    def check_deadline(self):
        if time.monotonic() > self.end:
            self.kill()
            raise Absent("it did not come to an end in time")

    def signal(self, sig):
        if self.p.poll() is None:
            os.kill(self.pid, sig)

    def finish(self):
        """(seconds from SIGINT to the end, CPU seconds, peak MiB)"""
        begin = time.monotonic()
        self.signal(signal.SIGINT)
        while self.p.poll() is None:
            self.check_deadline()
            time.sleep(0.001)
        took = time.monotonic() - begin
        words = self.reader.read().split()
        if len(words) != 4:
            raise Absent("it was killed")
        return took, float(words[1]) / 1e3, float(words[2]) / 1024

    def kill(self):
        if self.p.returncode is None:
            end_group(self.p)
            self.p.wait()

    def close(self):
        self.kill()
        self.p.stdin.close()
        self.reader.close()
        self.out.close()
        self.err.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Table:
    """Rows of (question, tool): samples of some measures, or why there are none."""

    def __init__(self, title, how, measures):
        self.title, self.how, self.measures = title, how, measures
        self.rows = []      # (question, tool)
        self.samples = {}   # (question, tool) -> [tuple of figures]
        self.why = {}       # (question, tool) -> text
        self.limits = []    # (question, words, figure or None, reached or None)

    def add(self, question, tool, figures):
        self.touch(question, tool)
        self.samples[question, tool].append(figures)

    def absent(self, question, tool, why):
        self.touch(question, tool)
        self.why[question, tool] = str(why)

    def touch(self, question, tool):
        if (question, tool) not in self.samples:
            self.samples[question, tool] = []
            self.rows.append((question, tool))

    def attempt(self, question, tool, argv, measure):
        """One sample by measure(), or the reason why not. A tool that failed once is not asked again."""
        if (question, tool) in self.why:
            return
        if argv is None:
            self.absent(question, tool, "it is not installed")
            return
        try:
            self.add(question, tool, measure())
        except Absent as e:
            self.absent(question, tool, e)
        except PermissionError as e:
            self.absent(question, tool, f"no permission: {e}")

    def median(self, question, tool, column):
        values = [s[column] for s in self.samples.get((question, tool), ()) if s[column] is not None]
        return statistics.median(values) if values else None

    def cell(self, row, column):
        values = [s[column] for s in self.samples[row] if s[column] is not None]
        if not values:
            return "", ""
        digits = self.measures[column][1]
        spread = (max(values) - min(values)) / 2
        return f"{statistics.median(values):.{digits}f}", f"{spread:.{digits}f}" if len(values) > 1 else ""

    def limit(self, question, words, figure, most):
        """`figure` (None: not measured) is to be at most `most` (None: there is nothing to compare with)."""
        known = figure is not None and most is not None
        self.limits.append((question, words, figure, figure <= most if known else None))


def table_text(t):
    width = max([len(q) for q, _ in t.rows] + [10])
    lines = ["", t.title, f"{'':{width}} {'':12}" + "".join(f"{name:>20}" for name, _ in t.measures)]
    last = None
    for row in t.rows:
        question, tool = row
        line = f"{question if question != last else '':{width}} {tool:12}"
        last = question
        if not t.samples[row]:
            lines.append(f"{line}  - {t.why.get(row, 'not measured')}")
            continue
        for c in range(len(t.measures)):
            median, spread = t.cell(row, c)
            line += f"{median + (f' ±{spread:>7}' if spread else ' ' * 9):>20}"
        lines.append(line + (f"  - then: {t.why[row]}" if row in t.why else ""))
    return "\n".join(lines)


def escape(text):
    return text.replace("|", "\\|")


def table_markdown(t):
    lines = [f"## {t.title}", "", t.how, "", "| | | " + " | ".join(name for name, _ in t.measures) + " |",
             "|---|---|" + "--:|" * len(t.measures)]
    last = None
    for row in t.rows:
        question, tool = row
        cells = []
        for c in range(len(t.measures)):
            median, spread = t.cell(row, c)
            cells.append(f"{median} ±{spread}" if spread else median)
        name = f"`{escape(question)}`" if question != last else ""
        last = question
        lines.append(f"| {name} | {tool} | " + " | ".join(cells) + " |")
    reasons = [f"- {tool}, `{question}`: {escape(why)}" for (question, tool), why in t.why.items()]
    return "\n".join(lines + ([""] + ["Not measured:"] + reasons if reasons else []) + [""])
