/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Type: questions about types, answered while compiling; and the bytes of integers. */
#include <errno.h>

#include "code/func/func_priv.h"

static int is_str_check(struct checker *c, struct expr *call)
{
	(void)c;
	if (!call_arg_unknown(call, 0))
		call_become_bool(call, call_arg(call, 0)->type->kind == TY_STRING);
	return 0;
}

static int is_ptr_check(struct checker *c, struct expr *call)
{
	(void)c;
	if (!call_arg_unknown(call, 0))
		call_become_bool(call, call_arg(call, 0)->type->kind == TY_POINTER);
	return 0;
}

static int is_array_check(struct checker *c, struct expr *call)
{
	(void)c;
	if (!call_arg_unknown(call, 0))
		call_become_bool(call, call_arg(call, 0)->type->kind == TY_ARRAY);
	return 0;
}

static int is_integer_check(struct checker *c, struct expr *call)
{
	(void)c;
	if (!call_arg_unknown(call, 0))
		call_become_bool(call, call_arg(call, 0)->type->kind == TY_INT);
	return 0;
}

static int is_unsigned_integer_check(struct checker *c, struct expr *call)
{
	(void)c;
	if (call_arg_unknown(call, 0))
		return 0;
	call_become_bool(call, call_arg(call, 0)->type->kind == TY_INT && !call_arg(call, 0)->type->is_signed);
	return 0;
}

static int is_literal_check(struct checker *c, struct expr *call)
{
	(void)c;
	if (!call_arg_unknown(call, 0))
		call_become_bool(call, expr_is_literal(call_arg(call, 0)));
	return 0;
}

/* With it the reference tests its imports of C; "stdlib/test" is always there. */
static int always_true_check(struct checker *c, struct expr *call)
{
	(void)c;
	expr_become_int(call, 1, false);
	return 0;
}

static int bswap_check(struct checker *c, struct expr *call)
{
	int r;

	if (call_arg_unknown(call, 0))
		return 0;
	r = check_arg_int(c, call, 0);
	if (r < 0)
		return r;
	call->type = type_integer(call_arg(call, 0)->type->size, false);
	return 0;
}

static int bswap_emit(struct lower *l, struct expr *call, struct val *out)
{
	uint8_t size = (uint8_t)call->type->size;
	vreg v;
	int r = lower_scalar(l, call_arg(call, 0), &v);

	if (r < 0)
		return r;
	/* One byte has no order, but a signed one must still lose its sign. */
	v = size == 1 ? ir_ext(l->f, v, 1, false) : ir_bswap(l->f, v, size);
	*out = val_of_reg(call->type, v);
	return 0;
}

/* ---- is_err ---- */

/* The kernel's own MAX_ERRNO. */
#define MOST_ERRNO 4095

static int is_err_check(struct checker *c, struct expr *call)
{
	return call_arg_unknown(call, 0) ? 0 : check_arg_address(c, call, 0);
}

static int is_err_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg pointer;
	int r = lower_scalar(l, call_arg(call, 0), &pointer);

	if (!r)
		*out = val_of_reg(call->type, ir_setcc_imm(l->f, CC_UGE, pointer, -MOST_ERRNO));
	return r;
}

#define IS_ENTRY(what, text) \
	{ "is_" #what, .signature = "bool is_" #what "(any value)", \
	  .summary = "whether the value is " text "; a constant", \
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .type = &type_bool, .check = is_##what##_check }

func_family funcs_type = {
	IS_ENTRY(str, "a string"),
	IS_ENTRY(ptr, "a pointer"),
	IS_ENTRY(array, "an array"),
	IS_ENTRY(integer, "an integer"),
	IS_ENTRY(unsigned_integer, "an unsigned integer"),
	IS_ENTRY(literal, "written down in the script (1, true, \"text\")"),
	{ "is_err", .signature = "bool is_err(pointer)",
	  .summary = "whether a pointer that a function of the kernel has returned is an error, -4095 to -1, in its place",
	  .min_args = 1, .max_args = 1, .type = &type_bool, .check = is_err_check, .emit = is_err_emit },
	{ "bswap", .signature = "uintN bswap(uintN n)", .summary = "the integer with its bytes in reverse order",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .check = bswap_check, .emit = bswap_emit },
	{ "__always_true", .signature = "int64 __always_true()", .summary = "1", .flags = FUNC_PURE | FUNC_HIDDEN,
	  .check = always_true_check },
	{ 0 },
};
