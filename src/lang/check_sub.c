/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions of the script's own (fn). What they take and return is written down, so calls can be checked
 * before bodies are. A function belongs to no probe: it knows nothing of contexts but what it is handed.
 */
#include "lang/check_priv.h"

/* Arguments of a BPF function are handed over in this many registers. */
#define MOST_PARAMS 5

/* Stands where the kind of the probe would: it offers nothing. */
static const struct probe_kind sub_kind = { .name = "fn" };

struct subprog *subprog_find(const struct checker *c, const char *name)
{
	vec_each(it, &c->script->subprogs)
		if (str_eq((*it)->name, name))
			return *it;
	return NULL;
}

/* ---- what is declared ---- */

static int declared_type(struct checker *c, struct type_ref *tref, const char *what, bool none_ok)
{
	int err = check_type_ref(c, tref);

	if (err)
		return err;
	if (!tref->type->size && !(none_ok && tref->type->kind == TY_NONE))
		return check_error(c, tref->span, "%s cannot be %s: its size is not known", what, tn(c, tref->type));
	return check_storable(c, tref->type, what, tref->span);
}

static int param_declare(struct checker *c, struct subprog *s, const struct param *p)
{
	struct var *v = arena_new_of(c->arena, struct var);
	int err = declared_type(c, p->tref, p->name, false);

	vec_each(it, &s->args)
		if (str_eq((*it)->name, p->name))
			return check_error(c, p->span, "%s() has two parameters %s", s->name, p->name);
	if (err)
		return err;
	*v = (struct var){ .name = p->name, .span = p->span, .type = p->tref->type, .declared = true,
			   .assigned = true, .id = s->unit->vars.n };
	vec_push(c->arena, &s->unit->vars, v);
	vec_push(c->arena, &s->args, v);
	return 0;
}

static const char *signature_of(struct checker *c, const struct subprog *s)
{
	const char *text = "";

	for (uint32_t i = 0; i < s->params.n; i++)
		text = arena_printf(c->arena, "%s%s%s : %s", text, i ? ", " : "", s->params.v[i].name,
				    tn(c, s->params.v[i].tref->type));
	return arena_printf(c->arena, "fn %s(%s) : %s", s->name, text,
			    s->ret->type->kind == TY_NONE ? "void" : tn(c, s->ret->type));
}

/* The value of an argument fits when the parameter can hold all values of its type. Numbers always do: they
 * are cut as in an assignment to a variable of a declared type. */
static bool argument_fits(struct checker *c, const struct type *param, const struct type *arg)
{
	const struct type *t;

	if (arg->kind == TY_NONE || (type_is_int(param) && type_is_int(arg)))
		return true;
	t = type_promote(c->arena, param, arg);
	return t && type_equal(t, param);
}

static int sub_call_check(struct checker *c, struct expr *call)
{
	const struct subprog *s = call->sub;

	for (uint32_t i = 0; i < call->args.n; i++) {
		const struct type *param = s->params.v[i].tref->type, *arg = call->args.v[i]->type;
		int err;

		if (argument_fits(c, param, arg))
			continue;
		err = check_error(c, call->args.v[i]->span, "%s() takes %s as its parameter %s, and this is %s", s->name,
				  tn(c, param), s->params.v[i].name, tn(c, arg));
		diag_hint(c->diags, "%s", s->def->signature);
		return err;
	}
	call->type = s->ret->type;
	return 0;
}

static int sub_declare(struct checker *c, struct subprog *s)
{
	struct attach_point *nowhere = arena_new_of(c->arena, struct attach_point);
	int err = 0;

	s->unit = arena_new_of(c->arena, struct unit);
	s->unit->kind = &sub_kind;
	nowhere->name = s->name;
	nowhere->kind = &sub_kind;
	vec_push(c->arena, &s->unit->points, nowhere);
	if (func_find(c->env->families, s->name))
		return check_error(c, s->name_span, "%s() is a function of the language already", s->name);
	if (subprog_find(c, s->name) != s)
		return check_error(c, s->name_span, "there are two functions %s", s->name);
	if (s->params.n > MOST_PARAMS)
		return check_error(c, s->name_span, "%s() has %u parameters, and a function can have %d", s->name,
				   s->params.n, MOST_PARAMS);
	vec_each(p, &s->params)
		err = param_declare(c, s, p) ?: err;
	err = declared_type(c, s->ret, "what is returned", true) ?: err;
	if (err)
		return err;
	s->def = arena_new_of(c->arena, struct func_def);
	*s->def = (struct func_def){
		.name = s->name, .signature = signature_of(c, s), .check = sub_call_check,
		.min_args = (uint8_t)s->params.n, .max_args = (uint8_t)s->params.n,
		.flags = s->ret->type->kind == TY_NONE ? FUNC_VOID : 0,
	};
	return 0;
}

/* ---- return f(...) at the end of f(): its parameters change, and it begins again ---- */

static struct stmt *stmt_make(struct checker *c, enum stmt_kind kind, const struct span span)
{
	struct stmt *s = arena_new_of(c->arena, struct stmt);

	*s = (struct stmt){ .kind = kind, .span = span };
	return s;
}

static struct expr *expr_make(struct checker *c, enum expr_kind kind, struct span span, const char *name)
{
	struct expr *e = arena_new_of(c->arena, struct expr);

	*e = (struct expr){ .kind = kind, .span = span, .name_span = span, .name = name };
	return e;
}

static struct stmt *assign_make(struct checker *c, enum stmt_kind kind, const char *name, struct expr *value)
{
	struct stmt *s = stmt_make(c, kind, value->span);

	s->target = expr_make(c, EX_VAR, value->span, name);
	s->value = value;
	return s;
}

