/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lookup of scratch, put in before the first instruction that needs it and taken out again when slots are
 * placed anew.
 *
 * A program that may be put aside for another run of it on its CPU has scratch in the task's own storage. The
 * kernel refuses that while the task in whose place this one runs is just being given its own (6.1), and when
 * there is no memory. Then one of the CPU's spare blocks is claimed until the program ends:
 *
 *   base = storage of the task
 *   if (!base)
 *     for (turn = 0; turn < SPARES; turn++)
 *       spare = &spares[turn]
 *       if (fetch_add(&spare->claims, 1) == 0)
 *         claim = spare, base = spare->block, goto body
 *       add(&spare->claims, -1)
 *     missed++, return 0
 *   body: ...
 *   if (claim)
 *     add(&claim->claims, -1)
 *   return
 */
#include <linux/bpf.h>

#include "base/util.h"
#include "code/ir_mach.h"

/* A block before it was changed. */
struct old_block {
	uint32_t number;
	struct ir_block was;
};

struct scratch_lookup {
	uint32_t key; /* slot; those from here on are the lookup's */
	uint32_t nblocks;
	VEC(struct old_block) old;
};

static void block_save(struct ir_func *f, uint32_t n)
{
	struct old_block old = { n, *f->blocks.v[n] };
	struct ir_block *b = f->blocks.v[n];

	vec_push(f->arena, &f->lookup->old, old);
	b->insns.v = NULL;
	b->insns.n = b->insns.cap = 0;
	vec_each(i, &old.was.insns)
		vec_push(f->arena, &b->insns, *i);
}

/* Move the instructions of a block from `at` on to a new one, which is returned. */
static uint32_t block_split(struct ir_func *f, uint32_t n, uint32_t at)
{
	uint32_t rest = ir_block_new(f, NULL);
	struct ir_block *b = f->blocks.v[n];

	for (uint32_t k = at; k < b->insns.n; k++)
		vec_push(f->arena, &f->blocks.v[rest]->insns, b->insns.v[k]);
	b->insns.n = at;
	return rest;
}

/* A block that returns 0: one that is there, or a new one. */
static uint32_t return_block(struct ir_func *f)
{
	for (uint32_t n = 0; n < f->blocks.n; n++) {
		const struct ir_block *b = f->blocks.v[n];

		if (b->insns.n == 1 && b->insns.v[0].op == IR_RET && !b->insns.v[0].a && !b->insns.v[0].imm)
			return n;
	}
	ir_block_use(f, ir_block_new(f, "no_scratch"));
	ir_ret_imm(f, 0);
	return f->cur;
}

/* The same, and count that this run was none. */
static uint32_t missed_block(struct ir_func *f)
{
	ir_block_use(f, ir_block_new(f, "missed"));
	ir_atomic_add(f, ir_bss(f, f->task_scratch), 0, 8, ir_const(f, 1), false);
	ir_ret_imm(f, 0);
	return f->cur;
}

/* A map as an argument whose number is not known yet. */
static vreg map_arg(struct ir_func *f, int number)
{
	vreg map = ir_map(f, 0);

	block_end(f->blocks.v[f->cur])->imm = number;
	return map;
}

static vreg lookup_by_key(struct ir_func *f, int map)
{
	vreg args[2];

	args[0] = map_arg(f, map);
	args[1] = ir_slot_addr(f, f->lookup->key);
	return ir_call(f, BPF_FUNC_map_lookup_elem, 2, args);
}

/* ---- the CPU's ---- */

static void lookup_by_number(struct ir_func *f, uint32_t body)
{
	uint32_t none = return_block(f), from = f->lookup->old.v[0].number;
	vreg key;

	ir_block_use(f, from);
	key = ir_slot_addr(f, f->lookup->key);
	if (f->scratch_by_cpu)
		ir_store(f, key, 0, 4, ir_call(f, BPF_FUNC_get_smp_processor_id, 0, NULL));
	else
		ir_store_imm(f, key, 0, 4, f->scratch_index);
	f->scratch_base = lookup_by_key(f, IR_MAP_SCRATCH);
	ir_br_imm(f, CC_EQ, f->scratch_base, 0, none, body);
}

/* ---- the task's ---- */

static void release(struct ir_func *f, uint32_t n, vreg claim)
{
	uint32_t end, give_back;

	block_save(f, n);
	end = block_split(f, n, f->blocks.v[n]->insns.n - 1);
	give_back = ir_block_new(f, "release");
	ir_block_use(f, n);
	ir_br_imm(f, CC_EQ, claim, 0, end, give_back);
	ir_block_use(f, give_back);
	ir_atomic_add(f, claim, 0, 8, ir_const(f, -1), false);
	ir_jmp(f, end);
}

