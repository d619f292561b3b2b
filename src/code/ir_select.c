/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Selection: the blocks of a function laid out in a row, its instructions brought near to what BPF has,
 * and the vregs found that need no register of their own because constants and addresses can be made
 * where they are wanted: an address of a slot is r10 plus an offset, in a load just the offset.
 */
#include "code/ir_mach.h"

#include <string.h>

#define OFFSET_MOST (1 << 28) /* sums of two stay in 32 bits */

struct select {
	struct ir_func *f;
	struct mach *m;
	struct cfg cfg;
	vreg params[5];  /* vregs of the arguments, 0: not asked for */
	bool *wanted;    /* vreg -> is it used otherwise than as an address or an argument of a call? */
	struct span span;
};

vreg mach_vreg_new(struct mach *m, struct mach_vreg v)
{
	v.reg = REG_NONE;
	vec_push(m->arena, &m->vregs, v);
	return m->vregs.n - 1;
}

vreg mach_arg_base(const struct mach *m, vreg v)
{
	for (;;) {
		const struct mach_vreg *mv = &m->vregs.v[v];

		if (mv->kind == MV_REG)
			return v;
		if (mv->kind != MV_OFFSET)
			return 0;
		v = mv->base;
	}
}

uint32_t mach_uses(const struct mach *m, const struct ir_insn *i, vreg uses[USES_MOST])
{
	uint32_t n = 0;

	if (i->op == MACH_ENTRY)
		return 0;
	if (i->a && m->vregs.v[i->a].kind == MV_REG)
		uses[n++] = i->a;
	if (i->b && m->vregs.v[i->b].kind == MV_REG)
		uses[n++] = i->b;
	for (uint32_t k = 0; k < i->nargs; k++) {
		vreg v = mach_arg_base(m, i->args[k]);

		if (v)
			uses[n++] = v;
	}
	return n;
}

uint32_t mach_defs(const struct ir_insn *i, vreg defs[5])
{
	uint32_t n = 0;

	if (i->op != MACH_ENTRY) {
		defs[0] = i->d;
		return i->d ? 1 : 0;
	}
	for (uint32_t k = 0; k < 5; k++)
		if (i->args[k])
			defs[n++] = i->args[k];
	return n;
}

/* ---- which vregs need no register ---- */

static void find_wanted(struct select *s)
{
	for (uint32_t n = 0; n < s->cfg.nrpo; n++)
		vec_each(i, &s->f->blocks.v[s->cfg.rpo[n]]->insns) {
			bool address = (i->op == IR_LOAD || i->op == IR_STORE || i->op == IR_ATOMIC) && !i->relo;

			if (i->a && !address)
				s->wanted[i->a] = true;
			if (i->b)
				s->wanted[i->b] = true;
		}
}

/* Vregs that are compared for order, and then used as an offset or as a length. */
static void find_bounds(struct select *s)
{
	bool *compared = arena_array_of(s->m->arena, bool, s->f->vregs.n);

	for (uint32_t pass = 0; pass < 2; pass++)
		for (uint32_t n = 0; n < s->cfg.nrpo; n++)
			vec_each(i, &s->f->blocks.v[s->cfg.rpo[n]]->insns) {
				bool order = i->op == IR_BR && i->cc != CC_EQ && i->cc != CC_NE;
				vreg *uses[USES_MOST];

				for (uint32_t k = insn_uses(i, uses); k; k--) {
					vreg v = *uses[k - 1];

					if (!pass)
						compared[v] |= order;
					else if (compared[v] && (i->op == IR_ADD || i->op == IR_MOV || insn_is_call(i)))
						s->m->vregs.v[v].bounds = true;
				}
			}
}

static void offset_of(struct mach *m, vreg v, vreg base, int32_t off)
{
	struct mach_vreg *mv = &m->vregs.v[v];

	if (m->vregs.v[base].kind == MV_OFFSET) {
		off += m->vregs.v[base].off;
		base = m->vregs.v[base].base;
	}
	mv->kind = MV_OFFSET;
	mv->base = base;
	mv->off = off;
}

/* The vreg that holds the program's argument k from the beginning. */
static vreg param_vreg(struct select *s, uint32_t k)
{
	if (!s->params[k])
		s->params[k] = mach_vreg_new(s->m, (struct mach_vreg){ .kind = MV_REG });
	return s->params[k];
}

static uint32_t param_number(const struct ir_insn *i)
{
	return i->op == IR_CTX ? 0 : (uint32_t)i->imm;
}

