# SPDX-License-Identifier: GPL-2.0-or-later
"""Do tracepoints that run raw say the same as the kernel's own records?

Runs on the live kernel: `ways.py SONDE [alone]`. For every event of src/probe/tp_raw_table.c that this kernel
has, two sondes look at one load at the same time: one as it would, one with SONDE_TRACEPOINT=perf. Every line
that the kernel's record gives between the load's two marks must have its equal among those of the raw arguments.
Of these there may be more: a record is not made for a program where another one runs on the same CPU, and
interrupts come at any time. With "alone" the machine is ours: statistics of the scheduler are switched on, and
a block device is made. Prints a line of JSON for each event:
[event, fields compared, lines compared, "" or what differs]. An event that did not happen and has the very record and
the very arguments of one of its row that did happen is "as" that one: what is read from where is the same.
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent.parent / "src" / "probe" / "tp_raw_table.c"
LOAD = HERE / "ways_load.py"
ROUNDS = 3
# These happen while other processes run, or none.
ANYWHERE = {"power:cpu_idle", "power:cpu_frequency", "timer:tick_stop", "workqueue:workqueue_execute_start",
            "workqueue:workqueue_execute_end", "block:block_bio_complete", "irq_vectors:irq_work_entry",
            "irq_vectors:irq_work_exit", "sched:sched_wait_task", "irq:irq_handler_entry", "irq:irq_handler_exit",
            "sched:sched_stat_iowait", "block:block_rq_insert", "block:block_rq_merge"}
MARK = "tracepoint:syscalls:sys_enter_getpgid /args.pid == 4242424/ { printf(\"mark\\n\"); }\n"


def written():
    """(events, fields) of every row of the table."""
    text = TABLE.read_text()
    for system, events, fields in re.findall(r'\{ "(\w+)", ((?:"[\w ]+"\s*)+), FIELDS\((.*?)\) \},', text, re.S):
        names = "".join(re.findall(r'"([^"]*)"', events)).split()
        yield [f"{system}:{n}" for n in names], re.findall(r'(?:WORD|AT|TASK)\("(\w+)"', fields)


def rows():
    return [events for events, _ in written()]


def table():
    """[(event, [field, ...])] of the table."""
    for events, fields in written():
        for event in events:
            yield event, fields


def ask(sonde, *args, **more):
    return subprocess.run([sonde, *args], capture_output=True, text=True, **more)


def declared(sonde, event):
    """{field: its type} of the event on this kernel."""
    lines = ask(sonde, "-lv", f"tracepoint:{event}").stdout.splitlines()[1:]
    found = (re.fullmatch(r"\s+(.*?)(\w+)((?:\[\w*\])*)", line) for line in lines)
    return {m[2]: m[1].strip() + m[3] for m in found if m}


def is_raw(sonde, event, fields):
    body = " ".join(f"@ = args.{f};" if f == fields[0] else f"@{f} = args.{f};" for f in fields)
    out = ask(sonde, "--dry-run", "-d", "bpf", "-e", f"tracepoint:{event} {{ {body} }}").stdout
    return "(raw_tp/" in out


def shown(field, ctype):
    if ctype.startswith("__data_loc"):
        return "%s", f"str(args.{field})"
    if re.match(r"char\[", ctype):
        return "%s", f"args.{field}"
    return ("%p" if "*" in ctype else "%d"), f"args.{field}"


def clause(event, fields, types):
    formats, values = zip(*(shown(f, types[f]) for f in fields))
    text = " ".join([event, *formats])
    filter = "" if event in ANYWHERE else '/comm == "ways-load"/ '
    return f'tracepoint:{event} {filter}{{ printf("{text}\\n", {", ".join(values)}); }}\n'


def start(sonde, program, way, out):
    env = dict(os.environ, SONDE_TRACEPOINT=way)
    return subprocess.Popen([sonde, program], stdout=out, stderr=subprocess.STDOUT, env=env)


def wait_attached(process, path, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if "Attached" in Path(path).read_text(errors="replace"):
            return
        time.sleep(0.02)
    raise SystemExit("it does not attach:\n" + Path(path).read_text(errors="replace")[-2000:])


def between_marks(text):
    lines = text.splitlines()
    marks = [i for i, line in enumerate(lines) if line == "mark"]
    return lines[marks[0] + 1:marks[-1]] if len(marks) > 1 else []


def look(sonde, program, directory):
    """What both ways show of one run of the load."""
    paths = [f"{directory}/{way}" for way in ("raw", "perf")]
    sondes = [start(sonde, program, Path(p).name, open(p, "wb")) for p in paths]
    try:
        for s, p in zip(sondes, paths):
            wait_attached(s, p)
        subprocess.run([sys.executable, str(LOAD), directory], check=True)
        time.sleep(0.3)
    finally:
        for s in sondes:
            s.send_signal(signal.SIGINT)
        for s in sondes:
            s.wait(60)
    return [between_marks(Path(p).read_text(errors="replace")) for p in paths]


def by_event(lines, events):
    found = {e: Counter() for e in events}
    for line in lines:
        name = line.split(" ", 1)[0]
        if name in found:
            found[name][line] += 1
    return found


def difference(event, raw, perf):
    only_raw, only_perf = raw - perf, perf - raw
    # Events on other CPUs may lie on either side of a mark.
    edge = raw.total() // 8 if event in ANYWHERE else 0
    if only_perf.total() <= edge and only_raw.total() <= raw.total() // 3:
        return ""
    return f"raw alone: {list(only_raw.elements())[:3]}, perf alone: {list(only_perf.elements())[:3]}"


def prepare():
    Path("/proc/sys/kernel/sched_schedstats").write_text("1")
    # One that takes its time, so that requests wait for each other.
    subprocess.run(["modprobe", "null_blk", "nr_devices=1", "submit_queues=1", "hw_queue_depth=1", "irqmode=2",
                    "completion_nsec=3000000"], check=True)
    Path("/sys/block/nullb0/queue/scheduler").write_text("mq-deadline")
    subprocess.run(["modprobe", "brd", "rd_nr=1", "rd_size=4096"], check=False)


def layout(sonde, event):
    """The record of the event, and the types of the arguments that it is made of."""
    raw = ask(sonde, "-lv", f"rawtracepoint:*:{event.split(':')[1]}").stdout.splitlines()[1:]
    return declared(sonde, event), [re.sub(r"\w+$", "", line) for line in raw]


def relative(sonde, event, results):
    """One of the same row of the table that has been compared and is laid out the same."""
    for row in rows():
        if event in row:
            for other in row:
                if results.get(other, (0, "-"))[1] == "" and layout(sonde, other) == layout(sonde, event):
                    return other
    return None


def main():
    sonde = sys.argv[1]
    if "alone" in sys.argv[2:]:
        prepare()
    clauses, compared = {}, {}
    here = set(ask(sonde, "-l", "tracepoint:*").stdout.split())
    for event, fields in table():
        if f"tracepoint:{event}" not in here:
            continue
        types = declared(sonde, event)
        fields = [f for f in fields if f in types]
        if fields and not is_raw(sonde, event, fields):
            fields = [f for f in fields if is_raw(sonde, event, [f])]
        compared[event] = fields
        if compared[event]:
            clauses[event] = clause(event, compared[event], types)
    results = {e: (0, "not seen") for e in clauses}
    with tempfile.TemporaryDirectory() as directory:
        program = f"{directory}/program.bt"
        Path(program).write_text(MARK + "".join(clauses.values()))
        for _ in range(ROUNDS):
            raw, perf = (by_event(lines, clauses) for lines in look(sonde, program, directory))
            for event in clauses:
                why, n = difference(event, raw[event], perf[event]), raw[event].total()
                # An interrupt within a program is missed by one way and not by the other: once equal is equal.
                if results[event][1] and (n or perf[event]):
                    results[event] = (n, why)
            if all(why in ("", "not seen") for _, why in results.values()):
                break
    for event, fields in compared.items():
        n, why = results.get(event, (0, "not raw"))
        other = relative(sonde, event, results) if why == "not seen" else None
        why = f"as {other}" if other else why
        print(json.dumps([event, fields, n, why]))


if __name__ == "__main__":
    main()
