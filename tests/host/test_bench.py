# SPDX-License-Identifier: GPL-2.0-or-later
"""The measurements: what cannot be measured says why, and no figure stands in its place."""
import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT, SONDE

sys.path.insert(0, str(ROOT / "bench"))
import common  # noqa: E402


@pytest.fixture
def without_peers(tmp_path):
    """A PATH on which neither the peers nor clang are."""
    for directory in ("/usr/bin", "/usr/sbin"):
        for entry in os.scandir(directory):
            if not re.search(r"bpftrace|-bpfcc|clang|^(biolatency|syscount|runqlat|bpftool)$", entry.name):
                link = tmp_path / entry.name
                if not link.exists():
                    link.symlink_to(entry.path)
    return dict(os.environ, PATH=str(tmp_path))


def bench(tmp_path, env, *args):
    written = tmp_path / "performance.md"
    p = subprocess.run(["/usr/bin/python3", ROOT / "bench" / "bench.py", "--sonde", SONDE, "--rounds", "1", "--write",
                        written, *args], capture_output=True, text=True, env=env, timeout=120)
    return p, written.read_text() if written.exists() else ""


def test_a_peer_that_is_not_there_leaves_its_row_empty(tmp_path, without_peers):
    p, text = bench(tmp_path, without_peers, "--only", "start")
    assert p.returncode == 0, p.stderr
    assert re.search(r"^BEGIN \{ exit\(\); \} +sonde +\d+\.\d", p.stdout, re.M), p.stdout
    assert re.search(r"^ +bpftrace +- it is not installed$", p.stdout, re.M), p.stdout
    assert "| `BEGIN { exit(); }` | sonde | " in text
    assert "|  | bpftrace |  |  |  |" in text
    assert "- bpftrace, `BEGIN { exit(); }`: it is not installed" in text


def test_what_the_kernel_cannot_count_is_said(tmp_path, without_peers):
    p, text = bench(tmp_path, without_peers, "--only", "events")
    assert p.returncode == 1
    assert "bpftool is not installed" in p.stdout
    assert not re.search(r"^\| .*\d.*\| sonde \|.*\d", text, re.M)


def test_what_was_to_be_reached_is_not_answered_without_a_figure():
    t = common.Table("t", "", [("ms", 1)])
    t.attempt("q", "peer", None, lambda: (1,))
    t.limit("q", "at most 5", t.median("q", "peer", 0), 5)
    assert t.limits == [("q", "at most 5", None, None)]
    assert "- it is not installed" in common.table_text(t)


def test_a_process_that_hangs_or_fails_is_no_figure(tmp_path):
    tools = common.Tools(SONDE, str(tmp_path))
    t = common.Table("t", "", [("wall ms", 1), ("CPU ms", 1), ("MiB", 1)])
    t.attempt("hangs", "x", ["sleep"], lambda: common.run_measured(tools, ["sleep", "60"], 0.3))
    t.attempt("fails", "x", ["false"], lambda: common.run_measured(tools, ["sh", "-c", "echo cause >&2; exit 3"]))
    t.attempt("works", "x", ["true"], lambda: common.run_measured(tools, ["sleep", "0.05"]))
    assert t.why == {("hangs", "x"): "it had not ended after 0.3 s", ("fails", "x"): "it failed: cause"}
    assert [len(t.samples[q, "x"]) for q in ("hangs", "fails", "works")] == [0, 0, 1]
    assert 50 <= t.median("works", "x", 0) < 5000
