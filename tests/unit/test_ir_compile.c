/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What instructions come out: small functions built by hand, compared with what a careful person would write. */
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
#include "code/ir.h"
#include "lang/diag.h"

#define F(state) ((struct ir_func *)*(state))

static int setup(void **state)
{
	*state = ir_func_new(arena_new(), "test");
	return 0;
}

static int teardown(void **state)
{
	arena_free(F(state)->arena);
	return 0;
}

static int compile(struct ir_func *f, struct code *code, struct diags *d)
{
	*d = (struct diags){ .arena = f->arena };
	return ir_compile(f, 32, d, code);
}

/* The instructions without their numbers and indentation. */
static char *compile_text(struct ir_func *f)
{
	struct strbuf b = STRBUF_INIT;
	struct diags d;
	struct code code;
	char *out, *at;

	assert_int_equal(compile(f, &code, &d), 0);
	code_dump(&code, NULL, NULL, &b);
	at = out = arena_alloc(f->arena, b.len + 1);
	for (char *line = strtok(b.s, "\n"); line; line = strtok(NULL, "\n"))
		at += sprintf(at, "%s\n", strchr(line, ':') + 2);
	strbuf_free(&b);
	return out;
}

#define expect(f, text) assert_string_equal(compile_text(f), text)

static vreg lookup(struct ir_func *f, uint32_t map, uint32_t *found, uint32_t *done)
{
	uint32_t key = ir_slot_new(f, 4, 4, "key");
	vreg args[2] = { ir_map(f, map), ir_slot_addr(f, key) }, p;

	*found = ir_block_new(f, "found");
	*done = ir_block_new(f, "done");
	ir_store_imm(f, args[1], 0, 4, 0);
	p = ir_call(f, BPF_FUNC_map_lookup_elem, 2, args);
	ir_br_imm(f, CC_EQ, p, 0, *done, *found);
	ir_block_use(f, *found);
	return p;
}

static void test_empty(void **state)
{
	ir_ret_imm(F(state), 0);
	expect(F(state), "r0 = 0\nexit\n");
}

static void test_unended(void **state)
{
	ir_const(F(state), 1);
	expect(F(state), "r0 = 0\nexit\n");
}

static void test_count(void **state)
{
	struct ir_func *f = F(state);
	uint32_t found, done;
	vreg p = lookup(f, 3, &found, &done), old = ir_load(f, p, 0, 8, false);

	ir_store(f, p, 0, 8, ir_bin_imm(f, IR_ADD, old, 1));
	ir_jmp(f, done);
	ir_block_use(f, done);
	ir_ret_imm(f, 0);
	expect(f, "*(u32 *)(r10 - 4) = 0\n"
		  "r1 = map 3 ll\n"
		  "r2 = r10\n"
		  "r2 += -4\n"
		  "call map_lookup_elem\n"
		  "if r0 == 0 goto 10\n"
		  "r5 = *(u64 *)(r0 + 0)\n"
		  "r5 += 1\n"
		  "*(u64 *)(r0 + 0) = r5\n"
		  "r0 = 0\n"
		  "exit\n");
}

/* pid and tid share one call; the shift needs no extension; the other half is compared in 32 bits. */
static void test_pid_tgid(void **state)
{
	struct ir_func *f = F(state);
	vreg a = ir_call_pure(f, BPF_FUNC_get_current_pid_tgid, 0, NULL);
	vreg pid = ir_ext(f, ir_bin_imm(f, IR_SHR, a, 32), 4, false);
	vreg b = ir_call_pure(f, BPF_FUNC_get_current_pid_tgid, 0, NULL);
	vreg tid = ir_ext(f, b, 4, false);
	uint32_t yes = ir_block_new(f, "yes"), no = ir_block_new(f, "no");

	ir_br_imm(f, CC_EQ, tid, 7, yes, no);
	ir_block_use(f, yes);
	ir_ret(f, pid);
	ir_block_use(f, no);
	ir_ret_imm(f, 0);
	expect(f, "call get_current_pid_tgid\n"
		  "r5 = r0\n"
		  "r5 >>= 32\n"
		  "if w0 != 7 goto 6\n"
		  "r0 = r5\n"
		  "exit\n"
		  "r0 = 0\n"
		  "exit\n");
}

