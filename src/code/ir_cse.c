/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Common subexpressions: what was computed on every way to a place is not computed again there, nor
 * loaded again as long as nothing in between may have written the memory; a branch whose condition an
 * earlier branch has settled becomes a jump.
 *
 * Blocks are visited so that each comes after the one that dominates it, in the order of the dominator
 * tree; what a block has found is valid in its subtree. Vregs written once stand for themselves; a
 * variable stands, from one assignment to the next within a block, for a number of its own.
 */
#include "code/ir_pass.h"

#include <string.h>

#include "base/util.h"

/* One thing known. Found again by the key; `value` is the vreg that holds it. */
struct known {
	struct ir_insn key; /* operands are numbers of values */
	uint32_t hash, block, next;
	enum { IS_VREG, IS_IMM, IS_TRUE, IS_FALSE } what;
	vreg value;
	uint32_t value_number; /* of `value` when it was found; a variable may have changed since */
	int64_t imm;           /* IS_IMM */
	uint8_t size;          /* of a store: how many bytes of the value were stored; else 0 */
};

/* When were the kinds of memory last written? Undone on leaving a subtree. */
struct undo {
	uint32_t *place, old;
};

struct cse {
	struct ir_func *f;
	struct cfg cfg;
	struct memory mem;
	uint32_t *buckets, nbuckets;
	VEC(struct known) known; /* [0] is unused */
	vreg *instead;           /* vreg -> the vreg to use in its place */
	uint32_t *number;        /* variable -> number of its value, if numbered in this block */
	uint32_t *numbered_in;   /* variable -> block + 1 */
	uint32_t next_number, tick;
	uint32_t merged, ctx_written, other_written, exposed_written, *slot_written;
	VEC(struct undo) undo;
	uint32_t *undo_at;       /* block -> length of `undo` at its end */
	uint32_t block;
};

/* ---- numbers of values ---- */

static uint32_t fresh_number(struct cse *s)
{
	return s->next_number++;
}

static bool is_variable(const struct cse *s, vreg v)
{
	return s->f->vregs.v[v].ndefs != 1;
}

static uint32_t number_of(struct cse *s, vreg v)
{
	if (!v || !is_variable(s, v))
		return v;
	if (s->numbered_in[v] != s->block + 1) {
		s->numbered_in[v] = s->block + 1;
		s->number[v] = fresh_number(s);
	}
	return s->number[v];
}

static void assign(struct cse *s, vreg v, uint32_t number)
{
	s->numbered_in[v] = s->block + 1;
	s->number[v] = number;
}

/* ---- when memory was written ---- */

static void set_tick(struct cse *s, uint32_t *place)
{
	struct undo u = { place, *place };

	vec_push(s->f->arena, &s->undo, u);
	*place = ++s->tick;
}

static void undo_to(struct cse *s, uint32_t n)
{
	while (s->undo.n > n) {
		s->undo.n--;
		*s->undo.v[s->undo.n].place = s->undo.v[s->undo.n].old;
	}
}

/* A number that changes whenever what the address points to may have been written. */
static uint32_t memory_version(const struct cse *s, const struct root *r)
{
	uint32_t version = s->merged;

	if (r->kind == ROOT_RODATA)
		return 0;
	if (r->kind == ROOT_SLOT) {
		version = MAX(version, s->slot_written[r->id]);
		return s->mem.exposed[r->id] ? MAX(version, s->exposed_written) : version;
	}
	return MAX(version, r->kind == ROOT_CTX ? s->ctx_written : s->other_written);
}

static void memory_written(struct cse *s, const struct root *r)
{
	if (r->kind == ROOT_SLOT) {
		set_tick(s, &s->slot_written[r->id]);
		if (s->mem.exposed[r->id])
			set_tick(s, &s->other_written);
		return;
	}
	set_tick(s, r->kind == ROOT_CTX ? &s->ctx_written : &s->other_written);
	if (r->kind == ROOT_VALUE)
		set_tick(s, &s->exposed_written);
}

/* ---- the table ---- */

static uint32_t hash_bytes(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t h = 2166136261u;

	while (len--)
		h = (h ^ *p++) * 16777619u;
	return h;
}

/* Keys are compared as bytes, so they are built from zeroed memory. */
static void key_begin(struct ir_insn *key)
{
	memset(key, 0, sizeof(*key));
}

static struct known *find(struct cse *s, const struct ir_insn *key)
{
	uint32_t hash = hash_bytes(key, sizeof(*key)), *link = &s->buckets[hash % s->nbuckets];

	while (*link) {
		struct known *k = &s->known.v[*link];

		if (!cfg_dominates(&s->cfg, k->block, s->block)) {
			*link = k->next; /* its subtree has been left for good */
			continue;
		}
		if (k->hash == hash && !memcmp(&k->key, key, sizeof(*key)))
			return k;
		link = &k->next;
	}
	return NULL;
}

