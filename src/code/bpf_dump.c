/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BPF instructions as text, in the notation of the kernel's verifier and of llvm-objdump. */
#include <inttypes.h>
#include <linux/bpf.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "code/ir.h"

struct dump {
	const struct code *c;
	const char *(*map_name)(void *ctx, uint32_t map);
	void *ctx;
	struct strbuf *out;
	uint32_t next_relo;
};

static const char *const alu_ops[16] = {
	[BPF_ADD >> 4] = "+=", [BPF_SUB >> 4] = "-=", [BPF_MUL >> 4] = "*=", [BPF_DIV >> 4] = "/=",
	[BPF_OR >> 4] = "|=", [BPF_AND >> 4] = "&=", [BPF_LSH >> 4] = "<<=", [BPF_RSH >> 4] = ">>=",
	[BPF_MOD >> 4] = "%=", [BPF_XOR >> 4] = "^=", [BPF_MOV >> 4] = "=", [BPF_ARSH >> 4] = "s>>=",
};

static const char *const jump_ops[16] = {
	[BPF_JEQ >> 4] = "==", [BPF_JGT >> 4] = ">", [BPF_JGE >> 4] = ">=", [BPF_JSET >> 4] = "&",
	[BPF_JNE >> 4] = "!=", [BPF_JSGT >> 4] = "s>", [BPF_JSGE >> 4] = "s>=", [BPF_JLT >> 4] = "<",
	[BPF_JLE >> 4] = "<=", [BPF_JSLT >> 4] = "s<", [BPF_JSLE >> 4] = "s<=",
};

const char *helper_name(int64_t number)
{
#define HELPER(name) [BPF_FUNC_##name] = #name
	static const char *const names[] = { __BPF_FUNC_MAPPER(HELPER) };
#undef HELPER

	return number > 0 && (uint64_t)number < ARRAY_SIZE(names) ? names[number] : NULL;
}

static int size_bits(uint8_t code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B:
		return 8;
	case BPF_H:
		return 16;
	case BPF_W:
		return 32;
	default:
		return 64;
	}
}

/* The relocation of instruction `at`, or NULL. Called with growing `at`. */
static const struct code_relo *relo_at(struct dump *d, uint32_t at)
{
	while (d->next_relo < d->c->relos.n && d->c->relos.v[d->next_relo].insn < at)
		d->next_relo++;
	if (d->next_relo < d->c->relos.n && d->c->relos.v[d->next_relo].insn == at)
		return &d->c->relos.v[d->next_relo];
	return NULL;
}

static void dump_alu(struct dump *d, const struct bpf_insn *i)
{
	char r = BPF_CLASS(i->code) == BPF_ALU ? 'w' : 'r';

	if (BPF_OP(i->code) == BPF_NEG) {
		strbuf_addf(d->out, "%c%d = -%c%d", r, i->dst_reg, r, i->dst_reg);
	} else if (BPF_OP(i->code) == BPF_END) {
		strbuf_addf(d->out, "r%d = be%d r%d", i->dst_reg, i->imm, i->dst_reg);
	} else {
		strbuf_addf(d->out, "%c%d %s ", r, i->dst_reg, alu_ops[BPF_OP(i->code) >> 4]);
		if (BPF_SRC(i->code) == BPF_X)
			strbuf_addf(d->out, "%c%d", r, i->src_reg);
		else
			strbuf_addf(d->out, "%d", i->imm);
	}
}

static void dump_place(struct dump *d, const struct bpf_insn *i, int reg)
{
	strbuf_addf(d->out, "*(u%d *)(r%d %c %d)", size_bits(i->code), reg, i->off < 0 ? '-' : '+',
		    i->off < 0 ? -i->off : i->off);
}

static void dump_store(struct dump *d, const struct bpf_insn *i)
{
	if (BPF_MODE(i->code) == BPF_ATOMIC) {
		if (i->imm & BPF_FETCH) {
			strbuf_addf(d->out, "r%d = atomic_%s(", i->src_reg, i->imm == BPF_XCHG ? "xchg" : "fetch_add");
			dump_place(d, i, i->dst_reg);
			strbuf_addf(d->out, ", r%d)", i->src_reg);
			return;
		}
		strbuf_addstr(d->out, "lock ");
	}
	dump_place(d, i, i->dst_reg);
	strbuf_addstr(d->out, BPF_MODE(i->code) == BPF_ATOMIC ? " += " : " = ");
	if (BPF_CLASS(i->code) == BPF_STX)
		strbuf_addf(d->out, "r%d", i->src_reg);
	else
		strbuf_addf(d->out, "%d", i->imm);
}

