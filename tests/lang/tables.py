# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of the language: many small cases, one per line, in tests/lang/cases/*.table.

    [name of the group]
    form: print({});
    1 + 2 => 3
    $a = 5; $a * 2 => 10

A row is `statements; expression => expected output`. The expression takes the place of {} in the group's
form (default `print({});`). A group whose form is `program` has whole programs as rows. Within the
expected output \\n, \\t, \\\\ and \\s (a space) are escapes; several lines may stand in one row.

    pid + => ! stdin:1:15 ! expected

Expected text that begins with `!` is an error: the exit status is 1 and every text that follows a `!`
must be found within standard error.

Keys of a group: form, options, params, env, and peer, which says how packaged bpftrace 0.17 relates:
`same` (both must print the expected output), `no REASON` (it does not know the feature) or `differs
REASON`. A row may end with ` ## no REASON` or ` ## differs REASON` to leave its group.

The rows of a group are compiled as one program with one begin probe per row, variables and maps renamed
so that rows do not meet. Errors and whole programs are run alone.
"""
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

KEYS = ("form", "options", "params", "env", "peer")
ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "s": " "}
# What maps hold at the end is no part of a row's output.
QUIET = "config = { print_maps_on_exit = false }\n"
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[$@](?:[A-Za-z_]\w*)?|.', re.S)


@dataclass
class Group:
    file: Path
    name: str
    keys: dict = field(default_factory=dict)

    def words(self, key):
        return shlex.split(self.keys.get(key, ""))

    @property
    def form(self):
        return self.keys.get("form", "print({});")


@dataclass(eq=False)
class Row:
    group: Group
    line: int
    text: str
    expected: str
    errors: list
    peer: str

    @property
    def id(self):
        return f"{self.group.file.stem}: {self.group.name}: {self.text} ({self.line})"

    @property
    def alone(self):
        return bool(self.errors) or self.group.form == "program"

    @property
    def statements(self):
        """The row with its expression put into the form."""
        cut = last_semicolon(self.text)
        return f"{self.text[:cut]}{' ' if cut else ''}{self.group.form.replace('{}', self.text[cut:].strip())}"

    @property
    def program(self):
        if self.group.form == "program":
            return self.text
        # An error names its line and column, so nothing may stand before the row.
        first = "" if self.errors else QUIET
        return f"{first}BEGIN {{ {self.statements} }}"


def last_semicolon(text):
    """Index after the last `;` outside of strings and brackets, or 0."""
    depth = at = cut = 0
    for m in TOKEN.finditer(text):
        token, at = m[0], m.end()
        depth += (token in "([{") - (token in ")]}")
        if token == ";" and not depth:
            cut = at
    return cut


def unescape(text):
    return re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[0]), text)


def renamed(statements, number):
    """Variables and maps of a row with names of their own; $1 and $# stay."""
    out = []
    tokens = [m[0] for m in TOKEN.finditer(statements)]
    for token, following in zip(tokens, tokens[1:] + [""]):
        if token[0] == "@" or (token[0] == "$" and len(token) > 1):
            token += f"__{number}"
        out.append(token)
    return "".join(out)


def plain(output, number):
    return output.replace(f"__{number}", "")


def parse_row(group, number, line):
    text, sep, expected = line.rpartition(" => ") if " => " in line else line.rpartition(" =>")
    peer = group.keys.get("peer", "")
    if not sep:
        raise ValueError(f"{group.file}:{number}: a row without =>")
    if " ## " in expected:
        expected, _, peer = expected.rpartition(" ## ")
        if peer.split()[0] not in ("no", "differs"):
            raise ValueError(f"{group.file}:{number}: cannot read {peer!r}")
    expected = expected.strip()
    errors = [unescape(e.strip()) for e in expected[1:].split(" ! ")] if expected.startswith("!") else []
    return Row(group, number, text.strip(), "" if errors else unescape(expected), errors, peer)


def parse(path):
    rows, group = [], None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or re.match(r"# |#$", line):
            continue
        if m := re.fullmatch(r"\[([^\]]+)\]", line):
            group = Group(path, m[1])
        elif group is None:
            raise ValueError(f"{path}:{number}: a row before the first group")
        elif (m := re.match(r"([a-z]+): *(.*)", line)) and m[1] in KEYS and " => " not in line:
            group.keys[m[1]] = m[2]
        else:
            rows.append(parse_row(group, number, line))
    return rows


def load(directory):
    return [row for path in sorted(directory.glob("*.table")) for row in parse(path)]


def batches(rows, size):
    """Lists of at most `size` rows of one group each; rows that must be alone are left out."""
    by_group = {}
    for row in rows:
        if not row.alone:
            by_group.setdefault(id(row.group), []).append(row)
    return [g[i:i + size] for g in by_group.values() for i in range(0, len(g), size)]


MARK = re.compile(r'\n?(?:\{"type": "printf", "data": "\\n)?<<<(\d+)>>>(?:\\n"\}\n?|\n)')


def mark(number):
    """A line of its own before a row's output; the row before may have left its line open."""
    return f'printf("\\n<<<{number}>>>\\n");'


def split_output(output):
    """{number: what was printed after its mark}."""
    parts = MARK.split(output)
    return {int(parts[i]): parts[i + 1].strip("\n") for i in range(1, len(parts), 2)}
