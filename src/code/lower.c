/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lower, the core: values in registers and memory, and how one becomes the other. */
#include "code/lower.h"

#include <errno.h>

#include "base/util.h"
#include "code/lower_priv.h"

void lower_init(struct lower *l, struct arena *arena)
{
	l->arena = arena;
	l->priv = arena_new_of(arena, struct lower_priv);
	l->priv->events_map = -1;
}

int lower_unexpected(struct lower *l, struct span span, const char *what)
{
	diag_error(l->diags, span, "%s cannot be compiled here", what);
	diag_hint(l->diags, "this is a bug in sonde, please report it with the script");
	return -EINVAL;
}

const struct type *lower_read_type(const struct type *t)
{
	return type_is_agg(t) ? type_integer(8, t->is_signed) : t;
}

/* ---- values ---- */

struct val val_of_reg(const struct type *t, vreg r)
{
	return (struct val){ .kind = VAL_REG, .type = t, .reg = r };
}

struct val val_of_mem(const struct type *t, vreg addr, int32_t off, enum addr_space space)
{
	return (struct val){ .kind = VAL_MEM, .type = t, .reg = addr, .off = off, .space = space };
}

uint32_t lower_slot_take(struct lower *l, uint32_t bytes, const char *name)
{
	struct lower_fn *p = &l->priv->fn;
	struct temp temp = { .bytes = bytes };

	/* Those in use come first. */
	for (uint32_t i = p->temps_used; i < p->temps.n; i++) {
		if (p->temps.v[i].bytes != bytes)
			continue;
		temp = p->temps.v[i];
		p->temps.v[i] = p->temps.v[p->temps_used];
		p->temps.v[p->temps_used++] = temp;
		return temp.slot;
	}
	temp.slot = ir_slot_new(l->f, bytes, 8, name);
	vec_push(l->arena, &p->temps, temp);
	p->temps.v[p->temps.n - 1] = p->temps.v[p->temps_used];
	p->temps.v[p->temps_used++] = temp;
	return temp.slot;
}

struct val val_slot(struct lower *l, const struct type *t, const char *name)
{
	/* Words of 8 bytes at least: what is copied and compared goes word by word. */
	uint32_t slot = lower_slot_take(l, align_up(MAX(t->size, 1u), 8), name);
	struct val v = val_of_mem(t, ir_slot_addr(l->f, slot), 0, SPACE_NONE);

	v.writable_slot = true;
	return v;
}

struct val lower_result(struct lower *l, const struct type *t, const char *name)
{
	struct want *w = l->priv->fn.want;
	uint32_t align = MAX(t->align, 1u);

	if (!w || w->taken || w->bytes < t->size || (uint32_t)w->off % align)
		return val_slot(l, t, name);
	w->taken = true;
	return val_of_mem(t, w->addr, w->off, SPACE_NONE);
}

vreg val_address(struct lower *l, const struct val *v)
{
	return v->off ? ir_bin_imm(l->f, IR_ADD, v->reg, v->off) : v->reg;
}

static bool type_sign(const struct type *t)
{
	return (t->kind == TY_INT || t->kind == TY_ENUM) && t->is_signed;
}

vreg val_scalar(struct lower *l, const struct val *v)
{
	struct val local;

	if (v->kind == VAL_REG)
		return v->reg;
	local = val_local(l, v);
	return lower_load(l, &local);
}

/* May a value lie at this place of the context and be read with one load? */
static bool ctx_loadable(const struct val *v)
{
	uint32_t n = v->type->size;

	return v->space == SPACE_CTX && n && n <= 8 && !(n & (n - 1)) && !((uint32_t)v->off % n);
}

/*
 * A string of remote memory, of at most its size. An array of characters need not end with a NUL, but the
 * helper's result does: when it is full, its last byte is read by itself.
 */
static vreg string_read(struct lower *l, const struct val *v, vreg addr, int32_t off, uint32_t most)
{
	vreg from = val_address(l, v), got = lower_probe_read_str(l, addr, off, most, from, v->space);
	int32_t last = (int32_t)most - 1;
	uint32_t full, done;

	if (most < v->type->size || most < 2)
		return got;
	full = ir_block_new(l->f, "full");
	done = ir_block_new(l->f, "string");
	ir_br_imm(l->f, CC_EQ, got, most, full, done);
	ir_block_use(l->f, full);
	lower_probe_read(l, addr, off + last, 1, ir_bin_imm(l->f, IR_ADD, from, last), v->space);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return got;
}

struct val val_local(struct lower *l, const struct val *v)
{
	struct val to;

