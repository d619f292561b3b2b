/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ktype: see ktype.h. One function per kind of BTF; structs and enums are made once and kept. */
#include "lang/ktype.h"

#include <bpf/btf.h>

#include "base/strmap.h"
#include "base/util.h"
#include "kernel/kernel.h"

#define MOST_DEPTH 32

struct made {
	const struct btf_file *file;
	uint32_t id;
	struct type *type;
};

struct ktypes {
	struct arena *arena;
	struct kernel *kernel;
	struct strmap by_name;
	struct made *made; /* open addressing by id; free where type is NULL */
	uint32_t nmade, slots;
	uint32_t depth;
};

struct ktypes *ktypes_new(struct arena *a, struct kernel *k)
{
	struct ktypes *kt = arena_new_of(a, struct ktypes);

	kt->arena = a;
	kt->kernel = k;
	return kt;
}

struct type *ktype_opaque(struct arena *a, const char *name, bool is_union)
{
	struct type *t = arena_new_of(a, struct type);

	t->kind = TY_STRUCT;
	t->align = 1;
	t->is_union = is_union;
	t->name = arena_strdup(a, name);
	return t;
}

/* ---- what has been made ---- */

static struct made *slot_of(struct ktypes *kt, const struct btf_file *f, uint32_t id)
{
	uint32_t i = id * 2654435761u;

	for (;; i++) {
		struct made *m = &kt->made[i & (kt->slots - 1)];

		if (!m->type || (m->id == id && m->file == f))
			return m;
	}
}

static void grow(struct ktypes *kt)
{
	struct made *old = kt->made;
	uint32_t n = kt->slots;

	kt->slots = n ? n * 2 : 256;
	kt->made = arena_array_of(kt->arena, struct made, kt->slots);
	for (uint32_t i = 0; i < n; i++)
		if (old[i].type)
			*slot_of(kt, old[i].file, old[i].id) = old[i];
}

/* The place of a struct or enum; when its type is not there, a new one that the caller fills. */
static struct type *keep(struct ktypes *kt, const struct btf_file *f, uint32_t id, bool *is_new)
{
	struct made *m;

	if (kt->nmade * 2 >= kt->slots)
		grow(kt);
	m = slot_of(kt, f, id);
	*is_new = !m->type;
	if (m->type)
		return m->type;
	*m = (struct made){ f, id, arena_new_of(kt->arena, struct type) };
	kt->nmade++;
	return m->type;
}

/* ---- one kind after the other ---- */

static const struct btf_type *skip_modifiers(const struct btf_file *f, uint32_t *id)
{
	const struct btf_type *t = btf_file_type(f, *id);

	/* A chain of modifiers cannot be longer than that, but a damaged one can be a circle. */
	for (int i = 0; t && i < MOST_DEPTH && (btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t)); i++) {
		*id = t->type;
		t = btf_file_type(f, *id);
	}
	return t && (btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t)) ? NULL : t;
}

static bool is_char(const struct btf_file *f, uint32_t id)
{
	const struct btf_type *t = btf_file_type(f, id);

	while (t && btf_is_mod(t))
		t = btf_file_type(f, t->type);
	return t && btf_is_int(t) && t->size == 1 && !strcmp(btf_file_string(f, t->name_off), "char");
}

static const struct type *of_int(struct ktypes *kt, const struct btf_type *t)
{
	if (btf_int_encoding(t) & BTF_INT_BOOL)
		return &type_bool;
	if (t->size == 16) /* __int128: two words */
		return type_array(kt->arena, &type_uint64, 2);
	/* plain char is signed here, whatever the encoding says */
	return type_integer(t->size, btf_int_encoding(t) & (BTF_INT_SIGNED | BTF_INT_CHAR));
}

static const struct type *of_array(struct ktypes *kt, const struct btf_file *f, const struct btf_type *t)
{
	const struct btf_array *array = btf_array(t);
	const struct type *elem;

	if (is_char(f, array->type) && array->nelems)
		return type_string(kt->arena, array->nelems);
	elem = ktype_of(kt, f, array->type);
	if ((uint64_t)elem->size * array->nelems > INT32_MAX)
		return &type_none;
	return type_array(kt->arena, elem, array->nelems);
}

/* A struct by name is enough for a pointer, and all that there is of a forward declaration. */
static const struct type *target_of(struct ktypes *kt, const struct btf_file *f, uint32_t id)
{
	const struct btf_type *t = skip_modifiers(f, &id);
	const char *name;

	if (!t)
		return &type_none;
	name = btf_file_string(f, t->name_off);
	if (btf_is_composite(t) && *name)
		return ktype_opaque(kt->arena, name, btf_is_union(t));
	if (btf_is_fwd(t))
		return ktype_opaque(kt->arena, name, btf_kflag(t));
	return btf_is_func_proto(t) ? &type_none : ktype_of(kt, f, id);
}

