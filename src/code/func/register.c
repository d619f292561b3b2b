/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Register: what the processor held where the probe fired; only of kinds whose context is those registers. */
#include <errno.h>

#include "code/func/func_priv.h"

struct reg {
	const char *name;
	uint32_t offset; /* in struct pt_regs, or user_pt_regs, of the architecture */
};

static const struct reg regs[] = {
#if defined(__x86_64__)
	{ "r15", 0 }, { "r14", 8 }, { "r13", 16 }, { "r12", 24 }, { "bp", 32 }, { "bx", 40 }, { "r11", 48 },
	{ "r10", 56 }, { "r9", 64 }, { "r8", 72 }, { "ax", 80 }, { "cx", 88 }, { "dx", 96 }, { "si", 104 },
	{ "di", 112 }, { "orig_ax", 120 }, { "ip", 128 }, { "cs", 136 }, { "flags", 144 }, { "sp", 152 },
	{ "ss", 160 },
#elif defined(__aarch64__)
	{ "r0", 0 }, { "r1", 8 }, { "r2", 16 }, { "r3", 24 }, { "r4", 32 }, { "r5", 40 }, { "r6", 48 },
	{ "r7", 56 }, { "r8", 64 }, { "r9", 72 }, { "r10", 80 }, { "r11", 88 }, { "r12", 96 }, { "r13", 104 },
	{ "r14", 112 }, { "r15", 120 }, { "r16", 128 }, { "r17", 136 }, { "r18", 144 }, { "r19", 152 },
	{ "r20", 160 }, { "r21", 168 }, { "r22", 176 }, { "r23", 184 }, { "r24", 192 }, { "r25", 200 },
	{ "r26", 208 }, { "r27", 216 }, { "r28", 224 }, { "r29", 232 }, { "r30", 240 }, { "sp", 248 },
	{ "pc", 256 }, { "pstate", 264 },
#endif
	{ NULL, 0 },
};

static const struct reg *reg_find(const char *name)
{
	for (const struct reg *r = regs; r->name; r++)
		if (str_eq(r->name, name))
			return r;
	return NULL;
}

static bool kind_has_regs(const struct probe_kind *kind)
{
	return str_eq(kind->prog_type, "kprobe") || str_eq(kind->prog_type, "perf_event");
}

static int reg_check(struct checker *c, struct expr *call)
{
	const char *names[ARRAY_SIZE(regs)], *name;
	size_t n = 0;
	int r = check_arg_literal_string(c, call, 0, &name);

	if (r < 0)
		return r;
	if (!kind_has_regs(c->unit->kind))
		return check_error(c, call->span, "%s probes have no registers to look at", c->unit->kind->name);
	call->data = reg_find(name);
	if (call->data)
		return 0;
	for (; n < ARRAY_SIZE(regs) - 1; n++)
		names[n] = regs[n].name;
	check_error(c, call_arg(call, 0)->span, "this machine has no register '%s'", name);
	diag_hint_nearest(c->diags, name, names, n);
	return -EINVAL;
}

static vreg reg_load(struct lower *l, const struct reg *reg)
{
	return ir_load(l->f, ir_ctx(l->f), (int32_t)reg->offset, 8, false);
}

static int reg_emit(struct lower *l, struct expr *call, struct val *out)
{
	*out = val_of_reg(call->type, reg_load(l, call->data));
	return 0;
}

/* The two lowest bits of the code segment are the privilege level. */
static int usermode_check(struct checker *c, struct expr *call)
{
	const struct reg *cs = reg_find("cs");

	if (!cs)
		return check_error(c, call->span, "usermode is only known on x86-64");
	/* What the session runs, it runs from user mode; other probes without registers fire within the kernel. */
	if (!kind_has_regs(c->unit->kind))
		expr_become_int(call, c->unit->kind->run != RUN_ATTACHED, false);
	else
		call->data = cs;
	return 0;
}

static int usermode_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg level = ir_bin_imm(l->f, IR_AND, reg_load(l, call->data), 3);

	*out = val_of_reg(call->type, ir_setcc_imm(l->f, CC_EQ, level, 3));
	return 0;
}

/* ---- retval ---- */

#if defined(__aarch64__)
#define RETURN_REGISTER "r0"
#else
#define RETURN_REGISTER "ax"
#endif

/* Kinds whose context is not the registers have it among their args. */
static int retval_check(struct checker *c, struct expr *call)
{
	struct expr *args;

	if (kind_has_regs(c->unit->kind)) {
		call->type = &type_uint64;
		call->data = reg_find(RETURN_REGISTER);
		return call->data ? 0 : check_error(c, call->span, "retval is not known on this machine");
	}
	if (!c->unit->args || !type_field(c->unit->args, "retval"))
		return check_error(c, call->span, "%s returns nothing", c->unit->points.v[0]->name);
	args = arena_new_of(c->arena, struct expr);
	*args = (struct expr){ .kind = EX_IDENT, .name = "args", .span = call->span, .name_span = call->span };
	*call = (struct expr){ .kind = EX_FIELD, .name = "retval", .a = args, .span = call->span,
			       .name_span = call->span };
	return check_expr(c, call);
}

func_family funcs_register = {
	{ "reg", .signature = "uint64 reg(string name)", .summary = "what a register of the processor held",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .type = &type_uint64, .check = reg_check, .emit = reg_emit },
	{ "retval", .signature = "uint64 retval", .summary = "what the traced function returned",
	  .flags = FUNC_BARE | FUNC_PURE, .check = retval_check, .emit = reg_emit },
	{ "usermode", .signature = "uint8 usermode", .summary = "1 when the process was not within the kernel",
	  .flags = FUNC_BARE | FUNC_PURE, .type = &type_uint8, .check = usermode_check, .emit = usermode_emit },
	{ 0 },
};
