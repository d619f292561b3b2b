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
#include "probe/uprobe_args.h"
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

/* ---- points ---- */

static const char *shown_name(const struct binary_symbol *f)
{
	return f->plain ? f->plain : f->name;
}

/* `name` is the whole name; `f` the function it is in, or NULL. */
static struct uprobe_point *named_add(struct expander *x, const char *name, const struct binary_symbol *f,
				      uint64_t addr)
{
	struct arena *a = x->env->arena;
	struct attach_point *ap;
	struct uprobe_point *p;

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
	ap->func = f ? shown_name(f) : NULL;
	ap->section = arena_printf(a, "%s/%s:%s", x->kind->name, x->binary->path, f ? f->name : "");
	return p;
}

static struct uprobe_point *place_add(struct expander *x, const char *name, const struct binary_symbol *f, uint64_t addr)
{
	return named_add(x, arena_printf(x->env->arena, "%s:%s:%s", x->kind->name, x->binary->path, name), f, addr);
}

static struct uprobe_point *line_add(struct expander *x, const struct binary_symbol *f, uint64_t addr)
{
	const char *name = arena_printf(x->env->arena, "%s:%s@%s:%u", x->kind->name, x->binary->path, x->u->source, x->u->line);

	if (x->u->column)
		name = arena_printf(x->env->arena, "%s:%u", name, x->u->column);
	return named_add(x, name, f, addr);
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
	int c = strcmp(shown_name(a), shown_name(b));

	return c ? c : a->addr < b->addr ? -1 : a->addr > b->addr;
}

static void places_unite(symbol_vec *found)
{
	uint32_t n = 0;

	if (!found->n)
		return;
	if (found->n > 1)
		qsort(found->v, found->n, sizeof(*found->v), compare_places);
	for (uint32_t i = 1; i < found->n; i++)
		if (found->v[i].addr != found->v[n].addr)
			found->v[++n] = found->v[i];
	found->n = n + 1;
	if (found->n > 1)
		qsort(found->v, found->n, sizeof(*found->v), compare_names);
}

/* "main", or what a spec says for it: cpp:"ns::f(int)". */
static const char *spec_text(struct expander *x, const struct binary_symbol *f)
{
	const char *lang = x->u->lang;

	if (!f->plain)
		return f->name;
	return arena_printf(x->env->arena, "%s%s\"%s\"", lang ? lang : "", lang ? ":" : "", f->plain);
}

static int functions_add(struct expander *x, symbol_vec *found)
{
	struct uprobe_point *p = NULL;

	places_unite(found);
	for (uint32_t i = 0; i < found->n; i++) {
		const struct binary_symbol *f = &found->v[i];

		if (!i || strcmp(shown_name(f), shown_name(&found->v[i - 1])))
			p = place_add(x, spec_text(x, f), f, f->addr);
		if (!p)
			return -EINVAL;
		offset_add(x, p, f->addr);
	}
	return 0;
}

static int expand_offset(struct expander *x, const struct binary_symbol *f, size_t n)
{
	const char *name = spec_text(x, f);
	struct uprobe_point *p;
	int err;

	if (n > 1) {
		err = diag_error(x->env->diags, part_span(x->u->spec, x->u->name_part), "%s has %zu functions '%s'",
				 x->binary->path, n, x->u->name);
		diag_hint(x->env->diags, "give the address of the one that is meant instead of an offset");
		return err;
	}
	err = uprobe_place_check(x->env, x->u, x->binary, f, x->u->offset);
	if (err)
		return err;
	if (x->u->offset)
		name = arena_printf(x->env->arena, "%s+%llu", name, (unsigned long long)x->u->offset);
	p = place_add(x, name, f, f->addr + x->u->offset);
	if (!p)
		return -EINVAL;
	offset_add(x, p, f->addr + x->u->offset);
	return 0;
}

/* Memory and string functions of libc, above all: a probe there would hardly ever fire. */
static void chooser_tell(const struct expander *x, const struct binary_symbol *f)
{
	if (x->u->is_pattern || f->type != STT_GNU_IFUNC)
		return;
	diag_warn(x->env->diags, part_span(x->u->spec, x->u->name_part), "'%s' of %s is chosen from several when a program starts: "
		  "this traces the choosing, not the function chosen", f->name, x->binary->path);
	diag_hint(x->env->diags, "sonde -l '%s:%s:*%s*' lists the functions it may be", x->kind->name, x->binary->path, f->name);
}

/* Scripts say libpthread and libdl, of which newer systems have left but the names. */
static void heir_match(struct expander *x, symbol_vec *found)
{
	const char *heir = x->u->path_part == PART_NONE ? NULL : library_heir(x->env->arena, x->binary->path);
	struct binary *own = x->binary;

	x->binary = heir ? binary_open(x->env, x->u->spec, x->u->path_part, heir, true) : NULL;
	if (x->binary)
		uprobe_match(x->env, x->u, x->binary, found);
	if (!found->n)
		x->binary = own;
}

