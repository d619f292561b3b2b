/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lives of slots: which of them may share their place. A slot is alive wherever something that mentions
 * its address has been on some way to there, and something that mentions it is still on some way from there.
 * Mentioning is loading, storing, giving the address to a helper. A slot whose address goes where it cannot
 * be followed (into memory, into a variable) is alive everywhere.
 */
#include <linux/bpf.h>

#include "base/util.h"
#include "code/ir_mach.h"

struct mention {
	uint32_t slot, block, first, last; /* instructions, counted through in layout order */
};

struct slot_lives {
	struct ir_func *f;
	struct cfg cfg;
	uint32_t *from;       /* vreg -> slot plus one its value is an address in, or 0 */
	bool *everywhere;     /* by slot */
	VEC(struct mention) mentions; /* one per slot and block, in layout order */
	uint32_t *last;       /* slot -> its latest mention plus one */
	uint32_t *begin;      /* block -> number of its first instruction */
	uint32_t end;
};

/* ---- where addresses go ---- */

static void slot_everywhere(struct slot_lives *s, vreg v)
{
	if (s->from[v])
		s->everywhere[s->from[v] - 1] = true;
}

static bool may_derive(const struct ir_insn *i)
{
	return i->op == IR_MOV || i->op == IR_ADD || i->op == IR_SUB;
}

static void derive(struct slot_lives *s, const struct ir_insn *i)
{
	uint32_t from = s->from[i->a] ? s->from[i->a] : s->from[i->b];

	if (s->f->vregs.v[i->d].ndefs == 1 && !i->w32 && !(s->from[i->a] && s->from[i->b])) {
		s->from[i->d] = from;
		return;
	}
	slot_everywhere(s, i->a);
	slot_everywhere(s, i->b);
}

static void follow(struct slot_lives *s, struct ir_insn *i)
{
	vreg *uses[USES_MOST];

	if (i->op == IR_SLOT) {
		s->from[i->d] = (uint32_t)i->imm + 1;
		if (s->f->vregs.v[i->d].ndefs != 1)
			s->everywhere[i->imm] = true;
		return;
	}
	if (may_derive(i)) {
		derive(s, i);
		return;
	}
	for (uint32_t k = insn_uses(i, uses); k; k--) {
		bool address = uses[k - 1] == &i->a && (i->op == IR_LOAD || i->op == IR_STORE || i->op == IR_ATOMIC);
		bool argument = insn_is_call(i), compared = i->op == IR_BR || i->op == IR_SETCC;

		if (!address && !argument && !compared)
			slot_everywhere(s, *uses[k - 1]);
	}
}

/* ---- mentions ---- */

static void mention(struct slot_lives *s, uint32_t slot, uint32_t block, uint32_t at)
{
	struct mention *old = s->last[slot] ? &s->mentions.v[s->last[slot] - 1] : NULL;

	if (old && old->block == block) {
		old->last = at;
		return;
	}
	vec_push(s->f->arena, &s->mentions, ((struct mention){ slot, block, at, at }));
	s->last[slot] = s->mentions.n;
}

static void find_mentions(struct slot_lives *s)
{
	vreg *uses[USES_MOST];

	for (uint32_t n = 0; n < s->cfg.nrpo; n++) {
		uint32_t b = s->cfg.rpo[n];

		s->begin[b] = s->end;
		vec_each(i, &s->f->blocks.v[b]->insns) {
			uint32_t at = s->end++;

			follow(s, i);
			if (may_derive(i))
				continue;
			for (uint32_t k = insn_uses(i, uses); k; k--)
				if (s->from[*uses[k - 1]])
					mention(s, s->from[*uses[k - 1]] - 1, b, at);
		}
		s->end++; /* blocks never touch */
	}
}

/* ---- reach ---- */

struct reach {
	uint32_t *after;  /* block: stamped when a mention lies on a way to its beginning */
	uint32_t *before; /* block: stamped when a mention lies on a way from its end */
	uint32_t *work;
};

static void reach_forward(struct slot_lives *s, struct reach *r, uint32_t n, uint32_t stamp)
{
	uint32_t succ[2];

	while (n) {
		uint32_t b = r->work[--n];

		for (uint32_t k = block_succs(s->f->blocks.v[b], succ); k; k--)
			if (r->after[succ[k - 1]] != stamp) {
				r->after[succ[k - 1]] = stamp;
				r->work[n++] = succ[k - 1];
			}
	}
}

static void reach_backward(struct slot_lives *s, struct reach *r, uint32_t n, uint32_t stamp)
{
	while (n) {
		uint32_t b = r->work[--n];

		for (uint32_t p = s->cfg.pred_first[b]; p < s->cfg.pred_first[b + 1]; p++)
			if (r->before[s->cfg.preds[p]] != stamp) {
				r->before[s->cfg.preds[p]] = stamp;
				r->work[n++] = s->cfg.preds[p];
			}
	}
}

static void add_life(struct slot_lives *s, struct interval *iv, uint32_t begin, uint32_t end)
{
	struct range *r = iv->ranges.n ? &iv->ranges.v[iv->ranges.n - 1] : NULL;

	if (r && r->end + 1 >= begin)
		r->end = end;
	else
		vec_push(s->f->arena, &iv->ranges, ((struct range){ begin, end }));
}

