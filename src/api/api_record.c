/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Record: what a caller may ask of the record at hand. */
#include "api/record.h"

#include "api/api.h"

_Static_assert((int)SONDE_ATTACHED == REC_ATTACHED && (int)SONDE_PRINTF == REC_PRINTF && (int)SONDE_VALUE == REC_VALUE &&
	       (int)SONDE_MAP == REC_MAP && (int)SONDE_TIME == REC_TIME && (int)SONDE_TEXT == REC_TEXT &&
	       (int)SONDE_LOST == REC_LOST && (int)SONDE_MESSAGE == REC_MESSAGE && (int)SONDE_TEST == REC_TEST &&
	       (int)SONDE_BENCH == REC_BENCH,
	       "kinds of records are the same inside and outside");

/*
 * Callers hold a const record; that its texts are made and kept when first asked for is not a change they
 * could see.
 */
static struct sonde_record *cache_of(const struct sonde_record *r)
{
	return (struct sonde_record *)(uintptr_t)r;
}

void record_init(struct sonde_record *r, const struct module *m, const struct resolver *resolver)
{
	*r = (struct sonde_record){ .module = m, .resolver = resolver, .key = STRBUF_INIT, .value = STRBUF_INIT,
		.filled = STRBUF_INIT };
}

void record_set(struct sonde_record *r, const struct record *rec)
{
	r->rec = rec;
	r->has_text = r->has_json = false;
}

void record_free(struct sonde_record *r)
{
	if (r->text.def)
		view_close(&r->text);
	if (r->json.def)
		view_close(&r->json);
	strbuf_free(&r->key);
	strbuf_free(&r->value);
	strbuf_free(&r->filled);
}

/* The record through a view, without the newline at its end. */
static const char *render(const struct sonde_record *r, struct view *v, const char *name)
{
	const struct view_def *def = view_find(name);

	if (!v->def && def && view_open(v, def, -1))
		v->def = NULL;
	if (!v->def)
		return "";
	v->module = r->module;
	v->resolver = r->resolver;
	v->err = 0;
	strbuf_reset(&v->out);
	if (view_record(v, r->rec))
		return "";
	return v->out.s;
}

enum sonde_record_kind sonde_record_kind(const struct sonde_record *r)
{
	return (enum sonde_record_kind)r->rec->kind;
}

const char *sonde_record_text(const struct sonde_record *r)
{
	struct sonde_record *c = cache_of(r);

	if (r->has_text)
		return r->text.out.s;
	c->has_text = true;
	return render(r, &c->text, "text");
}

const char *sonde_record_json(const struct sonde_record *r)
{
	struct sonde_record *c = cache_of(r);
	struct strbuf *out = &c->json.out;

	if (r->has_json)
		return r->json.out.s;
	c->has_json = true;
	if (*render(r, &c->json, "json") && out->s[out->len - 1] == '\n')
		out->s[--out->len] = 0;
	return out->s;
}

uint64_t sonde_record_number(const struct sonde_record *r)
{
	return r->rec->table ? r->rec->table->nrows : r->rec->number;
}

const char *sonde_record_map(const struct sonde_record *r)
{
	return r->rec->table ? r->rec->table->map->name : NULL;
}

static const struct row *row_of(const struct sonde_record *r, size_t row)
{
	const struct table *t = r->rec->table;

	return t && row < t->nrows ? &t->rows[row] : NULL;
}

/* Numbers and names in keys and values are shown as the text view shows them. */
static const struct view *plain_view(const struct sonde_record *r, struct view *v)
{
	*v = (struct view){ .module = r->module, .fd = -1, .out = STRBUF_INIT };
	return v;
}

const char *sonde_record_key(const struct sonde_record *r, size_t row)
{
	struct sonde_record *c = cache_of(r);
	const struct row *found = row_of(r, row);
	struct view v;

	if (!found)
		return NULL;
	strbuf_reset(&c->key);
	if (found->key)
		key_text(plain_view(r, &v), &c->key, r->rec->table->map->key, found->key);
	return c->key.s;
}

