/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random functions, compiled and run in the kernel, must do what an interpreter does with the IR as it was
 * built. `test_ir_random COUNT SEED FIRST` tries others than the suite does.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "ir_run.h"
#include "lang/diag.h"

static uint32_t count = 300;
static uint64_t seed = 1;
static uint32_t first;

struct gen {
	struct ir_func *f;
	uint64_t rng;
	vreg values[64]; /* written once, in scope */
	uint32_t nvalues;
	vreg vars[12]; /* written wherever */
	uint32_t nvars;
	uint32_t slots[6], slot_bytes[6];
	uint32_t nslots;
	vreg result;  /* address of the map's value */
	uint32_t exit; /* block */
	uint32_t left; /* instructions still to be made */
	uint32_t depth;
	bool in_loop;
};

/* xorshift64* */
static uint32_t any(struct gen *g, uint32_t below)
{
	g->rng ^= g->rng >> 12;
	g->rng ^= g->rng << 25;
	g->rng ^= g->rng >> 27;
	return (uint32_t)((g->rng * UINT64_C(2685821657736338717)) >> 33) % below;
}

static int64_t any_number(struct gen *g)
{
	static const int64_t numbers[] = {
		0, 1, 2, 3, 5, 7, 8, 10, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 1000, 4096, 32767, 65535, 65536,
		-1, -2, -8, -128, -32768, INT32_MAX, INT32_MIN, UINT32_MAX, INT64_C(1) << 32, INT64_MAX, INT64_MIN,
		0x0f0f0f0f0f0f0f0f, -1000000007, 0x80000000, 0xffffff00, 0xff00, 0xffff0000,
	};

	if (any(g, 4))
		return numbers[any(g, ARRAY_SIZE(numbers))];
	return (int64_t)((uint64_t)any(g, INT32_MAX) << any(g, 40)) - any(g, 1000);
}

static vreg any_value(struct gen *g)
{
	uint32_t n = any(g, g->nvalues + g->nvars);

	/* Recent values are likelier, as in real programs. */
	if (n < g->nvalues && any(g, 2))
		n = g->nvalues - 1 - any(g, MIN(g->nvalues, 4));
	return n < g->nvalues ? g->values[n] : g->vars[n - g->nvalues];
}

static void keep(struct gen *g, vreg v)
{
	if (g->nvalues < ARRAY_SIZE(g->values))
		g->values[g->nvalues++] = v;
	else
		g->values[any(g, ARRAY_SIZE(g->values))] = v;
}

static uint8_t any_size(struct gen *g)
{
	return (uint8_t)(1 << any(g, 4));
}

static enum ir_op any_op(struct gen *g)
{
	return IR_ADD + any(g, IR_SAR - IR_ADD + 1);
}

static void gen_alu(struct gen *g)
{
	enum ir_op op = any_op(g);
	vreg a = any_value(g);

	if (any(g, 2))
		keep(g, ir_bin_imm(g->f, op, a, any_number(g)));
	else
		keep(g, ir_bin(g->f, op, a, any_value(g)));
}

/* An operation straight into a variable, as a peephole of the lowering might do it: every form of it. */
static void gen_alu_var(struct gen *g)
{
	vreg d = g->vars[any(g, g->nvars)], a = any_value(g), b = any_value(g);
	struct ir_insn *i;
	vreg t;

	switch (any(g, 3)) {
	case 0:
		t = ir_bin(g->f, any_op(g), any(g, 2) ? d : a, any(g, 2) ? d : b);
		break;
	case 1:
		t = ir_setcc(g->f, any(g, CC_SET + 1), any(g, 2) ? d : a, any(g, 2) ? d : b);
		break;
	default:
		t = ir_ext(g->f, any(g, 2) ? d : a, any_size(g), any(g, 2));
	}
	i = &g->f->blocks.v[g->f->cur]->insns.v[g->f->blocks.v[g->f->cur]->insns.n - 1];
	g->f->vregs.v[t].ndefs = 0;
	g->f->vregs.v[d].ndefs++;
	i->d = d;
}

