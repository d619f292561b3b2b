/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lower, aggregations: bringing this CPU's value up to date, and reducing all CPUs' to one number. */
#include <errno.h>
#include <linux/bpf.h>

#include "base/util.h"
#include "code/lower_priv.h"
#include "kernel/kernel.h"

/* What the first number makes of a new value. */
static vreg first_value(struct lower *l, const struct map *m, const char *words, vreg v)
{
	static const uint64_t one = 1;
	vreg addr;

	if (str_eq(words, "1"))
		return ir_rodata(l->f, object_rodata(l->object, &one, sizeof(one), 8));
	addr = val_slot(l, m->value, "first").reg;
	for (int32_t i = 0; words[i]; i++) {
		if (words[i] == 'v')
			ir_store(l->f, addr, 8 * i, 8, v);
		else
			ir_store_imm(l->f, addr, 8 * i, 8, 1);
	}
	return addr;
}

/*
 * This CPU's value of the key. When there is none, the map is given what the first number makes of one, and that is
 * all; BPF_ANY, because another CPU may have made the key by now: it has a value of its own.
 */
static vreg find_or_begin(struct lower *l, const struct map *m, vreg key, const char *first, vreg v, uint32_t done)
{
	uint32_t miss = ir_block_new(l->f, "miss"), have = ir_block_new(l->f, "have");
	vreg p = lower_map_lookup(l, m, key);

	ir_br_imm(l->f, CC_NE, p, 0, have, miss);
	ir_block_use(l->f, miss);
	lower_map_update(l, m, key, first_value(l, m, first, v), BPF_ANY);
	ir_jmp(l->f, done);
	ir_block_use(l->f, have);
	return p;
}

int lower_aggregate(struct lower *l, struct stmt *s)
{
	const struct map *m = s->target->map;
	struct expr *call = s->value;
	const char *first = call->func->first;
	uint32_t done = ir_block_new(l->f, "done");
	bool shared = m->key && lower_map_desc(l, m)->form == MAP_HASH;
	struct val at;
	vreg v = 0, key, p;
	int err = call->args.n ? lower_scalar(l, call->args.v[0], &v) : 0;

	err = err ? err : lower_map_key(l, m, s->target->a, &key);
	if (err)
		return err;
	if (!m->key)
		p = lower_map_present(l, m, key, done);
	else if (first && !shared && !lower_preemptible(l))
		p = find_or_begin(l, m, key, first, v, done);
	else
		p = lower_map_find_or_make(l, m, key, lower_map_zeros(l, m), 0, done);
	at = val_of_mem(m->value, p, 0, SPACE_NONE);
	l->priv->fn.value_shared = shared;
	call->func->gather(l, call, v, &at);
	l->priv->fn.value_shared = false;
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return 0;
}

/* ---- reading within the kernel ---- */

static bool is_extreme(const struct type *t)
{
	return t->kind == TY_MIN || t->kind == TY_MAX;
}

/* One CPU's value added to what has been gathered: acc, and n values (or whether any) behind it. */
static void reduce_one(struct lower *l, const struct type *t, vreg p, vreg acc, vreg n)
{
	vreg v = ir_load(l->f, p, 0, 8, false);
	uint32_t take, done;

	if (t->kind != TY_COUNT && t->kind != TY_SUM)
		ir_mov_to(l->f, n, ir_bin(l->f, is_extreme(t) ? IR_OR : IR_ADD, n, ir_load(l->f, p, 8, 8, false)));
	if (!is_extreme(t)) {
		ir_mov_to(l->f, acc, ir_bin(l->f, IR_ADD, acc, v));
		return;
	}
	take = ir_block_new(l->f, "take");
	done = ir_block_new(l->f, "seen");
	ir_br(l->f, CC_UGT, v, acc, take, done);
	ir_block_use(l->f, take);
	ir_mov_to(l->f, acc, v);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
}

/* The number that has been gathered; 0 when there was no value at all. */
static vreg reduce_end(struct lower *l, const struct type *t, vreg acc, vreg n)
{
	const struct type *number = lower_read_type(t);
	vreg r = ir_vreg_new(l->f, "extreme");
	uint32_t some, done;

	if (t->kind == TY_AVG || t->kind == TY_STATS) /* Division by zero gives 0 in the instruction set. */
		return lower_quotient(l, OP_DIV, acc, n, number->is_signed);
	if (!is_extreme(t))
		return acc;
	some = ir_block_new(l->f, "some");
	done = ir_block_new(l->f, "reduced");
	ir_mov_to(l->f, r, ir_const(l->f, 0));
	ir_br_imm(l->f, CC_NE, n, 0, some, done);
	ir_block_use(l->f, some);
	ir_mov_to(l->f, r, ir_bin(l->f, IR_XOR, acc, ir_const(l->f, (int64_t)type_extreme_code(t))));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return r;
}

/*
 * The kernel loops over CPUs: a loop of the program's own would be followed by the verifier turn by turn, for
 * each reading anew. What the callback is handed:
 */
