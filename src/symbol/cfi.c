/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cfi: reading call frame information. Every read is within its record; what is broken ends the record. */
#include "symbol/cfi.h"

#include <dwarf.h>
#include <string.h>

#include "base/util.h"

enum { REG_RBP = 6, REG_RSP = 7, REG_RA = 16 };

/* ---- numbers ---- */

static bool take(struct cfi_reader *r, void *to, size_t n)
{
	if ((size_t)(r->end - r->at) < n) {
		r->at = r->end;
		memset(to, 0, n);
		return false;
	}
	memcpy(to, r->at, n);
	r->at += n;
	return true;
}

static uint8_t take_byte(struct cfi_reader *r)
{
	return r->at < r->end ? *r->at++ : 0;
}

/* The low `n` bytes of a number. */
static uint64_t take_fixed(struct cfi_reader *r, size_t n)
{
	uint64_t v = 0;

	take(r, &v, n);
	return v;
}

static uint64_t take_leb(struct cfi_reader *r, bool is_signed)
{
	uint64_t v = 0;
	uint32_t shift = 0;
	uint8_t byte = 0x80;

	while (byte & 0x80 && r->at < r->end) {
		byte = *r->at++;
		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	}
	if (is_signed && byte & 0x40 && shift < 64)
		v |= ~0ULL << shift;
	return v;
}

static uint64_t take_uleb(struct cfi_reader *r)
{
	return take_leb(r, false);
}

static int64_t take_sleb(struct cfi_reader *r)
{
	return (int64_t)take_leb(r, true);
}

static bool skip(struct cfi_reader *r, uint64_t n)
{
	bool there = n <= (uint64_t)(r->end - r->at);

	r->at = there ? r->at + n : r->end;
	return there;
}

static bool take_value(struct cfi_reader *r, uint8_t format, uint64_t *v)
{
	switch (format) {
	case DW_EH_PE_absptr: case DW_EH_PE_udata8: case DW_EH_PE_sdata8:
		return take(r, v, 8);
	case DW_EH_PE_udata4:
		*v = take_fixed(r, 4);
		return true;
	case DW_EH_PE_sdata4:
		*v = (uint64_t)(int64_t)(int32_t)take_fixed(r, 4);
		return true;
	case DW_EH_PE_udata2:
		*v = take_fixed(r, 2);
		return true;
	case DW_EH_PE_sdata2:
		*v = (uint64_t)(int64_t)(int16_t)take_fixed(r, 2);
		return true;
	case DW_EH_PE_uleb128:
		*v = take_uleb(r);
		return true;
	case DW_EH_PE_sleb128:
		*v = (uint64_t)take_sleb(r);
		return true;
	default:
		return false;
	}
}

/* An address; what is relative to anything but itself does not occur. */
static bool take_address(const struct cfi *c, struct cfi_reader *r, uint64_t *v)
{
	uint64_t here = c->vaddr + (uint64_t)(r->at - c->data);
	uint8_t from = c->cie.encoding & 0x70;

	if (r->at >= r->end || !take_value(r, c->cie.encoding & 0x0f, v) || (from && from != DW_EH_PE_pcrel))
		return false;
	*v += from == DW_EH_PE_pcrel ? here : 0;
	return true;
}

/* ---- records ---- */

bool cfi_next(struct cfi *c, struct cfi_reader *r)
{
	uint64_t n;

	while ((size_t)(r->end - r->at) >= 4) {
		n = take_fixed(r, 4);
		if (n == 0xffffffff)
			n = take_fixed(r, 8);
		c->record = (struct cfi_reader){ r->at, r->at + MIN(n, (uint64_t)(r->end - r->at)) };
		if (!skip(r, n))
			return false;
		if (n >= 4)
			return true;
	}
	return false;
}

