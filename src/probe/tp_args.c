/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The args of a tracepoint: the declarations of its format file ("const char * filename", "u8 addr[6]",
 * "__data_loc char[] name") as types.
 */
#include "probe/tp_args.h"

#include "base/util.h"

/* A C type without its qualifiers, `*` and []. */
struct c_type {
	const char *p;
	size_t len;
	uint32_t pointers;
};

static bool word_is(const struct c_type *t, const char *word)
{
	return t->len == strlen(word) && !memcmp(t->p, word, t->len);
}

static bool word_skip(struct c_type *t, const char *word)
{
	size_t n = strlen(word);

	if (t->len <= n || memcmp(t->p, word, n) || t->p[n] != ' ')
		return false;
	t->p += n + 1;
	t->len -= n + 1;
	return true;
}

/* "const struct iovec * const *" -> struct iovec, 2 pointers */
static struct c_type c_type_of(const char *text)
{
	struct c_type t = { text, strlen(text), 0 };
	const char *end;

	while (word_skip(&t, "const") || word_skip(&t, "volatile") || word_skip(&t, "__data_loc") ||
	       word_skip(&t, "__rel_loc"))
		;
	end = memchr(t.p, '[', t.len);
	if (end)
		t.len = (size_t)(end - t.p);
	for (size_t i = 0; i < t.len; i++)
		t.pointers += t.p[i] == '*';
	end = memchr(t.p, '*', t.len);
	/* "void (*)(int)": a pointer to nothing that could be read */
	if (end && end > t.p && end[-1] == '(')
		return (struct c_type){ "void", 4, 1 };
	if (end)
		t.len = (size_t)(end - t.p);
	while (t.len && t.p[t.len - 1] == ' ')
		t.len--;
	return t;
}

/* ---- words ---- */

/* The integers of C and the kernel, by name: what a pointer points to, and the elements of an array. */
static const struct {
	const char *name;
	uint32_t size;
	bool is_signed;
} integers[] = {
	{ "char", 1, true }, { "signed char", 1, true }, { "unsigned char", 1, false }, { "u8", 1, false },
	{ "__u8", 1, false }, { "uint8_t", 1, false }, { "s8", 1, true }, { "__s8", 1, true },
	{ "int8_t", 1, true }, { "short", 2, true }, { "unsigned short", 2, false }, { "u16", 2, false },
	{ "__u16", 2, false }, { "uint16_t", 2, false }, { "__be16", 2, false }, { "__le16", 2, false },
	{ "s16", 2, true }, { "__s16", 2, true }, { "int16_t", 2, true }, { "umode_t", 2, false },
	{ "int", 4, true }, { "unsigned int", 4, false }, { "unsigned", 4, false }, { "u32", 4, false },
	{ "__u32", 4, false }, { "uint32_t", 4, false }, { "__be32", 4, false }, { "__le32", 4, false },
	{ "s32", 4, true }, { "__s32", 4, true }, { "int32_t", 4, true }, { "pid_t", 4, true },
	{ "uid_t", 4, false }, { "gid_t", 4, false }, { "dev_t", 4, false }, { "long", 8, true },
	{ "unsigned long", 8, false }, { "long long", 8, true }, { "unsigned long long", 8, false },
	{ "u64", 8, false }, { "__u64", 8, false }, { "uint64_t", 8, false }, { "__be64", 8, false },
	{ "__le64", 8, false }, { "s64", 8, true }, { "__s64", 8, true }, { "int64_t", 8, true },
	{ "size_t", 8, false }, { "ssize_t", 8, true }, { "loff_t", 8, true }, { "off_t", 8, true },
	{ "ino_t", 8, false }, { "sector_t", 8, false },
};

static const struct type *integer_by_name(const struct c_type *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(integers); i++)
		if (word_is(t, integers[i].name))
			return type_integer(integers[i].size, integers[i].is_signed);
	return NULL;
}

/*
 * A system call's record has a word for every argument, whatever its type, and calls none of them signed.
 * The language shows a plain number as that word; these keep the width and sign of their own type.
 */
static const struct {
	const char *name;
	uint32_t size;
	bool is_signed;
} words[] = {
	{ "int", 8, true }, { "long", 8, true }, { "ssize_t", 8, true }, { "loff_t", 8, true },
	{ "off_t", 8, true }, { "long long", 8, true }, { "s64", 8, true }, { "__s64", 8, true },
	{ "umode_t", 2, false }, { "clockid_t", 4, true }, { "timer_t", 4, true }, { "mqd_t", 4, true },
	{ "key_t", 4, true }, { "key_serial_t", 4, true }, { "rwf_t", 4, true }, { "s32", 4, true },
	{ "__s32", 4, true }, { "qid_t", 4, false }, { "__u32", 4, false },
};

static const struct type *word_type(const struct c_type *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (word_is(t, words[i].name))
			return type_integer(words[i].size, words[i].is_signed);
	return &type_uint64;
}

/* ---- types ---- */

const struct type *opaque_struct(struct arena *a, const char *name, size_t len, bool is_union)
{
	struct type *t = arena_new_of(a, struct type);

	t->kind = TY_STRUCT;
	t->align = 1;
	t->is_union = is_union;
	t->name = arena_strndup(a, name, len);
	return t;
}