enum { REDUCE_KEY = 0, REDUCE_ACC = 8, REDUCE_N = 16, REDUCE_BYTES = 24 };

/* The loop ends at the first CPU that does not exist; an object may run on a larger machine than this. */
#define LEAST_CPUS 8192

/* callback(cpu, link): one CPU's value, by the key in the link, goes into the sum there. */
static struct ir_func *reducer_build(struct lower *l, const struct map *m, uint32_t number)
{
	struct ir_func *f = ir_func_new(l->arena, arena_printf(l->arena, "reduce_%u", number)), *outer = l->f;
	uint32_t have = ir_block_new(f, "have"), end = ir_block_new(f, "allcpus");
	vreg acc = ir_vreg_new(f, "acc"), n = ir_vreg_new(f, "n"), link, p, args[3];

	f->is_subprog = true;
	f->nargs = 2;
	f->span = outer->span;
	l->f = f;
	link = ir_arg(f, 1);
	ir_mov_to(f, acc, ir_load(f, link, REDUCE_ACC, 8, false));
	ir_mov_to(f, n, ir_load(f, link, REDUCE_N, 8, false));
	args[0] = ir_map(f, lower_map_desc(l, m)->object_map);
	args[1] = ir_load(f, link, REDUCE_KEY, 8, false);
	args[2] = ir_ext(f, ir_arg(f, 0), 4, false);
	p = ir_call(f, BPF_FUNC_map_lookup_percpu_elem, 3, args);
	ir_br_imm(f, CC_NE, p, 0, have, end);
	ir_block_use(f, end);
	ir_ret_imm(f, 1);
	ir_block_use(f, have);
	reduce_one(l, m->value, p, acc, n);
	ir_store(f, link, REDUCE_ACC, 8, acc);
	ir_store(f, link, REDUCE_N, 8, n);
	ir_ret_imm(f, 0);
	l->f = outer;
	return f;
}

static uint32_t reducer_of(struct lower *l, const struct map *m)
{
	struct lower_priv *p = l->priv;
	struct reducer new = { .map = m, .number = p->nprograms + p->funcs.n };

	vec_each(r, &p->reducers)
		if (r->map == m)
			return r->number;
	vec_push(l->arena, &p->funcs, reducer_build(l, m, new.number));
	vec_push(l->arena, &p->reducers, new);
	return new.number;
}

static vreg reduce_percpu(struct lower *l, const struct map *m, vreg key)
{
	uint32_t *slot = &l->priv->fn.reduce_slot;
	const struct type *t = m->value;
	vreg link, args[4];

	if (!*slot)
		*slot = ir_slot_new_on_stack(l->f, REDUCE_BYTES, 8, "reduce") + 1;
	link = ir_slot_addr(l->f, *slot - 1);
	ir_store(l->f, link, REDUCE_KEY, 8, key);
	ir_store(l->f, link, REDUCE_ACC, 8, lower_unknown(l, ir_const(l->f, 0)));
	ir_store(l->f, link, REDUCE_N, 8, lower_unknown(l, ir_const(l->f, 0)));
	args[0] = ir_const(l->f, MAX(kernel_ncpus_possible(), LEAST_CPUS));
	args[1] = ir_func_addr(l->f, reducer_of(l, m));
	args[2] = link;
	args[3] = ir_const(l->f, 0);
	ir_call(l->f, BPF_FUNC_loop, 4, args);
	return reduce_end(l, t, ir_load(l->f, link, REDUCE_ACC, 8, false), ir_load(l->f, link, REDUCE_N, 8, false));
}

/* All processors share the value, if there is one. */
static vreg reduce_shared(struct lower *l, const struct map *m, vreg key)
{
	uint32_t have = ir_block_new(l->f, "have"), done = ir_block_new(l->f, "shared");
	vreg acc = ir_vreg_new(l->f, "acc"), n = ir_vreg_new(l->f, "n"), p = lower_map_lookup(l, m, key);

	ir_mov_to(l->f, acc, ir_const(l->f, 0));
	ir_mov_to(l->f, n, ir_const(l->f, 0));
	ir_br_imm(l->f, CC_NE, p, 0, have, done);
	ir_block_use(l->f, have);
	reduce_one(l, m->value, p, acc, n);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return reduce_end(l, m->value, acc, n);
}

int lower_map_reduce(struct lower *l, const struct map *m, struct span span, vreg key, struct val *out)
{
	const struct type *t = m->value;
	bool shared = lower_map_desc(l, m)->form == MAP_HASH;

	if (t->kind == TY_HIST || t->kind == TY_LHIST || t->kind == TY_TSERIES)
		return diag_error(l->diags, span, "%s has no single value to read", type_name(l->arena, t));
	*out = val_of_reg(lower_read_type(t), shared ? reduce_shared(l, m, key) : reduce_percpu(l, m, key));
	return 0;
}
