/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers: what sonde-play reads, line by line. */
#ifndef SONDE_PLAY_NUMBERS_H
#define SONDE_PLAY_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>

/* Longer lines are no numbers. */
#define LINE_BYTES 65536

struct numbers {
	char line[LINE_BYTES];
	size_t len;
	bool is_skipped; /* the rest of a line that was too long */
};

/* Take what was read, call fn for the number of each line that is complete. */
void numbers_take(struct numbers *n, const char *data, size_t len, void (*fn)(void *ctx, double number), void *ctx);
/* The number of a line: of its own ("12.5"), or the first in the data of a JSON record. False: there is none. */
bool numbers_line(const char *line, double *number);

#endif
