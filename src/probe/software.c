/* SPDX-License-Identifier: GPL-2.0-or-later */
/* software: the events the kernel counts itself, one run for every COUNT of them. */
#include <linux/perf_event.h>

#include "base/util.h"
#include "probe/common.h"
#include "probe/kinds_all.h"

/* Sorted by name. The periods are what the language promises when none is given. */
static const struct software_event {
	const char *name, *alias;
	uint64_t config, period;
} events[] = {
	{ "alignment-faults", NULL, PERF_COUNT_SW_ALIGNMENT_FAULTS, 1 },
	{ "bpf-output", NULL, PERF_COUNT_SW_BPF_OUTPUT, 1 },
	{ "context-switches", "cs", PERF_COUNT_SW_CONTEXT_SWITCHES, 1000 },
	{ "cpu-clock", "cpu", PERF_COUNT_SW_CPU_CLOCK, 1000000 },
	{ "cpu-migrations", NULL, PERF_COUNT_SW_CPU_MIGRATIONS, 1 },
	{ "dummy", NULL, PERF_COUNT_SW_DUMMY, 1 },
	{ "emulation-faults", NULL, PERF_COUNT_SW_EMULATION_FAULTS, 1 },
	{ "major-faults", NULL, PERF_COUNT_SW_PAGE_FAULTS_MAJ, 1 },
	{ "minor-faults", NULL, PERF_COUNT_SW_PAGE_FAULTS_MIN, 100 },
	{ "page-faults", "faults", PERF_COUNT_SW_PAGE_FAULTS, 100 },
	{ "task-clock", NULL, PERF_COUNT_SW_TASK_CLOCK, 1000000 },
};

static const struct software_event *event_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (!strcmp(events[i].name, name) || str_eq(events[i].alias, name))
			return &events[i];
	return NULL;
}

static int event_unknown(struct probe_env *env, const struct probe_spec *spec)
{
	const char *names[2 * ARRAY_SIZE(events)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		names[n++] = events[i].name;
		if (events[i].alias)
			names[n++] = events[i].alias;
	}
	diag_error(env->diags, part_span(spec, 0), "no software event '%s'", spec->parts.v[0]);
	diag_hint_nearest(env->diags, spec->parts.v[0], names, n);
	return -EINVAL;
}

static int expand_event(struct probe_env *env, const struct probe_spec *spec, const struct software_event *e,
			const char *name, attach_vec *out)
{
	uint64_t period = e->period;
	struct attach_point *ap;
	int err = 0;

	if (spec->parts.n == 2 && *spec->parts.v[1])
		err = count_of_part(env, spec, 1, "the count", &period);
	if (err)
		return err;
	ap = point_add(env, &probe_software, spec, name, out);
	if (!ap)
		return -EINVAL;
	ap->section = "perf_event";
	ap->target = e->name;
	ap->number = e->config;
	ap->period_ns = period; /* of events, for the clocks nanoseconds */
	return 0;
}

static int expand_pattern(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	int err = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		const char *count = spec->parts.n == 2 ? spec->parts.v[1] : "";

		if (!glob_match(spec->parts.v[0], events[i].name))
			continue;
		err = expand_event(env, spec, &events[i],
				   arena_printf(env->arena, "software:%s:%s", events[i].name, count), out);
		if (err)
			return err;
	}
	return err;
}

static int expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	const struct software_event *e;

	if (!spec->parts.n || spec->parts.n > 2 || !*spec->parts.v[0])
		return diag_error(env->diags, spec->span, "software needs an event: %s", probe_software.forms);
	if (part_is_pattern(spec, 0))
		return expand_pattern(env, spec, out);
	e = event_find(spec->parts.v[0]);
	if (!e)
		return event_unknown(env, spec);
	return expand_event(env, spec, e, spec_name(env->arena, &probe_software, spec), out);
}

static int list_one(struct probe_env *env, const char *pattern, const char *name,
		    int (*fn)(const char *name, void *ctx), void *ctx)
{
	const char *full = arena_printf(env->arena, "software:%s:", name);

	if (!glob_match(pattern, name) && !glob_match(pattern, full + strlen("software:")))
		return 0;
	return fn(full, ctx);
}

static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	const char *names[2 * ARRAY_SIZE(events)];
	size_t n = 0;
	int r = 0;

	/* An alias sorts between its neighbours: "cs" behind "cpu-migrations". */
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		const char *both[] = { events[i].name, events[i].alias };

		for (size_t b = 0; b < 2 && both[b]; b++) {
			size_t at = n++;

			for (; at && strcmp(names[at - 1], both[b]) > 0; at--)
				names[at] = names[at - 1];
			names[at] = both[b];
		}
	}
	for (size_t i = 0; !r && i < n; i++)
		r = list_one(env, spec_pattern(env->arena, spec), names[i], fn, ctx);
	return r;
}

static int attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		  uint32_t npoints, link_vec *links)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < npoints; i++) {
		struct perf_event_attr attr = {
			.type = PERF_TYPE_SOFTWARE, .config = points[i]->number,
			.sample_period = points[i]->period_ns,
		};

		err = perf_attach_all(env, prog, points[i], &attr, links);
	}
	return err;
}

const struct probe_kind probe_software = {
	.name = "software",
	.aliases = (const char *const[]){ "s", NULL },
	.forms = "software:EVENT[:COUNT]",
	.summary = "one of every COUNT software events of the kernel",
	.run = RUN_ATTACHED,
	.prog_type = "perf_event",
	.takes_cookie = true,
	.expand = expand,
	.list = list,
	.attach = attach,
};
