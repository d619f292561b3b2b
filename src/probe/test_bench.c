/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test and bench: run by the session itself, with --test and --bench only. */
#include "probe/common.h"
#include "probe/kinds_all.h"

static int expand(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		  attach_vec *out)
{
	struct attach_point *ap;

	if (spec->parts.n != 1 || !*spec->parts.v[0])
		return diag_error(env->diags, spec->span, "%s needs a name: %s", kind->name, kind->forms);
	ap = point_add(env, kind, spec, spec_name(env->arena, kind, spec), out);
	if (!ap)
		return -EINVAL;
	ap->section = "raw_tp";
	ap->target = spec->parts.v[0];
	return 0;
}

/* They are in scripts, not in the kernel. */
static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	(void)env;
	(void)spec;
	(void)fn;
	(void)ctx;
	return 0;
}

static int test_expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	return expand(env, &probe_test, spec, out);
}

static int bench_expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	return expand(env, &probe_bench, spec, out);
}

const struct probe_kind probe_test = {
	.name = "test",
	.case_insensitive = true,
	.forms = "test:NAME",
	.summary = "a test of the script, run by --test; it fails by returning anything but 0",
	.run = RUN_TEST,
	.prog_type = "raw_tracepoint",
	.expand = test_expand,
	.list = list,
};

const struct probe_kind probe_bench = {
	.name = "bench",
	.case_insensitive = true,
	.forms = "bench:NAME",
	.summary = "a piece of the script that --bench measures",
	.run = RUN_BENCH,
	.prog_type = "raw_tracepoint",
	.expand = bench_expand,
	.list = list,
};
