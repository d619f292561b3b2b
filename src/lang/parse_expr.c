/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parse: expressions, with the precedence of C. */
#include <string.h>

#include "base/util.h"
#include "lang/parse.h"

static struct expr *unary_read(struct parser *p);
static struct expr *operand_read(struct parser *p);

struct expr *parse_expr_new(struct parser *p, enum expr_kind kind, struct span span)
{
	struct expr *e = arena_new_of(p->arena, struct expr);

	e->kind = kind;
	e->span = span;
	return e;
}

/* An expression made of the token in hand, which is taken. */
static struct expr *leaf_new(struct parser *p, enum expr_kind kind)
{
	struct expr *e = parse_expr_new(p, kind, p->tok.span);

	e->name_span = p->tok.span;
	if (kind == EX_STR) {
		e->str = p->tok.text;
		e->str_len = p->tok.len;
	} else {
		e->name = p->tok.text;
		e->num = p->tok.num;
	}
	parse_next(p);
	return e;
}

/* ---- names, calls, maps ---- */

/* Expressions with commas between them, up to `end`, which is left in hand. */
static bool list_read(struct parser *p, expr_vec *out, enum tok end)
{
	if (p->tok.kind == end)
		return true;
	for (;;) {
		struct expr *e = parse_expr(p);

		if (!e)
			return false;
		vec_push(p->arena, out, e);
		if (p->tok.kind != TOK_COMMA)
			return true;
		parse_next(p);
	}
}

static struct span open_take(struct parser *p)
{
	struct span open = p->tok.span;

	p->open++;
	parse_next(p);
	return open;
}

static bool open_close(struct parser *p, enum tok kind, struct span open, const char *why)
{
	if (!parse_close(p, kind, open, why))
		return false;
	p->open--;
	return true;
}

static struct expr *call_read(struct parser *p, struct expr *e)
{
	struct span open = open_take(p);

	e->kind = EX_CALL;
	if (!list_read(p, &e->args, TOK_RPAREN) ||
	    !open_close(p, TOK_RPAREN, open, "to close the argument list"))
		return NULL;
	e->span = parse_span(p, e->span.begin);
	return e;
}

static struct expr *map_read(struct parser *p)
{
	struct expr *e = leaf_new(p, EX_MAP);
	expr_vec keys = { 0 };
	struct span open;

	if (p->tok.kind != TOK_LBRACKET)
		return e;
	open = open_take(p);
	if (p->tok.kind == TOK_RBRACKET)
		return parse_expected(p, "a key between the brackets");
	if (!list_read(p, &keys, TOK_RBRACKET) || !open_close(p, TOK_RBRACKET, open, "to close the map's key"))
		return NULL;
	e->span = parse_span(p, e->span.begin);
	e->a = keys.v[0];
	if (keys.n > 1) {
		e->a = parse_expr_new(p, EX_TUPLE, span_join(keys.v[0]->span, keys.v[keys.n - 1]->span));
		e->a->args = keys;
	}
	return e;
}

/* ---- sizeof, offsetof ---- */

/* ( type or expression: into e->tref or e->a. `end` follows. */
static bool type_or_expr_read(struct parser *p, struct expr *e, enum tok end)
{
	if (parse_looks_like_type(p, end, false)) {
		p->open++;
		parse_next(p);
		e->tref = parse_type(p);
		return e->tref;
	}
	p->open++;
	parse_next(p);
	e->a = parse_expr(p);
	return e->a;
}

static struct expr *sizeof_read(struct parser *p)
{
	struct expr *e = leaf_new(p, EX_SIZEOF);
	struct span open = p->tok.span;

	if (p->tok.kind != TOK_LPAREN)
		return parse_expected(p, "'(' after sizeof");
	if (!type_or_expr_read(p, e, TOK_RPAREN) || !open_close(p, TOK_RPAREN, open, "to close sizeof"))
		return NULL;
	e->span = parse_span(p, e->span.begin);
	return e;
}

