/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expressions of the checker: literals, operators, choices, tuples and blocks. Fields, elements and
 * casts are in check_access.c, names and calls in check_call.c, variables and maps in their own files.
 */
#include "lang/check_priv.h"

bool op_is_compare(enum op op)
{
	return op >= OP_EQ && op <= OP_GE;
}

static bool op_is_logical(enum op op)
{
	return op == OP_LAND || op == OP_LOR;
}

/* ---- literals ---- */

static int check_int(struct checker *c, struct expr *e)
{
	(void)c;
	if (!e->type || e->type->kind != TY_ENUM)
		e->type = type_of_literal(e->num, e->negative_ok);
	return 0;
}

static int check_bool(struct checker *c, struct expr *e)
{
	(void)c;
	e->type = &type_bool;
	return 0;
}

static int check_str(struct checker *c, struct expr *e)
{
	if (!e->type)
		e->type = type_string(c->arena, e->str_len + 1);
	return 0;
}

/* ---- values ---- */

const struct func_def *expr_void_call(const struct expr *e)
{
	const struct func_def *f;

	switch (e->kind) {
	case EX_CALL:
		return e->func && e->func->flags & FUNC_VOID ? e->func : NULL;
	case EX_BLOCK:
		return e->a ? expr_void_call(e->a) : NULL;
	case EX_TERNARY:
	case EX_IF:
		f = e->b ? expr_void_call(e->b) : NULL;
		return f || !e->c ? f : expr_void_call(e->c);
	default:
		return NULL;
	}
}

/* What a map aggregates, read as a number: an EX_CAST of the checker's own around it. */
static int agg_to_integer(struct checker *c, struct expr *e)
{
	struct expr *inner;

	if (!type_agg_readable(e->type)) {
		int err = check_error(c, e->span, "%s holds %s: it can be printed as a whole, cleared or zeroed, "
				      "but has no single value", e->name ? e->name : "this", tn(c, e->type));

		return err;
	}
	inner = arena_new_of(c->arena, struct expr);
	*inner = *e;
	*e = (struct expr){ .kind = EX_CAST, .span = inner->span, .name_span = inner->name_span, .a = inner,
			    .type = type_agg_value(inner->type) };
	return 0;
}

/* let $x; and nothing else: what is not known is zero, and zero is a number. */
static int unassigned_value(struct checker *c, struct expr *e)
{
	e->var->type = e->type = &type_int64;
	c->changed = true;
	return 0;
}

static int unknown_value(struct checker *c, struct expr *e)
{
	if (e->kind == EX_VAR && e->var && !e->var->assigned)
		return unassigned_value(c, e);
	if (e->kind == EX_MAP)
		return check_error(c, e->span, "%s is read, but nothing is ever assigned to it", e->name);
	if (e->kind == EX_VAR)
		return check_error(c, e->span, "%s never gets a value, so its type is not known", e->name);
	if (e->type && e->type->size)
		return check_error(c, e->span, "floating-point numbers cannot be read: BPF has none");
	return check_error(c, e->span, "the type of this cannot be told");
}

int check_value(struct checker *c, struct expr *e)
{
	const struct func_def *f;
	int err = check_expr(c, e);

	if (err)
		return err;
	if (type_is_agg(e->type))
		return agg_to_integer(c, e);
	if (e->type->kind != TY_NONE)
		return 0;
	f = expr_void_call(e);
	if (f)
		return check_error(c, e->span, "%s() has no value", f->name);
	if (e->kind == EX_BLOCK && !e->a)
		return check_error(c, e->span, "this block has no value: its last statement must be an expression "
				   "without a semicolon");
	return c->last_pass ? unknown_value(c, e) : 0;
}

int check_condition(struct checker *c, struct expr *e, const char *what)
{
	int err = check_value(c, e);

	if (err || e->type->kind == TY_NONE || type_is_int(e->type) || e->type->kind == TY_POINTER)
		return err;
	err = check_error(c, e->span, "%s must be an integer, a bool or a pointer, and this is %s", what,
			  tn(c, e->type));
	if (e->type->kind == TY_STRING)
		diag_hint(c->diags, "compare it: ... != \"\"");
	return err;
}

/* ---- unary operators ---- */

static int bad_operand(struct checker *c, const struct expr *e)
{
	return check_error(c, e->span, "%s cannot be applied to %s", op_text(e->op), tn(c, e->a->type));
}

