/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hist: histograms as rows of text and as lists of JSON objects. Only the buckets from the first to the
 * last that counted something are shown.
 */
#include "view/parts.h"

#include <string.h>

#include "base/util.h"

#define LABEL_COLUMNS 16
#define COUNT_COLUMNS 8
#define BAR_COLUMNS 52

struct bucket {
	bool open_low, open_high; /* without a lower, an upper end */
	int64_t low;
	uint64_t end;  /* one more than the highest value (the highest is at most INT64_MAX) */
	uint64_t count;
};

struct hist {
	const struct type *type;
	const uint8_t *data;
	uint32_t first, last; /* buckets to show */
	uint64_t div;
};

static uint64_t bucket_count(const struct hist *h, uint32_t i)
{
	return number_load(h->data + (size_t)i * 8, 8, false);
}

/* False: nothing was counted. */
static bool hist_init(struct hist *h, const struct type *t, const uint8_t *data, int64_t div)
{
	uint32_t n = type_buckets(t);
	bool any = false;

	*h = (struct hist){ .type = t, .data = data, .div = 1 };
	/* A linear histogram is shown as it was counted, whatever print() was asked to divide by. */
	if (div > 1 && t->kind == TY_HIST)
		h->div = (uint64_t)div;
	for (uint32_t i = 0; i < n; i++) {
		if (!bucket_count(h, i))
			continue;
		if (!any)
			h->first = i;
		h->last = i;
		any = true;
	}
	return any;
}

static void log_bucket(const struct type *t, uint32_t i, struct bucket *b)
{
	int64_t low, high;

	hist_bounds(i, (uint32_t)t->param[0], &low, &high);
	b->open_low = i == 0;
	b->low = low;
	b->end = i == 0 ? 0 : (uint64_t)high + 1;
}

static void linear_bucket(const struct type *t, uint32_t i, struct bucket *b)
{
	int64_t min = t->param[0], max = t->param[1], step = t->param[2];

	b->open_low = i == 0;
	b->open_high = i == type_buckets(t) - 1;
	b->low = b->open_high ? max : min + ((int64_t)i - 1) * step;
	b->end = (uint64_t)(b->open_low ? min : b->low + step);
}

static struct bucket bucket_at(const struct hist *h, uint32_t i)
{
	struct bucket b = { .count = bucket_count(h, i) / h->div };

	if (h->type->kind == TY_HIST)
		log_bucket(h->type, i, &b);
	else
		linear_bucket(h->type, i, &b);
	return b;
}

/*
 * The beginning of a bucket of a log2 histogram: in units of 1024 once the buckets themselves are that
 * wide. With 2^k buckets per power of two, a bucket that begins at v is 2^(log2(v) - k) wide.
 */
static void log_label(struct strbuf *out, const struct type *t, uint64_t v)
{
	unsigned bits = (unsigned)t->param[0];
	unsigned power = v ? 63U - (unsigned)__builtin_clzll(v) : 0;
	unsigned units = power > bits ? (power - bits) / 10 : 0;

	strbuf_addu64(out, v >> (10 * units));
	if (units)
		strbuf_addch(out, "\0KMGTPE"[units]);
}

static void linear_label(struct strbuf *out, const struct type *t, int64_t v)
{
	const int64_t kilo = 1024, mega = 1024 * 1024;

	if (t->param[2] % kilo || !v || v % kilo) {
		strbuf_adds64(out, v);
	} else {
		strbuf_adds64(out, v % mega ? v / kilo : v / mega);
		strbuf_addch(out, v % mega ? 'K' : 'M');
	}
}

static void bound_label(struct strbuf *out, const struct type *t, uint64_t v)
{
	if (t->kind == TY_HIST)
		log_label(out, t, v);
	else
		linear_label(out, t, (int64_t)v);
}

static void bucket_label(struct strbuf *out, const struct type *t, const struct bucket *b)
{
	bool single = t->kind == TY_HIST && !b->open_low && (uint64_t)b->low + 1 == b->end;

	strbuf_addch(out, b->open_low ? '(' : '[');
	if (b->open_low)
		strbuf_addstr(out, "...");
	else
		bound_label(out, t, (uint64_t)b->low);
	if (single) {
		strbuf_addch(out, ']');
		return;
	}
	strbuf_addstr(out, ", ");
	if (b->open_high)
		strbuf_addstr(out, "...");
	else
		bound_label(out, t, b->end);
	strbuf_addch(out, ')');
}

