/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statements of the checker: assignments, loops, conditions, and clauses as a whole. */
#include "lang/check_priv.h"

static int check_stmt(struct checker *c, struct stmt *s);

static bool stmt_leaves(const struct stmt *s)
{
	const struct expr *e = s->value;

	if (s->kind == ST_EXPR)
		return e->kind == EX_CALL && e->func && e->func->flags & FUNC_LEAVES;
	return s->kind == ST_RETURN || s->kind == ST_BREAK || s->kind == ST_CONTINUE;
}

/* A block in one line is shown as a whole, as the reference does it; of a longer one, what is not reached. */
static struct span unreached_span(const struct checker *c, const stmt_vec *body, const struct stmt *s)
{
	const struct source *src = source_of(c->diags->sources, s->span);
	struct span span = span_join(body->v[0]->span, body->v[body->n - 1]->span);

	if (!src || span.end > src->len || body->v[0]->span.file != s->span.file)
		return s->span;
	while (span.begin && !strchr("{\n", src->text[span.begin]))
		span.begin--;
	while (span.end < src->len && !strchr("}\n", src->text[span.end]))
		span.end++;
	if (src->text[span.begin] != '{' || src->text[span.end] != '}' ||
	    memchr(src->text + span.begin, '\n', span.end - span.begin))
		return s->span;
	span.end++;
	return span;
}

int check_body(struct checker *c, stmt_vec *body)
{
	int err = 0;

	for (uint32_t i = 0; i < body->n; i++) {
		int err2 = check_stmt(c, body->v[i]);

		err = err ?: err2;
		if (c->last_pass && i && stmt_leaves(body->v[i - 1]))
			diag_warn(c->diags, unreached_span(c, body, body->v[i]), "Unreachable statement.");
	}
	return err;
}

int check_scope(struct checker *c, stmt_vec *body)
{
	uint32_t mark = scope_enter(c);
	int err = check_body(c, body);

	scope_leave(c, mark);
	return err;
}

static int check_loop_body(struct checker *c, stmt_vec *body)
{
	int err;

	c->priv->loops++;
	err = check_scope(c, body);
	c->priv->loops--;
	return err;
}

/* ---- expressions and assignments ---- */

/* Does computing the expression do anything but yield a value? */
static void note_effect(struct expr *e, void *ctx)
{
	if (e->kind == EX_INCDEC || e->kind == EX_BLOCK || e->kind == EX_IF ||
	    (e->kind == EX_CALL && (!e->func || !(e->func->flags & FUNC_PURE))))
		*(bool *)ctx = true;
}

static int check_expr_stmt(struct checker *c, struct stmt *s)
{
	bool effect = false;
	int err = check_expr(c, s->value);

	if (err || !c->last_pass)
		return err;
	expr_visit(s->value, note_effect, &effect);
	if (!effect)
		diag_warn(c->diags, s->value->span, "the value of this is not used");
	return 0;
}

/* op= on what has type `old`: the type of the result. NULL after a diagnostic. */
static const struct type *updated_type(struct checker *c, struct stmt *s, const struct type *old)
{
	const struct type *with = s->value->type;
	bool is_zero = s->value->kind == EX_INT && !s->value->num;

	if (type_is_agg(old)) {
		check_error(c, s->span, "%s holds %s, which only its own function can bring up to date",
			    s->target->name, tn(c, old));
		return NULL;
	}
	if (old->kind == TY_NONE || with->kind == TY_NONE)
		return &type_none;
	if ((s->op == OP_DIV || s->op == OP_MOD) && is_zero) {
		check_error(c, s->span, "division by zero");
		return NULL;
	}
	if (type_is_int(old) && type_is_int(with))
		return type_of_arithmetic(s->op, old, with);
	if (old->kind == TY_POINTER && type_is_int(with) && (s->op == OP_ADD || s->op == OP_SUB))
		return old;
	check_error(c, s->span, "%s= cannot be applied to %s and %s", op_text(s->op), tn(c, old), tn(c, with));
	return NULL;
}

