/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text: what a person reads, in the forms of the reference: "@x: 5", "@x[1, abc]: 5", a histogram under
 * its name followed by an empty line, and an empty line between the maps of the end.
 */
#include "view/parts.h"

#include "base/util.h"
#include "view/progress.h"

/* Does a value of this type take lines of its own, with an empty one after them? */
static bool is_block(const struct type *t)
{
	return t->kind == TY_HIST || t->kind == TY_LHIST || t->kind == TY_TSERIES;
}

/* All series of a map end at the same time. */
static uint64_t table_latest(const struct table *t)
{
	uint64_t latest = 0;

	for (size_t i = 0; i < t->nrows; i++) {
		uint64_t one = tseries_latest(t->map->value, t->rows[i].value);

		latest = MAX(latest, one);
	}
	return latest;
}

static void map_row(const struct view *v, struct strbuf *out, const struct table *t, const struct row *row)
{
	const struct map *m = t->map;

	strbuf_addstr(out, m->name);
	if (row->key) {
		strbuf_addch(out, '[');
		key_text(v, out, m->key, row->key);
		strbuf_addch(out, ']');
	}
	strbuf_addstr(out, is_block(m->value) ? ":\n" : ": ");
	if (m->value->kind == TY_TSERIES)
		tseries_text(out, m->value, row->value, table_latest(t));
	else
		value_text_div(v, out, m->value, row->value, t->div);
	strbuf_addch(out, '\n');
}

/* What is shown at the end is set off from what came before it, and from the ^C that asked for it. */
static void end_gap(struct view *v)
{
	if (v->attached)
		strbuf_addstr(&v->out, "\n\n");
	v->attached = false;
}

static int show_map(struct view *v, const struct record *rec)
{
	const struct table *t = rec->table;
	struct progress p;

	if (t->final)
		end_gap(v);
	if (t->final && t->nrows && v->final_gap)
		strbuf_addch(&v->out, '\n');
	view_rows_begin(v, &p, t->nrows);
	for (size_t i = 0; i < t->nrows; i++) {
		map_row(v, &v->out, t, &t->rows[i]);
		view_rows_step(v, &p, i + 1);
	}
	progress_end(&p);
	if (t->final && t->nrows)
		v->final_gap = v->fd >= 0 && !is_block(t->map->value);
	return 0;
}

static int show_attached(struct view *v, const struct record *rec)
{
	if (v->quiet_attach)
		return 0;
	v->attached = v->fd >= 0 && !v->only_attach;
	strbuf_addstr(&v->out, "Attached ");
	strbuf_addu64(&v->out, rec->number);
	strbuf_addstr(&v->out, rec->number == 1 ? " probe\n" : " probes\n");
	return 0;
}

static int show_printf(struct view *v, const struct record *rec)
{
	format_text(v, &v->out, rec->format, rec->type, rec->data);
	return 0;
}

static int show_value(struct view *v, const struct record *rec)
{
	value_text(v, &v->out, rec->type, rec->data);
	strbuf_addch(&v->out, '\n');
	return 0;
}

static int show_text(struct view *v, const struct record *rec)
{
	strbuf_add(&v->out, rec->text, rec->text_len);
	if (rec->is_line)
		strbuf_addch(&v->out, '\n');
	return 0;
}

static int show_lost(struct view *v, const struct record *rec)
{
	if (rec->label) {
		strbuf_addstr(&v->out, "warning: ");
		strbuf_add(&v->out, rec->text, rec->text_len);
		strbuf_addch(&v->out, '\n');
		return 0;
	}
	strbuf_addstr(&v->out, "Lost ");
	strbuf_addu64(&v->out, rec->number);
	strbuf_addstr(&v->out, " events\n");
	return 0;
}

static void line_end(struct view *v)
{
	if (!v->out.len || v->out.s[v->out.len - 1] != '\n')
		strbuf_addch(&v->out, '\n');
}

static int show_message(struct view *v, const struct record *rec)
{
	static const char *const words[] = {
		[SEV_ERROR] = "ERROR: ", [SEV_WARNING] = "WARNING: ", [SEV_INFO] = "", [SEV_DEBUG] = "",
	};

	view_place(v, &v->out, rec->span);
	strbuf_addstr(&v->out, words[rec->sev]);
	strbuf_add(&v->out, rec->text, rec->text_len);
	if (rec->helper)
		strbuf_addf(&v->out, "\nAdditional Info - helper: %s, retcode: %lld", rec->helper,
			    (long long)(int64_t)rec->number);
	if (rec->shows_source)
		view_excerpt(v, &v->out, rec->span);
	for (const struct expanded *from = rec->expanded; from; from = from->outer) {
		line_end(v);
		view_place(v, &v->out, from->at);
		strbuf_addf(&v->out, "%sexpanded from", words[rec->sev]);
		view_excerpt(v, &v->out, from->at);
	}
	line_end(v);
	return 0;
}

static int text_record(struct view *v, const struct record *rec)
{
	static int (*const show[])(struct view *v, const struct record *rec) = {
		[REC_ATTACHED] = show_attached, [REC_PRINTF] = show_printf, [REC_VALUE] = show_value,
		[REC_MAP] = show_map, [REC_TIME] = show_text, [REC_TEXT] = show_text, [REC_LOST] = show_lost,
		[REC_MESSAGE] = show_message, [REC_TEST] = test_text, [REC_BENCH] = bench_text,
	};

	return (size_t)rec->kind < ARRAY_SIZE(show) ? show[rec->kind](v, rec) : 0;
}

const struct view_def view_text = {
	.name = "text",
	.summary = "lines for people",
	.extensions = { ".txt" }, /* also of pictures drawn with characters, which have to be asked for */
	.record = text_record,
	.close = end_gap,
};
