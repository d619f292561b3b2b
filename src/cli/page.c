/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/page.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"

#define FEWEST_COLUMNS 40

struct page page_of_stdout(void)
{
	struct page p = { .bold = "", .alarm = "", .dim = "", .plain = "" };
	struct winsize w;

	if (isatty(STDOUT_FILENO))
		p.columns = !ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col ? MAX(w.ws_col, FEWEST_COLUMNS) : 80;
	if (colour_wanted(STDOUT_FILENO)) {
		p.bold = "\033[1m";
		p.alarm = "\033[1;31m";
		p.dim = "\033[2m";
		p.plain = "\033[0m";
	}
	return p;
}

void page_words(struct strbuf *out, const struct page *p, size_t column, size_t indent, const char *text)
{
	bool first = true;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (p->columns && !first && column + 1 + len > p->columns) {
			strbuf_addch(out, '\n');
			strbuf_fill(out, ' ', indent);
			column = indent;
		} else if (!first) {
			strbuf_addch(out, ' ');
			column++;
		}
		strbuf_add(out, text, len);
		column += len;
		first = false;
		text += len + strspn(text + len, " ");
	}
}
