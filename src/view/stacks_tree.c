/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stacks as a whole: folded text into a tree, totals, order, and the way through it. */
#include "view/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "view/parts.h"

/* ---- folded text ---- */

/* The frame of "name", "name_[k]" (kernel), "name_[i]" (inlined). */
static uint32_t folded_frame(struct stacks *s, const char *name, size_t len)
{
	struct frame f = { .kind = FRAME_USER };

	if (len > 4 && !memcmp(name + len - 4, "_[k]", 4))
		f.kind = FRAME_KERNEL;
	else if (len > 4 && !memcmp(name + len - 4, "_[i]", 4))
		f.kind = FRAME_INLINED;
	strbuf_reset(&s->text);
	strbuf_add(&s->text, name, f.kind == FRAME_USER ? len : len - 4);
	if (s->text.failed)
		arena_oom(s->arena);
	f.name = s->text.s;
	return stacks_frame(s, &f);
}

/* " 12", " 12.5" at the end of a line: where its blank is, or NULL. */
static const char *folded_count(const char *line, const char *end, uint64_t *count)
{
	const char *p = end, *dot = NULL;

	while (p > line && ((p[-1] >= '0' && p[-1] <= '9') || (p[-1] == '.' && !dot))) {
		p--;
		if (*p == '.')
			dot = p;
	}
	if (p == end || p == dot || p == line || p[-1] != ' ')
		return NULL;
	*count = 0;
	for (const char *d = p; d < (dot ? dot : end); d++)
		if (__builtin_mul_overflow(*count, 10, count) || __builtin_add_overflow(*count, (uint64_t)(*d - '0'), count))
			return NULL;
	return p - 1;
}

static bool add_line(struct stacks *s, const char *line, const char *end, unsigned which)
{
	uint64_t count;
	const char *stop = folded_count(line, end, &count);
	uint32_t node = 0;

	if (!stop)
		return false;
	while (line <= stop) {
		const char *semicolon = memchr(line, ';', (size_t)(stop - line));
		const char *frame_end = semicolon ? semicolon : stop;

		node = stacks_child(s, node, folded_frame(s, line, (size_t)(frame_end - line)));
		line = frame_end + 1;
	}
	s->nodes.v[node].self[which] += count;
	return true;
}

int stacks_add_folded(struct stacks *s, const char *text, size_t len, unsigned which, size_t *line)
{
	const char *end = text + len;

	*line = 0;
	if (setjmp(*arena_guard(s->arena)))
		return -ENOMEM;
	for (const char *p = text; p < end;) {
		const char *newline = memchr(p, '\n', (size_t)(end - p)), *stop = newline ? newline : end;
		const char *last = stop > p && stop[-1] == '\r' ? stop - 1 : stop;

		++*line;
		if (last > p && *p != '#' && !add_line(s, p, last, which))
			return -EINVAL;
		p = stop + 1;
	}
	return 0;
}

/* ---- totals and order ---- */

static void add_totals(struct stacks *s)
{
	for (uint32_t i = s->nodes.n; i-- > 0;) {
		struct node *n = &s->nodes.v[i];

		for (unsigned w = 0; w < 2; w++) {
			n->total[w] += n->self[w];
			if (i)
				s->nodes.v[n->parent].total[w] += n->total[w];
		}
	}
}

static int by_parent_and_name(const void *a, const void *b, void *ctx)
{
	const struct stacks *s = ctx;
	const struct node *x = &s->nodes.v[*(const uint32_t *)a], *y = &s->nodes.v[*(const uint32_t *)b];
	const struct frame *f = &s->frames.v[x->frame], *g = &s->frames.v[y->frame];
	int order;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	order = strcmp(f->name, g->name);
	if (!order)
		order = (int)f->kind - (int)g->kind;
	if (!order)
		order = strcmp(f->module ? f->module : "", g->module ? g->module : "");
	if (!order && f->address != g->address)
		order = f->address < g->address ? -1 : 1;
	return order ? order : f->line - g->line;
}

/* With one source alone, its name says nothing. */
static uint32_t find_root(const struct stacks *s)
{
	uint32_t found = 0, n = 0;

	vec_each(source, &s->sources) {
		if (!s->nodes.v[source->node].total[0])
			continue;
		found = source->node;
		n++;
	}
	return n == 1 ? found : 0;
}

int stacks_finish(struct stacks *s)
{
	uint32_t *order;

	if (setjmp(*arena_guard(s->arena)))
		return -ENOMEM;
	add_totals(s);
	order = arena_array_of(s->arena, uint32_t, s->nodes.n);
	for (uint32_t i = 0; i < s->nodes.n; i++)
		order[i] = i;
	qsort_r(order + 1, s->nodes.n - 1, sizeof(*order), by_parent_and_name, s);
	/* Put in front of their parents' lists, last name first. */
	for (uint32_t i = s->nodes.n; i-- > 1;) {
		struct node *n = &s->nodes.v[order[i]];

		if (!n->total[0] && !n->total[1])
			continue;
		n->next = s->nodes.v[n->parent].first;
		s->nodes.v[n->parent].first = order[i];
	}
	s->root = find_root(s);
	return 0;
}

uint32_t stacks_next(const struct stacks *s, uint32_t root, uint32_t n, uint32_t *depth)
{
	if (s->nodes.v[n].first) {
		++*depth;
		return s->nodes.v[n].first;
	}
	while (n != root && !s->nodes.v[n].next) {
		n = s->nodes.v[n].parent;
		--*depth;
	}
	return n == root ? 0 : s->nodes.v[n].next;
}
