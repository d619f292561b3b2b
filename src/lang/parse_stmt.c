/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parse: statements and blocks. */
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "lang/parse.h"

static struct stmt *stmt_new(struct parser *p, enum stmt_kind kind, struct span span)
{
	struct stmt *s = arena_new_of(p->arena, struct stmt);

	s->kind = kind;
	s->span = span;
	return s;
}

/* ---- expressions that are statements ---- */

static stmt_vec else_stmts(struct parser *p, struct expr *e);

/* An EX_IF, EX_BLOCK or any other expression as the statement it is when nobody wants its value. */
static struct stmt *expr_stmt(struct parser *p, struct expr *e)
{
	struct stmt *s;

	if (e->kind == EX_IF && !e->parenthesised) {
		s = stmt_new(p, ST_IF, e->span);
		s->value = e->a;
		s->body = parse_block_stmts(p, e->b);
		s->other = else_stmts(p, e->c);
	} else if (e->kind == EX_BLOCK && !e->parenthesised) {
		s = stmt_new(p, ST_BLOCK, e->span);
		s->body = parse_block_stmts(p, e);
	} else {
		s = stmt_new(p, ST_EXPR, e->span);
		s->value = e;
	}
	return s;
}

stmt_vec parse_block_stmts(struct parser *p, const struct expr *block)
{
	stmt_vec body = block->body;

	if (block->a)
		vec_push(p->arena, &body, expr_stmt(p, block->a));
	return body;
}

static stmt_vec else_stmts(struct parser *p, struct expr *e)
{
	stmt_vec body = { 0 };

	if (e && e->kind == EX_BLOCK)
		return parse_block_stmts(p, e);
	if (e)
		vec_push(p->arena, &body, expr_stmt(p, e));
	return body;
}

/* Has it a value on every way through it? */
static bool has_value(const struct expr *e)
{
	for (; e && e->kind == EX_IF; e = e->c)
		if (!e->b->a)
			return false;
	return e && (e->kind != EX_BLOCK || e->a);
}

/* ---- assignments ---- */

static const struct {
	bool is_assign;
	enum op op;
} assign_ops[TOK_NTOKS] = {
	[TOK_ASSIGN] = { true, OP_NONE }, [TOK_ADD_ASSIGN] = { true, OP_ADD },
	[TOK_SUB_ASSIGN] = { true, OP_SUB }, [TOK_MUL_ASSIGN] = { true, OP_MUL },
	[TOK_DIV_ASSIGN] = { true, OP_DIV }, [TOK_MOD_ASSIGN] = { true, OP_MOD },
	[TOK_AND_ASSIGN] = { true, OP_AND }, [TOK_OR_ASSIGN] = { true, OP_OR },
	[TOK_XOR_ASSIGN] = { true, OP_XOR }, [TOK_SHL_ASSIGN] = { true, OP_SHL },
	[TOK_SHR_ASSIGN] = { true, OP_SHR },
};

static bool target_check(struct parser *p, const struct expr *target)
{
	switch (target->kind) {
	case EX_VAR:
	case EX_MAP:
		return true;
	case EX_FIELD:
	case EX_INDEX:
	case EX_UNARY:
		parse_error(p, target->span, "this cannot be assigned to: what is traced is only read");
		return false;
	case EX_IDENT:
		parse_error(p, target->span, "'%s' cannot be assigned to", target->name);
		parse_hint(p, "variables begin with $ and maps with @");
		return false;
	default:
		parse_error(p, target->span, "only variables and maps can be assigned to");
		return false;
	}
}

/* At the operator. A NULL target is `_`. */
static struct stmt *assign_read(struct parser *p, struct expr *target, uint32_t begin)
{
	struct stmt *s = stmt_new(p, ST_ASSIGN, p->tok.span);

	s->op = assign_ops[p->tok.kind].op;
	s->target = target;
	parse_next(p);
	s->value = parse_expr(p);
	if (!s->value)
		return NULL;
	if (assign_ops[p->tok.kind].is_assign) {
		parse_error(p, p->tok.span, "an assignment has no value: it cannot be assigned again");
		parse_hint(p, "write two statements");
		return NULL;
	}
	s->span = parse_span(p, begin);
	return s;
}

static struct stmt *expr_or_assign_read(struct parser *p)
{
	uint32_t begin = p->tok.span.begin;
	struct expr *e;

	if (parse_is(p, "_") && parse_peek(p).kind == TOK_ASSIGN) {
		parse_next(p);
		return assign_read(p, NULL, begin);
	}
	e = parse_expr(p);
	if (!e)
		return NULL;
	if (!assign_ops[p->tok.kind].is_assign)
		return expr_stmt(p, e);
	return target_check(p, e) ? assign_read(p, e, begin) : NULL;
}

/* ---- statements that begin with a word ---- */

