/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Type: constructors, comparison, and the numbering of histogram buckets. */
#include "lang/type.h"

#include <string.h>

#include "base/util.h"

#define INT_TYPE(bytes, sgn) { .kind = TY_INT, .size = (bytes), .align = (bytes), .is_signed = (sgn) }

const struct type type_none = { .kind = TY_NONE };
const struct type type_bool = { .kind = TY_BOOL, .size = 1, .align = 1 };
const struct type type_int8 = INT_TYPE(1, true);
const struct type type_int16 = INT_TYPE(2, true);
const struct type type_int32 = INT_TYPE(4, true);
const struct type type_int64 = INT_TYPE(8, true);
const struct type type_uint8 = INT_TYPE(1, false);
const struct type type_uint16 = INT_TYPE(2, false);
const struct type type_uint32 = INT_TYPE(4, false);
const struct type type_uint64 = INT_TYPE(8, false);
const struct type type_ksym = { .kind = TY_KSYM, .size = 8, .align = 8 };
const struct type type_usym = { .kind = TY_USYM, .size = 16, .align = 8 };
const struct type type_inet = { .kind = TY_INET, .size = 20, .align = 4 };
const struct type type_mac = { .kind = TY_MAC, .size = 6, .align = 1 };
const struct type type_username = { .kind = TY_USERNAME, .size = 8, .align = 8 };
const struct type type_strerror = { .kind = TY_STRERROR, .size = 4, .align = 4 };
const struct type type_syscall_name = { .kind = TY_SYSCALL_NAME, .size = 4, .align = 4 };
const struct type type_signal_name = { .kind = TY_SIGNAL_NAME, .size = 4, .align = 4 };
const struct type type_signal_abbrev = { .kind = TY_SIGNAL_NAME, .size = 4, .align = 4, .param = { 1 } };

const struct type *type_integer(uint32_t size, bool is_signed)
{
	switch (size) {
	case 1: return is_signed ? &type_int8 : &type_uint8;
	case 2: return is_signed ? &type_int16 : &type_uint16;
	case 4: return is_signed ? &type_int32 : &type_uint32;
	default: return is_signed ? &type_int64 : &type_uint64;
	}
}

static struct type *type_new(struct arena *a, enum type_kind kind, uint32_t size, uint32_t align)
{
	struct type *t = arena_new_of(a, struct type);

	t->kind = kind;
	t->size = size;
	t->align = align;
	return t;
}

const struct type *type_string(struct arena *a, uint32_t size)
{
	return type_new(a, TY_STRING, size, 1);
}

const struct type *type_buffer(struct arena *a, uint32_t data_bytes)
{
	return type_new(a, TY_BUFFER, data_bytes + 4, 4);
}

const struct type *type_stack(struct arena *a, enum type_kind kind, uint32_t limit, enum stack_mode mode)
{
	uint32_t frames = limit + (kind == TY_KSTACK ? STACK_WRAPPERS : 0);
	struct type *t = type_new(a, kind, 8 + stack_frame_bytes(mode) * frames, 8);

	t->param[0] = limit;
	t->param[1] = mode;
	return t;
}

const struct type *type_with_text(struct arena *a, enum type_kind kind, const char *text, int64_t param)
{
	struct type *t = type_new(a, kind, 8, 8);

	t->name = text;
	t->param[0] = param;
	return t;
}

const struct type *type_pointer(struct arena *a, const struct type *elem, enum addr_space space)
{
	struct type *t = type_new(a, TY_POINTER, 8, 8);

	t->elem = elem;
	t->space = space;
	return t;
}

const struct type *type_array(struct arena *a, const struct type *elem, uint32_t count)
{
	struct type *t = type_new(a, TY_ARRAY, elem->size * count, MAX(elem->align, 1u));

	t->elem = elem;
	t->count = count;
	return t;
}

