# SPDX-License-Identifier: GPL-2.0-or-later
"""sonde checkup: one page with a line for each thing, from the kernel's events and /proc."""
import json
import re
import signal
import subprocess
import time

import pytest

import test_cases as lang

BUSY = "import time\nend = time.time() + 20\nwhile time.time() < end: pass\n"
NAMES = ["load", "processors", "run queue", "busiest", "processes", "memory", "memory stalls", "out of memory", "disks",
         "disk errors", "network", "crashes"]


def checkup(*args):
    return subprocess.run([lang.SONDE, "checkup", *args], capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def page():
    """What it says while one program is busy and others are killed by their own fault; the busy one, its percentage."""
    busy = subprocess.Popen(["python3", "-c", BUSY])
    run = subprocess.Popen([lang.SONDE, "checkup", "3", "-f", "json"], stdout=subprocess.PIPE, text=True)
    for _ in range(8):
        time.sleep(0.4)
        subprocess.run(["sh", "-c", "kill -SEGV $$"], check=False)
    out = run.communicate(timeout=60)[0]
    with open(f"/proc/{busy.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    used = (int(fields[11]) + int(fields[12])) / 3
    busy.kill()
    busy.wait()
    assert run.returncode == 0
    return {d["name"]: d for d in (json.loads(line)["data"] for line in out.splitlines())}, busy.pid, used


def test_every_line_is_there(page):
    assert list(page[0]) == NAMES
    assert all(line["found"] and line["deeper"] for line in page[0].values())


def test_the_busiest_program_is_named(page):
    """Unless the machine is so busy that three others used no less."""
    lines, pid, used = page
    shares = [int(n) for n in re.findall(r"\S+ \(\d+\) (\d+)%", lines["busiest"]["found"])]
    assert shares == sorted(shares, reverse=True) and len(shares) == 3
    assert f"python3 ({pid}) " in lines["busiest"]["found"] or shares[-1] >= used - 10


def test_a_crash_is_notable(page):
    crashes = page[0]["crashes"]
    assert crashes["notable"] and int(crashes["found"].split()[0]) >= 1


def test_memory_is_that_of_proc(page):
    with open("/proc/meminfo") as f:
        total = next(int(line.split()[1]) for line in f if line.startswith("MemTotal:"))
    assert f" of {total / (1 << 20):.1f} GiB available" in page[0]["memory"]["found"]


def test_the_page_for_people_has_a_line_each():
    r = checkup("1")
    assert r.returncode == 0 and r.stderr == ""
    lines = r.stdout.splitlines()
    assert [line[2:16].strip() for line in lines[2:]] == NAMES
    assert all(line[0] in " !" for line in lines[2:])


def test_ctrl_c_shows_what_was_found_so_far():
    p = subprocess.Popen([lang.SONDE, "checkup", "50"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(2)
    p.send_signal(signal.SIGINT)
    out, _ = p.communicate(timeout=20)
    assert p.returncode == 0 and "run queue" in out


def test_the_tools_that_go_deeper_exist(page):
    for line in page[0].values():
        for name in line["deeper"].split(", "):
            assert subprocess.run([lang.SONDE, "help", name], capture_output=True, check=False).returncode == 0, name


@pytest.mark.parametrize("word", ["0", "-3", "abc", "1x", "999999999", "-f"])
def test_what_is_not_a_number_of_seconds(word):
    r = checkup(word)
    assert r.returncode == 2 and "checkup takes a number of seconds" in r.stderr and r.stdout == ""
