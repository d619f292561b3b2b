/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory: where addresses point, and the stores that can be left out or made together.
 *
 * A slot is exposed when its address goes anywhere but into loads and stores at known places: to a
 * helper, into memory, into an addition with something variable. Only then can calls and unknown
 * pointers reach it.
 */
#include "code/ir_pass.h"

#include <string.h>

#include "base/util.h"

/* ---- where addresses point ---- */

/* Does this move or addition lead from one address, known for good, to another? */
static bool is_step(const struct memory *m, const struct ir_insn *i)
{
	if (!i->d || !m->defs[i->d] || !m->defs[i->a] || i->relo || i->w32)
		return false;
	return i->op == IR_MOV || (i->op == IR_ADD && i->use_imm && fits_s32(i->imm));
}

struct root memory_root(const struct memory *m, vreg addr, int32_t off)
{
	struct root r = { ROOT_VALUE, addr, off };

	for (;;) {
		const struct ir_insn *def = m->defs[r.id];

		if (!def || def->relo)
			return r;
		switch (def->op) {
		case IR_MOV:
			if (!is_step(m, def))
				return r;
			r.id = def->a;
			break;
		case IR_ADD:
			if (!is_step(m, def))
				return r;
			r.off += def->imm;
			r.id = def->a;
			break;
		case IR_SLOT:
			return (struct root){ ROOT_SLOT, (uint32_t)def->imm, r.off + def->off };
		case IR_CTX:
			return (struct root){ ROOT_CTX, 0, r.off };
		case IR_RODATA:
			return (struct root){ ROOT_RODATA, 0, r.off + def->imm };
		case IR_BSS:
			return (struct root){ ROOT_BSS, 0, r.off + def->imm };
		default:
			return r;
		}
	}
}

static bool is_access(const struct ir_insn *i)
{
	return i->op == IR_LOAD || i->op == IR_STORE || i->op == IR_ATOMIC;
}

static void expose(struct memory *m, vreg v)
{
	struct root r = memory_root(m, v, 0);

	if (r.kind == ROOT_SLOT)
		m->exposed[r.id] = true;
}

static void note_slots(struct memory *m, struct ir_insn *i)
{
	vreg *uses[USES_MOST];

	if (is_step(m, i))
		return;
	for (uint32_t k = insn_uses(i, uses); k; k--)
		if (!(is_access(i) && uses[k - 1] == &i->a))
			expose(m, *uses[k - 1]);
	if (is_access(i)) {
		struct root r = memory_root(m, i->a, i->off);

		if (r.kind != ROOT_SLOT)
			return;
		if (i->op != IR_STORE)
			m->read[r.id] = true;
		if (i->relo || r.off < 0 || r.off + i->size > m->f->slots.v[r.id].size)
			m->exposed[r.id] = true;
	}
}

void memory_find(struct ir_func *f, const struct cfg *c, struct memory *m)
{
	m->f = f;
	m->defs = arena_array_of(f->arena, struct ir_insn *, f->vregs.n);
	m->exposed = arena_array_of(f->arena, bool, f->slots.n + 1);
	m->read = arena_array_of(f->arena, bool, f->slots.n + 1);
	for (uint32_t n = 0; n < c->nrpo; n++)
		vec_each(i, &f->blocks.v[c->rpo[n]]->insns)
			if (i->d && f->vregs.v[i->d].ndefs == 1)
				m->defs[i->d] = i;
	for (uint32_t n = 0; n < c->nrpo; n++)
		vec_each(i, &f->blocks.v[c->rpo[n]]->insns)
			note_slots(m, i);
}

/* ---- stores that are overwritten ---- */

/* Bytes of slots that will be written before anybody reads them; looking from the end of a block. */
struct doomed {
	struct memory *m;
	uint8_t **bytes;   /* by slot, one per byte; NULL: not needed yet */
	uint32_t *block;   /* by slot: the block that bytes are of */
	uint32_t now;
	bool all;          /* the function returns: whatever is not mentioned is doomed */
};

static uint8_t *doomed_bytes(struct doomed *d, uint32_t slot)
{
	struct ir_func *f = d->m->f;

	if (!d->bytes[slot])
		d->bytes[slot] = arena_alloc(f->arena, f->slots.v[slot].size);
	if (d->block[slot] != d->now) {
		d->block[slot] = d->now;
		memset(d->bytes[slot], d->all, f->slots.v[slot].size);
	}
	return d->bytes[slot];
}

