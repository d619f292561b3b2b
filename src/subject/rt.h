/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rt: an audit of a realtime process. For the files of this subject.
 *
 *   rt.c          the entry, and the run
 *   rt_facts.c    what the questions tell, gathered
 *   rt_process.c  what /proc says of the process, looked at again and again while it lives
 *   rt_items.c    the items about the process
 *   rt_machine.c  the items about the machine
 *   rt_latency.c  how late the threads came to run, and because of whom
 */
#ifndef SONDE_SUBJECT_RT_H
#define SONDE_SUBJECT_RT_H

#include <sched.h>

#include "subject/ask.h"
#include "subject/loop.h"
#include "subject/proc.h"

#define COMM_BYTES 16

/* What a record tells; the numbers stand in rt.bt and rt_locks.bt. */
enum rt_what {
	RT_TICK = 0, RT_FIRST_SLEEP = 1, RT_SLEPT_IN = 2, RT_LATE_RUN = 3, RT_LOW_WAKER = 4, RT_MEMORY_CALL = 5,
	RT_WRONG_CLOCK = 6, RT_RELATIVE = 7, RT_LATE_SLEEP = 8, RT_MLOCKALL = 10, RT_SIGNAL_TIMER = 11,
	RT_SIGNAL = 12, RT_FAULT = 13, RT_PLAIN_MUTEX = 14, RT_SEMAPHORE = 15, RT_COND_UNLOCKED = 16, RT_RWLOCK = 17,
	RT_PI_MUTEX = 18, RT_COND_LOCKED = 19, RT_LIBC_USED = 20,
};

struct rt_settings {
	uint64_t pid;
	unsigned scope; /* all, process, machine */
	uint64_t latency_ns;
	struct text_list skip;
};
enum { SCOPE_ALL, SCOPE_PROCESS, SCOPE_MACHINE };

/* Something that was done, by one thread in one way. */
struct offence {
	enum rt_what what;
	pid_t tid;
	int64_t detail, more;
	uint64_t count;
	char comm[COMM_BYTES], other[COMM_BYTES];
	char *stack;
};

struct rt_thread {
	pid_t tid;
	char comm[COMM_BYTES];
	int policy, priority;     /* SCHED_*; priority of realtime policies */
	bool is_rt, begun, known; /* known: /proc has been read */
	cpu_set_t cpus;
	unsigned ncpus;           /* that it may run on, told by its first sleep; 0: not told */
	uint64_t worst_ns;        /* from being woken to running */
	char worst_by[COMM_BYTES];
	pid_t worst_by_pid;
	uint64_t worst_late_ns;   /* from the time it asked for to running */
	char *latency, *late;     /* their distributions, as JSON */
};

#define RT_MOST_THREADS 1024
#define RT_MOST_OFFENCES 4096

struct rt {
	struct subject_run *run;
	const struct rt_settings *set;
	pid_t pid;
	char comm[COMM_BYTES];
	struct rt_thread *thread;
	size_t nthreads;
	struct offence *offence;
	size_t noffences;
	bool overflow;            /* more threads or offences than there is room for */
	struct asking *calls, *locks;
	struct strbuf no_faults, no_locks; /* reasons why they cannot be observed; empty: they can */
	uint64_t pi_mutexes, good_conds;
	/* From /proc/PID. */
	bool seen;                /* at least once */
	bool first_sleep;         /* of a realtime thread has been told */
	bool libc_mapped, smaps_read;
	uint64_t unlocked_kib, locked_kib, smaps_ns;
	char unlocked_name[128];
	char libc[256];
	/* Told by the first sleep of a realtime thread: of processes that end before they can be looked at. */
	uint64_t total_pages, locked_pages;
	bool future_locked;
	bool ended;
	/* Of /proc/interrupts. */
	struct strbuf interrupts_before, interrupts_after;
};

struct rt_thread *rt_thread_get(struct rt *rt, pid_t tid);
const char *policy_name(int policy);
bool policy_is_rt(int policy);
/* Ask about the process; what cannot be observed leaves its reason. 0 or a negative errno after a message. */
int rt_ask(struct rt *rt);
void rt_facts_free(struct rt *rt);
bool rt_any_begun(const struct rt *rt);
/* Why something about threads at work cannot be known: NULL if it can. Valid until the next call. */
const char *rt_why_unseen(const struct rt *rt);

void rt_process_look(struct rt *rt);
/* The processors that realtime threads may run on. */
void rt_cpus(const struct rt *rt, cpu_set_t *out);
/* "0-3,5" */
bool cpu_list_parse(const char *text, cpu_set_t *out);
void cpu_list_text(const cpu_set_t *set, struct strbuf *out);

bool rt_skipped(const struct rt *rt, const char *item);
void rt_process_items(struct rt *rt);
void rt_machine_items(struct rt *rt);
void rt_latency_show(struct rt *rt);

#endif
