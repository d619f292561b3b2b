/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The format file of a tracepoint:
 *
 *   name: sched_process_exec
 *   ID: 365
 *   format:
 *           field:unsigned short common_type;       offset:0;       size:2; signed:0;
 *           field:__data_loc char[] filename;       offset:8;       size:4; signed:0;
 *
 *   print fmt: "filename=%s pid=%d", ...
 *
 * Only lines that begin with "ID:" and "field:" are read. The text is never trusted: a number that does
 * not fit or a declaration without a name refuses the whole file.
 */
#include <ctype.h>
#include <errno.h>

#include "base/util.h"
#include "kernel/kernel.h"

/* No record is longer than 64 KiB: __data_loc holds offsets in 16 bits. */
#define RECORD_MAX_BYTES 65536u

/* A run of the text, not NUL-terminated. */
struct run {
	const char *p, *end;
};

static struct run run_trim(struct run r)
{
	while (r.p < r.end && isspace((unsigned char)*r.p))
		r.p++;
	while (r.p < r.end && isspace((unsigned char)r.end[-1]))
		r.end--;
	return r;
}

static bool run_skip(struct run *r, const char *prefix)
{
	size_t n = strlen(prefix);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, prefix, n))
		return false;
	r->p += n;
	return true;
}

/* Up to (without) the next `c`, which is skipped; all that is left when there is none. */
static struct run run_until(struct run *r, char c)
{
	const char *at = memchr(r->p, c, (size_t)(r->end - r->p));
	struct run part = { r->p, at ? at : r->end };

	r->p = at ? at + 1 : r->end;
	return part;
}

static bool run_number(struct run r, uint32_t most, uint32_t *out)
{
	uint64_t v = 0;

	r = run_trim(r);
	if (r.p == r.end)
		return false;
	for (; r.p < r.end; r.p++) {
		if (!isdigit((unsigned char)*r.p))
			return false;
		v = v * 10 + (uint64_t)(*r.p - '0');
		if (v > most)
			return false;
	}
	*out = (uint32_t)v;
	return true;
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/*
 * Where the name stands in a declaration: the last word before any '[', or, of a pointer to a function
 * "void (*name)(int)", the word after "(*".
 */
static bool decl_find_name(struct run decl, struct run *name)
{
	const char *fn = memmem(decl.p, (size_t)(decl.end - decl.p), "(*", 2);

	if (fn) {
		name->p = fn + 2;
		while (name->p < decl.end && isspace((unsigned char)*name->p))
			name->p++;
		name->end = name->p;
		while (name->end < decl.end && is_name_char(*name->end))
			name->end++;
	} else {
		name->end = decl.end;
		/* "char comm[16]", but the [] of "__data_loc char[] name" belong to the type */
		while (name->end > decl.p && name->end[-1] == ']') {
			while (name->end > decl.p && name->end[-1] != '[')
				name->end--;
			name->end -= name->end > decl.p;
			while (name->end > decl.p && isspace((unsigned char)name->end[-1]))
				name->end--;
		}
		name->p = name->end;
		while (name->p > decl.p && is_name_char(name->p[-1]))
			name->p--;
	}
	return name->p < name->end && !isdigit((unsigned char)*name->p);
}

/* The declaration without its name: "char comm[16]" -> "char[16]". */
static const char *decl_type(struct arena *a, struct run decl, struct run name)
{
	struct run before = run_trim((struct run){ decl.p, name.p });
	struct run after = run_trim((struct run){ name.end, decl.end });

	return arena_printf(a, "%.*s%.*s", (int)(before.end - before.p), before.p,
			    (int)(after.end - after.p), after.p);
}

/* Bytes of one element, for arrays whose length is written as a name ("u8 addr[ETH_ALEN]"). */
static uint32_t element_bytes(struct run before)
{
	static const struct { const char *word; uint32_t bytes; } words[] = {
		{ "u64", 8 }, { "s64", 8 }, { "long", 8 }, { "*", 8 }, { "u32", 4 }, { "s32", 4 }, { "int", 4 },
		{ "unsigned", 4 }, { "u16", 2 }, { "s16", 2 }, { "short", 2 },
	};
	size_t len = (size_t)(before.end - before.p);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (memmem(before.p, len, words[i].word, strlen(words[i].word)) &&
		    !memmem(before.p, len, "char", 4))
			return words[i].bytes;
	return 1;
}

/* Elements of the array behind the name: 0 when it is none, or one without a length. */
static uint32_t decl_array(struct run decl, struct run name, uint32_t size)
{
	struct run rest = run_trim((struct run){ name.end, decl.end });
	uint32_t count = 1, n;

	if (rest.p == rest.end || *rest.p != '[')
		return 0;
	while (run_skip(&rest, "[")) {
		struct run dim = run_until(&rest, ']');

		if (!run_number(dim, RECORD_MAX_BYTES, &n))
			return size / element_bytes((struct run){ decl.p, name.p });
		if (n && count > RECORD_MAX_BYTES / n)
			return 0;
		count *= n;
		rest = run_trim(rest);
	}
	return count;
}

/* "field:char comm[16];	offset:8;	size:16;	signed:0;" behind the "field:" */
static int field_parse(struct arena *a, struct run line, struct tp_field *f)
{
	struct run decl = run_trim(run_until(&line, ';')), name, part;
	bool have_offset = false, have_size = false;
	uint32_t is_signed = 0;

	if (!decl_find_name(decl, &name))
		return -EINVAL;
	while (line.p < line.end) {
		part = run_trim(run_until(&line, ';'));
		if (run_skip(&part, "offset:"))
			have_offset = run_number(part, RECORD_MAX_BYTES, &f->offset);
		else if (run_skip(&part, "size:"))
			have_size = run_number(part, RECORD_MAX_BYTES, &f->size);
		else if (run_skip(&part, "signed:") && !run_number(part, 1, &is_signed))
			return -EINVAL;
	}
	if (!have_offset || !have_size)
		return -EINVAL;
	f->name = arena_strndup(a, name.p, (size_t)(name.end - name.p));
	f->type = decl_type(a, decl, name);
	f->is_signed = is_signed;
	f->array = decl_array(decl, name, f->size);
	f->data_loc = run_skip(&decl, "__data_loc ");
	f->rel_loc = run_skip(&decl, "__rel_loc ");
	/* Such a field is itself one word that says where the data is. */
	if ((f->data_loc || f->rel_loc) && f->size != 4)
		return -EINVAL;
	return 0;
}

int tp_format_parse(struct arena *a, const char *text, size_t len, struct tp_format *out)
{
	struct run rest = { text, text + len };
	VEC(struct tp_field) fields = {0};
	bool have_id = false;
	uint32_t id = 0;

	while (rest.p < rest.end) {
		struct run line = run_trim(run_until(&rest, '\n'));

		if (run_skip(&line, "ID:")) {
			have_id = run_number(line, UINT32_MAX, &id);
		} else if (run_skip(&line, "field:")) {
			struct tp_field f = {0};
			int err = field_parse(a, line, &f);

			if (err)
				return err;
			vec_push(a, &fields, f);
		} else if (run_skip(&line, "print fmt:")) {
			break; /* what follows is text, which may look like anything */
		}
	}
	if (!have_id)
		return -EINVAL;
	out->id = id;
	out->fields = fields.v;
	out->nfields = fields.n;
	return 0;
}
