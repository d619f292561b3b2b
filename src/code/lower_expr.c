/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lower, expressions: operators and control flow within them; one small function per kind of node. */
#include <errno.h>

#include "base/util.h"
#include "code/lower_priv.h"

/* ---- arithmetic ---- */

static bool is_literal(const struct expr *e)
{
	return e->kind == EX_INT || e->kind == EX_BOOL;
}

static bool counts_unsigned(const struct type *t)
{
	return !(type_is_int(t) && t->is_signed) && !(type_is_agg(t) && t->is_signed);
}

/* Are these compared as unsigned numbers? Values are held extended to 64 bits, so a smaller unsigned type
 * fits a signed comparison; a literal that is not negative goes with the other side. */
bool lower_unsigned_pair(const struct expr *a, const struct expr *b)
{
	bool ua = counts_unsigned(a->type), ub = counts_unsigned(b->type);

	if (ua && ub)
		return true;
	return (ua && a->type->size == 8 && !is_literal(a)) || (ub && b->type->size == 8 && !is_literal(b));
}

/* |r|, and whether it was negative (all ones or zero) in *sign. */
static vreg absolute(struct lower *l, vreg r, vreg *sign)
{
	*sign = ir_bin_imm(l->f, IR_SAR, r, 63);
	return ir_bin(l->f, IR_SUB, ir_bin(l->f, IR_XOR, r, *sign), *sign);
}

/* Signed division from the unsigned one, which is all the instruction set has: the quotient is negative
 * when the signs differ, the remainder takes the sign of the dividend. */
static vreg divide_signed(struct lower *l, enum ir_op op, vreg a, vreg b)
{
	vreg sa, sb, r, sign;

	a = absolute(l, a, &sa);
	b = absolute(l, b, &sb);
	r = ir_bin(l->f, op, a, b);
	sign = op == IR_UDIV ? ir_bin(l->f, IR_XOR, sa, sb) : sa;
	return ir_bin(l->f, IR_SUB, ir_bin(l->f, IR_XOR, r, sign), sign);
}

/* Is it a constant, made just before? */
static bool is_constant(const struct ir_func *f, vreg r)
{
	vec_each(it, &f->blocks.v[f->cur]->insns) {
		if (it->d == r)
			return it->op == IR_CONST && it->imm;
	}
	return false;
}

vreg lower_quotient(struct lower *l, enum op op, vreg a, vreg b, bool is_signed)
{
	enum ir_op ir = op == OP_DIV ? IR_UDIV : IR_UMOD;

	return is_signed ? divide_signed(l, ir, a, b) : ir_bin(l->f, ir, a, b);
}

/* Somebody wrote a divisor that can be zero: the result is 1, as in the reference, and the place is told. */
static vreg divide(struct lower *l, enum op op, vreg a, vreg b, bool is_signed)
{
	uint32_t divide_, zero, done;
	vreg r;

	if (is_constant(l->f, b))
		return lower_quotient(l, op, a, b, is_signed);
	divide_ = ir_block_new(l->f, "div");
	zero = ir_block_new(l->f, "div0");
	done = ir_block_new(l->f, "divided");
	r = ir_vreg_new(l->f, NULL);
	ir_br_imm(l->f, CC_NE, b, 0, divide_, zero);
	ir_block_use(l->f, zero);
	lower_tell_zero(l);
	ir_mov_to(l->f, r, ir_const(l->f, 1));
	ir_jmp(l->f, done);
	ir_block_use(l->f, divide_);
	ir_mov_to(l->f, r, lower_quotient(l, op, a, b, is_signed));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return r;
}

static vreg scaled(struct lower *l, vreg r, uint32_t size)
{
	return size > 1 ? ir_bin_imm(l->f, IR_MUL, r, size) : r;
}

