/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output: what a question shows, what it does with whole maps, and its end. All by events. */
#include <errno.h>

#include "code/func/func_priv.h"

/* ---- printf ---- */

static int printf_check(struct checker *c, struct expr *call)
{
	return check_format_call(c, call, 0);
}

static int printf_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct site *s;

	(void)out;
	if (l->point->stays)
		return lower_seq_printf(l, call);
	s = lower_site(l, call);
	s->format = call->data;
	return lower_event(l, s, call->args.v + 1, call->args.n - 1);
}

/* ---- debugf ---- */

#define DEBUGF_MOST_ARGS 3 /* of bpf_trace_printk() */

static bool debugf_takes(const struct expr *arg)
{
	return type_is_int(arg->type) || arg->type->kind == TY_POINTER || arg->type->kind == TY_STRING;
}

static int debugf_check(struct checker *c, struct expr *call)
{
	int r = check_format_call(c, call, 0);

	if (!r && call->args.n - 1 > DEBUGF_MOST_ARGS)
		return check_error(c, call->span, "debugf() takes at most %d values, not %u", DEBUGF_MOST_ARGS,
				   call->args.n - 1);
	for (uint32_t i = 1; !r && i < call->args.n; i++)
		if (call_arg(call, i)->type->kind != TY_NONE && !debugf_takes(call_arg(call, i)))
			r = check_error(c, call_arg(call, i)->span, "debugf() shows numbers and strings, and this is %s",
					type_name(c->arena, call_arg(call, i)->type));
	return r;
}

/* Values are handed over as 64 bits, so every conversion of a number says so to the kernel. */
static const char *debugf_format(struct lower *l, const struct format *f)
{
	static const char *const convs[] = {
		[CONV_TEXT] = "", [CONV_D] = "%lld", [CONV_U] = "%llu", [CONV_X] = "%llx", [CONV_XX] = "%llX",
		[CONV_O] = "%llo", [CONV_C] = "%c", [CONV_P] = "%px", [CONV_S] = "%s",
	};
	const char *text = "";

	vec_each(it, &f->pieces) {
		for (uint32_t i = 0; i < it->text_len; i++)
			text = arena_printf(l->arena, it->text[i] == '%' ? "%s%%%%" : "%s%c", text, it->text[i]);
		if ((size_t)it->conv >= ARRAY_SIZE(convs))
			return NULL;
		text = arena_printf(l->arena, "%s%s", text, convs[it->conv]);
	}
	return text;
}

static int debugf_value(struct lower *l, struct expr *arg, vreg *out)
{
	struct val v = { 0 };
	int r;

	if (arg->type->kind != TY_STRING)
		return lower_scalar(l, arg, out);
	r = lower_expr(l, arg, &v);
	if (r < 0)
		return r;
	v = val_local(l, &v);
	*out = val_address(l, &v);
	return 0;
}

static int debugf_emit(struct lower *l, struct expr *call, struct val *out)
{
	const char *text = debugf_format(l, call->data);
	uint32_t len = text ? (uint32_t)strlen(text) + 1 : 0;
	struct val format;
	vreg args[2 + DEBUGF_MOST_ARGS];

	(void)out;
	if (!text)
		return diag_error(l->diags, call->span, "debugf() knows only %%d, %%u, %%x, %%o, %%c, %%p and %%s");
	for (uint32_t i = 1; i < call->args.n; i++) {
		int r = debugf_value(l, call_arg(call, i), &args[1 + i]);

		if (r < 0)
			return r;
	}
	format = lower_rodata(l, type_string(l->arena, len), text, len);
	args[0] = val_address(l, &format);
	args[1] = ir_const(l->f, len);
	ir_call(l->f, BPF_FUNC_trace_printk, 1 + call->args.n, args);
	return 0;
}

static int printf_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	struct record rec = {
		.kind = REC_PRINTF, .format = site->format, .type = site->payload, .data = data, .len = len,
		.span = site->span,
	};

	return act->record(act->ctx, &rec);
}

/* ---- print ---- */

/* What print() is given decides which of three events it sends. */
enum print_form { PRINT_VALUE, PRINT_MAP, PRINT_ENTRY };

static enum print_form print_form(const struct expr *arg)
{
	if (arg->kind != EX_MAP)
		return PRINT_VALUE;
	if (!arg->a)
		return PRINT_MAP;
	/* What is more than one number is reduced over all processors when it is shown. */
	return arg->map && arg->map->value && type_is_agg(arg->map->value) ? PRINT_ENTRY : PRINT_VALUE;
}

/* An entry that is one number is shown as it is now, not as it will be when the event arrives. */
static void entry_to_number(struct checker *c, struct expr *call)
{
	struct expr *arg = call_arg(call, 0), *number;
	const struct type *t = arg->map->value;

	if (t->kind == TY_STATS || t->kind == TY_HIST || t->kind == TY_LHIST || t->kind == TY_TSERIES)
		return;
	number = arena_new_of(c->arena, struct expr);
	*number = (struct expr){ .kind = EX_CAST, .span = arg->span, .name_span = arg->name_span, .a = arg,
				 .type = type_integer(8, t->is_signed) };
	call->args.v[0] = number;
}

static int print_map_check(struct checker *c, struct expr *call)
{
	struct map *map;
	int r = check_arg_map(c, call, 0, false, &map);

	for (uint32_t i = 1; !r && i < call->args.n; i++) {
		int64_t n;

		r = check_arg_literal_int(c, call, i, &n);
		if (!r && n < 0)
			r = check_error(c, call_arg(call, i)->span, "print() cannot take the top %lld or divide by it",
					(long long)n);
		if (!r && !n && i == 2)
			r = check_error(c, call_arg(call, i)->span, "print() cannot divide by 0");
	}
	return r;
}

