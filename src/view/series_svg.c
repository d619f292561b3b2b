/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Series as a picture: a panel for each group, a line for each series. */
#include "view/series.h"

#include <math.h>

#include "base/util.h"
#include "view/parts.h"
#include "view/svg.h"

#define LEFT 84
#define RIGHT 24
#define TOP 52
#define HEAD 30
#define PLOT_HEIGHT 200
#define FOOT 40
#define PLOT (SVG_WIDTH - LEFT - RIGHT)
#define TICKS 8
/* With more points a dot for each is too much. */
#define MOST_DOTS 200

static const uint32_t palette[] = { 0xd9603b, 0x3b7dd9, 0x3fa35c, 0x9a5fd0, 0xd09a1c, 0x2aa6a6, 0xd0508f, 0x7a7a7a };

struct frame_of_panel {
	struct point low, high;
	double step;
	uint32_t top;
};

static double x_of(const struct frame_of_panel *f, uint64_t ns)
{
	double range = (double)(f->high.time_ns - f->low.time_ns);

	return LEFT + (range > 0 ? (double)(ns - f->low.time_ns) / range : 0.5) * PLOT;
}

static double y_of(const struct frame_of_panel *f, double value)
{
	double range = f->high.value - f->low.value;

	return f->top + PLOT_HEIGHT * (1 - (range > 0 ? (value - f->low.value) / range : 0.5));
}

double time_most_x(uint64_t step_ns)
{
	return SVG_WIDTH - (step_ns < 1000000000 ? 44 : 30);
}

/* With its thousands apart. */
static void axis_number(struct strbuf *out, double value, double step)
{
	if (step < 1 || fabs(value) >= 1e15) {
		series_number(out, value, step);
		return;
	}
	strbuf_addstr(out, value < 0 ? "-" : "");
	number_grouped(out, (uint64_t)(fabs(value) + 0.5));
}

static void add_value_axis(struct strbuf *out, const struct frame_of_panel *f)
{
	for (unsigned i = 0; f->low.value + i * f->step <= f->high.value + f->step / 2; i++) {
		double value = f->low.value + i * f->step, y = y_of(f, value);

		strbuf_addf(out, "<line class=\"rule\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ddd\"/>"
			    "<text class=\"faint\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT, y, LEFT + PLOT, y, LEFT - 8, y + 4);
		axis_number(out, value, f->step);
		strbuf_addstr(out, "</text>\n");
	}
}

static void add_time_axis(struct strbuf *out, const struct frame_of_panel *f)
{
	uint64_t step = time_step(f->high.time_ns - f->low.time_ns, TICKS);

	for (uint64_t ns = time_first(f->low.time_ns, step); ns <= f->high.time_ns; ns += step) {
		double x = x_of(f, ns);

		strbuf_addf(out, "<line class=\"rule\" x1=\"%.1f\" y1=\"%u\" x2=\"%.1f\" y2=\"%u\" stroke=\"#ddd\"/>"
			    "<text class=\"faint\" x=\"%.1f\" y=\"%u\" text-anchor=\"middle\">", x, f->top + PLOT_HEIGHT, x,
			    f->top + PLOT_HEIGHT + 6, MIN(x, time_most_x(step)), f->top + PLOT_HEIGHT + 20);
		time_text(out, ns, step);
		strbuf_addstr(out, "</text>\n");
	}
}

static void add_point_text(struct strbuf *out, const struct series *s, const struct point *p)
{
	strbuf_addstr(out, "<title>");
	xml_str(out, *s->name ? s->name : s->group);
	strbuf_addch(out, ' ');
	clock_text(out, p->time_ns);
	strbuf_addf(out, ": %.15g</title>", p->value);
}

static void add_line(struct strbuf *out, const struct frame_of_panel *f, const struct series *s, uint32_t colour)
{
	strbuf_addf(out, "<polyline fill=\"none\" stroke=\"#%06x\" stroke-width=\"1.6\" stroke-linejoin=\"round\" points=\"", colour);
	for (size_t i = 0; i < s->n; i++)
		strbuf_addf(out, "%s%.1f,%.1f", i ? " " : "", x_of(f, s->points[i].time_ns), y_of(f, s->points[i].value));
	strbuf_addstr(out, "\"/>\n");
	for (size_t i = 0; s->n <= MOST_DOTS && i < s->n; i++) {
		strbuf_addf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.6\" fill=\"#%06x\">", x_of(f, s->points[i].time_ns),
			    y_of(f, s->points[i].value), colour);
		add_point_text(out, s, &s->points[i]);
		strbuf_addstr(out, "</circle>\n");
	}
}

/* The names of its lines, as many as there is room for. */
static void add_names(struct strbuf *out, const struct series *s, size_t n, uint32_t y)
{
	double x = LEFT + 160;

	for (size_t i = 0; i < n && x < SVG_WIDTH - 120; i++) {
		size_t len = strlen(s[i].name);

		if (!len)
			continue;
		strbuf_addf(out, "<rect x=\"%.0f\" y=\"%u\" width=\"10\" height=\"10\" rx=\"2\" fill=\"#%06x\"/><text x=\"%.0f\" y=\"%u\">", x,
			    y - 9, palette[i % ARRAY_SIZE(palette)], x + 14, y);
		xml_text(out, s[i].name, MIN(len, 24U));
		strbuf_addstr(out, "</text>\n");
		x += 30 + (double)MIN(len, 24U) * 6.7;
	}
}

static void panel_draw(struct strbuf *out, const struct series *s, size_t n, uint32_t top)
{
	struct frame_of_panel f = { .top = top + HEAD };

	series_bounds(s, n, &f.low, &f.high);
	f.step = series_step(f.low.value, f.high.value, 5);
	series_widen(&f.low, &f.high, f.step);
	strbuf_addf(out, "<text x=\"%d\" y=\"%u\">", LEFT, top + 18);
	xml_str(out, s->group);
	strbuf_addstr(out, "</text>\n");
	add_names(out, s, n, top + 18);
	add_value_axis(out, &f);
	add_time_axis(out, &f);
	for (size_t i = 0; i < n; i++)
		add_line(out, &f, &s[i], palette[i % ARRAY_SIZE(palette)]);
}

/* How many series from the first on are one group. */
static size_t group_len(const struct series_set *set, size_t first)
{
	size_t n = 1;

	while (first + n < set->n && str_eq(set->v[first + n].group, set->v[first].group))
		n++;
	return n;
}

void series_svg(struct view *v, const struct series_set *set)
{
	const char *title = svg_title(v, "series");
	uint32_t panels = 0, top = TOP - 8;

	for (size_t i = 0; i < set->n; i += group_len(set, i))
		panels++;
	svg_begin(v, title, (int)(TOP + 12 + panels * (HEAD + PLOT_HEIGHT + FOOT)), "circle:hover { stroke: var(--ink) }\n");
	svg_heading(v, RIGHT, title);
	for (size_t i = 0; i < set->n; i += group_len(set, i)) {
		panel_draw(&v->out, &set->v[i], group_len(set, i), top);
		top += HEAD + PLOT_HEIGHT + FOOT;
	}
	svg_end(v, NULL);
}
