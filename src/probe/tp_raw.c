/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields of a tracepoint read from its raw arguments (tp_raw_table.c says which is where). What the table
 * says is believed only as far as this kernel confirms it: the record must have a field of that name, the
 * kernel's types must have the member, in the same size, and the argument must point to that struct.
 * Arguments that are values themselves need no types, and reading the kernel's types is put off until
 * a field needs them: it costs milliseconds.
 */
#include "probe/tp_raw.h"

#include <bpf/btf.h>

#include "base/util.h"
#include "probe/tp_args.h"

/* The oldest kernel whose records the tests have compared with its arguments. */
#define VERSION_PROVEN ((6u << 16) + (1u << 8))
#define MOST_HOPS 4

/* Where a way through members has led to. */
struct place {
	const struct btf_file *btf;
	const struct btf_type *type; /* without typedefs and qualifiers */
	uint32_t offset;             /* from the last pointer that was followed */
	uint32_t hops[MOST_HOPS], nhops;
};

static const struct btf_type *type_bare(const struct btf_file *btf, uint32_t id)
{
	const struct btf_type *t = btf_file_type(btf, id);

	for (int depth = 0; t && depth < 32 && (btf_is_mod(t) || btf_is_typedef(t)); depth++)
		t = btf_file_type(btf, t->type);
	return t;
}

/* One member down, also into what unnamed members hold. A bit field is no place. */
static bool member_step(struct place *p, const struct btf_type *of, const char *name, size_t len, uint32_t depth)
{
	const struct btf_member *m = btf_members(of);

	for (uint32_t i = 0; depth < 8 && i < btf_vlen(of); i++) {
		const char *n = btf_file_string(p->btf, m[i].name_off);
		uint32_t bits = btf_member_bit_offset(of, i);
		const struct btf_type *t = type_bare(p->btf, m[i].type);

		if (!t || btf_member_bitfield_size(of, i) || bits % 8)
			continue;
		if (!*n && btf_is_composite(t) && member_step(p, t, name, len, depth + 1)) {
			p->offset += bits / 8;
			return true;
		}
		if (strlen(n) != len || memcmp(n, name, len))
			continue;
		p->type = t;
		p->offset += bits / 8;
		return true;
	}
	return false;
}

static bool pointer_follow(struct place *p)
{
	if (!btf_is_ptr(p->type) || p->nhops == MOST_HOPS)
		return false;
	p->hops[p->nhops++] = p->offset;
	p->offset = 0;
	p->type = type_bare(p->btf, p->type->type);
	return p->type;
}

/* "signal->oom_score_adj" from a struct on. */
static bool way_walk(struct place *p, const char *way)
{
	while (*way) {
		size_t len = strcspn(way, ".-");

		if (!btf_is_composite(p->type) || !member_step(p, p->type, way, len, 0))
			return false;
		way += len;
		if (str_starts(way, "->") && !pointer_follow(p))
			return false;
		way += strspn(way, ".->");
	}
	return true;
}

/* The struct that an argument of the raw tracepoint points to, if it is of this name. */
static bool arg_struct(struct probe_env *env, const char *event, const struct tp_raw_field *f, struct place *p)
{
	const char *typedef_name = arena_printf(env->arena, "btf_trace_%s", event);
	const struct btf_type *t;
	uint32_t id;

	*p = (struct place){ .btf = kernel_types(env->kernel, "vmlinux") };
	id = p->btf ? btf_file_find(p->btf, typedef_name, 1u << BTF_KIND_TYPEDEF) : 0;
	t = id ? type_bare(p->btf, id) : NULL;
	t = t && btf_is_ptr(t) ? type_bare(p->btf, t->type) : NULL;
	/* The first parameter is the kernel's own. */
	if (!t || !btf_is_func_proto(t) || f->arg + 1 >= btf_vlen(t))
		return false;
	t = type_bare(p->btf, btf_params(t)[f->arg + 1].type);
	p->type = t && btf_is_ptr(t) ? type_bare(p->btf, t->type) : NULL;
	return p->type && btf_is_composite(p->type) && !strcmp(btf_file_string(p->btf, p->type->name_off), f->of);
}

/* ---- from a place to a field ---- */

static uint32_t chars_in(const struct place *p)
{
	const struct btf_array *array = btf_is_array(p->type) ? btf_array(p->type) : NULL;
	const struct btf_type *elem = array ? type_bare(p->btf, array->type) : NULL;

	return elem && btf_is_int(elem) && elem->size == 1 ? array->nelems : 0;
}

