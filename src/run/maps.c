/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps: read from the kernel, reduced over CPUs, sorted, shown; cleared and zeroed. */
#include <bpf/bpf.h>
#include <errno.h>

#include "base/util.h"
#include "run/internal.h"
#include "run/reduce.h"

/* Read hash maps in portions of about this size. */
#define BATCH_BYTES ((size_t)256 << 10)

/* What a map held when it was read: `n` entries of stride bytes each: key (to a multiple of 8), value. */
struct content {
	const struct map_desc *desc;
	const struct map_handle *handle;
	int fd;
	uint8_t *entries;
	size_t n, cap;
	size_t key_room, stride;
};

static void content_free(struct content *c)
{
	free(c->entries);
}

#define _cleanup_content_ __attribute__((cleanup(content_free)))

static bool desc_is_percpu(const struct map_desc *d)
{
	return d->form == MAP_PERCPU_HASH || d->form == MAP_PERCPU_SCALAR;
}

static bool desc_is_scalar(const struct map_desc *d)
{
	return d->form == MAP_SCALAR || d->form == MAP_PERCPU_SCALAR;
}

static size_t round8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

/* Distance of one CPU's value to the next in what a lookup returns. */
static size_t value_stride(const struct content *c)
{
	return round8(c->handle->value_bytes);
}

/* Bytes of what a lookup returns. */
static size_t lookup_bytes(const struct session *s, const struct content *c)
{
	return desc_is_percpu(c->desc) ? value_stride(c) * s->ncpus : c->handle->value_bytes;
}

static int out_of_memory(const struct session *s, const struct map_desc *d)
{
	return report_error(s->report, -ENOMEM, NULL, "no memory to read map %s", d->map->name);
}

static int cannot_read(const struct session *s, const struct map_desc *d, int err)
{
	return report_error(s->report, err, NULL, "cannot read map %s: %s", d->map->name, strerror(-err));
}

static struct content content_of(const struct session *s, const struct map *map)
{
	const struct map_desc *d = &s->module->maps.v[map->id];

	return (struct content){
		.desc = d,
		.handle = &s->maps[map->id],
		.fd = s->maps[map->id].fd,
		.key_room = desc_is_scalar(d) ? 0 : round8(d->key_bytes),
		.stride = (desc_is_scalar(d) ? 0 : round8(d->key_bytes)) + round8(d->value_bytes),
	};
}

/* Add an entry; key NULL: none. The value is that of a lookup. */
static int content_add(const struct session *s, struct content *c, const uint8_t *key, const uint8_t *value)
{
	const struct map_desc *d = c->desc;
	uint8_t *entry;

	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 64;
		uint8_t *p = reallocarray(c->entries, cap, c->stride);

		if (!p)
			return out_of_memory(s, d);
		c->entries = p;
		c->cap = cap;
	}
	entry = c->entries + c->n++ * c->stride;
	if (key)
		memcpy(entry, key, d->key_bytes);
	value_reduce(d->map->value, value, value_stride(c), desc_is_percpu(d) ? s->ncpus : 1, entry + c->key_room,
		     d->value_bytes);
	return 0;
}

static int scalar_lookup(const struct session *s, const struct content *c, uint8_t *value)
{
	uint32_t zero = 0;
	int err = bpf_map_lookup_elem(c->fd, &zero, value);

	return err ? cannot_read(s, c->desc, err) : 0;
}

static uint64_t scalar_set_word(const struct content *c, const uint8_t *value, uint32_t cpu)
{
	uint64_t set;

	memcpy(&set, value + cpu * value_stride(c) + c->desc->set_offset, sizeof(set));
	return set;
}

/*
 * Does a scalar that has no value show one all the same? What has been counted is known also when nothing happened:
 * as in the reference, it is 0. So is any number or string that is asked for, if not at the end.
 */
static bool shows_zero(const struct session *s, const struct map *map, bool asked)
{
	switch (map->value->kind) {
	case TY_COUNT:
		return asked || !s->maps[map->id].gone;
	case TY_HIST:
	case TY_LHIST:
	case TY_TSERIES:
		return false;
	default:
		return asked;
	}
}

static int scalar_read(const struct session *s, struct content *c, bool asked)
{
	_cleanup_free_ uint8_t *value = malloc(lookup_bytes(s, c));
	uint32_t ncpus = desc_is_percpu(c->desc) ? s->ncpus : 1;
	int err;

	if (!value)
		return out_of_memory(s, c->desc);
	err = scalar_lookup(s, c, value);
	for (uint32_t cpu = 0; !err && cpu < ncpus; cpu++)
		if (scalar_set_word(c, value, cpu))
			return content_add(s, c, NULL, value);
	return err || !shows_zero(s, c->desc->map, asked) ? err : content_add(s, c, NULL, value);
}

static int entry_compare_key(const void *a, const void *b, void *ctx)
{
	const struct content *c = ctx;

	return memcmp(a, b, c->desc->key_bytes);
}

