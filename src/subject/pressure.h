/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pressure: who stalls for want of memory, processor or disk; what is done about it. For the files of this subject.
 *
 *   pressure.c         the entry, and what is started
 *   pressure_stalls.c  what the questions say: stalls, added up and in a sliding window
 *   pressure_psi.c     pressure stall information of the kernel
 *   pressure_view.c    the live view
 *   pressure_watch.c   --watch: a threshold and a command
 *   pressure_domain.c  what has a limit of memory: the machine and cgroups, and how near they are
 *   pressure_rules.c   --kill: reasons to kill
 *   pressure_victim.c  --kill: whom
 *   pressure_kill.c    --kill: the decision, the deed and the log
 */
#ifndef SONDE_SUBJECT_PRESSURE_H
#define SONDE_SUBJECT_PRESSURE_H

#include "subject/ask.h"
#include "subject/loop.h"
#include "subject/proc.h"

#define MS ((uint64_t)1000000)
#define COMM_BYTES 16

enum resource { RES_MEMORY, RES_CPU, RES_IO, RES_COUNT };
extern const char *const resource_names[]; /* "memory", "cpu", "io" */

enum policy { POLICY_LMKD, POLICY_CGROUP, POLICY_LARGEST };

struct pressure_settings {
	uint64_t interval_ns;
	uint64_t top;
	struct text_list watch;
	bool kill, dry_run;
	unsigned policy; /* enum policy */
	struct text_list protect;
	const char *log;
	uint64_t floor_percent;
	const char *cgroup;
};

/* ---- stalls ---- */

/* A task stood still for this long: what a question hands over. */
struct stall {
	enum resource resource;
	pid_t pid, tid;
	char comm[COMM_BYTES];
	uint64_t cgroup; /* its number in v2 */
	uint64_t ns, count, longest_ns;
	pid_t by;        /* who caused it, where the event itself says so; or 0 */
	char by_comm[COMM_BYTES];
};

struct stall_source {
	void *ctx;
	void (*stall)(void *ctx, const struct stall *s);
	/* Stalls of memory that have not ended: one call for each of them, then one with NULL. May be NULL. */
	void (*ongoing)(void *ctx, const struct stall *s);
	void (*oom_kill)(void *ctx, pid_t victim); /* the kernel chose for itself; may be NULL */
	void (*issued)(void *ctx, pid_t pid, const char *comm, uint64_t bytes); /* to disks, in the last second; may be NULL */
};
/* Ask about this resource. The source must outlive the run. 0 or a negative errno after a message. Of memory, everything
 * that the kernel counts as a stall is seen where its functions can be traced, else reclaim alone. With `why` the reason of
 * a failure goes there, and no message is given. */
int stalls_ask(struct subject_run *r, enum resource resource, const struct stall_source *source, struct strbuf *why);
/* Memory, reclaim alone: that takes no knowledge of the kernel's types, which would be 6 MiB. 1: stalls are asked about, but
 * who the kernel kills is not told. */
int reclaim_ask(struct subject_run *r, const struct stall_source *source, struct strbuf *why);

#define WINDOW_SLOTS 20
#define WINDOW_TASKS 256

/* What each of the tasks that stalled lately has stalled in the last `window_ns`. */
struct window_task {
	struct stall last;        /* its names; numbers are those of the last record */
	uint64_t slot_number;     /* of the newest slot */
	uint32_t slot_us[WINDOW_SLOTS];
	uint64_t ongoing_ns, ongoing_told_ns; /* of a stall that has not ended */
	bool ongoing_seen;
};

struct window {
	uint64_t window_ns;
	struct window_task task[WINDOW_TASKS];
	size_t ntasks;
};

void window_add(struct window *w, const struct stall *s, uint64_t now);
void window_ongoing(struct window *w, const struct stall *s, uint64_t now); /* as stall_source.ongoing */
/* What this task has stalled in the window. */
uint64_t window_task_ns(const struct window *w, const struct window_task *t, uint64_t now);
/* The task that stalled most, of those for which `take` (may be NULL) is true. NULL: none did. */
const struct window_task *window_worst(const struct window *w, uint64_t now,
				       bool (*take)(void *ctx, const struct window_task *t), void *ctx, uint64_t *ns);

/* ---- pressure stall information ---- */

struct psi {
	bool known;
	uint64_t some_us, full_us; /* since the beginning */
	double some10, full10;     /* percent of the last 10 s */
};
void psi_read(struct psi *p, const char *path);
/* The file of a resource, of the whole machine (cgroup NULL) or of a cgroup of v2 ("/a/b"). */
void psi_path(char *out, size_t size, enum resource resource, const char *cgroup);
/*
 * A descriptor that has EPOLLPRI when tasks have stalled for stall_us within window_us. Without the privilege for it the kernel
 * only takes windows of whole seconds: the window is then made 2 s and the stall grows with it. Negative errno.
 */
int psi_trigger(const char *path, bool full, uint64_t *stall_us, uint64_t *window_us);

/* ---- modes ---- */

int view_run(struct subject_run *r);
int watch_run(struct subject_run *r);
int kill_run(struct subject_run *r);

/* The path of a cgroup by its number, remembered; "?" when it is not known. Valid until the next call. */
const char *cgroup_name(uint64_t id);

#endif
