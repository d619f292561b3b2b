/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Progress: one line on the terminal about work that takes long, and nothing where stderr is none. It shows
 * up after a third of a second and is wiped away at the end.
 */
#ifndef SONDE_VIEW_PROGRESS_H
#define SONDE_VIEW_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	const char *what;
	size_t total;
	uint64_t next_ns; /* when to draw it again; 0: never */
	bool drawn;
};

void progress_begin(struct progress *p, const char *what, size_t total);
/* Cheap enough for every turn of a loop. */
void progress_step(struct progress *p, size_t done);
void progress_end(struct progress *p);

#endif
