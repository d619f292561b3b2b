/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What values can a vreg have? Enough of it to leave out extensions and comparisons that change nothing.
 * Also the arithmetic of constants, as BPF does it.
 *
 * A bound that the program computes is often there for the verifier. It may be left out only when the
 * verifier knows of itself what it says. What it knows differs between kernels; only what all since 6.1
 * track as well as it is tracked here counts: loads, extensions, masks, shifts to the right by a constant.
 */
#include "base/util.h"
#include "code/ir_pass.h"

/* ---- constants ---- */

uint64_t eval_ext(uint64_t v, uint8_t size, bool sx)
{
	unsigned int shift = 64 - 8u * MIN(size, 8);

	return sx ? (uint64_t)((int64_t)(v << shift) >> shift) : v << shift >> shift;
}

static uint64_t eval64(enum ir_op op, uint64_t a, uint64_t b)
{
	switch (op) {
	case IR_ADD:
		return a + b;
	case IR_SUB:
		return a - b;
	case IR_MUL:
		return a * b;
	case IR_UDIV:
		return b ? a / b : 0;
	case IR_UMOD:
		return b ? a % b : a;
	case IR_AND:
		return a & b;
	case IR_OR:
		return a | b;
	case IR_XOR:
		return a ^ b;
	case IR_SHL:
		return a << (b & 63);
	case IR_SHR:
		return a >> (b & 63);
	default: /* IR_SAR */
		return (uint64_t)((int64_t)a >> (b & 63));
	}
}

uint64_t eval_binary(enum ir_op op, bool w32, uint64_t a, uint64_t b)
{
	if (!w32)
		return eval64(op, a, b);
	if (op == IR_SHL || op == IR_SHR || op == IR_SAR)
		b &= 31;
	a = op == IR_SAR ? (uint64_t)(int32_t)a : (uint32_t)a;
	return (uint32_t)eval64(op, a, (uint32_t)b);
}

bool eval_cc(enum ir_cc cc, bool w32, uint64_t a, uint64_t b)
{
	if (w32) {
		bool is_signed = cc >= CC_SLT && cc <= CC_SGE;

		a = eval_ext(a, 4, is_signed);
		b = eval_ext(b, 4, is_signed);
	}
	switch (cc) {
	case CC_EQ:
		return a == b;
	case CC_NE:
		return a != b;
	case CC_ULT:
		return a < b;
	case CC_ULE:
		return a <= b;
	case CC_UGT:
		return a > b;
	case CC_UGE:
		return a >= b;
	case CC_SLT:
		return (int64_t)a < (int64_t)b;
	case CC_SLE:
		return (int64_t)a <= (int64_t)b;
	case CC_SGT:
		return (int64_t)a > (int64_t)b;
	case CC_SGE:
		return (int64_t)a >= (int64_t)b;
	case CC_SET:
		break;
	}
	return a & b;
}

/* ---- ranges ---- */

static const struct value_range any_value = { INT64_MIN, INT64_MAX, UINT64_MAX, true };

static struct value_range range_unsigned(uint64_t umax, bool known)
{
	if (umax > INT64_MAX)
		return (struct value_range){ INT64_MIN, INT64_MAX, umax, known };
	return (struct value_range){ 0, (int64_t)umax, umax, known };
}

static struct value_range range_signed(int64_t smin, int64_t smax, bool known)
{
	return (struct value_range){ smin, smax, smin >= 0 ? (uint64_t)smax : UINT64_MAX, known };
}

static struct value_range range_const(int64_t v)
{
	return (struct value_range){ v, v, (uint64_t)v, true };
}

static struct value_range range_ext(struct value_range a, uint8_t size, bool sx)
{
	uint64_t mask = mask_of(size);
	int64_t half = (int64_t)(mask >> 1);

	if (size >= 8)
		return a;
	if (!sx)
		return a.known_to_verifier && a.umax <= mask ? a : range_unsigned(mask, true);
	return a.known_to_verifier && a.smin >= -half - 1 && a.smax <= half ? a : range_signed(-half - 1, half, true);
}

/* All bits up to the highest one of `v`. */
static uint64_t smear(uint64_t v)
{
	return v ? UINT64_MAX >> __builtin_clzll(v) : 0;
}

static struct value_range range_sum(struct value_range a, struct value_range b, bool sub, bool known)
{
	int64_t lo = 0, hi = 0;

	if (sub ? __builtin_sub_overflow(a.smin, b.smax, &lo) || __builtin_sub_overflow(a.smax, b.smin, &hi) :
		  __builtin_add_overflow(a.smin, b.smin, &lo) || __builtin_add_overflow(a.smax, b.smax, &hi))
		return any_value;
	return range_signed(lo, hi, known);
}

