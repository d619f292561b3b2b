/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Series: numbers over time, as they were gathered for the drawings. */
#ifndef SONDE_VIEW_SERIES_H
#define SONDE_VIEW_SERIES_H

#include "view/frame.h"
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
	struct frame frame;
	uint64_t drawn_ns; /* when it was drawn on the terminal; 0: not yet */
};

void series_bounds(const struct series *s, size_t n, struct point *low, struct point *high);
/* A number with as many digits as `step` makes sensible. */
void series_number(struct strbuf *out, double value, double step);
/* Round steps (1, 2, 5, 10, ...) of which about `n` fit into the range. */
double series_step(double low, double high, unsigned n);

/* Up and down to the next multiples of the step. */
void series_widen(struct point *low, struct point *high, double step);

/* Round distances of times, at most about so many of them in the range. */
uint64_t time_step(uint64_t range_ns, unsigned most);
/* The first round time (of the clock on the wall) at or after this one (CLOCK_MONOTONIC). */
uint64_t time_first(uint64_t from_ns, uint64_t step_ns);
/* As exact as the step makes sensible. */
void time_text(struct strbuf *out, uint64_t ns, uint64_t step_ns);

/* A text of a time has its middle no further to the right than this in a picture. */
double time_most_x(uint64_t step_ns);

/* The end: it is not drawn again, and so all of it is shown, however small the terminal. */
void series_text(struct view *v, struct series_set *set, bool is_final);
void series_svg(struct view *v, const struct series_set *set);

#endif
