/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scratch variables: a name belongs to the block in which it is first assigned or declared, and cannot
 * be declared again while it can be seen. A variable keeps its identity over all passes: it hangs on
 * the expression that declared it.
 */
#include "lang/check_priv.h"

uint32_t scope_enter(struct checker *c)
{
	return c->priv->scope.n;
}

void scope_leave(struct checker *c, uint32_t mark)
{
	for (uint32_t i = mark; c->last_pass && i < c->priv->scope.n; i++) {
		const struct var *v = c->priv->scope.v[i].var;

		if (!v->assigned)
			diag_warn(c->diags, v->span, "%s is declared but never assigned", v->name);
	}
	c->priv->scope.n = mark;
}

static struct var *var_find(struct checker *c, const struct expr *e)
{
	for (uint32_t i = c->priv->scope.n; i-- > 0;) {
		const struct scope_entry *s = &c->priv->scope.v[i];

		if (s->macro == e->num && str_eq(s->var->name, e->name))
			return s->var;
	}
	return NULL;
}

/* One of that name in a block that has ended. */
static const struct var *var_elsewhere(const struct checker *c, const char *name, bool by_assignment)
{
	for (uint32_t i = 0; c->unit && i < c->unit->vars.n; i++) {
		const struct var *v = c->unit->vars.v[i];

		if (str_eq(v->name, name) && v->by_assignment >= by_assignment)
			return v;
	}
	return NULL;
}

/* ---- variables of the whole clause ---- */

static bool var_is_hoisted(const struct checker *c, const char *name)
{
	vec_each(it, &c->priv->hoisted)
		if (str_eq((*it)->name, name))
			return true;
	return false;
}

static void hoist_warn(struct checker *c, const struct expr *e)
{
	vec_each(it, &c->priv->hoist_warned)
		if (it->begin == e->span.begin)
			return;
	vec_push(c->arena, &c->priv->hoist_warned, e->span);
	diag_warn(c->diags, e->span, "%s was only assigned in a block that has ended", e->name);
	diag_hint(c->diags, "it is taken as declared at the top: 'let %s;'", e->name);
}

/*
 * Once a variable belonged to the whole clause, and scripts of that time assign it in the branches of an `if` to use
 * it behind them. It is then declared in front of all, and the clause is checked again.
 */
static bool var_hoist(struct checker *c, struct expr *e)
{
	const struct var *v = e->num || c->priv->sub ? NULL : var_elsewhere(c, e->name, true);

	if (!v)
		return false;
	if (!var_is_hoisted(c, e->name)) {
		vec_push(c->arena, &c->priv->hoisted, v);
		hoist_warn(c, e);
	}
	e->type = v->type;
	c->changed = true;
	return true;
}

static struct stmt *let_of(struct checker *c, const struct var *v)
{
	struct stmt *let = arena_new_of(c->arena, struct stmt);

	let->kind = ST_LET;
	let->span = v->span;
	let->target = arena_new_of(c->arena, struct expr);
	*let->target = (struct expr){ .kind = EX_VAR, .name = v->name, .span = v->span, .name_span = v->span };
	return let;
}

void vars_hoist(struct checker *c, struct clause *clause)
{
	stmt_vec body = { 0 };

	if (!c->priv->hoisted.n)
		return;
	vec_each(it, &c->priv->hoisted)
		vec_push(c->arena, &body, let_of(c, *it));
	vec_each(it, &clause->body)
		vec_push(c->arena, &body, *it);
	clause->body = body;
	c->priv->hoisted.n = 0;
}

/* ---- known and unknown ---- */

