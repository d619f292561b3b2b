/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IR as text, for people: one instruction per line, blocks with their labels, variables by name.
 *
 *   b1 then:
 *     %7 = add %5, 1
 *     store u32 [%3 + 8] = %7
 */
#include <inttypes.h>

#include "base/strbuf.h"
#include "code/ir_pass.h"

static const char *const op_names[IR_NOPS] = {
	[IR_NOP] = "nop", [IR_CONST] = "const", [IR_MOV] = "mov", [IR_ADD] = "add", [IR_SUB] = "sub",
	[IR_MUL] = "mul", [IR_UDIV] = "udiv", [IR_UMOD] = "umod", [IR_AND] = "and", [IR_OR] = "or",
	[IR_XOR] = "xor", [IR_SHL] = "shl", [IR_SHR] = "shr", [IR_SAR] = "sar", [IR_NEG] = "neg",
	[IR_BSWAP] = "bswap", [IR_EXT] = "ext", [IR_SETCC] = "set", [IR_LOAD] = "load",
	[IR_STORE] = "store", [IR_ATOMIC] = "atomic_add", [IR_CALL] = "call", [IR_KFUNC] = "kfunc",
	[IR_CTX] = "ctx", [IR_ARG] = "arg", [IR_SLOT] = "slot", [IR_MAP] = "map",
	[IR_RODATA] = "rodata", [IR_BSS] = "bss", [IR_FUNC] = "func", [IR_CALLFUNC] = "callfunc",
	[IR_JMP] = "jmp", [IR_BR] = "br", [IR_RET] = "ret",
};

static const char *const cc_names[] = {
	[CC_EQ] = "==", [CC_NE] = "!=", [CC_ULT] = "<", [CC_ULE] = "<=", [CC_UGT] = ">",
	[CC_UGE] = ">=", [CC_SLT] = "s<", [CC_SLE] = "s<=", [CC_SGT] = "s>", [CC_SGE] = "s>=",
	[CC_SET] = "&",
};

static void dump_vreg(const struct ir_func *f, vreg v, struct strbuf *out)
{
	if (v && v < f->vregs.n && f->vregs.v[v].name)
		strbuf_addf(out, "%%%" PRIu32 ".%s", v, f->vregs.v[v].name);
	else
		strbuf_addf(out, "%%%" PRIu32, v);
}

/* Small numbers in decimal, large ones in hexadecimal. */
static void dump_imm(int64_t imm, struct strbuf *out)
{
	if (imm > -65536 && imm < 65536)
		strbuf_adds64(out, imm);
	else
		strbuf_addf(out, "0x%" PRIx64, (uint64_t)imm);
}

static void dump_second(const struct ir_func *f, const struct ir_insn *i, struct strbuf *out)
{
	if (i->use_imm)
		dump_imm(i->imm, out);
	else
		dump_vreg(f, i->b, out);
}

static void dump_place(const struct ir_func *f, const struct ir_insn *i, struct strbuf *out)
{
	strbuf_addf(out, "%c%d [", i->sx ? 's' : 'u', i->size * 8);
	dump_vreg(f, i->a, out);
	if (i->off)
		strbuf_addf(out, " %c %d", i->off < 0 ? '-' : '+', i->off < 0 ? -i->off : i->off);
	strbuf_addch(out, ']');
}

static void dump_args(const struct ir_func *f, const struct ir_insn *i, struct strbuf *out)
{
	strbuf_addch(out, '(');
	for (uint32_t k = 0; k < i->nargs; k++) {
		if (k)
			strbuf_addstr(out, ", ");
		dump_vreg(f, i->args[k], out);
	}
	strbuf_addch(out, ')');
}

static void dump_slot(const struct ir_func *f, const struct ir_insn *i, struct strbuf *out)
{
	const struct ir_slot *s = &f->slots.v[i->imm];

	strbuf_addf(out, " %" PRId64, i->imm);
	if (i->off)
		strbuf_addf(out, " + %d", i->off);
	strbuf_addf(out, " (%s%s%" PRIu32 " bytes)", s->name ? s->name : "", s->name ? ", " : "", s->size);
}

static void dump_condition(const struct ir_func *f, const struct ir_insn *i, struct strbuf *out)
{
	strbuf_addstr(out, i->w32 ? "32 " : " ");
	dump_vreg(f, i->a, out);
	strbuf_addf(out, " %s ", cc_names[i->cc]);
	dump_second(f, i, out);
}