/* Something reads slots that are exposed. */
static void doomed_read_exposed(struct doomed *d)
{
	for (uint32_t slot = 0; slot < d->m->f->slots.n; slot++)
		if (d->m->exposed[slot] && (d->all || d->block[slot] == d->now))
			memset(doomed_bytes(d, slot), 0, d->m->f->slots.v[slot].size);
}

static void doomed_access(struct doomed *d, struct ir_insn *i)
{
	struct root r = memory_root(d->m, i->a, i->off);
	uint8_t *bytes;

	if (r.kind == ROOT_VALUE && i->op != IR_STORE)
		doomed_read_exposed(d);
	if (r.kind != ROOT_SLOT)
		return;
	if (r.off < 0 || r.off + i->size > d->m->f->slots.v[r.id].size || i->relo) {
		doomed_read_exposed(d);
		return;
	}
	bytes = doomed_bytes(d, r.id) + r.off;
	if (i->op != IR_STORE) {
		memset(bytes, 0, i->size);
		return;
	}
	if (!memchr(bytes, 0, i->size))
		*i = (struct ir_insn){ .op = IR_NOP };
	else
		memset(bytes, 1, i->size);
}

static void drop_doomed(struct doomed *d, struct ir_block *b)
{
	const struct ir_insn *end = block_end(b);

	d->now++;
	d->all = end && end->op == IR_RET;
	for (uint32_t k = b->insns.n; k-- > 0;) {
		struct ir_insn *i = &b->insns.v[k];

		if (is_access(i))
			doomed_access(d, i);
		else if (insn_is_call(i) && i->nargs)
			doomed_read_exposed(d);
	}
}

/* Stores into slots that nobody ever reads. */
static void drop_unread(struct memory *m, struct ir_block *b)
{
	vec_each(i, &b->insns)
		if (i->op == IR_STORE) {
			struct root r = memory_root(m, i->a, i->off);

			if (r.kind == ROOT_SLOT && !m->exposed[r.id] && !m->read[r.id])
				*i = (struct ir_insn){ .op = IR_NOP };
		}
}

/* ---- stores made together ---- */

/* Constants stored next to each other with nothing in between that could see them one by one. */
#define RUN_BYTES 512
#define RUN_STORES 128
#define RUN_INSNS 256

struct store_run {
	struct root root;     /* of the first store; off is where bytes[0] lies */
	uint8_t bytes[RUN_BYTES];
	bool known[RUN_BYTES]; /* written by a constant */
	bool other[RUN_BYTES]; /* written by something else */
	struct ir_insn *stores[RUN_STORES];
	uint32_t n;
};

/* Are addresses of this root with offsets divisible by 8 aligned to 8 bytes? */
static bool root_is_aligned(const struct memory *m, const struct root *r)
{
	const struct ir_insn *def;

	if (r->kind == ROOT_SLOT)
		return m->f->slots.v[r->id].align >= 8;
	if (r->kind != ROOT_VALUE)
		return false;
	def = m->defs[r->id];
	return def && def->op == IR_CALL; /* map values and records of the ring */
}

static bool same_root(const struct root *a, const struct root *b)
{
	return a->kind == b->kind && a->id == b->id;
}

/* Where in the run a store of this root lies, or -1. */
static int64_t run_place(const struct store_run *run, const struct root *r, uint8_t size)
{
	int64_t at = r->off - run->root.off;

	return at >= 0 && at + size <= RUN_BYTES ? at : -1;
}

static bool any_set(const bool *flags, uint8_t size)
{
	return memchr(flags, 1, size);
}

/* Take a store into the run; false ends the run. */
static bool run_add(struct store_run *run, const struct root *r, struct ir_insn *i)
{
	int64_t at = run_place(run, r, i->size);

	if (at < 0 || run->n == RUN_STORES || any_set(run->other + at, i->size))
		return false;
	if (!i->use_imm) {
		if (any_set(run->known + at, i->size))
			return false;
		memset(run->other + at, 1, i->size);
		return true;
	}
	memcpy(run->bytes + at, &i->imm, i->size);
	memset(run->known + at, 1, i->size);
	run->stores[run->n++] = i;
	return true;
}

