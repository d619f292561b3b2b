/* SPDX-License-Identifier: GPL-2.0-or-later */
/* interval: run by the session, on one CPU, every so often. */
#include "probe/common.h"
#include "probe/kinds_all.h"

static int expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	uint64_t period_ns, hz;
	struct attach_point *ap;
	int err = rate_parse(env, &probe_interval, spec, &period_ns, &hz);

	if (err)
		return err;
	ap = point_add(env, &probe_interval, spec, spec_name(env->arena, &probe_interval, spec), out);
	if (!ap)
		return -EINVAL;
	ap->section = "raw_tp";
	ap->period_ns = period_ns;
	ap->number = period_ns;
	return 0;
}

static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	return rate_list(env, &probe_interval, spec, fn, ctx);
}

const struct probe_kind probe_interval = {
	.name = "interval",
	.aliases = (const char *const[]){ "i", NULL },
	.forms = "interval:PERIOD (1s, 10ms) or interval:UNIT:COUNT (us, ms, s, hz)",
	.summary = "every so often, on one CPU",
	.run = RUN_TIMER,
	.prog_type = "raw_tracepoint",
	.expand = expand,
	.list = list,
};
