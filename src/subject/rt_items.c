/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rt_items: the checklist of the process: one entry for each item. */
#include "subject/rt.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/util.h"

/* Offences that are told with their stack; of more, the number. */
#define TOLD 4
#define STACK_LINES 8

struct item {
	const char *name, *title, *remedy;
	/* Of items that are made of offences: */
	unsigned whats;   /* bits by enum rt_what */
	bool (*counts)(const struct rt *rt, const struct offence *o); /* NULL: all do */
	const char *good; /* what is found when there is none */
	/* Why it cannot be observed beyond what all need; NULL: it can. */
	const char *(*unseen)(const struct rt *rt);
	/* Other items judge for themselves; false: the general part still has to say. */
	void (*judge)(struct rt *rt, const struct item *item);
};

static void tell(struct rt *rt, const struct item *item, enum verdict_is is, const char *found, const char *details,
		 struct json *evidence)
{
	struct verdict v = { .item = item->name, .title = item->title, .is = is, .found = found, .remedy = item->remedy,
		.details = details, .evidence = evidence };

	verdict(rt->run, &v);
}

/* ---- names ---- */

static const struct {
	long nr;
	const char *name;
	bool may_sleep; /* for a realtime thread; other items judge how */
} calls[] = {
	{ SYS_futex, "futex", true }, { SYS_clock_nanosleep, "clock_nanosleep", true }, { SYS_epoll_pwait, "epoll_pwait", true },
	{ SYS_epoll_pwait2, "epoll_pwait2", true }, { SYS_nanosleep, "nanosleep", true }, { SYS_exit, "exit", true },
	{ SYS_exit_group, "exit_group", true },
#ifdef SYS_epoll_wait
	{ SYS_epoll_wait, "epoll_wait", true },
#endif
#ifdef SYS_poll
	{ SYS_poll, "poll", false }, { SYS_select, "select", false }, { SYS_open, "open", false }, { SYS_pause, "pause", false },
#endif
	{ SYS_ppoll, "ppoll", false }, { SYS_pselect6, "pselect6", false }, { SYS_read, "read", false }, { SYS_write, "write", false },
	{ SYS_readv, "readv", false }, { SYS_writev, "writev", false }, { SYS_pread64, "pread64", false },
	{ SYS_pwrite64, "pwrite64", false }, { SYS_openat, "openat", false }, { SYS_close, "close", false },
	{ SYS_fsync, "fsync", false }, { SYS_fdatasync, "fdatasync", false }, { SYS_ioctl, "ioctl", false },
	{ SYS_recvfrom, "recvfrom", false }, { SYS_recvmsg, "recvmsg", false }, { SYS_sendto, "sendto", false },
	{ SYS_sendmsg, "sendmsg", false }, { SYS_accept, "accept", false }, { SYS_accept4, "accept4", false },
	{ SYS_connect, "connect", false }, { SYS_wait4, "wait4", false }, { SYS_waitid, "waitid", false },
	{ SYS_flock, "flock", false }, { SYS_fcntl, "fcntl", false }, { SYS_semop, "semop", false }, { SYS_semtimedop, "semtimedop", false },
	{ SYS_msgrcv, "msgrcv", false }, { SYS_msgsnd, "msgsnd", false }, { SYS_mq_timedreceive, "mq_timedreceive", false },
	{ SYS_rt_sigtimedwait, "rt_sigtimedwait", false }, { SYS_rt_sigsuspend, "rt_sigsuspend", false },
	{ SYS_io_uring_enter, "io_uring_enter", false }, { SYS_mmap, "mmap", false }, { SYS_munmap, "munmap", false },
	{ SYS_brk, "brk", false }, { SYS_mremap, "mremap", false }, { SYS_madvise, "madvise", false },
	{ SYS_mprotect, "mprotect", false }, { SYS_clone, "clone", false }, { SYS_clone3, "clone3", false },
	{ SYS_timer_create, "timer_create", false }, { SYS_setitimer, "setitimer", false },
	{ SYS_timerfd_create, "timerfd_create", false }, { SYS_timerfd_settime, "timerfd_settime", false },
};

static const char *call_name(int64_t nr)
{
	static char text[32];

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].nr == nr)
			return calls[i].name;
	snprintf(text, sizeof(text), "system call %lld", (long long)nr);
	return text;
}

static bool sleep_is_wrong(const struct rt *rt, const struct offence *o)
{
	(void)rt;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].nr == o->detail)
			return !calls[i].may_sleep;
	return true;
}

