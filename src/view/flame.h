/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flame: drawing a tree of stacks. */
#ifndef SONDE_VIEW_FLAME_H
#define SONDE_VIEW_FLAME_H

#include "view/stacks.h"

/* The flame graph of a finished tree into v->out. With `compare`, widths are those of the second recording and
 * colours say how the share of each frame differs from that in the first. 0 or -ENOMEM. */
int flame_draw(struct view *v, const struct stacks *s, const char *title, bool compare);

/* flame.css and flame.js, embedded */
extern const char flame_css[], flame_js[];

#endif
