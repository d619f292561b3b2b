/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Csv: comma-separated values (RFC 4180) for spreadsheets: one line of titles, then rows. When rows of another shape
 * follow, an empty line and new titles come before them. A histogram is one row for each of its buckets.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "view/columns.h"
#include "view/parts.h"
#include "view/progress.h"

static int csv_open(struct view *v)
{
	v->priv = calloc(1, sizeof(struct columns));
	return v->priv ? 0 : -ENOMEM;
}

static void csv_close(struct view *v)
{
	columns_free(v->priv);
	free(v->priv);
	v->priv = NULL;
}

static void add_cell(struct strbuf *out, const char *s, size_t len)
{
	if (len == strcspn(s, ",\"\r\n")) {
		strbuf_add(out, s, len);
		return;
	}
	strbuf_addch(out, '"');
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '"')
			strbuf_addch(out, '"');
		strbuf_addch(out, s[i]);
	}
	strbuf_addch(out, '"');
}

static void add_column(struct view *v, const struct column *col, const struct row *row, int64_t div)
{
	_cleanup_strbuf_ struct strbuf cell = STRBUF_INIT;

	cell_text(v, &cell, col, row->key, row->value, div);
	if (cell.failed)
		v->out.failed = true;
	add_cell(&v->out, cell.s, cell.len);
}

/* Titles, when these are not the rows that came last. */
static void add_titles(struct view *v, const struct columns *c, const char *more)
{
	if (v->bytes_written + v->out.len)
		strbuf_addstr(&v->out, "\r\n");
	for (uint32_t i = 0; i < c->n; i++) {
		strbuf_addstr(&v->out, i ? "," : "");
		add_cell(&v->out, c->v[i].title, strlen(c->v[i].title));
	}
	strbuf_addstr(&v->out, more);
	strbuf_addstr(&v->out, "\r\n");
}

static void add_row(struct view *v, const struct columns *c, const struct row *row, int64_t div)
{
	for (uint32_t i = 0; i < c->n; i++) {
		strbuf_addstr(&v->out, i ? "," : "");
		add_column(v, &c->v[i], row, div);
	}
	strbuf_addstr(&v->out, "\r\n");
}

static int show_value(struct view *v, const struct record *rec)
{
	struct columns *c = v->priv;
	struct row row = { .value = rec->data };

	if (!c->type || !type_equal(c->type, rec->type)) {
		int err;

		columns_free(c);
		err = columns_of_type(c, rec->type, v->columns_spec);
		if (err)
			return err;
		add_titles(v, c, "");
	}
	add_row(v, c, &row, 1);
	return 0;
}

static bool is_hist(const struct type *t)
{
	return t->kind == TY_HIST || t->kind == TY_LHIST;
}

struct bucket_rows {
	struct view *v;
	const struct columns *c;
	const struct row *row;
};

static void add_bucket(void *ctx, const int64_t *low, const int64_t *high, uint64_t count)
{
	struct bucket_rows *b = ctx;
	struct strbuf *out = &b->v->out;

	/* The last column is the histogram itself. */
	for (uint32_t i = 0; i + 1 < b->c->n; i++) {
		add_column(b->v, &b->c->v[i], b->row, 1);
		strbuf_addch(out, ',');
	}
	if (low)
		strbuf_adds64(out, *low);
	strbuf_addch(out, ',');
	if (high)
		strbuf_adds64(out, *high);
	strbuf_addch(out, ',');
	strbuf_addu64(out, count);
	strbuf_addstr(out, "\r\n");
}

static void add_buckets(struct view *v, const struct columns *c, const struct row *row, int64_t div)
{
	struct bucket_rows b = { .v = v, .c = c, .row = row };

	hist_each(c->map->value, row->value, div, add_bucket, &b);
}

/* Columns of a histogram: its keys, then the bounds of a bucket and how many fell into it. */
static int hist_columns(struct columns *c)
{
	char *low = strdup("LOW");

	if (!low)
		return -ENOMEM;
	free(c->v[c->n - 1].title);
	c->v[c->n - 1].title = low;
	return 0;
}

static int show_map(struct view *v, const struct record *rec)
{
	const struct table *t = rec->table;
	struct columns *c = v->priv;
	bool hist = is_hist(t->map->value);
	struct progress p;
	int err = 0;

	if (c->map != t->map) {
		columns_free(c);
		err = columns_of_map(c, t->map, v->columns_spec);
		if (!err && hist)
			err = hist_columns(c);
		if (err)
			return err;
		add_titles(v, c, hist ? ",HIGH,COUNT" : "");
	}
	view_rows_begin(v, &p, t->nrows);
	for (size_t i = 0; i < t->nrows; i++) {
		if (hist)
			add_buckets(v, c, &t->rows[i], t->div);
		else
			add_row(v, c, &t->rows[i], t->div);
		view_rows_step(v, &p, i + 1);
	}
	progress_end(&p);
	return 0;
}

/* A line of text is one cell. */
static int show_line(struct view *v, const struct record *rec)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (rec->kind == REC_PRINTF)
		format_text(v, &text, rec->format, rec->type, rec->data);
	else
		strbuf_add(&text, rec->text, rec->text_len);
	while (text.len && text.s[text.len - 1] == '\n')
		text.s[--text.len] = 0;
	if (text.failed)
		return -ENOMEM;
	add_cell(&v->out, text.s, text.len);
	strbuf_addstr(&v->out, "\r\n");
	return 0;
}

static int csv_record(struct view *v, const struct record *rec)
{
	switch (rec->kind) {
	case REC_VALUE: return show_value(v, rec);
	case REC_MAP: return rec->table->nrows ? show_map(v, rec) : 0;
	case REC_PRINTF: case REC_TIME: case REC_TEXT: return show_line(v, rec);
	default: return 0;
	}
}

const struct view_def view_csv = {
	.name = "csv",
	.summary = "comma-separated values with a line of titles",
	.extensions = { ".csv" },
	.open = csv_open,
	.record = csv_record,
	.close = csv_close,
};
