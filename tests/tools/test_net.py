# SPDX-License-Identifier: GPL-2.0-or-later
"""Tools of the network beside what the kernel and the programs themselves have counted."""
import json
import subprocess
import sys
from pathlib import Path

import test_cases as lang

TRAFFIC = Path(__file__).resolve().parent / "traffic.py"


OURS = "-n", "sonde-net"


def asked(tool, what, *options):
    """([what the tool printed], what the traffic said of itself)"""
    command = [lang.SONDE, tool, "-f", "json", "-q", *options, "--cmd", f"{sys.executable} {TRAFFIC} sonde-net {what}"]
    r = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    said = [json.loads(line) for line in r.stdout.splitlines() if line.startswith("{")]
    rows = [s["data"] for s in said if s.get("type") in ("value", "map", "stats")]
    return rows, next(json.loads(line) for line in r.stderr.splitlines() if "ActiveOpens" in line)


def test_connections_are_as_many_as_the_kernel_counted():
    rows, counted = asked("tcpconnect", "bulk", *OURS)
    assert len(rows) == counted["ActiveOpens"] == 40
    rows, counted = asked("tcpaccept", "bulk", *OURS)
    assert len(rows) == counted["PassiveOpens"] == 40


def test_sessions_carry_what_was_sent():
    rows, counted = asked("tcplife", "bulk", "--bytes", *OURS)
    received = [r["rx_kb"] for r in rows if r["lport"] == 7001]
    assert len(received) == 40
    # The end of the sender counts as a byte.
    assert counted["total"] <= sum(received) <= counted["total"] + 40


def test_segments_are_sent_again_as_often_as_the_kernel_counted():
    rows, counted = asked("tcpretrans", "again counted", "-L", "7002")
    assert len(rows) == counted["RetransSegs"] >= 1


def test_bytes_of_sockets_are_those_that_were_sent():
    rows, counted = asked("socketio", "bulk", *OURS)
    stats = [item for r in rows for item in r["@io"].items() if "TCP" in item[0].split(",")]
    for direction in "write", "read":
        of = [v for k, v in stats if direction in k.split(",")]
        assert sum(v["total"] for v in of) == counted["total"]
