/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flame: a flame graph, one SVG (or HTML) file that needs nothing else. The widths of frames are what was
 * counted in them and in what they called. It reads without its script, which adds the zoom and the search.
 */
#include "view/flame.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/util.h"
#include "view/parts.h"
#include "view/svg.h"
#include "view/width.h"

#define PAD 10
#define TOP 82    /* the title, the tools and what the pointer is on */
#define BOTTOM 10
#define ROW 18
#define CHAR_WIDTH 6.63
/* Deeper stacks hang from the top, so that what all have in common is on the first page. */
#define MOST_UPWARD 44
/* Narrower frames could not be seen even with the window a hundred times as wide. */
#define NARROWEST (1.0 / 100000)

struct flame {
	struct view *v;
	const struct stacks *s;
	unsigned which;  /* the recording whose numbers are the widths */
	bool compare;
	double scale[2]; /* of a recording's numbers to shares of it */
	double most;     /* largest change of a share */
	uint64_t *start; /* by node: where it begins */
	uint32_t deepest;
	uint64_t narrow; /* frames that are not drawn */
};

static double share(const struct flame *f, uint32_t n, unsigned which)
{
	return (double)f->s->nodes.v[n].total[which] * f->scale[which];
}

static double change(const struct flame *f, uint32_t n)
{
	return share(f, n, 1) - share(f, n, 0);
}

static bool is_drawn(const struct flame *f, uint32_t n)
{
	return share(f, n, f->which) >= NARROWEST;
}

/* Where each frame begins: after its elder sisters. */
static void place(struct flame *f)
{
	const struct stacks *s = f->s;
	uint32_t depth = 0;

	for (uint32_t n = s->root; n || !depth;) {
		uint64_t at = f->start[n];

		for (uint32_t c = s->nodes.v[n].first; c; c = s->nodes.v[c].next) {
			f->start[c] = at;
			at += s->nodes.v[c].total[f->which];
		}
		if (!is_drawn(f, n)) {
			f->narrow += n != s->root;
		} else {
			f->deepest = MAX(f->deepest, depth);
			f->most = MAX(f->most, fabs(change(f, n)));
		}
		n = stacks_next(s, s->root, n, &depth);
		if (!n)
			break;
	}
}

/* ---- colours ---- */

