/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compiled functions in the kernel: what random programs do not make: callbacks, pointers that are spilled, arguments
 * that change places, scratch. Each returns a number that shows that it did the right thing. */
#include <errno.h>
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

static struct run run;

static bool can_run;

static int open_run(void **state)
{
	struct ir_func *f = ir_func_new(arena_new(), "probe");
	uint64_t ctx[RUN_CTX_WORDS] = {0};
	uint8_t value[RUN_VALUE_BYTES] = {0};
	struct diags d = { .arena = f->arena };
	struct code code;
	uint32_t ret;

	(void)state;
	ir_ret_imm(f, 0);
	can_run = !run_open(&run) && !ir_compile(f, 32, &d, &code) && !run_program(&run, &code, 1, ctx, value, &ret);
	arena_free(f->arena);
	return 0;
}

/* At the beginning of every test. */
#define need_kernel(state) do { \
	(void)(state); \
	if (!can_run) { \
		print_message("programs may not be loaded here (CAP_BPF is needed): "); \
		skip(); \
	} \
} while (0)

static int close_run(void **state)
{
	(void)state;
	run_close(&run);
	return 0;
}

static void compile(struct ir_func *f, struct code *code)
{
	struct diags d = { .arena = f->arena };

	assert_int_equal(ir_compile(f, 32, &d, code), 0);
}

/* Run with ctx[k] = k + 1. */
static uint32_t result(const struct code *progs, uint32_t n, uint8_t *value)
{
	uint8_t zeros[RUN_VALUE_BYTES] = {0};
	uint64_t ctx[RUN_CTX_WORDS];
	uint32_t ret = 0;
	int r;

	for (uint32_t k = 0; k < RUN_CTX_WORDS; k++)
		ctx[k] = k + 1;
	r = run_program(&run, progs, n, ctx, value ? value : zeros, &ret);
	if (r) {
		struct strbuf b = STRBUF_INIT;

		for (uint32_t k = 0; k < n; k++)
			code_dump(&progs[k], NULL, NULL, &b);
		fprintf(stderr, "%s\n%s\n", b.s, run.log);
		strbuf_free(&b);
	}
	assert_int_equal(r, 0);
	return ret;
}

static vreg lookup_result(struct ir_func *f, uint32_t none)
{
	vreg args[2] = { ir_map(f, RUN_MAP_RESULT), ir_slot_addr(f, ir_slot_new(f, 4, 4, "key")) }, p;
	uint32_t found = ir_block_new(f, "found");

	ir_store_imm(f, args[1], 0, 4, 0);
	p = ir_call(f, BPF_FUNC_map_lookup_elem, 2, args);
	ir_br_imm(f, CC_EQ, p, 0, none, found);
	ir_block_use(f, found);
	return p;
}

static void test_scratch(void **state)
{
	struct ir_func *f = ir_func_new(arena_new(), "test");
	uint32_t big[3];
	struct code code;
	vreg sum = ir_const(f, 0), x = ir_load(f, ir_ctx(f), 8, 8, false), at[3];

	need_kernel(state);
	for (uint32_t k = 0; k < 3; k++) {
		big[k] = ir_slot_new(f, 300, 8, "big");
		at[k] = ir_slot_addr(f, big[k]);
		ir_store(f, at[k], 296 - 8 * (int32_t)k, 8, ir_bin_imm(f, IR_MUL, x, k + 1));
		ir_call(f, BPF_FUNC_get_current_comm, 2, (vreg[]){ at[k], ir_const(f, 16) });
	}
	for (uint32_t k = 0; k < 3; k++)
		sum = ir_bin(f, IR_ADD, sum, ir_load(f, at[k], 296 - 8 * (int32_t)k, 8, false));
	ir_ret(f, sum);
	compile(f, &code);
	assert_true(f->scratch_bytes >= 600);
	assert_int_equal(result(&code, 1, NULL), 12);
	arena_free(f->arena);
}

