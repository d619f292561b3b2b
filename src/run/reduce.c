/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reduce: per-CPU values to one, and the order of rows. */
#include "run/reduce.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Map values lie at any address within a row, so they are read by memcpy. */
static uint64_t word_at(const uint8_t *p, size_t index)
{
	uint64_t v;

	memcpy(&v, p + index * sizeof(v), sizeof(v));
	return v;
}

static void word_set(uint8_t *p, size_t index, uint64_t v)
{
	memcpy(p + index * sizeof(v), &v, sizeof(v));
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_s64(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_word(const struct type *t, uint64_t a, uint64_t b)
{
	return t->is_signed ? compare_s64((int64_t)a, (int64_t)b) : compare_u64(a, b);
}

/* An integer of 1, 2, 4 or 8 bytes, extended as its type says. */
static uint64_t int_at(const struct type *t, const uint8_t *p)
{
	uint64_t v = 0;
	uint32_t bits = t->size * 8;

	memcpy(&v, p, MIN(t->size, sizeof(v)));
	if (t->is_signed && bits < 64 && (v >> (bits - 1)) & 1)
		v |= ~0ULL << bits;
	return v;
}

static void reduce_words(const uint8_t *values, size_t stride, uint32_t ncpus, uint8_t *out, size_t bytes)
{
	for (size_t i = 0; i < bytes / sizeof(uint64_t); i++) {
		uint64_t sum = 0;

		for (uint32_t cpu = 0; cpu < ncpus; cpu++)
			sum += word_at(values + cpu * stride, i);
		word_set(out, i, sum);
	}
}

/* In the map the best is the largest; a value of zeros is none. */
static void reduce_extreme(const struct type *t, const uint8_t *values, size_t stride, uint32_t ncpus,
			   uint8_t *out)
{
	uint64_t best = 0, set = 0;

	for (uint32_t cpu = 0; cpu < ncpus; cpu++) {
		best = MAX(best, word_at(values + cpu * stride, 0));
		set |= word_at(values + cpu * stride, 1);
	}
	word_set(out, 0, set ? best ^ type_extreme_code(t) : 0);
	word_set(out, 1, set);
}

static void reduce_int(const struct type *t, const uint8_t *values, size_t stride, uint32_t ncpus, uint8_t *out)
{
	uint64_t sum = 0;

	for (uint32_t cpu = 0; cpu < ncpus; cpu++)
		sum += int_at(t, values + cpu * stride);
	memcpy(out, &sum, MIN(t->size, sizeof(sum)));
}

static bool all_zero(const uint8_t *p, size_t n)
{
	return !n || (!p[0] && !memcmp(p, p + 1, n - 1));
}

static void reduce_first(const uint8_t *values, size_t stride, uint32_t ncpus, uint8_t *out, size_t bytes)
{
	for (uint32_t cpu = 0; cpu < ncpus; cpu++)
		if (!all_zero(values + cpu * stride, bytes)) {
			memcpy(out, values + cpu * stride, bytes);
			return;
		}
	memset(out, 0, bytes);
}

/* One CPU's slot into what has been gathered of the same place: the later interval counts. */
static void slot_reduce(const struct type *t, const struct tseries_slot *from, struct tseries_slot *to)
{
	if (from->interval != to->interval) {
		if (from->interval > to->interval)
			*to = *from;
		return;
	}
	switch (t->param[2]) {
	case TSERIES_LAST:
		if (from->extra > to->extra)
			*to = *from;
		break;
	case TSERIES_MIN:
		if (compare_word(t, (uint64_t)from->value, (uint64_t)to->value) < 0)
			to->value = from->value;
		break;
	case TSERIES_MAX:
		if (compare_word(t, (uint64_t)from->value, (uint64_t)to->value) > 0)
			to->value = from->value;
		break;
	default:
		to->value = (int64_t)((uint64_t)to->value + (uint64_t)from->value);
		to->extra += from->extra;
	}
}

static void reduce_series(const struct type *t, const uint8_t *values, size_t stride, uint32_t ncpus, uint8_t *out,
			  size_t bytes)
{
	for (size_t at = 0; at + sizeof(struct tseries_slot) <= bytes; at += sizeof(struct tseries_slot)) {
		struct tseries_slot sum = { 0 }, one;

		for (uint32_t cpu = 0; cpu < ncpus; cpu++) {
			memcpy(&one, values + cpu * stride + at, sizeof(one));
			if (one.interval)
				slot_reduce(t, &one, &sum);
		}
		memcpy(out + at, &sum, sizeof(sum));
	}
}

void value_reduce(const struct type *t, const uint8_t *values, size_t stride, uint32_t ncpus, uint8_t *out,
		  size_t bytes)
{
	if (ncpus == 1 && t->kind != TY_MIN && t->kind != TY_MAX) {
		memcpy(out, values, bytes);
		return;
	}
	switch (t->kind) {
	case TY_COUNT:
	case TY_SUM:
	case TY_AVG:
	case TY_STATS:
	case TY_HIST:
	case TY_LHIST:
		reduce_words(values, stride, ncpus, out, bytes);
		break;
	case TY_MIN:
	case TY_MAX:
		reduce_extreme(t, values, stride, ncpus, out);
		break;
	case TY_TSERIES:
		reduce_series(t, values, stride, ncpus, out, bytes);
		break;
	case TY_INT:
		reduce_int(t, values, stride, ncpus, out);
		break;
	default:
		reduce_first(values, stride, ncpus, out, bytes);
	}
}

static int fields_compare(const struct type *t, const uint8_t *a, const uint8_t *b)
{
	for (uint32_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		int c = key_compare(f->type, a + f->offset, b + f->offset);

		if (c)
			return c;
	}
	return 0;
}

int key_compare(const struct type *t, const uint8_t *a, const uint8_t *b)
{
	switch (t->kind) {
	case TY_INT:
	case TY_BOOL:
	case TY_ENUM:
	case TY_POINTER:
		return compare_word(t, int_at(t, a), int_at(t, b));
	case TY_TUPLE:
	case TY_RECORD:
		return fields_compare(t, a, b);
	case TY_STRING:
		return strncmp((const char *)a, (const char *)b, t->size);
	default:
		return memcmp(a, b, t->size);
	}
}

/* A record is sorted by its first member, as a table is by the column that its author put first. */
static const struct field *record_first(const struct type *t)
{
	return t->kind == TY_RECORD && t->nfields && t->fields[0].type->kind == TY_INT ? &t->fields[0] : NULL;
}

/* What a row is sorted by before its key; false: by nothing but its key. */
static bool row_weight(const struct type *t, const uint8_t *value, uint64_t *weight)
{
	const struct field *first = record_first(t);
	uint64_t sum = 0, count;

	if (first) {
		*weight = int_at(first->type, value + first->offset);
		return true;
	}

	switch (t->kind) {
	case TY_INT:
	case TY_ENUM:
		*weight = int_at(t, value);
		return true;
	case TY_COUNT:
	case TY_SUM:
	case TY_MIN:
	case TY_MAX:
		*weight = word_at(value, 0);
		return true;
	case TY_AVG:
	case TY_STATS:
		sum = word_at(value, 0);
		count = word_at(value, 1);
		if (count)
			sum = t->is_signed ? (uint64_t)((int64_t)sum / (int64_t)count) : sum / count;
		*weight = sum;
		return true;
	case TY_HIST:
	case TY_LHIST:
		for (uint32_t i = 0; i < type_buckets(t); i++)
			sum += word_at(value, i);
		*weight = sum;
		return true;
	default:
		return false;
	}
}

/*
 * What a row is sorted by, as numbers where it can be: the weight of a histogram is a sum of many words, and a key
 * lies elsewhere in memory.
 */
struct weighted {
	struct row row;
	uint64_t weight, key; /* with the sign's bit the other way round where there are signs, so that they compare */
};

struct order {
	const struct map *map;
	bool weighs;       /* rows have a weight */
	bool by_number;    /* of the same weight: by `key` */
	uint64_t weight_sign, key_sign;
};

#define SIGN_BIT ((uint64_t)1 << 63)

static struct order order_of(const struct map *map, const struct row *row)
{
	const struct type *t = map->value;
	const struct field *first = record_first(t);
	bool is_hist = t->kind == TY_HIST || t->kind == TY_LHIST;
	uint64_t unused;

	t = first ? first->type : t;
	return (struct order){
		.map = map,
		.weighs = row_weight(map->value, row->value, &unused),
		.by_number = map->key && map->key->kind == TY_INT,
		.weight_sign = t->is_signed && !is_hist ? SIGN_BIT : 0,
		.key_sign = map->key && map->key->is_signed ? SIGN_BIT : 0,
	};
}

static struct weighted row_weigh(const struct order *o, const struct row *row)
{
	struct weighted w = { .row = *row };

	if (o->weighs && row_weight(o->map->value, row->value, &w.weight))
		w.weight ^= o->weight_sign;
	if (o->by_number)
		w.key = int_at(o->map->key, row->key) ^ o->key_sign;
	return w;
}

static int weighted_compare(const void *pa, const void *pb, void *ctx)
{
	const struct weighted *a = pa, *b = pb;
	const struct order *o = ctx;
	int c = compare_u64(a->weight, b->weight);

	if (c || !o->map->key)
		return c;
	return o->by_number ? compare_u64(a->key, b->key) : key_compare(o->map->key, a->row.key, b->row.key);
}

/* heap[0] is the least; what was put there may belong further down. */
static void heap_sift(const struct order *o, struct weighted *heap, size_t n)
{
	struct weighted moved = heap[0];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && weighted_compare(&heap[child + 1], &heap[child], (void *)(uintptr_t)o) < 0)
			child++;
		if (weighted_compare(&heap[child], &moved, (void *)(uintptr_t)o) >= 0)
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

/* The first `n` rows in order make a heap; of the others only those that are more than its least are kept. */
static void heap_fill(const struct order *o, struct weighted *heap, const struct row *rows, size_t nrows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		heap[i] = row_weigh(o, &rows[i]);
	qsort_r(heap, n, sizeof(*heap), weighted_compare, (void *)(uintptr_t)o);
	for (size_t i = n; i < nrows; i++) {
		struct weighted w = row_weigh(o, &rows[i]);

		if (weighted_compare(&w, &heap[0], (void *)(uintptr_t)o) <= 0)
			continue;
		heap[0] = w;
		heap_sift(o, heap, n);
	}
	if (n < nrows)
		qsort_r(heap, n, sizeof(*heap), weighted_compare, (void *)(uintptr_t)o);
}

bool rows_sort(const struct map *map, struct row *rows, size_t *nrows, size_t top)
{
	size_t n = top && top < *nrows ? top : *nrows;
	_cleanup_free_ struct weighted *heap = NULL;
	struct order o;

	if (*nrows < 2)
		return true;
	heap = reallocarray(NULL, n, sizeof(*heap));
	if (!heap)
		return false;
	o = order_of(map, rows);
	heap_fill(&o, heap, rows, *nrows, n);
	for (size_t i = 0; i < n; i++)
		rows[i] = heap[i].row;
	*nrows = n;
	return true;
}
