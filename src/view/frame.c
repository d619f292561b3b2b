/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frame: erasing and counting lines of a terminal. */
#include "view/frame.h"

#include "base/util.h"
#include "view/parts.h"
#include "view/terminal.h"
#include "view/width.h"

/* Text of a frame that is not its table: a title or the time. More is a log, which is never overwritten. */
#define MOST_HEAD_LINES 3

/* The lines of the terminal that the text from there on takes: long ones go on in the next. */
static unsigned lines_count(const struct view *v, size_t from)
{
	size_t columns = terminal_columns(v), n = 0, begin = from;

	for (size_t i = from; i < v->out.len; i++) {
		size_t width;

		if (v->out.s[i] != '\n')
			continue;
		width = v->is_terminal ? text_width(v->out.s + begin, i - begin) : 0;
		n += width ? (width + columns - 1) / columns : 1;
		begin = i + 1;
	}
	return (unsigned)n;
}

/* What is too long for a line ends with it. */
static void lines_cut(struct view *v, size_t from)
{
	_cleanup_strbuf_ struct strbuf cut = STRBUF_INIT;
	size_t columns = terminal_columns(v);

	for (size_t at = from, end; at < v->out.len; at = end + 1) {
		const char *newline = memchr(v->out.s + at, '\n', v->out.len - at);
		size_t fit;

		end = newline ? (size_t)(newline - v->out.s) : v->out.len;
		fit = text_fit(v->out.s + at, end - at, columns);
		strbuf_add(&cut, v->out.s + at, fit);
		strbuf_addstr(&cut, fit < end - at && v->colour ? "\033[0m\n" : newline ? "\n" : "");
	}
	v->out.len = from;
	strbuf_add(&v->out, cut.s, cut.len);
	v->out.failed |= cut.failed;
}

void frame_forget(struct frame *f)
{
	*f = (struct frame){ 0 };
}

static void lines_erase(struct view *v, const struct frame *f, unsigned n)
{
	/* Where the terminal has another width now, lines may have been broken. */
	if (v->is_terminal && n && f->columns == terminal_columns(v))
		strbuf_addf(&v->out, "\033[%uA\033[J", n);
}

static bool frame_has(const struct frame *f, const struct map *m)
{
	for (unsigned i = 0; i < f->nshown; i++)
		if (f->shown[i] == m)
			return true;
	return false;
}

unsigned frame_room(const struct view *v, const struct frame *f, bool is_final)
{
	unsigned rows = terminal_rows(v);

	if (!v->is_terminal || is_final)
		return UINT32_MAX;
	return rows > f->head_lines + 4 ? rows - f->head_lines - 2 : 2;
}

bool frame_stands(const struct view *v, const struct frame *f)
{
	return v->is_terminal && f->nshown && !f->is_log;
}

void frame_map_begin(struct view *v, struct frame *f, const struct map *m, size_t *before)
{
	if (frame_has(f, m)) {
		lines_erase(v, f, f->map_lines);
		f->map_lines = f->nshown = 0;
	}
	*before = v->out.len;
	if (v->bytes_written + v->out.len && (!v->is_terminal || f->nshown || f->is_log))
		strbuf_addch(&v->out, '\n');
}

void frame_map_end(struct view *v, struct frame *f, const struct map *m, size_t before, bool is_final)
{
	/* A histogram brings an empty line of its own. */
	while (v->out.len > 1 && v->out.s[v->out.len - 1] == '\n' && v->out.s[v->out.len - 2] == '\n')
		v->out.s[--v->out.len] = 0;
	if (v->is_terminal && !is_final)
		lines_cut(v, before);
	f->map_lines += lines_count(v, before);
	f->columns = terminal_columns(v);
	if (f->nshown < ARRAY_SIZE(f->shown))
		f->shown[f->nshown++] = m;
}

void frame_whole_begin(struct view *v, struct frame *f, size_t *before)
{
	lines_erase(v, f, f->map_lines);
	*before = v->out.len;
}

void frame_whole_end(struct view *v, struct frame *f, size_t before, bool is_final)
{
	frame_forget(f);
	frame_map_end(v, f, NULL, before, is_final);
}

int frame_other(struct view *v, struct frame *f, const struct record *rec)
{
	bool may_be_head = rec->kind == REC_TIME || rec->kind == REC_PRINTF;
	size_t before;
	int err;

	if (f->nshown && may_be_head) {
		lines_erase(v, f, f->is_log ? 0 : f->head_lines + f->map_lines);
		frame_forget(f);
	}
	before = v->out.len;
	err = view_text.record(v, rec);
	if (v->out.len == before)
		return err;
	f->head_lines += lines_count(v, before);
	f->columns = terminal_columns(v);
	if (!may_be_head || f->nshown || f->head_lines > MOST_HEAD_LINES)
		f->is_log = true;
	return err;
}