static int assign_variable(struct checker *c, struct stmt *s)
{
	const struct type *type;
	struct var *v;
	int err = check_value(c, s->value);

	if (s->op != OP_NONE) {
		int err2 = check_expr(c, s->target);

		if (err || err2)
			return err ?: err2;
		v = s->target->var;
		type = updated_type(c, s, v->type);
		if (!type)
			return -EINVAL;
		if (v->declared && type_is_int(v->type))
			type = v->type; /* the result is cut to the declared size */
		v->assigned = true;
	} else {
		v = var_assigned(c, s->target);
		type = s->value->type;
	}
	err = err ?: var_store(c, v, type, s->span);
	s->target->type = v->type;
	return err;
}

static int update_map(struct checker *c, struct stmt *s)
{
	struct map *m = s->target->map;
	const struct type *type;
	int err = check_value(c, s->value);

	if (err)
		return err;
	m->is_read = true;
	type = updated_type(c, s, m->value);
	return type ? check_map_value(c, m, type, s->span) : -EINVAL;
}

/* @a = @b where @b aggregates: a number, if @a is known to hold numbers. */
static int assign_from_agg(struct checker *c, struct stmt *s)
{
	struct map *m = s->target->map;
	const struct expr *v = s->value;
	int err;

	if (type_is_int(m->value) || !type_agg_readable(v->type))
		return check_value(c, s->value) ?: check_map_value(c, m, s->value->type, s->span);
	map_info(c, m)->copies_agg = true;
	if (m->value->kind == TY_NONE && !c->last_pass)
		return 0;
	err = check_error(c, v->span, "%s cannot be copied from one map to another", tn(c, v->type));
	diag_hint(c->diags, "to keep its present value, cast it: (int64)%s", v->name ? v->name : "...");
	return err;
}

static bool is_agg_call(const struct expr *e)
{
	return e->kind == EX_CALL && e->func && e->func->flags & FUNC_AGGREGATE;
}

static int assign_map(struct checker *c, struct stmt *s)
{
	struct map *m;
	int err = check_map_place(c, s->target), err2;

	m = s->target->map;
	m->is_written = true;
	if (s->op != OP_NONE)
		return err ?: update_map(c, s);
	map_info(c, m)->is_assigned = true;
	c->priv->agg_ok = s->value;
	err2 = check_expr(c, s->value);
	c->priv->agg_ok = NULL;
	if (err || err2)
		return err ?: err2;
	map_info(c, m)->gathers |= is_agg_call(s->value);
	if (type_is_agg(s->value->type) && !is_agg_call(s->value))
		err = assign_from_agg(c, s);
	else
		err = (is_agg_call(s->value) ? 0 : check_value(c, s->value)) ?:
		      check_map_value(c, m, s->value->type, s->span);
	s->target->type = m->value;
	return err;
}

/* The value of a block, of its last block, ... */
static const struct expr *last_value(const struct expr *e)
{
	while (e && e->kind == EX_BLOCK)
		e = e->a;
	return e;
}

/* @ = { ...; avg($x) } is { ...; @ = avg($x) }, for what aggregates stands only behind a map. */
static bool aggregates_in_block(const struct checker *c, const struct stmt *s)
{
	const struct expr *last = last_value(s->value);
	const struct func_def *f = last && last->kind == EX_CALL ? func_find(c->env->families, last->name) : NULL;

	return s->target->kind == EX_MAP && s->op == OP_NONE && s->value->kind == EX_BLOCK && f &&
	       f->flags & FUNC_AGGREGATE;
}

static void assign_in_block(struct checker *c, struct stmt *s)
{
	struct stmt *last = arena_new_of(c->arena, struct stmt);
	struct expr *block = s->value;

	*last = *s;
	last->value = block->a;
	s->kind = ST_BLOCK;
	s->body = block->body;
	vec_push(c->arena, &s->body, last);
	s->target = s->value = NULL;
}

static int check_assign(struct checker *c, struct stmt *s)
{
	if (!s->target) /* _ = value */
		return check_value(c, s->value);
	if (s->target->kind == EX_VAR)
		return assign_variable(c, s);
	if (aggregates_in_block(c, s)) {
		assign_in_block(c, s);
		return check_stmt(c, s);
	}
	if (s->target->kind == EX_MAP)
		return assign_map(c, s);
	check_value(c, s->value);
	return check_error(c, s->target->span, "only variables and maps can be assigned to");
}

