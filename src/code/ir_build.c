/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building IR: one function per instruction. Each appends to the current block and returns its result. */
#include "code/ir.h"

struct ir_func *ir_func_new(struct arena *a, const char *name)
{
	struct ir_func *f = arena_new_of(a, struct ir_func);

	f->arena = a;
	f->name = name;
	f->scratch_map = -1;
	vec_push(a, &f->vregs, (struct ir_vreg){0});
	ir_block_new(f, "entry");
	return f;
}

vreg ir_vreg_new(struct ir_func *f, const char *name)
{
	struct ir_vreg v = { .name = name };

	vec_push(f->arena, &f->vregs, v);
	return f->vregs.n - 1;
}

uint32_t ir_slot_new(struct ir_func *f, uint32_t size, uint32_t align, const char *name)
{
	struct ir_slot s = { .size = size ? size : 1, .align = align ? align : 8, .name = name };

	vec_push(f->arena, &f->slots, s);
	return f->slots.n - 1;
}

uint32_t ir_slot_new_on_stack(struct ir_func *f, uint32_t size, uint32_t align, const char *name)
{
	uint32_t slot = ir_slot_new(f, size, align, name);

	f->slots.v[slot].on_stack = true;
	return slot;
}

uint32_t ir_block_new(struct ir_func *f, const char *label)
{
	struct ir_block *b = arena_new_of(f->arena, struct ir_block);

	b->label = label;
	vec_push(f->arena, &f->blocks, b);
	return f->blocks.n - 1;
}

void ir_block_use(struct ir_func *f, uint32_t b)
{
	f->cur = b;
}

bool ir_block_ended(const struct ir_func *f)
{
	const struct ir_block *b = f->blocks.v[f->cur];

	if (!b->insns.n)
		return false;
	switch (b->insns.v[b->insns.n - 1].op) {
	case IR_JMP:
	case IR_BR:
	case IR_RET:
		return true;
	default:
		return false;
	}
}

static void append(struct ir_func *f, struct ir_insn insn)
{
	if (ir_block_ended(f))
		ir_block_use(f, ir_block_new(f, "unreachable"));
	insn.span = f->span;
	if (insn.d)
		f->vregs.v[insn.d].ndefs++;
	vec_push(f->arena, &f->blocks.v[f->cur]->insns, insn);
}

/* Append an instruction that has a result, into a fresh vreg. */
static vreg append_value(struct ir_func *f, struct ir_insn insn)
{
	insn.d = ir_vreg_new(f, NULL);
	append(f, insn);
	return insn.d;
}

vreg ir_const(struct ir_func *f, int64_t v)
{
	return append_value(f, (struct ir_insn){ .op = IR_CONST, .imm = v });
}

void ir_mov_to(struct ir_func *f, vreg d, vreg a)
{
	append(f, (struct ir_insn){ .op = IR_MOV, .d = d, .a = a });
}

vreg ir_bin(struct ir_func *f, enum ir_op op, vreg a, vreg b)
{
	return append_value(f, (struct ir_insn){ .op = op, .a = a, .b = b });
}

vreg ir_bin_imm(struct ir_func *f, enum ir_op op, vreg a, int64_t imm)
{
	return append_value(f, (struct ir_insn){ .op = op, .a = a, .imm = imm, .use_imm = true });
}

vreg ir_neg(struct ir_func *f, vreg a)
{
	return append_value(f, (struct ir_insn){ .op = IR_NEG, .a = a });
}

vreg ir_bswap(struct ir_func *f, vreg a, uint8_t size)
{
	return append_value(f, (struct ir_insn){ .op = IR_BSWAP, .a = a, .size = size });
}

vreg ir_ext(struct ir_func *f, vreg a, uint8_t size, bool sx)
{
	return append_value(f, (struct ir_insn){ .op = IR_EXT, .a = a, .size = size, .sx = sx });
}

vreg ir_setcc(struct ir_func *f, enum ir_cc cc, vreg a, vreg b)
{
	return append_value(f, (struct ir_insn){ .op = IR_SETCC, .a = a, .b = b, .cc = (uint8_t)cc });
}

vreg ir_setcc_imm(struct ir_func *f, enum ir_cc cc, vreg a, int64_t imm)
{
	return append_value(f, (struct ir_insn){ .op = IR_SETCC, .a = a, .imm = imm, .use_imm = true,
						 .cc = (uint8_t)cc });
}

vreg ir_load(struct ir_func *f, vreg addr, int32_t off, uint8_t size, bool sx)
{
	return append_value(f, (struct ir_insn){ .op = IR_LOAD, .a = addr, .off = off, .size = size, .sx = sx });
}

void ir_store(struct ir_func *f, vreg addr, int32_t off, uint8_t size, vreg v)
{
	append(f, (struct ir_insn){ .op = IR_STORE, .a = addr, .off = off, .size = size, .b = v });
}

