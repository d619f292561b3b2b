/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Format: compile a printf format into pieces, and prove that arguments fit it. */
#include "lang/format.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

/* More would only fill the output with blanks. */
#define WIDTH_MOST 4096u

struct scan {
	struct arena *arena;
	struct diags *diags;
	const char *text;
	uint32_t len, pos;
	struct span literal;
	struct format *format;
	VEC(char) plain; /* literal text of the piece being made */
};

static char at(const struct scan *s, uint32_t ahead)
{
	return ahead < s->len - s->pos ? s->text[s->pos + ahead] : 0;
}

/* ---- where in the script ---- */

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Bytes that one character of the string takes in the source: an escape takes several. */
static uint32_t spelled_bytes(const char *p, const char *end)
{
	uint32_t n = 2;

	if (*p != '\\' || p + 1 >= end)
		return 1;
	if (p[1] == 'x')
		while (n < 4 && p + n < end && is_hex(p[n]))
			n++;
	else if (p[1] >= '0' && p[1] <= '7')
		while (n < 4 && p + n < end && p[n] >= '0' && p[n] <= '7')
			n++;
	return n;
}

/* The span of [begin, end) of the text inside the literal; the literal's when it is not spelled there. */
static struct span text_span(const struct scan *s, uint32_t begin, uint32_t end)
{
	const struct source *src = source_of(s->diags->sources, s->literal);
	struct span span = s->literal;
	const char *p, *stop;
	uint32_t i;

	if (!src || span.end > src->len || span.begin >= span.end || src->text[span.begin] != '"')
		return span;
	p = src->text + span.begin + 1;
	stop = src->text + span.end;
	for (i = 0; i < end && p < stop; i++) {
		if (i == begin)
			span.begin = (uint32_t)(p - src->text);
		p += spelled_bytes(p, stop);
	}
	if (i < end || p >= stop)
		return s->literal;
	span.end = (uint32_t)(p - src->text);
	return span;
}

/* ---- compile ---- */

static const struct {
	const char *text;
	enum conv conv;
} convs[] = {
	{ "rx", CONV_RX }, { "rh", CONV_RH }, { "r", CONV_R }, { "d", CONV_D }, { "i", CONV_D },
	{ "u", CONV_U }, { "x", CONV_X }, { "X", CONV_XX }, { "o", CONV_O }, { "c", CONV_C },
	{ "p", CONV_P }, { "s", CONV_S }, { "b", CONV_B },
	{ "gr", CONV_GR },
};

static const struct {
	const char *text;
	uint8_t bytes;
} lengths[] = {
	{ "hh", 1 }, { "h", 2 }, { "ll", 8 }, { "l", 8 }, { "j", 8 }, { "z", 8 }, { "t", 8 },
};

static bool flag_take(struct scan *s, struct format_piece *piece)
{
	switch (at(s, 0)) {
	case '-': piece->left = true; break;
	case '0': piece->zero = true; break;
	case '+': piece->plus = true; break;
	case ' ': piece->space = true; break;
	case '#': piece->alt = true; break;
	default: return false;
	}
	s->pos++;
	return true;
}

static uint32_t number_take(struct scan *s)
{
	uint32_t n = 0;

	for (; at(s, 0) >= '0' && at(s, 0) <= '9'; s->pos++)
		n = n > WIDTH_MOST ? n : n * 10 + (uint32_t)(at(s, 0) - '0');
	return n;
}

static int scan_error(struct scan *s, uint32_t begin, const char *what)
{
	uint32_t end = MIN(s->pos + 1, s->len);

	return diag_error(s->diags, text_span(s, begin, MAX(end, begin + 1)), "%s in a format", what);
}

