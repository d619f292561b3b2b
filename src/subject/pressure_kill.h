/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pressure_kill: domains of memory, reasons and victims, for the files of --kill. */
#ifndef SONDE_SUBJECT_PRESSURE_KILL_H
#define SONDE_SUBJECT_PRESSURE_KILL_H

#include <limits.h>

#include "subject/pressure.h"

/* ---- what has a limit of memory ---- */

#define MOST_DOMAINS 512

/*
 * The machine, or a cgroup with a limit. `left` is what can still be had without swap: free memory and what files
 * hold of it. Bytes.
 */
struct domain {
	char path[256];       /* of the cgroup below the root of its hierarchy; "" for the machine */
	bool is_v1;
	uint64_t limit, used, left, file, anon;
	uint64_t swap_total, swap_left;
	uint64_t reserve;     /* what the kernel keeps for itself: below it, everybody must reclaim (the machine's low mark) */
	uint64_t refaults;    /* pages of files that were read in again, since the beginning */
	/* From look to look. */
	uint64_t looked_ns, next_ns;
	double fill_rate;     /* bytes per second; positive: it is being used up */
	double thrash_percent; /* of the memory that files hold, read in again per second */
	uint64_t stalled_ns;  /* by the task that stalled most within a second */
	struct stall stalled; /* that task */
	uint64_t stalls_ns;   /* of all tasks */
	bool seen;
};

struct domains {
	struct domain d[MOST_DOMAINS]; /* the first is the machine */
	size_t n;
	const char *only;     /* --cgroup, or NULL */
	uint64_t walked_ns;
	bool too_many;
	struct strbuf text;   /* reused, so that nothing has to be allocated when memory is short */
	int meminfo_fd, vmstat_fd;
	uint64_t machine_reserve, machine_min;
};

int domains_open(struct subject_run *r, struct domains *all, const char *only);
void domains_close(struct domains *all);
/* How many processes the kernel has killed for want of memory since the machine began. */
uint64_t kernel_kills_count(struct domains *all);
/* Find cgroups that have a limit now. */
void domains_walk(struct domains *all, uint64_t now);
/* Read the figures of one. False: it has gone. */
bool domain_look(struct domains *all, struct domain *d, uint64_t now);
/* Its directory, "/sys/fs/cgroup/a". */
void domain_directory(const struct domain *d, char *out, size_t size);
/* The domain whose limit holds a process back: the nearest cgroup above it that is nearly full; else the machine, or NULL
 * when only one cgroup is looked after. */
struct domain *domain_of(struct domains *all, pid_t pid);

/* ---- reasons ---- */

/* What the reasons look at beside the domain. */
struct rule_facts {
	uint64_t floor_bytes;    /* --floor */
	uint64_t horizon_ns;     /* what ends sooner than this ends before the next look and its consequence */
	bool killed_lately;      /* and it has not helped yet */
	double thrash_limit;     /* percent; lowered by every kill for thrashing */
};
struct reason {
	const char *name;
	const char *text;
	int least_adj; /* of oom_score_adj, for lmkd: who is below is spared */
	bool (*holds)(const struct domain *d, const struct rule_facts *f);
	bool of_stalls; /* they go on for a moment after a kill: everybody comes back for the pages that were lost */
};
const struct reason *reason_find(const struct domain *d, const struct rule_facts *f);
bool swap_is_low(const struct domain *d);
/* Nanoseconds until nothing is left at this rate; UINT64_MAX: it is not being used up. */
uint64_t domain_end_ns(const struct domain *d);

/* ---- whom ---- */

struct victim {
	pid_t pid;             /* of the cgroup policy: its largest process */
	char comm[COMM_BYTES];
	int adj;
	uint64_t bytes;        /* resident and in swap; of the cgroup policy: the cgroup's */
	char cgroup[256];      /* of the cgroup policy: its directory; or "" */
	uint64_t start_ticks;
	size_t considered, spared; /* processes */
};

struct chooser {
	enum policy policy;
	const struct text_list *protect;
	const struct domain *domain;
	int least_adj;
	struct strbuf *text;
	pid_t dying;           /* already killed: not again */
};
/* False: nobody may be killed. */
bool victim_choose(const struct chooser *c, struct victim *out);
bool victim_protected(const struct chooser *c, pid_t pid, const char *comm);
/* Call fn for every process of a cgroup directory and those below. */
int cgroup_each(const char *directory, struct strbuf *text, int (*fn)(void *ctx, pid_t pid), void *ctx);
/* Name, oom_score_adj and size of a process. False: it has gone, or is the kernel's. */
bool process_look(pid_t pid, struct victim *out);

#endif
