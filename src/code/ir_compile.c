/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compiling a function: the list of its passes. */
#include <errno.h>

#include "base/util.h"
#include "code/ir_pass.h"
#include "lang/diag.h"

static int no_stack(const struct ir_func *f, struct diags *d, uint32_t bytes)
{
	diag_error(d, f->span, "program %s needs %u bytes of stack, and there are %u", f->name, bytes,
		   func_stack_most(f));
	diag_hint(d, "use fewer variables at once");
	return -E2BIG;
}

int ir_emit(struct ir_func *f, struct diags *d, struct code *out)
{
	int r = emit_func(f, d, out);

	return r == -ENOSPC ? no_stack(f, d, out->stack_bytes) : r;
}

/*
 * How much stack spilled registers need is known only after slots were placed and registers allocated. If
 * both together are too much, slots get less and the rest goes to scratch.
 */
static int place_and_emit(struct ir_func *f, uint32_t on_stack_limit, struct diags *d, struct code *out)
{
	uint32_t stack = func_stack_most(f);

	for (;;) {
		int r = slots_place(f, on_stack_limit, stack, d);

		if (r)
			return r;
		r = emit_func(f, d, out);
		if (r != -ENOSPC)
			return r;
		if (!stack)
			return no_stack(f, d, out->stack_bytes);
		stack -= MIN(stack, align_up(out->stack_bytes - func_stack_most(f), 8));
	}
}

int ir_compile(struct ir_func *f, uint32_t on_stack_limit, struct diags *d, struct code *out)
{
	ir_fold(f);
	ir_dce(f); /* fewer and longer blocks, for the next pass to see more */
	ir_cse(f);
	ir_fold(f);
	ir_dce(f);
	return place_and_emit(f, on_stack_limit, d, out);
}
