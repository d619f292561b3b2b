/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower, memory: filling, copying, reading what lies elsewhere, and counting what failed.
 *
 * Addresses handed in as registers are multiples of 8; offsets may be anything. The kernel's verifier
 * refuses unaligned access to the stack, so every access is as wide as its offset allows.
 */
#include <linux/bpf.h>

#include "base/util.h"
#include "code/lower_priv.h"

/* More stores, or loads and stores, than these are left to a helper. */
#define MOST_STORES 32
#define MOST_COPIES 16

/* The widest access at both offsets that does not go beyond `left` bytes. */
static uint32_t chunk_at(int32_t a, int32_t b, uint32_t left)
{
	uint32_t size = 8;

	while (size > left || ((uint32_t)a | (uint32_t)b) & (size - 1))
		size >>= 1;
	return size;
}

static uint32_t chunk_count(int32_t a, int32_t b, uint32_t n)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; count++)
		i += chunk_at(a + (int32_t)i, b + (int32_t)i, n - i);
	return count;
}

/* Where a member lies as its packed struct wants it, it is read and written in parts. */
vreg lower_load(struct lower *l, const struct val *v)
{
	uint32_t n = v->type->size, size = chunk_at(v->off, 0, n);
	bool sign = type_is_int(v->type) && v->type->is_signed;
	vreg r = ir_load(l->f, v->reg, v->off, (uint8_t)size, sign && size == n);

	for (uint32_t i = size; i < n; i += size) {
		vreg part;

		size = chunk_at(v->off + (int32_t)i, 0, n - i);
		part = ir_load(l->f, v->reg, v->off + (int32_t)i, (uint8_t)size, false);
		r = ir_bin(l->f, IR_OR, r, ir_bin_imm(l->f, IR_SHL, part, (int64_t)i * 8));
	}
	return sign && n < 8 && chunk_at(v->off, 0, n) != n ? ir_ext(l->f, r, (uint8_t)n, true) : r;
}

void lower_store(struct lower *l, const struct val *to, vreg r)
{
	uint32_t n = to->type->size;

	for (uint32_t i = 0, size; i < n; i += size) {
		size = chunk_at(to->off + (int32_t)i, 0, n - i);
		ir_store(l->f, to->reg, to->off + (int32_t)i, (uint8_t)size,
			 i ? ir_bin_imm(l->f, IR_SHR, r, (int64_t)i * 8) : r);
	}
}

static vreg at_offset(struct lower *l, vreg addr, int32_t off)
{
	return off ? ir_bin_imm(l->f, IR_ADD, addr, off) : addr;
}

static vreg helper_read(struct lower *l, int helper, vreg dst, uint32_t n, vreg from)
{
	vreg args[] = { dst, ir_const(l->f, n), from };

	return ir_call(l->f, helper, 3, args);
}

void lower_zero(struct lower *l, vreg addr, int32_t off, uint32_t n)
{
	if (chunk_count(off, off, n) > MOST_STORES) {
		/* Reading from nowhere fails, and then the helper clears the target. */
		helper_read(l, BPF_FUNC_probe_read_kernel, at_offset(l, addr, off), n, ir_const(l->f, 0));
		return;
	}
	for (uint32_t i = 0, size; i < n; i += size) {
		size = chunk_at(off + (int32_t)i, 0, n - i);
		ir_store_imm(l->f, addr, off + (int32_t)i, (uint8_t)size, 0);
	}
}

void lower_copy(struct lower *l, vreg dst, int32_t dst_off, vreg src, int32_t src_off, uint32_t n)
{
	if (dst == src && dst_off == src_off)
		return;
	if (chunk_count(dst_off, src_off, n) > MOST_COPIES) {
		helper_read(l, BPF_FUNC_probe_read_kernel, at_offset(l, dst, dst_off), n,
			    at_offset(l, src, src_off));
		return;
	}
	for (uint32_t i = 0, size; i < n; i += size) {
		int32_t to = dst_off + (int32_t)i, from = src_off + (int32_t)i;

		size = chunk_at(to, from, n - i);
		ir_store(l->f, dst, to, (uint8_t)size, ir_load(l->f, src, from, (uint8_t)size, false));
	}
}