/* for (i = 0; i < 10; i++) { state.sum += i * state.factor; if (i == 7) break; } */
static void test_callback(void **state)
{
	struct ir_func *f = ir_func_new(arena_new(), "test"), *cb = ir_func_new(f->arena, "callback");
	uint32_t slot = ir_slot_new(f, 16, 8, "state"), go = ir_block_new(cb, "go"), stop = ir_block_new(cb, "stop");
	vreg s = ir_slot_addr(f, slot), i, p;
	struct code progs[2];

	need_kernel(state);
	ir_store_imm(f, s, 0, 8, 0);
	ir_store(f, s, 8, 8, ir_load(f, ir_ctx(f), 16, 8, false));
	ir_call(f, BPF_FUNC_loop, 4, (vreg[]){ ir_const(f, 10), ir_func_addr(f, 1), s, ir_const(f, 0) });
	ir_ret(f, ir_load(f, s, 0, 8, false));

	cb->is_subprog = true;
	cb->nargs = 2;
	i = ir_ext(cb, ir_arg(cb, 0), 4, false);
	p = ir_arg(cb, 1);
	ir_store(cb, p, 0, 8, ir_bin(cb, IR_ADD, ir_load(cb, p, 0, 8, false),
				     ir_bin(cb, IR_MUL, i, ir_load(cb, p, 8, 8, false))));
	ir_br_imm(cb, CC_EQ, i, 7, stop, go);
	ir_block_use(cb, go);
	ir_ret_imm(cb, 0);
	ir_block_use(cb, stop);
	ir_ret_imm(cb, 1);
	compile(f, &progs[0]);
	compile(cb, &progs[1]);
	assert_int_equal(result(progs, 2, NULL), 28 * 3);
	arena_free(f->arena);
}

/* Arguments that sit in each other's registers: f(a, b, c, d, e) calls g(c, a, b, e, d), over and over. */
static void test_parallel_moves(void **state)
{
	struct ir_func *f = ir_func_new(arena_new(), "test"), *g = ir_func_new(f->arena, "g"), *h = ir_func_new(f->arena, "h");
	struct code progs[3];
	vreg ctx = ir_ctx(f), a[5], b[5], sum;

	need_kernel(state);
	for (uint32_t k = 0; k < 5; k++)
		a[k] = ir_load(f, ctx, 8 * (int32_t)k, 8, false);
	ir_ret(f, ir_callfunc(f, 1, 5, a));

	g->is_subprog = true;
	g->nargs = 5;
	for (uint32_t k = 0; k < 5; k++)
		b[k] = ir_arg(g, k);
	ir_ret(g, ir_callfunc(g, 2, 5, (vreg[]){ b[2], b[0], b[1], b[4], b[3] }));

	h->is_subprog = true;
	h->nargs = 5;
	sum = ir_const(h, 0);
	for (uint32_t k = 0; k < 5; k++)
		sum = ir_bin(h, IR_ADD, ir_bin_imm(h, IR_MUL, sum, 10), ir_arg(h, k));
	ir_ret(h, sum);
	compile(f, &progs[0]);
	compile(g, &progs[1]);
	compile(h, &progs[2]);
	assert_int_equal(result(progs, 3, NULL), 31254);
	arena_free(f->arena);
}

/* Many pointers alive at once over calls: spilled, and still pointers when they come back. */
static void test_spilled_pointers(void **state)
{
	struct ir_func *f = ir_func_new(arena_new(), "test");
	uint32_t none = ir_block_new(f, "none");
	uint8_t value[RUN_VALUE_BYTES] = {0};
	struct code code;
	vreg p[9], sum;

	need_kernel(state);
	for (uint32_t k = 0; k < 9; k++)
		p[k] = lookup_result(f, none);
	for (uint32_t k = 0; k < 9; k++)
		ir_store(f, p[k], 8 * (int32_t)k, 8, ir_load(f, ir_ctx(f), 8 * (int32_t)k, 8, false));
	sum = ir_const(f, 0);
	for (uint32_t k = 0; k < 9; k++)
		sum = ir_bin(f, IR_ADD, sum, ir_load(f, p[8 - k], 8 * (int32_t)k, 8, false));
	ir_ret(f, sum);
	ir_block_use(f, none);
	ir_ret_imm(f, 0);
	compile(f, &code);
	assert_int_equal(result(&code, 1, value), 45);
	assert_int_equal(value[64], 9);
	arena_free(f->arena);
}

