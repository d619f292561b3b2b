/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fold: operations on literals become literals while the tree is checked, so that sizes, counts and
 * formats may be written as expressions. Numbers are 64 bits wide; a result that does not fit wraps
 * and is warned about.
 */
#include "lang/check_priv.h"

bool expr_is_literal(const struct expr *e)
{
	return e->kind == EX_INT || e->kind == EX_BOOL || e->kind == EX_STR;
}

static void expr_clear(struct expr *e, enum expr_kind kind)
{
	struct expr blank = { .kind = kind, .span = e->span, .name_span = e->name_span,
			      .parenthesised = e->parenthesised };

	*e = blank;
}

void expr_become_int(struct expr *e, int64_t value, bool is_signed)
{
	expr_clear(e, EX_INT);
	e->num = (uint64_t)value;
	e->negative_ok = is_signed && value < 0;
	e->type = type_of_literal(e->num, e->negative_ok);
}

void expr_become_string(struct arena *a, struct expr *e, const char *text, uint32_t len)
{
	expr_clear(e, EX_STR);
	e->str = arena_strndup(a, text, len);
	e->str_len = len;
	e->type = type_string(a, len + 1);
}

static void expr_become_bool(struct expr *e, bool value)
{
	expr_clear(e, EX_BOOL);
	e->num = value;
	e->type = &type_bool;
}

void expr_replace(struct expr *e, const struct expr *with)
{
	struct span span = e->span;
	bool parenthesised = e->parenthesised;

	*e = *with;
	e->span = span;
	e->parenthesised = parenthesised;
}

bool literal_is_true(const struct expr *e)
{
	return e->kind == EX_STR ? e->str_len > 0 : e->num != 0;
}

static bool is_number(const struct expr *e)
{
	return e->kind == EX_INT || e->kind == EX_BOOL;
}

static void warn_wraps(struct checker *c, const struct expr *e)
{
	diag_warn(c->diags, e->span, "the result does not fit 64 bits and wraps around");
}

int fold_unary(struct checker *c, struct expr *e)
{
	const struct expr *a = e->a;
	bool negative = a->negative_ok;
	uint64_t v = a->num;

	if (!is_number(a))
		return 0;
	switch (e->op) {
	case OP_NOT:
		expr_become_bool(e, !v);
		break;
	case OP_BITNOT:
		if (a->kind == EX_INT)
			expr_become_int(e, (int64_t)~v, negative);
		break;
	case OP_NEG:
		if (a->kind != EX_INT)
			break;
		if (!negative && v > (uint64_t)INT64_MAX + 1)
			warn_wraps(c, e);
		expr_become_int(e, (int64_t)(0 - v), !negative);
		break;
	default:
		break;
	}
	return 0;
}

/* -1, 0, 1: how two numbers stand to one another; a negative one is below every other. */
static int compare_numbers(const struct expr *x, const struct expr *y)
{
	bool nx = x->negative_ok, ny = y->negative_ok;

	if (nx != ny)
		return nx ? -1 : 1;
	if (nx)
		return (int64_t)x->num < (int64_t)y->num ? -1 : (int64_t)x->num > (int64_t)y->num;
	return x->num < y->num ? -1 : x->num > y->num;
}

static int compare_strings(const struct expr *x, const struct expr *y)
{
	int d = memcmp(x->str, y->str, MIN(x->str_len, y->str_len));

	return d ? d : x->str_len < y->str_len ? -1 : x->str_len > y->str_len;
}

static bool compare_holds(enum op op, int d)
{
	switch (op) {
	case OP_EQ:
		return d == 0;
	case OP_NE:
		return d != 0;
	case OP_LT:
		return d < 0;
	case OP_LE:
		return d <= 0;
	case OP_GT:
		return d > 0;
	default:
		return d >= 0;
	}
}

/* A value of up to 65 bits and sign; what arithmetic on literals yields before it is cut to 64 bits. */
typedef __int128 wide;

static wide wide_of(const struct expr *e)
{
	return e->negative_ok ? (wide)(int64_t)e->num : (wide)e->num;
}

static void become_wide(struct checker *c, struct expr *e, wide v)
{
	if (v < INT64_MIN || v > (wide)UINT64_MAX)
		warn_wraps(c, e);
	expr_become_int(e, (int64_t)(uint64_t)v, v < 0);
}