static void failure_tell(struct lower *l, vreg result, const char *helper)
{
	struct expr call = { .func = &func_fault, .span = l->f->span };
	struct val code = val_of_reg(&type_int32, result);
	struct site *s = lower_site(l, &call);

	s->text = helper;
	lower_event_vals(l, s, &code, 1);
}

/* A read has failed with this result. */
static void fault(struct lower *l, vreg result, int helper)
{
	lower_count(l, COUNTER_FAULTS);
	if (l->env->helper_errors)
		failure_tell(l, result, helper_name(helper));
}

void lower_tell_missing(struct lower *l, enum ir_cc cc, vreg r, int64_t code, const char *helper)
{
	uint32_t missing, done;

	if (!l->env->helper_errors)
		return;
	missing = ir_block_new(l->f, "missing");
	done = ir_block_new(l->f, "told");
	ir_br_imm(l->f, cc, r, 0, missing, done);
	ir_block_use(l->f, missing);
	failure_tell(l, ir_const(l->f, code), helper);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
}

void lower_tell_zero(struct lower *l)
{
	struct expr call = { .func = &func_zero_divisor, .span = l->f->span };

	lower_event_vals(l, lower_site(l, &call), NULL, 0);
}

void lower_count_fault(struct lower *l, vreg r, int helper)
{
	uint32_t failed = ir_block_new(l->f, "fault"), done = ir_block_new(l->f, "read");

	ir_br_imm(l->f, CC_SLT, r, 0, failed, done);
	ir_block_use(l->f, failed);
	fault(l, r, helper);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
}

void lower_probe_read(struct lower *l, vreg dst, int32_t dst_off, uint32_t n, vreg from, enum addr_space space)
{
	int helper = space == SPACE_USER ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read_kernel;

	lower_count_fault(l, helper_read(l, helper, at_offset(l, dst, dst_off), n, from), helper);
}

vreg lower_probe_read_str(struct lower *l, vreg dst, int32_t dst_off, uint32_t most, vreg from,
			  enum addr_space space)
{
	int helper = space == SPACE_USER ? BPF_FUNC_probe_read_user_str : BPF_FUNC_probe_read_kernel_str;
	struct want *w = l->priv->fn.want;
	bool wanted = w && w->taken && w->addr == dst && w->off == dst_off;
	uint32_t failed = ir_block_new(l->f, "fault"), done = ir_block_new(l->f, "read");
	vreg len = ir_vreg_new(l->f, "len");

	if (!wanted || !w->no_pad)
		lower_zero(l, dst, dst_off, most);
	ir_mov_to(l->f, len, helper_read(l, helper, at_offset(l, dst, dst_off), most, from));
	ir_br_imm(l->f, CC_SLT, len, 0, failed, done);
	ir_block_use(l->f, failed);
	fault(l, len, helper);
	/* An event says how much of it counts: the NUL of the string that came out empty does. */
	ir_mov_to(l->f, len, ir_const(l->f, wanted && w->no_pad ? 1 : 0));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	if (wanted)
		w->len = len;
	return len;
}

/* ---- counters ---- */

vreg lower_u32_slot(struct lower *l, uint32_t *slot, uint32_t value)
{
	vreg addr;

	if (!*slot)
		*slot = ir_slot_new(l->f, 4, 4, "u32") + 1;
	addr = ir_slot_addr(l->f, *slot - 1);
	ir_store_imm(l->f, addr, 0, 4, value);
	return addr;
}

void lower_count(struct lower *l, uint32_t counter)
{
	/* Atomic: every CPU counts here. The address is known when the program is loaded: no lookup is needed. */
	ir_atomic_add(l->f, ir_bss(l->f, COUNTER_OFFSET(counter)), 0, 8, ir_const(l->f, 1), false);
}

void lower_count_if(struct lower *l, enum ir_cc cc, vreg r, uint32_t counter)
{
	uint32_t failed = ir_block_new(l->f, "failed"), done = ir_block_new(l->f, "done");

	ir_br_imm(l->f, cc, r, 0, failed, done);
	ir_block_use(l->f, failed);
	lower_count(l, counter);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
}

void lower_count_failure(struct lower *l, vreg r, uint32_t counter)
{
	lower_count_if(l, CC_SLT, r, counter);
}
