/* SPDX-License-Identifier: GPL-2.0-or-later */
/* self: what happens to the tracer itself: a signal that somebody sends it. */
#include <signal.h>

#include "base/util.h"
#include "probe/common.h"
#include "probe/kinds_all.h"

/* Signals that mean nothing else to a tracer. */
static const struct {
	const char *name;
	int number;
} signals[] = { { "SIGUSR1", SIGUSR1 }, { "SIGUSR2", SIGUSR2 } };

static const char *const signal_names[] = { "SIGUSR1", "SIGUSR2" };

static int signal_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (!strcmp(signals[i].name, name))
			return signals[i].number;
	return 0;
}

static int expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	struct attach_point *ap;
	int number;

	if (spec->parts.n != 2)
		return diag_error(env->diags, spec->span, "self needs an event: %s", probe_self.forms);
	if (strcmp(spec->parts.v[0], "signal")) {
		diag_error(env->diags, part_span(spec, 0), "there is no event '%s' of self", spec->parts.v[0]);
		diag_hint(env->diags, "write self:signal:SIGUSR1");
		return -EINVAL;
	}
	number = signal_number(spec->parts.v[1]);
	if (!number) {
		diag_error(env->diags, part_span(spec, 1), "'%s' is not a signal that self can wait for", spec->parts.v[1]);
		diag_hint_nearest(env->diags, spec->parts.v[1], signal_names, ARRAY_SIZE(signal_names));
		diag_hint(env->diags, "they are SIGUSR1 and SIGUSR2");
		return -EINVAL;
	}
	ap = point_add(env, &probe_self, spec, spec_name(env->arena, &probe_self, spec), out);
	if (!ap)
		return -EINVAL;
	ap->section = "raw_tp";
	ap->number = (uint64_t)number;
	return 0;
}

static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	const char *pattern = spec_pattern(env->arena, spec);

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		const char *event = arena_printf(env->arena, "signal:%s", signals[i].name);
		int r = glob_match(pattern, event) ? fn(arena_printf(env->arena, "self:%s", event), ctx) : 0;

		if (r)
			return r;
	}
	return 0;
}

const struct probe_kind probe_self = {
	.name = "self",
	.forms = "self:signal:SIGUSR1",
	.summary = "somebody sends this signal to the tracer",
	.run = RUN_SIGNAL,
	.prog_type = "raw_tracepoint",
	.expand = expand,
	.list = list,
};
