/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the passes over the IR share; nobody outside ir_*.c needs it. */
#ifndef SONDE_CODE_IR_PASS_H
#define SONDE_CODE_IR_PASS_H

#include "code/ir.h"

#define NO_BLOCK UINT32_MAX
#define STACK_MOST_BYTES 512
#define SCRATCH_PERCPU_BYTES (32u << 10) /* the largest value of a per-CPU map */
#define SCRATCH_TASK_BYTES 8000          /* what every kernel is sure to give a task, where it has memory */
#define SCRATCH_SPARES 8                 /* blocks each CPU has for tasks that were refused theirs */
#define SCRATCH_MOST_BYTES (4u << 20)    /* for one CPU, in a map of its own */

/* The shape of a function at one moment; passes that change blocks build it anew. */
struct cfg {
	uint32_t nblocks;
	uint32_t *rpo;        /* reachable blocks, each before its successors but for loops */
	uint32_t nrpo;
	uint32_t *order;      /* block -> place in rpo; NO_BLOCK: unreachable */
	uint32_t *idom;       /* block -> the block that dominates it immediately; the entry: itself */
	uint32_t *dom_first, *dom_size; /* cfg_dominates() */
	uint32_t *pred_first; /* predecessors of b: preds[pred_first[b]] .. preds[pred_first[b + 1] - 1] */
	uint32_t *preds;
	uint32_t *depth;      /* block -> number of loops around it */
};

void cfg_build(struct ir_func *f, struct cfg *c);
/* The nearest block that dominates both. */
uint32_t cfg_common_dominator(const struct cfg *c, uint32_t a, uint32_t b);
bool cfg_dominates(const struct cfg *c, uint32_t a, uint32_t b);
/* Count the definitions of every vreg (reachable ones). A vreg with one definition that does not reach all
 * its uses gets 2: it is not the value it looks like on every path. */
void ir_count_defs(struct ir_func *f, const struct cfg *c);

/* The last instruction of a block, or NULL when it is empty. */
struct ir_insn *block_end(const struct ir_block *b);
/* Where a block may go; returns how many (0 to 2, without repetition). */
uint32_t block_succs(const struct ir_block *b, uint32_t succ[2]);
/* Drop the NOPs of all blocks. */
void ir_compact(struct ir_func *f);

#define USES_MOST 7
/* The places in `i` that name the vregs it reads; returns how many. */
uint32_t insn_uses(struct ir_insn *i, vreg *uses[USES_MOST]);
bool insn_is_call(const struct ir_insn *i);
/* Must it stay even when nobody wants its result? */
bool insn_has_effect(const struct ir_insn *i);
bool op_is_binary(enum ir_op op);
bool op_is_commutative(enum ir_op op);
/* The condition with operands exchanged, and the opposite one (not for CC_SET). */
enum ir_cc cc_swap(enum ir_cc cc);
enum ir_cc cc_invert(enum ir_cc cc);

static inline bool fits_s32(int64_t v)
{
	return v >= INT32_MIN && v <= INT32_MAX;
}

static inline bool fits_s16(int64_t v)
{
	return v >= INT16_MIN && v <= INT16_MAX;
}

/* All ones in the low `size` bytes. */
static inline uint64_t mask_of(uint8_t size)
{
	return size >= 8 ? UINT64_MAX : (UINT64_C(1) << (size * 8)) - 1;
}

/* What values a vreg can have. */
struct value_range {
	int64_t smin, smax;
	uint64_t umax;
	bool known_to_verifier; /* the kernel's verifier finds the same: bounds may be left out of the program */
};
/* Ranges of all vregs, by vreg; from the arena. ndefs must be up to date. */
struct value_range *ranges_find(struct ir_func *f, const struct cfg *c);

/* The value of a constant operation. */
uint64_t eval_binary(enum ir_op op, bool w32, uint64_t a, uint64_t b);
uint64_t eval_ext(uint64_t v, uint8_t size, bool sx);
bool eval_cc(enum ir_cc cc, bool w32, uint64_t a, uint64_t b);

/* Where an address points, as far as it can be seen. */
struct root {
	enum { ROOT_VALUE, ROOT_SLOT, ROOT_CTX, ROOT_RODATA, ROOT_BSS } kind;
	uint32_t id; /* ROOT_SLOT: the slot; ROOT_VALUE: the vreg it is counted from */
	int64_t off;
};

/* What passes know of memory. */
struct memory {
	struct ir_func *f;
	struct ir_insn **defs; /* by vreg: its only definition, or NULL */
	bool *exposed;         /* by slot: reached in other ways than by loads and stores at known places */
	bool *read;            /* by slot: loaded from */
};
void memory_find(struct ir_func *f, const struct cfg *c, struct memory *m);
struct root memory_root(const struct memory *m, vreg addr, int32_t off);

/* Stores that are overwritten, that nobody reads, or that can be made together (ir_dce() does it). */
void ir_stores(struct ir_func *f, const struct cfg *c);
/* Chains of jumps, blocks that only one other reaches, branches on constants (ir_dce() does it). */
void ir_jumps(struct ir_func *f);

static inline uint32_t func_stack_most(const struct ir_func *f)
{
	return f->stack_most ? f->stack_most : STACK_MOST_BYTES;
}

/* ir_place_slots() with as many bytes of stack as the caller allows. */
int slots_place(struct ir_func *f, uint32_t on_stack_limit, uint32_t stack_bytes, struct diags *d);
/* ir_emit(); when the stack does not suffice: -ENOSPC without a diagnostic, and out->stack_bytes says how much
 * would be needed. */
int emit_func(struct ir_func *f, struct diags *d, struct code *out);

#endif