static bool member_path_read(struct parser *p, struct expr *e)
{
	do {
		if (p->tok.kind != TOK_IDENT) {
			parse_expected(p, "the name of a member");
			return false;
		}
		vec_push(p->arena, &e->names, p->tok.text);
		parse_next(p);
	} while (parse_take(p, TOK_DOT));
	return true;
}

static struct expr *offsetof_read(struct parser *p)
{
	struct expr *e = leaf_new(p, EX_OFFSETOF);
	struct span open = p->tok.span;

	if (p->tok.kind != TOK_LPAREN)
		return parse_expected(p, "'(' after offsetof");
	if (!type_or_expr_read(p, e, TOK_COMMA) ||
	    !parse_expect(p, TOK_COMMA, "and the name of a member in offsetof"))
		return NULL;
	if (!member_path_read(p, e) || !open_close(p, TOK_RPAREN, open, "to close offsetof"))
		return NULL;
	e->span = parse_span(p, e->span.begin);
	return e;
}

/* typeinfo(type or expression): a call whose argument may be a type, then in tref. */
static struct expr *typeinfo_read(struct parser *p)
{
	struct expr *e = leaf_new(p, EX_IDENT);
	struct span open = p->tok.span;

	if (p->tok.kind != TOK_LPAREN)
		return e;
	if (!parse_looks_like_type(p, TOK_RPAREN, false))
		return call_read(p, e);
	e->kind = EX_CALL;
	if (!type_or_expr_read(p, e, TOK_RPAREN) || !open_close(p, TOK_RPAREN, open, "to close typeinfo"))
		return NULL;
	e->span = parse_span(p, e->span.begin);
	return e;
}

/* container_of(pointer, type, member): a call with the type in tref and the path in names. */
static struct expr *container_of_read(struct parser *p)
{
	struct expr *e = leaf_new(p, EX_IDENT), *of;
	struct span open = p->tok.span;

	if (p->tok.kind != TOK_LPAREN)
		return e;
	e->kind = EX_CALL;
	p->open++;
	parse_next(p);
	of = parse_expr(p);
	if (!of || !parse_expect(p, TOK_COMMA, "and a type in container_of"))
		return NULL;
	vec_push(p->arena, &e->args, of);
	e->tref = parse_type(p);
	if (!e->tref || !parse_expect(p, TOK_COMMA, "and the name of a member in container_of") ||
	    !member_path_read(p, e) || !open_close(p, TOK_RPAREN, open, "to close container_of"))
		return NULL;
	e->span = parse_span(p, e->span.begin);
	return e;
}

static struct expr *bool_read(struct parser *p, bool value)
{
	struct expr *e = leaf_new(p, EX_BOOL);

	e->num = value;
	return e;
}

static struct expr *comptime_read(struct parser *p)
{
	struct expr *e = parse_expr_new(p, EX_COMPTIME, p->tok.span);

	parse_next(p);
	e->a = operand_read(p);
	if (!e->a)
		return NULL;
	e->span = span_join(e->span, e->a->span);
	return e;
}

static const struct {
	const char *word;
	struct expr *(*read)(struct parser *p);
} word_exprs[] = {
	{ "if", parse_if }, { "sizeof", sizeof_read }, { "offsetof", offsetof_read },
	{ "comptime", comptime_read }, { "typeinfo", typeinfo_read },
	{ "container_of", container_of_read },
};

static struct expr *word_read(struct parser *p)
{
	struct expr *e;

	if (parse_is(p, "true") || parse_is(p, "false"))
		return bool_read(p, parse_is(p, "true"));
	for (size_t i = 0; i < ARRAY_SIZE(word_exprs); i++)
		if (parse_is(p, word_exprs[i].word))
			return word_exprs[i].read(p);
	if (is_keyword(p->tok.text))
		return parse_expected(p, "an expression");
	e = leaf_new(p, EX_IDENT);
	return p->tok.kind == TOK_LPAREN ? call_read(p, e) : e;
}

/* ---- what begins with a parenthesis ---- */

