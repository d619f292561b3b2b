/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Types of the checker: which type holds the values of two others, and what a written type means.
 */
#include "lang/check_priv.h"
#include "lang/header.h"

/*
 * A literal's type and the difference of unsigned numbers have a soft sign: stored together with a
 * number whose sign is meant, they follow it. They look like any other integer (type_equal() sees no
 * difference); only their address tells, so nobody but the checker can know.
 */
static const struct type literal_types[8] = {
	/* by the range of values: those that leave the top bit free, and those that need it */
	{ .kind = TY_INT, .size = 1, .align = 1 }, { .kind = TY_INT, .size = 1, .align = 1 },
	{ .kind = TY_INT, .size = 2, .align = 2 }, { .kind = TY_INT, .size = 2, .align = 2 },
	{ .kind = TY_INT, .size = 4, .align = 4 }, { .kind = TY_INT, .size = 4, .align = 4 },
	{ .kind = TY_INT, .size = 8, .align = 8 }, { .kind = TY_INT, .size = 8, .align = 8 },
};
const struct type type_soft_int64 = { .kind = TY_INT, .size = 8, .align = 8, .is_signed = true };

const struct type *const type_soft_uint64 = &literal_types[6];

bool type_sign_is_soft(const struct type *t)
{
	return t == &type_soft_int64 || (t >= literal_types && t < literal_types + ARRAY_SIZE(literal_types));
}

const struct type *type_of_literal(uint64_t num, bool negative_ok)
{
	int64_t v = (int64_t)num;

	if (negative_ok && v < 0)
		return type_integer(v >= INT8_MIN ? 1 : v >= INT16_MIN ? 2 : v >= INT32_MIN ? 4 : 8, true);
	for (uint32_t i = 0; i < 7; i++) {
		uint32_t bits = (8u << i / 2) - 1 + i % 2;

		if (!(num >> bits))
			return &literal_types[i];
	}
	return &literal_types[7];
}

const char *tn(struct checker *c, const struct type *t)
{
	return type_name(c->arena, t);
}

bool type_agg_readable(const struct type *t)
{
	switch (t->kind) {
	case TY_COUNT:
	case TY_SUM:
	case TY_MIN:
	case TY_MAX:
	case TY_AVG:
		return true;
	default:
		return false;
	}
}

const struct type *type_agg_value(const struct type *t)
{
	return t->kind != TY_COUNT && t->is_signed ? &type_int64 : &type_uint64;
}

static const struct type *promote_soft(const struct type *soft, const struct type *hard)
{
	uint32_t size = soft->size;

	if (soft != &type_soft_int64 && hard->is_signed && (soft - literal_types) % 2)
		size = MIN(size * 2, 8u); /* it needs the bit that becomes the sign */
	return type_integer(MAX(size, hard->size), hard->is_signed);
}

/* An argument of a system call, of which the kernel keeps a whole word: a file descriptor is an `int` for some calls, an
 * `unsigned int` or even `unsigned long` for others. It fits where signed numbers are. */
static bool is_narrow_word(const struct type *t)
{
	static const char *const names[] = { "unsigned int", "unsigned", "unsigned long" };

	for (size_t i = 0; t->name && i < ARRAY_SIZE(names); i++)
		if (str_eq(t->name, names[i]))
			return true;
	return false;
}

static const struct type *promote_ints(const struct type *x, const struct type *y)
{
	bool sx = type_sign_is_soft(x), sy = type_sign_is_soft(y);
	const struct type *s = x->is_signed ? x : y, *u = x->is_signed ? y : x;

	if (sx && sy)
		return x == &type_soft_int64 || y == &type_soft_int64 ? &type_soft_int64 : x > y ? x : y;
	if (sx || sy)
		return sx ? promote_soft(x, y) : promote_soft(y, x);
	if (x->is_signed == y->is_signed)
		return x->size >= y->size ? x : y;
	if (s->size > u->size || (s->size == u->size && is_narrow_word(u)))
		return s;
	return u->size < 8 ? type_integer(u->size * 2, true) : NULL;
}

static const struct type *promote_pointers(const struct type *x, const struct type *y)
{
	if (x->elem->kind == TY_NONE || y->elem->kind == TY_NONE)
		return x->elem->kind == TY_NONE ? y : x;
	if (!type_equal(x->elem, y->elem))
		return NULL;
	return x->space == SPACE_NONE ? y : x;
}

