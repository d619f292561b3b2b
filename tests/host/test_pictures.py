# SPDX-License-Identifier: GPL-2.0-or-later
"""Stacks as folded text, as a flame graph (looked at in a browser) and as a difference of two."""
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

SVG = "{http://www.w3.org/2000/svg}"

# f1 calls f2 calls f3; f3 does twice the work that f2 does itself.
SPIN_C = r"""
#include <stdlib.h>
volatile long x;
__attribute__((noinline)) void f3(long n) { for (long i = 0; i < 2 * n; i++) x += i; }
__attribute__((noinline)) void f2(long n) { f3(n); for (long i = 0; i < n; i++) x += i; x++; }
__attribute__((noinline)) void f1(long n) { f2(n); x++; }
__attribute__((noinline)) void evil(void) { for (long i = 0; i < 1000000; i++) x += i; }
int main(int argc, char **argv)
{
	for (int i = 0; i < atoi(argv[1]); i++) {
		f1(1000000);
		if (argc > 2)
			evil();
	}
	return 0;
}
"""


@pytest.fixture(scope="session")
def spin(tmp_path_factory):
    d = tmp_path_factory.mktemp("spin")
    (d / "spin.c").write_text(SPIN_C)
    subprocess.run(["gcc", "-O0", "-fno-omit-frame-pointer", "-o", d / "spin", d / "spin.c"], check=True)
    subprocess.run(["objcopy", "--redefine-sym", "evil=<script>alert(1)</script>&amp;'", d / "spin"], check=True)
    return str(d / "spin")


PROFILE = "profile:hz:499 /pid == cpid/ { @[comm, ustack, kstack] = count(); }"


def folded(text):
    return {tuple(line.rpartition(" ")[0].split(";")): int(line.rpartition(" ")[2]) for line in text.splitlines()}


def test_folded_has_the_shape_of_the_program(run, spin):
    r = run("-q", "-f", "folded", "-c", f"{spin} 300", "-e", PROFILE)
    stacks = folded(r.out)
    assert r.status == 0 and all(s[0] == "spin" for s in stacks), r
    mine = {s: n for s, n in stacks.items() if "f1" in s}
    in_f3 = sum(n for s, n in mine.items() if "f3" in s)
    usual = max(mine, key=lambda s: mine[s] if "f3" in s else 0)
    assert usual[usual.index("main"):][:4] == ("main", "f1", "f2", "f3"), r
    assert 0.55 < in_f3 / sum(mine.values()) < 0.78, r
    assert list(stacks) == sorted(stacks)


def test_kernel_frames_are_marked_and_come_last(run):
    r = run("-q", "-f", "folded", "-c", "cat /dev/null", "-e",
            "tracepoint:syscalls:sys_enter_openat /pid == cpid/ { @[comm, ustack, kstack] = count(); }")
    for stack in folded(r.out):
        marks = [f.endswith("_[k]") for f in stack]
        assert marks == sorted(marks) and not marks[0], r


def test_what_was_shown_before_counts_once(run):
    assert sum(folded(run("-q", "-f", "folded", "-e",
                          "BEGIN { @[kstack] = sum(5); print(@); print(@); }").out).values()) == 5
    r = run("-q", "-f", "folded", "-e", """BEGIN { @[kstack] = sum(5); print(@); clear(@); }
        interval:ms:50 { exit(); } END { @[kstack] = sum(7); }""")
    assert sum(folded(r.out).values()) == 12, r


def test_several_maps_stay_apart(run):
    r = run("-q", "-f", "folded", "-e", "BEGIN { @a[comm, kstack] = sum(5); @b[comm, kstack] = sum(6); print(kstack); }")
    assert {s[0]: n for s, n in folded(r.out).items()} == {"@a": 5, "@b": 6, "print": 1}, r


def test_what_is_no_stack_is_shown_beside_the_picture(run, tmp_path):
    q = 'BEGIN { printf("hello\\n"); @n = 4; @[kstack] = count(); }'
    r = run("-q", "-o", tmp_path / "x.folded", "-e", q)
    assert r.out.split() == ["hello", "@n:", "4"] and len((tmp_path / "x.folded").read_text().splitlines()) == 1, r
    r = run("-q", "-f", "folded", "-e", q)
    assert len(r.out.splitlines()) == 1 and "hello" in r.err and "@n: 4" in r.err, r