static int width_take(struct scan *s, uint32_t begin, struct format_piece *piece)
{
	if (at(s, 0) == '*') {
		piece->width_arg = true;
		s->pos++;
		s->format->nargs++;
	} else {
		piece->width = number_take(s);
	}
	if (at(s, 0) == '.') {
		s->pos++;
		if (at(s, 0) == '*')
			return scan_error(s, begin, "'*' cannot be a precision");
		piece->precision = (int32_t)number_take(s);
	}
	if (piece->width > WIDTH_MOST || piece->precision > (int32_t)WIDTH_MOST)
		return scan_error(s, begin, arena_printf(s->arena, "a width over %u", WIDTH_MOST));
	return 0;
}

static void length_take(struct scan *s, struct format_piece *piece)
{
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		size_t n = strlen(lengths[i].text);

		if (n <= s->len - s->pos && !memcmp(s->text + s->pos, lengths[i].text, n)) {
			piece->int_bytes = lengths[i].bytes;
			s->pos += (uint32_t)n;
			return;
		}
	}
}

static int conv_unknown(struct scan *s, uint32_t begin)
{
	char c = at(s, 0);
	int err;

	if (!c && s->pos >= s->len) {
		err = scan_error(s, begin, "an unfinished conversion");
		diag_hint(s->diags, "the character itself is written %%%%");
	} else if (c && strchr("aAeEfFgG", c)) {
		err = scan_error(s, begin, arena_printf(s->arena, "conversion '%%%c' of floating-point numbers", c));
		diag_hint(s->diags, "numbers are integers: %%d");
	} else {
		err = scan_error(s, begin, c > 32 && c < 127 ?
				 arena_printf(s->arena, "unknown conversion '%%%c'", c) : "unknown conversion");
		diag_hint(s->diags, "there are %%d %%i %%u %%x %%X %%o %%c %%p %%s %%r %%rx %%rh %%gr %%b and %%%%");
	}
	return err;
}

static int conv_take(struct scan *s, uint32_t begin, struct format_piece *piece)
{
	for (size_t i = 0; i < ARRAY_SIZE(convs); i++) {
		size_t n = strlen(convs[i].text);

		if (n > s->len - s->pos || memcmp(s->text + s->pos, convs[i].text, n))
			continue;
		piece->conv = convs[i].conv;
		s->pos += (uint32_t)n;
		return 0;
	}
	return conv_unknown(s, begin);
}

static void piece_add(struct scan *s, struct format_piece *piece)
{
	piece->text = arena_strndup(s->arena, s->plain.v, s->plain.n);
	piece->text_len = s->plain.n;
	s->plain.n = 0;
	vec_push(s->arena, &s->format->pieces, *piece);
}

/* Does '%' begin a conversion here? One in front of the end of a line or of a bracket, as in "%5s%\n", stands for
 * itself, as "%%" does. */
static bool conversion_begins(const struct scan *s)
{
	char next = at(s, 1);

	return next != '%' && next != '\n' && next != ')' && next != ']';
}

/* At '%', and it is not "%%". */
static int conversion_read(struct scan *s)
{
	struct format_piece piece = { .precision = -1 };
	uint32_t begin = s->pos++;
	int err;

	while (flag_take(s, &piece))
		;
	err = width_take(s, begin, &piece);
	if (err)
		return err;
	length_take(s, &piece);
	err = conv_take(s, begin, &piece);
	if (err)
		return err;
	/* as in C, and not as wide as what is given */
	if (!piece.int_bytes && (piece.conv == CONV_D || piece.conv == CONV_U || piece.conv == CONV_X ||
				 piece.conv == CONV_XX || piece.conv == CONV_O))
		piece.int_bytes = 4;
	piece.arg = s->format->nargs++;
	piece.span = text_span(s, begin, s->pos);
	piece_add(s, &piece);
	return 0;
}

const struct format *format_compile(struct arena *a, struct diags *d, const char *text, uint32_t len,
				    struct span span)
{
	struct scan s = { .arena = a, .diags = d, .text = text, .len = len, .literal = span };