/* Who ends a process means it. */
static bool signal_is_wrong(const struct rt *rt, const struct offence *o)
{
	(void)rt;
	return o->what != RT_SIGNAL || (o->detail != SIGKILL && o->detail != SIGTERM && o->detail != SIGINT && o->detail != SIGHUP);
}

static void what_text(const struct offence *o, struct strbuf *out)
{
	const char *times = o->count == 1 ? "once" : "times";

	strbuf_addf(out, "%s[%d] ", o->comm, (int)o->tid);
	switch (o->what) {
	case RT_SLEPT_IN:
		strbuf_addf(out, "slept in %s", o->detail < 0 ? "the kernel, without a system call" : call_name(o->detail));
		break;
	case RT_LOW_WAKER:
		strbuf_addf(out, "waited for %s[%lld] of lower priority", o->other, (long long)o->detail);
		break;
	case RT_MEMORY_CALL:
		strbuf_addf(out, "called %s", call_name(o->detail));
		break;
	case RT_WRONG_CLOCK:
		strbuf_addf(out, "used clock %lld%s in %s", (long long)o->detail, o->detail ? "" : " (CLOCK_REALTIME)", call_name(o->more));
		break;
	case RT_RELATIVE:
		strbuf_addf(out, "slept relative to now in %s", call_name(o->detail));
		break;
	case RT_SIGNAL_TIMER:
		strbuf_addf(out, "made a timer that signals with %s", call_name(o->detail));
		break;
	case RT_SIGNAL:
		strbuf_addf(out, "was sent SIG%s by %s[%lld]", sigabbrev_np((int)o->detail) ? sigabbrev_np((int)o->detail) : "RT", o->other,
			    (long long)o->more);
		break;
	case RT_FAULT:
		strbuf_addstr(out, "took a page fault");
		break;
	case RT_PLAIN_MUTEX:
		strbuf_addstr(out, "locked a mutex without priority inheritance");
		break;
	case RT_SEMAPHORE:
		strbuf_addstr(out, "waited for a semaphore, which has no owner to inherit a priority");
		break;
	case RT_COND_UNLOCKED:
		strbuf_addstr(out, "notified a condition variable without holding a mutex");
		break;
	case RT_RWLOCK:
		strbuf_addstr(out, "took a read-write lock, which has no priority inheritance");
		break;
	default:
		break;
	}
	if (o->count != 1)
		strbuf_addf(out, ", %llu %s", (unsigned long long)o->count, times);
}

/* ---- items that are made of offences ---- */

static bool is_offence(const struct rt *rt, const struct item *item, const struct offence *o)
{
	return (item->whats >> o->what & 1) && (!item->counts || item->counts(rt, o));
}

static void add_stack_text(struct strbuf *out, const char *stack)
{
	const char *p = stack;

	for (int n = 0; p && *p && n < STACK_LINES; n++) {
		size_t len;

		p += strspn(p, " \t\n");
		len = strcspn(p, "\n");
		if (len)
			strbuf_addf(out, "    %.*s\n", (int)len, p);
		p += len;
	}
}

static void add_stack_json(struct json *j, const char *p)
{
	json_array(j, "stack");
	while (p && *p) {
		_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
		size_t len;

		p += strspn(p, " \t\n");
		len = strcspn(p, "\n");
		strbuf_add(&line, p, len);
		if (len)
			json_text(j, NULL, line.s);
		p += len;
	}
	json_end(j);
}

static void add_offence(const struct offence *o, size_t n, struct strbuf *details, struct json *j)
{
	_cleanup_strbuf_ struct strbuf what = STRBUF_INIT;

	what_text(o, &what);
	if (n < TOLD) {
		strbuf_addf(details, "%s\n", what.s);
		add_stack_text(details, o->stack);
	}
	json_object(j, NULL);
	json_i64(j, "tid", o->tid);
	json_text(j, "comm", o->comm);
	json_u64(j, "count", o->count);
	json_text(j, "what", what.s);
	add_stack_json(j, o->stack);
	json_end(j);
}

/* The names came with the first record of an offence; one that was only counted takes its thread's. */
static void comm_fill(struct rt *rt, struct offence *o)
{
	if (*o->comm)
		return;
	for (size_t i = 0; i < rt->nthreads; i++)
		if (rt->thread[i].tid == o->tid)
			memcpy(o->comm, rt->thread[i].comm, sizeof(o->comm));
}