const struct type *type_tuple(struct arena *a, const struct type *const *items, const char *const *names,
			      uint32_t n)
{
	struct type *t = type_new(a, names ? TY_RECORD : TY_TUPLE, 0, 1);
	struct field *fields = arena_array_of(a, struct field, n);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t align = MAX(items[i]->align, 1u);

		fields[i].name = names ? names[i] : arena_printf(a, "%u", i);
		fields[i].type = items[i];
		fields[i].offset = align_up(t->size, align);
		t->size = fields[i].offset + items[i]->size;
		t->align = MAX(t->align, align);
	}
	t->size = align_up(t->size, t->align);
	t->fields = fields;
	t->nfields = n;
	return t;
}

uint32_t type_buckets(const struct type *hist)
{
	const int64_t *p = hist->param;
	uint64_t steps;

	if (hist->kind == TY_HIST)
		return ((64 - (uint32_t)p[0]) << p[0]) + 1;
	/* Nonsense is refused by the checker; here it must only not divide by zero. */
	if (p[2] <= 0 || p[1] <= p[0])
		return 2;
	steps = ((uint64_t)p[1] - (uint64_t)p[0]) / (uint64_t)p[2] + 2;
	return (uint32_t)MIN(steps, (uint64_t)UINT32_MAX);
}

static uint32_t agg_words(const struct type *t)
{
	switch (t->kind) {
	case TY_MIN: case TY_MAX: case TY_AVG: case TY_STATS: return 2;
	case TY_HIST: case TY_LHIST: return type_buckets(t);
	case TY_TSERIES: return (uint32_t)t->param[1] * (sizeof(struct tseries_slot) / 8);
	default: return 1;
	}
}

const struct type *type_agg(struct arena *a, enum type_kind kind, bool is_signed, const int64_t param[3])
{
	struct type *t = type_new(a, kind, 0, 8);

	t->is_signed = is_signed;
	if (param)
		memcpy(t->param, param, sizeof(t->param));
	t->size = 8 * agg_words(t);
	return t;
}

struct type *type_clone(struct arena *a, const struct type *t)
{
	struct type *copy = arena_new_of(a, struct type);

	*copy = *t;
	return copy;
}

const struct type *type_kept(struct arena *a, const struct type *t)
{
	struct type *kept;
	struct field *fields;
	uint32_t n = 0;

	if (t->kind != TY_STRUCT || t->space != SPACE_CTX)
		return t;
	kept = type_clone(a, t);
	fields = arena_array_of(a, struct field, t->nfields + 1);
	kept->space = SPACE_NONE;
	kept->size = 0;
	kept->align = 1;
	for (uint32_t i = 0; i < t->nfields; i++) {
		const struct type *type = type_kept(a, t->fields[i].type);
		uint32_t align = MAX(type->align, 1u);

		if (!type->size) /* nothing is known of it that could be copied */
			continue;
		fields[n++] = (struct field){ .name = t->fields[i].name, .type = type, .access = ACCESS_MEMBER,
					      .offset = align_up(kept->size, align) };
		kept->size = align_up(kept->size, align) + type->size;
		kept->align = MAX(kept->align, align);
	}
	kept->size = align_up(kept->size, kept->align);
	kept->fields = fields;
	kept->nfields = n;
	kept->nhoisted = 0;
	return kept;
}

static bool field_is_anonymous(const struct field *f)
{
	return (!f->name || !f->name[0]) && f->type && f->type->kind == TY_STRUCT;
}

void type_set_fields(struct arena *a, struct type *t, const struct field *fields, uint32_t n)
{
	VEC(struct field) all = { 0 };

	for (uint32_t i = 0; i < n; i++)
		vec_push(a, &all, fields[i]);
	for (uint32_t i = 0; i < n; i++) {
		const struct type *inner = fields[i].type;

		if (!field_is_anonymous(&fields[i]))
			continue;
		for (uint32_t j = 0; j < inner->nfields + inner->nhoisted; j++) {
			struct field f = inner->fields[j];

			if (!f.name || !f.name[0])
				continue;
			f.offset += fields[i].offset;
			vec_push(a, &all, f);
		}
	}
	t->fields = all.v;
	t->nfields = n;
	t->nhoisted = all.n - n;
}

bool type_is_int(const struct type *t)
{
	return t->kind == TY_INT || t->kind == TY_BOOL || t->kind == TY_ENUM;
}

