/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower, loops. A loop over a few constant numbers is a loop in BPF. Every other is done by the kernel, which
 * calls the body, a BPF function of its own, for each turn (bpf_loop, bpf_for_each_map_elem): the verifier
 * looks at it once, whatever the number of turns.
 *
 *   link = { address of each frame of the functions around that the body uses, the context }
 *   bpf_loop(turns, body, &link, 0)             body(index, link): 0 go on, 1 stop
 *   if (left) return                            `return` and exit() in the body leave what is around it too
 */
#include <errno.h>
#include <linux/bpf.h>

#include "base/util.h"
#include "code/lower_priv.h"

/* The most turns bpf_loop() does. */
#define MOST_TURNS (1 << 23)
/* Loops up to this many turns (those of loops within multiplied) are left to the verifier to follow. */
#define MOST_PLAIN_TURNS 16

/* ---- callbacks ---- */

/* A callback while it is being built, and what was being built around it. */
struct callback {
	struct lower_fn outer;
	struct ir_func *outer_f, *f;
	uint32_t body;      /* first block after what the links need */
	uint32_t stop, out; /* blocks: end the loop; return `verdict` */
	vreg verdict;
	uint32_t number, link_arg;
	struct var_home *homes; /* of the variables, as it was before */
	bool leaves;        /* something within goes beyond the loop: */
	int32_t left;       /* then this word of the frame around it says so */
};

/* A word of the frame that is made when it is first needed. */
static int32_t frame_word(struct lower *l, uint32_t *at)
{
	if (!*at)
		*at = (uint32_t)lower_frame_take(l, FRAME_NUMBERS, 8) + 1;
	return (int32_t)*at - 1;
}

static int callback_begin(struct lower *l, struct callback *cb, struct span span, const char *what, uint32_t nargs)
{
	struct lower_priv *p = l->priv;
	uint32_t number = p->nprograms + p->funcs.n;

	*cb = (struct callback){ .outer = p->fn, .outer_f = l->f, .number = number, .link_arg = nargs - 1 };
	/* Taken now: what is around is not at hand while the callback is built. */
	cb->left = frame_word(l, &p->fn.left_at);
	cb->outer = p->fn;
	cb->homes = arena_array_of(l->arena, struct var_home, p->vars.n + 1);
	if (p->vars.n)
		memcpy(cb->homes, p->vars.v, p->vars.n * sizeof(*cb->homes));
	if (p->fn.depth + 1 >= MOST_FUNC_DEPTH)
		return diag_error(l->diags, span, "loops are nested too deeply: the kernel follows %d calls",
				  MOST_FUNC_DEPTH);
	cb->f = ir_func_new(l->arena, arena_printf(l->arena, "%s_%u", what, number));
	cb->f->is_subprog = true;
	cb->f->nargs = nargs;
	cb->f->scratch_index = number;
	cb->f->task_scratch = l->f->task_scratch;
	cb->f->span = l->f->span;
	vec_push(l->arena, &p->funcs, cb->f);
	p->fn = (struct lower_fn){ .depth = cb->outer.depth + 1, .plain_turns = 1, .is_callback = true };
	l->f = cb->f;
	cb->verdict = ir_vreg_new(l->f, "verdict");
	cb->body = ir_block_new(l->f, "turn");
	cb->stop = ir_block_new(l->f, "stop");
	cb->out = ir_block_new(l->f, "out");
	p->fn.part_end = ir_block_new(l->f, "leave");
	ir_block_use(l->f, cb->body);
	return 0;
}

static struct frame_id frame_of(const struct lower_fn *fn)
{
	return (struct frame_id){ FRAME_NUMBERS, fn->depth };
}

