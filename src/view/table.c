/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Table: rows under titles, in columns that line up. Values of print() come one by one and widen a column when they
 * must; a map is laid out as a whole, largest first. On a terminal, a map that is printed again and again
 * is redrawn in its place, as top does. What is no row is shown as the text view shows it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "view/columns.h"
#include "view/frame.h"
#include "view/parts.h"
#include "view/terminal.h"
#include "view/width.h"

#define GAP "  "
struct table_state {
	struct columns columns; /* of the rows that came last */
	struct frame frame;
};

static int table_open(struct view *v)
{
	v->priv = calloc(1, sizeof(struct table_state));
	return v->priv ? 0 : -ENOMEM;
}

static void table_close(struct view *v)
{
	struct table_state *s = v->priv;

	columns_free(&s->columns);
	free(s);
	v->priv = NULL;
}

/* ---- cells ---- */

static void add_padded(struct strbuf *out, const struct column *col, const char *s, size_t len, bool last)
{
	size_t width = text_width(s, len), pad = width < col->width ? col->width - width : 0;

	if (col->is_cut && width > col->width) {
		len = text_fit(s, len, col->width - 1);
		strbuf_add(out, s, len);
		strbuf_addstr(out, terminal_is_utf8() ? "\xe2\x80\xa6" : "~");
		strbuf_fill(out, ' ', col->width - 1 - text_width(s, len));
		return;
	}
	if (col->right)
		strbuf_fill(out, ' ', pad);
	strbuf_add(out, s, len);
	if (!col->right && !last)
		strbuf_fill(out, ' ', pad);
}

static void add_titles(struct view *v, const struct columns *c)
{
	if (v->colour)
		strbuf_addstr(&v->out, "\033[1m");
	for (uint32_t i = 0; i < c->n; i++) {
		strbuf_addstr(&v->out, i ? GAP : "");
		add_padded(&v->out, &c->v[i], c->v[i].title, strlen(c->v[i].title), i + 1 == c->n);
	}
	strbuf_addstr(&v->out, v->colour ? "\033[0m\n" : "\n");
}

/* A stack is the end of its row: one frame under the other. */
static bool is_tall(const struct type *t)
{
	return t->kind == TY_KSTACK || t->kind == TY_USTACK;
}

static void add_row(struct view *v, struct columns *c, const uint8_t *key, const uint8_t *value, int64_t div)
{
	_cleanup_strbuf_ struct strbuf raw = STRBUF_INIT, cell = STRBUF_INIT, tall = STRBUF_INIT;

	for (uint32_t i = 0; i < c->n; i++) {
		struct column *col = &c->v[i];

		strbuf_reset(&raw);
		strbuf_reset(&cell);
		cell_text(v, is_tall(col->type) ? &tall : &raw, col, key, value, div);
		text_plain(&cell, raw.s, raw.len);
		if (raw.failed || cell.failed || tall.failed)
			v->out.failed = true;
		if (!col->is_cut)
			col->width = (uint32_t)MAX((size_t)col->width, i + 1 < c->n || col->right ? text_width(cell.s, cell.len) : 0);
		strbuf_addstr(&v->out, i ? GAP : "");
		add_padded(&v->out, col, cell.s, cell.len, i + 1 == c->n);
	}
	strbuf_add(&v->out, tall.s, tall.len);
	if (!tall.len || tall.s[tall.len - 1] != '\n')
		strbuf_addch(&v->out, '\n');
}

/* ---- records ---- */

/* Two print() of a program may make rows of the same columns, whose types differ in the length of a text. */
static int columns_change(struct view *v, const struct type *t)
{
	struct table_state *s = v->priv;
	bool again = s->columns.n, same;
	struct columns c;
	int err = columns_of_type(&c, t, v->columns_spec);

	if (err)
		return err;
	same = columns_continue(&c, &s->columns);
	columns_free(&s->columns);
	s->columns = c;
	if (!same) {
		strbuf_addstr(&v->out, again ? "\n" : "");
		add_titles(v, &s->columns);
	}
	return 0;
}

