/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Series: numbers over time, as they were gathered for the drawings. */
#ifndef SONDE_VIEW_SERIES_H
#define SONDE_VIEW_SERIES_H

#include "view/view.h"

/* More points than these are merged two by two; more series than these are not shown. */
#define SERIES_POINTS 4096
#define SERIES_MOST 256

struct point {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	double value;
};

struct series {
	char *group; /* what is drawn together: a map, or what is printed */
	char *name;  /* within the group: its key; "" for one alone */
	struct point *points;
	size_t n, room;
	unsigned merge, merged; /* numbers in a point; in the last one so far */
};

struct series_set {
	struct series *v;
	size_t n;
	uint64_t left_out;
	struct strbuf group, name;
};

void series_bounds(const struct series *s, size_t n, struct point *low, struct point *high);
/* A number with as many digits as `step` makes sensible. */
void series_number(struct strbuf *out, double value, double step);
/* Round steps (1, 2, 5, 10, ...) of which about `n` fit into the range. */
double series_step(double low, double high, unsigned n);

void series_text(struct view *v, const struct series_set *set);
void series_svg(struct view *v, const struct series_set *set);

#endif
