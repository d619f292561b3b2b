/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pprof: stacks as a gzipped profile.proto, which pprof and many pages read. Each address is a location of its
 * own, the file it was loaded from is its mapping, and the parts of a key that are no stack are labels. Each map is
 * a type of sample.
 *
 * The few parts of the format that are needed are written by hand: a field is a varint of its number and
 * kind, then a varint, or a length and that many bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "base/util.h"
#include "view/parts.h"
#include "view/stacks.h"

/* Numbers of fields in profile.proto. */
enum { PROFILE_SAMPLE_TYPE = 1, PROFILE_SAMPLE = 2, PROFILE_MAPPING = 3, PROFILE_LOCATION = 4, PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6, PROFILE_TIME_NS = 9, PROFILE_DEFAULT_TYPE = 14 };
enum { TYPE_TYPE = 1, TYPE_UNIT = 2 };
enum { SAMPLE_LOCATION = 1, SAMPLE_VALUE = 2, SAMPLE_LABEL = 3 };
enum { LABEL_KEY = 1, LABEL_TEXT = 2 };
enum { MAPPING_ID = 1, MAPPING_FILE = 5, MAPPING_HAS_FUNCTIONS = 7 };
enum { LOCATION_ID = 1, LOCATION_MAPPING = 2, LOCATION_ADDRESS = 3, LOCATION_LINE = 4 };
enum { LINE_FUNCTION = 1, LINE_LINE = 2 };
enum { FUNCTION_ID = 1, FUNCTION_NAME = 2, FUNCTION_SYSTEM_NAME = 3, FUNCTION_FILE = 4 };

struct pprof {
	const struct stacks *s;
	struct arena *arena;
	struct strbuf out, part, inner;
	struct strmap strings, mappings, functions;
	uint32_t *way; /* from a sample's frame to the root */
};

/* ---- protobuf ---- */

static void add_varint(struct strbuf *out, uint64_t n)
{
	while (n >= 0x80) {
		strbuf_addch(out, (char)(n | 0x80));
		n >>= 7;
	}
	strbuf_addch(out, (char)n);
}

/* A zero is what a field that is not there means. */
static void add_number(struct strbuf *out, unsigned field, uint64_t n)
{
	if (!n)
		return;
	add_varint(out, (uint64_t)field << 3);
	add_varint(out, n);
}

static void add_bytes(struct strbuf *out, unsigned field, const char *s, size_t len)
{
	add_varint(out, (uint64_t)field << 3 | 2);
	add_varint(out, len);
	strbuf_add(out, s, len);
}

/* ---- tables ---- */

/* Numbers from 1 in order of first use; *is_new says that this was it. */
static uint64_t number_of(struct pprof *p, struct strmap *map, const char *key, bool *is_new)
{
	void *found = strmap_get(map, key);

	*is_new = !found;
	if (!found) {
		found = (void *)(uintptr_t)(map->entries.n + 1);
		strmap_put(p->arena, map, key, found);
	}
	return (uint64_t)(uintptr_t)found;
}

/* Texts are numbered from 0, and number 0 is the empty one. */
static uint64_t string_of(struct pprof *p, const char *s)
{
	bool is_new;
	uint64_t n = number_of(p, &p->strings, s ? s : "", &is_new);

	return n - 1;
}

static uint64_t mapping_of(struct pprof *p, const char *module)
{
	struct strbuf *part = &p->inner;
	bool is_new;
	uint64_t id;

	if (!module)
		return 0;
	id = number_of(p, &p->mappings, module, &is_new);
	if (is_new) {
		strbuf_reset(part);
		add_number(part, MAPPING_ID, id);
		add_number(part, MAPPING_FILE, string_of(p, module));
		add_number(part, MAPPING_HAS_FUNCTIONS, 1);
		add_bytes(&p->out, PROFILE_MAPPING, part->s, part->len);
	}
	return id;
}

