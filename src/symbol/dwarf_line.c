/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dwarf, lines: from FILE:LINE[:COLUMN] to the addresses where that statement begins. */
#include <errno.h>

#include "base/util.h"
#include "symbol/dwarf_priv.h"

/* Is `end` the path, or its last parts? */
static bool path_ends_with(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);

	while (str_starts(end, "./")) {
		end += 2;
		m -= 2;
	}
	return m && n >= m && str_eq(path + n - m, end) && (n == m || end[0] == '/' || path[n - m - 1] == '/');
}

/* A place where the line begins, and the function or inlined copy it lies in. */
struct place {
	uint64_t addr;
	void *scope;
};

struct line_search {
	struct dwarf_file *d;
	const char *file;
	int line, column;
	struct dwarf_line *out;
	struct place *places;
	uint32_t n, cap;
	bool failed;
};

static void place_add(struct line_search *s, uint64_t addr)
{
	const struct dw_func *f = dw_func_at(s->d, addr, NULL);

	if (s->n == s->cap) {
		uint32_t cap = s->cap ? s->cap * 2 : 8;
		struct place *places = realloc(s->places, cap * sizeof(*places));

		s->failed |= !places;
		if (!places)
			return;
		s->places = places;
		s->cap = cap;
	}
	s->places[s->n++] = (struct place){ addr, f ? dw_scope_at(s->d, f, addr) : NULL };
}

/* Of two lines as near as each other, the later one. */
static void near_note(struct line_search *s, int line)
{
	int now = abs(line - s->line), best = abs(s->out->near - s->line);

	if (!s->out->near || now < best || (now == best && line > s->out->near))
		s->out->near = line;
}

static bool file_note(struct line_search *s, const char *path)
{
	if (!s->out->file)
		s->out->file = path;
	if (str_eq(s->out->file, path))
		return true;
	s->out->other = path;
	return false;
}

static void column_note(struct line_search *s, int column)
{
	struct dwarf_line *out = s->out;
	uint32_t at = 0;

	while (at < out->ncolumns && out->columns[at] < column)
		at++;
	if (column <= 0 || out->ncolumns == DWARF_MOST_COLUMNS || (at < out->ncolumns && out->columns[at] == column))
		return;
	memmove(&out->columns[at + 1], &out->columns[at], (out->ncolumns - at) * sizeof(*out->columns));
	out->columns[at] = column;
	out->ncolumns++;
}

/* Is this row of the line the column that is wanted, or any? */
static bool column_matches(struct line_search *s, Dwarf_Line *line)
{
	int column;

	if (!s->column)
		return true;
	if (s->d->dw->linecol(line, &column))
		return false;
	column_note(s, column);
	return column == s->column;
}

/* Within a line compilers say of few columns that a statement begins there: of those, any row will do. */
static void line_look(struct line_search *s, Dwarf_Line *line)
{
	const struct dwlib *dw = s->d->dw;
	const char *path = dw->linesrc(line, NULL, NULL);
	bool begins = false, ends = false;
	Dwarf_Addr addr;
	int number;

	if (!path || !path_ends_with(path, s->file) || !file_note(s, path) || dw->lineno(line, &number) ||
	    dw->lineaddr(line, &addr) || addr <= 1)
		return;
	if (dw->linebeginstatement(line, &begins) || (!begins && !s->column) || dw->lineendsequence(line, &ends) || ends ||
	    number <= 0)
		return;
	near_note(s, number);
	if (number == s->line && column_matches(s, line))
		place_add(s, addr);
}

static bool unit_has_file(struct line_search *s, struct dw_unit *u)
{
	Dwarf_Files *files;
	size_t n;

	if (s->d->dw->getsrcfiles(&u->skeleton, &files, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *path = s->d->dw->filesrc(files, i, NULL, NULL);

		if (path && path_ends_with(path, s->file))
			return true;
	}
	return false;
}

static void unit_look(struct line_search *s, struct dw_unit *u)
{
	Dwarf_Lines *lines;
	size_t n;

	if (!unit_has_file(s, u) || s->d->dw->getsrclines(&u->skeleton, &lines, &n))
		return;
	for (size_t i = 0; i < n && !s->failed; i++) {
		Dwarf_Line *line = s->d->dw->onesrcline(lines, i);

		if (line)
			line_look(s, line);
	}
}

static int place_compare(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static bool scope_seen(const struct line_search *s, uint32_t i)
{
	for (uint32_t j = 0; j < i; j++)
		if (s->places[j].scope && s->places[j].scope == s->places[i].scope)
			return true;
	return false;
}

/* Optimised code comes back to a line several times: where it does so first counts, once for each function
 * and each inlined copy of one. */
static int places_take(struct line_search *s)
{
	if (s->n > 1)
		qsort(s->places, s->n, sizeof(*s->places), place_compare);
	s->out->addrs = malloc(s->n * sizeof(*s->out->addrs));
	if (!s->out->addrs)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n; i++)
		if (!scope_seen(s, i) && !(i && s->places[i].addr == s->places[i - 1].addr))
			s->out->addrs[s->out->n++] = s->places[i].addr;
	return 0;
}

int dwarf_line_find(struct dwarf_file *d, const char *file, int line, int column, struct dwarf_line *out)
{
	struct line_search s = { .d = d, .file = file, .line = line, .column = column, .out = out };
	int err;

	*out = (struct dwarf_line){ 0 };
	for (uint32_t i = 0; i < d->nunits && !s.failed; i++)
		if (dwlib_may_be_asked())
			unit_look(&s, &d->units[i]);
		else
			s.failed = true;
	if (s.failed)
		err = -ENOMEM;
	else if (out->other)
		err = -ENOTUNIQ;
	else
		err = s.n ? places_take(&s) : -ENOENT;
	free(s.places);
	return err;
}