/* The context survives the call in a saved register; arguments come directly from where they are. */
static void test_ctx_over_call(void **state)
{
	struct ir_func *f = F(state);
	uint32_t slot = ir_slot_new(f, 16, 8, "comm");
	vreg args[2] = { ir_slot_addr(f, slot), ir_const(f, 16) };

	ir_call(f, BPF_FUNC_get_current_comm, 2, args);
	ir_ret(f, ir_bin(f, IR_ADD, ir_load(f, ir_ctx(f), 8, 8, false), ir_load(f, args[0], 0, 8, false)));
	expect(f, "r6 = r1\n"
		  "r1 = r10\n"
		  "r1 += -16\n"
		  "r2 = 16\n"
		  "call get_current_comm\n"
		  "r5 = *(u64 *)(r10 - 16)\n"
		  "r0 = *(u64 *)(r6 + 8)\n"
		  "r0 += r5\n"
		  "exit\n");
}

/* A truth value made by control flow and tested at once is control flow. */
static void test_and(void **state)
{
	struct ir_func *f = F(state);
	uint32_t more = ir_block_new(f, "more"), yes = ir_block_new(f, "yes"), no = ir_block_new(f, "no");
	uint32_t join = ir_block_new(f, "join"), then_ = ir_block_new(f, "then"), out = ir_block_new(f, "out");
	vreg t = ir_vreg_new(f, "t"), ctx = ir_ctx(f), a = ir_load(f, ctx, 0, 8, false), b = ir_load(f, ctx, 8, 8, false);
	vreg key;

	ir_br_imm(f, CC_NE, ir_setcc_imm(f, CC_SGT, a, 5), 0, more, no);
	ir_block_use(f, more);
	ir_br_imm(f, CC_NE, ir_setcc(f, CC_ULT, a, b), 0, yes, no);
	ir_block_use(f, yes);
	ir_mov_to(f, t, ir_const(f, 1));
	ir_jmp(f, join);
	ir_block_use(f, no);
	ir_mov_to(f, t, ir_const(f, 0));
	ir_jmp(f, join);
	ir_block_use(f, join);
	ir_br_imm(f, CC_NE, t, 0, then_, out);
	ir_block_use(f, then_);
	key = ir_bss(f, 64);
	ir_store_imm(f, key, 0, 8, 1);
	ir_jmp(f, out);
	ir_block_use(f, out);
	ir_ret_imm(f, 0);
	expect(f, "r5 = *(u64 *)(r1 + 0)\n"
		  "r4 = *(u64 *)(r1 + 8)\n"
		  "if r5 s<= 5 goto 7\n"
		  "if r5 >= r4 goto 7\n"
		  "r5 = .bss + 64 ll\n"
		  "*(u64 *)(r5 + 0) = 1\n"
		  "r0 = 0\n"
		  "exit\n");
}

/* Stores of constants are made together; zeros that are overwritten go; so does what nobody reads. */
static void test_stores(void **state)
{
	struct ir_func *f = F(state);
	uint32_t slot = ir_slot_new(f, 16, 8, "key"), unread = ir_slot_new(f, 8, 8, "unread");
	vreg p = ir_slot_addr(f, slot), args[2];

	ir_store_imm(f, p, 0, 8, 0);
	ir_store_imm(f, p, 8, 8, 0);
	for (int k = 0; k < 4; k++)
		ir_store_imm(f, p, k, 1, "abcd"[k]);
	ir_store(f, p, 8, 8, ir_load(f, ir_ctx(f), 0, 8, false));
	ir_store_imm(f, ir_slot_addr(f, unread), 0, 8, 1);
	args[0] = ir_map(f, 0);
	args[1] = p;
	ir_call(f, BPF_FUNC_map_delete_elem, 2, args);
	ir_ret_imm(f, 0);
	expect(f, "*(u64 *)(r10 - 16) = 1684234849\n"
		  "r5 = *(u64 *)(r1 + 0)\n"
		  "*(u64 *)(r10 - 8) = r5\n"
		  "r1 = map 0 ll\n"
		  "r2 = r10\n"
		  "r2 += -16\n"
		  "call map_delete_elem\n"
		  "r0 = 0\n"
		  "exit\n");
}