/* Where the end of the body, break, continue and return lead to. */
static void callback_exits(struct lower *l, struct callback *cb)
{
	struct lower_fn *fn = &l->priv->fn;

	ir_mov_to(l->f, cb->verdict, ir_const(l->f, 0));
	ir_jmp(l->f, cb->out);
	if (fn->returns) {
		ir_block_use(l->f, fn->part_end);
		lower_frame_store(l, frame_of(&cb->outer), cb->left, ir_const(l->f, 1));
		ir_jmp(l->f, cb->stop);
	}
	ir_block_use(l->f, cb->stop);
	ir_mov_to(l->f, cb->verdict, ir_const(l->f, 1));
	ir_jmp(l->f, cb->out);
	ir_block_use(l->f, cb->out);
	ir_ret(l->f, cb->verdict);
}

/* The last argument of the callback is the link: its entry loads from it what has been asked for. */
static void callback_entry(struct lower *l, const struct callback *cb)
{
	struct lower_fn *fn = &l->priv->fn;
	vreg link;

	ir_block_use(l->f, 0);
	if (l->f->ctx)
		lower_link(l, (struct frame_id){ FRAME_CTX, 0 });
	link = ir_arg(l->f, cb->link_arg);
	for (uint32_t i = 0; i < fn->links.n; i++) {
		vreg word = ir_load(l->f, link, (int32_t)i * 8, 8, false);

		ir_mov_to(l->f, fn->links.v[i].reg, word);
		if (fn->links.v[i].frame.kind == FRAME_CTX && l->f->ctx)
			ir_mov_to(l->f, l->f->ctx, word);
	}
	ir_jmp(l->f, cb->body);
}

/* Back to the function around it; the address of the link there, 0 when the callback needs none. */
static vreg callback_end(struct lower *l, struct callback *cb)
{
	struct lower_fn inner;
	vreg addr;

	cb->leaves = l->priv->fn.returns;
	callback_exits(l, cb);
	callback_entry(l, cb);
	inner = l->priv->fn;
	l->priv->fn = cb->outer;
	l->f = cb->outer_f;
	/* A body that is repeated is a function of its own each time: what lives in one is not in the next. */
	if (l->priv->vars.n)
		memcpy(l->priv->vars.v, cb->homes, l->priv->vars.n * sizeof(*cb->homes));
	if (cb->leaves)
		lower_frame_store(l, frame_of(&cb->outer), cb->left, ir_const(l->f, 0));
	if (!inner.links.n)
		return ir_const(l->f, 0);
	addr = ir_slot_addr(l->f, ir_slot_new_on_stack(l->f, inner.links.n * 8, 8, "link"));
	for (uint32_t i = 0; i < inner.links.n; i++)
		ir_store(l->f, addr, (int32_t)i * 8, 8, lower_frame(l, inner.links.v[i].frame));
	return addr;
}

vreg lower_link(struct lower *l, struct frame_id frame)
{
	struct link_word word = { .frame = frame };

	if (!l->f->is_subprog || (frame.kind == FRAME_CTX && !l->priv->fn.is_callback))
		return ir_ctx(l->f);
	vec_each(w, &l->priv->fn.links)
		if (w->frame.kind == frame.kind && w->frame.depth == frame.depth)
			return w->reg;
	word.reg = ir_vreg_new(l->f, frame.kind == FRAME_CTX ? "ctx" : "frame");
	vec_push(l->arena, &l->priv->fn.links, word);
	return word.reg;
}

/* After the kernel has done the loop: has its body left more than the loop? */
static void callback_left(struct lower *l, const struct callback *cb)
{
	uint32_t leave, on;
	vreg flag;

	if (!cb->leaves)
		return;
	leave = ir_block_new(l->f, "left");
	on = ir_block_new(l->f, "endloop");
	flag = ir_load(l->f, lower_frame(l, frame_of(&l->priv->fn)), cb->left, 8, false);
	ir_br_imm(l->f, CC_NE, flag, 0, leave, on);
	ir_block_use(l->f, leave);
	lower_return(l);
	ir_block_use(l->f, on);
}

/* The statements of a loop; break and continue go to these blocks. */
static int loop_body(struct lower *l, const stmt_vec *body, uint32_t next, uint32_t end)
{
	struct loop loop = { .next = next, .end = end };
	int err;

	vec_push(l->arena, &l->priv->fn.loops, loop);
	err = lower_stmts(l, body);
	l->priv->fn.loops.n--;
	return err;
}

