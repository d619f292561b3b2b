/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lower, maps: their form in the kernel, reading, assigning, counting what was refused. */
#include <errno.h>
#include <linux/bpf.h>

#include "base/util.h"
#include "code/lower_priv.h"
#include "kernel/kernel.h"

/* Kernel maps whose elements take more than this together are not allocated in advance. */
#define MOST_PREALLOCATED_BYTES ((uint64_t)256 << 20)
/* Where there may be more of them, or larger, sums are shared by all processors and added to atomically: one value
 * for each processor takes the kernel a microsecond to make, and memory that most of them never use. */
#define MOST_PERCPU_SUMS 16384
#define MOST_PERCPU_BYTES ((uint64_t)8 << 20)
#define ELEMENT_OVERHEAD_BYTES 64

/* ---- what they are in the kernel ---- */

struct map_kind {
	const char *name;
	uint32_t plain, percpu; /* types of keyed maps */
};

static const struct map_kind map_kinds[] = {
	{ "hash", BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_PERCPU_HASH },
	{ "percpuhash", BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_PERCPU_HASH },
	{ "lruhash", BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH },
	{ "percpulruhash", BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH },
};

static const struct map_kind *map_kind_of(struct lower *l, const struct map *m)
{
	if (!m->decl_kind)
		return &map_kinds[0];
	for (size_t i = 0; i < ARRAY_SIZE(map_kinds); i++)
		if (!strcmp(map_kinds[i].name, m->decl_kind))
			return &map_kinds[i];
	lower_unexpected(l, m->span, arena_printf(l->arena, "a map of type %s", m->decl_kind));
	return NULL;
}

static uint64_t map_bytes(const struct object_map *om, bool percpu)
{
	uint64_t copies = percpu ? (uint64_t)kernel_ncpus_possible() : 1;

	return (ELEMENT_OVERHEAD_BYTES + om->key_bytes + align_up(om->value_bytes, 8) * copies) * om->max_entries;
}

/*
 * Elements are allocated in advance where they can be: the kernel refuses new ones otherwise when they come faster
 * than its worker finds memory for them.
 */
static uint32_t map_flags(const struct object_map *om, bool percpu)
{
	if (om->type != BPF_MAP_TYPE_HASH && om->type != BPF_MAP_TYPE_PERCPU_HASH)
		return 0;
	return map_bytes(om, percpu) > MOST_PREALLOCATED_BYTES ? BPF_F_NO_PREALLOC : 0;
}

/* Aggregations that are nothing but sums, which one instruction adds to. */
static bool type_is_sums(const struct type *t)
{
	return t->kind == TY_COUNT || t->kind == TY_SUM || t->kind == TY_AVG || t->kind == TY_STATS ||
	       t->kind == TY_HIST || t->kind == TY_LHIST;
}

static void keyed_make(struct lower *l, const struct map *m, const struct map_kind *kind, struct map_desc *d,
		       struct object_map *om)
{
	bool percpu = type_is_percpu_agg(m->value);

	d->key_bytes = om->key_bytes = m->key->size;
	om->value_bytes = d->value_bytes;
	om->max_entries = m->max_entries ? (uint32_t)m->max_entries : l->config->max_map_keys;
	if (type_is_sums(m->value) && (om->max_entries > MOST_PERCPU_SUMS || map_bytes(om, true) > MOST_PERCPU_BYTES))
		percpu = false;
	d->form = percpu ? MAP_PERCPU_HASH : MAP_HASH;
	om->type = percpu ? kind->percpu : kind->plain;
	om->flags = map_flags(om, percpu);
}

static int map_make(struct lower *l, const struct map *m)
{
	bool percpu = type_is_percpu_agg(m->value);
	struct map_desc d = {
		.map = m,
		.object_map = l->object->maps.n,
		.object_name = arena_printf(l->arena, "AT_%s", m->name + 1),
		.value_bytes = MAX(m->value->size, 1u), /* the empty tuple: the kernel wants a byte */
	};
	struct object_map om = { .name = d.object_name, .key = m->key, .value = m->value };
	const struct map_kind *kind = map_kind_of(l, m);

	if (!kind)
		return -EINVAL;
	if (m->value->kind == TY_NONE || (type_is_agg(m->value) && !percpu))
		return lower_unexpected(l, m->span, arena_printf(l->arena, "a map of %s", type_name(l->arena, m->value)));
	if (m->key) {
		keyed_make(l, m, kind, &d, &om);
	} else {
		d.form = percpu ? MAP_PERCPU_SCALAR : MAP_SCALAR;
		d.key_bytes = om.key_bytes = 4;
		d.set_offset = align_up(d.value_bytes, 8);
		om.value_bytes = d.set_offset + 8;
		om.type = percpu ? BPF_MAP_TYPE_PERCPU_ARRAY : BPF_MAP_TYPE_ARRAY;
		om.max_entries = 1;
	}
	vec_push(l->arena, &l->object->maps, om);
	vec_push(l->arena, &l->module->maps, d);
	return 0;
}