static struct expr *var_read(struct parser *p, const char *what)
{
	struct expr *e;

	if (p->tok.kind != TOK_VAR)
		return parse_expected(p, what);
	e = parse_expr_new(p, EX_VAR, p->tok.span);
	e->name = p->tok.text;
	e->name_span = p->tok.span;
	parse_next(p);
	return e;
}

static struct stmt *let_read(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_LET, p->tok.span);

	parse_next(p);
	if (p->tok.kind == TOK_MAP) {
		parse_error(p, p->tok.span, "maps are declared outside of actions");
		parse_hint(p, "at the top of the script: let %s = hash(1000);", p->tok.text);
		return NULL;
	}
	s->target = var_read(p, "a variable to declare");
	if (!s->target)
		return NULL;
	if (parse_take(p, TOK_COLON)) {
		s->tref = parse_type(p);
		if (!s->tref)
			return NULL;
	}
	if (parse_take(p, TOK_ASSIGN)) {
		s->value = parse_expr(p);
		if (!s->value)
			return NULL;
	}
	s->span = parse_span(p, s->span.begin);
	return s;
}

static bool body_read(struct parser *p, struct stmt *s, const char *of)
{
	struct expr *block = parse_block(p, of);

	if (!block)
		return false;
	s->body = parse_block_stmts(p, block);
	s->span = parse_span(p, s->span.begin);
	return true;
}

static struct stmt *while_read(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_WHILE, p->tok.span);

	parse_next(p);
	s->value = parse_condition(p, "a condition");
	return s->value && body_read(p, s, "'while'") ? s : NULL;
}

static struct stmt *unroll_read(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_UNROLL, p->tok.span);

	parse_next(p);
	s->value = parse_expr(p);
	return s->value && body_read(p, s, "'unroll'") ? s : NULL;
}

/* $kv : @map, or $i : from..to */
static bool for_head_read(struct parser *p, struct stmt *s)
{
	struct expr *over;

	s->target = var_read(p, "a variable after 'for'");
	if (!s->target || !parse_expect(p, TOK_COLON, "between the variable and what 'for' goes over"))
		return false;
	over = parse_expr(p);
	if (!over)
		return false;
	if (parse_take(p, TOK_DOTDOT)) {
		s->kind = ST_FOR_RANGE;
		s->from = over;
		s->to = parse_expr(p);
		return s->to;
	}
	if (over->kind != EX_MAP || over->a) {
		parse_error(p, over->span, "'for' goes over a map or a range");
		parse_hint(p, "for ($kv : @map) { ... } or for ($i : 0..10) { ... }");
		return false;
	}
	s->value = over;
	return true;
}

static struct stmt *for_read(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_FOR_MAP, p->tok.span);
	struct span open;
	bool paren;

	parse_next(p);
	open = p->tok.span;
	paren = parse_take(p, TOK_LPAREN);
	p->open += paren;
	if (!for_head_read(p, s))
		return NULL;
	if (paren && !parse_close(p, TOK_RPAREN, open, "to close the head of 'for'"))
		return NULL;
	p->open -= paren;
	return body_read(p, s, "'for'") ? s : NULL;
}

static struct stmt *jump_read(struct parser *p, enum stmt_kind kind)
{
	struct stmt *s = stmt_new(p, kind, p->tok.span);

	parse_next(p);
	return s;
}

static struct stmt *break_read(struct parser *p)
{
	return jump_read(p, ST_BREAK);
}

static struct stmt *continue_read(struct parser *p)
{
	return jump_read(p, ST_CONTINUE);
}

static struct stmt *return_read(struct parser *p)
{
	struct stmt *s = jump_read(p, ST_RETURN);

	if (p->tok.kind == TOK_SEMI || p->tok.kind == TOK_RBRACE)
		return s;
	s->value = parse_expr(p);
	if (!s->value)
		return NULL;
	s->span = parse_span(p, s->span.begin);
	return s;
}

static const struct {
	const char *word;
	struct stmt *(*read)(struct parser *p);
	bool is_block; /* ends with a '}': no ';' is needed */
} word_stmts[] = {
	{ "let", let_read, false }, { "while", while_read, true }, { "for", for_read, true },
	{ "unroll", unroll_read, true }, { "break", break_read, false },
	{ "continue", continue_read, false }, { "return", return_read, false },
};

/* ---- blocks ---- */

bool parse_at_probe(struct parser *p)
{
	const char *word = p->tok.text;

	if (p->tok.kind != TOK_IDENT || !p->tok.newline)
		return false;
	if (lex_at(&p->lx, 0) == ':')
		return true;
	return (!strcasecmp(word, "begin") || !strcasecmp(word, "end")) && parse_peek(p).kind == TOK_LBRACE;
}

