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


def lost_and_delivered(res):
    lost = sum(int(n) for n in re.findall(r"Lost (\d+) events", res.out + res.err))
    return lost, len(re.findall(r"^event \d+ sondeload$", res.out, re.M))


EVENTS = ("-e", 'tracepoint:syscalls:sys_enter_getppid /comm == "sondeload"/ '
          '{ @n = count(); printf("event %d %s\\n", pid, comm); }')


@pytest.mark.parametrize("after", [0.01, 0.05, 0.1, 0.2])
def test_events_add_up_when_stopped_in_the_middle(running, load, tmp_path, after):
    """Stopped while every CPU sends events at full speed: what the kernel counted was delivered or counted as lost."""
    with open(tmp_path / "out", "w+b") as out:
        p = subprocess.Popen([os.environ.get("SONDE", "build/sonde"), *EVENTS], stdin=subprocess.DEVNULL, stdout=out,
                             stderr=subprocess.PIPE)
        while b"Attached" not in (tmp_path / "out").read_bytes():
            assert p.poll() is None
            time.sleep(0.005)
        sender = subprocess.Popen([load, "2000000", str(NCPU)])
        time.sleep(after)
        p.send_signal(signal.SIGINT)
        err = p.communicate(timeout=30)[1].decode()
        sender.kill()
        sender.wait()
    text = (tmp_path / "out").read_text()
    generated = int(re.search(r"^@n: (\d+)$", text, re.M)[1])
    lost = sum(int(n) for n in re.findall(r"Lost (\d+) events", text + err))
    assert generated and len(re.findall(r"^event \d+ sondeload$", text, re.M)) + lost == generated


def test_events_add_up_when_the_consumer_stands_still_for_a_second(running, load):
    r = running(*EVENTS)
    r.wait_for("Attached")
    os.kill(r.p.pid, signal.SIGSTOP)
    sender = subprocess.Popen([load, "300000", str(NCPU)])
    time.sleep(1)
    os.kill(r.p.pid, signal.SIGCONT)
    out = b""
    os.set_blocking(r.p.stdout.fileno(), False)
    while sender.poll() is None:
        out += r.p.stdout.read() or b""
        time.sleep(0.001)
    os.set_blocking(r.p.stdout.fileno(), True)
    r.head += out
    res = r.finish()
    lost, delivered = lost_and_delivered(res)
    assert f"@n: {300000 * NCPU}\n" in res.out
    assert lost + delivered == 300000 * NCPU, (lost, delivered)


# Each kind of sum in a map so large that all processors share its values; what @[0] is after five; what reads @[299999].
SHARED = [("count()", "@[0]: 5", "@[299999] == 1"), ("sum($i)", "@[0]: 0", "@[299999] == 299999"),
          ("avg($i)", "@[0]: 0", "@[299999] == 299999"), ("stats($i)", "@[0]: { .count = 5, .average = 0, .total = 0 }", "true")]


@pytest.mark.parametrize("sum_of,first,reads", SHARED)
def test_large_maps_of_sums_are_exact(run, sum_of, first, reads):
    """More keys than the kernel can make room for in between: none is refused, and the later ones add up."""
    res = run("-q", "-e", "config = { max_map_keys = 300000 } begin { "
              f"for $i : 0..300000 {{ @[$i] = {sum_of}; }} $i = (uint64)0; unroll (4) {{ @[0] = {sum_of}; }} "
              f"if ({reads}) {{ print(\"read\"); }} }}")
    lines = res.out.split("\n")
    assert res.status == 0 and not res.err, res.err
    assert lines[0] == "read" and first in lines, lines[:10]
    assert sum(line.startswith("@[") for line in lines) == 300000


def test_large_maps_are_exact_from_every_cpu(running, load):
    r = running("-e", "config = { max_map_keys = 100000 } tracepoint:raw_syscalls:sys_enter "
                '/comm == "sondeload" && args.id == 110/ { @n[comm] = count(); @h[comm] = hist(args.id); '
                "@s[comm] = stats(args.id); @l[comm] = lhist(args.id, 0, 200, 100); }")
    r.wait_for("Attached")
    subprocess.run([load, "50000", str(NCPU)], check=True)
    res = r.finish()
    total = 50000 * NCPU
    assert f"@n[sondeload]: {total}\n" in res.out, res
    assert f"@s[sondeload]: {{ .count = {total}, .average = 110, .total = {110 * total} }}\n" in res.out, res
    assert re.search(rf"^\[64, 128\) +{total} ", res.out, re.M), res
    assert re.search(rf"^\[100, 200\) +{total} ", res.out, re.M), res


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