static const struct type *promote_tuples(struct arena *a, const struct type *x, const struct type *y)
{
	const struct type **items;
	const char **names;

	if (x->nfields != y->nfields)
		return NULL;
	items = arena_array_of(a, const struct type *, x->nfields + 1);
	names = arena_array_of(a, const char *, x->nfields + 1);
	for (uint32_t i = 0; i < x->nfields; i++) {
		/* the members of a record are known by their names, in whatever order */
		const struct field *other = x->kind == TY_RECORD ? type_field(y, x->fields[i].name) : &y->fields[i];

		names[i] = x->fields[i].name;
		if (!other)
			return NULL;
		items[i] = type_promote(a, x->fields[i].type, other->type);
		if (!items[i])
			return NULL;
	}
	return type_tuple(a, items, x->kind == TY_RECORD ? names : NULL, x->nfields);
}

static const struct type *promote_aggs(const struct type *x, const struct type *y)
{
	if (memcmp(x->param, y->param, sizeof(x->param)))
		return NULL;
	return x->is_signed ? x : y;
}

static const struct type *promote_same_kind(struct arena *a, const struct type *x, const struct type *y)
{
	switch (x->kind) {
	case TY_INT:
		return promote_ints(x, y);
	case TY_STRING:
	case TY_BUFFER:
		return x->size >= y->size ? x : y;
	case TY_POINTER:
		return promote_pointers(x, y);
	case TY_TUPLE:
	case TY_RECORD:
		return promote_tuples(a, x, y);
	case TY_ARRAY:
	case TY_STRUCT:
	case TY_ENUM:
		return NULL;
	default:
		return type_is_agg(x) ? promote_aggs(x, y) : type_equal(x, y) ? x : NULL;
	}
}

const struct type *type_promote(struct arena *a, const struct type *x, const struct type *y)
{
	if (x == y || y->kind == TY_NONE)
		return x;
	if (x->kind == TY_NONE)
		return y;
	if (x->kind == TY_TUPLE || x->kind == TY_RECORD || x->kind == TY_INT || x->kind == TY_POINTER) {
		/* equal types may still differ in softness and space: never stop at type_equal() */
		if (x->kind == y->kind)
			return promote_same_kind(a, x, y);
	}
	if (type_equal(x, y))
		return x;
	if (x->kind == y->kind)
		return promote_same_kind(a, x, y);
	if (x->kind == TY_ENUM && y->kind == TY_INT)
		return promote_ints(type_integer(x->size, x->is_signed), y);
	if (x->kind == TY_INT && y->kind == TY_ENUM)
		return promote_ints(x, type_integer(y->size, y->is_signed));
	return NULL;
}

/* ---- written types ---- */

static const struct {
	const char *name;
	const struct type *type;
} named_types[] = {
	{ "int8", &type_int8 }, { "int16", &type_int16 }, { "int32", &type_int32 }, { "int64", &type_int64 },
	{ "uint8", &type_uint8 }, { "uint16", &type_uint16 }, { "uint32", &type_uint32 },
	{ "uint64", &type_uint64 }, { "bool", &type_bool }, { "void", &type_none },
	/* C's own names, and those of the kernel's headers, for casts copied from C */
	{ "_Bool", &type_bool }, { "char", &type_int8 }, { "signed char", &type_int8 },
	{ "unsigned char", &type_uint8 }, { "short", &type_int16 }, { "short int", &type_int16 },
	{ "signed short", &type_int16 }, { "unsigned short", &type_uint16 },
	{ "unsigned short int", &type_uint16 }, { "short unsigned int", &type_uint16 },
	{ "int", &type_int32 }, { "signed", &type_int32 }, { "signed int", &type_int32 },
	{ "unsigned", &type_uint32 }, { "unsigned int", &type_uint32 },
	{ "long", &type_int64 }, { "long int", &type_int64 }, { "signed long", &type_int64 },
	{ "unsigned long", &type_uint64 }, { "unsigned long int", &type_uint64 },
	{ "long unsigned int", &type_uint64 }, { "long long", &type_int64 }, { "long long int", &type_int64 },
	{ "signed long long", &type_int64 }, { "unsigned long long", &type_uint64 },
	{ "unsigned long long int", &type_uint64 }, { "long long unsigned int", &type_uint64 },
	{ "size_t", &type_uint64 }, { "ssize_t", &type_int64 }, { "uintptr_t", &type_uint64 },
	{ "intptr_t", &type_int64 },
	{ "int8_t", &type_int8 }, { "int16_t", &type_int16 }, { "int32_t", &type_int32 },
	{ "int64_t", &type_int64 }, { "uint8_t", &type_uint8 }, { "uint16_t", &type_uint16 },
	{ "uint32_t", &type_uint32 }, { "uint64_t", &type_uint64 },
	{ "s8", &type_int8 }, { "s16", &type_int16 }, { "s32", &type_int32 }, { "s64", &type_int64 },
	{ "u8", &type_uint8 }, { "u16", &type_uint16 }, { "u32", &type_uint32 }, { "u64", &type_uint64 },
	{ "__s8", &type_int8 }, { "__s16", &type_int16 }, { "__s32", &type_int32 }, { "__s64", &type_int64 },
	{ "__u8", &type_uint8 }, { "__u16", &type_uint16 }, { "__u32", &type_uint32 },
	{ "__u64", &type_uint64 }, { "__be16", &type_uint16 }, { "__be32", &type_uint32 },
	{ "__be64", &type_uint64 }, { "__le16", &type_uint16 }, { "__le32", &type_uint32 },
	{ "__le64", &type_uint64 }, { "pid_t", &type_int32 }, { "uid_t", &type_uint32 },
	{ "gid_t", &type_uint32 }, { "dev_t", &type_uint32 }, { "sector_t", &type_uint64 },
};

