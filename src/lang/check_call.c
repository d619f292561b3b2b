/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls and names: which function, builtin or constant a word stands for, and whether it may stand
 * there. What a function asks of its arguments it says itself (func_def.check).
 */
#include "lang/check_priv.h"
#include "lang/constant.h"
#include "lang/header.h"

/* All names a word could have meant. */
static const char *const *word_list(struct checker *c, size_t *n)
{
	VEC(const char *) words = { 0 };

	for (const struct func_def *const *family = c->env->families; family && *family; family++) {
		for (const struct func_def *f = *family; f->name; f++)
			vec_push(c->arena, &words, f->name);
	}
	vec_each(it, &c->script->macros)
		vec_push(c->arena, &words, (*it)->name);
	vec_each(it, &c->script->subprogs)
		vec_push(c->arena, &words, (*it)->name);
	vec_each(it, &c->script->c_funcs)
		vec_push(c->arena, &words, (*it)->name);
	vec_each(it, &c->priv->c_consts.entries)
		vec_push(c->arena, &words, it->key);
	vec_push(c->arena, &words, "args");
	*n = words.n;
	return words.v;
}

static int unknown_word(struct checker *c, const struct expr *e, const char *what)
{
	struct span span = e->name_span.file ? e->name_span : e->span;
	size_t n;
	const char *const *words = word_list(c, &n);
	int err;

	err = check_error(c, span, "there is no %s '%s'", what, e->name);
	diag_hint_nearest(c->diags, e->name, words, n);
	return err;
}

/* ---- names ---- */

static void constant_take(struct checker *c, struct expr *e, const struct c_const *k)
{
	if (k->str) {
		expr_become_string(c->arena, e, k->str, k->str_len);
		return;
	}
	expr_become_int(e, k->num, k->is_negative);
	if (k->type)
		e->type = k->type;
}

static int check_context(struct checker *c, struct expr *e)
{
	int err = check_offered(c, e->name, e->span);

	if (err)
		return err;
	e->type = c->unit->args;
	return 0;
}

/* A constant of the kernel's headers, or an enumerator of the running kernel. */
static bool kernel_constant(struct checker *c, struct expr *e)
{
	const struct type *of;
	int64_t value;

	if (constant_find(e->name, &value)) {
		expr_become_int(e, value, value < 0);
		return true;
	}
	of = c->env->enumerator ? c->env->enumerator(c->env->struct_type_ctx, e->name, &value) : NULL;
	if (!of)
		return false;
	expr_become_int(e, value, value < 0);
	e->type = of;
	return true;
}

/* The reference's own library reaches a builtin X also as __builtin_X. */
static void builtin_unwrap(struct checker *c, struct expr *e)
{
	static const char prefix[] = "__builtin_";
	const struct func_def *f;

	if (!str_starts(e->name, prefix))
		return;
	f = func_find(c->env->families, e->name + strlen(prefix));
	if (f && f->flags & FUNC_BARE)
		e->name += strlen(prefix);
}

/* A #define of the machine's headers, or nothing. */
static int check_header_macro(struct checker *c, struct expr *e, const char *what)
{
	int r = header_macro(c, e);

	if (r < 0)
		return r;
	return r ? check_expr(c, e) : unknown_word(c, e, what);
}

int check_ident(struct checker *c, struct expr *e)
{
	const struct c_const *k = strmap_get(&c->priv->c_consts, e->name);
	const struct func_def *f;
	int err;

	if (k) {
		constant_take(c, e, k);
		return 0;
	}
	/* Elsewhere ctx is an address: a builtin. */
	if (str_eq(e->name, "args") || (str_eq(e->name, "ctx") && c->unit && c->unit->kind->has_ctx))
		return check_context(c, e);
	builtin_unwrap(c, e);
	f = func_find(c->env->families, e->name);
	if (!f && kernel_constant(c, e))
		return 0;
	k = f ? NULL : header_constant(c, e->name);
	if (k) {
		constant_take(c, e, k);
		return 0;
	}
	if (!f)
		return check_header_macro(c, e, "builtin or constant");
	if (!(f->flags & FUNC_BARE)) {
		err = check_error(c, e->span, "%s is a function", e->name);
		diag_hint(c->diags, "call it: %s", f->signature);
		return err;
	}
	e->kind = EX_CALL;
	e->is_bare = true;
	e->name_span = e->span;
	return check_call(c, e);
}

