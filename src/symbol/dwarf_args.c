/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dwarf, arguments: where the parameters of a function lie when a probe fires there.
 *
 * Optimised code says it for every address. Code that was not optimised says where a parameter will be
 * kept, which at the first instruction is not true yet: then the calling convention says where it is.
 */
#include "base/util.h"
#include "symbol/dwarf_priv.h"

/* ---- the machine ---- */

#if defined(__aarch64__)
static const uint32_t arg_regs[] = { 0, 8, 16, 24, 32, 40, 48, 56 };
static const uint32_t result_regs[] = { 0, 8 };
#define SP_REG 248
#define FP_REG 29 /* as DWARF numbers it */
#define STACK_ARGS 0 /* the first one on the stack lies so far above the stack pointer */
#define FP_AT_ENTRY INT64_MIN
#define RESULT_TAKES_REG false
#define LARGE_BY_ADDRESS true
#define NVECTOR_REGS 8

static int reg_offset(uint64_t number)
{
	return number < 31 ? (int)number * 8 : number == 31 ? SP_REG : -1;
}
#else
static const uint32_t arg_regs[] = { 112, 104, 96, 88, 72, 64 };
static const uint32_t result_regs[] = { 80, 96 };
#define SP_REG 152
#define FP_REG 6
#define STACK_ARGS 8
#define FP_AT_ENTRY -8 /* where the frame pointer will point, from the stack pointer */
#define RESULT_TAKES_REG true
#define LARGE_BY_ADDRESS false
#define NVECTOR_REGS 8

/* In the order of DWARF: rax rdx rcx rbx rsi rdi rbp rsp r8 ... r15. */
static int reg_offset(uint64_t number)
{
	static const uint8_t offsets[] = { 80, 96, 88, 40, 104, 112, 32, 152, 72, 64, 56, 48, 24, 16, 8, 0 };

	return number < ARRAY_SIZE(offsets) ? offsets[number] : -1;
}
#endif

/* ---- how a value is passed ---- */

enum pass { PASS_NOTHING, PASS_INTEGER, PASS_VECTOR, PASS_MEMORY, PASS_ADDRESS };

struct passing {
	enum pass how;
	uint32_t words; /* registers it takes, or words on the stack */
};

struct part_walk {
	const struct dwarf_file *d;
	uint64_t base;
	bool integer[2], other;
	uint32_t depth;
};

static void parts_look(struct part_walk *w, Dwarf_Die *type, uint64_t at);

static bool part_visit(Dwarf_Die *die, void *ctx)
{
	struct part_walk *w = ctx;
	int tag = w->d->dw->tag(die);
	uint64_t at = 0, bit;
	Dwarf_Die type;

	if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) || dw_flag(w->d, die, DW_AT_declaration))
		return true;
	if (!dw_number(w->d, die, DW_AT_data_member_location, &at) && dw_number(w->d, die, DW_AT_data_bit_offset, &bit))
		at = bit / 8;
	if (dw_refer(w->d, die, DW_AT_type, &type)) {
		uint64_t base = w->base;

		parts_look(w, &type, base + at);
		w->base = base;
	}
	return true;
}

/* Which of the two words of a small struct hold anything but floating point. */
static void parts_look(struct part_walk *w, Dwarf_Die *type, uint64_t at)
{
	Dwarf_Die die = *type;
	uint64_t encoding = 0;
	int tag;

	if (!dw_peel(w->d, &die) || at >= 16 || w->depth > 8)
		return;
	tag = w->d->dw->tag(&die);
	if (tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type) {
		w->depth++;
		w->base = at;
		dw_children(w->d, &die, part_visit, w);
		w->depth--;
		return;
	}
	if (tag == DW_TAG_array_type) {
		/* its elements reach over both words */
		if (dw_refer(w->d, &die, DW_AT_type, &die)) {
			parts_look(w, &die, at);
			parts_look(w, &die, 8);
		}
		return;
	}
	if (tag == DW_TAG_base_type && dw_number(w->d, &die, DW_AT_encoding, &encoding) && encoding == DW_ATE_float)
		return;
	w->integer[at / 8] = true;
}

static struct passing pass_struct(const struct dwarf_file *d, Dwarf_Die *die)
{
	struct part_walk w = { .d = d };
	uint64_t size = 0, convention = 0;
	uint32_t words;

