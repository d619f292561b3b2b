/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bars as a picture: a panel for each map of numbers, the largest first, and one for each histogram. */
#include "view/bars.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "view/parts.h"
#include "view/svg.h"
#include "view/width.h"

#define LEFT 24
#define TOP 52
#define HEAD 30   /* of a panel */
#define FOOT 18
#define ROW 20
#define CHAR_WIDTH 6.63
#define MOST_LABEL 60 /* characters */
#define LEAST_LABEL 8
#define NUMBER 120    /* behind a bar */
#define MOST_PANELS 64
#define MOST_BARS 100 /* of numbers that are drawn */

static const uint32_t palette[] = { 0xd9603b, 0x3b7dd9, 0x3fa35c, 0x9a5fd0, 0xd09a1c, 0x2aa6a6 };

/* ---- gathering ---- */

static struct bar_panel *panel_of(struct bars *b, const struct map *m, const char *key)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->panels[i].map == m && str_eq(b->panels[i].key, key))
			return &b->panels[i];
	if (b->n == MOST_PANELS) {
		b->left_out++;
		return NULL;
	}
	if (b->n == b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 8;
		struct bar_panel *grown = reallocarray(b->panels, cap, sizeof(*grown));

		if (!grown)
			return NULL;
		b->panels = grown;
		b->cap = cap;
	}
	b->panels[b->n] = (struct bar_panel){ .map = m, .key = strdup(key) };
	return b->panels[b->n].key ? &b->panels[b->n++] : NULL;
}

static int bar_add(struct bar_panel *p, const char *label, double number)
{
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 16;
		struct bar *grown = reallocarray(p->bars, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		p->bars = grown;
		p->cap = cap;
	}
	p->bars[p->n] = (struct bar){ .label = strdup(label), .now = number };
	return p->bars[p->n].label ? p->n++, 0 : -ENOMEM;
}

/* What comes now is part of what came before, or in addition to it. */
static void bars_begin(struct bars *b, const struct map *m, bool goes_on)
{
	bool adds = m->value->kind == TY_COUNT || m->value->kind == TY_SUM || m->value->kind == TY_HIST || m->value->kind == TY_LHIST;

	for (size_t i = 0; i < b->n; i++) {
		struct bar_panel *p = &b->panels[i];

		for (size_t n = 0; p->map == m && n < p->n; n++) {
			p->bars[n].before += !goes_on && adds ? p->bars[n].now : 0;
			p->bars[n].now = 0;
		}
	}
}

static int by_label(const void *a, const void *b)
{
	return strcmp(((const struct bar *)a)->label, ((const struct bar *)b)->label);
}

/* Bars of numbers are kept in the order of their labels, those of this print behind them. */
static int number_gather(struct bar_panel *p, size_t sorted, const char *label, double number)
{
	struct bar key = { .label = (char *)(uintptr_t)label };
	struct bar *found = sorted ? bsearch(&key, p->bars, sorted, sizeof(key), by_label) : NULL;

	if (!found)
		return bar_add(p, label, number);
	found->now += number;
	return 0;
}

static int numbers_gather(struct view *v, struct bars *b, const struct table *t)
{
	struct bar_panel *p = panel_of(b, t->map, "");
	size_t sorted = p ? p->n : 0;
	int err = 0;

	for (size_t i = 0; p && !err && i < t->nrows; i++) {
		_cleanup_strbuf_ struct strbuf label = STRBUF_INIT;

		if (t->rows[i].key)
			key_text(v, &label, t->map->key, t->rows[i].key);
		else
			strbuf_addstr(&label, t->map->name);
		err = label.failed ? -ENOMEM :
		      number_gather(p, sorted, label.s ? label.s : "", bars_number(t->map->value, t->rows[i].value, t->div));
	}
	if (p && p->n > sorted)
		qsort(p->bars, p->n, sizeof(*p->bars), by_label);
	return err;
}

