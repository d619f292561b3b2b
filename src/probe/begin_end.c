/* SPDX-License-Identifier: GPL-2.0-or-later */
/* begin and end: run once by the session itself, before the first and after the last attached probe. */
#include "base/util.h"
#include "probe/common.h"
#include "probe/kinds_all.h"

static int expand(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		  attach_vec *out)
{
	struct attach_point *ap;

	if (spec->parts.n)
		return diag_error(env->diags, part_span(spec, 0), "%s takes nothing behind its name", kind->name);
	ap = point_add(env, kind, spec, kind->name, out);
	if (!ap)
		return -EINVAL;
	ap->section = "raw_tp";
	return 0;
}

static int list(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		int (*fn)(const char *name, void *ctx), void *ctx)
{
	(void)env;
	if (spec->parts.n && *spec->parts.v[0] && strcmp(spec->parts.v[0], "*"))
		return 0;
	return fn(kind->name, ctx);
}

static int begin_expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	return expand(env, &probe_begin, spec, out);
}

static int begin_list(struct probe_env *env, const struct probe_spec *spec,
		      int (*fn)(const char *name, void *ctx), void *ctx)
{
	return list(env, &probe_begin, spec, fn, ctx);
}

static int end_expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	return expand(env, &probe_end, spec, out);
}

static int end_list(struct probe_env *env, const struct probe_spec *spec,
		    int (*fn)(const char *name, void *ctx), void *ctx)
{
	return list(env, &probe_end, spec, fn, ctx);
}

const struct probe_kind probe_begin = {
	.name = "begin",
	.case_insensitive = true,
	.forms = "begin",
	.summary = "once, before anything else is attached",
	.run = RUN_BEGIN,
	.prog_type = "raw_tracepoint",
	.expand = begin_expand,
	.list = begin_list,
};

const struct probe_kind probe_end = {
	.name = "end",
	.case_insensitive = true,
	.forms = "end",
	.summary = "once, after everything has been detached",
	.run = RUN_END,
	.prog_type = "raw_tracepoint",
	.expand = end_expand,
	.list = end_list,
};
