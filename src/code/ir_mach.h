/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine form: a function's instructions in their final order, rewritten step by step until every
 * operand is what BPF can express and every vreg has a register.
 *
 *   mach_select()   orders the blocks and says which vregs never need a register of their own
 *   mach_legalise() gives such vregs a short-lived copy wherever an instruction wants a register
 *   mach_live()     when is each vreg alive
 *   mach_allocate() which register; what finds none is made a vreg without register, and all begins anew
 *
 * It is a copy: the IR itself is not changed, so that a function can be compiled again when its slots
 * must move.
 */
#ifndef SONDE_CODE_IR_MACH_H
#define SONDE_CODE_IR_MACH_H

#include "code/ir_pass.h"

/* The first instruction: args[k] receives the program's argument k (0: nobody wants it). */
#define MACH_ENTRY ((enum ir_op)IR_NOPS)

#define REG_FP 10
#define REG_NONE (-1)
#define NREGS 10 /* r0 to r9 can be allocated */

enum mach_kind {
	MV_REG,    /* lives in a register */
	MV_FRAME,  /* r10 */
	MV_REMAT,  /* made anew by `remat` where it is needed: constants, addresses, reloads of spilled vregs */
	MV_OFFSET, /* vreg `base` plus `off`: folded into addresses and arguments */
};

struct mach_vreg {
	enum mach_kind kind;
	const struct ir_insn *remat; /* MV_REMAT; its d is set on use */
	vreg base;                   /* MV_OFFSET */
	int32_t off;
	bool home;      /* spilled: what defines it stores it to home_off from r10 */
	int32_t home_off;
	bool bounds;    /* compared, and used where the verifier wants to know its bounds */
	bool tiny;      /* lives for one instruction; must not be spilled */
	vreg copy_of;   /* a copy made by mach_legalise(), shared by the uses between two calls */
	int8_t reg;     /* result of mach_allocate() */
};

struct mach_block {
	uint32_t first, end; /* instructions */
	uint32_t succ[2], nsucc;
	uint32_t depth;      /* of loops */
	VEC(vreg) live_out;
	vreg bound[2], bound_copy[2]; /* what the branch to here has compared, and the copy that it compared: see bind_home() */
	uint32_t nbound;
};

/* Alive in [begin, end); instruction i reads its operands at 2i and writes its result at 2i + 1. */
struct range {
	uint32_t begin, end;
};

struct interval {
	VEC(struct range) ranges; /* in order, disjoint */
	float weight;             /* what it costs to have it in memory */
	bool over_call;           /* alive across a call, so only r6 to r9 will do */
	bool keep;                /* must not be spilled */
	int8_t hint;              /* the register in which it is wanted, or REG_NONE */
	vreg like;                /* a vreg whose register would save a move, or 0 */
};

struct mach {
	struct arena *arena;
	const struct ir_func *f;
	VEC(struct ir_insn) insns; /* then_ and else_ are numbers of machine blocks */
	struct mach_block *blocks;
	uint32_t nblocks;
	VEC(struct mach_vreg) vregs;
	vreg frame;
	int32_t frame_bytes;       /* slots and spills so far */
	struct interval *intervals; /* per vreg, made by mach_live() */
	vreg *joined;               /* vreg -> the vreg whose interval it shares (itself mostly) */
	VEC(uint32_t) calls;        /* positions 2i + 1 of calls, in order */
};

void mach_select(struct ir_func *f, struct mach *m);
void mach_legalise(struct mach *m);
void mach_live(struct mach *m);
/* Give every interval a register; false: some vregs were turned into spilled ones, legalise again. */
bool mach_allocate(struct mach *m);

vreg mach_vreg_new(struct mach *m, struct mach_vreg v);
/* The vreg in a register that argument `v` is computed from, or 0. */
vreg mach_arg_base(const struct mach *m, vreg v);
/* Like insn_uses(), but only what must be in a register (for calls: what the arguments are made from). */
uint32_t mach_uses(const struct mach *m, const struct ir_insn *i, vreg uses[USES_MOST]);
/* The vregs an instruction defines. */
uint32_t mach_defs(const struct ir_insn *i, vreg defs[5]);
/* When is each slot alive (only ranges are filled in; none: nobody looks at it). */
struct interval *slot_lives_find(struct ir_func *f);
/* Where the scratch map is best looked up: a block outside of loops that dominates all who want slots in
 * scratch, and the instruction in it before which to do it. */
uint32_t scratch_place(struct ir_func *f, uint32_t *at);
/* Look scratch up there, or take that out again. */
void scratch_lookup_insert(struct ir_func *f);
void scratch_lookup_remove(struct ir_func *f);
bool ranges_overlap(const struct interval *a, const struct interval *b);
struct interval *mach_interval(const struct mach *m, vreg v);

#endif
