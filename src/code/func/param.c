/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Param: named parameters of a script: `-- --name=value`. Always constants. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "code/func/func_priv.h"

static struct named_param *param_find(const struct check_env *env, const char *name)
{
	for (uint32_t i = 0; i < env->nnamed; i++) {
		if (str_eq(env->named[i].name, name))
			return &env->named[i];
	}
	return NULL;
}

/* "--name" alone is true. */
static int become_bool(struct checker *c, struct expr *call, const struct named_param *p)
{
	if (!p->value || !strcasecmp(p->value, "true") || str_eq(p->value, "1")) {
		call_become_bool(call, true);
		return 0;
	}
	if (!strcasecmp(p->value, "false") || str_eq(p->value, "0")) {
		call_become_bool(call, false);
		return 0;
	}
	check_error(c, call->span, "the parameter --%s is a bool, and '%s' is none", p->name, p->value);
	diag_hint(c->diags, "give true, false, 1, 0, or --%s alone for true", p->name);
	return -EINVAL;
}

/* The text of what is wrong with an option is the reference's: programs that start it look for it. */
static int become_int(struct checker *c, struct expr *call, const struct named_param *p)
{
	const struct span nowhere = { 0 };
	char *end;
	bool negative;
	int64_t v;

	if (!p->value)
		return check_error(c, call->span, "the parameter --%s is an integer: give --%s=NUMBER", p->name,
				   p->name);
	negative = *p->value == '-';
	errno = 0;
	v = negative ? strtoll(p->value, &end, 0) : (int64_t)strtoull(p->value, &end, 0);
	if (errno || end == p->value || *end)
		return check_error(c, nowhere, "program command line option --%s invalid integer (value: %s)", p->name,
				   p->value);
	expr_become_int(call, v, negative);
	return 0;
}

static int become_string(struct checker *c, struct expr *call, const struct named_param *p)
{
	if (!p->value)
		return check_error(c, call->span, "the parameter --%s is a string: give --%s=TEXT", p->name,
				   p->name);
	expr_become_string(c->arena, call, p->value, (uint32_t)strlen(p->value));
	return 0;
}

static void become_default(struct checker *c, struct expr *call, const struct expr *def)
{
	if (!def)
		call_become_bool(call, false);
	else if (def->kind == EX_BOOL)
		call_become_bool(call, def->num);
	else if (def->kind == EX_STR)
		expr_become_string(c->arena, call, def->str, def->str_len);
	else
		expr_become_int(call, (int64_t)def->num, def->negative_ok);
}

/* getopt("x") is getopt("x", false). */
static bool default_same(const struct expr *a, const struct expr *b)
{
	enum expr_kind kind_a = a ? a->kind : EX_BOOL, kind_b = b ? b->kind : EX_BOOL;

	if (kind_a != kind_b)
		return false;
	if (kind_a == EX_STR)
		return a->str_len == b->str_len && !memcmp(a->str, b->str, a->str_len);
	return (a ? a->num : 0) == (b ? b->num : 0);
}

/* A parameter has one default, wherever it is asked for. *out is what is known of it. */
static int default_agrees(struct checker *c, const struct expr *call, const char *name, const struct expr *def,
			  struct param_use **out)
{
	struct param_use *use;
	struct expr *copy = NULL;

	for (use = c->params_used; use; use = use->next)
		if (str_eq(use->name, name))
			break;
	if (use && !default_same(use->def, def)) {
		check_error(c, def ? def->span : call->span, "the parameter --%s has another default elsewhere", name);
		diag_hint(c->diags, "give all getopt(\"%s\", ...) the same, or wrap one in a macro", name);
		return -EINVAL;
	}
	*out = use;
	if (use)
		return 0;
	if (def) {
		copy = arena_new_of(c->arena, struct expr);
		*copy = *def;
	}
	use = arena_new_of(c->arena, struct param_use);
	*use = (struct param_use){ .name = name, .def = copy, .next = c->params_used };
	c->params_used = *out = use;
	return 0;
}

static int getopt_check(struct checker *c, struct expr *call)
{
	const struct expr *def = call->args.n > 1 ? call_arg(call, 1) : NULL;
	struct param_use *use;
	struct named_param *p;
	const char *text;
	int r = check_arg_literal_string(c, call, 0, &text);

	if (r < 0)
		return r;
	if (def && !expr_is_literal(def))
		return check_error(c, def->span,
				   "the default of a parameter must be a literal: a number, true, false or a string");
	r = default_agrees(c, call, text, def, &use);
	if (r < 0)
		return r;
	p = param_find(c->env, text);
	if (call->args.n > 2) {
		r = check_arg_literal_string(c, call, 2, &use->description);
		if (r < 0)
			return r;
	}
	if (!p) {
		become_default(c, call, def);
		return 0;
	}
	p->used = true;
	if (!def || def->kind == EX_BOOL)
		return become_bool(c, call, p);
	return def->kind == EX_STR ? become_string(c, call, p) : become_int(c, call, p);
}

/* config() is a record of all variables, each a literal. */
static int config_check(struct checker *c, struct expr *call)
{
	struct expr record = { .kind = EX_RECORD, .span = call->span, .name_span = call->span }, *value;
	const char *name;

	for (uint32_t i = 0; (name = config_name(i)); i++) {
		value = arena_new_of(c->arena, struct expr);
		*value = (struct expr){ .kind = EX_INT, .span = call->span };
		if (!config_value(c, i, value))
			continue;
		vec_push(c->arena, &record.args, value);
		vec_push(c->arena, &record.names, name);
	}
	*call = record;
	return check_expr(c, call);
}

func_family funcs_param = {
	{ "config", .signature = "record config()", .summary = "the config variables, as members of a record",
	  .check = config_check },
	{ "getopt", .signature = "T getopt(string name[, T default[, string description]])",
	  .summary = "value of the parameter --name, of its default's type; no default: whether it was given",
	  .min_args = 1, .max_args = 3, .check = getopt_check },
	{ 0 },
};