static void content_drop_repetitions(struct content *c)
{
	size_t n = 0;

	if (c->n < 2)
		return;
	qsort_r(c->entries, c->n, c->stride, entry_compare_key, c);
	for (size_t i = 1; i < c->n; i++)
		if (memcmp(c->entries + n * c->stride, c->entries + i * c->stride, c->desc->key_bytes)) {
			n++;
			if (n != i)
				memcpy(c->entries + n * c->stride, c->entries + i * c->stride, c->stride);
		}
	c->n = n + 1;
}

/*
 * Key by key. A key that is deleted meanwhile makes the kernel start again from the beginning, so keys can
 * come twice; that it may happen again and again is bounded here, that it happened is mended by the caller.
 */
static int hash_read_slowly(const struct session *s, struct content *c, uint32_t max_entries)
{
	const struct map_desc *d = c->desc;
	_cleanup_free_ uint8_t *keys = malloc(2 * (size_t)d->key_bytes);
	_cleanup_free_ uint8_t *value = malloc(lookup_bytes(s, c));
	uint8_t *key = keys, *prev = NULL;
	int err;

	if (!keys || !value)
		return out_of_memory(s, d);
	for (uint64_t i = 0; i < 2 * (uint64_t)max_entries; i++) {
		err = bpf_map_get_next_key(c->fd, prev, key);
		if (err)
			return err == -ENOENT ? 0 : cannot_read(s, d, err);
		err = bpf_map_lookup_elem(c->fd, key, value);
		if (!err)
			err = content_add(s, c, key, value);
		if (err && err != -ENOENT)
			return err;
		prev = key;
		key = key == keys ? keys + d->key_bytes : keys;
	}
	return 0;
}

static int batch_add(const struct session *s, struct content *c, const uint8_t *keys, const uint8_t *values,
		     uint32_t n)
{
	size_t bytes = lookup_bytes(s, c);

	for (uint32_t i = 0; i < n; i++) {
		int err = content_add(s, c, keys + (size_t)i * c->desc->key_bytes, values + i * bytes);

		if (err)
			return err;
	}
	return 0;
}

/* 0, -EOPNOTSUPP when the kernel has no batches for this map, or another errno after a report. */
static int hash_read_batches(const struct session *s, struct content *c, uint32_t portion)
{
	const struct map_desc *d = c->desc;
	_cleanup_free_ uint8_t *keys = reallocarray(NULL, portion, d->key_bytes);
	_cleanup_free_ uint8_t *values = reallocarray(NULL, portion, lookup_bytes(s, c));
	/* The position is opaque; hash maps keep a u32 in it, other maps a key. */
	_cleanup_free_ uint8_t *pos = calloc(1, MAX(d->key_bytes, (uint32_t)sizeof(uint64_t)));
	bool first = true;
	int err;

	if (!keys || !values || !pos)
		return out_of_memory(s, d);
	do {
		uint32_t n = portion;

		err = bpf_map_lookup_batch(c->fd, first ? NULL : pos, pos, keys, values, &n, NULL);
		/* A bucket holds more than a portion; nothing was read. */
		if (err == -ENOSPC)
			return -ENOSPC;
		if (err && err != -ENOENT)
			return first ? -EOPNOTSUPP : cannot_read(s, d, err);
		first = false;
		if (batch_add(s, c, keys, values, n))
			return -ENOMEM;
	} while (!err);
	return 0;
}

static int hash_read(const struct session *s, struct content *c)
{
	uint32_t max_entries = c->handle->max_entries;
	size_t portion = BATCH_BYTES / (lookup_bytes(s, c) + c->desc->key_bytes);
	int err;

	portion = MIN(MAX(portion, 32), (size_t)max_entries);
	for (;;) {
		err = hash_read_batches(s, c, (uint32_t)portion);
		if (err != -ENOSPC || portion >= max_entries)
			break;
		c->n = 0;
		portion = MIN(portion * 4, (size_t)max_entries);
	}
	if (err != -EOPNOTSUPP && err != -ENOSPC)
		return err;
	c->n = 0;
	err = hash_read_slowly(s, c, max_entries);
	content_drop_repetitions(c);
	return err;
}

static int content_read(const struct session *s, struct content *c, bool asked)
{
	return desc_is_scalar(c->desc) ? scalar_read(s, c, asked) : hash_read(s, c);
}

static int content_emit(struct session *s, const struct content *c, int64_t top, int64_t div, bool final)
{
	const struct map *map = c->desc->map;
	_cleanup_free_ struct row *rows = reallocarray(NULL, c->n ? c->n : 1, sizeof(*rows));
	struct map_handle *handle = &s->maps[map->id];
	struct table table = { .map = map, .top = top, .div = div, .final = final, .goes_on = handle->shown };
	struct record rec = { .kind = REC_MAP, .table = &table };
	size_t n = 0;

	if (!rows)
		return out_of_memory(s, c->desc);
	for (size_t i = 0; i < c->n; i++) {
		const uint8_t *entry = c->entries + i * c->stride;

		rows[n++] = (struct row){ .key = c->key_room ? entry : NULL, .value = entry + c->key_room };
	}
	if (!rows_sort(map, rows, &n, top > 0 ? (size_t)top : 0))
		return out_of_memory(s, c->desc);
	table.rows = rows;
	table.nrows = n;
	handle->shown = true;
	return record_emit(s, &rec);
}

