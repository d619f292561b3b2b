/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where slots lie. The stack is preferred for everything: an access costs one instruction there and no
 * lookup. Only when all that is alive at once does not fit do slots go to scratch: first all those
 * over the limit for single objects, then the largest of the rest until what remains fits.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>

#include "base/util.h"
#include "code/ir_pass.h"
#include "lang/diag.h"

static uint32_t slot_align(const struct ir_slot *s)
{
	return s->align < 8 ? MAX(s->align, 1) : 8;
}

static uint32_t lay_out_stack(struct ir_func *f)
{
	uint32_t bytes = 0;

	vec_each(s, &f->slots) {
		if (s->in_scratch)
			continue;
		bytes = align_up(bytes + s->size, slot_align(s));
		s->offset = -(int32_t)bytes;
	}
	return align_up(bytes, 8);
}

static void lay_out_scratch(struct ir_func *f)
{
	uint32_t bytes = 0;

	vec_each(s, &f->slots) {
		if (!s->in_scratch)
			continue;
		bytes = align_up(bytes, slot_align(s));
		s->offset = (int32_t)bytes;
		bytes += s->size;
	}
	f->scratch_bytes = align_up(bytes, 8);
}

/* ---- the lookup of scratch ---- */

/*
 * The entry block becomes: key = scratch_index; base = lookup(scratch map, &key); if there is none (which
 * cannot be, but the verifier does not know), return 0. What it was moves to a block of its own.
 */
static void insert_lookup(struct ir_func *f)
{
	uint32_t key = ir_slot_new(f, 4, 4, "scratch_key");
	uint32_t body = ir_block_new(f, f->blocks.v[0]->label), none = ir_block_new(f, "no_scratch");
	struct ir_block *t = f->blocks.v[body];
	vreg args[2];

	f->blocks.v[body] = f->blocks.v[0];
	f->blocks.v[0] = t;
	for (uint32_t n = 0; n < f->blocks.n; n++) {
		struct ir_insn *end = block_end(f->blocks.v[n]);

		if (end && (end->op == IR_JMP || end->op == IR_BR)) {
			end->then_ = end->then_ ? end->then_ : body;
			end->else_ = end->op == IR_JMP || end->else_ ? end->else_ : body;
		}
	}
	ir_block_use(f, 0);
	args[0] = ir_map(f, 0);
	block_end(f->blocks.v[0])->imm = -1;
	args[1] = ir_slot_addr(f, key);
	ir_store_imm(f, args[1], 0, 4, f->scratch_index);
	f->scratch_base = ir_call(f, BPF_FUNC_map_lookup_elem, 2, args);
	ir_br_imm(f, CC_EQ, f->scratch_base, 0, none, body);
	ir_block_use(f, none);
	ir_ret_imm(f, 0);
	ir_block_use(f, body);
}

/* ---- choosing ---- */

static bool move_over_limit(struct ir_func *f, uint32_t limit)
{
	bool moved = false;

	vec_each(s, &f->slots)
		if (!s->in_scratch && !s->on_stack && s->size > limit)
			moved = s->in_scratch = true;
	return moved;
}

/* The key of the lookup itself must stay on the stack: it is the smallest, and there is always room for it. */
static bool move_largest(struct ir_func *f)
{
	struct ir_slot *largest = NULL;

	vec_each(s, &f->slots)
		if (!s->in_scratch && !s->on_stack && s->size > 4 && (!largest || s->size > largest->size))
			largest = s;
	if (!largest)
		return false;
	largest->in_scratch = true;
	return true;
}

int slots_place(struct ir_func *f, uint32_t on_stack_limit, uint32_t stack_bytes, struct diags *d)
{
	bool scratch = false;

	vec_each(s, &f->slots)
		scratch |= s->in_scratch = s->off_stack;
	if (lay_out_stack(f) > stack_bytes)
		scratch |= move_over_limit(f, MAX(on_stack_limit, 8));
	while (lay_out_stack(f) > stack_bytes && move_largest(f))
		scratch = true;
	if (scratch && !f->scratch_base) {
		insert_lookup(f);
		lay_out_stack(f);
	}
	lay_out_scratch(f);
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