def test_without_stacks_there_is_an_empty_picture_and_a_hint(run, tmp_path):
    r = run("-q", "-f", "flame", "-o", tmp_path / "x.svg", "-e", "BEGIN { @ = 1; }")
    assert r.status == 0 and "there are no stacks" in r.err, r
    ET.parse(tmp_path / "x.svg")


def test_a_picture_is_complete_or_not_there(run, tmp_path):
    (tmp_path / "old.svg").write_text("old")
    r = run("-o", tmp_path / "old.svg", "-e", "BEGIN { not a program }")
    assert r.status == 1 and (tmp_path / "old.svg").read_text() == "old"
    r = run("-o", tmp_path / "no" / "x.svg", "-e", "BEGIN { }")
    assert r.status == 1 and "x.svg" in r.err
    run("-q", "-o", tmp_path / "old.svg", "-e", "BEGIN { @[kstack] = count(); }")
    ET.parse(tmp_path / "old.svg")
    assert sorted(os.listdir(tmp_path)) == ["old.svg"]


def frames(path):
    found = ET.parse(path).getroot().find(f".//{SVG}g[@id='frames']")
    return [(g.find(f"{SVG}title").text.split("\n"), g.find(f"{SVG}rect"), int(g.get("data-a")), int(g.get("data-n")))
            for g in found]


def test_flame_frames_lie_on_those_that_called_them(run, spin, tmp_path):
    r = run("-q", "-o", tmp_path / "x.svg", "-c", f"{spin} 200 evil", "-e", PROFILE)
    assert r.status == 0, r
    rows = frames(tmp_path / "x.svg")
    by_name = {title[0]: (rect, a, n) for title, rect, a, n in rows}
    for inner, outer in (("f3", "f2"), ("f2", "f1"), ("f1", "main")):
        (ri, ai, ni), (ro, ao, no) = by_name[inner], by_name[outer]
        assert float(ri.get("y")) < float(ro.get("y")) and ao <= ai and ai + ni <= ao + no
    assert "<script>alert(1)</script>&amp:'" in by_name
    text = (tmp_path / "x.svg").read_text()
    assert "alert(1)</script>" not in text.replace("&#60;", "") and "http" not in re.sub(r"http://www.w3.org/[0-9a-z/]+", "", text)
    assert len({rect.get("fill") for _, rect, _, _ in rows}) > 3


def test_colours_do_not_change_from_one_drawing_to_the_next(run, tmp_path):
    (tmp_path / "a").write_text("main;x 1\nmain;y_[k] 2\n")
    drawn = [run("diff", tmp_path / "a", tmp_path / "a").out for _ in range(2)]
    assert drawn[0] == drawn[1] and "<svg" in drawn[0]


def test_diff_compares_shares(run, tmp_path):
    (tmp_path / "a.folded").write_text("main;less 50\nmain;more 50\nmain;same 100\n")
    (tmp_path / "b.folded").write_text("main;less 4\nmain;more_[k] 1\nmain;more 15\nmain;same 20\n")
    r = run("diff", tmp_path / "a.folded", tmp_path / "b.folded", "-o", tmp_path / "d.svg")
    assert r.status == 0, r
    found = {title[0] + title[3:][0] if title[3:] else title[0]: (title[2], rect.get("fill"))
             for title, rect, _, _ in frames(tmp_path / "d.svg")}
    assert found["less"][0] == "-15.00 points (before: 25.00 %)"
    assert found["more"][0] == "+12.50 points (before: 25.00 %)"
    assert found["same"][0] == "+0.00 points (before: 50.00 %)"
    red, blue = (lambda c: int(c[1:3], 16)), (lambda c: int(c[5:7], 16))
    assert red(found["more"][1]) > blue(found["more"][1]) and red(found["less"][1]) < blue(found["less"][1])


