/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strbuf: see the header for its invariants. */
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char strbuf_empty[1];

void strbuf_free(struct strbuf *b)
{
	if (b->cap)
		free(b->s);
	*b = (struct strbuf)STRBUF_INIT;
}

bool strbuf_reserve(struct strbuf *b, size_t more)
{
	size_t need = b->len + more + 1, cap = b->cap ? b->cap : 64;
	char *s;

	if (b->failed)
		return false;
	if (need <= b->cap)
		return true;
	while (cap < need)
		cap *= 2;
	s = realloc(b->cap ? b->s : NULL, cap);
	if (!s) {
		b->failed = true;
		return false;
	}
	s[b->len] = 0;
	b->s = s;
	b->cap = cap;
	return true;
}

void strbuf_add(struct strbuf *b, const void *data, size_t len)
{
	if (!len || !strbuf_reserve(b, len))
		return;
	memcpy(b->s + b->len, data, len);
	b->len += len;
	b->s[b->len] = 0;
}

void strbuf_addstr(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void strbuf_addch(struct strbuf *b, char c)
{
	if (b->len + 1 >= b->cap && !strbuf_reserve(b, 1))
		return;
	b->s[b->len++] = c;
	b->s[b->len] = 0;
}

void strbuf_add_lines(struct strbuf *b, const char *prefix, const char *text)
{
	while (text && *text) {
		size_t len = strcspn(text, "\n");

		strbuf_addstr(b, *text == ' ' ? "" : prefix);
		strbuf_add(b, text, len);
		strbuf_addch(b, '\n');
		text += len + (text[len] == '\n');
	}
}

void strbuf_fill(struct strbuf *b, char c, size_t n)
{
	if (!n || !strbuf_reserve(b, n))
		return;
	memset(b->s + b->len, c, n);
	b->len += n;
	b->s[b->len] = 0;
}

void strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n <= 0 || !strbuf_reserve(b, (size_t)n))
		return;
	vsnprintf(b->s + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(b, fmt, ap);
	va_end(ap);
}

void strbuf_addu64(struct strbuf *b, uint64_t v)
{
	char digits[20], *p = digits + sizeof(digits);

	do {
		*--p = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	strbuf_add(b, p, (size_t)(digits + sizeof(digits) - p));
}

void strbuf_adds64(struct strbuf *b, int64_t v)
{
	if (v < 0) {
		strbuf_addch(b, '-');
		strbuf_addu64(b, 0 - (uint64_t)v);
	} else {
		strbuf_addu64(b, (uint64_t)v);
	}
}

char *strbuf_take(struct strbuf *b)
{
	char *s;

	if (b->failed || !strbuf_reserve(b, 0)) {
		strbuf_free(b);
		return NULL;
	}
	s = b->s;
	*b = (struct strbuf)STRBUF_INIT;
	return s;
}
