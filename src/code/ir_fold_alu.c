/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folding of arithmetic and of extensions. */
#include "base/util.h"
#include "code/ir_fold.h"

bool op_is_low(const struct ir_insn *i)
{
	switch (i->op) {
	case IR_ADD: case IR_SUB: case IR_MUL: case IR_AND: case IR_OR: case IR_XOR:
		return true;
	case IR_SHL:
		return i->use_imm && (uint64_t)i->imm < 32;
	default:
		return false;
	}
}

/* ---- operands ---- */

static void constant_to_right(struct fold *s, struct ir_insn *i)
{
	int64_t a, b;

	if (i->use_imm || !op_is_commutative(i->op))
		return;
	if (fold_const(s, i->a, &a) && !fold_const(s, i->b, &b)) {
		vreg t = i->a;

		i->a = i->b;
		i->b = t;
		s->changed = true;
	}
}

static void constant_to_immediate(struct fold *s, struct ir_insn *i)
{
	bool shift = i->op == IR_SHL || i->op == IR_SHR || i->op == IR_SAR;
	int64_t imm;

	if (i->use_imm || !fold_const(s, i->b, &imm))
		return;
	if (i->w32)
		imm = (int32_t)imm;
	if (shift)
		imm &= i->w32 ? 31 : 63;
	/* What does not fit stays a constant of its own, unless the operation goes away altogether. */
	if (!fits_s32(imm) && !(i->op == IR_AND && (imm >= 0 && imm <= UINT32_MAX)))
		return;
	fold_use(s, &i->b, 0);
	i->use_imm = true;
	i->imm = imm;
}

/* In 32-bit operations the upper halves of operands do not matter. */
static void strip_operand(struct fold *s, vreg *place, uint8_t size)
{
	const struct ir_insn *def = fold_def_op(s, *place, IR_EXT);

	if (def && def->size >= size)
		fold_use(s, place, def->a);
}

static void strip_operands(struct fold *s, struct ir_insn *i, uint8_t size)
{
	if (!op_is_low(i))
		return;
	strip_operand(s, &i->a, size);
	if (!i->use_imm)
		strip_operand(s, &i->b, size);
}

/* ---- identities ---- */

static bool is_power_of_2(int64_t v)
{
	return v > 0 && !(v & (v - 1));
}

static void become_imm(struct fold *s, struct ir_insn *i, enum ir_op op, int64_t imm)
{
	i->op = op;
	i->imm = imm;
	s->changed = true;
}

/* The result is operand a: a move, or for 32 bits an extension. */
static void become_operand(struct fold *s, struct ir_insn *i)
{
	if (i->w32)
		fold_become(s, i, (struct ir_insn){ .op = IR_EXT, .a = i->a, .size = 4 });
	else
		fold_become_mov(s, i, i->a);
}

/* a & imm as an extension, or nothing when it changes nothing and the verifier knows. */
static bool fold_and(struct fold *s, struct ir_insn *i)
{
	uint64_t imm = i->w32 ? (uint32_t)i->imm : (uint64_t)i->imm;
	const struct value_range *a = &s->ranges[i->a];
	uint8_t size = imm == 0xff ? 1 : imm == 0xffff ? 2 : imm == 0xffffffff ? 4 : 0;
	const struct ir_insn *def = fold_def_op(s, i->a, IR_EXT);

	if (size) {
		fold_become(s, i, (struct ir_insn){ .op = IR_EXT, .a = i->a, .size = size });
		return true;
	}
	if (imm != 0 && !(imm & (imm + 1)) && a->umax <= imm && a->known_to_verifier) {
		fold_become_mov(s, i, i->a);
		return true;
	}
	if (def && !def->sx && !(imm & ~mask_of(def->size)))
		fold_use(s, &i->a, def->a);
	return false;
}

static bool fold_identity(struct fold *s, struct ir_insn *i)
{
	int64_t imm = i->imm;

	switch (i->op) {
	case IR_ADD: case IR_SUB: case IR_OR: case IR_XOR: case IR_SHL: case IR_SHR: case IR_SAR:
		if (imm)
			return false;
		become_operand(s, i);
		return true;
	case IR_MUL:
		if (imm == 1)
			become_operand(s, i);
		else if (!imm)
			fold_become_const(s, i, 0);
		else if (is_power_of_2(imm))
			become_imm(s, i, IR_SHL, __builtin_ctzll((uint64_t)imm));
		return imm == 1 || !imm;
	case IR_UDIV:
		if (imm == 1)
			become_operand(s, i);
		else if (!imm)
			fold_become_const(s, i, 0);
		else if (is_power_of_2(imm))
			become_imm(s, i, IR_SHR, __builtin_ctzll((uint64_t)imm));
		return imm == 1 || !imm;
	case IR_UMOD:
		if (!imm)
			become_operand(s, i);
		else if (imm == 1)
			fold_become_const(s, i, 0);
		else if (is_power_of_2(imm))
			become_imm(s, i, IR_AND, imm - 1);
		return imm == 1 || !imm;
	case IR_AND:
		if (!imm)
			fold_become_const(s, i, 0);
		else if (imm == -1)
			become_operand(s, i);
		else
			return fold_and(s, i);
		return true;
	default:
		return false;
	}
}

static bool fold_same_operand(struct fold *s, struct ir_insn *i)
{
	if (i->use_imm || i->a != i->b)
		return false;
	if (i->op == IR_SUB || i->op == IR_XOR)
		fold_become_const(s, i, 0);
	else if (i->op == IR_AND || i->op == IR_OR)
		become_operand(s, i);
	else
		return false;
	return true;
}

