/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Terminal: colours in the escape sequences that it knows. */
#include "view/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/util.h"

/* Wide enough for a file that is read later. */
#define USUAL_COLUMNS 100

enum colour_depth terminal_depth(const struct view *v)
{
	const char *colours = getenv("COLORTERM"), *term = getenv("TERM");

	if (!v->colour)
		return DEPTH_NONE;
	if (colours && (str_eq(colours, "truecolor") || str_eq(colours, "24bit")))
		return DEPTH_FULL;
	return term && strstr(term, "256color") ? DEPTH_256 : DEPTH_NONE;
}

unsigned terminal_columns(const struct view *v)
{
	struct winsize w;

	if (!v->is_terminal)
		return USUAL_COLUMNS;
	return !ioctl(v->fd, TIOCGWINSZ, &w) && w.ws_col ? w.ws_col : 80;
}

unsigned terminal_rows(const struct view *v)
{
	struct winsize w;

	return v->is_terminal && !ioctl(v->fd, TIOCGWINSZ, &w) && w.ws_row ? w.ws_row : 24;
}

/* The nearest of the cube of 6 x 6 x 6 colours. */
static unsigned cube_colour(uint32_t rgb)
{
	unsigned n = 0;

	for (int shift = 16; shift >= 0; shift -= 8) {
		unsigned c = rgb >> shift & 0xff;

		n = n * 6 + (c < 48 ? 0 : c < 115 ? 1 : (c - 35) / 40);
	}
	return 16 + n;
}

static void add_colour(struct strbuf *out, enum colour_depth depth, int which, uint32_t rgb)
{
	if (depth == DEPTH_FULL)
		strbuf_addf(out, "\033[%d;2;%u;%u;%um", which, rgb >> 16, rgb >> 8 & 0xff, rgb & 0xff);
	else if (depth == DEPTH_256)
		strbuf_addf(out, "\033[%d;5;%um", which, cube_colour(rgb));
}

void terminal_background(struct strbuf *out, enum colour_depth depth, uint32_t rgb)
{
	add_colour(out, depth, 48, rgb);
}

void terminal_foreground(struct strbuf *out, enum colour_depth depth, uint32_t rgb)
{
	add_colour(out, depth, 38, rgb);
}

void terminal_plain(struct strbuf *out, enum colour_depth depth)
{
	if (depth != DEPTH_NONE)
		strbuf_addstr(out, "\033[0m");
}

bool terminal_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}
