/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lower, access: members, elements and what pointers point to, wherever they lie. */
#include <errno.h>

#include "base/util.h"
#include "code/lower_priv.h"

/* The struct or tuple whose member is taken, as memory. A pointer is followed with `.` as with `->`. */
static int aggregate_of(struct lower *l, struct expr *e, struct val *out)
{
	struct val v = { 0 };
	int err = lower_expr(l, e, &v);

	if (err)
		return err;
	if (v.kind != VAL_NONE && v.type->kind == TY_POINTER && v.type->elem)
		*out = val_of_mem(v.type->elem, val_scalar(l, &v), 0, lower_space(l, v.type));
	else
		*out = v;
	if (out->kind != VAL_MEM)
		return diag_error(l->diags, e->span, "this has no members");
	return 0;
}

/* A struct by value: the verifier knows words of the context, and not what is in them. */
static struct val context_struct(struct lower *l, const struct val *ctx, const struct field *f)
{
	uint32_t bytes = align_up(f->type->size, 8);
	struct val v = val_slot(l, f->type, "arg");

	for (uint32_t i = 0; i < bytes; i += 8)
		ir_store(l->f, v.reg, v.off + (int32_t)i, 8,
			 ir_load(l->f, ctx->reg, (int32_t)(f->ctx_offset + i), 8, false));
	return v;
}

/* A word of the context as a value of the field's type. */
static struct val context_word(struct lower *l, const struct val *ctx, const struct field *f)
{
	vreg word = ir_load(l->f, ctx->reg, (int32_t)f->ctx_offset, 8, false);

	/* The verifier guards what it knows to be a pointer, also against being NULL: to us it is an address. */
	if (l->point && l->point->uses_btf_ctx && f->type->kind == TY_POINTER)
		word = lower_address_number(l, word);
	return val_of_reg(f->type, lower_convert(l, word, &type_uint64, f->type));
}

/*
 * An address as a plain number: x = ~-x + 1. The verifier forbids most arithmetic on a pointer,
 * but takes what becomes of a negation for a number.
 */
vreg lower_address_number(struct lower *l, vreg addr)
{
	return ir_bin_imm(l->f, IR_ADD, ir_bin_imm(l->f, IR_XOR, ir_neg(l->f, addr), -1), 1);
}

/* A tracefs __data_loc: where in the event the data lies is said at run time. */
static struct val data_loc(struct lower *l, const struct val *ctx, const struct field *f)
{
	vreg word = ir_load(l->f, ctx->reg, ctx->off + (int32_t)f->offset, 4, false);
	vreg addr = ir_bin(l->f, IR_ADD, lower_address_number(l, ctx->reg), ir_bin_imm(l->f, IR_AND, word, 0xffff));

	if (f->bias)
		addr = ir_bin_imm(l->f, IR_ADD, addr, f->bias);
	if (f->type->kind == TY_POINTER)
		return val_of_reg(f->type, addr);
	return val_of_mem(f->type, addr, 0, SPACE_KERNEL);
}

/* `bits` of the 9 bytes from `at` on, behind `from` of the first: more than one load takes. */
static vreg bits_of_nine(struct lower *l, const struct val *at, uint32_t from, uint32_t bits)
{
	struct val low = *at, high = *at;
	vreg r;

	low.type = &type_uint64;
	high.type = &type_uint8;
	high.off += 8;
	r = ir_bin_imm(l->f, IR_SHR, val_scalar(l, &low), from);
	r = ir_bin(l->f, IR_OR, r, ir_bin_imm(l->f, IR_SHL, val_scalar(l, &high), 64 - from));
	r = ir_bin_imm(l->f, IR_SHL, r, 64 - bits);
	return ir_bin_imm(l->f, IR_SHR, r, 64 - bits);
}

/* Without a sign, whatever the type of the field says: the reference reads them so. */
static void bit_field(struct lower *l, const struct val *at, const struct field *f, struct val *out)
{
	uint32_t bits = f->bit_offset + f->bit_size, bytes = 1;
	struct val unit = *at;
	vreg r;

	if (bits > 64) {
		unit.off += f->bit_offset / 8;
		bits -= f->bit_offset / 8 * 8;
	}
	if (bits > 64) {
		*out = val_of_reg(f->type, bits_of_nine(l, &unit, f->bit_offset % 8, f->bit_size));
		return;
	}
	while (bytes * 8 < bits)
		bytes *= 2;
	unit.type = type_integer(bytes, false);
	r = val_scalar(l, &unit);
	r = ir_bin_imm(l->f, IR_SHL, r, 64 - bits);
	r = ir_bin_imm(l->f, IR_SHR, r, 64 - f->bit_size);
	*out = val_of_reg(f->type, r);
}

/* A struct in one or two registers, put together as it lies in memory. */
static struct val parts(struct lower *l, const struct val *ctx, const struct field *f)
{
	struct val v = val_slot(l, f->type, f->name);

	ir_store(l->f, v.reg, 0, 8, ir_load(l->f, ctx->reg, (int32_t)f->ctx_offset, 8, false));
	if (f->type->size > 8)
		ir_store(l->f, v.reg, 8, 8, ir_load(l->f, ctx->reg, (int32_t)f->bias, 8, false));
	return v;
}