static int fold_division(struct checker *c, struct expr *e)
{
	wide x = wide_of(e->a), y = wide_of(e->b);

	if (!y)
		return check_error(c, e->span, "division by zero");
	become_wide(c, e, e->op == OP_DIV ? x / y : x % y);
	return 0;
}

static int fold_shift(struct checker *c, struct expr *e)
{
	uint64_t v = e->a->num;
	bool negative = e->a->negative_ok;

	if (e->b->negative_ok || e->b->num > 63)
		return check_error(c, e->b->span, "a shift must be by 0 to 63 bits");
	if (e->op == OP_SHL)
		v <<= e->b->num;
	else
		v = negative ? (uint64_t)((int64_t)v >> e->b->num) : v >> e->b->num;
	expr_become_int(e, (int64_t)v, negative);
	return 0;
}

static int fold_numbers(struct checker *c, struct expr *e)
{
	wide x = wide_of(e->a), y = wide_of(e->b);
	bool negative = e->a->negative_ok || e->b->negative_ok;

	switch (e->op) {
	case OP_ADD:
		become_wide(c, e, x + y);
		break;
	case OP_SUB:
		become_wide(c, e, x - y);
		break;
	case OP_MUL:
		if ((wide)(int64_t)x == x && (wide)(int64_t)y == y) {
			become_wide(c, e, x * y);
		} else {
			/* the exact product may need 128 bits: find out by dividing */
			uint64_t p = e->a->num * e->b->num;

			if (e->a->num && (negative || p / e->a->num != e->b->num))
				warn_wraps(c, e);
			expr_become_int(e, (int64_t)p, negative);
		}
		break;
	case OP_DIV:
	case OP_MOD:
		return fold_division(c, e);
	case OP_AND:
		expr_become_int(e, (int64_t)(e->a->num & e->b->num), negative);
		break;
	case OP_OR:
		expr_become_int(e, (int64_t)(e->a->num | e->b->num), negative);
		break;
	case OP_XOR:
		expr_become_int(e, (int64_t)(e->a->num ^ e->b->num), negative);
		break;
	case OP_SHL:
	case OP_SHR:
		return fold_shift(c, e);
	default:
		break;
	}
	return 0;
}

/* "foo" + 1 is "oo": what remains behind that many bytes; "foo" + "bar" is both. */
static int fold_string_add(struct checker *c, struct expr *e)
{
	const struct expr *s = e->a->kind == EX_STR ? e->a : e->b, *n = s == e->a ? e->b : e->a;
	char *text;

	if (n->kind == EX_STR) {
		text = arena_alloc(c->arena, (size_t)s->str_len + n->str_len + 1);
		memcpy(text, s->str, s->str_len);
		memcpy(text + s->str_len, n->str, n->str_len);
		expr_become_string(c->arena, e, text, s->str_len + n->str_len);
		return 0;
	}
	if (n->kind != EX_INT)
		return 0;
	if (n->negative_ok)
		return check_error(c, e->span, "there is nothing before the beginning of a string");
	if (n->num > s->str_len || (n->num == s->str_len && n->num))
		diag_warn(c->diags, e->span, "the string has %u bytes: nothing remains of it", s->str_len);
	if (n->num >= s->str_len)
		expr_become_string(c->arena, e, "", 0);
	else
		expr_become_string(c->arena, e, s->str + n->num, s->str_len - (uint32_t)n->num);
	return 0;
}

int fold_binary(struct checker *c, struct expr *e)
{
	const struct expr *a = e->a, *b = e->b;

	if (!expr_is_literal(a) || !expr_is_literal(b))
		return 0;
	if (e->op == OP_LAND || e->op == OP_LOR) {
		bool x = literal_is_true(a), y = literal_is_true(b);

		expr_become_bool(e, e->op == OP_LAND ? x && y : x || y);
		return 0;
	}
	if (a->kind == EX_STR || b->kind == EX_STR) {
		if (op_is_compare(e->op) && a->kind == b->kind)
			expr_become_bool(e, compare_holds(e->op, compare_strings(a, b)));
		else if (e->op == OP_ADD)
			return fold_string_add(c, e);
		return 0;
	}
	if (op_is_compare(e->op)) {
		expr_become_bool(e, compare_holds(e->op, compare_numbers(a, b)));
		return 0;
	}
	return fold_numbers(c, e);
}
