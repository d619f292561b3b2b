# SPDX-License-Identifier: GPL-2.0-or-later
"""Tools of disks beside what the kernel counts for a disk that nobody else uses, and what the load itself knows."""
import subprocess
from pathlib import Path

import pytest

from values import compared, entries, shown, total

REQUESTS, BYTES = 48, 8192


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    image = tmp_path_factory.mktemp("disk") / "image"
    with open(image, "wb") as f:
        f.truncate(16 << 20)
    device = subprocess.run(["losetup", "-f", "--show", image], capture_output=True, text=True, check=True).stdout.strip()
    yield Path(device).name
    subprocess.run(["losetup", "-d", device], check=True)


def written(disk, tool, *options):
    """(what the tool shows of requests that are written, how many the kernel has counted, and bytes)"""
    def counted():
        words = Path(f"/sys/block/{disk}/stat").read_text().split()
        return int(words[4]), int(words[6]) * 512
    before = counted()
    data, _ = shown(tool, f"dd if=/dev/zero of=/dev/{disk} bs={BYTES} count={REQUESTS} oflag=direct status=none", "-d", disk,
                    *options)
    after = counted()
    requests, size = after[0] - before[0], after[1] - before[1]
    assert (requests, size) == (REQUESTS, REQUESTS * BYTES)
    return data, requests, size


@compared("biolatency", "/sys/block/DISK/stat")
def test_biolatency_counts_each_request(disk):
    data, requests, _ = written(disk, "biolatency")
    assert total(data[-1]["@usecs"]) == requests


@compared("biosnoop", "/sys/block/DISK/stat")
def test_biosnoop_shows_each_request(disk):
    data, requests, size = written(disk, "biosnoop")
    assert len(data) == requests and sum(d["bytes"] for d in data) == size
    assert [d["sector"] for d in data] == [BYTES // 512 * i for i in range(REQUESTS)]


@compared("biotop", "/sys/block/DISK/stat")
def test_biotop_adds_them_up(disk):
    data, requests, size = written(disk, "biotop")
    [row] = entries(data, "@io").values()
    assert (row["requests"], row["kbytes"]) == (requests, size // 1024)


@compared("bitesize", "/sys/block/DISK/stat")
def test_bitesize_knows_the_size_of_each(disk):
    data, requests, _ = written(disk, "bitesize")
    assert entries(data, "@bytes") == {"dd": [{"min": BYTES, "max": 2 * BYTES - 1, "count": requests}]}


@compared("biopattern", "/sys/block/DISK/stat")
def test_biopattern_counts_what_is_sequential(disk):
    data, requests, size = written(disk, "biopattern")
    assert (sum(d["count"] for d in data), sum(d["kbytes"] for d in data)) == (requests, size // 1024)


@compared("seeksize", "the load: each request begins where the last one ended")
def test_seeksize_finds_no_distance(disk):
    data, requests, _ = written(disk, "seeksize")
    assert entries(data, "@sectors") == {"dd": [{"min": 0, "max": 0, "count": requests - 1}]}


@compared("biostacks", "/sys/block/DISK/stat")
def test_biostacks_counts_each_request(disk):
    data, requests, _ = written(disk, "biostacks")
    assert sum(map(total, entries(data, "@usecs").values())) == requests
