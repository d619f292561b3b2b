/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower, calls of functions of imported objects: numbers are extended to what the function takes, whole values
 * are handed over by the address of their memory, so that the verifier knows how much there is.
 */
#include "base/util.h"
#include "code/lower_priv.h"

#define MOST_ARGS 5

/* `ctx`, as the verifier knows it and not as a number. */
static bool is_context(const struct expr *e)
{
	return e->kind == EX_CALL && e->is_bare && str_eq(e->name, "ctx");
}

static int address_argument(struct lower *l, struct expr *e, vreg *out)
{
	struct val v;
	int err;

	if (is_context(e)) {
		*out = ir_ctx(l->f);
		return 0;
	}
	if (e->kind == EX_UNARY && e->op == OP_ADDR && e->a->kind == EX_VAR) {
		v = lower_var_memory(l, e->a->var);
		*out = val_address(l, &v);
		return 0;
	}
	if (e->kind == EX_UNARY && e->op == OP_ADDR && e->a->kind == EX_MAP && !e->a->a) {
		*out = ir_map(l->f, lower_map_desc(l, e->a->map)->object_map);
		return 0;
	}
	if (type_is_scalar(e->type))
		return lower_scalar(l, e, out);
	v = val_slot(l, e->type, "argument");
	err = lower_to_memory(l, e, e->type, v.reg, v.off);
	*out = val_address(l, &v);
	return err;
}

static int argument(struct lower *l, struct expr *e, const struct type *param, vreg *out)
{
	int err;

	if (param->kind == TY_POINTER)
		return address_argument(l, e, out);
	err = lower_scalar(l, e, out);
	if (!err)
		*out = lower_convert(l, *out, lower_read_type(e->type), param);
	return err;
}

static void function_want(struct lower *l, const struct c_function *f)
{
	struct object_kfunc *k;

	vec_each(it, &l->object->kfuncs)
		if ((*it)->linked == f)
			return;
	k = arena_new_of(l->arena, struct object_kfunc);
	*k = (struct object_kfunc){ .name = f->name, .linked = f };
	vec_push(l->arena, &l->object->kfuncs, k);
}

int lower_c_call(struct lower *l, struct expr *e, struct val *out)
{
	const struct c_function *f = e->c_func;
	vreg args[MOST_ARGS], r;

	for (uint32_t i = 0; i < e->args.n; i++) {
		int err = argument(l, e->args.v[i], f->params.v[i], &args[i]);

		if (err)
			return err;
	}
	function_want(l, f);
	r = ir_kfunc(l->f, f->name, e->args.n, args);
	if (f->ret->kind != TY_NONE)
		*out = val_of_reg(f->ret, lower_convert(l, r, &type_uint64, f->ret));
	return 0;
}
