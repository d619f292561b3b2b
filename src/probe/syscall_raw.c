/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syscalls:sys_enter_X and sys_exit_X are made by the kernel from the raw tracepoints sys_enter and
 * sys_exit, which every system call passes. One program there, which compares the number first, serves any
 * number of them; attaching it is one step, and closing it does not wait.
 *
 *   sys_enter(struct pt_regs *regs, long id)    the arguments are in the registers
 *   sys_exit(struct pt_regs *regs, long ret)    the number is still in the registers
 */
#include "probe/syscall_raw.h"

#include "base/util.h"
#include "probe/tp_args.h"

#define CTX_REGS 0  /* offset of the first word of the context */
#define CTX_SECOND 8

/* Where struct pt_regs keeps the arguments and the number of a system call. */
#if defined(__x86_64__)
static const uint32_t arg_offsets[] = { 14 * 8 /* di */, 13 * 8 /* si */, 12 * 8 /* dx */, 7 * 8 /* r10 */,
					9 * 8 /* r8 */, 8 * 8 /* r9 */ };
#define NUMBER_OFFSET (15 * 8) /* orig_ax */
#define NUMBER_BYTES 8
#define HAVE_REGS 1
#elif defined(__aarch64__)
/* The first argument is read from orig_x0, as x0 becomes the result. */
static const uint32_t arg_offsets[] = { 34 * 8, 1 * 8, 2 * 8, 3 * 8, 4 * 8, 5 * 8 };
#define NUMBER_OFFSET (35 * 8) /* syscallno */
#define NUMBER_BYTES 4
#define HAVE_REGS 1
#else
static const uint32_t arg_offsets[] = { 0 };
#define NUMBER_OFFSET 0
#define NUMBER_BYTES 8
#define HAVE_REGS 0
#endif

bool syscall_raw_of(const char *system, const char *event, struct syscall_point *out)
{
	static const char enter[] = "sys_enter_", leave[] = "sys_exit_";

	if (!HAVE_REGS || strcmp(system, "syscalls"))
		return false;
	out->is_exit = str_starts(event, leave);
	if (!out->is_exit && !str_starts(event, enter))
		return false;
	out->number = kernel_syscall_number(event + strlen(out->is_exit ? leave : enter));
	return out->number >= 0;
}

void syscall_raw_point(struct attach_point *ap, const struct syscall_point *sp)
{
	struct guard g = { .kind = GUARD_WORD_IN, .ctx_offset = CTX_SECOND };

	if (sp->is_exit)
		g = (struct guard){ .kind = GUARD_DEREF_IN, .ctx_offset = CTX_REGS, .offset = NUMBER_OFFSET,
				    .bytes = NUMBER_BYTES };
	if (!kernel_has_compat_syscalls(&g.task_offset, &g.task_mask))
		g.task_mask = 0;
	ap->section = sp->is_exit ? "raw_tp/sys_exit" : "raw_tp/sys_enter";
	ap->group = sp->is_exit ? "raw_syscalls:sys_exit" : "raw_syscalls:sys_enter";
	ap->guard = g;
	ap->guard_value = (uint64_t)sp->number;
}

/* The record is { common, int __syscall_nr, word arguments[] }, or { common, int __syscall_nr, long ret }.
 * False: a field that is in the record only (newer kernels copy strings into it). */
static bool field_place(const struct tp_field *f, bool is_exit, struct field *out)
{
	uint32_t arg = (f->offset - 16) / 8;

	if (!strcmp(f->name, "__syscall_nr")) {
		out->access = is_exit ? ACCESS_CTX_PTR : ACCESS_CTX_WORD;
		out->ctx_offset = is_exit ? CTX_REGS : CTX_SECOND;
		out->offset = is_exit ? NUMBER_OFFSET : 0;
		return true;
	}
	if (f->offset < 16 || f->offset % 8 || f->size != 8 || f->data_loc || f->rel_loc)
		return false;
	if (is_exit) {
		out->access = ACCESS_CTX_WORD;
		out->ctx_offset = CTX_SECOND;
		return arg == 0;
	}
	if (arg >= ARRAY_SIZE(arg_offsets))
		return false;
	out->access = ACCESS_CTX_PTR;
	out->ctx_offset = CTX_REGS;
	out->offset = arg_offsets[arg];
	return true;
}

const struct type *syscall_raw_args(struct arena *a, const struct tp_format *format, bool is_exit)
{
	VEC(struct field) fields = {0};

	for (uint32_t i = 0; i < format->nfields; i++) {
		const struct tp_field *f = &format->fields[i];
		struct field one = { .name = f->name };

		if (f->offset < 8 || !field_place(f, is_exit, &one))
			continue;
		one.type = tp_field_type(a, f, SPACE_USER);
		vec_push(a, &fields, one);
	}
	return args_struct(a, fields.v, fields.n, 16);
}