static double hash_part(const char *s, uint32_t seed)
{
	uint32_t h = 2166136261U ^ seed;

	for (; s && *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619U;
	h ^= h >> 15;
	h *= 2654435761U;
	return (double)(h >> 8) / (1 << 24);
}

/* Warm for processes, a file's functions alike; cool for the kernel; grey for what is no code. */
static uint32_t frame_colour(const struct frame *f)
{
	double own = hash_part(f->name, 1), of_file = hash_part(f->module, 2);

	if (f->kind == FRAME_PART)
		return colour_hsl(36, 0.10, 0.78 + 0.06 * own);
	if (f->kind == FRAME_KERNEL)
		return colour_hsl(198 + 14 * of_file + 8 * own, 0.52, 0.68 + 0.09 * own);
	if (str_starts(f->name, "[unknown]"))
		return colour_hsl(30, 0.30, 0.76);
	return colour_hsl(6 + 22 * of_file + 24 * own, 0.86, (f->kind == FRAME_INLINED ? 0.72 : 0.62) + 0.08 * own);
}

/* Red for what has become more, blue for less, the stronger the larger the change is beside the largest. */
static uint32_t change_colour(const struct flame *f, uint32_t n)
{
	double by = f->most > 0 ? change(f, n) / f->most : 0;

	if (fabs(by) < 0.005)
		return 0xe9e6e0;
	return colour_hsl(by > 0 ? 8 : 212, 0.85, 0.93 - 0.33 * sqrt(fabs(by)));
}

/* ---- frames ---- */

/* "name", "12 samples, 3.40 %", and where the code is. */
static void add_hover(const struct flame *f, uint32_t n)
{
	const struct node *node = &f->s->nodes.v[n];
	const struct frame *frame = &f->s->frames.v[node->frame];
	struct strbuf *out = &f->v->out;

	strbuf_addstr(out, "<title>");
	xml_str(out, n == f->s->root ? "all" : frame->name);
	strbuf_addch(out, '\n');
	number_grouped(out, node->total[f->which]);
	strbuf_addstr(out, node->total[f->which] == 1 ? " sample, " : " samples, ");
	number_hundredths(out, 100 * share(f, n, f->which));
	strbuf_addstr(out, " %");
	if (f->compare)
		strbuf_addf(out, "\n%+.2f points (before: %.2f %%)", 100 * change(f, n), 100 * share(f, n, 0));
	if (frame->kind == FRAME_KERNEL)
		strbuf_addstr(out, "\nkernel");
	else if (frame->kind == FRAME_INLINED)
		strbuf_addstr(out, "\ninlined");
	if (frame->module) {
		strbuf_addch(out, '\n');
		xml_str(out, frame->module);
	}
	strbuf_addstr(out, "</title>");
}

/* As many characters as fit. */
static void add_label(struct strbuf *out, const char *name, double width)
{
	size_t most = width > 6 ? (size_t)((width - 6) / CHAR_WIDTH) : 0, len = strlen(name);

	if (most < 3)
		return;
	if (text_width(name, len) <= most) {
		xml_text(out, name, len);
		return;
	}
	xml_text(out, name, text_fit(name, len, most - 1));
	strbuf_addstr(out, "\xe2\x80\xa6");
}

/* What comes before a number, and the number. */
static void add_count(struct strbuf *out, const char *before, uint64_t n)
{
	strbuf_addstr(out, before);
	strbuf_addu64(out, n);
}

static void add_measure(struct strbuf *out, const char *before, double v)
{
	strbuf_addstr(out, before);
	number_hundredths(out, v);
}

static void add_colour(struct strbuf *out, uint32_t rgb)
{
	for (int shift = 20; shift >= 0; shift -= 4)
		strbuf_addch(out, "0123456789abcdef"[rgb >> shift & 15]);
}

static void add_frame(struct flame *f, uint32_t n, uint32_t depth)
{
	const struct stacks *s = f->s;
	const struct frame *frame = &s->frames.v[s->nodes.v[n].frame];
	double room = SVG_WIDTH - 2 * PAD, unit = f->scale[f->which] * room;
	double x = PAD + (double)(f->start[n] - f->start[s->root]) * unit, w = (double)s->nodes.v[n].total[f->which] * unit;
	uint32_t y = TOP + (f->deepest > MOST_UPWARD ? depth : f->deepest - depth) * ROW;
	struct strbuf *out = &f->v->out;

	add_count(out, "<g data-a=\"", f->start[n] - f->start[s->root]);
	add_count(out, "\" data-n=\"", s->nodes.v[n].total[f->which]);
	strbuf_addstr(out, "\">");
	add_hover(f, n);
	add_measure(out, "<rect x=\"", x);
	add_count(out, "\" y=\"", y);
	add_measure(out, "\" width=\"", MAX(w - (w > 2 ? 0.6 : 0), 0.1));
	add_count(out, "\" height=\"", ROW - 1);
	strbuf_addstr(out, "\" rx=\"2\" fill=\"#");
	add_colour(out, f->compare ? change_colour(f, n) : n == s->root ? 0xd9d4cb : frame_colour(frame));
	add_measure(out, "\"/><text x=\"", x + 3);
	add_count(out, "\" y=\"", y + 13);
	strbuf_addstr(out, "\">");
	add_label(out, n == s->root ? "all" : frame->name, w);
	strbuf_addstr(out, "</text></g>\n");
}

static void add_frames(struct flame *f)
{
	uint32_t depth = 0;

	strbuf_addf(&f->v->out, "<g id=\"frames\" data-n=\"%llu\" data-grows=\"%s\">\n",
		    (unsigned long long)f->s->nodes.v[f->s->root].total[f->which], f->deepest > MOST_UPWARD ? "down" : "up");
	add_frame(f, f->s->root, 0);
	for (uint32_t n = stacks_next(f->s, f->s->root, f->s->root, &depth); n; n = stacks_next(f->s, f->s->root, n, &depth))
		if (is_drawn(f, n))
			add_frame(f, n, depth);
	strbuf_addstr(&f->v->out, "</g>\n");
}

static void add_summary(const struct flame *f)
{
	struct strbuf *out = &f->v->out;

	strbuf_addstr(out, "<text class=\"faint\" x=\"10\" y=\"48\">");
	number_grouped(out, f->s->nodes.v[f->s->root].total[f->which]);
	strbuf_addstr(out, f->s->nodes.v[f->s->root].total[f->which] == 1 ? " sample" : " samples");
	if (f->compare)
		strbuf_addstr(out, "; red: a larger share than before, blue: a smaller one");
	if (f->narrow) {
		strbuf_addstr(out, "; ");
		number_grouped(out, f->narrow);
		strbuf_addstr(out, " frames too narrow to be drawn");
	}
	strbuf_addstr(out, "</text>\n");
}

/* All that stays in sight when the frames are scrolled. */
static void add_head(struct flame *f, const char *title)
{
	static const char idle[] = "click a frame to zoom, / to search, Esc to go back";
	struct strbuf *out = &f->v->out;

	strbuf_addf(out, "<g id=\"head\">\n<rect class=\"page\" width=\"100%%\" height=\"%d\" fill=\"#fdfcfa\"/>\n", TOP - 6);
	svg_heading(f->v, PAD, title);
	add_summary(f);
	strbuf_addf(out, "<g id=\"tools\">\n<foreignObject x=\"%d\" y=\"12\" width=\"260\" height=\"28\"><input "
		    "xmlns=\"http://www.w3.org/1999/xhtml\" id=\"search\" type=\"text\" placeholder=\"search (regular expression)\" "
		    "spellcheck=\"false\"/></foreignObject>\n", SVG_WIDTH - 270);
	strbuf_addf(out, "<text id=\"matched\" x=\"%d\" y=\"54\" text-anchor=\"end\"></text>\n", SVG_WIDTH - PAD);
	strbuf_addf(out, "<text id=\"reset\" class=\"gone\" x=\"%d\" y=\"29\" text-anchor=\"end\">reset zoom</text>\n</g>\n",
		    SVG_WIDTH - 284);
	strbuf_addf(out, "<text id=\"info\" x=\"10\" y=\"68\" data-idle=\"%s\">%s</text>\n</g>\n", idle, idle);
}

int flame_draw(struct view *v, const struct stacks *s, const char *title, bool compare)
{
	struct flame f = { .v = v, .s = s, .compare = compare, .which = compare };
	uint32_t height;

	for (unsigned w = 0; w < 2; w++)
		f.scale[w] = s->nodes.v[s->root].total[w] ? 1 / (double)s->nodes.v[s->root].total[w] : 0;
	f.start = calloc(s->nodes.n, sizeof(*f.start));
	if (!f.start)
		return -ENOMEM;
	place(&f);
	height = TOP + (f.deepest + 1) * ROW + BOTTOM;
	svg_begin(v, title, (int)height, flame_css);
	add_frames(&f);
	add_head(&f, title);
	svg_end(v, flame_js);
	free(f.start);
	return v->out.failed ? -ENOMEM : 0;
}

/* ---- the view ---- */

static int flame_open(struct view *v)
{
	v->priv = stacks_new(false);
	return v->priv ? 0 : -ENOMEM;
}

static bool flame_takes(const struct view *v, const struct record *rec)
{
	(void)v;
	return stacks_takes(rec);
}

static int flame_record(struct view *v, const struct record *rec)
{
	return stacks_takes(rec) ? stacks_add(v, v->priv, rec) : 0;
}

static void flame_close(struct view *v)
{
	struct stacks *s = v->priv;
	int err = v->err ? v->err : stacks_finish(s);

	if (!err)
		err = flame_draw(v, s, svg_title(v, "flame graph"), false);
	v->err = v->err ? v->err : err;
	stacks_warn(v, s);
	stacks_free(s);
	v->priv = NULL;
}

const struct view_def view_flame = {
	.name = "flame",
	.summary = "a flame graph of stacks: SVG or HTML for a browser, with zoom and search",
	.extensions = { ".svg", ".html" },
	.is_picture = true,
	.suits = stacks_suits,
	.open = flame_open,
	.takes = flame_takes,
	.record = flame_record,
	.close = flame_close,
};
