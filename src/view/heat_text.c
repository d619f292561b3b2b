/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Heat as lines of text: one for each print, one group of characters for each bucket. */
#include "view/heat.h"

#include "base/util.h"
#include "view/columns.h"
#include "view/parts.h"
#include "view/svg.h"
#include "view/terminal.h"

#define TIME_COLUMNS 10
#define TOTAL_COLUMNS 12
#define MOST_CELL 6
#define LEAST_ROOM 8
/* On a terminal the heading has scrolled away by then. */
#define LINES_PER_HEAD 20

/* How buckets become cells. */
struct cells {
	uint32_t first, last;
	uint32_t width; /* characters of a cell */
	uint32_t group; /* buckets in it */
};

static struct cells cells_of(const struct view *v, const struct heat_panel *p)
{
	uint32_t n = p->last - p->first + 1, columns = terminal_columns(v);
	uint32_t room = columns > TIME_COLUMNS + TOTAL_COLUMNS + LEAST_ROOM ? columns - TIME_COLUMNS - TOTAL_COLUMNS : LEAST_ROOM;
	uint32_t group = (n + room - 1) / room, ncells = (n + group - 1) / group;

	return (struct cells){ .first = p->first, .last = p->last, .group = group, .width = MIN(room / ncells, MOST_CELL) };
}

/* Where buckets begin, as often as there is room. */
static void add_bounds(struct strbuf *out, const struct heat_panel *p, const struct cells *c)
{
	size_t start = out->len;

	for (uint32_t b = c->first, at = 0; b <= c->last; b += c->group, at += c->width) {
		_cleanup_strbuf_ struct strbuf label = STRBUF_INIT;

		if (out->len > start && out->len - start + 1 > at)
			continue;
		hist_low_text(&label, p->map->value, b);
		strbuf_fill(out, ' ', at - (out->len - start));
		strbuf_add(out, label.s, label.len);
	}
	strbuf_addch(out, '\n');
}

static void add_heading(struct view *v, struct heat *h, struct heat_panel *p, const struct cells *c)
{
	struct strbuf *out = &v->out;

	if (h->n > 1 || *p->key) {
		strbuf_addf(out, "%s%s", h->last ? "\n" : "", p->map->name);
		if (*p->key)
			strbuf_addf(out, "[%s]", p->key);
		strbuf_addch(out, '\n');
	}
	strbuf_fill(out, ' ', TIME_COLUMNS);
	add_bounds(out, p, c);
	p->head_first = c->first;
	p->head_last = c->last;
	p->lines = 0;
}

static void add_cell(struct strbuf *out, enum colour_depth depth, double level, uint32_t width)
{
	static const char ramp[] = " .:-=+*#%@";

	if (depth == DEPTH_NONE || level <= 0) {
		size_t i = level <= 0 ? 0 : 1 + (size_t)(level * (sizeof(ramp) - 3) + 0.5);

		strbuf_fill(out, ramp[MIN(i, sizeof(ramp) - 2)], width);
		return;
	}
	terminal_background(out, depth, colour_heat(0.15 + 0.85 * level));
	strbuf_fill(out, ' ', width);
	terminal_plain(out, depth);
}

void heat_line(struct view *v, struct heat *h, struct heat_panel *p, const uint64_t *now, uint64_t time_ns)
{
	enum colour_depth depth = terminal_depth(v);
	struct strbuf *out = &v->out;
	struct cells c = cells_of(v, p);
	uint64_t total = 0;

	if (!p->any)
		return;
	if (h->last != p || p->head_first != c.first || p->head_last != c.last ||
	    (v->is_terminal && p->lines >= LINES_PER_HEAD))
		add_heading(v, h, p, &c);
	clock_text(out, time_ns);
	strbuf_addstr(out, " |");
	for (uint32_t b = c.first; b <= c.last; b += c.group) {
		uint64_t count = 0;

		for (uint32_t i = b; i < b + c.group && i <= c.last; i++)
			count += now[i];
		total += count;
		p->most = MAX(p->most, count);
		add_cell(out, depth, heat_level(count, p->most), c.width);
	}
	strbuf_addch(out, '|');
	if (terminal_columns(v) > TIME_COLUMNS + TOTAL_COLUMNS + LEAST_ROOM)
		strbuf_addf(out, " %llu", (unsigned long long)total);
	strbuf_addch(out, '\n');
	p->lines++;
	h->last = p;
}
