/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bars: the view "hist". A map of numbers is a list of bars, the longest first, beside its keys; histograms and all
 * else are shown as the text view shows them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "view/columns.h"
#include "view/parts.h"
#include "view/terminal.h"

#define MOST_KEY 48
#define NUMBER_COLUMNS 12
#define LEAST_BAR 20
#define MOST_BAR 100

/* How a map is laid out. */
struct layout {
	size_t key, bar; /* columns */
	double most;
	bool blocks; /* characters of an eighth */
};

static bool is_number(const struct type *t)
{
	return t->kind == TY_INT || (t->kind >= TY_COUNT && t->kind <= TY_STATS);
}

static double number_of(const struct table *t, const struct row *row)
{
	const struct type *type = t->map->value;
	int64_t n = 0;
	struct agg a;

	if (type->kind == TY_STATS && agg_load(type, row->value, t->div, &a))
		n = a.value;
	else if (value_int(type, row->value, &n) && t->div > 1)
		n /= t->div;
	return type->kind == TY_INT && !type->is_signed ? (double)(uint64_t)n : (double)n;
}

/* The key on one line. */
static void add_key(const struct view *v, struct strbuf *out, const struct table *t, const struct row *row)
{
	if (row->key)
		key_text(v, out, t->map->key, row->key);
	else
		strbuf_addstr(out, t->map->name);
	for (size_t i = 0; i < out->len; i++)
		if ((unsigned char)out->s[i] < 0x20 || out->s[i] == 0x7f)
			out->s[i] = ' ';
}

static struct layout layout_of(const struct view *v, const struct table *t)
{
	struct layout l = { .blocks = terminal_is_utf8() };
	size_t room = terminal_columns(v);

	for (size_t i = 0; i < t->nrows; i++) {
		_cleanup_strbuf_ struct strbuf key = STRBUF_INIT;

		add_key(v, &key, t, &t->rows[i]);
		l.key = MAX(l.key, MIN(text_width(key.s, key.len), (size_t)MOST_KEY));
		l.most = MAX(l.most, number_of(t, &t->rows[i]));
	}
	room = room > l.key + NUMBER_COLUMNS + 4 ? room - l.key - NUMBER_COLUMNS - 4 : 0;
	l.bar = MAX(MIN(room, (size_t)MOST_BAR), (size_t)LEAST_BAR);
	return l;
}

static void add_bar(struct strbuf *out, const struct layout *l, double number)
{
	double share = l->most > 0 && number > 0 ? number / l->most : 0;
	size_t eighths = (size_t)(share * (double)l->bar * 8 + 0.5);

	if (!l->blocks) {
		strbuf_fill(out, '@', eighths / 8);
		return;
	}
	for (size_t i = 0; i < eighths / 8; i++)
		strbuf_addstr(out, "\xe2\x96\x88");
	/* U+258F is one eighth, U+2589 seven. */
	if (eighths % 8)
		strbuf_addf(out, "\xe2\x96%c", (char)(0x90 - eighths % 8));
}

static void add_row(struct view *v, const struct table *t, const struct row *row, const struct layout *l)
{
	_cleanup_strbuf_ struct strbuf key = STRBUF_INIT, number = STRBUF_INIT;
	struct strbuf *out = &v->out;
	size_t width, len = 0;

	add_key(v, &key, t, row);
	value_text_div(v, &number, t->map->value, row->value, t->div);
	for (width = 0; len < key.len && width < l->key; width++)
		do
			len++;
		while (len < key.len && ((unsigned char)key.s[len] & 0xc0) == 0x80);
	strbuf_add(out, key.s, len);
	strbuf_fill(out, ' ', l->key - width + 1);
	width = text_width(number.s, number.len);
	strbuf_fill(out, ' ', width < NUMBER_COLUMNS ? NUMBER_COLUMNS - width : 0);
	strbuf_add(out, number.s, number.len);
	strbuf_addstr(out, " |");
	terminal_foreground(out, terminal_depth(v), 0xf0883e);
	add_bar(out, l, number_of(t, row));
	terminal_plain(out, terminal_depth(v));
	strbuf_addch(out, '\n');
}

static int bars_record(struct view *v, const struct record *rec)
{
	const struct table *t = rec->table;
	struct layout l;

	if (rec->kind != REC_MAP || !is_number(t->map->value))
		return view_text.record(v, rec);
	l = layout_of(v, t);
	if (t->nrows && t->map->key)
		strbuf_addf(&v->out, "%s:\n", t->map->name);
	for (size_t i = t->nrows; i-- > 0;)
		add_row(v, t, &t->rows[i], &l);
	if (t->nrows)
		strbuf_addch(&v->out, '\n');
	return 0;
}

const struct view_def view_hist = {
	.name = "hist",
	.summary = "maps of numbers as bars, the longest first; histograms as they are",
	.record = bars_record,
};
