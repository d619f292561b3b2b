/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nearest kind: functions of the kernel, and the static events that happen where they run. Static events are
 * there on every kernel; which of those named here this one really has is looked up before it is named.
 */
#include "probe/nearest_kind.h"

#include <stdio.h>

#include "base/util.h"
#include "kernel/kernel.h"

/* A pattern of functions; the tracepoint (SYSTEM:EVENT) that sees them, others to fall back to. */
static const struct neighbour {
	const char *function;
	const char *events[2];
} neighbours[] = {
	/* files */
	{ "vfs_read", { "syscalls:sys_exit_read" } },
	{ "vfs_readv", { "syscalls:sys_exit_readv" } },
	{ "vfs_write", { "syscalls:sys_exit_write" } },
	{ "vfs_writev", { "syscalls:sys_exit_writev" } },
	{ "vfs_open", { "syscalls:sys_exit_openat" } },
	{ "do_sys_open*", { "syscalls:sys_enter_openat" } },
	{ "do_filp_open", { "syscalls:sys_enter_openat" } },
	{ "path_openat", { "syscalls:sys_enter_openat" } },
	{ "vfs_fsync*", { "syscalls:sys_enter_fsync" } },
	{ "vfs_unlink", { "syscalls:sys_enter_unlinkat" } },
	{ "vfs_rename", { "syscalls:sys_enter_renameat2" } },
	{ "vfs_mkdir", { "syscalls:sys_enter_mkdirat" } },
	{ "vfs_create", { "syscalls:sys_enter_openat" } },
	{ "vfs_statx*", { "syscalls:sys_enter_statx" } },
	{ "vfs_getattr*", { "syscalls:sys_enter_newfstatat" } },
	{ "filp_close", { "syscalls:sys_enter_close" } },
	{ "iterate_dir", { "syscalls:sys_enter_getdents64" } },
	{ "security_file_open", { "syscalls:sys_enter_openat" } },
	{ "mark_page_accessed", { "pagemap:mm_lru_activate" } },
	{ "add_to_page_cache_lru", { "filemap:mm_filemap_add_to_page_cache" } },
	{ "filemap_add_folio", { "filemap:mm_filemap_add_to_page_cache" } },
	/* block devices */
	{ "blk_account_io_start", { "block:block_io_start", "block:block_rq_issue" } },
	{ "blk_account_io_done", { "block:block_io_done", "block:block_rq_complete" } },
	{ "blk_mq_start_request", { "block:block_rq_issue" } },
	{ "blk_mq_end_request", { "block:block_rq_complete" } },
	{ "blk_update_request", { "block:block_rq_complete" } },
	{ "submit_bio*", { "block:block_bio_queue" } },
	{ "bio_endio", { "block:block_bio_complete" } },
	/* the scheduler and processes */
	{ "finish_task_switch*", { "sched:sched_switch" } },
	{ "schedule", { "sched:sched_switch" } },
	{ "__schedule", { "sched:sched_switch" } },
	{ "try_to_wake_up", { "sched:sched_waking" } },
	{ "ttwu_do_*", { "sched:sched_wakeup" } },
	{ "wake_up_new_task", { "sched:sched_wakeup_new" } },
	{ "set_task_cpu", { "sched:sched_migrate_task" } },
	{ "kernel_clone", { "sched:sched_process_fork" } },
	{ "copy_process", { "sched:sched_process_fork" } },
	{ "do_exit", { "sched:sched_process_exit" } },
	{ "do_execve*", { "sched:sched_process_exec" } },
	{ "bprm_execve", { "sched:sched_process_exec" } },
	{ "do_nanosleep", { "syscalls:sys_enter_clock_nanosleep" } },
	{ "hrtimer_nanosleep", { "syscalls:sys_enter_clock_nanosleep" } },
	{ "do_send_sig_info", { "signal:signal_generate" } },
	{ "__send_signal*", { "signal:signal_generate" } },
	{ "get_signal", { "signal:signal_deliver" } },
	/* memory */
	{ "handle_mm_fault", { "exceptions:page_fault_user" } },
	{ "do_user_addr_fault", { "exceptions:page_fault_user" } },
	{ "oom_kill_process", { "oom:mark_victim" } },
	{ "try_to_free_pages", { "vmscan:mm_vmscan_direct_reclaim_begin" } },
	{ "shrink_node", { "vmscan:mm_vmscan_direct_reclaim_begin" } },
	{ "__alloc_pages*", { "kmem:mm_page_alloc" } },
	{ "__free_pages*", { "kmem:mm_page_free" } },
	{ "*kmalloc*", { "kmem:kmalloc" } },
	{ "kfree", { "kmem:kfree" } },
	{ "kmem_cache_alloc*", { "kmem:kmem_cache_alloc" } },
	{ "kmem_cache_free", { "kmem:kmem_cache_free" } },
	{ "do_mmap", { "syscalls:sys_enter_mmap" } },
	{ "do_brk*", { "syscalls:sys_enter_brk" } },
	/* the network */
	{ "tcp_connect", { "sock:inet_sock_set_state" } },
	{ "tcp_v?_connect", { "sock:inet_sock_set_state" } },
	{ "tcp_set_state", { "sock:inet_sock_set_state" } },
	{ "tcp_close", { "sock:inet_sock_set_state" } },
	{ "inet_csk_accept", { "sock:inet_sock_set_state" } },
	{ "inet_listen", { "sock:inet_sock_set_state" } },
	{ "tcp_retransmit_skb", { "tcp:tcp_retransmit_skb" } },
	{ "__tcp_retransmit_skb", { "tcp:tcp_retransmit_skb" } },
	{ "tcp_sendmsg*", { "sock:sock_send_length", "syscalls:sys_enter_sendto" } },
	{ "tcp_recvmsg*", { "sock:sock_recv_length", "syscalls:sys_enter_recvfrom" } },
	{ "tcp_cleanup_rbuf", { "tcp:tcp_rcv_space_adjust" } },
	{ "tcp_rcv_established", { "tcp:tcp_probe" } },
	{ "tcp_drop*", { "skb:kfree_skb" } },
	{ "kfree_skb*", { "skb:kfree_skb" } },
	{ "consume_skb", { "skb:consume_skb" } },
	{ "dev_queue_xmit", { "net:net_dev_queue" } },
	{ "__dev_queue_xmit", { "net:net_dev_queue" } },
	{ "dev_hard_start_xmit", { "net:net_dev_start_xmit" } },
	{ "netif_receive_skb*", { "net:netif_receive_skb" } },
	{ "__netif_receive_skb*", { "net:netif_receive_skb" } },
	{ "netif_rx*", { "net:netif_rx" } },
	{ "napi_gro_receive", { "net:napi_gro_receive_entry" } },
	{ "net_rx_action", { "napi:napi_poll" } },
	/* interrupts, timers, work */
	{ "handle_irq_event*", { "irq:irq_handler_entry" } },
	{ "__do_softirq", { "irq:softirq_entry" } },
	{ "handle_softirqs", { "irq:softirq_entry" } },
	{ "raise_softirq*", { "irq:softirq_raise" } },
	{ "hrtimer_start*", { "timer:hrtimer_start" } },
	{ "add_timer*", { "timer:timer_start" } },
	{ "mod_timer*", { "timer:timer_start" } },
	{ "queue_work*", { "workqueue:workqueue_queue_work" } },
	{ "__queue_work", { "workqueue:workqueue_queue_work" } },
	{ "process_one_work", { "workqueue:workqueue_execute_start" } },
	{ "cpuidle_enter*", { "power:cpu_idle" } },
	/* what else a question likes to ask */
	{ "__x64_sys_bpf", { "syscalls:sys_enter_bpf" } },
	{ "*mutex_lock*", { "lock:contention_begin" } },
	{ "queued_spin_lock_slowpath", { "lock:contention_begin" } },
	{ "rwsem_*", { "lock:contention_begin" } },
};