static void slot_life(struct slot_lives *s, struct reach *r, const struct mention *list, uint32_t n, struct interval *iv)
{
	uint32_t slot = list[0].slot, stamp = slot + 1, at = 0;

	for (uint32_t k = 0; k < n; k++)
		r->work[k] = list[k].block;
	reach_forward(s, r, n, stamp);
	for (uint32_t k = 0; k < n; k++)
		r->work[k] = list[k].block;
	reach_backward(s, r, n, stamp);
	for (uint32_t k = 0; k < s->cfg.nrpo; k++) {
		uint32_t b = s->cfg.rpo[k], begin = s->begin[b];
		uint32_t end = begin + s->f->blocks.v[b]->insns.n;
		bool here = at < n && list[at].block == b;

		if (!here && !(r->after[b] == stamp && r->before[b] == stamp))
			continue;
		if (here && r->after[b] != stamp)
			begin = list[at].first;
		if (here && r->before[b] != stamp)
			end = list[at].last + 1;
		add_life(s, iv, begin, end);
		at += here;
	}
}

static int mention_compare(const void *pa, const void *pb)
{
	const struct mention *a = pa, *b = pb;

	if (a->slot != b->slot)
		return a->slot < b->slot ? -1 : 1;
	return a->first < b->first ? -1 : a->first > b->first;
}

static void slot_lives_begin(struct slot_lives *s, struct ir_func *f)
{
	*s = (struct slot_lives){ .f = f };
	cfg_build(f, &s->cfg);
	ir_count_defs(f, &s->cfg);
	s->from = arena_array_of(f->arena, uint32_t, f->vregs.n);
	s->everywhere = arena_array_of(f->arena, bool, f->slots.n + 1);
	s->last = arena_array_of(f->arena, uint32_t, f->slots.n + 1);
	s->begin = arena_array_of(f->arena, uint32_t, f->blocks.n);
	find_mentions(s);
}

struct interval *slot_lives_find(struct ir_func *f)
{
	struct slot_lives s;
	struct interval *lives = arena_array_of(f->arena, struct interval, f->slots.n + 1);
	struct reach r;

	slot_lives_begin(&s, f);
	r.after = arena_array_of(f->arena, uint32_t, f->blocks.n);
	r.before = arena_array_of(f->arena, uint32_t, f->blocks.n);
	r.work = arena_array_of(f->arena, uint32_t, 2 * f->blocks.n + 1);
	if (s.mentions.n)
		qsort(s.mentions.v, s.mentions.n, sizeof(*s.mentions.v), mention_compare);
	for (uint32_t k = 0, next; k < s.mentions.n; k = next) {
		uint32_t slot = s.mentions.v[k].slot;

		for (next = k; next < s.mentions.n && s.mentions.v[next].slot == slot; next++)
			;
		if (!s.everywhere[slot])
			slot_life(&s, &r, &s.mentions.v[k], next - k, &lives[slot]);
	}
	for (uint32_t slot = 0; slot < f->slots.n; slot++)
		if (s.everywhere[slot])
			vec_push(f->arena, &lives[slot].ranges, ((struct range){ 0, s.end }));
	return lives;
}

/* ---- where scratch is needed ---- */

static bool wants_scratch(const struct slot_lives *s, struct ir_insn *i)
{
	vreg *uses[USES_MOST];

	/* Not between reserving room in the ring and giving it back: the lookup may end the program. */
	if (i->op == IR_CALL && i->imm == BPF_FUNC_ringbuf_reserve)
		return true;
	if (i->op == IR_SLOT)
		return s->f->vregs.v[i->d].ndefs != 1 && s->f->slots.v[i->imm].in_scratch;
	for (uint32_t k = insn_uses(i, uses); k; k--) {
		uint32_t from = s->from[*uses[k - 1]];

		if (from && s->f->slots.v[from - 1].in_scratch)
			return true;
	}
	return false;
}

static uint32_t first_wanting(const struct slot_lives *s, uint32_t b)
{
	struct ir_block *block = s->f->blocks.v[b];
	uint32_t at = 0;

	while (at + 1 < block->insns.n && !wants_scratch(s, &block->insns.v[at]))
		at++;
	return at;
}

static uint32_t first_reserving(const struct ir_block *block, uint32_t end)
{
	uint32_t at = 0;

	while (at < end && !(block->insns.v[at].op == IR_CALL && block->insns.v[at].imm == BPF_FUNC_ringbuf_reserve))
		at++;
	return at;
}

/*
 * The lookup ends the program when it fails, which must not happen while a record is reserved (verifiers
 * before 6.14 do not know that it cannot fail): it moves before the first reservation on the way there.
 */
static uint32_t before_reserving(const struct slot_lives *s, uint32_t place, uint32_t *at)
{
	uint32_t end = *at, found = place;

	for (uint32_t b = place;; b = s->cfg.idom[b]) {
		uint32_t first = first_reserving(s->f->blocks.v[b], end);

		if (first < end) {
			found = b;
			*at = first;
		}
		if (!b)
			return found;
		end = s->f->blocks.v[s->cfg.idom[b]]->insns.n;
	}
}

uint32_t scratch_place(struct ir_func *f, uint32_t *at)
{
	struct slot_lives s;
	uint32_t place = NO_BLOCK;

	slot_lives_begin(&s, f);
	for (uint32_t n = 0; n < s.cfg.nrpo; n++)
		vec_each(i, &f->blocks.v[s.cfg.rpo[n]]->insns)
			if (wants_scratch(&s, i)) {
				place = place == NO_BLOCK ? s.cfg.rpo[n] : cfg_common_dominator(&s.cfg, place, s.cfg.rpo[n]);
				break;
			}
	if (place == NO_BLOCK)
		place = 0;
	while (place && s.cfg.depth[place])
		place = s.cfg.idom[place];
	*at = first_wanting(&s, place);
	return before_reserving(&s, place, at);
}
