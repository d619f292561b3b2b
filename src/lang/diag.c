/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Diag: collect what is wrong with a script and draw it under the lines it is about. */
#include "lang/diag.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"

#define MOST_ERRORS 20u
/* Bytes of a source line that are shown; of a longer one, a window around the place. */
#define SHOWN_BYTES 400u
#define SHOWN_BEFORE 160u

static bool diag_is_known(const struct diags *d, enum severity sev, struct span span, const char *text)
{
	vec_each(it, &d->list)
		if (it->sev == sev && it->span.begin == span.begin && it->span.file == span.file &&
		    !strcmp(it->text, text))
			return true;
	return false;
}

static void diag_add(struct diags *d, enum severity sev, struct span span, const char *text)
{
	uint32_t most = d->most_errors ? d->most_errors : MOST_ERRORS;
	struct diag one = { .sev = sev, .span = span, .text = text };

	d->last_dropped = true;
	if (diag_is_known(d, sev, span, text))
		return;
	if (sev == SEV_ERROR && d->nerrors++ >= most) {
		d->ndropped++;
		return;
	}
	d->last_dropped = false;
	vec_push(d->arena, &d->list, one);
}

int diag_error(struct diags *d, struct span span, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_add(d, SEV_ERROR, span, arena_vprintf(d->arena, fmt, ap));
	va_end(ap);
	return -EINVAL;
}

void diag_warn(struct diags *d, struct span span, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_add(d, SEV_WARNING, span, arena_vprintf(d->arena, fmt, ap));
	va_end(ap);
}

void diag_hint(struct diags *d, const char *fmt, ...)
{
	struct diag *last;
	va_list ap;

	if (!d->list.n || d->last_dropped)
		return;
	last = &d->list.v[d->list.n - 1];
	if (last->hint)
		return;
	va_start(ap, fmt);
	last->hint = arena_vprintf(d->arena, fmt, ap);
	va_end(ap);
}

void diag_hint_nearest(struct diags *d, const char *word, const char *const *names, size_t n)
{
	const char *near = nearest_name(word, names, n);

	if (near)
		diag_hint(d, "did you mean '%s'?", near);
}

/* The part of a line that is shown: [from, to). */
static void line_window(uint32_t len, uint32_t mark, uint32_t *from, uint32_t *to)
{
	*from = len > SHOWN_BYTES && mark > SHOWN_BEFORE ? mark - SHOWN_BEFORE : 0;
	*to = MIN(len, *from + SHOWN_BYTES);
}

/* Control characters would move the cursor or worse: only tabs stay. */
static void line_add(struct strbuf *out, const char *line, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		unsigned char c = (unsigned char)line[i];

		strbuf_addch(out, (c < 32 && c != '\t') || c == 127 ? '?' : line[i]);
	}
}

/* White space as wide as the text before the mark: tabs stay tabs, a UTF-8 character is one column. */
static void mark_indent(struct strbuf *out, const char *line, uint32_t from, uint32_t mark)
{
	for (uint32_t i = from; i < mark; i++) {
		if (line[i] == '\t')
			strbuf_addch(out, '\t');
		else if (((unsigned char)line[i] & 0xc0) != 0x80)
			strbuf_addch(out, ' ');
	}
}

static void mark_draw(struct strbuf *out, const char *line, uint32_t mark, uint32_t end, char first)
{
	strbuf_addch(out, first);
	for (uint32_t i = mark + 1; i < end; i++)
		if (((unsigned char)line[i] & 0xc0) != 0x80)
			strbuf_addch(out, '~');
}

/* Where a span ends within the line in which it begins, as a column; white space behind the text is not counted. */
static uint32_t span_last_col(const struct source *src, struct span span, uint32_t line_no, uint32_t col)
{
	uint32_t len, end = col - 1 + (span.end > span.begin ? span.end - span.begin : 1);
	const char *line = source_line(src, line_no, &len);

	if (end > len)
		end = MAX(len, col);
	while (end > col && end <= len && (line[end - 1] == ' ' || line[end - 1] == '\t'))
		end--;
	return end + 1;
}

void diag_place_add(struct strbuf *out, const struct sources *sources, struct span span)
{
	const struct source *src = source_of(sources, span);
	uint32_t line, col;

	if (!src)
		return;
	span_locate(sources, span, &line, &col);
	strbuf_addf(out, "%s:%u:%u-%u: ", src->name, line, col, span_last_col(src, span, line, col));
}

