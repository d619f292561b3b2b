/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Json: builds JSON text. Not by a library: this and json_read.c are 4 KB of code. json-c, Jansson and cJSON are 30 to 90 KB
 * each, would have to be linked statically (the program needs libbpf, libelf, zlib and the C library, and no more), build a
 * tree of allocations first where the killer may have no memory to allocate, and refuse or pass on text that is no UTF-8,
 * which names of processes may be; cJSON also holds numbers as floating-point ones only, and no number beyond 2^53 is exact.
 */
#include "subject/json.h"

#include <math.h>
#include <string.h>

/* Bytes of the UTF-8 character at s, or 0 when it is none. */
static size_t utf8_len(const unsigned char *s)
{
	static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;
	unsigned c = len > 1 ? s[0] & (0x7fU >> len) : s[0];

	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	return len > 1 && (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) ? 0 : len;
}

static void add_quoted(struct strbuf *b, const char *s)
{
	strbuf_addch(b, '"');
	while (*s) {
		size_t len = utf8_len((const unsigned char *)s);

		if (!len)
			strbuf_addstr(b, "\xef\xbf\xbd");
		else if (*s == '"' || *s == '\\')
			strbuf_addf(b, "\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			strbuf_addf(b, "\\u%04x", (unsigned)*s);
		else
			strbuf_add(b, s, len);
		s += len ? len : 1;
	}
	strbuf_addch(b, '"');
}

static void begin(struct json *j, const char *key)
{
	char last = j->b.len ? j->b.s[j->b.len - 1] : '{';

	if (last != '{' && last != '[')
		strbuf_addstr(&j->b, ", ");
	if (key) {
		add_quoted(&j->b, key);
		strbuf_addstr(&j->b, ": ");
	}
}

static void open_with(struct json *j, const char *key, char first, char last)
{
	begin(j, key);
	strbuf_addch(&j->b, first);
	if (j->depth < JSON_DEPTH)
		j->ends[j->depth++] = last;
	else
		j->b.failed = true;
}

void json_object(struct json *j, const char *key)
{
	open_with(j, key, '{', '}');
}

void json_array(struct json *j, const char *key)
{
	open_with(j, key, '[', ']');
}

void json_end(struct json *j)
{
	if (j->depth)
		strbuf_addch(&j->b, j->ends[--j->depth]);
}

void json_text(struct json *j, const char *key, const char *value)
{
	begin(j, key);
	if (value)
		add_quoted(&j->b, value);
	else
		strbuf_addstr(&j->b, "null");
}

void json_i64(struct json *j, const char *key, int64_t value)
{
	begin(j, key);
	strbuf_adds64(&j->b, value);
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
	begin(j, key);
	strbuf_addu64(&j->b, value);
}

void json_number(struct json *j, const char *key, double value)
{
	begin(j, key);
	if (isfinite(value))
		strbuf_addf(&j->b, "%.6g", value);
	else
		strbuf_addstr(&j->b, "null");
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	strbuf_addstr(&j->b, value ? "true" : "false");
}

void json_raw(struct json *j, const char *key, const char *value)
{
	begin(j, key);
	strbuf_addstr(&j->b, value);
}

void json_reset(struct json *j)
{
	strbuf_reset(&j->b);
	j->b.failed = false;
	j->depth = 0;
}

void json_free(struct json *j)
{
	strbuf_free(&j->b);
	j->depth = 0;
}
