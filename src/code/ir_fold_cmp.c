/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folding of comparisons: SETCC, and branches, which become jumps when the outcome is known. */
#include "base/util.h"
#include "code/ir_fold.h"

static bool cc_is_signed(uint8_t cc)
{
	return cc >= CC_SLT && cc <= CC_SGE;
}

static uint8_t cc_unsigned(uint8_t cc)
{
	static const uint8_t map[] = {
		[CC_SLT] = CC_ULT, [CC_SLE] = CC_ULE, [CC_SGT] = CC_UGT, [CC_SGE] = CC_UGE,
	};

	return cc_is_signed(cc) ? map[cc] : cc;
}

/* The outcome is known. */
static void decide(struct fold *s, struct ir_insn *i, bool yes)
{
	if (i->op == IR_SETCC)
		fold_become_const(s, i, yes);
	else
		fold_become(s, i, (struct ir_insn){ .op = IR_JMP, .then_ = yes ? i->then_ : i->else_ });
}

static void set_cc(struct fold *s, struct ir_insn *i, uint8_t cc)
{
	if (i->cc != cc)
		s->changed = true;
	i->cc = cc;
}

static void set_imm(struct fold *s, struct ir_insn *i, int64_t imm)
{
	if (!i->use_imm || i->imm != imm)
		s->changed = true;
	fold_use(s, &i->b, 0);
	i->use_imm = true;
	i->imm = imm;
}

static void exchange_targets(struct ir_insn *i)
{
	uint32_t t = i->then_;

	i->then_ = i->else_;
	i->else_ = t;
}

static void operands_in_order(struct fold *s, struct ir_insn *i)
{
	int64_t imm;

	if (i->use_imm)
		return;
	if (fold_const(s, i->a, &imm) && !fold_const(s, i->b, &imm)) {
		vreg t = i->a;

		i->a = i->b;
		i->b = t;
		i->cc = (uint8_t)cc_swap(i->cc);
		s->changed = true;
	}
	if (fold_const(s, i->b, &imm) && (i->w32 || fits_s32(imm)))
		set_imm(s, i, i->w32 ? (int32_t)imm : imm);
}

static bool decide_constants(struct fold *s, struct ir_insn *i)
{
	int64_t a, b;

	if (!i->use_imm && i->a == i->b && i->cc != CC_SET) {
		decide(s, i, eval_cc(i->cc, false, 0, 0));
		return true;
	}
	if (!fold_const(s, i->a, &a))
		return false;
	if (i->use_imm)
		b = i->imm;
	else if (!fold_const(s, i->b, &b))
		return false;
	decide(s, i, eval_cc(i->cc, i->w32, (uint64_t)a, (uint64_t)b));
	return true;
}

/* Comparisons with a constant outside of what the operand can be. */
static bool decide_range(struct fold *s, struct ir_insn *i)
{
	const struct value_range *a = &s->ranges[i->a];
	uint64_t imm = (uint64_t)i->imm;

	if (!i->use_imm || i->w32 || !a->known_to_verifier)
		return false;
	switch (i->cc) {
	case CC_EQ: case CC_NE:
		if (imm <= a->umax && i->imm >= a->smin && i->imm <= a->smax)
			return false;
		decide(s, i, i->cc == CC_NE);
		return true;
	case CC_ULT:
		if (a->umax >= imm)
			return false;
		break;
	case CC_ULE:
		if (a->umax > imm)
			return false;
		break;
	case CC_SGE:
		if (a->smin < i->imm)
			return false;
		break;
	case CC_SLT:
		if (a->smin < i->imm)
			return false;
		decide(s, i, false);
		return true;
	case CC_UGT:
		if (a->umax > imm)
			return false;
		decide(s, i, false);
		return true;
	default:
		return false;
	}
	decide(s, i, true);
	return true;
}

static bool is_bool(const struct fold *s, vreg v)
{
	return s->ranges[v].umax <= 1;
}

/* Truth of a truth value: 1 when the comparison says "it is true", -1 when "it is false", else 0. */
static int asks_truth(const struct fold *s, const struct ir_insn *i)
{
	if (!i->use_imm || (i->cc != CC_EQ && i->cc != CC_NE))
		return 0;
	if (i->imm == 0)
		return i->cc == CC_NE ? 1 : -1;
	if (i->imm == 1 && is_bool(s, i->a))
		return i->cc == CC_EQ ? 1 : -1;
	return 0;
}

/* Compare what `def` compares, instead of its result. */
static void take_over(struct fold *s, struct ir_insn *i, const struct ir_insn *def, bool negate)
{
	struct ir_insn cmp = *def;

	cmp.op = i->op;
	cmp.then_ = i->then_;
	cmp.else_ = i->else_;
	if (negate && i->op == IR_BR)
		exchange_targets(&cmp);
	else if (negate)
		cmp.cc = (uint8_t)cc_invert(cmp.cc);
	fold_become(s, i, cmp);
}

