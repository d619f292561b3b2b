/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pressure: who stalls for want of memory, processor or disk, and what it costs. */
#include <inttypes.h>
#include <stdio.h>

#include "base/util.h"
#include "subject/ask.h"
#include "subject/loop.h"
#include "subject/proc.h"

extern const char pressure_bt[];

struct settings {
	uint64_t interval_ns;
};

static const struct settings defaults = { .interval_ns = 1000000000 };

static const struct subject_option options[] = {
	{ 'i', "interval", "TIME", "how often to show (1 s)", OPTION_TIME, offsetof(struct settings, interval_ns),
	  .least = 10000000 },
	{ 0 },
};

struct pressure {
	struct subject_run *run;
	uint64_t stalls, stalled_ns;
};

static int on_record(void *ctx, const struct sonde_record *rec)
{
	struct pressure *p = ctx;
	int64_t ns;

	if (sonde_record_kind(rec) != SONDE_VALUE || !sonde_record_part_int(rec, 3, &ns))
		return 0;
	p->stalls++;
	p->stalled_ns += (uint64_t)ns;
	return 0;
}

static int show(void *ctx, uint32_t events)
{
	struct pressure *p = ctx;
	_cleanup_json_ struct json j = JSON_INIT;

	(void)events;
	out_text(p->run, "%" PRIu64 " stalls, %.1f ms\n", p->stalls, (double)p->stalled_ns / 1e6);
	json_object(&j, NULL);
	json_u64(&j, "stalls", p->stalls);
	json_u64(&j, "stalled_ns", p->stalled_ns);
	json_end(&j);
	out_json(p->run, "pressure", &j);
	return 0;
}

static int run(struct subject_run *r)
{
	struct pressure p = { .run = r };
	const struct settings *s = r->settings;
	struct question q = { .name = "pressure", .source = pressure_bt, .record = on_record, .ctx = &p };

	if (ask(r, &q, NULL) || !loop_every(r, s->interval_ns, show, &p) || loop_run(r))
		return SUBJECT_FAILED;
	show(&p, 0);
	return SUBJECT_FINE;
}

const struct subject subject_pressure = {
	.name = "pressure",
	.summary = "who stalls for want of memory, and what it costs",
	.text = "Tasks that must find memory themselves (direct reclaim) are counted as it happens.",
	.examples = "sonde pressure\n  the present pressure, every second",
	.options = options,
	.settings_size = sizeof(struct settings),
	.defaults = &defaults,
	.run = run,
};