static size_t offences_gather(struct rt *rt, const struct item *item, struct strbuf *details, struct json *j, uint64_t *times,
			      size_t *threads)
{
	size_t n = 0;

	json_object(j, NULL);
	json_array(j, "offences");
	for (size_t i = 0; i < rt->noffences; i++) {
		struct offence *o = &rt->offence[i];
		bool known = false;

		if (!is_offence(rt, item, o))
			continue;
		comm_fill(rt, o);
		add_offence(o, n++, details, j);
		*times += o->count;
		for (size_t k = 0; k < i; k++)
			known |= is_offence(rt, item, &rt->offence[k]) && rt->offence[k].tid == o->tid;
		*threads += !known;
	}
	json_end(j);
	json_end(j);
	if (n > TOLD)
		strbuf_addf(details, "and %zu more\n", n - TOLD);
	return n;
}

static void offences_judge(struct rt *rt, const struct item *item)
{
	_cleanup_strbuf_ struct strbuf details = STRBUF_INIT, found = STRBUF_INIT;
	_cleanup_json_ struct json j = JSON_INIT;
	uint64_t times = 0;
	size_t threads = 0, n = offences_gather(rt, item, &details, &j, &times, &threads);
	const char *why = item->unseen ? item->unseen(rt) : NULL;

	why = why ? why : rt_why_unseen(rt);
	if (n) {
		strbuf_addf(&found, "%llu %s in %zu %s", (unsigned long long)times, times == 1 ? "time" : "times", threads,
			    threads == 1 ? "thread" : "threads");
		tell(rt, item, VERDICT_FAIL, found.s, details.s, &j);
	} else if (why) {
		tell(rt, item, VERDICT_UNSEEN, why, NULL, NULL);
	} else {
		tell(rt, item, VERDICT_PASS, item->good, NULL, NULL);
	}
}

static const char *faults_unseen(const struct rt *rt)
{
	return rt->no_faults.len ? rt->no_faults.s : NULL;
}

static const char *locks_unseen(const struct rt *rt)
{
	if (rt->no_locks.len)
		return rt->no_locks.s;
	return rt->libc_mapped ? NULL : "the process does not use the C library that was looked into";
}

/* ---- items that judge for themselves ---- */

static void threads_json(const struct rt *rt, struct json *j)
{
	json_object(j, NULL);
	json_array(j, "threads");
	for (size_t i = 0; i < rt->nthreads; i++) {
		const struct rt_thread *t = &rt->thread[i];
		_cleanup_strbuf_ struct strbuf cpus = STRBUF_INIT;

		json_object(j, NULL);
		json_i64(j, "tid", t->tid);
		json_text(j, "comm", t->comm);
		json_text(j, "policy", policy_name(t->policy));
		json_i64(j, "priority", t->priority);
		if (t->known) {
			cpu_list_text(&t->cpus, &cpus);
			json_text(j, "cpus", cpus.s);
		}
		json_end(j);
	}
	json_end(j);
	json_end(j);
}

static void policy_judge(struct rt *rt, const struct item *item)
{
	_cleanup_strbuf_ struct strbuf details = STRBUF_INIT, found = STRBUF_INIT;
	_cleanup_json_ struct json j = JSON_INIT;
	size_t realtime = 0, highest = 0, idle = 0;

	for (size_t i = 0; i < rt->nthreads; i++) {
		const struct rt_thread *t = &rt->thread[i];

		if (!t->is_rt)
			continue;
		realtime++;
		highest += t->policy != 6 && t->priority >= 99;
		idle += !t->begun;
		strbuf_addf(&details, "%s[%d] %s %d%s\n", t->comm, (int)t->tid, policy_name(t->policy), t->priority,
			    t->begun ? "" : ", has not come back from a sleep");
	}
	threads_json(rt, &j);
	if (!rt->seen)
		tell(rt, item, VERDICT_UNSEEN, "the process ended before it could be looked at", NULL, NULL);
	else if (!realtime)
		tell(rt, item, VERDICT_FAIL, "no thread is SCHED_FIFO, SCHED_RR or SCHED_DEADLINE", NULL, &j);
	else if (highest)
		tell(rt, item, VERDICT_FAIL, "priority 99 is for the kernel's own threads", details.s, &j);
	else if (rt->nthreads > 1 && realtime == rt->nthreads && idle)
		tell(rt, item, VERDICT_FAIL, "every thread is realtime, also those that do nothing in time", details.s, &j);
	else {
		strbuf_addf(&found, "%zu of %zu threads are realtime", realtime, rt->nthreads);
		tell(rt, item, VERDICT_PASS, found.s, details.s, &j);
	}
}

