/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emission: machine form with registers -> BPF instructions, relocations and line info.
 *
 * Only what kernels since 6.1 take is emitted: no signed division, no sign-extending loads or moves.
 */
#include <errno.h>
#include <linux/bpf.h>

#include "base/util.h"
#include "code/ir_mach.h"
#include "lang/diag.h"

struct fixup {
	uint32_t insn, block;
};

struct emit {
	struct mach *m;
	struct code *out;
	VEC(struct bpf_insn) insns;
	VEC(struct fixup) fixups;
	uint32_t *block_at;   /* machine block -> first instruction */
	uint32_t *arrives;    /* machine block -> the first from it on that does anything but jump on */
	uint32_t block;       /* being emitted */
	struct span span, line;
};

/* ---- single instructions ---- */

static void put(struct emit *e, uint8_t code, int dst, int src, int16_t off, int32_t imm)
{
	struct bpf_insn insn = { .code = code, .dst_reg = (uint8_t)(dst & 15), .src_reg = (uint8_t)(src & 15),
				 .off = off, .imm = imm };

	if (e->span.file && (e->span.begin != e->line.begin || e->span.end != e->line.end ||
			     e->span.file != e->line.file)) {
		struct code_line line = { e->insns.n, e->span };

		e->line = e->span;
		vec_push(e->m->arena, &e->out->lines, line);
	}
	vec_push(e->m->arena, &e->insns, insn);
}

static void relo(struct emit *e, struct code_relo r)
{
	r.insn = e->insns.n;
	vec_push(e->m->arena, &e->out->relos, r);
}

static void relo_core(struct emit *e, const struct ir_insn *i)
{
	if (i->relo)
		relo(e, (struct code_relo){ .kind = RELO_CORE, .core = i->relo });
}

