/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fentry, fexit: functions of the kernel and its modules, entered and left through a trampoline of their own.
 * The kernel knows their arguments by its types, so what has none there cannot be traced like this.
 */
#include "probe/fentry.h"

#include <errno.h>

#include <bpf/btf.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "probe/btf_args.h"
#include "probe/common.h"
#include "probe/kinds_all.h"

/* The kernel's own limits. */
#define MOST_ARGS 12
#define MOST_WORDS_BEFORE_6_6 6

bool fentry_is_exit(const struct probe_kind *kind)
{
	return kind == &probe_fexit;
}

/* ---- what the kernel refuses ---- */

/* Functions that a program needs to run, or that never return (kernel/bpf/verifier.c). */
static const struct denied {
	const char *name;
	bool only_exit;
} denied[] = {
	{ "migrate_disable", false }, { "migrate_enable", false }, { "rcu_read_unlock_strict", false },
	{ "preempt_count_add", false }, { "preempt_count_sub", false }, { "__rcu_read_lock", false },
	{ "__rcu_read_unlock", false }, { "do_exit", true }, { "do_group_exit", true }, { "kthread_exit", true },
	{ "kthread_complete_and_exit", true }, { "make_task_dead", true }, { "__x64_sys_exit", true },
	{ "__x64_sys_exit_group", true }, { "__ia32_sys_exit", true }, { "__ia32_sys_exit_group", true },
	{ "__arm64_sys_exit", true }, { "__arm64_sys_exit_group", true }, { "__module_put_and_kthread_exit", true },
};

static bool is_denied(const char *name, bool is_exit)
{
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++)
		if (denied[i].name[0] == name[0] && !strcmp(denied[i].name, name))
			return is_exit || !denied[i].only_exit;
	return false;
}

/* Bytes of an argument; 0: it cannot be handed on. */
static uint32_t arg_bytes(const struct btf_file *btf, uint32_t id)
{
	const struct btf_type *t = btf_file_type(btf, id);

	for (int i = 0; t && i < 32 && (btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t)); i++)
		t = btf_file_type(btf, t->type);
	if (!t)
		return 0;
	if (btf_is_ptr(t))
		return 8;
	if (btf_is_int(t) || btf_is_any_enum(t) || btf_is_struct(t))
		return t->size <= BTF_STRUCT_MOST_BYTES ? t->size : 0;
	return 0;
}

const char *fentry_proto_refusal(const struct btf_file *btf, const struct btf_type *proto)
{
	uint32_t n = btf_vlen(proto), words = 0;
	const struct btf_param *params = btf_params(proto);

	if (n > MOST_ARGS)
		return "it takes more than 12 arguments";
	for (uint32_t i = 0; i < n; i++) {
		uint32_t bytes = arg_bytes(btf, params[i].type);

		if (!params[i].type && i == n - 1)
			return "it takes a variable number of arguments";
		if (!bytes)
			return "it takes an argument of more than 16 bytes by value";
		words += (bytes + 7) / 8;
	}
	if (words > MOST_WORDS_BEFORE_6_6 && kernel_version() < (6u << 16 | 6u << 8))
		return "it takes more arguments than registers hold, and this kernel hands on no others";
	if (proto->type && (!arg_bytes(btf, proto->type) || arg_bytes(btf, proto->type) > 8))
		return "it returns more than a word";
	return NULL;
}

static const struct btf_type *func_proto(const struct btf_file *btf, uint32_t func)
{
	const struct btf_type *t = btf_file_type(btf, func);

	t = t && btf_is_func(t) ? btf_file_type(btf, t->type) : NULL;
	return t && btf_is_func_proto(t) ? t : NULL;
}

/* Why not, or NULL. */
static const char *func_refusal(const struct btf_file *btf, uint32_t func, const char *name, bool is_exit)
{
	const struct btf_type *proto = func_proto(btf, func);

	if (!proto)
		return "the kernel's types do not describe it";
	if (is_denied(name, is_exit))
		return is_exit && !is_denied(name, false) ? "it never returns" : "tracing itself needs it";
	return fentry_proto_refusal(btf, proto);
}

