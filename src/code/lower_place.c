/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower, places: values that lie where the registers of the processor lead to: in them, in the memory of the
 * process, or nowhere, being constants.
 */
#include <linux/bpf.h>

#include "base/util.h"
#include "code/lower_priv.h"

static vreg register_read(struct lower *l, int16_t offset, uint8_t bytes, bool is_signed)
{
	vreg word = ir_load(l->f, ir_ctx(l->f), offset, 8, false);

	return bytes < 8 ? ir_ext(l->f, word, bytes, is_signed) : word;
}

/* number + base + (index << scale) */
static vreg place_sum(struct lower *l, const struct reg_place *p)
{
	vreg sum = 0, index;

	if (p->base >= 0)
		sum = register_read(l, p->base, p->base_bytes, false);
	if (p->index >= 0) {
		index = register_read(l, p->index, p->index_bytes, p->index_signed);
		if (p->scale)
			index = ir_bin_imm(l->f, IR_SHL, index, p->scale);
		sum = sum ? ir_bin(l->f, IR_ADD, sum, index) : index;
	}
	if (!sum)
		return ir_const(l->f, p->number);
	return p->number ? ir_bin_imm(l->f, IR_ADD, sum, p->number) : sum;
}

static vreg place_read(struct lower *l, const struct reg_place *p)
{
	const struct type *t = type_integer(p->bytes, p->is_signed);
	vreg r = place_sum(l, p);

	if (p->is_memory) {
		struct val to = val_slot(l, t, "place");

		lower_probe_read(l, to.reg, 0, p->bytes, r, SPACE_USER);
		return lower_load(l, &to);
	}
	if (p->shift)
		r = ir_bin_imm(l->f, IR_SHR, r, p->shift);
	return p->bytes < 8 ? ir_ext(l->f, r, p->bytes, p->is_signed) : r;
}

/* What cannot be read is zero, and counted. */
static vreg place_value(struct lower *l, const struct reg_place *p)
{
	if (!p->problem)
		return place_read(l, p);
	lower_count(l, COUNTER_FAULTS);
	return ir_const(l->f, 0);
}

/* The attachment's cookie says in its upper half at which place it is. */
static vreg one_of_places(struct lower *l, const struct field *f)
{
	uint32_t done = ir_block_new(l->f, "argument");
	vreg value = ir_vreg_new(l->f, NULL), ctx = ir_ctx(l->f), cookie;

	cookie = ir_bin_imm(l->f, IR_SHR, ir_call_pure(l->f, BPF_FUNC_get_attach_cookie, 1, &ctx), 32);
	for (uint32_t i = 0; i < f->nplaces; i++) {
		uint32_t here = ir_block_new(l->f, "place"), next = i + 1 < f->nplaces ? ir_block_new(l->f, "or") : here;

		if (next != here)
			ir_br_imm(l->f, CC_EQ, cookie, i, here, next);
		else
			ir_jmp(l->f, here);
		ir_block_use(l->f, here);
		ir_mov_to(l->f, value, place_value(l, &f->places[i]));
		ir_jmp(l->f, done);
		if (next != here)
			ir_block_use(l->f, next);
	}
	ir_block_use(l->f, done);
	return value;
}

struct val lower_field_place(struct lower *l, const struct field *f)
{
	return val_of_reg(f->type, f->nplaces == 1 ? place_value(l, f->places) : one_of_places(l, f));
}
