/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folded: one line for each stack, its frames from the outermost to the innermost separated by semicolons, then
 * how often it was seen: what tools that draw flame graphs read. Frames of the kernel end in _[k], inlined
 * functions in _[i].
 */
#include <errno.h>
#include <stdlib.h>

#include "view/parts.h"
#include "view/stacks.h"

static int folded_open(struct view *v)
{
	v->priv = stacks_new(false);
	return v->priv ? 0 : -ENOMEM;
}

static bool folded_takes(const struct view *v, const struct record *rec)
{
	(void)v;
	return stacks_takes(rec);
}

static int folded_record(struct view *v, const struct record *rec)
{
	return stacks_takes(rec) ? stacks_add(v, v->priv, rec) : 0;
}

static void add_frame(struct strbuf *path, const struct frame *f)
{
	if (path->len)
		strbuf_addch(path, ';');
	strbuf_addstr(path, f->name);
	strbuf_addstr(path, f->kind == FRAME_KERNEL ? "_[k]" : f->kind == FRAME_INLINED ? "_[i]" : "");
}

/* The path to `n`, which lies below s->root. */
static void add_path(struct strbuf *path, const struct stacks *s, uint32_t n, uint32_t *way)
{
	uint32_t depth = 0;

	for (; n != s->root; n = s->nodes.v[n].parent)
		way[depth++] = n;
	while (depth)
		add_frame(path, &s->frames.v[s->nodes.v[way[--depth]].frame]);
}

static int write_lines(struct view *v, const struct stacks *s)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	uint32_t depth = 0, *way = calloc(s->nodes.n, sizeof(*way));

	if (!way)
		return -ENOMEM;
	for (uint32_t n = stacks_next(s, s->root, s->root, &depth); n; n = stacks_next(s, s->root, n, &depth)) {
		if (!s->nodes.v[n].self[0])
			continue;
		strbuf_reset(&path);
		add_path(&path, s, n, way);
		strbuf_add(&v->out, path.s, path.len);
		strbuf_addch(&v->out, ' ');
		strbuf_addu64(&v->out, s->nodes.v[n].self[0]);
		strbuf_addch(&v->out, '\n');
	}
	free(way);
	return path.failed || v->out.failed ? -ENOMEM : 0;
}

static void folded_close(struct view *v)
{
	struct stacks *s = v->priv;
	int err = v->err ? v->err : stacks_finish(s);

	if (!err)
		err = write_lines(v, s);
	v->err = v->err ? v->err : err;
	stacks_warn(v, s);
	stacks_free(s);
	v->priv = NULL;
}

const struct view_def view_folded = {
	.name = "folded",
	.summary = "one line for each stack, for tools that draw flame graphs",
	.extensions = { ".folded" },
	.is_picture = true,
	.open = folded_open,
	.takes = folded_takes,
	.record = folded_record,
	.close = folded_close,
};
