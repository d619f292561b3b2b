# SPDX-License-Identifier: GPL-2.0-or-later
"""The documents are true: every example runs and prints what stands beneath it, every link leads somewhere.

In docs/*.md a block that begins with ```sonde is a program; words after `sonde` are options, and after
`params:` parameters. It is followed by one of
    ```output        its exact standard output
    ```output-like   the same, in which ... stands for anything
    ```error         what must be found on standard error; the program is refused, with status 1
or by none: then it must be accepted by --dry-run. A program with an output that would not end by itself
is ended after half a second.
"""
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT, SONDE

DOCS = sorted((ROOT / "docs").glob("*.md")) + [ROOT / "README.md"]
LANGUAGE = ROOT / "docs" / "language.md"
RESULTS = ("output", "output-like", "error")


def blocks(path):
    """(line, info words, text) of every fenced block."""
    found, start = [], None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("```") and start is None:
            start, info, text = number, line[3:].strip(), []
        elif line == "```":
            found.append((start, info, "\n".join(text)))
            start = None
        elif start is not None:
            text.append(line)
    assert start is None, f"{path}:{start}: a block is not closed"
    return found


def examples():
    for path in DOCS:
        all_blocks = blocks(path)
        for i, (line, info, text) in enumerate(all_blocks):
            if info.split()[:1] != ["sonde"]:
                continue
            after = all_blocks[i + 1] if i + 1 < len(all_blocks) else (0, "", "")
            result = after[1:] if after[1] in RESULTS else None
            yield pytest.param(info, text, result, id=f"{path.name}:{line}")


def question_lines():
    """The lines of a shell that ask a question, in blocks and in indented text."""
    for path in DOCS:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            m = re.fullmatch(r"(?:    |)(?:# |\$ )?(sonde .*-e '.*'.*)", line)
            if m:
                yield pytest.param(m[1], id=f"{path.name}:{number}")


def run(words, **kw):
    return subprocess.run([SONDE, *words], capture_output=True, text=True, errors="replace", timeout=60,
                          stdin=subprocess.DEVNULL, **kw)


def words_of(info, text):
    before, _, params = info.partition("params:")
    return [*shlex.split(before)[1:], "-e", text, *shlex.split(params)]


def ends(text):
    code = re.sub(r'"(\\.|[^"\\])*"|//.*', "", text)
    return "exit(" in code or not re.search(r"^\s*(\w+:\S|\w+point:)", code, re.M)


def like(pattern, text):
    return re.fullmatch(".*?".join(re.escape(p) for p in pattern.split("...")), text, re.S)


@pytest.mark.parametrize("info, text, result", examples())
def test_example(info, text, result):
    if result is None:
        r = run(["--dry-run", *words_of(info, text)])
        assert r.returncode == 0, r.stderr
        return
    kind, expected = result
    if kind == "error":
        r = run(["-q", *words_of(info, text)])
        assert r.returncode == 1
        assert expected.strip() in r.stderr
        return
    if not ends(text):
        text += "\ninterval:ms:500 { exit(); }"
    r = run(["-q", *words_of(info, text)])
    assert r.returncode < 126 and "error:" not in r.stderr, r.stderr
    out = r.stdout.strip("\n")
    if kind == "output":
        assert out == expected.strip("\n"), r.stderr
    else:
        assert like(expected.strip("\n"), out), f"{out}\n{r.stderr}"


@pytest.mark.parametrize("line", question_lines())
def test_question_line_is_accepted(line, tmp_path):
    words = shlex.split(line)[1:]
    # The mistakes that are shown are refused, and point at themselves.
    r = run(["--dry-run", *words], cwd=tmp_path)
    assert r.returncode == (1 if "sched_swich" in line else 0), r.stderr


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.name)
def test_links_lead_somewhere(path):
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.S | re.M)
    anchors = {p: headings(p) for p in DOCS}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        to = (path.parent / name).resolve() if name else path
        assert to.exists(), f"{path.name}: there is no {target}"
        if anchor:
            assert anchor in anchors[to], f"{path.name}: {to.name} has no heading for #{anchor}"


def headings(path):
    """The anchors of a document, as they are made of its headings."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.S | re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-")
            for h in re.findall(r"^#+ (.*)$", text, re.M)}


def test_tables_show_what_is_in_the_program():
    r = subprocess.run([sys.executable, ROOT / "scripts" / "language-tables", "--check", "--sonde", SONDE],
                       capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    assert r.returncode == 0, r.stdout + r.stderr


def test_every_function_of_the_language_is_named_and_no_other():
    text = LANGUAGE.read_text()
    known = {m[1] for m in re.finditer(r"(\w+)(?=\(|\[\(|\n)", run(["help", "functions"]).stdout)}
    words = {"__attribute__", "sizeof", "offsetof", "typeof", "typeinfo", "container_of", "unroll", "if", "while", "for", "return"}
    macros = set(re.findall(r"^\s*(?:macro|fn|#define) (\w+)\(", text, re.M))
    named = set(re.findall(r"`(\w+)\([^`]*`", text))
    assert named <= known | words | macros, named - known - words - macros


def test_every_configuration_variable_is_explained():
    names = re.findall(r'^\t\{ "(\w+)", V_', (ROOT / "src" / "lang" / "config.c").read_text(), re.M)
    assert len(names) > 10
    for name in names:
        assert f"`{name}`" in LANGUAGE.read_text(), name


def test_every_kind_of_probe_is_explained():
    text = LANGUAGE.read_text()
    names = [n for p in (ROOT / "src" / "probe").glob("*.c")
             for n in re.findall(r'\.name = "(\w+)"|^UNSUPPORTED\((\w+),', p.read_text(), re.M) for n in n if n]
    assert len(names) > 10
    for name in names:
        assert f"`{name}" in text, name
