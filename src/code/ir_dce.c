/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dead code: results nobody uses, variables assigned in vain, stores without a reader, unreachable blocks,
 * jumps to jumps.
 */
#include "code/ir_pass.h"

/* ---- results nobody uses ---- */

struct dead {
	struct ir_func *f;
	uint32_t *nuses;
	struct ir_insn **defs;      /* of all vregs, grouped */
	uint32_t *first;            /* vreg -> its first definition in defs; first[v + 1] is the end */
	VEC(vreg) work;
};

static void group_defs(struct dead *d, const struct cfg *c)
{
	struct ir_func *f = d->f;
	uint32_t *fill = arena_array_of(f->arena, uint32_t, f->vregs.n + 1);

	d->first = arena_array_of(f->arena, uint32_t, f->vregs.n + 1);
	for (uint32_t pass = 0; pass < 2; pass++) {
		for (uint32_t n = 0; n < c->nrpo; n++)
			vec_each(i, &f->blocks.v[c->rpo[n]]->insns) {
				if (!i->d)
					continue;
				if (pass)
					d->defs[fill[i->d]++] = i;
				else
					d->first[i->d + 1]++;
			}
		for (uint32_t v = 0; !pass && v < f->vregs.n; v++) {
			d->first[v + 1] += d->first[v];
			fill[v] = d->first[v];
		}
		if (!pass)
			d->defs = arena_array_of(f->arena, struct ir_insn *, d->first[f->vregs.n] + 1);
	}
}

/* A variable that only counts itself up is as dead as one nobody mentions. */
static bool is_own_use(const struct ir_insn *i, vreg v)
{
	return v == i->d && !insn_has_effect(i);
}

static void drop(struct dead *d, struct ir_insn *i)
{
	vreg *uses[USES_MOST];

	for (uint32_t k = insn_uses(i, uses); k; k--) {
		vreg v = *uses[k - 1];

		if (!is_own_use(i, v) && !--d->nuses[v])
			vec_push(d->f->arena, &d->work, v);
	}
	*i = (struct ir_insn){ .op = IR_NOP };
}

static void drop_defs(struct dead *d, vreg v)
{
	for (uint32_t k = d->first[v]; k < d->first[v + 1]; k++) {
		struct ir_insn *i = d->defs[k];

		if (i->op == IR_NOP)
			continue;
		if (!insn_has_effect(i))
			drop(d, i);
		else
			i->d = 0; /* the call stays, its result goes */
	}
}

static void drop_unused(struct ir_func *f, const struct cfg *c)
{
	struct dead d = { .f = f };
	vreg *uses[USES_MOST];

	d.nuses = arena_array_of(f->arena, uint32_t, f->vregs.n);
	group_defs(&d, c);
	for (uint32_t n = 0; n < c->nrpo; n++)
		vec_each(i, &f->blocks.v[c->rpo[n]]->insns)
			for (uint32_t k = insn_uses(i, uses); k; k--)
				if (!is_own_use(i, *uses[k - 1]))
					d.nuses[*uses[k - 1]]++;
	for (vreg v = 1; v < f->vregs.n; v++)
		if (!d.nuses[v] && d.first[v] < d.first[v + 1])
			vec_push(f->arena, &d.work, v);
	while (d.work.n)
		drop_defs(&d, d.work.v[--d.work.n]);
}

static void drop_unreachable(struct ir_func *f, const struct cfg *c)
{
	for (uint32_t b = 0; b < c->nblocks; b++)
		if (c->order[b] == NO_BLOCK)
			f->blocks.v[b]->insns.n = 0;
}

static void dce_once(struct ir_func *f)
{
	struct cfg c;

	ir_jumps(f);
	cfg_build(f, &c);
	drop_unreachable(f, &c);
	ir_count_defs(f, &c);
	ir_stores(f, &c);
	drop_unused(f, &c);
	ir_compact(f);
}

/* Twice: blocks that have become empty make branches that decide nothing, and these use values. */
void ir_dce(struct ir_func *f)
{
	dce_once(f);
	dce_once(f);
}