	dw_number(d, die, DW_AT_byte_size, &size);
	dw_number(d, die, DW_AT_calling_convention, &convention);
	words = (uint32_t)MIN((size + 7) / 8, (uint64_t)INT32_MAX);
	if (convention == DW_CC_pass_by_reference || (LARGE_BY_ADDRESS && words > 2))
		return (struct passing){ PASS_ADDRESS, 1 };
	if (words > 2)
		return (struct passing){ PASS_MEMORY, words };
	parts_look(&w, die, 0);
	if (!words)
		return (struct passing){ PASS_NOTHING, 0 };
	if (!w.integer[0] && (words < 2 || !w.integer[1]))
		return (struct passing){ PASS_VECTOR, words };
	/* Half in one kind of register and half in the other: not to be had. */
	if (words == 2 && w.integer[0] != w.integer[1])
		return (struct passing){ PASS_NOTHING, 1 };
	return (struct passing){ PASS_INTEGER, words };
}

static struct passing pass_of(const struct dwarf_file *d, Dwarf_Die *type)
{
	uint64_t encoding = 0, size = 8;
	Dwarf_Die die = *type;
	int tag = dw_peel(d, &die) ? d->dw->tag(&die) : DW_TAG_invalid;

	dw_number(d, &die, DW_AT_byte_size, &size);
	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		return pass_struct(d, &die);
	case DW_TAG_base_type:
		dw_number(d, &die, DW_AT_encoding, &encoding);
		if (encoding == DW_ATE_float || encoding == DW_ATE_complex_float || encoding == DW_ATE_imaginary_float)
			return (struct passing){ size > 8 && RESULT_TAKES_REG ? PASS_MEMORY : PASS_VECTOR,
						 size > 8 ? 2 : 1 };
		return (struct passing){ PASS_INTEGER, size > 8 ? 2 : 1 };
	case DW_TAG_ptr_to_member_type:
		return (struct passing){ PASS_INTEGER, size > 8 ? 2 : 1 };
	case DW_TAG_invalid:
		return (struct passing){ PASS_NOTHING, 0 };
	default:
		return (struct passing){ PASS_INTEGER, 1 };
	}
}

/* ---- places ---- */

enum where { NOWHERE, IN_REGS, IN_MEMORY };

struct place {
	enum where where;
	uint32_t regs[2]; /* IN_REGS: places of registers; IN_MEMORY: that of the register with the address */
	int64_t beyond;   /* IN_MEMORY */
};

/* What the convention has given away so far. */
struct convention {
	uint32_t regs, vectors;
	int64_t stack;
};

static struct place in_memory(uint32_t reg, int64_t beyond)
{
	return (struct place){ IN_MEMORY, { reg }, beyond };
}

static struct place on_stack(struct convention *c, uint32_t words)
{
	struct place p = in_memory(SP_REG, STACK_ARGS + c->stack);

	c->stack += (int64_t)words * 8;
	return p;
}

static struct place by_convention(struct convention *c, struct passing pass)
{
	struct place p = { .where = IN_REGS }, none = { 0 };

	switch (pass.how) {
	case PASS_INTEGER:
	case PASS_ADDRESS:
		if (c->regs + pass.words > ARRAY_SIZE(arg_regs)) {
			p = on_stack(c, pass.words);
			return pass.how == PASS_ADDRESS ? none : p;
		}
		for (uint32_t i = 0; i < pass.words && i < 2; i++)
			p.regs[i] = arg_regs[c->regs++];
		return pass.how == PASS_ADDRESS ? in_memory(p.regs[0], 0) : p;
	case PASS_MEMORY:
		return on_stack(c, pass.words);
	case PASS_VECTOR:
		if (c->vectors + pass.words > NVECTOR_REGS)
			on_stack(c, pass.words);
		else
			c->vectors += pass.words;
		return (struct place){ 0 };
	default:
		c->regs += pass.words;
		return (struct place){ 0 };
	}
}

/* ---- what debugging information says ---- */

struct site {
	struct dwarf_file *d;
	Dwarf_Die func;
	uint64_t pc;
	bool at_entry;
};

/* A register, or what lies so far beyond what a register points to. */
static bool op_register(const Dwarf_Op *op, bool *points, uint64_t *reg, int64_t *beyond)
{
	*beyond = 0;
	*points = true;
	if (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31) {
		*points = false;
		*reg = op->atom - DW_OP_reg0;
	} else if (op->atom == DW_OP_regx) {
		*points = false;
		*reg = op->number;
	} else if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31) {
		*reg = op->atom - DW_OP_breg0;
		*beyond = (int64_t)op->number;
	} else if (op->atom == DW_OP_bregx) {
		*reg = op->number;
		*beyond = (int64_t)op->number2;
	} else {
		return false;
	}
	return true;
}

static Dwarf_Frame *frame_at(struct dwarf_file *d, uint64_t pc)
{
	Dwarf_Frame *frame = NULL;

	if (!d->cfi_read) {
		d->cfi_read = true;
		d->cfi = d->dw->getcfi(d->dbg);
		d->eh = d->dw->getcfi_elf((Elf *)elf_file_elf(d->file));
	}
	if (d->cfi && !d->dw->cfi_addrframe(d->cfi, pc, &frame))
		return frame;
	return d->eh && !d->dw->cfi_addrframe(d->eh, pc, &frame) ? frame : NULL;
}

