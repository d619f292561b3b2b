# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of the tools of memory, compared with the kernel's own accounts."""
import os
import re
import subprocess

import pytest

import programs
import toolcases
from test_fs import records
from values import compared, entries

GROUPS = "/sys/fs/cgroup/memory"


@pytest.fixture(scope="module", autouse=True)
def built():
    programs.build()


def vmstat(name):
    with open("/proc/vmstat", encoding="ascii") as f:
        return int(re.search(rf"^{name} (\d+)$", f.read(), re.M).group(1))


@pytest.fixture
def group(request):
    """A memory cgroup of 8 MiB."""
    path = f"{GROUPS}/sonde-{os.getpid()}"
    if not os.path.exists(f"{GROUPS}/memory.limit_in_bytes"):
        pytest.skip("there is no memory cgroup of version 1")
    os.mkdir(path)
    with open(f"{path}/memory.limit_in_bytes", "w", encoding="ascii") as f:
        f.write("8M")
    yield path
    os.rmdir(path)


@pytest.fixture
def swap(tmp_path):
    """A swap file that only we need, as the machine has none."""
    if vmstat("pswpin") and open("/proc/swaps", encoding="ascii").read().count("\n") > 1:
        pytest.skip("the machine swaps")
    path = f"/var/tmp/sonde-swap-{os.getpid()}"
    subprocess.run(f"dd if=/dev/zero of={path} bs=1M count=64 2>/dev/null && chmod 600 {path} && mkswap {path} "
                   f"&& swapon {path}", shell=True, check=True, capture_output=True)
    yield path
    subprocess.run(["swapoff", path], check=True)
    os.unlink(path)


@compared("swapin", "/proc/vmstat")
def test_swapin_agrees_with_vmstat(group, swap):
    before = vmstat("pswpin")
    rows, _ = records("swapin", f"echo $$ > {group}/cgroup.procs; exec {programs.DIRECTORY}/pheap swap")
    after = vmstat("pswpin")
    seen = sum(entries(rows, "@pages").values())
    assert seen > 1000
    assert seen == after - before


@compared("oomkill", "/proc/vmstat")
def test_oomkill_agrees_with_vmstat(group):
    before = vmstat("oom_kill")
    rows, _ = records("oomkill", f"echo $$ > {group}/cgroup.procs; {programs.DIRECTORY}/pheap large; true")
    after = vmstat("oom_kill")
    assert [r["comm"] for r in rows] == ["pheap"] * (after - before)
    assert rows[0]["vm_kb"] >= 128 * 1024


@compared("faults", "getrusage() of the load")
def test_faults_agree_with_the_account_of_the_process():
    """The process's own count of its minor faults, which it prints before it ends."""
    rows, said = records("faults", f"exec {programs.DIRECTORY}/pheap faults")
    own = int(re.search(r"minor faults: (\d+)", said).group(1))
    seen = sum(v for k, v in entries(rows, "@faults").items() if k.startswith("pheap,"))
    assert 1000 <= seen <= own + 20
    assert seen >= own - 120  # before the program had its name


@compared("drsnoop", "what the load wrote")
def test_drsnoop_adds_up_to_what_the_group_freed(group):
    """Reclaim keeps a group of 8 MiB within its limit while 24 MiB of file pages go through it."""
    rows, _ = records("drsnoop", f"echo $$ > {group}/cgroup.procs; exec dd if=/dev/zero of={group_file()} bs=1M count=24",
                      "-n", "dd")
    os.unlink(group_file())
    freed = sum(r["pages"] for r in rows if r["kind"] == "memcg")
    assert freed >= (24 - 8) * 256 - 64
    assert freed <= 24 * 256 * 2


def group_file():
    return f"/var/tmp/sonde-reclaim-{os.getpid()}"


@compared("memleak", "the load's own count")
def test_memleak_knows_every_block():
    rows, _ = records("memleak", f"exec {programs.DIRECTORY}/pheap", "--older=0", "--min=1234")
    kept = [v for k, v in entries(rows, "@kept").items() if ",pheap," in k]
    assert sorted((v["bytes"], v["blocks"]) for v in kept) == [(4321, 1), (5000, 1), (61700, 50)]
