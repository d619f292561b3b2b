/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Usdt_arg: sizes, numbers and symbols, which all processors write alike. */
#include "probe/usdt_arg.h"

#include <ctype.h>
#include <errno.h>

#include "base/util.h"

/* ---- pieces ---- */

bool usdt_take(struct usdt_cursor *c, char ch)
{
	if (*c->p != ch)
		return false;
	c->p++;
	return true;
}

void usdt_blank(struct usdt_cursor *c)
{
	while (*c->p == ' ' || *c->p == '\t')
		c->p++;
}

bool usdt_word(struct usdt_cursor *c, char *word, size_t size)
{
	size_t n = 0;

	while (isalnum((unsigned char)c->p[n]))
		n++;
	if (!n || n >= size)
		return false;
	memcpy(word, c->p, n);
	word[n] = 0;
	c->p += n;
	return true;
}

bool usdt_number(struct usdt_cursor *c, int64_t *number)
{
	const char *p = c->p + (*c->p == '-');
	char *end;

	if (!isdigit((unsigned char)*p))
		return false;
	errno = 0;
	/* An unsigned one may need all 64 bits. */
	*number = *c->p == '-' ? strtoll(c->p, &end, 0) : (int64_t)strtoull(c->p, &end, 0);
	if (errno || isalnum((unsigned char)*end) || *end == '_')
		return false;
	c->p = end;
	return true;
}

static bool is_symbol_char(char ch)
{
	return isalnum((unsigned char)ch) || (ch && strchr("_.$@", ch)) || (unsigned char)ch >= 0x80;
}

static bool symbol_take(struct usdt_cursor *c, struct usdt_arg *arg)
{
	size_t n = 0;

	while (is_symbol_char(c->p[n]))
		n++;
	if (!n || isdigit((unsigned char)*c->p) || arg->symbol)
		return false;
	arg->symbol = arena_strndup(c->arena, c->p, n);
	c->p += n;
	return true;
}

bool usdt_sum(struct usdt_cursor *c, struct usdt_arg *arg)
{
	bool plus = true;

	do {
		int64_t n = 0;

		if (usdt_number(c, &n))
			arg->place.number = (int64_t)((uint64_t)arg->place.number + (uint64_t)n);
		else if (!plus || !symbol_take(c, arg))
			return false;
		plus = usdt_take(c, '+');
	} while (plus || *c->p == '-');
	return true;
}

/* ---- arguments ---- */

static const char *float_name(uint64_t bytes)
{
	return bytes == 4 ? "float" : bytes == 8 ? "double" : "long double";
}

/* "-4@", "8f@" in front of the operand; without it (false), a word. */
static bool size_take(struct usdt_cursor *c, struct usdt_arg *arg)
{
	const char *begin = c->p, *end;
	bool negative = usdt_take(c, '-'), is_float;
	uint64_t bytes;

	arg->place.bytes = 8;
	if (!isdigit((unsigned char)*c->p)) {
		c->p = begin;
		return false;
	}
	bytes = strtoul(c->p, (char **)(uintptr_t)&end, 10);
	c->p = end;
	is_float = usdt_take(c, 'f');
	if (!usdt_take(c, '@')) {
		c->p = begin;
		return false;
	}
	arg->place.is_signed = negative;
	if (is_float) {
		arg->type_name = float_name(bytes);
		arg->place.problem = "it is a floating-point number";
	} else if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
		arg->place.problem = arena_printf(c->arena, "a number of %llu bytes cannot be read",
						  (unsigned long long)bytes);
	} else {
		arg->place.bytes = (uint8_t)bytes;
	}
	return true;
}

/* Does an argument with its size begin here? */
static bool begins_arg(const char *p)
{
	p += *p == '-';
	if (!isdigit((unsigned char)*p))
		return false;
	while (isdigit((unsigned char)*p))
		p++;
	p += *p == 'f';
	return *p == '@';
}

/* Does the operand end here? Behind one with a size there is nothing, or another with a size. */
static bool at_end(const struct usdt_cursor *c, bool sized)
{
	struct usdt_cursor rest = *c;

	usdt_blank(&rest);
	return !*rest.p || (rest.p != c->p && (!sized || begins_arg(rest.p)));
}

/* To the blank before the next argument. */
static void resync(struct usdt_cursor *c)
{
	while (*c->p && !at_end(c, true))
		c->p++;
}

static void arg_parse(struct usdt_cursor *c, enum usdt_machine machine, struct usdt_arg *arg)
{
	bool (*operand)(struct usdt_cursor *, struct usdt_arg *) =
		machine == USDT_ARM64 ? usdt_arm64_operand : usdt_x86_operand;
	const char *begin = c->p, *problem;
	bool understood, sized;

	*arg = (struct usdt_arg){ .place = { .base = -1, .index = -1 } };
	sized = size_take(c, arg);
	problem = arg->place.problem;
	understood = operand(c, arg) && at_end(c, sized);
	if (!understood)
		resync(c);
	arg->text = arena_strndup(c->arena, begin, (size_t)(c->p - begin));
	if (problem)
		arg->place.problem = problem;
	else if (!understood && !arg->place.problem)
		arg->place.problem = arena_printf(c->arena, "its place '%s' is not understood", arg->text);
}

uint32_t usdt_args_parse(struct arena *a, enum usdt_machine machine, const char *text,
			 struct usdt_arg out[USDT_ARGS_MOST])
{
	struct usdt_cursor c = { .arena = a, .p = text };
	uint32_t n = 0;

	for (usdt_blank(&c); *c.p && n < USDT_ARGS_MOST; usdt_blank(&c))
		arg_parse(&c, machine, &out[n++]);
	return n;
}