/* Narrow arithmetic: extensions between operations go, the last one becomes part of the operation. */
static void test_narrow(void **state)
{
	struct ir_func *f = F(state);
	vreg ctx = ir_ctx(f), a = ir_load(f, ctx, 0, 4, true), b = ir_load(f, ctx, 4, 4, true);
	vreg sum = ir_ext(f, ir_bin(f, IR_ADD, a, b), 4, true);
	vreg product = ir_ext(f, ir_bin(f, IR_MUL, sum, a), 4, false);

	ir_ret(f, product);
	expect(f, "r5 = *(u32 *)(r1 + 0)\n"
		  "r4 = *(u32 *)(r1 + 4)\n"
		  "r0 = r5\n"
		  "r0 += r4\n"
		  "w0 *= w5\n"
		  "exit\n");
}

/* A store takes the low bytes: no extension before it. A comparison with a constant: none either. */
static void test_no_extension(void **state)
{
	struct ir_func *f = F(state);
	uint32_t found, done;
	vreg p, v = ir_ext(f, ir_load(f, ir_ctx(f), 0, 8, false), 4, true);
	uint32_t yes = ir_block_new(f, "yes");

	ir_ret_imm(f, 0);
	ir_block_use(f, 0);
	f->blocks.v[0]->insns.n--;
	p = lookup(f, 0, &found, &done);
	ir_store(f, p, 0, 4, v);
	ir_br_imm(f, CC_SLT, ir_ext(f, ir_load(f, p, 8, 4, false), 4, true), -3, yes, done);
	ir_block_use(f, yes);
	ir_ret_imm(f, 1);
	ir_block_use(f, done);
	ir_ret_imm(f, 0);
	expect(f, "r6 = *(u64 *)(r1 + 0)\n"
		  "*(u32 *)(r10 - 4) = 0\n"
		  "r1 = map 0 ll\n"
		  "r2 = r10\n"
		  "r2 += -4\n"
		  "call map_lookup_elem\n"
		  "if r0 == 0 goto 13\n"
		  "*(u32 *)(r0 + 0) = r6\n"
		  "r5 = *(u32 *)(r0 + 8)\n"
		  "if w5 s>= -3 goto 13\n"
		  "r0 = 1\n"
		  "exit\n"
		  "r0 = 0\n"
		  "exit\n");
}

/* A loop's variable stays in one register, and so does what is added up. */
static void test_loop(void **state)
{
	struct ir_func *f = F(state);
	uint32_t head = ir_block_new(f, "head"), body = ir_block_new(f, "body"), after = ir_block_new(f, "after");
	vreg i = ir_vreg_new(f, "i"), sum = ir_vreg_new(f, "sum"), x = ir_load(f, ir_ctx(f), 0, 8, false);

	ir_mov_to(f, i, ir_const(f, 0));
	ir_mov_to(f, sum, ir_const(f, 0));
	ir_jmp(f, head);
	ir_block_use(f, head);
	ir_br_imm(f, CC_ULT, i, 10, body, after);
	ir_block_use(f, body);
	ir_mov_to(f, sum, ir_bin(f, IR_ADD, sum, x));
	ir_mov_to(f, i, ir_bin_imm(f, IR_ADD, i, 1));
	ir_jmp(f, head);
	ir_block_use(f, after);
	ir_ret(f, sum);
	expect(f, "r5 = *(u64 *)(r1 + 0)\n"
		  "r4 = 0\n"
		  "r0 = 0\n"
		  "r0 += r5\n"
		  "r4 += 1\n"
		  "if r4 < 10 goto 3\n"
		  "exit\n");
}