/* Adding to a pointer counts in what it points to; void counts in bytes. */
static vreg pointer_arith(struct lower *l, enum op op, vreg a, const struct type *ta, vreg b, const struct type *tb)
{
	uint32_t size;
	vreg diff;

	if (ta->kind != TY_POINTER)
		return ir_bin(l->f, IR_ADD, scaled(l, a, tb->elem ? tb->elem->size : 1), b);
	size = MAX(ta->elem ? ta->elem->size : 1, 1u);
	if (tb->kind != TY_POINTER)
		return ir_bin(l->f, op == OP_ADD ? IR_ADD : IR_SUB, a, scaled(l, b, size));
	diff = ir_bin(l->f, IR_SUB, a, b);
	return size > 1 ? divide_signed(l, IR_UDIV, diff, ir_const(l->f, size)) : diff;
}

static const enum ir_op ir_of[] = {
	[OP_ADD] = IR_ADD, [OP_SUB] = IR_SUB, [OP_MUL] = IR_MUL, [OP_AND] = IR_AND, [OP_OR] = IR_OR,
	[OP_XOR] = IR_XOR, [OP_SHL] = IR_SHL, [OP_SHR] = IR_SHR,
};

int lower_arith(struct lower *l, enum op op, struct span span, vreg a, const struct type *ta, vreg b,
		const struct type *tb, const struct type *as, vreg *out)
{
	const struct type *wide = type_integer(8, as->is_signed);
	vreg r;

	switch (op) {
	case OP_ADD:
	case OP_SUB:
		if (ta->kind == TY_POINTER || tb->kind == TY_POINTER)
			r = pointer_arith(l, op, a, ta, b, tb);
		else
			r = ir_bin(l->f, ir_of[op], a, b);
		break;
	case OP_DIV:
	case OP_MOD:
		r = divide(l, op, a, b, as->is_signed && !(counts_unsigned(ta) && counts_unsigned(tb)));
		break;
	case OP_SHL:
	case OP_SHR: /* fills with zeros, also for signed numbers */
		r = ir_bin(l->f, ir_of[op], a, ir_bin_imm(l->f, IR_AND, b, 63));
		break;
	case OP_MUL:
	case OP_AND:
	case OP_OR:
	case OP_XOR:
		r = ir_bin(l->f, ir_of[op], a, b);
		break;
	default:
		return diag_error(l->diags, span, "the operator %s cannot be used here", op_text(op));
	}
	*out = lower_convert(l, r, wide, as);
	return 0;
}

/* ---- conditions ---- */

static int cc_of(enum op op, bool is_unsigned)
{
	switch (op) {
	case OP_EQ: return CC_EQ;
	case OP_NE: return CC_NE;
	case OP_LT: return is_unsigned ? CC_ULT : CC_SLT;
	case OP_LE: return is_unsigned ? CC_ULE : CC_SLE;
	case OP_GT: return is_unsigned ? CC_UGT : CC_SGT;
	case OP_GE: return is_unsigned ? CC_UGE : CC_SGE;
	default: return -1;
	}
}

/* Aggregations compare as the numbers they yield. */
static bool compares_as_scalar(const struct expr *e)
{
	return type_is_scalar(lower_read_type(e->type));
}

static int lower_compare(struct lower *l, struct expr *e, uint32_t then_, uint32_t else_)
{
	vreg a, b;
	int err;

	if (!compares_as_scalar(e->a) || !compares_as_scalar(e->b)) {
		if (e->op == OP_EQ)
			return lower_mem_equal(l, e->a, e->b, then_, else_);
		if (e->op == OP_NE)
			return lower_mem_equal(l, e->a, e->b, else_, then_);
		return diag_error(l->diags, e->span, "%s cannot be compared with %s",
				  type_name(l->arena, e->a->type), op_text(e->op));
	}
	err = lower_scalar(l, e->a, &a);
	if (!err)
		err = lower_scalar(l, e->b, &b);
	if (err)
		return err;
	ir_br(l->f, (enum ir_cc)cc_of(e->op, lower_unsigned_pair(e->a, e->b)), a, b, then_, else_);
	return 0;
}

