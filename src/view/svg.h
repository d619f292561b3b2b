/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Svg: what all pictures share: the beginning and the end of the file (SVG, or HTML around it), texts that come
 * from elsewhere, and colours. Pictures load nothing from anywhere.
 */
#ifndef SONDE_VIEW_SVG_H
#define SONDE_VIEW_SVG_H

#include "view/view.h"

/* Width of a picture where nothing says how wide the window is; scripts lay it out anew. */
#define SVG_WIDTH 1200

/* Begin a picture of this height, in HTML where v->file ends so; style is CSS beside that of all pictures. */
void svg_begin(struct view *v, const char *title, int height, const char *style);
/* The title as a text, at this distance from the left. */
void svg_heading(struct view *v, int x, const char *title);
/* With a script, or NULL. */
void svg_end(struct view *v, const char *script);
/* Is the output a picture at all? */
bool svg_is_asked(const struct view *v);
/* The name that the picture of this view has. */
const char *svg_title(const struct view *v, const char *otherwise);

/* Any bytes as text of XML: what has a meaning there is escaped, what is no character replaced. */
void xml_text(struct strbuf *out, const char *s, size_t len);
void xml_str(struct strbuf *out, const char *s);
/* "12.34" for what is not negative, without the cost of printf: large pictures have a million of them. */
void number_hundredths(struct strbuf *out, double v);
/* 1234567 as 1,234,567. */
void number_grouped(struct strbuf *out, uint64_t n);

/* Hue in degrees, the others from 0 to 1; the result is 0xrrggbb. */
uint32_t colour_hsl(double hue, double saturation, double lightness);
/* From dark (0) over violet and orange to light yellow (1): all steps look alike, also without colour. */
uint32_t colour_heat(double level);

#endif