void hist_range_text(struct strbuf *out, const struct type *t, uint32_t i)
{
	struct bucket b = { 0 };

	if (t->kind == TY_HIST)
		log_bucket(t, i, &b);
	else
		linear_bucket(t, i, &b);
	bucket_label(out, t, &b);
}

void hist_low_text(struct strbuf *out, const struct type *t, uint32_t i)
{
	struct bucket b = { 0 };

	if (t->kind == TY_HIST)
		log_bucket(t, i, &b);
	else
		linear_bucket(t, i, &b);
	if (b.open_low)
		strbuf_addstr(out, "...");
	else
		bound_label(out, t, (uint64_t)b.low);
}

static void pad_to(struct strbuf *out, size_t start, size_t columns)
{
	size_t len = out->len - start;

	if (len < columns)
		strbuf_fill(out, ' ', columns - len);
}

static void bucket_text(struct strbuf *out, const struct type *t, const struct bucket *b, uint64_t most)
{
	/* Single precision: the same rounding, and so the same bars, as the reference. */
	size_t bar = most ? (size_t)((float)b->count / (float)most * BAR_COLUMNS) : 0;
	size_t start = out->len;
	char digits[64], *end = digits + sizeof(digits), *p = number_digits(end, b->count, 10, false);

	bucket_label(out, t, b);
	pad_to(out, start, LABEL_COLUMNS);
	if (end - p < COUNT_COLUMNS)
		strbuf_fill(out, ' ', COUNT_COLUMNS - (size_t)(end - p));
	strbuf_add(out, p, (size_t)(end - p));
	strbuf_addstr(out, " |");
	start = out->len;
	strbuf_fill(out, '@', bar);
	pad_to(out, start, BAR_COLUMNS);
	strbuf_addstr(out, "|\n");
}

void hist_text(struct strbuf *out, const struct type *t, const uint8_t *data, int64_t div)
{
	struct hist h;
	uint64_t most = 0;

	if (!hist_init(&h, t, data, div))
		return;
	for (uint32_t i = h.first; i <= h.last; i++)
		most = MAX(most, bucket_at(&h, i).count);
	for (uint32_t i = h.first; i <= h.last; i++) {
		struct bucket b = bucket_at(&h, i);

		bucket_text(out, t, &b, most);
	}
}

void hist_each(const struct type *t, const uint8_t *data, int64_t div,
	       void (*fn)(void *ctx, const int64_t *low, const int64_t *high, uint64_t count), void *ctx)
{
	struct hist h;

	if (!hist_init(&h, t, data, div))
		return;
	for (uint32_t i = h.first; i <= h.last; i++) {
		struct bucket b = bucket_at(&h, i);
		int64_t high = (int64_t)(b.end - 1);

		fn(ctx, b.open_low ? NULL : &b.low, b.open_high ? NULL : &high, b.count);
	}
}

static void bucket_json(struct strbuf *out, const struct bucket *b)
{
	strbuf_addch(out, '{');
	if (!b->open_low) {
		strbuf_addstr(out, "\"min\": ");
		json_int(out, b->low);
		strbuf_addstr(out, ", ");
	}
	if (!b->open_high) {
		strbuf_addstr(out, "\"max\": ");
		json_int(out, (int64_t)(b->end - 1));
		strbuf_addstr(out, ", ");
	}
	strbuf_addstr(out, "\"count\": ");
	strbuf_addu64(out, b->count);
	strbuf_addch(out, '}');
}

void hist_json(struct strbuf *out, const struct type *t, const uint8_t *data, int64_t div)
{
	struct hist h;

	strbuf_addch(out, '[');
	if (hist_init(&h, t, data, div)) {
		for (uint32_t i = h.first; i <= h.last; i++) {
			struct bucket b = bucket_at(&h, i);

			if (i > h.first)
				strbuf_addch(out, ',');
			bucket_json(out, &b);
		}
	}
	strbuf_addch(out, ']');
}