/* Where an ACCESS_CTX_PTR lies. */
static struct val behind_pointers(struct lower *l, const struct val *ctx, const struct field *f)
{
	vreg at = ir_load(l->f, ctx->reg, (int32_t)f->ctx_offset, 8, false);

	for (uint32_t i = 0; i < f->nhops; i++) {
		struct val next = val_of_mem(&type_uint64, at, (int32_t)f->hops[i], SPACE_KERNEL);

		at = val_scalar(l, &next);
	}
	return val_of_mem(f->stored ? f->stored : f->type, at, (int32_t)f->offset, SPACE_KERNEL);
}

/* Scalars in memory that may be loaded directly are loaded now; the rest stays where it is until it is
 * known what is wanted of it. */
static struct val settle(struct lower *l, struct val v)
{
	if (v.kind == VAL_MEM && type_is_scalar(v.type))
		return val_of_reg(v.type, val_scalar(l, &v));
	return v;
}

/* Only the checker knows in which address space a pointer was found. */
static void in_space(const struct expr *e, struct val *v)
{
	if (v->kind == VAL_REG && v->type->kind == TY_POINTER && e->type->kind == TY_POINTER)
		v->type = e->type;
}

static int field_of(struct lower *l, struct expr *e, const struct val *from, const struct field *f, struct val *out)
{
	struct val v = *from;

	switch (f->access) {
	case ACCESS_CTX_WORD:
		*out = type_is_scalar(f->type) ? context_word(l, from, f) : context_struct(l, from, f);
		return 0;
	case ACCESS_PLACE:
		*out = lower_field_place(l, f);
		return 0;
	case ACCESS_DATA_LOC:
		*out = settle(l, data_loc(l, from, f));
		return 0;
	case ACCESS_CTX_PTR:
		v = behind_pointers(l, from, f);
		if (!f->stored)
			break;
		*out = val_of_reg(f->type, lower_convert(l, val_scalar(l, &v), f->stored, f->type));
		return 0;
	case ACCESS_CTX_USER:
		v = val_of_mem(f->type, ir_load(l->f, from->reg, (int32_t)f->ctx_offset, 8, false), (int32_t)f->bias,
			       SPACE_USER);
		break;
	case ACCESS_CTX_PARTS:
		*out = parts(l, from, f);
		return 0;
	case ACCESS_CTX_ADDRESS:
		v = behind_pointers(l, from, f);
		*out = val_of_reg(f->type, ir_bin_imm(l->f, IR_ADD, v.reg, v.off));
		return 0;
	case ACCESS_MEMBER:
		v.off += (int32_t)f->offset;
		v.type = f->type;
		break;
	}
	if (f->bit_size) {
		bit_field(l, &v, f, out);
		return 0;
	}
	*out = settle(l, v);
	in_space(e, out);
	return 0;
}

int lower_args_into(struct lower *l, const struct val *from, const struct type *as, vreg addr, int32_t off)
{
	struct expr nowhere = { .span = l->f->span, .type = &type_none };

	lower_zero(l, addr, off, as->size);
	for (uint32_t i = 0; i < as->nfields; i++) {
		const struct field *f = &as->fields[i];
		struct val v;
		int err = field_of(l, &nowhere, from, type_field(from->type, f->name), &v);

		err = err ? err : val_to_memory(l, &v, f->type, addr, off + (int32_t)f->offset);
		if (err)
			return err;
	}
	return 0;
}

int lower_field(struct lower *l, struct expr *e, struct val *out)
{
	const struct field *f = e->field;
	struct val from = { 0 };
	int err = aggregate_of(l, e->a, &from);

	if (err)
		return err;
	if (!f)
		f = type_field(from.type, e->name);
	if (!f)
		return diag_error(l->diags, e->name_span, "%s has no member '%s'", type_name(l->arena, from.type),
				  e->name);
	return field_of(l, e, &from, f, out);
}

/* An index into memory of our own is bounded, for the verifier as for us: beyond the end is a fault, and
 * the first element is read instead: of a scalar, element_of() makes zero then. */
static vreg bounded_index(struct lower *l, vreg index, uint32_t count)
{
	uint32_t bad = ir_block_new(l->f, "beyond"), ok = ir_block_new(l->f, "within");
	vreg r = ir_vreg_new(l->f, NULL);

	ir_mov_to(l->f, r, index);
	ir_br_imm(l->f, CC_ULT, r, count, ok, bad);
	ir_block_use(l->f, bad);
	lower_count(l, COUNTER_FAULTS);
	ir_mov_to(l->f, r, ir_const(l->f, 0));
	ir_jmp(l->f, ok);
	ir_block_use(l->f, ok);
	return r;
}

static int tuple_index(struct lower *l, struct expr *e, const struct val *from, struct val *out)
{
	if (e->b->kind != EX_INT || e->b->num >= from->type->nfields)
		return diag_error(l->diags, e->b->span, "a tuple of %u members needs a constant index below that",
				  from->type->nfields);
	return field_of(l, e, from, &from->type->fields[e->b->num], out);
}

