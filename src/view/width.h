/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Width: how many columns of a terminal a text takes. */
#ifndef SONDE_VIEW_WIDTH_H
#define SONDE_VIEW_WIDTH_H

#include <stddef.h>

#include "base/strbuf.h"

/* The character at `s`: its bytes, at least 1, and its columns (0 to 2). What is no UTF-8 is a byte of one column. */
size_t character_width(const char *s, size_t len, unsigned *columns);
/* Columns of UTF-8 text; sequences that only colour it take none. */
size_t text_width(const char *s, size_t len);
/* How many bytes of the text fit into so many columns. */
size_t text_fit(const char *s, size_t len, size_t columns);
/* Text for a cell: what is no character, and what would break lines or steer the terminal, as \x1b. */
void text_plain(struct strbuf *out, const char *s, size_t len);

#endif
