/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kprobe: functions of the kernel and of its modules, where they begin or at any of their instructions.
 * (kretprobe.c is the same for where they return.) The arguments are what the registers hold then; their
 * names and types come from BTF, where it knows the function.
 *
 * A pattern is matched against the kernel's symbols; what cannot be traced is left out and counted. A plain
 * name that BTF knows is taken as it is, so that no symbols need to be read (40 ms): if the kernel refuses
 * it, attaching finds out why.
 */
#include "probe/kprobe.h"

#include <stdio.h>

#include <bpf/btf.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "kernel/registers.h"
#include "lang/ktype.h"
#include "probe/btf_args.h"
#include "probe/common.h"
#include "probe/kinds_all.h"
#include "probe/tp_args.h"

/* A spec, taken apart. */
struct target {
	const char *module;    /* NULL: none was given */
	const char *function;  /* NULL: an address */
	const char *offset_text; /* "+0x10", "" */
	uint64_t offset, address;
	bool module_pattern, function_pattern;
};

/* ---- from text ---- */

/* Decimal, or hexadecimal with its 0x. */
static bool place_parse(const char *text, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, str_starts(text, "0x") || str_starts(text, "0X") ? 16 : 10);
	return !*end && !errno;
}

static int offset_take(struct probe_env *env, const struct probe_spec *spec, struct target *t)
{
	uint32_t last = spec->parts.n - 1;
	const char *text = spec->parts.v[last], *plus = strchr(text, '+');

	t->offset_text = plus ? plus : "";
	t->function = plus ? arena_strndup(env->arena, text, (size_t)(plus - text)) : text;
	if (!plus)
		return 0;
	if (!place_parse(plus + 1, &t->offset))
		return diag_error(env->diags, part_span(spec, last), "'%s' is not an offset into a function", plus + 1);
	if (t->function_pattern)
		return diag_error(env->diags, part_span(spec, last),
				  "an offset belongs to one function, not to a pattern of many");
	return 0;
}

static int target_parse(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
			struct target *t)
{
	uint32_t n = spec->parts.n;

	if (!n || n > 2 || !*spec->parts.v[n - 1] || (n == 2 && !*spec->parts.v[0]))
		return diag_error(env->diags, spec->span, "%s needs a function: %s", kind->name, kind->forms);
	*t = (struct target){ .module = n == 2 ? spec->parts.v[0] : NULL, .offset_text = "" };
	t->module_pattern = n == 2 && part_is_pattern(spec, 0);
	t->function_pattern = part_is_pattern(spec, n - 1);
	if (n == 1 && place_parse(spec->parts.v[0], &t->address))
		return 0;
	return offset_take(env, spec, t);
}

/* ---- attach points ---- */

static const char *section_of(struct probe_env *env, const struct target *t, const char *function, bool is_return,
			      bool multi)
{
	struct arena *a = env->arena;
	const char *word = is_return ? "kretprobe" : "kprobe";

	if (!multi)
		return arena_printf(a, "%s/%s%s", word, function, t->offset_text);
	/* Other programs that load the object can attach all of a pattern by it. */
	return t->module || !t->function_pattern ? arena_printf(a, "%s.multi", word)
						 : arena_printf(a, "%s.multi/%s", word, t->function);
}

/* The kernel's own module is only named where it was written. */
static const char *name_of(struct probe_env *env, const struct probe_kind *kind, const struct target *t,
			   const char *module, const char *function)
{
	if (!t->module && !strcmp(module, "vmlinux"))
		return arena_printf(env->arena, "%s:%s%s", kind->name, function, t->offset_text);
	return arena_printf(env->arena, "%s:%s:%s%s", kind->name, module, function, t->offset_text);
}

