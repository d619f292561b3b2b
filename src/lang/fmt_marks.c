/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fmt, marks: where the tree tells apart what looks alike: -x and a - b, *p and a * b, { } and { }. */
#include <string.h>

#include "base/util.h"
#include "lang/fmt.h"

struct marking {
	uint8_t *marks;
	const char *text;
	uint32_t len;
	uint16_t file;
};

static void expr_mark(struct marking *m, const struct expr *e);
static void stmts_mark(struct marking *m, const stmt_vec *body);

static void mark(struct marking *m, uint32_t at, uint8_t bit)
{
	if (at <= m->len)
		m->marks[at] |= bit;
}

/* ---- types ---- */

static void type_mark(struct marking *m, const struct type_ref *r)
{
	for (uint32_t i = r ? r->span.begin : 0; r && i < r->span.end; i++)
		mark(m, i, MARK_TYPE);
	for (; r; r = r->of_type) {
		if (!r->of)
			continue;
		/* typeof(a * b): no type any more */
		for (uint32_t i = r->of->span.begin; i < r->of->span.end; i++)
			m->marks[i] &= (uint8_t)~MARK_TYPE;
		expr_mark(m, r->of);
	}
}

/* ---- expressions ---- */

/* The '{' of a block; parentheses may stand around it. */
static void value_block_mark(struct marking *m, const struct expr *e)
{
	uint32_t at = e->span.begin;

	while (at < e->span.end && (m->text[at] == '(' || m->text[at] == ' ' || m->text[at] == '\n' ||
				    m->text[at] == '\t'))
		at++;
	mark(m, at, MARK_VALUE_BLOCK);
}

static void expr_mark(struct marking *m, const struct expr *e)
{
	if (!e)
		return;
	if ((e->kind == EX_UNARY || e->kind == EX_CAST || (e->kind == EX_INCDEC && e->is_prefix)) && e->a)
		mark(m, e->a->span.begin, MARK_OPERAND);
	if (e->kind == EX_BLOCK)
		value_block_mark(m, e);
	stmts_mark(m, &e->body);
	expr_mark(m, e->a);
	expr_mark(m, e->b);
	expr_mark(m, e->c);
	vec_each(it, &e->args)
		expr_mark(m, *it);
	type_mark(m, e->tref);
}

/* ---- statements ---- */

static void stmt_mark(struct marking *m, const struct stmt *s)
{
	switch (s->kind) {
	case ST_IF: case ST_WHILE: case ST_FOR_MAP: case ST_FOR_RANGE: case ST_UNROLL: case ST_BLOCK:
		mark(m, s->span.end, MARK_BLOCK_END);
		break;
	default:
		mark(m, s->span.end, MARK_STMT_END);
	}
	if (s->kind == ST_LET)
		mark(m, s->target->span.end, MARK_DECLARED);
	expr_mark(m, s->target);
	expr_mark(m, s->value);
	expr_mark(m, s->from);
	expr_mark(m, s->to);
	type_mark(m, s->tref);
	stmts_mark(m, &s->body);
	stmts_mark(m, &s->other);
}

static void stmts_mark(struct marking *m, const stmt_vec *body)
{
	vec_each(it, body)
		stmt_mark(m, *it);
}

/* ---- the rest ---- */

static void subprog_mark(struct marking *m, const struct subprog *s)
{
	vec_each(p, &s->params) {
		mark(m, p->span.begin + (uint32_t)strlen(p->name), MARK_DECLARED);
		type_mark(m, p->tref);
	}
	type_mark(m, s->ret);
	stmts_mark(m, &s->body);
}

static void decls_mark(struct marking *m, const struct script *s)
{
	vec_each(it, &s->configs) {
		if (it->span.file == m->file)
			mark(m, it->span.end, MARK_STMT_END);
	}
	vec_each(it, &s->map_decls) {
		if (it->span.file == m->file)
			expr_mark(m, it->max_entries);
	}
	vec_each(it, &s->macros) {
		if ((*it)->span.file == m->file)
			expr_mark(m, (*it)->body);
	}
	vec_each(it, &s->subprogs) {
		if ((*it)->span.file == m->file)
			subprog_mark(m, *it);
	}
}

uint8_t *fmt_marks(const struct script *s, uint16_t file)
{
	const struct source *src = source_of(s->sources, (struct span){ .file = file });
	struct marking m = { .text = src->text, .len = src->len, .file = file };

	m.marks = arena_alloc(s->arena, src->len + 1);
	decls_mark(&m, s);
	vec_each(it, &s->clauses) {
		if ((*it)->span.file != file)
			continue;
		mark(&m, (*it)->span.begin, MARK_CLAUSE);
		expr_mark(&m, (*it)->pred);
		stmts_mark(&m, &(*it)->body);
	}
	return m.marks;
}
