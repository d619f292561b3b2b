/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folding: what its parts (arithmetic, comparisons) share. */
#ifndef SONDE_CODE_IR_FOLD_H
#define SONDE_CODE_IR_FOLD_H

#include "code/ir_pass.h"

struct def_at {
	struct ir_insn *insn; /* NULL: none, or several */
	uint32_t block, index;
};

struct fold {
	struct ir_func *f;
	struct cfg cfg;
	struct def_at *defs;        /* of vregs with one definition */
	uint32_t *nuses;            /* exact at any moment: who changes operands keeps it so */
	struct value_range *ranges; /* as they were at the beginning of the round */
	uint32_t block, index;      /* the instruction being folded */
	bool changed;
};

/* The only definition of `v`, or NULL. */
struct ir_insn *fold_def(const struct fold *s, vreg v);
bool fold_const(const struct fold *s, vreg v, int64_t *imm);
/* The definition of `v` if it is `op` and its operands still have, at the present instruction, the values they
 * had there. */
struct ir_insn *fold_def_op(const struct fold *s, vreg v, enum ir_op op);
/* Has `v` the same value at the present instruction as at the definition `def`? */
bool fold_intact(const struct fold *s, const struct def_at *def, vreg v);
void fold_use(struct fold *s, vreg *place, vreg v);
/* Instruction `i` becomes `what`, keeping its result and span. */
void fold_become(struct fold *s, struct ir_insn *i, struct ir_insn what);
void fold_become_const(struct fold *s, struct ir_insn *i, int64_t imm);
void fold_become_mov(struct fold *s, struct ir_insn *i, vreg a);

/* Does the result's low half depend on the low halves of the operands alone? */
bool op_is_low(const struct ir_insn *i);

void ir_fold_binary(struct fold *s, struct ir_insn *i);
void fold_ext(struct fold *s, struct ir_insn *i);
/* SETCC and BR. */
void fold_compare(struct fold *s, struct ir_insn *i);

#endif
