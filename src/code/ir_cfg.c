/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shape of a function: order of blocks, predecessors, dominators, loops; and small facts about
 * instructions that every pass asks for. Nothing here recurses: programs may have thousands of blocks.
 */
#include "code/ir_pass.h"

#include <string.h>

struct ir_insn *block_end(const struct ir_block *b)
{
	return b->insns.n ? &b->insns.v[b->insns.n - 1] : NULL;
}

uint32_t block_succs(const struct ir_block *b, uint32_t succ[2])
{
	const struct ir_insn *end = block_end(b);

	if (!end || (end->op != IR_JMP && end->op != IR_BR))
		return 0;
	succ[0] = end->then_;
	if (end->op == IR_JMP || end->then_ == end->else_)
		return 1;
	succ[1] = end->else_;
	return 2;
}

void ir_compact(struct ir_func *f)
{
	for (uint32_t n = 0; n < f->blocks.n; n++) {
		struct ir_block *b = f->blocks.v[n];
		uint32_t kept = 0;

		for (uint32_t i = 0; i < b->insns.n; i++)
			if (b->insns.v[i].op != IR_NOP)
				b->insns.v[kept++] = b->insns.v[i];
		b->insns.n = kept;
	}
}

uint32_t insn_uses(struct ir_insn *i, vreg *uses[USES_MOST])
{
	uint32_t n = 0;

	if (i->a)
		uses[n++] = &i->a;
	if (i->b)
		uses[n++] = &i->b;
	for (uint32_t k = 0; k < i->nargs; k++)
		uses[n++] = &i->args[k];
	return n;
}

bool insn_is_call(const struct ir_insn *i)
{
	return i->op == IR_CALL || i->op == IR_KFUNC || i->op == IR_CALLFUNC;
}

bool insn_has_effect(const struct ir_insn *i)
{
	switch (i->op) {
	case IR_STORE: case IR_ATOMIC: case IR_KFUNC: case IR_CALLFUNC: case IR_JMP: case IR_BR: case IR_RET:
		return true;
	case IR_CALL:
		return !i->pure;
	default:
		return false;
	}
}

bool op_is_binary(enum ir_op op)
{
	return op >= IR_ADD && op <= IR_SAR;
}

bool op_is_commutative(enum ir_op op)
{
	return op == IR_ADD || op == IR_MUL || op == IR_AND || op == IR_OR || op == IR_XOR;
}

enum ir_cc cc_swap(enum ir_cc cc)
{
	static const uint8_t swapped[] = {
		[CC_EQ] = CC_EQ, [CC_NE] = CC_NE, [CC_ULT] = CC_UGT, [CC_ULE] = CC_UGE, [CC_UGT] = CC_ULT,
		[CC_UGE] = CC_ULE, [CC_SLT] = CC_SGT, [CC_SLE] = CC_SGE, [CC_SGT] = CC_SLT,
		[CC_SGE] = CC_SLE, [CC_SET] = CC_SET,
	};

	return swapped[cc];
}

enum ir_cc cc_invert(enum ir_cc cc)
{
	static const uint8_t inverted[] = {
		[CC_EQ] = CC_NE, [CC_NE] = CC_EQ, [CC_ULT] = CC_UGE, [CC_ULE] = CC_UGT, [CC_UGT] = CC_ULE,
		[CC_UGE] = CC_ULT, [CC_SLT] = CC_SGE, [CC_SLE] = CC_SGT, [CC_SGT] = CC_SLE,
		[CC_SGE] = CC_SLT, [CC_SET] = CC_SET,
	};

	return inverted[cc];
}

/* ---- order ---- */

struct visit {
	uint32_t block, next; /* next successor to go to */
};

/*
 * Successors in the order of visiting. What is visited last comes directly after its predecessor: then_,
 * unless else_ is deeper in loops (the body of a loop goes before what follows the loop).
 */
static uint32_t visit_succs(const struct ir_func *f, const uint32_t *depth, uint32_t block, uint32_t succ[2])
{
	uint32_t n = block_succs(f->blocks.v[block], succ);

	if (n == 2 && !(depth && depth[succ[1]] > depth[succ[0]])) {
		uint32_t t = succ[0];

		succ[0] = succ[1];
		succ[1] = t;
	}
	return n;
}

