/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Register allocation: a linear scan over the intervals in order of their beginning. An interval gets a
 * register in which nothing else is alive during any of its ranges (so lives with holes interleave), the
 * one it wishes for if that is free. When there is none, whatever is cheapest to have in memory is
 * spilled: it loses its register for good, and the caller legalises and tries again.
 */
#include "code/ir_mach.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SAVED 6 /* r6 to r9 survive calls */

struct regs {
	struct mach *m;
	VEC(vreg) in[NREGS]; /* intervals that have the register and have not ended */
	vreg *order;         /* intervals by beginning */
	uint32_t n;
	bool *spilled;       /* by interval */
	uint32_t nspilled;
};

static uint32_t interval_begin(const struct interval *iv)
{
	return iv->ranges.v[0].begin;
}

static uint32_t interval_end(const struct interval *iv)
{
	return iv->ranges.v[iv->ranges.n - 1].end;
}

static float interval_cost(const struct interval *iv)
{
	uint32_t length = 0;

	if (iv->keep)
		return INFINITY;
	for (uint32_t k = 0; k < iv->ranges.n; k++)
		length += iv->ranges.v[k].end - iv->ranges.v[k].begin;
	return iv->weight / (float)(length + 8);
}

/* ---- the order ---- */

struct begin {
	uint32_t begin;
	vreg v;
};

static int begin_compare(const void *pa, const void *pb)
{
	const struct begin *a = pa, *b = pb;

	if (a->begin != b->begin)
		return a->begin < b->begin ? -1 : 1;
	return a->v < b->v ? -1 : a->v > b->v;
}

static void order_intervals(struct regs *r)
{
	struct mach *m = r->m;
	struct begin *list = arena_array_of(m->arena, struct begin, m->vregs.n);

	r->order = arena_array_of(m->arena, vreg, m->vregs.n);
	for (vreg v = 1; v < m->vregs.n; v++) {
		m->vregs.v[v].reg = m->vregs.v[v].kind == MV_FRAME ? REG_FP : REG_NONE;
		if (m->joined[v] == v && m->intervals[v].ranges.n)
			list[r->n++] = (struct begin){ interval_begin(&m->intervals[v]), v };
	}
	qsort(list, r->n, sizeof(*list), begin_compare);
	for (uint32_t i = 0; i < r->n; i++)
		r->order[i] = list[i].v;
}

/* ---- choosing ---- */

static void drop_ended(struct regs *r, uint32_t pos)
{
	for (int reg = 0; reg < NREGS; reg++) {
		uint32_t kept = 0;

		for (uint32_t k = 0; k < r->in[reg].n; k++)
			if (interval_end(&r->m->intervals[r->in[reg].v[k]]) > pos)
				r->in[reg].v[kept++] = r->in[reg].v[k];
		r->in[reg].n = kept;
	}
}

static bool is_allowed(const struct interval *iv, int reg)
{
	return reg >= FIRST_SAVED || !iv->over_call;
}

static bool is_free(const struct regs *r, const struct interval *iv, int reg)
{
	if (!is_allowed(iv, reg))
		return false;
	for (uint32_t k = 0; k < r->in[reg].n; k++)
		if (ranges_overlap(iv, &r->m->intervals[r->in[reg].v[k]]))
			return false;
	return true;
}

/*
 * The register wished for; else that of the vreg it comes from or goes to; else one that calls use least
 * (the last arguments), so that what follows finds its wishes free.
 */
static int choose_free(const struct regs *r, const struct interval *iv)
{
	static const int8_t order[NREGS] = { 5, 4, 0, 3, 2, 1, 6, 7, 8, 9 };

	if (iv->hint != REG_NONE && is_free(r, iv, iv->hint))
		return iv->hint;
	if (iv->like) {
		int reg = r->m->vregs.v[iv->like].reg;

		if (reg != REG_NONE && is_free(r, iv, reg))
			return reg;
	}
	for (int k = 0; k < NREGS; k++)
		if (is_free(r, iv, order[k]))
			return order[k];
	return REG_NONE;
}

static void take(struct regs *r, vreg v, int reg)
{
	r->m->vregs.v[v].reg = (int8_t)reg;
	vec_push(r->m->arena, &r->in[reg], v);
}

static void spill(struct regs *r, vreg v)
{
	r->m->vregs.v[v].reg = REG_NONE;
	r->spilled[v] = true;
	r->nspilled++;
}

