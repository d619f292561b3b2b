/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Columns: from the type of a record to its cells. */
#include "view/columns.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "view/parts.h"
#include "view/width.h"

static bool is_number(const struct type *t)
{
	return (t->kind == TY_INT || t->kind == TY_POINTER || (t->kind >= TY_COUNT && t->kind <= TY_STATS));
}

/* What most values of a type need; a wider one makes its column wider from there on. */
static uint32_t usual_width(const struct type *t)
{
	switch (t->kind) {
	case TY_INT: return t->size > 4 ? 10 : 7;
	case TY_BOOL: return 5;
	case TY_POINTER: return 18;
	case TY_STRING: return MIN(t->size - 1, 16U);
	case TY_INET: return 15;
	case TY_MAC: return 17;
	case TY_STRFTIME: return 8;
	case TY_USERNAME: return 8;
	case TY_ENUM: case TY_KSYM: case TY_USYM: case TY_SYSCALL_NAME: return 16;
	case TY_COUNT: case TY_SUM: case TY_MIN: case TY_MAX: case TY_AVG: case TY_STATS: return 10;
	default: return 0;
	}
}

static char *capitals(const char *name)
{
	char *title = strdup(name);

	for (char *p = title; p && *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return title;
}

static int column_add(struct columns *c, const char *name, const struct column *model)
{
	struct column *grown = realloc(c->v, (c->n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	c->v = grown;
	c->v[c->n] = *model;
	c->v[c->n].title = capitals(name);
	if (!c->v[c->n].title)
		return -ENOMEM;
	c->v[c->n].right = is_number(model->type);
	c->v[c->n].width = usual_width(model->type);
	c->n++;
	return 0;
}

/* "3" of a tuple is a place, no name. */
static bool is_name(const char *name)
{
	return name && *name && !isdigit((unsigned char)*name);
}

/* One column for each member of what has members, one for all else. `label` may give tuples their names. */
static int columns_add(struct columns *c, const struct type *t, bool in_key, const struct expr *from, const char *name)
{
	bool has_members = (t->kind == TY_TUPLE || t->kind == TY_RECORD || t->kind == TY_STRUCT) && t->nfields;
	struct column model = { .type = t, .in_key = in_key, .field = { .type = t } };
	int err = 0;

	if (!has_members) {
		const char *label = from ? expr_label(from) : NULL;

		return column_add(c, label ? label : name, &model);
	}
	for (uint32_t i = 0; !err && i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		bool written = from && from->kind == EX_TUPLE && i < from->args.n;
		const char *label = is_name(f->name) ? f->name : written ? expr_label(from->args.v[i]) : NULL;
		char numbered[32];

		snprintf(numbered, sizeof(numbered), "%s%u", name, i + 1);
		model.type = f->type;
		model.field = *f;
		err = column_add(c, label ? label : numbered, &model);
	}
	return err;
}

static int stats_add(struct columns *c, const struct type *t)
{
	struct column model = { .type = t, .field = { .type = t }, .part = CELL_COUNT };
	int err = column_add(c, "count", &model);

	model.part = CELL_AVERAGE;
	err = err ? err : column_add(c, "average", &model);
	model.part = CELL_TOTAL;
	return err ? err : column_add(c, "total", &model);
}

/* What the number of a map without a name of its own is. */
static const char *value_name(const struct map *m)
{
	static const char *const names[TY_NKINDS] = {
		[TY_COUNT] = "count", [TY_SUM] = "sum", [TY_MIN] = "min", [TY_MAX] = "max", [TY_AVG] = "average",
		[TY_HIST] = "histogram", [TY_LHIST] = "histogram", [TY_TSERIES] = "series",
	};
	const char *name = names[m->value->kind];

	if (m->name[1])
		return m->name + 1;
	return name ? name : "value";
}

static struct column *column_titled(const struct columns *c, const char *title, size_t len)
{
	for (uint32_t i = 0; len && i < c->n; i++)
		if (strlen(c->v[i].title) == len && !memcmp(c->v[i].title, title, len))
			return &c->v[i];
	return NULL;
}

/* A title of the spec that is that of a column at another place: it was written for several kinds of rows. */
static bool spec_goes_by_title(const struct columns *c, const char *spec)
{
	for (uint32_t i = 0; *spec; i++) {
		const struct column *named = column_titled(c, spec, strcspn(spec, ",:"));

		if (named && named != &c->v[i])
			return true;
		spec += strcspn(spec, ",");
		spec += *spec == ',';
	}
	return false;
}

/* "PID:7,COMM:16": titles and widths in the order of the columns, or widths of the columns of these titles. */
static int spec_apply(struct columns *c, const char *spec)
{
	bool by_title = spec && spec_goes_by_title(c, spec);

	for (uint32_t i = 0; spec && *spec && (by_title || i < c->n); i++) {
		size_t len = strcspn(spec, ",:");
		struct column *col = by_title ? column_titled(c, spec, len) : &c->v[i];
		char *title = len ? strndup(spec, len) : NULL;

		if (len && !title)
			return -ENOMEM;
		if (col && title) {
			free(col->title);
			col->title = title;
		} else {
			free(title);
		}
		spec += len;
		if (col && *spec == ':')
			col->width = (uint32_t)strtoul(spec + 1, NULL, 10);
		spec += strcspn(spec, ",");
		spec += *spec == ',';
	}
	return 0;
}

static int finish(struct columns *c, const char *spec, int err)
{
	err = err ? err : spec_apply(c, spec);
	for (uint32_t i = 0; !err && i < c->n; i++) {
		uint32_t title = (uint32_t)text_width(c->v[i].title, strlen(c->v[i].title));

		c->v[i].width = MAX(c->v[i].width, title);
	}
	if (err)
		columns_free(c);
	return err;
}

int columns_of_type(struct columns *c, const struct type *t, const char *spec)
{
	*c = (struct columns){ .type = t };
	return finish(c, spec, columns_add(c, t, false, NULL, "value"));
}

int columns_of_map(struct columns *c, const struct map *m, const char *spec)
{
	int err = 0;

	*c = (struct columns){ .map = m };
	if (m->key)
		err = columns_add(c, m->key, true, m->key_from, "key");
	if (!err && m->value->kind == TY_STATS)
		err = stats_add(c, m->value);
	else if (!err)
		err = columns_add(c, m->value, false, NULL, value_name(m));
	return finish(c, spec, err);
}

void columns_free(struct columns *c)
{
	for (uint32_t i = 0; i < c->n; i++)
		free(c->v[i].title);
	free(c->v);
	*c = (struct columns){ 0 };
}

bool columns_continue(struct columns *c, const struct columns *before)
{
	if (c->n != before->n)
		return false;
	for (uint32_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i].title, before->v[i].title) != 0)
			return false;
	for (uint32_t i = 0; i < c->n; i++)
		c->v[i].width = MAX(c->v[i].width, before->v[i].width);
	return true;
}

static int64_t part_of(const struct agg *a, enum cell_part part)
{
	return part == CELL_COUNT ? a->count : part == CELL_TOTAL ? a->total : a->value;
}

void cell_text(const struct view *v, struct strbuf *out, const struct column *col, const uint8_t *key,
	       const uint8_t *value, int64_t div)
{
	const uint8_t *data = col->in_key ? key : value;
	uint8_t tmp[8];
	struct agg a;

	if (col->part != CELL_WHOLE) {
		if (agg_load(col->type, data, div, &a))
			agg_number(out, &a, part_of(&a, col->part));
		return;
	}
	data = field_bytes(&col->field, data, tmp);
	if (col->in_key)
		key_text(v, out, col->type, data);
	else
		value_text_div(v, out, col->type, data, div);
}

bool cell_int(const struct column *col, const uint8_t *key, const uint8_t *value, int64_t *number)
{
	const uint8_t *data = col->in_key ? key : value;
	uint8_t tmp[8];
	struct agg a;

	if (col->part == CELL_WHOLE)
		return value_int(col->type, field_bytes(&col->field, data, tmp), number);
	if (!agg_load(col->type, data, 1, &a))
		return false;
	*number = part_of(&a, col->part);
	return true;
}
