/* SPDX-License-Identifier: GPL-2.0-or-later */
/* String: text from memory. */
#include <errno.h>

#include "code/func/func_priv.h"

/* How str() cuts what it reads. */
struct str_cut {
	bool count; /* no length was asked for: a string that is cut at the limit is counted */
};

static const struct str_cut cut_silent = { false }, cut_counted = { true };

static bool is_char_array(const struct type *t)
{
	return t->kind == TY_ARRAY && t->elem->kind == TY_INT && t->elem->size == 1;
}

/* str($1) is the text of the parameter, also when that is a number; a missing one is empty. */
static void become_param(struct checker *c, struct expr *param)
{
	uint64_t n = param->num;
	const char *text = n >= 1 && n <= c->env->nparams ? c->env->params[n - 1] : "";

	expr_become_string(c->arena, param, text, (uint32_t)strlen(text));
}

/* The length asked for, in *most, when it is known now: bytes with the NUL, as the reference counts them. */
static int str_check_length(struct checker *c, struct expr *call, uint32_t *most)
{
	const struct expr *arg = call_arg(call, 1);
	int64_t n;
	int r;

	if (arg->type->kind == TY_NONE)
		return 0;
	if (!expr_is_literal(arg))
		return check_arg_int(c, call, 1);
	r = check_arg_literal_int(c, call, 1, &n);
	if (r < 0)
		return r;
	if (n < 0)
		return check_error(c, arg->span, "the length of a string cannot be negative");
	if (n <= *most) {
		*most = MAX((uint32_t)n, 1u);
		return 0;
	}
	diag_warn(c->diags, arg->span, "a string of %lld bytes is cut at max_strlen, which is %u", (long long)n,
		  *most - 1);
	diag_hint(c->diags, "config = { max_strlen=%lld } makes room for it", (long long)n);
	return 0;
}

/* The most bytes, with the NUL, that the first argument can have by its type. */
static uint32_t str_bound(const struct type *t, uint32_t most)
{
	if (t->kind == TY_STRING)
		return MIN(t->size, most);
	if (is_char_array(t))
		return MIN(t->count, most - 1) + 1;
	return most;
}

static int str_check_args(struct checker *c, struct expr *call)
{
	const struct expr *arg = call_arg(call, 0);
	uint32_t most = c->env->config.max_strlen + 1;
	int r = 0;

	if (call->args.n > 1)
		r = str_check_length(c, call, &most);
	if (r < 0)
		return r;
	if (arg->kind == EX_STR && (call->args.n == 1 || expr_is_literal(call_arg(call, 1)))) {
		expr_become_string(c->arena, call, arg->str,
				   call->args.n == 1 ? arg->str_len : MIN(arg->str_len, most - 1));
		return 0;
	}
	if (arg->type->kind != TY_STRING && !is_char_array(arg->type)) {
		r = check_arg_address(c, call, 0);
		if (r < 0)
			return r;
	}
	call->type = type_string(c->arena, str_bound(arg->type, most));
	call->data = call->args.n == 1 ? &cut_counted : &cut_silent;
	return 0;
}

static int str_check(struct checker *c, struct expr *call)
{
	if (call_arg(call, 0)->kind == EX_PARAM)
		become_param(c, call_arg(call, 0));
	for (uint32_t i = 0; i < call->args.n; i++) {
		int r = check_expr(c, call_arg(call, i));

		if (r < 0)
			return r;
	}
	return call_arg_unknown(call, 0) ? 0 : str_check_args(c, call);
}

static int read_str_helper(enum addr_space space)
{
	return space == SPACE_USER ? BPF_FUNC_probe_read_user_str : BPF_FUNC_probe_read_kernel_str;
}

/* Where the text lies. */
static int str_source(struct lower *l, struct expr *arg, vreg *addr, enum addr_space *space)
{
	struct val v;
	int r;

	if (type_is_scalar(arg->type)) {
		*space = lower_space(l, arg->type);
		return lower_scalar(l, arg, addr);
	}
	r = lower_expr(l, arg, &v);
	if (r < 0)
		return r;
	*addr = val_address(l, &v);
	*space = v.space == SPACE_USER ? SPACE_USER : SPACE_KERNEL;
	return 0;
}

/* No more bytes than there is room for: as the verifier can see. */
static vreg length_bounded(struct lower *l, vreg n, uint32_t room)
{
	uint32_t cut = ir_block_new(l->f, "cut"), fits = ir_block_new(l->f, "fits");
	vreg bytes = ir_vreg_new(l->f, "bytes");

	ir_mov_to(l->f, bytes, n);
	ir_br_imm(l->f, CC_UGT, bytes, room, cut, fits);
	ir_block_use(l->f, cut);
	ir_mov_to(l->f, bytes, ir_const(l->f, room));
	ir_jmp(l->f, fits);
	ir_block_use(l->f, fits);
	return bytes;
}