int lower_cond(struct lower *l, struct expr *e, uint32_t then_, uint32_t else_)
{
	uint32_t more;
	vreg r;
	int err;

	if (e->kind == EX_BINARY && (e->op == OP_LAND || e->op == OP_LOR)) {
		more = ir_block_new(l->f, e->op == OP_LAND ? "and" : "or");
		err = e->op == OP_LAND ? lower_cond(l, e->a, more, else_) : lower_cond(l, e->a, then_, more);
		ir_block_use(l->f, more);
		return err ? err : lower_cond(l, e->b, then_, else_);
	}
	if (e->kind == EX_UNARY && e->op == OP_NOT)
		return lower_cond(l, e->a, else_, then_);
	if (e->kind == EX_BINARY && cc_of(e->op, false) >= 0)
		return lower_compare(l, e, then_, else_);
	err = lower_scalar(l, e, &r);
	if (err)
		return err;
	ir_br_imm(l->f, CC_NE, r, 0, then_, else_);
	return 0;
}

/* A condition as the number 0 or 1. */
static int cond_value(struct lower *l, struct expr *e, struct val *out)
{
	uint32_t yes = ir_block_new(l->f, "true"), no = ir_block_new(l->f, "false");
	uint32_t done = ir_block_new(l->f, "bool");
	vreg r = ir_vreg_new(l->f, NULL);
	int err = lower_cond(l, e, yes, no);

	ir_block_use(l->f, yes);
	ir_mov_to(l->f, r, ir_const(l->f, 1));
	ir_jmp(l->f, done);
	ir_block_use(l->f, no);
	ir_mov_to(l->f, r, ir_const(l->f, 0));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	*out = val_of_reg(e->type, r);
	return err;
}

static int scalar_compare_value(struct lower *l, struct expr *e, struct val *out)
{
	vreg a, b;
	int err = lower_scalar(l, e->a, &a);

	if (!err)
		err = lower_scalar(l, e->b, &b);
	if (err)
		return err;
	*out = val_of_reg(e->type, ir_setcc(l->f, (enum ir_cc)cc_of(e->op, lower_unsigned_pair(e->a, e->b)), a, b));
	return 0;
}

static int lower_binary(struct lower *l, struct expr *e, struct val *out)
{
	vreg a = 0, b = 0, r = 0;
	int err;

	if (e->op == OP_LAND || e->op == OP_LOR)
		return cond_value(l, e, out);
	if (cc_of(e->op, false) >= 0)
		return compares_as_scalar(e->a) && compares_as_scalar(e->b) ? scalar_compare_value(l, e, out) :
									      cond_value(l, e, out);
	err = lower_scalar(l, e->a, &a);
	if (!err)
		err = lower_scalar(l, e->b, &b);
	if (!err)
		err = lower_arith(l, e->op, e->span, a, e->a->type, b, e->b->type, e->type, &r);
	if (!err)
		*out = val_of_reg(e->type, r);
	return err;
}

/* &$x: such variables live in memory (lower_var.c); &@x: the kernel's own map. As numbers. */
static int lower_address(struct lower *l, struct expr *e, struct val *out)
{
	struct val v = { 0 };
	int err;

	if (e->a->kind == EX_MAP && !e->a->a) {
		*out = val_of_reg(e->type, lower_address_number(l, ir_map(l->f, lower_map_desc(l, e->a->map)->object_map)));
		return 0;
	}
	if (e->a->kind == EX_VAR) {
		v = lower_var_memory(l, e->a->var);
		*out = val_of_reg(e->type, lower_address_number(l, val_address(l, &v)));
		return 0;
	}
	err = lower_place(l, e->a, &v);
	if (err)
		return err;
	if (v.kind != VAL_MEM || v.space == SPACE_NONE || v.space == SPACE_CTX)
		return lower_unexpected(l, e->span, "the address of this");
	*out = val_of_reg(e->type, val_address(l, &v));
	return 0;
}

