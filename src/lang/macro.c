/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Macro: calls of macros are replaced by their bodies before anything has a type. A macro sees its
 * parameters and its own variables, nothing else: its variables are marked with the number of the
 * expansion, and maps must be handed in. For $x a variable is handed in to be used itself; any other value
 * takes the place of $x wherever the body reads it.
 */
#include <errno.h>

#include "lang/check_priv.h"

#define MOST_DEPTH 100
#define MOST_EXPANSIONS 10000
#define MOST_NODES 500000u /* put in by all expansions together */
#define MOST_HEIGHT 1000u  /* of one expansion: later passes recurse */

struct walk {
	struct checker *c;
	uint32_t depth, count, nodes;
	bool gave_up;
	const struct macro *open[MOST_DEPTH]; /* those being expanded, one within the other */
};

struct expansion {
	struct walk *walk;
	const struct macro *macro;
	const struct expr *call;
	uint32_t number;
};

static void expand_visit(struct expr *e, void *ctx);

static const struct macro *macro_find(const struct checker *c, const char *name, uint32_t nargs, bool any)
{
	for (const struct macro *m = strmap_get(&c->priv->macro_names, name); m; m = m->next_of_name)
		if (any || m->params.n == nargs)
			return m;
	return NULL;
}

static void macros_enter(struct checker *c)
{
	vec_each(it, &c->script->macros) {
		struct macro *last = strmap_get(&c->priv->macro_names, (*it)->name);

		while (last && last->next_of_name)
			last = last->next_of_name;
		if (last)
			last->next_of_name = *it;
		else
			strmap_put(c->arena, &c->priv->macro_names, (*it)->name, *it);
	}
}

/* The argument for a name in the body; NULL: it is no parameter. */
static const struct expr *argument_of(const struct expansion *x, const char *name)
{
	for (uint32_t i = 0; i < x->macro->params.n; i++) {
		if (str_eq(x->macro->params.v[i].name, name))
			return x->call->args.v[i];
	}
	return NULL;
}

static void count_visit(struct expr *e, void *ctx)
{
	(void)e;
	++*(uint32_t *)ctx;
}

/* Is there room for a copy of this? Macros that double their argument would fill any memory. */
static bool nodes_take(struct walk *w, const struct expr *e)
{
	expr_visit((struct expr *)(uintptr_t)e, count_visit, &w->nodes);
	if (w->nodes > MOST_NODES)
		w->gave_up = true;
	return !w->gave_up;
}

static void value_put(struct walk *w, struct expr *e, const struct expr *arg)
{
	if (!nodes_take(w, arg))
		return;
	expr_replace(e, expr_clone(w->c->arena, arg));
	e->parenthesised = true;
}

static void expanded_visit(struct expr *e, void *ctx)
{
	if (e->kind == EX_CALL || e->kind == EX_IDENT)
		e->expanded = ctx;
}

static void variable_put(const struct expansion *x, struct expr *e, const struct expr *arg)
{
	e->num = arg ? arg->num : x->number;
	e->name = arg ? arg->name : e->name;
}

static void substitute_visit(struct expr *e, void *ctx)
{
	struct expansion *x = ctx;
	const struct expr *arg;

	if (x->walk->gave_up || (e->kind != EX_IDENT && e->kind != EX_VAR && e->kind != EX_MAP))
		return;
	arg = argument_of(x, e->name);
	if (e->kind == EX_IDENT && arg && nodes_take(x->walk, arg))
		expr_replace(e, expr_clone(x->walk->c->arena, arg));
	else if (e->kind == EX_VAR && arg && arg->kind != EX_VAR)
		value_put(x->walk, e, arg);
	else if (e->kind == EX_VAR)
		variable_put(x, e, arg);
	if (e->kind == EX_MAP && arg)
		e->name = arg->name;
	else if (e->kind == EX_MAP)
		check_error(x->walk->c, e->span, "a macro only sees the maps it is given: %s is no parameter of %s", e->name,
			    x->macro->name);
}

static int arguments_check(struct checker *c, const struct macro *m, const struct expr *call)
{
	int err = 0;

	for (uint32_t i = 0; i < m->params.n; i++) {
		const struct expr *arg = call->args.v[i];
		const char *name = m->params.v[i].name;

		if (name[0] == '@' && (arg->kind != EX_MAP || arg->a))
			err = check_error(c, arg->span, "%s of the macro %s takes a whole map", name, m->name);
	}
	return err;
}

/* A macro that is one value becomes that value, so that macro one() { 1 } is a literal. */
static void body_put(struct expr *e, struct expr *body)
{
	const struct expanded *outer = e->expanded;
	struct span span = e->span;

	if (body->kind == EX_BLOCK && !body->body.n && body->a)
		body = body->a;
	*e = *body;
	e->span = span;
	e->expanded = outer;
	e->parenthesised = true;
}