/* All arguments are known before the first parameter changes. */
static void begin_again(struct checker *c, struct subprog *sub, struct stmt *s)
{
	const struct expr *call = s->value;
	uint32_t n = call->args.n;

	*s = (struct stmt){ .kind = ST_BLOCK, .span = s->span };
	for (uint32_t i = 0; i < n; i++) {
		struct expr *cast = expr_make(c, EX_CAST, call->args.v[i]->span, NULL);

		cast->a = call->args.v[i];
		cast->tref = sub->params.v[i].tref;
		vec_push(c->arena, &s->body, assign_make(c, ST_LET, arena_printf(c->arena, "$(%u)", i), cast));
	}
	for (uint32_t i = 0; i < n; i++) {
		struct expr *from = expr_make(c, EX_VAR, call->args.v[i]->span, arena_printf(c->arena, "$(%u)", i));

		vec_push(c->arena, &s->body, assign_make(c, ST_ASSIGN, sub->params.v[i].name, from));
	}
	vec_push(c->arena, &s->body, stmt_make(c, ST_CONTINUE, s->span));
}

/* Inside a loop, the way back to the beginning would be the way back of that loop. */
static bool tails_change(struct checker *c, struct subprog *sub, stmt_vec *body)
{
	bool any = false;

	vec_each(it, body) {
		struct stmt *s = *it;

		if (s->kind == ST_RETURN && s->value && s->value->kind == EX_CALL && str_eq(s->value->name, sub->name) &&
		    s->value->args.n == sub->params.n) {
			begin_again(c, sub, s);
			any = true;
		} else if (s->kind == ST_IF || s->kind == ST_BLOCK) {
			any |= tails_change(c, sub, &s->body);
			any |= tails_change(c, sub, &s->other);
		}
	}
	return any;
}

static void tails_pass(struct checker *c, struct subprog *sub)
{
	struct stmt *loop, *end;

	if (!sub->ret || !sub->ret->type || !type_is_int(sub->ret->type) || !tails_change(c, sub, &sub->body))
		return;
	loop = stmt_make(c, ST_WHILE, sub->span);
	loop->value = expr_make(c, EX_INT, sub->name_span, NULL);
	loop->value->num = 1;
	loop->body = sub->body;
	end = stmt_make(c, ST_RETURN, sub->span);
	end->value = expr_make(c, EX_INT, sub->name_span, NULL);
	sub->body = (stmt_vec){ 0 };
	vec_push(c->arena, &sub->body, loop);
	vec_push(c->arena, &sub->body, end);
}

int pass_subprogs(struct checker *c)
{
	vec_each(it, &c->script->subprogs) {
		sub_declare(c, *it);
		tails_pass(c, *it);
	}
	return 0;
}

/* ---- bodies ---- */

void check_subprogs(struct checker *c)
{
	vec_each(it, &c->script->subprogs) {
		struct subprog *s = *it;

		c->unit = s->unit;
		c->priv->sub = s;
		c->priv->loops = 0;
		c->priv->scope.n = 0;
		vec_each(v, &s->args)
			vec_push(c->arena, &c->priv->scope, (struct scope_entry){ .var = *v });
		check_scope(c, &s->body);
	}
	c->priv->sub = NULL;
	c->unit = NULL;
}

int check_sub_return(struct checker *c, struct stmt *s)
{
	const struct subprog *sub = c->priv->sub;
	const struct type *t = sub->ret->type;
	int err = s->value ? check_value(c, s->value) : 0;

	if (err)
		return err;
	if (t->kind == TY_NONE)
		return s->value ? check_error(c, s->value->span, "%s() returns nothing (void)", sub->name) : 0;
	if (!s->value)
		return check_error(c, s->span, "%s() must return a value: %s", sub->name, tn(c, t));
	if (argument_fits(c, t, s->value->type))
		return 0;
	return check_error(c, s->value->span, "%s() returns %s, and this is %s", sub->name, tn(c, t),
			   tn(c, s->value->type));
}

/* ---- recursion ---- */

struct recursion {
	struct checker *c;
	enum { NOT_SEEN, BUSY, DONE } *state; /* by place in script.subprogs */
	bool found;
};

static void recursion_visit(struct expr *e, void *ctx);

static uint32_t place_of(const struct checker *c, const struct subprog *s)
{
	uint32_t i = 0;

	while (c->script->subprogs.v[i] != s)
		i++;
	return i;
}

static void recursion_follow(struct recursion *r, struct subprog *s)
{
	uint32_t place = place_of(r->c, s);

	if (r->state[place] == DONE)
		return;
	r->state[place] = BUSY;
	vec_each(it, &s->body)
		stmt_visit(*it, recursion_visit, r);
	r->state[place] = DONE;
}

static void recursion_visit(struct expr *e, void *ctx)
{
	struct recursion *r = ctx;

	if (e->kind != EX_CALL || !e->sub || r->found)
		return;
	if (r->state[place_of(r->c, e->sub)] != BUSY) {
		recursion_follow(r, e->sub);
		return;
	}
	r->found = true;
	check_error(r->c, e->span, "recursion: %s() is called while it runs, and the call stack of "
		    "more than 8 frames is too deep for the kernel", e->sub->name);
	diag_hint(r->c->diags, "a loop (while, for) can often do the same, and so can return %s(...) where nothing is left to do", e->sub->name);
}

int pass_recursion(struct checker *c)
{
	struct recursion r = { .c = c };

	r.state = arena_alloc(c->arena, (c->script->subprogs.n + 1) * sizeof(*r.state));
	vec_each(it, &c->script->subprogs)
		recursion_follow(&r, *it);
	return 0;
}