/* ---- by pattern ---- */

/* 1, 0, or a negative errno after a report. */
static int can_trace(struct probe_env *env, const struct kernel_function *fn, bool is_exit)
{
	int id = fn->state == FUNCTION_TRACEABLE ? kernel_function_type(env->kernel, fn) : 0;

	if (id <= 0)
		return id;
	return !func_refusal(kernel_types(env->kernel, fn->module), (uint32_t)id, fn->name, is_exit);
}

/* Call fn for all that match (NULL: any), in order of their names. Stops when it returns non-zero. */
static int each_match(struct probe_env *env, const char *module, const char *pattern, bool is_exit, uint32_t *nleft_out,
		      int (*fn)(void *ctx, const char *module, const char *name), void *ctx)
{
	const struct kernel_function *list, *last = NULL;
	size_t n;
	int r;

	if (!kernel_types(env->kernel, "vmlinux"))
		return -EOPNOTSUPP;
	r = kernel_functions(env->kernel, env->arena, module, pattern, &list, &n);
	for (size_t i = 0; !r && i < n; i++) {
		/* Several of one name: the kernel takes the first. */
		bool again = last && !strcmp(last->name, list[i].name) && !strcmp(last->module, list[i].module);
		int can;

		last = &list[i];
		if (again)
			continue;
		can = can_trace(env, &list[i], is_exit);
		if (can < 0)
			r = can;
		else if (can)
			r = fn(ctx, list[i].module, list[i].name);
		else
			++*nleft_out;
	}
	return r;
}

/* ---- expand ---- */

struct expansion {
	struct probe_env *env;
	const struct probe_kind *kind;
	const struct probe_spec *spec;
	attach_vec *out;
	bool pattern;
};

/* The loader looks for a name in the kernel before it looks in modules. */
static const char *section_of(const struct expansion *e, const char *module, const char *name)
{
	const struct btf_file *base = kernel_types(e->env->kernel, "vmlinux");

	if (strcmp(module, "vmlinux") != 0 && btf_file_find(base, name, 1u << BTF_KIND_FUNC))
		return fentry_module_section(e->env, e->kind, module, name,
					     btf_file_find(kernel_types(e->env->kernel, module), name,
							   1u << BTF_KIND_FUNC));
	return arena_printf(e->env->arena, "%s/%s", e->kind->name, name);
}

static int add(void *ctx, const char *module, const char *name)
{
	const struct expansion *e = ctx;
	struct arena *a = e->env->arena;
	struct attach_point *ap = point_add(e->env, e->kind, e->spec,
					    arena_printf(a, "%s:%s:%s", e->kind->name, module, name), e->out);

	if (!ap)
		return -EINVAL;
	ap->target = arena_strdup(a, module);
	ap->func = arena_strdup(a, name);
	ap->section = section_of(e, module, name);
	ap->uses_btf_ctx = true;
	ap->optional = e->pattern;
	return 0;
}

static int expand_pattern(struct expansion *e, const char *module, const char *name)
{
	uint32_t before = e->out->n, left_out = 0;
	int err;

	e->pattern = true;
	err = each_match(e->env, module, name, fentry_is_exit(e->kind), &left_out, add, e);

	if (left_out)
		report_debug(e->env->report, "%s: left out %u that cannot be traced",
			     spec_name(e->env->arena, e->kind, e->spec), left_out);
	return err ? err : e->out->n > before ? 0 : -ENOENT;
}

/* Where the function is described. */
struct found {
	const char *name;
	const struct btf_file *btf;
	uint32_t id;
};

static int find_in(const struct btf_file *btf, void *ctx)
{
	struct found *f = ctx;

	f->id = btf_file_find(btf, f->name, 1u << BTF_KIND_FUNC);
	f->btf = btf;
	return f->id != 0;
}

