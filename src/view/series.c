/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Series: numbers over time, drawn at the end. Each print() of a number is a point, each number of a printed record
 * and each key of a printed map is a series, and a map of tseries() brings its series ready-made.
 */
#include "view/series.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "view/parts.h"
#include "view/svg.h"

static int series_open(struct view *v)
{
	struct series_set *set = calloc(1, sizeof(*set));

	if (!set)
		return -ENOMEM;
	set->group = set->name = (struct strbuf)STRBUF_INIT;
	v->priv = set;
	return 0;
}

static bool has_members(const struct type *t)
{
	return t->kind == TY_TUPLE || t->kind == TY_RECORD;
}

static bool is_number(const struct type *t)
{
	return t->kind == TY_INT || t->kind == TY_BOOL || (t->kind >= TY_COUNT && t->kind <= TY_STATS);
}

static bool holds_number(const struct type *t)
{
	for (uint32_t i = 0; has_members(t) && i < t->nfields; i++)
		if (is_number(t->fields[i].type))
			return true;
	return is_number(t);
}

static bool is_shown(const struct type *t)
{
	return t->kind == TY_TSERIES || holds_number(t);
}

static bool series_suits(const struct module *m)
{
	vec_each(map, &m->maps)
		if (map->map->value->kind == TY_TSERIES)
			return true;
	return program_prints(m, true, is_shown);
}

static bool series_takes(const struct view *v, const struct record *rec)
{
	(void)v;
	if (rec->kind == REC_VALUE)
		return holds_number(rec->type);
	return rec->kind == REC_MAP && is_shown(rec->table->map->value);
}

static bool number_of(const struct type *t, const uint8_t *data, int64_t div, double *value)
{
	int64_t n;
	struct agg a;

	if (t->kind == TY_STATS && agg_load(t, data, div, &a))
		n = a.value;
	else if (!is_number(t) || !value_int(t, data, &n))
		return false;
	else if (div > 1)
		n /= div;
	*value = t->kind == TY_INT && !t->is_signed ? (double)(uint64_t)n : (double)n;
	return true;
}

/* ---- gathering ---- */

/* The series of set->group and set->name; NULL: no memory, or there are too many. */
static struct series *series_find(struct series_set *set, int *err)
{
	struct series *grown;