static const struct type *named_type(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(named_types); i++) {
		if (str_eq(named_types[i].name, name))
			return named_types[i].type;
	}
	return NULL;
}

bool tref_is_integer(const struct type_ref *ref)
{
	const struct type *t = ref && ref->kind == TREF_NAME && !ref->pointers && !ref->dims.n ? named_type(ref->name) : NULL;

	return t && t != &type_none;
}

/* As the program knows it in which the present probe is. */
static const struct type *program_type(struct checker *c, const char *name)
{
	const struct attach_point *ap = c->unit && c->unit->points.n ? c->unit->points.v[0] : NULL;

	return ap && ap->kind->type ? ap->kind->type(c->env->probe, ap, name) : NULL;
}

const struct type *c_type_find(struct checker *c, const char *name)
{
	const struct type *t = strmap_get(&c->priv->c_types, name);

	/* a struct the script only mentions may be known to the traced program, or to the kernel */
	if (t && !(t->kind == TY_STRUCT && !t->size))
		return t;
	if (!t)
		t = named_type(name);
	if (!t || t->kind == TY_STRUCT) {
		const struct type *own = program_type(c, name);

		if (own)
			return own;
	}
	if (!t || t->kind == TY_STRUCT) {
		const struct type *k = c->env->struct_type ? c->env->struct_type(c->env->struct_type_ctx, name) : NULL;

		if (k)
			return k;
		k = header_type(c, name);
		if (k)
			return k;
	}
	return t;
}

/* The enumerators of an enum of which only the name is known. */
static void enum_known(struct checker *c, const struct type *t)
{
	const struct type *found = c_type_find(c, arena_printf(c->arena, "enum %s", t->name));
	struct type *whole = (struct type *)(uintptr_t)t;

	if (!found || found->kind != TY_ENUM || found->size != t->size)
		return;
	whole->enumerators = found->enumerators;
	whole->nenumerators = found->nenumerators;
}

const struct type *type_known(struct checker *c, const struct type *t)
{
	const struct type *found;
	struct type *whole;
	const char *name;

	if (t->kind == TY_ENUM && !t->nenumerators && t->name)
		enum_known(c, t);
	/* Not a constant: a name without members is always made by a maker of types, in its arena. */
	whole = (struct type *)(uintptr_t)t;
	if (t->kind == TY_STRUCT && t->maker)
		t->maker->complete(t->maker, whole);
	if (t->kind != TY_STRUCT || t->size || t->nfields || !t->name)
		return t;
	name = strchr(t->name, ' ') ? t->name :
	       arena_printf(c->arena, "%s %s", t->is_union ? "union" : "struct", t->name);
	found = c_type_find(c, name);
	if (!found || found == t || !found->size)
		return t;
	*whole = *found;
	return t;
}

bool type_name_exists(struct checker *c, const char *name)
{
	return str_eq(name, "string") || c_type_find(c, name);
}