static bool add_is_foldable(const struct select *s, const struct ir_insn *i)
{
	const struct mach_vreg *base = &s->m->vregs.v[i->a];
	bool anywhere = base->kind == MV_OFFSET && base->base == s->m->frame;

	if (!i->use_imm || i->w32 || i->relo || i->imm < -OFFSET_MOST || i->imm > OFFSET_MOST ||
	    base->off < -OFFSET_MOST || base->off > OFFSET_MOST)
		return false;
	if (base->kind == MV_REMAT || s->f->vregs.v[i->a].ndefs != 1)
		return false;
	return anywhere || !s->wanted[i->d];
}

static void classify(struct select *s, const struct ir_insn *i)
{
	struct mach *m = s->m;

	if (!i->d || s->f->vregs.v[i->d].ndefs != 1)
		return;
	switch (i->op) {
	case IR_CONST: case IR_MAP: case IR_RODATA: case IR_BSS: case IR_FUNC:
		m->vregs.v[i->d].kind = MV_REMAT;
		m->vregs.v[i->d].remat = i;
		break;
	case IR_SLOT: {
		const struct ir_slot *slot = &s->f->slots.v[i->imm];

		offset_of(m, i->d, slot->in_scratch ? s->f->scratch_base : m->frame, slot->offset + i->off);
		break;
	}
	case IR_CTX: case IR_ARG: {
		vreg p = param_vreg(s, param_number(i));

		offset_of(m, i->d, p, 0);
		break;
	}
	case IR_ADD:
		if (add_is_foldable(s, i))
			offset_of(m, i->d, i->a, (int32_t)i->imm);
		break;
	default:
		break;
	}
}

/* ---- instructions in a row ---- */

static vreg temp(struct select *s)
{
	return mach_vreg_new(s->m, (struct mach_vreg){ .kind = MV_REG });
}

static void put(struct select *s, struct ir_insn i)
{
	if (i.span.file)
		s->span = i.span;
	i.span = s->span;
	vec_push(s->m->arena, &s->m->insns, i);
}

/* The result goes through a fresh vreg: it must not meet an operand. */
static void put_through_temp(struct select *s, struct ir_insn i)
{
	vreg d = i.d;

	i.d = temp(s);
	put(s, i);
	put(s, (struct ir_insn){ .op = IR_MOV, .d = d, .a = i.d });
}

/* An immediate that BPF instructions cannot hold goes into a vreg. */
static void fit_immediate(struct select *s, struct ir_insn *i)
{
	bool narrow = i->w32 || (i->op == IR_STORE && i->size < 8);

	if (!i->use_imm || i->op == IR_RET)
		return;
	if (narrow)
		i->imm = (int32_t)i->imm;
	if (fits_s32(i->imm))
		return;
	i->b = temp(s);
	i->use_imm = false;
	put(s, (struct ir_insn){ .op = IR_CONST, .d = i->b, .imm = i->imm, .span = i->span });
}

static void put_binary(struct select *s, struct ir_insn i)
{
	bool shift = i.op == IR_SHL || i.op == IR_SHR || i.op == IR_SAR;

	if (shift && i.use_imm)
		i.imm &= i.w32 ? 31 : 63;
	/* The verifier refuses a division by the constant 0; by a register it gives 0, the rest the dividend. */
	if ((i.op == IR_UDIV || i.op == IR_UMOD) && i.use_imm && !(i.w32 ? (int64_t)(int32_t)i.imm : i.imm)) {
		if (i.op == IR_UDIV)
			i = (struct ir_insn){ .op = IR_CONST, .d = i.d, .span = i.span };
		else
			i = (struct ir_insn){ .op = i.w32 ? IR_EXT : IR_MOV, .size = 4, .d = i.d, .a = i.a,
					      .span = i.span };
		put(s, i);
		return;
	}
	fit_immediate(s, &i);
	if (i.b && i.d == i.b && i.d != i.a && !op_is_commutative(i.op)) {
		vreg t = temp(s);

		put(s, (struct ir_insn){ .op = IR_MOV, .d = t, .a = i.b, .span = i.span });
		i.b = t;
	}
	put(s, i);
}

/* An offset that an instruction cannot hold is added to the address. */
static void fit_offset(struct select *s, struct ir_insn *i)
{
	vreg t;

	if (fits_s16(i->off))
		return;
	t = temp(s);
	put(s, (struct ir_insn){ .op = IR_ADD, .d = t, .a = i->a, .use_imm = true, .imm = i->off, .span = i->span });
	i->a = t;
	i->off = 0;
}