/* 32-bit variants, made by hand: only passes make them. */
static void gen_alu32(struct gen *g)
{
	vreg t = ir_bin(g->f, any_op(g), any_value(g), any_value(g));
	struct ir_block *b = g->f->blocks.v[g->f->cur];

	b->insns.v[b->insns.n - 1].w32 = true;
	keep(g, t);
}

/* An address with room for `size` bytes at *off, aligned. */
static vreg any_place(struct gen *g, uint8_t size, int32_t *off)
{
	uint32_t k = any(g, g->nslots + 2);
	uint32_t bytes = k < g->nslots ? g->slot_bytes[k] : RUN_VALUE_BYTES;
	vreg base = k < g->nslots ? ir_slot_addr(g->f, g->slots[k]) : g->result;
	int32_t at = (int32_t)(any(g, bytes / size) * size);

	if (any(g, 4)) {
		*off = at;
		return base;
	}
	*off = (int32_t)any(g, 16) - 8;
	return ir_bin_imm(g->f, IR_ADD, base, at - *off);
}

static void gen_load(struct gen *g)
{
	uint8_t size = any_size(g);
	int32_t off;
	vreg addr = any_place(g, size, &off);

	if (!any(g, 5))
		keep(g, ir_load(g->f, ir_ctx(g->f), (int32_t)any(g, RUN_CTX_WORDS) * 8, 8, false));
	else
		keep(g, ir_load(g->f, addr, off, size, any(g, 2)));
}

static void gen_store(struct gen *g)
{
	uint8_t size = any_size(g);
	int32_t off;
	vreg addr = any_place(g, size, &off);

	if (any(g, 2))
		ir_store_imm(g->f, addr, off, size, any(g, 3) ? 0 : any_number(g));
	else
		ir_store(g->f, addr, off, size, any_value(g));
}

/* Runs of small constants, as string literals make them. */
static void gen_store_run(struct gen *g)
{
	uint32_t k = any(g, g->nslots);
	uint32_t n = any(g, g->slot_bytes[k]) + 1, at = any(g, g->slot_bytes[k] - n + 1);
	uint8_t size = any(g, 3) ? 1 : 2;
	vreg base = ir_slot_addr(g->f, g->slots[k]);

	at -= at % size;
	for (uint32_t i = 0; i + size <= n && i < 24; i += size)
		ir_store_imm(g->f, base, (int32_t)(at + i), size, any(g, 2) ? 0 : any_number(g));
}

static void gen_atomic(struct gen *g)
{
	uint8_t size = any(g, 2) ? 4 : 8;
	int32_t off;
	vreg addr = any_place(g, size, &off);
	bool want = any(g, 2);
	vreg old = ir_atomic_add(g->f, addr, off, size, any_value(g), want);

	if (want)
		keep(g, old);
}

/* slot[v & mask] or result[v & mask] */
static void gen_index(struct gen *g)
{
	uint32_t k = any(g, g->nslots + 1);
	vreg base = k < g->nslots ? ir_slot_addr(g->f, g->slots[k]) : g->result;
	vreg index = ir_bin_imm(g->f, IR_AND, any_value(g), 7);
	vreg addr = ir_bin(g->f, IR_ADD, base, index);

	if (any(g, 2))
		keep(g, ir_load(g->f, addr, 0, 1, any(g, 2)));
	else
		ir_store(g->f, addr, 0, 1, any_value(g));
}

static void gen_call(struct gen *g)
{
	uint32_t from = any(g, g->nslots), to = any(g, g->nslots), n;
	vreg args[3];

	if (!any(g, 3)) {
		keep(g, ir_call_pure(g->f, BPF_FUNC_get_current_pid_tgid, 0, NULL));
		return;
	}
	n = any(g, MIN(g->slot_bytes[from], g->slot_bytes[to])) + 1;
	args[0] = ir_slot_addr(g->f, g->slots[to]);
	args[1] = ir_const(g->f, n);
	args[2] = ir_slot_addr(g->f, g->slots[from]);
	if (from == to)
		return;
	keep(g, ir_call(g->f, BPF_FUNC_probe_read_kernel, 3, args));
}

