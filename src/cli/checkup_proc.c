/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checkup_proc: what the kernel counts by itself, from /proc. */
#include "cli/checkup.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

/* Calls fn with each line of a file; a file that is not there has none. */
static void lines_each(const char *path, void (*fn)(void *ctx, const char *line), void *ctx)
{
	char line[1024];
	FILE *f = fopen(path, "re");

	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		fn(ctx, line);
	fclose(f);
}

static void stat_line(void *ctx, const char *line)
{
	struct counters *c = ctx;

	if (str_starts(line, "cpu "))
		sscanf(line, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		       " %" SCNu64, &c->user, &c->nice, &c->system, &c->idle, &c->iowait, &c->irq, &c->softirq, &c->stolen);
	sscanf(line, "processes %" SCNu64, &c->forks);
}

static void vmstat_line(void *ctx, const char *line)
{
	struct counters *c = ctx;

	sscanf(line, "pswpin %" SCNu64, &c->swapped_in);
	sscanf(line, "pswpout %" SCNu64, &c->swapped_out);
}

static void pressure_line(void *ctx, const char *line)
{
	const char *total = str_starts(line, "some ") ? strstr(line, "total=") : NULL;

	if (total)
		sscanf(total, "total=%" SCNu64, (uint64_t *)ctx);
}

struct tcp_columns {
	struct counters *c;
	char names[1024];
};

/* Two lines begin with "Tcp:", the names and the numbers. */
static void snmp_line(void *ctx, const char *line)
{
	struct tcp_columns *t = ctx;
	char numbers[1024], *name, *number, *save_name = NULL, *save_number = NULL;

	if (!str_starts(line, "Tcp:"))
		return;
	if (!*t->names) {
		snprintf(t->names, sizeof(t->names), "%s", line);
		return;
	}
	snprintf(numbers, sizeof(numbers), "%s", line);
	name = strtok_r(t->names, " \n", &save_name);
	number = strtok_r(numbers, " \n", &save_number);
	while (name && number) {
		if (str_eq(name, "OutSegs"))
			sscanf(number, "%" SCNu64, &t->c->segments);
		if (str_eq(name, "RetransSegs"))
			sscanf(number, "%" SCNu64, &t->c->resent);
		name = strtok_r(NULL, " \n", &save_name);
		number = strtok_r(NULL, " \n", &save_number);
	}
}

void counters_read(struct counters *c)
{
	struct tcp_columns tcp = { .c = c };

	memset(c, 0, sizeof(*c));
	lines_each("/proc/stat", stat_line, c);
	lines_each("/proc/vmstat", vmstat_line, c);
	lines_each("/proc/pressure/cpu", pressure_line, &c->cpu_stall_us);
	lines_each("/proc/pressure/memory", pressure_line, &c->memory_stall_us);
	lines_each("/proc/pressure/io", pressure_line, &c->io_stall_us);
	lines_each("/proc/net/snmp", snmp_line, &tcp);
}

struct wanted_line {
	const char *name;
	uint64_t kib;
};

static void meminfo_line(void *ctx, const char *line)
{
	struct wanted_line *w = ctx;
	size_t len = strlen(w->name);

	if (str_starts(line, w->name) && line[len] == ':')
		sscanf(line + len + 1, "%" SCNu64, &w->kib);
}

uint64_t meminfo_kib(const char *name)
{
	struct wanted_line w = { .name = name };

	lines_each("/proc/meminfo", meminfo_line, &w);
	return w.kib;
}

struct text_out {
	char *out;
	size_t size;
};

static void loadavg_line(void *ctx, const char *line)
{
	const struct text_out *t = ctx;
	const char *end = line;

	for (int i = 0; i < 3 && end; i++)
		end = strchr(end + (i > 0), ' ');
	if (end)
		snprintf(t->out, t->size, "%.*s", (int)(end - line), line);
}

void loadavg_read(char *out, size_t size)
{
	struct text_out t = { out, size };

	*out = '\0';
	lines_each("/proc/loadavg", loadavg_line, &t);
}
