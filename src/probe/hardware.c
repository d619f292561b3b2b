/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hardware: the events the processor counts, one run for every COUNT of them. */
#include "probe/common.h"
#include "probe/counter.h"
#include "probe/kinds_all.h"

/* The periods are what the language promises when none is given. */
static const struct counter_event events[] = {
	{ "backend-stalls", NULL, PERF_COUNT_HW_STALLED_CYCLES_BACKEND, 1000000 },
	{ "branch-instructions", "branches", PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 100000 },
	{ "branch-misses", NULL, PERF_COUNT_HW_BRANCH_MISSES, 100000 },
	{ "bus-cycles", NULL, PERF_COUNT_HW_BUS_CYCLES, 100000 },
	{ "cache-misses", NULL, PERF_COUNT_HW_CACHE_MISSES, 1000000 },
	{ "cache-references", NULL, PERF_COUNT_HW_CACHE_REFERENCES, 1000000 },
	{ "cpu-cycles", "cycles", PERF_COUNT_HW_CPU_CYCLES, 1000000 },
	{ "frontend-stalls", NULL, PERF_COUNT_HW_STALLED_CYCLES_FRONTEND, 1000000 },
	{ "instructions", NULL, PERF_COUNT_HW_INSTRUCTIONS, 1000000 },
	{ "ref-cycles", NULL, PERF_COUNT_HW_REF_CPU_CYCLES, 1000000 },
	{ 0 },
};

static int expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	return counter_expand(env, &probe_hardware, events, spec, out);
}

static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	return counter_list(env, &probe_hardware, events, spec, fn, ctx);
}

static int attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		  uint32_t npoints, link_vec *links)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < npoints; i++) {
		struct perf_event_attr attr = counter_attr(PERF_TYPE_HARDWARE, points[i]);

		err = perf_attach_all(env, prog, points[i], &attr, links);
	}
	return err;
}

const struct probe_kind probe_hardware = {
	.name = "hardware",
	.aliases = (const char *const[]){ "h", NULL },
	.forms = "hardware:EVENT[:COUNT]",
	.summary = "one of every COUNT events that the processor counts",
	.run = RUN_ATTACHED,
	.prog_type = "perf_event",
	.absent_hint = "a virtual machine counts it when its host lends it the counters (QEMU: -cpu host,pmu=on; VMware: "
		       "virtualize CPU performance counters); else profile:hz:99 samples by time, and software:EVENT counts "
		       "what the kernel sees",
	.expand = expand,
	.list = list,
	.attach = attach,
};
