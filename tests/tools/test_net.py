# SPDX-License-Identifier: GPL-2.0-or-later
"""Tools of the network beside what the kernel and the programs themselves have counted."""
import json
import subprocess
import sys
from pathlib import Path

import test_cases as lang
from values import compared, entries

TRAFFIC = Path(__file__).resolve().parent / "traffic.py"


OURS = "-n", "sonde-net"


def asked(tool, what, *options):
    """([what the tool printed], what the traffic said of itself)"""
    command = [lang.SONDE, tool, "-f", "json", "-q", *options, "--cmd", f"{sys.executable} {TRAFFIC} sonde-net {what}"]
    r = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    said = [json.loads(line) for line in r.stdout.splitlines() if line.startswith("{")]
    rows = [s["data"] for s in said if s.get("type") in ("value", "map", "stats")]
    return rows, next(json.loads(line) for line in r.stderr.splitlines() if "ActiveOpens" in line)


@compared("tcpconnect", "/proc/net/snmp")
@compared("tcpaccept", "/proc/net/snmp")
def test_connections_are_as_many_as_the_kernel_counted():
    rows, counted = asked("tcpconnect", "bulk", *OURS)
    assert len(rows) == counted["ActiveOpens"] == 40
    rows, counted = asked("tcpaccept", "bulk", *OURS)
    assert len(rows) == counted["PassiveOpens"] == 40


@compared("tcplife", "what the load sent")
def test_sessions_carry_what_was_sent():
    rows, counted = asked("tcplife", "bulk", "--bytes", *OURS)
    received = [r["rx_kb"] for r in rows if r["lport"] == 7001]
    assert len(received) == 40
    # The end of the sender counts as a byte.
    assert counted["total"] <= sum(received) <= counted["total"] + 40


@compared("tcpretrans", "/proc/net/snmp")
def test_segments_are_sent_again_as_often_as_the_kernel_counted():
    rows, counted = asked("tcpretrans", "again counted", "-L", "7002")
    assert len(rows) == counted["RetransSegs"] >= 1


@compared("socketio", "what the load sent")
def test_bytes_of_sockets_are_those_that_were_sent():
    rows, counted = asked("socketio", "bulk", *OURS)
    stats = [item for item in entries(rows, "@io").items() if "TCP" in item[0].split(",")]
    for direction in "write", "read":
        of = [v for k, v in stats if direction in k.split(",")]
        assert sum(v["total"] for v in of) == counted["total"]


def hist_total(rows, name):
    def total(x):
        return sum(b["count"] for b in x) if isinstance(x, list) else sum(map(total, x.values()))
    return sum(total(r[name]) for r in rows if name in r)


def asked_hist(tool, what, *options):
    """As asked(), with histograms."""
    command = [lang.SONDE, tool, "-f", "json", "-q", *options, "--cmd", f"{sys.executable} {TRAFFIC} sonde-net {what}"]
    r = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    rows = [json.loads(line)["data"] for line in r.stdout.splitlines() if line.startswith('{"type": "hist"')]
    return rows, next(json.loads(line) for line in r.stderr.splitlines() if "ActiveOpens" in line)


@compared("tcpconnlat", "/proc/net/snmp")
def test_each_connection_has_a_time():
    rows, counted = asked("tcpconnlat", "bulk", *OURS)
    assert len(rows) == counted["ActiveOpens"] == 40


@compared("soconnlat", "/proc/net/snmp")
def test_each_connect_has_a_time():
    rows, counted = asked_hist("soconnlat", "bulk", *OURS)
    assert hist_total(rows, "@usecs") == counted["ActiveOpens"]


@compared("tcptracer", "/proc/net/snmp")
def test_events_of_connections_are_as_many_as_the_kernel_counted():
    rows, counted = asked("tcptracer", "bulk", *OURS)
    events = [r["event"] for r in rows]
    assert events.count("connect") == counted["ActiveOpens"]
    assert events.count("accept") == counted["PassiveOpens"]
    assert events.count("close") == counted["ActiveOpens"] + counted["PassiveOpens"]


@compared("tcpstates", "/proc/net/snmp")
def test_each_connection_was_established():
    rows, counted = asked("tcpstates", "bulk")
    mine = [r for r in rows if 7001 in (r["lport"], r["rport"])]
    assert sum(r["newstate"] == 1 for r in mine) == counted["ActiveOpens"] + counted["PassiveOpens"]


@compared("soconnect", "/proc/net/snmp")
@compared("soaccept", "/proc/net/snmp")
def test_calls_are_as_many_as_connections():
    rows, counted = asked("soconnect", "bulk", *OURS)
    assert [r["result"] for r in rows if r["port"] == 7001] == ["Success"] * counted["ActiveOpens"]
    rows, counted = asked("soaccept", "bulk", *OURS)
    assert [r["result"] for r in rows] == ["Success"] * counted["PassiveOpens"]


@compared("sofamily", "/proc/net/snmp")
@compared("soprotocol", "/proc/net/snmp")
def test_families_and_protocols_add_up():
    for tool, what in ("sofamily", "INET"), ("soprotocol", "TCP"):
        rows, counted = asked(tool, "bulk")
        found = {name: n for r in rows for name, n in r.items()}
        assert entries([found], "@connects")[f"sonde-net,{what}"] == counted["ActiveOpens"]
        assert entries([found], "@accepts")[f"sonde-net,{what}"] == counted["PassiveOpens"]


@compared("tcpsynbl", "/proc/net/snmp")
def test_each_connection_stood_in_the_queue():
    rows, counted = asked_hist("tcpsynbl", "bulk")
    assert hist_total(rows, "@backlog") >= counted["PassiveOpens"]


@compared("tcptop", "what the load sent")
def test_the_busiest_have_sent_it_all():
    rows, counted = asked("tcptop", "bulk", "--top=1000", *OURS)
    busiest = [v for r in rows for v in r["@busiest"].values()]
    assert sum(v["bytes"] for v in busiest) == 2 * counted["total"]
