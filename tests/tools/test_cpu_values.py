# SPDX-License-Identifier: GPL-2.0-or-later
"""What tools for processors count, compared with what the kernel or the program itself has counted meanwhile.

A tool is attached a little before its command begins and a little longer than it runs, so that it may see more than
was counted inside, never less.
"""
import json
import re
import subprocess

import pytest

import test_cases as lang
from values import compared

BUSY = "import time\nwhile time.process_time() < 1: pass\n"
SLEEPY = "import time\nfor i in range(200): time.sleep(0.002)\n"


def tool(tmp_path, name, *options, script, interpreter="sh"):
    """(standard output of the tool, that of the script it runs)"""
    file, out = tmp_path / "script", tmp_path / "out"
    file.write_text(script)
    r = subprocess.run([lang.SONDE, name, *options, "-o", out, "--cmd", f"{interpreter} {file}"],
                       capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stderr
    return out.read_text(), r.stdout


def sums(text):
    """{key: number} of a map"""
    return {m[1]: int(m[2]) for m in re.finditer(r"^@\w+\[(.+)\]: (\d+)$", text, re.M)}


def histogram_total(text, key):
    block = re.search(rf"^@\w+\[{key}\]:\n((?:[\[(].*\n)+)", text, re.M)
    return sum(int(m[1]) for m in re.finditer(r"[)\]] +(\d+) \|", block[1])) if block else 0


def difference(text):
    """{name: sum over processors} of two tables as /proc/interrupts and /proc/softirqs have them, with ==== between."""
    def table(t):
        ncpus = len(re.findall(r"CPU\d", t))
        rows = (line.split() for line in t.splitlines() if ":" in line)
        return {r[-1] if len(r) > ncpus + 1 else r[0].rstrip(":"): sum(map(int, r[1:ncpus + 1])) for r in rows
                if len(r) > ncpus}
    before, after = map(table, text.split("====\n"))
    return {name: after[name] - before.get(name, 0) for name in after}


@compared("hardirqs", "/proc/interrupts")
def test_hardirqs_counts_what_proc_interrupts_counts(tmp_path):
    got, said = tool(tmp_path, "hardirqs", "-C", script="""
        cat /proc/interrupts; dd if=/dev/zero of=/var/tmp/sonde-irqs bs=64k count=100 oflag=direct 2>/dev/null
        rm -f /var/tmp/sonde-irqs; echo ====; cat /proc/interrupts""".replace("\n        ", "\n"))
    counted, seen = difference(said), sums(got)
    devices = {name: n for name, n in counted.items() if name.startswith("virtio") and n > 20}
    if not devices:
        pytest.skip("no device of this machine had interrupts")
    for name, n in devices.items():
        assert n <= seen.get(name, 0) <= n * 1.3 + 100, (name, n, seen)


@compared("softirqs", "/proc/softirqs")
def test_softirqs_counts_what_proc_softirqs_counts(tmp_path):
    got, said = tool(tmp_path, "softirqs", "-C", script="cat /proc/softirqs; sleep 1; echo ====; cat /proc/softirqs")
    counted, seen = difference(said), sums(got)
    for name in ("TIMER", "SCHED", "RCU"):
        assert counted[name] <= seen.get(name.lower(), 0) <= counted[name] * 1.5 + 200, (name, counted, seen)


@compared("syscount", "the load's own count")
def test_syscount_counts_what_the_program_calls(tmp_path):
    got, _ = tool(tmp_path, "syscount", "-T", "0", "-e", "9", interpreter="python3", script="""
import os
for i in range(4321):
    try: os.close(987654)
    except OSError: pass
""")
    assert 4321 <= sums(got)["close"] <= 4321 + 50


@compared("profile", "the load's own processor time")
def test_profile_samples_the_time_that_a_program_used(tmp_path):
    got, said = tool(tmp_path, "profile", "-U", "-f", "json", interpreter="python3",
                     script=BUSY + "print(time.process_time())\n")
    samples = 0
    for line in got.splitlines():
        record = json.loads(line)
        if record["type"] == "map":
            samples += sum(record["data"]["@samples"].values())
    assert samples / 99 == pytest.approx(float(said), rel=0.2, abs=0.1)


@compared("cpudist", "/proc/PID/schedstat")
@compared("runqlat", "/proc/PID/schedstat")
@pytest.mark.parametrize("name, options", [("cpudist", ["-L"]), ("runqlat", ["-L"])])
def test_each_turn_on_a_processor_is_counted(tmp_path, name, options):
    look = "print(open('/proc/self/schedstat').read())\n"
    got, said = tool(tmp_path, name, *options, interpreter="python3",
                     script=look + SLEEPY + look + "import os\nprint(os.getpid())\n")
    _, _, before, _, _, after, pid = map(int, said.split())
    assert after - before - 5 <= histogram_total(got, f"{pid}, python3") <= after + 20


@compared("cpustolen", "/proc/stat")
def test_cpustolen_sums_up_what_proc_stat_counts(tmp_path):
    def stolen():
        with open("/proc/stat") as f:
            return int(f.readline().split()[8]) * 10000
    before = stolen()
    r = subprocess.run([lang.SONDE, "cpustolen", "3", "1"], capture_output=True, text=True, timeout=30)
    after = stolen()
    seen = sum(sums(r.stdout).values())
    assert seen <= after - before + 60000
    assert r.returncode == 0


@compared("pidpersec", "/proc/stat")
def test_pidpersec_counts_what_proc_stat_counts():
    def begun():
        with open("/proc/stat") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("processes"))
    p = subprocess.Popen([lang.SONDE, "pidpersec", "1", "3", "-B", "line"], stdout=subprocess.PIPE, text=True)
    assert p.stdout.readline().split() == ["TIME", "PIDS"]
    p.stdout.readline()
    before = begun()
    for i in range(100):
        subprocess.run(["/bin/true"], check=True)
    lines = p.stdout.read().splitlines()
    after = begun()
    p.wait()
    seen = sum(int(line.split()[1]) for line in lines)
    assert len(lines) == 2
    assert seen == pytest.approx(after - before, rel=0.3, abs=60)


