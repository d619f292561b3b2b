/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source: the texts a question is made of, and places in them. */
#ifndef SONDE_LANG_SOURCE_H
#define SONDE_LANG_SOURCE_H

#include "base/arena.h"

/* A run of bytes in one source: [begin, end). {0} is "nowhere". */
struct span {
	uint32_t begin, end;
	uint16_t file; /* index into sources plus one; 0: nowhere */
};

struct source {
	const char *name; /* "stdin" for -e, else the path as given */
	const char *text; /* NUL-terminated, owned by the arena */
	uint32_t len;
	VEC(uint32_t) lines; /* offset of the start of each line */
};

struct sources {
	struct arena *arena;
	VEC(struct source *) files;
};

/* Add a text (copied). Returns its number for span.file. Never fails but by arena_oom(). */
uint16_t source_add(struct sources *s, const char *name, const char *text, size_t len);
const struct source *source_of(const struct sources *s, struct span span);
/* Line and column (both from 1; the column counts bytes) of the beginning of a span. */
void span_locate(const struct sources *s, struct span span, uint32_t *line, uint32_t *col);
/* The smallest span that covers both (same file). */
struct span span_join(struct span a, struct span b);
/* The text of the line that `line` (from 1) names, without its newline; length in *len. */
const char *source_line(const struct source *src, uint32_t line, uint32_t *len);

#endif
