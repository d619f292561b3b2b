/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address: where kernel symbols lie, and in which address space a pointer points. */
#include <errno.h>

#include "code/func/func_priv.h"
#include "kernel/kernel.h"

static int kaddr_check(struct checker *c, struct expr *call)
{
	const char *name;
	uint64_t addr;
	int r = check_arg_literal_string(c, call, 0, &name);

	if (r < 0)
		return r;
	addr = kernel_symbol_address(c->env->probe->kernel, name);
	if (!addr) {
		check_error(c, call_arg(call, 0)->span,
			    "the kernel has no symbol '%s', or hides its address", name);
		diag_hint(c->diags, "symbols are listed in /proc/kallsyms; kernel.kptr_restrict hides addresses");
		return -EINVAL;
	}
	expr_become_int(call, (int64_t)addr, false);
	return 0;
}

/* The argument's type with its pointers marked. Integers become pointers to void. */
static int space_check(struct checker *c, struct expr *call, enum addr_space space)
{
	const struct type *t;
	int r;

	if (call_arg_unknown(call, 0))
		return 0;
	r = check_arg_address(c, call, 0);
	if (r < 0)
		return r;
	t = call_arg(call, 0)->type;
	call->type = type_pointer(c->arena, t->kind == TY_POINTER ? t->elem : &type_none, space);
	return 0;
}

static int kptr_check(struct checker *c, struct expr *call)
{
	return space_check(c, call, SPACE_KERNEL);
}

static int uptr_check(struct checker *c, struct expr *call)
{
	return space_check(c, call, SPACE_USER);
}

static int space_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg addr;
	int r = lower_scalar(l, call_arg(call, 0), &addr);

	if (r < 0)
		return r;
	*out = val_of_reg(call->type, addr);
	return 0;
}

func_family funcs_address = {
	{ "kaddr", .signature = "uint64 kaddr(string name)", .summary = "address of a kernel symbol; a constant",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .type = &type_uint64, .check = kaddr_check },
	{ "kptr", .signature = "T *kptr(T *pointer)", .summary = "the pointer, marked as one into kernel memory",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .check = kptr_check, .emit = space_emit },
	{ "uptr", .signature = "T *uptr(T *pointer)", .summary = "the pointer, marked as one into user memory",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .check = uptr_check, .emit = space_emit },
	{ 0 },
};
