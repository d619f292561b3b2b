/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Liveness: when is each vreg alive, as ranges of positions; which of them may share a register because
 * one is moved into the other and they are never alive together; which register each would like best.
 *
 * What is alive at the end of a block is found vreg by vreg, walking up from its uses to its
 * definitions, so the work is in proportion to the lives, not to blocks times vregs.
 */
#include <string.h>

#include "base/util.h"
#include "code/ir_mach.h"

#define MOST_DEPTH 4 /* loops beyond this depth count as this deep */

/* ---- live out of blocks ---- */

struct place {
	vreg v;
	uint32_t block;
};

struct places {
	VEC(struct place) list;
	uint32_t *first; /* by vreg, into list; first[v + 1] is the end */
};

static void places_sort(struct mach *m, struct places *p)
{
	uint32_t n = p->list.n, nv = m->vregs.n, *fill;
	struct place *sorted = arena_array_of(m->arena, struct place, n + 1);

	p->first = arena_array_of(m->arena, uint32_t, nv + 1);
	fill = arena_array_of(m->arena, uint32_t, nv + 1);
	for (uint32_t i = 0; i < n; i++)
		p->first[p->list.v[i].v + 1]++;
	for (uint32_t v = 0; v < nv; v++) {
		p->first[v + 1] += p->first[v];
		fill[v] = p->first[v];
	}
	for (uint32_t i = 0; i < n; i++)
		sorted[fill[p->list.v[i].v]++] = p->list.v[i];
	p->list.v = sorted;
}

/* Blocks that read a vreg before they write it, and blocks that write it. */
static void find_places(struct mach *m, struct places *reads, struct places *writes)
{
	uint32_t *read_in = arena_array_of(m->arena, uint32_t, m->vregs.n);
	uint32_t *written_in = arena_array_of(m->arena, uint32_t, m->vregs.n);
	vreg uses[USES_MOST], defs[5];

	for (uint32_t b = 0; b < m->nblocks; b++)
		for (uint32_t i = m->blocks[b].first; i < m->blocks[b].end; i++) {
			const struct ir_insn *insn = &m->insns.v[i];

			for (uint32_t k = mach_uses(m, insn, uses); k; k--) {
				vreg v = uses[k - 1];

				if (written_in[v] == b + 1 || read_in[v] == b + 1)
					continue;
				read_in[v] = b + 1;
				vec_push(m->arena, &reads->list, ((struct place){ v, b }));
			}
			for (uint32_t k = mach_defs(insn, defs); k; k--) {
				vreg v = defs[k - 1];

				if (written_in[v] == b + 1)
					continue;
				written_in[v] = b + 1;
				vec_push(m->arena, &writes->list, ((struct place){ v, b }));
			}
		}
	places_sort(m, reads);
	places_sort(m, writes);
}

struct preds {
	uint32_t *first, *list;
};

static void find_preds(struct mach *m, struct preds *p)
{
	uint32_t total = 0, *fill = arena_array_of(m->arena, uint32_t, m->nblocks + 1);

	p->first = arena_array_of(m->arena, uint32_t, m->nblocks + 1);
	for (uint32_t b = 0; b < m->nblocks; b++)
		for (uint32_t k = 0; k < m->blocks[b].nsucc; k++, total++)
			p->first[m->blocks[b].succ[k] + 1]++;
	p->list = arena_array_of(m->arena, uint32_t, total + 1);
	for (uint32_t b = 0; b < m->nblocks; b++) {
		p->first[b + 1] += p->first[b];
		fill[b] = p->first[b];
	}
	for (uint32_t b = 0; b < m->nblocks; b++)
		for (uint32_t k = 0; k < m->blocks[b].nsucc; k++)
			p->list[fill[m->blocks[b].succ[k]]++] = b;
}

/* Stamps of one vreg per block: no need to clear them between vregs. */
struct walk {
	struct preds preds;
	uint32_t *out, *written, *seen, *work;
};