static void dump_operands(const struct ir_func *f, const struct ir_insn *i, struct strbuf *out)
{
	switch (i->op) {
	case IR_NOP:
	case IR_CTX:
		break;
	case IR_CONST: case IR_ARG: case IR_MAP: case IR_RODATA: case IR_BSS: case IR_FUNC:
		strbuf_addch(out, ' ');
		dump_imm(i->imm, out);
		break;
	case IR_SLOT:
		dump_slot(f, i, out);
		break;
	case IR_MOV: case IR_NEG:
		strbuf_addstr(out, i->w32 ? "32 " : " ");
		dump_vreg(f, i->a, out);
		break;
	case IR_BSWAP: case IR_EXT:
		strbuf_addf(out, " %c%d ", i->sx ? 's' : 'u', i->size * 8);
		dump_vreg(f, i->a, out);
		break;
	case IR_SETCC:
		dump_condition(f, i, out);
		break;
	case IR_LOAD:
		strbuf_addch(out, ' ');
		dump_place(f, i, out);
		break;
	case IR_STORE: case IR_ATOMIC:
		strbuf_addstr(out, i->xchg ? " exchange " : " ");
		dump_place(f, i, out);
		strbuf_addstr(out, i->op == IR_STORE ? " = " : ", ");
		dump_second(f, i, out);
		break;
	case IR_CALL: case IR_CALLFUNC:
		if (i->op == IR_CALL && helper_name(i->imm))
			strbuf_addf(out, " %s", helper_name(i->imm));
		else
			strbuf_addf(out, " %" PRId64, i->imm);
		dump_args(f, i, out);
		break;
	case IR_KFUNC:
		strbuf_addf(out, " %s", i->sym);
		dump_args(f, i, out);
		break;
	case IR_JMP:
		strbuf_addf(out, " b%" PRIu32, i->then_);
		break;
	case IR_BR:
		dump_condition(f, i, out);
		strbuf_addf(out, " ? b%" PRIu32 " : b%" PRIu32, i->then_, i->else_);
		break;
	case IR_RET:
		strbuf_addch(out, ' ');
		if (i->a)
			dump_vreg(f, i->a, out);
		else
			dump_imm(i->imm, out);
		break;
	default: /* two operands */
		strbuf_addstr(out, i->w32 ? "32 " : " ");
		dump_vreg(f, i->a, out);
		strbuf_addstr(out, ", ");
		dump_second(f, i, out);
	}
}

static void dump_insn(const struct ir_func *f, const struct ir_insn *i, struct strbuf *out)
{
	strbuf_addstr(out, "    ");
	if (i->d) {
		dump_vreg(f, i->d, out);
		strbuf_addstr(out, " = ");
	}
	strbuf_addstr(out, op_names[i->op]);
	if (i->pure)
		strbuf_addstr(out, " pure");
	dump_operands(f, i, out);
	if (i->relo)
		strbuf_addstr(out, " ; relocated");
	strbuf_addch(out, '\n');
}

static void dump_slots(const struct ir_func *f, struct strbuf *out)
{
	for (uint32_t k = 0; k < f->slots.n; k++) {
		const struct ir_slot *s = &f->slots.v[k];

		strbuf_addf(out, "  slot %" PRIu32 ": %" PRIu32 " bytes", k, s->size);
		if (s->name)
			strbuf_addf(out, ", %s", s->name);
		if (s->in_scratch)
			strbuf_addf(out, ", at scratch + %d", s->offset);
		else if (s->offset)
			strbuf_addf(out, ", at r10 - %d", -s->offset);
		strbuf_addch(out, '\n');
	}
}

void ir_dump(const struct ir_func *f, struct strbuf *out)
{
	strbuf_addf(out, "%s %s:\n", f->is_subprog ? "subprogram" : "program", f->name);
	dump_slots(f, out);
	for (uint32_t n = 0; n < f->blocks.n; n++) {
		struct ir_block *b = f->blocks.v[n];

		if (!b->insns.n)
			continue;
		strbuf_addf(out, "  b%" PRIu32, n);
		if (b->label)
			strbuf_addf(out, " %s", b->label);
		strbuf_addstr(out, ":\n");
		vec_each(i, &b->insns)
			if (i->op != IR_NOP)
				dump_insn(f, i, out);
	}
}