/* A slot that is used for a moment only, so that it may share its place with others. */
static void gen_moment(struct gen *g)
{
	uint32_t bytes = 8 * (1 + any(g, 8)), slot = ir_slot_new(g->f, bytes, any(g, 2) ? 8 : 4, "m");
	uint32_t from = any(g, g->nslots);
	vreg args[3] = { ir_slot_addr(g->f, slot), ir_const(g->f, MIN(bytes, g->slot_bytes[from])),
			 ir_slot_addr(g->f, g->slots[from]) };

	for (uint32_t at = 0; at < bytes; at += 8)
		if (any(g, 2))
			ir_store(g->f, args[0], (int32_t)at, 8, any_value(g));
		else
			ir_store_imm(g->f, args[0], (int32_t)at, 8, any_number(g));
	if (any(g, 2))
		ir_call(g->f, BPF_FUNC_probe_read_kernel, 3, args);
	else if (any(g, 2))
		keep(g, ir_atomic_add(g->f, args[0], 0, 8, any_value(g), true));
	for (uint32_t at = 0; at < bytes; at += 8)
		if (!any(g, 3))
			keep(g, ir_load(g->f, args[0], (int32_t)at, any_size(g), any(g, 2)));
}

/* A helper whose length argument is only bounded by a comparison. */
static void gen_call_bounded(struct gen *g)
{
	uint32_t go = ir_block_new(g->f, "bounded"), on = ir_block_new(g->f, "on");
	uint32_t from = any(g, g->nslots), to = any(g, g->nslots);
	uint32_t most = MIN(g->slot_bytes[from], g->slot_bytes[to]);
	vreg args[3], n = any(g, 2) ? any_value(g) : ir_bin_imm(g->f, IR_AND, any_value(g), 31);

	if (from == to) {
		ir_jmp(g->f, on);
		ir_block_use(g->f, on);
		return;
	}
	n = ir_bin_imm(g->f, IR_ADD, n, any(g, 3));
	ir_br_imm(g->f, CC_UGT, n, most, on, go);
	ir_block_use(g->f, go);
	args[0] = ir_slot_addr(g->f, g->slots[to]);
	args[1] = n;
	args[2] = ir_slot_addr(g->f, g->slots[from]);
	ir_call(g->f, BPF_FUNC_probe_read_kernel, 3, args);
	ir_jmp(g->f, on);
	ir_block_use(g->f, on);
}

static void gen_misc(struct gen *g)
{
	static const uint8_t swaps[] = { 2, 4, 8 };

	switch (any(g, 6)) {
	case 0:
		keep(g, ir_neg(g->f, any_value(g)));
		break;
	case 1:
		keep(g, ir_bswap(g->f, any_value(g), swaps[any(g, 3)]));
		break;
	case 2:
		if (any(g, 2))
			keep(g, ir_setcc(g->f, any(g, CC_SET + 1), any_value(g), any_value(g)));
		else
			keep(g, ir_setcc_imm(g->f, any(g, CC_SET + 1), any_value(g), any_number(g)));
		break;
	case 3:
		keep(g, ir_const(g->f, any_number(g)));
		break;
	default:
		keep(g, ir_ext(g->f, any_value(g), any_size(g), any(g, 2)));
	}
}

static void gen_assign(struct gen *g)
{
	ir_mov_to(g->f, g->vars[any(g, g->nvars)], any_value(g));
}

static void gen_branch(struct gen *g, uint32_t then_, uint32_t else_)
{
	vreg a = any_value(g);

	if (!any(g, 3))
		ir_br_imm(g->f, CC_NE, ir_setcc_imm(g->f, any(g, CC_SET + 1), a, any_number(g)), 0, then_, else_);
	else if (any(g, 2))
		ir_br_imm(g->f, any(g, CC_SET + 1), a, any_number(g), then_, else_);
	else
		ir_br(g->f, any(g, CC_SET + 1), a, any_value(g), then_, else_);
}

static void gen_body(struct gen *g);