/* Mark the blocks at whose end `v` is alive; true when it is alive before the first instruction. */
static bool walk_up(struct mach *m, struct walk *w, vreg v, const struct places *reads, const struct places *writes)
{
	uint32_t n = 0;
	bool undefined = false;

	for (uint32_t k = writes->first[v]; k < writes->first[v + 1]; k++)
		w->written[writes->list.v[k].block] = v;
	for (uint32_t k = reads->first[v]; k < reads->first[v + 1]; k++) {
		w->seen[reads->list.v[k].block] = v;
		w->work[n++] = reads->list.v[k].block;
	}
	while (n) {
		uint32_t b = w->work[--n];

		undefined |= b == 0;
		for (uint32_t k = w->preds.first[b]; k < w->preds.first[b + 1]; k++) {
			uint32_t p = w->preds.list[k];

			if (w->out[p] != v) {
				w->out[p] = v;
				vec_push(m->arena, &m->blocks[p].live_out, v);
			}
			if (w->written[p] != v && w->seen[p] != v) {
				w->seen[p] = v;
				w->work[n++] = p;
			}
		}
	}
	return undefined;
}

/* Vregs that some path reads before anything wrote them begin as 0. */
static void define_at_entry(struct mach *m, const vreg *undefined, uint32_t n)
{
	uint32_t old = m->insns.n;

	for (uint32_t k = 0; k < n; k++)
		vec_push(m->arena, &m->insns, (struct ir_insn){0});
	memmove(&m->insns.v[1 + n], &m->insns.v[1], sizeof(*m->insns.v) * (old - 1));
	for (uint32_t k = 0; k < n; k++)
		m->insns.v[1 + k] = (struct ir_insn){ .op = IR_CONST, .d = undefined[k], .span = m->insns.v[0].span };
	for (uint32_t b = 0; b < m->nblocks; b++) {
		if (b)
			m->blocks[b].first += n;
		m->blocks[b].end += n;
	}
}

static void find_live_out(struct mach *m)
{
	struct places reads = {0}, writes = {0};
	struct walk w = {
		.out = arena_array_of(m->arena, uint32_t, m->nblocks),
		.written = arena_array_of(m->arena, uint32_t, m->nblocks),
		.seen = arena_array_of(m->arena, uint32_t, m->nblocks),
		.work = arena_array_of(m->arena, uint32_t, m->nblocks + 1),
	};
	VEC(vreg) undefined = {0};

	find_places(m, &reads, &writes);
	find_preds(m, &w.preds);
	for (uint32_t b = 0; b < m->nblocks; b++)
		m->blocks[b].live_out.n = 0;
	for (vreg v = 1; v < m->vregs.n; v++)
		if (reads.first[v] < reads.first[v + 1] && walk_up(m, &w, v, &reads, &writes))
			vec_push(m->arena, &undefined, v);
	if (undefined.n)
		define_at_entry(m, undefined.v, undefined.n);
}

/* ---- intervals ---- */

/*
 * Ranges are added from the end of the program to its beginning, so the last one added is the first.
 * They join where they touch at the border of blocks, but not at a definition: a vreg that a call reads
 * and then writes is not alive across it.
 */
static void add_range(struct mach *m, vreg v, uint32_t begin, uint32_t end)
{
	struct interval *iv = &m->intervals[v];
	struct range *r = iv->ranges.n ? &iv->ranges.v[iv->ranges.n - 1] : NULL;

	if (r && (end > r->begin || (end == r->begin && !(r->begin & 1)))) {
		r->begin = MIN(r->begin, begin);
		r->end = MAX(r->end, end);
		return;
	}
	vec_push(m->arena, &iv->ranges, ((struct range){ begin, end }));
}

static bool is_live_at(const struct interval *iv, uint32_t pos)
{
	const struct range *r = iv->ranges.n ? &iv->ranges.v[iv->ranges.n - 1] : NULL;

	return r && r->begin <= pos && r->end > pos;
}

static bool is_pure(const struct ir_insn *i)
{
	return i->op != MACH_ENTRY && !insn_has_effect(i);
}

/* Must operand `v` stay intact until the result is written? (Results go into the register of operand a.) */
static bool outlives(const struct ir_insn *i, vreg v)
{
	if (i->op == IR_SETCC)
		return true;
	if (i->op == IR_ATOMIC)
		return i->d && v == i->a;
	return op_is_binary(i->op) && !op_is_commutative(i->op) && v == i->b && v != i->a;
}

static float depth_weight(uint32_t depth)
{
	static const float weights[MOST_DEPTH + 1] = { 1, 8, 64, 512, 4096 };

	return weights[MIN(depth, MOST_DEPTH)];
}

