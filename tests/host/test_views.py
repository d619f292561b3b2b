# SPDX-License-Identifier: GPL-2.0-or-later
"""Views beside text and JSON: the same records as columns, for people and for spreadsheets."""
import csv
import io
import os
import pty
import re
import select
import subprocess
import time

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


def read_terminal(command, seconds):
    master, slave = pty.openpty()
    p = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, close_fds=True,
                         env={**os.environ, "TERM": "xterm"})
    os.close(slave)
    out, end = b"", time.monotonic() + seconds
    while time.monotonic() < end and (p.poll() is None or select.select([master], [], [], 0)[0]):
        if select.select([master], [], [], 0.1)[0]:
            try:
                out += os.read(master, 65536)
            except OSError:
                break
    p.kill()
    p.wait()
    os.close(master)
    return out.decode()


def screen(text):
    """What is left on a terminal that knows newlines, cursor up and clear to the end."""
    lines, row = [""], 0
    for token in re.findall(r"\x1b\[\d*[A-Za-z]|[^\x1b\n]+|\n", text.replace("\r", "")):
        if m := re.fullmatch(r"\x1b\[(\d*)A", token):
            row = max(0, row - int(m[1] or 1))
        elif token == "\x1b[J":
            lines = lines[:row] + [""]
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