static void gen_if(struct gen *g)
{
	uint32_t then_ = ir_block_new(g->f, "then"), else_ = ir_block_new(g->f, "else");
	uint32_t join = ir_block_new(g->f, "join"), scope = g->nvalues;

	gen_branch(g, then_, any(g, 2) ? else_ : join);
	ir_block_use(g->f, then_);
	gen_body(g);
	ir_jmp(g->f, any(g, 12) ? join : g->exit);
	g->nvalues = MIN(scope, g->nvalues);
	ir_block_use(g->f, else_);
	gen_body(g);
	ir_jmp(g->f, join);
	g->nvalues = MIN(scope, g->nvalues);
	ir_block_use(g->f, join);
}

/* A truth value by control flow, then tested: what && and || make. */
static void gen_bool(struct gen *g)
{
	uint32_t yes = ir_block_new(g->f, "yes"), no = ir_block_new(g->f, "no");
	uint32_t more = ir_block_new(g->f, "more"), join = ir_block_new(g->f, "join");
	uint32_t then_ = ir_block_new(g->f, "then"), on = ir_block_new(g->f, "on"), scope = g->nvalues;
	vreg t = ir_vreg_new(g->f, "bool"), one = ir_const(g->f, 1), zero = ir_const(g->f, 0);

	gen_branch(g, more, no);
	ir_block_use(g->f, more);
	gen_branch(g, yes, no);
	ir_block_use(g->f, yes);
	ir_mov_to(g->f, t, one);
	ir_jmp(g->f, join);
	ir_block_use(g->f, no);
	ir_mov_to(g->f, t, zero);
	ir_jmp(g->f, join);
	ir_block_use(g->f, join);
	if (any(g, 2))
		keep(g, t);
	ir_br_imm(g->f, CC_NE, t, 0, then_, on);
	ir_block_use(g->f, then_);
	gen_body(g);
	ir_jmp(g->f, on);
	g->nvalues = MIN(scope, g->nvalues);
	ir_block_use(g->f, on);
}

static void gen_loop(struct gen *g)
{
	uint32_t head = ir_block_new(g->f, "head"), body = ir_block_new(g->f, "body");
	uint32_t after = ir_block_new(g->f, "after"), scope = g->nvalues;
	vreg i = ir_vreg_new(g->f, "i"), zero = ir_const(g->f, 0);

	if (g->in_loop)
		return;
	g->in_loop = true;
	ir_mov_to(g->f, i, zero);
	ir_jmp(g->f, head);
	ir_block_use(g->f, head);
	ir_br_imm(g->f, CC_ULT, i, 1 + any(g, 4), body, after);
	ir_block_use(g->f, body);
	keep(g, i);
	gen_body(g);
	if (!any(g, 3))
		gen_branch(g, after, ir_block_new(g->f, "go_on")), ir_block_use(g->f, g->f->blocks.n - 1);
	ir_mov_to(g->f, i, ir_bin_imm(g->f, IR_ADD, i, 1));
	ir_jmp(g->f, head);
	g->nvalues = MIN(scope, g->nvalues);
	ir_block_use(g->f, after);
	g->in_loop = false;
}

static void gen_one(struct gen *g)
{
	uint32_t what = any(g, 100);

	if (what < 28)
		gen_alu(g);
	else if (what < 34)
		gen_alu_var(g);
	else if (what < 38)
		gen_alu32(g);
	else if (what < 48)
		gen_misc(g);
	else if (what < 58)
		gen_load(g);
	else if (what < 68)
		gen_store(g);
	else if (what < 70)
		gen_store_run(g);
	else if (what < 73)
		gen_atomic(g);
	else if (what < 76)
		gen_index(g);
	else if (what < 79)
		gen_call(g);
	else if (what < 81)
		gen_moment(g);
	else if (what < 83)
		gen_call_bounded(g);
	else if (what < 91)
		gen_assign(g);
	else if (what < 95)
		gen_if(g);
	else if (what < 98)
		gen_bool(g);
	else
		gen_loop(g);
}