/* The canonical frame address: what the stack pointer was before the call. */
static struct place frame_address(struct site *s)
{
	struct place p = { 0 };
	Dwarf_Frame *frame;
	Dwarf_Op *ops;
	uint64_t reg;
	bool points;
	size_t n;

	if (s->at_entry)
		return in_memory(SP_REG, STACK_ARGS);
	frame = frame_at(s->d, s->pc);
	if (!frame)
		return p;
	if (!s->d->dw->frame_cfa(frame, &ops, &n) && n == 1 && op_register(ops, &points, &reg, &p.beyond) && points &&
	    reg_offset(reg) >= 0) {
		p.where = IN_MEMORY;
		p.regs[0] = (uint32_t)reg_offset(reg);
	}
	free(frame);
	return p;
}

/* What DW_OP_fbreg counts from. */
static struct place frame_base(struct site *s)
{
	Dwarf_Attribute at;
	int64_t beyond;
	Dwarf_Op *ops;
	uint64_t reg;
	bool points;
	size_t n;

	if (!s->d->dw->attr_integrate(&s->func, DW_AT_frame_base, &at) ||
	    s->d->dw->getlocation_addr(&at, s->pc, &ops, &n, 1) != 1 || n != 1)
		return (struct place){ 0 };
	if (ops->atom == DW_OP_call_frame_cfa)
		return frame_address(s);
	if (!op_register(ops, &points, &reg, &beyond) || reg_offset(reg) < 0)
		return (struct place){ 0 };
	if (!s->at_entry)
		return in_memory((uint32_t)reg_offset(reg), beyond);
	/* The prologue has not set the register up yet. */
	return reg == FP_REG && FP_AT_ENTRY != INT64_MIN ? in_memory(SP_REG, FP_AT_ENTRY + beyond) : (struct place){ 0 };
}

/* True: it is where *out says (which may be nowhere). False: the convention has to be asked. */
static bool place_in_frame(struct site *s, int64_t beyond, struct place *out)
{
	*out = frame_base(s);
	if (out->where == NOWHERE)
		return !s->at_entry;
	out->beyond += beyond;
	/* Below is the function's own frame, which does not hold anything yet; above is what its caller passed. */
	return !s->at_entry || out->beyond >= STACK_ARGS;
}

static bool place_of_pieces(const Dwarf_Op *ops, size_t n, struct place *out)
{
	uint64_t reg;
	int64_t beyond;
	bool points;

	if (n != 4 || ops[1].atom != DW_OP_piece || ops[1].number != 8 || ops[3].atom != DW_OP_piece)
		return false;
	for (uint32_t i = 0; i < 2; i++) {
		if (!op_register(&ops[i * 2], &points, &reg, &beyond) || points || reg_offset(reg) < 0)
			return false;
		out->regs[i] = (uint32_t)reg_offset(reg);
	}
	out->where = IN_REGS;
	return true;
}

/* Only these, of all that the location of a parameter may count from, hold what it says as a function begins. */
static bool is_arg_reg(uint32_t offset)
{
	for (size_t i = 0; i < ARRAY_SIZE(arg_regs); i++)
		if (arg_regs[i] == offset)
			return true;
	return false;
}

static bool place_of_ops(struct site *s, const Dwarf_Op *ops, size_t n, struct place *out)
{
	int64_t beyond;
	uint64_t reg;
	bool points;

	if (n == 1 && ops->atom == DW_OP_fbreg)
		return place_in_frame(s, (int64_t)ops->number, out);
	if (n && ops->atom == DW_OP_fbreg)
		return !s->at_entry; /* the address of it is in the frame */
	if (n == 1 && op_register(ops, &points, &reg, &beyond) && reg_offset(reg) >= 0) {
		*out = (struct place){ points ? IN_MEMORY : IN_REGS, { (uint32_t)reg_offset(reg), UINT32_MAX }, beyond };
		/* Unoptimised code counts from a register that the prologue sets up. */
		return !s->at_entry || is_arg_reg(out->regs[0]);
	}
	if (place_of_pieces(ops, n, out))
		return true;
	*out = (struct place){ 0 };
	return true;
}

/* As above. Where nothing is said, a function that others may call still gets it by the convention. */
static bool place_said(struct site *s, Dwarf_Die *param, struct place *out)
{
	Dwarf_Attribute at;
	Dwarf_Op *ops;
	size_t n;

	*out = (struct place){ 0 };
	if (!s->d->dw->attr(param, DW_AT_location, &at) || s->d->dw->getlocation_addr(&at, s->pc, &ops, &n, 1) != 1 || !n)
		return !s->at_entry || !dw_flag(s->d, &s->func, DW_AT_external);
	return place_of_ops(s, ops, n, out);
}

