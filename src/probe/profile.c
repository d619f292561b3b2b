/* SPDX-License-Identifier: GPL-2.0-or-later */
/* profile: every so often on every CPU (or, with -p, in every thread of a process while it runs), by the
 * cpu-clock event of perf. */
#include <fcntl.h>
#include <linux/perf_event.h>

#include "base/util.h"
#include "probe/common.h"
#include "probe/kinds_all.h"

#define MOST_RATE "/proc/sys/kernel/perf_event_max_sample_rate"

static int expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	uint64_t period_ns, hz;
	struct attach_point *ap;
	int err = rate_parse(env, &probe_profile, spec, &period_ns, &hz);

	if (err)
		return err;
	ap = point_add(env, &probe_profile, spec, spec_name(env->arena, &probe_profile, spec), out);
	if (!ap)
		return -EINVAL;
	ap->section = "perf_event";
	ap->period_ns = period_ns;
	ap->number = hz;
	return 0;
}

static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	return rate_list(env, &probe_profile, spec, fn, ctx);
}

static int attach_one(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap,
		      link_vec *links)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK };

	if (ap->number) {
		attr.freq = 1;
		attr.sample_freq = ap->number;
	} else {
		attr.sample_period = ap->period_ns;
	}
	return perf_attach_all(env, prog, ap, &attr, links);
}

/* The kernel takes no more than it thinks it can bear. */
static int rate_check(struct probe_env *env, const struct attach_point *ap)
{
	_cleanup_close_ int fd = open(MOST_RATE, O_RDONLY | O_CLOEXEC);
	char text[32];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	uint64_t most;

	text[MAX(n, 0)] = 0;
	most = strtoull(text, NULL, 10);
	if (!most || ap->number <= most)
		return 0;
	return report_error(env->report, -EINVAL, "sysctl kernel.perf_event_max_sample_rate raises the limit",
			    "cannot attach %s: the kernel allows at most %llu samples in a second", ap->name,
			    (unsigned long long)most);
}

static int attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		  uint32_t npoints, link_vec *links)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < npoints; i++) {
		err = points[i]->number ? rate_check(env, points[i]) : 0;
		err = err ? err : attach_one(env, prog, points[i], links);
	}
	return err;
}

const struct probe_kind probe_profile = {
	.name = "profile",
	.aliases = (const char *const[]){ "p", NULL },
	.forms = "profile:PERIOD (1s, 10ms) or profile:UNIT:COUNT (hz, us, ms, s)",
	.summary = "every so often, on every CPU",
	.run = RUN_ATTACHED,
	.prog_type = "perf_event",
	.takes_cookie = true,
	.expand = expand,
	.list = list,
	.attach = attach,
};