@pytest.mark.parametrize("args,message", [
    (["a"], "two recordings"), (["a", "missing"], "cannot open"), (["a", "bad"], "bad:2: this is no folded stack"),
    (["a", "empty"], "holds no samples"), (["a", "a", "-o", "x.csv"], "cannot write"),
])
def test_diff_says_what_is_wrong(run, tmp_path, args, message):
    (tmp_path / "a").write_text("x 1\n")
    (tmp_path / "bad").write_text("x 1\nx;y\n")
    (tmp_path / "empty").write_text("")
    r = run("diff", *args, cwd=tmp_path)
    assert r.status in (1, 2) and message in r.err, r


# ---- in a browser ----

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def browse(tmp_path, url, *args):
    r = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1200,700",
                        f"--user-data-dir={tmp_path}/profile", "--virtual-time-budget=3000", *args, url],
                       capture_output=True, timeout=120, env={**os.environ, "HOME": str(tmp_path)})
    return r.stdout.decode()


SOURCE = """
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define F(n) int f##n(const char *s) { int a[64] = { n }; for (int i = 0; s[i]; i++) { a[i & 63] += isdigit(s[i]) ? s[i] * n : \\
	(int)strcspn(s + i, "xyz"); if (a[i & 63] > 1000) a[(i + n) & 63] ^= printf("%d", a[i & 31]); } return a[n & 63]; }
#define TEN(n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7) F(n##8) F(n##9)
TEN(1) TEN(2) TEN(3) TEN(4) TEN(5) TEN(6) TEN(7) TEN(8) TEN(9)
"""


@pytest.fixture(scope="session")
def real_load(tmp_path_factory):
    """The flame graph of a build: compilers that live for part of a second, without frame pointers."""
    from conftest import Running
    d = tmp_path_factory.mktemp("flame")
    (d / "x.c").write_text(SOURCE)
    r = Running("-o", d / "real.html", "-e", 'begin { printf("ready\\n"); } profile:hz:499 /comm == "cc1"/ { '
                "@[comm, ustack(60), kstack(20)] = count(); }")
    try:
        r.wait_for("ready")
        for _ in range(6):
            subprocess.run(["gcc", "-O2", "-c", "x.c", "-o", "x.o"], cwd=d, check=True)
        r = r.finish()
    finally:
        if not hasattr(r, "status"):
            r.p.kill()
    assert r.status in (0, 130) and (d / "real.html").stat().st_size > 3000, r
    return d / "real.html"


@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
def test_flame_graph_of_a_real_load_is_zoomed_and_searched_in_a_browser(real_load, tmp_path):
    page = real_load.read_text()
    count = page.count("<g data-a=")
    widths = lambda dom: re.findall(r'<g data-a="\d+" data-n="\d+" class="([^"]*)"><title>([^\n]*)\n[^<]*</title>'
                                    r'<rect x="([\d.]+)" y="\d+" width="([\d.]+)"', dom)
    plain = widths(browse(tmp_path, f"file://{real_load}", "--dump-dom"))
    assert len(plain) == count > 100 and plain[0][1] == "all" and float(plain[0][3]) > 1100
    # Nearly all stacks of the compiler are whole.
    assert max(float(f[3]) for f in plain if f[1] == "_start") > 800
    # The script has taken the window's width and cut texts; nothing is hidden or marked.
    wanted = next(i for i, f in enumerate(plain) if i > 1 and 20 < float(f[3]) < 1100)
    dom = browse(tmp_path, f"file://{real_load}#zoom={wanted}&search=^cc1$", "--dump-dom")
    zoomed = widths(dom)
    assert float(zoomed[wanted][3]) > 1100 and "gone" not in zoomed[wanted][0]
    assert "up" in zoomed[0][0] and any("gone" in f[0] for f in zoomed)
    assert [f[1] for f in zoomed if "hit" in f[0]] == [f[1] for f in plain if f[1] == "cc1"]
    assert re.search(r'id="matched"[^>]*>matched: 100.00 %<', dom)
    dom = browse(tmp_path, f"file://{real_load}#search=nothing[a", "--dump-dom")
    assert 'class="bad"' in dom
    look(tmp_path, real_load, "flame-zoomed", f"#zoom={wanted}&search=^cc1$")


