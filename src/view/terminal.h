/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Terminal: how wide it is and which colours it has. */
#ifndef SONDE_VIEW_TERMINAL_H
#define SONDE_VIEW_TERMINAL_H

#include "view/view.h"

enum colour_depth { DEPTH_NONE, DEPTH_256, DEPTH_FULL };

/* Of what the view writes to. Without colour where none is wanted. */
enum colour_depth terminal_depth(const struct view *v);
/* Does it show more characters than ASCII, as the environment says? */
bool terminal_is_utf8(void);
unsigned terminal_columns(const struct view *v);
unsigned terminal_rows(const struct view *v);
/* Everything after it has this background, or foreground (0xrrggbb), until terminal_plain(). */
void terminal_background(struct strbuf *out, enum colour_depth depth, uint32_t rgb);
void terminal_foreground(struct strbuf *out, enum colour_depth depth, uint32_t rgb);
void terminal_plain(struct strbuf *out, enum colour_depth depth);

#endif