/* "zPLR" and the like: what the letters say comes behind the numbers. */
static void augmentation_read(struct cfi *c, struct cfi_reader *r, const char *letters)
{
	uint64_t personality;

	for (; *letters; letters++) {
		switch (*letters) {
		case 'R':
			c->cie.encoding = take_byte(r);
			break;
		case 'L':
			take_byte(r);
			break;
		case 'P':
			if (!take_value(r, take_byte(r) & 0x0f, &personality))
				return;
			break;
		case 'S':
			c->cie.is_signal = true;
			break;
		case 'z': case 'B':
			break;
		default:
			return;
		}
	}
}

static void cie_program(struct cfi *c, struct cfi_reader *r)
{
	uint64_t pc = 0;

	c->depth = 0;
	c->cie.initial = (struct cfi_state){ .cfa = CFI_OTHER };
	c->cie.ok = true;
	while (c->cie.ok && r->at < r->end)
		c->cie.ok = cfi_run(c, r, &c->cie.initial, &pc);
}

/* r begins behind the id. */
static void cie_read(struct cfi *c, struct cfi_reader r)
{
	const char *letters;
	uint8_t version;

	c->cie = (struct cfi_cie){ .at = r.at };
	version = take_byte(&r);
	letters = (const char *)r.at;
	if (!memchr(letters, 0, (size_t)(r.end - r.at)))
		return;
	skip(&r, strlen(letters) + 1);
	if (version >= 4)
		skip(&r, 2); /* size of addresses and of segments */
	c->cie.code_align = take_uleb(&r);
	c->cie.data_align = take_sleb(&r);
	if ((version == 1 ? take_byte(&r) : take_uleb(&r)) != REG_RA)
		return;
	c->cie.has_augmentation = *letters == 'z';
	if (c->cie.has_augmentation) {
		uint64_t n = take_uleb(&r);
		struct cfi_reader more = { r.at, r.at + MIN(n, (uint64_t)(r.end - r.at)) };

		augmentation_read(c, &more, letters);
		if (!skip(&r, n))
			return;
	} else if (*letters) {
		return;
	}
	cie_program(c, &r);
}

/* The CIE at a place of the section, unless it is the one that was read last. */
static bool cie_at(struct cfi *c, uint64_t offset)
{
	struct cfi_reader r;
	uint64_t n;

	if (offset >= c->bytes)
		return false;
	r = (struct cfi_reader){ c->data + offset, c->data + c->bytes };
	n = take_fixed(&r, 4);
	if (n == 0xffffffff)
		n = take_fixed(&r, 8);
	if (n > (uint64_t)(r.end - r.at) || n < 4)
		return false;
	r.end = r.at + n;
	if (take_fixed(&r, 4) != (c->is_eh ? 0 : 0xffffffff))
		return false;
	if (c->cie.at != r.at)
		cie_read(c, r);
	return c->cie.ok;
}

bool cfi_function(struct cfi *c, struct cfi_reader *code, uint64_t *begin, uint64_t *bytes)
{
	struct cfi_reader r = c->record;
	uint64_t here = (uint64_t)(r.at - c->data), id = take_fixed(&r, 4);

	if (c->is_eh ? id == 0 || id > here : id == 0xffffffff)
		return false;
	if (!cie_at(c, c->is_eh ? here - id : id) || !take_address(c, &r, begin) || r.at >= r.end ||
	    !take_value(&r, c->cie.encoding & 0x0f, bytes))
		return false;
	if (c->cie.has_augmentation && !skip(&r, take_uleb(&r)))
		return false;
	*code = r;
	return *begin != 0;
}

/* ---- expressions ---- */

/* One register's value, as DW_OP_bregN says it; -1: it is something else. */
static int take_breg(struct cfi_reader *r, int64_t *offset)
{
	uint8_t op = take_byte(r);

	if (op < DW_OP_breg0 || op > DW_OP_breg31)
		return -1;
	*offset = take_sleb(r);
	return op - DW_OP_breg0;
}