int lower_maps_make(struct lower *l)
{
	vec_each(m, &l->script->maps) {
		int err = map_make(l, *m);

		if (err)
			return err;
	}
	return 0;
}

const struct map_desc *lower_map_desc(struct lower *l, const struct map *m)
{
	return &l->module->maps.v[m->id];
}

/* ---- operations ---- */

int lower_map_key(struct lower *l, const struct map *m, struct expr *e, vreg *key)
{
	struct val slot;

	*key = 0;
	if (!m->key) {
		*key = lower_u32_slot(l, &l->priv->fn.zero_slot, 0);
		return 0;
	}
	if (!e)
		return diag_error(l->diags, l->f->span, "%s needs a key here", m->name);
	if (e->kind == EX_STR && m->key->kind == TY_STRING && e->str_len < m->key->size) {
		/* The helpers take a key from constant data as well. */
		*key = lower_rodata(l, m->key, e->str, e->str_len).reg;
		return 0;
	}
	slot = val_slot(l, m->key, "key");
	*key = slot.reg;
	return lower_to_memory(l, e, m->key, slot.reg, 0);
}

vreg lower_map_lookup(struct lower *l, const struct map *m, vreg key)
{
	vreg args[] = { ir_map(l->f, lower_map_desc(l, m)->object_map), key };

	return ir_call(l->f, BPF_FUNC_map_lookup_elem, 2, args);
}

static vreg map_update(struct lower *l, const struct map *m, vreg key, vreg value, uint64_t flags)
{
	vreg args[] = { ir_map(l->f, lower_map_desc(l, m)->object_map), key, value, ir_const(l->f, (int64_t)flags) };

	return ir_call(l->f, BPF_FUNC_map_update_elem, 4, args);
}

static void mark_set(struct lower *l, const struct map_desc *d, vreg value)
{
	ir_store_imm(l->f, value, (int32_t)d->set_offset, 8, 1);
}

vreg lower_map_present(struct lower *l, const struct map *m, vreg key, uint32_t next)
{
	const struct map_desc *d = lower_map_desc(l, m);
	uint32_t have = ir_block_new(l->f, "have");
	vreg p = lower_map_lookup(l, m, key);

	ir_br_imm(l->f, CC_NE, p, 0, have, next);
	ir_block_use(l->f, have);
	mark_set(l, d, p);
	return p;
}

void lower_map_update(struct lower *l, const struct map *m, vreg key, vreg value, uint64_t flags)
{
	uint32_t done;
	vreg p;

	if (m->key) {
		/* Not `< 0`: before Linux 6.4 the result has 32 bits, and nothing is in the upper half. */
		lower_count_if(l, CC_NE, map_update(l, m, key, value, flags), COUNTER_MAPS + m->id);
		return;
	}
	done = ir_block_new(l->f, "set");
	p = lower_map_present(l, m, key, done);
	lower_copy(l, p, 0, value, 0, m->value->size);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
}

vreg lower_map_delete(struct lower *l, const struct map *m, vreg key)
{
	vreg args[] = { ir_map(l->f, lower_map_desc(l, m)->object_map), key };

	return ir_call(l->f, BPF_FUNC_map_delete_elem, 2, args);
}

vreg lower_map_zeros(struct lower *l, const struct map *m)
{
	uint32_t bytes = align_up(MAX(m->value->size, 1u), 8);

	return ir_rodata(l->f, object_rodata(l->object, arena_alloc(l->arena, bytes), bytes, 8));
}

vreg lower_map_find_or_make(struct lower *l, const struct map *m, vreg key, vreg initial, uint32_t made,
			    uint32_t next)
{
	uint32_t refused = ir_block_new(l->f, "refused");
	uint32_t miss = ir_block_new(l->f, "miss"), have = ir_block_new(l->f, "have"), again;
	vreg p = ir_vreg_new(l->f, NULL), r;

	ir_mov_to(l->f, p, lower_map_lookup(l, m, key));
	ir_br_imm(l->f, CC_NE, p, 0, have, miss);
	ir_block_use(l->f, miss);
	r = map_update(l, m, key, initial, BPF_NOEXIST);
	if (made) {
		again = ir_block_new(l->f, "again");
		ir_br_imm(l->f, CC_EQ, r, 0, made, again);
		ir_block_use(l->f, again);
	}
	/* Another CPU may have made it in between: then it is there now. */
	ir_mov_to(l->f, p, lower_map_lookup(l, m, key));
	ir_br_imm(l->f, CC_NE, p, 0, have, refused);
	ir_block_use(l->f, refused);
	lower_count(l, COUNTER_MAPS + m->id);
	ir_jmp(l->f, next);
	ir_block_use(l->f, have);
	return p;
}