/* ---- fields ---- */

static bool field_place(struct field *f, const struct place *p)
{
	uint32_t size = f->type->size;

	if (p->where == NOWHERE)
		return false;
	f->ctx_offset = p->regs[0];
	if (p->where == IN_MEMORY) {
		if (p->beyond < INT32_MIN || p->beyond > INT32_MAX)
			return false;
		f->access = ACCESS_CTX_USER;
		f->bias = (uint32_t)(int32_t)p->beyond;
		return true;
	}
	if (type_is_int(f->type) || f->type->kind == TY_POINTER) {
		f->access = ACCESS_CTX_WORD;
		return size <= 8;
	}
	f->access = ACCESS_CTX_PARTS;
	f->bias = p->regs[1];
	return size && size <= 16 && (size <= 8 || p->regs[1] != UINT32_MAX);
}

/* As listings show it; pointers lead into the process. */
static const struct type *shown_type(struct dwarf_file *d, Dwarf_Die *die, const struct type *known)
{
	struct type *t;

	if (!type_is_int(known) && known->kind != TY_POINTER)
		return known;
	t = type_clone(d->arena, known);
	if (known->kind == TY_POINTER && known->space == SPACE_NONE)
		t->space = SPACE_USER;
	if (known->kind != TY_ENUM) /* an enum is known by its own name */
		t->name = dw_type_text(d, die);
	return t;
}

struct args_walk {
	struct site site;
	struct convention convention;
	VEC(struct field) fields;
	uint32_t bytes, params;
};

static bool param_visit(Dwarf_Die *die, void *ctx)
{
	struct args_walk *w = ctx;
	struct dwarf_file *d = w->site.d;
	struct place place, usual;
	struct field f = { 0 };
	Dwarf_Die type;

	if (d->dw->tag(die) != DW_TAG_formal_parameter || !dw_refer(d, die, DW_AT_type, &type))
		return true;
	usual = by_convention(&w->convention, pass_of(d, &type));
	f.name = dw_name(d, die);
	if (!f.name)
		f.name = arena_printf(d->arena, "arg%u", w->params);
	w->params++;
	f.type = shown_type(d, die, dw_type_of(d, &type));
	if (f.type->kind == TY_NONE || !f.type->size || !field_place(&f, place_said(&w->site, die, &place) ? &place : &usual))
		return true;
	f.offset = w->bytes;
	w->bytes += align_up(f.type->size, 8);
	vec_push(d->arena, &w->fields, f);
	return true;
}

static const struct type *fields_struct(struct dwarf_file *d, const struct field *fields, uint32_t n, uint32_t bytes)
{
	struct type *t = arena_new_of(d->arena, struct type);

	t->kind = TY_STRUCT;
	t->size = bytes;
	t->align = 8;
	type_set_fields(d->arena, t, fields, n);
	return t;
}

const struct type *dwarf_args(struct dwarf_file *d, uint64_t vaddr)
{
	const struct dw_func *f = dw_func_at(d, vaddr, NULL);
	struct args_walk w = { .site = { .d = d, .pc = vaddr } };
	Dwarf_Die result;

	if (!f || setjmp(*arena_guard(d->arena)))
		return NULL;
	w.site.func = f->die;
	w.site.at_entry = vaddr == f->low;
	if (RESULT_TAKES_REG && dw_refer(d, &w.site.func, DW_AT_type, &result)) {
		enum pass how = pass_of(d, &result).how;

		w.convention.regs += how == PASS_MEMORY || how == PASS_ADDRESS;
	}
	dw_children(d, &w.site.func, param_visit, &w);
	return fields_struct(d, w.fields.v, w.fields.n, w.bytes);
}

const struct type *dwarf_return(struct dwarf_file *d, uint64_t vaddr)
{
	const struct dw_func *func = dw_func_at(d, vaddr, NULL);
	struct place place = { IN_REGS, { result_regs[0], result_regs[1] }, 0 };
	struct field f = { .name = "retval" };
	struct passing pass;
	Dwarf_Die die, type;

	if (!func || setjmp(*arena_guard(d->arena)))
		return NULL;
	die = func->die;
	if (!dw_refer(d, &die, DW_AT_type, &type))
		return NULL;
	f.type = shown_type(d, &die, dw_type_of(d, &type));
	pass = pass_of(d, &type);
	if (pass.how == PASS_MEMORY || (pass.how == PASS_ADDRESS && RESULT_TAKES_REG))
		place = in_memory(result_regs[0], 0);
	else if (pass.how != PASS_INTEGER)
		return NULL;
	if (f.type->kind == TY_NONE || !field_place(&f, &place))
		return NULL;
	return fields_struct(d, &f, 1, align_up(f.type->size, 8));
}