/* ---- calls ---- */

static int check_arity(struct checker *c, const struct expr *e)
{
	const struct func_def *f = e->func;
	uint32_t n = e->args.n;
	bool few = n < f->min_args;
	int err;

	if (!few && (f->max_args == FUNC_ANY_ARGS || n <= f->max_args))
		return 0;
	if (!f->max_args)
		err = check_error(c, e->span, "%s takes no arguments", f->name);
	else if (f->min_args == f->max_args)
		err = check_error(c, e->span, "%s() takes %u argument%s, not %u", f->name, f->min_args,
				  f->min_args == 1 ? "" : "s", n);
	else
		err = check_error(c, e->span, "%s() takes at %s %u argument%s, not %u", f->name, few ? "least" : "most",
				  few ? f->min_args : f->max_args,
				  (few ? f->min_args : f->max_args) == 1 ? "" : "s", n);
	diag_hint(c->diags, "%s", f->signature);
	return err;
}

static int check_allowed(struct checker *c, const struct expr *e)
{
	const struct func_def *f = e->func;
	int err;

	if (!c->unit)
		return check_error(c, e->span, "nothing can be called outside of a probe");
	if (f->flags & FUNC_UNSAFE && !c->env->unsafe) {
		/* Programs that start the reference look for this text to ask for the flag. */
		return check_error(c, e->span, "%s() is unsafe. To use you need the --unsafe flag", f->name);
	}
	if (f->flags & FUNC_AGGREGATE && c->priv->agg_ok != e) {
		err = check_error(c, e->span, "%s() can only be assigned to a map", f->name);
		diag_hint(c->diags, "@ = %s", f->signature);
		return err;
	}
	if (f->flags & FUNC_ASYNC && !(f->flags & FUNC_STAYS) && c->unit->points.n && c->unit->points.v[0]->stays) {
		err = check_error(c, e->span, "%s() needs the session, and %s runs without one", f->name,
				  c->unit->points.v[0]->name);
		diag_hint(c->diags, "printf() writes to whoever reads the file");
		return err;
	}
	return check_offered(c, f->name, e->span);
}

static int check_args(struct checker *c, struct expr *e)
{
	int err = 0;

	for (uint32_t i = 0; i < e->args.n; i++) {
		struct expr *arg = e->args.v[i];
		int err2;

		if (i == 0 && e->func->flags & FUNC_MAP_ARG && arg->kind == EX_MAP) {
			/* one value of a map that aggregates stays what it is: print(@[comm]) */
			err2 = arg->a ? check_map(c, arg) : check_map_whole(c, arg);
		} else {
			err2 = check_value(c, arg);
		}
		err = err ?: err2;
	}
	return err;
}

int check_call(struct checker *c, struct expr *e)
{
	const struct func_def *f;
	int err;

	builtin_unwrap(c, e);
	f = func_find(c->env->families, e->name);
	e->type = &type_none;
	if (!f && str_eq(e->name, "typeinfo"))
		return check_typeinfo(c, e); /* a word of the grammar: its argument may be a type */
	if (!f && str_eq(e->name, "container_of"))
		return check_container_of(c, e);
	e->sub = f ? NULL : subprog_find(c, e->name);
	e->c_func = f || e->sub ? NULL : c_function_find(c, e->name);
	if (e->sub)
		f = e->sub->def;
	else if (e->c_func)
		f = e->c_func->def;
	if (!f)
		return check_header_macro(c, e, "function");
	e->func = f;
	err = check_allowed(c, e) ?: check_arity(c, e);
	if (err)
		return err;
	if (!(f->flags & FUNC_LAZY_ARGS))
		err = check_args(c, e);
	if (err)
		return err;
	if (f->type)
		e->type = f->type;
	return f->check ? f->check(c, e) : 0;
}
