/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access: reaching into values (fields, elements), looking at them as another type (casts), and asking
 * for sizes and offsets.
 */
#include "lang/check_priv.h"

/* ---- fields ---- */

static int no_such_field(struct checker *c, const struct expr *e, const struct type *t)
{
	const char **names = arena_array_of(c->arena, const char *, t->nfields + t->nhoisted + 1);
	const char *point = t->space == SPACE_CTX && c->unit ? c->unit->points.v[0]->name : NULL;
	size_t n = 0;
	int err;

	if (point)
		err = check_error(c, e->name_span, "%s has no argument '%s'", point, e->name);
	else
		err = check_error(c, e->name_span, "%s has no member '%s'", tn(c, t), e->name);
	for (uint32_t i = 0; i < t->nfields + t->nhoisted; i++) {
		if (t->fields[i].name && t->fields[i].name[0])
			names[n++] = t->fields[i].name;
	}
	diag_hint_nearest(c->diags, e->name, names, n);
	if (point)
		diag_hint(c->diags, "sonde -lv '%s' lists its arguments", point);
	return err;
}

/* A pointer found inside what a pointer points to lies in the same address space, unless it says more; so
 * do those in a struct that has been copied from there. */
const struct type *type_in_space(struct checker *c, const struct type *t, enum addr_space space)
{
	if (t->space != SPACE_NONE || (space != SPACE_KERNEL && space != SPACE_USER))
		return t;
	if (t->kind == TY_STRUCT || (t->kind == TY_ARRAY && !type_is_int(t->elem))) {
		struct type *copy = type_clone(c->arena, type_known(c, t));

		copy->space = space;
		return copy;
	}
	if (t->kind != TY_POINTER)
		return t;
	return type_pointer(c->arena, t->elem, space);
}

static void deref_insert(struct checker *c, struct expr *e)
{
	struct expr *d = arena_new_of(c->arena, struct expr);
	const struct type *p = e->a->type;

	*d = (struct expr){ .kind = EX_UNARY, .op = OP_DEREF, .span = e->a->span, .a = e->a,
			    .type = type_in_space(c, p->elem, p->space) };
	e->a = d;
}

static int field_of(struct checker *c, struct expr *e, const struct type *t, enum addr_space space)
{
	type_known(c, t);
	if (t->kind == TY_STRUCT && !t->size && !t->nfields) {
		int err = check_error(c, e->span, "%s has no members that are known here", tn(c, t));

		diag_hint(c->diags, "declare it at the top of the script");
		return err;
	}
	e->field = type_field(t, e->name);
	if (!e->field)
		return no_such_field(c, e, t);
	type_known(c, e->field->type);
	e->type = type_in_space(c, e->field->type, space);
	return 0;
}

/* A member of a tuple of literals is that literal. */
static void member_fold(struct expr *e, const struct type *t)
{
	const struct expr *of = e->a;

	if (of->kind != EX_TUPLE && of->kind != EX_RECORD)
		return;
	vec_each(it, &of->args) {
		if (!expr_is_literal(*it))
			return;
	}
	expr_replace(e, of->args.v[e->field - t->fields]);
}

static int tuple_member(struct checker *c, struct expr *e, const struct type *t)
{
	e->field = type_field(t, e->name);
	if (!e->field && t->kind == TY_RECORD)
		return no_such_field(c, e, t);
	if (!e->field)
		return check_error(c, e->name_span, "a tuple of %u has no member .%s", t->nfields, e->name);
	e->type = e->field->type;
	member_fold(e, t);
	return 0;
}

int check_field(struct checker *c, struct expr *e)
{
	const struct type *t;
	int err = check_value(c, e->a);

	e->type = &type_none;
	if (err || e->a->type->kind == TY_NONE)
		return err;
	while (e->a->type->kind == TY_POINTER && e->a->type->elem->kind == TY_POINTER)
		deref_insert(c, e);
	t = e->a->type;
	if (t->kind == TY_POINTER && t->elem->kind == TY_STRUCT)
		return field_of(c, e, t->elem, t->space);
	if (t->kind == TY_STRUCT)
		return field_of(c, e, t, t->space);
	if (t->kind == TY_TUPLE || t->kind == TY_RECORD)
		return tuple_member(c, e, t);
	err = check_error(c, e->span, "%s has no members", tn(c, t));
	if (type_is_int(t) || t->kind == TY_POINTER)
		diag_hint(c->diags, "cast it first: ((struct NAME *)...).%s", e->name);
	return err;
}

/* ---- elements ---- */

