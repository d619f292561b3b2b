/* SPDX-License-Identifier: GPL-2.0-or-later */
/* software: the events the kernel counts itself, one run for every COUNT of them. */
#include "probe/common.h"
#include "probe/counter.h"
#include "probe/kinds_all.h"

/* The periods are what the language promises when none is given. */
static const struct counter_event events[] = {
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
	{ 0 },
};

static int expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	return counter_expand(env, &probe_software, events, spec, out);
}

static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	return counter_list(env, &probe_software, events, spec, fn, ctx);
}

static int attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		  uint32_t npoints, link_vec *links)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < npoints; i++) {
		struct perf_event_attr attr = counter_attr(PERF_TYPE_SOFTWARE, points[i]);

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
