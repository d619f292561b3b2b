/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stacks: from records to a tree of frames. */
#include "view/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "view/columns.h"
#include "view/parts.h"
#include "view/progress.h"

/* ---- pairs of numbers ---- */

static uint32_t pair_slot(const struct pairmap *m, uint64_t a, uint64_t b)
{
	uint64_t h = (a * 0x9e3779b97f4a7c15ULL) ^ (b * 0xc2b2ae3d27d4eb4fULL);
	uint32_t i = (uint32_t)(h >> 29) & (m->cap - 1);

	while (m->slots[i].value && (m->slots[i].a != a || m->slots[i].b != b))
		i = (i + 1) & (m->cap - 1);
	return i;
}

static uint32_t pair_get(const struct pairmap *m, uint64_t a, uint64_t b)
{
	return m->cap ? m->slots[pair_slot(m, a, b)].value : 0;
}

static void pair_put(struct arena *arena, struct pairmap *m, uint64_t a, uint64_t b, uint32_t value)
{
	if (m->n * 2 >= m->cap) {
		struct pairmap grown = { .n = m->n, .cap = m->cap ? m->cap * 2 : 256 };

		grown.slots = arena_array_of(arena, struct pair_slot, grown.cap);
		for (uint32_t i = 0; i < m->cap; i++)
			if (m->slots[i].value)
				grown.slots[pair_slot(&grown, m->slots[i].a, m->slots[i].b)] = m->slots[i];
		*m = grown;
	}
	m->slots[pair_slot(m, a, b)] = (struct pair_slot){ a, b, value };
	m->n++;
}

static void pair_clear(struct pairmap *m)
{
	if (m->cap)
		memset(m->slots, 0, sizeof(*m->slots) * m->cap);
	m->n = 0;
}

/* ---- the tree ---- */

static int tree_begin(struct stacks *s)
{
	struct frame none = { .name = "" };
	struct node root = { 0 };

	s->arena = arena_new();
	if (!s->arena || setjmp(*arena_guard(s->arena)))
		return -ENOMEM;
	vec_push(s->arena, &s->frames, none);
	vec_push(s->arena, &s->nodes, root);
	vec_push(s->arena, &s->runs, 0U);
	return 0;
}

struct stacks *stacks_new(bool by_address)
{
	struct stacks *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->by_address = by_address;
	s->text = s->key = (struct strbuf)STRBUF_INIT;
	if (!tree_begin(s))
		return s;
	stacks_free(s);
	return NULL;
}

void stacks_free(struct stacks *s)
{
	if (!s)
		return;
	if (s->arena)
		arena_free(s->arena);
	strbuf_free(&s->text);
	strbuf_free(&s->key);
	free(s);
}

uint32_t stacks_child(struct stacks *s, uint32_t parent, uint32_t frame)
{
	uint32_t n = pair_get(&s->children, parent, frame);
	struct node node = { .parent = parent, .frame = frame };

	if (n)
		return n;
	n = s->nodes.n;
	vec_push(s->arena, &s->nodes, node);
	pair_put(s->arena, &s->children, parent, frame, n);
	return n;
}