/* The line in which a span begins behind `gutter`, and beneath it, behind `under`, a mark that begins with `first`. */
static void excerpt_draw(struct strbuf *out, const struct sources *sources, struct span span, const char *gutter,
			 const char *under, char first)
{
	const struct source *src = source_of(sources, span);
	uint32_t len, from, to, line_no, col, mark, end;
	const char *line, *cut;

	span_locate(sources, span, &line_no, &col);
	line = source_line(src, line_no, &len);
	mark = MIN(col - 1, len);
	line_window(len, mark, &from, &to);
	cut = from ? "..." : "";
	end = span_last_col(src, span, line_no, col) - 1;
	strbuf_addf(out, "\n%s%s", gutter, cut);
	line_add(out, line, from, to);
	strbuf_addf(out, "%s\n%s%*s", to < len ? "..." : "", under, (int)strlen(cut), "");
	mark_indent(out, line, from, mark);
	mark_draw(out, line, mark, MIN(to, end), first);
}

void diag_excerpt_add(struct strbuf *out, const struct sources *sources, struct span span)
{
	if (source_of(sources, span))
		excerpt_draw(out, sources, span, "", "", '~');
}

/*
 * Compilers' form, "q.bt:3:14: error: ", and the line behind its number: editors find the place by it. Programs that
 * were written for the reference look for its form, "q.bt:3:14-20: ERROR: ", and they say who they are.
 */
bool diag_form_is_reference(void)
{
	return getenv("__BPFTRACE_NOTIFY_PROBES_ATTACHED");
}

static const char *severity_text(enum severity sev, bool reference)
{
	switch (sev) {
	case SEV_ERROR: return reference ? "ERROR: " : "error: ";
	case SEV_WARNING: return reference ? "WARNING: " : "warning: ";
	case SEV_INFO: return reference ? "NOTE: " : "note: ";
	default: return "";
	}
}

static void compiler_form(const struct diags *d, const struct diag *one, const struct source *src, struct strbuf *out)
{
	char gutter[24], under[24];
	uint32_t line, col;

	span_locate(d->sources, one->span, &line, &col);
	strbuf_addf(out, "%s:%u:%u: %s%s", src->name, line, col, severity_text(one->sev, false), one->text);
	snprintf(gutter, sizeof(gutter), "  %u | ", line);
	snprintf(under, sizeof(under), "%*s | ", (int)strlen(gutter) - 3, "");
	excerpt_draw(out, d->sources, one->span, gutter, under, '^');
}

/* Place, severity, message and the excerpt. What has no place is the message alone, for its receiver says
 * how bad it is. */
static void diag_text(const struct diags *d, const struct diag *one, struct strbuf *out)
{
	const struct source *src = source_of(d->sources, one->span);

	if (!src) {
		strbuf_addstr(out, one->text);
	} else if (diag_form_is_reference()) {
		diag_place_add(out, d->sources, one->span);
		strbuf_addf(out, "%s%s", severity_text(one->sev, true), one->text);
		diag_excerpt_add(out, d->sources, one->span);
	} else {
		compiler_form(d, one, src, out);
	}
}

const char *diag_render(const struct diags *d, const struct diag *one)
{
	const struct source *src = source_of(d->sources, one->span);
	size_t room = strlen(one->text) + (src ? strlen(src->name) : 0) +
		      (one->hint ? strlen(one->hint) : 0) + 8 * SHOWN_BYTES;
	/* Taken before the buffer exists: the arena may jump. */
	char *kept = arena_alloc(d->arena, room);
	struct strbuf text = STRBUF_INIT;

	diag_text(d, one, &text);
	if (one->hint)
		strbuf_addch(&text, '\n');
	strbuf_add_lines(&text, diag_form_is_reference() ? "HINT: " : "hint: ", one->hint);
	if (one->hint && text.len)
		text.len--;
	memcpy(kept, text.s, MIN(text.len, room - 1));
	strbuf_free(&text);
	return kept;
}

static bool diag_before(const struct diag *a, const struct diag *b)
{
	if (a->span.file != b->span.file)
		return a->span.file < b->span.file;
	return a->span.begin < b->span.begin;
}

/* Insertion sort: stable, and the list is short and nearly in order. */
static void diags_sort(struct diags *d)
{
	for (uint32_t i = 1; i < d->list.n; i++) {
		struct diag one = d->list.v[i];
		uint32_t at = i;

		for (; at && diag_before(&one, &d->list.v[at - 1]); at--)
			d->list.v[at] = d->list.v[at - 1];
		d->list.v[at] = one;
	}
}

void diag_flush(struct diags *d, const struct reporter *r)
{
	diags_sort(d);
	vec_each(it, &d->list) {
		struct strbuf text = STRBUF_INIT;

		diag_text(d, it, &text);
		if (r && r->emit)
			r->emit(r->ctx, it->sev, text.failed ? it->text : text.s, it->hint);
		strbuf_free(&text);
	}
	if (d->ndropped)
		report_info(r, "%u more errors are not shown", d->ndropped);
	d->list.n = 0;
	d->ndropped = 0;
	d->last_dropped = true;
}
