/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Insn: lengths of x86-64 instructions: prefixes, opcode, operands, constants. What follows an opcode is
 * one letter of a table:
 *
 *   .  nothing                 m  operands (ModRM)        x  no such instruction
 *   b  8 bits                  M  operands and 8 bits     w  16 bits
 *   z  32 bits (16 with 0x66)  Z  operands and those      e  16 and 8 bits (enter)
 *   v  as z, 64 with REX.W     j  32 bits (a jump)        o  an address
 *   g, G  operands; of two of these instructions also 8 bits, or as z
 */
#include "probe/insn.h"

#include <string.h>

static const char one_byte[257] =
	"mmmmbzxxmmmmbzxx" "mmmmbzxxmmmmbzxx" "mmmmbz.xmmmmbz.x" "mmmmbz.xmmmmbz.x"
	"................" "................" "xxxm....zZbM...." "bbbbbbbbbbbbbbbb"
	"MZxMmmmmmmmmmmmm" "..........x....." "oooo....bz......" "bbbbbbbbvvvvvvvv"
	"MMw.xxMZe.w..bx." "mmmmxxx.mmmmmmmm" "bbbbbbbbjjxb...." "......gG......mm";

/* Behind 0x0f. */
static const char two_bytes[257] =
	"mmmmx.....x.xm.M" "mmmmmmmmmmmmmmmm" "mmmmxxxxmmmmmmmm" "......x.xxxxxxxx"
	"mmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm" "MMMMmmm.mmxxmmmm"
	"jjjjjjjjjjjjjjjj" "mmmmmmmmmmmmmmmm" "...mMmmm...mMmmm" "mmmmmmmmmmMmmmmm"
	"mmMmMMMm........" "mmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm" "mmmmmmmmmmmmmmmm";

struct reader {
	const uint8_t *p, *end;
	bool operand_16, address_32, wide;
};

/* Skip; a place behind the end stays there, and is noticed at the end. */
static void skip(struct reader *r, size_t n)
{
	r->p += n;
}

static uint8_t peek(const struct reader *r, size_t n)
{
	return r->p + n < r->end ? r->p[n] : 0;
}

static void operands_skip(struct reader *r)
{
	uint8_t modrm = peek(r, 0), mod = modrm >> 6, rm = modrm & 7;
	uint8_t base = rm;

	skip(r, 1);
	if (mod == 3)
		return;
	if (rm == 4) {
		base = peek(r, 0) & 7;
		skip(r, 1);
	}
	if (mod == 1)
		skip(r, 1);
	else if (mod == 2 || base == 5)
		skip(r, 4);
}

static bool prefix_take(struct reader *r, uint8_t byte)
{
	r->operand_16 |= byte == 0x66;
	r->address_32 |= byte == 0x67;
	return byte && memchr("\x66\x67\xf0\xf2\xf3\x2e\x36\x3e\x26\x64\x65", byte, 11);
}

/* What follows an opcode. False: it is none. */
static bool rest_skip(struct reader *r, char form)
{
	size_t z = r->operand_16 ? 2 : 4;
	bool has_constant = !(peek(r, 0) & 0x30); /* of g and G: the instruction's number is in ModRM */

	if (strchr("mMZgG", form))
		operands_skip(r);
	switch (form) {
	case 'x': return false;
	case 'b': case 'M': skip(r, 1); break;
	case 'w': skip(r, 2); break;
	case 'e': skip(r, 3); break;
	case 'z': case 'Z': skip(r, z); break;
	case 'v': skip(r, r->wide ? 8 : z); break;
	case 'j': skip(r, 4); break;
	case 'o': skip(r, r->address_32 ? 4 : 8); break;
	case 'g': skip(r, has_constant ? 1 : 0); break;
	case 'G': skip(r, has_constant ? z : 0); break;
	default: break;
	}
	return true;
}

/* VEX, EVEX and XOP name the table of opcodes by a number; all of their instructions have operands. */
static bool vector_skip(struct reader *r, uint8_t map)
{
	uint8_t op = peek(r, 0);
	char form = two_bytes[op];

	skip(r, 1);
	switch (map) {
	case 1: return rest_skip(r, form == 'M' || form == '.' ? form : 'm');
	case 2: case 5: case 6: case 9: return rest_skip(r, 'm');
	case 3: case 8: return rest_skip(r, 'M');
	case 10: return rest_skip(r, 'Z');
	default: return false;
	}
}

static bool opcode_skip(struct reader *r)
{
	uint8_t op = peek(r, 0), next = peek(r, 1);

	skip(r, 1);
	if (op == 0xc5 || op == 0xc4 || op == 0x62 || (op == 0x8f && (next & 0x1f) >= 8)) {
		skip(r, op == 0xc5 ? 1 : op == 0x62 ? 3 : 2);
		return vector_skip(r, op == 0xc5 ? 1 : op == 0x62 ? next & 7 : next & 0x1f);
	}
	if (op != 0x0f)
		return rest_skip(r, one_byte[op]);
	if (next == 0x38 || next == 0x3a) {
		skip(r, 2);
		return rest_skip(r, next == 0x38 ? 'm' : 'M');
	}
	skip(r, 1);
	return rest_skip(r, two_bytes[next]);
}

size_t insn_length_x86(const uint8_t *code, size_t len)
{
	struct reader r = { .p = code, .end = code + len };

	while (r.p < r.end && prefix_take(&r, *r.p))
		r.p++;
	if ((peek(&r, 0) & 0xf0) == 0x40) {
		r.wide = peek(&r, 0) & 8;
		skip(&r, 1);
	}
	if (r.p >= r.end || !opcode_skip(&r) || r.p > r.end || r.p - code > INSN_MOST_BYTES)
		return 0;
	return (size_t)(r.p - code);
}

size_t insn_length(const uint8_t *code, size_t len)
{
#if defined(__x86_64__)
	return insn_length_x86(code, len);
#else
	/* All are four bytes long where sonde runs otherwise. */
	(void)code;
	return len < 4 ? 0 : 4;
#endif
}

int insn_begins_at(const uint8_t *code, size_t len, size_t offset)
{
	size_t at = 0;

	while (at < offset) {
		size_t n = insn_length(code + at, len - at);

		if (!n)
			return -1;
		at += n;
	}
	return at == offset;
}