static void dump_imm64(struct dump *d, const struct bpf_insn *i, const struct code_relo *r)
{
	uint64_t imm = (uint32_t)i[0].imm | (uint64_t)(uint32_t)i[1].imm << 32;
	const char *name = NULL;

	strbuf_addf(d->out, "r%d = ", i->dst_reg);
	if (!r || r->kind == RELO_CORE) {
		strbuf_addf(d->out, "0x%" PRIx64 " ll", imm);
		return;
	}
	switch (r->kind) {
	case RELO_MAP:
		if (d->map_name)
			name = d->map_name(d->ctx, r->index);
		if (name)
			strbuf_addf(d->out, "map %s", name);
		else if (r->index == IR_NO_MAP)
			strbuf_addstr(d->out, "map scratch");
		else if (r->index == IR_NO_SPARE_MAP)
			strbuf_addstr(d->out, "map spare");
		else
			strbuf_addf(d->out, "map %" PRIu32, r->index);
		break;
	case RELO_FUNC:
		strbuf_addf(d->out, "function %" PRIu32, r->index);
		break;
	default:
		strbuf_addf(d->out, "%s + %" PRIu64, r->kind == RELO_BSS ? ".bss" : ".rodata", imm);
	}
	strbuf_addstr(d->out, " ll");
}

static void dump_jump(struct dump *d, const struct bpf_insn *i, uint32_t at, const struct code_relo *r)
{
	uint8_t op = BPF_OP(i->code);
	char reg = BPF_CLASS(i->code) == BPF_JMP32 ? 'w' : 'r';

	if (op == BPF_EXIT) {
		strbuf_addstr(d->out, "exit");
	} else if (op == BPF_CALL) {
		if (r && r->kind == RELO_KFUNC)
			strbuf_addf(d->out, "call %s", r->sym);
		else if (r)
			strbuf_addf(d->out, "call function %" PRIu32, r->index);
		else if (helper_name(i->imm))
			strbuf_addf(d->out, "call %s", helper_name(i->imm));
		else
			strbuf_addf(d->out, "call %d", i->imm);
	} else if (op == BPF_JA) {
		strbuf_addf(d->out, "goto %" PRIu32, at + 1 + i->off);
	} else {
		strbuf_addf(d->out, "if %c%d %s ", reg, i->dst_reg, jump_ops[op >> 4]);
		if (BPF_SRC(i->code) == BPF_X)
			strbuf_addf(d->out, "%c%d", reg, i->src_reg);
		else
			strbuf_addf(d->out, "%d", i->imm);
		strbuf_addf(d->out, " goto %" PRIu32, at + 1 + i->off);
	}
}

static void dump_insn(struct dump *d, uint32_t at)
{
	const struct bpf_insn *i = &d->c->insns[at];
	const struct code_relo *r = relo_at(d, at);

	strbuf_addf(d->out, "%5" PRIu32 ": ", at);
	switch (BPF_CLASS(i->code)) {
	case BPF_ALU: case BPF_ALU64:
		dump_alu(d, i);
		break;
	case BPF_LDX:
		strbuf_addf(d->out, "r%d = ", i->dst_reg);
		dump_place(d, i, i->src_reg);
		break;
	case BPF_ST: case BPF_STX:
		dump_store(d, i);
		break;
	case BPF_LD:
		dump_imm64(d, i, r);
		break;
	default:
		dump_jump(d, i, at, r);
	}
	if (r && r->kind == RELO_CORE)
		strbuf_addstr(d->out, " ; relocated");
	strbuf_addch(d->out, '\n');
}

void code_dump(const struct code *c, const char *(*map_name)(void *ctx, uint32_t map), void *ctx, struct strbuf *out)
{
	struct dump d = { .c = c, .map_name = map_name, .ctx = ctx, .out = out };

	for (uint32_t at = 0; at < c->n; at++) {
		dump_insn(&d, at);
		if (c->insns[at].code == (BPF_LD | BPF_DW | BPF_IMM))
			at++;
	}
}