static void affinity_judge(struct rt *rt, const struct item *item)
{
	_cleanup_strbuf_ struct strbuf details = STRBUF_INIT, online = STRBUF_INIT, text = STRBUF_INIT;
	_cleanup_json_ struct json j = JSON_INIT;
	const char *why = rt_why_unseen(rt);
	size_t known = 0, loose = 0;
	cpu_set_t all;

	if (file_read(&online, "/sys/devices/system/cpu/online") || !cpu_list_parse(online.s, &all)) {
		tell(rt, item, VERDICT_UNSEEN, "/sys/devices/system/cpu/online cannot be read", NULL, NULL);
		return;
	}
	for (size_t i = 0; i < rt->nthreads; i++) {
		const struct rt_thread *t = &rt->thread[i];
		cpu_set_t both;

		if (t->is_rt && !t->known && t->ncpus) {
			known++;
			loose += t->ncpus >= (unsigned)CPU_COUNT(&all);
			strbuf_addf(&details, "%s[%d] may run on %u processors\n", t->comm, (int)t->tid, t->ncpus);
		}
		if (!t->is_rt || !t->known)
			continue;
		known++;
		CPU_AND(&both, &all, &t->cpus);
		strbuf_reset(&text);
		cpu_list_text(&both, &text);
		if (CPU_EQUAL(&both, &all)) {
			loose++;
			strbuf_addf(&details, "%s[%d] may run on every processor (%s)\n", t->comm, (int)t->tid, text.s);
		}
	}
	threads_json(rt, &j);
	if (CPU_COUNT(&all) == 1)
		tell(rt, item, VERDICT_UNSEEN, "the machine has one processor", NULL, NULL);
	else if (loose)
		tell(rt, item, VERDICT_FAIL, "realtime threads are not kept on processors of their own", details.s, &j);
	else if (!known)
		tell(rt, item, VERDICT_UNSEEN, why ? why : "its threads ended before they could be looked at", NULL, NULL);
	else
		tell(rt, item, VERDICT_PASS, "every realtime thread is kept on some of the processors", NULL, &j);
}

/* MCL_FUTURE may have been asked for before sonde came; then the mappings tell. */
static int64_t mlockall_flags(const struct rt *rt)
{
	int64_t flags = 0;

	for (size_t i = 0; i < rt->noffences; i++)
		if (rt->offence[i].what == RT_MLOCKALL)
			flags |= rt->offence[i].detail;
	return flags;
}

/* The sums that the kernel keeps. What it maps itself into every process is not locked: a few pages. */
#define KERNELS_PAGES 16

static void pages_judge(struct rt *rt, const struct item *item, struct json *j)
{
	_cleanup_strbuf_ struct strbuf found = STRBUF_INIT;
	bool all = rt->locked_pages + KERNELS_PAGES >= rt->total_pages;

	strbuf_addf(&found, "%llu of %llu pages are locked%s", (unsigned long long)rt->locked_pages,
		    (unsigned long long)rt->total_pages, all && !rt->future_locked ? ", but not what is mapped later" : "");
	tell(rt, item, all && rt->future_locked ? VERDICT_PASS : VERDICT_FAIL, found.s, NULL, j);
}

static void locked_judge(struct rt *rt, const struct item *item)
{
	_cleanup_strbuf_ struct strbuf found = STRBUF_INIT;
	_cleanup_json_ struct json j = JSON_INIT;
	const char *why = rt_why_unseen(rt);
	int64_t flags = mlockall_flags(rt);

	json_object(&j, NULL);
	json_u64(&j, "locked_kib", rt->locked_kib);
	json_u64(&j, "unlocked_kib", rt->unlocked_kib);
	json_i64(&j, "mlockall_flags", flags);
	json_end(&j);
	if (rt->smaps_read && rt->unlocked_kib) {
		strbuf_addf(&found, "%llu KiB are not locked, %s among them", (unsigned long long)rt->unlocked_kib, rt->unlocked_name);
		tell(rt, item, VERDICT_FAIL, found.s, NULL, &j);
	} else if (flags && !(flags & MCL_FUTURE)) {
		tell(rt, item, VERDICT_FAIL, "mlockall() was called without MCL_FUTURE: what is mapped later is not locked", NULL, &j);
	} else if (!rt->smaps_read && rt->total_pages) {
		pages_judge(rt, item, &j);
	} else if (!rt->smaps_read) {
		tell(rt, item, VERDICT_UNSEEN, why ? why : "the process ended before its memory could be looked at", NULL, NULL);
	} else {
		strbuf_addf(&found, "all %llu KiB are locked", (unsigned long long)rt->locked_kib);
		tell(rt, item, VERDICT_PASS, found.s, NULL, &j);
	}
}