static void order_blocks(struct ir_func *f, struct cfg *c, const uint32_t *depth)
{
	struct visit *stack = arena_array_of(f->arena, struct visit, c->nblocks + 1);
	uint32_t top = 0, left = c->nblocks;

	for (uint32_t b = 0; b < c->nblocks; b++)
		c->order[b] = NO_BLOCK;
	c->order[0] = 0;
	stack[top++] = (struct visit){ 0, 0 };
	while (top) {
		struct visit *v = &stack[top - 1];
		uint32_t succ[2] = { 0 }, n = visit_succs(f, depth, v->block, succ);

		if (v->next < n) {
			uint32_t s = succ[v->next++];

			if (c->order[s] == NO_BLOCK) {
				c->order[s] = 0;
				stack[top++] = (struct visit){ s, 0 };
			}
			continue;
		}
		c->rpo[--left] = v->block;
		top--;
	}
	c->nrpo = c->nblocks - left;
	memmove(c->rpo, c->rpo + left, sizeof(*c->rpo) * c->nrpo);
	for (uint32_t i = 0; i < c->nrpo; i++)
		c->order[c->rpo[i]] = i;
}

static void find_preds(struct ir_func *f, struct cfg *c)
{
	uint32_t succ[2], *fill = arena_array_of(f->arena, uint32_t, c->nblocks + 1);

	for (uint32_t i = 0; i < c->nrpo; i++)
		for (uint32_t n = block_succs(f->blocks.v[c->rpo[i]], succ); n; n--)
			c->pred_first[succ[n - 1] + 1]++;
	for (uint32_t b = 0; b < c->nblocks; b++) {
		c->pred_first[b + 1] += c->pred_first[b];
		fill[b] = c->pred_first[b];
	}
	c->preds = arena_array_of(f->arena, uint32_t, c->pred_first[c->nblocks] + 1);
	for (uint32_t i = 0; i < c->nrpo; i++)
		for (uint32_t n = block_succs(f->blocks.v[c->rpo[i]], succ); n; n--)
			c->preds[fill[succ[n - 1]]++] = c->rpo[i];
}

/* ---- dominators: Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm" ---- */

uint32_t cfg_common_dominator(const struct cfg *c, uint32_t a, uint32_t b)
{
	while (a != b) {
		while (c->order[a] > c->order[b])
			a = c->idom[a];
		while (c->order[b] > c->order[a])
			b = c->idom[b];
	}
	return a;
}

static bool dominator_step(struct cfg *c, uint32_t b)
{
	uint32_t dom = NO_BLOCK;

	for (uint32_t p = c->pred_first[b]; p < c->pred_first[b + 1]; p++) {
		uint32_t pred = c->preds[p];

		if (c->idom[pred] != NO_BLOCK)
			dom = dom == NO_BLOCK ? pred : cfg_common_dominator(c, pred, dom);
	}
	if (dom == c->idom[b])
		return false;
	c->idom[b] = dom;
	return true;
}

static void find_dominators(struct cfg *c)
{
	bool changed = true;

	for (uint32_t b = 0; b < c->nblocks; b++)
		c->idom[b] = NO_BLOCK;
	c->idom[0] = 0;
	while (changed) {
		changed = false;
		for (uint32_t i = 1; i < c->nrpo; i++)
			changed |= dominator_step(c, c->rpo[i]);
	}
}

/* Number the dominator tree so that a subtree is a run of numbers. */
static void number_dominators(struct ir_func *f, struct cfg *c)
{
	uint32_t *next = arena_array_of(f->arena, uint32_t, c->nblocks);

	for (uint32_t i = c->nrpo; i-- > 0;) {
		uint32_t b = c->rpo[i];

		c->dom_size[b]++;
		if (i)
			c->dom_size[c->idom[b]] += c->dom_size[b];
	}
	next[0] = 1;
	for (uint32_t i = 1; i < c->nrpo; i++) {
		uint32_t b = c->rpo[i];

		c->dom_first[b] = next[c->idom[b]];
		next[c->idom[b]] += c->dom_size[b];
		next[b] = c->dom_first[b] + 1;
	}
}

bool cfg_dominates(const struct cfg *c, uint32_t a, uint32_t b)
{
	return c->order[a] != NO_BLOCK && c->order[b] != NO_BLOCK &&
	       c->dom_first[b] - c->dom_first[a] < c->dom_size[a];
}