/* What a pointer or array is made of: void when nothing is known. */
static const struct type *base_type(struct arena *a, struct c_type t)
{
	const struct type *known = integer_by_name(&t);

	if (known)
		return known;
	if (word_is(&t, "bool"))
		return &type_bool;
	if (word_skip(&t, "struct"))
		return opaque_struct(a, t.p, t.len, false);
	if (word_skip(&t, "union"))
		return opaque_struct(a, t.p, t.len, true);
	return &type_none;
}

static const struct type *pointer_type(struct arena *a, struct c_type t, enum addr_space space)
{
	const struct type *elem = base_type(a, t);

	for (uint32_t i = 0; i < t.pointers && i < 8; i++)
		elem = type_pointer(a, elem, space);
	return elem;
}

/* "char comm[16]", "u64 args[6]"; without a length also "u64 args[]" at the end of a record */
static const struct type *array_type(struct arena *a, struct c_type t, const struct tp_field *f)
{
	uint32_t bytes = f->array ? f->size / f->array : 0;
	const struct type *elem = integer_by_name(&t);

	if (word_is(&t, "char") && f->size)
		return type_string(a, f->size);
	if (t.pointers && bytes == sizeof(uint64_t))
		elem = pointer_type(a, t, SPACE_KERNEL);
	if (word_is(&t, "bool"))
		elem = &type_bool;
	if (!f->size)
		return type_array(a, elem ? elem : &type_uint8, 0);
	if (elem && elem->size && f->size % elem->size == 0)
		return type_array(a, elem, f->size / elem->size);
	return type_array(a, &type_uint8, f->size);
}

/* Where the data begins; str() and buf() read it. */
static const struct type *data_loc_type(struct arena *a, struct c_type t)
{
	return type_pointer(a, base_type(a, t), SPACE_KERNEL);
}

/* A number whose names are looked up when somebody asks for the field. */
static const struct type *opaque_enum(struct arena *a, const char *name, size_t len, const struct tp_field *f)
{
	struct type *t = arena_new_of(a, struct type);

	t->kind = TY_ENUM;
	t->size = t->align = f->size;
	t->is_signed = f->is_signed;
	t->name = arena_strndup(a, name, len);
	return t;
}

static const struct type *scalar_type(struct arena *a, struct c_type t, const struct tp_field *f,
				      enum addr_space space)
{
	static const uint32_t sizes[] = { 1, 2, 4, 8 };

	if (word_is(&t, "bool") && f->size == 1)
		return &type_bool;
	if (space == SPACE_USER && f->size == 8 && !f->is_signed) {
		if (word_is(&t, "cap_user_header_t") || word_is(&t, "cap_user_data_t"))
			return type_pointer(a, &type_none, space);
		return word_skip(&t, "enum") ? &type_uint32 : word_type(&t);
	}
	if (word_skip(&t, "enum") && (f->size == 4 || f->size == 8))
		return opaque_enum(a, t.p, t.len, f);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (f->size == sizes[i])
			return type_integer(f->size, f->is_signed);
	return type_array(a, &type_uint8, f->size); /* a struct by value */
}

static const struct type *field_type_bare(struct arena *a, const struct tp_field *f, enum addr_space space)
{
	struct c_type t = c_type_of(f->type);

	if (f->data_loc || f->rel_loc)
		return data_loc_type(a, t);
	if (f->array || strchr(f->type, '['))
		return array_type(a, t, f);
	if (t.pointers && f->size == sizeof(uint64_t))
		return pointer_type(a, t, space);
	return scalar_type(a, t, f, space);
}

const struct type *tp_field_type(struct arena *a, const struct tp_field *f, enum addr_space space)
{
	const struct type *bare = field_type_bare(a, f, space);
	struct type *t = type_clone(a, bare);

	/* A number that is cast to a pointer points where the other arguments do. */
	if (t->kind == TY_INT && t->size == 8 && space == SPACE_USER)
		t->space = space;
	if (t->kind != TY_ENUM) /* which is known by its own name */
		t->name = f->type;
	return t;
}

const struct type *args_struct(struct arena *a, const struct field *fields, uint32_t n, uint32_t size)
{
	struct type *t = arena_new_of(a, struct type);

	t->kind = TY_STRUCT;
	t->size = size;
	t->align = 8;
	t->fields = fields;
	t->nfields = n;
	return t;
}

const struct type *tp_args_type(struct arena *a, const struct tp_format *format, enum addr_space space)
{
	VEC(struct field) fields = {0};
	uint32_t size = 0;

	for (uint32_t i = 0; i < format->nfields; i++) {
		const struct tp_field *f = &format->fields[i];
		struct field one = { .name = f->name, .offset = f->offset };

		/* The first word belongs to the kernel: programs may not read it. */
		if (f->offset < 8)
			continue;
		one.type = tp_field_type(a, f, space);
		one.access = f->data_loc || f->rel_loc ? ACCESS_DATA_LOC : ACCESS_MEMBER;
		one.bias = f->rel_loc ? f->offset + 4 : 0;
		size = MAX(size, f->offset + f->size);
		vec_push(a, &fields, one);
	}
	return args_struct(a, fields.v, fields.n, align_up(size, 8));
}
