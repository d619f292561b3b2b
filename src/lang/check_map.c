/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maps: one table for all clauses. Whether a map has a key, of which type, and what it holds is learned
 * from every use, wherever it stands.
 */
#include "lang/check_priv.h"

struct map_info *map_info(struct checker *c, const struct map *m)
{
	return &c->priv->maps.v[m->id];
}

const char *span_text(struct checker *c, struct span span)
{
	uint32_t line = 0, col = 0;

	if (!span.file)
		return "the command line";
	span_locate(c->script->sources, span, &line, &col);
	return arena_printf(c->arena, "%u:%u", line, col);
}

/* The kinds of map a script can declare. */
static const struct {
	const char *name;
	bool percpu;
} decl_kinds[] = {
	{ "hash", false }, { "lruhash", false }, { "percpuhash", true }, { "percpulruhash", true },
};

static const struct map_decl *decl_find(const struct checker *c, const char *name)
{
	vec_each(it, &c->script->map_decls) {
		if (str_eq(it->name, name))
			return it;
	}
	return NULL;
}

static struct map *map_of(struct checker *c, struct expr *e)
{
	struct map *m = strmap_get(&c->priv->map_names, e->name);
	const struct map_decl *decl;

	if (!m) {
		m = arena_new_of(c->arena, struct map);
		m->name = e->name;
		m->span = e->span;
		m->value = &type_none;
		m->id = c->script->maps.n;
		decl = decl_find(c, e->name);
		if (decl) {
			m->decl_kind = decl->kind;
			m->max_entries = decl->max_entries ? (int64_t)decl->max_entries->num : 0;
			m->span = decl->span;
		}
		vec_push(c->arena, &c->script->maps, m);
		vec_push(c->arena, &c->priv->maps, (struct map_info){ 0 });
		strmap_put(c->arena, &c->priv->map_names, e->name, m);
	}
	e->map = m;
	return m;
}

static int map_use_scalar(struct checker *c, struct map *m, struct span span)
{
	struct map_info *info = map_info(c, m);

	if (m->key_known && m->key)
		return check_error(c, span, "%s is used without a key here, but with one at %s", m->name,
				   span_text(c, info->key_span));
	if (!m->key_known)
		info->key_span = span;
	m->key_known = true;
	return 0;
}

static int bad_key(struct checker *c, const struct type *key, struct span span)
{
	if (type_is_agg(key) || !key->size)
		return check_error(c, span, "%s cannot be a key", tn(c, key));
	return 0;
}

int check_map_key(struct checker *c, struct map *m, const struct type *key, struct span span)
{
	struct map_info *info = map_info(c, m);
	const struct type *t;
	int err;

	if (!key)
		return map_use_scalar(c, m, span);
	if (m->key_known && !m->key)
		return check_error(c, span, "%s is used with a key here, but without one at %s", m->name,
				   span_text(c, info->key_span));
	if (!m->key_known) {
		m->key_known = true;
		m->key = &type_none;
		info->key_span = span;
	}
	if (key->kind == TY_NONE)
		return 0;
	key = type_kept(c->arena, key);
	err = bad_key(c, key, span) ?: check_storable(c, key, m->name, span);
	if (err)
		return err;
	t = type_promote(c->arena, m->key, key);
	if (!t) {
		err = check_error(c, span, "Argument mismatch for %s: trying to access with arguments: '%s' when map expects "
				  "arguments: '%s'", m->name, tn(c, key), tn(c, m->key));
		diag_hint(c->diags, "it is keyed so since %s", span_text(c, info->key_span));
		return err;
	}
	if (m->key->kind == TY_NONE)
		info->key_span = span;
	c->changed |= type_changed(m->key, t);
	m->key = t;
	return 0;
}

int check_map_value(struct checker *c, struct map *m, const struct type *value, struct span span)
{
	struct map_info *info = map_info(c, m);
	const struct type *t;
	int err;

	if (value->kind == TY_NONE)
		return 0;
	value = type_kept(c->arena, value);
	err = check_storable(c, value, m->name, span);
	if (err)
		return err;
	t = type_promote(c->arena, m->value, value);
	if (!t)
		return check_error(c, span, "%s holds %s since %s and cannot take %s", m->name, tn(c, m->value),
				   span_text(c, info->value_span), tn(c, value));
	if (m->value->kind == TY_NONE)
		info->value_span = span;
	c->changed |= type_changed(m->value, t);
	m->value = t;
	return 0;
}

