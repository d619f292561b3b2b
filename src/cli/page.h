/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page: how what people read is laid out on standard output. A terminal has a width and bold letters; a file or a
 * pipe has neither, and each thing stays on its line there, for grep.
 */
#ifndef SONDE_CLI_PAGE_H
#define SONDE_CLI_PAGE_H

#include <stddef.h>

#include "base/strbuf.h"

struct page {
	size_t columns; /* 0: no terminal */
	const char *bold, *alarm, *dim, *plain; /* how letters become so; empty where there is no colour */
};

struct page page_of_stdout(void);
/* Add words from `column` on; where the width ends, they go on in the next line at `indent`. */
void page_words(struct strbuf *out, const struct page *p, size_t column, size_t indent, const char *text);

#endif