/* Pointers into a process are tagged where the compiler could. */
static const struct type *of_pointer(struct ktypes *kt, const struct btf_file *f, const struct btf_type *t)
{
	enum addr_space space = SPACE_NONE;
	const struct btf_type *to = btf_file_type(f, t->type);

	if (to && btf_is_type_tag(to) && !strcmp(btf_file_string(f, to->name_off), "user"))
		space = SPACE_USER;
	return type_pointer(kt->arena, target_of(kt, f, t->type), space);
}

static const struct type *of_enum(struct ktypes *kt, const struct btf_file *f, uint32_t id, const struct btf_type *t)
{
	uint32_t n = btf_vlen(t);
	struct enumerator *all;
	struct type *type;
	bool is_new;

	type = keep(kt, f, id, &is_new);
	if (!is_new)
		return type;
	all = arena_array_of(kt->arena, struct enumerator, n + 1);
	for (uint32_t i = 0; i < n; i++) {
		if (btf_is_enum64(t)) {
			const struct btf_enum64 *e = &btf_enum64(t)[i];

			all[i] = (struct enumerator){ btf_file_string(f, e->name_off), (int64_t)btf_enum64_value(e) };
		} else {
			const struct btf_enum *e = &btf_enum(t)[i];

			all[i] = (struct enumerator){ btf_file_string(f, e->name_off),
						      btf_kflag(t) ? e->val : (int64_t)(uint32_t)e->val };
		}
	}
	type->kind = TY_ENUM;
	type->size = type->align = t->size == 1 || t->size == 2 || t->size == 8 ? t->size : 4;
	type->is_signed = btf_kflag(t);
	type->name = *btf_file_string(f, t->name_off) ? btf_file_string(f, t->name_off) : NULL;
	type->enumerators = all;
	type->nenumerators = n;
	return type;
}

/* ---- structs ---- */

static struct field member_of(struct ktypes *kt, const struct btf_file *f, const struct btf_type *t, uint32_t i)
{
	const struct btf_member *m = &btf_members(t)[i];
	uint32_t at = btf_member_bit_offset(t, i), width = btf_member_bitfield_size(t, i);
	const char *name = btf_file_string(f, m->name_off);
	struct field field = { .name = *name ? name : NULL, .type = ktype_of(kt, f, m->type), .offset = at / 8 };
	uint32_t unit = field.type->size;

	if (!width || !type_is_int(field.type))
		return field;
	/* Read the unit the compiler uses where the bits lie in one, for the sake of alignment. */
	if (at % (unit * 8) + width <= unit * 8)
		field.offset = at / (unit * 8) * unit;
	field.bit_offset = (uint16_t)(at - field.offset * 8);
	field.bit_size = (uint16_t)width;
	return field;
}

/* BTF does not say how a struct is aligned: as its members, unless they lie otherwise. */
static uint32_t alignment(const struct type *t, const struct field *fields, uint32_t n)
{
	uint32_t align = 1;

	for (uint32_t i = 0; i < n; i++)
		align = MAX(align, fields[i].type->align);
	while (align > 1 && t->size % align)
		align /= 2;
	for (uint32_t i = 0; i < n; i++)
		if (!fields[i].bit_size && fields[i].type->align && fields[i].offset % fields[i].type->align)
			return 1;
	return align;
}

static const struct type *of_struct(struct ktypes *kt, const struct btf_file *f, uint32_t id, const struct btf_type *t)
{
	const char *name = btf_file_string(f, t->name_off);
	uint32_t n = btf_vlen(t), used = 0;
	struct field *fields;
	struct type *type;
	bool is_new;

	type = keep(kt, f, id, &is_new);
	if (!is_new)
		return type;
	type->kind = TY_STRUCT;
	type->is_union = btf_is_union(t);
	type->size = t->size;
	type->align = 1;
	type->name = *name ? name : NULL;
	fields = arena_array_of(kt->arena, struct field, n + 1);
	for (uint32_t i = 0; i < n; i++) {
		fields[used] = member_of(kt, f, t, i);
		if (fields[used].type->kind != TY_NONE) /* what the language has no type for is left out */
			used++;
	}
	type->align = alignment(type, fields, used);
	type_set_fields(kt->arena, type, fields, used);
	return type;
}

static const struct type *of_type(struct ktypes *kt, const struct btf_file *f, uint32_t id, const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		return of_int(kt, t);
	case BTF_KIND_PTR:
		return of_pointer(kt, f, t);
	case BTF_KIND_ARRAY:
		return of_array(kt, f, t);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return of_struct(kt, f, id, t);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return of_enum(kt, f, id, t);
	case BTF_KIND_FWD:
		return ktype_opaque(kt->arena, btf_file_string(f, t->name_off), btf_kflag(t));
	default:
		return &type_none;
	}
}