static struct value_range range_binary64(enum ir_op op, struct value_range a, struct value_range b, bool imm)
{
	uint64_t shift = b.umax & 63, product;

	switch (op) {
	case IR_ADD:
	case IR_SUB:
		return range_sum(a, b, op == IR_SUB, false);
	case IR_MUL:
		if (__builtin_mul_overflow(a.umax, b.umax, &product))
			return any_value;
		return range_unsigned(product, false);
	case IR_UDIV:
		return range_unsigned(imm && b.umax ? a.umax / b.umax : a.umax, false);
	case IR_UMOD:
		return range_unsigned(imm && b.umax ? MIN(b.umax - 1, a.umax) : a.umax, false);
	case IR_AND:
		if (imm && !a.known_to_verifier)
			return range_unsigned(b.umax, true);
		return range_unsigned(MIN(a.umax, b.umax), imm);
	case IR_OR:
	case IR_XOR:
		return range_unsigned(smear(a.umax | b.umax), false);
	case IR_SHL:
		if (!imm || a.umax > UINT64_MAX >> shift)
			return any_value;
		return range_unsigned(a.umax << shift, false);
	case IR_SHR:
		return range_unsigned(imm ? a.umax >> shift : a.umax, imm && a.known_to_verifier);
	default: /* IR_SAR */
		return imm ? range_signed(a.smin >> shift, a.smax >> shift, false) : any_value;
	}
}

static struct value_range range_binary(const struct ir_insn *i, struct value_range a, struct value_range b)
{
	struct value_range r = range_unsigned(UINT32_MAX, false);

	if (!i->w32)
		return range_binary64(i->op, a, b, i->use_imm);
	if (i->use_imm)
		b = range_const((uint32_t)i->imm);
	if (a.umax <= UINT32_MAX && b.umax <= UINT32_MAX && i->op != IR_SHL && i->op != IR_SAR)
		r = range_binary64(i->op, a, b, i->use_imm);
	else if (i->use_imm && i->op == IR_AND)
		r = range_unsigned(b.umax, true);
	r.known_to_verifier &= i->op == IR_AND;
	return r.umax <= UINT32_MAX ? r : range_unsigned(UINT32_MAX, false);
}

static struct value_range range_of(const struct ir_insn *i, const struct value_range *ranges)
{
	struct value_range a = ranges[i->a], b = i->use_imm ? range_const(i->imm) : ranges[i->b];

	switch (i->op) {
	case IR_CONST:
		return i->relo ? any_value : range_const(i->imm);
	case IR_MOV:
		return a;
	case IR_LOAD:
		return range_ext(any_value, i->size, i->sx);
	case IR_EXT:
		return range_ext(a, i->size, i->sx);
	case IR_BSWAP:
		return range_unsigned(mask_of(i->size), false);
	case IR_SETCC:
		return range_unsigned(1, true);
	default:
		return op_is_binary(i->op) && !i->relo ? range_binary(i, a, b) : any_value;
	}
}

static void range_add(struct value_range *into, struct value_range r)
{
	into->smin = MIN(into->smin, r.smin);
	into->smax = MAX(into->smax, r.smax);
	into->umax = MAX(into->umax, r.umax);
}

/* One pass; vregs with several definitions get the union of `variables` (0 is what they begin as). */
static void ranges_pass(struct ir_func *f, const struct cfg *c, struct value_range *ranges, struct value_range *variables)
{
	for (uint32_t v = 0; v < f->vregs.n; v++)
		variables[v] = (struct value_range){ 0, 0, 0, false };
	for (uint32_t n = 0; n < c->nrpo; n++)
		vec_each(i, &f->blocks.v[c->rpo[n]]->insns) {
			if (!i->d)
				continue;
			if (f->vregs.v[i->d].ndefs == 1)
				ranges[i->d] = range_of(i, ranges);
			else
				range_add(&variables[i->d], range_of(i, ranges));
		}
}

struct value_range *ranges_find(struct ir_func *f, const struct cfg *c)
{
	struct value_range *ranges = arena_array_of(f->arena, struct value_range, f->vregs.n);
	struct value_range *variables = arena_array_of(f->arena, struct value_range, f->vregs.n);

	for (uint32_t v = 0; v < f->vregs.n; v++)
		ranges[v] = any_value;
	ranges_pass(f, c, ranges, variables);
	for (uint32_t v = 0; v < f->vregs.n; v++)
		if (f->vregs.v[v].ndefs > 1)
			ranges[v] = variables[v];
	ranges_pass(f, c, ranges, variables);
	return ranges;
}