/* A length that is only known at run time: what lies beyond must be zeros first. */
static int str_read_dynamic(struct lower *l, struct expr *len, const struct val *out, vreg from,
			    enum addr_space space)
{
	uint32_t room = out->type->size;
	vreg args[3], n;
	int r = lower_scalar(l, len, &n);

	if (r < 0)
		return r;
	lower_zero(l, out->reg, out->off, room);
	args[0] = val_address(l, out);
	args[1] = length_bounded(l, n, room);
	args[2] = from;
	lower_count_fault(l, ir_call(l->f, read_str_helper(space), 3, args), read_str_helper(space));
	return 0;
}

/* The helper says how many bytes there are now, not how many there were: full means cut, or just full. */
static void count_cut(struct lower *l, vreg len, uint32_t room)
{
	uint32_t cut = ir_block_new(l->f, "cut"), whole = ir_block_new(l->f, "whole");

	ir_br_imm(l->f, CC_EQ, len, room, cut, whole);
	ir_block_use(l->f, cut);
	lower_count(l, COUNTER_TRUNCATED);
	ir_jmp(l->f, whole);
	ir_block_use(l->f, whole);
}

static int str_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct expr *arg = call_arg(call, 0);
	const struct str_cut *cut = call->data;
	enum addr_space space;
	vreg from, len;
	int r;

	if (arg->type->kind == TY_STRING && arg->type->size == call->type->size && call->args.n == 1)
		return lower_expr(l, arg, out);
	r = str_source(l, arg, &from, &space);
	if (r < 0)
		return r;
	*out = lower_result(l, call->type, "str");
	if (call->args.n > 1 && !expr_is_literal(call_arg(call, 1)))
		return str_read_dynamic(l, call_arg(call, 1), out, from, space);
	len = lower_probe_read_str(l, out->reg, out->off, call->type->size, from, space);
	/* Arrays and strings end where their type says. */
	if (cut->count && type_is_scalar(arg->type))
		count_cut(l, len, call->type->size);
	return 0;
}

static int strlen_check(struct checker *c, struct expr *call)
{
	const struct expr *arg = call_arg(call, 0);

	if (call_arg_unknown(call, 0))
		return 0;
	call->type = &type_uint64;
	if (arg->kind == EX_STR) {
		expr_become_int(call, (int64_t)strnlen(arg->str, arg->str_len), false);
		return 0;
	}
	if (arg->type->kind == TY_STRING || is_char_array(arg->type))
		return 0;
	if (arg->kind == EX_INT)
		return check_error(c, arg->span, "strlen() takes a string or a pointer to one, and this is a number");
	return check_arg_address(c, call, 0);
}

/* The helpers that copy a string say how long it was, with its NUL; the copy is of no use. */
static int strlen_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct expr *arg = call_arg(call, 0);
	uint32_t bytes = str_bound(arg->type, l->config->max_strlen + 1);
	uint32_t some = ir_block_new(l->f, "some"), done = ir_block_new(l->f, "length");
	vreg len = ir_vreg_new(l->f, "length"), got, args[3];
	enum addr_space space;
	int r = str_source(l, arg, &args[2], &space);

	if (r < 0)
		return r;
	args[0] = ir_slot_addr(l->f, ir_slot_new(l->f, bytes, 8, "strlen"));
	args[1] = ir_const(l->f, bytes);
	got = ir_call(l->f, read_str_helper(space), 3, args);
	lower_count_fault(l, got, read_str_helper(space));
	ir_mov_to(l->f, len, ir_const(l->f, 0));
	ir_br_imm(l->f, CC_SGT, got, 0, some, done);
	ir_block_use(l->f, some);
	ir_mov_to(l->f, len, ir_bin_imm(l->f, IR_SUB, got, 1));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	*out = val_of_reg(call->type, len);
	return 0;
}

func_family funcs_string = {
	{ "str", .signature = "string str(char *address[, int length])",
	  .summary = "the text at an address, up to its NUL, at most length bytes with a NUL; str($1): a parameter as text",
	  .min_args = 1, .max_args = 2, .flags = FUNC_LAZY_ARGS, .check = str_check, .emit = str_emit },
	{ "strlen", .signature = "uint64 strlen(string text)",
	  .summary = "length of a text in bytes, without its NUL",
	  .min_args = 1, .max_args = 1, .check = strlen_check, .emit = strlen_emit },
	{ 0 },
};
