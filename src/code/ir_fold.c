/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folding: constants and what follows from them, immediates into instructions, extensions that change
 * nothing left out, 32-bit operations where they save an extension. Rounds are made until nothing
 * changes; each sees every instruction after those it gets its operands from.
 */
#include "code/ir_fold.h"

#define ROUNDS_MOST 8
/* How far back a variable is checked for not having been assigned since. */
#define INTACT_MOST 24

/* ---- helpers ---- */

struct ir_insn *fold_def(const struct fold *s, vreg v)
{
	return s->defs[v].insn;
}

bool fold_const(const struct fold *s, vreg v, int64_t *imm)
{
	const struct ir_insn *def = fold_def(s, v);

	if (!def || def->op != IR_CONST || def->relo)
		return false;
	*imm = def->imm;
	return true;
}

bool fold_intact(const struct fold *s, const struct def_at *def, vreg v)
{
	const struct ir_block *b = s->f->blocks.v[s->block];

	if (!v || s->f->vregs.v[v].ndefs == 1)
		return true;
	if (def->block != s->block || def->index > s->index || s->index - def->index > INTACT_MOST)
		return false;
	for (uint32_t i = def->index; i < s->index; i++)
		if (b->insns.v[i].d == v)
			return false;
	return true;
}

struct ir_insn *fold_def_op(const struct fold *s, vreg v, enum ir_op op)
{
	struct ir_insn *def = fold_def(s, v);

	if (!def || def->op != op || def->relo)
		return NULL;
	return fold_intact(s, &s->defs[v], def->a) && fold_intact(s, &s->defs[v], def->b) ? def : NULL;
}

void fold_use(struct fold *s, vreg *place, vreg v)
{
	if (*place == v)
		return;
	if (*place)
		s->nuses[*place]--;
	if (v)
		s->nuses[v]++;
	*place = v;
	s->changed = true;
}

static void count_uses(struct fold *s, struct ir_insn *i, uint32_t by)
{
	vreg *uses[USES_MOST];

	for (uint32_t k = insn_uses(i, uses); k; k--)
		s->nuses[*uses[k - 1]] += by;
}

void fold_become(struct fold *s, struct ir_insn *i, struct ir_insn what)
{
	count_uses(s, &what, 1);
	count_uses(s, i, (uint32_t)-1);
	what.d = i->d;
	what.span = i->span;
	*i = what;
	s->changed = true;
}

void fold_become_const(struct fold *s, struct ir_insn *i, int64_t imm)
{
	fold_become(s, i, (struct ir_insn){ .op = IR_CONST, .imm = imm });
}

void fold_become_mov(struct fold *s, struct ir_insn *i, vreg a)
{
	fold_become(s, i, (struct ir_insn){ .op = IR_MOV, .a = a });
}

/* ---- other instructions ---- */

/* Sources of moves, when both sides have one value for good. */
static void fold_copies(struct fold *s, struct ir_insn *i)
{
	vreg *uses[USES_MOST];

	for (uint32_t k = insn_uses(i, uses); k; k--) {
		const struct ir_insn *def = fold_def(s, *uses[k - 1]);

		if (def && def->op == IR_MOV && !def->w32 && s->f->vregs.v[def->a].ndefs == 1)
			fold_use(s, uses[k - 1], def->a);
	}
}

static void fold_mov(struct fold *s, struct ir_insn *i)
{
	int64_t imm;

	if (fold_const(s, i->a, &imm))
		fold_become_const(s, i, imm);
}

static void fold_unary(struct fold *s, struct ir_insn *i)
{
	int64_t imm;

	if (!fold_const(s, i->a, &imm))
		return;
	if (i->op == IR_NEG)
		fold_become_const(s, i, i->w32 ? (int64_t)(uint32_t)-imm : (int64_t)-(uint64_t)imm);
	else
		fold_become_const(s, i, (int64_t)(__builtin_bswap64((uint64_t)imm) >> (64 - 8 * i->size)));
}

