/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source: texts with an index of their lines. */
#include "lang/source.h"

#include <string.h>

static void lines_index(struct arena *a, struct source *src)
{
	vec_push(a, &src->lines, 0);
	for (uint32_t i = 0; i < src->len; i++)
		if (src->text[i] == '\n')
			vec_push(a, &src->lines, i + 1);
}

uint16_t source_add(struct sources *s, const char *name, const char *text, size_t len)
{
	struct source *src = arena_new_of(s->arena, struct source);

	/* Spans hold 32-bit offsets; the number of a file 16 bits. */
	if (len >= UINT32_MAX || s->files.n >= UINT16_MAX)
		arena_oom(s->arena);
	src->name = arena_strdup(s->arena, name);
	src->text = arena_strndup(s->arena, text, len);
	src->len = (uint32_t)len;
	lines_index(s->arena, src);
	vec_push(s->arena, &s->files, src);
	return (uint16_t)s->files.n;
}

const struct source *source_of(const struct sources *s, struct span span)
{
	if (!s || !span.file || span.file > s->files.n)
		return NULL;
	return s->files.v[span.file - 1];
}

void span_locate(const struct sources *s, struct span span, uint32_t *line, uint32_t *col)
{
	const struct source *src = source_of(s, span);
	uint32_t low = 0, high;

	*line = *col = 0;
	if (!src)
		return;
	/* The last line that starts at or before the span. */
	high = src->lines.n;
	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (src->lines.v[mid] <= span.begin)
			low = mid;
		else
			high = mid;
	}
	*line = low + 1;
	*col = span.begin - src->lines.v[low] + 1;
}

struct span span_join(struct span a, struct span b)
{
	if (!a.file)
		return b;
	if (!b.file || a.file != b.file)
		return a;
	if (b.begin < a.begin)
		a.begin = b.begin;
	if (b.end > a.end)
		a.end = b.end;
	return a;
}

const char *source_line(const struct source *src, uint32_t line, uint32_t *len)
{
	uint32_t begin, end;

	if (!line || line > src->lines.n) {
		*len = 0;
		return "";
	}
	begin = src->lines.v[line - 1];
	end = line < src->lines.n ? src->lines.v[line] - 1 : src->len;
	if (end > begin && src->text[end - 1] == '\r')
		end--;
	*len = end - begin;
	return src->text + begin;
}