static uint64_t function_of(struct pprof *p, const struct frame *f)
{
	struct strbuf *part = &p->inner;
	_cleanup_strbuf_ struct strbuf key = STRBUF_INIT;
	bool is_new;
	uint64_t id, name = string_of(p, f->name), file = string_of(p, f->file);

	strbuf_addf(&key, "%llu %llu %d", (unsigned long long)name, (unsigned long long)file, f->kind == FRAME_KERNEL);
	id = number_of(p, &p->functions, key.s, &is_new);
	if (is_new) {
		strbuf_reset(part);
		add_number(part, FUNCTION_ID, id);
		add_number(part, FUNCTION_NAME, name);
		add_number(part, FUNCTION_SYSTEM_NAME, name);
		add_number(part, FUNCTION_FILE, file);
		add_bytes(&p->out, PROFILE_FUNCTION, part->s, part->len);
	}
	return id;
}

/* A location has the number of its frame. */
static void add_location(struct pprof *p, uint32_t n)
{
	const struct frame *f = &p->s->frames.v[n];
	uint64_t mapping = mapping_of(p, f->kind == FRAME_KERNEL && !f->module ? "[kernel.kallsyms]" : f->module);
	uint64_t function = function_of(p, f);

	strbuf_reset(&p->part);
	add_number(&p->part, LOCATION_ID, n);
	add_number(&p->part, LOCATION_MAPPING, mapping);
	add_number(&p->part, LOCATION_ADDRESS, f->address);
	strbuf_reset(&p->inner);
	add_number(&p->inner, LINE_FUNCTION, function);
	add_number(&p->inner, LINE_LINE, f->line > 0 ? (uint64_t)f->line : 0);
	add_bytes(&p->part, LOCATION_LINE, p->inner.s, p->inner.len);
	add_bytes(&p->out, PROFILE_LOCATION, p->part.s, p->part.len);
}

/* ---- samples ---- */

/* The unit that the end of a map's name tells: @bytes, @wait_us. */
static const char *unit_of(const struct map *m)
{
	static const struct {
		const char *end, *unit;
	} units[] = {
		{ "ns", "nanoseconds" }, { "nsecs", "nanoseconds" }, { "us", "microseconds" }, { "usecs", "microseconds" },
		{ "ms", "milliseconds" }, { "msecs", "milliseconds" }, { "bytes", "bytes" },
	};

	for (size_t i = 0; m && m->value->kind != TY_COUNT && i < ARRAY_SIZE(units); i++)
		if (path_ends(m->name, units[i].end))
			return units[i].unit;
	return "count";
}

static void add_type(struct pprof *p, const struct map *m)
{
	const char *name = m && m->name[1] ? m->name + 1 : "samples";

	strbuf_reset(&p->part);
	add_number(&p->part, TYPE_TYPE, string_of(p, name));
	add_number(&p->part, TYPE_UNIT, string_of(p, unit_of(m)));
	add_bytes(&p->out, PROFILE_SAMPLE_TYPE, p->part.s, p->part.len);
}

static void add_label(struct pprof *p, const struct frame *f)
{
	strbuf_reset(&p->inner);
	add_number(&p->inner, LABEL_KEY, string_of(p, f->label ? f->label : "key"));
	add_number(&p->inner, LABEL_TEXT, string_of(p, f->name));
	add_bytes(&p->part, SAMPLE_LABEL, p->inner.s, p->inner.len);
}

/* Innermost first. `source` is whose number it is. */
static void add_sample(struct pprof *p, uint32_t n, uint32_t source)
{
	const struct stacks *s = p->s;
	uint32_t depth = 0;

	for (uint32_t up = n; s->nodes.v[up].parent; up = s->nodes.v[up].parent)
		p->way[depth++] = s->nodes.v[up].frame;
	strbuf_reset(&p->part);
	for (uint32_t i = 0; i < depth; i++)
		if (s->frames.v[p->way[i]].kind != FRAME_PART)
			add_number(&p->part, SAMPLE_LOCATION, p->way[i]);
	for (uint32_t i = 0; i < s->sources.n; i++) {
		add_varint(&p->part, SAMPLE_VALUE << 3);
		add_varint(&p->part, i == source ? s->nodes.v[n].self[0] : 0);
	}
	for (uint32_t i = depth; i-- > 0;)
		if (s->frames.v[p->way[i]].kind == FRAME_PART)
			add_label(p, &s->frames.v[p->way[i]]);
	add_bytes(&p->out, PROFILE_SAMPLE, p->part.s, p->part.len);
}