static struct expr *cast_read(struct parser *p)
{
	struct expr *e = parse_expr_new(p, EX_CAST, p->tok.span);
	struct span open = open_take(p);

	e->tref = parse_type(p);
	if (!e->tref || !open_close(p, TOK_RPAREN, open, "to close the cast"))
		return NULL;
	e->a = operand_read(p);
	if (!e->a)
		return NULL;
	e->span = span_join(e->span, e->a->span);
	return e;
}

/* (a=1, b=2) */
static struct expr *record_read(struct parser *p, struct span open)
{
	struct expr *e = parse_expr_new(p, EX_RECORD, open);

	do {
		struct expr *value;

		if (p->tok.kind == TOK_RPAREN && e->args.n)
			break;
		if (p->tok.kind != TOK_IDENT)
			return parse_expected(p, "the name of a member of the record");
		vec_push(p->arena, &e->names, p->tok.text);
		parse_next(p);
		if (!parse_expect(p, TOK_ASSIGN, "and the value of the record's member"))
			return NULL;
		value = parse_expr(p);
		if (!value)
			return NULL;
		vec_push(p->arena, &e->args, value);
	} while (parse_take(p, TOK_COMMA));
	if (!open_close(p, TOK_RPAREN, open, "to close the record"))
		return NULL;
	e->span = parse_span(p, open.begin);
	return e;
}

/* The rest of (first, ...) */
static struct expr *tuple_read(struct parser *p, struct span open, struct expr *first)
{
	struct expr *e = parse_expr_new(p, EX_TUPLE, open);

	if (first)
		vec_push(p->arena, &e->args, first);
	while (parse_take(p, TOK_COMMA)) {
		struct expr *item;

		if (p->tok.kind == TOK_RPAREN)
			break;
		item = parse_expr(p);
		if (!item)
			return NULL;
		vec_push(p->arena, &e->args, item);
	}
	if (!open_close(p, TOK_RPAREN, open, "to close the tuple"))
		return NULL;
	e->span = parse_span(p, open.begin);
	return e;
}

static struct expr *paren_read(struct parser *p)
{
	struct span open = open_take(p);
	struct expr *e;

	if (p->tok.kind == TOK_RPAREN)
		return tuple_read(p, open, NULL);
	if (p->tok.kind == TOK_IDENT && parse_peek(p).kind == TOK_ASSIGN)
		return record_read(p, open);
	e = parse_expr(p);
	if (!e)
		return NULL;
	if (p->tok.kind == TOK_COMMA)
		return tuple_read(p, open, e);
	if (!open_close(p, TOK_RPAREN, open, "to close the parenthesis"))
		return NULL;
	e->parenthesised = true;
	e->span = parse_span(p, open.begin);
	return e;
}

/* Literals that follow each other are one, as in C. */
static struct expr *string_read(struct parser *p)
{
	struct expr *e = leaf_new(p, EX_STR);

	while (p->tok.kind == TOK_STR) {
		char *both = arena_alloc(p->arena, (size_t)e->str_len + p->tok.len + 1);

		memcpy(both, e->str, e->str_len);
		memcpy(both + e->str_len, p->tok.text, p->tok.len);
		both[e->str_len + p->tok.len] = 0;
		e->str = both;
		e->str_len += p->tok.len;
		parse_next(p);
		e->span = e->name_span = parse_span(p, e->span.begin);
	}
	return e;
}

static struct expr *primary_read(struct parser *p)
{
	switch (p->tok.kind) {
	case TOK_INT: return leaf_new(p, EX_INT);
	case TOK_STR: return string_read(p);
	case TOK_VAR: return leaf_new(p, EX_VAR);
	case TOK_PARAM: return leaf_new(p, EX_PARAM);
	case TOK_PARAM_COUNT: return leaf_new(p, EX_PARAM_COUNT);
	case TOK_MAP: return map_read(p);
	case TOK_IDENT: return word_read(p);
	case TOK_LPAREN: return paren_read(p);
	case TOK_LBRACE: return parse_block(p, "the block");
	default: return parse_expected(p, "an expression");
	}
}

