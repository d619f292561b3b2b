/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uretprobe: a function of a program or library returns. */
#include "probe/common.h"
#include "probe/kinds_all.h"
#include "probe/uprobe_args.h"
#include "probe/uprobe_attach.h"
#include "probe/uprobe_expand.h"

/* The kernel finds the return address where it is when a function begins, and nowhere else. */
static int expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	struct uprobe_spec u;
	int err = uprobe_spec_parse(env, &probe_uretprobe, spec, &u);

	if (err)
		return err;
	if (u.has_address || u.source || (u.has_offset && u.offset))
		return diag_error(env->diags, part_span(spec, u.name_part),
				  "uretprobe needs a function: it has no place within one");
	return uprobe_expand(env, &probe_uretprobe, spec, out);
}

static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	return uprobe_list(env, &probe_uretprobe, spec, fn, ctx);
}

static int attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		  uint32_t npoints, link_vec *links)
{
	return uprobe_attach_points(env, prog, points, npoints, true, links);
}

const struct probe_kind probe_uretprobe = {
	.name = "uretprobe",
	.aliases = (const char *const[]){ "ur", NULL },
	.forms = "uretprobe:BINARY:[cpp:]FUNCTION",
	.summary = "a function of a program returns",
	.run = RUN_ATTACHED,
	.prog_type = "kprobe",
	.has_args = true, /* the typed retval is a member of it */
	.has_retval = true,
	.has_plain_retval = true,
	.has_func = true,
	.space = SPACE_USER,
	.slow_close = true,
	.last_runs_first = true,
	.preemptible = true,
	.reentrant = true,
	.takes_cookie = true,
	.expand = expand,
	.args = uretprobe_args,
	.type = uprobe_type,
	.symbol = uretprobe_symbol,
	.list = list,
	.prepare = uprobe_prepare,
	.attach = attach,
};
