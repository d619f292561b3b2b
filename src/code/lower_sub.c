/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower, functions of the script (fn): BPF functions that programs call. Each program has its own copy of
 * those it calls, because copies have scratch space of their own, and one program may interrupt another.
 *
 *   numbers are handed over as they are, other values by address; last come the address where a value that is
 *   not a number is wanted, and the context when something in the body needs it
 */
#include <errno.h>

#include "base/util.h"
#include "code/lower_priv.h"

#define MOST_ARGS 5

/* ---- the function ---- */

static void params_take(struct lower *l, const struct subprog *s)
{
	for (uint32_t i = 0; i < s->args.n; i++) {
		const struct var *v = s->args.v[i];
		vreg arg = ir_arg(l->f, i);
		struct val at;

		if (type_is_scalar(v->type)) {
			lower_var_write(l, v, arg);
			continue;
		}
		at = lower_var_memory(l, v);
		lower_copy(l, at.reg, at.off, arg, 0, v->type->size);
	}
}

static struct val result_memory(struct lower *l)
{
	const struct sub_result *r = &l->priv->result;

	return val_of_mem(r->type, lower_frame(l, r->frame), r->off, SPACE_NONE);
}

static bool returns_memory(const struct subprog *s)
{
	const struct type *t = s->ret->type;

	return t->kind != TY_NONE && !type_is_scalar(t);
}

/* Until something is returned the value is zero. */
static void result_make(struct lower *l, const struct subprog *s)
{
	struct sub_result *r = &l->priv->result;
	struct val at;

	*r = (struct sub_result){ .type = s->ret->type };
	if (r->type->kind == TY_NONE)
		return;
	r->frame = (struct frame_id){ returns_memory(s) ? FRAME_MEMORY : FRAME_NUMBERS, l->priv->fn.depth };
	r->off = lower_frame_take(l, r->frame.kind, r->type->size);
	at = result_memory(l);
	lower_zero(l, at.reg, at.off, align_up(r->type->size, 8));
}

int lower_sub_return(struct lower *l, struct expr *value)
{
	const struct sub_result *r = &l->priv->result;
	struct val at;
	vreg v;
	int err;

	if (r->frame.kind == FRAME_MEMORY) {
		at = result_memory(l);
		return lower_to_memory(l, value, r->type, at.reg, at.off);
	}
	err = lower_scalar(l, value, &v);
	if (!err)
		lower_frame_store(l, r->frame, r->off, lower_convert(l, v, lower_read_type(value->type), r->type));
	return err;
}

/* What the caller gets: the number, or what is written where it wants it. */
static void result_hand_over(struct lower *l, const struct subprog *s)
{
	struct val at;

	if (s->ret->type->kind == TY_NONE) {
		ir_ret_imm(l->f, 0);
		return;
	}
	at = result_memory(l);
	if (!returns_memory(s)) {
		ir_ret(l->f, val_scalar(l, &at));
		return;
	}
	lower_copy(l, ir_arg(l->f, s->args.n), 0, at.reg, at.off, at.type->size);
	ir_ret_imm(l->f, 0);
}

/* The entry is finished when it is known whether the context is wanted. */
static bool ctx_take(struct lower *l, const struct subprog *s, uint32_t body)
{
	ir_block_use(l->f, 0);
	l->f->nargs = s->args.n + returns_memory(s);
	if (l->f->ctx)
		ir_mov_to(l->f, l->f->ctx, ir_arg(l->f, l->f->nargs++));
	ir_jmp(l->f, body);
	return l->f->ctx;
}

static int sub_body(struct lower *l, const struct subprog *s)
{
	struct lower_fn *fn = &l->priv->fn;
	uint32_t body = ir_block_new(l->f, "body"), end = ir_block_new(l->f, "return");
	int err;

	fn->part_end = end;
	ir_block_use(l->f, body);
	lower_vars_make(l, s->unit, s->args.n, NULL, &s->body);
	result_make(l, s);
	params_take(l, s);
	err = lower_stmts(l, &s->body);
	ir_jmp(l->f, end);
	ir_block_use(l->f, end);
	result_hand_over(l, s);
	ctx_take(l, s, body);
	return err;
}

/* Build it, with all that belongs to the function around it put aside. */
static int sub_build(struct lower *l, const struct subprog *s, struct lowered_sub *out)
{
	struct lower_priv *p = l->priv, saved = *p;
	struct ir_func *f = l->f;
	int err;

	*out = (struct lowered_sub){ .sub = s, .number = p->nprograms + p->funcs.n };
	l->f = ir_func_new(l->arena, arena_printf(l->arena, "%s_%u", s->name, out->number));
	l->f->is_subprog = true;
	l->f->scratch_index = out->number;
	l->f->task_scratch = f->task_scratch;
	l->f->span = s->name_span;
	vec_push(l->arena, &p->funcs, l->f);
	p->fn = (struct lower_fn){ .depth = saved.fn.depth + 1, .plain_turns = 1 };
	memset(&p->vars, 0, sizeof(p->vars));
	memset(&p->fates, 0, sizeof(p->fates));
	err = sub_body(l, s);
	out->wants_ctx = l->f->ctx;
	l->f = f;
	p->fn = saved.fn;
	memcpy(&p->vars, &saved.vars, sizeof(p->vars));
	memcpy(&p->fates, &saved.fates, sizeof(p->fates));
	p->result = saved.result;
	return err;
}

static int sub_find(struct lower *l, const struct subprog *s, struct lowered_sub *out)
{
	int err;

	vec_each(it, &l->priv->subs)
		if (it->sub == s) {
			*out = *it;
			return 0;
		}
	err = sub_build(l, s, out);
	vec_push(l->arena, &l->priv->subs, *out);
	return err;
}

/* ---- the call ---- */

static int argument(struct lower *l, struct expr *e, const struct type *param, vreg *out)
{
	struct val at;
	int err;

	if (type_is_scalar(param)) {
		err = lower_scalar(l, e, out);
		if (!err)
			*out = lower_convert(l, *out, lower_read_type(e->type), param);
		return err;
	}
	at = val_slot(l, param, "argument");
	*out = at.reg;
	return lower_to_memory(l, e, param, at.reg, at.off);
}

int lower_sub_call(struct lower *l, struct expr *e, struct val *out)
{
	const struct subprog *s = e->sub;
	const struct type *t = s->ret->type;
	struct lowered_sub sub;
	vreg args[MOST_ARGS + 2], r;
	uint32_t n = 0;
	int err = sub_find(l, s, &sub);

	for (uint32_t i = 0; !err && i < e->args.n; i++)
		err = argument(l, e->args.v[i], s->args.v[i]->type, &args[n++]);
	if (err)
		return err;
	if (returns_memory(s)) {
		*out = val_slot(l, t, s->name);
		args[n++] = out->reg;
	}
	if (sub.wants_ctx)
		args[n++] = ir_ctx(l->f);
	if (n > MOST_ARGS)
		return diag_error(l->diags, e->span, "%s() needs %u values handed over, and the kernel hands over %d: its "
				  "parameters%s%s", s->name, n, MOST_ARGS, returns_memory(s) ? ", its result" : "",
				  sub.wants_ctx ? ", the context" : "");
	r = ir_callfunc(l->f, sub.number, n, args);
	if (t->kind != TY_NONE && !returns_memory(s))
		*out = val_of_reg(t, lower_convert(l, r, &type_uint64, t));
	return 0;
}