/* ---- what follows an operand ---- */

static bool is_decimal(const struct token *t)
{
	return t->kind == TOK_INT && strspn(t->text, "0123456789") == t->len;
}

static struct expr *field_read(struct parser *p, struct expr *of)
{
	struct expr *e = parse_expr_new(p, EX_FIELD, of->span);

	e->arrow = p->tok.kind == TOK_ARROW;
	e->a = of;
	parse_next(p);
	if (p->tok.kind != TOK_IDENT && !is_decimal(&p->tok))
		return parse_expected(p, arena_printf(p->arena, "the name of a member after '%s'",
						      e->arrow ? "->" : "."));
	e->name = p->tok.text;
	e->name_span = p->tok.span;
	parse_next(p);
	e->span = parse_span(p, of->span.begin);
	return e;
}

static struct expr *index_read(struct parser *p, struct expr *of)
{
	struct expr *e = parse_expr_new(p, EX_INDEX, of->span);
	struct span open = open_take(p);

	e->a = of;
	e->b = parse_expr(p);
	if (!e->b || !open_close(p, TOK_RBRACKET, open, "to close the index"))
		return NULL;
	e->span = parse_span(p, of->span.begin);
	return e;
}

static struct expr *incdec_new(struct parser *p, enum op op, bool is_prefix, struct expr *of, struct span span)
{
	struct expr *e = parse_expr_new(p, EX_INCDEC, span);

	if (of->kind != EX_VAR && of->kind != EX_MAP)
		return parse_error(p, of->span, "'%s' needs a variable or a map", op_text(op));
	e->op = op;
	e->is_prefix = is_prefix;
	e->a = of;
	return e;
}

static struct expr *postfix_read(struct parser *p)
{
	struct expr *e = primary_read(p);

	while (e) {
		enum tok kind = p->tok.kind;

		if (kind == TOK_DOT || kind == TOK_ARROW) {
			e = field_read(p, e);
		} else if (kind == TOK_LBRACKET) {
			e = index_read(p, e);
		} else if ((kind == TOK_INC || kind == TOK_DEC) && !p->tok.newline) {
			parse_next(p);
			e = incdec_new(p, kind == TOK_INC ? OP_INC : OP_DEC, false, e,
				       parse_span(p, e->span.begin));
		} else {
			break;
		}
	}
	return e;
}

/* ---- operators ---- */

static const enum op unary_ops[TOK_NTOKS] = {
	[TOK_BANG] = OP_NOT, [TOK_TILDE] = OP_BITNOT, [TOK_MINUS] = OP_NEG, [TOK_STAR] = OP_DEREF,
	[TOK_AMP] = OP_ADDR, [TOK_INC] = OP_INC, [TOK_DEC] = OP_DEC,
};

static struct expr *prefix_read(struct parser *p)
{
	struct span span = p->tok.span;
	enum op op = unary_ops[p->tok.kind];
	struct expr *of, *e;

	parse_next(p);
	of = operand_read(p);
	if (!of)
		return NULL;
	span = span_join(span, of->span);
	if (op == OP_INC || op == OP_DEC)
		return incdec_new(p, op, true, of, span);
	if (op == OP_NONE) { /* +x */
		of->span = span;
		return of;
	}
	e = parse_expr_new(p, EX_UNARY, span);
	e->op = op;
	e->a = of;
	return e;
}

static struct expr *unary_read(struct parser *p)
{
	if (unary_ops[p->tok.kind] || p->tok.kind == TOK_PLUS)
		return prefix_read(p);
	if (p->tok.kind == TOK_LPAREN && parse_looks_like_type(p, TOK_RPAREN, true))
		return cast_read(p);
	return postfix_read(p);
}

/* What an operator in front stands before: these nest without parentheses. */
static struct expr *operand_read(struct parser *p)
{
	struct expr *e;

	if (!parse_enter(p))
		return NULL;
	e = unary_read(p);
	parse_leave(p);
	return e;
}