static void remember(struct cse *s, const struct ir_insn *key, struct known k)
{
	uint32_t *bucket;

	k.hash = hash_bytes(key, sizeof(*key));
	k.block = s->block;
	bucket = &s->buckets[k.hash % s->nbuckets];
	k.next = *bucket;
	vec_push(s->f->arena, &s->known, k);
	memcpy(&s->known.v[s->known.n - 1].key, key, sizeof(*key));
	*bucket = s->known.n - 1;
}

/* ---- computations ---- */

static bool is_shareable(const struct ir_insn *i)
{
	switch (i->op) {
	case IR_NOP: case IR_MOV: case IR_STORE: case IR_ATOMIC: case IR_KFUNC: case IR_CALLFUNC: case IR_JMP:
	case IR_BR: case IR_RET:
		return false;
	case IR_CALL:
		return i->pure && i->d;
	default:
		return i->d;
	}
}

static void make_key(struct cse *s, const struct ir_insn *i, struct ir_insn *key)
{
	key_begin(key);
	key->op = i->op;
	key->a = number_of(s, i->a);
	key->b = i->use_imm ? 0 : number_of(s, i->b);
	key->imm = i->imm;
	key->off = i->off;
	key->size = i->size;
	key->nargs = i->nargs;
	key->use_imm = i->use_imm;
	key->w32 = i->w32;
	key->sx = i->sx;
	key->cc = i->cc;
	key->relo = i->relo;
	for (uint32_t k = 0; k < i->nargs; k++)
		key->args[k] = number_of(s, i->args[k]);
	if (op_is_commutative(i->op) && !i->use_imm && key->a > key->b) {
		vreg t = key->a;

		key->a = key->b;
		key->b = t;
	}
}

/* Memory of this size at this place, as it is now. */
static void make_memory_key(struct cse *s, const struct ir_insn *i, struct ir_insn *key)
{
	struct root r = memory_root(&s->mem, i->a, i->off);

	key_begin(key);
	key->op = IR_LOAD;
	key->a = r.kind == ROOT_VALUE ? number_of(s, r.id) : r.id;
	key->nargs = (uint8_t)r.kind;
	key->imm = r.off;
	key->size = i->size;
	key->sx = i->sx;
	key->relo = i->relo;
	key->then_ = memory_version(s, &r);
}

/* The result of `i` is known already: a move, a constant, or the part of a value that was stored. */
static void reuse(struct ir_insn *i, const struct known *k)
{
	struct ir_insn by = { .op = IR_MOV, .d = i->d, .a = k->value, .span = i->span };

	if (k->what == IS_IMM) {
		by.op = IR_CONST;
		by.a = 0;
		by.imm = (int64_t)eval_ext((uint64_t)k->imm, k->size, false);
	} else if (k->size && k->size < 8) {
		by.op = IR_EXT;
		by.size = k->size;
	}
	*i = by;
}

static bool still_holds(struct cse *s, const struct known *k)
{
	return k->what != IS_VREG || number_of(s, k->value) == k->value_number;
}

static void copy_done(struct cse *s, struct ir_insn *i)
{
	bool from_variable = is_variable(s, i->a);

	if (is_variable(s, i->d)) {
		assign(s, i->d, number_of(s, i->a));
	} else if (!from_variable) {
		s->instead[i->d] = i->a;
		*i = (struct ir_insn){ .op = IR_NOP };
	}
}

/* Has `i` been replaced by something known? */
static bool replace(struct cse *s, struct ir_insn *i, const struct ir_insn *key)
{
	const struct known *k = find(s, key);

	if (!k || !still_holds(s, k))
		return false;
	reuse(i, k);
	return true;
}

static void visit_value(struct cse *s, struct ir_insn *i)
{
	struct ir_insn key;
	bool replaced;

	if (i->op == IR_LOAD)
		make_memory_key(s, i, &key);
	else
		make_key(s, i, &key);
	replaced = replace(s, i, &key);
	if (replaced && i->op != IR_MOV) { /* what was stored became a computation, perhaps a known one */
		make_key(s, i, &key);
		replaced = replace(s, i, &key);
	}
	if (replaced)
		copy_done(s, i);
	else if (is_variable(s, i->d))
		assign(s, i->d, fresh_number(s));
	else
		remember(s, &key, (struct known){ .what = IS_VREG, .value = i->d, .value_number = i->d });
}

/* ---- memory ---- */

static void visit_store(struct cse *s, struct ir_insn *i)
{
	struct root r = memory_root(&s->mem, i->a, i->off);
	struct known k = { .what = IS_VREG, .value = i->b, .size = i->size };
	struct ir_insn key;

	memory_written(s, &r);
	if (i->relo || (!i->use_imm && !i->b))
		return;
	if (i->use_imm) {
		k.what = IS_IMM;
		k.imm = i->imm;
	} else {
		k.value_number = number_of(s, i->b);
	}
	make_memory_key(s, i, &key);
	remember(s, &key, k);
}