	s.format = arena_new_of(a, struct format);
	while (s.pos < len) {
		if (at(&s, 0) == '%' && conversion_begins(&s)) {
			if (conversion_read(&s))
				return NULL;
			continue;
		}
		s.pos += at(&s, 0) == '%' && at(&s, 1) == '%';
		vec_push(a, &s.plain, s.text[s.pos]);
		s.pos++;
	}
	if (s.plain.n)
		piece_add(&s, &(struct format_piece){ .conv = CONV_TEXT, .precision = -1, .span = span });
	return s.format;
}

/* ---- check ---- */

/* Integers, what is kept as one, and aggregations that come down to a number. */
static bool is_number(const struct type *t)
{
	return type_is_int(t) || t->kind == TY_POINTER || (t->kind >= TY_COUNT && t->kind <= TY_AVG);
}

static bool is_buffer(const struct type *t)
{
	return t->kind == TY_BUFFER;
}

/* Distributions are drawn by print(), not written within a line. */
static bool has_text(const struct type *t)
{
	return t->kind != TY_HIST && t->kind != TY_LHIST && t->kind != TY_TSERIES;
}

static const struct {
	const char *text, *needs;
	bool (*fits)(const struct type *t);
} conv_rules[] = {
	[CONV_D] = { "%d", "an integer", is_number }, [CONV_U] = { "%u", "an integer", is_number },
	[CONV_X] = { "%x", "an integer", is_number }, [CONV_XX] = { "%X", "an integer", is_number },
	[CONV_O] = { "%o", "an integer", is_number }, [CONV_C] = { "%c", "an integer", type_is_int },
	[CONV_P] = { "%p", "a pointer or an integer", is_number },
	[CONV_B] = { "%b", "an integer", is_number }, [CONV_S] = { "%s", "a value with a text form", has_text },
	[CONV_R] = { "%r", "a buffer", is_buffer }, [CONV_RX] = { "%rx", "a buffer", is_buffer },
	[CONV_RH] = { "%rh", "a buffer", is_buffer }, [CONV_GR] = { "%gr", "an integer", type_is_int },
};

static void misfit_hint(struct diags *d, const struct format_piece *piece, const struct type *t)
{
	if (piece->conv == CONV_S)
		diag_hint(d, "print(@map) shows it");
	else if (conv_rules[piece->conv].fits == is_buffer)
		diag_hint(d, "buf(data, length) makes one");
	else
		diag_hint(d, t->kind == TY_BUFFER ? "%%r shows a buffer" : "%%s shows it as text");
}

static int piece_check(const struct format_piece *piece, struct diags *d, const char *what,
		       const struct type *const *types, const struct span *arg_spans)
{
	const struct type *t = types[piece->arg];
	int err = 0;

	if (piece->width_arg) {
		const struct type *width = types[piece->arg - 1];

		if (width->kind != TY_NONE && !type_is_int(width))
			err = diag_error(d, arg_spans[piece->arg - 1],
					 "%s: width '*' of argument %u needs an integer, not %s", what, piece->arg,
					 type_name(d->arena, width));
	}
	if (t->kind == TY_NONE || conv_rules[piece->conv].fits(t))
		return err;
	err = diag_error(d, arg_spans[piece->arg], "%s: conversion %s of argument %u needs %s, not %s", what,
			 conv_rules[piece->conv].text, piece->arg + 1, conv_rules[piece->conv].needs,
			 type_name(d->arena, t));
	misfit_hint(d, piece, t);
	return err;
}

int format_check(const struct format *f, struct diags *d, const char *what, const struct type *const *types,
		 const struct span *arg_spans, uint32_t ntypes, struct span call)
{
	int err = 0;

	if (f->nargs != ntypes)
		return diag_error(d, call, "%s: the format takes %u argument%s, %u %s given", what, f->nargs,
				  f->nargs == 1 ? "" : "s", ntypes, ntypes == 1 ? "is" : "are");
	vec_each(it, &f->pieces)
		if (it->conv != CONV_TEXT && piece_check(it, d, what, types, arg_spans))
			err = -EINVAL;
	return err;
}