int check_map_place(struct checker *c, struct expr *e)
{
	struct map *m = map_of(c, e);
	int err;

	e->type = m->value;
	if (!e->a)
		return map_use_scalar(c, m, e->span);
	err = check_value(c, e->a);
	if (err)
		return err;
	if (!m->key_from)
		m->key_from = e->a;
	return check_map_key(c, m, e->a->type, e->a->span);
}

int check_map(struct checker *c, struct expr *e)
{
	int err = check_map_place(c, e);

	e->map->is_read = true;
	e->type = e->map->value;
	return err;
}

int check_map_whole(struct checker *c, struct expr *e)
{
	struct map *m = map_of(c, e);

	m->is_read = true;
	e->type = m->value;
	return 0;
}

static bool map_settles(struct checker *c, const struct map *m, bool assigned)
{
	const struct map_info *info = map_info(c, m);

	return m->value->kind == TY_NONE && m->is_written && !info->copies_agg && !info->gathers &&
	       info->is_assigned == assigned;
}

/* What is only counted up first: it may be what others are assigned. */
bool maps_settle(struct checker *c)
{
	for (int assigned = false; assigned <= true; assigned++) {
		bool any = false;

		vec_each(it, &c->script->maps) {
			if (map_settles(c, *it, assigned)) {
				(*it)->value = &type_int64;
				any = true;
			}
		}
		if (any)
			return true;
	}
	return false;
}

/* ---- passes ---- */

static int decl_kind_check(struct checker *c, const struct map_decl *d)
{
	const char *names[ARRAY_SIZE(decl_kinds)];
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(decl_kinds); i++) {
		names[i] = decl_kinds[i].name;
		if (str_eq(decl_kinds[i].name, d->kind))
			return 0;
	}
	err = check_error(c, d->span, "there is no kind of map '%s'", d->kind);
	diag_hint_nearest(c->diags, d->kind, names, ARRAY_SIZE(names));
	diag_hint(c->diags, "the kinds are hash, lruhash, percpuhash and percpulruhash");
	return err;
}

#define MOST_ENTRIES (1u << 26)

static int decl_check(struct checker *c, const struct map_decl *d)
{
	const struct map_decl *first = decl_find(c, d->name);
	int err = decl_kind_check(c, d);

	if (first && first != d)
		return check_error(c, d->span, "%s is already declared at %s", d->name, span_text(c, first->span));
	if (!d->max_entries)
		return check_error(c, d->span, "the number of entries is missing: %s(NUMBER)", d->kind);
	err = err ?: check_value(c, d->max_entries);
	if (err)
		return err;
	if (d->max_entries->kind != EX_INT || d->max_entries->negative_ok || !d->max_entries->num ||
	    d->max_entries->num > MOST_ENTRIES)
		return check_error(c, d->max_entries->span, "the number of entries must be a literal from 1 to %u",
				   MOST_ENTRIES);
	return 0;
}

int pass_map_decls(struct checker *c)
{
	vec_each(it, &c->script->map_decls)
		decl_check(c, it);
	return 0;
}

static void map_final_check(struct checker *c, struct map *m)
{
	bool percpu = false;

	/* Clauses that another way of the question would need, and that are gone, may have been those that assign. */
	if (m->value->kind == TY_NONE && c->env->nways) {
		m->value = &type_uint64;
		m->key_known = true;
	} else if (m->value->kind == TY_NONE) {
		check_error(c, m->span, "nothing is ever assigned to %s", m->name);
		return;
	}
	for (size_t i = 0; m->decl_kind && i < ARRAY_SIZE(decl_kinds); i++) {
		if (str_eq(m->decl_kind, decl_kinds[i].name))
			percpu = decl_kinds[i].percpu;
	}
	if (m->decl_kind && percpu != type_is_percpu_agg(m->value)) {
		check_error(c, m->span, "%s is declared as %s, but holds %s", m->name, m->decl_kind, tn(c, m->value));
		diag_hint(c->diags, percpu ? "declare it as hash or lruhash" :
			  "what is aggregated is kept per CPU: declare it as percpuhash or percpulruhash");
	}
}

int pass_maps(struct checker *c)
{
	vec_each(it, &c->script->maps)
		map_final_check(c, *it);
	vec_each(it, &c->script->map_decls) {
		if (!strmap_get(&c->priv->map_names, it->name))
			diag_warn(c->diags, it->span, "Unused map: %s", it->name);
	}
	return 0;
}
