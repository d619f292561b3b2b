/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Series as text: a chart for each, of braille dots where the terminal can show them. */
#include "view/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "view/columns.h"
#include "view/parts.h"
#include "view/terminal.h"

#define ROWS 8
#define LABEL 12
#define LEAST_CELLS 8
#define MOST_CELLS 400

/* Dots of a character: 2 beside each other, 4 above each other. */
struct chart {
	uint8_t dots[ROWS][MOST_CELLS];
	unsigned cells;
	bool braille;
};

static unsigned dots_across(const struct chart *c)
{
	return c->braille ? c->cells * 2 : c->cells;
}

static unsigned dots_up(const struct chart *c)
{
	return c->braille ? ROWS * 4 : ROWS;
}

/* From the left and from below. */
static void dot(struct chart *c, unsigned x, unsigned y)
{
	static const uint8_t bits[4][2] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } };
	unsigned down = dots_up(c) - 1 - y;

	if (c->braille)
		c->dots[down / 4][x / 2] |= bits[down % 4][x % 2];
	else
		c->dots[down][x] = 1;
}

static unsigned place(double at, double low, double high, unsigned n)
{
	double share = high > low ? (at - low) / (high - low) : 0.5;

	return (unsigned)MAX(0.0, MIN(share * (n - 1) + 0.5, n - 1.0));
}

/* From one point to the next, without gaps. */
static void line(struct chart *c, unsigned x0, unsigned y0, unsigned x1, unsigned y1)
{
	int dx = (int)x1 - (int)x0, dy = (int)y1 - (int)y0, steps = MAX(abs(dx), abs(dy));

	for (int i = 0; i <= steps; i++)
		dot(c, (unsigned)((int)x0 + (steps ? dx * i / steps : 0)), (unsigned)((int)y0 + (steps ? dy * i / steps : 0)));
}

static void chart_fill(struct chart *c, const struct series *s, const struct point *low, const struct point *high)
{
	unsigned before_x = 0, before_y = 0;

	for (size_t i = 0; i < s->n; i++) {
		unsigned x = place((double)(s->points[i].time_ns - low->time_ns), 0, (double)(high->time_ns - low->time_ns), dots_across(c));
		unsigned y = place(s->points[i].value, low->value, high->value, dots_up(c));

		line(c, i ? before_x : x, i ? before_y : y, x, y);
		before_x = x;
		before_y = y;
	}
}

static void add_row(struct strbuf *out, const struct chart *c, unsigned row)
{
	unsigned end = c->cells;

	while (end && !c->dots[row][end - 1])
		end--;
	for (unsigned x = 0; x < end; x++) {
		unsigned code = 0x2800 + c->dots[row][x];

		if (!c->dots[row][x])
			strbuf_addch(out, ' ');
		else if (c->braille)
			strbuf_addf(out, "%c%c%c", 0xe0 | code >> 12, 0x80 | (code >> 6 & 0x3f), 0x80 | (code & 0x3f));
		else
			strbuf_addch(out, '*');
	}
	strbuf_addch(out, '\n');
}

static void add_label(struct strbuf *out, double value, double step)
{
	_cleanup_strbuf_ struct strbuf label = STRBUF_INIT;

	series_number(&label, value, step);
	strbuf_fill(out, ' ', label.len < LABEL - 2 ? LABEL - 2 - label.len : 0);
	strbuf_add(out, label.s, label.len);
}

static void add_title(struct strbuf *out, const struct series *s)
{
	strbuf_addstr(out, s->group);
	if (*s->name)
		strbuf_addf(out, "[%s]", s->name);
	strbuf_addstr(out, ": last ");
	series_number(out, s->points[s->n - 1].value, 1);
	strbuf_addch(out, '\n');
}

static void add_times(struct strbuf *out, const struct chart *c, const struct point *low, const struct point *high)
{
	strbuf_fill(out, ' ', LABEL);
	clock_text(out, low->time_ns);
	if (c->cells > 16) {
		strbuf_fill(out, ' ', c->cells - 16);
		clock_text(out, high->time_ns);
	}
	strbuf_addch(out, '\n');
}

static void series_draw(struct view *v, const struct series *s, struct chart *c)
{
	enum colour_depth depth = terminal_depth(v);
	struct point low, high;
	double step;

	memset(c->dots, 0, sizeof(c->dots));
	series_bounds(s, 1, &low, &high);
	step = series_step(low.value, high.value, ROWS);
	chart_fill(c, s, &low, &high);
	add_title(&v->out, s);
	for (unsigned row = 0; row < ROWS; row++) {
		if (row == 0 || row == ROWS - 1)
			add_label(&v->out, row ? low.value : high.value, step);
		else
			strbuf_fill(&v->out, ' ', LABEL - 2);
		strbuf_addstr(&v->out, " |");
		terminal_foreground(&v->out, depth, 0xf0883e);
		add_row(&v->out, c, row);
		terminal_plain(&v->out, depth);
	}
	add_times(&v->out, c, &low, &high);
}

/* As many charts as there is room for, one under the other. */
static void charts_draw(struct view *v, const struct series_set *set, struct chart *c, unsigned room)
{
	unsigned lines = 0;

	for (size_t i = 0; i < set->n; i++) {
		if (!set->v[i].n)
			continue;
		lines += ROWS + 2 + (i > 0);
		if (lines + 1 > room && i) {
			strbuf_addf(&v->out, "... and %zu more\n", set->n - i);
			return;
		}
		strbuf_addstr(&v->out, i ? "\n" : "");
		series_draw(v, &set->v[i], c);
	}
}

void series_text(struct view *v, struct series_set *set, bool is_final)
{
	struct chart *c = calloc(1, sizeof(*c));
	unsigned columns = terminal_columns(v);
	size_t before;

	if (!c) {
		v->out.failed = true;
		return;
	}
	c->cells = columns > LABEL + LEAST_CELLS ? MIN(columns - LABEL - 1, MOST_CELLS) : LEAST_CELLS;
	c->braille = terminal_is_utf8();
	frame_whole_begin(v, &set->frame, &before);
	charts_draw(v, set, c, frame_room(v, &set->frame, is_final));
	frame_whole_end(v, &set->frame, before, is_final);
	free(c);
}