# What a person does: a click on a frame, words in the search field, the button that goes back; then what is there.
HANDS = """<script>
var said = [], at = function (id) { return document.getElementById(id); };
/* The widest of that name: the first stack of a process may have begun elsewhere. */
var frame = function (name) { return Array.prototype.filter.call(document.querySelectorAll('#frames > g'), function (g) {
	return g.querySelector('title').textContent.split('\\n')[0] === name; }).sort(function (a, b) {
	return b.getAttribute('data-n') - a.getAttribute('data-n'); })[0]; };
var wide = function (name) { return Number(frame(name).querySelector('rect').getAttribute('width')).toFixed(0); };
var type = function (text) { at('search').value = text; at('search').dispatchEvent(new Event('input')); };
said.push('f1 ' + wide('f1'));
frame('f1').querySelector('rect').dispatchEvent(new MouseEvent('mouseover', { bubbles: true }));
said.push('info ' + at('info').textContent);
frame('f1').querySelector('rect').dispatchEvent(new MouseEvent('click', { bubbles: true }));
said.push('zoomed ' + wide('f1') + ' ' + (at('reset').getAttribute('class') === 'button'));
type('f3');
said.push('found ' + (frame('f3').getAttribute('class').indexOf('hit') >= 0) + ' ' + at('matched').textContent);
at('reset').dispatchEvent(new MouseEvent('click', { bubbles: true }));
said.push('back ' + wide('f1') + ' ' + (at('reset').getAttribute('class') === 'gone'));
window.dispatchEvent(new KeyboardEvent('keydown', { key: '/' }));
said.push('focus ' + (document.activeElement === at('search')));
window.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
said.push('empty ' + (at('search').value === '' && at('matched').textContent === ''));
document.body.setAttribute('data-said', said.join('|'));
</script>"""


@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
def test_flame_graph_under_the_hands_of_a_person(run, spin, tmp_path):
    run("-q", "-o", tmp_path / "x.html", "-c", f"{spin} 200 evil", "-e", PROFILE)
    page = tmp_path / "x.html"
    page.write_text(page.read_text().replace("</body>", HANDS + "</body>"))
    dom = browse(tmp_path, f"file://{page}", "--dump-dom")
    said = re.search(r'data-said="([^"]*)"', dom)[1].split("|")
    before = float(said[0].split()[1])
    assert 100 < before < 1100 and said[4] == f"back {before:.0f} true", said
    assert re.fullmatch(r"info f1 \u2014 [\d,]+ samples, \d+\.\d\d %, .*spin", said[1]), said
    assert re.fullmatch(r"zoomed 11[789]\d true", said[2]), said
    share = float(re.fullmatch(r"found true matched: ([\d.]+) %", said[3])[1])
    assert 55 < share < 78 and said[5:] == ["focus true", "empty true"], said
    look(tmp_path, page, "flame")


def look(tmp_path, page, name, fragment=""):
    """A screenshot, in light and in dark, that is kept beside the others of the run (SONDE_ARTEFACTS) and not empty."""
    directory = Path(os.environ.get("SONDE_ARTEFACTS") or tmp_path)
    directory.mkdir(parents=True, exist_ok=True)
    sizes = []
    for mode in ("light", "dark"):
        picture = directory / f"{name}-{mode}.png"
        picture.unlink(missing_ok=True)
        dark = ["--blink-settings=preferredColorScheme=0"] if mode == "dark" else []
        browse(tmp_path, f"file://{page}{fragment}", *dark, f"--screenshot={picture}")
        assert picture.read_bytes()[:4] == b"\x89PNG"
        sizes.append(picture.stat().st_size)
    assert min(sizes) > 6000, sizes


# Whether all texts of a picture lie within it and none on another, as the browser lays them out.
OVERLAPS = """<script>
var boxes = Array.prototype.map.call(document.querySelectorAll('svg text'), function (t) {
	var b = t.getBoundingClientRect(); return { text: t.textContent, l: b.left, r: b.right, t: b.top, b: b.bottom }; })
	.filter(function (b) { return b.text && b.r > b.l; });
var bad = boxes.filter(function (b) { return b.l < 0 || b.r > document.querySelector('svg').getBoundingClientRect().right + 0.5; });
boxes.forEach(function (a, i) { boxes.slice(i + 1).forEach(function (b) {
	if (a.l < b.r - 1 && b.l < a.r - 1 && a.t < b.b - 4 && b.t < a.b - 4) bad.push(a, b); }); });
document.body.setAttribute('data-texts', boxes.length);
document.body.setAttribute('data-bad', bad.map(function (b) { return b.text; }).join('|'));
</script>"""