static int expand_name(struct expander *x)
{
	symbol_vec found = { 0 };

	uprobe_match(x->env, x->u, x->binary, &found);
	if (!found.n)
		heir_match(x, &found);
	if (!found.n)
		return x->optional ? 0 : uprobe_missing(x->env, x->u, x->binary);
	if (x->u->has_offset)
		return expand_offset(x, &found.v[0], found.n);
	chooser_tell(x, &found.v[0]);
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
	p = place_add(x, arena_printf(x->env->arena, "%llu", (unsigned long long)addr), f, addr);
	if (!p)
		return -EINVAL;
	offset_add(x, p, addr);
	return 0;
}

/* Copies of a line (inlined, or in several instances of a template) are one point. */
static int expand_line(struct expander *x)
{
	const struct uprobe_spec *u = x->u;
	place_vec places = { 0 };
	struct uprobe_point *p = NULL;
	int err;

	err = uprobe_line_places(x->env, u, x->binary->path, &places);
	for (uint32_t i = 0; !err && i < places.n; i++) {
		const struct binary_symbol *f = binary_at(x->env, x->binary, places.v[i]);

		if (!p)
			p = line_add(x, f, places.v[i]);
		if (!p)
			return -EINVAL;
		offset_add(x, p, places.v[i]);
	}
	return err;
}

/* ---- all files ---- */

static int expand_file(struct expander *x, const char *path)
{
	const struct uprobe_spec *u = x->u;

	x->binary = binary_open(x->env, u->spec, u->path_part == PART_NONE ? 0 : u->path_part, path, x->optional);
	if (!x->binary)
		return x->optional ? 0 : -ENOENT;
	if (u->source)
		return expand_line(x);
	return u->has_address ? expand_address(x) : expand_name(x);
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

	err = err ? err : binary_paths(env, u.spec, u.path_part, &paths);
	for (uint32_t i = 0; !err && i < paths.n; i++) {
		x.optional = u.is_pattern || path_is_pattern(&u);
		err = expand_file(&x, paths.v[i]);
	}
	if (err)
		return err;
	return out->n == before ? -ENOENT : 0;
}

/* ---- list ---- */

struct lister {
	struct expander x;
	const char *last;  /* what was listed last: a name comes once */
	symbol_vec found;
	int (*fn)(const char *name, void *ctx);
	void *ctx;
	int r;
};

static bool list_one(struct lister *l, const struct binary_symbol *f, const char *name)
{
	struct expander *x = &l->x;

	if (!l->last || strcmp(l->last, shown_name(f)))
		l->r = l->fn(arena_printf(x->env->arena, "%s:%s:%s", x->kind->name, x->binary->path, name), l->ctx);
	l->last = shown_name(f);
	return !l->r;
}

static bool plain_gather(struct binary_symbol *f, void *ctx)
{
	struct lister *l = ctx;

	if (uprobe_plain_matches(l->x.env->arena, l->x.u, f->plain))
		vec_push(l->x.env->arena, &l->found, *f);
	return true;
}

static int list_file_itself(struct lister *l, const char *path)
{
	struct expander *x = &l->x;

	x->binary = binary_open(x->env, x->u->spec, 0, path, true);
	if (!x->binary)
		return 0;
	l->last = NULL;
	l->found.n = 0;
	if (x->u->lang) {
		uprobe_each_plain(x->env, x->binary, x->u->lang, plain_gather, l);
		if (l->found.n)
			qsort(l->found.v, l->found.n, sizeof(*l->found.v), compare_names);
		vec_each(f, &l->found)
			if (!list_one(l, f, spec_text(x, f)))
				break;
		return l->r;
	}
	binary_list(x->env, x->binary);
	vec_each(f, &x->binary->functions)
		if ((!strcmp(x->u->name, "*") || glob_match(x->u->name, f->name)) && !list_one(l, f, f->name))
			break;
	return l->r;
}

static int list_file(struct lister *l, const char *path)
{
	int r = list_file_itself(l, path);
	const char *heir = r || l->last ? NULL : library_heir(l->x.env->arena, path);

	return heir ? list_file_itself(l, heir) : r;
}

/* As uprobe_spec_parse(), but anything may be a pattern, and nothing is an error. */
static void list_spec(const struct probe_env *env, const struct probe_spec *spec, struct uprobe_spec *u)
{
	uint32_t n = spec->parts.n;

	u->spec = spec;
	u->name = n ? spec->parts.v[n - 1] : "*";
	u->is_pattern = true;
	u->lang = n > 1 ? uprobe_language(spec->parts.v[n - 2]) : NULL;
	u->path_part = n > (u->lang ? 2u : 1u) || !binary_is_implied(env) ? 0 : PART_NONE;
}

int uprobe_list(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		int (*fn)(const char *name, void *ctx), void *ctx)
{
	struct uprobe_spec u = { 0 };
	struct lister l = { .x = { .env = env, .kind = kind, .u = &u }, .fn = fn, .ctx = ctx };
	path_vec paths = { 0 };
	int r;

	list_spec(env, spec, &u);
	/* Without a program there is nothing to list; all programs of the machine are not meant. */
	if (u.path_part != PART_NONE && spec->parts.n < 2)
		return 0;
	r = binary_paths(env, spec, u.path_part, &paths);
	if (r)
		return r == -ENOENT ? 0 : r;
	for (uint32_t i = 0; !r && i < paths.n; i++)
		r = list_file(&l, paths.v[i]);
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
