# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers over time as charts, and maps of numbers as bars."""
import re
import xml.etree.ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"
RISING = """BEGIN { @n = 0; } interval:ms:30 { @n++; if (@n <= 8) { print((dev="<sda>", level=(int64)@n * 10 - 40)); }
    if (@n == 9) { clear(@n); exit(); } }"""
UTF8, ASCII = {"LC_ALL": "C.UTF-8"}, {"LC_ALL": "C"}


def test_rising_numbers_rise(run):
    r = run("-q", "-f", "series", "-e", RISING, env=ASCII)
    lines = r.out.splitlines()
    assert lines[0] == "level[<sda>]: last 40", r
    chart = [re.fullmatch(r" *(-?\d*) \|(.*)", line) for line in lines[1:9]]
    assert (chart[0][1], chart[-1][1]) == ("40", "-30")
    begins = [len(m[2]) - len(m[2].lstrip()) for m in chart]
    assert begins == sorted(begins, reverse=True) and begins[-1] == 0, r
    assert re.fullmatch(r" +\d\d:\d\d:\d\d +\d\d:\d\d:\d\d", lines[9])


def test_chart_of_braille_dots(run):
    r = run("-q", "-f", "series", "-e", RISING, env=UTF8)
    assert set("".join(re.findall(r"\|(.*)", r.out))) - {" "} <= {chr(c) for c in range(0x2801, 0x2900)}
    assert "\x1b" not in r.out


def test_series_as_a_picture(run, tmp_path):
    r = run("-q", "-f", "series", "-o", tmp_path / "s.svg", "-e", RISING)
    assert r.status == 0 and not r.out, r
    root = ET.parse(tmp_path / "s.svg").getroot()
    ys = [float(p.split(",")[1]) for p in root.find(f"{SVG}polyline").get("points").split()]
    assert len(ys) == 8 and ys == sorted(ys, reverse=True)
    steps = [a - b for a, b in zip(ys, ys[1:])]
    assert max(steps) - min(steps) < 0.3
    titles = [c.find(f"{SVG}title").text for c in root.iter(f"{SVG}circle")]
    assert [t.rpartition(": ")[2] for t in titles] == [str(n) for n in range(-30, 50, 10)]
    assert titles[0].startswith("<sda> ")


def test_keys_and_tseries(run, tmp_path):
    run("-q", "-f", "series", "-o", tmp_path / "s.html", "-e", """interval:ms:40 { @n++; @t["x"] = tseries(@n, 100ms, 10); @k["a"] = @n;
        @k["b"] = -1 * (int64)@n; print(@k); if (@n == 9) { clear(@n); exit(); } }""")
    text = (tmp_path / "s.html").read_text()
    assert text.count("<polyline") == 3 and ">@k<" in text and ">@t<" in text


def test_without_numbers_there_is_a_hint(run):
    r = run("-q", "-f", "series", "-e", 'BEGIN { printf("text\\n"); }')
    assert r.out == "" and "no numbers" in r.err and "text" in r.err


def test_bars_are_as_long_as_the_numbers(run):
    q = 'BEGIN { @["half"] = sum(50); @["all"] = sum(100); @["none"] = sum(0); @h = hist(3); }'
    for env, sign in ((ASCII, "@"), (UTF8, "█")):
        r = run("-q", "-f", "hist", "-e", q, env=env)
        rows = [re.fullmatch(r"(\w+) +(\d+) \|(.*)", line) for line in r.out.splitlines()]
        rows = [(m[1], int(m[2]), m[3]) for m in rows if m]
        assert [row[:2] for row in rows] == [("all", 100), ("half", 50), ("none", 0)], r
        longest = len(rows[0][2])
        assert rows[0][2] == sign * longest and abs(len(rows[1][2]) - longest / 2) <= 1 and rows[2][2] == ""
        assert "[2, 4)" in r.out
