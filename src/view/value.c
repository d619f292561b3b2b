/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Value: how a value of each kind of type reads as text. One function per kind, found in one table.
 */
#include "view/parts.h"

#include <string.h>

#include "base/util.h"

const uint8_t *field_bytes(const struct field *f, const uint8_t *data, uint8_t tmp[8])
{
	uint64_t v = 0;

	if (!f->bit_size)
		return data + f->offset;
	data += f->offset;
	for (uint32_t i = 0; i < f->bit_size && i < 64; i++) {
		uint32_t bit = f->bit_offset + i;

		v |= (uint64_t)(data[bit / 8] >> (bit % 8) & 1) << i;
	}
	memcpy(tmp, &v, 8);
	return tmp;
}

uint32_t buffer_len(const struct type *t, const uint8_t *data)
{
	uint32_t len = (uint32_t)number_load(data, 4, false);

	return MIN(len, t->size > 4 ? t->size - 4 : 0);
}

void buffer_text(struct strbuf *out, const uint8_t *data, uint32_t len, bool keep_ascii)
{
	static const char hex[] = "0123456789abcdef";

	for (uint32_t i = 0; i < len; i++) {
		char esc[4] = { '\\', 'x', hex[data[i] >> 4], hex[data[i] & 15] };

		if (keep_ascii && data[i] >= 32 && data[i] <= 126)
			strbuf_addch(out, (char)data[i]);
		else
			strbuf_add(out, esc, sizeof(esc));
	}
}

void buffer_hex(struct strbuf *out, const uint8_t *data, uint32_t len)
{
	static const char hex[] = "0123456789abcdef";

	for (uint32_t i = 0; i < len; i++) {
		if (i)
			strbuf_addch(out, ' ');
		strbuf_addch(out, hex[data[i] >> 4]);
		strbuf_addch(out, hex[data[i] & 15]);
	}
}

const char *enum_name(const struct type *t, int64_t value)
{
	for (uint32_t i = 0; i < t->nenumerators; i++)
		if (t->enumerators[i].value == value)
			return t->enumerators[i].name;
	return NULL;
}

/* ---- one function per kind ---- */

static void text_none(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	(void)v, (void)t, (void)data;
	strbuf_addstr(out, "null");
}

static void text_int(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	uint64_t n = number_load(data, t->size, t->is_signed);

	(void)v;
	if (t->is_signed)
		strbuf_adds64(out, (int64_t)n);
	else
		strbuf_addu64(out, n);
}

static void text_bool(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	(void)v;
	strbuf_addstr(out, number_load(data, t->size, false) ? "true" : "false");
}

/* It is taken to have gone on, as the reference does, when it is of max_strlen bytes. */
static bool string_was_cut(const struct view *v, const struct type *t, size_t len)
{
	return t->size == v->module->config.max_strlen + 1 && len + 1 >= t->size;
}

static void text_string(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	size_t len = strnlen((const char *)data, t->size);

	strbuf_add(out, data, len);
	if (len && v->module && string_was_cut(v, t, len) && v->module->config.str_trunc_trailer)
		strbuf_addstr(out, v->module->config.str_trunc_trailer);
}

static void text_buffer(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	(void)v;
	buffer_text(out, data + 4, buffer_len(t, data), true);
}

static void text_pointer(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	(void)v;
	number_hex(out, number_load(data, t->size, false));
}

static void text_array(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	strbuf_addch(out, '[');
	for (uint32_t i = 0; i < t->count; i++) {
		if (i)
			strbuf_addch(out, ',');
		value_text(v, out, t->elem, data + (size_t)i * t->elem->size);
	}
	strbuf_addch(out, ']');
}

/* Members of an unnamed struct or union stand among those of the struct that holds it. */
static void members_text(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data,
			 bool *first)
{
	for (uint32_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		uint8_t tmp[8];

		if (!f->name && f->type->kind == TY_STRUCT) {
			members_text(v, out, f->type, data + f->offset, first);
			continue;
		}
		strbuf_addstr(out, *first ? "." : v->is_dense ? ",." : ", .");
		*first = false;
		strbuf_addstr(out, f->name ? f->name : "");
		strbuf_addstr(out, v->is_dense ? "=" : " = ");
		value_text(v, out, f->type, field_bytes(f, data, tmp));
	}
}

static void text_struct(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	bool first = true;

	if (!t->nfields) {
		strbuf_addstr(out, "{}");
		return;
	}
	strbuf_addstr(out, v->is_dense ? "{" : "{ ");
	members_text(v, out, t, data, &first);
	strbuf_addstr(out, v->is_dense ? "}" : " }");
}

static void text_enum(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	const char *name = enum_name(t, (int64_t)number_load(data, t->size, t->is_signed));

	if (name)
		strbuf_addstr(out, name);
	else
		text_int(v, out, t, data);
}

/* { .a = 1, .b = 2 }, as a struct */
static void text_record(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	bool first = true;

	strbuf_addstr(out, v->is_dense ? "{" : "{ ");
	members_text(v, out, t, data, &first);
	strbuf_addstr(out, v->is_dense ? "}" : " }");
}

static void items_text(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	for (uint32_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];

		if (i)
			strbuf_addstr(out, v->is_dense ? "," : ", ");
		value_text(v, out, f->type, data + f->offset);
	}
}

static void text_tuple(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	strbuf_addch(out, '(');
	items_text(v, out, t, data);
	strbuf_addch(out, ')');
}

