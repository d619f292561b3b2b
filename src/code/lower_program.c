/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower, programs: the parts of a BPF program one after the other, each behind its guard and predicate.
 *
 *   if (control.off) return 0;          where links are slow to close
 *   number = ...                        what the guards test, read once
 *   if (number in values of part 1 && predicate) { body }
 *   if (number in values of part 2 ...
 *   return 0
 *
 * Parts in a row that exclude each other (system calls of one clause, each with its own body) are found
 * by a binary search instead.
 */
#include <errno.h>
#include <linux/bpf.h>

#include "base/util.h"
#include "code/lower_priv.h"

/* Predicate and body; building goes on in `end`, which is left open. */
static int part_body(struct lower *l, struct part *part, uint32_t end)
{
	struct clause *clause = part->unit->clause;
	uint32_t body;
	int err = 0;

	l->unit = part->unit;
	l->point = part->point;
	l->priv->fn.loops.n = 0;
	l->priv->fn.part_end = end;
	lower_vars_make(l, l->unit, 0, clause->pred, &clause->body);
	lower_guard_task(l, part, end);
	if (clause->pred) {
		body = ir_block_new(l->f, "body");
		l->f->span = clause->pred->span;
		err = lower_cond(l, clause->pred, body, end);
		ir_block_use(l->f, body);
	}
	if (!err)
		err = lower_stmts(l, &clause->body);
	l->priv->fn.temps_used = 0;
	ir_jmp(l->f, end);
	return err;
}

static int one_part(struct lower *l, struct part *part, const struct guard_words *words)
{
	uint32_t end = ir_block_new(l->f, "next");
	int err;

	lower_guard_test(l, part, words, end);
	err = part_body(l, part, end);
	ir_block_use(l->f, end);
	return err;
}

static int parts_by_search(struct lower *l, struct part *parts, uint32_t n, const struct guard_words *words)
{
	uint32_t *bodies = arena_array_of(l->arena, uint32_t, n), end = ir_block_new(l->f, "next");
	int first = 0;

	for (uint32_t i = 0; i < n; i++)
		bodies[i] = ir_block_new(l->f, "match");
	lower_guard_search(l, parts, n, words, bodies, end);
	for (uint32_t i = 0; i < n; i++) {
		int err;

		ir_block_use(l->f, bodies[i]);
		err = part_body(l, &parts[i], end);
		first = first ? first : err;
	}
	ir_block_use(l->f, end);
	return first;
}

/* Raw tracepoints are gone at once, also those of kinds whose other attach points are not. */
static bool slow_to_close(const struct program_plan *plan)
{
	return plan->kind->slow_close && !str_starts(plan->section, "raw_tp");
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

/*
 * An iterator's program is called once more when there is no object left; the script is not for that. A byte
 * for each object ends the session's read in time (run/iterators.c). The words of the context are a struct
 * bpf_iter_meta *, which begins with the struct seq_file * to write to, and the object.
 */
static void iterator_start(struct lower *l, const struct program_plan *plan)
{
	uint32_t none = ir_block_new(l->f, "none"), object = ir_block_new(l->f, "object");
	vreg at = ir_load(l->f, ir_ctx(l->f), 8, 8, false), args[3];

	ir_br_imm(l->f, CC_NE, at, 0, object, none);
	ir_block_use(l->f, none);
	ir_ret_imm(l->f, 0);
	ir_block_use(l->f, object);
	if (plan->points.v[0]->unpaced || plan->points.v[0]->stays)
		return;
	args[0] = ir_load(l->f, ir_load(l->f, ir_ctx(l->f), 0, 8, false), 0, 8, false);
	args[1] = ir_rodata(l->f, object_rodata(l->object, "\n", 1, 8));
	args[2] = ir_const(l->f, 1);
	ir_call(l->f, BPF_FUNC_seq_write, 3, args);
}

static void program_start(struct lower *l, const struct program_plan *plan, uint32_t index)
{
	l->f = ir_func_new(l->arena, plan->name);
	l->f->scratch_index = index;
	l->f->task_scratch = plan->kind->reentrant ? COUNTER_OFFSET(COUNTER_MISSED) : 0;
	l->f->span = plan->parts.v[0].unit->clause->span;
	l->priv->subs.n = 0;
	l->priv->preemptible = plan->kind->preemptible;
	l->priv->fn = (struct lower_fn){ .plain_turns = 1 };
	if (slow_to_close(plan))
		off_test(l);
	if (plan->kind->run == RUN_ITER)
		iterator_start(l, plan);
}

int lower_program(struct lower *l, const struct program_plan *plan, uint32_t index)
{
	struct guard_words words = { 0 };
	int first = 0, err;

	program_start(l, plan, index);
	lower_guards_read(l, plan, &words);
	l->priv->fn.words = &words;
	for (uint32_t i = 0, n; i < plan->parts.n; i += n) {
		struct part *parts = &plan->parts.v[i];

		n = lower_guard_exclusive(l, parts, plan->parts.n - i);
		err = n > 1 ? parts_by_search(l, parts, n, &words) : one_part(l, parts, &words);
		first = first ? first : err;
	}
	ir_ret_imm(l->f, 0);
	return first;
}
