/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower, programs: the parts of a BPF program one after the other, each behind its guard and predicate.
 *
 *   if (control.off) return 0;          kinds whose links are slow to close
 *   number = ...                        what the guards test, read once
 *   if (number in values of part 1 && predicate) { body }
 *   if (number in values of part 2 ...
 *   return 0
 */
#include <errno.h>
#include <linux/bpf.h>

#include "base/util.h"
#include "code/lower_priv.h"

/* So few values are compared one by one. */
#define MOST_COMPARED 4
/* Values below this are looked up in a bitmap. */
#define BITMAP_VALUES 4096

/* What a guard tests, as it is read at the start of the program. */
struct guard_word {
	struct guard guard;
	vreg value;
};

typedef VEC(struct guard_word) guard_words;

static bool same_word(const struct guard *a, const struct guard *b)
{
	return a->kind == b->kind && a->ctx_offset == b->ctx_offset && a->offset == b->offset &&
	       a->bytes == b->bytes;
}

/* Kernel memory as a number: -1, which no guard looks for, when it cannot be read. */
static vreg read_number(struct lower *l, vreg from, uint8_t bytes)
{
	uint32_t failed = ir_block_new(l->f, "fault"), done = ir_block_new(l->f, "number");
	uint32_t ok = ir_block_new(l->f, "ok");
	vreg to = ir_slot_addr(l->f, ir_slot_new(l->f, 8, 8, "number")), v = ir_vreg_new(l->f, "number");
	vreg args[] = { to, ir_const(l->f, bytes), from };
	vreg r = ir_call(l->f, BPF_FUNC_probe_read_kernel, 3, args);

	ir_br_imm(l->f, CC_SLT, r, 0, failed, ok);
	ir_block_use(l->f, failed);
	ir_mov_to(l->f, v, ir_const(l->f, -1));
	ir_jmp(l->f, done);
	ir_block_use(l->f, ok);
	ir_mov_to(l->f, v, ir_load(l->f, to, 0, bytes, true));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return v;
}

static vreg guard_read(struct lower *l, const struct guard *g)
{
	vreg word = ir_load(l->f, ir_ctx(l->f), (int32_t)g->ctx_offset, 8, false);

	if (g->kind == GUARD_WORD_IN)
		return word;
	return read_number(l, g->offset ? ir_bin_imm(l->f, IR_ADD, word, g->offset) : word, g->bytes == 4 ? 4 : 8);
}

static void guards_read(struct lower *l, const struct program_plan *plan, guard_words *words)
{
	vec_each(part, &plan->parts) {
		struct guard_word w = { .guard = part->guard };
		bool known = part->guard.kind == GUARD_NONE;

		vec_each(it, words)
			known = known || same_word(&it->guard, &part->guard);
		if (known)
			continue;
		w.value = guard_read(l, &part->guard);
		vec_push(l->arena, words, w);
	}
}

/* ---- is the value one of these? ---- */

static void in_chain(struct lower *l, vreg v, const uint64_t *values, uint32_t n, uint32_t yes, uint32_t no)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t next = i + 1 < n ? ir_block_new(l->f, "or") : no;

		ir_br_imm(l->f, CC_EQ, v, (int64_t)values[i], yes, next);
		if (i + 1 < n)
			ir_block_use(l->f, next);
	}
}

static void in_range(struct lower *l, vreg v, uint64_t low, uint64_t high, uint32_t yes, uint32_t no)
{
	if (low)
		v = ir_bin_imm(l->f, IR_SUB, v, (int64_t)low);
	ir_br_imm(l->f, CC_ULE, v, (int64_t)(high - low), yes, no);
}

static void in_bitmap(struct lower *l, vreg v, const uint64_t *values, uint32_t n, uint32_t yes, uint32_t no)
{
	uint32_t words = (uint32_t)(values[n - 1] / 64) + 1, within = ir_block_new(l->f, "within");
	uint64_t *bits = arena_array_of(l->arena, uint64_t, words);
	vreg word, at;

	for (uint32_t i = 0; i < n; i++)
		bits[values[i] / 64] |= 1ULL << values[i] % 64;
	ir_br_imm(l->f, CC_ULT, v, (int64_t)words * 64, within, no);
	ir_block_use(l->f, within);
	at = ir_bin_imm(l->f, IR_SHL, ir_bin_imm(l->f, IR_SHR, v, 6), 3);
	at = ir_bin(l->f, IR_ADD, ir_rodata(l->f, object_rodata(l->object, bits, words * 8, 8)), at);
	word = ir_bin(l->f, IR_SHR, ir_load(l->f, at, 0, 8, false), ir_bin_imm(l->f, IR_AND, v, 63));
	ir_br_imm(l->f, CC_SET, word, 1, yes, no);
}

