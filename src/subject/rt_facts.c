/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rt_facts: the questions about a process, and what they tell. */
#include "subject/rt.h"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "base/util.h"

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define FUTEX TEXT(__NR_futex)

/* Of the kernel's flags of memory: what mlockall(MCL_FUTURE) gives to all that is mapped later. */
#define VM_LOCKED 0x2000

extern const char rt_bt[], rt_faults_bt[], rt_locks_bt[];

const char *policy_name(int policy)
{
	static const char *const names[] = { "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "?", "SCHED_IDLE", "SCHED_DEADLINE" };

	return policy >= 0 && (size_t)policy < ARRAY_SIZE(names) ? names[policy] : "?";
}

bool policy_is_rt(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR || policy == 6;
}

struct rt_thread *rt_thread_get(struct rt *rt, pid_t tid)
{
	for (size_t i = 0; i < rt->nthreads; i++)
		if (rt->thread[i].tid == tid)
			return &rt->thread[i];
	if (rt->nthreads == RT_MOST_THREADS) {
		rt->overflow = true;
		return NULL;
	}
	rt->thread[rt->nthreads] = (struct rt_thread){ .tid = tid };
	return &rt->thread[rt->nthreads++];
}

static struct offence *offence_get(struct rt *rt, enum rt_what what, pid_t tid, int64_t detail)
{
	for (size_t i = 0; i < rt->noffences; i++)
		if (rt->offence[i].what == what && rt->offence[i].tid == tid && rt->offence[i].detail == detail)
			return &rt->offence[i];
	if (rt->noffences == RT_MOST_OFFENCES) {
		rt->overflow = true;
		return NULL;
	}
	rt->offence[rt->noffences] = (struct offence){ .what = what, .tid = tid, .detail = detail };
	return &rt->offence[rt->noffences++];
}

bool rt_any_begun(const struct rt *rt)
{
	for (size_t i = 0; i < rt->nthreads; i++)
		if (rt->thread[i].begun)
			return true;
	return false;
}

static bool any_rt(const struct rt *rt)
{
	for (size_t i = 0; i < rt->nthreads; i++)
		if (rt->thread[i].is_rt)
			return true;
	return false;
}

const char *rt_why_unseen(const struct rt *rt)
{
	static char text[160];
	uint64_t lost = (rt->calls ? ask_lost(rt->calls) : 0) + (rt->locks ? ask_lost(rt->locks) : 0);

	if (!any_rt(rt))
		return "the process has no realtime thread";
	if (!rt_any_begun(rt))
		return rt->ended ? "the process ended before a realtime thread had come back from a sleep"
				 : "no realtime thread has come back from a sleep";
	if (lost) {
		snprintf(text, sizeof(text), "%llu events were lost", (unsigned long long)lost);
		return text;
	}
	return rt->overflow ? "there was more than could be kept" : NULL;
}

/* ---- records ---- */

static int64_t part_int(const struct sonde_record *rec, size_t part)
{
	int64_t v = 0;

	sonde_record_part_int(rec, part, &v);
	return v;
}

static void copy_part(char *out, const struct sonde_record *rec, size_t part)
{
	const char *text = sonde_record_part(rec, part);

	snprintf(out, COMM_BYTES, "%s", text ? text : "");
}

static void on_thread(struct rt *rt, enum rt_what what, const struct sonde_record *rec)
{
	struct rt_thread *t = rt_thread_get(rt, (pid_t)part_int(rec, 1));

	if (!t)
		return;
	copy_part(t->comm, rec, 4);
	t->is_rt = true;
	if (what == RT_FIRST_SLEEP) {
		rt->first_sleep = true;
		t->ncpus = (unsigned)part_int(rec, 6);
		/* Who looked while it was being made has not seen what it was made to be. */
		t->known = false;
		rt->total_pages = (uint64_t)part_int(rec, 7);
		rt->locked_pages = (uint64_t)part_int(rec, 8);
		rt->future_locked = part_int(rec, 9) & VM_LOCKED;
		t->policy = (int)part_int(rec, 2);
		t->priority = (int)part_int(rec, 3);
		return;
	}
	t->begun = true;
	if (what == RT_LATE_SLEEP) {
		t->worst_late_ns = (uint64_t)part_int(rec, 2);
		return;
	}
	t->worst_ns = (uint64_t)part_int(rec, 2);
	t->worst_by_pid = (pid_t)part_int(rec, 3);
	copy_part(t->worst_by, rec, 5);
}

/*
 * Who comes upon a probe of the audit's may have to sleep in the kernel for its sake, where locks of the kernel sleep. It
 * then stands at the first instruction of a function; if it slept there for lack of the page, that is told as a page fault.
 */
static bool is_of_audit(const char *stack)
{
	const char *line = stack + strspn(stack, " \t\n");
	size_t len = strcspn(line, "@ \n");

	return len > 2 && !strncmp(line + len - 2, "+0", 2);
}

/* How many of its frames have a name. */
static int stack_worth(const char *stack)
{
	int n = 0;

	for (const char *line = stack; line && *line; line = strchr(line, '\n')) {
		line += strspn(line, " \t\n");
		n += *line && strncmp(line, "0x", 2) != 0;
	}
	return n;
}

static void on_offence(struct rt *rt, enum rt_what what, const struct sonde_record *rec)
{
	bool each = what == RT_SLEPT_IN && part_int(rec, 2) < 0;
	const char *stack = sonde_record_part(rec, 6);
	struct offence *o;

	if (each && stack && is_of_audit(stack))
		return;
	o = offence_get(rt, what, (pid_t)part_int(rec, 1), part_int(rec, 2));
	if (o && (each || !o->count))
		o->count++;
	if (!o || (o->stack && stack_worth(stack) <= stack_worth(o->stack)))
		return;
	o->more = part_int(rec, 3);
	copy_part(o->comm, rec, 4);
	copy_part(o->other, rec, 5);
	/* A text of a record holds until the next is taken. */
	stack = sonde_record_part(rec, 6);
	free(o->stack);
	o->stack = stack && *stack ? strdup(stack) : NULL;
}

/* Rows of @n[what, thread, detail]. */
static void on_counts(struct rt *rt, const struct sonde_record *rec)
{
	for (size_t row = 0; row < sonde_record_number(rec); row++) {
		int64_t what = -1, tid = 0, detail = 0, count = 0;
		struct offence *o;

		sonde_record_key_part_int(rec, row, 0, &what);
		sonde_record_key_part_int(rec, row, 1, &tid);
		sonde_record_key_part_int(rec, row, 2, &detail);
		sonde_record_value_int(rec, row, &count);
		if (what == RT_PI_MUTEX)
			rt->pi_mutexes += (uint64_t)count;
		rt->libc_mapped |= what == RT_LIBC_USED;
		if (what == RT_COND_LOCKED)
			rt->good_conds += (uint64_t)count;
		if (what < 0 || what >= RT_PI_MUTEX)
			continue;
		o = offence_get(rt, (enum rt_what)what, (pid_t)tid, detail);
		if (o)
			o->count = (uint64_t)count;
	}
}

/* {"type": "hist", "data": {"@latency": {"123": [...], "124": [...]}}}: the array of each row. */
static void on_distribution(struct rt *rt, const struct sonde_record *rec, bool late)
{
	const char *p = sonde_record_json(rec);

	for (size_t row = 0; row < sonde_record_number(rec); row++) {
		const char *key = sonde_record_key(rec, row), *begin, *end;
		char quoted[32];
		struct rt_thread *t;

		snprintf(quoted, sizeof(quoted), "\"%s\": [", key ? key : "");
		begin = strstr(p, quoted);
		end = begin ? strchr(begin, ']') : NULL;
		t = end && key ? rt_thread_get(rt, (pid_t)strtol(key, NULL, 10)) : NULL;
		if (!t)
			continue;
		begin += strlen(quoted) - 1;
		free(late ? t->late : t->latency);
		*(late ? &t->late : &t->latency) = strndup(begin, (size_t)(end + 1 - begin));
	}
}

static int on_record(void *ctx, const struct sonde_record *rec)
{
	struct rt *rt = ctx;
	const char *map = sonde_record_map(rec);
	enum rt_what what;

	if (sonde_record_kind(rec) == SONDE_MAP) {
		if (str_eq(map, "@n"))
			on_counts(rt, rec);
		else if (str_eq(map, "@latency") || str_eq(map, "@late"))
			on_distribution(rt, rec, str_eq(map, "@late"));
		return 0;
	}
	if (sonde_record_kind(rec) != SONDE_VALUE)
		return 0;
	what = (enum rt_what)part_int(rec, 0);
	if (what == RT_TICK)
		rt_process_look(rt);
	else if (what == RT_FIRST_SLEEP || what == RT_LATE_RUN || what == RT_LATE_SLEEP)
		on_thread(rt, what, rec);
	else
		on_offence(rt, what, rec);
	/* As it is when its work begins. */
	if (what == RT_FIRST_SLEEP)
		rt_process_look(rt);
	return 0;
}

/* ---- asking ---- */

static int calls_ask(struct rt *rt, const char *pid, bool faults)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const char *params[] = { pid, FUTEX, NULL };
	struct question q = { .name = "rt", .params = params, .unwind_pid = rt->pid, .record = on_record, .ctx = rt };

	strbuf_addstr(&text, rt_bt);
	if (faults)
		strbuf_addstr(&text, rt_faults_bt);
	if (text.failed)
		return subject_fail(rt->run, -ENOMEM, NULL, "out of memory");
	q.source = text.s;
	q.why = faults ? &rt->no_faults : NULL;
	return ask(rt->run, &q, &rt->calls);
}

