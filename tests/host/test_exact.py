# SPDX-License-Identifier: GPL-2.0-or-later
"""What sonde counts is what happened: no more, no less, and every loss is accounted for."""
import os
import re
import signal
import subprocess
import time

import pytest

NCPU = os.cpu_count()


def counts(result, name):
    """{key: value} of a keyed map in text output."""
    return {k: int(v) for k, v in re.findall(rf"^@{name}\[(.*)\]: (\d+)$", result.out, re.M)}


def test_count_by_comm_is_exact(running, load):
    r = running("-e", "tracepoint:raw_syscalls:sys_enter /args.id == 110/ { @n[comm] = count(); } "
                "interval:s:20 { exit(); }")
    r.wait_for("Attached")
    subprocess.run([load, "123456"], check=True)
    assert counts(r.finish(), "n")["sondeload"] == 123456


def test_count_without_a_key_on_every_cpu(running, load):
    r = running("-e", 'tracepoint:raw_syscalls:sys_enter /comm == "sondeload" && args.id == 110/ '
                "{ @n = count(); @s = sum(2); @h = hist(args.id); @p++; }")
    r.wait_for("Attached")
    subprocess.run([load, "50000", str(NCPU)], check=True)
    res = r.finish()
    total = 50000 * NCPU
    assert f"@n: {total}\n" in res.out, res
    assert f"@s: {2 * total}\n" in res.out, res
    assert re.search(rf"\[64, 128\) +{total} ", res.out), res
    # An increment of a plain map is atomic: nothing is lost between CPUs.
    assert f"@p: {total}\n" in res.out, res


def test_keyed_increment_is_atomic(running, load):
    r = running("-e", 'tracepoint:raw_syscalls:sys_enter /comm == "sondeload" && args.id == 110/ '
                '{ @a["k"]++; @b["k"] += 3; }')
    r.wait_for("Attached")
    subprocess.run([load, "50000", str(NCPU)], check=True)
    res = r.finish()
    assert f"@a[k]: {50000 * NCPU}\n" in res.out, res
    assert f"@b[k]: {150000 * NCPU}\n" in res.out, res


@pytest.mark.parametrize("probe", ["tracepoint:syscalls:sys_enter_getppid", "tracepoint:syscalls:sys_exit_getppid",
                                   "tracepoint:syscalls:sys_enter_getpp*",
                                   "rawtracepoint:sys_enter /arg1 == 110/"])
def test_ways_to_see_one_system_call_agree(running, load, probe):
    probe, _, pred = probe.partition(" ")
    pred = f"/comm == \"sondeload\"{' && ' + pred.strip('/') if pred else ''}/"
    r = running("-e", f"{probe} {pred} {{ @n = count(); }}")
    r.wait_for("Attached")
    subprocess.run([load, "20000"], check=True)
    assert "@n: 20000\n" in r.finish().out


def test_every_event_is_delivered_or_counted_as_lost(running, load):
    """More events than any consumer can take, from every CPU: delivered + lost = generated."""
    r = running("-e", 'tracepoint:syscalls:sys_enter_getppid /comm == "sondeload"/ '
                '{ @n = count(); printf("event %d %s\\n", pid, comm); }', env=dict(os.environ, SONDE_PERF_RB_PAGES="64"))
    r.wait_for("Attached")
    subprocess_run = subprocess.Popen([load, "200000", str(NCPU)])
    out = b""
    os.set_blocking(r.p.stdout.fileno(), False)
    while subprocess_run.poll() is None:
        out += r.p.stdout.read() or b""
        time.sleep(0.001)
    os.set_blocking(r.p.stdout.fileno(), True)
    r.head += out
    res = r.finish()
    delivered = len(re.findall(r"^event \d+ sondeload$", res.out, re.M))
    lost = [int(n) for n in re.findall(r"Lost (\d+) events", res.out + res.err)]
    generated = int(re.search(r"@n: (\d+)", res.out)[1])
    assert generated == 200000 * NCPU
    assert lost and delivered + sum(lost) == generated, (delivered, lost)


def test_stopped_consumer_counts_what_it_missed(running, load):
    r = running("-f", "json", "-e", 'tracepoint:syscalls:sys_enter_getppid /comm == "sondeload"/ '
                '{ @n = count(); printf("x"); }', env=dict(os.environ, SONDE_PERF_RB_PAGES="16"))
    r.wait_for("attached_probes")
    os.kill(r.p.pid, signal.SIGSTOP)
    subprocess.run([load, "300000"], check=True)
    os.kill(r.p.pid, signal.SIGCONT)
    res = r.finish()
    rows = res.json() if not r.head else [__import__("json").loads(x) for x in res.out.splitlines()]
    delivered = sum(1 for x in rows if x["type"] == "printf")
    lost = sum(x["data"]["events"] for x in rows if x["type"] == "lost_events")
    assert lost > 0
    assert delivered + lost == 300000, (delivered, lost)


def test_nothing_stays_attached(run, load):
    def programs():
        out = subprocess.run(["bpftool", "-j", "prog", "list"], capture_output=True, text=True, check=True).stdout
        return {p["id"] for p in __import__("json").loads(out)}

    before = programs()
    res = run("-e", "tracepoint:sched:sched_switch { @ = count(); } tracepoint:syscalls:sys_enter_* { @b = count(); } "
              "interval:ms:100 { exit(); }")
    assert res.status == 0, res
    for _ in range(50):
        if programs() <= before:
            return
        time.sleep(0.1)
    assert programs() <= before