static void interval_insn(struct mach *m, const struct mach_block *b, uint32_t at)
{
	struct ir_insn *i = &m->insns.v[at];
	float weight = depth_weight(b->depth);
	vreg uses[USES_MOST], defs[5];
	uint32_t pos = 2 * at;

	if (i->op == MACH_ENTRY)
		for (uint32_t k = 0; k < 5; k++)
			if (i->args[k] && !is_live_at(&m->intervals[i->args[k]], pos + 1))
				i->args[k] = 0;
	if (i->d && is_pure(i) && !is_live_at(&m->intervals[i->d], pos + 1)) {
		i->op = IR_NOP;
		i->d = i->a = i->b = 0;
		i->nargs = 0;
		return;
	}
	for (uint32_t k = mach_defs(i, defs); k; k--) {
		struct interval *iv = &m->intervals[defs[k - 1]];

		if (is_live_at(iv, pos + 1))
			iv->ranges.v[iv->ranges.n - 1].begin = pos + 1;
		else
			add_range(m, defs[k - 1], pos + 1, pos + 2);
		iv->weight += weight;
	}
	for (uint32_t k = mach_uses(m, i, uses); k; k--) {
		add_range(m, uses[k - 1], 2 * b->first, outlives(i, uses[k - 1]) ? pos + 2 : pos + 1);
		/* What the verifier learns from a comparison it forgets of a value in memory (before 6.9). */
		m->intervals[uses[k - 1]].weight += i->op == IR_BR && i->cc >= CC_ULT ? 4 * weight : weight;
	}
	if (insn_is_call(i))
		vec_push(m->arena, &m->calls, pos + 1);
}

static void reverse(void *v, uint32_t n, size_t size)
{
	unsigned char tmp[sizeof(struct range)], *p = v;

	for (uint32_t a = 0, b = n; a + 1 < b; a++) {
		b--;
		memcpy(tmp, p + a * size, size);
		memcpy(p + a * size, p + b * size, size);
		memcpy(p + b * size, tmp, size);
	}
}

static void build_intervals(struct mach *m)
{
	m->intervals = arena_array_of(m->arena, struct interval, m->vregs.n);
	m->calls.n = 0;
	for (uint32_t n = m->nblocks; n-- > 0;) {
		const struct mach_block *b = &m->blocks[n];

		for (uint32_t k = 0; k < b->live_out.n; k++)
			add_range(m, b->live_out.v[k], 2 * b->first, 2 * b->end);
		for (uint32_t i = b->end; i-- > b->first;)
			interval_insn(m, b, i);
	}
	for (uint32_t v = 0; v < m->vregs.n; v++) {
		struct interval *iv = &m->intervals[v];

		reverse(iv->ranges.v, iv->ranges.n, sizeof(struct range));
		iv->hint = REG_NONE;
		iv->keep = m->vregs.v[v].tiny;
	}
	reverse(m->calls.v, m->calls.n, sizeof(uint32_t));
}

