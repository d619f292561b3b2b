/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uprobe_expand: functions of files become attach points. A function that has several names is one
 * point; functions that share a name (static ones of several sources) are one point with many places.
 */
#include "probe/uprobe_expand.h"

#include <elf.h>
#include <errno.h>

#include "base/util.h"
#include "probe/common.h"
#include "probe/uprobe_attach.h"

/* One expansion: the spec, and the file that is being looked into. */
struct expander {
	struct probe_env *env;
	const struct probe_kind *kind;
	const struct uprobe_spec *u;
	struct binary *binary;
	bool optional;
	attach_vec *out;
};

typedef VEC(struct binary_symbol) symbol_vec;

/* ---- points ---- */

static struct uprobe_point *place_add(struct expander *x, const char *name, const char *func, uint64_t addr)
{
	struct arena *a = x->env->arena;
	struct attach_point *ap;
	struct uprobe_point *p;

	name = arena_printf(a, "%s:%s:%s", x->kind->name, x->binary->path, name);
	ap = point_add(x->env, x->kind, x->u->spec, name, x->out);
	if (!ap)
		return NULL;
	p = arena_new_of(a, struct uprobe_point);
	p->binary = x->binary;
	p->path = x->binary->path;
	p->address = addr;
	p->optional = x->optional;
	p->point = ap;
	ap->priv = p;
	ap->target = x->binary->path;
	ap->func = func;
	ap->section = arena_printf(a, "%s/%s:%s", x->kind->name, x->binary->path, func ? func : "");
	return p;
}

static void offset_add(struct expander *x, struct uprobe_point *p, uint64_t addr)
{
	uint64_t offset;

	if (!elf_file_offset(x->binary->elf, addr, PF_X, &offset))
		return;
	if (!p->offsets.n)
		p->point->number = offset;
	vec_push(x->env->arena, &p->offsets, offset);
}

/* ---- functions by name ---- */

static uint32_t underscores(const char *name)
{
	return (uint32_t)strspn(name, "_");
}

