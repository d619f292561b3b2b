# SPDX-License-Identifier: GPL-2.0-or-later
"""What ways.py must have found out on a kernel."""
import json
from pathlib import Path

WAYS = Path(__file__).resolve().parent / "ways.py"
# Hot events that every kernel has and every load passes: these must have been seen, with these fields at least.
SURE = {
    "sched:sched_switch": {"prev_comm", "prev_pid", "prev_prio", "next_comm", "next_pid", "next_prio"},
    "sched:sched_wakeup": {"comm", "pid", "prio", "target_cpu"},
    "sched:sched_process_fork": {"parent_comm", "parent_pid", "child_comm", "child_pid"},
    "sched:sched_process_exec": {"filename", "pid", "old_pid"},
    "sched:sched_process_exit": {"comm", "pid", "prio"},
    "task:task_newtask": {"pid", "comm", "clone_flags", "oom_score_adj"},
    "signal:signal_generate": {"sig", "comm", "pid", "group", "result"},
    "irq:softirq_entry": {"vec"},
    "raw_syscalls:sys_enter": {"id"},
    "raw_syscalls:sys_exit": {"ret"},
    "kmem:kmalloc": {"call_site", "ptr", "bytes_req", "bytes_alloc", "gfp_flags"},
    "kmem:kmem_cache_free": {"call_site", "ptr", "name"},
    "timer:hrtimer_start": {"hrtimer", "function", "expires", "softexpires", "mode"},
    "exceptions:page_fault_user": {"address", "ip", "error_code"},
    "net:net_dev_queue": {"skbaddr", "len", "name"},
    "sock:inet_sock_set_state": {"skaddr", "oldstate", "newstate", "family", "protocol"},
}
# These need what not every machine has: other CPUs, devices, somebody to wait for.
RARE = {"timer:timer_expire_entry", "sched:sched_migrate_task", "sched:sched_wait_task", "sched:sched_stat_iowait", "irq:irq_handler_entry",
        "irq:irq_handler_exit", "timer:tick_stop", "power:cpu_idle", "power:cpu_frequency", "block:block_rq_insert",
        "block:block_rq_merge", "block:block_bio_complete", "tcp:tcp_send_reset"}


def check(out, err, status):
    assert status == 0, err
    rows = [json.loads(line) for line in out.splitlines()]
    wrong = [f"{event}: {why}" for event, _, _, why in rows
             if why not in ("", "not seen", "not raw") and not why.startswith("as ")]
    assert not wrong, "\n".join(wrong)
    unseen = {event for event, _, _, why in rows if why == "not seen"} - RARE
    assert not unseen, f"neither seen nor like one that was: {sorted(unseen)}"
    seen = {event: set(fields) for event, fields, lines, _ in rows if lines}
    for event, fields in SURE.items():
        assert fields <= seen.get(event, set()), f"{event}: {seen.get(event, 'not seen')}"
