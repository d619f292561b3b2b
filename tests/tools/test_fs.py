# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of the tools of files, compared with what others know: the kernel's own accounts, and the load itself."""
import json
import os
import re
import shutil
import subprocess

import pytest

import test_cases as lang
from values import compared, entries


def records(tool, script, *options):
    """(rows that the tool prints, what the script prints)"""
    command = [lang.SONDE, tool, "-f", "json", *options, "--cmd", "sh -c '" + script + "'"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == 0, done.stderr
    rows, said = [], []
    for line in done.stdout.splitlines():
        if line.startswith('{"type": "value"'):
            rows.append(json.loads(line)["data"])
        elif line.startswith('{"type": "map"'):
            rows.append(json.loads(line)["data"])
        elif not line.startswith('{"type"'):
            said.append(line)
    return rows, "\n".join(said)


@pytest.fixture
def own_fs(tmp_path):
    """A file system that nobody else uses."""
    subprocess.run(["mount", "-t", "ramfs", "sonde", tmp_path], check=True)
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


@compared("filetop", "/proc/PID/io")
def test_filetop_agrees_with_the_account_of_the_process(own_fs):
    """/proc/PID/io counts what a process read and wrote; bash does all of it itself."""
    script = (f"cd {own_fs}; for i in 1 2 3 4 5 6 7; do echo 0123456789abcdef >> own; done; "
              "while read line; do :; done < own; cat /proc/$$/io; echo pid $$")
    rows, said = records("filetop", script, "--top=1000", "10")
    io = dict(re.findall(r"(\w+): (\d+)", said))
    mine = [v for k, v in entries(rows, "@io").items() if f",own" in k or "own," in k]
    assert sum(v["w_bytes"] for v in mine) == 7 * 17
    assert sum(v["r_bytes"] for v in mine) >= 7 * 17
    assert sum(v["w_bytes"] for v in mine) <= int(io["wchar"])
    assert sum(v["r_bytes"] for v in mine) <= int(io["rchar"])


@compared("fsslower", "the load's own count")
def test_fsslower_shows_each_operation_once(own_fs):
    rows, _ = records("fsslower", f"dd if=/dev/zero of={own_fs}/x bs=777 count=123 conv=fsync 2>/dev/null", "0",
                      "-t", "ramfs")
    mine = [r for r in rows if r["file"] == "x"]
    writes = [r for r in mine if r["t"] == "W"]
    assert [r["bytes"] for r in writes] == [777] * 123
    assert [r["off_kb"] for r in writes] == [777 * i // 1024 for i in range(123)]
    assert [r["t"] for r in mine if r["t"] != "W"] == ["O", "S"]


@compared("fsdist", "the load's own count")
def test_fsdist_counts_what_fsslower_shows(own_fs):
    script = f"dd if=/dev/zero of={own_fs}/x bs=100 count=77 2>/dev/null; dd if={own_fs}/x of=/dev/null bs=100 2>/dev/null"
    command = [lang.SONDE, "fsdist", "-f", "json", "-t", "ramfs", "--cmd", f"sh -c '{script}'"]
    out = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    counts = {}
    for line in out.splitlines():
        if line.startswith('{"type": "hist"'):
            for key, buckets in json.loads(line)["data"]["@usecs"].items():
                counts[key] = sum(b["count"] for b in buckets)
    assert counts["ramfs,write"] == 77
    assert counts["ramfs,read"] == 78  # and the one that finds the end
    assert counts["ramfs,open"] == 2


@compared("statsnoop", "strace")
@pytest.mark.skipif(not shutil.which("strace"), reason="there is no strace")
def test_statsnoop_sees_what_strace_sees(tmp_path):
    log = tmp_path / "strace"
    rows, _ = records("statsnoop", f"strace -f -o {log} -e trace=stat,lstat,newfstatat,statx,statfs ls -l /proc/sys")
    theirs = [m for m in re.findall(r'(?:stat|statx|statfs)\w*\((?:\w+, )?"([^"]+)"', log.read_text()) if m]
    mine = [r["path"] for r in rows if r["comm"] == "ls"]
    assert sorted(mine) == sorted(theirs)


@compared("filelife", "the load's own clock")
def test_filelife_knows_how_old_a_file_was(own_fs):
    rows, _ = records("filelife", f"touch {own_fs}/f; sleep 0.7; rm {own_fs}/f")
    ages = [r["age_ms"] for r in rows if r["file"] == "f"]
    assert len(ages) == 1 and 700 <= ages[0] < 5000


@compared("writesync", "the load's own count")
def test_writesync_counts_writes(own_fs):
    rows, _ = records("writesync", f"dd if=/dev/zero of={own_fs}/w bs=10 count=321 oflag=sync 2>/dev/null")
    mine = [v for k, v in entries(rows, "@calls").items() if "O_SYNC" in k and ",w" in k]
    assert mine == [321]
