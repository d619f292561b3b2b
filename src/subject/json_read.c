/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Json_read: a JSON text becomes a tree. Why not by a library stands in json.c. */
#include "subject/json_read.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/util.h"

#define DEEPEST 64

struct scan {
	struct arena *a;
	const char *at;
	unsigned depth;
};

static struct json_value *scan_value(struct scan *s);

static void skip(struct scan *s)
{
	while (*s->at && strchr(" \t\r\n", *s->at))
		s->at++;
}

static struct json_value *value_new(struct scan *s, enum json_kind kind)
{
	struct json_value *v = arena_new_of(s->a, struct json_value);

	v->kind = kind;
	return v;
}

static bool scan_hex(const char *p, unsigned *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++) {
		if (!isxdigit((unsigned char)p[i]))
			return false;
		*out = *out * 16 + (unsigned)(isdigit((unsigned char)p[i]) ? p[i] - '0' : tolower((unsigned char)p[i]) - 'a' + 10);
	}
	return true;
}

static size_t utf8(char *out, unsigned c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}

/* One escape at s->at, which stands behind the backslash. The bytes written; 0: it is none. */
static size_t scan_escape(struct scan *s, char *out)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *found = *s->at ? strchr(names, *s->at) : NULL;
	unsigned c, low;

	if (found) {
		s->at++;
		*out = values[found - names];
		return 1;
	}
	if (*s->at != 'u' || !scan_hex(s->at + 1, &c) || !c)
		return 0;
	s->at += 5;
	if (c >= 0xd800 && c < 0xdc00 && s->at[0] == '\\' && s->at[1] == 'u' &&
	    scan_hex(s->at + 2, &low) && low >= 0xdc00 && low < 0xe000) {
		s->at += 6;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	return utf8(out, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
}

/* NULL: it is not closed, or has an escape that is none. */
static const char *scan_string(struct scan *s)
{
	const char *end = s->at + 1;
	char *out;
	size_t n = 0;

	while (*end && *end != '"')
		end += end[0] == '\\' && end[1] ? 2 : 1;
	if (!*end)
		return NULL;
	out = arena_alloc(s->a, (size_t)(end - s->at) + 1);
	for (s->at++; s->at < end;) {
		size_t more = 1;

		if (*s->at == '\\') {
			s->at++;
			more = scan_escape(s, out + n);
		} else {
			out[n] = *s->at++;
		}
		if (!more)
			return NULL;
		n += more;
	}
	s->at = end + 1;
	return out;
}

static struct json_value *scan_text(struct scan *s)
{
	const char *text = scan_string(s);
	struct json_value *v = text ? value_new(s, JSON_TEXT) : NULL;

	if (v)
		v->text = text;
	return v;
}

static struct json_value *scan_number(struct scan *s)
{
	size_t n = strspn(s->at, "+-.0123456789eE");
	struct json_value *v;

	if (!n || !strpbrk(s->at, "0123456789"))
		return NULL;
	v = value_new(s, JSON_NUMBER);
	v->text = arena_strndup(s->a, s->at, n);
	v->number = strtod(v->text, NULL);
	s->at += n;
	return v;
}

/* A member's name and colon. */
static const char *scan_name(struct scan *s)
{
	const char *key;

	skip(s);
	key = *s->at == '"' ? scan_string(s) : NULL;
	skip(s);
	if (!key || *s->at != ':')
		return NULL;
	s->at++;
	return key;
}

static struct json_value *scan_list(struct scan *s, enum json_kind kind, char end)
{
	struct json_value *v = value_new(s, kind), **tail = &v->first;

	for (s->at++; skip(s), *s->at != end;) {
		const char *key = NULL;

		if (v->first) {
			if (*s->at != ',')
				return NULL;
			s->at++;
		}
		if (kind == JSON_OBJECT && !(key = scan_name(s)))
			return NULL;
		*tail = scan_value(s);
		if (!*tail)
			return NULL;
		(*tail)->key = key;
		tail = &(*tail)->next;
	}
	s->at++;
	return v;
}

static struct json_value *scan_word(struct scan *s)
{
	static const struct { const char *word; enum json_kind kind; double number; } words[] = {
		{ "true", JSON_BOOL, 1 }, { "false", JSON_BOOL, 0 }, { "null", JSON_NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_starts(s->at, words[i].word)) {
			struct json_value *v = value_new(s, words[i].kind);

			v->number = words[i].number;
			s->at += strlen(words[i].word);
			return v;
		}
	return NULL;
}

static struct json_value *scan_value(struct scan *s)
{
	struct json_value *v;

	skip(s);
	if (s->depth >= DEEPEST)
		return NULL;
	s->depth++;
	v = *s->at == '{' ? scan_list(s, JSON_OBJECT, '}') : *s->at == '[' ?
		scan_list(s, JSON_ARRAY, ']') :
	    *s->at == '"' ? scan_text(s) : isalpha((unsigned char)*s->at) ? scan_word(s) : scan_number(s);
	s->depth--;
	return v;
}

struct json_value *json_parse(struct arena *a, const char *text, const char **at, bool rest)
{
	struct scan s = { .a = a, .at = text };
	struct json_value *v = scan_value(&s);

	if (v)
		skip(&s);
	*at = s.at;
	return v && (rest || !*s.at) ? v : NULL;
}

const struct json_value *json_member(const struct json_value *v, const char *key)
{
	if (!v || v->kind != JSON_OBJECT)
		return NULL;
	json_each(m, v)
		if (str_eq(m->key, key))
			return m;
	return NULL;
}

const char *json_member_text(const struct json_value *v, const char *key, const char *otherwise)
{
	const struct json_value *m = json_member(v, key);

	return m && m->kind == JSON_TEXT ? m->text : otherwise;
}

double json_member_number(const struct json_value *v, const char *key, double otherwise)
{
	const struct json_value *m = json_member(v, key);

	return m && m->kind == JSON_NUMBER ? m->number : otherwise;
}
