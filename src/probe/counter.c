/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counter: events that are counted, by the kernel (software.c) or by the processor (hardware.c). */
#include "probe/counter.h"

#include "base/util.h"
#include "probe/common.h"
#include "probe/kinds_all.h"

/* Names and aliases. */
static uint32_t names_of(struct arena *a, const struct counter_event *events, const char ***names)
{
	VEC(const char *) all = {0};

	for (const struct counter_event *e = events; e->name; e++) {
		vec_push(a, &all, e->name);
		if (e->alias)
			vec_push(a, &all, e->alias);
	}
	*names = all.v;
	return all.n;
}

static const struct counter_event *event_find(const struct counter_event *events, const char *name)
{
	for (const struct counter_event *e = events; e->name; e++)
		if (!strcmp(e->name, name) || str_eq(e->alias, name))
			return e;
	return NULL;
}

static int event_unknown(struct probe_env *env, const struct probe_kind *kind, const struct counter_event *events,
			 const struct probe_spec *spec)
{
	const char **names;
	uint32_t n = names_of(env->arena, events, &names);

	diag_error(env->diags, part_span(spec, 0), "no %s event '%s'", kind->name, spec->parts.v[0]);
	diag_hint_nearest(env->diags, spec->parts.v[0], names, n);
	return -EINVAL;
}

static int expand_event(struct probe_env *env, const struct probe_kind *kind, const struct counter_event *e,
			const struct probe_spec *spec, const char *name, attach_vec *out)
{
	uint64_t period = e->period;
	struct attach_point *ap;
	int err = 0;

	if (spec->parts.n == 2 && *spec->parts.v[1])
		err = count_of_part(env, spec, 1, "the count", &period);
	if (err)
		return err;
	ap = point_add(env, kind, spec, name, out);
	if (!ap)
		return -EINVAL;
	ap->section = "perf_event";
	ap->target = e->name;
	ap->number = e->config;
	ap->period_ns = period; /* of events, for the clocks nanoseconds */
	return 0;
}

static int expand_pattern(struct probe_env *env, const struct probe_kind *kind, const struct counter_event *events,
			  const struct probe_spec *spec, attach_vec *out)
{
	const char *count = spec->parts.n == 2 ? spec->parts.v[1] : "";
	int err = -ENOENT;

	for (const struct counter_event *e = events; e->name; e++) {
		if (!glob_match(spec->parts.v[0], e->name))
			continue;
		err = expand_event(env, kind, e, spec,
				   arena_printf(env->arena, "%s:%s:%s", kind->name, e->name, count), out);
		if (err)
			return err;
	}
	return err;
}

int counter_expand(struct probe_env *env, const struct probe_kind *kind, const struct counter_event *events,
		   const struct probe_spec *spec, attach_vec *out)
{
	const struct counter_event *e;

	if (!spec->parts.n || spec->parts.n > 2 || !*spec->parts.v[0])
		return diag_error(env->diags, spec->span, "%s needs an event: %s", kind->name, kind->forms);
	if (part_is_pattern(spec, 0))
		return expand_pattern(env, kind, events, spec, out);
	e = event_find(events, spec->parts.v[0]);
	if (!e)
		return event_unknown(env, kind, events, spec);
	return expand_event(env, kind, e, spec, spec_name(env->arena, kind, spec), out);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int counter_list(struct probe_env *env, const struct probe_kind *kind, const struct counter_event *events,
		 const struct probe_spec *spec, int (*fn)(const char *name, void *ctx), void *ctx)
{
	const char *pattern = spec_pattern(env->arena, spec), **names;
	uint32_t n = names_of(env->arena, events, &names);
	int r = 0;

	if (n > 1)
		qsort(names, n, sizeof(*names), compare_names);
	for (uint32_t i = 0; !r && i < n; i++) {
		const char *full = arena_printf(env->arena, "%s:%s:", kind->name, names[i]);

		if (glob_match(pattern, names[i]) || glob_match(pattern, full + strlen(kind->name) + 1))
			r = fn(full, ctx);
	}
	return r;
}

struct perf_event_attr counter_attr(uint32_t type, const struct attach_point *ap)
{
	return (struct perf_event_attr){ .type = type, .config = ap->number, .sample_period = ap->period_ns };
}
