/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Value_json: values as JSON. A string is always valid UTF-8: what a traced program had in memory need not
 * be, so every byte that belongs to no valid sequence becomes U+FFFD. Names that stand for a number
 * (enumerators, pointers) are shown as the number.
 */
#include "view/parts.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

static bool double_holds(uint64_t magnitude)
{
	return !magnitude || magnitude >> __builtin_ctzll(magnitude) < 1ULL << 53;
}

static void number_quoted(struct strbuf *out, bool quote, bool is_signed, uint64_t v)
{
	if (quote)
		strbuf_addch(out, '"');
	if (is_signed)
		strbuf_adds64(out, (int64_t)v);
	else
		strbuf_addu64(out, v);
	if (quote)
		strbuf_addch(out, '"');
}

void json_int(struct strbuf *out, int64_t v)
{
	number_quoted(out, !double_holds(v < 0 ? 0 - (uint64_t)v : (uint64_t)v), true, (uint64_t)v);
}

void json_uint(struct strbuf *out, uint64_t v)
{
	number_quoted(out, !double_holds(v), false, v);
}

/* Length of the valid UTF-8 sequence (2 to 4 bytes) at `s`, 0 when there is none. RFC 3629, section 4. */
static size_t utf8_len(const uint8_t *s, size_t left)
{
	uint8_t lo = 0x80, hi = 0xbf;
	size_t n;

	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > left)
		return 0;
	if (s[0] == 0xe0)
		lo = 0xa0;
	else if (s[0] == 0xed)
		hi = 0x9f;
	else if (s[0] == 0xf0)
		lo = 0x90;
	else if (s[0] == 0xf4)
		hi = 0x8f;
	if (s[1] < lo || s[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

static void json_escape(struct strbuf *out, uint8_t c)
{
	static const char hex[] = "0123456789abcdef";
	static const char named[256] = { ['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' };
	char esc[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	strbuf_addch(out, '\\');
	if (named[c])
		strbuf_addch(out, named[c]);
	else if (c < 0x20)
		strbuf_add(out, esc + 1, sizeof(esc) - 1);
	else
		strbuf_addstr(out, "ufffd");
}

void json_string(struct strbuf *out, const char *s, size_t len)
{
	size_t plain = 0;

	strbuf_addch(out, '"');
	for (size_t i = 0; i < len;) {
		uint8_t c = (uint8_t)s[i];
		size_t n = c < 0x80 ? c >= 0x20 && c != '"' && c != '\\' : utf8_len((const uint8_t *)s + i, len - i);

		if (n) {
			i += n;
			continue;
		}
		strbuf_add(out, s + plain, i - plain);
		json_escape(out, c);
		plain = ++i;
	}
	strbuf_add(out, s + plain, len - plain);
	strbuf_addch(out, '"');
}

/* What value_text() shows, as a JSON string. */
static void json_as_text(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	value_text(v, &text, t, data);
	if (text.failed)
		out->failed = true;
	json_string(out, text.s, text.len);
}

void key_json(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct view in_key = *v;

	in_key.in_key = true;
	in_key.is_dense = true;
	if (t->kind != TY_TUPLE) {
		json_as_text(&in_key, out, t, data);
		return;
	}
	for (uint32_t i = 0; i < t->nfields; i++) {
		if (i)
			strbuf_addch(&text, ',');
		value_text(&in_key, &text, t->fields[i].type, data + t->fields[i].offset);
	}
	if (text.failed)
		out->failed = true;
	json_string(out, text.s, text.len);
}

/* ---- one function per kind ---- */

static void json_null(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	(void)v, (void)t, (void)data;
	strbuf_addstr(out, "null");
}

static void json_number(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	uint64_t n = number_load(data, t->size, t->is_signed);

	(void)v;
	if (t->is_signed)
		json_int(out, (int64_t)n);
	else
		json_uint(out, n);
}

static void json_buffer(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	uint32_t len = buffer_len(t, data);

	(void)v;
	strbuf_addch(out, '[');
	for (uint32_t i = 0; i < len; i++) {
		if (i)
			strbuf_addch(out, ',');
		strbuf_addu64(out, data[4 + i]);
	}
	strbuf_addch(out, ']');
}

static void json_array(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	strbuf_addch(out, '[');
	for (uint32_t i = 0; i < t->count; i++) {
		if (i)
			strbuf_addch(out, ',');
		value_json(v, out, t->elem, data + (size_t)i * t->elem->size);
	}
	strbuf_addch(out, ']');
}

static void members_json(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data,
			 bool *first)
{
	for (uint32_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		uint8_t tmp[8];

		if (!f->name && f->type->kind == TY_STRUCT) {
			members_json(v, out, f->type, data + f->offset, first);
			continue;
		}
		if (!*first)
			strbuf_addstr(out, ", ");
		*first = false;
		json_string(out, f->name ? f->name : "", f->name ? strlen(f->name) : 0);
		strbuf_addstr(out, ": ");
		value_json(v, out, f->type, field_bytes(f, data, tmp));
	}
}

static void json_struct(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	bool first = true;

	strbuf_addch(out, '{');
	members_json(v, out, t, data, &first);
	strbuf_addch(out, '}');
}

static void json_tuple(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	strbuf_addch(out, '[');
	for (uint32_t i = 0; i < t->nfields; i++) {
		if (i)
			strbuf_addch(out, ',');
		value_json(v, out, t->fields[i].type, data + t->fields[i].offset);
	}
	strbuf_addch(out, ']');
}

static void json_agg(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	value_json_div(v, out, t, data, 1);
}

static void (*const forms[TY_NKINDS])(const struct view *v, struct strbuf *out, const struct type *t,
				      const uint8_t *data) = {
	[TY_NONE] = json_null, [TY_INT] = json_number, [TY_BOOL] = value_text, [TY_BUFFER] = json_buffer,
	[TY_POINTER] = json_number, [TY_ARRAY] = json_array, [TY_STRUCT] = json_struct,
	[TY_ENUM] = json_number, [TY_TUPLE] = json_tuple, [TY_RECORD] = json_struct,
	[TY_COUNT] = json_agg, [TY_SUM] = json_agg, [TY_MIN] = json_agg, [TY_MAX] = json_agg,
	[TY_AVG] = json_agg, [TY_STATS] = json_agg, [TY_HIST] = json_agg, [TY_LHIST] = json_agg,
	[TY_TSERIES] = json_agg,
};

void value_json(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	(forms[t->kind] ? forms[t->kind] : json_as_text)(v, out, t, data);
}

static void agg_json_number(struct strbuf *out, const struct agg *a, int64_t value)
{
	if (a->is_signed)
		json_int(out, value);
	else
		json_uint(out, (uint64_t)value);
}

static void agg_json(struct strbuf *out, const struct type *t, const struct agg *a)
{
	if (t->kind != TY_STATS) {
		agg_json_number(out, a, a->value);
		return;
	}
	strbuf_addstr(out, "{\"count\": ");
	json_uint(out, (uint64_t)a->count);
	strbuf_addstr(out, ", \"average\": ");
	agg_json_number(out, a, a->value);
	strbuf_addstr(out, ", \"total\": ");
	agg_json_number(out, a, a->total);
	strbuf_addch(out, '}');
}

void value_json_div(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data,
		    int64_t div)
{
	struct agg a;

	if (t->kind == TY_HIST || t->kind == TY_LHIST) {
		hist_json(out, t, data, div);
	} else if (t->kind == TY_TSERIES) {
		tseries_json(out, t, data);
	} else if (agg_load(t, data, div, &a)) {
		agg_json(out, t, &a);
	} else if (t->kind == TY_INT && div > 1) {
		int64_t n = (int64_t)number_load(data, t->size, t->is_signed);

		a = (struct agg){ .is_signed = t->is_signed };
		agg_json_number(out, &a, t->is_signed ? n / div : (int64_t)((uint64_t)n / (uint64_t)div));
	} else {
		value_json(v, out, t, data);
	}
}
