/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uprobe: a function of a program or library begins, or execution comes to an address in it. */
#include "probe/kinds_all.h"
#include "probe/uprobe_args.h"
#include "probe/uprobe_attach.h"
#include "probe/uprobe_expand.h"

static int expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	return uprobe_expand(env, &probe_uprobe, spec, out);
}

static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	return uprobe_list(env, &probe_uprobe, spec, fn, ctx);
}

static int attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		  uint32_t npoints, link_vec *links)
{
	return uprobe_attach_points(env, prog, points, npoints, false, links);
}

const struct probe_kind probe_uprobe = {
	.name = "uprobe",
	.aliases = (const char *const[]){ "u", NULL },
	.forms = "uprobe:BINARY:[cpp:]FUNCTION[+OFFSET], uprobe:BINARY:ADDRESS, uprobe:BINARY@FILE:LINE[:COLUMN]",
	.summary = "a function of a program begins",
	.run = RUN_ATTACHED,
	.prog_type = "kprobe",
	.has_args = true,
	.has_argn = true,
	.has_func = true,
	.space = SPACE_USER,
	.slow_close = true,
	.last_runs_first = true,
	.preemptible = true,
	.reentrant = true,
	.takes_cookie = true,
	.expand = expand,
	.args = uprobe_args,
	.type = uprobe_type,
	.symbol = uprobe_symbol,
	.list = list,
	.prepare = uprobe_prepare,
	.attach = attach,
};
