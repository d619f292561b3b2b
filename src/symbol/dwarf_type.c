/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dwarf, types: entries of debugging information as types of the language. A struct is made when its
 * members are asked for; what it points to keeps its name and the place of its entry until somebody
 * follows the pointer (struct type_maker).
 */
#include <errno.h>

#include "base/util.h"
#include "lang/ktype.h"
#include "symbol/dwarf_priv.h"

/* ---- what has been made, by the place of its entry ---- */

struct dw_type {
	void *at;
	struct type *type;
};

static struct dw_type *slot_of(struct dwarf_file *d, void *at)
{
	uint32_t i = (uint32_t)((uintptr_t)at * 0x9e3779b97f4a7c15ULL >> 32);

	for (;; i++) {
		struct dw_type *m = &d->memo[i & (d->memo_slots - 1)];

		if (!m->type || m->at == at)
			return m;
	}
}

static void memo_grow(struct dwarf_file *d)
{
	struct dw_type *old = d->memo;
	uint32_t n = d->memo_slots;

	d->memo_slots = n ? n * 2 : 128;
	d->memo = arena_array_of(d->arena, struct dw_type, d->memo_slots);
	for (uint32_t i = 0; i < n; i++)
		if (old[i].type)
			*slot_of(d, old[i].at) = old[i];
}

/* The place of a struct or enum; when its type is not there, a new one that the caller fills. */
static struct type *keep(struct dwarf_file *d, const Dwarf_Die *die, bool *is_new)
{
	struct dw_type *m;

	if (d->nmemo * 2 >= d->memo_slots)
		memo_grow(d);
	m = slot_of(d, die->addr);
	*is_new = !m->type;
	if (m->type)
		return m->type;
	*m = (struct dw_type){ die->addr, arena_new_of(d->arena, struct type) };
	d->nmemo++;
	return m->type;
}

/* ---- entries ---- */

static bool is_qualifier(int tag)
{
	return tag == DW_TAG_typedef || tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
	       tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type || tag == DW_TAG_immutable_type;
}