const struct type *ktype_of(struct ktypes *kt, const struct btf_file *f, uint32_t id)
{
	const struct btf_type *t = skip_modifiers(f, &id);
	const struct type *type;

	if (!t || kt->depth >= MOST_DEPTH)
		return &type_none;
	kt->depth++;
	type = of_type(kt, f, id, t);
	kt->depth--;
	return type;
}

/* ---- by name ---- */

static const struct {
	const char *tag;
	uint32_t kinds;
} tags[] = {
	{ "struct ", 1u << BTF_KIND_STRUCT }, { "union ", 1u << BTF_KIND_UNION },
	{ "enum ", 1u << BTF_KIND_ENUM | 1u << BTF_KIND_ENUM64 },
	{ "", 1u << BTF_KIND_TYPEDEF | 1u << BTF_KIND_INT },
};

struct wanted {
	struct ktypes *kt;
	const char *name;
	uint32_t kinds;
	const struct type *found;
	int64_t value;
};

/* The struct of a typedef that has no name of its own is known by that of the typedef. */
static const struct type *typedef_named(struct ktypes *kt, const struct type *t, const char *name)
{
	struct type *copy;

	if ((t->kind != TY_STRUCT && t->kind != TY_ENUM) || t->name)
		return t;
	copy = type_clone(kt->arena, t);
	copy->name = arena_strdup(kt->arena, name);
	return copy;
}

static int find_in(const struct btf_file *f, void *ctx)
{
	struct wanted *w = ctx;
	uint32_t id = btf_file_find(f, w->name, w->kinds);

	if (id)
		w->found = typedef_named(w->kt, ktype_of(w->kt, f, id), w->name);
	return id != 0;
}

static int find_enumerator_in(const struct btf_file *f, void *ctx)
{
	struct wanted *w = ctx;
	uint32_t which, id = btf_file_find_enumerator(f, w->name, &which);

	if (!id)
		return 0;
	w->found = ktype_of(w->kt, f, id);
	if (w->found->kind != TY_ENUM || which >= w->found->nenumerators)
		return 0;
	w->value = w->found->enumerators[which].value;
	return 1;
}

static void find_anywhere(struct wanted *w, int (*find)(const struct btf_file *f, void *ctx))
{
	const struct btf_file *f = kernel_has_btf(w->kt->kernel) ? kernel_types(w->kt->kernel, "vmlinux") : NULL;

	if (f && !find(f, w) && !kernel_types_each_module(w->kt->kernel, find, w))
		w->found = NULL;
}

const struct type *ktype_find(struct ktypes *kt, const char *name)
{
	struct wanted w = { .kt = kt };
	static const struct type nothing;
	const struct type *known = strmap_get(&kt->by_name, name);

	if (known)
		return known == &nothing ? NULL : known;
	for (size_t i = 0; !w.kinds; i++)
		if (str_starts(name, tags[i].tag)) {
			w.name = name + strlen(tags[i].tag);
			w.kinds = tags[i].kinds;
		}
	find_anywhere(&w, find_in);
	strmap_put(kt->arena, &kt->by_name, name, (void *)(uintptr_t)(w.found ? w.found : &nothing));
	return w.found;
}

const struct type *ktype_enumerator(struct ktypes *kt, const char *name, int64_t *value)
{
	struct wanted w = { .kt = kt, .name = name };

	find_anywhere(&w, find_enumerator_in);
	*value = w.value;
	return w.found;
}

/* ---- in words ---- */

static const char *text_of(struct ktypes *kt, const struct btf_file *f, uint32_t id, uint32_t depth)
{
	const struct btf_type *t = btf_file_type(f, id);
	const char *name, *text;

	if (!t || depth > 8)
		return "void";
	name = btf_file_string(f, t->name_off);
	switch (btf_kind(t)) {
	case BTF_KIND_CONST:
		return arena_printf(kt->arena, "const %s", text_of(kt, f, t->type, depth + 1));
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return text_of(kt, f, t->type, depth + 1);
	case BTF_KIND_PTR:
		text = text_of(kt, f, t->type, depth + 1);
		return arena_printf(kt->arena, "%s%s*", text, text[strlen(text) - 1] == '*' ? "" : " ");
	case BTF_KIND_STRUCT:
	case BTF_KIND_FWD:
		return arena_printf(kt->arena, "%s %s", btf_is_fwd(t) && btf_kflag(t) ? "union" : "struct", name);
	case BTF_KIND_UNION:
		return arena_printf(kt->arena, "union %s", name);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return arena_printf(kt->arena, "enum %s", name);
	case BTF_KIND_FUNC_PROTO:
		return "void (*)()";
	default:
		return arena_strdup(kt->arena, *name ? name : "void");
	}
}

const char *ktype_text(struct ktypes *kt, const struct btf_file *f, uint32_t id)
{
	return text_of(kt, f, id, 0);
}
