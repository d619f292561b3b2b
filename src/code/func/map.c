/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Map: single entries of maps. (Whole maps: output.c.) */
#include <errno.h>

#include "code/func/func_priv.h"

/* delete(@m, k), or as it was written earlier, delete(@m[k]): the key; NULL: a scalar map. */
static struct expr *delete_key(const struct expr *call)
{
	return call->args.n > 1 ? call_arg(call, 1) : call_arg(call, 0)->a;
}

static int delete_check(struct checker *c, struct expr *call)
{
	const struct expr *arg = call_arg(call, 0), *key = delete_key(call);
	struct map *map;

	call->type = &type_bool;
	if (arg->kind != EX_MAP)
		return check_error(c, arg->span, "delete() takes a map as its first argument");
	if (arg->a && call->args.n > 1)
		return check_error(c, call_arg(call, 1)->span,
				   "delete() is given a key twice: in the map's brackets and after it");
	if (arg->a)
		return 0; /* checked as any entry of a map */
	if (check_arg_map(c, call, 0, key != NULL, &map) < 0)
		return -EINVAL;
	if (key)
		return key->type->kind == TY_NONE ? 0 : check_map_key(c, map, key->type, key->span);
	if (!map->key_known || !map->key)
		return 0;
	check_error(c, arg->span, "delete() needs the key of the entry: %s has keys", arg->name);
	diag_hint(c->diags, "delete(%s, key) removes one entry, clear(%s) all of them", arg->name, arg->name);
	return -EINVAL;
}

/* A scalar map has its one element for ever: it becomes zeros, not set. The result is whether it was. */
static vreg delete_scalar(struct lower *l, const struct map *map)
{
	const struct map_desc *desc = lower_map_desc(l, map);
	uint32_t found = ir_block_new(l->f, "found"), done = ir_block_new(l->f, "deleted");
	vreg was_set = ir_vreg_new(l->f, "was_set"), key, value;

	lower_map_key(l, map, NULL, &key);
	value = lower_map_lookup(l, map, key);
	ir_mov_to(l->f, was_set, ir_const(l->f, 0));
	ir_br_imm(l->f, CC_NE, value, 0, found, done);
	ir_block_use(l->f, found);
	ir_mov_to(l->f, was_set, ir_load(l->f, value, (int32_t)desc->set_offset, 8, false));
	lower_zero(l, value, 0, desc->set_offset + 8);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return was_set;
}

/* What every processor has a part of cannot be removed from one of them: the session clears it. */
static int delete_percpu_scalar(struct lower *l, struct expr *call, struct map *map, struct val *out)
{
	struct site *s = lower_site(l, call);

	s->map = map;
	*out = val_of_reg(&type_bool, ir_const(l->f, 1));
	return lower_event(l, s, NULL, 0);
}

static int delete_emit(struct lower *l, struct expr *call, struct val *out)
{
	struct map *map = call_arg(call, 0)->map;
	vreg key, done;
	int r;

	if (lower_map_desc(l, map)->form == MAP_PERCPU_SCALAR)
		return delete_percpu_scalar(l, call, map, out);
	if (!map->key) {
		*out = val_of_reg(&type_bool, delete_scalar(l, map));
		return 0;
	}
	r = lower_map_key(l, map, delete_key(call), &key);
	if (r < 0)
		return r;
	done = lower_map_delete(l, map, key);
	lower_tell_missing(l, CC_NE, done, -ENOENT, "map_delete_elem");
	if (lower_discards(l, call))
		lower_count_if(l, CC_NE, done, COUNTER_DELETES);
	*out = val_of_reg(&type_bool, ir_setcc_imm(l->f, CC_EQ, done, 0));
	return 0;
}

static int delete_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	(void)data;
	(void)len;
	return act->map_delete(act->ctx, site->map);
}

static int has_key_check(struct checker *c, struct expr *call)
{
	const struct expr *key = call_arg(call, 1);
	struct map *map;
	int r = check_arg_map(c, call, 0, true, &map);

	if (r < 0 || key->type->kind == TY_NONE)
		return r;
	return check_map_key(c, map, key->type, key->span);
}

static int has_key_emit(struct lower *l, struct expr *call, struct val *out)
{
	const struct map *map = call_arg(call, 0)->map;
	vreg key;
	int r = lower_map_key(l, map, call_arg(call, 1), &key);

	if (r < 0)
		return r;
	*out = val_of_reg(&type_bool, ir_setcc_imm(l->f, CC_NE, lower_map_lookup(l, map, key), 0));
	return 0;
}

/* What a pointer is made of: (void *)&x is x. */
static struct expr *pointed_to(struct expr *e)
{
	while (e->kind == EX_CAST && e->tref)
		e = e->a;
	return e->kind == EX_UNARY && e->op == OP_ADDR ? e->a : NULL;
}

/* As the reference's library spells it, which scripts that look into it call by its own name. */
static int has_key_at_check(struct checker *c, struct expr *call)
{
	struct expr *map = pointed_to(call_arg(call, 0)), *key = pointed_to(call_arg(call, 1));

	if (!map || map->kind != EX_MAP || map->a || !key)
		return check_error(c, call->span, "%s() takes the addresses of a map and of a variable: "
				   "%s((void *)&@map, (void *)&$key)", call->name, call->name);
	call->args.v[0] = map;
	call->args.v[1] = key;
	call->name = "has_key";
	return check_expr(c, call);
}

