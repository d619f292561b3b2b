/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Literal: the spellings of numbers and strings. */
#include "lang/literal.h"

#include <string.h>
#include <strings.h>

#include "base/util.h"

/* ---- numbers ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int digit_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* Digits of `base` with '_' between them. False when the number does not fit 64 bits. */
static bool digits_read(struct lexer *lx, unsigned base, uint64_t *num)
{
	bool fits = true;

	for (;; lx->pos++) {
		char c = lex_at(lx, 0);

		if (c == '_')
			continue;
		if (digit_value(c) >= (int)base)
			return fits;
		if (__builtin_mul_overflow(*num, base, num) ||
		    __builtin_add_overflow(*num, (uint64_t)digit_value(c), num))
			fits = false;
	}
}

/* The e6 of 1e6. */
static bool exponent_read(struct lexer *lx, uint64_t *num)
{
	uint64_t exponent = 0;
	bool fits;

	lx->pos++;
	fits = digits_read(lx, 10, &exponent);
	for (uint64_t i = 0; fits && *num && i < exponent; i++)
		fits = !__builtin_mul_overflow(*num, (uint64_t)10, num);
	return fits;
}

static const struct {
	const char *suffix;
	uint64_t factor;
} durations[] = {
	{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 }, { "m", 60000000000 },
	{ "h", 3600000000000 }, { "d", 86400000000000 },
};

/* Suffixes of C say nothing here but are accepted. */
static const char *const c_suffixes[] = { "u", "l", "ul", "lu", "ll", "ull", "llu" };

/* What stands right behind the digits. False when the number does not fit any more. */
static bool suffix_read(struct lexer *lx, uint32_t begin, uint64_t *num)
{
	uint32_t at = lx->pos, len;
	const char *text = lx->text + at;

	while (is_word_char(lex_at(lx, 0)))
		lx->pos++;
	len = lx->pos - at;
	if (!len)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(durations); i++)
		if (len == strlen(durations[i].suffix) && !memcmp(text, durations[i].suffix, len))
			return !__builtin_mul_overflow(*num, durations[i].factor, num);
	for (size_t i = 0; i < ARRAY_SIZE(c_suffixes); i++)
		if (len == strlen(c_suffixes[i]) && !strncasecmp(text, c_suffixes[i], len))
			return true;
	lex_error(lx, at, lx->pos, "'%.*s' cannot follow the number %.*s", (int)MIN(len, 40u), text,
		  (int)MIN(at - begin, 40u), lx->text + begin);
	lex_hint(lx, "durations end with ns, us, ms, s, m, h or d; names begin with a letter");
	return true;
}

/* 08 would be read as octal; say so instead of taking the 8 for a suffix. */
static void octal_check(struct lexer *lx)
{
	uint32_t at = lx->pos;

	if (!is_digit(lex_at(lx, 0)))
		return;
	lex_error(lx, at, at + 1, "digit '%c' in an octal number", lex_at(lx, 0));
	lex_hint(lx, "a number that begins with 0 is octal");
	while (is_word_char(lex_at(lx, 0)))
		lx->pos++;
}

static bool number_read(struct lexer *lx, uint64_t *num)
{
	char next = lex_at(lx, 1);
	bool fits;

	if (lex_at(lx, 0) == '0' && (next == 'x' || next == 'X') && digit_value(lex_at(lx, 2)) < 16) {
		lx->pos += 2;
		return digits_read(lx, 16, num);
	}
	if (lex_at(lx, 0) == '0' && is_digit(next)) {
		fits = digits_read(lx, 8, num);
		octal_check(lx);
		return fits;
	}
	fits = digits_read(lx, 10, num);
	next = lex_at(lx, 0);
	if ((next == 'e' || next == 'E') && is_digit(lex_at(lx, 1)))
		fits = exponent_read(lx, num) && fits;
	return fits;
}

/* 1.5 and 1e-3. Not `$x.0.1`, where numbers are members of tuples, nor `0..5`. */
static void fraction_refuse(struct lexer *lx, uint32_t begin)
{
	char c = lex_at(lx, 0), next = lex_at(lx, 1);
	bool negative_exponent = (c == 'e' || c == 'E') && next == '-' && is_digit(lex_at(lx, 2));

	if (lx->after_dot || (!negative_exponent && !(c == '.' && is_digit(next))))
		return;
	lx->pos += negative_exponent ? 2 : 1;
	while (is_word_char(lex_at(lx, 0)))
		lx->pos++;
	lex_error(lx, begin, lx->pos, "numbers are integers; '%.*s' is not one",
		  (int)MIN(lx->pos - begin, 40u), lx->text + begin);
}

