# SPDX-License-Identifier: GPL-2.0-or-later
"""Views beside text and JSON: the same records as columns, for people and for spreadsheets."""
import csv
import fcntl
import io
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import unicodedata

import pytest

from conftest import SONDE

ROWS = 'BEGIN { for ($i : 0..3) { print((pid=$i, comm="a,b", big=$i * 1000000000000)); } }'


def test_csv_of_records_reads_back(run):
    r = run("-q", "-f", "csv", "-e", ROWS)
    assert list(csv.reader(io.StringIO(r.out))) == [
        ["PID", "COMM", "BIG"], ["0", "a,b", "0"], ["1", "a,b", "1000000000000"], ["2", "a,b", "2000000000000"]]


def test_csv_is_chosen_by_the_name_of_the_file(run, tmp_path):
    run("-q", "-o", tmp_path / "x.csv", "-e", 'BEGIN { @[comm, 5] = count(); }')
    assert (tmp_path / "x.csv").read_text().splitlines() == ["COMM,KEY2,COUNT", "sonde,5,1"]


def test_csv_of_quotes_newlines_histograms_and_stats(run):
    r = run("-q", "-f", "csv", "-e", r'''BEGIN { print((a="say \"hi\"", b="two\nlines")); @h["k"] = hist(5); @h["k"] = hist(0);
        @s["k"] = stats(2); @s["k"] = stats(4); }''')
    tables = [list(csv.reader(io.StringIO(t), strict=True)) for t in r.out.split("\r\n\r\n")]
    assert tables[0] == [["A", "B"], ['say "hi"', "two\nlines"]]
    assert tables[1][0] == ["KEY", "LOW", "HIGH", "COUNT"]
    assert [row for row in tables[1][1:] if row and row[3] != "0"] == [["k", "0", "0", "1"], ["k", "4", "7", "1"]]
    assert tables[2] == [["KEY", "COUNT", "AVERAGE", "TOTAL"], ["k", "2", "3", "6"]]


def test_losses_do_not_stand_among_the_values(run):
    r = run("-q", "-f", "csv", "-e", 'let @m = hash(1); BEGIN { @m[1] = 1; @m[2] = 2; print((a=1,)); }')
    assert "warning" not in r.out and "@m" in r.err, r


def test_table_lines_up_and_titles_are_capitals(run):
    r = run("-q", "-f", "table", "-e", ROWS)
    lines = r.out.splitlines()
    assert lines[0].split() == ["PID", "COMM", "BIG"]
    assert len({len(line) for line in lines[2:]}) == 1, r.out
    assert [line.split() for line in lines[1:]] == [
        ["0", "a,b", "0"], ["1", "a,b", "1000000000000"], ["2", "a,b", "2000000000000"]]


def test_table_goes_on_under_the_same_titles(run):
    r = run("-q", "-f", "table", "-e",
            'BEGIN { print((what="in", n=1)); print((what="outside", n=2)); print((what="in", n=3)); print((other=4)); }')
    assert [line.split() for line in r.out.splitlines()] == [
        ["WHAT", "N"], ["in", "1"], ["outside", "2"], ["in", "3"], [], ["OTHER"], ["4"]]


def test_table_shows_the_largest_first_and_names_columns_after_their_keys(run):
    r = run("-q", "-f", "table", "-e", 'BEGIN { $x = 7; @[comm, $x] = sum(1); @["b", 9] = sum(10); @["c", 8] = sum(5); }')
    assert [line.split() for line in r.out.splitlines()] == [
        ["COMM", "X", "SUM"], ["b", "9", "10"], ["c", "8", "5"], ["sonde", "7", "1"]]


def test_table_shows_control_characters_as_text(run):
    r = run("-q", "-f", "table", "-e", r'BEGIN { print((a="red\x1b[31m", b=1)); }')
    assert r"red\x1b[31m" in r.out and "\x1b" not in r.out