/* ---- loops ---- */

/* Count the loop whose header is `head`: everything that reaches a jump back to it. */
static void count_loop(struct cfg *c, uint32_t head, uint32_t *stamp, uint32_t *work)
{
	uint32_t n = 0;

	for (uint32_t p = c->pred_first[head]; p < c->pred_first[head + 1]; p++)
		if (cfg_dominates(c, head, c->preds[p]) && stamp[c->preds[p]] != head + 1) {
			stamp[c->preds[p]] = head + 1;
			work[n++] = c->preds[p];
		}
	if (!n)
		return;
	if (stamp[head] != head + 1)
		c->depth[head]++;
	stamp[head] = head + 1;
	while (n) {
		uint32_t b = work[--n];

		c->depth[b]++;
		if (b == head)
			continue;
		for (uint32_t p = c->pred_first[b]; p < c->pred_first[b + 1]; p++)
			if (stamp[c->preds[p]] != head + 1) {
				stamp[c->preds[p]] = head + 1;
				work[n++] = c->preds[p];
			}
	}
}

static void find_loops(struct ir_func *f, struct cfg *c)
{
	uint32_t *stamp = arena_array_of(f->arena, uint32_t, c->nblocks);
	uint32_t *work = arena_array_of(f->arena, uint32_t, c->nblocks + 1);

	for (uint32_t i = 0; i < c->nrpo; i++) {
		uint32_t b = c->rpo[i];

		for (uint32_t p = c->pred_first[b]; p < c->pred_first[b + 1]; p++)
			if (c->order[c->preds[p]] >= i) {
				count_loop(c, b, stamp, work);
				break;
			}
	}
}

void cfg_build(struct ir_func *f, struct cfg *c)
{
	uint32_t n = f->blocks.n;

	*c = (struct cfg){ .nblocks = n };
	c->rpo = arena_array_of(f->arena, uint32_t, n);
	c->order = arena_array_of(f->arena, uint32_t, n);
	c->idom = arena_array_of(f->arena, uint32_t, n);
	c->dom_first = arena_array_of(f->arena, uint32_t, n);
	c->dom_size = arena_array_of(f->arena, uint32_t, n);
	c->depth = arena_array_of(f->arena, uint32_t, n);
	c->pred_first = arena_array_of(f->arena, uint32_t, n + 1);
	order_blocks(f, c, NULL);
	find_preds(f, c);
	find_dominators(c);
	number_dominators(f, c);
	find_loops(f, c);
	order_blocks(f, c, c->depth);
}

/* ---- definitions ---- */

struct def_place {
	uint32_t block; /* plus one; 0: not seen */
	uint32_t index;
};

/* Is the one definition of `v` certain to be executed before instruction `index` of `block`? */
static bool def_reaches(const struct cfg *c, const struct def_place *def, uint32_t block, uint32_t index)
{
	if (!def->block)
		return false;
	if (def->block - 1 == block)
		return def->index < index;
	return cfg_dominates(c, def->block - 1, block);
}

void ir_count_defs(struct ir_func *f, const struct cfg *c)
{
	struct def_place *defs = arena_array_of(f->arena, struct def_place, f->vregs.n);
	vreg *uses[USES_MOST];

	for (uint32_t v = 0; v < f->vregs.n; v++)
		f->vregs.v[v].ndefs = 0;
	for (uint32_t n = 0; n < c->nrpo; n++) {
		struct ir_block *b = f->blocks.v[c->rpo[n]];

		for (uint32_t i = 0; i < b->insns.n; i++)
			if (b->insns.v[i].d) {
				f->vregs.v[b->insns.v[i].d].ndefs++;
				defs[b->insns.v[i].d] = (struct def_place){ c->rpo[n] + 1, i };
			}
	}
	for (uint32_t n = 0; n < c->nrpo; n++) {
		struct ir_block *b = f->blocks.v[c->rpo[n]];

		for (uint32_t i = 0; i < b->insns.n; i++)
			for (uint32_t k = insn_uses(&b->insns.v[i], uses); k; k--) {
				vreg v = *uses[k - 1];

				if (f->vregs.v[v].ndefs == 1 && !def_reaches(c, &defs[v], c->rpo[n], i))
					f->vregs.v[v].ndefs = 2;
			}
	}
}