/* rsp + 8 + ((rip & 15) >= N) * 8, as linkers write it for the table of jumps. */
static bool is_stub(struct cfi_reader r, int64_t *from)
{
	static const uint8_t begin[] = { DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and };
	static const uint8_t end[] = { DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus };

	if ((size_t)(r.end - r.at) != sizeof(begin) + 1 + sizeof(end) || memcmp(r.at, begin, sizeof(begin)) ||
	    memcmp(r.at + sizeof(begin) + 1, end, sizeof(end)))
		return false;
	*from = r.at[sizeof(begin)] - DW_OP_lit0;
	return *from == 10 || *from == 11;
}

/* The CFA as an expression: a stub, or kept in the frame of a function that has aligned its stack. */
static void cfa_expression(struct cfi_reader r, struct cfi_state *s)
{
	struct cfi_reader plain = r;
	int64_t offset = 0;
	int reg = take_breg(&plain, &offset);

	s->cfa = CFI_OTHER;
	if (is_stub(r, &s->offset)) {
		s->cfa = CFI_STUB;
	} else if (reg == REG_RBP && take_byte(&plain) == DW_OP_deref && plain.at == plain.end) {
		s->cfa = CFI_AT_RBP;
		s->offset = offset;
	}
}

/* Where rbp is saved as an expression; the functions above have it where it points to. */
static void saved_expression(struct cfi_reader r, struct cfi_state *s)
{
	int64_t offset = 0;
	int reg = take_breg(&r, &offset);

	s->saved = reg == REG_RBP && !offset && r.at == r.end ? 1 : 0;
}

/* ---- programs ---- */

static void cfa_is(struct cfi_state *s, uint64_t reg, int64_t offset)
{
	s->cfa = reg == REG_RSP ? CFI_RSP : reg == REG_RBP ? CFI_RBP : CFI_OTHER;
	s->offset = offset;
}

/* A register lies at CFA + offset. */
static void register_saved(struct cfi_state *s, uint64_t reg, int64_t offset)
{
	if (reg == REG_RBP)
		s->saved = offset < 0 && offset % 8 == 0 && offset >= -8 * 63 ? (uint32_t)(-offset / 8) : 0;
	else if (reg == REG_RA)
		s->no_caller = offset != -8;
}

static void register_restored(const struct cfi *c, struct cfi_state *s, uint64_t reg)
{
	if (reg == REG_RBP)
		s->saved = c->cie.initial.saved;
	else if (reg == REG_RA)
		s->no_caller = c->cie.initial.no_caller;
}

static bool state_keep(struct cfi *c, const struct cfi_state *s)
{
	if (c->depth == CFI_MOST_DEPTH)
		return false;
	c->stack[c->depth++] = *s;
	return true;
}

static bool state_back(struct cfi *c, struct cfi_state *s)
{
	if (!c->depth)
		return false;
	*s = c->stack[--c->depth];
	return true;
}

/* An expression: its bytes, and behind them in *r. */
static struct cfi_reader take_block(struct cfi_reader *r)
{
	uint64_t n = take_uleb(r);
	struct cfi_reader block = { r->at, r->at + MIN(n, (uint64_t)(r->end - r->at)) };

	skip(r, n);
	return block;
}

static void go_on(const struct cfi *c, uint64_t *pc, uint64_t n)
{
	*pc += n * c->cie.code_align;
}

/* Instructions about the CFA. False: it is none. */
static bool run_cfa(struct cfi *c, struct cfi_reader *r, struct cfi_state *s, uint8_t op)
{
	uint64_t reg;

	switch (op) {
	case DW_CFA_def_cfa:
		reg = take_uleb(r);
		cfa_is(s, reg, (int64_t)take_uleb(r));
		return true;
	case DW_CFA_def_cfa_sf:
		reg = take_uleb(r);
		cfa_is(s, reg, (int64_t)((uint64_t)take_sleb(r) * (uint64_t)c->cie.data_align));
		return true;
	case DW_CFA_def_cfa_register:
		cfa_is(s, take_uleb(r), s->offset);
		return true;
	case DW_CFA_def_cfa_offset:
		s->offset = (int64_t)take_uleb(r);
		return true;
	case DW_CFA_def_cfa_offset_sf:
		s->offset = (int64_t)((uint64_t)take_sleb(r) * (uint64_t)c->cie.data_align);
		return true;
	case DW_CFA_def_cfa_expression:
		cfa_expression(take_block(r), s);
		return true;
	default:
		return false;
	}
}