static struct attach_point *add(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
				const struct target *t, const char *module, const char *function, attach_vec *out)
{
	struct attach_point *ap = point_add(env, kind, spec, name_of(env, kind, t, module, function), out);
	struct kprobe_place *place;

	if (!ap)
		return NULL;
	place = arena_new_of(env->arena, struct kprobe_place);
	place->is_return = kind == &probe_kretprobe;
	place->by_name = !t->function_pattern && !t->module_pattern;
	place->multi = t->function_pattern && kernel_has_kprobe_multi(env->kernel);
	place->offset = t->offset;
	ap->target = arena_strdup(env->arena, module);
	ap->func = arena_strdup(env->arena, function);
	ap->same_as = arena_printf(env->arena, "%s:%s:%llx", module, function, (unsigned long long)t->offset);
	ap->priv = place;
	ap->section = section_of(env, t, ap->func, place->is_return, place->multi);
	return ap;
}

static int add_address(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		       const struct target *t, attach_vec *out)
{
	const char *text = arena_printf(env->arena, "0x%llx", (unsigned long long)t->address);
	struct attach_point *ap;

	if (kind == &probe_kretprobe)
		return diag_error(env->diags, part_span(spec, 0),
				  "kretprobe needs a function by its name: a return has no address");
	ap = add(env, kind, spec, t, "vmlinux", text, out);
	if (!ap)
		return -EINVAL;
	ap->func = NULL;
	((struct kprobe_place *)ap->priv)->addresses = arena_array_of(env->arena, uint64_t, 1);
	((struct kprobe_place *)ap->priv)->naddresses = 1;
	*(uint64_t *)(uintptr_t)((struct kprobe_place *)ap->priv)->addresses = t->address;
	return 0;
}

/* One attach point for all functions of this name in this module. */
static int add_functions(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
			 const struct target *t, const struct kernel_function *same, size_t n, attach_vec *out)
{
	struct attach_point *ap = add(env, kind, spec, t, same->module, same->name, out);
	struct kprobe_place *place;
	uint64_t *addresses;

	if (!ap)
		return -EINVAL;
	place = ap->priv;
	addresses = arena_array_of(env->arena, uint64_t, n);
	for (size_t i = 0; i < n; i++)
		if (same[i].address && same[i].state == FUNCTION_TRACEABLE)
			addresses[place->naddresses++] = same[i].address;
	place->addresses = addresses;
	return 0;
}

/* ---- expand ---- */

/*
 * Functions that run where programs cannot safely be run (idle processors that RCU does not watch, RCU itself,
 * the entry of BPF programs). A pattern does not mean them; whoever names one of them gets it.
 */
static bool unsafe_in_pattern(const char *name)
{
	static const char *const patterns[] = {
		"arch_cpu_idle", "default_idle", "bpf_dispatcher_xdp_func", "rcu_*", "__rcu_*",
	};

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (glob_match(patterns[i], name))
			return true;
	return false;
}