	*err = 0;
	for (size_t i = 0; i < set->n; i++)
		if (str_eq(set->v[i].group, set->group.s) && str_eq(set->v[i].name, set->name.s))
			return &set->v[i];
	if (set->n == SERIES_MOST) {
		set->left_out++;
		return NULL;
	}
	*err = -ENOMEM;
	grown = reallocarray(set->v, set->n + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	set->v = grown;
	grown[set->n] = (struct series){ .group = strdup(set->group.s), .name = strdup(set->name.s), .merge = 1 };
	if (!grown[set->n].group || !grown[set->n].name) {
		free(grown[set->n].group);
		free(grown[set->n].name);
		return NULL;
	}
	*err = 0;
	return &set->v[set->n++];
}

/* Two points become their average where there are too many. */
static void halve(struct series *s)
{
	for (size_t i = 0; i < s->n / 2; i++)
		s->points[i] = (struct point){ s->points[2 * i].time_ns,
			(s->points[2 * i].value + s->points[2 * i + 1].value) / 2 };
	s->n /= 2;
	s->merge *= 2;
}

static int point_add(struct series *s, uint64_t time_ns, double value)
{
	if (s->n && s->merged < s->merge) {
		struct point *last = &s->points[s->n - 1];

		last->value += (value - last->value) / ++s->merged;
		return 0;
	}
	if (s->n == SERIES_POINTS)
		halve(s);
	if (s->n == s->room) {
		size_t room = s->room ? s->room * 2 : 16;
		struct point *grown = reallocarray(s->points, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->points = grown;
		s->room = room;
	}
	s->merged = 1;
	s->points[s->n++] = (struct point){ time_ns, value };
	return 0;
}

static int add_number(struct series_set *set, uint64_t time_ns, double value)
{
	int err;
	struct series *s = series_find(set, &err);

	return s ? point_add(s, time_ns, value) : err;
}

/* What of a value is no number says whose numbers they are. */
static void name_members(struct view *v, struct strbuf *name, const struct type *t, const uint8_t *data)
{
	uint8_t tmp[8];

	for (uint32_t i = 0; i < t->nfields; i++) {
		if (is_number(t->fields[i].type))
			continue;
		strbuf_addstr(name, name->len ? ", " : "");
		key_text(v, name, t->fields[i].type, field_bytes(&t->fields[i], data, tmp));
	}
}

/* The numbers of a value: of the group `title`, and `.member` of it. */
static int add_numbers(struct view *v, const char *title, const struct type *t, const uint8_t *data, int64_t div,
		       uint64_t time_ns)
{
	struct series_set *set = v->priv;
	uint8_t tmp[8];
	double value;
	int err = 0;

	strbuf_reset(&set->group);
	strbuf_addstr(&set->group, title);
	if (!has_members(t))
		return number_of(t, data, div, &value) ? add_number(set, time_ns, value) : 0;
	name_members(v, &set->name, t, data);
	for (uint32_t i = 0; i < t->nfields && !err; i++) {
		const struct field *f = &t->fields[i];

		if (!number_of(f->type, field_bytes(f, data, tmp), div, &value))
			continue;
		strbuf_reset(&set->group);
		strbuf_addf(&set->group, "%s%s%s", title, *title ? "." : "", f->name);
		err = add_number(set, time_ns, value);
	}
	return err;
}

struct ready_made {
	struct series *s;
	int err;
};

static void add_ready(void *ctx, uint64_t real_ns, double value)
{
	struct ready_made *r = ctx;

	r->err = r->err ? r->err : point_add(r->s, clock_of_real(real_ns), value);
}

/* All of it is shown each time. */
static int add_tseries(struct view *v, const struct map *map, const uint8_t *data)
{
	struct series_set *set = v->priv;
	struct ready_made r = { 0 };

	strbuf_reset(&set->group);
	strbuf_addstr(&set->group, map->name);
	r.s = series_find(set, &r.err);
	if (!r.s)
		return r.err;
	r.s->n = 0;
	tseries_each(map->value, data, add_ready, &r);
	return r.err;
}

static int add_map(struct view *v, const struct table *t, uint64_t time_ns)
{
	struct series_set *set = v->priv;
	int err = 0;

	for (size_t i = 0; i < t->nrows && !err; i++) {
		strbuf_reset(&set->name);
		if (t->map->key)
			key_text(v, &set->name, t->map->key, t->rows[i].key);
		if (t->map->value->kind == TY_TSERIES)
			err = add_tseries(v, t->map, t->rows[i].value);
		else
			err = add_numbers(v, t->map->name, t->map->value, t->rows[i].value, t->div, time_ns);
	}
	return err;
}

static int by_group(const void *a, const void *b)
{
	const struct series *x = a, *y = b;
	int order = strcmp(x->group, y->group);

	return order ? order : strcmp(x->name, y->name);
}

/* On a terminal it is drawn while the numbers come. */
#define DRAW_NS 200000000ULL

static void draw_soon(struct view *v, struct series_set *set, uint64_t time_ns)
{
	if (set->drawn_ns && time_ns - set->drawn_ns < DRAW_NS)
		return;
	set->drawn_ns = time_ns ? time_ns : 1;
	if (set->n > 1)
		qsort(set->v, set->n, sizeof(*set->v), by_group);
	series_text(v, set, false);
}

/* A map that is shown at the end though it was printed before: a last interval that is no whole one. */
static bool is_repeated(const struct series_set *set, const struct record *rec)
{
	if (rec->kind != REC_MAP || !rec->table->final || rec->table->map->value->kind == TY_TSERIES)
		return false;
	for (size_t i = 0; i < set->n; i++)
		if (str_starts(set->v[i].group, rec->table->map->name) && strcspn(set->v[i].group, ".") == strlen(rec->table->map->name))
			return true;
	return false;
}

static int series_record(struct view *v, const struct record *rec)
{
	struct series_set *set = v->priv;
	int err;

	if (!series_takes(v, rec) || is_repeated(set, rec))
		return 0;
	strbuf_reset(&set->name);
	if (rec->kind == REC_MAP)
		err = add_map(v, rec->table, rec->time_ns);
	else
		err = add_numbers(v, has_members(rec->type) ? "" : "value", rec->type, rec->data, 0, rec->time_ns);
	if (!err && v->is_terminal && !svg_is_asked(v))
		draw_soon(v, set, rec->time_ns);
	return err || set->group.failed || set->name.failed ? -ENOMEM : 0;
}

/* ---- what both drawings need ---- */

void series_bounds(const struct series *s, size_t n, struct point *low, struct point *high)
{
	bool any = false;

	*low = *high = (struct point){ 0 };
	for (size_t i = 0; i < n; i++) {
		for (size_t p = 0; p < s[i].n; p++) {
			const struct point *at = &s[i].points[p];

			low->value = any ? MIN(low->value, at->value) : at->value;
			high->value = any ? MAX(high->value, at->value) : at->value;
			low->time_ns = any ? MIN(low->time_ns, at->time_ns) : at->time_ns;
			high->time_ns = any ? MAX(high->time_ns, at->time_ns) : at->time_ns;
			any = true;
		}
	}
}

double series_step(double low, double high, unsigned n)
{
	double rough = (high - low) / n, power;

	if (!(rough > 0))
		return 1;
	power = pow(10, floor(log10(rough)));
	rough /= power;
	return power * (rough <= 1 ? 1 : rough <= 2 ? 2 : rough <= 5 ? 5 : 10);
}

void series_number(struct strbuf *out, double value, double step)
{
	int digits = step >= 1 || step <= 0 ? 0 : (int)ceil(-log10(step));

	if (fabs(value) >= 1e15)
		strbuf_addf(out, "%.3g", value);
	else
		strbuf_addf(out, "%.*f", MIN(digits, 9), value);
}

void series_widen(struct point *low, struct point *high, double step)
{
	low->value = floor(low->value / step + 1e-9) * step;
	high->value = ceil(high->value / step - 1e-9) * step;
	if (low->value == high->value) {
		low->value -= step;
		high->value += step;
	}
}

/* Round distances between times, in milliseconds. */
static const uint32_t time_steps[] = {
	1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 15000, 30000, 60000, 120000, 300000, 600000, 900000,
	1800000, 3600000, 7200000, 10800000, 21600000, 43200000, 86400000,
};

uint64_t time_step(uint64_t range_ns, unsigned most)
{
	for (size_t i = 0; i < ARRAY_SIZE(time_steps); i++)
		if (time_steps[i] * 1000000ULL * most >= range_ns)
			return time_steps[i] * 1000000ULL;
	return (range_ns / most / 86400000000000ULL + 1) * 86400000000000ULL;
}

uint64_t time_first(uint64_t from_ns, uint64_t step_ns)
{
	/* Of the clock on the wall in this place. */
	const uint64_t some_real = 2000000000000000000ULL;
	time_t now = time(NULL);
	struct tm tm;
	uint64_t shift = 0, local;

	if (localtime_r(&now, &tm))
		shift = (uint64_t)(tm.tm_gmtoff + 86400) * 1000000000ULL;
	local = from_ns + (some_real - clock_of_real(some_real)) + shift;
	return from_ns + (step_ns - local % step_ns) % step_ns;
}

void time_text(struct strbuf *out, uint64_t ns, uint64_t step_ns)
{
	const uint64_t some_real = 2000000000000000000ULL;

	clock_text(out, ns);
	if (step_ns < 1000000000ULL)
		strbuf_addf(out, ".%03u", (unsigned)((ns + (some_real - clock_of_real(some_real))) / 1000000 % 1000));
}

static void series_close(struct view *v)
{
	struct series_set *set = v->priv;

	if (set->n)
		qsort(set->v, set->n, sizeof(*set->v), by_group);
	if (!v->err && svg_is_asked(v))
		series_svg(v, set);
	else if (!v->err)
		series_text(v, set, true);
	if (!set->n && !v->err)
		report_warning(v->reporter, "print one at intervals: interval:s:1 { print(@n); }", "there are no numbers to show");
	if (set->left_out)
		report_warning(v->reporter, "a map with fewer keys, or print(@m, 10)", "only %d series are shown", SERIES_MOST);
	for (size_t i = 0; i < set->n; i++) {
		free(set->v[i].group);
		free(set->v[i].name);
		free(set->v[i].points);
	}
	free(set->v);
	strbuf_free(&set->group);
	strbuf_free(&set->name);
	free(set);
	v->priv = NULL;
}

static bool series_stands(const struct view *v)
{
	return frame_stands(v, &((const struct series_set *)v->priv)->frame);
}

static void series_leave(struct view *v)
{
	frame_forget(&((struct series_set *)v->priv)->frame);
}

const struct view_def view_series = {
	.name = "series",
	.summary = "numbers over time, drawn while they come on a terminal; SVG with -o FILE.svg",
	.extensions = { ".svg", ".html", ".txt" },
	.is_picture = true,
	.suits = series_suits,
	.open = series_open,
	.takes = series_takes,
	.record = series_record,
	.close = series_close,
	.stands = series_stands,
	.leave = series_leave,
};
