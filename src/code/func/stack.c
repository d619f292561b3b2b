/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stack: where code is. A stack is a value like any other: its addresses lie in the map or the event
 * itself. The reference keeps stacks in a map of their own and can lose or mix them up there; here two are
 * equal when all of their frames are.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>

#include "code/func/func_priv.h"

#define STACK_DEFAULT_FRAMES 127
#define STACK_MOST_FRAMES 1024

static const char *const modes[] = { "bpftrace", "perf", "raw", "build_id", NULL };

static int mode_of(const char *name)
{
	for (int i = 0; modes[i]; i++)
		if (str_eq(modes[i], name))
			return i;
	return -1;
}

/* What the kernel walks at most (a sysctl), also when more is asked for. */
static uint32_t frames_default(void)
{
	FILE *f = fopen("/proc/sys/kernel/perf_event_max_stack", "re");
	unsigned n = 0;

	if (f) {
		if (fscanf(f, "%u", &n) != 1)
			n = 0;
		fclose(f);
	}
	return n && n < STACK_DEFAULT_FRAMES ? n : STACK_DEFAULT_FRAMES;
}

static int limit_check(struct checker *c, struct expr *call, uint32_t i, int64_t *limit)
{
	struct expr *arg = call_arg(call, i);
	int r = check_expr(c, arg);

	r = r ? r : check_arg_literal_int(c, call, i, limit);
	if (r < 0)
		return r;
	if (*limit < 1 || *limit > STACK_MOST_FRAMES)
		return check_error(c, arg->span, "%s() keeps 1 to %d frames, not %lld", call->name, STACK_MOST_FRAMES,
				   (long long)*limit);
	return 0;
}

/* ([mode][, frames]) */
static int stack_check(struct checker *c, struct expr *call, enum type_kind kind)
{
	int mode = mode_of(c->env->config.stack_mode);
	int64_t limit = frames_default();
	uint32_t i = 0;

	if (call->args.n && call_arg(call, 0)->kind == EX_IDENT && mode_of(call_arg(call, 0)->name) >= 0) {
		mode = mode_of(call_arg(call, 0)->name);
		i = 1;
	} else if (call->args.n > 1 || (call->args.n && call_arg(call, 0)->kind == EX_IDENT)) {
		check_error(c, call_arg(call, 0)->span, "%s() takes one of the modes bpftrace, perf, raw, build_id", call->name);
		if (call_arg(call, 0)->kind == EX_IDENT)
			diag_hint_nearest(c->diags, call_arg(call, 0)->name, modes, 4);
		return -EINVAL;
	}
	if (mode == STACK_BUILD_ID && kind == TY_KSTACK) {
		if (c->last_pass && !call->data)
			diag_warn(c->diags, call->span, "the kernel has no build ids: its stack is shown as raw");
		call->data = c->last_pass ? modes : NULL;
		mode = STACK_RAW;
	}
	if (i < call->args.n && limit_check(c, call, i, &limit) < 0)
		return -EINVAL;
	if (!call->type || call->type->kind == TY_NONE)
		call->type = type_stack(c->arena, kind, (uint32_t)limit, (enum stack_mode)mode);
	return 0;
}

static int kstack_check(struct checker *c, struct expr *call)
{
	return stack_check(c, call, TY_KSTACK);
}

static int ustack_check(struct checker *c, struct expr *call)
{
	return stack_check(c, call, TY_USTACK);
}

/* At most n frames. The helper clears what it does not fill, and everything when it fails. */
static void stack_read(struct lower *l, const struct val *at, uint32_t most, uint64_t flags, vreg pid)
{
	struct val frames = *at;
	uint32_t some = ir_block_new(l->f, "some"), done = ir_block_new(l->f, "stack");
	uint32_t bytes = stack_frame_bytes(at->type->param[1]);
	vreg args[4], n = ir_vreg_new(l->f, "frames"), got;
	uint32_t pointers = ir_block_new(l->f, "pointers");
	bool unwinds;

	frames.off += 8;
	unwinds = flags == BPF_F_USER_STACK && lower_unwind(l, pid, &frames, most, n, pointers, done);
	if (!unwinds)
		ir_jmp(l->f, pointers);
	ir_block_use(l->f, pointers);
	args[0] = ir_ctx(l->f);
	args[1] = val_address(l, &frames);
	args[2] = ir_const(l->f, most * bytes);
	args[3] = ir_const(l->f, (int64_t)flags);
	got = ir_call(l->f, BPF_FUNC_get_stack, 4, args);
	ir_mov_to(l->f, n, ir_const(l->f, 0));
	ir_br_imm(l->f, CC_SGT, got, 0, some, done);
	ir_block_use(l->f, some);
	ir_mov_to(l->f, n, ir_bin_imm(l->f, IR_SHR, got, bytes == 8 ? 3 : 5));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	ir_store(l->f, at->reg, at->off, 4, n);
	lower_zero(l, at->reg, at->off + 8 + (int32_t)(most * bytes), at->type->size - 8 - most * bytes);
}