bool type_is_scalar(const struct type *t)
{
	if (type_is_int(t) || t->kind == TY_POINTER)
		return true;
	/* Of the numbers that become text some take more than a register (an IPv6 address). */
	return t->kind >= TY_KSYM && t->kind <= TY_SIGNAL_NAME &&
	       (t->size == 1 || t->size == 2 || t->size == 4 || t->size == 8);
}

bool type_is_agg(const struct type *t)
{
	return t->kind >= TY_COUNT && t->kind <= TY_TSERIES;
}

bool type_is_percpu_agg(const struct type *t)
{
	return type_is_agg(t);
}

static bool fields_equal(const struct type *a, const struct type *b, bool names)
{
	if (a->nfields != b->nfields)
		return false;
	for (uint32_t i = 0; i < a->nfields; i++) {
		const struct field *x = &a->fields[i], *y = &b->fields[i];

		if ((names && !str_eq(x->name, y->name)) || x->offset != y->offset ||
		    x->bit_size != y->bit_size || x->bit_offset != y->bit_offset ||
		    !type_equal(x->type, y->type))
			return false;
	}
	return true;
}

bool type_equal(const struct type *a, const struct type *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind)
		return false;
	/* A struct may be known by its name alone in one place, and with its members in another. */
	if (a->kind == TY_STRUCT && a->name && b->name)
		return a->is_union == b->is_union && !strcmp(a->name, b->name);
	if (a->size != b->size || a->is_signed != b->is_signed)
		return false;
	switch (a->kind) {
	case TY_POINTER:
		return type_equal(a->elem, b->elem);
	case TY_ARRAY:
		return a->count == b->count && type_equal(a->elem, b->elem);
	case TY_STRUCT:
	case TY_ENUM:
		if (a->is_union != b->is_union)
			return false;
		if (a->name || b->name)
			return str_eq(a->name, b->name);
		return fields_equal(a, b, true);
	case TY_TUPLE:
	case TY_RECORD:
		return fields_equal(a, b, a->kind == TY_RECORD);
	case TY_STRFTIME:
	case TY_CGROUP_PATH:
		return str_eq(a->name, b->name) && !memcmp(a->param, b->param, sizeof(a->param));
	default:
		return !memcmp(a->param, b->param, sizeof(a->param));
	}
}

const struct field *type_field(const struct type *t, const char *name)
{
	for (uint32_t i = 0; i < t->nfields + t->nhoisted; i++)
		if (str_eq(t->fields[i].name, name))
			return &t->fields[i];
	return NULL;
}

static const char *const kind_names[TY_NKINDS] = {
	[TY_NONE] = "none", [TY_BOOL] = "bool", [TY_KSYM] = "ksym_t", [TY_USYM] = "usym_t",
	[TY_KSTACK] = "kstack_t", [TY_USTACK] = "ustack_t", [TY_INET] = "inet", [TY_MAC] = "macaddr_t",
	[TY_USERNAME] = "username_t", [TY_TIMESTAMP] = "timestamp", [TY_STRFTIME] = "timestamp",
	[TY_CGROUP_PATH] = "cgroup_path_t", [TY_STRERROR] = "strerror_t",
	[TY_SYSCALL_NAME] = "syscall_name_t", [TY_SIGNAL_NAME] = "signal_name_t", [TY_COUNT] = "count_t",
	[TY_SUM] = "sum_t", [TY_MIN] = "min_t", [TY_MAX] = "max_t", [TY_AVG] = "avg_t",
	[TY_STATS] = "stats_t", [TY_HIST] = "hist_t", [TY_LHIST] = "lhist_t", [TY_TSERIES] = "tseries_t",
};

/* "struct foo", but a name that says already what it is (or a typedef's with a blank) stays. */
static const char *tagged_name(struct arena *a, const char *tag, const char *name)
{
	if (!name)
		return arena_printf(a, "%s <anonymous>", tag);
	return strchr(name, ' ') ? name : arena_printf(a, "%s %s", tag, name);
}

