/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iter: the kernel goes through all of its objects of one sort and runs the program for each. What it can go
 * through its types tell: a function bpf_iter_NAME and the context it is called with, struct bpf_iter__NAME.
 */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "kernel/kernel.h"
#include "probe/btf_args.h"
#include "probe/common.h"
#include "probe/kinds_all.h"
#include "probe/tp_args.h"

#define FUNC_PREFIX "bpf_iter_"
#define CTX_PREFIX "bpf_iter__"
#define PIN_DIR "/sys/fs/bpf"

typedef VEC(const char *) name_vec;

/* ---- what there is ---- */

/* These go through what is in a map, and a script has no name for a map of somebody else. */
static bool needs_map(const char *name)
{
	static const char *const names[] = { "bpf_map_elem", "bpf_sk_storage_map", "sockmap" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_name(const name_vec *names, const char *name)
{
	vec_each(it, names)
		if (!strcmp(*it, name))
			return true;
	return false;
}

/* Functions with such names are many; those that also have a context are iterators. Sorted. */
static int names_find(struct probe_env *env, name_vec *out)
{
	const struct btf_file *btf = kernel_types(env->kernel, "vmlinux");
	name_vec funcs = { 0 }, contexts = { 0 };

	if (!btf)
		return -EOPNOTSUPP;
	for (uint32_t id = 1; id < btf_file_end(btf); id++) {
		const struct btf_type *t = btf_file_type(btf, id);
		const char *name = btf_file_string(btf, t->name_off);

		if (btf_is_func(t) && str_starts(name, FUNC_PREFIX))
			vec_push(env->arena, &funcs, name + strlen(FUNC_PREFIX));
		else if (btf_is_struct(t) && str_starts(name, CTX_PREFIX))
			vec_push(env->arena, &contexts, name + strlen(CTX_PREFIX));
	}
	vec_each(it, &contexts)
		if (has_name(&funcs, *it) && !has_name(out, *it))
			vec_push(env->arena, out, *it);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), compare_names);
	return 0;
}

/* ---- expand ---- */

static int bad_object(struct probe_env *env, const struct probe_spec *spec, const name_vec *names)
{
	const char *name = spec->parts.v[0];

	diag_error(env->diags, part_span(spec, 0), "this kernel has no iterator '%s'", name);
	diag_hint_nearest(env->diags, name, names->v, names->n);
	diag_hint(env->diags, "sonde -l 'iter:*' lists those there are");
	return -ENOENT;
}

static int add(struct probe_env *env, const struct probe_spec *spec, const char *name, attach_vec *out)
{
	struct arena *a = env->arena;
	const char *pin = spec->parts.n > 1 ? spec->parts.v[1] : NULL, *full = arena_printf(a, "iter:%s", name);
	struct attach_point *ap = point_add(env, &probe_iter, spec, pin ? arena_printf(a, "%s:%s", full, pin) : full, out);

	if (!ap)
		return -EINVAL;
	ap->func = name;
	ap->section = arena_printf(a, "iter/%s", name);
	ap->uses_btf_ctx = true;
	/* The kernel lets go of all groups when a reader pauses, and cannot find its place again. */
	ap->unpaced = !strcmp(name, "cgroup");
	ap->stays = pin != NULL;
	if (pin)
		ap->target = *pin == '/' ? pin : arena_printf(a, PIN_DIR "/%s", pin);
	return 0;
}

static int parts_check(struct probe_env *env, const struct probe_spec *spec)
{
	if (!spec->parts.n || spec->parts.n > 2 || !*spec->parts.v[0])
		return diag_error(env->diags, spec->span, "iter needs the sort of objects: %s", probe_iter.forms);
	if (spec->parts.n == 2 && !*spec->parts.v[1])
		return diag_error(env->diags, part_span(spec, 1), "the name of the file to pin the iterator to is empty");
	if (spec->parts.n == 2 && part_is_pattern(spec, 0))
		return diag_error(env->diags, part_span(spec, 0), "one file can hold one iterator, not all that match '%s'",
				  spec->parts.v[0]);
	if (!needs_map(spec->parts.v[0]))
		return 0;
	return diag_error(env->diags, part_span(spec, 0), "iter:%s goes through the elements of a map, and a script "
			  "cannot name one", spec->parts.v[0]);
}

static int expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	bool pattern = spec->parts.n && part_is_pattern(spec, 0);
	uint32_t before = out->n;
	name_vec names = { 0 };
	int err = parts_check(env, spec);

	err = err ? err : names_find(env, &names);
	if (err)
		return err;
	vec_each(it, &names) {
		if (pattern ? needs_map(*it) || !glob_match(spec->parts.v[0], *it) : strcmp(spec->parts.v[0], *it) != 0)
			continue;
		err = add(env, spec, *it, out);
		if (err)
			return err;
	}
	if (out->n > before)
		return 0;
	return pattern ? -ENOENT : bad_object(env, spec, &names);
}

/* ---- args ---- */

/* A pointer stands in a union with a u64, so that it is 8 bytes wide on every machine. */
static const struct btf_member *named_member(const struct btf_file *btf, const struct btf_member *m)
{
	const struct btf_type *t = btf_file_type(btf, m->type);

	if (*btf_file_string(btf, m->name_off))
		return m;
	return t && btf_is_union(t) && btf_vlen(t) ? btf_members(t) : NULL;
}