/* What a comparison has settled is not asked again; what cannot be is left out. */
static void test_settled(void **state)
{
	struct ir_func *f = F(state);
	uint32_t b1 = ir_block_new(f, "b1"), b2 = ir_block_new(f, "b2"), b3 = ir_block_new(f, "b3");
	uint32_t out = ir_block_new(f, "out");
	vreg x = ir_load(f, ir_ctx(f), 0, 8, false);

	ir_br_imm(f, CC_EQ, x, 3, out, b1);
	ir_block_use(f, b1);
	ir_br_imm(f, CC_NE, x, 3, b2, out);
	ir_block_use(f, b2);
	ir_br_imm(f, CC_UGT, ir_bin_imm(f, IR_AND, x, 63), 63, out, b3);
	ir_block_use(f, b3);
	ir_ret_imm(f, 1);
	ir_block_use(f, out);
	ir_ret_imm(f, 0);
	expect(f, "r5 = *(u64 *)(r1 + 0)\n"
		  "if r5 != 3 goto 4\n"
		  "r0 = 0\n"
		  "exit\n"
		  "r0 = 1\n"
		  "exit\n");
}

/* Constants, and how they are written. */
static void test_constants(void **state)
{
	struct ir_func *f = F(state);
	vreg x = ir_load(f, ir_ctx(f), 0, 8, false), b = ir_bss(f, 0);

	ir_store(f, b, 0, 8, ir_const(f, -1));
	ir_store(f, b, 8, 8, ir_const(f, 0xffffffff));
	ir_store(f, b, 16, 8, ir_const(f, INT64_C(1) << 40));
	ir_store(f, b, 24, 8, ir_bin_imm(f, IR_MUL, x, 8));
	ir_store(f, b, 32, 8, ir_bin_imm(f, IR_UDIV, x, 16));
	ir_store(f, b, 40, 8, ir_bin_imm(f, IR_AND, x, 0xfffffff0));
	ir_ret_imm(f, 0);
	expect(f, "r5 = *(u64 *)(r1 + 0)\n"
		  "r4 = .bss + 0 ll\n"
		  "*(u64 *)(r4 + 0) = -1\n"
		  "w0 = -1\n"
		  "*(u64 *)(r4 + 8) = r0\n"
		  "r0 = 0x10000000000 ll\n"
		  "*(u64 *)(r4 + 16) = r0\n"
		  "r0 = r5\n"
		  "r0 <<= 3\n"
		  "*(u64 *)(r4 + 24) = r0\n"
		  "r0 = r5\n"
		  "r0 >>= 4\n"
		  "*(u64 *)(r4 + 32) = r0\n"
		  "w5 &= -16\n"
		  "*(u64 *)(r4 + 40) = r5\n"
		  "r0 = 0\n"
		  "exit\n");
}

/* What does not fit the stack goes to scratch, looked up where it is first needed and not before. */
static void test_scratch(void **state)
{
	struct ir_func *f = F(state);
	uint32_t big = ir_slot_new(f, 1024, 8, "str"), small = ir_slot_new(f, 8, 8, "small");
	uint32_t go = ir_block_new(f, "go"), out = ir_block_new(f, "out");
	vreg args[3], x = ir_load(f, ir_ctx(f), 0, 8, false);
	struct code code;
	struct diags d;

	ir_br_imm(f, CC_EQ, x, 0, out, go);
	ir_block_use(f, go);
	args[0] = ir_slot_addr(f, big);
	args[1] = ir_const(f, 1024);
	args[2] = x;
	ir_call(f, BPF_FUNC_probe_read_kernel_str, 3, args);
	ir_store(f, ir_slot_addr(f, small), 0, 8, ir_load(f, args[0], 8, 8, false));
	args[0] = ir_map(f, 1);
	args[1] = ir_slot_addr(f, small);
	ir_call(f, BPF_FUNC_map_delete_elem, 2, args);
	ir_jmp(f, out);
	ir_block_use(f, out);
	ir_ret_imm(f, 0);
	f->scratch_index = 2;
	assert_int_equal(compile(f, &code, &d), 0);
	assert_int_equal(f->scratch_bytes, 1024);
	assert_int_equal(code.relos.n, 2);
	assert_int_equal(code.relos.v[0].kind, RELO_MAP);
	assert_true(code.relos.v[0].index == IR_NO_MAP);
	assert_int_equal(code.relos.v[1].index, 1);
	expect(f, "r6 = *(u64 *)(r1 + 0)\n"
		  "if r6 == 0 goto 21\n"
		  "*(u32 *)(r10 - 4) = 2\n"
		  "r1 = map scratch ll\n"
		  "r2 = r10\n"
		  "r2 += -4\n"
		  "call map_lookup_elem\n"
		  "r7 = r0\n"
		  "if r7 == 0 goto 21\n"
		  "r1 = r7\n"
		  "r3 = r6\n"
		  "r2 = 1024\n"
		  "call probe_read_kernel_str\n"
		  "r5 = *(u64 *)(r7 + 8)\n"
		  "*(u64 *)(r10 - 8) = r5\n"
		  "r1 = map 1 ll\n"
		  "r2 = r10\n"
		  "r2 += -8\n"
		  "call map_delete_elem\n"
		  "r0 = 0\n"
		  "exit\n");
}