const char *sonde_record_value(const struct sonde_record *r, size_t row)
{
	struct sonde_record *c = cache_of(r);
	const struct row *found = row_of(r, row);
	struct view v;

	if (!found)
		return NULL;
	strbuf_reset(&c->value);
	value_text(plain_view(r, &v), &c->value, r->rec->table->map->value, found->value);
	return c->value.s;
}

bool sonde_record_value_int(const struct sonde_record *r, size_t row, int64_t *value)
{
	const struct row *found = row_of(r, row);

	return found && value_int(r->rec->table->map->value, found->value, value);
}

/* ---- parts ---- */

/* Types that are made of parts; anything else is one part. */
static bool has_parts(const struct type *t)
{
	return t->kind == TY_TUPLE || t->kind == TY_RECORD;
}

static size_t parts_count(const struct type *t)
{
	return has_parts(t) ? t->nfields : 1;
}

/* The type of a part of a value; *data moves on to it. NULL: there is no such part. */
static const struct type *part_of(const struct type *t, size_t part, const uint8_t **data)
{
	if (part >= parts_count(t))
		return NULL;
	if (!has_parts(t))
		return t;
	*data += t->fields[part].offset;
	return t->fields[part].type;
}

/* The whole payload: zeros that were not sent are put back. NULL: there is none, or no memory. */
static const uint8_t *payload_of(const struct sonde_record *r)
{
	struct strbuf *b = &cache_of(r)->filled;
	const struct record *rec = r->rec;

	if (!rec->type || (rec->kind != REC_PRINTF && rec->kind != REC_VALUE))
		return NULL;
	if (rec->len >= rec->type->size)
		return rec->data;
	strbuf_reset(b);
	if (rec->len)
		strbuf_add(b, rec->data, rec->len);
	strbuf_fill(b, 0, rec->type->size - rec->len);
	return b->failed ? NULL : (const uint8_t *)b->s;
}

static const char *part_text(const struct sonde_record *r, const struct type *t, const uint8_t *data, struct strbuf *out)
{
	struct view v = { .module = r->module, .resolver = r->resolver, .fd = -1, .out = STRBUF_INIT };

	strbuf_reset(out);
	value_text(&v, out, t, data);
	return out->s;
}

size_t sonde_record_parts(const struct sonde_record *r)
{
	const struct record *rec = r->rec;

	return rec->type && (rec->kind == REC_PRINTF || rec->kind == REC_VALUE) ? parts_count(rec->type) : 0;
}

bool sonde_record_part_int(const struct sonde_record *r, size_t part, int64_t *value)
{
	const uint8_t *data = payload_of(r);
	const struct type *t = data ? part_of(r->rec->type, part, &data) : NULL;

	return t && value_int(t, data, value);
}

const char *sonde_record_part(const struct sonde_record *r, size_t part)
{
	const uint8_t *data = payload_of(r);
	const struct type *t = data ? part_of(r->rec->type, part, &data) : NULL;

	return t ? part_text(r, t, data, &cache_of(r)->value) : NULL;
}

static const struct type *key_part(const struct sonde_record *r, size_t row, size_t part, const uint8_t **data)
{
	const struct row *found = row_of(r, row);

	if (!found || !found->key)
		return NULL;
	*data = found->key;
	return part_of(r->rec->table->map->key, part, data);
}

bool sonde_record_key_part_int(const struct sonde_record *r, size_t row, size_t part, int64_t *value)
{
	const uint8_t *data;
	const struct type *t = key_part(r, row, part, &data);

	return t && value_int(t, data, value);
}

const char *sonde_record_key_part(const struct sonde_record *r, size_t row, size_t part)
{
	const uint8_t *data;
	const struct type *t = key_part(r, row, part, &data);

	return t ? part_text(r, t, data, &cache_of(r)->key) : NULL;
}