/* A store needs no more of its value than it stores. */
static void fold_store(struct fold *s, struct ir_insn *i)
{
	const struct ir_insn *def;
	int64_t imm;

	if (i->use_imm)
		return;
	while (true) {
		uint64_t mask = mask_of(i->size);

		def = fold_def_op(s, i->b, IR_EXT);
		if (!def || def->size < i->size)
			def = fold_def_op(s, i->b, IR_AND);
		if (!def || (def->op == IR_AND && (!def->use_imm || (~(uint64_t)def->imm & mask) ||
						   (def->w32 && i->size > 4))))
			break;
		fold_use(s, &i->b, def->a);
	}
	if (fold_const(s, i->b, &imm) && (i->size < 8 || fits_s32(imm))) {
		fold_use(s, &i->b, 0);
		i->use_imm = true;
		i->imm = i->size < 8 ? (int64_t)eval_ext((uint64_t)imm, i->size, true) : imm;
	}
}

static void fold_ret(struct fold *s, struct ir_insn *i)
{
	int64_t imm;

	if (!i->a || !fold_const(s, i->a, &imm))
		return;
	fold_use(s, &i->a, 0);
	i->use_imm = true;
	i->imm = imm;
}

static void fold_insn(struct fold *s, struct ir_insn *i)
{
	if (i->relo)
		return;
	fold_copies(s, i);
	switch (i->op) {
	case IR_MOV:
		fold_mov(s, i);
		break;
	case IR_NEG: case IR_BSWAP:
		fold_unary(s, i);
		break;
	case IR_EXT:
		fold_ext(s, i);
		break;
	case IR_SETCC: case IR_BR:
		fold_compare(s, i);
		break;
	case IR_STORE:
		fold_store(s, i);
		break;
	case IR_RET:
		fold_ret(s, i);
		break;
	default:
		if (op_is_binary(i->op))
			ir_fold_binary(s, i);
	}
}

/* ---- rounds ---- */

/* A load that extends the sign is a load and an extension: so that the extension can go. */
static void split_loads(struct ir_func *f, struct ir_block *b)
{
	struct ir_block out = {0};
	bool any = false;

	vec_each(i, &b->insns)
		any |= i->op == IR_LOAD && i->sx;
	if (!any)
		return;
	vec_each(i, &b->insns) {
		struct ir_insn ext = { .op = IR_EXT, .d = i->d, .size = i->size, .sx = true, .span = i->span };

		if (i->op == IR_LOAD && i->sx) {
			ext.a = i->d = ir_vreg_new(f, NULL);
			i->sx = false;
			vec_push(f->arena, &out.insns, *i);
			vec_push(f->arena, &out.insns, ext);
		} else {
			vec_push(f->arena, &out.insns, *i);
		}
	}
	b->insns.v = out.insns.v;
	b->insns.n = out.insns.n;
	b->insns.cap = out.insns.cap;
}

static void find_defs(struct fold *s)
{
	struct ir_func *f = s->f;

	s->defs = arena_array_of(f->arena, struct def_at, f->vregs.n);
	s->nuses = arena_array_of(f->arena, uint32_t, f->vregs.n);
	for (uint32_t n = 0; n < s->cfg.nrpo; n++) {
		struct ir_block *b = f->blocks.v[s->cfg.rpo[n]];

		for (uint32_t i = 0; i < b->insns.n; i++) {
			struct ir_insn *insn = &b->insns.v[i];

			count_uses(s, insn, 1);
			if (insn->d && f->vregs.v[insn->d].ndefs == 1)
				s->defs[insn->d] = (struct def_at){ insn, s->cfg.rpo[n], i };
		}
	}
}

static bool fold_round(struct ir_func *f)
{
	struct fold s = { .f = f };

	cfg_build(f, &s.cfg);
	ir_count_defs(f, &s.cfg);
	find_defs(&s);
	s.ranges = ranges_find(f, &s.cfg);
	for (uint32_t n = 0; n < s.cfg.nrpo; n++) {
		struct ir_block *b = f->blocks.v[s.cfg.rpo[n]];

		s.block = s.cfg.rpo[n];
		for (s.index = 0; s.index < b->insns.n; s.index++)
			fold_insn(&s, &b->insns.v[s.index]);
	}
	return s.changed;
}

void ir_fold(struct ir_func *f)
{
	for (uint32_t n = 0; n < f->blocks.n; n++)
		split_loads(f, f->blocks.v[n]);
	for (uint32_t round = 0; round < ROUNDS_MOST && fold_round(f); round++)
		;
}