static void gen_body(struct gen *g)
{
	uint32_t n = any(g, 12);

	if (g->depth >= 4)
		return;
	g->depth++;
	for (uint32_t k = 0; k < n && g->left; k++) {
		g->left--;
		gen_one(g);
	}
	g->depth--;
}

static void gen_slots(struct gen *g)
{
	bool big = !any(g, 8);

	g->nslots = 2 + any(g, 5);
	if (g->nslots > ARRAY_SIZE(g->slots))
		g->nslots = ARRAY_SIZE(g->slots);
	for (uint32_t k = 0; k < g->nslots; k++) {
		vreg base;

		g->slot_bytes[k] = 8 * (1 + any(g, big ? 30 : 6));
		g->slots[k] = ir_slot_new(g->f, g->slot_bytes[k], 8, "s");
		base = ir_slot_addr(g->f, g->slots[k]);
		for (uint32_t at = 0; at < g->slot_bytes[k]; at += 8)
			ir_store_imm(g->f, base, (int32_t)at, 8, 0);
	}
}

static void gen_begin(struct gen *g)
{
	uint32_t key = ir_slot_new(g->f, 4, 4, "key"), none = ir_block_new(g->f, "none");
	uint32_t found = ir_block_new(g->f, "found"), nin = 1 + any(g, 6), nvars = 1 + any(g, 10);
	vreg args[2] = { ir_map(g->f, RUN_MAP_RESULT), ir_slot_addr(g->f, key) };

	ir_store_imm(g->f, args[1], 0, 4, 0);
	g->result = ir_call(g->f, BPF_FUNC_map_lookup_elem, 2, args);
	ir_br_imm(g->f, CC_EQ, g->result, 0, none, found);
	ir_block_use(g->f, none);
	ir_ret_imm(g->f, 77);
	ir_block_use(g->f, found);
	for (uint32_t k = 0; k < nin; k++)
		keep(g, ir_load(g->f, ir_ctx(g->f), (int32_t)k * 8, 8, false));
	while (g->nvars < nvars) {
		vreg v = ir_vreg_new(g->f, "v");

		ir_mov_to(g->f, v, any(g, 2) ? ir_const(g->f, any_number(g)) : any_value(g));
		g->vars[g->nvars++] = v;
	}
	gen_slots(g);
}

/* Everything that was computed shows in the result. */
static void gen_end(struct gen *g)
{
	vreg sum = ir_const(g->f, 0);

	ir_jmp(g->f, g->exit);
	ir_block_use(g->f, g->exit);
	for (uint32_t k = 0; k < g->nvars; k++)
		sum = ir_bin(g->f, IR_ADD, ir_bin_imm(g->f, IR_MUL, sum, 31), g->vars[k]);
	for (uint32_t k = 0; k < g->nslots; k++)
		for (uint32_t at = 0; at < g->slot_bytes[k]; at += 8)
			sum = ir_bin(g->f, IR_ADD, ir_bin_imm(g->f, IR_MUL, sum, 31),
				     ir_load(g->f, ir_slot_addr(g->f, g->slots[k]), (int32_t)at, 8, false));
	ir_store(g->f, g->result, RUN_VALUE_BYTES - 8, 8, sum);
	ir_ret(g->f, any(g, 2) ? sum : g->vars[0]);
}

static void gen_func(struct gen *g)
{
	g->exit = ir_block_new(g->f, "exit");
	gen_begin(g);
	g->left = 5 + any(g, 10 + any(g, 150));
	while (g->left) {
		g->left--;
		gen_one(g);
	}
	gen_end(g);
}

static void fill_inputs(struct gen *g, uint64_t *ctx, uint8_t *value)
{
	for (uint32_t k = 0; k < RUN_CTX_WORDS; k++)
		ctx[k] = (uint64_t)any_number(g);
	for (uint32_t k = 0; k < RUN_VALUE_BYTES; k++)
		value[k] = (uint8_t)any(g, 256);
}

static void show(const struct ir_func *f, const struct code *c, const char *when)
{
	struct strbuf text = STRBUF_INIT;

	fprintf(stderr, "---- %s\n", when);
	ir_dump(f, &text);
	if (c)
		code_dump(c, NULL, NULL, &text);
	fputs(text.s, stderr);
	strbuf_free(&text);
}