static const char *tuple_name(struct arena *a, const struct type *t)
{
	const char *text = "(";

	for (uint32_t i = 0; i < t->nfields; i++) {
		const char *member = type_name(a, t->fields[i].type);

		if (t->kind == TY_RECORD)
			member = arena_printf(a, "%s=%s", t->fields[i].name, member);
		text = arena_printf(a, "%s%s%s", text, i ? "," : "", member);
	}
	return arena_printf(a, "%s)", text);
}

static const char *pointer_name(struct arena *a, const struct type *elem)
{
	const char *name;

	if (!elem || elem->kind == TY_NONE)
		return "void *";
	name = type_name(a, elem);
	return arena_printf(a, elem->kind == TY_POINTER ? "%s*" : "%s *", name);
}

static const char *agg_name(struct arena *a, const struct type *t)
{
	bool counts = t->kind == TY_COUNT || t->kind > TY_STATS;

	return arena_printf(a, "%s%s", t->is_signed || counts ? "" : "u", kind_names[t->kind]);
}

const char *type_name(struct arena *a, const struct type *t)
{
	switch (t->kind) {
	case TY_INT: return arena_printf(a, "%sint%u", t->is_signed ? "" : "u", t->size * 8);
	case TY_STRING: return arena_printf(a, "string[%u]", t->size);
	case TY_BUFFER: return arena_printf(a, "buffer[%u]", t->size - 4);
	case TY_POINTER: return pointer_name(a, t->elem);
	case TY_ARRAY: return arena_printf(a, "%s[%u]", type_name(a, t->elem), t->count);
	case TY_STRUCT: return tagged_name(a, t->is_union ? "union" : "struct", t->name);
	case TY_ENUM: return tagged_name(a, "enum", t->name);
	case TY_TUPLE: case TY_RECORD: return tuple_name(a, t);
	default: return type_is_agg(t) ? agg_name(a, t) : kind_names[t->kind];
	}
}

bool reg_place_equal(const struct reg_place *x, const struct reg_place *y)
{
	if (x->problem || y->problem)
		return str_eq(x->problem, y->problem);
	return x->number == y->number && x->base == y->base && x->index == y->index &&
	       x->base_bytes == y->base_bytes && x->index_bytes == y->index_bytes &&
	       x->index_signed == y->index_signed && x->scale == y->scale && x->shift == y->shift &&
	       x->is_memory == y->is_memory && x->is_signed == y->is_signed && x->bytes == y->bytes;
}

uint64_t type_extreme_code(const struct type *t)
{
	return (t->is_signed ? (uint64_t)1 << 63 : 0) ^ (t->kind == TY_MIN ? UINT64_MAX : 0);
}

uint32_t hist_bucket(int64_t value, uint32_t bits)
{
	uint64_t v = (uint64_t)value, mask = ((uint64_t)1 << bits) - 1, rest = v;
	uint32_t top = 0;

	if (value < 0)
		return 0;
	if (v <= mask)
		return (uint32_t)v + 1;
	/* The position of the highest bit, by halves: the kernel side does the same without a loop. */
	for (uint32_t half = 32; half; half /= 2) {
		if (rest >> half) {
			rest >>= half;
			top += half;
		}
	}
	return ((top - bits + 1) << bits) + (uint32_t)((v >> (top - bits)) & mask) + 1;
}

/* The lowest value of a bucket that is not the one of negative numbers. */
static uint64_t bucket_low(uint32_t bucket, uint32_t bits)
{
	uint64_t n = bucket - 1, mask = ((uint64_t)1 << bits) - 1;

	if (n <= mask)
		return n;
	return ((n & mask) | (mask + 1)) << ((n >> bits) - 1);
}

void hist_bounds(uint32_t bucket, uint32_t bits, int64_t *low, int64_t *high)
{
	if (!bucket) {
		*low = INT64_MIN;
		*high = -1;
		return;
	}
	*low = (int64_t)bucket_low(bucket, bits);
	/* Beyond the last bucket lies 2^63: its predecessor is the highest number. */
	*high = (int64_t)(bucket_low(bucket + 1, bits) - 1);
}