/* A name that neither ends a frame nor a line. */
static const char *plain_name(struct stacks *s, const char *name)
{
	char *copy = arena_strdup(s->arena, name);

	for (char *p = copy; *p; p++) {
		if (*p == ';')
			*p = ':';
		else if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	return copy;
}

uint32_t stacks_frame(struct stacks *s, const struct frame *f)
{
	struct frame made = *f;
	void *found;

	strbuf_reset(&s->key);
	strbuf_addf(&s->key, "%d\n%llx\n%d\n%s\n%s\n%s", (int)f->kind, (unsigned long long)f->address, f->line, f->name,
		    f->module ? f->module : "", f->file ? f->file : "");
	if (s->key.failed)
		arena_oom(s->arena);
	found = strmap_get(&s->names, s->key.s);
	if (found)
		return (uint32_t)(uintptr_t)found;
	made.name = plain_name(s, f->name);
	made.module = f->module ? arena_strdup(s->arena, f->module) : NULL;
	made.file = f->file ? arena_strdup(s->arena, f->file) : NULL;
	vec_push(s->arena, &s->frames, made);
	strmap_put(s->arena, &s->names, s->key.s, (void *)(uintptr_t)(s->frames.n - 1));
	return s->frames.n - 1;
}

/* ---- addresses ---- */

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static uint32_t frame_of(struct stacks *s, bool user, const struct symbol *sym, uint64_t address)
{
	struct frame f = { .kind = !user ? FRAME_KERNEL : sym->inlined ? FRAME_INLINED : FRAME_USER,
		.name = sym->name, .module = sym->module };

	if (s->by_address) {
		f.address = address;
		f.file = sym->file;
		f.line = sym->file ? sym->line : 0;
	}
	if (!f.name) {
		strbuf_reset(&s->text);
		strbuf_addstr(&s->text, "[unknown]");
		if (sym->module)
			strbuf_addf(&s->text, " (%s)", last_part(sym->module));
		f.name = s->text.s;
	}
	return stacks_frame(s, &f);
}

/* Where the frames of an address begin in s->runs. */
static uint32_t run_of(struct view *v, struct stacks *s, const struct stack_range *range, uint64_t address, bool is_return)
{
	uint64_t process = ((uint64_t)range->pid << 2) | ((uint64_t)range->user << 1) | is_return;
	uint32_t run = pair_get(&s->addresses, address, process), n;
	struct symbol syms[MOST_INLINED] = { 0 };

	if (run)
		return run;
	n = stack_names(v, range, address, is_return, syms);
	run = s->runs.n;
	for (uint32_t i = MAX(n, 1U); i-- > 0;) {
		uint32_t frame = frame_of(s, range->user, &syms[i], address);

		vec_push(s->arena, &s->runs, frame);
	}
	vec_push(s->arena, &s->runs, 0U);
	pair_put(s->arena, &s->addresses, address, process, run);
	return run;
}

/* A frame that is a place in a file known by its build id has that for a name. */
static uint32_t build_id_frame(struct stacks *s, const uint8_t *frame)
{
	struct frame f = { .kind = FRAME_USER };

	strbuf_reset(&s->text);
	build_id_text(&s->text, frame);
	f.name = s->text.s;
	return stacks_frame(s, &f);
}

static uint32_t add_frames(struct view *v, struct stacks *s, uint32_t node, const struct type *t, const uint8_t *data)
{
	struct stack_range range = stack_range_of(v, t, data);

	for (uint32_t i = range.end; i-- > range.first;) {
		uint64_t address = stack_address(t, data, i);

		if (t->param[1] == STACK_BUILD_ID) {
			node = stacks_child(s, node, build_id_frame(s, stack_frame(t, data, i)));
			continue;
		}
		for (uint32_t r = run_of(v, s, &range, address, i > 0); s->runs.v[r]; r++)
			node = stacks_child(s, node, s->runs.v[r]);
	}
	return node;
}

/* ---- records ---- */

static bool is_stack(const struct type *t)
{
	return t->kind == TY_KSTACK || t->kind == TY_USTACK;
}

static bool has_members(const struct type *t)
{
	return t->kind == TY_TUPLE || t->kind == TY_RECORD;
}

static bool holds_stack(const struct type *t)
{
	if (!t)
		return false;
	for (uint32_t i = 0; has_members(t) && i < t->nfields; i++)
		if (is_stack(t->fields[i].type))
			return true;
	return is_stack(t);
}

bool stacks_takes(const struct record *rec)
{
	if (rec->kind == REC_MAP)
		return holds_stack(rec->table->map->key) || holds_stack(rec->table->map->value);
	return rec->kind == REC_VALUE && holds_stack(rec->type);
}

bool stacks_suits(const struct module *m)
{
	vec_each(map, &m->maps)
		if (holds_stack(map->map->key) || holds_stack(map->map->value))
			return true;
	return program_prints(m, false, holds_stack);
}

/* Of a value: what is added to the path in this turn (a part, frames of the process, of the kernel). */
static uint32_t add_part(struct view *v, struct stacks *s, uint32_t node, const struct type *t, const uint8_t *data,
			 const char *label, enum frame_kind turn)
{
	struct frame f = { .kind = FRAME_PART, .label = label };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (is_stack(t))
		return (turn == FRAME_USER) == (t->kind == TY_USTACK) && turn != FRAME_PART ?
		       add_frames(v, s, node, t, data) : node;
	if (turn != FRAME_PART)
		return node;
	key_text(v, &text, t, data);
	f.name = text.s;
	return stacks_child(s, node, stacks_frame(s, &f));
}

/* A member's own name, or how it was written: `comm`. */
static const char *label_of(const struct type *t, uint32_t i, const struct expr *from)
{
	if (t->kind == TY_RECORD)
		return t->fields[i].name;
	return from && from->kind == EX_TUPLE && i < from->args.n ? expr_label(from->args.v[i]) : NULL;
}

static uint32_t add_parts(struct view *v, struct stacks *s, uint32_t node, const struct type *t, const uint8_t *data,
			  const struct expr *from, enum frame_kind turn)
{
	uint8_t tmp[8];

	if (!t || !data)
		return node;
	if (!has_members(t))
		return add_part(v, s, node, t, data, from ? expr_label(from) : NULL, turn);
	for (uint32_t i = 0; i < t->nfields; i++)
		node = add_part(v, s, node, t->fields[i].type, field_bytes(&t->fields[i], data, tmp), label_of(t, i, from), turn);
	return node;
}

static void add_bucket(void *ctx, const int64_t *low, const int64_t *high, uint64_t count)
{
	(void)low, (void)high;
	*(int64_t *)ctx += (int64_t)count;
}

/* What a row counts for: its number; of what has several, how many there were. */
static int64_t weight_of(const struct type *t, const uint8_t *data, int64_t div)
{
	struct agg a;
	int64_t n = 0;

	if (t->kind == TY_STATS && agg_load(t, data, div, &a))
		return a.total;
	if (t->kind == TY_HIST || t->kind == TY_LHIST) {
		hist_each(t, data, 1, add_bucket, &n);
		return n;
	}
	if (holds_stack(t) || !value_int(t, data, &n))
		return 1;
	return div > 1 ? n / div : n;
}

static uint32_t source_node(struct stacks *s, const struct map *map)
{
	struct frame f = { .kind = FRAME_PART, .name = map ? map->name : "print" };
	struct stack_source source = { .map = map };

	vec_each(known, &s->sources)
		if (known->map == map)
			return known->node;
	source.node = stacks_child(s, 0, stacks_frame(s, &f));
	vec_push(s->arena, &s->sources, source);
	return source.node;
}

/* The path of one sample. */
static void add_sample(struct view *v, struct stacks *s, const struct map *map, const struct row *row,
		       const struct type *value, int64_t weight)
{
	static const enum frame_kind turns[] = { FRAME_PART, FRAME_USER, FRAME_KERNEL };
	uint32_t root = source_node(s, map), node = root, before = root;
	struct frame empty = { .kind = FRAME_PART, .name = "[no stack]" };

	for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
		before = turns[i] == FRAME_USER ? node : before;
		node = add_parts(v, s, node, map ? map->key : NULL, row->key, map ? map->key_from : NULL, turns[i]);
		if (holds_stack(value))
			node = add_parts(v, s, node, value, row->value, NULL, turns[i]);
	}
	if (node == before)
		node = stacks_child(s, node, stacks_frame(s, &empty));
	if (weight < 0)
		s->negative++;
	else
		s->nodes.v[node].self[0] += (uint64_t)weight;
}