/* A task that is refused its scratch takes a spare block, and gives it back where the program ends. */
static void test_task_scratch(void **state)
{
	struct ir_func *f = F(state);
	uint32_t big = ir_slot_new(f, 1024, 8, "str"), go = ir_block_new(f, "go"), out = ir_block_new(f, "out");
	vreg x = ir_load(f, ir_ctx(f), 0, 8, false);
	struct code code;
	struct diags d;

	ir_br_imm(f, CC_EQ, x, 0, out, go);
	ir_block_use(f, out);
	ir_ret_imm(f, 0);
	ir_block_use(f, go);
	ir_call(f, BPF_FUNC_get_current_comm, 2, (vreg[]){ ir_slot_addr(f, big), ir_const(f, 16) });
	ir_ret_imm(f, 0);
	f->task_scratch = 40;
	assert_int_equal(compile(f, &code, &d), 0);
	assert_true(f->scratch_by_task);
	assert_true(code.relos.v[0].index == IR_NO_MAP);
	assert_true(code.relos.v[1].index == IR_NO_SPARE_MAP);
	assert_int_equal(code.relos.v[2].kind, RELO_BSS);
	expect(f, "r5 = *(u64 *)(r1 + 0)\n"
		  "if r5 != 0 goto 4\n"
		  "r0 = 0\n"
		  "exit\n"
		  "r6 = 0\n"
		  "call get_current_task_btf\n"
		  "r2 = r0\n"
		  "r1 = map scratch ll\n"
		  "r3 = 0\n"
		  "r4 = 1\n"
		  "call task_storage_get\n"
		  "if r0 != 0 goto 38\n"
		  "r6 = 0\n"
		  "*(u32 *)(r10 - 4) = r6\n"
		  "r1 = map spare ll\n"
		  "r2 = r10\n"
		  "r2 += -4\n"
		  "call map_lookup_elem\n"
		  "if r0 == 0 goto 32\n"
		  "r5 = 1\n"
		  "r5 = atomic_fetch_add(*(u64 *)(r0 + 0), r5)\n"
		  "if r5 == 0 goto 29\n"
		  "r5 = -1\n"
		  "lock *(u64 *)(r0 + 0) += r5\n"
		  "r6 += 1\n"
		  "if r6 < 8 goto 14\n"
		  "goto 32\n"
		  "r6 = r0\n"
		  "r0 += 8\n"
		  "goto 38\n"
		  "r5 = .bss + 40 ll\n"
		  "r4 = 1\n"
		  "lock *(u64 *)(r5 + 0) += r4\n"
		  "r0 = 0\n"
		  "exit\n"
		  "r1 = r0\n"
		  "r2 = 16\n"
		  "call get_current_comm\n"
		  "if r6 == 0 goto 44\n"
		  "r5 = -1\n"
		  "lock *(u64 *)(r6 + 0) += r5\n"
		  "r0 = 0\n"
		  "exit\n");
}

/* Slots used one after the other share their place. */
static void test_shared_slots(void **state)
{
	struct ir_func *f = F(state);
	struct code code;
	struct diags d;

	for (int k = 0; k < 20; k++) {
		uint32_t slot = ir_slot_new(f, 100, 8, NULL);
		vreg args[2] = { ir_slot_addr(f, slot), ir_const(f, 100) };

		ir_call(f, BPF_FUNC_get_current_comm, 2, args);
	}
	ir_ret_imm(f, 0);
	assert_int_equal(compile(f, &code, &d), 0);
	assert_int_equal(code.stack_bytes, 104);
	assert_int_equal(f->scratch_bytes, 0);
}