/* A return probe there may wait for a lock that its own processor holds. */
static bool return_locks_up(const char *name)
{
	static const char *const names[] = {
		"_raw_spin_lock", "_raw_spin_lock_irqsave", "_raw_spin_unlock_irqrestore", "queued_spin_lock_slowpath",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static bool may_be_traced(const struct kernel_function *fns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fns[i].state == FUNCTION_TRACEABLE)
			return true;
	return false;
}

/* How many of the sorted functions from the first on have its name and module. */
static size_t same_name(const struct kernel_function *fns, size_t n)
{
	size_t i = 1;

	while (i < n && !strcmp(fns[i].name, fns->name) && !strcmp(fns[i].module, fns->module))
		i++;
	return i;
}

static int expand_pattern(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
			  const struct target *t, attach_vec *out)
{
	uint32_t before = out->n, left_out = 0;
	const struct kernel_function *fns;
	size_t n, same;
	int err = kernel_functions(env->kernel, env->arena, t->module, t->function, &fns, &n);

	for (size_t i = 0; !err && i < n; i += same) {
		same = same_name(fns + i, n - i);
		if (may_be_traced(fns + i, same) && !unsafe_in_pattern(fns[i].name) &&
		    !(kind == &probe_kretprobe && return_locks_up(fns[i].name)))
			err = add_functions(env, kind, spec, t, fns + i, same, out);
		else
			left_out++;
	}
	if (err)
		return err;
	if (left_out)
		report_debug(env->report, "%s: %u functions that cannot be traced are left out",
			     spec_name(env->arena, kind, spec), left_out);
	if (out->n > before)
		return 0;
	if (left_out)
		diag_error(env->diags, spec->span, "Probe has no valid attach points. None of the %u functions that match can "
			   "be traced", left_out);
	return -ENOENT;
}

/* A function that cannot be traced, or is not there. */
static int refuse(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec, const struct target *t,
		  const struct kernel_function *fn)
{
	struct span span = part_span(spec, spec->parts.n - 1);
	const char *near;

	if (t->module && !kernel_module_loaded(t->module)) {
		const char *const *modules;
		size_t n;

		diag_error(env->diags, part_span(spec, 0), "specified module %s in probe %s is not loaded.", t->module,
			   spec_name(env->arena, kind, spec));
		if (!kernel_function_modules(env->kernel, &modules, &n))
			diag_hint_nearest(env->diags, t->module, modules, n);
		return -ENOENT;
	}
	if (fn->state != FUNCTION_MISSING) {
		diag_error(env->diags, span, "%s cannot be traced: %s", t->function, function_state_text(fn->state));
		if (fn->variant)
			diag_hint(env->diags, "trace that: %s", fn->variant);
		return -ENOENT;
	}
	diag_error(env->diags, span, "no function '%s' in %s", t->function, t->module ? t->module : "the kernel");
	near = kernel_function_nearest(env->kernel, t->module, t->function);
	if (near)
		diag_hint(env->diags, "did you mean '%s'?", near);
	return -ENOENT;
}

/* Without a module a name means the kernel's own function, where there is one. */
static bool outranked(const struct kernel_function *fns, size_t n, const struct kernel_function *fn)
{
	for (size_t i = 0; strcmp(fn->module, "vmlinux") != 0 && i < n; i++)
		if (!strcmp(fns[i].module, "vmlinux") && fns[i].state == FUNCTION_TRACEABLE)
			return true;
	return false;
}

static int expand_named(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
			const struct target *t, attach_vec *out)
{
	const struct kernel_function *fns;
	size_t n, same;
	int err;

	if ((!t->module || !strcmp(t->module, "vmlinux")) && kernel_function_likely(env->kernel, t->function))
		return add(env, kind, spec, t, "vmlinux", t->function, out) ? 0 : -EINVAL;
	err = kernel_functions_named(env->kernel, env->arena, t->module, t->function, &fns, &n);
	if (err)
		return err;
	if (!may_be_traced(fns, n))
		return refuse(env, kind, spec, t, fns);
	for (size_t i = 0; !err && i < n; i += same) {
		same = same_name(fns + i, n - i);
		if (may_be_traced(fns + i, same) && (t->module || !outranked(fns, n, &fns[i])))
			err = add_functions(env, kind, spec, t, fns + i, same, out);
	}
	return err;
}

int kprobe_expand(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		  attach_vec *out)
{
	struct target t;
	int err = target_parse(env, kind, spec, &t);

	if (err)
		return err;
	if (!t.function)
		return add_address(env, kind, spec, &t, out);
	if (kind == &probe_kretprobe && *t.offset_text)
		return diag_error(env->diags, part_span(spec, spec->parts.n - 1),
				  "kretprobe takes no offset: it fires where the function returns");
	if (kind == &probe_kretprobe && return_locks_up(t.function))
		return diag_error(env->diags, spec->span, "kretprobe:%s can't be used as it might lock up your system.", t.function);
	if (t.function_pattern || t.module_pattern)
		return expand_pattern(env, kind, spec, &t, out);
	return expand_named(env, kind, spec, &t, out);
}

static int expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	return kprobe_expand(env, &probe_kprobe, spec, out);
}

/* ---- list ---- */