static int64_t aligned(const struct cfi *c, uint64_t n)
{
	return (int64_t)(n * (uint64_t)c->cie.data_align);
}

/* Instructions about one register. False: it is none. */
static bool run_register(struct cfi *c, struct cfi_reader *r, struct cfi_state *s, uint8_t op)
{
	uint64_t reg;

	if (op < DW_CFA_offset_extended || op == DW_CFA_remember_state || op == DW_CFA_restore_state || op > DW_CFA_val_expression)
		return false;
	reg = take_uleb(r);
	switch (op) {
	case DW_CFA_offset_extended:
		register_saved(s, reg, aligned(c, take_uleb(r)));
		break;
	case DW_CFA_offset_extended_sf:
		register_saved(s, reg, aligned(c, (uint64_t)take_sleb(r)));
		break;
	case DW_CFA_restore_extended:
		register_restored(c, s, reg);
		break;
	case DW_CFA_undefined:
		s->no_caller |= reg == REG_RA;
		break;
	case DW_CFA_same_value:
		s->saved = reg == REG_RBP ? 0 : s->saved;
		break;
	case DW_CFA_expression:
		if (reg == REG_RBP)
			saved_expression(take_block(r), s);
		else
			take_block(r);
		break;
	case DW_CFA_val_expression:
		take_block(r);
		break;
	case DW_CFA_register: case DW_CFA_val_offset: case DW_CFA_val_offset_sf:
		take_uleb(r);
		break;
	default:
		return false;
	}
	return true;
}

/* What remains. False: it is not known, and so is its length. */
static bool run_other(struct cfi *c, struct cfi_reader *r, struct cfi_state *s, uint8_t op, uint64_t *pc)
{
	switch (op) {
	case DW_CFA_nop:
		return true;
	case DW_CFA_set_loc:
		return take_address(c, r, pc);
	case DW_CFA_advance_loc1:
		go_on(c, pc, take_byte(r));
		return true;
	case DW_CFA_advance_loc2:
		go_on(c, pc, take_fixed(r, 2));
		return true;
	case DW_CFA_advance_loc4:
		go_on(c, pc, take_fixed(r, 4));
		return true;
	case DW_CFA_remember_state:
		return state_keep(c, s);
	case DW_CFA_restore_state:
		return state_back(c, s);
	case DW_CFA_GNU_args_size:
		take_uleb(r);
		return true;
	default:
		return false;
	}
}

static bool run_one(struct cfi *c, struct cfi_reader *r, struct cfi_state *s, uint64_t *pc)
{
	uint8_t op = take_byte(r);

	switch (op & 0xc0) {
	case DW_CFA_advance_loc:
		go_on(c, pc, op & 0x3f);
		return true;
	case DW_CFA_offset:
		register_saved(s, op & 0x3f, aligned(c, take_uleb(r)));
		return true;
	case DW_CFA_restore:
		register_restored(c, s, op & 0x3f);
		return true;
	default:
		return run_cfa(c, r, s, op) || run_other(c, r, s, op, pc) || run_register(c, r, s, op);
	}
}

bool cfi_run(struct cfi *c, struct cfi_reader *code, struct cfi_state *s, uint64_t *pc)
{
	uint64_t from = *pc;

	while (code->at < code->end && *pc == from)
		if (!run_one(c, code, s, pc))
			return false;
	return true;
}