/* Line info: an entry where the span changes, and always one for the first instruction. */
static void test_lines(void **state)
{
	struct ir_func *f = F(state);
	struct code code;
	struct diags d;
	vreg x;

	x = ir_load(f, ir_ctx(f), 0, 8, false);
	f->span = (struct span){ 10, 20, 1 };
	ir_store(f, ir_bss(f, 0), 0, 8, x);
	f->span = (struct span){ 30, 35, 1 };
	ir_call(f, BPF_FUNC_ktime_get_ns, 0, NULL);
	ir_ret_imm(f, 0);
	assert_int_equal(compile(f, &code, &d), 0);
	assert_int_equal(code.lines.n, 2);
	assert_int_equal(code.lines.v[0].insn, 0);
	assert_int_equal(code.lines.v[0].span.begin, 10);
	assert_int_equal(code.lines.v[1].span.begin, 30);
	assert_int_equal(code.insns[code.lines.v[1].insn].code, BPF_JMP | BPF_CALL);
}

static void test_relocations(void **state)
{
	struct ir_func *f = F(state);
	struct code code;
	struct diags d;
	vreg args[4] = { ir_const(f, 4), ir_func_addr(f, 2), ir_const(f, 0), ir_const(f, 0) }, r;

	r = ir_kfunc(f, "bpf_rcu_read_lock", 0, NULL);
	(void)r;
	ir_call(f, BPF_FUNC_loop, 4, args);
	r = ir_callfunc(f, 1, 1, args);
	ir_ret(f, ir_bin(f, IR_ADD, r, ir_load(f, ir_rodata(f, 24), 0, 4, false)));
	assert_int_equal(compile(f, &code, &d), 0);
	assert_int_equal(code.relos.n, 4);
	assert_int_equal(code.relos.v[0].kind, RELO_KFUNC);
	assert_string_equal(code.relos.v[0].sym, "bpf_rcu_read_lock");
	assert_int_equal(code.relos.v[1].kind, RELO_FUNC);
	assert_int_equal(code.relos.v[1].index, 2);
	assert_int_equal(code.relos.v[2].kind, RELO_CALLFUNC);
	assert_int_equal(code.insns[code.relos.v[2].insn].src_reg, BPF_PSEUDO_CALL);
	assert_int_equal(code.relos.v[3].kind, RELO_RODATA);
	assert_int_equal(code.insns[code.relos.v[3].insn].imm, 24);
}

/* CO-RE: what is relocated keeps its form, and stays apart from what looks alike. */
static void test_core(void **state)
{
	static const int one, two;
	struct ir_func *f = F(state);
	struct code code;
	struct diags d;
	vreg p = ir_load(f, ir_ctx(f), 0, 8, false), q = ir_bin_imm(f, IR_ADD, p, 8), a, b;
	struct ir_block *block = f->blocks.v[0];

	a = ir_load(f, q, 16, 8, false);
	block->insns.v[block->insns.n - 1].relo = &one;
	b = ir_load(f, q, 16, 8, false);
	block->insns.v[block->insns.n - 1].relo = &two;
	ir_ret(f, ir_bin(f, IR_ADD, a, b));
	assert_int_equal(compile(f, &code, &d), 0);
	assert_int_equal(code.relos.n, 2);
	assert_ptr_equal(code.relos.v[0].core, &one);
	assert_ptr_equal(code.relos.v[1].core, &two);
	for (int k = 0; k < 2; k++)
		assert_int_equal(code.insns[code.relos.v[k].insn].off, 16);
}

/* ---- limits ---- */

