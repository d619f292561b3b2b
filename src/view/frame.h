/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frame: what a view has written to a terminal and will write anew in its place, as top does: a head (a title, the time)
 * and the maps below it. Where the output is no terminal, all of it is a log.
 */
#ifndef SONDE_VIEW_FRAME_H
#define SONDE_VIEW_FRAME_H

#include "view/view.h"

struct frame {
	unsigned head_lines, map_lines; /* as many as they take on the terminal */
	unsigned columns;               /* of the terminal when they were written */
	const struct map *shown[32];
	unsigned nshown;
	bool is_log;                    /* what stands there stays */
};

/* What stands on the terminal stays there; the next frame begins below. */
void frame_forget(struct frame *f);
/* A map is about to be written; where what stood in its place is erased. `before`: to be given to frame_map_end(). */
void frame_map_begin(struct view *v, struct frame *f, const struct map *m, size_t *before);
/* It has been. Lines are cut to the terminal's width, if it is going to be written again. */
void frame_map_end(struct view *v, struct frame *f, const struct map *m, size_t before, bool is_final);
/* Shows a record that is no map as text: the head of a new frame when the last one has its maps, else part of a log. */
int frame_other(struct view *v, struct frame *f, const struct record *rec);
/* Something of which there is only one: it takes the place of the one before. */
void frame_whole_begin(struct view *v, struct frame *f, size_t *before);
void frame_whole_end(struct view *v, struct frame *f, size_t before, bool is_final);
/* How many lines of a map there is room for; UINT32_MAX where that does not matter. */
unsigned frame_room(const struct view *v, const struct frame *f, bool is_final);
/* Is there something on the terminal that will be written anew? */
bool frame_stands(const struct view *v, const struct frame *f);

#endif
