/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control: what acts on the traced process or function. All of it needs --unsafe. */
#include <errno.h>
#include <signal.h>

#include "code/func/func_priv.h"

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
	{ 0 },
};