void ir_store_imm(struct ir_func *f, vreg addr, int32_t off, uint8_t size, int64_t imm)
{
	append(f, (struct ir_insn){ .op = IR_STORE, .a = addr, .off = off, .size = size, .imm = imm,
				    .use_imm = true });
}

vreg ir_atomic_add(struct ir_func *f, vreg addr, int32_t off, uint8_t size, vreg v, bool want_old)
{
	struct ir_insn insn = { .op = IR_ATOMIC, .a = addr, .off = off, .size = size, .b = v };

	if (want_old)
		return append_value(f, insn);
	append(f, insn);
	return 0;
}

vreg ir_atomic_xchg(struct ir_func *f, vreg addr, int32_t off, uint8_t size, vreg v)
{
	return append_value(f, (struct ir_insn){ .op = IR_ATOMIC, .a = addr, .off = off, .size = size, .b = v,
						 .xchg = true });
}

static vreg append_call(struct ir_func *f, struct ir_insn insn, uint32_t nargs, const vreg *args)
{
	insn.nargs = (uint8_t)nargs;
	for (uint32_t i = 0; i < nargs && i < 5; i++)
		insn.args[i] = args[i];
	return append_value(f, insn);
}

vreg ir_call(struct ir_func *f, int helper, uint32_t nargs, const vreg *args)
{
	return append_call(f, (struct ir_insn){ .op = IR_CALL, .imm = helper }, nargs, args);
}

vreg ir_call_pure(struct ir_func *f, int helper, uint32_t nargs, const vreg *args)
{
	return append_call(f, (struct ir_insn){ .op = IR_CALL, .imm = helper, .pure = true }, nargs, args);
}

vreg ir_kfunc(struct ir_func *f, const char *sym, uint32_t nargs, const vreg *args)
{
	return append_call(f, (struct ir_insn){ .op = IR_KFUNC, .sym = sym }, nargs, args);
}

vreg ir_callfunc(struct ir_func *f, uint32_t func, uint32_t nargs, const vreg *args)
{
	vec_push(f->arena, &f->callees, func);
	return append_call(f, (struct ir_insn){ .op = IR_CALLFUNC, .imm = func }, nargs, args);
}

vreg ir_ctx(struct ir_func *f)
{
	if (f->is_subprog) {
		f->ctx = f->ctx ? f->ctx : ir_vreg_new(f, "ctx");
		return f->ctx;
	}
	return append_value(f, (struct ir_insn){ .op = IR_CTX });
}

vreg ir_arg(struct ir_func *f, uint32_t i)
{
	return append_value(f, (struct ir_insn){ .op = IR_ARG, .imm = i });
}

vreg ir_slot_addr(struct ir_func *f, uint32_t slot)
{
	return append_value(f, (struct ir_insn){ .op = IR_SLOT, .imm = slot });
}

vreg ir_map(struct ir_func *f, uint32_t map)
{
	return append_value(f, (struct ir_insn){ .op = IR_MAP, .imm = map });
}

vreg ir_rodata(struct ir_func *f, uint32_t offset)
{
	return append_value(f, (struct ir_insn){ .op = IR_RODATA, .imm = offset });
}

vreg ir_bss(struct ir_func *f, uint32_t offset)
{
	return append_value(f, (struct ir_insn){ .op = IR_BSS, .imm = offset });
}

vreg ir_func_addr(struct ir_func *f, uint32_t func)
{
	vec_push(f->arena, &f->callees, func);
	return append_value(f, (struct ir_insn){ .op = IR_FUNC, .imm = func });
}

void ir_jmp(struct ir_func *f, uint32_t block)
{
	append(f, (struct ir_insn){ .op = IR_JMP, .then_ = block });
}

void ir_br(struct ir_func *f, enum ir_cc cc, vreg a, vreg b, uint32_t then_, uint32_t else_)
{
	append(f, (struct ir_insn){ .op = IR_BR, .cc = (uint8_t)cc, .a = a, .b = b, .then_ = then_, .else_ = else_ });
}

void ir_br_imm(struct ir_func *f, enum ir_cc cc, vreg a, int64_t imm, uint32_t then_, uint32_t else_)
{
	append(f, (struct ir_insn){ .op = IR_BR, .cc = (uint8_t)cc, .a = a, .imm = imm, .use_imm = true,
				    .then_ = then_, .else_ = else_ });
}

void ir_ret(struct ir_func *f, vreg v)
{
	append(f, (struct ir_insn){ .op = IR_RET, .a = v });
}

void ir_ret_imm(struct ir_func *f, int64_t v)
{
	if (v)
		append(f, (struct ir_insn){ .op = IR_RET, .imm = v, .use_imm = true });
	else
		append(f, (struct ir_insn){ .op = IR_RET });
}