def read_terminal(command, seconds, size=None, then=None, **env):
    """What a command writes to a terminal of this size (rows, columns). `then(terminal)` is called when something has come."""
    master, slave = pty.openpty()
    if size:
        resize(master, *size)
    p = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, close_fds=True, start_new_session=True,
                         preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), env={**os.environ, "TERM": "xterm", **env})
    os.close(slave)
    out, end = b"", time.monotonic() + seconds
    while time.monotonic() < end and (p.poll() is None or select.select([master], [], [], 0)[0]):
        if select.select([master], [], [], 0.1)[0]:
            try:
                out += os.read(master, 65536)
            except OSError:
                break
            if then and then(master, out) is not None:
                then = None
    p.kill()
    p.wait()
    os.close(master)
    return out.decode()


def resize(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def screen(text):
    """What is left on a terminal that knows newlines, cursor up and clear to the end, of the line and of the screen."""
    lines, row = [""], 0
    for token in re.findall(r"\x1b\[[\d;]*[A-Za-z]|[^\x1b\n\r]+|\n|\r", text.replace("\r\n", "\n")):
        if m := re.fullmatch(r"\x1b\[(\d*)A", token):
            row = max(0, row - int(m[1] or 1))
        elif token == "\x1b[J":
            lines = lines[:row] + [""]
        elif token in ("\r", "\x1b[K"):
            lines[row] = ""
        elif token == "\n":
            row += 1
            if row == len(lines):
                lines.append("")
        elif not token.startswith("\x1b"):
            lines[row] += token
    return lines


def test_table_is_redrawn_in_place_on_a_terminal():
    out = read_terminal([SONDE, "-q", "-f", "table", "-e", """
        BEGIN { @n = 0; } interval:ms:50 { @n++; @[comm] = sum(@n); printf("turn %d\\n", @n); print(@); if (@n == 5) { clear(@n); exit(); } }"""], 20)
    assert "turn 1" in out and "turn 5" in out
    shown = [line for line in screen(out) if line.strip()]
    assert [line for line in shown if line.startswith("turn")] == ["turn 5"], shown
    assert sum("COMM" in line for line in shown) == 1, shown


TURNS = """BEGIN { @n = 0; } interval:ms:30 { @n++; @["first"] = sum(@n * 10); @["second"] = sum(@n); print(@);
    if (@n == 6) { clear(@n); %s } }"""


def test_bars_are_redrawn_in_place_on_a_terminal():
    out = read_terminal([SONDE, "-q", "-f", "hist", "-e", TURNS % "exit();"], 20)
    shown = [line for line in screen(out) if line.strip()]
    assert [line.split()[:2] for line in shown] == [["@:"], ["first", "210"], ["second", "21"]], shown
    assert out.count("first") >= 3


def test_series_are_drawn_while_the_numbers_come_on_a_terminal():
    q = """BEGIN { @n = 0; } interval:ms:100 { @n++; print((level=@n)); printf("turn\\n"); if (@n == 9) { clear(@n); exit(); } }"""
    out = read_terminal([SONDE, "-q", "-f", "series", "-e", q], 20)
    drawn = [int(n) for n in re.findall(r"level: last (\d+)", out)]
    assert drawn[0] < 5 and drawn[-1] == 9 and drawn == sorted(drawn) and len(drawn) >= 4
    # What the program says in between does not tear it.
    assert len([line for line in screen(out) if line == "turn"]) == 9
    out = read_terminal([SONDE, "-q", "-f", "series", "-e", q.replace('printf("turn\\n");', "")], 20)
    shown = screen(out)
    assert sum("level: last" in line for line in shown) == 1 and sum("|" in line for line in shown) == 8, shown


def columns(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


WIDE = """BEGIN { @["日本語プログラム"] = sum(1000); @["mañana 🎉 x"] = sum(900); @["a very long name of a thing that goes on"] = sum(500);
    @["e\u0301 combining"] = sum(20); @["plain"] = sum(3); } interval:ms:50 { @n++; print(@); if (@n == 4) { clear(@n); %s exit(); } }"""


@pytest.mark.parametrize("view", ["table", "hist"])
def test_columns_line_up_whatever_the_letters(run, view):
    r = run("-q", "-f", view, "-e", WIDE % "", env={"LC_ALL": "C.UTF-8"})
    block = re.split(r"\n\n", r.out.strip())[-1].split("\n")
    rows = [re.sub(r" \|.*", "", line) for line in block if re.search(r"\d( \|.*)?$", line)]
    assert len(rows) == 5 and len({columns(row) for row in rows}) == 1, r.out


@pytest.mark.parametrize("view", ["table", "hist", "series", "heat", "text"])
@pytest.mark.parametrize("width", [1, 12, 30])
def test_narrow_terminals(view, width):
    q = WIDE.replace("print(@);", "print(@); @h = hist(@n * 100); print(@h);") % "clear(@); clear(@h);"
    out = read_terminal([SONDE, "-q", "-f", view, "-e", q], 20, size=(12, width), LC_ALL="C.UTF-8")
    assert out.strip() and "out of memory" not in out
    if view in ("table", "hist"):
        # Nothing that is written again is longer than a line of the terminal: it would be torn.
        lines = [re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", line) for line in out.replace("\r", "").split("\n")]
        assert all(columns(line) <= width for line in lines if "hint" not in line), lines


def test_more_rows_than_the_terminal_has():
    out = read_terminal([SONDE, "-q", "-f", "table", "-e", """BEGIN { @n = 0; for ($i : 0..100) { @[$i] = sum($i); } }
        interval:ms:50 { @n++; print(@); if (@n == 4) { clear(@n); clear(@); exit(); } }"""], 20, size=(10, 60))
    frames = out.split("\x1b[J")
    assert all(frame.count("\n") < 10 for frame in frames) and "and 9" in frames[-1], frames


@pytest.mark.parametrize("view", ["table", "hist", "series"])
def test_a_terminal_that_changes_its_size(view):
    """What stood there may have been broken into other lines: it is left, and the next begins below."""
    def narrower(terminal, out):
        return resize(terminal, 12, 40) or True if out.count(b"first") + out.count(b"@[f") > 1 else None
    q = (TURNS % "exit();").replace("30", "150")
    out = read_terminal([SONDE, "-q", "-f", view, "-e", q], 20, size=(40, 90), then=narrower)
    assert out.count("\x1b[J") >= 2
    lines = [re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", line) for line in out.replace("\r", "").split("\n")]
    assert max(map(columns, lines[-4:])) <= 40, lines


@pytest.mark.parametrize("view", ["table", "hist", "series", "heat", "text", "json", "csv"])
def test_ctrl_c_ends_with_the_results(view):
    """^C, as the terminal echoes it, does not tear what is redrawn, and the status says what happened."""
    def press(terminal, out):
        return os.write(terminal, b"\x03") if len(out) > 60 else None
    q = (TURNS % "").replace("BEGIN {", "BEGIN { @h = hist(1); ").replace("print(@);", "print(@); @h = hist(@n); print(@h);")
    out = read_terminal(["sh", "-c", 'trap : INT; "$@"; echo status $?', "sh", SONDE, "-q", "-f", view, "-e", q], 20, then=press)
    shown = screen(out)
    assert shown[-2:] == ["status 130", ""] or "status 130" in shown, shown
    if view in ("table", "hist"):
        assert not any("^C" in line for line in shown) and sum("first" in line for line in shown) == 1, shown
        assert sum(line.startswith(("KEY", "@:")) for line in shown) == 1, shown


@pytest.mark.parametrize("view", ["text", "json", "csv", "table", "hist", "heat", "series", "folded"])
def test_no_colours_and_no_movements_in_a_pipe(run, view):
    r = run("-f", view, "-e", WIDE.replace("print(@);", "print(@); @h = hist(@n); print(@h); @s[kstack] = count();") % "",
            env={"TERM": "xterm-256color", "COLORTERM": "truecolor"})
    assert r.out and "\x1b" not in r.out + r.err, r


def test_colours_are_those_that_are_wanted():
    command = [SONDE, "-q", "-f", "hist", "-e", TURNS % "exit();"]
    assert "\x1b[38;2;" in read_terminal(command, 20, COLORTERM="truecolor", NO_COLOR="")
    assert "\x1b[38" not in read_terminal(command, 20, COLORTERM="truecolor", NO_COLOR="1")