static bool event_exists(struct probe_env *env, const char *name)
{
	const char *colon = strchr(name, ':');
	const char *system = arena_strndup(env->arena, name, (size_t)(colon - name));

	return !kernel_tracepoint_exists(env->kernel, system, colon + 1);
}

static const char *by_table(struct probe_env *env, const char *function)
{
	for (size_t i = 0; i < ARRAY_SIZE(neighbours); i++) {
		const struct neighbour *n = &neighbours[i];

		if (!glob_match(n->function, function))
			continue;
		for (size_t e = 0; e < ARRAY_SIZE(n->events) && n->events[e]; e++)
			if (event_exists(env, n->events[e]))
				return arena_printf(env->arena, "tracepoint:%s", n->events[e]);
	}
	return NULL;
}

/* __x64_sys_read, __se_sys_read, ksys_read, sys_read */
static const char *by_syscall(struct probe_env *env, const char *function)
{
	static const char *const prefixes[] = { "__x64_sys_", "__arm64_sys_", "__se_sys_", "__do_sys_", "ksys_", "sys_",
						"do_sys_" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		const char *event;

		if (!str_starts(function, prefixes[i]))
			continue;
		event = arena_printf(env->arena, "syscalls:sys_enter_%s", function + strlen(prefixes[i]));
		if (event_exists(env, event))
			return arena_printf(env->arena, "tracepoint:%s", event);
	}
	return NULL;
}

/* A static event that is called as the function is: most are in it. */
static const char *by_name(struct probe_env *env, const char *function)
{
	const char *const *names;
	size_t n;

	if (kernel_raw_tracepoints(env->kernel, &names, &n))
		return NULL;
	while (*function == '_')
		function++;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(strchr(names[i], ':') + 1, function))
			return arena_printf(env->arena, "rawtracepoint:%s", names[i]);
	return NULL;
}

static const char *nearest(struct probe_env *env, const struct attach_point *ap)
{
	const char *function = ap->func, *found;

	if (!str_eq(ap->kind->prog_type, "kprobe") && kernel_has_kprobes(env->kernel))
		return arena_printf(env->arena, "%s:%s", ap->kind->has_retval ? "kretprobe" : "kprobe", function);
	found = by_table(env, function);

	found = found ? found : by_syscall(env, function);
	return found ? found : by_name(env, function);
}

int nearest_kind_report(struct probe_env *env, const struct attach_point *ap, const char *reason, int err)
{
	struct probe_env quiet = *env;
	const char *near = NULL, *hint = NULL;

	quiet.report = NULL;
	if (ap->func)
		near = nearest(&quiet, ap);
	if (near)
		hint = arena_printf(env->arena, "%s sees the same event", near);
	return report_error(env->report, err, hint ? hint : "sonde -l lists the probes of this kernel",
			    "%s is not available here (%s)", ap->name, reason);
}
