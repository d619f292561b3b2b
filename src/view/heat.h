/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Heat: what the two ways of drawing a heat map (lines of a terminal, SVG) share. */
#ifndef SONDE_VIEW_HEAT_H
#define SONDE_VIEW_HEAT_H

#include "view/view.h"

/* More steps than these are merged two by two. */
#define HEAT_STEPS 1024

struct heat_step {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
};

/* One histogram over time. */
struct heat_panel {
	const struct map *map;
	char *key;             /* "" for a map without keys */
	uint32_t nbuckets;
	uint64_t *before;      /* counts as they were printed last */
	struct heat_step *steps;
	uint64_t *counts;      /* nsteps x nbuckets */
	size_t nsteps;
	uint32_t merge, merged; /* prints in a step; in the last one so far */
	bool any;              /* something was counted: in these buckets, and at most so much in one */
	uint32_t first, last;
	uint64_t most;
	/* Lines of text: what the last heading was for. */
	uint32_t head_first, head_last, lines;
};

struct heat {
	struct heat_panel *panels;
	size_t n;
	const struct heat_panel *last; /* whose line came last */
};

/* From 0 to 1. Logarithmic: a cell with few is seen beside one with many. */
double heat_level(uint64_t count, uint64_t most);
/* One print as a line of text, with a heading where it is due. */
void heat_line(struct view *v, struct heat *h, struct heat_panel *p, const uint64_t *now, uint64_t time_ns);
/* All panels as a picture. */
void heat_draw(struct view *v, const struct heat *h);

#endif
