/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probe: the attach point that fired, and the words the kernel hands it. (`args` is the checker's.) */
#include <errno.h>

#include "code/func/func_priv.h"

/* ---- texts of the attach point ---- */

typedef const char *point_text(const struct attach_point *ap);

static const char *probe_text(const struct attach_point *ap)
{
	return ap->name;
}

static const char *func_text(const struct attach_point *ap)
{
	return ap->func;
}

/* A constant where there is one attach point; else one of a table, by the number of the one that fired. */
static void text_check(struct checker *c, struct expr *call, point_text *text)
{
	const struct unit *u = c->unit;
	size_t most = 0;

	if (u->points.n == 1) {
		const char *only = text(u->points.v[0]);

		expr_become_string(c->arena, call, only, (uint32_t)strlen(only));
		return;
	}
	vec_each(ap, &u->points)
		most = MAX(most, strlen(text(*ap)));
	call->type = type_string(c->arena, (uint32_t)most + 1);
}

static bool by_guard(const struct unit *u)
{
	return u->points.v[0]->guard.kind != GUARD_NONE;
}

static uint64_t row_of(const struct unit *u, const struct attach_point *ap)
{
	return by_guard(u) ? ap->guard_value : ap->cookie;
}

/* All rows of the table, a power of two, so that a mask keeps the number within. */
static struct val text_table(struct lower *l, uint32_t stride, uint32_t *mask, point_text *text)
{
	uint64_t last = 0, rows = 1;
	char *table;

	vec_each(ap, &l->unit->points)
		last = MAX(last, row_of(l->unit, *ap));
	while (rows <= last)
		rows *= 2;
	table = arena_alloc(l->arena, rows * stride);
	vec_each(ap, &l->unit->points) {
		const char *s = text(*ap);

		memcpy(table + row_of(l->unit, *ap) * stride, s, strlen(s) + 1);
	}
	*mask = (uint32_t)rows - 1;
	return lower_rodata(l, &type_uint8, table, (uint32_t)(rows * stride));
}

static vreg point_number(struct lower *l)
{
	vreg ctx;

	if (by_guard(l->unit))
		return lower_guard_number(l, &l->unit->points.v[0]->guard);
	ctx = ir_ctx(l->f);
	return ir_call_pure(l->f, BPF_FUNC_get_attach_cookie, 1, &ctx);
}

static int text_emit(struct lower *l, const struct expr *call, struct val *out, point_text *text)
{
	uint32_t stride = align_up(call->type->size, 8), mask;
	struct val table = text_table(l, stride, &mask, text);
	vreg row = ir_bin_imm(l->f, IR_AND, point_number(l), mask);

	row = ir_bin_imm(l->f, IR_MUL, row, stride);
	*out = val_of_mem(call->type, ir_bin(l->f, IR_ADD, table.reg, row), table.off, SPACE_NONE);
	return 0;
}

static int probe_check(struct checker *c, struct expr *call)
{
	text_check(c, call, probe_text);
	return 0;
}

static int probe_emit(struct lower *l, struct expr *call, struct val *out)
{
	return text_emit(l, call, out, probe_text);
}

static int func_check(struct checker *c, struct expr *call)
{
	vec_each(ap, &c->unit->points)
		if (!(*ap)->func)
			return check_error(c, call->span, "%s traces no function that has a name", (*ap)->name);
	text_check(c, call, func_text);
	return 0;
}

static int func_emit(struct lower *l, struct expr *call, struct val *out)
{
	return text_emit(l, call, out, func_text);
}

/* ---- others ---- */

/* begin and end are no kinds of their own for the reference. */
static int probetype_check(struct checker *c, struct expr *call)
{
	const struct probe_kind *kind = c->unit->kind;
	const char *name = kind->run == RUN_BEGIN || kind->run == RUN_END ? "special" : kind->name;

	expr_become_string(c->arena, call, name, (uint32_t)strlen(name));
	return 0;
}

static uint32_t arg_number(const struct expr *call)
{
	return (uint32_t)strtoul(call->name + strlen("arg"), NULL, 10);
}

/* Where each attach point has them elsewhere: the member that says where. */
static int typed_arg_check(struct checker *c, struct expr *call)
{
	const struct type *args = c->unit->args;
	const struct attach_point *ap = c->unit->points.n ? c->unit->points.v[0] : NULL;
	uint32_t i = arg_number(call), nbad = 0;
	const struct field *f;

	if (!args || !ap)
		return check_error(c, call->span, "%s has a meaning only inside a probe", call->name);
	if (i >= args->nfields)
		return check_error(c, call->span, "%s has %s%u argument%s: there is no %s", ap->name,
				   args->nfields ? "only " : "", args->nfields, args->nfields == 1 ? "" : "s", call->name);
	f = &args->fields[i];
	for (uint32_t p = 0; p < f->nplaces; p++)
		nbad += f->places[p].problem != NULL;
	for (uint32_t p = 0; p < f->nplaces; p++) {
		if (!f->places[p].problem)
			continue;
		if (nbad == f->nplaces)
			return check_error(c, call->span, "%s of %s cannot be read: %s", call->name, ap->name,
					   f->places[p].problem);
		diag_warn(c->diags, call->span, "%s of %s cannot be read at %u of its %u places, and is 0 there: %s",
			  call->name, ap->name, nbad, f->nplaces, f->places[p].problem);
		break;
	}
	call->data = f;
	call->type = f->type;
	return 0;
}

static int arg_check(struct checker *c, struct expr *call)
{
	const struct probe_kind *kind = c->unit->kind;

	if (kind->has_typed_argn)
		return typed_arg_check(c, call);
	call->type = &type_uint64;
	if (arg_number(call) > 9 && kind->has_argn)
		return check_error(c, call->span, "%s is known in usdt probes only: others have arg0 to arg9", call->name);
	if (kind->has_argn && kind_has_registers(kind) && !cpu_registers[0].name)
		return check_error(c, call->span, "%s is not known on this machine: how functions are called differs",
				   call->name);
	if (kind->has_argn)
		return 0;
	check_error(c, call->span, "%s has no %s: its words are not numbered", kind->name, call->name);
	if (kind->has_args)
		diag_hint(c->diags, "it has args: sonde -lv '%s' lists its members", c->unit->points.v[0]->name);
	return -EINVAL;
}

/* A word of the stack as it was when the function was called. */
static vreg stack_word(struct lower *l, uint32_t i)
{
	vreg sp = emit_register(l, cpu_register_find(cpu_calls.stack));
	struct val v = val_of_mem(&type_uint64, sp, (int32_t)(cpu_calls.stack_args + i * 8),
				  lower_space(l, &type_uint64));

	return val_scalar(l, &v);
}

/* The context is the registers, or an array of 64-bit words (raw tracepoints). */
static int arg_emit(struct lower *l, struct expr *call, struct val *out)
{
	uint32_t i = arg_number(call), on_stack;
	const struct cpu_register *reg;

	if (call->data) {
		*out = lower_field_place(l, call->data);
		return 0;
	}
	if (!kind_has_registers(l->unit->kind)) {
		vreg word = ir_load(l->f, ir_ctx(l->f), (int32_t)i * 8, 8, false);

		/* What the verifier knows to be a pointer is a number to us. */
		if (l->point && l->point->uses_btf_ctx)
			word = lower_object_address(l, word);
		*out = val_of_reg(call->type, word);
		return 0;
	}
	reg = cpu_register_arg(i, &on_stack);
	*out = val_of_reg(call->type, reg ? emit_register(l, reg) : stack_word(l, on_stack));
	return 0;
}

/* ---- ctx ---- */

static int ctx_check(struct checker *c, struct expr *call)
{
	call->type = type_pointer(c->arena, &type_none, SPACE_KERNEL);
	return 0;
}

/* As an address: what is behind it is read with a helper, for the verifier has its own mind about a context. */
static int ctx_emit(struct lower *l, struct expr *call, struct val *out)
{
	*out = val_of_reg(call->type, ir_ctx(l->f));
	return 0;
}

#define ARG_ENTRY(n) \
	{ "arg" #n, .signature = "uint64 arg" #n, \
	  .summary = "argument " #n " (from 0) of what is traced, as a word", \
	  .flags = FUNC_BARE | FUNC_PURE, .check = arg_check, .emit = arg_emit }

func_family funcs_probe = {
	{ "probe", .signature = "string probe", .summary = "full name of the attach point that fired",
	  .flags = FUNC_BARE | FUNC_PURE, .check = probe_check, .emit = probe_emit },
	{ "probetype", .signature = "string probetype",
	  .summary = "kind of the probe; begin and end are special; a constant",
	  .flags = FUNC_BARE | FUNC_PURE, .check = probetype_check },
	{ "func", .signature = "string func", .summary = "name of the function that is traced",
	  .flags = FUNC_BARE | FUNC_PURE, .check = func_check, .emit = func_emit },
	{ "ctx", .signature = "void *ctx", .summary = "address of what the kernel hands to the probe",
	  .flags = FUNC_BARE, .check = ctx_check, .emit = ctx_emit },
	ARG_ENTRY(0), ARG_ENTRY(1), ARG_ENTRY(2), ARG_ENTRY(3), ARG_ENTRY(4),
	ARG_ENTRY(5), ARG_ENTRY(6), ARG_ENTRY(7), ARG_ENTRY(8), ARG_ENTRY(9),
	ARG_ENTRY(10), ARG_ENTRY(11),
	{ 0 },
};