/* find(@m, key, $v): checked here, because the variable need not have a value yet. */
static int find_check(struct checker *c, struct expr *call)
{
	struct expr *key = call_arg(call, 1);
	const struct type *value = &type_none;
	struct map *map;
	int r;

	r = check_arg_whole_map(c, call_arg(call, 0));
	if (r < 0)
		return r;
	r = check_arg_map(c, call, 0, true, &map);
	if (r < 0)
		return r;
	r = check_arg_value(c, key);
	if (r < 0)
		return r;
	if (key->type->kind != TY_NONE)
		r = check_map_key(c, map, key->type, key->span);
	if (map->value->kind == TY_HIST || map->value->kind == TY_LHIST || map->value->kind == TY_TSERIES ||
	    map->value->kind == TY_STATS)
		return check_error(c, call_arg(call, 0)->span, "find() cannot take a value out of %s: it holds %s", map->name,
				   type_name(c->arena, map->value));
	if (map->value->kind != TY_NONE)
		value = type_is_agg(map->value) ? type_integer(8, map->value->is_signed) : map->value;
	return r < 0 ? r : check_arg_out(c, call, 2, value);
}

static int find_emit(struct lower *l, struct expr *call, struct val *out)
{
	const struct map *map = call_arg(call, 0)->map;
	uint32_t found = ir_block_new(l->f, "found"), done = ir_block_new(l->f, "searched");
	vreg is_there = ir_vreg_new(l->f, "found"), key, p;
	struct val value;
	int r = lower_map_key(l, map, call_arg(call, 1), &key);

	if (r < 0)
		return r;
	ir_mov_to(l->f, is_there, ir_const(l->f, 0));
	p = lower_map_lookup(l, map, key);
	ir_br_imm(l->f, CC_NE, p, 0, found, done);
	ir_block_use(l->f, found);
	if (type_is_agg(map->value))
		r = lower_map_reduce(l, map, call->span, key, &value);
	else
		value = val_of_mem(map->value, p, 0, SPACE_NONE);
	if (r >= 0)
		r = lower_var_assign(l, call_arg(call, 2)->var, &value);
	ir_mov_to(l->f, is_there, ir_const(l->f, 1));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	*out = val_of_reg(&type_bool, is_there);
	return r;
}

/* A stack, also one that a map holds; but not a whole map of stacks. */
static bool is_stack(const struct expr *e)
{
	return (e->type->kind == TY_KSTACK || e->type->kind == TY_USTACK) &&
	       (e->kind != EX_MAP || e->a || !e->map->key);
}

static int len_check(struct checker *c, struct expr *call)
{
	const struct expr *arg = call_arg(call, 0);
	struct map *map;

	if (is_stack(arg)) {
		call->type = &type_int64;
		return 0;
	}
	if (call_arg_unknown(call, 0) && arg->kind != EX_MAP)
		return 0;
	if (arg->kind != EX_MAP || arg->a)
		return check_error(c, arg->span, "len() takes a map or a stack, and this is %s", type_name(c->arena, arg->type));
	call->type = &type_int64;
	return check_arg_map(c, call, 0, true, &map);
}

/* A stack says itself how many frames it has. */
static int stack_len_emit(struct lower *l, struct expr *stack, struct val *out)
{
	struct val v = { 0 };
	int r = lower_expr(l, stack, &v);

	if (r < 0)
		return r;
	v = val_local(l, &v);
	*out = val_of_reg(&type_int64, ir_load(l->f, v.reg, v.off, 4, false));
	return 0;
}

static int len_emit(struct lower *l, struct expr *call, struct val *out)
{
	if (is_stack(call_arg(call, 0)))
		return stack_len_emit(l, call_arg(call, 0), out);
	*out = val_of_reg(&type_int64, lower_map_len(l, call_arg(call, 0)->map));
	return 0;
}

func_family funcs_map = {
	{ "delete", .signature = "bool delete(@map, key) or delete(@scalar)",
	  .summary = "remove one entry of a map; whether it was there",
	  .min_args = 1, .max_args = 2, .flags = FUNC_MAP_ARG | FUNC_ASYNC,
	  .check = delete_check, .emit = delete_emit, .act = delete_act },
	{ "has_key", .signature = "bool has_key(@map, key)", .summary = "whether the map has an entry of this key",
	  .min_args = 2, .max_args = 2, .flags = FUNC_MAP_ARG, .type = &type_bool,
	  .check = has_key_check, .emit = has_key_emit },
	{ "__has_key", .signature = "bool __has_key(void *map, void *key)", .summary = "has_key()", .min_args = 2,
	  .max_args = 2, .flags = FUNC_LAZY_ARGS | FUNC_HIDDEN, .type = &type_bool, .check = has_key_at_check },
	{ "find", .signature = "bool find(@map, key, $variable)",
	  .summary = "whether the map has an entry of this key; if so, its value goes into the variable",
	  .min_args = 3, .max_args = 3, .flags = FUNC_MAP_ARG | FUNC_LAZY_ARGS, .type = &type_bool,
	  .check = find_check, .emit = find_emit },
	{ "len", .signature = "int64 len(@map) or len(stack)",
	  .summary = "how many entries the map, or frames the stack has",
	  .min_args = 1, .max_args = 1, .flags = FUNC_MAP_ARG, .check = len_check, .emit = len_emit },
	{ 0 },
};