static void put_mov(struct emit *e, int dst, int src)
{
	if (dst != src)
		put(e, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void put_alu_imm(struct emit *e, bool w32, uint8_t op, int dst, int32_t imm)
{
	put(e, (uint8_t)((w32 ? BPF_ALU : BPF_ALU64) | op | BPF_K), dst, 0, 0, imm);
}

static void put_imm64(struct emit *e, int dst, uint64_t imm)
{
	put(e, BPF_LD | BPF_DW | BPF_IMM, dst, 0, 0, (int32_t)imm);
	put(e, 0, 0, 0, 0, (int32_t)(imm >> 32));
}

static void put_const(struct emit *e, int dst, int64_t imm, bool fixed_form)
{
	if (fits_s32(imm))
		put_alu_imm(e, false, BPF_MOV, dst, (int32_t)imm);
	else if (imm >= 0 && imm <= UINT32_MAX && !fixed_form)
		put_alu_imm(e, true, BPF_MOV, dst, (int32_t)imm);
	else
		put_imm64(e, dst, (uint64_t)imm);
}

static int reg_of(const struct emit *e, vreg v)
{
	return e->m->vregs.v[v].reg;
}

static uint8_t size_code(uint8_t size)
{
	return size == 1 ? BPF_B : size == 2 ? BPF_H : size == 4 ? BPF_W : BPF_DW;
}

/* ---- operations ---- */

static const uint8_t alu_codes[IR_NOPS] = {
	[IR_ADD] = BPF_ADD, [IR_SUB] = BPF_SUB, [IR_MUL] = BPF_MUL, [IR_UDIV] = BPF_DIV, [IR_UMOD] = BPF_MOD,
	[IR_AND] = BPF_AND, [IR_OR] = BPF_OR, [IR_XOR] = BPF_XOR, [IR_SHL] = BPF_LSH, [IR_SHR] = BPF_RSH,
	[IR_SAR] = BPF_ARSH,
};

static void emit_binary(struct emit *e, const struct ir_insn *i)
{
	int d = reg_of(e, i->d), a = reg_of(e, i->a), b = i->use_imm ? REG_NONE : reg_of(e, i->b);
	uint8_t code = (uint8_t)((i->w32 ? BPF_ALU : BPF_ALU64) | alu_codes[i->op]);

	if (b == d && a != d) { /* commutative, or the allocator would have kept b apart */
		b = a;
		a = d;
	}
	put_mov(e, d, a);
	relo_core(e, i);
	if (i->use_imm)
		put(e, code | BPF_K, d, 0, 0, (int32_t)i->imm);
	else
		put(e, code | BPF_X, d, b, 0, 0);
}

static void emit_ext(struct emit *e, const struct ir_insn *i)
{
	int d = reg_of(e, i->d), a = reg_of(e, i->a);

	if (i->size == 4 && !i->sx) {
		put(e, BPF_ALU | BPF_MOV | BPF_X, d, a, 0, 0);
		return;
	}
	put_mov(e, d, a);
	if (!i->sx) {
		put_alu_imm(e, false, BPF_AND, d, (int32_t)mask_of(i->size));
		return;
	}
	put_alu_imm(e, false, BPF_LSH, d, 64 - 8 * i->size);
	put_alu_imm(e, false, BPF_ARSH, d, 64 - 8 * i->size);
}

static void emit_load(struct emit *e, const struct ir_insn *i, int d)
{
	relo_core(e, i);
	put(e, (uint8_t)(BPF_LDX | BPF_MEM | size_code(i->size)), d, reg_of(e, i->a), (int16_t)i->off, 0);
}

static void emit_store(struct emit *e, const struct ir_insn *i)
{
	uint8_t code = (uint8_t)(BPF_MEM | size_code(i->size));

	relo_core(e, i);
	if (i->use_imm)
		put(e, code | BPF_ST, reg_of(e, i->a), 0, (int16_t)i->off, (int32_t)i->imm);
	else
		put(e, code | BPF_STX, reg_of(e, i->a), reg_of(e, i->b), (int16_t)i->off, 0);
}

/* With the old value wanted, the register of the operand receives it. */
static void emit_atomic(struct emit *e, const struct ir_insn *i)
{
	int operand = reg_of(e, i->b);

	if (i->d) {
		put_mov(e, reg_of(e, i->d), operand);
		operand = reg_of(e, i->d);
	}
	relo_core(e, i);
	put(e, (uint8_t)(BPF_STX | BPF_ATOMIC | size_code(i->size)), reg_of(e, i->a), operand, (int16_t)i->off,
	    i->xchg ? BPF_XCHG : i->d ? BPF_ADD | BPF_FETCH : BPF_ADD);
}

static uint32_t map_number(const struct emit *e, int64_t imm)
{
	if (imm >= 0)
		return (uint32_t)imm;
	if (imm == IR_MAP_SPARE)
		return IR_NO_SPARE_MAP;
	return e->m->f->scratch_map >= 0 ? (uint32_t)e->m->f->scratch_map : IR_NO_MAP;
}

/* What can be made anew anywhere, into register `d`. */
static void emit_remat(struct emit *e, const struct ir_insn *i, int d)
{
	switch (i->op) {
	case IR_CONST:
		relo_core(e, i);
		put_const(e, d, i->imm, i->relo);
		break;
	case IR_MAP:
		relo(e, (struct code_relo){ .kind = RELO_MAP, .index = map_number(e, i->imm) });
		put_imm64(e, d, 0);
		break;
	case IR_RODATA:
	case IR_BSS:
		relo(e, (struct code_relo){ .kind = i->op == IR_BSS ? RELO_BSS : RELO_RODATA });
		put_imm64(e, d, (uint32_t)i->imm);
		break;
	case IR_FUNC:
		relo(e, (struct code_relo){ .kind = RELO_FUNC, .index = (uint32_t)i->imm });
		put_imm64(e, d, 0);
		break;
	default: /* IR_LOAD: reload of a spilled vreg */
		emit_load(e, i, d);
	}
}

/* ---- moves that happen at once ---- */

struct moves {
	int dst[5], src[5];
	uint32_t n;
};

static void moves_add(struct moves *mv, int dst, int src)
{
	if (dst == src)
		return;
	mv->dst[mv->n] = dst;
	mv->src[mv->n++] = src;
}

static bool is_source(const struct moves *mv, int reg)
{
	for (uint32_t k = 0; k < mv->n; k++)
		if (mv->src[k] == reg)
			return true;
	return false;
}

/* A move whose destination nobody reads any more comes first; what remains then are cycles, broken with
 * `spare`, a register that holds nothing. */
static void emit_moves(struct emit *e, struct moves *mv, int spare)
{
	while (mv->n) {
		uint32_t k = 0;

		while (k < mv->n && is_source(mv, mv->dst[k]))
			k++;
		if (k == mv->n) {
			put_mov(e, spare, mv->src[0]);
			mv->src[0] = spare;
			continue;
		}
		put_mov(e, mv->dst[k], mv->src[k]);
		mv->n--;
		mv->dst[k] = mv->dst[mv->n];
		mv->src[k] = mv->src[mv->n];
	}
}

static void emit_entry(struct emit *e, const struct ir_insn *i)
{
	static const int8_t spares[] = { 0, 6, 7, 8, 9 };
	struct moves mv = {0};
	bool taken[NREGS] = {0};
	int spare = 0;

	for (int k = 0; k < 5; k++)
		if (i->args[k]) {
			moves_add(&mv, reg_of(e, i->args[k]), k + 1);
			taken[reg_of(e, i->args[k])] = true;
		}
	for (uint32_t k = ARRAY_SIZE(spares); k; k--)
		if (!taken[spares[k - 1]])
			spare = spares[k - 1];
	emit_moves(e, &mv, spare);
}

/* The part of an argument that does not come from a register by a mere move. */
static void emit_arg(struct emit *e, vreg v, int d)
{
	const struct mach_vreg *mv = &e->m->vregs.v[v];

	switch (mv->kind) {
	case MV_REG:
		break;
	case MV_FRAME:
		put_mov(e, d, REG_FP);
		break;
	case MV_REMAT:
		emit_remat(e, mv->remat, d);
		break;
	case MV_OFFSET:
		emit_arg(e, mv->base, d);
		if (mv->off)
			put_alu_imm(e, false, BPF_ADD, d, mv->off);
		break;
	}
}

static void emit_call(struct emit *e, const struct ir_insn *i)
{
	struct moves mv = {0};

	for (int k = 0; k < i->nargs; k++) {
		vreg base = mach_arg_base(e->m, i->args[k]);

		if (base)
			moves_add(&mv, k + 1, reg_of(e, base));
	}
	emit_moves(e, &mv, 0);
	for (int k = 0; k < i->nargs; k++)
		emit_arg(e, i->args[k], k + 1);
	if (i->op == IR_CALL) {
		put(e, BPF_JMP | BPF_CALL, 0, 0, 0, (int32_t)i->imm);
	} else {
		relo(e, (struct code_relo){ .kind = i->op == IR_KFUNC ? RELO_KFUNC : RELO_CALLFUNC,
					    .index = (uint32_t)i->imm, .sym = i->sym });
		put(e, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, -1);
	}
	if (i->d)
		put_mov(e, reg_of(e, i->d), 0);
}

/* ---- control ---- */

static const uint8_t jump_codes[] = {
	[CC_EQ] = BPF_JEQ, [CC_NE] = BPF_JNE, [CC_ULT] = BPF_JLT, [CC_ULE] = BPF_JLE, [CC_UGT] = BPF_JGT,
	[CC_UGE] = BPF_JGE, [CC_SLT] = BPF_JSLT, [CC_SLE] = BPF_JSLE, [CC_SGT] = BPF_JSGT,
	[CC_SGE] = BPF_JSGE, [CC_SET] = BPF_JSET,
};

static void put_compare(struct emit *e, const struct ir_insn *i, enum ir_cc cc, int16_t off)
{
	uint8_t code = (uint8_t)((i->w32 ? BPF_JMP32 : BPF_JMP) | jump_codes[cc]);

	if (i->use_imm)
		put(e, code | BPF_K, reg_of(e, i->a), 0, off, (int32_t)i->imm);
	else
		put(e, code | BPF_X, reg_of(e, i->a), reg_of(e, i->b), off, 0);
}

static void emit_setcc(struct emit *e, const struct ir_insn *i)
{
	int d = reg_of(e, i->d);

	put_alu_imm(e, false, BPF_MOV, d, 1);
	put_compare(e, i, i->cc, 1);
	put_alu_imm(e, false, BPF_MOV, d, 0);
}

/* The next instruction jumps to `block`. */
static void fix_later(struct emit *e, uint32_t block)
{
	struct fixup fix = { e->insns.n, block };

	vec_push(e->m->arena, &e->fixups, fix);
}

/* Does one come to `block` without a jump? */
static bool is_next(const struct emit *e, uint32_t block)
{
	uint32_t next = e->block + 1;

	while (next < e->m->nblocks && e->arrives[next] != next)
		next++;
	return e->arrives[block] == next;
}

static void emit_jump(struct emit *e, uint32_t block)
{
	if (is_next(e, block))
		return;
	fix_later(e, block);
	put(e, BPF_JMP | BPF_JA, 0, 0, 0, 0);
}

static void emit_branch(struct emit *e, const struct ir_insn *i)
{
	if (e->arrives[i->then_] == e->arrives[i->else_]) {
		emit_jump(e, i->then_);
	} else if (is_next(e, i->then_) && i->cc != CC_SET) {
		fix_later(e, i->else_);
		put_compare(e, i, cc_invert(i->cc), 0);
	} else {
		fix_later(e, i->then_);
		put_compare(e, i, i->cc, 0);
		emit_jump(e, i->else_);
	}
}

static void emit_ret(struct emit *e, const struct ir_insn *i)
{
	if (i->a)
		put_mov(e, 0, reg_of(e, i->a));
	else
		put_const(e, 0, i->imm, false);
	put(e, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void emit_insn(struct emit *e, const struct ir_insn *i)
{
	switch ((int)i->op) {
	case IR_NOP:
		break;
	case (int)MACH_ENTRY:
		emit_entry(e, i);
		break;
	case IR_CONST: case IR_MAP: case IR_RODATA: case IR_BSS: case IR_FUNC:
		emit_remat(e, i, reg_of(e, i->d));
		break;
	case IR_MOV:
		put_mov(e, reg_of(e, i->d), reg_of(e, i->a));
		break;
	case IR_NEG:
		put_mov(e, reg_of(e, i->d), reg_of(e, i->a));
		put_alu_imm(e, i->w32, BPF_NEG, reg_of(e, i->d), 0);
		break;
	case IR_BSWAP:
		put_mov(e, reg_of(e, i->d), reg_of(e, i->a));
		put(e, BPF_ALU | BPF_END | BPF_TO_BE, reg_of(e, i->d), 0, 0, 8 * i->size);
		break;
	case IR_EXT:
		emit_ext(e, i);
		break;
	case IR_SETCC:
		emit_setcc(e, i);
		break;
	case IR_LOAD:
		emit_load(e, i, reg_of(e, i->d));
		break;
	case IR_STORE:
		emit_store(e, i);
		break;
	case IR_ATOMIC:
		emit_atomic(e, i);
		break;
	case IR_CALL: case IR_KFUNC: case IR_CALLFUNC:
		emit_call(e, i);
		break;
	case IR_JMP:
		emit_jump(e, i->then_);
		break;
	case IR_BR:
		emit_branch(e, i);
		break;
	case IR_RET:
		emit_ret(e, i);
		break;
	default:
		emit_binary(e, i);
	}
}

static int fix_jumps(struct emit *e, struct diags *d)
{
	vec_each(fix, &e->fixups) {
		int64_t off = (int64_t)e->block_at[e->arrives[fix->block]] - fix->insn - 1;

		if (!fits_s16(off)) {
			diag_error(d, e->line, "program %s is too large: %u instructions, and a jump reaches at most 32767",
				   e->m->f->name, e->insns.n);
			diag_hint(d, "divide the action among several probes, or make loops instead of repetition");
			return -E2BIG;
		}
		e->insns.v[fix->insn].off = (int16_t)off;
	}
	return 0;
}

/* Blocks in which nothing is left but a jump are not emitted. */
static void find_arrivals(struct emit *e)
{
	struct mach *m = e->m;

	e->arrives = arena_array_of(m->arena, uint32_t, m->nblocks);
	for (uint32_t b = 0; b < m->nblocks; b++) {
		uint32_t i = m->blocks[b].first;

		while (m->insns.v[i].op == IR_NOP)
			i++;
		e->arrives[b] = m->insns.v[i].op == IR_JMP && b ? m->insns.v[i].then_ : b;
	}
	for (uint32_t b = 0; b < m->nblocks; b++) {
		uint32_t to = e->arrives[b], steps = 0;

		while (e->arrives[to] != to && steps++ < m->nblocks)
			to = e->arrives[to];
		/* A ring of nothing but jumps: the program hangs, as it says; the verifier will tell. */
		e->arrives[b] = e->arrives[to] == to ? to : b;
	}
}

static int emit_all(struct mach *m, struct diags *d, struct code *out)
{
	struct emit e = { .m = m, .out = out };
	int r;

	e.block_at = arena_array_of(m->arena, uint32_t, m->nblocks);
	find_arrivals(&e);
	for (e.block = 0; e.block < m->nblocks; e.block++) {
		const struct mach_block *b = &m->blocks[e.block];

		if (e.arrives[e.block] != e.block)
			continue;
		e.block_at[e.block] = e.insns.n;
		for (uint32_t i = b->first; i < b->end; i++) {
			e.span = m->insns.v[i].span;
			emit_insn(&e, &m->insns.v[i]);
		}
	}
	r = fix_jumps(&e, d);
	if (r)
		return r;
	/* The kernel wants line info for the first instruction of every function. */
	if (out->lines.n)
		out->lines.v[0].insn = 0;
	out->insns = e.insns.v;
	out->n = e.insns.n;
	return 0;
}

/* Far more rounds than any program needs: each lets go of at least one vreg that was not short-lived. */
#define ROUNDS_MOST 500

int emit_func(struct ir_func *f, struct diags *d, struct code *out)
{
	struct mach m;
	uint32_t rounds = 0;

	mach_select(f, &m);
	do {
		if (rounds++ > ROUNDS_MOST) {
			diag_error(d, f->span, "program %s needs more registers than there are", f->name);
			return -E2BIG;
		}
		mach_legalise(&m);
		mach_live(&m);
	} while (!mach_allocate(&m));

	*out = (struct code){ .name = f->name, .is_subprog = f->is_subprog, .nargs = f->nargs };
	out->stack_bytes = (uint32_t)m.frame_bytes;
	if (out->stack_bytes > func_stack_most(f))
		return -ENOSPC;
	return emit_all(&m, d, out);
}
