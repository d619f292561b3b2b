/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arguments: what the check() of functions is made of (see lang/check.h). */
#include "lang/check_priv.h"
#include "lang/format.h"

static int bad_arg(struct checker *c, const struct expr *call, uint32_t i, const char *wanted)
{
	const struct expr *arg = call->args.v[i];
	int err = check_error(c, arg->span, "argument %u of %s() must be %s, and this is %s", i + 1, call->name,
			      wanted, tn(c, arg->type));

	if (call->func)
		diag_hint(c->diags, "%s", call->func->signature);
	return err;
}

/* A missing argument is not this function's to report: arity has been checked. */
static const struct type *arg_type(const struct expr *call, uint32_t i)
{
	return i < call->args.n && call->args.v[i]->type ? call->args.v[i]->type : &type_none;
}

int check_arg_int(struct checker *c, const struct expr *call, uint32_t i)
{
	const struct type *t = arg_type(call, i);

	return t->kind == TY_NONE || type_is_int(t) ? 0 : bad_arg(c, call, i, "an integer");
}

int check_arg_address(struct checker *c, const struct expr *call, uint32_t i)
{
	const struct type *t = arg_type(call, i);

	if (t->kind == TY_NONE || type_is_int(t) || t->kind == TY_POINTER)
		return 0;
	return bad_arg(c, call, i, "an address (a pointer or an integer)");
}

int check_arg_string(struct checker *c, const struct expr *call, uint32_t i)
{
	const struct type *t = arg_type(call, i);

	if (t->kind == TY_NONE || t->kind == TY_STRING || param_to_string(c, call->args.v[i]))
		return 0;
	return bad_arg(c, call, i, "a string");
}

int check_arg_literal_int(struct checker *c, const struct expr *call, uint32_t i, int64_t *value)
{
	const struct expr *arg = i < call->args.n ? call->args.v[i] : NULL;

	if (arg && (arg->kind == EX_INT || arg->kind == EX_BOOL)) {
		*value = (int64_t)arg->num;
		return 0;
	}
	if (!arg)
		return check_error(c, call->span, "argument %u of %s() is missing", i + 1, call->name);
	return check_error(c, arg->span, "argument %u of %s() must be a literal integer", i + 1, call->name);
}

int check_arg_literal_string(struct checker *c, const struct expr *call, uint32_t i, const char **text)
{
	struct expr *arg = i < call->args.n ? call->args.v[i] : NULL;

	if (!arg)
		return check_error(c, call->span, "argument %u of %s() is missing", i + 1, call->name);
	if (arg->kind != EX_STR && !param_to_string(c, arg))
		return check_error(c, arg->span, "argument %u of %s() must be a literal string", i + 1, call->name);
	if (memchr(arg->str, 0, arg->str_len))
		return check_error(c, arg->span, "this string must not contain a NUL byte");
	*text = arg->str;
	return 0;
}

int check_arg_map(struct checker *c, const struct expr *call, uint32_t i, bool keyed, struct map **map)
{
	struct expr *arg = i < call->args.n ? call->args.v[i] : NULL;
	int err;

	if (!arg || arg->kind != EX_MAP || arg->a) {
		err = check_error(c, arg ? arg->span : call->span, "argument %u of %s() must be a whole map", i + 1,
				  call->name);
		if (call->func)
			diag_hint(c->diags, "%s", call->func->signature);
		return err;
	}
	if (!arg->map)
		check_map_whole(c, arg);
	if (keyed && arg->map->key_known && !arg->map->key)
		return check_error(c, arg->span, "call to %s() expects a map with explicit keys (non-scalar map), and %s has none",
				   call->name, arg->map->name);
	*map = arg->map;
	return 0;
}

int check_format_call(struct checker *c, struct expr *call, uint32_t first)
{
	uint32_t n = call->args.n > first ? call->args.n - first - 1 : 0;
	const struct type **types = arena_array_of(c->arena, const struct type *, n + 1);
	struct span *spans = arena_array_of(c->arena, struct span, n + 1);
	const char *text = NULL;
	int err;

	for (uint32_t i = 0; i < n; i++) {
		types[i] = arg_type(call, first + 1 + i);
		spans[i] = call->args.v[first + 1 + i]->span;
	}
	if (!call->data) {
		const struct expr *arg;

		err = check_arg_literal_string(c, call, first, &text);
		if (err)
			return err;
		arg = call->args.v[first];
		call->data = format_compile(c->arena, c->diags, text, arg->str_len, arg->span);
		if (!call->data)
			return -EINVAL;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (types[i]->kind == TY_NONE)
			return 0; /* not known yet */
	}
	return format_check(call->data, c->diags, call->name, types, spans, n, call->span);
}

int check_arg_whole_map(struct checker *c, struct expr *e)
{
	if (e->kind == EX_MAP && !e->a)
		return check_map_whole(c, e);
	return check_error(c, e->span, "this must be a map as a whole: @name");
}

int check_arg_value(struct checker *c, struct expr *e)
{
	return check_value(c, e);
}

int check_arg_out(struct checker *c, const struct expr *call, uint32_t i, const struct type *type)
{
	struct expr *target = call->args.v[i];
	struct var *v;
	int err;

	if (target->kind != EX_VAR)
		return check_error(c, target->span, "%s() needs a variable here, to put a value into", call->name);
	v = var_assigned(c, target);
	v->used = true;
	err = var_store(c, v, type, target->span);
	target->type = v->type;
	return err;
}