static const struct {
	enum op op;
	int level;
} binary_ops[TOK_NTOKS] = {
	[TOK_LOR] = { OP_LOR, 1 }, [TOK_LAND] = { OP_LAND, 2 }, [TOK_PIPE] = { OP_OR, 3 },
	[TOK_CARET] = { OP_XOR, 4 }, [TOK_AMP] = { OP_AND, 5 }, [TOK_EQ] = { OP_EQ, 6 },
	[TOK_NE] = { OP_NE, 6 }, [TOK_LT] = { OP_LT, 7 }, [TOK_LE] = { OP_LE, 7 }, [TOK_GT] = { OP_GT, 7 },
	[TOK_GE] = { OP_GE, 7 }, [TOK_SHL] = { OP_SHL, 8 }, [TOK_SHR] = { OP_SHR, 8 },
	[TOK_PLUS] = { OP_ADD, 9 }, [TOK_MINUS] = { OP_SUB, 9 }, [TOK_STAR] = { OP_MUL, 10 },
	[TOK_SLASH] = { OP_DIV, 10 }, [TOK_PERCENT] = { OP_MOD, 10 },
};

/* In `/a / b/ {` the last '/' is the end: the one that the action follows. */
static bool at_predicate_end(struct parser *p)
{
	return p->in_predicate && !p->open && p->tok.kind == TOK_SLASH && parse_peek(p).kind == TOK_LBRACE;
}

static struct expr *binary_read(struct parser *p, int lowest)
{
	struct expr *left = unary_read(p);

	while (left && binary_ops[p->tok.kind].level >= lowest && !at_predicate_end(p)) {
		enum tok kind = p->tok.kind;
		struct expr *e, *right;

		parse_next(p);
		right = binary_read(p, binary_ops[kind].level + 1);
		if (!right)
			return NULL;
		e = parse_expr_new(p, EX_BINARY, span_join(left->span, right->span));
		e->op = binary_ops[kind].op;
		e->a = left;
		e->b = right;
		left = e;
	}
	return left;
}

static struct expr *ternary_read(struct parser *p, struct expr *cond)
{
	struct expr *e = parse_expr_new(p, EX_TERNARY, cond->span);

	parse_next(p);
	e->a = cond;
	e->b = parse_expr(p);
	if (!e->b || !parse_expect(p, TOK_COLON, "between the two values of '?'"))
		return NULL;
	e->c = parse_expr(p);
	if (!e->c)
		return NULL;
	e->span = span_join(cond->span, e->c->span);
	return e;
}

struct expr *parse_expr(struct parser *p)
{
	struct expr *e;

	if (!parse_enter(p))
		return NULL;
	e = binary_read(p, 1);
	if (e && p->tok.kind == TOK_QUESTION)
		e = ternary_read(p, e);
	parse_leave(p);
	return e;
}

struct expr *parse_condition(struct parser *p, const char *of)
{
	struct expr *e = parse_expr(p);

	if (!e)
		return NULL;
	/* (pid = 1) is a record everywhere else. */
	if (p->tok.kind == TOK_ASSIGN || e->kind == EX_RECORD) {
		parse_error(p, p->tok.kind == TOK_ASSIGN ? p->tok.span : e->span,
			    "'=' assigns; %s compares with '=='", of);
		return NULL;
	}
	return e;
}

/* At else: another if, or a block. */
static struct expr *else_read(struct parser *p)
{
	parse_next(p);
	return parse_is(p, "if") ? parse_if(p) : parse_block(p, "'else'");
}

struct expr *parse_if(struct parser *p)
{
	struct expr *e = parse_expr_new(p, EX_IF, p->tok.span);

	if (!parse_enter(p))
		return NULL;
	parse_next(p);
	e->a = parse_condition(p, "a condition");
	e->b = e->a ? parse_block(p, "'if'") : NULL;
	if (e->b && parse_is(p, "else")) {
		e->c = else_read(p);
		if (!e->c)
			e->b = NULL;
	}
	parse_leave(p);
	e->span = parse_span(p, e->span.begin);
	return e->b ? e : NULL;
}