/* Not in the kernel's types: say why. */
static int missing(struct expansion *e, const char *module, const char *name)
{
	struct diags *d = e->env->diags;
	struct span at = part_span(e->spec, e->spec->parts.n - 1);
	const struct kernel_function *list;
	const char *near;
	size_t n;
	int err = kernel_functions_named(e->env->kernel, e->env->arena, module, name, &list, &n);

	if (err)
		return err;
	if (list->state == FUNCTION_MISSING) {
		diag_error(d, at, "No BTF found for %s.", name);
		near = kernel_function_nearest(e->env->kernel, module, name);
		diag_hint(d, "there is no function '%s' in %s%s%s%s", name, module ? module : "the kernel",
			  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
		return -ENOENT;
	}
	if (list->state == FUNCTION_TRACEABLE) {
		diag_error(d, at, "%s cannot trace %s: the kernel's types do not describe it", e->kind->name, name);
		diag_hint(d, "%s:%s can", fentry_is_exit(e->kind) ? "kretprobe" : "kprobe", name);
		return -ENOENT;
	}
	diag_error(d, at, "%s cannot be traced: %s", name, function_state_text(list->state));
	if (list->variant)
		diag_hint(d, "it is called %s; kprobe can trace it", list->variant);
	return -ENOENT;
}

static int expand_named(struct expansion *e, const char *module, const char *name)
{
	const struct btf_file *base = kernel_types(e->env->kernel, "vmlinux");
	struct found f = { .name = name };
	const char *why;

	if (!base)
		return -EOPNOTSUPP;
	if (module && !kernel_module_loaded(module)) {
		diag_error(e->env->diags, part_span(e->spec, 0), "the module %s is not loaded", module);
		return -ENOENT;
	}
	if (!module && !find_in(base, &f))
		kernel_types_each_module(e->env->kernel, find_in, &f);
	if (module && kernel_types(e->env->kernel, module))
		find_in(kernel_types(e->env->kernel, module), &f);
	if (!f.id)
		return missing(e, module, name);
	why = func_refusal(f.btf, f.id, name, fentry_is_exit(e->kind));
	/* There the kernel itself takes the types from the module, and the address from the kernel. */
	if (!why && f.btf != base && kernel_version() < (6u << 16 | 3u << 8) &&
	    btf_file_find(base, name, 1u << BTF_KIND_FUNC))
		why = "the kernel itself has a function of that name, and would trace that instead";
	if (!why)
		return add(e, btf_file_module(f.btf), name);
	diag_error(e->env->diags, part_span(e->spec, e->spec->parts.n - 1), "%s cannot trace %s: %s", e->kind->name, name,
		   why);
	if (is_denied(name, true) && !is_denied(name, false))
		diag_hint(e->env->diags, "fentry:%s sees it begin", name);
	else
		diag_hint(e->env->diags, "%s:%s%s%s can", fentry_is_exit(e->kind) ? "kretprobe" : "kprobe",
			  module ? module : "", module ? ":" : "", name);
	return -ENOENT;
}

static int expand(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec, attach_vec *out)
{
	struct expansion e = { env, kind, spec, out, false };
	uint32_t n = spec->parts.n;

	if (fentry_bpf_meant(spec))
		return fentry_bpf_expand(env, kind, spec, out);
	if (!n || n > 2 || !*spec->parts.v[n - 1] || !*spec->parts.v[0])
		return diag_error(env->diags, spec->span, "%s needs a function: %s", kind->name, kind->forms);
	if (part_is_pattern(spec, n - 1) || part_is_pattern(spec, 0))
		return expand_pattern(&e, n > 1 ? spec->parts.v[0] : NULL, spec->parts.v[n - 1]);
	return expand_named(&e, n > 1 ? spec->parts.v[0] : NULL, spec->parts.v[n - 1]);
}

static int fentry_expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	return expand(env, &probe_fentry, spec, out);
}

static int fexit_expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	return expand(env, &probe_fexit, spec, out);
}

/* ---- args ---- */

