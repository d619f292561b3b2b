/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Heat: histograms that are printed again and again become a heat map: each print is one step of time, each bucket
 * one cell, and how much fell into it is its colour. On the terminal time runs downwards as the prints come; with
 * -o FILE.svg it runs to the right. What a map held when it was printed last is not counted twice.
 */
#include "view/heat.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "view/parts.h"
#include "view/svg.h"

static int heat_open(struct view *v)
{
	v->priv = calloc(1, sizeof(struct heat));
	return v->priv ? 0 : -ENOMEM;
}

static bool is_hist(const struct type *t)
{
	return t->kind == TY_HIST || t->kind == TY_LHIST;
}

static bool heat_suits(const struct module *m)
{
	return program_prints(m, true, is_hist);
}

static bool heat_takes(const struct view *v, const struct record *rec)
{
	(void)v;
	return rec->kind == REC_MAP && is_hist(rec->table->map->value);
}

double heat_level(uint64_t count, uint64_t most)
{
	return count && most ? log1p((double)count) / log1p((double)most) : 0;
}

/* ---- panels: one for each key of each map ---- */

static struct heat_panel *panel_add(struct heat *h, const struct map *map, char *key)
{
	struct heat_panel *grown = realloc(h->panels, (h->n + 1) * sizeof(*grown)), *p;

	if (!grown)
		return NULL;
	h->panels = grown;
	p = &grown[h->n];
	*p = (struct heat_panel){ .map = map, .key = key, .nbuckets = type_buckets(map->value) };
	p->before = calloc(p->nbuckets, sizeof(*p->before));
	if (!p->before)
		return NULL;
	h->n++;
	return p;
}

static struct heat_panel *panel_of(struct view *v, struct heat *h, const struct map *map, const struct row *row)
{
	struct strbuf key = STRBUF_INIT;
	struct heat_panel *p;
	char *text;

	if (row->key)
		key_text(v, &key, map->key, row->key);
	for (size_t i = 0; i < h->n; i++) {
		if (h->panels[i].map == map && str_eq(h->panels[i].key, key.s)) {
			strbuf_free(&key);
			return &h->panels[i];
		}
	}
	text = key.cap ? strbuf_take(&key) : strdup("");
	p = text ? panel_add(h, map, text) : NULL;
	if (!p)
		free(text);
	return p;
}

/* Two steps become one where there are too many, so that a recording of days stays small. */
static void halve(struct heat_panel *p)
{
	for (size_t i = 0; i < p->nsteps / 2; i++) {
		p->steps[i].time_ns = p->steps[2 * i].time_ns;
		for (uint32_t b = 0; b < p->nbuckets; b++)
			p->counts[i * p->nbuckets + b] = p->counts[2 * i * p->nbuckets + b] + p->counts[(2 * i + 1) * p->nbuckets + b];
	}
	p->nsteps /= 2;
	p->merge *= 2;
}

static int step_add(struct heat_panel *p, uint64_t time_ns)
{
	struct heat_step *steps;
	uint64_t *counts;

	p->merge = MAX(p->merge, 1U);
	if (p->nsteps && p->merged < p->merge) {
		p->merged++;
		return 0;
	}
	if (p->nsteps == HEAT_STEPS)
		halve(p);
	p->merged = 1;
	steps = reallocarray(p->steps, p->nsteps + 1, sizeof(*steps));
	if (!steps)
		return -ENOMEM;
	p->steps = steps;
	counts = reallocarray(p->counts, (p->nsteps + 1) * p->nbuckets, sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	p->counts = counts;
	memset(counts + p->nsteps * p->nbuckets, 0, p->nbuckets * sizeof(*counts));
	steps[p->nsteps++] = (struct heat_step){ .time_ns = time_ns };
	return 0;
}

/* What was counted since the last print, into the present step. */
static int step_count(struct heat_panel *p, const uint8_t *data, bool goes_on, uint64_t *now)
{
	uint64_t *counts = p->counts + (p->nsteps - 1) * p->nbuckets;

	for (uint32_t b = 0; b < p->nbuckets; b++) {
		uint64_t n = number_load(data + (size_t)b * 8, 8, false);
		uint64_t before = goes_on && p->before[b] <= n ? p->before[b] : 0;

		p->before[b] = n;
		now[b] = n - before;
		counts[b] += now[b];
	}
	return 0;
}

static void range_widen(struct heat_panel *p, const uint64_t *now)
{
	for (uint32_t b = 0; b < p->nbuckets; b++) {
		if (!now[b])
			continue;
		p->first = p->any ? MIN(p->first, b) : b;
		p->last = p->any ? MAX(p->last, b) : b;
		p->any = true;
		p->most = MAX(p->most, now[b]);
	}
}

static int add_row(struct view *v, const struct table *t, const struct row *row, uint64_t time_ns)
{
	struct heat *h = v->priv;
	struct heat_panel *p = panel_of(v, h, t->map, row);
	_cleanup_free_ uint64_t *now = p ? calloc(p->nbuckets, sizeof(*now)) : NULL;
	int err = now ? step_add(p, time_ns) : -ENOMEM;

	if (err)
		return err;
	step_count(p, row->value, t->goes_on, now);
	range_widen(p, now);
	if (!svg_is_asked(v))
		heat_line(v, h, p, now, time_ns);
	return 0;
}

static bool is_empty(const struct heat_panel *p, const struct row *row)
{
	for (uint32_t b = 0; b < p->nbuckets; b++)
		if (number_load(row->value + (size_t)b * 8, 8, false) != p->before[b])
			return false;
	return true;
}

/* The map that is shown at the end, though all of it was shown before: no step of its own. */
static bool is_repeated(struct view *v, const struct table *t)
{
	struct heat *h = v->priv;

	if (!t->final || !t->goes_on)
		return false;
	for (size_t i = 0; i < t->nrows; i++) {
		const struct heat_panel *p = panel_of(v, h, t->map, &t->rows[i]);

		if (!p || !is_empty(p, &t->rows[i]))
			return false;
	}
	return true;
}

static int heat_record(struct view *v, const struct record *rec)
{
	const struct table *t = rec->table;
	int err = 0;

	if (!heat_takes(v, rec))
		return 0;
	if (is_repeated(v, t))
		return 0;
	for (size_t i = 0; i < t->nrows && !err; i++)
		err = add_row(v, t, &t->rows[i], rec->time_ns);
	return err;
}

static void heat_close(struct view *v)
{
	struct heat *h = v->priv;

	if (svg_is_asked(v) && !v->err)
		heat_draw(v, h);
	for (size_t i = 0; i < h->n; i++) {
		free(h->panels[i].key);
		free(h->panels[i].before);
		free(h->panels[i].steps);
		free(h->panels[i].counts);
	}
	if (!h->n && !v->err)
		report_warning(v->reporter, "print one at intervals: interval:s:1 { print(@h); clear(@h); }",
			       "there are no histograms to show");
	free(h->panels);
	free(h);
	v->priv = NULL;
}

const struct view_def view_heat = {
	.name = "heat",
	.summary = "a heat map of histograms that are printed at intervals; SVG with -o FILE.svg",
	.extensions = { ".svg", ".html", ".txt" },
	.is_picture = true,
	.suits = heat_suits,
	.open = heat_open,
	.takes = heat_takes,
	.record = heat_record,
	.close = heat_close,
};