static void visit_effect(struct cse *s, struct ir_insn *i)
{
	struct root r;

	switch (i->op) {
	case IR_STORE:
		visit_store(s, i);
		return;
	case IR_ATOMIC:
		r = memory_root(&s->mem, i->a, i->off);
		memory_written(s, &r);
		break;
	case IR_CALL: case IR_KFUNC: case IR_CALLFUNC:
		set_tick(s, &s->ctx_written);
		set_tick(s, &s->other_written);
		set_tick(s, &s->exposed_written);
		break;
	default:
		break;
	}
	if (i->d && is_variable(s, i->d))
		assign(s, i->d, fresh_number(s));
}

/* ---- conditions ---- */

/* The condition in a form that its opposite shares; *opposite says which of them it is. */
static void make_condition_key(struct cse *s, const struct ir_insn *i, struct ir_insn *key, bool *opposite)
{
	struct ir_insn cmp = *i;

	*opposite = cmp.cc == CC_NE || cmp.cc == CC_UGE || cmp.cc == CC_UGT || cmp.cc == CC_SGE || cmp.cc == CC_SGT;
	if (*opposite)
		cmp.cc = (uint8_t)cc_invert(cmp.cc);
	make_key(s, &cmp, key);
	key->op = IR_BR;
}

/* On the only way into this block a condition was decided. */
static void remember_condition(struct cse *s)
{
	const struct ir_insn *br;
	struct ir_insn key;
	bool opposite, taken;
	uint32_t b = s->block;

	if (!b || s->cfg.pred_first[b + 1] - s->cfg.pred_first[b] != 1)
		return;
	br = block_end(s->f->blocks.v[s->cfg.preds[s->cfg.pred_first[b]]]);
	if (!br || br->op != IR_BR || br->then_ == br->else_ || is_variable(s, br->a) ||
	    (!br->use_imm && is_variable(s, br->b)))
		return;
	taken = br->then_ == b;
	make_condition_key(s, br, &key, &opposite);
	remember(s, &key, (struct known){ .what = taken != opposite ? IS_TRUE : IS_FALSE });
}

static void visit_branch(struct cse *s, struct ir_insn *i)
{
	const struct known *k;
	struct ir_insn key;
	bool opposite, yes;

	make_condition_key(s, i, &key, &opposite);
	k = find(s, &key);
	if (!k)
		return;
	yes = (k->what == IS_TRUE) != opposite;
	*i = (struct ir_insn){ .op = IR_JMP, .then_ = yes ? i->then_ : i->else_, .span = i->span };
}

/* ---- blocks ---- */

static void use_instead(struct cse *s, struct ir_insn *i)
{
	vreg *uses[USES_MOST];

	for (uint32_t k = insn_uses(i, uses); k; k--)
		while (s->instead[*uses[k - 1]])
			*uses[k - 1] = s->instead[*uses[k - 1]];
}

static void visit_insn(struct cse *s, struct ir_insn *i)
{
	use_instead(s, i);
	if (i->op == IR_BR)
		visit_branch(s, i);
	else if (i->op == IR_MOV && !i->w32)
		copy_done(s, i);
	else if (is_shareable(i))
		visit_value(s, i);
	else
		visit_effect(s, i);
}

static void visit_block(struct cse *s, uint32_t b)
{
	s->block = b;
	if (b) {
		undo_to(s, s->undo_at[s->cfg.idom[b]]);
		if (s->cfg.pred_first[b + 1] - s->cfg.pred_first[b] != 1)
			set_tick(s, &s->merged);
	}
	remember_condition(s);
	vec_each(i, &s->f->blocks.v[b]->insns)
		visit_insn(s, i);
	s->undo_at[b] = s->undo.n;
}

void ir_cse(struct ir_func *f)
{
	struct cse s = { .f = f, .tick = 1 };
	uint32_t *in_tree, ninsns = 0;

	cfg_build(f, &s.cfg);
	ir_count_defs(f, &s.cfg);
	memory_find(f, &s.cfg, &s.mem);
	for (uint32_t n = 0; n < s.cfg.nrpo; n++)
		ninsns += f->blocks.v[s.cfg.rpo[n]]->insns.n;
	s.nbuckets = ninsns + 16;
	s.buckets = arena_array_of(f->arena, uint32_t, s.nbuckets);
	vec_push(f->arena, &s.known, (struct known){0});
	s.instead = arena_array_of(f->arena, vreg, f->vregs.n);
	s.number = arena_array_of(f->arena, uint32_t, f->vregs.n);
	s.numbered_in = arena_array_of(f->arena, uint32_t, f->vregs.n);
	s.next_number = f->vregs.n;
	s.slot_written = arena_array_of(f->arena, uint32_t, f->slots.n + 1);
	s.undo_at = arena_array_of(f->arena, uint32_t, f->blocks.n);

	in_tree = arena_array_of(f->arena, uint32_t, s.cfg.nrpo);
	for (uint32_t n = 0; n < s.cfg.nrpo; n++)
		in_tree[s.cfg.dom_first[s.cfg.rpo[n]]] = s.cfg.rpo[n];
	for (uint32_t n = 0; n < s.cfg.nrpo; n++)
		visit_block(&s, in_tree[n]);
	ir_compact(f);
}