static int unknown_type(struct checker *c, const struct type_ref *tref, const char *name)
{
	const char *names[ARRAY_SIZE(named_types) + 64];
	size_t n = 0;
	int err = check_error(c, tref->span, "there is no type '%s'", name);

	for (; n < ARRAY_SIZE(named_types); n++)
		names[n] = named_types[n].name;
	vec_each(it, &c->priv->c_types.entries) {
		if (n < ARRAY_SIZE(names))
			names[n++] = it->key;
	}
	if (nearest_name(name, names, n))
		diag_hint_nearest(c->diags, name, names, n);
	else
		diag_hint(c->diags, "declare it at the top of the script");
	return err;
}

static const char *tref_name(struct checker *c, const struct type_ref *tref)
{
	static const char *const prefix[] = { [TREF_STRUCT] = "struct ", [TREF_UNION] = "union ", [TREF_ENUM] = "enum " };

	if (tref->kind == TREF_NAME || tref->kind == TREF_TYPEOF)
		return tref->name ? tref->name : "";
	return arena_printf(c->arena, "%s%s", prefix[tref->kind], tref->name ? tref->name : "");
}

static int tref_typeof(struct checker *c, struct type_ref *tref, const struct type **out)
{
	int err;

	if (tref->of_type) {
		err = check_type_ref(c, tref->of_type);
		*out = tref->of_type->type;
		return err;
	}
	c->priv->meta++;
	err = check_value(c, tref->of);
	c->priv->meta--;
	*out = tref->of->type;
	return err;
}

/* The first dimension of a string is its size: string[16][4] are four of them. */
static int tref_string(struct checker *c, struct type_ref *tref, const struct type **out)
{
	int64_t size = tref->dims.n ? tref->dims.v[0] : 1;

	if (tref->pointers) {
		int err = check_error(c, tref->span, "a pointer to a string needs the size of the string");

		diag_hint(c->diags, "string[16] *; str() reads a text from an address, whatever its length");
		return err;
	}
	if (size < 1)
		return check_error(c, tref->span, "a string needs at least 1 byte");
	if (size > c->env->config.max_strlen) {
		int err = check_error(c, tref->span, "string[%lld] is longer than max_strlen, which is %u",
				      (long long)size, c->env->config.max_strlen);

		diag_hint(c->diags, "config = { max_strlen = %lld }", (long long)size);
		return err;
	}
	*out = type_string(c->arena, (uint32_t)size);
	return 0;
}

#define MOST_POINTERS 16u
#define MOST_DIMS 8u
#define ARRAY_MOST_BYTES (1 << 20)

/* Those of `skip` dimensions are taken already. */
static int tref_dims(struct checker *c, struct type_ref *tref, uint32_t skip, const struct type **t)
{
	for (uint32_t i = tref->dims.n; i-- > skip;) {
		int64_t n = tref->dims.v[i];

		if (n < -1 || n > ARRAY_MOST_BYTES || (int64_t)(*t)->size * n > ARRAY_MOST_BYTES)
			return check_error(c, tref->span, "an array of %lld elements is too large", (long long)n);
		if (!(*t)->size)
			return check_error(c, tref->span, "an array of %s has no size", tn(c, *t));
		*t = type_array(c->arena, *t, n < 0 ? 0 : (uint32_t)n);
	}
	return 0;
}

bool check_type_missing(struct checker *c, const struct type_ref *tref)
{
	return (tref->kind == TREF_STRUCT || tref->kind == TREF_UNION) && tref->name && !c_type_find(c, tref_name(c, tref));
}

int check_type_ref(struct checker *c, struct type_ref *tref)
{
	bool is_string = tref->kind == TREF_NAME && str_eq(tref->name, "string");
	const struct type *t = NULL;
	int err = 0;

	if (is_string) {
		err = tref_string(c, tref, &t);
	} else if (tref->kind == TREF_TYPEOF) {
		err = tref_typeof(c, tref, &t);
	} else {
		const char *name = tref_name(c, tref);

		t = c_type_find(c, name);
		/* Old scripts leave `struct` out. */
		if (!t && tref->kind == TREF_NAME && tref->pointers)
			t = c_type_find(c, arena_printf(c->arena, "struct %s", name));
		if (!t)
			err = unknown_type(c, tref, name);
	}
	if (err || !t)
		return err ? err : -EINVAL;
	if (tref->pointers > MOST_POINTERS || tref->dims.n > MOST_DIMS)
		return check_error(c, tref->span, "this type is nested too deeply");
	for (uint32_t i = 0; i < tref->pointers; i++)
		t = type_pointer(c->arena, t, SPACE_NONE);
	err = tref_dims(c, tref, is_string, &t);
	if (!err)
		tref->type = t;
	return err;
}