static int args(struct probe_env *env, struct attach_point *ap)
{
	const struct btf_file *btf = kernel_types(env->kernel, "vmlinux");
	uint32_t id = btf ? btf_file_find(btf, arena_printf(env->arena, CTX_PREFIX "%s", ap->func),
					  1u << BTF_KIND_STRUCT) : 0;
	const struct btf_type *t = id ? btf_file_type(btf, id) : NULL;
	VEC(struct field) fields = { 0 };

	if (!t)
		return -ENOENT;
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = named_member(btf, &btf_members(t)[i]);
		const char *name = m ? btf_file_string(btf, m->name_off) : "";

		if (*name)
			vec_push(env->arena, &fields,
				 btf_word_field(env, btf, name, m->type, btf_member_bit_offset(t, i) / 8));
	}
	ap->args = args_struct(env->arena, fields.v, fields.n, t->size);
	return 0;
}

/* ---- list ---- */

static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	const char *pattern = spec_pattern(env->arena, spec);
	name_vec names = { 0 };
	int r = 0;

	/* A kernel without types has no iterators; that is nothing to complain of in a list of all probes. */
	if (!kernel_has_btf(env->kernel) || names_find(env, &names))
		return 0;
	for (uint32_t i = 0; !r && i < names.n; i++)
		if (!needs_map(names.v[i]) && glob_match(pattern, names.v[i]))
			r = fn(arena_printf(env->arena, "iter:%s", names.v[i]), ctx);
	return r;
}

/* ---- attach ---- */

static int link_make(struct probe_env *env, const struct bpf_program *prog, const struct attach_point *ap)
{
	union bpf_iter_link_info info = { 0 };
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	int fd;
	bool one_process = env->pid > 0 && str_starts(ap->func, "task");

	if (one_process)
		info.task.pid = (uint32_t)env->pid;
	if (!strcmp(ap->func, "cgroup"))
		info.cgroup.order = BPF_CGROUP_ITER_DESCENDANTS_PRE;
	if (one_process || !strcmp(ap->func, "cgroup")) {
		opts.iter_info = &info;
		opts.iter_info_len = sizeof(info);
	}
	fd = bpf_link_create(bpf_program__fd(prog), 0, BPF_TRACE_ITER, &opts);
	return fd < 0 ? -errno : fd;
}

static int pin_failed(struct probe_env *env, const struct attach_point *ap, int err)
{
	struct statfs fs;
	const char *hint = NULL, *slash = strrchr(ap->target, '/');
	const char *dir = slash == ap->target ? "/" : arena_strndup(env->arena, ap->target, (size_t)(slash - ap->target));

	if (err == -EEXIST)
		hint = arena_printf(env->arena, "remove it first: rm %s", ap->target);
	else if (!statfs(dir, &fs) && fs.f_type != BPF_FS_MAGIC)
		hint = arena_printf(env->arena, "it must be on a BPF file system: mount -t bpf bpf " PIN_DIR);
	return report_error(env->report, err, hint, "cannot pin %s to %s: %s", ap->name, ap->target, strerror(-err));
}

/* The file keeps the iterator when we are gone; whoever reads it makes it run. */
static int pin(struct probe_env *env, int link, const struct attach_point *ap)
{
	int err;

	if (env->dry_run)
		return 0;
	err = bpf_obj_pin(link, ap->target) ? -errno : 0;
	if (err)
		return pin_failed(env, ap, err);
	report_info(env->report, "Program pinned to %s", ap->target);
	return 0;
}

/* From now on the session's to close. */
static void keep(struct probe_env *env, link_vec *links, int fd, bool to_read)
{
	struct probe_link one = { .fd = fd, .to_read = to_read };

	vec_push(env->arena, links, one);
}

static int attach_one(struct probe_env *env, const struct bpf_program *prog, const struct attach_point *ap,
		      link_vec *links)
{
	int link = link_make(env, prog, ap), fd;

	if (link == -E2BIG)
		return report_error(env->report, link, "iterators of one process came with Linux 6.1",
				    "this kernel cannot limit %s", ap->name);
	if (link < 0)
		return report_error(env->report, link, NULL, "cannot attach %s: %s", ap->name, strerror(-link));
	keep(env, links, link, false);
	if (ap->stays)
		return pin(env, link, ap);
	fd = bpf_iter_create(link);
	if (fd < 0)
		return report_error(env->report, -errno, NULL, "cannot start %s: %m", ap->name);
	keep(env, links, fd, true);
	return 0;
}

static int attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		  uint32_t npoints, link_vec *links)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < npoints; i++)
		err = attach_one(env, prog, points[i], links);
	return err;
}

const struct probe_kind probe_iter = {
	.name = "iter",
	.aliases = (const char *const[]){ "it", NULL },
	.forms = "iter:OBJECT[:PIN]",
	.summary = "each of the kernel's objects of one sort, once",
	.run = RUN_ITER,
	.prog_type = "tracing",
	.has_ctx = true,
	.one_each = true,
	.space = SPACE_KERNEL,
	.expand = expand,
	.args = args,
	.list = list,
	.attach = attach,
};
