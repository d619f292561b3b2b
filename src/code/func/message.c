/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Message: what a script says of itself, while it runs (errorf, warnf, assert) and while it is compiled. */
#include <errno.h>

#include "base/strbuf.h"
#include "code/func/func_priv.h"

static int message_check(struct checker *c, struct expr *call)
{
	return check_format_call(c, call, 0);
}

static int message_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct site *s = lower_site(l, call);

	(void)out;
	s->format = call->data;
	return lower_event(l, s, call->args.v + 1, call->args.n - 1);
}

static int message_tell(const struct act *act, const struct site *site, const uint8_t *data, enum severity sev)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct record rec = { .kind = REC_MESSAGE, .sev = sev, .span = site->span,
			      .expanded = site->expanded };
	int r = act->format(act->ctx, site->format, site->payload, data, &text);

	if (r < 0)
		return r;
	rec.text = text.s;
	rec.text_len = text.len;
	return act->record(act->ctx, &rec);
}

static int errorf_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	(void)len;
	return message_tell(act, site, data, SEV_ERROR);
}

static int warnf_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	(void)len;
	return message_tell(act, site, data, SEV_WARNING);
}

/* ---- assert ---- */

static int assert_check(struct checker *c, struct expr *call)
{
	const char *text;
	const struct type *t;

	if (call_arg_unknown(call, 0))
		return 0;
	t = call_arg(call, 0)->type;
	if (!type_is_int(t) && t->kind != TY_POINTER)
		return check_error(c, call_arg(call, 0)->span, "assert() needs a condition, and this is %s",
				   type_name(c->arena, t));
	return check_arg_literal_string(c, call, 1, &text);
}

/* A condition that does not hold ends the session, and the block at once. */
static int assert_emit(struct lower *l, struct expr *call, struct val *out)
{
	uint32_t holds = ir_block_new(l->f, "holds"), fails = ir_block_new(l->f, "fails");
	int r = lower_cond(l, call_arg(call, 0), holds, fails);
	struct site *s;

	(void)out;
	if (r < 0)
		return r;
	ir_block_use(l->f, fails);
	s = lower_site(l, call);
	s->text = call_arg(call, 1)->str;
	r = lower_event(l, s, NULL, 0);
	lower_return(l);
	ir_block_use(l->f, holds);
	return r;
}

static int assert_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct record rec = { .kind = REC_MESSAGE, .sev = SEV_ERROR, .span = site->span, .expanded = site->expanded };

	(void)data;
	(void)len;
	strbuf_addf(&text, "assert failed: %s", site->text);
	if (text.failed)
		return -ENOMEM;
	rec.text = text.s;
	rec.text_len = text.len;
	act->stop(act->ctx, 1);
	return act->record(act->ctx, &rec);
}

/* ---- while compiling ---- */

static void literal_add(struct strbuf *text, const struct format_piece *p, const struct expr *arg)
{
	long long n = (long long)arg->num;

	if (arg->kind == EX_STR)
		strbuf_add(text, arg->str, strnlen(arg->str, arg->str_len));
	else if (p->conv == CONV_S && arg->kind == EX_BOOL)
		strbuf_addstr(text, n ? "true" : "false");
	else if (p->conv == CONV_X || p->conv == CONV_XX || p->conv == CONV_P)
		strbuf_addf(text, p->conv == CONV_XX ? "%llX" : p->conv == CONV_P ? "0x%llx" : "%llx",
			    (unsigned long long)n);
	else if (p->conv == CONV_O)
		strbuf_addf(text, "%llo", (unsigned long long)n);
	else if (p->conv == CONV_C)
		strbuf_addch(text, (char)n);
	else if (p->conv == CONV_U)
		strbuf_addu64(text, (uint64_t)n);
	else
		strbuf_adds64(text, n);
}

/* The text of a format whose arguments are all literals, in the arena. */
static const char *literals_format(struct checker *c, const struct expr *call)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const struct format *f = call->data;

	vec_each(p, &f->pieces) {
		strbuf_add(&text, p->text, p->text_len);
		if (p->conv != CONV_TEXT && p->arg + 1 < call->args.n)
			literal_add(&text, p, call_arg(call, p->arg + 1));
	}
	return arena_strndup(c->arena, text.s, text.len);
}