/* The same as the body of a callback. */
static int callback_body(struct lower *l, struct callback *cb, const stmt_vec *body)
{
	uint32_t next = ir_block_new(l->f, "next");
	int err = loop_body(l, body, next, cb->stop);

	ir_jmp(l->f, next);
	ir_block_use(l->f, next);
	return err;
}

/* The kernel calls the callback `turns` times; more than it does are not even begun, and counted. */
static vreg kernel_loop(struct lower *l, const struct callback *cb, vreg turns, vreg link)
{
	vreg args[] = { turns, ir_func_addr(l->f, cb->number), link, ir_const(l->f, 0) };

	return ir_call(l->f, BPF_FUNC_loop, 4, args);
}

/* ---- while ---- */

static int while_turn(struct lower *l, struct callback *cb, struct stmt *s)
{
	uint32_t body = ir_block_new(l->f, "do");
	int err = lower_cond(l, s->value, body, cb->stop);

	ir_block_use(l->f, body);
	return err ? err : callback_body(l, cb, &s->body);
}

int lower_while(struct lower *l, struct stmt *s)
{
	uint32_t used = l->priv->fn.temps_used;
	struct callback cb;
	vreg link, done;
	int err = callback_begin(l, &cb, s->span, "while", 2);

	if (err)
		return err;
	err = while_turn(l, &cb, s);
	link = callback_end(l, &cb);
	done = kernel_loop(l, &cb, ir_const(l->f, MOST_TURNS), link);
	/* As many turns as there can be, and the condition still held. */
	lower_count_if(l, CC_EQ, ir_bin_imm(l->f, IR_SUB, done, MOST_TURNS), COUNTER_LOOPS);
	callback_left(l, &cb);
	l->priv->fn.temps_used = used;
	return err;
}

/* ---- for over a range ---- */

static bool is_constant_range(const struct stmt *s, int64_t *from, int64_t *to)
{
	*from = (int64_t)s->from->num;
	*to = (int64_t)s->to->num;
	return s->from->kind == EX_INT && s->to->kind == EX_INT;
}

/* for $i : from..to {}: the body sees a copy, so that it cannot change the count. */
static int plain_range(struct lower *l, struct stmt *s, int64_t from, int64_t to)
{
	uint32_t head = ir_block_new(l->f, "for"), body = ir_block_new(l->f, "do");
	uint32_t next = ir_block_new(l->f, "next"), end = ir_block_new(l->f, "endfor");
	uint32_t turns = l->priv->fn.plain_turns;
	vreg i = ir_vreg_new(l->f, NULL);
	int err;

	ir_mov_to(l->f, i, ir_const(l->f, from));
	ir_jmp(l->f, head);
	ir_block_use(l->f, head);
	ir_br_imm(l->f, CC_SLT, i, to, body, end);
	ir_block_use(l->f, body);
	lower_var_write(l, s->target->var, lower_convert(l, i, &type_int64, s->target->var->type));
	l->priv->fn.plain_turns *= (uint32_t)MAX(to - from, 1);
	err = loop_body(l, &s->body, next, end);
	l->priv->fn.plain_turns = turns;
	ir_jmp(l->f, next);
	ir_block_use(l->f, next);
	ir_mov_to(l->f, i, ir_bin_imm(l->f, IR_ADD, i, 1));
	ir_jmp(l->f, head);
	ir_block_use(l->f, end);
	return err;
}

/* How many turns: to - from, 0 when that is not positive. */
static vreg range_turns(struct lower *l, const struct stmt *s, vreg from, vreg to)
{
	uint32_t some = ir_block_new(l->f, "some"), done = ir_block_new(l->f, "turns");
	vreg n = ir_vreg_new(l->f, "turns");

	ir_mov_to(l->f, n, ir_const(l->f, 0));
	ir_br(l->f, lower_unsigned_pair(s->from, s->to) ? CC_ULT : CC_SLT, from, to, some, done);
	ir_block_use(l->f, some);
	ir_mov_to(l->f, n, ir_bin(l->f, IR_SUB, to, from));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return n;
}

