/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jumps: branches to blocks that only jump on are led to where they end; a truth value that control flow has
 * just made and the next block tests is not tested again; a block with one way in joins the block it
 * comes from.
 */
#include "code/ir_pass.h"

#define CHAIN_MOST 32

/* Blocks that only return a constant: one of each will do. */
#define RETURNS_MOST 8

struct jumps {
	struct ir_func *f;
	struct cfg cfg;
	/* Blocks that do nothing but return, one for each value. */
	struct { uint32_t block; int64_t value; } returns[RETURNS_MOST];
	uint32_t nreturns;
};

static const struct ir_insn *only_return(const struct ir_func *f, uint32_t b)
{
	const struct ir_block *block = f->blocks.v[b];

	return block->insns.n == 1 && block->insns.v[0].op == IR_RET && !block->insns.v[0].a ? block->insns.v : NULL;
}

static uint32_t same_return(struct jumps *j, uint32_t b)
{
	const struct ir_insn *ret = only_return(j->f, b);

	if (!ret)
		return b;
	for (uint32_t k = 0; k < j->nreturns; k++)
		if (j->returns[k].value == ret->imm)
			return j->returns[k].block;
	if (j->nreturns < RETURNS_MOST) {
		j->returns[j->nreturns].block = b;
		j->returns[j->nreturns++].value = ret->imm;
	}
	return b;
}

/* Where does one arrive who jumps to `b`? */
static uint32_t final_target(struct jumps *j, uint32_t b)
{
	for (int k = 0; k < CHAIN_MOST; k++) {
		const struct ir_block *block = j->f->blocks.v[b];

		if (block->insns.n != 1 || block->insns.v[0].op != IR_JMP)
			break;
		b = block->insns.v[0].then_;
	}
	return same_return(j, b);
}

/* The value that `v` certainly has at the end of the block. */
static bool last_value(const struct ir_block *b, vreg v, int64_t *imm)
{
	for (uint32_t k = b->insns.n; k-- > 0;) {
		const struct ir_insn *i = &b->insns.v[k];

		if (i->d != v)
			continue;
		*imm = i->imm;
		return i->op == IR_CONST && !i->relo;
	}
	return false;
}

/* From block `b`, which jumps to a block that does nothing but branch on what `b` has just made constant. */
static bool thread_branch(struct ir_func *f, struct ir_insn *end, const struct ir_block *b)
{
	const struct ir_block *to = f->blocks.v[end->then_];
	const struct ir_insn *br = &to->insns.v[0];
	int64_t imm;

	if (end->op != IR_JMP || to->insns.n != 1 || br->op != IR_BR || !br->use_imm || !last_value(b, br->a, &imm))
		return false;
	end->then_ = eval_cc(br->cc, br->w32, (uint64_t)imm, (uint64_t)br->imm) ? br->then_ : br->else_;
	return true;
}

static void thread_block(struct jumps *j, struct ir_block *b)
{
	struct ir_insn *end = block_end(b);

	if (!end || (end->op != IR_JMP && end->op != IR_BR))
		return;
	for (int k = 0; k < CHAIN_MOST; k++) {
		end->then_ = final_target(j, end->then_);
		if (!thread_branch(j->f, end, b))
			break;
	}
	if (end->op == IR_BR)
		end->else_ = final_target(j, end->else_);
	if (end->op == IR_BR && end->then_ == end->else_)
		*end = (struct ir_insn){ .op = IR_JMP, .then_ = end->then_, .span = end->span };
}

/* Append the only block that comes after `b`, when `b` is the only one that comes before it. */
static bool join_next(struct ir_func *f, const struct cfg *c, uint32_t b)
{
	struct ir_block *block = f->blocks.v[b], *next;
	const struct ir_insn *end = block_end(block);
	uint32_t to;

	if (!end || end->op != IR_JMP)
		return false;
	to = end->then_;
	next = f->blocks.v[to];
	if (to == b || to == 0 || c->pred_first[to + 1] - c->pred_first[to] != 1)
		return false;
	block->insns.n--;
	for (uint32_t k = 0; k < next->insns.n; k++)
		vec_push(f->arena, &block->insns, next->insns.v[k]);
	next->insns.n = 0;
	return true;
}

void ir_jumps(struct ir_func *f)
{
	struct jumps j = { .f = f };

	ir_compact(f);
	cfg_build(f, &j.cfg);
	for (uint32_t n = 0; n < j.cfg.nrpo; n++)
		thread_block(&j, f->blocks.v[j.cfg.rpo[n]]);
	cfg_build(f, &j.cfg);
	for (uint32_t n = 0; n < j.cfg.nrpo; n++)
		while (f->blocks.v[j.cfg.rpo[n]]->insns.n && join_next(f, &j.cfg, j.cfg.rpo[n]))
			;
}