static int let_type(struct checker *c, struct stmt *s, struct var *v)
{
	const struct type *t;
	int err;

	v->missing = !s->value && check_type_missing(c, s->tref) ? s->tref : NULL;
	if (v->missing)
		return 0;
	err = check_type_ref(c, s->tref);
	if (err)
		return err;
	t = s->tref->type;
	if (t->kind == TY_NONE && s->tref->kind == TREF_TYPEOF)
		return 0;
	if (!t->size)
		return check_error(c, s->tref->span, "a variable cannot be %s", tn(c, t));
	v->type = t;
	/* a string without a size grows as usual */
	v->declared = !(t->kind == TY_STRING && !s->tref->dims.n && s->tref->kind == TREF_NAME);
	return 0;
}

static int check_let(struct checker *c, struct stmt *s)
{
	bool again = s->target->var != NULL;
	int err = s->value ? check_value(c, s->value) : 0, err2 = var_declare(c, s->target);
	struct var *v = s->target->var;

	if (err2)
		return err2;
	if (s->tref && (!again || v->type->kind == TY_NONE))
		err = let_type(c, s, v) ?: err;
	if (s->value) {
		v->assigned = true;
		err = err ?: var_store(c, v, s->value->type, s->span);
	}
	s->target->type = v->type;
	return err;
}

/* ---- control ---- */

static int check_branch_body(struct checker *c, stmt_vec *body, bool excluded)
{
	int err;

	c->priv->unreached += excluded;
	err = check_scope(c, body);
	c->priv->unreached -= excluded;
	return err;
}

bool check_is_reached(const struct checker *c)
{
	return !c->priv->unreached;
}

static int check_if_stmt(struct checker *c, struct stmt *s)
{
	bool comptime = s->value->kind == EX_COMPTIME;
	int err = check_condition(c, s->value, "a condition"), err2, err3;

	if (!err && comptime) {
		if (!expr_is_literal(s->value))
			return 0; /* not settled yet */
		/* what is not taken is not looked at, now and later */
		params_mark_stmts(c, literal_is_true(s->value) ? &s->other : &s->body);
		if (literal_is_true(s->value))
			s->other.n = 0;
		else
			s->body.n = 0;
	}
	err2 = check_branch_body(c, &s->body, !err && expr_is_literal(s->value) && !literal_is_true(s->value));
	err3 = check_branch_body(c, &s->other, !err && expr_is_literal(s->value) && literal_is_true(s->value));
	return err ?: err2 ?: err3;
}

static int check_while(struct checker *c, struct stmt *s)
{
	int err = check_condition(c, s->value, "a condition"), err2 = check_loop_body(c, &s->body);

	return err ?: err2;
}

/* The variable of a loop lives in a scope around the body. */
static int check_loop_over(struct checker *c, struct stmt *s, const struct type *type)
{
	uint32_t mark = scope_enter(c);
	int err = var_declare(c, s->target), err2 = 0;

	if (!err) {
		s->target->var->assigned = true;
		/* What a map holds may get a sign from what comes later: what was seen in an earlier round is void. */
		if (s->kind == ST_FOR_MAP && type->kind != TY_NONE && type_changed(s->target->var->type, type)) {
			s->target->var->type = type;
			c->changed = true;
		}
		err = var_store(c, s->target->var, type, s->target->span);
		s->target->type = s->target->var->type;
		err2 = check_loop_body(c, &s->body);
	}
	scope_leave(c, mark);
	return err ?: err2;
}