static int lower_unary(struct lower *l, struct expr *e, struct val *out)
{
	vreg r;
	int err;

	if (e->op == OP_DEREF)
		return lower_deref(l, e, out);
	if (e->op == OP_ADDR)
		return lower_address(l, e, out);
	err = lower_scalar(l, e->a, &r);
	if (err)
		return err;
	switch (e->op) {
	case OP_NEG:
		r = lower_convert(l, ir_neg(l->f, r), &type_int64, e->type);
		break;
	case OP_BITNOT:
		r = lower_convert(l, ir_bin_imm(l->f, IR_XOR, r, -1), &type_uint64, e->type);
		break;
	case OP_NOT:
		r = ir_setcc_imm(l->f, CC_EQ, r, 0);
		break;
	default:
		return diag_error(l->diags, e->span, "the operator %s cannot be used here", op_text(e->op));
	}
	*out = val_of_reg(e->type, r);
	return 0;
}

/* ---- variables ---- */

static int lower_variable(struct lower *l, struct expr *e, struct val *out)
{
	*out = type_is_scalar(e->var->type) ? val_of_reg(e->var->type, lower_var_read(l, e->var)) :
					      lower_var_memory(l, e->var);
	return 0;
}

static int lower_incdec(struct lower *l, struct expr *e, struct val *out)
{
	const struct type *t = e->a->type;
	vreg old, new;
	int err;

	if (e->a->kind == EX_MAP)
		return lower_map_incdec(l, e, out);
	if (e->a->kind != EX_VAR || !type_is_scalar(t))
		return diag_error(l->diags, e->span, "%s needs a variable or a map", op_text(e->op));
	old = lower_var_read(l, e->a->var);
	err = lower_arith(l, e->op == OP_INC ? OP_ADD : OP_SUB, e->span, old, t, ir_const(l->f, 1), &type_int64, t,
			  &new);
	if (err)
		return err;
	lower_var_write(l, e->a->var, new);
	*out = val_of_reg(t, e->is_prefix ? new : old);
	return 0;
}

/* ---- values that depend on control flow ---- */

/* One arm of ?: or if, its value brought to `r` or to the memory `to`. */
static int lower_arm(struct lower *l, struct expr *arm, const struct expr *whole, vreg r, const struct val *to)
{
	struct val v = { 0 };
	vreg s;
	int err;

	if (!arm)
		return 0;
	if (to)
		return lower_to_memory(l, arm, whole->type, to->reg, to->off);
	if (!type_is_scalar(whole->type))
		return lower_expr(l, arm, &v);
	err = lower_scalar(l, arm, &s);
	if (!err)
		ir_mov_to(l->f, r, lower_convert(l, s, lower_read_type(arm->type), whole->type));
	return err;
}

static int lower_choice(struct lower *l, struct expr *e, struct val *out)
{
	uint32_t yes = ir_block_new(l->f, "then"), no = ir_block_new(l->f, "else");
	uint32_t done = ir_block_new(l->f, "chosen");
	bool scalar = type_is_scalar(e->type), memory = !scalar && e->type->kind != TY_NONE;
	vreg r = scalar ? ir_vreg_new(l->f, NULL) : 0;
	struct want *want = l->priv->fn.want;
	struct val to = { 0 };
	int err;

	if (memory)
		to = lower_result(l, e->type, "choice");
	err = lower_cond(l, e->a, yes, no);
	ir_block_use(l->f, yes);
	if (!err)
		err = lower_arm(l, e->b, e, r, memory ? &to : NULL);
	ir_jmp(l->f, done);
	ir_block_use(l->f, no);
	if (!err)
		err = lower_arm(l, e->c, e, r, memory ? &to : NULL);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	if (want)
		want->len = 0; /* known to one arm only */
	if (scalar)
		*out = val_of_reg(e->type, r);
	else if (memory)
		*out = to;
	return err;
}