static void in_sorted(struct lower *l, vreg v, const uint64_t *values, uint32_t n, uint32_t yes, uint32_t no)
{
	uint32_t half = n / 2, low, high;

	if (n <= MOST_COMPARED) {
		in_chain(l, v, values, n, yes, no);
		return;
	}
	low = ir_block_new(l->f, "low");
	high = ir_block_new(l->f, "high");
	ir_br_imm(l->f, CC_ULT, v, (int64_t)values[half], low, high);
	ir_block_use(l->f, low);
	in_sorted(l, v, values, half, yes, no);
	ir_block_use(l->f, high);
	in_sorted(l, v, values + half, n - half, yes, no);
}

static void in_values(struct lower *l, vreg v, const uint64_t *values, uint32_t n, uint32_t yes, uint32_t no)
{
	if (n > 1 && values[n - 1] - values[0] == n - 1)
		in_range(l, v, values[0], values[n - 1], yes, no);
	else if (n > MOST_COMPARED && values[n - 1] < BITMAP_VALUES)
		in_bitmap(l, v, values, n, yes, no);
	else
		in_sorted(l, v, values, n, yes, no);
}

/* The current task is not in the mode that gives the number another meaning. */
static void task_test(struct lower *l, const struct guard *g, uint32_t no)
{
	uint32_t yes = ir_block_new(l->f, "native");
	vreg to = ir_slot_addr(l->f, ir_slot_new(l->f, 4, 4, "task"));
	vreg task = ir_call_pure(l->f, BPF_FUNC_get_current_task, 0, NULL);
	vreg args[] = { to, ir_const(l->f, 4), ir_bin_imm(l->f, IR_ADD, task, g->task_offset) };

	ir_call(l->f, BPF_FUNC_probe_read_kernel, 3, args);
	ir_br_imm(l->f, CC_SET, ir_load(l->f, to, 0, 4, false), g->task_mask, no, yes);
	ir_block_use(l->f, yes);
}

static void guard_test(struct lower *l, const struct part *part, const guard_words *words, uint32_t no)
{
	uint32_t yes;

	if (part->guard.kind == GUARD_NONE)
		return;
	yes = ir_block_new(l->f, "match");
	vec_each(w, words)
		if (same_word(&w->guard, &part->guard))
			in_values(l, w->value, part->values.v, part->values.n, yes, no);
	ir_block_use(l->f, yes);
	if (part->guard.task_mask)
		task_test(l, &part->guard, no);
}

/* ---- parts ---- */

static int lower_part(struct lower *l, struct part *part, const guard_words *words)
{
	struct clause *clause = part->unit->clause;
	uint32_t end = ir_block_new(l->f, "next"), body;
	int err = 0;

	l->unit = part->unit;
	l->point = part->point;
	l->priv->vars.n = l->priv->loops.n = 0;
	l->priv->part_end = end;
	guard_test(l, part, words, end);
	if (clause->pred) {
		body = ir_block_new(l->f, "body");
		l->f->span = clause->pred->span;
		err = lower_cond(l, clause->pred, body, end);
		ir_block_use(l->f, body);
	}
	if (!err)
		err = lower_stmts(l, &clause->body);
	l->priv->temps_used = 0;
	ir_jmp(l->f, end);
	ir_block_use(l->f, end);
	return err;
}

static void off_test(struct lower *l)
{
	uint32_t off = ir_block_new(l->f, "off"), on = ir_block_new(l->f, "on");
	vreg flag = ir_load(l->f, ir_bss(l->f, offsetof(struct control, off)), 0, 4, false);

	ir_br_imm(l->f, CC_NE, flag, 0, off, on);
	ir_block_use(l->f, off);
	ir_ret_imm(l->f, 0);
	ir_block_use(l->f, on);
}

int lower_program(struct lower *l, const struct program_plan *plan, uint32_t index)
{
	guard_words words = { 0 };
	int first = 0;

	l->f = ir_func_new(l->arena, plan->name);
	l->f->scratch_index = index;
	l->f->span = plan->parts.v[0].unit->clause->span;
	l->priv->zero_slot = l->priv->counter_slot = 0;
	l->priv->temps.n = l->priv->temps_used = 0;
	if (plan->kind->slow_close)
		off_test(l);
	guards_read(l, plan, &words);
	vec_each(part, &plan->parts) {
		int err = lower_part(l, part, &words);

		if (err && !first)
			first = err;
	}
	ir_ret_imm(l->f, 0);
	return first;
}