/* At all ends that can be reached from this block. */
static void release_from(struct ir_func *f, uint32_t from, vreg claim)
{
	uint32_t nblocks = f->blocks.n, n = 0;
	bool *seen = arena_array_of(f->arena, bool, nblocks);
	uint32_t *todo = arena_array_of(f->arena, uint32_t, nblocks);

	seen[from] = true;
	todo[n++] = from;
	while (n) {
		uint32_t b = todo[--n], succ[2], nsucc = block_succs(f->blocks.v[b], succ);

		for (uint32_t k = 0; k < nsucc; k++)
			if (!seen[succ[k]]) {
				seen[succ[k]] = true;
				todo[n++] = succ[k];
			}
	}
	for (uint32_t b = 0; b < nblocks; b++)
		if (seen[b] && block_end(f->blocks.v[b])->op == IR_RET)
			release(f, b, claim);
}

/* In the current block: claim one of the spare blocks and go on with it. */
static void claim_spare(struct ir_func *f, vreg claim, uint32_t body)
{
	uint32_t missed = missed_block(f), again = ir_block_new(f, "again"), try_ = ir_block_new(f, "try");
	uint32_t taken = ir_block_new(f, "taken"), got = ir_block_new(f, "got"), refused = ir_block_new(f, "refused");
	vreg turn = ir_vreg_new(f, "turn"), spare;

	ir_block_use(f, f->lookup->old.v[0].number);
	ir_br_imm(f, CC_EQ, f->scratch_base, 0, refused, body);
	ir_block_use(f, refused);
	ir_mov_to(f, turn, ir_const(f, 0));
	ir_jmp(f, again);
	ir_block_use(f, again);
	ir_store(f, ir_slot_addr(f, f->lookup->key), 0, 4, turn);
	spare = lookup_by_key(f, IR_MAP_SPARE);
	ir_br_imm(f, CC_EQ, spare, 0, missed, try_);
	ir_block_use(f, try_);
	ir_br_imm(f, CC_EQ, ir_atomic_add(f, spare, 0, 8, ir_const(f, 1), true), 0, got, taken);
	ir_block_use(f, taken);
	ir_atomic_add(f, spare, 0, 8, ir_const(f, -1), false);
	ir_mov_to(f, turn, ir_bin_imm(f, IR_ADD, turn, 1));
	ir_br_imm(f, CC_ULT, turn, SCRATCH_SPARES, again, missed);
	ir_block_use(f, got);
	ir_mov_to(f, claim, spare);
	ir_mov_to(f, f->scratch_base, ir_bin_imm(f, IR_ADD, spare, 8));
	ir_jmp(f, body);
}

static void lookup_by_task(struct ir_func *f, uint32_t body)
{
	uint32_t from = f->lookup->old.v[0].number;
	vreg args[4], claim = ir_vreg_new(f, "claim");

	release_from(f, body, claim);
	ir_block_use(f, from);
	ir_mov_to(f, claim, ir_const(f, 0));
	args[0] = map_arg(f, IR_MAP_SCRATCH);
	args[1] = ir_call(f, BPF_FUNC_get_current_task_btf, 0, NULL);
	args[2] = ir_const(f, 0);
	args[3] = ir_const(f, BPF_LOCAL_STORAGE_GET_F_CREATE);
	f->scratch_base = ir_vreg_new(f, "scratch");
	ir_mov_to(f, f->scratch_base, ir_call(f, BPF_FUNC_task_storage_get, 4, args));
	claim_spare(f, claim, body);
}

/*
 * Base = the scratch of this program and CPU (which is always there, but the verifier does not know) or task; if
 * there is none, return 0. What is behind the lookup goes to a block of its own.
 */
void scratch_lookup_insert(struct ir_func *f)
{
	uint32_t at, body, from = scratch_place(f, &at);

	f->lookup = arena_new_of(f->arena, struct scratch_lookup);
	f->lookup->nblocks = f->blocks.n;
	f->lookup->key = ir_slot_new(f, 4, 4, "scratch_key");
	block_save(f, from);
	body = block_split(f, from, at);
	if (f->scratch_by_task)
		lookup_by_task(f, body);
	else
		lookup_by_number(f, body);
}

/* Slots are placed anew: the lookup may have to be elsewhere, or nowhere. */
void scratch_lookup_remove(struct ir_func *f)
{
	const struct scratch_lookup *l = f->lookup;

	if (!l)
		return;
	for (uint32_t k = l->old.n; k--;)
		*f->blocks.v[l->old.v[k].number] = l->old.v[k].was;
	f->blocks.n = l->nblocks;
	f->slots.n = l->key;
	f->lookup = NULL;
	f->scratch_base = 0;
}