static void put_load(struct select *s, struct ir_insn i)
{
	vreg d = i.d;

	fit_offset(s, &i);
	if (!i.sx || i.size == 8) {
		put(s, i);
		return;
	}
	i.d = temp(s);
	i.sx = false;
	put(s, i);
	put(s, (struct ir_insn){ .op = IR_EXT, .d = d, .a = i.d, .size = i.size, .sx = true });
}

static bool is_on_stack(const struct select *s, vreg addr)
{
	const struct mach_vreg *mv = &s->m->vregs.v[addr];

	return mv->kind == MV_OFFSET && mv->base == s->m->frame;
}

/*
 * Nobody else sees the stack, so there an addition needs not be atomic. It must not be, either: verifiers (6.18)
 * that know what lies there take the old value for known, but do not keep it in mind when they compare
 * states, and drop code that is reached with other values.
 */
static void put_atomic(struct select *s, struct ir_insn i)
{
	vreg old, sum;

	fit_offset(s, &i);
	if (!is_on_stack(s, i.a)) {
		if (i.d && i.d == i.a)
			put_through_temp(s, i);
		else
			put(s, i);
		return;
	}
	old = temp(s);
	sum = i.xchg ? i.b : temp(s);
	put(s, (struct ir_insn){ .op = IR_LOAD, .d = old, .a = i.a, .off = i.off, .size = i.size, .span = i.span });
	if (!i.xchg)
		put(s, (struct ir_insn){ .op = IR_ADD, .d = sum, .a = old, .b = i.b, .span = i.span });
	put(s, (struct ir_insn){ .op = IR_STORE, .a = i.a, .off = i.off, .size = i.size, .b = sum, .span = i.span });
	if (i.d)
		put(s, (struct ir_insn){ .op = IR_MOV, .d = i.d, .a = old, .span = i.span });
}

static void put_insn(struct select *s, struct ir_insn i)
{
	switch (i.op) {
	case IR_NOP:
		break;
	case IR_LOAD:
		put_load(s, i);
		break;
	case IR_CTX: case IR_ARG:
		if (s->m->vregs.v[i.d].kind == MV_REG)
			put(s, (struct ir_insn){ .op = IR_MOV, .d = i.d, .a = param_vreg(s, param_number(&i)) });
		break;
	case IR_SLOT:
		if (s->m->vregs.v[i.d].kind == MV_REG) {
			const struct ir_slot *slot = &s->f->slots.v[i.imm];

			put(s, (struct ir_insn){ .op = IR_ADD, .d = i.d, .use_imm = true, .imm = slot->offset + i.off,
				.a = slot->in_scratch ? s->f->scratch_base : s->m->frame });
		}
		break;
	case IR_SETCC:
		fit_immediate(s, &i);
		if (i.d == i.a || i.d == i.b)
			put_through_temp(s, i);
		else
			put(s, i);
		break;
	case IR_STORE:
		fit_offset(s, &i);
		fit_immediate(s, &i);
		put(s, i);
		break;
	case IR_ATOMIC:
		put_atomic(s, i);
		break;
	case IR_EXT:
		if (i.size >= 8)
			i.op = IR_MOV;
		put(s, i);
		break;
	case IR_BSWAP:
		if (i.size == 1)
			i.op = IR_EXT;
		put(s, i);
		break;
	case IR_JMP: case IR_BR:
		fit_immediate(s, &i);
		i.then_ = s->cfg.order[i.then_] + 1;
		if (i.op == IR_BR)
			i.else_ = s->cfg.order[i.else_] + 1;
		put(s, i);
		break;
	default:
		if (op_is_binary(i.op)) {
			put_binary(s, i);
			break;
		}
		fit_immediate(s, &i);
		put(s, i);
	}
}

static void put_block(struct select *s, uint32_t n)
{
	struct mach *m = s->m;
	struct mach_block *mb = &m->blocks[n + 1];
	uint32_t ir = s->cfg.rpo[n];
	struct ir_block *b = s->f->blocks.v[ir];

	mb->first = m->insns.n;
	mb->depth = s->cfg.depth[ir];
	vec_each(i, &b->insns)
		put_insn(s, *i);
	/* A block its builder has not ended returns 0: what the language says of running off the end. */
	if (!block_end(b) || !(block_end(b)->op == IR_JMP || block_end(b)->op == IR_BR || block_end(b)->op == IR_RET))
		put(s, (struct ir_insn){ .op = IR_RET });
	mb->end = m->insns.n;
	mb->nsucc = block_succs(b, mb->succ);
	for (uint32_t k = 0; k < mb->nsucc; k++)
		mb->succ[k] = s->cfg.order[mb->succ[k]] + 1;
}

