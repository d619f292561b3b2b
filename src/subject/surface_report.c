/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Surface, report: what was reached, as text and as the recording that `surface diff` reads. */
#include <inttypes.h>

#include "base/util.h"
#include "subject/surface.h"

static int by_place(const void *x, const void *y)
{
	const struct row *const *a = x, *const *b = y;
	int order = (int)(*b)->part - (int)(*a)->part;

	order = order ? order : (*b)->count > (*a)->count ? 1 : (*b)->count < (*a)->count ? -1 : 0;
	order = order ? order : strcmp((*a)->text ? (*a)->text : "", (*b)->text ? (*b)->text : "");
	return order ? order : (*a)->a > (*b)->a ? 1 : (*a)->a < (*b)->a ? -1 : 0;
}

/* Sorted: the container's own first, and what is most frequent. free() it; NULL: none or no memory. */
static const struct row **sorted(const struct rows *rows)
{
	const struct row **v = rows->n ? malloc(rows->n * sizeof(*v)) : NULL;

	if (!v)
		return NULL;
	for (size_t i = 0; i < rows->n; i++)
		v[i] = &rows->v[i];
	if (rows->n > 1)
		qsort(v, rows->n, sizeof(*v), by_place);
	return v;
}

/* What a row is, in words. */
static void row_name(struct strbuf *out, enum table t, const struct row *r)
{
	switch (t) {
	case TABLE_ARGUMENTS:
		strbuf_addf(out, "%s(", r->text);
		argument_text(out, r->text, r->a);
		strbuf_addch(out, ')');
		break;
	case TABLE_SOCKETS:
		family_text(out, r->a);
		strbuf_addch(out, ' ');
		socket_type_text(out, r->b);
		break;
	case TABLE_CAPABILITIES:
		capability_text(out, r->a);
		strbuf_addstr(out, r->b ? "" : " (refused)");
		break;
	case TABLE_FILES:
		strbuf_addf(out, "%s%s", r->text, r->a ? " (written)" : "");
		break;
	case TABLE_COMPAT:
		strbuf_addf(out, "32-bit system call %" PRId64, r->a);
		break;
	default:
		strbuf_addstr(out, r->text);
	}
}

static const struct {
	enum table table;
	const char *name, *title; /* in JSON; for people */
} shown[] = {
	{ TABLE_CALLS, "calls", "System calls" },
	{ TABLE_ARGUMENTS, "arguments", "Arguments that matter" },
	{ TABLE_SOCKETS, "sockets", "Sockets" },
	{ TABLE_CAPABILITIES, "capabilities", "Capabilities" },
	{ TABLE_FILES, "files", "Files of /proc and /sys" },
	{ TABLE_FUNCTIONS, "functions", "Functions of the kernel" },
	{ TABLE_COMPAT, "compat", "32-bit system calls" },
};

/* The setup in the same table as the others, without its steps. */
static void merge_setup(struct surface *to, const struct surface *s)
{
	for (size_t i = 0; i < s->table[TABLE_CALLS].n; i++) {
		const struct row *r = &s->table[TABLE_CALLS].v[i];

		surface_add(to, TABLE_CALLS, r->text, r->part, 0, 0, r->count);
	}
	for (size_t i = 0; i < s->table[TABLE_SETUP].n; i++) {
		const struct row *r = &s->table[TABLE_SETUP].v[i];

		surface_add(to, TABLE_CALLS, r->text, PART_SETUP, 0, 0, r->count);
	}
}

/* ---- for people ---- */

static void text_rows(struct subject_run *r, enum table t, const char *title,
		      const struct rows *rows, bool contained)
{
	const struct row **v = sorted(rows);
	int part = -1;

	for (size_t i = 0; v && i < rows->n; i++) {
		_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;

		if ((int)v[i]->part != part) {
			part = (int)v[i]->part;
			out_text(r, "\n%s%s\n", title,
				 !contained ? "" : part == PART_WORK ? " of the container" :
				 part == PART_SETUP ? " of the runtime, within the container" :
				 " of the runtime, outside");
		}
		row_name(&name, t, v[i]);
		out_text(r, "  %10" PRIu64 "  %s\n", v[i]->count, name.s);
	}
	free(v);
}

/* Functions by the part of the kernel they belong to. */
static void sum_subsystems(const struct surface *s, struct surface *to)
{
	for (size_t i = 0; i < s->table[TABLE_FUNCTIONS].n; i++) {
		const struct row *f = &s->table[TABLE_FUNCTIONS].v[i];

		surface_add(to, TABLE_FUNCTIONS, function_subsystem(f->text), f->part, 0, 0,
			    f->count);
		surface_add(to, TABLE_FILES, function_subsystem(f->text), f->part, 0, 0,
			    1); /* how many different ones */
	}
}