/* The pointer is checked only after other calls: the check must reach the copy that is used. */
static void test_late_check(void **state)
{
	struct ir_func *f = ir_func_new(arena_new(), "test");
	uint32_t found = ir_block_new(f, "found"), none = ir_block_new(f, "none");
	vreg args[2] = { ir_map(f, RUN_MAP_RESULT), ir_slot_addr(f, ir_slot_new(f, 4, 4, "key")) }, p, held[6], sum;
	struct code code;

	need_kernel(state);
	ir_store_imm(f, args[1], 0, 4, 0);
	p = ir_call(f, BPF_FUNC_map_lookup_elem, 2, args);
	for (uint32_t k = 0; k < 6; k++)
		held[k] = ir_ext(f, ir_call(f, BPF_FUNC_ktime_get_ns, 0, NULL), 4, false);
	ir_br_imm(f, CC_EQ, p, 0, none, found);
	ir_block_use(f, found);
	sum = ir_load(f, p, 0, 8, false);
	for (uint32_t k = 0; k < 6; k++)
		sum = ir_bin(f, IR_OR, sum, ir_setcc_imm(f, CC_ULE, held[k], 0xffffffff));
	ir_ret(f, sum);
	ir_block_use(f, none);
	ir_ret_imm(f, 77);
	compile(f, &code);
	assert_int_equal(result(&code, 1, NULL), 1);
	arena_free(f->arena);
}

/* A variable that is assigned on one way only begins as 0. */
static void test_unassigned(void **state)
{
	for (int64_t want = 1; want <= 2; want++) {
		struct ir_func *f = ir_func_new(arena_new(), "test");
		uint32_t then_ = ir_block_new(f, "then"), on = ir_block_new(f, "on");
		vreg x = ir_vreg_new(f, "x");
		struct code code;

		need_kernel(state);
		ir_br_imm(f, CC_EQ, ir_load(f, ir_ctx(f), 0, 8, false), want, then_, on);
		ir_block_use(f, then_);
		ir_mov_to(f, x, ir_const(f, 5));
		ir_jmp(f, on);
		ir_block_use(f, on);
		ir_ret(f, x);
		compile(f, &code);
		assert_int_equal(result(&code, 1, NULL), want == 1 ? 5 : 0);
		arena_free(f->arena);
	}
}

/* A function whose first block is the head of a loop, and which wants its context in it. */
static void test_loop_to_entry(void **state)
{
	struct ir_func *f = ir_func_new(arena_new(), "test");
	uint32_t out = ir_block_new(f, "out");
	vreg i = ir_vreg_new(f, "i"), sum = ir_vreg_new(f, "sum");
	struct code code;

	need_kernel(state);
	ir_mov_to(f, sum, ir_bin(f, IR_ADD, sum, ir_load(f, ir_ctx(f), 16, 8, false)));
	ir_mov_to(f, i, ir_bin_imm(f, IR_ADD, i, 1));
	ir_br_imm(f, CC_ULT, i, 4, 0, out);
	ir_block_use(f, out);
	ir_ret(f, sum);
	compile(f, &code);
	assert_int_equal(result(&code, 1, NULL), 12);
	arena_free(f->arena);
}

/* A length that is bounded by a comparison while it lies in memory. */
static void test_bounds_in_memory(void **state)
{
	struct ir_func *f = ir_func_new(arena_new(), "test");
	uint32_t slot = ir_slot_new(f, 64, 8, "buffer"), go = ir_block_new(f, "go"), out = ir_block_new(f, "out");
	vreg n = ir_load(f, ir_ctx(f), 56, 8, false), held[8], s = ir_slot_addr(f, slot), sum;
	struct code code;

	need_kernel(state);
	ir_store_imm(f, s, 0, 8, 0x01010101);
	for (uint32_t k = 0; k < 8; k++)
		held[k] = ir_ext(f, ir_call(f, BPF_FUNC_ktime_get_ns, 0, NULL), 4, false);
	ir_br_imm(f, CC_UGT, n, 64, out, go);
	ir_block_use(f, go);
	sum = n;
	for (uint32_t k = 0; k < 8; k++)
		sum = ir_bin(f, IR_ADD, sum, ir_bin_imm(f, IR_SHR, held[k], 32));
	ir_call(f, BPF_FUNC_probe_read_kernel, 3, (vreg[]){ s, n, s });
	ir_ret(f, ir_bin(f, IR_ADD, sum, n));
	ir_block_use(f, out);
	ir_ret_imm(f, 77);
	compile(f, &code);
	assert_int_equal(result(&code, 1, NULL), 16);
	arena_free(f->arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scratch), cmocka_unit_test(test_callback), cmocka_unit_test(test_parallel_moves),
		cmocka_unit_test(test_spilled_pointers), cmocka_unit_test(test_late_check),
		cmocka_unit_test(test_unassigned), cmocka_unit_test(test_loop_to_entry),
		cmocka_unit_test(test_bounds_in_memory),
	};

	return cmocka_run_group_tests(tests, open_run, close_run);
}
