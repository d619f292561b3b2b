/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The BTF of an object: map definitions (.maps), a prototype and a FUNC for every program, and in
 * .BTF.ext where each instruction stands in the script. Format: Documentation/bpf/btf.rst.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "code/object_priv.h"

/* libbpf calls return negative errno; the first failure sticks and later calls are skipped. */
struct btf_maker {
	const struct object *o;
	struct btf *btf;
	int err;
	int32_t int_id, char_id, u64_id;
	int32_t ints[2][9]; /* by signedness and size */
};

static int32_t keep(struct btf_maker *m, int32_t id)
{
	if (id < 0 && !m->err)
		m->err = id;
	return id < 0 ? 0 : id;
}

static int32_t int_type(struct btf_maker *m, uint32_t size, bool is_signed)
{
	static const char *const names[2][9] = {
		{ [1] = "__u8", [2] = "__u16", [4] = "__u32", [8] = "__u64" },
		{ [1] = "__s8", [2] = "__s16", [4] = "__s32", [8] = "__s64" },
	};
	int32_t *id = &m->ints[is_signed][size];

	if (!*id)
		*id = keep(m, btf__add_int(m->btf, names[is_signed][size], size, is_signed ? BTF_INT_SIGNED : 0));
	return *id;
}

static int32_t array_type(struct btf_maker *m, int32_t elem, uint32_t n)
{
	return keep(m, btf__add_array(m->btf, m->int_id, elem, n));
}

static int32_t bytes_type(struct btf_maker *m, uint32_t n)
{
	return array_type(m, m->char_id, n);
}

static int32_t value_type(struct btf_maker *m, const struct type *t);

/* A struct of the fields of a tuple; BTF wants names that are identifiers. */
static int32_t tuple_type(struct btf_maker *m, const struct type *t)
{
	int32_t *members = arena_array_of(m->o->arena, int32_t, t->nfields + 1);
	int32_t id;

	for (uint32_t i = 0; i < t->nfields; i++)
		members[i] = value_type(m, t->fields[i].type);
	id = keep(m, btf__add_struct(m->btf, NULL, t->size));
	for (uint32_t i = 0; i < t->nfields; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%u", i);
		keep(m, btf__add_field(m->btf, name, members[i], t->fields[i].offset * 8, 0));
	}
	return id;
}

/* How bpftool should print a key or a value. What has no better form is its bytes. */
static int32_t value_type(struct btf_maker *m, const struct type *t)
{
	switch (t->kind) {
	case TY_INT:
	case TY_BOOL:
	case TY_ENUM:
		return int_type(m, t->size, t->is_signed);
	case TY_POINTER:
		return int_type(m, 8, false);
	case TY_TUPLE:
	case TY_RECORD:
		return t->nfields ? tuple_type(m, t) : bytes_type(m, t->size);
	case TY_COUNT: case TY_SUM: case TY_MIN: case TY_MAX: case TY_AVG: case TY_STATS:
	case TY_HIST: case TY_LHIST: case TY_TSERIES:
		return array_type(m, int_type(m, 8, t->is_signed), t->size / 8);
	default:
		return bytes_type(m, t->size);
	}
}

/* `int (*name)[value]`: how a number is written in a map definition. */
static void number_field(struct btf_maker *m, int32_t (*fields)[2], const char **names, uint32_t *n,
			 const char *name, uint32_t value)
{
	if (!value)
		return;
	fields[*n][0] = keep(m, btf__add_ptr(m->btf, array_type(m, m->int_id, value)));
	names[(*n)++] = name;
}

static void type_field_of(struct btf_maker *m, int32_t (*fields)[2], const char **names, uint32_t *n,
			  const char *name, const struct type *t, uint32_t bytes)
{
	int32_t id;

	/* A scalar map's value has words beyond its type: then the plain size is the truth. */
	id = t && t->size == bytes ? value_type(m, t) : bytes_type(m, bytes);
	fields[*n][0] = keep(m, btf__add_ptr(m->btf, id));
	names[(*n)++] = name;
}

