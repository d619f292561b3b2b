/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strbuf: a growing run of bytes that is always a C string.
 *
 * Invariants: `s` is never NULL and s[len] is always 0, also for STRBUF_INIT. When memory runs out the
 * buffer keeps what it had, `failed` is set and every later append does nothing, so that a whole text
 * can be built and checked once at its end. The bytes belong to the buffer until strbuf_take().
 */
#ifndef SONDE_BASE_STRBUF_H
#define SONDE_BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf {
	char *s;
	size_t len, cap;
	bool failed;
};

extern char strbuf_empty[1];
#define STRBUF_INIT { .s = strbuf_empty }

void strbuf_free(struct strbuf *b);
static inline void strbuf_reset(struct strbuf *b)
{
	b->len = 0;
	if (b->cap)
		b->s[0] = 0;
}
/* Make room for `more` bytes beyond len (and the final 0). False when there is no memory. */
bool strbuf_reserve(struct strbuf *b, size_t more);
void strbuf_add(struct strbuf *b, const void *data, size_t len);
void strbuf_addstr(struct strbuf *b, const char *s);
void strbuf_addch(struct strbuf *b, char c);
/* Each line of a text, which may be NULL, with a prefix before it and a newline behind it. */
void strbuf_add_lines(struct strbuf *b, const char *prefix, const char *text);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* `n` times the byte `c`. */
void strbuf_fill(struct strbuf *b, char c, size_t n);
/* Decimal, without the cost of printf. */
void strbuf_addu64(struct strbuf *b, uint64_t v);
void strbuf_adds64(struct strbuf *b, int64_t v);
/* The string, now owned by the caller (free()); NULL when the buffer had failed. The buffer is empty. */
char *strbuf_take(struct strbuf *b);

#define _cleanup_strbuf_ __attribute__((cleanup(strbuf_free)))

#endif