/* -1: not a literal. A negative literal is refused. */
static int literal_index(struct checker *c, const struct expr *e, int64_t *index)
{
	*index = -1;
	if (e->b->kind != EX_INT)
		return 0;
	if (e->b->negative_ok || e->b->num > INT32_MAX)
		return check_error(c, e->b->span, "the index %lld is out of range", (long long)e->b->num);
	*index = (int64_t)e->b->num;
	return 0;
}

static int index_tuple(struct checker *c, struct expr *e, int64_t index)
{
	const struct type *t = e->a->type;

	if (index < 0)
		return check_error(c, e->b->span, "the index of a tuple must be a literal");
	if (index >= t->nfields)
		return check_error(c, e->b->span, "a tuple of %u has no member %lld", t->nfields, (long long)index);
	e->kind = EX_FIELD;
	e->name = t->fields[index].name;
	e->name_span = e->b->span;
	e->b = NULL;
	return tuple_member(c, e, t);
}

/* An array without a size at the end of a struct goes on as far as it does. */
static int index_bounds(struct checker *c, const struct expr *e, int64_t index, uint32_t count)
{
	if (index < (int64_t)count || !count)
		return 0;
	return check_error(c, e->b->span, "the index %lld is out of bounds for array of size %u", (long long)index,
			   count);
}

int check_index(struct checker *c, struct expr *e)
{
	const struct type *t;
	int64_t index;
	int err = check_value(c, e->a), err2 = check_value(c, e->b);

	e->type = &type_none;
	if (err || err2 || e->a->type->kind == TY_NONE || e->b->type->kind == TY_NONE)
		return err ?: err2;
	t = e->a->type;
	if (!type_is_int(e->b->type))
		return check_error(c, e->b->span, "an index must be an integer, and this is %s", tn(c, e->b->type));
	err = literal_index(c, e, &index);
	if (err)
		return err;
	switch (t->kind) {
	case TY_TUPLE:
		return index_tuple(c, e, index);
	case TY_ARRAY:
		e->type = type_in_space(c, t->elem, t->space);
		return index_bounds(c, e, index, t->count);
	case TY_STRING:
		e->type = &type_int8;
		return index_bounds(c, e, index, t->size);
	case TY_POINTER:
		if (!type_known(c, t->elem)->size)
			return check_error(c, e->span, "%s has no elements: the size of what it points to is not known",
					   tn(c, t));
		e->type = type_in_space(c, t->elem, t->space);
		return 0;
	default:
		return check_error(c, e->span, "%s has no elements", tn(c, t));
	}
}

/* ---- casts ---- */

static int bad_cast(struct checker *c, const struct expr *e, const struct type *to)
{
	int err = check_error(c, e->span, "%s cannot be cast to %s", tn(c, e->a->type), tn(c, to));

	if (to->kind == TY_STRUCT)
		diag_hint(c->diags, "cast to a pointer: (%s *)", tn(c, to));
	else if (to->kind == TY_STRING && (e->a->type->kind == TY_POINTER || type_is_int(e->a->type)))
		diag_hint(c->diags, "str() reads the string at an address");
	return err;
}

static int cast_to_int(struct checker *c, const struct expr *e, const struct type *to)
{
	const struct type *from = e->a->type;

	if (type_is_int(from) || from->kind == TY_POINTER)
		return 0;
	if (to->kind == TY_BOOL && from->kind == TY_STRING)
		return 0;
	if (from->kind == TY_ARRAY && type_is_int(from->elem)) {
		if (from->size == to->size)
			return 0;
		return check_error(c, e->span, "%s has %u bytes and %s has %u: both must have the same size",
				   tn(c, from), from->size, tn(c, to), to->size);
	}
	/* numbers that are shown as text are still numbers */
	if (from->kind >= TY_KSYM && from->kind <= TY_SIGNAL_NAME && type_is_scalar(from))
		return 0;
	return bad_cast(c, e, to);
}

static int cast_to_pointer(struct checker *c, struct expr *e, const struct type *to)
{
	const struct type *from = e->a->type;

	if (from->kind == TY_POINTER || (from->kind == TY_INT && from->space != SPACE_NONE)) {
		e->type = to->space == SPACE_NONE && from->space != SPACE_NONE && from->space != SPACE_CTX ?
			  type_pointer(c->arena, to->elem, from->space) : to;
		return 0;
	}
	/* an array in memory decays to the address of its first element only where it was read from */
	return type_is_int(from) ? 0 : bad_cast(c, e, to);
}

