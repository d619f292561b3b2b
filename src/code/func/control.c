/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control: what acts on the traced process or function. All of it needs --unsafe. */
#include <errno.h>
#include <signal.h>

#include "code/func/func_priv.h"
#include "kernel/kernel.h"

#define SIGNAL_MOST 64

/* "SIGKILL" or "KILL"; 0 when there is none. */
static int signal_number(const char *name)
{
	if (str_starts(name, "SIG"))
		name += 3;
	for (int i = 1; i <= SIGNAL_MOST; i++)
		if (str_eq(sigabbrev_np(i), name))
			return i;
	return 0;
}

static int signal_by_name(struct checker *c, struct expr *call)
{
	struct expr *arg = call_arg(call, 0);
	const char *name;
	int r = check_arg_literal_string(c, call, 0, &name), n;

	if (r < 0)
		return r;
	n = signal_number(name);
	if (!n)
		return check_error(c, arg->span, "there is no signal '%s'", name);
	expr_become_int(arg, n, false);
	return 0;
}

static int signal_check(struct checker *c, struct expr *call)
{
	const struct expr *arg = call_arg(call, 0);
	int r;

	if (c->unit->kind->run != RUN_ATTACHED) {
		check_error(c, call->span, "%s() has nobody to send to in %s probes: sonde itself runs them", call->name,
			    c->unit->kind->name);
		diag_hint(c->diags, "it is for probes that fire in the process that shall get the signal");
		return -EINVAL;
	}
	if (call_arg_unknown(call, 0))
		return 0;
	call->type = &type_none;
	if (arg->type->kind == TY_STRING)
		return signal_by_name(c, call);
	r = check_arg_int(c, call, 0);
	if (!r && arg->kind == EX_INT && (!arg->num || arg->num > SIGNAL_MOST))
		r = check_error(c, arg->span, "signals have numbers from 1 to %d", SIGNAL_MOST);
	return r;
}

static int helper_with_number(struct lower *l, struct expr *call, int helper)
{
	vreg v;
	int r = lower_scalar(l, call_arg(call, 0), &v);

	if (!r)
		ir_call(l->f, helper, 1, &v);
	return r;
}

static int signal_emit(struct lower *l, struct expr *call, struct val *out)
{
	(void)out;
	return helper_with_number(l, call, BPF_FUNC_send_signal);
}

static int signal_thread_emit(struct lower *l, struct expr *call, struct val *out)
{
	(void)out;
	return helper_with_number(l, call, BPF_FUNC_send_signal_thread);
}

static int override_check(struct checker *c, struct expr *call)
{
	if (!str_eq(c->unit->kind->name, "kprobe"))
		return check_error(c, call->span, "override() is for kprobe probes, not for %s probes",
				   c->unit->kind->name);
	if (!kernel_helper_allowed(c->unit->kind->prog_type, BPF_FUNC_override_return))
		return check_error(c, call->span, "this kernel does not offer override(): it was built without "
				   "CONFIG_BPF_KPROBE_OVERRIDE");
	return check_arg_int(c, call, 0);
}

static int override_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg args[2] = { 0 };
	int r = lower_scalar(l, call_arg(call, 0), &args[1]);

	(void)out;
	if (r < 0)
		return r;
	args[0] = ir_ctx(l->f);
	ir_call(l->f, BPF_FUNC_override_return, 2, args);
	return 0;
}

/* ---- write_user ---- */

/* What is written lies in memory of our own: a string, an array, a buffer. */
static uint32_t source_bytes(const struct type *t)
{
	if (t->kind == TY_BUFFER)
		return t->size - 4;
	return type_is_scalar(t) ? 0 : t->size;
}