static bool fold_truth(struct fold *s, struct ir_insn *i)
{
	const struct ir_insn *def;
	int truth = asks_truth(s, i);

	if (!truth)
		return false;
	def = fold_def_op(s, i->a, IR_SETCC);
	if (def && (i->op == IR_BR || truth > 0 || def->cc != CC_SET)) {
		take_over(s, i, def, truth < 0);
		return true;
	}
	if (i->op == IR_SETCC && is_bool(s, i->a)) {
		if (truth > 0)
			fold_become_mov(s, i, i->a);
		else
			fold_become(s, i, (struct ir_insn){ .op = IR_XOR, .a = i->a, .use_imm = true, .imm = 1 });
		return true;
	}
	def = fold_def_op(s, i->a, IR_XOR);
	if (def && def->use_imm && def->imm == 1 && is_bool(s, def->a)) {
		set_cc(s, i, truth > 0 ? CC_EQ : CC_NE);
		set_imm(s, i, 0);
		fold_use(s, &i->a, def->a);
		return true;
	}
	return false;
}

/* (a & b) != 0 is a branch of its own; a jump if it is zero exchanges the targets. */
static void fold_bits(struct fold *s, struct ir_insn *i)
{
	const struct ir_insn *def;

	if (!i->use_imm || i->imm || i->w32 || (i->cc != CC_NE && (i->cc != CC_EQ || i->op != IR_BR)))
		return;
	if (s->nuses[i->a] != 1)
		return;
	def = fold_def_op(s, i->a, IR_AND);
	if (def && !(def->use_imm && !def->w32 && !fits_s32(def->imm))) {
		struct ir_insn cmp = *def;

		cmp.cc = CC_SET;
		take_over(s, i, &cmp, i->cc == CC_EQ);
		return;
	}
	def = fold_def_op(s, i->a, IR_EXT);
	if (def && def->size < 4) {
		struct ir_insn cmp = { .a = def->a, .use_imm = true, .imm = (int64_t)mask_of(def->size), .cc = CC_SET };

		take_over(s, i, &cmp, i->cc == CC_EQ);
	}
}

/* What `v` extends from 4 bytes when nobody else wants it, or 0. */
static vreg narrow_operand(const struct fold *s, vreg v, bool sx)
{
	const struct ir_insn *def = s->nuses[v] == 1 ? fold_def_op(s, v, IR_EXT) : NULL;

	return def && def->size == 4 && def->sx == sx ? def->a : 0;
}

/*
 * Comparison of values extended from 4 bytes: compare the 4 bytes, save the extension. Sign extension keeps
 * every order; zero extension makes all values positive, so that signed and unsigned are the same.
 */
static void fold_narrow(struct fold *s, struct ir_insn *i)
{
	for (int sx = 0; sx < 2; sx++) {
		vreg a = narrow_operand(s, i->a, sx), b = 0;

		if (!a || (sx && i->cc == CC_SET))
			continue;
		if (i->use_imm && (sx ? !fits_s32(i->imm) : i->imm < 0 || i->imm > UINT32_MAX))
			continue;
		if (!i->use_imm) {
			b = narrow_operand(s, i->b, sx);
			if (!b)
				continue;
		}
		if (!sx)
			set_cc(s, i, cc_unsigned(i->cc));
		fold_use(s, &i->a, a);
		if (i->use_imm)
			i->imm = (int32_t)i->imm;
		else
			fold_use(s, &i->b, b);
		i->w32 = true;
		s->changed = true;
		return;
	}
}

/* An extended 1- or 2-byte value that is (not) equal to a constant: compare it as it was loaded. */
static void fold_small_equal(struct fold *s, struct ir_insn *i)
{
	const struct ir_insn *def = fold_def_op(s, i->a, IR_EXT);
	uint64_t mask;

	if (!def || !def->sx || !i->use_imm || i->w32 || (i->cc != CC_EQ && i->cc != CC_NE))
		return;
	mask = mask_of(def->size);
	if (s->ranges[def->a].umax > mask || (int64_t)eval_ext((uint64_t)i->imm, def->size, true) != i->imm)
		return;
	if (!fits_s32((int64_t)((uint64_t)i->imm & mask)))
		return;
	set_imm(s, i, (int64_t)((uint64_t)i->imm & mask));
	fold_use(s, &i->a, def->a);
}

void fold_compare(struct fold *s, struct ir_insn *i)
{
	if (i->op == IR_BR && i->then_ == i->else_) {
		decide(s, i, true);
		return;
	}
	operands_in_order(s, i);
	if (decide_constants(s, i) || decide_range(s, i) || fold_truth(s, i))
		return;
	if (i->w32)
		return;
	fold_bits(s, i);
	if (i->cc != CC_SET)
		fold_small_equal(s, i);
	if (!i->w32)
		fold_narrow(s, i);
	if (i->op == IR_SETCC && i->cc == CC_SLT && i->use_imm && !i->imm && !i->w32)
		fold_become(s, i, (struct ir_insn){ .op = IR_SHR, .a = i->a, .use_imm = true, .imm = 63 });
}