static int32_t map_var(struct btf_maker *m, const struct object_map *map)
{
	static const struct type u32 = { .kind = TY_INT, .size = 4, .align = 4 };
	int32_t fields[6][2], def;
	const char *names[6];
	uint32_t n = 0;

	number_field(m, fields, names, &n, "type", map->type);
	number_field(m, fields, names, &n, "max_entries", map->max_entries);
	number_field(m, fields, names, &n, "map_flags", map->flags);
	if (map->key_bytes)
		type_field_of(m, fields, names, &n, "key", map->key_bytes == 4 && !map->key ? &u32 : map->key,
			      map->key_bytes);
	if (map->value_bytes)
		type_field_of(m, fields, names, &n, "value", map->value, map->value_bytes);
	def = keep(m, btf__add_struct(m->btf, NULL, n * 8));
	for (uint32_t i = 0; i < n; i++)
		keep(m, btf__add_field(m->btf, names[i], fields[i][0], i * 64, 0));
	return keep(m, btf__add_var(m->btf, map->name, BTF_VAR_GLOBAL_ALLOCATED, def));
}

static void maps_datasec(struct btf_maker *m)
{
	const struct object *o = m->o;
	int32_t *vars = arena_array_of(o->arena, int32_t, o->maps.n + 1);

	if (!o->maps.n)
		return;
	for (uint32_t i = 0; i < o->maps.n; i++)
		vars[i] = map_var(m, &o->maps.v[i]);
	keep(m, btf__add_datasec(m->btf, ".maps", o->maps.n * MAP_DEF_BYTES));
	for (uint32_t i = 0; i < o->maps.n; i++) {
		const struct btf_type *var = btf__type_by_id(m->btf, (uint32_t)vars[i]);
		uint32_t bytes = var ? (uint32_t)btf__resolve_size(m->btf, var->type) : 0;

		keep(m, btf__add_datasec_var_info(m->btf, vars[i], i * MAP_DEF_BYTES, bytes));
	}
}

/* libbpf makes .bss a map that can be mapped only when BTF shows a global variable in it. */
static void bss_datasec(struct btf_maker *m)
{
	uint32_t bytes = m->o->bss_bytes;
	int32_t var;

	if (!bytes)
		return;
	var = keep(m, btf__add_var(m->btf, BSS_SYMBOL, BTF_VAR_GLOBAL_ALLOCATED, bytes_type(m, bytes)));
	keep(m, btf__add_datasec(m->btf, ".bss", bytes));
	keep(m, btf__add_datasec_var_info(m->btf, var, 0, bytes));
}

static int32_t kfunc_value(struct btf_maker *m, const char *text)
{
	if (!strcmp(text, "void"))
		return 0;
	if (!strcmp(text, "int"))
		return m->int_id;
	return keep(m, btf__add_ptr(m->btf, keep(m, btf__add_struct(m->btf, text, 0))));
}

/*
 * The type of a linked function again, as far as the linker compares it: structs by name. 0 is also void.
 */
static int32_t foreign_type(struct btf_maker *m, const struct btf *from, uint32_t id, uint32_t depth)
{
	const struct btf_type *t = btf__type_by_id(from, id);
	const char *name;
	int32_t to;

	while (t && depth++ < 32 && (btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t))) {
		id = t->type;
		t = btf__type_by_id(from, id);
	}
	if (!id || !t || depth >= 32)
		return 0;
	name = btf__name_by_offset(from, t->name_off);
	if (btf_is_int(t))
		return keep(m, btf__add_int(m->btf, name, t->size, btf_int_encoding(t)));
	if (btf_is_any_enum(t))
		return keep(m, btf__add_enum(m->btf, *name ? name : NULL, t->size));
	if (btf_is_composite(t) || btf_is_fwd(t))
		return keep(m, btf__add_fwd(m->btf, name, btf_is_union(t) || (btf_is_fwd(t) && btf_kflag(t)) ?
					    BTF_FWD_UNION : BTF_FWD_STRUCT));
	if (btf_is_array(t)) {
		to = foreign_type(m, from, btf_array(t)->type, depth);
		return keep(m, btf__add_array(m->btf, m->int_id, to, btf_array(t)->nelems));
	}
	if (!btf_is_ptr(t))
		return 0;
	to = foreign_type(m, from, t->type, depth);
	return keep(m, btf__add_ptr(m->btf, to));
}

