# SPDX-License-Identifier: GPL-2.0-or-later
"""Imports of scripts and headers, and where they are looked for."""
import os

import pytest

from conftest import sonde


@pytest.fixture
def lib(tmp_path):
    def write(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_bt", ".bt").replace("_h", ".h")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path
    return write


def test_imported_things_can_be_used(lib, run):
    d = lib(main_bt='import "lib/math.bt"; begin { print(twice(four())); @x = 1; }',
            lib__math_bt="macro twice(x) { x * 2 } macro four() { 4 } let @x = hash(10); end { @x[1] = 2; }")
    res = run("-q", d / "main.bt")
    assert res.status == 1 and "@x" in res.err, res
    (d / "main.bt").write_text('import "lib/math.bt"; begin { print(twice(four())); }')
    res = run("-q", d / "main.bt")
    assert res.status == 0 and res.out.startswith("8\n") and "@x[1]: 2" in res.out, res


def test_order_and_once(lib, run):
    d = lib(main_bt='import "a.bt"; import "b.bt"; begin { print("main"); } end { print("end main"); }',
            a_bt='import "b.bt"; begin { print("a"); } end { print("end a"); }',
            b_bt='import "a.bt"; import "main.bt"; begin { print("b"); } end { print("end b"); }')
    res = run("-q", d / "main.bt")
    assert res.out.split("\n")[:6] == ["b", "a", "main", "end b", "end a", "end main"], res


def test_beside_the_importing_file_then_I_then_here(lib, run, tmp_path):
    d = lib(main_bt='import "x.bt"; begin { print(where()); }', x_bt='macro where() { "beside" }',
            inc__x_bt='macro where() { "inc" }', inc__y_bt='macro why() { "y" }')
    assert run("-q", "-I", d / "inc", d / "main.bt").out == "beside\n"
    (d / "x.bt").unlink()
    assert run("-q", "-I", d / "inc", d / "main.bt").out == "inc\n"
    assert run("-q", "-e", 'import "inc/y.bt"; begin { print(why()); }', cwd=d).out == "y\n"
    assert run("-q", "-e", 'import "%s/inc/y.bt"; begin { print(why()); }' % d).out == "y\n"


def test_errors_point_into_the_imported_file(lib, run):
    d = lib(main_bt='import "bad.bt"; begin { }', bad_bt="\nbegin { print( }\n")
    res = run(d / "main.bt")
    assert res.status == 1 and f"{d}/bad.bt:2:16: error:" in res.err and "begin { print( }" in res.err, res
    (d / "bad.bt").write_text("begin { print(nope); }")
    res = run(d / "main.bt")
    assert f"{d}/bad.bt:1:15: error:" in res.err, res


@pytest.mark.parametrize("text, message", [
    ('import "nope.bt"; begin { }', "cannot find nope.bt to import"),
    ('import "dir"; begin { }', "cannot read dir"),
    ('import "binary.bt"; begin { }', "contains a NUL byte"),
])
def test_what_cannot_be_imported(tmp_path, run, text, message):
    (tmp_path / "dir").mkdir()
    for name in ("x.bpf.c", "x.bpf.o"):
        (tmp_path / name).write_text("")
    (tmp_path / "binary.bt").write_bytes(b"begin { }\0")
    res = run("-e", text, cwd=tmp_path)
    assert res.status == 1 and message in res.err, res


def test_a_long_chain_ends(tmp_path, run):
    for i in range(100):
        (tmp_path / f"f{i}.bt").write_text(f'import "f{i + 1}.bt"; begin {{ }}')
    res = run(tmp_path / "f0.bt")
    assert res.status == 1 and "too many scripts are imported" in res.err, res


def test_headers(lib, run):
    d = lib(main_bt='import "x.h"; begin { print(sizeof(struct here)); print(HDR); }',
            x_h="struct here { int a; long b; };\n#define HDR 77\n")
    assert run("-q", d / "main.bt").out == "16\n77\n"
    assert run("-q", "-I", d, "-e", "#include <x.h>\nbegin { print(HDR); }").out == "77\n"
    assert run("-q", "-I", d, "-e", '#include "x.h"\nbegin { print(HDR); }').out == "77\n"
    assert run("-q", "-I", d, "--include", "x.h", "-e", "begin { print(HDR); }").out == "77\n"
    assert run("-q", "--include", d / "x.h", "-e", "begin { print(HDR); }").out == "77\n"
