/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Header, text: comments, continued lines, and #defines put in, all of it text to text. */
#include <ctype.h>

#include "lang/header.h"

#define MOST_EXPANDED (64u << 10)
#define MOST_DEPTH 40
#define MOST_PARAMS 16

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static size_t word_len(const char *s, const char *end)
{
	size_t n = 0;

	while (s + n < end && is_word(s[n]))
		n++;
	return n;
}

/* The end of a literal in quotes that begins at s. */
static const char *quoted_end(const char *s, const char *end)
{
	const char *p = s + 1;

	while (p < end && *p != *s && *p != '\n')
		p += p[0] == '\\' && p + 1 < end ? 2 : 1;
	return p < end ? p + 1 : end;
}

char *header_clean(const char *text, size_t len)
{
	char *out = malloc(len + 1), *o = out;
	const char *p = text, *end = text + len, *q;

	while (out && p < end) {
		if (p + 1 < end && p[0] == '\\' && p[1] == '\n') {
			p += 2;
		} else if (p + 1 < end && p[0] == '/' && p[1] == '/') {
			while (p < end && *p != '\n')
				p++;
		} else if (p + 1 < end && p[0] == '/' && p[1] == '*') {
			q = memmem(p + 2, (size_t)(end - p - 2), "*/", 2);
			p = q ? q + 2 : end;
			*o++ = ' ';
		} else if (*p == '"' || *p == '\'') {
			q = quoted_end(p, end);
			memcpy(o, p, (size_t)(q - p));
			o += q - p;
			p = q;
		} else {
			*o++ = *p++;
		}
	}
	if (out)
		*o = 0;
	return out;
}

/* ---- #define ---- */

static const char *skip_blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

void header_define(struct headers *h, const char *text, size_t len)
{
	struct arena *a = h->c->arena;
	const char *end = text + len, *name = skip_blank(text, end), *p, *close;
	struct header_define *d;
	size_t n = word_len(name, end);

	if (!n)
		return;
	d = arena_new_of(a, struct header_define);
	p = name + n;
	close = p < end && *p == '(' ? memchr(p, ')', (size_t)(end - p)) : NULL;
	if (close) {
		d->params = arena_strndup(a, p + 1, (size_t)(close - p - 1));
		p = close + 1;
	}
	p = skip_blank(p, end);
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	d->body = arena_strndup(a, p, (size_t)(end - p));
	strmap_put(a, &h->defines, arena_strndup(a, name, n), d);
}

/* ---- putting them in ---- */

struct piece {
	const char *s;
	size_t len;
};

static struct piece trimmed(const char *s, const char *end)
{
	s = skip_blank(s, end);
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	return (struct piece){ s, (size_t)(end - s) };
}

/* The pieces between commas outside of parentheses, up to the ')' that closes; where that stands, NULL: nowhere. */
static const char *pieces_read(const char *p, const char *end, struct piece *to, uint32_t *n)
{
	const char *begin = p;
	uint32_t depth = 0;

	*n = 0;
	for (; p < end; p++) {
		if (*p == '"' || *p == '\'') {
			p = quoted_end(p, end) - 1;
		} else if (*p == '(') {
			depth++;
		} else if ((*p == ',' || *p == ')') && !depth) {
			if (*n == MOST_PARAMS)
				return NULL;
			to[(*n)++] = trimmed(begin, p);
			begin = p + 1;
			if (*p == ')')
				return p;
		} else if (*p == ')') {
			depth--;
		}
	}
	return NULL;
}

static const struct piece *piece_of(const struct piece *params, const struct piece *args, uint32_t n, const char *s,
				    size_t len)
{
	for (uint32_t i = 0; i < n; i++)
		if (params[i].len == len && !memcmp(params[i].s, s, len))
			return &args[i];
	return NULL;
}

/* The body with the arguments in place of the parameters; a ## joins what stands beside it. */
static void arguments_put(const struct header_define *d, const struct piece *params, const struct piece *args,
			  uint32_t n, struct strbuf *out)
{
	const char *p = d->body, *end = p + strlen(p);

	while (p < end && out->len < MOST_EXPANDED) {
		size_t len = word_len(p, end);
		const struct piece *arg = len ? piece_of(params, args, n, p, len) : NULL;

		if (arg) {
			strbuf_add(out, arg->s, arg->len);
		} else if (p[0] == '#' && p[1] == '#') {
			while (out->len && out->s[out->len - 1] == ' ')
				out->s[--out->len] = 0;
			len = (size_t)(skip_blank(p + 2, end) - p);
		} else if (*p == '"' || *p == '\'') {
			len = (size_t)(quoted_end(p, end) - p);
			strbuf_add(out, p, len);
		} else {
			len = len ? len : 1;
			strbuf_add(out, p, len);
		}
		p += len;
	}
}

uint32_t header_nparams(const struct header_define *d)
{
	struct piece params[MOST_PARAMS];
	uint32_t n = 0;
	_cleanup_strbuf_ struct strbuf closed = STRBUF_INIT;

	strbuf_addf(&closed, "%s)", d->params);
	if (!pieces_read(closed.s, closed.s + closed.len, params, &n) || (n == 1 && !params[0].len))
		return 0;
	return n;
}

/* A #define with parameters, at the '(' of its use: where the use ends, NULL: it is none. */
static const char *call_expand(struct headers *h, struct header_define *d, const char *p, const char *end,
			       struct strbuf *out)
{
	struct piece params[MOST_PARAMS], args[MOST_PARAMS];
	uint32_t nparams, nargs;
	const char *list = d->params, *close;
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT, closed = STRBUF_INIT;

	p = skip_blank(p, end);
	close = p < end && *p == '(' ? pieces_read(p + 1, end, args, &nargs) : NULL;
	strbuf_addf(&closed, "%s)", list);
	if (!close || !pieces_read(closed.s, closed.s + closed.len, params, &nparams) || nparams != nargs)
		return NULL;
	arguments_put(d, params, args, nparams, &body);
	d->busy = true;
	header_expand(h, body.s, body.len, out);
	d->busy = false;
	return close + 1;
}

static const char *word_expand(struct headers *h, const char *p, size_t len, const char *end, struct strbuf *out)
{
	struct header_define *d = isdigit((unsigned char)*p) ? NULL : strmap_getn(&h->defines, p, len);
	const char *after;

	if (d && !d->busy && d->params) {
		after = call_expand(h, d, p + len, end, out);
		if (after)
			return after;
	} else if (d && !d->busy) {
		d->busy = true;
		header_expand(h, d->body, strlen(d->body), out);
		d->busy = false;
		return p + len;
	}
	strbuf_add(out, p, len);
	return p + len;
}

void header_expand(struct headers *h, const char *text, size_t len, struct strbuf *out)
{
	const char *p = text, *end = text + len;

	if (h->depth >= MOST_DEPTH)
		return;
	h->depth++;
	while (p < end && out->len < MOST_EXPANDED && !out->failed) {
		size_t n = word_len(p, end);

		if (n) {
			p = word_expand(h, p, n, end, out);
			continue;
		}
		n = *p == '"' || *p == '\'' ? (size_t)(quoted_end(p, end) - p) : 1;
		strbuf_add(out, p, n);
		p += n;
	}
	h->depth--;
}