static int write_user_check(struct checker *c, struct expr *call)
{
	const struct expr *src = call_arg(call, 1), *len = call_arg(call, 2);
	int r;

	if (!kernel_helper_allowed(c->unit->kind->prog_type, BPF_FUNC_probe_write_user))
		return check_error(c, call->span, "this kernel does not let %s probes write to memory of processes",
				   c->unit->kind->name);
	for (uint32_t i = 0; i < 3; i++)
		if (call_arg_unknown(call, i))
			return 0;
	call->type = &type_bool;
	r = check_arg_address(c, call, 0);
	r = r ? r : check_arg_int(c, call, 2);
	if (!r && !source_bytes(src->type))
		r = check_error(c, src->span, "write_user() writes a string, an array or a buffer, and this is %s",
				type_name(c->arena, src->type));
	if (!r && len->kind == EX_INT && len->num > source_bytes(src->type))
		r = check_error(c, len->span, "what is to be written has %u bytes, not %llu", source_bytes(src->type),
				(unsigned long long)len->num);
	return r;
}

static int write_user_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct expr *src = call_arg(call, 1);
	uint32_t fits = ir_block_new(l->f, "fits"), done = ir_block_new(l->f, "written");
	vreg ok = ir_vreg_new(l->f, "ok"), args[3], n;
	struct val v = { 0 };
	int r = lower_scalar(l, call_arg(call, 0), &args[0]);

	r = r ? r : lower_expr(l, src, &v);
	r = r ? r : lower_scalar(l, call_arg(call, 2), &n);
	if (r)
		return r;
	v = val_local(l, &v);
	if (src->type->kind == TY_BUFFER)
		v.off += 4;
	args[1] = val_address(l, &v);
	ir_mov_to(l->f, ok, ir_const(l->f, 0));
	/* Never more than there is, and not nothing, which the helper does not take. */
	n = ir_bin_imm(l->f, IR_SUB, n, 1);
	ir_br_imm(l->f, CC_ULT, n, source_bytes(src->type), fits, done);
	ir_block_use(l->f, fits);
	args[2] = ir_bin_imm(l->f, IR_ADD, n, 1);
	ir_mov_to(l->f, ok, ir_setcc_imm(l->f, CC_EQ, ir_call(l->f, BPF_FUNC_probe_write_user, 3, args), 0));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	*out = val_of_reg(call->type, ok);
	return 0;
}

static int unwatch_check(struct checker *c, struct expr *call)
{
	return check_arg_address(c, call, 0);
}

static int unwatch_emit(struct lower *l, struct expr *call, struct val *out)
{
	(void)out;
	return lower_event(l, lower_site(l, call), call->args.v, call->args.n);
}

static int unwatch_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	(void)len;
	act->unwatch(act->ctx, (uint64_t)payload_int(site, data, 0));
	return 0;
}

func_family funcs_control = {
	{ "signal", .signature = "void signal(string name) or signal(int number)",
	  .summary = "send a signal to the process that runs",
	  .min_args = 1, .max_args = 1, .flags = FUNC_VOID | FUNC_UNSAFE, .check = signal_check, .emit = signal_emit },
	{ "signal_thread", .signature = "void signal_thread(string name) or signal_thread(int number)",
	  .summary = "send a signal to the thread that runs",
	  .min_args = 1, .max_args = 1, .flags = FUNC_VOID | FUNC_UNSAFE,
	  .check = signal_check, .emit = signal_thread_emit },
	{ "override", .signature = "void override(uint64 value)",
	  .summary = "the traced function is not executed, and returns this value",
	  .min_args = 1, .max_args = 1, .flags = FUNC_VOID | FUNC_UNSAFE,
	  .check = override_check, .emit = override_emit },
	{ "write_user", .signature = "bool write_user(void *to, any data, int length)",
	  .summary = "write bytes to the memory of the process that runs; whether that worked",
	  .min_args = 3, .max_args = 3, .flags = FUNC_UNSAFE, .check = write_user_check, .emit = write_user_emit },
	{ "unwatch", .signature = "void unwatch(void *address)", .summary = "end the watchpoints at an address",
	  .min_args = 1, .max_args = 1, .flags = FUNC_VOID | FUNC_ASYNC,
	  .check = unwatch_check, .emit = unwatch_emit, .act = unwatch_act },
	{ 0 },
};
