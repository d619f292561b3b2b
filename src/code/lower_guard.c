/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower, guards: the tests that decide which parts of a shared program run.
 */
#include <errno.h>
#include <linux/bpf.h>

#include "base/util.h"
#include "code/lower_priv.h"

/* So few values are compared one by one. */
#define MOST_COMPARED 4
/* Values below this are looked up in a bitmap. */
#define BITMAP_VALUES 4096

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

/* A function that returns a byte may leave anything above it. */
static vreg read_is_return(struct lower *l)
{
	static const struct object_kfunc is_return = { "bpf_session_is_return", "int", { NULL } };

	return ir_ext(l->f, lower_kfunc(l, &is_return, 0, NULL), 1, false);
}

static vreg guard_read(struct lower *l, const struct guard *g)
{
	vreg word;

	if (g->kind == GUARD_RETURN_IN)
		return read_is_return(l);
	word = ir_load(l->f, ir_ctx(l->f), (int32_t)g->ctx_offset, 8, false);
	if (g->kind == GUARD_WORD_IN)
		return word;
	return read_number(l, g->offset ? ir_bin_imm(l->f, IR_ADD, word, g->offset) : word, g->bytes == 4 ? 4 : 8);
}

void lower_guards_read(struct lower *l, const struct program_plan *plan, struct guard_words *words)
{
	vec_each(part, &plan->parts) {
		struct guard_word w = { .guard = part->guard };
		bool known = part->guard.kind == GUARD_NONE;

		vec_each(it, &words->list)
			known = known || same_word(&it->guard, &part->guard);
		if (known)
			continue;
		w.value = guard_read(l, &part->guard);
		vec_push(l->arena, &words->list, w);
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

/*
 * The index is cut to the size of the table, which is a power of two: in a large program the number may lie in memory
 * between the test and its use, and Linux 6.1 then no longer knows what the test has said.
 */
static void in_bitmap(struct lower *l, vreg v, const uint64_t *values, uint32_t n, uint32_t yes, uint32_t no)
{
	uint32_t used = (uint32_t)(values[n - 1] / 64) + 1, words = 1, within = ir_block_new(l->f, "within");
	uint64_t *bits;
	vreg word, at;

	while (words < used)
		words *= 2;
	bits = arena_array_of(l->arena, uint64_t, words);
	for (uint32_t i = 0; i < n; i++)
		bits[values[i] / 64] |= 1ULL << values[i] % 64;
	ir_br_imm(l->f, CC_ULT, v, (int64_t)words * 64, within, no);
	ir_block_use(l->f, within);
	at = ir_rodata(l->f, object_rodata(l->object, bits, words * 8, 8));
	if (words > 1) {
		vreg index = ir_bin_imm(l->f, IR_AND, ir_bin_imm(l->f, IR_SHR, v, 6), words - 1);

		at = ir_bin(l->f, IR_ADD, at, ir_bin_imm(l->f, IR_SHL, index, 3));
	}
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

/* ---- tests ---- */

static vreg word_of(const struct guard_words *words, const struct guard *g)
{
	vec_each(w, &words->list)
		if (same_word(&w->guard, g))
			return w->value;
	return 0;
}

vreg lower_guard_number(struct lower *l, const struct guard *g)
{
	vreg known = l->priv->fn.words ? word_of(l->priv->fn.words, g) : 0;

	return known ? known : guard_read(l, g);
}

void lower_guard_test(struct lower *l, const struct part *part, const struct guard_words *words, uint32_t no)
{
	uint32_t yes;

	if (part->guard.kind == GUARD_NONE)
		return;
	yes = ir_block_new(l->f, "match");
	in_values(l, word_of(words, &part->guard), part->values.v, part->values.n, yes, no);
	ir_block_use(l->f, yes);
}

void lower_guard_task(struct lower *l, const struct part *part, uint32_t no)
{
	const struct guard *g = &part->guard;
	struct val to;
	vreg task;
	uint32_t yes;

	if (!g->task_mask)
		return;
	yes = ir_block_new(l->f, "native");
	to = val_slot(l, &type_uint32, "task");
	task = ir_call_pure(l->f, BPF_FUNC_get_current_task, 0, NULL);
	vreg args[] = { to.reg, ir_const(l->f, 4), ir_bin_imm(l->f, IR_ADD, task, g->task_offset) };

	ir_call(l->f, BPF_FUNC_probe_read_kernel, 3, args);
	ir_br_imm(l->f, CC_SET, ir_load(l->f, to.reg, 0, 4, false), g->task_mask, no, yes);
	ir_block_use(l->f, yes);
}

/* ---- which of many ---- */

/* A value, and the part it leads to. */
struct way {
	uint64_t value;
	uint32_t part;
};

static int compare_ways(const void *a, const void *b)
{
	const struct way *x = a, *y = b;

	return x->value < y->value ? -1 : x->value > y->value;
}

static struct way *ways_of(struct lower *l, const struct part *parts, uint32_t n, uint32_t *count)
{
	struct way *ways;
	uint32_t k = 0;

	*count = 0;
	for (uint32_t i = 0; i < n; i++)
		*count += parts[i].values.n;
	ways = arena_array_of(l->arena, struct way, *count);
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < parts[i].values.n; j++)
			ways[k++] = (struct way){ parts[i].values.v[j], i };
	qsort(ways, k, sizeof(*ways), compare_ways);
	return ways;
}

static bool exclusive(struct lower *l, const struct part *parts, uint32_t n)
{
	uint32_t count;
	const struct way *ways = ways_of(l, parts, n, &count);

	for (uint32_t i = 1; i < count; i++)
		if (ways[i].value == ways[i - 1].value)
			return false;
	return true;
}

uint32_t lower_guard_exclusive(struct lower *l, const struct part *parts, uint32_t n)
{
	uint32_t same = 1;

	if (parts[0].guard.kind == GUARD_NONE)
		return 1;
	/* One clause has its parts in a row, and they exclude each other unless it names a probe twice. */
	while (same < n && same_word(&parts[same].guard, &parts[0].guard) &&
	       parts[same].unit->clause->index == parts[0].unit->clause->index)
		same++;
	return same > MOST_COMPARED && exclusive(l, parts, same) ? same : 1;
}

static void search(struct lower *l, vreg v, const struct way *ways, uint32_t n, const uint32_t *blocks, uint32_t no)
{
	uint32_t half = n / 2, low, high;

	if (n <= MOST_COMPARED) {
		for (uint32_t i = 0; i < n; i++) {
			uint32_t next = i + 1 < n ? ir_block_new(l->f, "or") : no;

			ir_br_imm(l->f, CC_EQ, v, (int64_t)ways[i].value, blocks[ways[i].part], next);
			if (i + 1 < n)
				ir_block_use(l->f, next);
		}
		return;
	}
	low = ir_block_new(l->f, "low");
	high = ir_block_new(l->f, "high");
	ir_br_imm(l->f, CC_ULT, v, (int64_t)ways[half].value, low, high);
	ir_block_use(l->f, low);
	search(l, v, ways, half, blocks, no);
	ir_block_use(l->f, high);
	search(l, v, ways + half, n - half, blocks, no);
}

void lower_guard_search(struct lower *l, const struct part *parts, uint32_t n, const struct guard_words *words,
			const uint32_t *bodies, uint32_t no)
{
	uint32_t count;
	const struct way *ways = ways_of(l, parts, n, &count);

	search(l, word_of(words, &parts[0].guard), ways, count, bodies, no);
}
