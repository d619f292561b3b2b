/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower, typed addresses: some helpers take an address only when the verifier has followed it from the context
 * to what it points to. Elsewhere addresses are numbers, because it forbids nearly everything with what it has
 * followed; here a chain of members is loaded as it stands, and each pointer checked before it is followed.
 */
#include <errno.h>

#include "base/util.h"
#include "code/lower_priv.h"

struct place {
	vreg reg;
	int32_t off;
};

static int typed_pointer(struct lower *l, struct expr *e, uint32_t none, vreg *out);

static int not_typed(struct lower *l, const struct expr *e)
{
	diag_error(l->diags, e->span, "the kernel cannot tell what this points to: it must follow it from the probe's "
		   "own arguments");
	diag_hint(l->diags, "write the members in one chain: args.file.f_path, without variables and casts to other types");
	return -EINVAL;
}

/* What lies in memory that a typed pointer leads to. */
static int typed_place(struct lower *l, struct expr *e, uint32_t none, struct place *out)
{
	int err;

	if (e->kind == EX_UNARY && e->op == OP_DEREF) {
		out->off = 0;
		return typed_pointer(l, e->a, none, &out->reg);
	}
	if (e->kind != EX_FIELD || !e->field || e->field->access != ACCESS_MEMBER || e->field->bit_size)
		return not_typed(l, e);
	if (e->a->type->kind == TY_POINTER) {
		out->off = 0;
		err = typed_pointer(l, e->a, none, &out->reg);
	} else {
		err = typed_place(l, e->a, none, out);
	}
	out->off += (int32_t)e->field->offset;
	return err;
}

/* The word of the context that is argN, with a cast to what it is anyway. NULL: it is none. */
static const struct field *word_of(struct lower *l, const struct expr *e)
{
	const struct type *cast = e->type, *args = l->unit->args;

	while (e->kind == EX_CAST && e->a->type->kind != TY_NONE)
		e = e->a;
	for (uint32_t i = 0; args && e->kind == EX_CALL && i < args->nfields; i++) {
		const struct field *f = &args->fields[i];

		if (f->access != ACCESS_CTX_WORD || f->type->kind != TY_POINTER || f->type->elem->kind != TY_STRUCT ||
		    !str_eq(e->name, arena_printf(l->arena, "arg%u", f->ctx_offset / 8)))
			continue;
		return cast->kind == TY_POINTER && str_eq(cast->elem->name, f->type->elem->name) ? f : NULL;
	}
	return NULL;
}

static int typed_pointer(struct lower *l, struct expr *e, uint32_t none, vreg *out)
{
	const struct field *word = e->kind == EX_CAST ? word_of(l, e) : NULL;
	uint32_t known = ir_block_new(l->f, "known"), there = ir_block_new(l->f, "there");
	struct place from = { 0 };
	int err = 0;

	if (e->kind == EX_UNARY && e->op == OP_ADDR)
		return lower_typed_address(l, e->a, none, out);
	if (word)
		from = (struct place){ ir_ctx(l->f), (int32_t)word->ctx_offset };
	else if (e->kind == EX_FIELD && e->field && e->field->access == ACCESS_CTX_WORD && l->point->uses_btf_ctx)
		from = (struct place){ ir_ctx(l->f), (int32_t)e->field->ctx_offset };
	else
		err = typed_place(l, e, none, &from);
	if (err)
		return err;
	*out = ir_load(l->f, from.reg, from.off, 8, false);
	/* The verifier drops a test of what it takes for certain, and is wrong at times: the number is tested too. */
	ir_br_imm(l->f, CC_NE, lower_address_number(l, *out), 0, known, none);
	ir_block_use(l->f, known);
	ir_br_imm(l->f, CC_NE, *out, 0, there, none);
	ir_block_use(l->f, there);
	return 0;
}

vreg lower_kfunc(struct lower *l, const struct object_kfunc *k, uint32_t nargs, const vreg *args)
{
	bool known = false;

	vec_each(it, &l->object->kfuncs)
		known |= *it == k;
	if (!known)
		vec_push(l->arena, &l->object->kfuncs, k);
	return ir_kfunc(l->f, k->name, nargs, args);
}

vreg lower_object_address(struct lower *l, vreg object)
{
	return lower_address_number(l, object);
}

int lower_typed_address(struct lower *l, struct expr *e, uint32_t none, vreg *out)
{
	struct place p = { 0 };
	int err;

	if (e->type->kind == TY_POINTER)
		return typed_pointer(l, e, none, out);
	err = typed_place(l, e, none, &p);
	if (!err)
		*out = p.off ? ir_bin_imm(l->f, IR_ADD, p.reg, p.off) : p.reg;
	return err;
}
