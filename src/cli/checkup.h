/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checkup: the first look at a machine, on one page. What it is made of, for its own files. */
#ifndef SONDE_CLI_CHECKUP_H
#define SONDE_CLI_CHECKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

/* What /proc counts since the machine began. Numbers that this kernel does not have are 0. */
struct counters {
	uint64_t user, nice, system, idle, iowait, irq, softirq, stolen; /* ticks of all processors */
	uint64_t forks;
	uint64_t cpu_stall_us, memory_stall_us, io_stall_us; /* some task waited */
	uint64_t swapped_in, swapped_out; /* pages */
	uint64_t segments, resent; /* of TCP */
};

void counters_read(struct counters *c);
/* Of /proc/meminfo; 0 when it is not there. */
uint64_t meminfo_kib(const char *name);
/* The three load averages, "0.10 0.20 0.30", or an empty string. */
void loadavg_read(char *out, size_t size);

#define CHECKUP_BUSIEST 3

struct program_samples {
	char name[40]; /* "1234, name" */
	uint64_t n;
};

/* What the question has counted. */
struct findings {
	uint64_t waits, wait_mean_us, wait_longest_us, waits_long;
	uint64_t requests, request_mean_us, request_longest_us, request_errors;
	uint64_t reclaims, oom_kills;
	uint64_t crashes;
	struct program_samples busiest[CHECKUP_BUSIEST]; /* the busiest first */
};

struct checkup {
	struct counters before, after;
	struct findings found;
	uint64_t took_ms;
	unsigned ncpus;
};

/* One line of the page. */
struct check {
	const char *name;
	/* Says what was found. Returns whether it is worth a closer look. */
	bool (*say)(const struct checkup *c, struct strbuf *out);
	const char *deeper; /* the tools that show more */
};
extern const struct check checks[]; /* ends with a NULL name */

#endif
