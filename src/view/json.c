/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Json: one JSON object per line and record, in the shapes of the reference, for programs.
 */
#include "view/parts.h"
#include "view/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static void line_begin(struct strbuf *out, const char *type)
{
	strbuf_addstr(out, "{\"type\": \"");
	strbuf_addstr(out, type);
	strbuf_addstr(out, "\", \"data\": ");
}

static const char *map_type(const struct map *m)
{
	switch (m->value->kind) {
	case TY_HIST:
	case TY_LHIST:
		return "hist";
	case TY_TSERIES:
		return "tseries";
	case TY_AVG:
	case TY_STATS:
		return "stats";
	default:
		return "map";
	}
}

static void map_rows(struct view *v, const struct table *t)
{
	struct progress p;

	view_rows_begin(v, &p, t->nrows);
	strbuf_addch(&v->out, '{');
	for (size_t i = 0; i < t->nrows; i++) {
		if (i)
			strbuf_addstr(&v->out, ", ");
		key_json(v, &v->out, t->map->key, t->rows[i].key);
		strbuf_addstr(&v->out, ": ");
		value_json_div(v, &v->out, t->map->value, t->rows[i].value, t->div);
		view_rows_step(v, &p, i + 1);
	}
	strbuf_addch(&v->out, '}');
	progress_end(&p);
}

static int show_map(struct view *v, const struct record *rec)
{
	const struct table *t = rec->table;

	if (!t->nrows)
		return 0;
	line_begin(&v->out, map_type(t->map));
	strbuf_addch(&v->out, '{');
	json_string(&v->out, t->map->name, strlen(t->map->name));
	strbuf_addstr(&v->out, ": ");
	if (t->rows[0].key)
		map_rows(v, t);
	else
		value_json_div(v, &v->out, t->map->value, t->rows[0].value, t->div);
	strbuf_addstr(&v->out, "}}\n");
	return 0;
}

/* A number that stands both beside and inside "data": readers of either form are served. */
static void show_count(struct view *v, const char *type, const char *name, uint64_t n)
{
	strbuf_addf(&v->out, "{\"type\": \"%s\", \"count\": %llu, \"data\": {\"%s\": %llu}}\n", type,
		    (unsigned long long)n, name, (unsigned long long)n);
}

static int show_attached(struct view *v, const struct record *rec)
{
	if (!v->quiet_attach)
		show_count(v, "attached_probes", "probes", rec->number);
	return 0;
}

static int show_lost(struct view *v, const struct record *rec)
{
	if (!rec->label) {
		show_count(v, "lost_events", "events", rec->number);
		return 0;
	}
	line_begin(&v->out, "loss");
	strbuf_addch(&v->out, '{');
	json_string(&v->out, rec->label, strlen(rec->label));
	strbuf_addstr(&v->out, ": ");
	json_uint(&v->out, rec->number);
	strbuf_addstr(&v->out, "}, \"msg\": ");
	json_string(&v->out, rec->text, rec->text_len);
	strbuf_addstr(&v->out, "}\n");
	return 0;
}

static void show_string(struct view *v, const char *type, const char *s, size_t len)
{
	line_begin(&v->out, type);
	json_string(&v->out, s, len);
	strbuf_addstr(&v->out, "}\n");
}

static int show_printf(struct view *v, const struct record *rec)
{
	struct strbuf *text = v->priv;

	strbuf_reset(text);
	format_text(v, text, rec->format, rec->type, rec->data);
	if (text->failed)
		return -ENOMEM;
	show_string(v, "printf", text->s, text->len);
	return 0;
}

static int show_value(struct view *v, const struct record *rec)
{
	line_begin(&v->out, "value");
	value_json(v, &v->out, rec->type, rec->data);
	strbuf_addstr(&v->out, "}\n");
	return 0;
}

static int show_time(struct view *v, const struct record *rec)
{
	show_string(v, "time", rec->text, rec->text_len);
	return 0;
}

static int show_text(struct view *v, const struct record *rec)
{
	show_string(v, rec->label ? rec->label : "text", rec->text, rec->text_len);
	return 0;
}

static int show_message(struct view *v, const struct record *rec)
{
	static const char *const types[] = {
		[SEV_ERROR] = "errorf", [SEV_WARNING] = "warnf", [SEV_INFO] = "info", [SEV_DEBUG] = "debug",
	};
	const struct sources *sources = v->module && v->module->script ? v->module->script->sources : NULL;
	const struct source *src = sources && rec->span.file ? source_of(sources, rec->span) : NULL;
	uint32_t line, col;

	strbuf_addf(&v->out, "{\"type\": \"%s\", \"msg\": ", rec->label ? rec->label : types[rec->sev]);
	json_string(&v->out, rec->text, rec->text_len);
	if (rec->helper)
		strbuf_addf(&v->out, ", \"helper\": \"%s\", \"retcode\": %lld", rec->helper,
			    (long long)(int64_t)rec->number);
	if (src) {
		span_locate(sources, rec->span, &line, &col);
		strbuf_addstr(&v->out, ", \"filename\": ");
		json_string(&v->out, src->name, strlen(src->name));
		strbuf_addf(&v->out, ", \"line\": %u, \"col\": %u", line, col);
	}
	strbuf_addstr(&v->out, "}\n");
	return 0;
}

static int json_record(struct view *v, const struct record *rec)
{
	static int (*const show[])(struct view *v, const struct record *rec) = {
		[REC_ATTACHED] = show_attached, [REC_PRINTF] = show_printf, [REC_VALUE] = show_value,
		[REC_MAP] = show_map, [REC_TIME] = show_time, [REC_TEXT] = show_text, [REC_LOST] = show_lost,
		[REC_MESSAGE] = show_message, [REC_TEST] = test_json, [REC_BENCH] = bench_json,
	};

	return (size_t)rec->kind < ARRAY_SIZE(show) ? show[rec->kind](v, rec) : 0;
}

static int json_open(struct view *v)
{
	struct strbuf *text = malloc(sizeof(*text));

	if (!text)
		return -ENOMEM;
	*text = (struct strbuf)STRBUF_INIT;
	v->priv = text;
	return 0;
}

static void json_close(struct view *v)
{
	strbuf_free(v->priv);
	free(v->priv);
	v->priv = NULL;
}

const struct view_def view_json = {
	.name = "json",
	.for_programs = true,
	.summary = "one JSON object per line, for programs",
	.open = json_open,
	.record = json_record,
	.close = json_close,
};
