/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bars: the view "hist". A map of numbers is a list of bars, the longest first, beside its keys; histograms and all
 * else are shown as the text view shows them. On a terminal a map that is printed again is redrawn in its place; with
 * -o FILE.svg all is one picture, made at the end.
 */
#include "view/bars.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "view/parts.h"
#include "view/svg.h"
#include "view/terminal.h"
#include "view/width.h"

#define MOST_KEY 48
#define NUMBER_COLUMNS 12
#define LEAST_KEY 8
#define LEAST_BAR 4
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

bool bars_of(const struct map *m)
{
	return is_number(m->value) || m->value->kind == TY_HIST || m->value->kind == TY_LHIST;
}

double bars_number(const struct type *t, const uint8_t *data, int64_t div)
{
	int64_t n = 0;
	struct agg a;

	if (t->kind == TY_STATS && agg_load(t, data, div, &a))
		n = a.value;
	else if (value_int(t, data, &n) && div > 1)
		n /= div;
	return t->kind == TY_INT && !t->is_signed ? (double)(uint64_t)n : (double)n;
}

/* The key on one line. */
static void add_key(const struct view *v, struct strbuf *out, const struct table *t, const struct row *row)
{
	_cleanup_strbuf_ struct strbuf raw = STRBUF_INIT;

	if (row->key)
		key_text(v, &raw, t->map->key, row->key);
	else
		strbuf_addstr(&raw, t->map->name);
	for (size_t i = 0; i < raw.len; i++)
		raw.s[i] = raw.s[i] == '\n' || raw.s[i] == '\t' ? ' ' : raw.s[i];
	text_plain(out, raw.s, raw.len);
	out->failed |= raw.failed;
}

static struct layout layout_of(const struct view *v, const struct table *t)
{
	struct layout l = { .blocks = terminal_is_utf8() };
	size_t room = terminal_columns(v);

	for (size_t i = 0; i < t->nrows; i++) {
		_cleanup_strbuf_ struct strbuf key = STRBUF_INIT;

		add_key(v, &key, t, &t->rows[i]);
		l.key = MAX(l.key, MIN(text_width(key.s, key.len), (size_t)MOST_KEY));
		l.most = MAX(l.most, bars_number(t->map->value, t->rows[i].value, t->div));
	}
	/* Names may have half of a narrow line. */
	l.key = MIN(l.key, MAX(room / 2, (size_t)LEAST_KEY));
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
	size_t width, len;

	add_key(v, &key, t, row);
	value_text_div(v, &number, t->map->value, row->value, t->div);
	len = text_fit(key.s, key.len, l->key);
	strbuf_add(out, key.s, len);
	strbuf_fill(out, ' ', l->key - text_width(key.s, len) + 1);
	width = text_width(number.s, number.len);
	strbuf_fill(out, ' ', width < NUMBER_COLUMNS ? NUMBER_COLUMNS - width : 0);
	strbuf_add(out, number.s, number.len);
	strbuf_addstr(out, " |");
	terminal_foreground(out, terminal_depth(v), 0xf0883e);
	add_bar(out, l, bars_number(t->map->value, row->value, t->div));
	terminal_plain(out, terminal_depth(v));
	strbuf_addch(out, '\n');
}

static int bars_open(struct view *v)
{
	v->priv = calloc(1, sizeof(struct bars));
	return v->priv ? 0 : -ENOMEM;
}

static void add_map(struct view *v, const struct table *t, unsigned room)
{
	struct layout l = layout_of(v, t);

	if (t->nrows && t->map->key)
		strbuf_addf(&v->out, "%s:\n", t->map->name);
	for (size_t i = t->nrows; i-- > 0;) {
		if (t->nrows - i + 3 > room && i) {
			strbuf_addf(&v->out, "... and %zu more\n", i + 1);
			break;
		}
		add_row(v, t, &t->rows[i], &l);
	}
	if (t->nrows)
		strbuf_addch(&v->out, '\n');
}

/* On a terminal, where it may be written anew. */
static int map_in_place(struct view *v, const struct record *rec)
{
	struct bars *b = v->priv;
	const struct table *t = rec->table;
	size_t before;
	int err = 0;

	if (!t->nrows)
		return 0;
	frame_map_begin(v, &b->frame, t->map, &before);
	if (is_number(t->map->value))
		add_map(v, t, frame_room(v, &b->frame, t->final));
	else
		err = view_text.record(v, rec);
	frame_map_end(v, &b->frame, t->map, before, t->final);
	return err;
}

static int bars_record(struct view *v, const struct record *rec)
{
	struct bars *b = v->priv;

	if (svg_is_asked(v))
		return rec->kind == REC_MAP && bars_of(rec->table->map) ? bars_gather(v, b, rec->table) : 0;
	if (v->is_terminal)
		return rec->kind == REC_MAP ? map_in_place(v, rec) : frame_other(v, &b->frame, rec);
	if (rec->kind != REC_MAP || !is_number(rec->table->map->value))
		return view_text.record(v, rec);
	add_map(v, rec->table, UINT32_MAX);
	return 0;
}

static bool bars_takes(const struct view *v, const struct record *rec)
{
	(void)v;
	return rec->kind == REC_MAP && bars_of(rec->table->map);
}

static void bars_close(struct view *v)
{
	struct bars *b = v->priv;

	if (svg_is_asked(v) && !v->err) {
		bars_draw(v, b);
		if (!b->n)
			report_warning(v->reporter, "count in a map: @[comm] = count(), or @ = hist(...)", "there are no numbers to show");
		if (b->left_out)
			report_warning(v->reporter, NULL, "%llu histograms are too many to be shown", (unsigned long long)b->left_out);
	}
	bars_free(b);
	v->priv = NULL;
}

static bool bars_stands(const struct view *v)
{
	return frame_stands(v, &((const struct bars *)v->priv)->frame);
}

static void bars_leave(struct view *v)
{
	frame_forget(&((struct bars *)v->priv)->frame);
}

/* What is counted and shown at the end. */
static bool bars_suits(const struct module *m)
{
	vec_each(map, &m->maps)
		if (bars_of(map->map))
			return true;
	return false;
}

const struct view_def view_hist = {
	.name = "hist",
	.summary = "maps of numbers as bars, the longest first, histograms as they are; SVG with -o FILE.svg",
	.extensions = { ".svg", ".html" },
	.draws_files = true,
	.suits = bars_suits,
	.open = bars_open,
	.takes = bars_takes,
	.record = bars_record,
	.close = bars_close,
	.stands = bars_stands,
	.leave = bars_leave,
};
