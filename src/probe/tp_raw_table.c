/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of tracepoint fields that are plain members of the raw arguments. What the kernel computes for a
 * record (flags as letters, sectors, the state of a task) is not here: who reads that gets the record.
 * A field that this kernel's record does not have, or a member that its types do not have, is passed over.
 */
#include "probe/tp_raw.h"

#define FIELDS(...) (const struct tp_raw_field[]){ __VA_ARGS__, { 0 } }
/* The argument itself; a member of what it points to. */
#define WORD(field, n) { field, n, NULL, NULL }
#define AT(field, n, of, member) { field, n, of, member }
#define TASK(field, n, member) AT(field, n, "task_struct", member)

const struct tp_raw_event tp_raw_events[] = {
	/* ---- sched ---- */
	{ "sched", "sched_switch", FIELDS(
		TASK("prev_comm", 1, "comm"), TASK("prev_pid", 1, "pid"), TASK("prev_prio", 1, "prio"),
		TASK("next_comm", 2, "comm"), TASK("next_pid", 2, "pid"), TASK("next_prio", 2, "prio")) },
	{ "sched", "sched_waking sched_wakeup sched_wakeup_new", FIELDS(
		TASK("comm", 0, "comm"), TASK("pid", 0, "pid"), TASK("prio", 0, "prio"),
		TASK("target_cpu", 0, "thread_info.cpu")) },
	{ "sched", "sched_migrate_task", FIELDS(
		TASK("comm", 0, "comm"), TASK("pid", 0, "pid"), TASK("prio", 0, "prio"),
		TASK("orig_cpu", 0, "thread_info.cpu"), WORD("dest_cpu", 1)) },
	{ "sched", "sched_process_free sched_process_exit sched_wait_task", FIELDS(
		TASK("comm", 0, "comm"), TASK("pid", 0, "pid"), TASK("prio", 0, "prio"), WORD("group_dead", 1)) },
	{ "sched", "sched_process_fork", FIELDS(
		TASK("parent_comm", 0, "comm"), TASK("parent_pid", 0, "pid"), TASK("child_comm", 1, "comm"),
		TASK("child_pid", 1, "pid")) },
	{ "sched", "sched_process_exec", FIELDS(
		AT("filename", 2, "linux_binprm", "filename"), TASK("pid", 0, "pid"), WORD("old_pid", 1)) },
	{ "sched", "sched_stat_runtime", FIELDS(
		TASK("comm", 0, "comm"), TASK("pid", 0, "pid"), WORD("runtime", 1)) },
	{ "sched", "sched_stat_wait sched_stat_sleep sched_stat_iowait sched_stat_blocked", FIELDS(
		TASK("comm", 0, "comm"), TASK("pid", 0, "pid"), WORD("delay", 1)) },

	/* ---- tasks, signals, system calls ---- */
	{ "task", "task_newtask", FIELDS(
		TASK("pid", 0, "pid"), TASK("comm", 0, "comm"), WORD("clone_flags", 1),
		TASK("oom_score_adj", 0, "signal->oom_score_adj")) },
	{ "task", "task_rename", FIELDS(
		TASK("pid", 0, "pid"), TASK("oldcomm", 0, "comm"), TASK("oom_score_adj", 0, "signal->oom_score_adj")) },
	{ "oom", "oom_score_adj_update", FIELDS(
		TASK("pid", 0, "pid"), TASK("comm", 0, "comm"), TASK("oom_score_adj", 0, "signal->oom_score_adj")) },
	{ "signal", "signal_generate", FIELDS(
		WORD("sig", 0), TASK("comm", 2, "comm"), TASK("pid", 2, "pid"), WORD("group", 3),
		WORD("result", 4)) },
	{ "signal", "signal_deliver", FIELDS(
		WORD("sig", 0), AT("sa_handler", 2, "k_sigaction", "sa.sa_handler"),
		AT("sa_flags", 2, "k_sigaction", "sa.sa_flags")) },
	{ "raw_syscalls", "sys_enter", FIELDS(WORD("id", 1)) },
	{ "raw_syscalls", "sys_exit", FIELDS(WORD("ret", 1)) },

	/* ---- interrupts, timers, work, power ---- */
	{ "irq", "irq_handler_entry", FIELDS(WORD("irq", 0), AT("name", 1, "irqaction", "name")) },
	{ "irq", "irq_handler_exit", FIELDS(WORD("irq", 0), WORD("ret", 2)) },
	{ "irq", "softirq_entry softirq_exit softirq_raise", FIELDS(WORD("vec", 0)) },
	{ "irq_vectors", "local_timer_entry local_timer_exit reschedule_entry reschedule_exit call_function_entry "
		"call_function_exit call_function_single_entry call_function_single_exit irq_work_entry "
		"irq_work_exit", FIELDS(WORD("vector", 0)) },
	{ "timer", "timer_init timer_cancel timer_expire_exit", FIELDS(WORD("timer", 0)) },
	{ "timer", "timer_start timer_expire_entry", FIELDS(
		WORD("timer", 0), AT("function", 0, "timer_list", "function")) },
	{ "timer", "hrtimer_start", FIELDS(
		WORD("hrtimer", 0), AT("function", 0, "hrtimer", "function"),
		AT("expires", 0, "hrtimer", "node.expires"), AT("softexpires", 0, "hrtimer", "_softexpires"),
		WORD("mode", 1)) },
	{ "timer", "hrtimer_expire_entry", FIELDS(
		WORD("hrtimer", 0), AT("function", 0, "hrtimer", "function")) },
	{ "timer", "hrtimer_expire_exit hrtimer_cancel", FIELDS(WORD("hrtimer", 0)) },
	{ "timer", "hrtimer_init hrtimer_setup", FIELDS(WORD("hrtimer", 0), WORD("clockid", 1), WORD("mode", 2)) },
	{ "timer", "tick_stop", FIELDS(WORD("success", 0), WORD("dependency", 1)) },
	{ "workqueue", "workqueue_execute_start", FIELDS(
		WORD("work", 0), AT("function", 0, "work_struct", "func")) },
	{ "workqueue", "workqueue_execute_end", FIELDS(WORD("work", 0), WORD("function", 1)) },
	{ "workqueue", "workqueue_activate_work", FIELDS(
		WORD("work", 0), AT("function", 0, "work_struct", "func")) },
	{ "workqueue", "workqueue_queue_work", FIELDS(
		WORD("work", 2), AT("function", 2, "work_struct", "func"), WORD("req_cpu", 0),
		AT("workqueue", 1, "pool_workqueue", "wq->name"), AT("cpu", 1, "pool_workqueue", "pool->cpu")) },
	{ "power", "cpu_idle cpu_frequency", FIELDS(WORD("state", 0), WORD("cpu_id", 1)) },
	{ "exceptions", "page_fault_user page_fault_kernel", FIELDS(
		WORD("address", 0), AT("ip", 1, "pt_regs", "ip"), WORD("error_code", 2)) },

	/* ---- memory ---- */
	{ "kmem", "kmalloc", FIELDS(
		WORD("call_site", 0), WORD("ptr", 1), WORD("bytes_req", 2), WORD("bytes_alloc", 3),
		WORD("gfp_flags", 4), WORD("node", 5)) },
	{ "kmem", "kmem_cache_alloc", FIELDS(
		WORD("call_site", 0), WORD("ptr", 1), AT("name", 2, "kmem_cache", "name"),
		AT("bytes_req", 2, "kmem_cache", "object_size"), AT("bytes_alloc", 2, "kmem_cache", "size"),
		WORD("gfp_flags", 3), WORD("node", 4)) },
	{ "kmem", "kfree", FIELDS(WORD("call_site", 0), WORD("ptr", 1)) },
	{ "kmem", "kmem_cache_free", FIELDS(
		WORD("call_site", 0), WORD("ptr", 1), AT("name", 2, "kmem_cache", "name")) },
	{ "kmem", "mm_page_free", FIELDS(WORD("order", 1)) },
	{ "kmem", "mm_page_alloc", FIELDS(WORD("order", 1), WORD("gfp_flags", 2), WORD("migratetype", 3)) },

	/* ---- network ---- */
	{ "net", "net_dev_queue netif_receive_skb netif_rx", FIELDS(
		WORD("skbaddr", 0), AT("len", 0, "sk_buff", "len"), AT("name", 0, "sk_buff", "dev->name")) },
	{ "net", "net_dev_xmit", FIELDS(
		WORD("skbaddr", 0), WORD("rc", 1), AT("name", 2, "net_device", "name"), WORD("len", 3)) },
	{ "skb", "consume_skb", FIELDS(WORD("skbaddr", 0), WORD("location", 1)) },
	{ "skb", "kfree_skb", FIELDS(
		WORD("skbaddr", 0), WORD("location", 1), WORD("reason", 2), WORD("rx_sk", 3)) },
	{ "skb", "skb_copy_datagram_iovec", FIELDS(WORD("skbaddr", 0), WORD("len", 1)) },
	{ "sock", "inet_sock_set_state", FIELDS(
		WORD("skaddr", 0), WORD("oldstate", 1), WORD("newstate", 2),
		AT("family", 0, "sock", "__sk_common.skc_family"), AT("protocol", 0, "sock", "sk_protocol")) },
	{ "tcp", "tcp_send_reset", FIELDS(WORD("skaddr", 0), WORD("skbaddr", 1)) },
	{ "tcp", "tcp_destroy_sock tcp_rcv_space_adjust", FIELDS(WORD("skaddr", 0)) },

	/* ---- block ---- */
	{ "block", "block_rq_insert block_rq_issue block_rq_merge block_io_start", FIELDS(
		AT("bytes", 0, "request", "__data_len")) },
	{ "block", "block_bio_bounce block_bio_backmerge block_bio_frontmerge block_bio_queue", FIELDS(
		AT("dev", 0, "bio", "bi_bdev->bd_dev"), AT("sector", 0, "bio", "bi_iter.bi_sector")) },
	{ "block", "block_bio_complete", FIELDS(
		AT("dev", 1, "bio", "bi_bdev->bd_dev"), AT("sector", 1, "bio", "bi_iter.bi_sector")) },
	{ 0 },
};
