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

/* Addresses of a process are those of its file only where nothing is moved when it is loaded. */
static int uaddr_check(struct checker *c, struct expr *call)
{
	return check_error(c, call->span, "uaddr() looks symbols up in the file that a uprobe, uretprobe or usdt probe "
			   "traces, and is not supported for %s probes", c->unit->kind->name);
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
	{ "uaddr", .signature = "T *uaddr(string name)", .summary = "address of a symbol of the traced process; refused so far",
	  .min_args = 1, .max_args = 1, .check = uaddr_check },
	{ "percpu_kaddr", .signature = "uint64 *percpu_kaddr(string name[, int cpu])",
	  .summary = "address of a kernel variable of one processor, without a number of the present one",
	  .min_args = 1, .max_args = 2, .check = percpu_kaddr_check, .emit = percpu_kaddr_emit },
	{ "kptr", .signature = "T *kptr(T *pointer)", .summary = "the pointer, marked as one into kernel memory",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .check = kptr_check, .emit = space_emit },
	{ "uptr", .signature = "T *uptr(T *pointer)", .summary = "the pointer, marked as one into user memory",
	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .check = uptr_check, .emit = space_emit },
	{ 0 },
};