static int check_for_map(struct checker *c, struct stmt *s)
{
	const struct type *items[2], *tuple = &type_none;
	struct map *m;
	int err;

	if (s->value->kind != EX_MAP || s->value->a)
		return check_error(c, s->value->span, "a loop goes over a whole map (@x) or a range (0..10)");
	err = check_map_whole(c, s->value);
	m = s->value->map;
	m->iterated = true;
	if (m->key_known && !m->key)
		return check_error(c, s->value->span, "%s has no keys to go over", m->name);
	if (type_is_agg(m->value) && !type_agg_readable(m->value))
		return check_error(c, s->value->span, "%s holds %s: its entries have no single value to go over",
				   m->name, tn(c, m->value));
	if (m->key_known && m->key->kind != TY_NONE && m->value->kind != TY_NONE) {
		items[0] = m->key;
		items[1] = type_is_agg(m->value) ? type_agg_value(m->value) : m->value;
		tuple = type_tuple(c->arena, items, NULL, 2);
	} else if (c->last_pass) {
		return check_error(c, s->value->span, "nothing is ever assigned to %s", m->name);
	}
	return err ?: check_loop_over(c, s, tuple);
}

static int check_bound(struct checker *c, struct expr *e)
{
	int err = check_value(c, e);

	if (err || e->type->kind == TY_NONE || type_is_int(e->type))
		return err;
	return check_error(c, e->span, "the bound of a range must be an integer, and this is %s", tn(c, e->type));
}

static int check_for_range(struct checker *c, struct stmt *s)
{
	const struct type *type;
	int err = check_bound(c, s->from), err2 = check_bound(c, s->to);

	if (err || err2)
		return err ?: err2;
	if (s->from->type->kind == TY_NONE || s->to->type->kind == TY_NONE)
		return check_loop_over(c, s, &type_none);
	type = type_promote(c->arena, s->from->type, s->to->type);
	return check_loop_over(c, s, type && type->kind == TY_INT ? type : &type_int64);
}

#define UNROLL_MOST 100

static int check_unroll(struct checker *c, struct stmt *s)
{
	int err = check_value(c, s->value), err2;

	if (!err && s->value->kind == EX_INT) {
		struct span head = { .file = s->span.file, .begin = s->span.begin, .end = s->value->span.end };

		if (s->value->negative_ok || s->value->num < 1)
			err = check_error(c, head, "unroll minimum value is 1");
		else if (s->value->num > UNROLL_MOST)
			err = check_error(c, head, "unroll maximum value is %d", UNROLL_MOST);
	} else if (!err && (c->last_pass || s->value->type->kind != TY_NONE)) {
		err = check_error(c, s->value->span, "the number of rounds must be a literal");
	}
	err2 = check_scope(c, &s->body);
	return err ?: err2;
}

static int check_jump(struct checker *c, struct stmt *s)
{
	if (c->priv->loops)
		return 0;
	return check_error(c, s->span, "%s stands outside of a loop", s->kind == ST_BREAK ? "break" : "continue");
}

static int check_return(struct checker *c, struct stmt *s)
{
	int err;

	if (c->priv->sub)
		return check_sub_return(c, s);
	err = s->value ? check_value(c, s->value) : 0;
	if (err || !s->value || s->value->type->kind == TY_NONE || type_is_int(s->value->type))
		return err;
	return check_error(c, s->value->span, "a probe returns an integer, and this is %s",
			   tn(c, s->value->type));
}

static int check_block_stmt(struct checker *c, struct stmt *s)
{
	return check_scope(c, &s->body);
}

static int (*const stmt_checks[])(struct checker *, struct stmt *) = {
	[ST_EXPR] = check_expr_stmt,
	[ST_ASSIGN] = check_assign,
	[ST_LET] = check_let,
	[ST_IF] = check_if_stmt,
	[ST_WHILE] = check_while,
	[ST_FOR_MAP] = check_for_map,
	[ST_FOR_RANGE] = check_for_range,
	[ST_UNROLL] = check_unroll,
	[ST_BREAK] = check_jump,
	[ST_CONTINUE] = check_jump,
	[ST_RETURN] = check_return,
	[ST_BLOCK] = check_block_stmt,
};

static int check_stmt(struct checker *c, struct stmt *s)
{
	return stmt_checks[s->kind](c, s);
}

int check_clause(struct checker *c, struct clause *clause)
{
	int err = 0, err2;

	c->priv->scope.n = 0;
	c->priv->loops = 0;
	if (clause->pred)
		err = check_condition(c, clause->pred, "a predicate");
	err2 = check_scope(c, &clause->body);
	vars_hoist(c, clause);
	return err ?: err2;
}