/* Is it a tracepoint that is served by a raw one? Then the tracing's own functions come first. */
static bool has_wrappers(const struct lower *l)
{
	return l->point && str_eq(l->point->kind->prog_type, "tracepoint") && str_starts(l->point->section, "raw_tp");
}

static int kstack_emit(struct lower *l, struct expr *call, struct val *out)
{
	lower_keep_capability(l, CAP_SYSLOG);
	*out = lower_result(l, call->type, "kstack");
	stack_read(l, out, (uint32_t)call->type->param[0] + (has_wrappers(l) ? STACK_WRAPPERS : 0), 0, 0);
	ir_store_imm(l->f, out->reg, out->off + 4, 4, has_wrappers(l));
	return 0;
}

static int ustack_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg pid;

	lower_keep_capability(l, CAP_SYS_PTRACE);
	lower_keep_capability(l, CAP_DAC_READ_SEARCH);
	*out = lower_result(l, call->type, "ustack");
	pid = emit_process(l);
	stack_read(l, out, (uint32_t)call->type->param[0],
		   call->type->param[1] == STACK_BUILD_ID ? BPF_F_USER_STACK | BPF_F_USER_BUILD_ID : BPF_F_USER_STACK, pid);
	ir_store(l->f, out->reg, out->off + 4, 4, pid);
	return 0;
}

static int ksym_check(struct checker *c, struct expr *call)
{
	return check_arg_address(c, call, 0);
}

static int ksym_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg addr;
	int r = lower_scalar(l, call_arg(call, 0), &addr);

	if (r < 0)
		return r;
	lower_keep_capability(l, CAP_SYSLOG);
	*out = val_of_reg(call->type, addr);
	return 0;
}

static int usym_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg addr;
	int r = lower_scalar(l, call_arg(call, 0), &addr);

	if (r < 0)
		return r;
	lower_keep_capability(l, CAP_SYS_PTRACE);
	lower_keep_capability(l, CAP_DAC_READ_SEARCH);
	*out = lower_result(l, call->type, "usym");
	ir_store(l->f, out->reg, out->off, 8, addr);
	ir_store(l->f, out->reg, out->off + 8, 4, emit_process(l));
	ir_store_imm(l->f, out->reg, out->off + 12, 4, 0);
	return 0;
}

func_family funcs_stack = {
	{ "kstack", .signature = "kstack_t kstack([bpftrace|perf|raw|build_id][, int frames])",
	  .summary = "the functions of the kernel that are being executed, the innermost first",
	  .max_args = 2, .flags = FUNC_BARE | FUNC_LAZY_ARGS | FUNC_CONTEXT, .check = kstack_check, .emit = kstack_emit },
	{ "ustack", .signature = "ustack_t ustack([bpftrace|perf|raw|build_id][, int frames])",
	  .summary = "the functions of the process that are being executed, the innermost first",
	  .max_args = 2, .flags = FUNC_BARE | FUNC_LAZY_ARGS, .check = ustack_check, .emit = ustack_emit },
	{ "dw_ustack", .signature = "ustack_t dw_ustack([bpftrace|perf|raw|build_id][, int frames])",
	  .summary = "the same as ustack(), which goes by unwind tables where it can",
	  .max_args = 2, .flags = FUNC_BARE | FUNC_LAZY_ARGS, .check = ustack_check, .emit = ustack_emit },
	{ "ksym", .signature = "ksym_t ksym(uint64 address)",
	  .summary = "name of the kernel's function at an address",
	  .min_args = 1, .max_args = 1, .type = &type_ksym, .check = ksym_check, .emit = ksym_emit },
	{ "usym", .signature = "usym_t usym(uint64 address)",
	  .summary = "name of the function of the process that runs at an address",
	  .min_args = 1, .max_args = 1, .type = &type_usym, .check = ksym_check, .emit = usym_emit },
	{ 0 },
};
