/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower, strings: literals, and equality of strings, tuples and other values in memory.
 *
 * Local strings are padded with NULs to their size, so two are equal when the bytes up to the size of the
 * smaller are, and the larger ends there: only what was an array of characters may have no NUL.
 */
#include <errno.h>

#include "base/util.h"
#include "code/lower_priv.h"

/* Literals longer than this are copied from .rodata. */
#define MOST_IMMEDIATE_BYTES 64
/* Comparisons of more words than this are a loop. */
#define MOST_UNROLLED_WORDS 32

/* `size` bytes of a literal at `at` as a number in the machine's order; NULs beyond its end. */
static int64_t literal_bytes(const struct expr *e, uint32_t len, uint32_t at, uint32_t size)
{
	uint64_t v = 0;

	if (at < len)
		memcpy(&v, e->str + at, MIN(size, len - at));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v >>= (8 - size) * 8;
#endif
	return (int64_t)v;
}

static uint32_t word_at(int32_t off, uint32_t left)
{
	uint32_t size = 8;

	while (size > left || (uint32_t)off & (size - 1))
		size >>= 1;
	return size;
}

void lower_literal_into(struct lower *l, const struct expr *e, uint32_t bytes, bool no_pad, vreg addr, int32_t off)
{
	uint32_t len = MIN(e->str_len, MAX(bytes, 1u) - 1), n;
	struct val v;

	if (len > MOST_IMMEDIATE_BYTES) {
		v = lower_rodata(l, e->type, e->str, len);
		lower_copy(l, addr, off, v.reg, 0, len);
		lower_zero(l, addr, off + (int32_t)len, no_pad ? 1 : bytes - len);
		return;
	}
	n = no_pad ? len + 1 : bytes;
	for (uint32_t i = 0, size; i < n && i <= len; i += size) {
		size = word_at(off + (int32_t)i, n - i);
		/* A store of an immediate has 32 bits; a wider one goes through a register. */
		ir_store(l->f, addr, off + (int32_t)i, (uint8_t)size,
			 ir_const(l->f, literal_bytes(e, len, i, size)));
		if (i + size > len && i + size < n)
			lower_zero(l, addr, off + (int32_t)(i + size), n - i - size);
	}
}

/* ---- equality ---- */

static void branch_if_differ(struct lower *l, vreg a, vreg b, uint32_t differ)
{
	uint32_t same = ir_block_new(l->f, "same");

	ir_br(l->f, CC_EQ, a, b, same, differ);
	ir_block_use(l->f, same);
}

static void equal_to_literal(struct lower *l, const struct val *v, const struct expr *lit, uint32_t same,
			     uint32_t differ)
{
	uint32_t bytes = MAX(v->type->size, 1u), len = lit->str_len;

	/* An embedded NUL ends the string in the kernel as it does in C. */
	len = (uint32_t)strnlen(lit->str ? lit->str : "", len);
	if (len > bytes) {
		ir_jmp(l->f, differ);
		return;
	}
	for (uint32_t i = 0, size, n = MIN(len + 1, bytes); i < n; i += size) {
		size = word_at(v->off + (int32_t)i, bytes - i);
		while (size > 1 && size / 2 >= n - i)
			size /= 2;
		branch_if_differ(l, ir_load(l->f, v->reg, v->off + (int32_t)i, (uint8_t)size, false),
				 ir_const(l->f, literal_bytes(lit, len, i, size)), differ);
	}
	ir_jmp(l->f, same);
}

/* for (i = 0; i < words * 8; i += 8) compare */
static void equal_loop(struct lower *l, vreg a, vreg b, uint32_t words, uint32_t differ)
{
	uint32_t head = ir_block_new(l->f, "compare"), done = ir_block_new(l->f, "compared");
	vreg i = ir_vreg_new(l->f, NULL);

	ir_mov_to(l->f, i, ir_const(l->f, 0));
	ir_jmp(l->f, head);
	ir_block_use(l->f, head);
	branch_if_differ(l, ir_load(l->f, ir_bin(l->f, IR_ADD, a, i), 0, 8, false),
			 ir_load(l->f, ir_bin(l->f, IR_ADD, b, i), 0, 8, false), differ);
	ir_mov_to(l->f, i, ir_bin_imm(l->f, IR_ADD, i, 8));
	ir_br_imm(l->f, CC_ULT, i, (int64_t)words * 8, head, done);
	ir_block_use(l->f, done);
}

