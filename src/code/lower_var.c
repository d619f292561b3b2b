/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower, variables: where each lives.
 *
 * A number lives in a vreg, other values in a slot. The body of a loop is a BPF function of its own,
 * called back by the kernel; a variable that it shares with what is around it lives in the frame of the outer
 * function, a slot whose address the callback gets (lower_loop.c).
 */
#include "base/util.h"
#include "code/lower_priv.h"

/* ---- which variables loops share ---- */

struct mentions {
	uint32_t *count; /* by var.id */
	uint32_t n;
};

static void mention_visit(struct expr *e, void *ctx)
{
	struct mentions *m = ctx;

	if (e->kind == EX_VAR && e->var && e->var->id < m->n)
		m->count[e->var->id]++;
}

struct fates {
	struct lower *l;
	struct mentions all, inside;
};

/* What the callback of a loop mentions: the condition of a while, the variable of a for, the body. */
static void loop_note(struct fates *f, const struct stmt *s)
{
	struct var_fate *fates = f->l->priv->fates.v;

	memset(f->inside.count, 0, f->inside.n * sizeof(*f->inside.count));
	if (s->kind == ST_WHILE || s->kind == ST_UNROLL)
		expr_visit(s->value, mention_visit, &f->inside);
	else
		expr_visit(s->target, mention_visit, &f->inside);
	vec_each(it, &s->body)
		stmt_visit(*it, mention_visit, &f->inside);
	for (uint32_t i = 0; i < f->inside.n; i++) {
		if (!f->inside.count[i])
			continue;
		if (f->inside.count[i] == f->all.count[i])
			fates[i].inner = true;
		else
			fates[i].shared = true;
	}
}

static void loops_note(struct fates *f, const stmt_vec *body)
{
	vec_each(it, body) {
		const struct stmt *s = *it;

		if (s->kind == ST_WHILE || s->kind == ST_FOR_MAP || s->kind == ST_FOR_RANGE ||
		    (s->kind == ST_UNROLL && lower_unroll_is_called(s)))
			loop_note(f, s);
		loops_note(f, &s->body);
		loops_note(f, &s->other);
	}
}

static void block_visit(struct expr *e, void *ctx)
{
	if (e->kind == EX_BLOCK)
		loops_note(ctx, &e->body);
}

/* A variable whose address is taken lives in memory. */
static void address_visit(struct expr *e, void *ctx)
{
	struct fates *f = ctx;

	if (e->kind == EX_UNARY && e->op == OP_ADDR && e->a->kind == EX_VAR && e->a->var)
		f->l->priv->fates.v[e->a->var->id].shared = true;
}

static void unit_visit(struct expr *pred, const stmt_vec *body, expr_visit_fn fn, void *ctx)
{
	expr_visit(pred, fn, ctx);
	vec_each(it, body)
		stmt_visit(*it, fn, ctx);
}

/* The first `nparams` variables have a value before anything mentions them. */
static void fates_find(struct lower *l, struct expr *pred, const stmt_vec *body, uint32_t nvars, uint32_t nparams)
{
	struct fates f = {
		.l = l,
		.all = { arena_array_of(l->arena, uint32_t, nvars + 1), nvars },
		.inside = { arena_array_of(l->arena, uint32_t, nvars + 1), nvars },
	};

	for (uint32_t i = 0; i < nparams; i++)
		f.all.count[i]++;
	unit_visit(pred, body, mention_visit, &f.all);
	loops_note(&f, body);
	unit_visit(pred, body, block_visit, &f);
	unit_visit(pred, body, address_visit, &f);
}

/* ---- homes ---- */

/*
 * A function's frames hold what its callbacks share: one for numbers, on the stack, and one in scratch for the
 * rest. Verifiers before Linux 6.7 follow the body of a loop once, and would take what it left on the stack for
 * all it can ever leave there, and drop code that depends on anything else; of scratch they know nothing,
 * and of the numbers nothing either: see lower_frame_store().
 */
int32_t lower_frame_take(struct lower *l, enum frame_kind kind, uint32_t bytes)
{
	struct lower_frame *frame = &l->priv->fn.frames[kind];
	int32_t off = (int32_t)frame->bytes;

	if (!frame->slot) {
		frame->slot = ir_slot_new(l->f, 8, 8, kind == FRAME_NUMBERS ? "frame" : "shared") + 1;
		l->f->slots.v[frame->slot - 1].off_stack = kind == FRAME_MEMORY;
	}
	frame->bytes += align_up(MAX(bytes, 1u), 8);
	l->f->slots.v[frame->slot - 1].size = frame->bytes;
	return off;
}