static int args(struct probe_env *env, struct attach_point *ap)
{
	const struct btf_file *btf = ap->target ? kernel_types(env->kernel, ap->target) : NULL;
	uint32_t id = btf ? btf_file_find(btf, ap->func, 1u << BTF_KIND_FUNC) : 0;
	const struct btf_type *proto = id ? func_proto(btf, id) : NULL;

	/* A BPF program's function has no args here. */
	if (proto)
		ap->args = btf_args_of(env, btf, proto, 0, fentry_is_exit(ap->kind));
	return 0;
}

/* ---- list ---- */

struct listing {
	struct strbuf name;
	const struct probe_kind *kind;
	probe_name_fn fn;
	void *ctx;
};

static int list_one(void *ctx, const char *module, const char *name)
{
	struct listing *l = ctx;

	strbuf_reset(&l->name);
	strbuf_addstr(&l->name, l->kind->name);
	strbuf_addch(&l->name, ':');
	strbuf_addstr(&l->name, module);
	strbuf_addch(&l->name, ':');
	strbuf_addstr(&l->name, name);
	return l->name.failed ? -ENOMEM : l->fn(l->name.s, l->ctx);
}

static int list(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec, probe_name_fn fn,
		void *ctx)
{
	struct listing l = { STRBUF_INIT, kind, fn, ctx };
	uint32_t n = spec->parts.n, left_out = 0;
	const char *name = n && *spec->parts.v[n - 1] ? spec->parts.v[n - 1] : "*";
	const char *module = n > 1 ? spec->parts.v[0] : NULL;
	int r = 0;

	if (!kernel_has_btf(env->kernel))
		return 0;
	if (!fentry_bpf_meant(spec))
		r = each_match(env, module, name, fentry_is_exit(kind), &left_out, list_one, &l);
	strbuf_free(&l.name);
	if (!r && (fentry_bpf_meant(spec) || n < 2))
		r = fentry_bpf_list(env, kind, spec_pattern(env->arena, spec), fn, ctx);
	return r;
}

static int fentry_list(struct probe_env *env, const struct probe_spec *spec, probe_name_fn fn, void *ctx)
{
	return list(env, &probe_fentry, spec, fn, ctx);
}

static int fexit_list(struct probe_env *env, const struct probe_spec *spec, probe_name_fn fn, void *ctx)
{
	return list(env, &probe_fexit, spec, fn, ctx);
}

const struct probe_kind probe_fentry = {
	.name = "fentry",
	.aliases = (const char *const[]){ "f", "kfunc", NULL },
	.forms = "fentry[:MODULE]:FUNCTION or fentry:bpf[:ID]:FUNCTION",
	.summary = "a kernel function begins, with its arguments by name and type",
	.run = RUN_ATTACHED,
	.filter_pid = true,
	.prog_type = "tracing",
	.has_args = true,
	.has_func = true,
	.one_each = true,
	.last_runs_first = true,
	.space = SPACE_KERNEL,
	.slow_close = true,
	.preemptible = true,
	.expand = fentry_expand,
	.missing = fentry_missing,
	.args = args,
	.list = fentry_list,
	.prepare = fentry_prepare,
	.refused = fentry_refused,
	.attach = fentry_attach,
};

const struct probe_kind probe_fexit = {
	.name = "fexit",
	.aliases = (const char *const[]){ "fr", "kretfunc", NULL },
	.forms = "fexit[:MODULE]:FUNCTION or fexit:bpf[:ID]:FUNCTION",
	.summary = "a kernel function returns, with its arguments and what it returns",
	.run = RUN_ATTACHED,
	.filter_pid = true,
	.prog_type = "tracing",
	.has_args = true,
	.has_retval = true,
	.has_func = true,
	.one_each = true,
	.last_runs_first = true,
	.space = SPACE_KERNEL,
	.slow_close = true,
	.preemptible = true,
	.expand = fexit_expand,
	.missing = fentry_missing,
	.args = args,
	.list = fexit_list,
	.prepare = fentry_prepare,
	.refused = fentry_refused,
	.attach = fentry_attach,
};