static void equal_bytes(struct lower *l, const struct val *a, const struct val *b, uint32_t n, uint32_t same,
			uint32_t differ)
{
	uint32_t i = 0;

	if (n / 8 > MOST_UNROLLED_WORDS && a->off % 8 == 0 && b->off % 8 == 0) {
		equal_loop(l, val_address(l, a), val_address(l, b), n / 8, differ);
		i = n & ~7u;
	}
	for (uint32_t size; i < n; i += size) {
		size = MIN(word_at(a->off + (int32_t)i, n - i), word_at(b->off + (int32_t)i, n - i));
		branch_if_differ(l, ir_load(l->f, a->reg, a->off + (int32_t)i, (uint8_t)size, false),
				 ir_load(l->f, b->reg, b->off + (int32_t)i, (uint8_t)size, false), differ);
	}
	ir_jmp(l->f, same);
}

/* The value where it can be loaded word by word. */
static int comparable(struct lower *l, struct expr *e, struct val *out)
{
	struct val v = { 0 };
	int err = lower_expr(l, e, &v);

	if (err)
		return err;
	if (v.kind != VAL_MEM) {
		diag_error(l->diags, e->span, "this cannot be compared");
		return -EINVAL;
	}
	*out = val_local(l, &v);
	return 0;
}

static int widen(struct lower *l, const struct type *t, struct val *v)
{
	struct val wide;
	int err;

	if (type_equal(v->type, t))
		return 0;
	wide = val_slot(l, t, "wide");
	err = val_to_memory(l, v, t, wide.reg, 0);
	*v = wide;
	return err;
}

/* Tuples whose members have different widths are compared as what holds both: each may have the wider member. */
static int same_layout(struct lower *l, struct span span, struct val *a, struct val *b)
{
	const struct type *t = NULL;

	/* Of buffers that differ in size, the lengths at their beginnings are equal or not. */
	if (a->type->kind == TY_STRING || a->type->kind == TY_BUFFER || type_equal(a->type, b->type))
		return 0;
	if (a->type->kind == TY_TUPLE || a->type->kind == TY_RECORD)
		t = type_promote(l->arena, a->type, b->type);
	if (!t)
		return diag_error(l->diags, span, "%s cannot be compared with %s", type_name(l->arena, a->type),
				  type_name(l->arena, b->type));
	return widen(l, t, a) ?: widen(l, t, b);
}

static void ends_at(struct lower *l, const struct val *v, uint32_t at, uint32_t differ)
{
	branch_if_differ(l, ir_load(l->f, v->reg, v->off + (int32_t)at, 1, false), ir_const(l->f, 0), differ);
}

int lower_mem_equal(struct lower *l, struct expr *a, struct expr *b, uint32_t same, uint32_t differ)
{
	struct val va = { 0 }, vb = { 0 };
	int err;

	if (a->kind == EX_STR && b->type->kind == TY_STRING) {
		struct expr *t = a;

		a = b;
		b = t;
	}
	err = comparable(l, a, &va);
	if (err)
		return err;
	if (b->kind == EX_STR && va.type->kind == TY_STRING) {
		equal_to_literal(l, &va, b, same, differ);
		return 0;
	}
	err = comparable(l, b, &vb);
	if (!err && (va.type->kind == TY_STRING) != (vb.type->kind == TY_STRING))
		err = diag_error(l->diags, b->span, "%s cannot be compared with %s", type_name(l->arena, vb.type),
				 type_name(l->arena, va.type));
	if (!err)
		err = same_layout(l, b->span, &va, &vb);
	if (!err && va.type->kind == TY_STRING && va.type->size != vb.type->size)
		ends_at(l, va.type->size > vb.type->size ? &va : &vb, MIN(va.type->size, vb.type->size), differ);
	if (!err)
		equal_bytes(l, &va, &vb, MIN(va.type->size, vb.type->size), same, differ);
	return err;
}
