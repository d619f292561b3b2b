/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rawtracepoint: the static events of the kernel with the arguments of the C function behind them, as
 * words of the context. Their types come from BTF, which is parsed only when `args` is used.
 */
#include <stdio.h>

#include <bpf/btf.h>

#include "base/util.h"
#include "kernel/kernel.h"
#include "probe/btf_args.h"
#include "probe/common.h"
#include "probe/kinds_all.h"

/* ---- expand ---- */

/* "vmlinux:sched_switch" against the parts of the spec, of which the module may be left out. */
static bool name_matches(const struct probe_spec *spec, const char *module, const char *event)
{
	uint32_t last = spec->parts.n - 1;

	if (last && !(part_is_pattern(spec, 0) ? glob_match(spec->parts.v[0], module)
					       : !strcmp(spec->parts.v[0], module)))
		return false;
	return part_is_pattern(spec, last) ? glob_match(spec->parts.v[last], event)
					   : !strcmp(spec->parts.v[last], event);
}

static int add(struct probe_env *env, const struct probe_spec *spec, const char *module, const char *event,
	       attach_vec *out)
{
	struct arena *a = env->arena;
	struct attach_point *ap = point_add(env, &probe_rawtracepoint, spec,
					    arena_printf(a, "rawtracepoint:%s:%s", module, event), out);

	if (!ap)
		return -EINVAL;
	ap->target = module;
	ap->func = event;
	ap->section = arena_printf(a, "raw_tp/%s", event);
	return 0;
}

/* Only the events (behind the ':') of "MODULE:EVENT" names are compared with what was written. The
 * result is -ENOENT: whether that is an error is for missing_probes to say. */
static int missing(struct probe_env *env, const struct probe_spec *spec, const char *const *names, size_t n)
{
	uint32_t last = spec->parts.n - 1;
	const char **events = arena_array_of(env->arena, const char *, n + 1), *elsewhere = NULL;
	const char *near, *there = "";

	for (size_t i = 0; i < n; i++) {
		events[i] = strchr(names[i], ':') + 1;
		elsewhere = strcmp(events[i], spec->parts.v[last]) ? elsewhere : names[i];
	}
	near = nearest_name(spec->parts.v[last], events, n);
	if (elsewhere)
		there = arena_printf(env->arena, "; it is rawtracepoint:%s", elsewhere);
	else if (near)
		there = arena_printf(env->arena, "; did you mean '%s'?", near);
	if (last)
		diag_error(env->diags, spec->span, "No BTF found for %s:%s.", spec->parts.v[0], spec->parts.v[last]);
	else
		diag_error(env->diags, spec->span, "Probe has no valid attach points.");
	diag_hint(env->diags, "no raw tracepoint '%s'%s%s%s", spec->parts.v[last], last ? " in " : "",
		  last ? spec->parts.v[0] : "", there);
	return -ENOENT;
}

static int expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	uint32_t before = out->n;
	const char *const *names;
	bool pattern = false;
	size_t n;
	int err;

	if (!spec->parts.n || spec->parts.n > 2 || !*spec->parts.v[spec->parts.n - 1])
		return diag_error(env->diags, spec->span, "rawtracepoint needs an event: %s",
				  probe_rawtracepoint.forms);
	for (uint32_t i = 0; i < spec->parts.n; i++)
		pattern |= part_is_pattern(spec, i);
	err = kernel_raw_tracepoints(env->kernel, &names, &n);
	for (size_t i = 0; !err && i < n; i++) {
		const char *colon = strchr(names[i], ':');
		const char *module = arena_strndup(env->arena, names[i], (size_t)(colon - names[i]));

		if (name_matches(spec, module, colon + 1))
			err = add(env, spec, module, arena_strdup(env->arena, colon + 1), out);
	}
	if (err)
		return err;
	if (out->n > before)
		return 0;
	return pattern ? -ENOENT : missing(env, spec, names, n);
}

/* ---- args ---- */

/*
 * The prototype with its names. The typedef btf_trace_EVENT, which every raw tracepoint has, knows none;
 * the functions that the kernel makes for each (__probestub_, since 6.6; __traceiter_) or for its class do, as far
 * as the program that wrote the types took them up.
 */
static const struct btf_type *proto_of(const struct btf_file *btf, struct arena *a, const char *event)
{
	static const char *const functions[] = { "__probestub_", "__traceiter_", "__bpf_trace_" };
	const struct btf_type *t;
	uint32_t id;

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		id = btf_file_find(btf, arena_printf(a, "%s%s", functions[i], event), 1u << BTF_KIND_FUNC);
		if (id)
			return btf_file_type(btf, btf_file_type(btf, id)->type);
	}
	id = btf_file_find(btf, arena_printf(a, "btf_trace_%s", event), 1u << BTF_KIND_TYPEDEF);
	t = btf_file_type(btf, id);
	/* typedef -> pointer -> prototype */
	t = t ? btf_file_type(btf, t->type) : NULL;
	return t && btf_is_ptr(t) ? btf_file_type(btf, t->type) : NULL;
}

static int args(struct probe_env *env, struct attach_point *ap)
{
	const struct btf_type *proto;
	const struct btf_file *btf;

	if (ap->args)
		return 0;
	btf = kernel_types(env->kernel, ap->target);
	if (!btf)
		return -ENOENT;
	proto = proto_of(btf, env->arena, ap->func);
	if (!proto || !btf_is_func_proto(proto))
		return report_error(env->report, -ENOENT, "use arg0, arg1, ... instead of args",
				    "the kernel's types do not describe the arguments of %s", ap->name);
	/* The first is the kernel's own (void *__data). */
	ap->args = btf_args_of(env, btf, proto, 1, false);
	return 0;
}

/* The same event by way of its types, when the body hands on what the arguments point to, or wants what the kernel
 * lets such programs do only. */
static int settle(struct probe_env *env, struct attach_point *ap, const struct body_reads *reads)
{
	if (!(reads->object || reads->kfunc) || args(env, ap))
		return 0;
	ap->section = arena_printf(env->arena, "tp_btf/%s", ap->func);
	ap->uses_btf_ctx = true;
	return 0;
}

/* ---- list, attach ---- */

static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	const char *pattern = spec_pattern(env->arena, spec);
	const char *const *names;
	size_t n;
	int r = kernel_raw_tracepoints(env->kernel, &names, &n);

	for (size_t i = 0; !r && i < n; i++) {
		char name[512];

		/* Without a module in the pattern, the event alone may match. */
		if (!glob_match(pattern, names[i]) &&
		    (spec->parts.n > 1 || !glob_match(pattern, strchr(names[i], ':') + 1)))
			continue;
		if ((size_t)snprintf(name, sizeof(name), "rawtracepoint:%s", names[i]) < sizeof(name))
			r = fn(name, ctx);
	}
	return r;
}

static int attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		  uint32_t npoints, link_vec *links)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < npoints; i++)
		err = raw_attach(env, prog, points[i]->uses_btf_ctx ? NULL : points[i]->func, points[i], links);
	return err;
}

const struct probe_kind probe_rawtracepoint = {
	.name = "rawtracepoint",
	.aliases = (const char *const[]){ "rt", NULL },
	.forms = "rawtracepoint[:MODULE]:EVENT",
	.summary = "a static event of the kernel, with the arguments the kernel's own code gives it",
	.run = RUN_ATTACHED,
	.prog_type = "raw_tracepoint",
	.filter_pid = true,
	.has_args = true,
	.has_argn = true,
	.space = SPACE_KERNEL,
	.takes_cookie = true,
	.expand = expand,
	.settle = settle,
	.args = args,
	.list = list,
	.attach = attach,
};