static void add_samples(struct pprof *p)
{
	const struct stacks *s = p->s;

	for (uint32_t i = 0; i < s->sources.n; i++)
		add_type(p, s->sources.v[i].map);
	for (uint32_t i = 0; i < s->sources.n; i++) {
		uint32_t root = s->sources.v[i].node, depth = 0;

		for (uint32_t n = stacks_next(s, root, root, &depth); n; n = stacks_next(s, root, n, &depth))
			if (s->nodes.v[n].self[0])
				add_sample(p, n, i);
	}
}

static void add_profile(struct pprof *p)
{
	struct timespec now = { 0 };

	string_of(p, "");
	add_samples(p);
	for (uint32_t i = 1; i < p->s->frames.n; i++)
		if (p->s->frames.v[i].kind != FRAME_PART)
			add_location(p, i);
	vec_each(e, &p->strings.entries)
		add_bytes(&p->out, PROFILE_STRING, e->key, strlen(e->key));
	clock_gettime(CLOCK_REALTIME, &now);
	add_number(&p->out, PROFILE_TIME_NS, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
}

/* ---- the file ---- */

static int write_gzip(struct strbuf *out, const struct strbuf *in)
{
	z_stream z = { .next_in = (Bytef *)in->s, .avail_in = (uInt)in->len };
	size_t most;
	int r;

	if (in->len > UINT32_MAX)
		return -EFBIG;
	/* 16 more than the window's bits ask for the frame of gzip. */
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	most = deflateBound(&z, in->len);
	if (!strbuf_reserve(out, most)) {
		deflateEnd(&z);
		return -ENOMEM;
	}
	z.next_out = (Bytef *)out->s + out->len;
	z.avail_out = (uInt)MIN(most, (size_t)UINT32_MAX);
	r = deflate(&z, Z_FINISH);
	out->len += z.total_out;
	deflateEnd(&z);
	return r == Z_STREAM_END ? 0 : -ENOMEM;
}

static int build(struct pprof *p)
{
	if (setjmp(*arena_guard(p->arena)))
		return -ENOMEM;
	p->way = arena_array_of(p->arena, uint32_t, p->s->nodes.n);
	add_profile(p);
	return p->out.failed || p->part.failed || p->inner.failed ? -ENOMEM : 0;
}

static int write_profile(struct view *v, struct stacks *s)
{
	struct pprof p = { .s = s, .arena = s->arena, .out = STRBUF_INIT, .part = STRBUF_INIT, .inner = STRBUF_INIT };
	int err = build(&p);

	if (!err)
		err = write_gzip(&v->out, &p.out);
	strbuf_free(&p.out);
	strbuf_free(&p.part);
	strbuf_free(&p.inner);
	return err;
}

static int pprof_open(struct view *v)
{
	v->priv = stacks_new(true);
	return v->priv ? 0 : -ENOMEM;
}

static bool pprof_takes(const struct view *v, const struct record *rec)
{
	(void)v;
	return stacks_takes(rec);
}

static int pprof_record(struct view *v, const struct record *rec)
{
	return stacks_takes(rec) ? stacks_add(v, v->priv, rec) : 0;
}

static void pprof_close(struct view *v)
{
	struct stacks *s = v->priv;
	int err = v->err ? v->err : stacks_finish(s);

	if (!err)
		err = write_profile(v, s);
	v->err = v->err ? v->err : err;
	stacks_warn(v, s);
	stacks_free(s);
	v->priv = NULL;
}

const struct view_def view_pprof = {
	.name = "pprof",
	.summary = "stacks for pprof and what reads its files",
	.extensions = { ".pb.gz", ".pprof" },
	.is_picture = true,
	.open = pprof_open,
	.takes = pprof_takes,
	.record = pprof_record,
	.close = pprof_close,
};
