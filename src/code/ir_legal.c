/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Legalisation: wherever an instruction wants in a register what has none (a constant, an address, a
 * spilled vreg), a copy is made just before it. Uses between two calls of one block share a copy. A copy
 * that itself finds no register is made anew for every single use; such copies always find one.
 * Arguments of calls need no copies: they are made directly in r1 to r5 by the emitter.
 */
#include "code/ir_mach.h"

struct legal {
	struct mach *m;
	VEC(struct ir_insn) out;
	vreg *copy;        /* vreg -> its copy in a register */
	uint32_t *made_in; /* region in which the copy was made */
	uint32_t block;
	uint32_t region;   /* grows at calls and at the beginning of blocks; never 0 */
	struct span span;
};

static void put(struct legal *l, struct ir_insn i)
{
	i.span = l->span;
	vec_push(l->m->arena, &l->out, i);
}

static vreg copy_new(struct legal *l, vreg of, bool share)
{
	vreg t = mach_vreg_new(l->m, (struct mach_vreg){ .kind = MV_REG, .copy_of = of, .tiny = !share });

	if (share) {
		l->copy[of] = t;
		l->made_in[of] = l->region;
	}
	return t;
}

static vreg in_register(struct legal *l, vreg v)
{
	struct mach_vreg mv = l->m->vregs.v[v];
	struct ir_insn make;

	if (mv.kind == MV_REG || mv.kind == MV_FRAME)
		return v;
	if (!mv.copy_of && l->made_in[v] == l->region)
		return l->copy[v];
	if (mv.kind == MV_OFFSET) {
		vreg base = in_register(l, mv.base);

		if (!mv.off)
			return base;
		make = (struct ir_insn){ .op = IR_ADD, .a = base, .use_imm = true, .imm = mv.off };
	} else {
		make = *mv.remat;
	}
	make.d = copy_new(l, v, !mv.copy_of);
	put(l, make);
	return make.d;
}

static void legal_address(struct legal *l, struct ir_insn *i)
{
	const struct mach_vreg *mv = &l->m->vregs.v[i->a];

	if (mv->kind == MV_OFFSET && !i->relo && fits_s16((int64_t)i->off + mv->off)) {
		i->off += mv->off;
		i->a = mv->base;
	}
	i->a = in_register(l, i->a);
}

/* A move from what has no register makes it in the destination. */
static void legal_mov(struct legal *l, struct ir_insn *i)
{
	const struct mach_vreg mv = l->m->vregs.v[i->a];
	vreg d = i->d;

	if (mv.kind == MV_REMAT) {
		if (!mv.copy_of && l->made_in[i->a] == l->region) {
			i->a = l->copy[i->a];
			return;
		}
		*i = *mv.remat;
		i->d = d;
	} else if (mv.kind == MV_OFFSET) {
		i->a = in_register(l, mv.base);
		if (mv.off)
			*i = (struct ir_insn){ .op = IR_ADD, .d = d, .a = i->a, .use_imm = true, .imm = mv.off };
	}
}

/*
 * A comparison teaches the verifier the bounds of the register compared. That the value in memory has them
 * too it knows only sometimes, depending on the kernel; so what was compared is stored again where the
 * branch leads to. mach_select() has seen to it that nothing else leads there.
 */
static vreg bind_home(struct legal *l, const struct mach_block *b, vreg v)
{
	const struct mach_vreg *mv = &l->m->vregs.v[v];
	struct ir_insn reload;

	if (!mv->home || !mv->bounds)
		return in_register(l, v);
	reload = *mv->remat;
	reload.d = copy_new(l, v, false);
	put(l, reload);
	for (uint32_t k = 0; k < b->nsucc; k++) {
		struct mach_block *succ = &l->m->blocks[b->succ[k]];

		succ->bound[succ->nbound] = v;
		succ->bound_copy[succ->nbound++] = reload.d;
	}
	return reload.d;
}

static void store_bound(struct legal *l, struct mach_block *b)
{
	for (uint32_t k = 0; k < b->nbound; k++)
		put(l, (struct ir_insn){ .op = IR_STORE, .a = l->m->frame, .off = l->m->vregs.v[b->bound[k]].home_off,
					 .size = 8, .b = b->bound_copy[k] });
	b->nbound = 0;
}

