/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Format: a printf format, compiled once. The checker makes it and proves that it fits the arguments;
 * view/ walks its pieces for every record.
 */
#ifndef SONDE_LANG_FORMAT_H
#define SONDE_LANG_FORMAT_H

#include "lang/diag.h"
#include "lang/type.h"

enum conv {
	CONV_TEXT,    /* literal text only */
	CONV_D, CONV_U, CONV_X, CONV_XX /* %X */, CONV_O, CONV_C, CONV_P,
	CONV_S,       /* any value as text: strings, and every type that has a text form (also ints) */
	CONV_R,       /* %r buffer; */
	CONV_RX, CONV_RH, /* %rx, %rh */
	CONV_B,       /* %b: binary */
	CONV_GR,      /* %gr: flags of memory allocation, as words */
};

/* Literal text, then (unless CONV_TEXT) one conversion of argument `arg`. */
struct format_piece {
	const char *text;
	uint32_t text_len;
	enum conv conv;
	uint32_t arg;
	bool left, zero, plus, space, alt;
	bool width_arg;      /* width is `*`: argument arg - 1 */
	uint32_t width;      /* 0: none */
	int32_t precision;   /* -1: none */
	uint8_t int_bytes;   /* hh 1, h 2, l/ll/j/z/t 8; without, %d %u %x %o: 4 */
	struct span span;    /* of the conversion within the script */
};

struct format {
	VEC(struct format_piece) pieces;
	uint32_t nargs; /* arguments it takes */
};

/*
 * Compile the text of a format whose literal stands at `span` (positions of conversions are reported
 * inside it). NULL after a diagnostic.
 */
const struct format *format_compile(struct arena *a, struct diags *d, const char *text, uint32_t len,
				    struct span span);
/* Do arguments of these types fit? Diagnostics name the conversion and the argument. 0 or -EINVAL.
 * `arg_spans` has one span per argument. `what` is the function's name for messages. */
int format_check(const struct format *f, struct diags *d, const char *what, const struct type *const *types,
		 const struct span *arg_spans, uint32_t ntypes, struct span call);

#endif