/* Of several names at one address the plainest stands first: malloc, not __libc_malloc. */
static int compare_places(const void *pa, const void *pb)
{
	const struct binary_symbol *a = pa, *b = pb;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	if (a->bind != b->bind && (a->bind == STB_LOCAL || b->bind == STB_LOCAL))
		return a->bind == STB_LOCAL ? 1 : -1;
	if (underscores(a->name) != underscores(b->name))
		return underscores(a->name) < underscores(b->name) ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int compare_names(const void *pa, const void *pb)
{
	const struct binary_symbol *a = pa, *b = pb;
	int c = strcmp(a->name, b->name);

	return c ? c : a->addr < b->addr ? -1 : a->addr > b->addr;
}

static void places_unite(symbol_vec *found)
{
	uint32_t n = 0;

	if (!found->n)
		return;
	qsort(found->v, found->n, sizeof(*found->v), compare_places);
	for (uint32_t i = 1; i < found->n; i++)
		if (found->v[i].addr != found->v[n].addr)
			found->v[++n] = found->v[i];
	found->n = n + 1;
	qsort(found->v, found->n, sizeof(*found->v), compare_names);
}

static int functions_add(struct expander *x, const symbol_vec *found)
{
	struct uprobe_point *p = NULL;

	for (uint32_t i = 0; i < found->n; i++) {
		const struct binary_symbol *f = &found->v[i];

		if (!i || strcmp(f->name, found->v[i - 1].name))
			p = place_add(x, f->name, f->name, f->addr);
		if (!p)
			return -EINVAL;
		offset_add(x, p, f->addr);
	}
	return 0;
}

static int expand_pattern(struct expander *x)
{
	symbol_vec found = { 0 };

	binary_list(x->env, x->binary);
	vec_each(f, &x->binary->functions)
		if (glob_match(x->u->name, f->name))
			vec_push(x->env->arena, &found, *f);
	places_unite(&found);
	return functions_add(x, &found);
}

static int expand_offset(struct expander *x, const struct binary_symbol *f, size_t n)
{
	const char *name = arena_printf(x->env->arena, "%s+%llu", f->name, (unsigned long long)x->u->offset);
	struct uprobe_point *p;
	int err;

	if (n > 1) {
		err = diag_error(x->env->diags, part_span(x->u->spec, x->u->name_part), "%s has %zu functions '%s'",
				 x->binary->path, n, f->name);
		diag_hint(x->env->diags, "give the address of the one that is meant instead of an offset");
		return err;
	}
	err = uprobe_place_check(x->env, x->u, x->binary, f, x->u->offset);
	if (err)
		return err;
	p = place_add(x, x->u->offset ? name : f->name, f->name, f->addr + x->u->offset);
	if (!p)
		return -EINVAL;
	offset_add(x, p, f->addr + x->u->offset);
	return 0;
}

static int expand_name(struct expander *x)
{
	size_t n;
	const struct binary_symbol *f = binary_find(x->env, x->binary, x->u->name, &n);
	symbol_vec found = { 0 };

	if (!f)
		return x->optional ? 0 : uprobe_missing(x->env, x->u, x->binary);
	if (x->u->has_offset)
		return expand_offset(x, f, n);
	for (size_t i = 0; i < n; i++)
		vec_push(x->env->arena, &found, f[i]);
	return functions_add(x, &found);
}

static int expand_address(struct expander *x)
{
	uint64_t addr = x->u->address;
	const struct binary_symbol *f = binary_at(x->env, x->binary, addr);
	struct uprobe_point *p;
	int err = uprobe_place_check(x->env, x->u, x->binary, f, f ? addr - f->addr : addr);

	if (err)
		return err;
	p = place_add(x, arena_printf(x->env->arena, "%llu", (unsigned long long)addr), f ? f->name : NULL, addr);
	if (!p)
		return -EINVAL;
	offset_add(x, p, addr);
	return 0;
}

/* ---- all files ---- */

static int expand_file(struct expander *x, const char *path)
{
	const struct uprobe_spec *u = x->u;

	x->binary = binary_open(x->env, u->spec, u->path_part == PART_NONE ? 0 : u->path_part, path, x->optional);
	if (!x->binary)
		return x->optional ? 0 : -ENOENT;
	if (u->has_address)
		return expand_address(x);
	return u->is_pattern ? expand_pattern(x) : expand_name(x);
}

static bool path_is_pattern(const struct uprobe_spec *u)
{
	return u->path_part != PART_NONE && part_is_pattern(u->spec, u->path_part);
}

int uprobe_expand(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec, attach_vec *out)
{
	struct uprobe_spec u;
	struct expander x = { .env = env, .kind = kind, .u = &u, .out = out };
	path_vec paths = { 0 };
	uint32_t before = out->n;
	int err = uprobe_spec_parse(env, kind, spec, &u);

	err = err ? err : binary_paths(env, spec, u.path_part, &paths);
	for (uint32_t i = 0; !err && i < paths.n; i++) {
		x.optional = u.is_pattern || path_is_pattern(&u);
		err = expand_file(&x, paths.v[i]);
	}
	if (err)
		return err;
	return out->n == before ? -ENOENT : 0;
}

/* ---- list ---- */

static int list_file(struct expander *x, const char *path, const char *pattern, int (*fn)(const char *name, void *ctx),
		     void *ctx)
{
	struct binary *b = binary_open(x->env, x->u->spec, 0, path, true);
	const char *last = "";
	int r = 0;

	if (!b)
		return 0;
	binary_list(x->env, b);
	for (uint32_t i = 0; !r && i < b->functions.n; i++) {
		const char *name = b->functions.v[i].name;

		if (strcmp(name, last) && (!strcmp(pattern, "*") || glob_match(pattern, name)))
			r = fn(arena_printf(x->env->arena, "%s:%s:%s", x->kind->name, path, name), ctx);
		last = name;
	}
	return r;
}

int uprobe_list(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		int (*fn)(const char *name, void *ctx), void *ctx)
{
	struct uprobe_spec u = { .spec = spec };
	struct expander x = { .env = env, .kind = kind, .u = &u };
	uint32_t path = spec->parts.n > 1 || !binary_is_implied(env) ? 0 : PART_NONE;
	path_vec paths = { 0 };
	int r;

	/* Without a program there is nothing to list; all programs of the machine are not meant. */
	if (spec->parts.n < 2 && path != PART_NONE)
		return 0;
	r = binary_paths(env, spec, path, &paths);
	if (r)
		return r == -ENOENT ? 0 : r;
	for (uint32_t i = 0; !r && i < paths.n; i++)
		r = list_file(&x, paths.v[i], spec->parts.n ? spec->parts.v[spec->parts.n - 1] : "*", fn, ctx);
	return r;
}

/* ---- attach ---- */

int uprobe_attach_points(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
			 uint32_t npoints, bool is_return, link_vec *links)
{
	uprobe_place_vec places = { 0 };

	for (uint32_t i = 0; i < npoints; i++) {
		const struct uprobe_point *p = points[i]->priv;

		vec_each(offset, &p->offsets) {
			struct uprobe_place place = {
				.point = points[i], .path = p->path, .offset = *offset, .optional = p->optional,
			};

			vec_push(env->arena, &places, place);
		}
	}
	return uprobe_attach(env, prog, &places, is_return, links);
}