static bool is_composite(int tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

static bool is_pointer(int tag)
{
	return tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type || tag == DW_TAG_rvalue_reference_type;
}

/* *typedef_name: the outermost typedef that was passed. */
static bool peel(const struct dwarf_file *d, Dwarf_Die *die, const char **typedef_name)
{
	for (int i = 0; i < DW_MOST_DEPTH; i++) {
		int tag = d->dw->tag(die);

		if (!is_qualifier(tag))
			return tag >= 0;
		if (tag == DW_TAG_typedef && typedef_name && !*typedef_name)
			*typedef_name = dw_name(d, die);
		if (!dw_refer(d, die, DW_AT_type, die))
			return false;
	}
	return false;
}

bool dw_peel(const struct dwarf_file *d, Dwarf_Die *die)
{
	return peel(d, die, NULL);
}

static bool is_declaration(const struct dwarf_file *d, Dwarf_Die *die)
{
	return dw_flag(d, die, DW_AT_declaration);
}

static uint32_t byte_size(const struct dwarf_file *d, Dwarf_Die *die)
{
	uint64_t size;

	return dw_number(d, die, DW_AT_byte_size, &size) && size <= INT32_MAX ? (uint32_t)size : 0;
}

/* ---- one kind after the other ---- */

static const struct type *of_base(struct dwarf_file *d, Dwarf_Die *die)
{
	uint64_t encoding = 0;
	uint32_t size = byte_size(d, die);

	if (!dw_number(d, die, DW_AT_encoding, &encoding))
		return &type_none;
	switch (encoding) {
	case DW_ATE_boolean:
		return size == 1 ? &type_bool : &type_none;
	case DW_ATE_signed:
	case DW_ATE_signed_char:
	case DW_ATE_unsigned:
	case DW_ATE_unsigned_char:
	case DW_ATE_UTF:
	case DW_ATE_address:
		if (size == 16) /* __int128: two words */
			return type_array(d->arena, &type_uint64, 2);
		if (size != 1 && size != 2 && size != 4 && size != 8)
			return &type_none;
		return type_integer(size, encoding == DW_ATE_signed || encoding == DW_ATE_signed_char);
	default:
		return &type_none;
	}
}

static const struct type *type_named(struct dwarf_file *d, const char *name);

struct opaque {
	struct type_maker maker;
	struct dwarf_file *d;
	Dwarf_Die die;
};

static void opaque_complete(const struct type_maker *maker, struct type *t)
{
	const struct opaque *o = (const struct opaque *)maker;
	struct dwarf_file *d = o->d;
	const struct type *whole;
	enum addr_space space = t->space;
	Dwarf_Die die = o->die;

	if (setjmp(*arena_guard(d->arena)))
		return; /* it stays a name */
	whole = is_declaration(d, &die) ? NULL : dw_type_of(d, &die);
	if (!whole && t->name)
		whole = type_named(d, arena_printf(d->arena, "%s %s", t->is_union ? "union" : "struct", t->name));
	t->maker = NULL;
	if (!whole || whole->kind != TY_STRUCT || whole == t)
		return;
	*t = *whole;
	t->maker = NULL;
	if (space != SPACE_NONE)
		t->space = space;
}

static struct type *opaque_make(struct dwarf_file *d, Dwarf_Die *die, const char *name)
{
	struct opaque *o = arena_new_of(d->arena, struct opaque);
	struct type *t = ktype_opaque(d->arena, name, d->dw->tag(die) == DW_TAG_union_type);

	*o = (struct opaque){ .maker.complete = opaque_complete, .d = d, .die = *die };
	t->maker = &o->maker;
	return t;
}

/* A struct by name is enough for a pointer. */
static const struct type *target_of(struct dwarf_file *d, Dwarf_Die *die)
{
	const char *name = NULL;
	Dwarf_Die to;

	if (!dw_refer(d, die, DW_AT_type, &to) || !peel(d, &to, &name))
		return &type_none;
	if (is_composite(d->dw->tag(&to))) {
		const char *own = dw_name(d, &to);

		return opaque_make(d, &to, own ? own : name ? name : "");
	}
	return dw_type_of(d, &to);
}

static const struct type *of_pointer(struct dwarf_file *d, Dwarf_Die *die)
{
	return type_pointer(d->arena, target_of(d, die), SPACE_NONE);
}

struct enum_walk {
	struct dwarf_file *d;
	VEC(struct enumerator) all;
	bool negative;
};

static bool enumerator_visit(Dwarf_Die *die, void *ctx)
{
	struct enum_walk *w = ctx;
	const char *name = dw_name(w->d, die);
	struct enumerator e = { .name = name };
	Dwarf_Attribute at;
	Dwarf_Sword value;

	if (w->d->dw->tag(die) != DW_TAG_enumerator || !name || !w->d->dw->attr(die, DW_AT_const_value, &at) ||
	    w->d->dw->formsdata(&at, &value))
		return true;
	e.value = value;
	w->negative |= value < 0;
	vec_push(w->d->arena, &w->all, e);
	return true;
}

static const struct type *of_enum(struct dwarf_file *d, Dwarf_Die *die, const char *typedef_name)
{
	struct enum_walk w = { .d = d };
	const char *name = dw_name(d, die);
	uint32_t size = byte_size(d, die);
	struct type *t;
	bool is_new;

	t = keep(d, die, &is_new);
	if (!is_new)
		return t;
	dw_children(d, die, enumerator_visit, &w);
	t->kind = TY_ENUM;
	t->size = t->align = size == 1 || size == 2 || size == 8 ? size : 4;
	t->is_signed = w.negative;
	t->name = name ? name : typedef_name;
	t->enumerators = w.all.v;
	t->nenumerators = w.all.n;
	return t;
}

struct dims_walk {
	const struct dwarf_file *d;
	uint64_t n[8];
	uint32_t used;
};

static bool dim_visit(Dwarf_Die *die, void *ctx)
{
	struct dims_walk *w = ctx;
	uint64_t n = 0, low = 0;

	if (w->d->dw->tag(die) != DW_TAG_subrange_type || w->used == ARRAY_SIZE(w->n))
		return true;
	if (!dw_number(w->d, die, DW_AT_count, &n)) {
		if (!dw_number(w->d, die, DW_AT_upper_bound, &n))
			n = UINT64_MAX; /* no bound: it goes on as far as it does */
		dw_number(w->d, die, DW_AT_lower_bound, &low);
		n = n == UINT32_MAX || n == UINT64_MAX || n < low ? 0 : n - low + 1;
	}
	w->n[w->used++] = n;
	return true;
}

static bool is_char(struct dwarf_file *d, Dwarf_Die *die)
{
	Dwarf_Die elem = *die;
	const char *name;
	uint64_t encoding;

	if (!dw_peel(d, &elem) || d->dw->tag(&elem) != DW_TAG_base_type || byte_size(d, &elem) != 1 ||
	    !dw_number(d, &elem, DW_AT_encoding, &encoding))
		return false;
	name = dw_name(d, &elem);
	return str_eq(name, "char") && (encoding == DW_ATE_signed_char || encoding == DW_ATE_unsigned_char);
}

static const struct type *of_array(struct dwarf_file *d, Dwarf_Die *die)
{
	struct dims_walk w = { .d = d };
	const struct type *t;
	Dwarf_Die elem;

	if (!dw_refer(d, die, DW_AT_type, &elem))
		return &type_none;
	dw_children(d, die, dim_visit, &w);
	if (!w.used)
		w.used = 1;
	t = dw_type_of(d, &elem);
	for (uint32_t i = w.used; i--;) {
		if (w.n[i] * (uint64_t)MAX(t->size, 1U) > INT32_MAX || w.n[i] > INT32_MAX || t->kind == TY_NONE)
			return &type_none;
		if (i == w.used - 1 && w.n[i] && is_char(d, &elem))
			t = type_string(d->arena, (uint32_t)w.n[i]);
		else
			t = type_array(d->arena, t, (uint32_t)w.n[i]);
	}
	return t;
}

/* ---- structs ---- */

struct member_walk {
	struct dwarf_file *d;
	const struct type *of;
	VEC(struct field) fields;
};

/* How DWARF 4 and later, and what came before them, say where bits lie. */
static void bits_place(const struct dwarf_file *d, Dwarf_Die *die, struct field *f, uint64_t width)
{
	uint64_t at, from_top, unit = f->type->size, storage = unit;

	if (dw_number(d, die, DW_AT_data_bit_offset, &at)) {
		f->offset = (uint32_t)(at / 8);
	} else {
		dw_number(d, die, DW_AT_byte_size, &storage);
		if (!dw_number(d, die, DW_AT_bit_offset, &from_top) || storage * 8 < from_top + width)
			return;
		at = (uint64_t)f->offset * 8 + storage * 8 - from_top - width;
	}
	/* Read the unit the compiler uses where the bits lie in one, for the sake of alignment. */
	f->offset = (uint32_t)(at % (unit * 8) + width <= unit * 8 ? at / (unit * 8) * unit : at / 8);
	f->bit_offset = (uint16_t)(at - (uint64_t)f->offset * 8);
	f->bit_size = (uint16_t)width;
}

static bool is_member(const struct dwarf_file *d, Dwarf_Die *die, bool *base)
{
	int tag = d->dw->tag(die);

	*base = tag == DW_TAG_inheritance;
	if (*base)
		return !d->dw->hasattr(die, DW_AT_virtuality);
	/* Static members are declarations, and what the compiler adds is not the programmer's. */
	return tag == DW_TAG_member && !is_declaration(d, die) && !dw_flag(d, die, DW_AT_external) &&
	       !dw_flag(d, die, DW_AT_artificial);
}

static bool member_visit(Dwarf_Die *die, void *ctx)
{
	struct member_walk *w = ctx;
	struct dwarf_file *d = w->d;
	struct field f = { 0 };
	uint64_t offset = 0, width = 0;
	bool base;

	if (!is_member(d, die, &base))
		return true;
	if (!dw_number(d, die, DW_AT_data_member_location, &offset) && !w->of->is_union &&
	    !d->dw->hasattr(die, DW_AT_data_bit_offset))
		return true;
	f.name = base ? NULL : dw_name(d, die);
	f.type = dw_type_at(d, die);
	f.offset = (uint32_t)offset;
	if (f.type->kind == TY_NONE || offset > w->of->size) /* what the language has no type for is left out */
		return true;
	if (dw_number(d, die, DW_AT_bit_size, &width) && width && width <= 64 && type_is_int(f.type))
		bits_place(d, die, &f, width);
	if ((uint64_t)f.offset + (f.bit_size ? 0 : f.type->size) <= w->of->size)
		vec_push(d->arena, &w->fields, f);
	return true;
}

/* As its members are, unless they lie otherwise. */
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

static const struct type *of_struct(struct dwarf_file *d, Dwarf_Die *die, const char *typedef_name)
{
	struct member_walk w = { .d = d };
	const char *name = dw_name(d, die);
	struct type *t;
	bool is_new;

	if (is_declaration(d, die))
		return name ? opaque_make(d, die, name) : &type_none;
	t = keep(d, die, &is_new);
	if (!is_new)
		return t;
	t->kind = TY_STRUCT;
	t->is_union = d->dw->tag(die) == DW_TAG_union_type;
	t->size = byte_size(d, die);
	t->align = 1;
	t->name = name ? name : typedef_name;
	w.of = t;
	dw_children(d, die, member_visit, &w);
	t->align = alignment(t, w.fields.v, w.fields.n);
	type_set_fields(d->arena, t, w.fields.v, w.fields.n);
	return t;
}

static const struct type *of_die(struct dwarf_file *d, Dwarf_Die *die, const char *typedef_name)
{
	switch (d->dw->tag(die)) {
	case DW_TAG_base_type:
		return of_base(d, die);
	case DW_TAG_pointer_type:
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
		return of_pointer(d, die);
	case DW_TAG_ptr_to_member_type:
		return &type_uint64;
	case DW_TAG_array_type:
		return of_array(d, die);
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		return of_struct(d, die, typedef_name);
	case DW_TAG_enumeration_type:
		return of_enum(d, die, typedef_name);
	default:
		return &type_none;
	}
}

const struct type *dw_type_of(struct dwarf_file *d, Dwarf_Die *die)
{
	const char *typedef_name = NULL;
	const struct type *t;
	Dwarf_Die at = *die;

	if (d->depth >= DW_MOST_DEPTH || !peel(d, &at, &typedef_name))
		return &type_none;
	d->depth++;
	t = of_die(d, &at, typedef_name);
	d->depth--;
	return t;
}

const struct type *dw_type_at(struct dwarf_file *d, Dwarf_Die *die)
{
	Dwarf_Die type;

	return dw_refer(d, die, DW_AT_type, &type) ? dw_type_of(d, &type) : &type_none;
}

/* ---- by name ---- */

struct name_search {
	struct dwarf_file *d;
	const char *name, *tag; /* "struct", "union", "enum" or NULL */
	Dwarf_Die found;
	uint32_t depth;
};

static bool tag_wanted(const char *wanted, int tag)
{
	if (!wanted)
		return tag == DW_TAG_typedef || tag == DW_TAG_base_type || is_composite(tag) || tag == DW_TAG_enumeration_type;
	if (str_eq(wanted, "enum"))
		return tag == DW_TAG_enumeration_type;
	return str_eq(wanted, "union") ? tag == DW_TAG_union_type :
					 tag == DW_TAG_structure_type || tag == DW_TAG_class_type;
}

static bool name_visit(Dwarf_Die *die, void *ctx)
{
	struct name_search *s = ctx;
	int tag = s->d->dw->tag(die);
	bool go_on = true;

	if (tag_wanted(s->tag, tag) && str_eq(dw_name(s->d, die), s->name) && !is_declaration(s->d, die)) {
		s->found = *die;
		return false;
	}
	if (tag != DW_TAG_namespace && !is_composite(tag))
		return true;
	if (s->depth++ < DW_MOST_DEPTH)
		go_on = dw_children(s->d, die, name_visit, s);
	s->depth--;
	return go_on;
}

static const struct type *type_search(struct dwarf_file *d, const char *name)
{
	static const char *const tags[] = { "struct", "union", "enum" };
	struct name_search s = { .d = d, .name = name };

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		if (str_starts(name, tags[i]) && name[strlen(tags[i])] == ' ') {
			s.tag = tags[i];
			s.name = name + strlen(tags[i]) + 1;
		}
	for (uint32_t i = 0; i < d->nunits; i++)
		if (!dw_children(d, &d->units[i].die, name_visit, &s))
			return dw_type_of(d, &s.found);
	return NULL;
}

static const struct type *type_named(struct dwarf_file *d, const char *name)
{
	static const struct type nothing;
	const struct type *known = strmap_get(&d->names, name);

	if (!known) {
		const struct type *found = type_search(d, name);

		known = found && found->kind != TY_NONE ? found : &nothing;
		strmap_put(d->arena, &d->names, name, (void *)(uintptr_t)known);
	}
	return known == &nothing ? NULL : known;
}

const struct type *dwarf_type_find(struct dwarf_file *d, const char *name)
{
	if (!dwlib_may_be_asked() || setjmp(*arena_guard(d->arena)))
		return NULL;
	return type_named(d, name);
}

/* ---- in words ---- */

static const char *text_of(struct dwarf_file *d, Dwarf_Die *die, int depth);

static const char *text_at(struct dwarf_file *d, Dwarf_Die *die, int depth)
{
	Dwarf_Die type;

	return dw_refer(d, die, DW_AT_type, &type) && depth < 8 ? text_of(d, &type, depth + 1) : "void";
}

static const char *text_of(struct dwarf_file *d, Dwarf_Die *die, int depth)
{
	const char *name = dw_name(d, die), *text;
	int tag = d->dw->tag(die);

	if (tag == DW_TAG_const_type)
		return arena_printf(d->arena, "const %s", text_at(d, die, depth));
	if (tag == DW_TAG_subroutine_type)
		return "void (*)()";
	if (tag == DW_TAG_typedef || tag == DW_TAG_base_type || tag == DW_TAG_unspecified_type)
		return name ? name : "void";
	if (is_qualifier(tag))
		return text_at(d, die, depth);
	if (is_pointer(tag)) {
		const char *mark = tag == DW_TAG_pointer_type ? "*" : tag == DW_TAG_reference_type ? "&" : "&&";

		text = text_at(d, die, depth);
		if (str_eq(text, "void (*)()"))
			return text;
		return arena_printf(d->arena, "%s%s%s", text, strchr("*&", text[strlen(text) - 1]) ? "" : " ", mark);
	}
	if (tag == DW_TAG_array_type)
		return arena_printf(d->arena, "%s[]", text_at(d, die, depth));
	if (tag == DW_TAG_enumeration_type)
		return arena_printf(d->arena, "enum %s", name ? name : "");
	return arena_printf(d->arena, "%s %s", tag == DW_TAG_union_type ? "union" : "struct", name ? name : "");
}

const char *dw_type_text(struct dwarf_file *d, Dwarf_Die *die)
{
	return text_at(d, die, 0);
}