static int32_t linked_func_type(struct btf_maker *m, const struct c_function *f)
{
	struct btf *from = btf__new(f->object->btf, f->object->btf_bytes);
	const struct btf_type *t = from ? btf__type_by_id(from, f->proto) : NULL;
	int32_t types[KFUNC_MOST_PARAMS], proto;

	if (!t || !btf_is_func_proto(t) || btf_vlen(t) > KFUNC_MOST_PARAMS) {
		btf__free(from);
		return keep(m, -EINVAL);
	}
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		types[i] = foreign_type(m, from, btf_params(t)[i].type, 0);
	proto = keep(m, btf__add_func_proto(m->btf, foreign_type(m, from, t->type, 0)));
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		keep(m, btf__add_func_param(m->btf, btf__name_by_offset(from, btf_params(t)[i].name_off), types[i]));
	btf__free(from);
	return keep(m, btf__add_func(m->btf, f->name, BTF_FUNC_EXTERN, proto));
}

static int32_t kfunc_type(struct btf_maker *m, const struct object_kfunc *k)
{
	int32_t types[KFUNC_MOST_PARAMS], ret = kfunc_value(m, k->ret), proto;
	uint32_t n = 0;

	for (; n < KFUNC_MOST_PARAMS && k->params[n]; n++)
		types[n] = kfunc_value(m, k->params[n]);
	proto = keep(m, btf__add_func_proto(m->btf, ret));
	for (uint32_t i = 0; i < n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "a%u", i);
		keep(m, btf__add_func_param(m->btf, name, types[i]));
	}
	return keep(m, btf__add_func(m->btf, k->name, BTF_FUNC_EXTERN, proto));
}

/* What the kernel is asked for stands in .ksyms, which is no section of the file; what is linked, nowhere. */
static void ksyms_datasec(struct btf_maker *m)
{
	const struct object *o = m->o;
	int32_t *funcs = arena_array_of(o->arena, int32_t, o->kfuncs.n + 1);
	uint32_t n = 0;

	vec_each(k, &o->kfuncs) {
		if ((*k)->linked)
			linked_func_type(m, (*k)->linked);
		else
			funcs[n++] = kfunc_type(m, *k);
	}
	if (!n)
		return;
	keep(m, btf__add_datasec(m->btf, ".ksyms", 0));
	for (uint32_t i = 0; i < n; i++)
		keep(m, btf__add_datasec_var_info(m->btf, funcs[i], 0, 0));
}

/* int name(void *ctx) for programs; u64s in and out for subprograms. */
static int32_t func_type(struct btf_maker *m, const struct object_prog *p)
{
	int32_t proto, ctx = 0;

	if (!p->section) {
		proto = keep(m, btf__add_func_proto(m->btf, int_type(m, 8, false)));
		for (uint32_t i = 0; i < p->code.nargs; i++) {
			char name[16];

			snprintf(name, sizeof(name), "a%u", i);
			keep(m, btf__add_func_param(m->btf, name, int_type(m, 8, false)));
		}
	} else {
		ctx = keep(m, btf__add_ptr(m->btf, 0));
		proto = keep(m, btf__add_func_proto(m->btf, m->int_id));
		keep(m, btf__add_func_param(m->btf, "ctx", ctx));
	}
	return keep(m, btf__add_func(m->btf, p->code.name, p->section ? BTF_FUNC_GLOBAL : BTF_FUNC_STATIC, proto));
}

static void add_u32(struct strbuf *b, uint32_t v)
{
	strbuf_add(b, &v, sizeof(v));
}

static void func_info(struct btf_maker *m, const struct object_layout *l, const int32_t *funcs, struct strbuf *out)
{
	add_u32(out, sizeof(struct bpf_func_info));
	vec_each(s, &l->sections) {
		add_u32(out, (uint32_t)keep(m, btf__add_str(m->btf, s->name)));
		add_u32(out, s->progs.n);
		vec_each(p, &s->progs) {
			add_u32(out, l->prog_offset[*p]);
			add_u32(out, (uint32_t)funcs[*p]);
		}
	}
}