void literal_number(struct lexer *lx, struct token *t)
{
	uint32_t begin = lx->pos;
	bool fits = number_read(lx, &t->num);

	fraction_refuse(lx, begin);
	if (!suffix_read(lx, begin, &t->num))
		fits = false;
	if (!fits)
		lex_error(lx, begin, lx->pos, "this number does not fit 64 bits");
	t->kind = TOK_INT;
	t->len = lx->pos - begin;
	t->text = arena_strndup(lx->arena, lx->text + begin, t->len);
}

/* ---- strings ---- */

typedef VEC(char) bytes;

static char octal_read(struct lexer *lx)
{
	unsigned v = 0;

	for (int i = 0; i < 3 && lex_at(lx, 0) >= '0' && lex_at(lx, 0) <= '7'; i++)
		v = v * 8 + (unsigned)(lx->text[lx->pos++] - '0');
	return (char)v;
}

/* Behind \x: one or two digits. */
static char hex_read(struct lexer *lx)
{
	unsigned v = 0;
	int i;

	for (i = 0; i < 2 && digit_value(lex_at(lx, 0)) < 16; i++)
		v = v * 16 + (unsigned)digit_value(lx->text[lx->pos++]);
	if (!i)
		lex_error(lx, lx->pos - 2, lx->pos, "hexadecimal digits must follow '\\x'");
	return (char)v;
}

static void escape_unknown(struct lexer *lx)
{
	char c = lex_at(lx, 0);

	if (c > 32 && c < 127)
		lex_error(lx, lx->pos - 1, lx->pos + 1, "unknown escape '\\%c' in a string", c);
	else
		lex_error(lx, lx->pos - 1, lx->pos, "a lone '\\' in a string");
	lex_hint(lx, "there are \\n \\t \\r \\\\ \\\" \\a \\b \\v \\f \\e \\0nn \\xnn; "
		 "write \\\\ for the character itself");
}

/* At the character behind a backslash. */
static void escape_read(struct lexer *lx, bytes *out)
{
	static const char from[] = "ntr\\\"abvfe'", to[] = "\n\t\r\\\"\a\b\v\f\033'";
	char c = lex_at(lx, 0);
	const char *known = c ? strchr(from, c) : NULL;

	if (c >= '0' && c <= '7') {
		vec_push(lx->arena, out, octal_read(lx));
	} else if (c == 'x') {
		lx->pos++;
		vec_push(lx->arena, out, hex_read(lx));
	} else if (known) {
		lx->pos++;
		vec_push(lx->arena, out, to[known - from]);
	} else {
		escape_unknown(lx);
		if (lx->pos < lx->len && c != '\n')
			lx->pos++;
	}
}

/* The rest of a string behind its opening quote. False when its line ends first. */
static bool quoted_read(struct lexer *lx, char quote, struct token *t)
{
	bytes out = { 0 };
	bool closed = false;

	while (lx->pos < lx->len && lx->text[lx->pos] != '\n' && !closed) {
		char c = lx->text[lx->pos++];

		if (c == quote)
			closed = true;
		else if (c == '\\')
			escape_read(lx, &out);
		else
			vec_push(lx->arena, &out, c);
	}
	t->kind = TOK_STR;
	t->len = out.n;
	t->text = arena_strndup(lx->arena, out.v, out.n);
	return closed;
}

void literal_string(struct lexer *lx, struct token *t)
{
	uint32_t begin = lx->pos++;

	if (quoted_read(lx, '"', t))
		return;
	lex_error(lx, begin, begin + 1, "this string is not closed on its line");
	lex_hint(lx, "strings end with \"; a line break inside is written \\n");
	lx->bad_end = lx->pos;
}

void literal_single_quoted(struct lexer *lx, struct token *t)
{
	uint32_t begin = lx->pos++;
	bool closed = quoted_read(lx, '\'', t);

	lex_error(lx, begin, closed ? lx->pos : begin + 1, "strings are written with double quotes");
	lex_hint(lx, "a character is written as its number, 'A' is 65");
	lx->bad_end = lx->pos;
}