int map_print(struct session *s, const struct map *map, int64_t top, int64_t div, bool final)
{
	_cleanup_content_ struct content c = content_of(s, map);
	int err = content_read(s, &c, !final);

	if (err || (final && !c.n))
		return err;
	return content_emit(s, &c, top, div, final);
}

int map_print_key(struct session *s, const struct map *map, const uint8_t *key)
{
	_cleanup_content_ struct content c = content_of(s, map);
	_cleanup_free_ uint8_t *value = calloc(1, lookup_bytes(s, &c));
	int err;

	if (!value)
		return out_of_memory(s, c.desc);
	/* A key that is not there reads as zero, as it does in a program. */
	err = bpf_map_lookup_elem(c.fd, key, value);
	if (err && err != -ENOENT)
		return cannot_read(s, c.desc, err);
	err = content_add(s, &c, key, value);
	return err ? err : content_emit(s, &c, 0, 0, false);
}

/* Write zeros over a scalar's value on every CPU; keep_set leaves it set where it was. */
static int scalar_zero(const struct session *s, const struct content *c, bool keep_set)
{
	const struct map_desc *d = c->desc;
	_cleanup_free_ uint8_t *value = calloc(1, lookup_bytes(s, c));
	uint32_t zero = 0, ncpus = desc_is_percpu(d) ? s->ncpus : 1;
	int err;

	if (!value)
		return out_of_memory(s, d);
	if (keep_set) {
		err = scalar_lookup(s, c, value);
		if (err)
			return err;
	}
	for (uint32_t cpu = 0; cpu < ncpus; cpu++)
		memset(value + cpu * value_stride(c), 0, d->set_offset);
	err = bpf_map_update_elem(c->fd, &zero, value, BPF_ANY);
	if (err)
		return report_error(s->report, err, NULL, "cannot clear map %s: %s", d->map->name, strerror(-err));
	return 0;
}

/* Delete the keys that were read; those that went away meanwhile are no error. */
static int hash_delete(const struct session *s, const struct content *c)
{
	for (size_t i = 0; i < c->n; i++) {
		int err = bpf_map_delete_elem(c->fd, c->entries + i * c->stride);

		if (err && err != -ENOENT)
			return report_error(s->report, err, NULL, "cannot clear map %s: %s", c->desc->map->name,
					    strerror(-err));
	}
	return 0;
}

static int hash_zero(const struct session *s, const struct content *c)
{
	_cleanup_free_ uint8_t *value = calloc(1, lookup_bytes(s, c));

	if (!value)
		return out_of_memory(s, c->desc);
	for (size_t i = 0; i < c->n; i++) {
		int err = bpf_map_update_elem(c->fd, c->entries + i * c->stride, value, BPF_EXIST);

		if (err && err != -ENOENT)
			return report_error(s->report, err, NULL, "cannot zero map %s: %s", c->desc->map->name,
					    strerror(-err));
	}
	return 0;
}

int map_clear(struct session *s, const struct map *map)
{
	_cleanup_content_ struct content c = content_of(s, map);
	int err;

	s->maps[map->id].shown = false;
	if (desc_is_scalar(c.desc)) {
		err = scalar_zero(s, &c, false);
		s->maps[map->id].gone = !err;
		return err;
	}
	err = hash_read(s, &c);
	return err ? err : hash_delete(s, &c);
}

int map_zero(struct session *s, const struct map *map)
{
	_cleanup_content_ struct content c = content_of(s, map);
	int err;

	s->maps[map->id].shown = false;
	if (desc_is_scalar(c.desc))
		return scalar_zero(s, &c, true);
	err = hash_read(s, &c);
	return err ? err : hash_zero(s, &c);
}

static int desc_compare_name(const void *a, const void *b)
{
	return strcmp((*(const struct map_desc *const *)a)->map->name, (*(const struct map_desc *const *)b)->map->name);
}

int maps_print_all(struct session *s)
{
	uint32_t n = s->module->maps.n;
	_cleanup_free_ const struct map_desc **sorted = reallocarray(NULL, n ? n : 1, sizeof(*sorted));
	int result = 0;

	if (!sorted)
		return report_error(s->report, -ENOMEM, NULL, "no memory to show the maps");
	for (uint32_t i = 0; i < n; i++)
		sorted[i] = &s->module->maps.v[i];
	if (n > 1)
		qsort(sorted, n, sizeof(sorted[0]), desc_compare_name);
	for (uint32_t i = 0; i < n && !s->result; i++) {
		int err = map_print(s, sorted[i]->map, 0, 0, true);

		result = result ? result : err;
	}
	return result;
}
