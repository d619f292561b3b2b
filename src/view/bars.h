/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bars: what the two ways of drawing maps as bars (lines of a terminal, SVG) share. */
#ifndef SONDE_VIEW_BARS_H
#define SONDE_VIEW_BARS_H

#include "view/frame.h"
#include "view/view.h"

/* One bar. What was counted before the map was cleared last is part of it. */
struct bar {
	char *label;
	double before, now;
};

/* A map of numbers, or the histogram of one key. */
struct bar_panel {
	const struct map *map;
	char *key;        /* of a histogram; "" where there is none */
	struct bar *bars; /* in the order of their buckets; of numbers, in any */
	size_t n, cap;
};

struct bars {
	struct frame frame;
	struct bar_panel *panels;
	size_t n, cap;
	uint64_t left_out; /* panels that are too many */
};

/* Does the map become bars? */
bool bars_of(const struct map *m);
double bars_number(const struct type *t, const uint8_t *data, int64_t div);
/* A printed map, for the picture. */
int bars_gather(struct view *v, struct bars *b, const struct table *t);
void bars_draw(struct view *v, const struct bars *b);
void bars_free(struct bars *b);

#endif