/* Where an element lies. *inside becomes the register that is 1 when it exists and else 0; it stays as it
 * is where there is nothing to be asked. */
static int element_place(struct lower *l, struct expr *e, struct val v, const struct type *elem, uint32_t count,
			 struct val *out, vreg *inside)
{
	uint32_t size = elem->size;
	vreg index;
	int err;

	v.type = elem;
	if (e->b->kind == EX_INT && e->b->num < INT32_MAX / MAX(size, 1u)) {
		if (count && e->b->num >= count)
			return diag_error(l->diags, e->b->span, "index %llu is beyond the %u elements of the array",
					  (unsigned long long)e->b->num, count);
		v.off += (int32_t)(e->b->num * size);
		*out = v;
		return 0;
	}
	err = lower_scalar(l, e->b, &index);
	if (err)
		return err;
	if (v.space == SPACE_NONE && count) {
		*inside = ir_setcc_imm(l->f, CC_ULT, index, count);
		index = bounded_index(l, index, count);
	}
	v.reg = ir_bin(l->f, IR_ADD, v.reg, ir_bin_imm(l->f, IR_MUL, index, size));
	/* The context allows no load at an offset that is computed, and our own memory no copy by words
	 * where words are not aligned: both are kernel memory, read as such. */
	if (v.space == SPACE_CTX || (v.space == SPACE_NONE && !type_is_scalar(elem) && size % 8))
		v.space = SPACE_KERNEL;
	*out = v;
	return 0;
}

static int element_of(struct lower *l, struct expr *e, struct val v, const struct type *elem, uint32_t count,
		      struct val *out)
{
	struct val at;
	vreg inside = 0;
	int err = element_place(l, e, v, elem, count, &at, &inside);

	if (err)
		return err;
	*out = settle(l, at);
	if (inside && out->kind == VAL_REG)
		out->reg = ir_bin(l->f, IR_MUL, out->reg, inside);
	in_space(e, out);
	return 0;
}

int lower_index(struct lower *l, struct expr *e, struct val *out)
{
	struct val v = { 0 };
	int err = lower_expr(l, e->a, &v);

	if (err)
		return err;
	if (v.kind == VAL_NONE)
		return diag_error(l->diags, e->a->span, "this has no value");
	if (v.kind == VAL_MEM && (v.type->kind == TY_TUPLE || v.type->kind == TY_RECORD))
		return tuple_index(l, e, &v, out);
	if (v.kind == VAL_MEM && v.type->kind == TY_ARRAY)
		return element_of(l, e, v, v.type->elem, v.type->count, out);
	if (v.kind == VAL_MEM && v.type->kind == TY_STRING)
		return element_of(l, e, v, &type_int8, v.type->size, out);
	if (v.type->kind == TY_POINTER && v.type->elem && v.type->elem->size)
		return element_of(l, e, val_of_mem(v.type->elem, val_scalar(l, &v), 0, lower_space(l, v.type)),
				  v.type->elem, 0, out);
	return diag_error(l->diags, e->span, "%s cannot be indexed", type_name(l->arena, v.type));
}

int lower_deref(struct lower *l, struct expr *e, struct val *out)
{
	struct val v = { 0 };
	const struct type *to = e->type;
	int err = lower_expr(l, e->a, &v);

	if (err)
		return err;
	if (v.kind == VAL_NONE || !type_is_scalar(v.type))
		return diag_error(l->diags, e->a->span, "this cannot be dereferenced");
	/* A plain number may be dereferenced too: the type says how much is read. */
	*out = settle(l, val_of_mem(to, val_scalar(l, &v), 0, lower_space(l, v.type)));
	return 0;
}

static int field_place(struct lower *l, struct expr *e, struct val *out)
{
	struct val from = { 0 };
	int err = e->a->type->kind == TY_POINTER ? aggregate_of(l, e->a, &from) : lower_place(l, e->a, &from);

	if (err)
		return err;
	*out = from;
	out->off += (int32_t)e->field->offset;
	out->type = e->type;
	return 0;
}

static int index_place(struct lower *l, struct expr *e, struct val *out)
{
	const struct type *t = e->a->type;
	struct val from = { 0 };
	vreg inside;
	int err = t->kind == TY_POINTER ? lower_expr(l, e->a, &from) : lower_place(l, e->a, &from);

	if (err)
		return err;
	if (t->kind == TY_POINTER)
		from = val_of_mem(t->elem, val_scalar(l, &from), 0, lower_space(l, t));
	return element_place(l, e, from, e->type, t->kind == TY_ARRAY ? t->count : 0, out, &inside);
}

int lower_place(struct lower *l, struct expr *e, struct val *out)
{
	vreg r;
	int err;

	if (e->kind == EX_FIELD && e->field)
		return field_place(l, e, out);
	if (e->kind == EX_INDEX)
		return index_place(l, e, out);
	if (e->kind != EX_UNARY || e->op != OP_DEREF)
		return lower_expr(l, e, out);
	err = lower_scalar(l, e->a, &r);
	if (!err)
		*out = val_of_mem(e->type, r, 0, lower_space(l, e->a->type));
	return err;
}