static void test_too_much_scratch(void **state)
{
	struct ir_func *f = F(state);
	struct code code;
	struct diags d;

	for (int k = 0; k < 5; k++) {
		vreg args[2] = { ir_slot_addr(f, ir_slot_new(f, 1000000, 8, NULL)), ir_const(f, 1000000) };

		ir_store(f, ir_bss(f, 0), 0, 8, args[0]); /* alive everywhere */
		ir_call(f, BPF_FUNC_get_current_comm, 2, args);
	}
	ir_ret_imm(f, 0);
	assert_int_equal(compile(f, &code, &d), -E2BIG);
	assert_int_equal(d.nerrors, 1);
	assert_non_null(strstr(d.list.v[0].text, "5000000 bytes"));
}

/* A jump over more than 32767 instructions. */
static void test_too_large(void **state)
{
	struct ir_func *f = F(state);
	uint32_t body = ir_block_new(f, "body"), out = ir_block_new(f, "out");
	vreg x = ir_load(f, ir_ctx(f), 0, 8, false);
	struct code code;
	struct diags d;

	ir_br_imm(f, CC_EQ, x, 1, out, body);
	ir_block_use(f, body);
	for (int k = 0; k < 20000; k++)
		ir_call(f, BPF_FUNC_ktime_get_ns, 0, NULL), ir_store_imm(f, ir_bss(f, 0), 0, 8, k);
	ir_jmp(f, out);
	ir_block_use(f, out);
	ir_ret_imm(f, 0);
	assert_int_equal(compile(f, &code, &d), -E2BIG);
	assert_non_null(strstr(d.list.v[0].text, "too large"));
}

/* Thousands of blocks, hundreds of values alive at once: as many as fit the stack. */
static void test_large(void **state)
{
	struct ir_func *f = F(state);
	uint32_t exit_ = ir_block_new(f, "exit");
	vreg ctx = ir_ctx(f), sum, v[50];
	struct code code;
	struct diags d;

	for (uint32_t k = 0; k < ARRAY_SIZE(v); k++)
		v[k] = ir_load(f, ctx, 8 * (int32_t)k, 8, false);
	for (uint32_t k = 0; k < 2000; k++) {
		uint32_t then_ = ir_block_new(f, NULL), next = ir_block_new(f, NULL);

		ir_br(f, CC_EQ, v[k % ARRAY_SIZE(v)], v[(k * 7 + 1) % ARRAY_SIZE(v)], then_, next);
		ir_block_use(f, then_);
		ir_call(f, BPF_FUNC_ktime_get_ns, 0, NULL);
		ir_store(f, ir_bss(f, 8 * k), 0, 8, ir_bin(f, IR_ADD, v[k % 13], v[k % 17]));
		if (k % 50)
			ir_jmp(f, next);
		else
			ir_jmp(f, exit_);
		ir_block_use(f, next);
	}
	sum = v[0];
	for (uint32_t k = 1; k < ARRAY_SIZE(v); k++)
		sum = ir_bin(f, IR_XOR, sum, v[k]);
	ir_ret(f, sum);
	ir_block_use(f, exit_);
	ir_ret_imm(f, 1);
	assert_int_equal(compile(f, &code, &d), 0);
	assert_in_range(code.stack_bytes, 8 * (ARRAY_SIZE(v) - 10), 512);
}

/* More values at once than registers and stack hold. */
static void test_too_many_values(void **state)
{
	struct ir_func *f = F(state);
	vreg v[200], sum = 0;
	struct code code;
	struct diags d;

	for (uint32_t k = 0; k < ARRAY_SIZE(v); k++)
		v[k] = ir_call(f, BPF_FUNC_ktime_get_ns, 0, NULL);
	for (uint32_t k = 0; k < ARRAY_SIZE(v); k++)
		sum = sum ? ir_bin(f, IR_XOR, sum, v[k]) : v[k];
	ir_ret(f, sum);
	assert_int_equal(compile(f, &code, &d), -E2BIG);
	assert_non_null(strstr(d.list.v[0].text, "bytes of stack"));
}

#define test(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(empty), test(unended), test(count), test(pid_tgid), test(ctx_over_call), test(and), test(stores),
		test(narrow), test(no_extension), test(loop), test(settled), test(constants), test(scratch),
		test(task_scratch), test(shared_slots), test(lines), test(relocations), test(core), test(too_much_scratch), test(too_large),
		test(large), test(too_many_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
