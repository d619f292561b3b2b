/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where slots lie. The stack is preferred for everything: an access costs one instruction there and no
 * lookup. Only when all that is alive at once does not fit do slots go to scratch: first all those
 * over the limit for single objects, then the largest of the rest until what remains fits.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "code/ir_mach.h"
#include "lang/diag.h"

static uint32_t slot_align(const struct ir_slot *s)
{
	return s->align < 8 ? MAX(s->align, 1) : 8;
}

/*
 * Largest first, each slot goes to the lowest place where nothing lies that is alive together with it. Beyond a
 * number that no sensible program has, comparing all with all is given up: the rest goes side by side.
 */
#define SHARED_MOST 1000

struct packer {
	struct ir_func *f;
	const struct interval *lives;
	uint32_t *placed; /* slots that have their place, by offset */
	uint32_t nplaced;
	uint32_t bytes;
};

/* The lowest offset for `slot` that no placed slot alive with it overlaps. Offsets count from 0 here. */
static uint32_t find_place(const struct packer *p, uint32_t slot)
{
	const struct ir_slot *s = &p->f->slots.v[slot];
	uint32_t at = 0;

	if (p->nplaced > SHARED_MOST)
		return align_up(p->bytes, 8);
	for (uint32_t k = 0; k < p->nplaced; k++) {
		const struct ir_slot *other = &p->f->slots.v[p->placed[k]];
		uint32_t begin = (uint32_t)other->offset;

		if (begin >= at + s->size)
			break; /* they are in order: all others lie behind */
		if (begin + other->size > at && ranges_overlap(&p->lives[slot], &p->lives[p->placed[k]]))
			at = align_up(begin + other->size, 8);
	}
	return at;
}

static void place(struct packer *p, uint32_t slot)
{
	struct ir_slot *s = &p->f->slots.v[slot];
	uint32_t k = p->nplaced;

	s->offset = (int32_t)find_place(p, slot);
	p->nplaced++;
	p->bytes = MAX(p->bytes, align_up((uint32_t)s->offset + s->size, 8));
	while (k && p->f->slots.v[p->placed[k - 1]].offset > s->offset) {
		p->placed[k] = p->placed[k - 1];
		k--;
	}
	p->placed[k] = slot;
}

struct sized {
	uint32_t size, slot;
};

static int sized_compare(const void *pa, const void *pb)
{
	const struct sized *a = pa, *b = pb;

	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	return a->slot < b->slot ? -1 : a->slot > b->slot;
}

/* Give offsets from 0 to all slots in (or not in) scratch; returns how many bytes they take. */
static uint32_t pack(struct ir_func *f, const struct interval *lives, bool in_scratch)
{
	struct packer p = { .f = f, .lives = lives };
	struct sized *order = arena_array_of(f->arena, struct sized, f->slots.n + 1);
	uint32_t n = 0;

	p.placed = arena_array_of(f->arena, uint32_t, f->slots.n + 1);
	for (uint32_t slot = 0; slot < f->slots.n; slot++)
		if (f->slots.v[slot].in_scratch == in_scratch && lives[slot].ranges.n)
			order[n++] = (struct sized){ f->slots.v[slot].size, slot };
	qsort(order, n, sizeof(*order), sized_compare);
	for (uint32_t k = 0; k < n; k++)
		place(&p, order[k].slot);
	return p.bytes;
}

/* On the stack what lies at offset 0 above ends at the frame pointer. */
static uint32_t lay_out_stack(struct ir_func *f, const struct interval *lives)
{
	uint32_t bytes = pack(f, lives, false);

	for (uint32_t slot = 0; slot < f->slots.n; slot++) {
		struct ir_slot *s = &f->slots.v[slot];

		if (s->in_scratch)
			continue;
		if (!lives[slot].ranges.n)
			s->offset = 0;
		else if (s->size < 8 && s->align < 8)
			s->offset = -s->offset - (int32_t)align_up(s->size, slot_align(s));
		else
			s->offset = -s->offset - (int32_t)align_up(s->size, 8);
	}
	return bytes;
}

