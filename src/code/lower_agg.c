/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lower, aggregations: bringing this CPU's value up to date, and reducing all CPUs' to one number. */
#include <errno.h>
#include <linux/bpf.h>

#include "base/util.h"
#include "code/lower_priv.h"
#include "kernel/kernel.h"

int lower_aggregate(struct lower *l, struct stmt *s)
{
	const struct map *m = s->target->map;
	uint32_t done = ir_block_new(l->f, "done");
	struct val at;
	vreg key, p;
	int err = lower_map_key(l, m, s->target->a, &key);

	if (err)
		return err;
	p = m->key ? lower_map_find_or_make(l, m, key, lower_map_zeros(l, m), 0, done) :
		     lower_map_present(l, m, key, done);
	at = val_of_mem(m->value, p, 0, SPACE_NONE);
	err = s->value->func->emit(l, s->value, &at);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return err;
}

/* ---- reading within the kernel ---- */

static bool is_extreme(const struct type *t)
{
	return t->kind == TY_MIN || t->kind == TY_MAX;
}

/* One CPU's value added to what has been gathered: acc, and n values (or whether any) behind it. */
static void reduce_one(struct lower *l, const struct type *t, vreg p, vreg acc, vreg n)
{
	enum ir_cc cc = t->kind == TY_MIN ? (t->is_signed ? CC_SLE : CC_ULE) : (t->is_signed ? CC_SGE : CC_UGE);
	uint32_t seen, take, done;
	vreg v = ir_load(l->f, p, 0, 8, false);

	if (!is_extreme(t)) {
		ir_mov_to(l->f, acc, ir_bin(l->f, IR_ADD, acc, v));
		if (t->kind != TY_COUNT && t->kind != TY_SUM)
			ir_mov_to(l->f, n, ir_bin(l->f, IR_ADD, n, ir_load(l->f, p, 8, 8, false)));
		return;
	}
	seen = ir_block_new(l->f, "seen");
	take = ir_block_new(l->f, "take");
	done = ir_block_new(l->f, "seen");
	ir_br_imm(l->f, CC_NE, ir_load(l->f, p, 8, 8, false), 0, seen, done);
	ir_block_use(l->f, seen);
	ir_mov_to(l->f, n, ir_const(l->f, 1));
	ir_br(l->f, cc, v, acc, take, done);
	ir_block_use(l->f, take);
	ir_mov_to(l->f, acc, v);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
}

static int64_t reduce_start(const struct type *t)
{
	if (t->kind == TY_MIN)
		return t->is_signed ? INT64_MAX : -1;
	if (t->kind == TY_MAX)
		return t->is_signed ? INT64_MIN : 0;
	return 0;
}

/* The number that has been gathered; 0 when there was no value at all. */
static vreg reduce_end(struct lower *l, const struct type *t, vreg acc, vreg n)
{
	const struct type *number = lower_read_type(t);
	uint32_t none, done;

	if (t->kind == TY_AVG || t->kind == TY_STATS) {
		lower_arith(l, OP_DIV, l->f->span, acc, number, n, &type_uint64, number, &acc);
	} else if (is_extreme(t)) {
		none = ir_block_new(l->f, "none");
		done = ir_block_new(l->f, "reduced");
		ir_br_imm(l->f, CC_EQ, n, 0, none, done);
		ir_block_use(l->f, none);
		ir_mov_to(l->f, acc, ir_const(l->f, 0));
		ir_jmp(l->f, done);
		ir_block_use(l->f, done);
	}
	return acc;
}

/* The loop over CPUs ends at the first that does not exist; this bound is for the verifier, and for an
 * object that is run on a larger machine than it was made on. */
#define LEAST_CPUS 128

int lower_map_reduce(struct lower *l, const struct map *m, struct span span, vreg key, struct val *out)
{
	const struct type *t = m->value;
	uint32_t head = ir_block_new(l->f, "cpu"), body = ir_block_new(l->f, "reduce");
	uint32_t done = ir_block_new(l->f, "allcpus");
	vreg cpu = ir_vreg_new(l->f, NULL), acc = ir_vreg_new(l->f, NULL), n = ir_vreg_new(l->f, NULL), p;
	vreg args[] = { 0, key, cpu };

	if (t->kind == TY_HIST || t->kind == TY_LHIST || t->kind == TY_TSERIES)
		return diag_error(l->diags, span, "%s has no single value to read", type_name(l->arena, t));
	ir_mov_to(l->f, cpu, ir_const(l->f, 0));
	ir_mov_to(l->f, acc, ir_const(l->f, reduce_start(t)));
	ir_mov_to(l->f, n, ir_const(l->f, 0));
	ir_jmp(l->f, head);
	ir_block_use(l->f, head);
	args[0] = ir_map(l->f, lower_map_desc(l, m)->object_map);
	p = ir_call(l->f, BPF_FUNC_map_lookup_percpu_elem, 3, args);
	ir_br_imm(l->f, CC_NE, p, 0, body, done);
	ir_block_use(l->f, body);
	reduce_one(l, t, p, acc, n);
	ir_mov_to(l->f, cpu, ir_bin_imm(l->f, IR_ADD, cpu, 1));
	ir_br_imm(l->f, CC_ULT, cpu, MAX(kernel_ncpus_possible(), LEAST_CPUS), head, done);
	ir_block_use(l->f, done);
	*out = val_of_reg(lower_read_type(t), reduce_end(l, t, acc, n));
	return 0;
}
