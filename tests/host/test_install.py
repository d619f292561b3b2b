# SPDX-License-Identifier: GPL-2.0-or-later
"""What `make install` leaves: the program, the library with its header, the manual, completion."""
import os
import subprocess

import pytest

from conftest import ROOT, SANITIZED, SONDE

pytestmark = pytest.mark.skipif(SANITIZED, reason="the sanitized build is not installed")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    d = tmp_path_factory.mktemp("install")
    build = os.environ.get("SONDE_BUILD", str(ROOT / "build"))
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", d], check=True, stdout=subprocess.DEVNULL)
    return d


def find(tree, name):
    found = [p for p in tree.rglob(name)]
    assert found, f"{name} was not installed: {[str(p.relative_to(tree)) for p in tree.rglob('*') if p.is_file()]}"
    return found[0]


def test_the_installed_program_runs(tree):
    r = subprocess.run([find(tree, "bin/sonde"), "-q", "-e", "BEGIN { print(6 * 7); }"], capture_output=True, text=True)
    assert r.stdout == "42\n", r


def test_header_library_manual_and_completion(tree):
    for name in ("sonde.h", "libsonde.a", "sonde.pc", "sonde.1*", "sonde-tools.1*", "sonde-opensnoop.1*", "_sonde", "sonde.fish"):
        find(tree, name)
    # The page is troff with the sections a reader of manuals looks for.
    page = find(tree, "sonde.1*").read_text()
    for section in (".SH NAME", ".SH OPTIONS"):
        assert section in page, page[:400]