static void text_subsystems(struct subject_run *r, const struct surface *sums, bool contained)
{
	const struct rows *rows = &sums->table[TABLE_FUNCTIONS];
	const struct row **v = sorted(rows);

	if (v)
		out_text(r, "\nParts of the kernel\n   functions       calls\n");
	for (size_t i = 0; v && i < rows->n; i++) {
		const struct row *n = &sums->table[TABLE_FILES].v[v[i] - rows->v];

		out_text(r, "  %10" PRIu64 "  %10" PRIu64 "  %s%s\n", n->count, v[i]->count,
			 v[i]->text,
			 contained && v[i]->part != PART_WORK ? " (runtime)" : "");
	}
	free(v);
}

static void text_unseen(struct subject_run *r, const struct surface *s)
{
	if (s->nunseen)
		out_text(r, "\nNot observable\n");
	for (size_t i = 0; i < s->nunseen; i++)
		out_text(r, "  %s: %s\n", s->unseen[i].item, s->unseen[i].why.s);
	if (s->lost)
		out_text(r, "  %" PRIu64 " events were lost: what was seen is not all\n", s->lost);
}

/* ---- JSON ---- */

static void json_row(struct json *j, enum table t, const struct row *r)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;

	row_name(&name, t, r);
	json_object(j, NULL);
	json_text(j, "name", name.s);
	json_text(j, "part", part_names[r->part]);
	json_u64(j, "count", r->count);
	if (t == TABLE_ARGUMENTS) {
		json_text(j, "call", r->text);
		json_u64(j, "value", (uint64_t)r->a);
	} else if (t == TABLE_SOCKETS) {
		json_i64(j, "family", r->a);
		json_i64(j, "type", r->b);
	} else if (t == TABLE_CAPABILITIES) {
		json_i64(j, "number", r->a);
		json_bool(j, "granted", r->b);
	} else if (t == TABLE_FILES) {
		json_text(j, "path", r->text);
		json_bool(j, "written", r->a);
	} else if (t == TABLE_FUNCTIONS) {
		json_text(j, "subsystem", function_subsystem(r->text));
	}
	json_end(j);
}

static void json_rows(struct json *j, enum table t, const char *name, const struct rows *rows)
{
	const struct row **v = sorted(rows);

	json_array(j, name);
	for (size_t i = 0; v && i < rows->n; i++)
		json_row(j, t, v[i]);
	json_end(j);
	free(v);
}

static void json_subsystems(struct json *j, const struct surface *sums)
{
	const struct rows *rows = &sums->table[TABLE_FUNCTIONS];

	json_array(j, "subsystems");
	for (size_t i = 0; i < rows->n; i++) {
		json_object(j, NULL);
		json_text(j, "name", rows->v[i].text);
		json_text(j, "part", part_names[rows->v[i].part]);
		json_u64(j, "functions", sums->table[TABLE_FILES].v[i].count);
		json_u64(j, "count", rows->v[i].count);
		json_end(j);
	}
	json_end(j);
}

static void report_json(struct subject_run *r, const struct surface *s,
			const struct surface *merged, const struct surface *sums,
			const struct target *t)
{
	_cleanup_json_ struct json j = JSON_INIT;

	json_object(&j, NULL);
	json_u64(&j, "version", 1);
	json_text(&j, "target", t->name.s);
	json_bool(&j, "contained", surface_is_contained(s));
	json_bool(&j, "ended", t->gone);
	json_u64(&j, "lost", s->lost);
	json_u64(&j, "profile_calls", profile_calls(s));
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		json_rows(&j, shown[i].table, shown[i].name,
			  shown[i].table == TABLE_CALLS ? &merged->table[TABLE_CALLS] :
			  &s->table[shown[i].table]);
	json_subsystems(&j, sums);
	json_array(&j, "not_observable");
	for (size_t i = 0; i < s->nunseen; i++) {
		json_object(&j, NULL);
		json_text(&j, "item", s->unseen[i].item);
		json_text(&j, "reason", s->unseen[i].why.s);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	out_json(r, "surface", &j);
}

/* ---- both ---- */

void report_show(struct subject_run *r, const struct surface *s, const struct target *t)
{
	struct surface merged = { 0 }, sums = { 0 };
	bool contained = surface_is_contained(s);

	merge_setup(&merged, s);
	sum_subsystems(s, &sums);
	out_text(r, "%s: %zu system calls%s\n", t->name.s, profile_calls(s),
		 contained ? " that a profile must allow" : "");
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		text_rows(r, shown[i].table, shown[i].title,
			  shown[i].table == TABLE_CALLS ? &merged.table[TABLE_CALLS] :
			  &s->table[shown[i].table], contained);
	text_subsystems(r, &sums, contained);
	text_unseen(r, s);
	report_json(r, s, &merged, &sums, t);
	surface_free(&merged);
	surface_free(&sums);
}