/* Which pass has broken the function? For who has to find out. */
static void find_pass(struct gen *g, const uint64_t *ctx, const uint8_t *before, const uint8_t *expected, uint32_t expected_ret)
{
	static const struct {
		const char *name;
		void (*pass)(struct ir_func *f);
	} passes[] = { { "fold", ir_fold }, { "dce", ir_dce }, { "cse", ir_cse }, { "fold again", ir_fold },
		       { "dce again", ir_dce } };
	uint8_t value[RUN_VALUE_BYTES];
	uint32_t ret = 0;

	for (uint32_t k = 0; k < ARRAY_SIZE(passes); k++) {
		passes[k].pass(g->f);
		memcpy(value, before, sizeof(value));
		if (!interpret(g->f, ctx, value, &ret) || ret != expected_ret || memcmp(value, expected, sizeof(value))) {
			fprintf(stderr, "broken by %s\n", passes[k].name);
			return;
		}
	}
	fprintf(stderr, "broken after the passes\n");
}

/* One function; with `verbose` everything about it is shown. */
static bool try_one(struct run *run, uint64_t number, bool verbose)
{
	struct arena *a = arena_new();
	const uint64_t rng = (seed * 1000003 + number) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	struct gen g = { .rng = rng };
	uint8_t expected[RUN_VALUE_BYTES], value[RUN_VALUE_BYTES], before[RUN_VALUE_BYTES];
	uint64_t ctx[RUN_CTX_WORDS];
	uint32_t expected_ret = 0, ret = 0;
	struct diags diags = { .arena = a };
	struct code code;
	bool ok = false;
	int r;

	g.f = ir_func_new(a, "random");
	gen_func(&g);
	fill_inputs(&g, ctx, value);
	memcpy(expected, value, sizeof(value));
	memcpy(before, value, sizeof(value));
	if (!interpret(g.f, ctx, expected, &expected_ret)) {
		arena_free(a);
		return true;
	}
	if (verbose)
		show(g.f, NULL, "as built");
	r = ir_compile(g.f, 32, &diags, &code);
	if (r) {
		fprintf(stderr, "%" PRIu64 ": cannot be compiled: %d %s\n", number, r, diags.list.n ? diags.list.v[0].text : "");
	} else {
		if (verbose)
			show(g.f, &code, "compiled");
		r = run_program(run, &code, 1, ctx, value, &ret);
		ok = !r && ret == expected_ret && !memcmp(value, expected, sizeof(value));
		/* Too many paths for the verifier, or (6.12) it has lost its way on one that is never taken. */
		if (r == -E2BIG || (r && strstr(run->log, "REG INVARIANTS VIOLATION")))
			ok = true;
		if (!ok)
			fprintf(stderr, "%" PRIu64 ": run %d, returned %u instead of %u, values %s\n", number, r, ret,
				expected_ret, memcmp(value, expected, sizeof(value)) ? "differ" : "agree");
		if (r && verbose)
			fprintf(stderr, "%s\n", run->log);
		if (!ok && !r) {
			g = (struct gen){ .rng = rng, .f = ir_func_new(a, "random") };
			gen_func(&g);
			find_pass(&g, ctx, before, expected, expected_ret);
		}
	}
	arena_free(a);
	return ok;
}

static void test_random(void **state)
{
	struct run run;
	uint32_t failed = 0;

	(void)state;
	if (run_open(&run)) {
		run_close(&run);
		print_message("programs may not be loaded here (CAP_BPF is needed): ");
		skip();
	}
	for (uint32_t k = first; k < first + count; k++)
		if (!try_one(&run, k, false)) {
			if (!failed++)
				try_one(&run, k, true);
		}
	run_close(&run);
	assert_int_equal(failed, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_random) };

	if (argc > 1)
		count = (uint32_t)strtoul(argv[1], NULL, 0);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	if (argc > 3)
		first = (uint32_t)strtoul(argv[3], NULL, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