static int cast_to_array(struct checker *c, struct expr *e, const struct type *to)
{
	const struct type *from = e->a->type;
	const struct type *elem = to->elem;
	bool from_int = type_is_int(from), ok;

	while (elem->kind == TY_ARRAY)
		elem = elem->elem;
	if (from_int ? !type_is_int(to->elem) : from->kind != TY_STRING && from->kind != TY_ARRAY)
		return bad_cast(c, e, to);
	if (!type_is_int(elem) && elem->kind != TY_STRING)
		return bad_cast(c, e, to);
	if (!to->count) {
		if (from->size % to->elem->size)
			return check_error(c, e->span, "%u bytes of %s are no whole number of %s", from->size,
					   tn(c, from), tn(c, to->elem));
		to = type_array(c->arena, to->elem, from->size / to->elem->size);
		e->type = to;
	}
	ok = from->size == to->size || (from_int && to->size <= 8 && to->size > from->size);
	if (ok)
		return 0;
	return check_error(c, e->span, "%s has %u bytes and %s has %u: both must have the same size", tn(c, from),
			   from->size, tn(c, to), to->size);
}

/* (string) without a size is as long as what it is made of. */
static int cast_to_string(struct checker *c, struct expr *e, const struct type *to)
{
	const struct type *from = e->a->type;
	bool bytes = from->kind == TY_ARRAY && type_is_int(from->elem) && from->elem->size == 1;

	if (from->kind != TY_STRING && !bytes)
		return bad_cast(c, e, to);
	if (e->tref->kind == TREF_NAME && !e->tref->dims.n) {
		e->type = bytes ? type_string(c->arena, from->size + 1) : from;
		return 0;
	}
	if (from->size > to->size)
		return check_error(c, e->span, "%s does not fit %s", tn(c, from), tn(c, to));
	return 0;
}

/* Casts the checker has put in itself have no tref: the number in a map that aggregates, or an integer
 * that is followed as a pointer. */
static int check_implicit_cast(struct checker *c, struct expr *e)
{
	int err = check_expr(c, e->a);

	if (!err && type_is_agg(e->a->type))
		e->type = type_agg_value(e->a->type);
	return err;
}

int check_cast(struct checker *c, struct expr *e)
{
	const struct type *to;
	int err, err2;

	if (!e->tref)
		return check_implicit_cast(c, e);
	err = check_value(c, e->a);
	err2 = check_type_ref(c, e->tref);
	e->type = &type_none;
	if (err || err2)
		return err ?: err2;
	to = e->tref->type;
	if (e->a->type->kind == TY_NONE)
		return 0;
	e->type = to;
	switch (to->kind) {
	case TY_INT:
	case TY_BOOL:
	case TY_ENUM:
		return cast_to_int(c, e, to);
	case TY_POINTER:
		return cast_to_pointer(c, e, to);
	case TY_ARRAY:
		return cast_to_array(c, e, to);
	case TY_STRING:
		return cast_to_string(c, e, to);
	default:
		return bad_cast(c, e, to);
	}
}

/* ---- sizes and offsets ---- */

static void note_name(struct expr *e, void *ctx)
{
	if (e->kind == EX_VAR || e->kind == EX_MAP)
		*(bool *)ctx = true;
}

/* The size of what a variable or map holds is known only when all types have settled. */
static bool size_may_grow(const struct checker *c, struct expr *e)
{
	struct expr *of = e->tref ? e->tref->of : e->a;
	bool names = false;

	if (of && !c->last_pass)
		expr_visit(of, note_name, &names);
	return names;
}

/* sizeof(x) and offsetof(x, ...) are written alike for types and for expressions. */
static int operand_type(struct checker *c, struct expr *e, const struct type **out)
{
	int err;

	if (!e->tref && e->a->kind == EX_IDENT && type_name_exists(c, e->a->name)) {
		struct type_ref *tref = arena_new_of(c->arena, struct type_ref);

		tref->span = e->a->span;
		tref->name = e->a->name;
		e->tref = tref;
	}
	if (e->tref) {
		err = check_type_ref(c, e->tref);
		*out = e->tref->type;
		return err;
	}
	c->priv->meta++;
	err = check_value(c, e->a);
	c->priv->meta--;
	*out = e->a->type;
	return err;
}

int check_sizeof(struct checker *c, struct expr *e)
{
	const struct type *t;
	int err = operand_type(c, e, &t);

	e->type = &type_uint64;
	if (err || size_may_grow(c, e) || t->kind == TY_NONE)
		return err;
	if (!type_known(c, t)->size && t->kind != TY_ARRAY)
		return check_error(c, e->span, "the size of %s is not known", tn(c, t));
	/* an enumerator is a number of 64 bits, whatever its enum is kept in */
	expr_become_int(e, !e->tref && e->a->kind == EX_INT && t->kind == TY_ENUM ? 8 : t->size, false);
	return 0;
}