static int check_deref(struct checker *c, struct expr *e)
{
	const struct type *t = e->a->type;

	if (t->kind == TY_STRUCT && t->space == SPACE_CTX) {
		expr_replace(e, e->a); /* *args is args */
		return 0;
	}
	if (t->kind == TY_INT) {
		struct expr *cast = arena_new_of(c->arena, struct expr);

		*cast = (struct expr){ .kind = EX_CAST, .span = e->a->span, .a = e->a,
				       .type = type_pointer(c->arena, &type_uint64, t->space) };
		e->a = cast;
		t = cast->type;
	}
	if (t->kind != TY_POINTER)
		return bad_operand(c, e);
	if (!type_known(c, t->elem)->size)
		return check_error(c, e->span, "%s cannot be followed: what it points to is not known", tn(c, t));
	e->type = type_in_space(c, t->elem, t->space);
	return 0;
}

/* &p->member, &p[1]: where a pointer leads. */
static int check_address_in_memory(struct checker *c, struct expr *e)
{
	enum addr_space space = SPACE_NONE;
	const struct expr *base = e->a;
	int err = check_value(c, e->a);

	e->type = &type_none;
	if (err || e->a->type->kind == TY_NONE)
		return err;
	if (e->a->kind == EX_FIELD && e->a->field && e->a->field->bit_size)
		return check_error(c, e->span, "'%s' is a bit field: it has no address", e->a->name);
	/* down to the pointer that is followed */
	while (base->a && (base->kind == EX_FIELD || base->kind == EX_INDEX) && base->a->type->kind != TY_POINTER)
		base = base->a;
	if (!base->a || base->a->type->kind != TY_POINTER)
		return check_error(c, e->span, "this has no address: no pointer leads to it");
	space = base->a->type->space;
	e->type = type_pointer(c->arena, e->a->type, space);
	return 0;
}

static int check_address_of(struct checker *c, struct expr *e)
{
	int err;

	if (e->a->kind == EX_FIELD || e->a->kind == EX_INDEX || (e->a->kind == EX_UNARY && e->a->op == OP_DEREF))
		return check_address_in_memory(c, e);
	if (e->a->kind != EX_VAR && (e->a->kind != EX_MAP || e->a->a))
		return check_error(c, e->span, "& needs a variable, a map as a whole or something in memory");
	err = e->a->kind == EX_VAR ? check_expr(c, e->a) : check_map_whole(c, e->a);
	/* Our own memory is the kernel's, wherever the probe is. */
	if (!err)
		e->type = type_pointer(c->arena, e->a->kind == EX_MAP ? &type_none : e->a->type, SPACE_KERNEL);
	return err;
}

static int check_unary(struct checker *c, struct expr *e)
{
	const struct type *t;
	int err;

	if (e->op == OP_ADDR)
		return check_address_of(c, e);
	err = check_value(c, e->a) ?: fold_unary(c, e);
	if (err || e->kind != EX_UNARY)
		return err;
	t = e->a->type;
	e->type = &type_none;
	if (t->kind == TY_NONE)
		return 0;
	if (e->op == OP_DEREF)
		return check_deref(c, e);
	if (e->op == OP_NOT) {
		if (!type_is_int(t) && t->kind != TY_POINTER)
			return bad_operand(c, e);
		e->type = &type_bool;
		return 0;
	}
	if (!type_is_int(t) || t->kind == TY_BOOL)
		return bad_operand(c, e);
	e->type = t->is_signed || e->op == OP_NEG ? &type_int64 : &type_uint64;
	if (e->op == OP_NEG && !t->is_signed)
		e->type = &type_soft_int64;
	return 0;
}

/* x++ and friends also write: the place grows to 64 bits. */
static const struct type *stepped_type(const struct expr *e, const struct type *t)
{
	if (t->kind == TY_NONE || t->kind == TY_POINTER)
		return t;
	if (t->is_signed && !type_sign_is_soft(t))
		return &type_int64;
	if (e->op == OP_DEC || t->is_signed)
		return &type_soft_int64;
	return type_sign_is_soft(t) ? type_soft_uint64 : &type_uint64;
}

static int step_refuse(struct checker *c, const struct expr *e, const struct type *t)
{
	return check_error(c, e->span, "%s cannot be applied to %s, which is %s", op_text(e->op), e->a->name,
			   tn(c, t));
}

static bool type_can_step(struct checker *c, const struct type *t)
{
	return t->kind == TY_NONE || t->kind == TY_INT || (t->kind == TY_POINTER && type_known(c, t->elem)->size);
}

static int step_variable(struct checker *c, struct expr *e)
{
	struct var *v;
	int err = check_expr(c, e->a);

	if (err)
		return err;
	v = e->a->var;
	if (!type_can_step(c, v->type))
		return step_refuse(c, e, v->type);
	v->assigned = true;
	e->type = stepped_type(e, v->type);
	if (v->declared && v->type->kind == TY_INT)
		e->type = v->type;
	err = var_store(c, v, e->type, e->span);
	e->type = e->a->type = v->type;
	return err;
}

