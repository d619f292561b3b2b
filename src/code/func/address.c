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
		check_error(c, call->span, "Failed to resolve kernel symbol: %s", name);
		diag_hint(c->diags, "the kernel has none of this name, or hides its address: symbols are listed in "
			  "/proc/kallsyms; kernel.kptr_restrict hides addresses");
		return -EINVAL;
	}
	expr_become_int(call, (int64_t)addr, false);
	return 0;
}

/* ---- uaddr ---- */

static const struct type *sized_type(uint64_t size)
{
	switch (size) {
	case 1: return &type_uint8;
	case 2: return &type_uint16;
	case 4: return &type_uint32;
	default: return &type_uint64;
	}
}

static int uaddr_missing(struct checker *c, struct expr *call, const char *name)
{
	const struct attach_point *ap = c->unit->points.v[0];

	check_error(c, call_arg(call, 0)->span, "%s has no symbol '%s'", ap->target, name);
	diag_hint(c->diags, "only symbols of the traced file itself are known; nm and nm -D list them");
	return -EINVAL;
}

static int uaddr_check(struct checker *c, struct expr *call)
{
	const struct attach_point *ap = c->unit->points.v[0];
	const struct probe_symbol *known = call->data;
	struct probe_symbol *s;
	const char *name;
	int r = check_arg_literal_string(c, call, 0, &name);

	if (r < 0)
		return r;
	if (known) {
		call->type = type_pointer(c->arena, sized_type(known->size), SPACE_USER);
		return 0;
	}
	if (!c->unit->kind->symbol)
		return check_error(c, call->span, "uaddr() looks symbols up in the file that a uprobe, uretprobe or usdt probe "
				   "traces, and is not supported for %s probes", c->unit->kind->name);
	s = arena_new_of(c->arena, struct probe_symbol);
	r = c->unit->kind->symbol(c->env->probe, ap, call_arg(call, 0)->span, name, s);
	if (r)
		return r == -ENOENT ? uaddr_missing(c, call, name) : r;
	call->data = s;
	call->type = type_pointer(c->arena, sized_type(s->size), SPACE_USER);
	return 0;
}

/* How far the program lies from where its file says is how far this place does. */
static int uaddr_emit(struct lower *l, struct expr *call, struct val *out)
{
	const struct probe_symbol *s = call->data;
	vreg at, args[1];

	if (s->from == SYMBOL_FIXED) {
		*out = val_of_reg(call->type, ir_const(l->f, (int64_t)s->addr));
		return 0;
	}
	if (s->from == SYMBOL_FROM_ENTRY) {
		args[0] = ir_ctx(l->f);
		at = ir_call(l->f, BPF_FUNC_get_func_ip, 1, args);
	} else {
		at = emit_register(l, cpu_register_find(cpu_calls.ip));
	}
	*out = val_of_reg(call->type, ir_bin_imm(l->f, IR_ADD, at, (int64_t)(s->addr - s->here)));
	return 0;
}

/* ---- percpu_kaddr ---- */

/* A variable that every processor has lies at its own distance from the symbol on each. */
struct percpu_symbol {
	uint64_t address, offsets; /* of the symbol; of the kernel's array of those distances */
};

static int percpu_kaddr_check(struct checker *c, struct expr *call)
{
	struct kernel *k = c->env->probe->kernel;
	struct percpu_symbol *s;
	const char *name;
	int r = check_arg_literal_string(c, call, 0, &name);

	if (!r && call->args.n > 1)
		r = check_arg_int(c, call, 1);
	if (r < 0 || call->data)
		return r;
	s = arena_new_of(c->arena, struct percpu_symbol);
	s->address = kernel_symbol_address(k, name);
	s->offsets = kernel_symbol_address(k, "__per_cpu_offset");
	if (!s->offsets || (!s->address && !kernel_symbol_exists(k, name)))
		return check_error(c, call_arg(call, 0)->span,
				   "the kernel has no variable '%s' per processor, or hides its address", name);
	call->data = s;
	call->type = type_pointer(c->arena, &type_uint64, SPACE_KERNEL);
	return 0;
}

/* NULL for a processor that there cannot be. */
static int percpu_kaddr_emit(struct lower *l, struct expr *call, struct val *out)
{
	uint32_t exists = ir_block_new(l->f, "exists"), done = ir_block_new(l->f, "percpu");
	const struct percpu_symbol *s = call->data;
	vreg addr = ir_vreg_new(l->f, "percpu"), cpu, at;
	struct val offset = val_slot(l, &type_uint64, "offset");
	int r = 0;

	if (call->args.n > 1)
		r = lower_scalar(l, call_arg(call, 1), &cpu);
	else
		cpu = ir_call(l->f, BPF_FUNC_get_smp_processor_id, 0, NULL);
	if (r < 0)
		return r;
	ir_mov_to(l->f, addr, ir_const(l->f, 0));
	ir_br_imm(l->f, CC_ULT, cpu, kernel_ncpus_possible(), exists, done);
	ir_block_use(l->f, exists);
	at = ir_bin(l->f, IR_ADD, ir_const(l->f, (int64_t)s->offsets), ir_bin_imm(l->f, IR_SHL, cpu, 3));
	lower_probe_read(l, offset.reg, offset.off, 8, at, SPACE_KERNEL);
	ir_mov_to(l->f, addr, ir_bin(l->f, IR_ADD, val_scalar(l, &offset), ir_const(l->f, (int64_t)s->address)));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	*out = val_of_reg(call->type, addr);
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
	{ "uaddr", .signature = "T *uaddr(string name)",
	  .summary = "address of a symbol in the traced file, as a pointer to a number of the symbol's size",
	  .min_args = 1, .max_args = 1, .flags = FUNC_OWN_POINT, .check = uaddr_check, .emit = uaddr_emit },
	{ "percpu_kaddr", .signature = "uint64 *percpu_kaddr(string name[, int cpu])",
	  .summary = "address of a kernel variable of one processor, without a number of the present one",
	  .min_args = 1, .max_args = 2, .check = percpu_kaddr_check, .emit = percpu_kaddr_emit },
	{ "kptr", .signature = "T *kptr(T *pointer)", .summary = "the pointer, marked as one into kernel memory",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .check = kptr_check, .emit = space_emit },
	{ "uptr", .signature = "T *uptr(T *pointer)", .summary = "the pointer, marked as one into user memory",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .check = uptr_check, .emit = space_emit },
	{ 0 },
};