/* A bound that somebody has asked for. */
static void latency_judge(struct rt *rt, const struct item *item)
{
	_cleanup_strbuf_ struct strbuf details = STRBUF_INIT, found = STRBUF_INIT;
	const char *why = rt_why_unseen(rt);
	uint64_t worst = 0, limit = rt->set->latency_ns;

	if (!limit)
		return;
	for (size_t i = 0; i < rt->nthreads; i++) {
		const struct rt_thread *t = &rt->thread[i];
		uint64_t its = MAX(t->worst_ns, t->worst_late_ns);

		worst = MAX(worst, its);
		if (its > limit)
			strbuf_addf(&details, "%s[%d] was late by %.1f us; before it ran %s[%d]\n", t->comm, (int)t->tid, (double)its / 1e3,
				    t->worst_by, (int)t->worst_by_pid);
	}
	strbuf_addf(&found, "at worst %.1f us, allowed are %.1f us", (double)worst / 1e3, (double)limit / 1e3);
	if (details.len)
		tell(rt, item, VERDICT_FAIL, found.s, details.s, NULL);
	else
		tell(rt, item, why ? VERDICT_UNSEEN : VERDICT_PASS, why ? why : found.s, NULL, NULL);
}

/* ---- the list ---- */

#define BIT(what) (1U << (what))

static const struct item items[] = {
	{ "policy", "Realtime policy for the threads that need it", "SCHED_FIFO or SCHED_RR below 99, only for what must be in time",
	  .judge = policy_judge },
	{ "affinity", "Realtime threads have processors of their own", "pthread_setaffinity_np(), isolcpus= or a cpuset",
	  .judge = affinity_judge },
	{ "memory-locked", "All memory is locked", "mlockall(MCL_CURRENT | MCL_FUTURE) before the threads begin", .judge = locked_judge },
	{ "page-faults", "No page fault at work", "touch stacks, heap and buffers before work begins", BIT(RT_FAULT),
	  .good = "none", .unseen = faults_unseen },
	{ "memory-calls", "No memory is mapped or given back at work",
	  "mallopt(M_TRIM_THRESHOLD, -1), mallopt(M_MMAP_MAX, 0), or no malloc() at work", BIT(RT_MEMORY_CALL), .good = "none" },
	{ "clock", "Sleeps end at a time of CLOCK_MONOTONIC", "clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, ...)",
	  BIT(RT_WRONG_CLOCK) | BIT(RT_RELATIVE), .good = "all do" },
	{ "signals", "No signals", "threads that wait, timerfd or clock_nanosleep() in place of timers that signal",
	  BIT(RT_SIGNAL) | BIT(RT_SIGNAL_TIMER), signal_is_wrong, .good = "none" },
	{ "mutexes", "Mutexes inherit priority", "pthread_mutexattr_setprotocol(PTHREAD_PRIO_INHERIT)",
	  BIT(RT_PLAIN_MUTEX) | BIT(RT_RWLOCK), .good = "every mutex that was locked does", .unseen = locks_unseen },
	{ "semaphores", "No semaphores", "a mutex with PTHREAD_PRIO_INHERIT and a condition variable", BIT(RT_SEMAPHORE),
	  .good = "none", .unseen = locks_unseen },
	{ "condition-variables", "Condition variables are notified with the mutex held", "notify, then unlock; or librtpi",
	  BIT(RT_COND_UNLOCKED), .good = "all are", .unseen = locks_unseen },
	{ "wakers", "No waiting for threads of lower priority", "a lock with priority inheritance; nothing that a lesser thread must do",
	  BIT(RT_LOW_WAKER), .good = "none" },
	{ "waits", "Sleeps only in futex, clock_nanosleep or epoll", "leave files, pipes and sockets to other threads", BIT(RT_SLEPT_IN),
	  sleep_is_wrong, .good = "no other" },
	{ "latency", "Runs in time", "look at who delayed it", .judge = latency_judge },
};

void rt_process_items(struct rt *rt)
{
	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		if (rt_skipped(rt, items[i].name))
			continue;
		if (items[i].judge)
			items[i].judge(rt, &items[i]);
		else
			offences_judge(rt, &items[i]);
	}
}