/* Before 6.11, an uprobe that is limited to a process saw its first thread only. */
static bool uprobes_know_processes(void)
{
	struct utsname u;
	unsigned major = 0, minor = 0;

	return !uname(&u) && sscanf(u.release, "%u.%u", &major, &minor) == 2 && (major > 6 || (major == 6 && minor >= 11));
}

/* The C library as the process has it mapped, or as we have it: the same, for a command that has not begun. */
static bool libc_find(pid_t pid, char *out, size_t size)
{
	_cleanup_strbuf_ struct strbuf maps = STRBUF_INIT;
	char *save = NULL;

	if (file_readf(&maps, "/proc/%d/maps", (int)pid))
		return false;
	for (char *line = strtok_r(maps.s, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *path = strchr(line, '/'), *name = path ? strrchr(path, '/') + 1 : "";

		if (!strncmp(name, "libc.so", 7) || !strncmp(name, "libc-", 5)) {
			snprintf(out, size, "%s", path);
			return true;
		}
	}
	return false;
}

static void locks_ask(struct rt *rt, const char *pid)
{
	const char *params[] = { pid, rt->libc, FUTEX, NULL };
	struct question q = { .name = "rt locks", .source = rt_locks_bt, .params = params, .unwind_pid = rt->pid,
		.record = on_record, .ctx = rt, .pid = uprobes_know_processes() ? rt->pid : 0, .why = &rt->no_locks };

	if (!libc_find(rt->run->command ? getpid() : rt->pid, rt->libc, sizeof(rt->libc)))
		strbuf_addstr(&rt->no_locks, "the process has no C library that could be looked into");
	else if (ask(rt->run, &q, &rt->locks) && !rt->no_locks.len)
		strbuf_addstr(&rt->no_locks, "the kernel refused the question");
}

int rt_ask(struct rt *rt)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)rt->pid);
	if (calls_ask(rt, pid, true)) {
		if (!rt->no_faults.len)
			strbuf_addstr(&rt->no_faults, "the kernel refused the question");
		if (calls_ask(rt, pid, false))
			return -EIO;
	}
	locks_ask(rt, pid);
	return 0;
}

void rt_facts_free(struct rt *rt)
{
	for (size_t i = 0; i < rt->noffences; i++)
		free(rt->offence[i].stack);
	for (size_t i = 0; i < rt->nthreads; i++) {
		free(rt->thread[i].latency);
		free(rt->thread[i].late);
	}
	free(rt->thread);
	free(rt->offence);
	strbuf_free(&rt->no_faults);
	strbuf_free(&rt->no_locks);
	strbuf_free(&rt->interrupts_before);
	strbuf_free(&rt->interrupts_after);
}