COUNTED = """BEGIN { @n = 0; @["a name that is far longer than there is room for in a picture, as names of files often are"] = sum(1234567);
    @["日本語"] = sum(1000000); @["<b>&"] = sum(3); @h["x"] = lhist(5, 0, 100, 10); @h["x"] = lhist(55, 0, 100, 10); }"""


@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
@pytest.mark.parametrize("view,program", [
    ("heat", "interval:ms:20 { @n++; @h = hist(@n * 1000); @h = hist(3); print(@h); if (@n == 60) { clear(@n); exit(); } }"),
    ("series", """interval:ms:20 { @n++; print((dev="sda", level=(int64)@n * 1000 - 4000)); print((dev="sdb", level=(int64)@n * @n));
        print((dev="sdb", other=5)); if (@n == 60) { clear(@n); exit(); } }"""),
    ("hist", COUNTED.replace("@n = 0; ", "")),
])
def test_pictures_in_a_browser(run, tmp_path, view, program):
    page = tmp_path / "x.html"
    # The picture is that of what the program counts and prints.
    r = run("-q", "-o", page, "-e", program)
    assert r.status == 0 and not r.err, r
    text = page.read_text()
    assert "http" not in re.sub(r"http://www.w3.org/[0-9a-z/]+", "", text)
    look(tmp_path, page, view)
    page.write_text(text.replace("</body>", OVERLAPS + "</body>"))
    dom = browse(tmp_path, f"file://{page}", "--dump-dom")
    assert int(re.search(r'data-texts="(\d+)"', dom)[1]) > 8 and 'data-bad=""' in dom, re.search(r'data-bad="[^"]*"', dom)


# ---- maps as bars ----

def bars(path):
    """[(label, length, number)] of a picture."""
    groups = [g for g in ET.parse(path).getroot().iter(f"{SVG}g") if g.get("class") == "bar"]
    return [(g.find(f"{SVG}title").text.rpartition(": ")[0], float(g.findall(f"{SVG}rect")[1].get("width")),
             g.findall(f"{SVG}text")[1].text) for g in groups]


def test_bars_as_a_picture(run, tmp_path):
    r = run("-q", "-f", "hist", "-o", tmp_path / "b.svg", "-e",
            'BEGIN { printf("beside\\n"); @["half"] = sum(5000); @["all"] = sum(10000); @["<none>"] = sum(0); @h = hist(0); @h = hist(5); }')
    assert r.status == 0 and r.out == "beside\n", r
    found = bars(tmp_path / "b.svg")
    assert [(b[0], b[2]) for b in found] == [("all", "10,000"), ("half", "5,000"), ("<none>", "0"),
                                             ("[0]", "1"), ("[1]", "0"), ("[2, 4)", "0"), ("[4, 8)", "1")]
    assert abs(found[0][1] / found[1][1] - 2) < 0.01 and found[2][1] == 0 and found[3][1] == found[6][1]


def test_bars_add_up_what_was_cleared(run, tmp_path):
    run("-q", "-f", "hist", "-o", tmp_path / "b.svg", "-e", """BEGIN { @n = 0; } interval:ms:50 { @n++;
        if (@n == 1) { @["a"] = sum(5); @h = hist(4); @m["a"] = max(7); print(@); print(@h); print(@m); print(@); }
        if (@n == 2) { clear(@); clear(@h); clear(@m); }
        if (@n == 3) { @["a"] = sum(2); @["b"] = sum(1); @h = hist(4); @m["a"] = max(3); clear(@n); exit(); } }""")
    assert [(b[0], b[2]) for b in bars(tmp_path / "b.svg")] == [("a", "7"), ("b", "1"), ("[4, 8)", "2"), ("a", "3")]


