/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Heat as a picture: time to the right, values upwards, and for each panel a scale of its own. */
#include "view/heat.h"

#include "base/util.h"
#include "view/columns.h"
#include "view/parts.h"
#include "view/series.h"
#include "view/svg.h"

#define LEFT 84
#define RIGHT 24
#define TOP 52
#define HEAD 30  /* of a panel */
#define FOOT 40
#define PLOT (SVG_WIDTH - LEFT - RIGHT)
#define LEGEND 160
#define TICKS 8

static uint32_t bucket_height(const struct heat_panel *p)
{
	uint32_t n = p->last - p->first + 1;

	return n > 120 ? 3 : n > 40 ? 8 : n > 15 ? 14 : n > 6 ? 20 : 30;
}

static uint32_t plot_height(const struct heat_panel *p)
{
	return p->any ? (p->last - p->first + 1) * bucket_height(p) : 0;
}

static void add_cells(struct strbuf *out, const struct heat_panel *p, uint32_t top)
{
	double step = (double)PLOT / (double)MAX(p->nsteps, 1U);
	uint32_t row = bucket_height(p);

	for (size_t s = 0; s < p->nsteps; s++) {
		for (uint32_t b = p->first; b <= p->last; b++) {
			uint64_t n = p->counts[s * p->nbuckets + b];

			if (!n)
				continue;
			strbuf_addf(out, "<rect x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%u\" fill=\"#%06x\"><title>", LEFT + (double)s * step,
				    top + (p->last - b) * row, step > 4 ? step - 0.6 : step + 0.2, row > 6 ? row - 1 : row,
				    colour_heat(0.12 + 0.88 * heat_level(n, p->most)));
			clock_text(out, p->steps[s].time_ns);
			strbuf_addch(out, ' ');
			hist_range_text(out, p->map->value, b);
			strbuf_addstr(out, ": ");
			number_grouped(out, n);
			strbuf_addstr(out, "</title></rect>\n");
		}
	}
}

/* At the first step of each round time. */
static void add_times(struct strbuf *out, const struct heat_panel *p, uint32_t bottom)
{
	uint64_t step = time_step(p->steps[p->nsteps - 1].time_ns - p->steps[0].time_ns, TICKS);
	uint64_t next = time_first(p->steps[0].time_ns, step);

	for (size_t s = 0; s < p->nsteps; s++) {
		double x = LEFT + (double)PLOT * (double)s / (double)p->nsteps;

		/* One step alone has its own time. */
		if (p->steps[s].time_ns < next && p->nsteps > 1)
			continue;
		strbuf_addf(out, "<line class=\"rule\" x1=\"%.1f\" y1=\"%u\" x2=\"%.1f\" y2=\"%u\" stroke=\"#999\"/>"
			    "<text class=\"faint\" x=\"%.1f\" y=\"%u\" text-anchor=\"middle\">", x, bottom, x, bottom + 6,
			    MIN(x, time_most_x(step)), bottom + 19);
		time_text(out, p->nsteps > 1 ? next : p->steps[s].time_ns, step);
		strbuf_addstr(out, "</text>\n");
		while (next <= p->steps[s].time_ns)
			next += step;
	}
}

static void add_axes(struct strbuf *out, const struct heat_panel *p, uint32_t top)
{
	uint32_t row = bucket_height(p), every = (13 + row - 1) / row, bottom = top + plot_height(p);

	for (uint32_t b = p->first; b <= p->last; b += every) {
		strbuf_addf(out, "<text class=\"faint\" x=\"%d\" y=\"%u\" text-anchor=\"end\">", LEFT - 8,
			    top + (p->last - b) * row + MIN(row, 26U) / 2 + 4 + (row > 26 ? row / 2 - 13 : 0));
		hist_low_text(out, p->map->value, b);
		strbuf_addstr(out, "</text>\n");
	}
	add_times(out, p, bottom);
}

/* From one to the most that was in a cell. */
static void add_legend(struct strbuf *out, const struct heat_panel *p, uint32_t y)
{
	int left = SVG_WIDTH - RIGHT - LEGEND;
	_cleanup_strbuf_ struct strbuf most = STRBUF_INIT;

	number_grouped(&most, p->most);
	left -= (int)(most.len * 7 + 10);
	strbuf_addf(out, "<text class=\"faint\" x=\"%d\" y=\"%u\" text-anchor=\"end\">1</text>\n", left - 6, y + 9);
	for (int i = 0; i < LEGEND / 4; i++)
		strbuf_addf(out, "<rect x=\"%d\" y=\"%u\" width=\"4.2\" height=\"10\" fill=\"#%06x\"/>\n", left + i * 4, y,
			    colour_heat(0.12 + 0.88 * i / (LEGEND / 4.0 - 1)));
	strbuf_addf(out, "<text class=\"faint\" x=\"%d\" y=\"%u\">%s</text>\n", left + LEGEND + 6, y + 9, most.s);
}

static uint32_t panel_draw(struct strbuf *out, const struct heat_panel *p, uint32_t top)
{
	uint32_t height = plot_height(p);

	if (!p->any)
		return top;
	strbuf_addf(out, "<text x=\"%d\" y=\"%u\">", LEFT, top + 18);
	xml_str(out, p->map->name);
	if (*p->key) {
		strbuf_addch(out, '[');
		xml_str(out, p->key);
		strbuf_addch(out, ']');
	}
	strbuf_addstr(out, "</text>\n");
	add_legend(out, p, top + 9);
	top += HEAD;
	strbuf_addf(out, "<rect x=\"%d\" y=\"%u\" width=\"%d\" height=\"%u\" fill=\"#%06x\"/>\n", LEFT, top, PLOT, height,
		    colour_heat(0));
	add_cells(out, p, top);
	add_axes(out, p, top);
	return top + height + FOOT;
}

void heat_draw(struct view *v, const struct heat *h)
{
	const char *title = svg_title(v, "heat map");
	uint32_t height = TOP + 20, top = TOP - 8;

	for (size_t i = 0; i < h->n; i++)
		height += h->panels[i].any ? HEAD + plot_height(&h->panels[i]) + FOOT : 0;
	svg_begin(v, title, (int)height, "rect:hover { stroke: #fff; stroke-width: 1 }\n.page:hover { stroke: none }\n");
	svg_heading(v, RIGHT, title);
	for (size_t i = 0; i < h->n; i++)
		top = panel_draw(&v->out, &h->panels[i], top);
	svg_end(v, NULL);
}