static int var_unknown(struct checker *c, const struct expr *e)
{
	const char **names = arena_array_of(c->arena, const char *, c->priv->scope.n + 1);
	const struct var *other = var_elsewhere(c, e->name, false);
	uint32_t n = c->priv->scope.n;
	int err = check_error(c, e->span, "%s has no value here", e->name);

	for (uint32_t i = 0; i < n; i++)
		names[i] = c->priv->scope.v[i].var->name;
	if (e->num)
		diag_hint(c->diags, "a macro sees its own variables and its parameters, not those around its call");
	else if (other)
		diag_hint(c->diags, "it is only known inside the block at %s: put 'let %s;' before that block",
			  span_text(c, other->span), e->name);
	else
		diag_hint_nearest(c->diags, e->name, names, n);
	return err;
}

int check_var(struct checker *c, struct expr *e)
{
	struct var *v = var_find(c, e);

	e->type = &type_none;
	if (!v)
		return var_hoist(c, e) ? 0 : var_unknown(c, e);
	if (v->missing)
		return check_type_ref(c, v->missing);
	if (!v->assigned && !c->priv->meta)
		diag_warn(c->diags, e->span, "%s is used before it is assigned", e->name);
	e->var = v;
	v->used = true;
	e->type = v->type;
	return 0;
}

static void var_enter(struct checker *c, struct expr *target)
{
	if (!target->var) {
		struct var *v = arena_new_of(c->arena, struct var);

		v->name = target->name;
		v->span = target->span;
		v->type = &type_none;
		target->var = v;
		if (c->unit) {
			v->id = c->unit->vars.n;
			vec_push(c->arena, &c->unit->vars, v);
		}
	}
	vec_push(c->arena, &c->priv->scope, ((struct scope_entry){ target->var, target->num }));
}

struct var *var_assigned(struct checker *c, struct expr *target)
{
	struct var *v = var_find(c, target);

	if (v) {
		target->var = v;
	} else {
		var_enter(c, target);
		target->var->by_assignment = !target->num;
	}
	target->var->assigned = true;
	return target->var;
}

int var_declare(struct checker *c, struct expr *target)
{
	struct var *seen;

	if (target->kind != EX_VAR) /* a macro was handed a value for its $x */
		return check_error(c, target->span, "only a variable can be declared");
	seen = var_find(c, target);
	if (seen)
		return check_error(c, target->span, "%s is already in use since %s, and a name cannot be declared "
				   "again inside", target->name, span_text(c, seen->span));
	var_enter(c, target);
	return 0;
}

int check_storable(struct checker *c, const struct type *type, const char *what, struct span span)
{
	uint32_t most = c->env->config.max_strlen;
	int err;

	if (type->kind == TY_STRUCT && !type->size)
		return check_error(c, span, "%s cannot be kept in %s: its size is not known", tn(c, type), what);
	/* what str() read has its NUL beyond that */
	if (type->kind != TY_STRING || type->size <= most + 1)
		return 0;
	err = check_error(c, span, "this string of %u bytes is longer than max_strlen, which is %u", type->size,
			  most);
	diag_hint(c->diags, "config = { max_strlen = %u }", type->size);
	return err;
}

bool type_changed(const struct type *old, const struct type *now)
{
	if (old == now)
		return false;
	if (old->kind == TY_NONE || now->kind == TY_NONE)
		return old->kind != now->kind;
	return !type_equal(old, now) || type_sign_is_soft(old) != type_sign_is_soft(now);
}

int var_store(struct checker *c, struct var *v, const struct type *type, struct span span)
{
	const struct type *t;
	int err;

	if (v->missing)
		return check_type_ref(c, v->missing);
	if (type->kind == TY_NONE)
		return 0;
	type = type_kept(c->arena, type);
	err = check_storable(c, type, v->name, span);
	if (err)
		return err;
	t = type_promote(c->arena, v->type, type);
	if (!t || (v->declared && !type_equal(t, v->type))) {
		err = check_error(c, span, "%s holds %s and cannot take %s", v->name, tn(c, v->type), tn(c, type));
		diag_hint(c->diags, v->declared ? "it was declared so at %s" : "it got its type at %s",
			  span_text(c, v->span));
		return err;
	}
	if (v->declared)
		return 0;
	c->changed |= type_changed(v->type, t);
	v->type = t;
	return 0;
}