static int called_range(struct lower *l, struct stmt *s, vreg from, vreg turns)
{
	int32_t first = frame_word(l, &l->priv->fn.first_at), count = frame_word(l, &l->priv->fn.count_at);
	struct frame_id outer = frame_of(&l->priv->fn);
	struct callback cb;
	vreg i, link;
	int err;

	lower_frame_store(l, outer, first, from);
	/* A number of turns that the verifier knows to be 0 leaves it with a callback that nobody calls. */
	lower_frame_store(l, outer, count, turns);
	err = callback_begin(l, &cb, s->span, "for", 2);
	if (err)
		return err;
	i = ir_ext(l->f, ir_arg(l->f, 0), 4, false);
	i = ir_bin(l->f, IR_ADD, i, ir_load(l->f, lower_frame(l, outer), first, 8, false));
	lower_var_write(l, s->target->var, lower_convert(l, i, &type_int64, s->target->var->type));
	err = callback_body(l, &cb, &s->body);
	link = callback_end(l, &cb);
	turns = ir_load(l->f, lower_frame(l, outer), count, 8, false);
	/* The kernel refuses more than it does, all of them; its result has 32 bits where the verifier has put the
	 * loop in place. */
	lower_count_failure(l, ir_ext(l->f, kernel_loop(l, &cb, turns, link), 4, true), COUNTER_LOOPS);
	callback_left(l, &cb);
	return err;
}

int lower_for_range(struct lower *l, struct stmt *s)
{
	uint64_t turns;
	int64_t from, to;
	vreg a, b;
	int err;

	if (is_constant_range(s, &from, &to)) {
		turns = to > from ? (uint64_t)to - (uint64_t)from : 0;
		if (turns > MOST_TURNS)
			return diag_error(l->diags, s->span, "this loop has %llu turns, and the kernel does at most %d",
					  (unsigned long long)turns, MOST_TURNS);
		if (turns * l->priv->fn.plain_turns <= MOST_PLAIN_TURNS)
			return plain_range(l, s, from, to);
	}
	err = lower_scalar(l, s->from, &a);
	if (!err)
		err = lower_scalar(l, s->to, &b);
	return err ? err : called_range(l, s, a, range_turns(l, s, a, b));
}

/* ---- for over a map ---- */

/* $kv = (key, value) from what the kernel hands over. */
static int entry_variable(struct lower *l, const struct map *m, const struct var *v, vreg key, vreg value)
{
	const struct type *t = v->type;
	struct val kv = lower_var_memory(l, v), item = val_of_mem(m->key, key, 0, SPACE_NONE);
	int err = val_to_memory(l, &item, t->fields[0].type, kv.reg, kv.off + (int32_t)t->fields[0].offset);

	if (type_is_agg(m->value)) {
		if (!err)
			err = lower_map_reduce(l, m, l->f->span, key, &item);
	} else {
		item = val_of_mem(m->value, value, 0, SPACE_NONE);
	}
	if (!err)
		err = val_to_memory(l, &item, t->fields[1].type, kv.reg, kv.off + (int32_t)t->fields[1].offset);
	lower_tuple_gaps(l, t, kv.reg, kv.off);
	return err;
}

int lower_for_map(struct lower *l, struct stmt *s)
{
	const struct map *m = s->value->map;
	struct callback cb;
	vreg args[4], link;
	int err = callback_begin(l, &cb, s->span, "each", 4);

	if (err)
		return err;
	if (s->target->var->used)
		err = entry_variable(l, m, s->target->var, ir_arg(l->f, 1), ir_arg(l->f, 2));
	if (!err)
		err = callback_body(l, &cb, &s->body);
	link = callback_end(l, &cb);
	args[0] = ir_map(l->f, lower_map_desc(l, m)->object_map);
	args[1] = ir_func_addr(l->f, cb.number);
	args[2] = link;
	args[3] = ir_const(l->f, 0);
	ir_call(l->f, BPF_FUNC_for_each_map_elem, 4, args);
	callback_left(l, &cb);
	return err;
}

