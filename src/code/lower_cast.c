/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower, casts: between numbers, and between numbers, arrays and strings, which are the same bytes looked at
 * in another way.
 */
#include <errno.h>

#include "base/util.h"
#include "code/lower_priv.h"

static bool reads_as_scalar(const struct type *t)
{
	return type_is_scalar(lower_read_type(t));
}

static int scalar_to_scalar(struct lower *l, struct expr *e, struct val *out)
{
	vreg r;
	int err = lower_scalar(l, e->a, &r);

	if (!err)
		*out = val_of_reg(e->type, lower_convert(l, r, lower_read_type(e->a->type), e->type));
	return err;
}

/* The bytes of an array as one number. */
static int memory_to_scalar(struct lower *l, struct expr *e, struct val *out)
{
	struct val v = { 0 };
	vreg r;
	int err = lower_expr(l, e->a, &v);

	if (err)
		return err;
	v = val_local(l, &v);
	if (v.type->kind == TY_STRING) { /* to bool: is there any text? */
		r = ir_load(l->f, v.reg, v.off, 1, false);
	} else {
		v.type = type_integer(v.type->size, false);
		r = lower_load(l, &v);
	}
	*out = val_of_reg(e->type, lower_convert(l, r, &type_uint64, e->type));
	return 0;
}

/* A number as an array of its bytes; a wider array is filled as a wider number would be. */
static int scalar_to_memory(struct lower *l, struct expr *e, struct val *out)
{
	const struct type *from = lower_read_type(e->a->type), *as = type_integer(e->type->size, false);
	vreg r;
	int err = lower_scalar(l, e->a, &r);

	if (err)
		return err;
	*out = lower_result(l, e->type, "cast");
	lower_store(l, out, lower_convert(l, r, from, as));
	return 0;
}

static int memory_to_memory(struct lower *l, struct expr *e, struct val *out)
{
	struct val v = { 0 };
	int err = lower_expr(l, e->a, &v);

	if (err)
		return err;
	if (v.type->kind != e->type->kind || v.type->kind == TY_ARRAY) {
		v = val_local(l, &v);
		if (v.type->size == e->type->size) {
			v.type = e->type;
			*out = v;
			return 0;
		}
		*out = lower_result(l, e->type, "cast");
		lower_zero(l, out->reg, out->off, e->type->size);
		lower_copy(l, out->reg, out->off, v.reg, v.off, MIN(v.type->size, e->type->size));
		return 0;
	}
	if (v.type->size == e->type->size) {
		*out = v;
		return 0;
	}
	*out = lower_result(l, e->type, "cast");
	return val_to_memory(l, &v, e->type, out->reg, out->off);
}

int lower_cast(struct lower *l, struct expr *e, struct val *out)
{
	bool from = reads_as_scalar(e->a->type), to = type_is_scalar(e->type);

	if (to)
		return from ? scalar_to_scalar(l, e, out) : memory_to_scalar(l, e, out);
	if (from)
		return scalar_to_memory(l, e, out);
	if (e->type->kind != e->a->type->kind && e->type->kind != TY_ARRAY && e->type->kind != TY_STRING)
		return lower_unexpected(l, e->span, arena_printf(l->arena, "a cast from %s to %s",
								  type_name(l->arena, e->a->type),
								  type_name(l->arena, e->type)));
	return memory_to_memory(l, e, out);
}