@pytest.mark.parametrize("program,title", [
    ("BEGIN { @[kstack] = count(); @h = hist(3); }", "flame graph"), ("BEGIN { print(kstack); }", "flame graph"),
    ("BEGIN { @h = hist(3); } interval:ms:10 { print(@h); exit(); }", "heat map"),
    ("BEGIN { @h = hist(3); } END { print(@h); }", "histogram"),
    ("BEGIN { @n = 3; } interval:ms:10 { print(@n); exit(); }", "series"), ("BEGIN { @ = tseries(3, 1s, 5); }", "series"),
    ("BEGIN { @[comm] = count(); }", "histogram"),
])
def test_a_file_gets_the_picture_of_what_is_counted(run, tmp_path, program, title):
    r = run("-q", "-o", tmp_path / "x.svg", "-e", program)
    assert r.status == 0 and ET.parse(tmp_path / "x.svg").getroot().find(f"{SVG}title").text == title, r


@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
def test_hostile_names_stay_text_in_a_browser(run, spin, tmp_path):
    run("-q", "-o", tmp_path / "x.html", "-c", f"{spin} 50 evil", "-e", PROFILE)
    dom = browse(tmp_path, f"file://{tmp_path}/x.html#search=alert", "--dump-dom")
    assert dom.count("<script") == 1 and "&lt;script&gt;alert(1)" in dom and 'hit"><title>&lt;script' in dom


# ---- heat maps ----

HEAT = """BEGIN { @h = hist(3); @h = hist(100); @n = 0; } interval:ms:50 { @n++;
        if (@n == 1) { print(@h); clear(@h); }
        if (@n == 2) { @h = hist(3); }
        if (@n == 3) { print(@h); }
        if (@n == 4) { @h = hist(200); exit(); } } END { clear(@n); }"""


def test_heat_map_has_a_line_for_each_print(run):
    r = run("-q", "-f", "heat", "-e", HEAT)
    rows = [re.fullmatch(r"\d\d:\d\d:\d\d \|(.*)\| (\d+)", line) for line in r.out.splitlines()]
    rows = [m for m in rows if m]
    # The last print shows one more; the value 3 was not counted twice.
    assert [int(m[2]) for m in rows] == [2, 1, 1], r
    assert "\x1b" not in r.out and r.out.splitlines()[0].split() == ["2", "4", "8", "16", "32", "64"]
    first, second, third = (m[1] for m in rows)
    assert first[0] != " " and first[-1] != " " and second[0] != " " and not second[1:].strip(second[0]).strip()
    assert third[0] == " " and third[-1] != " "


def test_heat_map_on_terminals_of_all_kinds():
    from test_views import read_terminal
    from conftest import SONDE
    def shown(**env):
        with pytest.MonkeyPatch.context() as m:
            for name in ("NO_COLOR", "COLORTERM"):
                m.delenv(name, raising=False)
            m.setattr("os.environ", {**os.environ, **env})
            # The terminal's kind comes from the environment of the command.
            return read_terminal(["env", *(f"{k}={v}" for k, v in env.items()), SONDE, "-q", "-f", "heat", "-e", HEAT], 20)
    assert "\x1b[48;2;" in shown(TERM="xterm-256color", COLORTERM="truecolor")
    assert "\x1b[48;5;" in shown(TERM="xterm-256color")
    assert "\x1b[48" not in shown(TERM="xterm-256color", COLORTERM="truecolor", NO_COLOR="1")
    assert "\x1b[48" not in shown(TERM="dumb")


def test_heat_map_as_a_picture(run, tmp_path):
    r = run("-q", "-f", "heat", "-o", tmp_path / "h.svg", "-e", HEAT)
    assert r.status == 0 and not r.out, r
    cells = [t.text for t in ET.parse(tmp_path / "h.svg").getroot().iter(f"{SVG}title")][1:]
    assert [re.sub(r"^\S+ ", "", c) for c in cells] == ["[2, 4): 1", "[64, 128): 1", "[2, 4): 1", "[128, 256): 1"]


def test_keys_are_panels_of_their_own(run, tmp_path):
    q = 'BEGIN { @["<a>"] = lhist(5, 0, 100, 10); @["b"] = lhist(50, 0, 100, 10); }'
    r = run("-q", "-f", "heat", "-e", q)
    assert "@[<a>]" in r.out and "@[b]" in r.out, r
    run("-q", "-f", "heat", "-o", tmp_path / "h.html", "-e", q)
    assert "@[&#60;a&#62;]" in (tmp_path / "h.html").read_text()
