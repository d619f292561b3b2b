/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tree: operators as text, deep copies, and the walk over all expressions of a piece of script. */
#include "lang/tree.h"

#include <string.h>

static const char *const op_texts[] = {
	[OP_NONE] = "", [OP_ADD] = "+", [OP_SUB] = "-", [OP_MUL] = "*", [OP_DIV] = "/", [OP_MOD] = "%",
	[OP_AND] = "&", [OP_OR] = "|", [OP_XOR] = "^", [OP_SHL] = "<<", [OP_SHR] = ">>", [OP_EQ] = "==",
	[OP_NE] = "!=", [OP_LT] = "<", [OP_LE] = "<=", [OP_GT] = ">", [OP_GE] = ">=", [OP_LAND] = "&&",
	[OP_LOR] = "||", [OP_NEG] = "-", [OP_NOT] = "!", [OP_BITNOT] = "~", [OP_DEREF] = "*",
	[OP_ADDR] = "&", [OP_INC] = "++", [OP_DEC] = "--",
};

const char *op_text(enum op op)
{
	return op_texts[op];
}

/* A copy of the vector `from` in `to`, item by item through `clone`; both of the same type. */
#define VEC_CLONE(a, to, from, clone) do { \
	memset((to), 0, sizeof(*(to))); \
	vec_each(item_, (from)) \
		vec_push((a), (to), clone((a), *item_)); \
} while (0)

static struct type_ref *type_ref_clone(struct arena *a, const struct type_ref *r)
{
	struct type_ref *copy;

	if (!r)
		return NULL;
	copy = arena_new_of(a, struct type_ref);
	*copy = *r; /* dims are never changed and stay shared */
	copy->of = expr_clone(a, r->of);
	copy->of_type = type_ref_clone(a, r->of_type);
	return copy;
}

struct expr *expr_clone(struct arena *a, const struct expr *e)
{
	struct expr *copy;

	if (!e)
		return NULL;
	copy = arena_new_of(a, struct expr);
	*copy = *e; /* names are never changed and stay shared */
	copy->a = expr_clone(a, e->a);
	copy->b = expr_clone(a, e->b);
	copy->c = expr_clone(a, e->c);
	VEC_CLONE(a, &copy->args, &e->args, expr_clone);
	VEC_CLONE(a, &copy->body, &e->body, stmt_clone);
	copy->tref = type_ref_clone(a, e->tref);
	return copy;
}

struct stmt *stmt_clone(struct arena *a, const struct stmt *s)
{
	struct stmt *copy;

	if (!s)
		return NULL;
	copy = arena_new_of(a, struct stmt);
	*copy = *s;
	copy->target = expr_clone(a, s->target);
	copy->value = expr_clone(a, s->value);
	copy->from = expr_clone(a, s->from);
	copy->to = expr_clone(a, s->to);
	copy->tref = type_ref_clone(a, s->tref);
	VEC_CLONE(a, &copy->body, &s->body, stmt_clone);
	VEC_CLONE(a, &copy->other, &s->other, stmt_clone);
	return copy;
}

struct clause *clause_clone(struct arena *a, const struct clause *c)
{
	struct clause *copy = arena_new_of(a, struct clause);

	*copy = *c; /* the probes are as written and stay shared */
	copy->pred = expr_clone(a, c->pred);
	VEC_CLONE(a, &copy->body, &c->body, stmt_clone);
	return copy;
}

static void type_ref_visit(struct type_ref *r, expr_visit_fn fn, void *ctx)
{
	for (; r; r = r->of_type)
		expr_visit(r->of, fn, ctx);
}

static void body_visit(const stmt_vec *body, expr_visit_fn fn, void *ctx)
{
	vec_each(it, body)
		stmt_visit(*it, fn, ctx);
}

void expr_visit(struct expr *e, expr_visit_fn fn, void *ctx)
{
	if (!e)
		return;
	/* The statements of a block run before its value, so they are seen first. */
	body_visit(&e->body, fn, ctx);
	expr_visit(e->a, fn, ctx);
	expr_visit(e->b, fn, ctx);
	expr_visit(e->c, fn, ctx);
	vec_each(it, &e->args)
		expr_visit(*it, fn, ctx);
	type_ref_visit(e->tref, fn, ctx);
	fn(e, ctx);
}

void stmt_visit(struct stmt *s, expr_visit_fn fn, void *ctx)
{
	if (!s)
		return;
	expr_visit(s->target, fn, ctx);
	type_ref_visit(s->tref, fn, ctx);
	expr_visit(s->value, fn, ctx);
	expr_visit(s->from, fn, ctx);
	expr_visit(s->to, fn, ctx);
	body_visit(&s->body, fn, ctx);
	body_visit(&s->other, fn, ctx);
}

void clause_visit(struct clause *c, expr_visit_fn fn, void *ctx)
{
	expr_visit(c->pred, fn, ctx);
	body_visit(&c->body, fn, ctx);
}

const char *expr_label(const struct expr *e)
{
	for (;;) {
		switch (e->kind) {
		case EX_VAR:
			return e->name + (e->name[0] == '$');
		case EX_MAP:
			return e->name[1] ? e->name + 1 : NULL;
		case EX_FIELD: case EX_IDENT:
			return e->name;
		case EX_CAST:
			e = e->a;
			break;
		case EX_CALL:
			/* str(args.filename) is a filename. */
			if (e->is_bare || !e->args.n || !expr_label(e->args.v[0]))
				return e->name;
			e = e->args.v[0];
			break;
		default:
			return NULL;
		}
	}
}
