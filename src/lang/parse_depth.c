/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parse: the height of trees. Nesting is limited while parsing, but `1 + 1 + 1 + ...` or `$a.b.b.b...`
 * grow high without nesting, and all later passes recurse. This one does not.
 */
#include "lang/parse.h"

#define HEIGHT_MOST 1000u

struct place {
	const struct expr *e; /* or */
	const struct stmt *s; /* or */
	const struct type_ref *r;
	uint32_t level;
};

typedef VEC(struct place) places;

static void expr_push(struct parser *p, places *todo, const struct expr *e, uint32_t level)
{
	if (e)
		vec_push(p->arena, todo, ((struct place){ .e = e, .level = level }));
}

static void type_push(struct parser *p, places *todo, const struct type_ref *r, uint32_t level)
{
	if (r)
		vec_push(p->arena, todo, ((struct place){ .r = r, .level = level }));
}

static void body_push(struct parser *p, places *todo, const stmt_vec *body, uint32_t level)
{
	vec_each(it, body)
		vec_push(p->arena, todo, ((struct place){ .s = *it, .level = level }));
}

static void place_open(struct parser *p, places *todo, const struct place *at)
{
	uint32_t below = at->level + 1;

	if (at->e) {
		expr_push(p, todo, at->e->a, below);
		expr_push(p, todo, at->e->b, below);
		expr_push(p, todo, at->e->c, below);
		vec_each(it, &at->e->args)
			expr_push(p, todo, *it, below);
		body_push(p, todo, &at->e->body, below);
		type_push(p, todo, at->e->tref, below);
	} else if (at->s) {
		expr_push(p, todo, at->s->target, below);
		expr_push(p, todo, at->s->value, below);
		expr_push(p, todo, at->s->from, below);
		expr_push(p, todo, at->s->to, below);
		body_push(p, todo, &at->s->body, below);
		body_push(p, todo, &at->s->other, below);
		type_push(p, todo, at->s->tref, below);
	} else if (at->r) {
		expr_push(p, todo, at->r->of, below);
		type_push(p, todo, at->r->of_type, below);
	}
}

bool parse_too_high(struct parser *p, const struct expr *e, const stmt_vec *body)
{
	places todo = { 0 };

	expr_push(p, &todo, e, 1);
	if (body)
		body_push(p, &todo, body, 1);
	while (todo.n) {
		struct place at = todo.v[--todo.n];

		if (at.level > HEIGHT_MOST) {
			struct span span = at.e ? at.e->span : at.s ? at.s->span : at.r->span;

			diag_error(p->diags, span, "more than %u operations depend on each other here", HEIGHT_MOST);
			diag_hint(p->diags, "keep parts of it in variables");
			return true;
		}
		place_open(p, &todo, &at);
	}
	return false;
}