	if (v->kind != VAL_MEM || v->space == SPACE_NONE || ctx_loadable(v))
		return *v;
	to = val_slot(l, v->type, "local");
	if (v->type->kind == TY_STRING)
		string_read(l, v, to.reg, 0, v->type->size);
	else
		lower_probe_read(l, to.reg, 0, v->type->size, val_address(l, v), v->space);
	return to;
}

enum addr_space lower_space(struct lower *l, const struct type *t)
{
	if (t->space != SPACE_NONE)
		return t->space;
	return l->point && l->point->kind->space ? l->point->kind->space : SPACE_KERNEL;
}

vreg lower_convert(struct lower *l, vreg r, const struct type *from, const struct type *to)
{
	if (to->kind == TY_BOOL)
		return from->kind == TY_BOOL ? r : ir_setcc_imm(l->f, CC_NE, r, 0);
	if (to->size >= 8)
		return r;
	if (to->size > from->size && (type_sign(to) || !type_sign(from)))
		return r;
	if (to->size == from->size && type_sign(to) == type_sign(from))
		return r;
	return ir_ext(l->f, r, (uint8_t)to->size, type_sign(to));
}

struct val lower_rodata(struct lower *l, const struct type *t, const void *data, uint32_t len)
{
	uint32_t bytes = align_up(MAX(MAX(t->size, len), 1u), 8);
	uint8_t *padded = arena_alloc(l->arena, bytes);

	if (len)
		memcpy(padded, data, len);
	return val_of_mem(t, ir_rodata(l->f, object_rodata(l->object, padded, bytes, 8)), 0, SPACE_NONE);
}

/* ---- expressions ---- */

int lower_scalar(struct lower *l, struct expr *e, vreg *out)
{
	struct val v = { 0 };
	int err = lower_expr(l, e, &v);

	if (err)
		return err;
	if (v.kind == VAL_NONE || !type_is_scalar(v.type))
		return diag_error(l->diags, e->span, "%s cannot be used as a number",
				  v.kind == VAL_NONE ? "what has no value" : type_name(l->arena, v.type));
	*out = val_scalar(l, &v);
	return 0;
}

/* ---- values to memory ---- */

void lower_tuple_gaps(struct lower *l, const struct type *t, vreg addr, int32_t off)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];

		if (f->offset > at)
			lower_zero(l, addr, off + (int32_t)at, f->offset - at);
		at = f->offset + f->type->size;
	}
	if (t->size > at)
		lower_zero(l, addr, off + (int32_t)at, t->size - at);
}

static bool type_is_tuple(const struct type *t)
{
	return t->kind == TY_TUPLE || t->kind == TY_RECORD;
}

/* The members of a tuple are known by their place, those of a record by their name. */
static const struct field *tuple_member(const struct type *t, const char *name, uint32_t i)
{
	const struct field *f = t->kind == TY_RECORD ? type_field(t, name) : NULL;

	return f ? f : &t->fields[i];
}

/* A local string as one of `as->size` bytes: padded, or cut with a NUL at the end. */
static void string_to_memory(struct lower *l, const struct val *v, const struct type *as, vreg addr, int32_t off,
			     bool no_pad)
{
	uint32_t n = MIN(v->type->size, as->size);

	lower_copy(l, addr, off, v->reg, v->off, n);
	if (v->type->size > as->size)
		ir_store_imm(l->f, addr, off + (int32_t)n - 1, 1, 0);
	else if (!no_pad)
		lower_zero(l, addr, off + (int32_t)n, as->size - n);
}

static void bytes_to_memory(struct lower *l, const struct val *v, const struct type *as, vreg addr, int32_t off)
{
	uint32_t n = MIN(v->type->size, as->size);

	lower_copy(l, addr, off, v->reg, v->off, n);
	/* A buffer that is kept as a longer one. */
	if (as->size > n)
		lower_zero(l, addr, off + (int32_t)n, as->size - n);
}

static int value_into(struct lower *l, const struct val *v, const struct type *as, vreg addr, int32_t off,
		      bool no_pad, vreg *len);

static int tuple_to_memory(struct lower *l, const struct val *v, const struct type *as, vreg addr, int32_t off)
{
	for (uint32_t i = 0; i < as->nfields; i++) {
		const struct field *from = tuple_member(v->type, as->fields[i].name, i);
		struct val item = val_of_mem(from->type, v->reg, v->off + (int32_t)from->offset, v->space);
		int err = value_into(l, &item, as->fields[i].type, addr, off + (int32_t)as->fields[i].offset,
				     false, NULL);

		if (err)
			return err;
	}
	lower_tuple_gaps(l, as, addr, off);
	return 0;
}