/* Does the run go on behind instruction `i`? */
static bool run_take(const struct memory *m, struct store_run *run, struct ir_insn *i)
{
	struct root r;

	if (insn_is_call(i) || i->op == IR_ATOMIC || i->relo)
		return false;
	if (!is_access(i))
		return true;
	r = memory_root(m, i->a, i->off);
	if (same_root(&r, &run->root))
		return i->op == IR_STORE && run_add(run, &r, i);
	/* Another slot is other memory; so is everything of which the roots are of different kinds but unknown. */
	if (r.kind == run->root.kind)
		return r.kind == ROOT_SLOT;
	return !(r.kind == ROOT_VALUE && run->root.kind == ROOT_SLOT && m->exposed[run->root.id]) &&
	       !(r.kind != ROOT_SLOT && run->root.kind == ROOT_VALUE) &&
	       !(r.kind == ROOT_SLOT && m->exposed[r.id] && run->root.kind == ROOT_VALUE);
}

/* The widest store that may begin at byte `at`: aligned, all known, and its value fits an immediate. */
static uint8_t widest_store(const struct store_run *run, uint32_t at)
{
	for (uint8_t size = 8; size > 1; size /= 2) {
		int64_t v = 0;

		if ((run->root.off + at) % size || at + size > RUN_BYTES || memchr(run->known + at, 0, size))
			continue;
		memcpy(&v, run->bytes + at, size);
		if (size < 8 || fits_s32(v))
			return size;
	}
	return 1;
}

static uint32_t run_count(const struct store_run *run)
{
	uint32_t n = 0;

	for (uint32_t at = 0; at < RUN_BYTES;) {
		if (!run->known[at]) {
			at++;
			continue;
		}
		at += widest_store(run, at);
		n++;
	}
	return n;
}

/* The first stores of the run write all of it, the others nothing. */
static void run_rewrite(const struct memory *m, struct store_run *run)
{
	struct ir_insn first = *run->stores[0];
	int64_t base = memory_root(m, first.a, first.off).off - first.off;
	uint32_t n = 0;

	for (uint32_t at = 0; at < RUN_BYTES;) {
		struct ir_insn *i = run->stores[n];
		uint64_t v = 0;

		if (!run->known[at]) {
			at++;
			continue;
		}
		first.size = widest_store(run, at);
		memcpy(&v, run->bytes + at, first.size);
		first.imm = (int64_t)eval_ext(v, first.size, true);
		first.off = (int32_t)(run->root.off + at - base);
		first.span = i->span;
		*i = first;
		n++;
		at += first.size;
	}
	while (n < run->n)
		*run->stores[n++] = (struct ir_insn){ .op = IR_NOP };
}

static void join_run(const struct memory *m, struct ir_block *b, uint32_t from, struct store_run *run)
{
	const struct ir_insn *first = &b->insns.v[from];
	uint32_t end = MIN(b->insns.n, from + RUN_INSNS);

	memset(run, 0, sizeof(*run));
	run->root = memory_root(m, first->a, first->off);
	if (!root_is_aligned(m, &run->root))
		return;
	/* Stores a little before the first one belong to it too. */
	run->root.off = (run->root.off - RUN_BYTES / 4) & ~INT64_C(7);
	for (uint32_t k = from; k < end; k++)
		if (!run_take(m, run, &b->insns.v[k]))
			break;
	if (run->n > 1 && run_count(run) < run->n)
		run_rewrite(m, run);
}

static void join_stores(const struct memory *m, struct ir_block *b, struct store_run *run)
{
	for (uint32_t k = 0; k < b->insns.n; k++) {
		const struct ir_insn *i = &b->insns.v[k];

		if (i->op == IR_STORE && i->use_imm && !i->relo)
			join_run(m, b, k, run);
	}
}

void ir_stores(struct ir_func *f, const struct cfg *c)
{
	struct memory m;
	struct doomed d = { .m = &m };
	struct store_run *run = arena_new_of(f->arena, struct store_run);

	memory_find(f, c, &m);
	d.bytes = arena_array_of(f->arena, uint8_t *, f->slots.n + 1);
	d.block = arena_array_of(f->arena, uint32_t, f->slots.n + 1);
	for (uint32_t n = 0; n < c->nrpo; n++) {
		struct ir_block *b = f->blocks.v[c->rpo[n]];

		drop_unread(&m, b);
		drop_doomed(&d, b);
		join_stores(&m, b, run);
	}
}