static void put_entry(struct select *s)
{
	struct mach_block *mb = &s->m->blocks[0];

	put(s, (struct ir_insn){ .op = MACH_ENTRY });
	put(s, (struct ir_insn){ .op = IR_JMP, .then_ = 1 });
	mb->end = s->m->insns.n;
	mb->succ[0] = 1;
	mb->nsucc = 1;
}

/* ---- branches on bounds ---- */

static bool compares_bounds(const struct mach *m, const struct ir_insn *i)
{
	return i->op == IR_BR && (m->vregs.v[i->a].bounds || (i->b && m->vregs.v[i->b].bounds));
}

/* A block of its own on the way to `*target`, when others lead there too. */
static void split_edge(struct select *s, uint32_t *target, const uint32_t *npreds)
{
	struct mach *m = s->m;
	struct mach_block *mb = &m->blocks[m->nblocks];

	if (npreds[*target] < 2)
		return;
	mb->first = m->insns.n;
	mb->succ[0] = *target;
	mb->nsucc = 1;
	mb->depth = m->blocks[*target].depth;
	put(s, (struct ir_insn){ .op = IR_JMP, .then_ = *target });
	mb->end = m->insns.n;
	*target = m->nblocks++;
}

/* Where a branch on something bounded leads, nothing else shall lead: see bind_home(). Unneeded blocks vanish. */
static void split_edges(struct select *s)
{
	struct mach *m = s->m;
	uint32_t nblocks = m->nblocks, *npreds = arena_array_of(m->arena, uint32_t, nblocks);

	for (uint32_t b = 0; b < nblocks; b++)
		for (uint32_t k = 0; k < m->blocks[b].nsucc; k++)
			npreds[m->blocks[b].succ[k]]++;
	for (uint32_t b = 0; b < nblocks; b++) {
		uint32_t end = m->blocks[b].end - 1;
		uint32_t then_ = m->insns.v[end].then_, else_ = m->insns.v[end].else_;

		if (!compares_bounds(m, &m->insns.v[end]) || then_ == else_)
			continue;
		split_edge(s, &then_, npreds);
		split_edge(s, &else_, npreds);
		m->insns.v[end].then_ = m->blocks[b].succ[0] = then_;
		m->insns.v[end].else_ = m->blocks[b].succ[1] = else_;
	}
}

static int32_t slots_bytes(const struct ir_func *f)
{
	int32_t bytes = 0;

	for (uint32_t k = 0; k < f->slots.n; k++)
		if (!f->slots.v[k].in_scratch && -f->slots.v[k].offset > bytes)
			bytes = -f->slots.v[k].offset;
	return (bytes + 7) & ~7;
}

void mach_select(struct ir_func *f, struct mach *m)
{
	struct select s = { .f = f, .m = m };

	*m = (struct mach){ .arena = f->arena, .f = f, .frame_bytes = slots_bytes(f) };
	cfg_build(f, &s.cfg);
	ir_count_defs(f, &s.cfg);
	for (uint32_t v = 0; v < f->vregs.n; v++)
		mach_vreg_new(m, (struct mach_vreg){ .kind = MV_REG });
	m->frame = mach_vreg_new(m, (struct mach_vreg){ .kind = MV_FRAME });
	m->vregs.v[m->frame].reg = REG_FP;
	s.wanted = arena_array_of(m->arena, bool, f->vregs.n);
	find_wanted(&s);
	find_bounds(&s);
	for (uint32_t n = 0; n < s.cfg.nrpo; n++)
		vec_each(i, &f->blocks.v[s.cfg.rpo[n]]->insns)
			classify(&s, i);

	m->nblocks = s.cfg.nrpo + 1;
	m->blocks = arena_array_of(m->arena, struct mach_block, 3 * m->nblocks);
	put_entry(&s);
	for (uint32_t n = 0; n < s.cfg.nrpo; n++)
		put_block(&s, n);
	memcpy(m->insns.v[0].args, s.params, sizeof(s.params));
	split_edges(&s);
}