/* Numbers beyond so many of a unit live in scratch: neither registers nor the stack have room for any amount. */
#define MOST_NUMBERS 24

static void home_make(struct lower *l, const struct var *v, struct var_home *home)
{
	bool scalar = type_is_scalar(v->type), room = l->priv->fn.numbers < MOST_NUMBERS;

	l->priv->fn.numbers += scalar;
	if (l->priv->fates.v[v->id].shared || (scalar && !room)) {
		home->kind = HOME_FRAME;
		home->frame.kind = scalar && room ? FRAME_NUMBERS : FRAME_MEMORY;
		home->frame.depth = l->priv->fn.depth;
		home->off = lower_frame_take(l, home->frame.kind, v->type->size);
	} else if (scalar) {
		home->kind = HOME_REG;
		home->reg = ir_vreg_new(l->f, v->name);
	} else {
		home->kind = HOME_SLOT;
		home->slot = lower_slot_take(l, align_up(MAX(v->type->size, 1u), 8), v->name);
	}
}

/* Those of the body of a loop are made when they are first seen: in the function of that body. */
static struct var_home *home_of(struct lower *l, const struct var *v)
{
	struct var_home *home = &l->priv->vars.v[v->id];

	if (home->kind == HOME_NONE) {
		if (type_is_scalar(v->type) || l->priv->fates.v[v->id].shared) {
			home_make(l, v, home);
		} else {
			/* Not one of the slots that are free again after the statement. */
			home->kind = HOME_SLOT;
			home->slot = ir_slot_new(l->f, align_up(MAX(v->type->size, 1u), 8), 8, v->name);
		}
	}
	return home;
}

void lower_vars_make(struct lower *l, const struct unit *unit, uint32_t nparams, struct expr *pred,
		     const stmt_vec *body)
{
	struct lower_priv *p = l->priv;
	struct var_home none = { 0 };
	struct var_fate fate = { 0 };

	p->vars.n = p->fates.n = 0;
	vec_each(v, &unit->vars) {
		vec_push(l->arena, &p->vars, none);
		vec_push(l->arena, &p->fates, fate);
	}
	fates_find(l, pred, body, unit->vars.n, nparams);
	vec_each(v, &unit->vars)
		if ((*v)->type->kind != TY_NONE && !p->fates.v[(*v)->id].inner)
			home_make(l, *v, &p->vars.v[(*v)->id]);
}

/* ---- access ---- */

vreg lower_frame(struct lower *l, struct frame_id frame)
{
	if (frame.depth == l->priv->fn.depth && frame.kind != FRAME_CTX)
		return ir_slot_addr(l->f, l->priv->fn.frames[frame.kind].slot - 1);
	return lower_link(l, frame);
}

struct val lower_var_memory(struct lower *l, const struct var *v)
{
	const struct var_home *home = home_of(l, v);

	if (home->kind == HOME_FRAME)
		return val_of_mem(v->type, lower_frame(l, home->frame), home->off, SPACE_NONE);
	return val_of_mem(v->type, ir_slot_addr(l->f, home->slot), 0, SPACE_NONE);
}

vreg lower_var_read(struct lower *l, const struct var *v)
{
	const struct var_home *home = home_of(l, v);
	struct val at;
	vreg r;

	if (home->kind == HOME_FRAME) {
		at = lower_var_memory(l, v);
		return val_scalar(l, &at);
	}
	/* A copy: the variable may be assigned again before the value is used. */
	r = ir_vreg_new(l->f, NULL);
	ir_mov_to(l->f, r, home->reg);
	return r;
}

/* By an exclusive or with a word that is zero, which the verifier cannot know. */
vreg lower_unknown(struct lower *l, vreg r)
{
	vreg zero = ir_load(l->f, ir_bss(l->f, offsetof(struct control, zero)), 0, 8, false);

	return ir_bin(l->f, IR_XOR, r, zero);
}

void lower_frame_store(struct lower *l, struct frame_id frame, int32_t off, vreg r)
{
	ir_store(l->f, lower_frame(l, frame), off, 8, lower_unknown(l, r));
}

void lower_var_write(struct lower *l, const struct var *v, vreg r)
{
	const struct var_home *home = home_of(l, v);

	if (home->kind == HOME_FRAME)
		lower_frame_store(l, home->frame, home->off, r);
	else
		ir_mov_to(l->f, home->reg, r);
}

int lower_var_assign(struct lower *l, const struct var *v, const struct val *value)
{
	struct val at;

	if (type_is_scalar(v->type)) {
		lower_var_write(l, v, lower_convert(l, val_scalar(l, value), value->type, v->type));
		return 0;
	}
	at = lower_var_memory(l, v);
	return val_to_memory(l, value, v->type, at.reg, at.off);
}