static void legal_branch(struct legal *l, struct ir_insn *i)
{
	const struct mach_block *b = &l->m->blocks[l->block];

	i->a = bind_home(l, b, i->a);
	if (i->b)
		i->b = bind_home(l, b, i->b);
}

static void legal_operands(struct legal *l, struct ir_insn *i)
{
	const struct mach_vreg *a = &l->m->vregs.v[i->a];

	switch (i->op) {
	case IR_LOAD: case IR_STORE: case IR_ATOMIC:
		legal_address(l, i);
		break;
	case IR_MOV:
		legal_mov(l, i);
		break;
	case IR_BR:
		legal_branch(l, i);
		break;
	case IR_RET:
		if (i->a && a->kind == MV_REMAT && a->remat->op == IR_CONST && !a->remat->relo) {
			*i = (struct ir_insn){ .op = IR_RET, .use_imm = true, .imm = a->remat->imm };
			break;
		}
		__attribute__((fallthrough));
	default:
		if (i->a)
			i->a = in_register(l, i->a);
	}
	if (i->b && i->op != IR_BR)
		i->b = in_register(l, i->b);
}

/* What `*d` receives is stored to its home; a copy stays for the uses that follow. */
static void store_home(struct legal *l, vreg *d, vreg t)
{
	const struct mach_vreg mv = l->m->vregs.v[*d];
	vreg v = *d;

	*d = t;
	put(l, (struct ir_insn){ .op = IR_STORE, .a = l->m->frame, .off = mv.home_off, .size = 8, .b = t });
	put(l, (struct ir_insn){ .op = IR_MOV, .d = copy_new(l, v, true), .a = t });
}

static void legal_entry(struct legal *l, struct ir_insn i)
{
	uint32_t at = l->out.n;

	put(l, i);
	for (uint32_t k = 0; k < 5; k++) {
		vreg t;

		if (!i.args[k] || !l->m->vregs.v[i.args[k]].home)
			continue;
		t = mach_vreg_new(l->m, (struct mach_vreg){ .kind = MV_REG, .tiny = true });
		store_home(l, &i.args[k], t);
		l->out.v[at].args[k] = t;
	}
}

/* A move between two vregs of the same home does nothing (but to make an older copy worthless). */
static bool is_move_home(const struct mach *m, const struct ir_insn *i)
{
	const struct mach_vreg *d = &m->vregs.v[i->d], *a = &m->vregs.v[i->a];

	return i->op == IR_MOV && d->home && a->home && d->home_off == a->home_off;
}

static void legal_insn(struct legal *l, struct ir_insn i)
{
	const struct mach_vreg *d = &l->m->vregs.v[i.d];
	bool has_register = !i.d || d->kind == MV_REG, home = i.d && d->home;
	vreg v = i.d;

	l->span = i.span;
	if (i.op == IR_NOP || (!has_register && !home))
		return;
	if (is_move_home(l->m, &i)) {
		l->made_in[i.d] = 0;
		return;
	}
	if (i.op == MACH_ENTRY) {
		legal_entry(l, i);
		return;
	}
	legal_operands(l, &i);
	if (home)
		i.d = mach_vreg_new(l->m, (struct mach_vreg){ .kind = MV_REG, .tiny = true });
	put(l, i);
	if (insn_is_call(&i))
		l->region++;
	if (home)
		store_home(l, &v, i.d);
}

void mach_legalise(struct mach *m)
{
	struct legal l = { .m = m };

	l.copy = arena_array_of(m->arena, vreg, m->vregs.n);
	l.made_in = arena_array_of(m->arena, uint32_t, m->vregs.n);
	for (uint32_t b = 0; b < m->nblocks; b++) {
		uint32_t first = l.out.n;

		l.region++;
		l.block = b;
		l.span = m->insns.v[m->blocks[b].first].span;
		store_bound(&l, &m->blocks[b]);
		for (uint32_t i = m->blocks[b].first; i < m->blocks[b].end; i++)
			legal_insn(&l, m->insns.v[i]);
		m->blocks[b].first = first;
		m->blocks[b].end = l.out.n;
	}
	m->insns.v = l.out.v;
	m->insns.n = l.out.n;
	m->insns.cap = l.out.cap;
}