static int hist_gather(struct view *v, struct bars *b, const struct map *m, const struct row *row)
{
	_cleanup_strbuf_ struct strbuf key = STRBUF_INIT;
	struct bar_panel *p;
	int err = 0;

	if (row->key)
		key_text(v, &key, m->key, row->key);
	p = key.failed ? NULL : panel_of(b, m, key.s ? key.s : "");
	for (uint32_t i = 0; p && !err && i < type_buckets(m->value); i++) {
		_cleanup_strbuf_ struct strbuf label = STRBUF_INIT;

		if (p->n <= i) {
			hist_range_text(&label, m->value, i);
			err = label.failed ? -ENOMEM : bar_add(p, label.s, 0);
		}
		if (!err)
			p->bars[i].now = (double)number_load(row->value + (size_t)i * 8, 8, false);
	}
	return err;
}

int bars_gather(struct view *v, struct bars *b, const struct table *t)
{
	int err = 0;

	bars_begin(b, t->map, t->goes_on);
	if (t->map->value->kind != TY_HIST && t->map->value->kind != TY_LHIST)
		return numbers_gather(v, b, t);
	/* They come smallest first. */
	for (size_t i = t->nrows; !err && i-- > 0;)
		err = hist_gather(v, b, t->map, &t->rows[i]);
	return err;
}

void bars_free(struct bars *b)
{
	for (size_t i = 0; i < b->n; i++) {
		for (size_t n = 0; n < b->panels[i].n; n++)
			free(b->panels[i].bars[n].label);
		free(b->panels[i].bars);
		free(b->panels[i].key);
	}
	free(b->panels);
	free(b);
}

/* ---- drawing ---- */

/* A panel as it is drawn. */
struct drawing {
	const struct bar_panel *panel;
	const struct bar **bars;
	size_t n, left_out;
	double most;
	int label; /* pixels */
	uint32_t colour;
};

static double total(const struct bar *bar)
{
	return bar->before + bar->now;
}

static int by_total(const void *pa, const void *pb)
{
	const struct bar *a = *(const struct bar *const *)pa, *b = *(const struct bar *const *)pb;

	if (total(a) != total(b))
		return total(a) > total(b) ? -1 : 1;
	return strcmp(a->label, b->label);
}

static bool is_hist(const struct bar_panel *p)
{
	return p->map->value->kind == TY_HIST || p->map->value->kind == TY_LHIST;
}

/* Of a histogram the buckets from the first to the last that counted something. */
static void drawing_trim(struct drawing *d)
{
	while (d->n && total(d->bars[d->n - 1]) == 0)
		d->n--;
	while (d->n && total(d->bars[0]) == 0) {
		d->bars++;
		d->n--;
	}
}

static bool drawing_make(struct drawing *d, const struct bar_panel *p, const struct bar **room)
{
	size_t widest = LEAST_LABEL;

	d->panel = p;
	d->bars = room;
	for (d->n = 0; d->n < p->n; d->n++)
		room[d->n] = &p->bars[d->n];
	if (is_hist(p))
		drawing_trim(d);
	else
		qsort(room, d->n, sizeof(const struct bar *), by_total);
	if (!is_hist(p) && d->n > MOST_BARS) {
		d->left_out = d->n - MOST_BARS;
		d->n = MOST_BARS;
	}
	for (size_t i = 0; i < d->n; i++) {
		widest = MAX(widest, text_width(d->bars[i]->label, strlen(d->bars[i]->label)));
		d->most = MAX(d->most, total(d->bars[i]));
	}
	d->label = (int)((double)MIN(widest, (size_t)MOST_LABEL) * CHAR_WIDTH) + LEFT;
	return d->n > 0;
}

static void add_number(struct strbuf *out, double number)
{
	bool is_whole = fabs(number) < 1e18 && number == floor(number);

	if (!is_whole) {
		strbuf_addf(out, "%.6g", number);
		return;
	}
	strbuf_addstr(out, number < 0 ? "-" : "");
	number_grouped(out, (uint64_t)fabs(number));
}

/* The label, cut in its middle where it is too long: names of files differ at their ends. */
static void add_label(struct strbuf *out, const char *label)
{
	_cleanup_strbuf_ struct strbuf plain = STRBUF_INIT;
	size_t width, head, tail;

	text_plain(&plain, label, strlen(label));
	width = text_width(plain.s, plain.len);
	if (width <= MOST_LABEL) {
		xml_text(out, plain.s ? plain.s : "", plain.len);
		return;
	}
	head = text_fit(plain.s, plain.len, MOST_LABEL / 2 - 1);
	tail = text_fit(plain.s, plain.len, width - MOST_LABEL / 2);
	xml_text(out, plain.s, head);
	strbuf_addstr(out, "\xe2\x80\xa6");
	xml_text(out, plain.s + tail, plain.len - tail);
}