/* ---- reading ---- */

/* A number: 0 when the key is not there. */
static vreg read_scalar(struct lower *l, const struct type *t, vreg p)
{
	uint32_t have = ir_block_new(l->f, "have"), done = ir_block_new(l->f, "read");
	struct val at = val_of_mem(t, p, 0, SPACE_NONE);
	vreg r = ir_vreg_new(l->f, NULL);

	ir_mov_to(l->f, r, ir_const(l->f, 0));
	ir_br_imm(l->f, CC_NE, p, 0, have, done);
	ir_block_use(l->f, have);
	ir_mov_to(l->f, r, val_scalar(l, &at));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return r;
}

/* A value in memory where it lies in the map; zeros elsewhere when the key is not there. */
static vreg read_memory(struct lower *l, const struct map *m, vreg found)
{
	uint32_t none = ir_block_new(l->f, "none"), done = ir_block_new(l->f, "read");
	vreg p = ir_vreg_new(l->f, NULL);

	ir_mov_to(l->f, p, found);
	ir_br_imm(l->f, CC_NE, p, 0, done, none);
	ir_block_use(l->f, none);
	ir_mov_to(l->f, p, lower_map_zeros(l, m));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return p;
}

int lower_map_read(struct lower *l, struct expr *e, struct val *out)
{
	const struct map *m = e->map;
	vreg key, p;
	int err;

	if (m->key && !e->a)
		return lower_unexpected(l, e->span, "a map as a whole in this place");
	err = lower_map_key(l, m, e->a, &key);
	if (err)
		return err;
	if (type_is_agg(m->value))
		return lower_map_reduce(l, m, e->span, key, out);
	p = lower_map_lookup(l, m, key);
	if (m->key)
		lower_tell_missing(l, CC_EQ, p, 0, "map_lookup_elem");
	if (type_is_scalar(m->value))
		*out = val_of_reg(m->value, read_scalar(l, m->value, p));
	else
		*out = val_of_mem(m->value, read_memory(l, m, p), 0, SPACE_NONE);
	return 0;
}

/* ---- the time ---- */

static const struct map *clock_map(const struct lower *l)
{
	const char *name = getenv("BPFTRACE_DUMMY_TS_MAP");

	vec_each(m, &l->script->maps)
		if (name && !strcmp((*m)->name, name) && !(*m)->key && type_is_scalar((*m)->value))
			return *m;
	return NULL;
}

bool lower_clock_is_map(const struct lower *l)
{
	return clock_map(l);
}

vreg lower_clock(struct lower *l, int helper)
{
	const struct map *m = clock_map(l);
	vreg key;

	if (!m || lower_map_key(l, m, NULL, &key))
		return ir_call(l->f, helper, 0, NULL);
	return read_scalar(l, m->value, lower_map_lookup(l, m, key));
}

/* ---- assigning ---- */

/* @m[k] = value */
static int map_set(struct lower *l, struct expr *target, struct expr *value)
{
	const struct map *m = target->map;
	struct val v;
	uint32_t done;
	vreg key, r, p;
	int err;

	if (!m->key && type_is_scalar(m->value)) {
		err = lower_scalar(l, value, &r);
		if (err)
			return err;
		r = lower_convert(l, r, lower_read_type(value->type), m->value);
		lower_map_key(l, m, NULL, &key);
		done = ir_block_new(l->f, "set");
		p = lower_map_present(l, m, key, done);
		ir_store(l->f, p, 0, (uint8_t)m->value->size, r);
		ir_jmp(l->f, done);
		ir_block_use(l->f, done);
		return 0;
	}
	v = val_slot(l, m->value, "value");
	if (!m->value->size)
		lower_zero(l, v.reg, 0, 1);
	err = lower_to_memory(l, value, m->value, v.reg, 0);
	if (!err)
		err = lower_map_key(l, m, target->a, &key);
	if (!err)
		lower_map_update(l, m, key, v.reg, BPF_ANY);
	return err;
}