static void text_mac(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	static const char hex[] = "0123456789ABCDEF";

	(void)v;
	for (uint32_t i = 0; i < MIN(t->size, 6U); i++) {
		if (i)
			strbuf_addch(out, ':');
		strbuf_addch(out, hex[data[i] >> 4]);
		strbuf_addch(out, hex[data[i] & 15]);
	}
}

static void text_strerror(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	int error = (int)number_load(data, t->size, true);
	char buf[128];

	(void)v;
	/* The kernel's functions return errors as negative numbers. */
	strbuf_addstr(out, strerror_r(error < 0 ? -error : error, buf, sizeof(buf)));
}

/* Kinds without a form of their own: a number, or their bytes. */
static void text_raw(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	if (t->size && t->size <= 8)
		text_int(v, out, t, data);
	else
		buffer_text(out, data, t->size, false);
}

bool agg_load(const struct type *t, const uint8_t *data, int64_t div, struct agg *out)
{
	int64_t first = (int64_t)number_load(data, 8, true);

	if (t->kind < TY_COUNT || t->kind > TY_STATS)
		return false;
	*out = (struct agg){ .value = first, .is_signed = t->is_signed && t->kind != TY_COUNT };
	if (t->kind == TY_AVG || t->kind == TY_STATS) {
		out->total = first;
		out->count = (int64_t)number_load(data + 8, 8, false);
		if (!out->count)
			out->value = 0;
		else
			out->value = out->is_signed ? first / out->count :
				     (int64_t)((uint64_t)first / (uint64_t)out->count);
	}
	if (div > 1)
		out->value = out->is_signed ? out->value / div : (int64_t)((uint64_t)out->value / (uint64_t)div);
	return true;
}

void agg_number(struct strbuf *out, const struct agg *a, int64_t value)
{
	if (a->is_signed)
		strbuf_adds64(out, value);
	else
		strbuf_addu64(out, (uint64_t)value);
}

static void agg_text(struct strbuf *out, const struct type *t, const struct agg *a)
{
	if (t->kind != TY_STATS) {
		agg_number(out, a, a->value);
		return;
	}
	strbuf_addstr(out, "{ .count = ");
	strbuf_addu64(out, (uint64_t)a->count);
	strbuf_addstr(out, ", .average = ");
	agg_number(out, a, a->value);
	strbuf_addstr(out, ", .total = ");
	agg_number(out, a, a->total);
	strbuf_addstr(out, " }");
}

static void text_agg(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	value_text_div(v, out, t, data, 1);
}

static value_form *const forms[TY_NKINDS] = {
	[TY_NONE] = text_none, [TY_INT] = text_int, [TY_BOOL] = text_bool, [TY_STRING] = text_string,
	[TY_BUFFER] = text_buffer, [TY_POINTER] = text_pointer, [TY_ARRAY] = text_array,
	[TY_STRUCT] = text_struct, [TY_ENUM] = text_enum, [TY_TUPLE] = text_tuple, [TY_RECORD] = text_record,
	[TY_KSYM] = text_ksym, [TY_USYM] = text_usym, [TY_KSTACK] = text_stack, [TY_USTACK] = text_stack,
	[TY_INET] = text_inet, [TY_MAC] = text_mac, [TY_USERNAME] = text_username,
	[TY_STRFTIME] = text_strftime, [TY_CGROUP_PATH] = text_cgroup_path, [TY_STRERROR] = text_strerror,
	[TY_SYSCALL_NAME] = text_syscall_name, [TY_SIGNAL_NAME] = text_signal_name,
	[TY_COUNT] = text_agg, [TY_SUM] = text_agg, [TY_MIN] = text_agg, [TY_MAX] = text_agg,
	[TY_AVG] = text_agg, [TY_STATS] = text_agg, [TY_HIST] = text_agg, [TY_LHIST] = text_agg,
	[TY_TSERIES] = text_agg,
};

void value_text(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	(forms[t->kind] ? forms[t->kind] : text_raw)(v, out, t, data);
}

void value_text_div(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data,
		    int64_t div)
{
	struct agg a;

	if (t->kind == TY_HIST || t->kind == TY_LHIST) {
		hist_text(out, t, data, div);
	} else if (t->kind == TY_TSERIES) {
		tseries_text(out, t, data, tseries_latest(t, data));
	} else if (agg_load(t, data, div, &a)) {
		agg_text(out, t, &a);
	} else if (t->kind == TY_INT && div > 1) {
		int64_t n = (int64_t)number_load(data, t->size, t->is_signed);

		a = (struct agg){ .is_signed = t->is_signed };
		agg_number(out, &a, t->is_signed ? n / div : (int64_t)((uint64_t)n / (uint64_t)div));
	} else {
		value_text(v, out, t, data);
	}
}

void key_text(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data)
{
	struct view in_key = *v;

	in_key.in_key = true;
	if (t->kind == TY_TUPLE)
		items_text(&in_key, out, t, data);
	else
		value_text(&in_key, out, t, data);
}

bool value_int(const struct type *t, const uint8_t *data, int64_t *value)
{
	struct agg a;

	if (t->kind == TY_INT || t->kind == TY_BOOL || t->kind == TY_ENUM || t->kind == TY_POINTER) {
		*value = (int64_t)number_load(data, t->size, t->is_signed);
		return true;
	}
	if (t->kind == TY_STATS || !agg_load(t, data, 1, &a))
		return false;
	*value = a.value;
	return true;
}