int kprobe_list(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		int (*fn)(const char *name, void *ctx), void *ctx)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	uint32_t last = spec->parts.n;
	const struct kernel_function *fns;
	size_t n, same;
	int r;

	/* What the functions are called is known anywhere. */
	if (last && !kernel_has_kprobes(env->kernel))
		report_warning(env->report, NULL, "%s is not available on this kernel: %s", kind->name,
			       kernel_kprobes_missing(env->kernel));
	r = kernel_functions(env->kernel, env->arena, last > 1 ? spec->parts.v[0] : NULL,
			     last ? spec->parts.v[last - 1] : NULL, &fns, &n);
	for (size_t i = 0; !r && i < n; i += same) {
		const char *module = strcmp(fns[i].module, "vmlinux") || last > 1 ? fns[i].module : NULL;

		same = same_name(fns + i, n - i);
		if (!may_be_traced(fns + i, same))
			continue;
		strbuf_reset(&name);
		strbuf_addstr(&name, kind->name);
		strbuf_addch(&name, ':');
		if (module) {
			strbuf_addstr(&name, module);
			strbuf_addch(&name, ':');
		}
		strbuf_addstr(&name, fns[i].name);
		r = name.failed ? -ENOMEM : fn(name.s, ctx);
	}
	return r;
}

static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	return kprobe_list(env, &probe_kprobe, spec, fn, ctx);
}

/* ---- args ---- */

/* How many registers a parameter takes; 0: it is on the stack. */
static uint32_t registers_taken(const struct type *t)
{
	return t->size <= 8 ? 1 : t->size <= 16 ? 2 : 0;
}

/* What lies in one register; structs that lie in two or on the stack have no place in args. */
static const struct type *args_of(struct probe_env *env, const struct btf_file *btf, const struct btf_type *proto)
{
	const struct btf_param *params = btf_params(proto);
	VEC(struct field) fields = { 0 };
	uint32_t next = 0, on_stack;

	for (uint32_t i = 0; i < btf_vlen(proto); i++) {
		const char *name = btf_file_string(btf, params[i].name_off);
		uint32_t taken = registers_taken(ktype_of(env->types, btf, params[i].type));
		const struct cpu_register *reg = taken ? cpu_register_arg(next, &on_stack) : NULL;

		next += taken;
		if (reg && taken == 1 && *name)
			vec_push(env->arena, &fields, btf_word_field(env, btf, name, params[i].type, reg->offset));
	}
	return args_struct(env->arena, fields.v, fields.n, 0);
}

static int args(struct probe_env *env, struct attach_point *ap)
{
	const struct kprobe_place *place = ap->priv;
	const struct btf_file *btf;
	const struct btf_type *t;

	if (ap->args || place->offset || !ap->func)
		return 0;
	btf = kernel_types(env->kernel, ap->target);
	if (!btf)
		return -ENOENT;
	t = btf_file_type(btf, btf_file_find(btf, ap->func, 1u << BTF_KIND_FUNC));
	t = t ? btf_file_type(btf, t->type) : NULL;
	if (t && btf_is_func_proto(t))
		ap->args = args_of(env, btf, t);
	return 0;
}

const struct probe_kind probe_kprobe = {
	.name = "kprobe",
	.aliases = (const char *const[]){ "k", NULL },
	.forms = "kprobe[:MODULE]:FUNCTION[+OFFSET], kprobe:ADDRESS",
	.summary = "a function of the kernel begins, or reaches an instruction",
	.run = RUN_ATTACHED,
	.prog_type = "kprobe",
	.has_args = true,
	.has_argn = true,
	.has_func = true,
	.space = SPACE_KERNEL,
	.slow_close = true,
	.last_runs_first = true,
	.takes_cookie = true,
	.expand = expand,
	.missing = kprobe_missing,
	.args = args,
	.list = list,
	.join = kprobe_join,
	.prepare = kprobe_prepare,
	.attach = kprobe_attach,
};