/* Memory behind a helper is read to where it is wanted, not to a slot first. */
static void remote_to_memory(struct lower *l, const struct val *v, const struct type *as, vreg addr, int32_t off,
			     bool no_pad, vreg *len)
{
	uint32_t n = MIN(v->type->size, as->size);
	vreg got;

	if (v->type->kind != TY_STRING) {
		lower_probe_read(l, addr, off, n, val_address(l, v), v->space);
	} else {
		got = string_read(l, v, addr, off, n);
		if (len)
			*len = got;
	}
	if (as->size > n && !no_pad)
		lower_zero(l, addr, off + (int32_t)n, as->size - n);
}

static int value_into(struct lower *l, const struct val *v, const struct type *as, vreg addr, int32_t off,
		      bool no_pad, vreg *len)
{
	vreg r;

	if (type_is_scalar(as)) {
		r = lower_convert(l, val_scalar(l, v), v->type, as);
		ir_store(l->f, addr, off, (uint8_t)as->size, r);
		return 0;
	}
	if (type_is_tuple(as) && type_is_tuple(v->type) && as->nfields == v->type->nfields &&
	    !type_equal(as, v->type))
		return tuple_to_memory(l, v, as, addr, off);
	if (v->space == SPACE_CTX && v->type->kind == TY_STRUCT && v->type->space == SPACE_CTX)
		return lower_args_into(l, v, as, addr, off);
	if (v->space != SPACE_NONE)
		remote_to_memory(l, v, as, addr, off, no_pad, len);
	else if (as->kind == TY_STRING)
		string_to_memory(l, v, as, addr, off, no_pad);
	else
		bytes_to_memory(l, v, as, addr, off);
	return 0;
}

int val_to_memory(struct lower *l, const struct val *v, const struct type *as, vreg addr, int32_t off)
{
	return value_into(l, v, as, addr, off, false, NULL);
}

static int tuple_into(struct lower *l, struct expr *e, const struct type *as, vreg addr, int32_t off)
{
	for (uint32_t i = 0; i < e->args.n; i++) {
		const struct field *f = tuple_member(as, e->kind == EX_RECORD ? e->names.v[i] : "", i);
		int err = lower_into(l, e->args.v[i], f->type, addr, off + (int32_t)f->offset, false, NULL);

		if (err)
			return err;
	}
	lower_tuple_gaps(l, as, addr, off);
	return 0;
}

/* An expression in memory: its maker is offered the place; if it takes it, only the rest is filled. */
static int memory_into(struct lower *l, struct expr *e, const struct type *as, vreg addr, int32_t off, bool no_pad,
		       vreg *len)
{
	struct want want = { .addr = addr, .off = off, .bytes = as->size, .no_pad = no_pad };
	struct val v = { 0 };
	int err;

	l->priv->fn.next_want = &want;
	err = lower_expr(l, e, &v);
	if (err)
		return err;
	if (v.kind == VAL_NONE)
		return diag_error(l->diags, e->span, "this has no value");
	if (!want.taken || v.kind != VAL_MEM || v.reg != addr || v.off != off || v.space != SPACE_NONE)
		return value_into(l, &v, as, addr, off, no_pad, len);
	if (v.type->size < as->size && !no_pad)
		lower_zero(l, addr, off + (int32_t)v.type->size, as->size - v.type->size);
	if (len)
		*len = want.len;
	return 0;
}

int lower_into(struct lower *l, struct expr *e, const struct type *as, vreg addr, int32_t off, bool no_pad,
	       vreg *len)
{
	if (len)
		*len = 0;
	if ((e->kind == EX_TUPLE || e->kind == EX_RECORD) && type_is_tuple(as) && as->nfields == e->args.n)
		return tuple_into(l, e, as, addr, off);
	if (e->kind == EX_STR && as->kind == TY_STRING) {
		lower_literal_into(l, e, as->size, no_pad, addr, off);
		return 0;
	}
	return memory_into(l, e, as, addr, off, no_pad, len);
}

int lower_to_memory(struct lower *l, struct expr *e, const struct type *as, vreg addr, int32_t off)
{
	return lower_into(l, e, as, addr, off, false, NULL);
}

struct site *lower_site(struct lower *l, struct expr *call)
{
	struct site *s = arena_new_of(l->arena, struct site);

	s->id = l->priv->sites.n;
	s->func = call->func;
	s->span = call->span;
	s->expanded = call->expanded;
	vec_push(l->arena, &l->priv->sites, s);
	return s;
}

bool lower_preemptible(const struct lower *l)
{
	return l->priv->preemptible;
}

bool lower_value_shared(const struct lower *l)
{
	return l->priv->fn.value_shared || lower_preemptible(l);
}

void lower_keep_capability(struct lower *l, uint32_t cap)
{
	l->module->keep_capabilities |= 1ULL << cap;
}

void lower_return(struct lower *l)
{
	l->priv->fn.returns = true;
	ir_jmp(l->f, l->priv->fn.part_end);
}