/* (x op c1) op c2, when the inner result has no other use: then nobody has compared it. */
static void fold_chain(struct fold *s, struct ir_insn *i)
{
	const struct ir_insn *def;
	int64_t imm;

	if (i->w32 || !i->use_imm || s->nuses[i->a] != 1)
		return;
	def = fold_def_op(s, i->a, i->op);
	if (!def || !def->use_imm || def->w32)
		return;
	switch (i->op) {
	case IR_ADD: case IR_AND: case IR_OR: case IR_XOR: case IR_MUL:
		imm = (int64_t)eval_binary(i->op, false, (uint64_t)def->imm, (uint64_t)i->imm);
		break;
	case IR_SHL: case IR_SHR:
		imm = (def->imm & 63) + (i->imm & 63);
		if (imm > 63)
			return;
		break;
	default:
		return;
	}
	if (!fits_s32(imm))
		return;
	i->imm = imm;
	fold_use(s, &i->a, def->a);
}

/* An address plus a constant is an address again. */
static bool fold_address(struct fold *s, struct ir_insn *i)
{
	const struct ir_insn *def = fold_def(s, i->a);
	struct ir_insn sum;

	if (i->op != IR_ADD || !i->use_imm || i->w32 || !def || i->imm < -(1 << 28) || i->imm > 1 << 28)
		return false;
	sum = *def;
	if (def->op == IR_SLOT && (int64_t)def->off + i->imm >= 0 && def->off + i->imm < 1 << 28)
		sum.off += (int32_t)i->imm;
	else if ((def->op == IR_RODATA || def->op == IR_BSS) && def->imm + i->imm >= 0)
		sum.imm += i->imm;
	else
		return false;
	fold_become(s, i, sum);
	return true;
}

void ir_fold_binary(struct fold *s, struct ir_insn *i)
{
	int64_t a, b;

	constant_to_right(s, i);
	if (fold_const(s, i->a, &a) && (i->use_imm || fold_const(s, i->b, &b))) {
		b = i->use_imm ? i->imm : b;
		fold_become_const(s, i, (int64_t)eval_binary(i->op, i->w32, (uint64_t)a, (uint64_t)b));
		return;
	}
	constant_to_immediate(s, i);
	if (i->use_imm && i->op == IR_SUB && i->imm > INT32_MIN)
		become_imm(s, i, IR_ADD, i->w32 ? (int32_t)-i->imm : -i->imm);
	if ((i->use_imm && fold_identity(s, i)) || fold_same_operand(s, i) || fold_address(s, i))
		return;
	/* a & 0xfffffff0 has no sign: 32 bits of it are enough, and the immediate fits. */
	if (i->use_imm && i->op == IR_AND && !i->w32 && !fits_s32(i->imm) && i->imm >= 0 && i->imm <= UINT32_MAX) {
		i->w32 = true;
		i->imm = (int32_t)i->imm;
		s->changed = true;
	}
	if (i->w32)
		strip_operands(s, i, 4);
	fold_chain(s, i);
}

/* ---- extensions ---- */

static bool ext_changes_nothing(const struct fold *s, const struct ir_insn *i)
{
	const struct value_range *a = &s->ranges[i->a];
	uint64_t mask = mask_of(i->size);
	int64_t half = (int64_t)(mask >> 1);

	if (i->size >= 8)
		return true;
	/* Nobody bounds an access by 4 GiB, so there what the verifier knows is all the same. */
	if (!a->known_to_verifier && i->size < 4)
		return false;
	return i->sx ? a->smin >= -half - 1 && a->smax <= half : a->umax <= mask;
}

/* An extension of an extension, and of a mask. */
static bool ext_of_ext(struct fold *s, struct ir_insn *i)
{
	const struct ir_insn *def = fold_def_op(s, i->a, IR_EXT);

	if (def && def->size >= i->size) {
		fold_use(s, &i->a, def->a);
		return true;
	}
	def = fold_def_op(s, i->a, IR_AND);
	if (def && def->use_imm && !def->w32 && !(~(uint64_t)def->imm & mask_of(i->size))) {
		fold_use(s, &i->a, def->a);
		return true;
	}
	return false;
}

static struct ir_insn *low_operation(const struct fold *s, vreg v)
{
	struct ir_insn *def = fold_def(s, v);

	if (!def || def->relo || !op_is_low(def) || s->nuses[v] != 1)
		return NULL;
	return fold_intact(s, &s->defs[v], def->a) && fold_intact(s, &s->defs[v], def->b) ? def : NULL;
}

void fold_ext(struct fold *s, struct ir_insn *i)
{
	struct ir_insn *def;
	int64_t imm;

	if (fold_const(s, i->a, &imm)) {
		fold_become_const(s, i, (int64_t)eval_ext((uint64_t)imm, i->size, i->sx));
		return;
	}
	if (ext_changes_nothing(s, i)) {
		fold_become_mov(s, i, i->a);
		return;
	}
	if (ext_of_ext(s, i))
		return;
	def = low_operation(s, i->a);
	if (!def)
		return;
	/* Operands of what is extended after it need not be extended before it. */
	if (s->defs[i->a].block == s->block)
		strip_operands(s, def, i->size);
	if (i->size == 4 && !i->sx) {
		struct ir_insn narrow = *def;

		narrow.w32 = true;
		if (narrow.use_imm)
			narrow.imm = (int32_t)narrow.imm;
		fold_become(s, i, narrow);
	}
}