/* The value at p grows by delta; *old is what it was. Atomic where the width allows. */
static void add_in_place(struct lower *l, const struct type *t, vreg p, vreg delta, vreg old, bool want_old)
{
	struct val at = val_of_mem(t, p, 0, SPACE_NONE);
	vreg was;

	if (t->size == 8) {
		was = ir_atomic_add(l->f, p, 0, 8, delta, want_old);
		if (want_old)
			ir_mov_to(l->f, old, was);
		return;
	}
	was = val_scalar(l, &at);
	ir_mov_to(l->f, old, was);
	ir_store(l->f, p, 0, (uint8_t)t->size, ir_bin(l->f, IR_ADD, was, delta));
}

/* @m[k] += delta, exact also when several CPUs do it at once. *old (0: not wanted) is the value before. */
static int map_add(struct lower *l, struct expr *target, vreg delta, bool want_old, vreg *old)
{
	const struct map *m = target->map;
	const struct type *t = m->value;
	uint32_t done;
	struct val initial;
	vreg key, p;
	int err = lower_map_key(l, m, target->a, &key);

	if (err)
		return err;
	done = ir_block_new(l->f, "added");
	*old = ir_vreg_new(l->f, NULL);
	if (want_old || t->size != 8)
		ir_mov_to(l->f, *old, ir_const(l->f, 0));
	if (m->key) {
		initial = val_slot(l, t, "initial");
		ir_store(l->f, initial.reg, 0, (uint8_t)t->size, delta);
		p = lower_map_find_or_make(l, m, key, initial.reg, done, done);
	} else {
		p = lower_map_present(l, m, key, done);
	}
	add_in_place(l, t, p, delta, *old, want_old);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return 0;
}

/* Pointers grow by what they point to. */
static vreg delta_of(struct lower *l, const struct type *t, enum op op, vreg r)
{
	if (t->kind == TY_POINTER && t->elem && t->elem->size > 1)
		r = ir_bin_imm(l->f, IR_MUL, r, t->elem->size);
	return op == OP_SUB ? ir_neg(l->f, r) : r;
}

/* @m[k] op= value for operators that have no atomic form. */
static int map_change(struct lower *l, struct stmt *s)
{
	const struct map *m = s->target->map;
	struct val v;
	vreg key, old, r, new;
	int err = lower_scalar(l, s->value, &r);

	if (!err)
		err = lower_map_key(l, m, s->target->a, &key);
	if (err)
		return err;
	old = read_scalar(l, m->value, lower_map_lookup(l, m, key));
	err = lower_arith(l, s->op, s->span, old, m->value, r, lower_read_type(s->value->type), m->value, &new);
	if (err)
		return err;
	v = val_slot(l, m->value, "value");
	ir_store(l->f, v.reg, 0, (uint8_t)m->value->size, new);
	lower_map_update(l, m, key, v.reg, BPF_ANY);
	return 0;
}

int lower_map_assign(struct lower *l, struct stmt *s)
{
	const struct map *m = s->target->map;
	vreg r, old;
	int err;

	if (m->key && !s->target->a)
		return diag_error(l->diags, s->target->span, "%s is keyed: a key must be given here", m->name);
	if (type_is_agg(m->value)) {
		if (s->op != OP_NONE || s->value->kind != EX_CALL || !s->value->func ||
		    !(s->value->func->flags & FUNC_AGGREGATE))
			return lower_unexpected(l, s->span, "assigning this to an aggregation");
		return lower_aggregate(l, s);
	}
	if (s->op == OP_NONE)
		return map_set(l, s->target, s->value);
	if (!type_is_scalar(m->value))
		return diag_error(l->diags, s->span, "%s= needs a number on its left", op_text(s->op));
	if (s->op != OP_ADD && s->op != OP_SUB)
		return map_change(l, s);
	err = lower_scalar(l, s->value, &r);
	return err ? err : map_add(l, s->target, delta_of(l, m->value, s->op, r), false, &old);
}

int lower_map_incdec(struct lower *l, struct expr *e, struct val *out)
{
	const struct type *t = e->a->map->value;
	vreg old, delta;
	int err;

	if (!type_is_scalar(t))
		return diag_error(l->diags, e->span, "%s needs a number", op_text(e->op));
	delta = delta_of(l, t, e->op == OP_INC ? OP_ADD : OP_SUB, ir_const(l->f, 1));
	err = map_add(l, e->a, delta, out != NULL, &old);
	if (err || !out)
		return err;
	if (e->is_prefix)
		old = lower_convert(l, ir_bin(l->f, IR_ADD, old, delta), &type_int64, t);
	*out = val_of_reg(t, old);
	return 0;
}