int check_offsetof(struct checker *c, struct expr *e)
{
	const struct type *t;
	int64_t offset = 0;
	int err = operand_type(c, e, &t);

	e->type = &type_uint64;
	if (err || t->kind == TY_NONE)
		return err;
	for (uint32_t i = 0; i < e->names.n; i++) {
		struct expr part = { .span = e->span, .name_span = e->name_span, .name = e->names.v[i] };

		if (!part.name_span.file)
			part.name_span = e->span;
		if (t->kind != TY_STRUCT)
			return check_error(c, e->span, "%s has no members", tn(c, t));
		err = field_of(c, &part, t, SPACE_NONE);
		if (err || !part.field)
			return err;
		if (part.field->bit_size)
			return check_error(c, e->span, "'%s' is a bit field: it has no offset in bytes", part.name);
		offset += part.field->offset;
		t = part.field->type;
	}
	expr_become_int(e, offset, false);
	return 0;
}

/* ---- what is this? ---- */

static const char *base_name(const struct type *t)
{
	static const char *const names[TY_NKINDS] = {
		[TY_NONE] = "void", [TY_INT] = "int", [TY_BOOL] = "bool", [TY_STRING] = "string",
		[TY_BUFFER] = "buffer", [TY_POINTER] = "pointer", [TY_ARRAY] = "array", [TY_STRUCT] = "record",
		[TY_ENUM] = "enum", [TY_TUPLE] = "tuple", [TY_RECORD] = "record",
	};

	return names[t->kind];
}

static struct expr *string_literal(struct checker *c, const struct expr *at, const char *text)
{
	struct expr *e = arena_new_of(c->arena, struct expr);

	e->span = at->span;
	expr_become_string(c->arena, e, text, (uint32_t)strlen(text));
	return e;
}

/* typeinfo(x) is a record of literals: (btf_id=0, base_type="int", full_type="uint64"). */
int check_typeinfo(struct checker *c, struct expr *e)
{
	static const char *const members[] = { "btf_id", "base_type", "full_type" };
	struct expr of = { .span = e->span, .tref = e->tref, .a = e->args.n ? e->args.v[0] : NULL };
	struct expr record = { .kind = EX_RECORD }, *id;
	const struct type *t;
	int err;

	e->type = &type_none;
	if (!of.tref && !of.a)
		return check_error(c, e->span, "typeinfo() takes a type or an expression");
	err = operand_type(c, &of, &t);
	if (err || size_may_grow(c, &of) || (t->kind == TY_NONE && !of.tref))
		return err;
	id = arena_new_of(c->arena, struct expr);
	id->span = e->span;
	expr_become_int(id, 0, false);
	vec_push(c->arena, &record.args, id);
	vec_push(c->arena, &record.args, string_literal(c, e, base_name(t) ? base_name(t) : tn(c, t)));
	vec_push(c->arena, &record.args, string_literal(c, e, tn(c, t)));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		vec_push(c->arena, &record.names, members[i]);
	expr_replace(e, &record);
	return check_expr(c, e);
}

/* ---- what holds this? ---- */

static struct expr *cast_to(struct checker *c, struct expr *e, struct type_ref *tref)
{
	struct expr *cast = arena_new_of(c->arena, struct expr);

	*cast = (struct expr){ .kind = EX_CAST, .span = e->span, .name_span = e->span, .a = e, .tref = tref };
	return cast;
}

/* container_of(p, type, member) is (type *)((uint8 *)p - offsetof(type, member)). */
int check_container_of(struct checker *c, struct expr *e)
{
	struct expr offset = { .kind = EX_OFFSETOF, .span = e->span, .name_span = e->name_span, .tref = e->tref };
	struct expr *difference = arena_new_of(c->arena, struct expr);
	struct type_ref *bytes = arena_new_of(c->arena, struct type_ref), *whole = arena_new_of(c->arena, struct type_ref);

	if (e->args.n != 1 || !e->tref)
		return check_error(c, e->span, "container_of() takes a pointer, a type and the name of a member");
	for (uint32_t i = 0; i < e->names.n; i++)
		vec_push(c->arena, &offset.names, e->names.v[i]);
	*bytes = (struct type_ref){ .span = e->span, .kind = TREF_NAME, .name = "uint8", .pointers = 1 };
	*whole = *e->tref;
	whole->type = NULL;
	whole->pointers++;
	*difference = (struct expr){ .kind = EX_BINARY, .op = OP_SUB, .span = e->span, .parenthesised = true,
				     .a = cast_to(c, e->args.v[0], bytes), .b = arena_new_of(c->arena, struct expr) };
	*difference->b = offset;
	expr_replace(e, cast_to(c, difference, whole));
	return check_expr(c, e);
}