/* Text beside the record: its address, which is that of the member or its value. */
static bool text_at(const struct place *p, struct field *out)
{
	out->access = chars_in(p) ? ACCESS_CTX_ADDRESS : ACCESS_CTX_PTR;
	return chars_in(p) || btf_is_ptr(p->type);
}

static bool number_at(const struct place *p, struct field *out)
{
	uint32_t size = btf_is_ptr(p->type) ? 8 : p->type->size;

	out->access = ACCESS_CTX_PTR;
	if (!btf_is_ptr(p->type) && !btf_is_int(p->type) && !btf_is_any_enum(p->type))
		return false;
	if (size < out->type->size && btf_is_int(p->type) && type_is_int(out->type))
		out->stored = type_integer(size, btf_int_encoding(p->type) & BTF_INT_SIGNED);
	return type_is_scalar(out->type) && (out->stored || size == out->type->size);
}

static bool field_at(struct arena *a, const struct tp_field *f, const struct place *p, struct field *out)
{
	uint32_t *hops = arena_array_of(a, uint32_t, p->nhops);

	memcpy(hops, p->hops, p->nhops * sizeof(*hops));
	out->offset = p->offset;
	out->hops = hops;
	out->nhops = p->nhops;
	if (f->data_loc)
		return text_at(p, out);
	if (out->type->kind == TY_STRING) {
		out->access = ACCESS_CTX_PTR;
		return chars_in(p) == out->type->size;
	}
	return number_at(p, out);
}

static bool field_make(struct probe_env *env, const char *event, const struct tp_raw_field *raw,
		       const struct tp_field *f, struct field *out)
{
	struct place p;

	*out = (struct field){ .name = f->name, .type = tp_field_type(env->arena, f, SPACE_KERNEL),
			       .ctx_offset = raw->arg * 8 };
	if (!raw->of) {
		out->access = ACCESS_CTX_WORD;
		return !f->data_loc && type_is_scalar(out->type);
	}
	return arg_struct(env, event, raw, &p) && way_walk(&p, raw->member) && field_at(env->arena, f, &p, out);
}

/* ---- from the table to args ---- */

/* Is `word` one of the words of `text`? */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (; *text; text += strspn(text, " ")) {
		size_t n = strcspn(text, " ");

		if (n == len && !memcmp(text, word, len))
			return true;
		text += n;
	}
	return false;
}

static const struct tp_raw_event *event_find(const char *system, const char *event)
{
	for (const struct tp_raw_event *e = tp_raw_events; e->system; e++)
		if (!strcmp(e->system, system) && has_word(e->events, event))
			return e;
	return NULL;
}

static const struct tp_raw_field *raw_find(const struct tp_raw_event *e, const char *name)
{
	for (const struct tp_raw_field *f = e->fields; f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

static const struct tp_field *record_find(const struct tp_format *format, const char *name)
{
	for (uint32_t i = 0; i < format->nfields; i++)
		if (!strcmp(format->fields[i].name, name) && !format->fields[i].rel_loc)
			return &format->fields[i];
	return NULL;
}

/* Before the format is read: could the table do it? */
static bool all_in_table(const struct tp_raw_event *e, const struct body_reads *reads)
{
	vec_each(name, &reads->fields)
		if (!raw_find(e, *name))
			return false;
	return true;
}

const struct type *tp_raw_args(struct probe_env *env, const char *system, const char *event,
			       const struct body_reads *reads)
{
	const struct tp_raw_event *e = event_find(system, event);
	VEC(struct field) fields = {0};
	struct tp_format format;

	if (!e || !all_in_table(e, reads) || kernel_version() < VERSION_PROVEN ||
	    kernel_tracepoint(env->kernel, env->arena, system, event, &format))
		return NULL;
	vec_each(name, &reads->fields) {
		const struct tp_field *f = record_find(&format, *name);
		struct field one;
		bool known = false;

		vec_each(it, &fields)
			known |= !strcmp(it->name, *name);
		if (known)
			continue;
		if (!f || !field_make(env, event, raw_find(e, *name), f, &one))
			return NULL;
		vec_push(env->arena, &fields, one);
	}
	return args_struct(env->arena, fields.v, fields.n, 8);
}