static int show_value(struct view *v, const struct record *rec)
{
	struct table_state *s = v->priv;
	const struct type *t = rec->type;

	if (!t || (t->kind != TY_RECORD && t->kind != TY_TUPLE && t->kind != TY_STRUCT))
		return frame_other(v, &s->frame, rec);
	if (!s->columns.type || !type_equal(s->columns.type, t)) {
		int err = columns_change(v, t);

		if (err)
			return err;
	}
	frame_forget(&s->frame);
	s->frame.is_log = true;
	add_row(v, &s->columns, NULL, rec->data, 1);
	return 0;
}

static bool is_block(const struct type *t)
{
	return t->kind == TY_HIST || t->kind == TY_LHIST || t->kind == TY_TSERIES;
}

/* Widths first, so that titles and the first row line up with the last. */
static void measure(struct view *v, struct columns *c, const struct table *t)
{
	size_t before = v->out.len;

	for (size_t i = 0; i < t->nrows; i++) {
		add_row(v, c, t->rows[i].key, t->rows[i].value, t->div);
		v->out.len = before;
	}
}

#define LEAST_CUT 8

/* What does not fit into the line is taken from the widest columns of text. */
static void narrow(const struct view *v, struct columns *c)
{
	size_t room = terminal_columns(v), width = (c->n - 1) * strlen(GAP);

	for (uint32_t i = 0; i < c->n; i++)
		width += c->v[i].width;
	while (width > room) {
		struct column *widest = NULL;

		for (uint32_t i = 0; i < c->n; i++)
			if (!c->v[i].right && c->v[i].width > LEAST_CUT && (!widest || c->v[i].width > widest->width))
				widest = &c->v[i];
		if (!widest)
			return;
		widest->is_cut = true;
		widest->width--;
		width--;
	}
}

static int add_map(struct view *v, const struct table *t, unsigned room)
{
	struct columns c;
	int err = columns_of_map(&c, t->map, v->columns_spec);

	if (err)
		return err;
	measure(v, &c, t);
	if (room != UINT32_MAX)
		narrow(v, &c);
	add_titles(v, &c);
	/* They come smallest first, so that the largest stand where the eye is at the end of text. */
	for (size_t i = t->nrows; i-- > 0;) {
		if (t->nrows - i + 2 > room && i) {
			strbuf_addf(&v->out, "... and %zu more\n", i + 1);
			break;
		}
		add_row(v, &c, t->rows[i].key, t->rows[i].value, t->div);
	}
	columns_free(&c);
	return 0;
}

static int show_map(struct view *v, const struct record *rec)
{
	struct table_state *s = v->priv;
	const struct table *t = rec->table;
	size_t before;
	int err;

	if (!t->nrows)
		return 0;
	frame_map_begin(v, &s->frame, t->map, &before);
	err = is_block(t->map->value) ? view_text.record(v, rec) : add_map(v, t, frame_room(v, &s->frame, t->final));
	frame_map_end(v, &s->frame, t->map, before, t->final);
	columns_free(&s->columns);
	return err;
}

static int table_record(struct view *v, const struct record *rec)
{
	switch (rec->kind) {
	case REC_VALUE: return show_value(v, rec);
	case REC_MAP: return show_map(v, rec);
	default: return frame_other(v, &((struct table_state *)v->priv)->frame, rec);
	}
}

static bool table_stands(const struct view *v)
{
	return frame_stands(v, &((const struct table_state *)v->priv)->frame);
}

static void table_leave(struct view *v)
{
	frame_forget(&((struct table_state *)v->priv)->frame);
}

const struct view_def view_table = {
	.name = "table",
	.summary = "aligned columns; maps largest first, redrawn in place on a terminal",
	.open = table_open,
	.record = table_record,
	.close = table_close,
	.stands = table_stands,
	.leave = table_leave,
};