static void bar_draw(struct strbuf *out, const struct drawing *d, const struct bar *bar, uint32_t y)
{
	double room = SVG_WIDTH - d->label - 8 - LEFT - NUMBER, share = d->most > 0 ? MAX(total(bar), 0) / d->most : 0;
	_cleanup_strbuf_ struct strbuf number = STRBUF_INIT;

	add_number(&number, total(bar));
	strbuf_addstr(out, "<g class=\"bar\"><title>");
	xml_str(out, bar->label);
	strbuf_addf(out, ": %s</title><rect class=\"track\" x=\"0\" y=\"%u\" width=\"%d\" height=\"%d\" fill=\"none\"/>"
		    "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">",
		    number.s, y, SVG_WIDTH, ROW, d->label, y + 14);
	add_label(out, bar->label);
	strbuf_addf(out, "</text><rect x=\"%d\" y=\"%u\" width=\"%.1f\" height=\"%d\" rx=\"2\" fill=\"#%06x\"/>", d->label + 8, y + 2,
		    share > 0 ? MAX(share * room, 1) : 0, ROW - 5, d->colour);
	strbuf_addf(out, "<text class=\"faint\" x=\"%.1f\" y=\"%u\">%s</text></g>\n", d->label + 14 + share * room, y + 14, number.s);
}

static uint32_t panel_draw(struct strbuf *out, const struct drawing *d, uint32_t top)
{
	strbuf_addf(out, "<text class=\"name\" x=\"%d\" y=\"%u\">", LEFT, top + 18);
	xml_str(out, d->panel->map->name);
	if (*d->panel->key) {
		strbuf_addch(out, '[');
		add_label(out, d->panel->key);
		strbuf_addch(out, ']');
	}
	strbuf_addstr(out, "</text>\n");
	top += HEAD;
	for (size_t i = 0; i < d->n; i++, top += ROW)
		bar_draw(out, d, d->bars[i], top);
	if (d->left_out) {
		strbuf_addf(out, "<text class=\"faint\" x=\"%d\" y=\"%u\" text-anchor=\"end\">and %zu more</text>\n", d->label, top + 14, d->left_out);
		top += ROW;
	}
	return top + FOOT;
}

/* The bars of one map begin at one line. */
static void labels_align(struct drawing *d, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (d[i].panel->map == d[i - 1].panel->map)
			d[i].label = MAX(d[i].label, d[i - 1].label);
	for (size_t i = n; i-- > 1;)
		if (d[i].panel->map == d[i - 1].panel->map)
			d[i - 1].label = d[i].label;
}

void bars_draw(struct view *v, const struct bars *b)
{
	struct drawing *d = calloc(b->n + 1, sizeof(*d));
	size_t nbars = 0, nrows = 0, n = 0;
	uint32_t colour = 0;
	const struct bar **room, **at;
	const char *title = svg_title(v, "histogram");
	uint32_t top = TOP - 8;

	for (size_t i = 0; i < b->n; i++)
		nbars += b->panels[i].n;
	at = room = calloc(nbars + 1, sizeof(const struct bar *));
	if (!d || !room)
		v->err = -ENOMEM;
	for (size_t i = 0; !v->err && i < b->n; at += b->panels[i++].n) {
		colour += i && b->panels[i].map != b->panels[i - 1].map;
		d[n].colour = palette[colour % ARRAY_SIZE(palette)];
		if (!drawing_make(&d[n], &b->panels[i], at))
			continue;
		nrows += d[n].n + (d[n].left_out > 0);
		n++;
	}
	if (!v->err) {
		svg_begin(v, title, (int)(TOP + 12 + nrows * ROW + n * (HEAD + FOOT)), ".bar:hover .track { fill: var(--line); opacity: .6 }\n"
			  ".name { font-weight: 600; font-size: 12px }\n");
		svg_heading(v, LEFT, title);
		labels_align(d, n);
		for (size_t i = 0; i < n; i++)
			top = panel_draw(&v->out, &d[i], top);
		svg_end(v, NULL);
	}
	free(room);
	free(d);
}
