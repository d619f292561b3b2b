/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Number: integers from memory, and their digits; written by hand because printf formats millions of them. */
#include "view/parts.h"

#include <string.h>

uint64_t number_load(const uint8_t *data, uint32_t size, bool is_signed)
{
	uint64_t v = 0;

	memcpy(&v, data, size < 8 ? size : 8);
	if (is_signed && size < 8 && size > 0) {
		unsigned shift = 64 - size * 8;

		v = (uint64_t)((int64_t)(v << shift) >> shift);
	}
	return v;
}

static char *decimal_digits(char *end, uint64_t v)
{
	do {
		*--end = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return end;
}

char *number_digits(char *end, uint64_t v, unsigned base, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned shift = base == 16 ? 4 : base == 8 ? 3 : 1;

	if (base == 10)
		return decimal_digits(end, v);
	do {
		*--end = digits[v & (base - 1)];
		v >>= shift;
	} while (v);
	return end;
}

void number_hex(struct strbuf *out, uint64_t v)
{
	char buf[64], *end = buf + sizeof(buf), *p = number_digits(end, v, 16, false);

	strbuf_addstr(out, "0x");
	strbuf_add(out, p, (size_t)(end - p));
}
