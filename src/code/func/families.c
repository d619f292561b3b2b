/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Families: the table of all functions of the language, and what the families share.
 *
 * To add a function, add one entry to the table at the end of its family's file:
 *
 *	{ "name", .signature = "name(int n)", .summary = "what it yields",
 *	  .min_args = 1, .max_args = 1, .flags = FUNC_PURE, .type = &type_uint64,
 *	  .check = name_check, .emit = name_emit },
 *
 * - check() sees arguments that have been counted and have types. It refuses what does not fit with
 *   check_arg_*() or check_error(), and sets call->type unless the entry does. Types settle over several
 *   passes, so it must bear being called again, and an argument of TY_NONE means "not yet": see
 *   call_arg_unknown(). What emit() needs to know goes into call->data. A function whose value is known
 *   while compiling turns its call into that constant (expr_become_int) and needs no emit().
 * - emit() builds the code and says where the value is. It calls nothing but code/lower.h and the builder
 *   of code/ir.h, and must not emit what the verifier could refuse for any argument that check() accepts.
 * - An asynchronous function (FUNC_ASYNC) sends an event with lower_event(); its act() is called with
 *   the payload in the session, in the order of the ring. It may do what struct act offers.
 *
 * Signature and summary are what errors, help and the reference show. A new family is one file with one
 * table, its declaration in func_priv.h and its line below.
 */
#include <errno.h>

#include "code/func/func_priv.h"

const struct func_def *const func_families[] = {
	funcs_output, funcs_outside, funcs_message, funcs_aggregate, funcs_map, funcs_task, funcs_time,
	funcs_probe, funcs_stack, funcs_string, funcs_search, funcs_bytes, funcs_name, funcs_address,
	funcs_register, funcs_kernelobj, funcs_directory, funcs_packet, funcs_control, funcs_type, funcs_kfunc, funcs_param, funcs_watch, NULL,
};

bool call_arg_unknown(struct expr *call, uint32_t i)
{
	if (call_arg(call, i)->type && call_arg(call, i)->type->kind != TY_NONE)
		return false;
	call->type = &type_none;
	return true;
}

void call_become_bool(struct expr *call, bool value)
{
	expr_become_int(call, value, false);
	call->kind = EX_BOOL;
	call->type = &type_bool;
}

/* "curr_ns, init" */
static const char *words_text(struct arena *a, const char *const *words)
{
	const char *text = words[0];

	for (uint32_t i = 1; words[i]; i++)
		text = arena_printf(a, "%s, %s", text, words[i]);
	return text;
}

int call_word(struct checker *c, const struct expr *call, const char *const *words)
{
	const struct expr *arg;
	uint32_t n = 0;

	if (!call->args.n)
		return 0;
	arg = call_arg(call, 0);
	for (; words[n]; n++) {
		if (arg->kind == EX_IDENT && str_eq(arg->name, words[n]))
			return (int)n;
	}
	check_error(c, arg->span, "%s() takes one of the words %s", call->name, words_text(c->arena, words));
	if (arg->kind == EX_IDENT)
		diag_hint_nearest(c->diags, arg->name, words, n);
	return -EINVAL;
}

int emit_helper(struct lower *l, const struct expr *call, int helper, struct val *out)
{
	*out = val_of_reg(call->type, ir_call(l->f, helper, 0, NULL));
	return 0;
}

const uint8_t *payload_bytes(const struct site *site, const uint8_t *data, uint32_t i)
{
	return data + site->payload->fields[i].offset;
}

int64_t payload_int(const struct site *site, const uint8_t *data, uint32_t i)
{
	const struct type *t = site->payload->fields[i].type;
	uint32_t unused_bits = 64 - 8 * MIN(t->size, 8u);
	uint64_t v = 0;

	memcpy(&v, payload_bytes(site, data, i), MIN(t->size, 8u));
	if (t->is_signed)
		return (int64_t)(v << unused_bits) >> unused_bits;
	return (int64_t)v;
}