/* What was counted below a node is forgotten. */
static void source_reset(struct stacks *s, uint32_t node)
{
	for (uint32_t i = node; i < s->nodes.n; i++) {
		uint32_t up = i;

		while (up > node)
			up = s->nodes.v[up].parent;
		if (up == node)
			s->nodes.v[i].self[0] = 0;
	}
}

static void add_map(struct view *v, struct stacks *s, const struct table *t)
{
	struct progress p;

	if (t->goes_on)
		source_reset(s, source_node(s, t->map));
	/* Numbers of processes may have been given to others since. */
	pair_clear(&s->addresses);
	progress_begin(&p, "finding names of stacks", t->nrows);
	for (size_t i = 0; i < t->nrows; i++) {
		progress_step(&p, i);
		add_sample(v, s, t->map, &t->rows[i], t->map->value, weight_of(t->map->value, t->rows[i].value, t->div));
	}
	progress_end(&p);
}

int stacks_add(struct view *v, struct stacks *s, const struct record *rec)
{
	struct row row = { .value = rec->data };

	if (setjmp(*arena_guard(s->arena)))
		return -ENOMEM;
	if (rec->kind == REC_MAP) {
		add_map(v, s, rec->table);
	} else {
		pair_clear(&s->addresses);
		add_sample(v, s, NULL, &row, rec->type, 1);
	}
	return 0;
}

void stacks_warn(struct view *v, const struct stacks *s)
{
	if (v->err)
		return;
	if (!s->nodes.v[s->root].total[0])
		report_warning(v->reporter, "count in a map whose key has kstack or ustack: @[ustack] = count()",
			       "there are no stacks to show");
	if (s->negative)
		report_warning(v->reporter, NULL, "%llu stacks with negative numbers are not shown",
			       (unsigned long long)s->negative);
}
