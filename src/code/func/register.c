/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Register: what the processor held where the probe fired; only of kinds whose context is those registers. */
#include <errno.h>

#include "code/func/func_priv.h"
#include "kernel/registers.h"

bool kind_has_registers(const struct probe_kind *kind)
{
	return str_eq(kind->prog_type, "kprobe") || str_eq(kind->prog_type, "perf_event");
}

static int reg_check(struct checker *c, struct expr *call)
{
	VEC(const char *) names = { 0 };
	const char *name;
	int r = check_arg_literal_string(c, call, 0, &name);

	if (r < 0)
		return r;
	if (!kind_has_registers(c->unit->kind))
		return check_error(c, call->span, "%s probes have no registers to look at", c->unit->kind->name);
	call->data = cpu_register_find(name);
	if (call->data)
		return 0;
	for (const struct cpu_register *reg = cpu_registers; reg->name; reg++)
		vec_push(c->arena, &names, reg->name);
	check_error(c, call_arg(call, 0)->span, "this machine has no register '%s'", name);
	diag_hint_nearest(c->diags, name, names.v, names.n);
	return -EINVAL;
}

vreg emit_register(struct lower *l, const struct cpu_register *reg)
{
	return ir_load(l->f, ir_ctx(l->f), (int32_t)reg->offset, 8, false);
}

static int reg_emit(struct lower *l, struct expr *call, struct val *out)
{
	*out = val_of_reg(call->type, emit_register(l, call->data));
	return 0;
}

/* The two lowest bits of the code segment are the privilege level. */
static int usermode_check(struct checker *c, struct expr *call)
{
	const struct cpu_register *cs = cpu_register_find("cs");

	if (!cs)
		return check_error(c, call->span, "usermode is only known on x86-64");
	/* What the session runs, it runs from user mode; other probes without registers fire within the kernel. */
	if (!kind_has_registers(c->unit->kind))
		expr_become_int(call, c->unit->kind->run != RUN_ATTACHED, false);
	else
		call->data = cs;
	return 0;
}

static int usermode_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg level = ir_bin_imm(l->f, IR_AND, emit_register(l, call->data), 3);

	*out = val_of_reg(call->type, ir_setcc_imm(l->f, CC_EQ, level, 3));
	return 0;
}

/* ---- retval ---- */

/* Where its type is known it is among the args, as it is where the context is not the registers. Of functions whose
 * arguments have no types the kernel says where it is. */
static int retval_check(struct checker *c, struct expr *call)
{
	bool typed = c->unit->args && type_field(c->unit->args, "retval");
	struct expr *args;

	if (!typed && kind_has_registers(c->unit->kind)) {
		call->type = &type_uint64;
		call->data = cpu_register_find(cpu_calls.retval);
		return call->data ? 0 : check_error(c, call->span, "retval is not known on this machine");
	}
	if (!c->unit->args && c->unit->points.v[0]->uses_btf_ctx) {
		call->type = &type_int64;
		return 0;
	}
	if (!typed)
		return check_error(c, call->span, "%s returns nothing", c->unit->points.v[0]->name);
	args = arena_new_of(c->arena, struct expr);
	*args = (struct expr){ .kind = EX_IDENT, .name = "args", .span = call->span, .name_span = call->span };
	*call = (struct expr){ .kind = EX_FIELD, .name = "retval", .a = args, .span = call->span,
			       .name_span = call->span };
	return check_expr(c, call);
}

static int retval_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct val word;
	vreg args[2];

	if (call->data)
		return reg_emit(l, call, out);
	word = val_slot(l, call->type, "retval");
	ir_store_imm(l->f, word.reg, word.off, 8, 0);
	args[0] = ir_ctx(l->f);
	args[1] = val_address(l, &word);
	ir_call(l->f, BPF_FUNC_get_func_ret, 2, args);
	*out = val_of_reg(call->type, val_scalar(l, &word));
	return 0;
}

func_family funcs_register = {
	{ "reg", .signature = "uint64 reg(string name)", .summary = "what a register of the processor held",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .type = &type_uint64, .check = reg_check, .emit = reg_emit },
	{ "retval", .signature = "uint64 retval", .summary = "what the traced function returned",
	  .flags = FUNC_BARE | FUNC_PURE, .check = retval_check, .emit = retval_emit },
	{ "usermode", .signature = "uint8 usermode", .summary = "1 when the process was not within the kernel",
	  .flags = FUNC_BARE | FUNC_PURE, .type = &type_uint8, .check = usermode_check, .emit = usermode_emit },
	{ 0 },
};