static int fail_check(struct checker *c, struct expr *call)
{
	int r = check_format_call(c, call, 0);

	if (r < 0)
		return r;
	for (uint32_t i = 1; i < call->args.n; i++) {
		if (call_arg_unknown(call, i))
			return 0;
		if (!expr_is_literal(call_arg(call, i)))
			return check_error(c, call_arg(call, i)->span,
					   "fail() speaks while the script is compiled: its arguments must be literals");
	}
	call->type = &type_none;
	return check_is_reached(c) ? check_error(c, call->span, "%s", literals_format(c, call)) : 0;
}

/* Only where it is never reached. */
static int nothing_emit(struct lower *l, struct expr *call, struct val *out)
{
	(void)l;
	(void)call;
	(void)out;
	return 0;
}

static int static_assert_check(struct checker *c, struct expr *call)
{
	const struct expr *arg = call_arg(call, 0);
	const char *text;
	int r = check_arg_literal_string(c, call, 1, &text);

	if (r < 0 || arg->type->kind == TY_NONE || !check_is_reached(c))
		return r;
	if (arg->kind != EX_INT && arg->kind != EX_BOOL)
		return c->last_pass ? check_error(c, arg->span, "this is not known while the script is compiled") : 0;
	return arg->num ? 0 : check_error(c, call->span, "%s", text);
}

static int assert_str_check(struct checker *c, struct expr *call)
{
	const struct type *t, *elem;

	if (call_arg_unknown(call, 0))
		return 0;
	call->type = &type_none;
	t = call_arg(call, 0)->type;
	elem = t->kind == TY_ARRAY || t->kind == TY_POINTER ? t->elem : NULL;
	if (t->kind == TY_STRING || (elem && elem->kind == TY_INT && elem->size == 1) || !check_is_reached(c))
		return 0;
	return check_error(c, call_arg(call, 0)->span, "this must be a string, or an array of or a pointer to char, "
			   "and it is %s", type_name(c->arena, t));
}

func_family funcs_message = {
	{ "errorf", .signature = "void errorf(string format, ...)",
	  .summary = "show an error with the place of the call; formatted as by printf()",
	  .min_args = 1, .max_args = FUNC_ANY_ARGS, .flags = FUNC_ASYNC | FUNC_VOID,
	  .check = message_check, .emit = message_emit, .act = errorf_act },
	{ "warnf", .signature = "void warnf(string format, ...)",
	  .summary = "show a warning with the place of the call; formatted as by printf()",
	  .min_args = 1, .max_args = FUNC_ANY_ARGS, .flags = FUNC_ASYNC | FUNC_VOID,
	  .check = message_check, .emit = message_emit, .act = warnf_act },
	{ "assert", .signature = "void assert(bool condition, string message)",
	  .summary = "end the question with an error and status 1 unless the condition holds",
	  .min_args = 2, .max_args = 2, .flags = FUNC_ASYNC | FUNC_VOID,
	  .check = assert_check, .emit = assert_emit, .act = assert_act },
	{ "fail", .signature = "void fail(string format, ...)",
	  .summary = "an error while compiling, unless a constant condition excludes it; its arguments are literals",
	  .min_args = 1, .max_args = FUNC_ANY_ARGS, .flags = FUNC_VOID, .check = fail_check, .emit = nothing_emit },
	{ "static_assert", .signature = "void static_assert(bool condition, string message)",
	  .summary = "an error while compiling unless the condition, a constant, holds",
	  .min_args = 2, .max_args = 2, .flags = FUNC_VOID, .check = static_assert_check, .emit = nothing_emit },
	{ "assert_str", .signature = "void assert_str(any value)",
	  .summary = "an error while compiling unless the value is a string, or an array of or a pointer to char",
	  .min_args = 1, .max_args = 1, .flags = FUNC_VOID, .check = assert_str_check, .emit = nothing_emit },
	{ 0 },
};
