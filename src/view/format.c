/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Format: printf's work, from a format that was compiled once. Conversions are written by hand into the
 * view's buffer: at two million events per second the C library's printf alone would take a CPU.
 *
 * An integer keeps its value: %d shows it as a signed, %u %x %o %b as an unsigned 64-bit number, cut
 * only where the format says so (%hhx, %hd).
 */
#include "view/parts.h"

#include <string.h>

#include "base/util.h"

/* Wider is a mistake or an attack (the width may come from a traced program). */
#define MOST_WIDTH 65536

struct conversion {
	const struct view *view;
	const struct format_piece *piece;
	const struct type *type; /* of the argument */
	const uint8_t *data;
	uint32_t width;
	bool left;
};

static uint64_t arg_number(const struct conversion *c)
{
	int64_t v;

	if (value_int(c->type, c->data, &v))
		return (uint64_t)v;
	return c->type->size ? number_load(c->data, MIN(c->type->size, 8U), c->type->is_signed) : 0;
}

/* Give what was written since `start` its width. */
static void pad(struct strbuf *out, size_t start, uint32_t width, bool left)
{
	size_t len = out->len - start, fill = width - len;

	if (len >= width || out->failed)
		return;
	strbuf_fill(out, ' ', fill);
	if (!left && !out->failed) {
		memmove(out->s + start + fill, out->s + start, len);
		memset(out->s + start, ' ', fill);
	}
}

/* Sign or base, zeros, digits; zeros fill the width or the precision. */
static void put_digits(struct strbuf *out, const struct conversion *c, const char *prefix, const char *digits,
		       size_t ndigits)
{
	const struct format_piece *p = c->piece;
	size_t start = out->len, nprefix = strlen(prefix), zeros = 0;

	/* As in C, where a precision of none leaves nothing of a zero. */
	if (!p->precision && ndigits == 1 && *digits == '0' && !(p->alt && p->conv == CONV_O))
		ndigits = 0;
	/* The 0 of octal numbers is one of the digits. */
	if (p->conv == CONV_O && p->precision > (int32_t)ndigits)
		nprefix = 0;
	if (p->precision >= 0)
		zeros = (size_t)p->precision > ndigits ? MIN((size_t)p->precision, MOST_WIDTH) - ndigits : 0;
	else if (p->zero && !c->left && c->width > nprefix + ndigits)
		zeros = c->width - nprefix - ndigits;
	strbuf_add(out, prefix, nprefix);
	strbuf_fill(out, '0', zeros);
	strbuf_add(out, digits, ndigits);
	pad(out, start, c->width, c->left);
}

static void put_signed(struct strbuf *out, const struct conversion *c)
{
	const struct format_piece *p = c->piece;
	char buf[64], *end = buf + sizeof(buf), *digits;
	uint64_t bits = arg_number(c);
	int64_t v;

	if (p->int_bytes && p->int_bytes < 8)
		bits = number_load((const uint8_t *)&bits, p->int_bytes, true);
	v = (int64_t)bits;
	digits = number_digits(end, v < 0 ? 0 - bits : bits, 10, false);
	put_digits(out, c, v < 0 ? "-" : p->plus ? "+" : p->space ? " " : "", digits, (size_t)(end - digits));
}

static void put_unsigned(struct strbuf *out, const struct conversion *c, unsigned base, bool upper,
			 const char *alt)
{
	const struct format_piece *p = c->piece;
	char buf[64], *end = buf + sizeof(buf), *digits;
	uint64_t v = arg_number(c);

	if (p->int_bytes && p->int_bytes < 8)
		v = number_load((const uint8_t *)&v, p->int_bytes, false);
	digits = number_digits(end, v, base, upper);
	put_digits(out, c, p->alt && v ? alt : "", digits, (size_t)(end - digits));
}

static void put_pointer(struct strbuf *out, const struct conversion *c)
{
	size_t start = out->len;

	number_hex(out, arg_number(c));
	pad(out, start, c->width, c->left);
}

static void put_gfp(struct strbuf *out, const struct conversion *c)
{
	size_t start = out->len;
	uint64_t v = arg_number(c);

	gfp_text(out, c->type->size && c->type->size < 8 ? number_load((const uint8_t *)&v, c->type->size, false) : v);
	pad(out, start, c->width, c->left);
}

static void put_char(struct strbuf *out, const struct conversion *c)
{
	size_t start = out->len;

	strbuf_addch(out, (char)arg_number(c));
	pad(out, start, c->width, c->left);
}

/* %s of anything, %r, %rx, %rh. */
static void put_text(struct strbuf *out, const struct conversion *c)
{
	bool is_buffer = c->type->kind == TY_BUFFER;
	size_t start = out->len;

	if (is_buffer && c->piece->conv == CONV_RX)
		buffer_text(out, c->data + 4, buffer_len(c->type, c->data), false);
	else if (is_buffer && c->piece->conv == CONV_RH)
		buffer_hex(out, c->data + 4, buffer_len(c->type, c->data));
	else
		value_text(c->view, out, c->type, c->data);
	if (c->piece->precision >= 0 && out->len - start > (size_t)c->piece->precision) {
		out->len = start + (size_t)c->piece->precision;
		out->s[out->len] = 0;
	}
	pad(out, start, c->width, c->left);
}

static void put_conversion(struct strbuf *out, const struct conversion *c)
{
	switch (c->piece->conv) {
	case CONV_TEXT:
		break;
	case CONV_D:
		put_signed(out, c);
		break;
	case CONV_U:
		put_unsigned(out, c, 10, false, "");
		break;
	case CONV_X:
		put_unsigned(out, c, 16, false, "0x");
		break;
	case CONV_XX:
		put_unsigned(out, c, 16, true, "0X");
		break;
	case CONV_O:
		put_unsigned(out, c, 8, false, "0");
		break;
	case CONV_B:
		put_unsigned(out, c, 2, false, "0b");
		break;
	case CONV_C:
		put_char(out, c);
		break;
	case CONV_GR:
		put_gfp(out, c);
		break;
	case CONV_P:
		put_pointer(out, c);
		break;
	case CONV_S:
	case CONV_R:
	case CONV_RX:
	case CONV_RH:
		put_text(out, c);
		break;
	}
}

static void set_arg(struct conversion *c, const struct type *args, const uint8_t *data, uint32_t i)
{
	c->type = args->fields[i].type;
	c->data = data + args->fields[i].offset;
}

/* The width of `*` is the argument before; negative means left-aligned, as in C. */
static void set_width_arg(struct conversion *c, const struct type *args, const uint8_t *data)
{
	int64_t w;

	if (!c->piece->arg)
		return;
	set_arg(c, args, data, c->piece->arg - 1);
	w = (int64_t)arg_number(c);
	if (w < 0)
		c->left = true;
	c->width = (uint32_t)MIN(w < 0 ? 0 - (uint64_t)w : (uint64_t)w, (uint64_t)MOST_WIDTH);
}

void format_text(const struct view *v, struct strbuf *out, const struct format *f, const struct type *args,
		 const uint8_t *data)
{
	for (uint32_t i = 0; i < f->pieces.n; i++) {
		const struct format_piece *p = &f->pieces.v[i];
		struct conversion c = { .view = v, .piece = p, .width = MIN(p->width, MOST_WIDTH), .left = p->left };

		strbuf_add(out, p->text, p->text_len);
		if (p->conv == CONV_TEXT || !args || p->arg >= args->nfields)
			continue;
		if (p->width_arg)
			set_width_arg(&c, args, data);
		set_arg(&c, args, data, p->arg);
		put_conversion(out, &c);
	}
}