/* What it costs to free `reg` for the whole of `iv`. */
static float cost_of_freeing(const struct regs *r, const struct interval *iv, int reg)
{
	float cost = 0;

	if (!is_allowed(iv, reg))
		return INFINITY;
	for (uint32_t k = 0; k < r->in[reg].n; k++) {
		const struct interval *other = &r->m->intervals[r->in[reg].v[k]];

		if (ranges_overlap(iv, other))
			cost += interval_cost(other);
	}
	return cost;
}

static void free_register(struct regs *r, const struct interval *iv, int reg)
{
	uint32_t kept = 0;

	for (uint32_t k = 0; k < r->in[reg].n; k++) {
		vreg v = r->in[reg].v[k];

		if (ranges_overlap(iv, &r->m->intervals[v]))
			spill(r, v);
		else
			r->in[reg].v[kept++] = v;
	}
	r->in[reg].n = kept;
}

static void allocate_one(struct regs *r, vreg v)
{
	const struct interval *iv = &r->m->intervals[v];
	float best = interval_cost(iv);
	int reg = choose_free(r, iv);

	if (reg != REG_NONE) {
		take(r, v, reg);
		return;
	}
	for (int k = 0; k < NREGS; k++) {
		float cost = cost_of_freeing(r, iv, k);

		if (cost < best) {
			best = cost;
			reg = k;
		}
	}
	if (reg == REG_NONE) {
		spill(r, v);
		return;
	}
	free_register(r, iv, reg);
	take(r, v, reg);
}

/* ---- spilling ---- */

struct home {
	VEC(vreg) tenants;
	int32_t off;
};

struct homes {
	VEC(struct home) list;
	int32_t *of; /* interval -> offset, 0: none yet */
};

static bool home_is_free(const struct mach *m, struct home *h, const struct interval *iv)
{
	vec_each(v, &h->tenants)
		if (ranges_overlap(&m->intervals[*v], iv))
			return false;
	return true;
}

#define HOMES_TRIED 64 /* there is no room for more on the stack */

/* A place on the stack for an interval; those that are never alive together share one. */
static int32_t home_find(struct mach *m, struct homes *homes, vreg root)
{
	struct home fresh = {0};

	if (homes->of[root])
		return homes->of[root];
	for (uint32_t k = 0; k < homes->list.n && k < HOMES_TRIED; k++) {
		struct home *h = &homes->list.v[k];

		if (home_is_free(m, h, &m->intervals[root])) {
			vec_push(m->arena, &h->tenants, root);
			return homes->of[root] = h->off;
		}
	}
	m->frame_bytes += 8;
	fresh.off = -m->frame_bytes;
	vec_push(m->arena, &fresh.tenants, root);
	vec_push(m->arena, &homes->list, fresh);
	return homes->of[root] = fresh.off;
}

/* A copy is again what it is a copy of; what has no other source gets a home and is reloaded from it. */
static void lose_register(struct mach *m, struct homes *homes, vreg v)
{
	struct mach_vreg *mv = &m->vregs.v[v];
	struct ir_insn *reload;

	if (mv->copy_of) {
		const struct mach_vreg *of = &m->vregs.v[mv->copy_of];

		mv->kind = of->kind;
		mv->remat = of->remat;
		mv->base = of->base;
		mv->off = of->off;
		return;
	}
	mv->kind = MV_REMAT;
	mv->home = true;
	mv->home_off = home_find(m, homes, m->joined[v]);
	reload = arena_new_of(m->arena, struct ir_insn);
	*reload = (struct ir_insn){ .op = IR_LOAD, .a = m->frame, .off = mv->home_off, .size = 8 };
	mv->remat = reload;
}

bool mach_allocate(struct mach *m)
{
	struct regs r = { .m = m };
	struct homes homes = {0};

	r.spilled = arena_array_of(m->arena, bool, m->vregs.n);
	order_intervals(&r);
	for (uint32_t i = 0; i < r.n; i++) {
		drop_ended(&r, interval_begin(&m->intervals[r.order[i]]));
		allocate_one(&r, r.order[i]);
	}
	if (!r.nspilled) {
		for (vreg v = 1; v < m->vregs.n; v++)
			m->vregs.v[v].reg = m->vregs.v[m->joined[v]].reg;
		return true;
	}
	homes.of = arena_array_of(m->arena, int32_t, m->vregs.n);
	for (vreg v = 1; v < m->vregs.n; v++)
		if (m->vregs.v[v].kind == MV_REG && r.spilled[m->joined[v]])
			lose_register(m, &homes, v);
	return false;
}
