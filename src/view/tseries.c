/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tseries: a series of numbers over time, drawn with the time downwards and the numbers from the smallest
 * on the left to the largest on the right; or as a list of JSON objects.
 */
#include "view/parts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/util.h"

#define COLUMNS 53 /* of a row, with its two borders */
#define NS_PER_S 1000000000ULL

static struct tseries_slot slot_load(const uint8_t *data, uint64_t i)
{
	struct tseries_slot s;

	memcpy(&s, data + i * sizeof(s), sizeof(s));
	return s;
}

/* Intervals are counted from 1 here, as slots have them. */
static uint64_t interval_ns(const struct type *t, uint64_t interval)
{
	return (interval - 1) * (uint64_t)t->param[0];
}

/* The number of an interval. False: there is none (what the slot holds is of another one). */
static bool value_at(const struct type *t, const uint8_t *data, uint64_t interval, int64_t *value)
{
	struct tseries_slot s = slot_load(data, (interval - 1) % (uint64_t)t->param[1]);

	if (s.interval != interval)
		return false;
	*value = s.value;
	if (t->param[2] == TSERIES_AVG && s.extra)
		*value = t->is_signed ? s.value / (int64_t)s.extra : (int64_t)((uint64_t)s.value / s.extra);
	return true;
}

uint64_t tseries_latest(const struct type *t, const uint8_t *data)
{
	uint64_t latest = 0;

	for (int64_t i = 0; i < t->param[1]; i++)
		latest = MAX(latest, slot_load(data, (uint64_t)i).interval);
	return latest;
}

/* The earliest interval that has a number and is not too old to be shown; 0: none. */
static uint64_t earliest(const struct type *t, const uint8_t *data, uint64_t latest)
{
	uint64_t n = (uint64_t)t->param[1], from = latest > n ? latest - n + 1 : 1;
	int64_t value;

	for (; from <= latest; from++)
		if (value_at(t, data, from, &value))
			return from;
	return 0;
}

static bool is_less(const struct type *t, int64_t a, int64_t b)
{
	return t->is_signed ? a < b : (uint64_t)a < (uint64_t)b;
}

static void number_text(struct strbuf *out, const struct type *t, int64_t v)
{
	if (t->is_signed)
		strbuf_adds64(out, v);
	else
		strbuf_addu64(out, (uint64_t)v);
}

/* The smallest number on the left, the largest on the right. */
static void scale_text(struct strbuf *out, const struct type *t, int64_t min, int64_t max)
{
	_cleanup_strbuf_ struct strbuf right = STRBUF_INIT;
	size_t start, used;

	strbuf_fill(out, ' ', 13);
	start = out->len;
	number_text(out, t, min);
	number_text(&right, t, max);
	used = out->len - start + right.len;
	strbuf_fill(out, ' ', used < COLUMNS ? COLUMNS - used : 1);
	strbuf_add(out, right.s, right.len);
	strbuf_addch(out, '\n');
}

static void border_text(struct strbuf *out, const char *head, char corner)
{
	strbuf_addf(out, "%-13s%c", head, corner);
	strbuf_fill(out, '_', COLUMNS - 2);
	strbuf_addch(out, corner);
	strbuf_addch(out, '\n');
}

static void time_text(struct strbuf *out, uint64_t ns)
{
	time_t seconds = (time_t)(ns / NS_PER_S);
	char text[16] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
	strbuf_addf(out, "%s.%03u ", text, (unsigned)(ns % NS_PER_S / 1000000));
}

/* The column of a number, from 0. */
static uint32_t column(int64_t v, int64_t min, int64_t max)
{
	unsigned __int128 above = (uint64_t)v - (uint64_t)min;
	uint64_t range = (uint64_t)max - (uint64_t)min;

	return range ? (uint32_t)(above * (COLUMNS - 1) / range) : 0;
}

static void row_text(struct strbuf *out, const struct type *t, const int64_t *value, int64_t min, int64_t max)
{
	char row[COLUMNS + 1];

	memset(row, ' ', COLUMNS);
	row[0] = row[COLUMNS - 1] = '|';
	row[COLUMNS] = 0;
	if (t->is_signed && min < 0 && max > 0)
		row[column(0, min, max)] = '.';
	if (value)
		row[column(*value, min, max)] = '*';
	strbuf_addstr(out, row);
	strbuf_addch(out, ' ');
	if (value)
		number_text(out, t, *value);
	else
		strbuf_addch(out, '-');
	strbuf_addch(out, '\n');
}

void tseries_text(struct strbuf *out, const struct type *t, const uint8_t *data, uint64_t latest)
{
	uint64_t first = earliest(t, data, latest);
	int64_t min = 0, max = 0, v;

	if (!first)
		return;
	for (uint64_t i = first; i <= latest; i++) {
		if (!value_at(t, data, i, &v))
			continue;
		min = i == first || is_less(t, v, min) ? v : min;
		max = i == first || is_less(t, max, v) ? v : max;
	}
	if (min == max) {
		/* There is room on both sides of a straight line. */
		min -= min != (t->is_signed ? INT64_MIN : 0);
		max += max != (t->is_signed ? INT64_MAX : -1);
	}
	scale_text(out, t, min, max);
	border_text(out, "hh:mm:ss.ms", '|');
	for (uint64_t i = first; i <= latest; i++) {
		time_text(out, interval_ns(t, i));
		row_text(out, t, value_at(t, data, i, &v) ? &v : NULL, min, max);
	}
	border_text(out, "", 'v');
	scale_text(out, t, min, max);
}

void tseries_each(const struct type *t, const uint8_t *data, void (*fn)(void *ctx, uint64_t real_ns, double value), void *ctx)
{
	uint64_t latest = tseries_latest(t, data), first = earliest(t, data, latest);
	int64_t v;

	for (uint64_t i = first; first && i <= latest; i++)
		if (value_at(t, data, i, &v))
			fn(ctx, interval_ns(t, i), t->is_signed ? (double)v : (double)(uint64_t)v);
}

/* The time of day in UTC, as the reference writes it. */
static void instant_json(struct strbuf *out, uint64_t ns)
{
	time_t seconds = (time_t)(ns / NS_PER_S);
	char text[24] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	strbuf_addf(out, "\"%s.%09u\"", text, (unsigned)(ns % NS_PER_S));
}

void tseries_json(struct strbuf *out, const struct type *t, const uint8_t *data)
{
	uint64_t latest = tseries_latest(t, data), first = earliest(t, data, latest);
	bool any = false;
	int64_t v;

	strbuf_addch(out, '[');
	for (uint64_t i = first; first && i <= latest; i++) {
		if (!value_at(t, data, i, &v))
			continue;
		strbuf_addstr(out, any ? ", {\"interval_start\": " : "{\"interval_start\": ");
		instant_json(out, interval_ns(t, i));
		strbuf_addstr(out, ", \"value\": ");
		if (t->is_signed)
			json_int(out, v);
		else
			json_uint(out, (uint64_t)v);
		strbuf_addch(out, '}');
		any = true;
	}
	strbuf_addch(out, ']');
}
