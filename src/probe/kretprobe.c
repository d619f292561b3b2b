/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kretprobe: functions of the kernel and its modules where they return. See kprobe.c. */
#include "probe/kprobe.h"

#include "probe/kinds_all.h"

static int expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	return kprobe_expand(env, &probe_kretprobe, spec, out);
}

/* There are as many as kprobes: a listing of everything shows those. */
static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	return spec->parts.n ? kprobe_list(env, &probe_kretprobe, spec, fn, ctx) : 0;
}

const struct probe_kind probe_kretprobe = {
	.name = "kretprobe",
	.aliases = (const char *const[]){ "kr", NULL },
	.forms = "kretprobe[:MODULE]:FUNCTION",
	.summary = "a function of the kernel returns",
	.run = RUN_ATTACHED,
	.prog_type = "kprobe",
	.has_retval = true,
	.has_func = true,
	.space = SPACE_KERNEL,
	.slow_close = true,
	.takes_cookie = true,
	.expand = expand,
	.missing = kprobe_missing,
	.list = list,
	.attach = kprobe_attach,
};