static void lay_out_scratch(struct ir_func *f, const struct interval *lives)
{
	f->scratch_bytes = pack(f, lives, true);
}

/* ---- choosing ---- */

struct chooser {
	struct ir_func *f;
	struct sized *order; /* slots on the stack, largest first */
	uint32_t n, next;
};

static void find_candidates(struct chooser *c, const struct interval *lives)
{
	c->order = arena_array_of(c->f->arena, struct sized, c->f->slots.n + 1);
	for (uint32_t slot = 0; slot < c->f->slots.n; slot++)
		if (!c->f->slots.v[slot].on_stack && !c->f->slots.v[slot].in_scratch && lives[slot].ranges.n)
			c->order[c->n++] = (struct sized){ c->f->slots.v[slot].size, slot };
	qsort(c->order, c->n, sizeof(*c->order), sized_compare);
}

/* Move the largest slots: those over `limit`, or until `bytes` have gone. False: there is none left. */
static bool move_largest(struct chooser *c, uint32_t limit, uint32_t bytes)
{
	uint32_t moved = 0, first = c->next;

	while (c->next < c->n && (c->order[c->next].size > limit || moved < bytes)) {
		moved += c->order[c->next].size;
		c->f->slots.v[c->order[c->next++].slot].in_scratch = true;
	}
	return c->next > first;
}

static bool choose(struct ir_func *f, const struct interval *lives, uint32_t on_stack_limit, uint32_t stack_bytes)
{
	struct chooser c = { .f = f };
	uint32_t bytes = lay_out_stack(f, lives);

	if (bytes <= stack_bytes)
		return false;
	find_candidates(&c, lives);
	move_largest(&c, MAX(on_stack_limit, 8), 0);
	while ((bytes = lay_out_stack(f, lives)) > stack_bytes)
		/* Part of what is too much: places are shared, so less may do. */
		if (!move_largest(&c, UINT32_MAX, (bytes - stack_bytes) / 4 + 1))
			break;
	return c.next;
}

/* All of them: which go to scratch may change later, the way there not. */
static uint64_t slots_bytes(const struct ir_func *f)
{
	uint64_t sum = 0;

	vec_each(s, &f->slots)
		sum += align_up(s->size, 8);
	return sum;
}

int slots_place(struct ir_func *f, uint32_t on_stack_limit, uint32_t stack_bytes, struct diags *d)
{
	const struct interval *lives;
	bool scratch = false;

	scratch_lookup_remove(f);
	lives = slot_lives_find(f);
	/* What nothing mentions any more needs no place, and must not be the only one in scratch. */
	for (uint32_t slot = 0; slot < f->slots.n; slot++)
		scratch |= f->slots.v[slot].in_scratch = f->slots.v[slot].off_stack && lives[slot].ranges.n;
	scratch |= choose(f, lives, on_stack_limit, stack_bytes);
	if (scratch) {
		f->scratch_by_cpu = slots_bytes(f) > SCRATCH_PERCPU_BYTES;
		f->scratch_by_task = f->task_scratch && slots_bytes(f) <= SCRATCH_TASK_BYTES;
		scratch_lookup_insert(f);
		lives = slot_lives_find(f);
		lay_out_stack(f, lives);
	}
	lay_out_scratch(f, lives);
	if (f->scratch_bytes > SCRATCH_MOST_BYTES) {
		diag_error(d, f->span, "program %s needs %u bytes for strings and other large values, and a program has %u",
			   f->name, f->scratch_bytes, SCRATCH_MOST_BYTES);
		diag_hint(d, "lower max_strlen, or divide the action among several probes");
		return -E2BIG;
	}
	return 0;
}

int ir_place_slots(struct ir_func *f, uint32_t on_stack_limit, struct diags *d)
{
	return slots_place(f, on_stack_limit, func_stack_most(f), d);
}