static int step_map(struct checker *c, struct expr *e)
{
	struct map *m;
	int err = check_map_place(c, e->a);

	if (err)
		return err;
	m = e->a->map;
	m->is_written = m->is_read = true;
	if (type_is_agg(m->value))
		return check_error(c, e->span, "%s holds %s, which only its own function can bring up to date",
				   m->name, tn(c, m->value));
	if (!type_can_step(c, m->value))
		return step_refuse(c, e, m->value);
	e->type = stepped_type(e, m->value);
	if (e->type->kind != TY_NONE)
		err = check_map_value(c, m, e->type, e->span);
	e->type = e->a->type = m->value;
	return err;
}

static int check_incdec(struct checker *c, struct expr *e)
{
	if (e->a->kind == EX_VAR)
		return step_variable(c, e);
	if (e->a->kind == EX_MAP)
		return step_map(c, e);
	return check_error(c, e->a->span, "%s needs a variable or a map", op_text(e->op));
}

/* ---- binary operators ---- */

static int bad_operands(struct checker *c, const struct expr *e)
{
	return check_error(c, e->span, "%s cannot be applied to %s and %s", op_text(e->op), tn(c, e->a->type),
			   tn(c, e->b->type));
}

/* A difference may be negative, whatever it is the difference of; else one signed operand makes the
 * result signed. A literal takes the sign of the other side. */
const struct type *type_of_arithmetic(enum op op, const struct type *x, const struct type *y)
{
	bool sx = x->is_signed, sy = y->is_signed;
	bool meant = (sx && !type_sign_is_soft(x)) || (sy && !type_sign_is_soft(y));

	if (op == OP_SHL || op == OP_SHR) {
		sy = false;
		meant = sx && !type_sign_is_soft(x);
	}
	if (!sx && !sy && op != OP_SUB)
		return type_sign_is_soft(x) && type_sign_is_soft(y) ? type_soft_uint64 : &type_uint64;
	return meant ? &type_int64 : &type_soft_int64;
}

static bool is_zero(const struct expr *e)
{
	return (e->kind == EX_INT || e->kind == EX_BOOL) && !e->num;
}

static int binary_int(struct checker *c, struct expr *e)
{
	if ((e->op == OP_DIV || e->op == OP_MOD) && is_zero(e->b))
		return check_error(c, e->span, "division by zero");
	if ((e->op == OP_SHL || e->op == OP_SHR) && e->b->kind == EX_INT && (e->b->negative_ok || e->b->num > 63))
		return check_error(c, e->b->span, "a shift must be by 0 to 63 bits");
	if (op_is_compare(e->op))
		e->type = &type_bool;
	else if (e->a->type->kind == TY_BOOL && e->b->type->kind == TY_BOOL && e->op >= OP_AND && e->op <= OP_XOR)
		e->type = &type_bool;
	else
		e->type = type_of_arithmetic(e->op, e->a->type, e->b->type);
	return 0;
}

static int compare_pointers(struct checker *c, struct expr *e)
{
	const struct type *x = e->a->type, *y = e->b->type;

	e->type = &type_bool;
	if (x->kind == TY_POINTER && y->kind == TY_POINTER && x->elem->kind != TY_NONE &&
	    y->elem->kind != TY_NONE && !type_equal(x->elem, y->elem))
		diag_warn(c->diags, e->span, "%s is compared with %s", tn(c, x), tn(c, y));
	return 0;
}

static int binary_pointer(struct checker *c, struct expr *e)
{
	const struct type *x = e->a->type, *y = e->b->type;
	const struct type *p = x->kind == TY_POINTER ? x : y, *other = p == x ? y : x;

	if (other->kind != TY_POINTER && !type_is_int(other))
		return bad_operands(c, e);
	if (op_is_compare(e->op))
		return compare_pointers(c, e);
	if (other->kind == TY_POINTER || (e->op != OP_ADD && (e->op != OP_SUB || p != x)))
		return bad_operands(c, e);
	if (!type_known(c, p->elem)->size && p->elem->kind != TY_NONE)
		return check_error(c, e->span, "%s cannot be moved: the size of what it points to is not known",
				   tn(c, p));
	e->type = p;
	return 0;
}

