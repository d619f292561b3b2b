/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checkup_checks: the lines of the page, from the machine as a whole to what goes wrong. */
#include "cli/checkup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* How much a number of /proc has grown. One that went back counts as unchanged: counters can be reset. */
#define GROWN(c, member) ((c)->after.member > (c)->before.member ? (c)->after.member - (c)->before.member : 0)

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static double seconds_of(const struct checkup *c)
{
	return c->took_ms ? (double)c->took_ms / 1000 : 1;
}

static double stall_percent(const struct checkup *c, uint64_t us)
{
	double p = percent(us, c->took_ms * 1000);

	return p > 100 ? 100 : p;
}

static const char *time_text(uint64_t us, char out[32])
{
	if (us < 10000)
		snprintf(out, 32, "%" PRIu64 " us", us);
	else
		snprintf(out, 32, "%" PRIu64 " ms", us / 1000);
	return out;
}

static bool say_load(const struct checkup *c, struct strbuf *out)
{
	char load[64];

	loadavg_read(load, sizeof(load));
	strbuf_addf(out, "%s on %u processors", *load ? load : "unknown", c->ncpus);
	return strtod(load, NULL) > c->ncpus;
}

static bool say_processors(const struct checkup *c, struct strbuf *out)
{
	uint64_t user = GROWN(c, user) + GROWN(c, nice), kernel = GROWN(c, system) + GROWN(c, irq) + GROWN(c, softirq);
	uint64_t stolen = GROWN(c, stolen), waiting = GROWN(c, iowait);
	uint64_t all = user + kernel + stolen + waiting + GROWN(c, idle);
	double busy = percent(user + kernel, all);

	strbuf_addf(out, "%.0f%% busy (%.0f%% programs, %.0f%% kernel), %.0f%% waiting for disks, %.0f%% stolen", busy,
		    percent(user, all), percent(kernel, all), percent(waiting, all), percent(stolen, all));
	return busy > 90 || percent(stolen, all) > 5;
}

static bool say_queue(const struct checkup *c, struct strbuf *out)
{
	const struct findings *f = &c->found;
	char mean[32], longest[32];

	strbuf_addf(out, "%" PRIu64 " waits, mean %s, longest %s, %" PRIu64 " over 10 ms; stalled %.1f%% of the time", f->waits,
		    time_text(f->wait_mean_us, mean), time_text(f->wait_longest_us, longest), f->waits_long,
		    stall_percent(c, GROWN(c, cpu_stall_us)));
	return f->wait_mean_us > 1000 || f->wait_longest_us > 100000;
}

static bool say_busiest(const struct checkup *c, struct strbuf *out)
{
	/* Of one processor. */
	double samples = 99 * seconds_of(c);
	const char *between = "";

	for (size_t i = 0; i < CHECKUP_BUSIEST && c->found.busiest[i].n; i++) {
		const struct program_samples *p = &c->found.busiest[i];
		const char *comma = strstr(p->name, ", ");

		strbuf_addf(out, "%s%s (%.*s) %.0f%%", between, comma ? comma + 2 : "?",
			    (int)(comma ? comma - p->name : 0), p->name, 100 * (double)p->n / samples);
		between = ", ";
	}
	if (!*between)
		strbuf_addstr(out, "nobody");
	return false;
}

static bool say_processes(const struct checkup *c, struct strbuf *out)
{
	double each_second = (double)GROWN(c, forks) / seconds_of(c);

	strbuf_addf(out, "%.0f new each second", each_second);
	return each_second > 500;
}

static bool say_memory(const struct checkup *c, struct strbuf *out)
{
	uint64_t total = meminfo_kib("MemTotal"), left = meminfo_kib("MemAvailable");
	uint64_t swapped = GROWN(c, swapped_in) + GROWN(c, swapped_out);

	strbuf_addf(out, "%.1f of %.1f GiB available; %" PRIu64 " pages from swap, %" PRIu64 " to it",
		    (double)left / (1 << 20), (double)total / (1 << 20), GROWN(c, swapped_in), GROWN(c, swapped_out));
	return percent(left, total) < 10 || swapped;
}

static bool say_memory_stalls(const struct checkup *c, struct strbuf *out)
{
	double stalled = stall_percent(c, GROWN(c, memory_stall_us));

	strbuf_addf(out, "stalled %.1f%% of the time; %" PRIu64 " times a program had to free memory itself", stalled,
		    c->found.reclaims);
	return stalled > 5 || c->found.reclaims;
}

static bool say_oom(const struct checkup *c, struct strbuf *out)
{
	strbuf_addf(out, "%" PRIu64 " killed because memory ran out", c->found.oom_kills);
	return c->found.oom_kills;
}

static bool say_disks(const struct checkup *c, struct strbuf *out)
{
	const struct findings *f = &c->found;
	char mean[32], longest[32];
	double stalled = stall_percent(c, GROWN(c, io_stall_us));

	strbuf_addf(out, "%" PRIu64 " requests, mean %s, longest %s; stalled %.1f%% of the time", f->requests,
		    time_text(f->request_mean_us, mean), time_text(f->request_longest_us, longest), stalled);
	return f->request_mean_us > 20000 || stalled > 20;
}

static bool say_disk_errors(const struct checkup *c, struct strbuf *out)
{
	strbuf_addf(out, "%" PRIu64 " requests failed", c->found.request_errors);
	return c->found.request_errors;
}

static bool say_network(const struct checkup *c, struct strbuf *out)
{
	uint64_t sent = GROWN(c, segments), again = GROWN(c, resent);

	strbuf_addf(out, "%" PRIu64 " of %" PRIu64 " TCP segments sent again (%.1f%%)", again, sent, percent(again, sent));
	return again && percent(again, sent) > 1;
}

static bool say_crashes(const struct checkup *c, struct strbuf *out)
{
	strbuf_addf(out, "%" PRIu64 " programs killed by their own faults", c->found.crashes);
	return c->found.crashes;
}

const struct check checks[] = {
	{ "load", say_load, "loads, runqlen" },
	{ "processors", say_processors, "cpuwalk, profile, cpustolen" },
	{ "run queue", say_queue, "runqlat, runqslower" },
	{ "busiest", say_busiest, "profile, syscount, offcputime" },
	{ "processes", say_processes, "execsnoop, exitsnoop" },
	{ "memory", say_memory, "faults, swapin, kmem" },
	{ "memory stalls", say_memory_stalls, "drsnoop, vmscan" },
	{ "out of memory", say_oom, "oomkill" },
	{ "disks", say_disks, "biolatency, biosnoop, biotop" },
	{ "disk errors", say_disk_errors, "bioerr" },
	{ "network", say_network, "tcpretrans, tcptop" },
	{ "crashes", say_crashes, "sigsnoop, exitsnoop" },
	{ NULL, NULL, NULL },
};