/* Between two statements. */
static bool separator_read(struct parser *p)
{
	if (p->tok.kind == TOK_SEMI || p->tok.kind == TOK_RBRACE || p->tok.kind == TOK_EOF || parse_at_probe(p))
		return true;
	parse_expected(p, "';' after the statement");
	/* The next line may well be a statement. */
	return p->tok.newline;
}

/* Can this token, at the beginning of a line, begin a statement? */
static bool begins_stmt(const struct token *t)
{
	return t->newline && (t->kind == TOK_VAR || t->kind == TOK_MAP || t->kind == TOK_IDENT) &&
	       !token_is(t, "else");
}

/* Skip the rest of a statement in which something was wrong. */
static void stmt_skip(struct parser *p, uint32_t open)
{
	uint32_t braces = 0;

	for (;; parse_next(p)) {
		switch (p->tok.kind) {
		case TOK_EOF:
			return;
		case TOK_LPAREN: case TOK_LBRACKET:
			open++;
			break;
		case TOK_RPAREN: case TOK_RBRACKET:
			open -= open > 0;
			break;
		case TOK_LBRACE:
			braces++;
			break;
		case TOK_RBRACE:
			if (!braces)
				return;
			if (--braces)
				break;
			parse_next(p);
			if (!parse_is(p, "else"))
				return;
			break;
		case TOK_SEMI:
			if (!braces)
				return;
			break;
		default:
			if (!braces && ((!open && begins_stmt(&p->tok)) || parse_at_probe(p)))
				return;
		}
	}
}

/* One statement without its separator; a value that ends the block goes to block->a. */
static bool stmt_read(struct parser *p, struct expr *block)
{
	struct stmt *s;
	struct expr *e;

	for (size_t i = 0; i < ARRAY_SIZE(word_stmts); i++) {
		if (!parse_is(p, word_stmts[i].word))
			continue;
		s = word_stmts[i].read(p);
		if (!s)
			return false;
		vec_push(p->arena, &block->body, s);
		return word_stmts[i].is_block || p->unwind || separator_read(p);
	}
	if (parse_is(p, "import"))
		return parse_import(p) && separator_read(p);
	if (parse_is(p, "if") || p->tok.kind == TOK_LBRACE) {
		e = parse_is(p, "if") ? parse_if(p) : parse_block(p, "the block");
		if (!e)
			return false;
		if (p->tok.kind == TOK_RBRACE && has_value(e))
			block->a = e;
		else
			vec_push(p->arena, &block->body, expr_stmt(p, e));
		return true;
	}
	s = expr_or_assign_read(p);
	if (!s)
		return false;
	if (s->kind == ST_EXPR && p->tok.kind == TOK_RBRACE)
		block->a = s->value;
	else
		vec_push(p->arena, &block->body, s);
	return p->unwind || separator_read(p);
}

static void probe_inside(struct parser *p)
{
	/* The '}' may be in a string that is not closed: that has been said. */
	if (!p->lx.bad_end || p->lx.bad_begin < p->clause_begin) {
		parse_error(p, p->tok.span, "a probe cannot begin inside an action");
		parse_hint(p, "is a '}' missing before it?");
	}
	p->unwind = true;
}

static void item_read(struct parser *p, struct expr *block)
{
	uint32_t begin = p->tok.span.begin;

	if (parse_take(p, TOK_SEMI))
		return;
	p->piece_begin = begin;
	if (parse_at_probe(p)) {
		probe_inside(p);
		return;
	}
	p->open = 0;
	if (stmt_read(p, block) || p->unwind)
		return;
	stmt_skip(p, p->open);
	if (p->tok.span.begin == begin && p->tok.kind != TOK_RBRACE)
		parse_next(p);
}

static void block_close(struct parser *p, struct span open)
{
	if (p->unwind || !parse_at_close(p, TOK_RBRACE, open, "to close the block"))
		return;
	if (p->nblocks)
		parse_next(p);
	else
		p->prev_end = p->tok.span.end;
}

struct expr *parse_block(struct parser *p, const char *of)
{
	uint32_t open = p->open;
	bool in_predicate = p->in_predicate;
	struct span brace = p->tok.span;
	struct expr *block;

	if (p->tok.kind != TOK_LBRACE)
		return parse_expected(p, arena_printf(p->arena, "'{' to begin %s%s",
						      of[0] == '\'' ? "the body of " : "", of));
	if (!parse_enter(p))
		return NULL;
	block = parse_expr_new(p, EX_BLOCK, brace);
	p->in_predicate = false;
	p->nblocks++;
	parse_next(p);
	while (p->tok.kind != TOK_RBRACE && p->tok.kind != TOK_EOF && !p->unwind)
		item_read(p, block);
	p->nblocks--;
	p->in_predicate = in_predicate;
	p->open = open;
	parse_leave(p);
	block_close(p, brace);
	block->span = parse_span(p, brace.begin);
	return block;
}