static void line_record(struct btf_maker *m, uint32_t insn_offset, struct span span, struct strbuf *out)
{
	const struct source *src = source_of(m->o->sources, span);
	uint32_t line = 1, col = 1, len = 0;
	const char *text = "";
	char *copy;

	if (src) {
		span_locate(m->o->sources, span, &line, &col);
		text = source_line(src, line, &len);
	}
	copy = arena_strndup(m->o->arena, text, len);
	add_u32(out, insn_offset);
	add_u32(out, (uint32_t)keep(m, btf__add_str(m->btf, src ? src->name : "sonde")));
	add_u32(out, (uint32_t)keep(m, btf__add_str(m->btf, copy)));
	add_u32(out, line << 10 | MIN(col, 1023u));
}

/* The kernel wants the first instruction of every function to have a line. */
static uint32_t prog_lines(struct btf_maker *m, const struct code *code, uint32_t offset, struct strbuf *out)
{
	uint32_t n = 0;

	if (!code->lines.n || code->lines.v[0].insn) {
		line_record(m, offset, code->lines.n ? code->lines.v[0].span : (struct span){0}, out);
		n++;
	}
	vec_each(line, &code->lines) {
		line_record(m, offset + line->insn * (uint32_t)sizeof(struct bpf_insn), line->span, out);
		n++;
	}
	return n;
}

static void line_info(struct btf_maker *m, const struct object_layout *l, struct strbuf *out)
{
	add_u32(out, sizeof(struct bpf_line_info));
	vec_each(s, &l->sections) {
		size_t count_at;
		uint32_t n = 0;

		add_u32(out, (uint32_t)keep(m, btf__add_str(m->btf, s->name)));
		count_at = out->len;
		add_u32(out, 0);
		vec_each(p, &s->progs)
			n += prog_lines(m, &m->o->progs.v[*p].code, l->prog_offset[*p], out);
		if (!out->failed)
			memcpy(out->s + count_at, &n, sizeof(n));
	}
}

static void ext_write(struct btf_maker *m, const struct object_layout *l, const int32_t *funcs, struct strbuf *ext)
{
	_cleanup_strbuf_ struct strbuf fi = STRBUF_INIT, li = STRBUF_INIT;
	struct {
		uint16_t magic;
		uint8_t version, flags;
		uint32_t hdr_len, func_info_off, func_info_len, line_info_off, line_info_len;
	} head = { .magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(head) };

	func_info(m, l, funcs, &fi);
	line_info(m, l, &li);
	head.func_info_len = (uint32_t)fi.len;
	head.line_info_off = (uint32_t)fi.len;
	head.line_info_len = (uint32_t)li.len;
	strbuf_add(ext, &head, sizeof(head));
	strbuf_add(ext, fi.s, fi.len);
	strbuf_add(ext, li.s, li.len);
	if (fi.failed || li.failed)
		m->err = m->err ? m->err : -ENOMEM;
}

int object_btf_write(const struct object *o, const struct object_layout *l, struct strbuf *btf, struct strbuf *ext)
{
	struct btf_maker m = { .o = o, .btf = btf__new_empty() };
	int32_t *funcs = arena_array_of(o->arena, int32_t, o->progs.n + 1);
	const void *raw;
	uint32_t raw_len;

	if (!m.btf)
		return -errno;
	m.int_id = keep(&m, btf__add_int(m.btf, "int", 4, BTF_INT_SIGNED));
	m.char_id = keep(&m, btf__add_int(m.btf, "char", 1, BTF_INT_SIGNED));
	maps_datasec(&m);
	bss_datasec(&m);
	ksyms_datasec(&m);
	for (uint32_t i = 0; i < o->progs.n; i++)
		funcs[i] = func_type(&m, &o->progs.v[i]);
	ext_write(&m, l, funcs, ext);
	raw = btf__raw_data(m.btf, &raw_len);
	if (raw)
		strbuf_add(btf, raw, raw_len);
	if (!m.err && (!raw || btf->failed || ext->failed))
		m.err = -ENOMEM;
	btf__free(m.btf);
	return m.err;
}
