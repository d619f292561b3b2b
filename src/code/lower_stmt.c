/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lower, statements: assignments and control flow. */
#include <errno.h>

#include "base/util.h"
#include "code/lower_priv.h"

/* ---- variables ---- */

struct uses {
	const struct var *var;
	bool found;
};

static void uses_visit(struct expr *e, void *ctx)
{
	struct uses *u = ctx;

	if (e->kind == EX_VAR && e->var == u->var)
		u->found = true;
}

bool expr_uses_var(struct expr *e, const struct var *v)
{
	struct uses u = { .var = v };

	expr_visit(e, uses_visit, &u);
	return u.found;
}

static void var_clear(struct lower *l, const struct var *v)
{
	struct val at;

	if (type_is_scalar(v->type)) {
		lower_var_write(l, v, ir_const(l->f, 0));
		return;
	}
	at = lower_var_memory(l, v);
	lower_zero(l, at.reg, at.off, v->type->size);
}

static int var_set(struct lower *l, const struct var *v, struct expr *value)
{
	struct val at, made;
	vreg r;
	int err;

	if (type_is_scalar(v->type)) {
		err = lower_scalar(l, value, &r);
		if (!err)
			lower_var_write(l, v, lower_convert(l, r, lower_read_type(value->type), v->type));
		return err;
	}
	if (!expr_uses_var(value, v)) {
		at = lower_var_memory(l, v);
		return lower_to_memory(l, value, v->type, at.reg, at.off);
	}
	/* $t = ($t.1, $t.0): made elsewhere, then moved. */
	made = val_slot(l, v->type, "moved");
	err = lower_to_memory(l, value, v->type, made.reg, 0);
	at = lower_var_memory(l, v);
	if (!err)
		lower_copy(l, at.reg, at.off, made.reg, 0, v->type->size);
	return err;
}

static int var_change(struct lower *l, struct stmt *s)
{
	const struct var *v = s->target->var;
	vreg r, new;
	int err;

	if (!type_is_scalar(v->type))
		return diag_error(l->diags, s->span, "%s= needs a number on its left", op_text(s->op));
	err = lower_scalar(l, s->value, &r);
	if (!err)
		err = lower_arith(l, s->op, s->span, lower_var_read(l, v), v->type, r,
				  lower_read_type(s->value->type), v->type, &new);
	if (!err)
		lower_var_write(l, v, new);
	return err;
}

static int lower_assign(struct lower *l, struct stmt *s)
{
	struct val unused = { 0 };

	if (!s->target)
		return lower_expr(l, s->value, &unused);
	if (s->target->kind == EX_MAP)
		return lower_map_assign(l, s);
	if (s->target->kind != EX_VAR)
		return lower_unexpected(l, s->target->span, "assigning to this");
	return s->op == OP_NONE ? var_set(l, s->target->var, s->value) : var_change(l, s);
}

static int lower_let(struct lower *l, struct stmt *s)
{
	/* Declared, but neither assigned nor read: it never got a type. */
	if (s->target->var->type->kind == TY_NONE)
		return 0;
	if (s->value)
		return var_set(l, s->target->var, s->value);
	var_clear(l, s->target->var);
	return 0;
}

/* ---- control flow ---- */

static int lower_if(struct lower *l, struct stmt *s)
{
	uint32_t yes = ir_block_new(l->f, "if"), no = ir_block_new(l->f, "else"), done;
	int err = lower_cond(l, s->value, yes, no);

	ir_block_use(l->f, yes);
	if (!err)
		err = lower_stmts(l, &s->body);
	done = s->other.n ? ir_block_new(l->f, "endif") : no;
	ir_jmp(l->f, done);
	if (!s->other.n) {
		ir_block_use(l->f, done);
		return err;
	}
	ir_block_use(l->f, no);
	if (!err)
		err = lower_stmts(l, &s->other);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return err;
}

static int lower_jump(struct lower *l, struct stmt *s)
{
	const struct loop *loop;

	if (!l->priv->fn.loops.n)
		return diag_error(l->diags, s->span, "%s outside of a loop",
				  s->kind == ST_BREAK ? "break" : "continue");
	loop = &l->priv->fn.loops.v[l->priv->fn.loops.n - 1];
	ir_jmp(l->f, s->kind == ST_BREAK ? loop->end : loop->next);
	return 0;
}

/* Only of a test does anybody want to know what it returns. */
static int return_value(struct lower *l, struct expr *value)
{
	struct val v = { 0 };
	int err = lower_expr(l, value, &v);

	if (err || (l->unit->kind->run != RUN_TEST && l->unit->kind->run != RUN_BENCH))
		return err;
	ir_store(l->f, ir_bss(l->f, offsetof(struct control, result)), 0, 8, val_scalar(l, &v));
	return 0;
}

static int lower_return_stmt(struct lower *l, struct stmt *s)
{
	int err = 0;

	if (l->priv->result.type && s->value)
		err = lower_sub_return(l, s->value);
	else if (s->value)
		err = return_value(l, s->value);
	lower_return(l);
	return err;
}

static int lower_expr_stmt(struct lower *l, struct stmt *s)
{
	struct val unused = { 0 };

	if (s->value->kind == EX_INCDEC && s->value->a->kind == EX_MAP)
		return lower_map_incdec(l, s->value, NULL);
	l->priv->discarded = s->value;
	return lower_expr(l, s->value, &unused);
}

bool lower_discards(const struct lower *l, const struct expr *call)
{
	return l->priv->discarded == call;
}

static int lower_block_stmt(struct lower *l, struct stmt *s)
{
	return lower_stmts(l, &s->body);
}

static int (*const lowerers[])(struct lower *l, struct stmt *s) = {
	[ST_EXPR] = lower_expr_stmt,
	[ST_ASSIGN] = lower_assign,
	[ST_LET] = lower_let,
	[ST_IF] = lower_if,
	[ST_WHILE] = lower_while,
	[ST_FOR_MAP] = lower_for_map,
	[ST_FOR_RANGE] = lower_for_range,
	[ST_UNROLL] = lower_unroll,
	[ST_BREAK] = lower_jump,
	[ST_CONTINUE] = lower_jump,
	[ST_RETURN] = lower_return_stmt,
	[ST_BLOCK] = lower_block_stmt,
};

int lower_stmts(struct lower *l, const stmt_vec *body)
{
	int first = 0;

	/* Go on after an error, so that several can be shown at once. */
	vec_each(s, body) {
		uint32_t used = l->priv->fn.temps_used;
		int err;

		l->f->span = (*s)->span;
		err = lowerers[(*s)->kind](l, *s);
		l->priv->fn.temps_used = used;
		if (err && !first)
			first = err;
	}
	return first;
}