/* ---- unroll ---- */

#define MOST_UNROLL 100
/* More code than this is not repeated: the kernel does the loop. */
#define MOST_REPEATED 4000u

static void weight_visit(struct expr *e, void *ctx)
{
	(void)e;
	++*(uint32_t *)ctx;
}

/* About how much code it is with everything unrolled. */
static uint32_t body_weight(const stmt_vec *body)
{
	uint64_t sum = 0;

	vec_each(it, body) {
		const struct stmt *s = *it;
		uint32_t own = 1, times = s->kind == ST_UNROLL ? (uint32_t)s->value->num : 1;

		expr_visit(s->value, weight_visit, &own);
		expr_visit(s->target, weight_visit, &own);
		sum += own + (uint64_t)times * body_weight(&s->body) + body_weight(&s->other);
	}
	return (uint32_t)MIN(sum, UINT32_MAX / 200);
}

/* Is there a break or continue that is meant for a loop around? */
static bool body_jumps(const stmt_vec *body)
{
	vec_each(it, body) {
		const struct stmt *s = *it;
		bool loop = s->kind == ST_WHILE || s->kind == ST_FOR_MAP || s->kind == ST_FOR_RANGE;

		if (s->kind == ST_BREAK || s->kind == ST_CONTINUE)
			return true;
		if (!loop && (body_jumps(&s->body) || body_jumps(&s->other)))
			return true;
	}
	return false;
}

bool lower_unroll_is_called(const struct stmt *s)
{
	return s->value->kind == EX_INT && s->value->num * body_weight(&s->body) > MOST_REPEATED && !body_jumps(&s->body);
}

static int called_unroll(struct lower *l, struct stmt *s)
{
	struct callback cb;
	vreg link;
	int err = callback_begin(l, &cb, s->span, "unroll", 2);

	if (err)
		return err;
	err = callback_body(l, &cb, &s->body);
	link = callback_end(l, &cb);
	kernel_loop(l, &cb, ir_const(l->f, (int64_t)s->value->num), link);
	callback_left(l, &cb);
	return err;
}

/* The body as often as it says; break and continue are those of a loop around it. */
int lower_unroll(struct lower *l, struct stmt *s)
{
	int err = 0;

	if (s->value->kind != EX_INT)
		return diag_error(l->diags, s->value->span, "unroll needs a constant");
	if (s->value->num > MOST_UNROLL)
		return diag_error(l->diags, s->value->span, "unroll goes up to %d", MOST_UNROLL);
	if (lower_unroll_is_called(s))
		return called_unroll(l, s);
	for (uint64_t i = 0; !err && i < s->value->num; i++)
		err = lower_stmts(l, &s->body);
	return err;
}

/* ---- how many entries ---- */

/* The kernel says how often it has called; a callback that never stops it is called for every entry. */
static uint32_t len_func(struct lower *l)
{
	struct lower_priv *p = l->priv;
	struct ir_func *f;

	if (!p->len_func) {
		p->len_func = p->nprograms + p->funcs.n + 1;
		f = ir_func_new(l->arena, "entry_count");
		f->is_subprog = true;
		f->nargs = 4;
		f->span = l->f->span;
		ir_ret_imm(f, 0);
		vec_push(l->arena, &p->funcs, f);
	}
	return p->len_func - 1;
}

vreg lower_map_len(struct lower *l, const struct map *m)
{
	vreg args[] = { ir_map(l->f, lower_map_desc(l, m)->object_map), ir_func_addr(l->f, len_func(l)),
			ir_const(l->f, 0), ir_const(l->f, 0) };

	return ir_call(l->f, BPF_FUNC_for_each_map_elem, 4, args);
}