static int lower_block(struct lower *l, struct expr *e, struct val *out)
{
	struct want *want = l->priv->fn.want;
	int err = lower_stmts(l, &e->body);

	if (err || !e->a)
		return err;
	l->priv->fn.next_want = want;
	return lower_expr(l, e->a, out);
}

/* ---- the rest ---- */

static int lower_constant(struct lower *l, struct expr *e, struct val *out)
{
	*out = val_of_reg(e->type, ir_const(l->f, (int64_t)e->num));
	return 0;
}

static int lower_string(struct lower *l, struct expr *e, struct val *out)
{
	*out = lower_rodata(l, e->type, e->str, MIN(e->str_len, MAX(e->type->size, 1u) - 1));
	return 0;
}

static int lower_call(struct lower *l, struct expr *e, struct val *out)
{
	if (e->sub)
		return lower_sub_call(l, e, out);
	if (e->c_func)
		return lower_c_call(l, e, out);
	if (!e->func || !e->func->emit)
		return lower_unexpected(l, e->span, arena_printf(l->arena, "calling %s()", e->name));
	return e->func->emit(l, e, out);
}

static int lower_tuple(struct lower *l, struct expr *e, struct val *out)
{
	*out = lower_result(l, e->type, "tuple");
	return lower_to_memory(l, e, e->type, out->reg, out->off);
}

static int lower_inner(struct lower *l, struct expr *e, struct val *out)
{
	l->priv->fn.next_want = l->priv->fn.want;
	return lower_expr(l, e->a, out);
}

/* `args`: the context itself, whose fields say how they are read. Other names are resolved by now. */
static int lower_ident(struct lower *l, struct expr *e, struct val *out)
{
	if (!l->unit->args || e->type != l->unit->args)
		return lower_unexpected(l, e->span, e->name);
	*out = val_of_mem(e->type, ir_ctx(l->f), 0, SPACE_CTX);
	return 0;
}

static int lower_unresolved(struct lower *l, struct expr *e, struct val *out)
{
	(void)out;
	return lower_unexpected(l, e->span, e->name ? e->name : "this expression");
}

static int (*const lowerers[])(struct lower *l, struct expr *e, struct val *out) = {
	[EX_INT] = lower_constant,
	[EX_BOOL] = lower_constant,
	[EX_STR] = lower_string,
	[EX_IDENT] = lower_ident,
	[EX_PARAM] = lower_unresolved,
	[EX_PARAM_COUNT] = lower_unresolved,
	[EX_VAR] = lower_variable,
	[EX_MAP] = lower_map_read,
	[EX_INDEX] = lower_index,
	[EX_FIELD] = lower_field,
	[EX_UNARY] = lower_unary,
	[EX_INCDEC] = lower_incdec,
	[EX_BINARY] = lower_binary,
	[EX_TERNARY] = lower_choice,
	[EX_CAST] = lower_cast,
	[EX_SIZEOF] = lower_unresolved,
	[EX_OFFSETOF] = lower_unresolved,
	[EX_CALL] = lower_call,
	[EX_TUPLE] = lower_tuple,
	[EX_RECORD] = lower_tuple,
	[EX_BLOCK] = lower_block,
	[EX_IF] = lower_choice,
	[EX_COMPTIME] = lower_inner,
};

int lower_expr(struct lower *l, struct expr *e, struct val *out)
{
	struct want *outer = l->priv->fn.want;
	struct span span = l->f->span;
	int err;

	l->priv->fn.want = l->priv->fn.next_want;
	l->priv->fn.next_want = NULL;
	l->f->span = e->span;
	err = lowerers[e->kind](l, e, out);
	l->f->span = span;
	l->priv->fn.want = outer;
	return err;
}