static bool range_over_call(const struct mach *m, const struct range *r)
{
	uint32_t lo = 0, hi = m->calls.n;

	while (lo < hi) { /* the first call after the beginning */
		uint32_t mid = (lo + hi) / 2;

		if (m->calls.v[mid] > r->begin)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo < m->calls.n && m->calls.v[lo] < r->end;
}

static void find_over_call(struct mach *m, struct interval *iv)
{
	for (uint32_t k = 0; k < iv->ranges.n && !iv->over_call; k++)
		iv->over_call = range_over_call(m, &iv->ranges.v[k]);
}

/* ---- joining ---- */

bool ranges_overlap(const struct interval *a, const struct interval *b)
{
	uint32_t i = 0, k = 0;

	while (i < a->ranges.n && k < b->ranges.n) {
		if (a->ranges.v[i].end <= b->ranges.v[k].begin)
			i++;
		else if (b->ranges.v[k].end <= a->ranges.v[i].begin)
			k++;
		else
			return true;
	}
	return false;
}

static vreg joined_root(struct mach *m, vreg v)
{
	while (m->joined[v] != v) {
		m->joined[v] = m->joined[m->joined[v]];
		v = m->joined[v];
	}
	return v;
}

struct interval *mach_interval(const struct mach *m, vreg v)
{
	return &m->intervals[m->joined[v]];
}

static void join_ranges(struct mach *m, struct interval *into, const struct interval *from)
{
	uint32_t i = 0, k = 0;
	struct interval old = *into;

	into->ranges.v = NULL;
	into->ranges.n = into->ranges.cap = 0;
	while (i < old.ranges.n || k < from->ranges.n) {
		bool first = k == from->ranges.n ||
			     (i < old.ranges.n && old.ranges.v[i].begin < from->ranges.v[k].begin);
		struct range r = first ? old.ranges.v[i++] : from->ranges.v[k++];

		vec_push(m->arena, &into->ranges, r);
	}
	into->weight += from->weight;
	into->over_call |= from->over_call;
}

/* Joining copies ranges: keep it from becoming quadratic for vregs with very many. */
#define JOIN_MOST 4096

static void join_moves(struct mach *m)
{
	for (uint32_t i = 0; i < m->insns.n; i++) {
		const struct ir_insn *insn = &m->insns.v[i];
		struct interval *d, *a;
		vreg vd, va;

		if (insn->op != IR_MOV || insn->w32 || m->vregs.v[insn->a].kind != MV_REG)
			continue;
		vd = joined_root(m, insn->d);
		va = joined_root(m, insn->a);
		d = &m->intervals[vd];
		a = &m->intervals[va];
		if (vd == va || d->keep != a->keep || d->ranges.n + a->ranges.n > JOIN_MOST || ranges_overlap(d, a))
			continue;
		join_ranges(m, a, d);
		m->joined[vd] = va;
	}
	for (vreg v = 0; v < m->vregs.n; v++)
		joined_root(m, v);
	for (vreg v = 0; v < m->vregs.n; v++)
		m->joined[v] = joined_root(m, v);
}

/* ---- wishes ---- */

static bool ends_at(const struct interval *iv, uint32_t pos)
{
	uint32_t lo = 0, hi = iv->ranges.n;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (iv->ranges.v[mid].end >= pos)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo < iv->ranges.n && iv->ranges.v[lo].end == pos;
}

static void wish(struct mach *m, vreg v, int8_t reg, bool always)
{
	struct interval *iv = mach_interval(m, v);

	if (always || iv->hint == REG_NONE)
		iv->hint = reg;
}

static void wish_call(struct mach *m, const struct ir_insn *i, uint32_t pos)
{
	if (i->d)
		wish(m, i->d, 0, true);
	for (uint32_t k = 0; k < i->nargs; k++) {
		vreg v = mach_arg_base(m, i->args[k]);

		if (v && ends_at(mach_interval(m, v), pos + 1))
			wish(m, v, (int8_t)(k + 1), true);
	}
}

/* An operation writes into the register of its operand: what the result wants, the operand wants. */
static void wish_operand(struct mach *m, const struct ir_insn *i, uint32_t pos)
{
	struct interval *a, *d;

	if (!i->d || !i->a || m->vregs.v[i->a].kind != MV_REG || i->op == IR_LOAD || i->op == IR_SETCC)
		return;
	a = mach_interval(m, i->a);
	d = mach_interval(m, i->d);
	if (a == d || !ends_at(a, pos + 1))
		return;
	if (a->hint == REG_NONE)
		a->hint = d->hint;
	if (!a->like)
		a->like = m->joined[i->d];
	d->like = m->joined[i->a];
}

static void find_wishes(struct mach *m)
{
	for (uint32_t n = m->insns.n; n-- > 0;) {
		const struct ir_insn *i = &m->insns.v[n];

		if (i->op == MACH_ENTRY) {
			for (uint32_t k = 0; k < 5; k++)
				if (i->args[k])
					wish(m, i->args[k], (int8_t)(k + 1), false);
		} else if (insn_is_call(i)) {
			wish_call(m, i, 2 * n);
		} else if (i->op == IR_RET && i->a && m->vregs.v[i->a].kind == MV_REG) {
			wish(m, i->a, 0, false);
		} else {
			wish_operand(m, i, 2 * n);
		}
	}
}

void mach_live(struct mach *m)
{
	find_live_out(m);
	build_intervals(m);
	m->joined = arena_array_of(m->arena, vreg, m->vregs.n);
	for (vreg v = 0; v < m->vregs.n; v++) {
		m->joined[v] = v;
		find_over_call(m, &m->intervals[v]);
	}
	join_moves(m);
	find_wishes(m);
}