static int print_check(struct checker *c, struct expr *call)
{
	const struct expr *arg = call_arg(call, 0);

	call->type = &type_none;
	if (print_form(arg) == PRINT_MAP)
		return print_map_check(c, call);
	if (call->args.n > 1)
		return check_error(c, call_arg(call, 1)->span,
				   "top and div are for whole maps: this print() shows one value");
	if (print_form(arg) == PRINT_ENTRY)
		entry_to_number(c, call);
	return 0;
}

/* The key goes with the event; the session looks the entry up. */
static int print_entry_emit(struct lower *l, struct site *s, const struct expr *arg)
{
	struct val key;
	vreg addr;
	int r = lower_map_key(l, arg->map, arg->a, &addr);

	if (r < 0)
		return r;
	s->map = arg->map;
	key = val_of_mem(arg->map->key, addr, 0, SPACE_NONE);
	return lower_event_vals(l, s, &key, 1);
}

static int print_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct expr *arg = call_arg(call, 0);
	struct site *s = lower_site(l, call);
	bool once = l->point && (l->point->kind->run == RUN_BEGIN || l->point->kind->run == RUN_END);

	(void)out;
	s->shows = once ? SITE_SHOWS_ONCE : SITE_SHOWS;
	switch (print_form(arg)) {
	case PRINT_MAP:
		s->map = arg->map;
		for (uint32_t i = 1; i < call->args.n; i++)
			s->num[i - 1] = (int64_t)call_arg(call, i)->num;
		return lower_event(l, s, NULL, 0);
	case PRINT_ENTRY:
		return print_entry_emit(l, s, arg);
	default:
		return lower_event(l, s, &arg, 1);
	}
}

static int print_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	struct record rec = { .kind = REC_VALUE, .len = len, .span = site->span };

	if (site->map && !site->payload)
		return act->map_print(act->ctx, site->map, site->num[0], site->num[1]);
	if (site->map)
		return act->map_print_key(act->ctx, site->map, payload_bytes(site, data, 0));
	rec.type = site->payload->fields[0].type;
	rec.data = payload_bytes(site, data, 0);
	return act->record(act->ctx, &rec);
}

/* ---- clear, zero ---- */

static int whole_map_check(struct checker *c, struct expr *call)
{
	struct map *map;

	return check_arg_map(c, call, 0, false, &map);
}

static int whole_map_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct site *s = lower_site(l, call);

	(void)out;
	s->map = call_arg(call, 0)->map;
	return lower_event(l, s, NULL, 0);
}

static int clear_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	(void)data;
	(void)len;
	return act->map_clear(act->ctx, site->map);
}

static int zero_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	(void)data;
	(void)len;
	return act->map_zero(act->ctx, site->map);
}

/* ---- exit ---- */

static int exit_check(struct checker *c, struct expr *call)
{
	return call->args.n ? check_arg_int(c, call, 0) : 0;
}

static int exit_emit(struct lower *l, struct expr *call, struct val *out)
{
	int r = lower_event(l, lower_site(l, call), call->args.v, call->args.n);

	(void)out;
	if (r < 0)
		return r;
	lower_return(l);
	return 0;
}

static int exit_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	(void)len;
	act->stop(act->ctx, site->payload ? (int)payload_int(site, data, 0) : 0);
	return 0;
}

func_family funcs_output = {
	{ "printf", .signature = "void printf(string format, ...)", .summary = "show values as the format says",
	  .min_args = 1, .max_args = FUNC_ANY_ARGS, .flags = FUNC_ASYNC | FUNC_VOID | FUNC_STAYS,
	  .check = printf_check, .emit = printf_emit, .act = printf_act },
	{ "print", .signature = "void print(any value) or print(@map[, int top[, int div]])",
	  .summary = "show a value, or a map: of it only the top entries, values divided by div",
	  .min_args = 1, .max_args = 3, .flags = FUNC_ASYNC | FUNC_VOID | FUNC_MAP_ARG,
	  .check = print_check, .emit = print_emit, .act = print_act },
	{ "debugf", .signature = "void debugf(string format, ...)",
	  .summary = "print into the kernel's own trace, /sys/kernel/tracing/trace_pipe; at most 3 values",
	  .min_args = 1, .max_args = FUNC_ANY_ARGS, .flags = FUNC_VOID, .check = debugf_check, .emit = debugf_emit },
	{ "clear", .signature = "void clear(@map)", .summary = "remove all entries of a map",
	  .min_args = 1, .max_args = 1, .flags = FUNC_ASYNC | FUNC_VOID | FUNC_MAP_ARG,
	  .check = whole_map_check, .emit = whole_map_emit, .act = clear_act },
	{ "zero", .signature = "void zero(@map)", .summary = "set all values of a map to zero, keeping its keys",
	  .min_args = 1, .max_args = 1, .flags = FUNC_ASYNC | FUNC_VOID | FUNC_MAP_ARG,
	  .check = whole_map_check, .emit = whole_map_emit, .act = zero_act },
	{ "exit", .signature = "void exit([int status])", .summary = "end the question, with an exit status",
	  .max_args = 1, .flags = FUNC_ASYNC | FUNC_VOID | FUNC_LEAVES, .check = exit_check, .emit = exit_emit, .act = exit_act },
	{ 0 },
};
