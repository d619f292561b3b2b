/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fentry, fexit of BPF programs that are loaded: fentry:bpf[:ID]:FUNCTION, also of their subprograms. */
#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "probe/common.h"
#include "probe/fentry.h"

struct bpf_func {
	const char *name;
	uint32_t prog;
};

typedef VEC(struct bpf_func) bpf_func_vec;

bool fentry_bpf_meant(const struct probe_spec *spec)
{
	return spec->parts.n > 1 && !strcmp(spec->parts.v[0], "bpf");
}

/* Tracing programs cannot be traced themselves. */
static bool traceable(const struct bpf_prog_info *info)
{
	return info->btf_id && info->nr_func_info && info->func_info_rec_size >= sizeof(struct bpf_func_info) &&
	       info->type != BPF_PROG_TYPE_TRACING;
}

static void funcs_named(struct arena *a, const struct btf *btf, const uint8_t *infos, const struct bpf_prog_info *info,
			bpf_func_vec *out)
{
	for (uint32_t i = 0; i < info->nr_func_info; i++) {
		const struct bpf_func_info *fi = (const void *)(infos + (size_t)i * info->func_info_rec_size);
		const struct btf_type *t = btf__type_by_id(btf, fi->type_id);
		const char *name = t ? btf__name_by_offset(btf, t->name_off) : NULL;

		if (name && *name)
			vec_push(a, out, ((struct bpf_func){ arena_strdup(a, name), info->id }));
	}
}

/* The functions of one program: what its BTF calls them. */
static void funcs_of(struct arena *a, int fd, bpf_func_vec *out)
{
	struct bpf_prog_info info = { 0 }, wanted = { 0 };
	uint32_t len = sizeof(info);
	struct btf *btf;
	uint8_t *infos;

	if (bpf_obj_get_info_by_fd(fd, &info, &len) || !traceable(&info))
		return;
	infos = arena_alloc(a, (size_t)info.nr_func_info * info.func_info_rec_size);
	wanted.nr_func_info = info.nr_func_info;
	wanted.func_info_rec_size = info.func_info_rec_size;
	wanted.func_info = (uint64_t)(uintptr_t)infos;
	len = sizeof(wanted);
	if (bpf_obj_get_info_by_fd(fd, &wanted, &len))
		return;
	info.nr_func_info = MIN(info.nr_func_info, wanted.nr_func_info);
	btf = btf__load_from_kernel_by_id(info.btf_id);
	if (libbpf_get_error(btf))
		return;
	funcs_named(a, btf, infos, &info, out);
	btf__free(btf);
}

/* Of all programs, in order of their ids. A program that goes away meanwhile is none of our business. */
static int funcs_all(struct probe_env *env, bpf_func_vec *out)
{
	uint32_t id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);

		if (fd >= 0)
			funcs_of(env->arena, fd, out);
		else if (errno == EPERM)
			return report_error(env->report, -EPERM, "run as root, or give the program CAP_SYS_ADMIN",
					    "cannot look at the BPF programs that are loaded: %m");
	}
	return errno == ENOENT ? 0 : report_error(env->report, -errno, NULL, "cannot list the BPF programs: %m");
}

static int bad_form(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec)
{
	return diag_error(env->diags, spec->span, "write %s:bpf:FUNCTION or %s:bpf:ID:FUNCTION", kind->name, kind->name);
}

static int none(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		const bpf_func_vec *funcs)
{
	uint32_t last = spec->parts.n - 1;
	const char **names = arena_array_of(env->arena, const char *, funcs->n + 1);

	if (part_is_pattern(spec, last))
		return -ENOENT;
	for (uint32_t i = 0; i < funcs->n; i++)
		names[i] = funcs->v[i].name;
	diag_error(env->diags, part_span(spec, last), "no BPF program that is loaded has a function '%s'",
		   spec->parts.v[last]);
	diag_hint_nearest(env->diags, spec->parts.v[last], names, funcs->n);
	diag_hint(env->diags, "sonde -l '%s:bpf:*' lists those there are", kind->name);
	return -ENOENT;
}

int fentry_bpf_expand(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		      attach_vec *out)
{
	uint32_t last = spec->parts.n - 1, before = out->n;
	bool pattern = part_is_pattern(spec, last);
	bpf_func_vec funcs = { 0 };
	uint64_t id = 0;
	int err;

	if (last > 2 || !*spec->parts.v[last])
		return bad_form(env, kind, spec);
	err = last == 2 ? count_of_part(env, spec, 1, "the id of a program", &id) : 0;
	err = err ? err : funcs_all(env, &funcs);
	for (uint32_t i = 0; !err && i < funcs.n; i++) {
		const struct bpf_func *f = &funcs.v[i];
		const char *want = spec->parts.v[last];
		struct attach_point *ap;

		if ((id && id != f->prog) || (pattern ? !glob_match(want, f->name) : strcmp(want, f->name) != 0))
			continue;
		ap = point_add(env, kind, spec, arena_printf(env->arena, "%s:bpf:%u:%s", kind->name, f->prog, f->name), out);
		if (!ap)
			return -EINVAL;
		ap->func = f->name;
		ap->number = f->prog;
		ap->section = kind->name;
		ap->uses_btf_ctx = true;
	}
	return err ? err : out->n > before ? 0 : none(env, kind, spec, &funcs);
}

int fentry_bpf_list(struct probe_env *env, const struct probe_kind *kind, const char *pattern, probe_name_fn fn,
		    void *ctx)
{
	bpf_func_vec funcs = { 0 };
	int r = funcs_all(env, &funcs);

	for (uint32_t i = 0; !r && i < funcs.n; i++) {
		const char *name = funcs.v[i].name, *full = arena_printf(env->arena, "bpf:%u:%s", funcs.v[i].prog, name);

		if (glob_match(pattern, full) || glob_match(pattern, name) ||
		    glob_match(pattern, arena_printf(env->arena, "bpf:%s", name)))
			r = fn(arena_printf(env->arena, "%s:%s", kind->name, full), ctx);
	}
	return r;
}
