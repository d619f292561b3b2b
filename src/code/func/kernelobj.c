/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernelobj: helpers that take objects of the kernel, which only probes that name their arguments' types have. */
#include <errno.h>

#include "code/func/func_priv.h"

/* The verifier must know what the pointer points to: fentry, fexit and their like. */
static int typed_context_check(struct checker *c, const struct expr *call)
{
	if (c->unit->points.n && c->unit->points.v[0]->uses_btf_ctx)
		return 0;
	check_error(c, call->span, "%s() is not for %s probes", call->name, c->unit->kind->name);
	diag_hint(c->diags, "it needs arguments whose types the kernel knows: fentry and fexit have them");
	return -EINVAL;
}

/* ---- path ---- */

static int path_check(struct checker *c, struct expr *call)
{
	const struct expr *arg = call_arg(call, 0);
	int64_t size = c->env->config.max_strlen;
	const struct type *t;
	int r = typed_context_check(c, call);

	if (r < 0 || call_arg_unknown(call, 0))
		return r;
	t = arg->type->kind == TY_POINTER ? arg->type->elem : arg->type;
	if (t->kind != TY_STRUCT || !str_eq(t->name, "path"))
		return check_error(c, arg->span, "path() takes a struct path or a pointer to one, and this is %s",
				   type_name(c->arena, arg->type));
	if (call->args.n > 1)
		r = check_arg_literal_int(c, call, 1, &size);
	if (!r && (size < 1 || size > c->env->config.max_strlen))
		r = check_error(c, call_arg(call, 1)->span, "a path has 1 to %u bytes, not %lld",
				c->env->config.max_strlen, (long long)size);
	if (!r)
		call->type = type_string(c->arena, (uint32_t)size);
	return r;
}

static int path_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct expr *arg = call_arg(call, 0);
	struct val v = { 0 };
	vreg args[3];
	int r;

	if (arg->type->kind == TY_POINTER)
		r = lower_scalar(l, arg, &args[0]);
	else
		r = lower_expr(l, arg, &v);
	if (r < 0)
		return r;
	if (arg->type->kind != TY_POINTER)
		args[0] = val_address(l, &v);
	*out = val_slot(l, call->type, "path");
	lower_zero(l, out->reg, out->off, call->type->size);
	args[1] = val_address(l, out);
	args[2] = ir_const(l->f, call->type->size);
	lower_count_failure(l, ir_call(l->f, BPF_FUNC_d_path, 3, args), COUNTER_FAULTS);
	return 0;
}

/* ---- socket_cookie ---- */

static int socket_cookie_check(struct checker *c, struct expr *call)
{
	int r = typed_context_check(c, call);

	return r < 0 ? r : check_arg_address(c, call, 0);
}

static int socket_cookie_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg sk;
	int r = lower_scalar(l, call_arg(call, 0), &sk);

	if (!r)
		*out = val_of_reg(call->type, ir_call(l->f, BPF_FUNC_get_socket_cookie, 1, &sk));
	return r;
}

func_family funcs_kernelobj = {
	{ "path", .signature = "string path(struct path *path[, int size])",
	  .summary = "the whole name of a file, of at most size bytes; in functions in which the kernel allows it",
	  .min_args = 1, .max_args = 2, .check = path_check, .emit = path_emit },
	{ "socket_cookie", .signature = "uint64 socket_cookie(struct sock *sk)",
	  .summary = "a number of the socket that stays as long as it lives",
	  .min_args = 1, .max_args = 1, .type = &type_uint64, .check = socket_cookie_check, .emit = socket_cookie_emit },
	{ 0 },
};