/* Strings, arrays and tuples can only be equal or not. */
static int binary_equal(struct checker *c, struct expr *e)
{
	const struct type *x = e->a->type, *y = e->b->type;
	bool fit = x->kind == y->kind;

	if (fit && x->kind == TY_ARRAY)
		fit = x->count == y->count && type_equal(x->elem, y->elem) && type_is_int(x->elem);
	else if (fit && (x->kind == TY_TUPLE || x->kind == TY_RECORD))
		fit = type_promote(c->arena, x, y) != NULL;
	else if (fit && x->kind != TY_STRING && x->kind != TY_BUFFER)
		fit = type_is_scalar(x) && x->size == y->size;
	if (!fit && op_is_compare(e->op))
		return check_error(c, e->span, "%s cannot be compared with %s", tn(c, x), tn(c, y));
	if (!fit || (e->op != OP_EQ && e->op != OP_NE))
		return bad_operands(c, e);
	e->type = &type_bool;
	return 0;
}

static int logical_operand(struct checker *c, const struct expr *e, const struct expr *side)
{
	if (type_is_int(side->type) || side->type->kind == TY_POINTER)
		return 0;
	return check_error(c, side->span, "%s cannot be applied to %s", op_text(e->op), tn(c, side->type));
}

/* `comm == $1` compares texts, also when the parameter happens to be a number. */
static void params_to_strings(struct checker *c, struct expr *e)
{
	if (!op_is_compare(e->op))
		return;
	if (e->a->type->kind == TY_STRING)
		param_to_string(c, e->b);
	else if (e->b->type->kind == TY_STRING)
		param_to_string(c, e->a);
}

/*
 * (word)-1 reads as a difference as long as nobody knows that `word` is a type. Is this one of them? Then it
 * becomes the cast that was meant.
 */
static bool is_cast_of_unary(struct checker *c, struct expr *e)
{
	enum op unary = e->op == OP_SUB ? OP_NEG : e->op == OP_MUL ? OP_DEREF : e->op == OP_AND ? OP_ADDR : OP_NONE;
	struct expr *inner;
	struct type_ref *tref;

	if (e->a->kind != EX_IDENT || !e->a->parenthesised || !unary || func_find(c->env->families, e->a->name) ||
	    !type_name_exists(c, e->a->name))
		return false;
	tref = arena_new_of(c->arena, struct type_ref);
	*tref = (struct type_ref){ .span = e->a->span, .kind = TREF_NAME, .name = e->a->name };
	inner = arena_new_of(c->arena, struct expr);
	*inner = (struct expr){ .kind = EX_UNARY, .op = unary, .span = e->b->span, .a = e->b };
	*e = (struct expr){ .kind = EX_CAST, .span = e->span, .name_span = e->span, .a = inner, .tref = tref };
	return true;
}

static int check_binary(struct checker *c, struct expr *e)
{
	const struct type *x, *y;
	int err, err2;

	if (is_cast_of_unary(c, e))
		return check_expr(c, e);
	err = check_value(c, e->a);
	err2 = check_value(c, e->b);
	params_to_strings(c, e);
	err = err ?: err2 ?: fold_binary(c, e);
	if (err || e->kind != EX_BINARY)
		return err;
	x = e->a->type;
	y = e->b->type;
	e->type = op_is_compare(e->op) || op_is_logical(e->op) ? &type_bool : &type_none;
	if (x->kind == TY_NONE || y->kind == TY_NONE)
		return 0;
	if (op_is_logical(e->op))
		return logical_operand(c, e, e->a) ?: logical_operand(c, e, e->b);
	if (type_is_int(x) && type_is_int(y))
		return binary_int(c, e);
	if (x->kind == TY_POINTER || y->kind == TY_POINTER)
		return binary_pointer(c, e);
	return binary_equal(c, e);
}

/* ---- choices and blocks ---- */

static int unify_branches(struct checker *c, struct expr *e, const struct expr *b, const struct expr *d)
{
	bool vb = expr_void_call(b), vd = expr_void_call(d);

	e->type = &type_none;
	if (vb || vd) {
		if (vb && vd)
			return 0;
		return check_error(c, e->span, "one branch has a value and the other (%s()) has none",
				   (vb ? expr_void_call(b) : expr_void_call(d))->name);
	}
	e->type = type_promote(c->arena, b->type, d->type);
	if (e->type)
		return 0;
	e->type = &type_none;
	return check_error(c, e->span, "the branches have different types: %s and %s", tn(c, b->type),
			   tn(c, d->type));
}

/* A branch may be a value or a call without one; what a map aggregates becomes a number. */
static int check_branch(struct checker *c, struct expr *e)
{
	int err = check_expr(c, e);

	if (err || expr_void_call(e))
		return err;
	return type_is_agg(e->type) ? agg_to_integer(c, e) : 0;
}