static bool stmts_too_high(const stmt_vec *body, uint32_t left);

/* Is the tree higher than `left`? Goes no deeper than that itself. */
static bool too_high(const struct expr *e, uint32_t left)
{
	if (!e)
		return false;
	if (!left)
		return true;
	vec_each(it, &e->args) {
		if (too_high(*it, left - 1))
			return true;
	}
	return too_high(e->a, left - 1) || too_high(e->b, left - 1) || too_high(e->c, left - 1) ||
	       (e->tref && too_high(e->tref->of, left - 1)) || stmts_too_high(&e->body, left - 1);
}

static bool stmts_too_high(const stmt_vec *body, uint32_t left)
{
	if (!left)
		return body->n > 0;
	vec_each(it, body) {
		const struct stmt *s = *it;

		if (too_high(s->target, left) || too_high(s->value, left) || too_high(s->from, left) ||
		    too_high(s->to, left) || stmts_too_high(&s->body, left - 1) || stmts_too_high(&s->other, left - 1))
			return true;
	}
	return false;
}

static bool is_open(const struct walk *w, const struct macro *m)
{
	for (uint32_t i = 0; i < w->depth; i++)
		if (w->open[i] == m)
			return true;
	return false;
}

static void give_up(struct walk *w, const struct expr *e, const struct macro *m)
{
	w->gave_up = true;
	if (w->depth >= MOST_DEPTH && !is_open(w, m))
		check_error(w->c, e->span, "macros call one another deeper than %d levels", MOST_DEPTH);
	else
		check_error(w->c, e->span, w->depth >= MOST_DEPTH ? "the macro %s calls itself" :
			    "the macro %s makes too much of this", m->name);
}

static void expand(struct walk *w, struct expr *e, const struct macro *m)
{
	struct expr call = *e, *body;
	struct expansion x = { .walk = w, .macro = m, .call = &call, .number = ++w->count };
	struct expanded *from;

	if (w->depth >= MOST_DEPTH || w->count > MOST_EXPANSIONS || !nodes_take(w, m->body)) {
		give_up(w, e, m);
		return;
	}
	if (arguments_check(w->c, m, &call))
		return;
	body = expr_clone(w->c->arena, m->body);
	from = arena_new_of(w->c->arena, struct expanded);
	*from = (struct expanded){ call.span, call.expanded };
	expr_visit(body, expanded_visit, from);
	expr_visit(body, substitute_visit, &x);
	body_put(e, body);
	if (w->gave_up || too_high(e, MOST_HEIGHT)) {
		give_up(w, e, m);
		return;
	}
	w->open[w->depth++] = m;
	expr_visit(e, expand_visit, w);
	w->depth--;
}

static void wrong_count(struct checker *c, const struct expr *e, const struct macro *m)
{
	check_error(c, e->span, "the macro %s takes %u argument%s, not %u", m->name, m->params.n,
		    m->params.n == 1 ? "" : "s", e->args.n);
}

static void expand_visit(struct expr *e, void *ctx)
{
	struct walk *w = ctx;
	const struct macro *m;

	if (w->gave_up || (e->kind != EX_CALL && e->kind != EX_IDENT))
		return;
	m = macro_find(w->c, e->name, e->args.n, false);
	if (m)
		expand(w, e, m);
	else if (e->kind == EX_CALL && (m = macro_find(w->c, e->name, 0, true)))
		wrong_count(w->c, e, m);
}

/* Of two that take as many arguments, only one could ever be meant. */
static void macros_differ(struct checker *c)
{
	vec_each(it, &c->script->macros) {
		const struct macro *first = macro_find(c, (*it)->name, (*it)->params.n, false);

		if (first && first != *it)
			check_error(c, (*it)->span, "the macro %s with %u argument%s is there already, since %s", first->name,
				    first->params.n, first->params.n == 1 ? "" : "s", span_text(c, first->span));
	}
}

int pass_macros(struct checker *c)
{
	struct walk w = { .c = c };

	if (!c->script->macros.n)
		return 0;
	macros_enter(c);
	macros_differ(c);
	vec_each(it, &c->script->clauses)
		clause_visit(*it, expand_visit, &w);
	vec_each(it, &c->script->subprogs)
		vec_each(s, &(*it)->body)
			stmt_visit(*s, expand_visit, &w);
	return 0;
}

int macro_apply(struct checker *c, struct expr *e, const struct macro *m)
{
	struct walk w = { .c = c };
	uint32_t nerrors = c->diags->nerrors;

	expand(&w, e, m);
	return c->diags->nerrors > nerrors ? -EINVAL : 0;
}