@compared("loads", "/proc/loadavg")
def test_loads_are_those_of_proc_loadavg():
    with open("/proc/loadavg") as f:
        before = f.read().split()[:3]
    r = subprocess.run([lang.SONDE, "loads", "1", "1"], capture_output=True, text=True, timeout=30)
    with open("/proc/loadavg") as f:
        after = f.read().split()[:3]
    assert r.stdout.split()[1:4] in (before, after)


@compared("execsnoop", "the load's own count")
@compared("exitsnoop", "the load's own count")
def test_every_exec_and_exit_is_seen_once(tmp_path):
    script = "for i in $(seq 40); do /bin/sh -c 'exit 42'; done; true"
    got, _ = tool(tmp_path, "execsnoop", "-l", "exit 42", script=script)
    assert len(re.findall(r"/bin/sh -c exit 42$", got, re.M)) == 40
    got, _ = tool(tmp_path, "exitsnoop", "-x", script=script)
    assert len(re.findall(r" 42 +0$", got, re.M)) == 40


@compared("offcputime", "the load's own clock")
def test_offcputime_adds_up_to_the_time_that_a_program_did_not_run(tmp_path):
    got, said = tool(tmp_path, "offcputime", "-K", interpreter="python3", script="""
import time
open("/proc/self/comm", "w").write("sonde-sleeper")
wall = time.monotonic()
for i in range(20): time.sleep(0.03)
print(time.monotonic() - wall - time.process_time())
""")
    seen = sum(int(n) for n in re.findall(r"^, sonde-sleeper\]: (\d+)$", got, re.M)) / 1e6
    assert float(said) - 0.1 <= seen <= float(said) + 0.6