static int check_ternary(struct checker *c, struct expr *e)
{
	int err = check_condition(c, e->a, "a condition"), err2, err3;

	if (!err && expr_is_literal(e->a)) {
		/* the other branch is not even looked at: it may be for another kernel or parameter */
		expr_replace(e, literal_is_true(e->a) ? e->b : e->c);
		return check_expr(c, e);
	}
	err2 = check_branch(c, e->b);
	err3 = check_branch(c, e->c);
	return err ?: err2 ?: err3 ?: unify_branches(c, e, e->b, e->c);
}

static int check_block(struct checker *c, struct expr *e)
{
	uint32_t mark = scope_enter(c);
	int err = check_body(c, &e->body), err2 = 0;

	e->type = &type_none;
	if (e->a) {
		err2 = check_branch(c, e->a);
		if (!err2)
			e->type = e->a->type;
	}
	scope_leave(c, mark);
	return err ?: err2;
}

static bool block_has_value(const struct expr *e)
{
	return e->kind != EX_BLOCK || e->a;
}

/* if comptime (...): only the branch that is taken is looked at. */
static int take_branch(struct checker *c, struct expr *e)
{
	struct expr *taken = literal_is_true(e->a) ? e->b : e->c;
	static const struct expr empty = { .kind = EX_BLOCK };

	params_mark_expr(c, taken == e->b ? e->c : e->b);
	expr_replace(e, taken ? taken : &empty);
	return check_expr(c, e);
}

static int check_if(struct checker *c, struct expr *e)
{
	bool comptime = e->a->kind == EX_COMPTIME;
	int err = check_condition(c, e->a, "a condition"), err2, err3;

	e->type = &type_none;
	if (!err && comptime && e->a->kind == EX_COMPTIME)
		return 0; /* not settled yet */
	if (!err && comptime)
		return take_branch(c, e);
	err2 = e->b ? check_branch(c, e->b) : 0;
	err3 = e->c ? check_branch(c, e->c) : 0;
	if (err || err2 || err3)
		return -EINVAL;
	if (!e->b || !e->c || !block_has_value(e->b) || !block_has_value(e->c))
		return 0;
	return unify_branches(c, e, e->b, e->c);
}

static int check_comptime(struct checker *c, struct expr *e)
{
	int err = check_value(c, e->a);

	if (err)
		return err;
	e->type = e->a->type;
	if (expr_is_literal(e->a)) {
		expr_replace(e, e->a);
		return 0;
	}
	return c->last_pass ? check_error(c, e->a->span, "this is not known when the script is compiled") : 0;
}

/* ---- tuples ---- */

static int check_tuple(struct checker *c, struct expr *e)
{
	const struct type **items = arena_array_of(c->arena, const struct type *, e->args.n + 1);
	bool known = true;
	int err = 0;

	for (uint32_t i = 0; i < e->args.n; i++) {
		struct expr *arg = e->args.v[i];
		int err2 = check_value(c, arg);

		err = err ?: err2;
		items[i] = type_kept(c->arena, arg->type);
		known &= arg->type->kind != TY_NONE;
	}
	e->type = &type_none;
	if (!err && known)
		e->type = type_tuple(c->arena, items, e->kind == EX_RECORD ? e->names.v : NULL, e->args.n);
	return err;
}

static int (*const expr_checks[])(struct checker *, struct expr *) = {
	[EX_INT] = check_int,
	[EX_STR] = check_str,
	[EX_BOOL] = check_bool,
	[EX_IDENT] = check_ident,
	[EX_PARAM] = check_param,
	[EX_PARAM_COUNT] = check_param,
	[EX_VAR] = check_var,
	[EX_MAP] = check_map,
	[EX_INDEX] = check_index,
	[EX_FIELD] = check_field,
	[EX_UNARY] = check_unary,
	[EX_INCDEC] = check_incdec,
	[EX_BINARY] = check_binary,
	[EX_TERNARY] = check_ternary,
	[EX_CAST] = check_cast,
	[EX_SIZEOF] = check_sizeof,
	[EX_OFFSETOF] = check_offsetof,
	[EX_CALL] = check_call,
	[EX_TUPLE] = check_tuple,
	[EX_RECORD] = check_tuple,
	[EX_BLOCK] = check_block,
	[EX_IF] = check_if,
	[EX_COMPTIME] = check_comptime,
};

int check_expr(struct checker *c, struct expr *e)
{
	int err = expr_checks[e->kind](c, e);

	if (!e->type)
		e->type = &type_none;
	return err;
}
