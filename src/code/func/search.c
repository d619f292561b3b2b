/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Search: comparing texts and finding things in them.
 *
 * strstr(), strcontains() and globmatch() look at every byte of the text once: a word has a bit for every
 * beginning of what is looked for, set as long as the text so far ends with it, and a table says for every
 * byte which of them it continues (the shift-and algorithm of Baeza-Yates and Gonnet, CACM 35(10), 1992).
 * So there is no loop within a loop, which the verifier would have to walk.
 */
#include <errno.h>

#include "code/func/func_priv.h"

#define MOST_WORDS 4 /* 64 bytes each of what is looked for */
#define GLOB_MOST 63

/* ---- texts ---- */

static bool is_char_array(const struct type *t)
{
	return t->kind == TY_ARRAY && t->elem->kind == TY_INT && t->elem->size == 1;
}

int text_arg_check(struct checker *c, const struct expr *call, uint32_t i)
{
	const struct type *t = call_arg(call, i)->type;

	if (is_char_array(t) || (t->kind == TY_POINTER && t->elem->kind == TY_INT && t->elem->size == 1))
		return 0;
	return check_arg_string(c, call, i);
}

uint32_t text_capacity(struct lower *l, const struct type *t)
{
	if (t->kind == TY_STRING)
		return t->size;
	return is_char_array(t) ? t->count : l->config->max_strlen;
}

int text_local(struct lower *l, struct expr *e, struct val *out)
{
	vreg from;
	int r;

	if (e->type->kind != TY_POINTER) {
		struct val v = { 0 };

		r = lower_expr(l, e, &v);
		if (!r)
			*out = val_local(l, &v);
		return r;
	}
	r = lower_scalar(l, e, &from);
	if (r)
		return r;
	*out = val_slot(l, type_string(l->arena, l->config->max_strlen), "text");
	lower_probe_read_str(l, out->reg, out->off, out->type->size, from, lower_space(l, e->type));
	return 0;
}

static vreg byte_at(struct lower *l, const struct val *text, vreg i)
{
	return ir_load(l->f, ir_bin(l->f, IR_ADD, text->reg, i), text->off, 1, false);
}

/* ---- loops over bytes ---- */

struct bytes_loop {
	vreg i;
	uint32_t head, end;
};

/* for (i = 0; i < n; i++) ...; building continues in the body, and byte_loop_end() goes round. */
static void bytes_loop_begin(struct lower *l, struct bytes_loop *loop, uint32_t n)
{
	uint32_t body = ir_block_new(l->f, "byte");

	loop->head = ir_block_new(l->f, "bytes");
	loop->end = ir_block_new(l->f, "end");
	loop->i = ir_vreg_new(l->f, "i");
	ir_mov_to(l->f, loop->i, ir_const(l->f, 0));
	ir_jmp(l->f, loop->head);
	ir_block_use(l->f, loop->head);
	ir_br_imm(l->f, CC_ULT, loop->i, n, body, loop->end);
	ir_block_use(l->f, body);
}

static void bytes_loop_end(struct lower *l, const struct bytes_loop *loop)
{
	ir_mov_to(l->f, loop->i, ir_bin_imm(l->f, IR_ADD, loop->i, 1));
	ir_jmp(l->f, loop->head);
	ir_block_use(l->f, loop->end);
}

/* The byte at i, when it is not the NUL. */
static vreg text_byte(struct lower *l, const struct bytes_loop *loop, const struct val *text)
{
	uint32_t go_on = ir_block_new(l->f, "go_on");
	vreg c = byte_at(l, text, loop->i);

	ir_br_imm(l->f, CC_NE, c, 0, go_on, loop->end);
	ir_block_use(l->f, go_on);
	return c;
}

/* ---- strncmp, memcmp ---- */

/* (size_t)8 is 8. */
static void cast_drop(struct expr **e)
{
	if ((*e)->kind == EX_CAST && (*e)->a->kind == EX_INT && type_is_int((*e)->type) && (*e)->type->size == 8)
		*e = (*e)->a;
}

static int count_check(struct checker *c, struct expr *call)
{
	const struct expr *arg;
	int64_t n = 0;
	int r;

	cast_drop(&call->args.v[2]);
	arg = call_arg(call, 2);
	/* The size of a variable is settled in the last pass. */
	if (arg->kind == EX_SIZEOF || (arg->kind == EX_CAST && arg->a->kind == EX_SIZEOF))
		return 0;
	r = call_arg_unknown(call, 2) ? 0 : check_arg_literal_int(c, call, 2, &n);

	if (!r && n < 0)
		r = check_error(c, call_arg(call, 2)->span, "%s() cannot compare %lld bytes", call->name, (long long)n);
	return r;
}

static int strncmp_check(struct checker *c, struct expr *call)
{
	int r = 0;

	for (uint32_t i = 0; i < 2; i++) {
		if (call_arg_unknown(call, i))
			return 0;
		r = r ? r : text_arg_check(c, call, i);
	}
	call->type = &type_int64;
	return r ? r : count_check(c, call);
}

static int strncmp_emit(struct lower *l, struct expr *call, struct val *out)
{
	uint64_t n = call_arg(call, 2)->num;
	uint32_t differ = ir_block_new(l->f, "differ"), same = ir_block_new(l->f, "same");
	struct bytes_loop loop;
	struct val a, b;
	vreg result = ir_vreg_new(l->f, "strncmp"), ca, cb;
	int r = text_local(l, call_arg(call, 0), &a);

	r = r ? r : text_local(l, call_arg(call, 1), &b);
	if (r)
		return r;
	n = MIN(n, text_capacity(l, call_arg(call, 0)->type));
	n = MIN(n, text_capacity(l, call_arg(call, 1)->type));
	ir_mov_to(l->f, result, ir_const(l->f, 0));
	bytes_loop_begin(l, &loop, (uint32_t)n);
	ca = byte_at(l, &a, loop.i);
	cb = byte_at(l, &b, loop.i);
	ir_br(l->f, CC_EQ, ca, cb, same, differ);
	ir_block_use(l->f, differ);
	ir_mov_to(l->f, result, ir_const(l->f, 1));
	ir_jmp(l->f, loop.end);
	ir_block_use(l->f, same);
	text_byte(l, &loop, &a);
	bytes_loop_end(l, &loop);
	*out = val_of_reg(call->type, result);
	return 0;
}

#define MEMCMP_MOST 4096

static int memcmp_check(struct checker *c, struct expr *call)
{
	int r = 0;

	for (uint32_t i = 0; i < 2; i++) {
		const struct type *t;

		if (call_arg_unknown(call, i))
			return 0;
		t = call_arg(call, i)->type;
		if (!type_is_scalar(t) && !t->size)
			r = check_error(c, call_arg(call, i)->span, "this has no bytes to compare");
		else if (type_is_scalar(t))
			r = r ? r : check_arg_address(c, call, i);
	}
	call->type = &type_int64;
	r = r ? r : count_check(c, call);
	if (!r && call_arg(call, 2)->kind == EX_INT && call_arg(call, 2)->num > MEMCMP_MOST)
		r = check_error(c, call_arg(call, 2)->span, "memcmp() compares at most %d bytes", MEMCMP_MOST);
	for (uint32_t i = 0; !r && i < 2; i++) {
		const struct expr *arg = call_arg(call, i);

		if (!type_is_scalar(arg->type) && call_arg(call, 2)->kind == EX_INT &&
		    call_arg(call, 2)->num > arg->type->size)
			r = check_error(c, arg->span, "this has %u bytes, and memcmp() is to compare %llu", arg->type->size,
					(unsigned long long)call_arg(call, 2)->num);
	}
	return r;
}

/* n bytes of a value, or of what a number or pointer points to. */
static int memory_local(struct lower *l, struct expr *e, uint32_t n, struct val *out)
{
	struct val v = { 0 };
	vreg from;
	int r;

	if (!type_is_scalar(e->type)) {
		r = lower_expr(l, e, &v);
		if (!r)
			*out = val_local(l, &v);
		return r;
	}
	r = lower_scalar(l, e, &from);
	if (r)
		return r;
	*out = val_slot(l, type_array(l->arena, &type_uint8, n), "memory");
	lower_probe_read(l, out->reg, out->off, n, from, lower_space(l, e->type));
	return 0;
}

static int memcmp_emit(struct lower *l, struct expr *call, struct val *out)
{
	uint32_t n = (uint32_t)call_arg(call, 2)->num, same = ir_block_new(l->f, "same");
	vreg result = ir_vreg_new(l->f, "memcmp");
	struct bytes_loop loop;
	struct val a, b;
	int r;

	ir_mov_to(l->f, result, ir_const(l->f, 0));
	*out = val_of_reg(call->type, result);
	if (!n)
		return 0;
	r = memory_local(l, call_arg(call, 0), n, &a);
	r = r ? r : memory_local(l, call_arg(call, 1), n, &b);
	if (r)
		return r;
	bytes_loop_begin(l, &loop, n);
	ir_mov_to(l->f, result, ir_bin(l->f, IR_SUB, byte_at(l, &a, loop.i), byte_at(l, &b, loop.i)));
	ir_br_imm(l->f, CC_EQ, result, 0, same, loop.end);
	ir_block_use(l->f, same);
	bytes_loop_end(l, &loop);
	return 0;
}

/* ---- strstr, strcontains ---- */

static int find_check(struct checker *c, struct expr *call)
{
	const struct expr *needle = call_arg(call, 1);
	int r = 0;

	for (uint32_t i = 0; i < 2; i++) {
		if (call_arg_unknown(call, i))
			return 0;
		r = r ? r : text_arg_check(c, call, i);
	}
	if (!r && needle->kind == EX_STR && strnlen(needle->str, needle->str_len) > 64 * MOST_WORDS)
		r = check_error(c, needle->span, "%s() looks for at most %d bytes, and this has %u", call->name,
				64 * MOST_WORDS, needle->str_len);
	return r;
}

static int strstr_check(struct checker *c, struct expr *call)
{
	int r = find_check(c, call);

	if (call_arg(call, 0)->type->kind != TY_NONE && call_arg(call, 1)->type->kind != TY_NONE)
		call->type = &type_int64;
	return r;
}

/* What is looked for: table[byte][word] of bits, its length, and the number of words. */
struct needle {
	vreg table, length;
	uint32_t words;
};

static void needle_literal(struct lower *l, const struct expr *e, struct needle *n)
{
	uint32_t len = (uint32_t)strnlen(e->str, e->str_len);
	uint64_t *table;

	n->words = MAX((len + 63) / 64, 1u);
	table = arena_array_of(l->arena, uint64_t, 256 * n->words);
	for (uint32_t i = 0; i < len; i++)
		table[(uint8_t)e->str[i] * n->words + i / 64] |= 1ULL << i % 64;
	n->table = lower_rodata(l, type_array(l->arena, &type_uint64, 256 * n->words), table, 2048 * n->words).reg;
	n->length = ir_const(l->f, len);
}

/* The same made at run time. What is beyond the most that is looked for is cut. */
static int needle_make(struct lower *l, struct expr *e, struct needle *n)
{
	uint32_t capacity = text_capacity(l, e->type);
	struct bytes_loop loop;
	struct val text, table;
	vreg bit, place;
	int r = text_local(l, e, &text);

	if (r)
		return r;
	n->words = MIN((capacity + 63) / 64, (uint32_t)MOST_WORDS);
	table = val_slot(l, type_array(l->arena, &type_uint64, 256 * n->words), "table");
	lower_zero(l, table.reg, table.off, table.type->size);
	n->table = val_address(l, &table);
	n->length = ir_vreg_new(l->f, "length");
	ir_mov_to(l->f, n->length, ir_const(l->f, 0));
	bytes_loop_begin(l, &loop, MIN(capacity, 64 * n->words));
	place = ir_bin_imm(l->f, IR_MUL, text_byte(l, &loop, &text), 8 * n->words);
	if (n->words > 1)
		place = ir_bin(l->f, IR_ADD, place,
			       ir_bin_imm(l->f, IR_SHL, ir_bin_imm(l->f, IR_SHR, loop.i, 6), 3));
	place = ir_bin(l->f, IR_ADD, n->table, place);
	bit = ir_bin(l->f, IR_SHL, ir_const(l->f, 1), ir_bin_imm(l->f, IR_AND, loop.i, 63));
	ir_store(l->f, place, 0, 8, ir_bin(l->f, IR_OR, ir_load(l->f, place, 0, 8, false), bit));
	ir_mov_to(l->f, n->length, ir_bin_imm(l->f, IR_ADD, loop.i, 1));
	bytes_loop_end(l, &loop);
	return 0;
}

/* One byte further: each word of states moves by one bit, the topmost into the next word. */
static void states_step(struct lower *l, const struct needle *n, vreg *states, vreg c)
{
	vreg row = ir_bin(l->f, IR_ADD, n->table, ir_bin_imm(l->f, IR_MUL, c, 8 * n->words));
	vreg carry = ir_const(l->f, 1);

	for (uint32_t w = 0; w < n->words; w++) {
		vreg top = ir_bin_imm(l->f, IR_SHR, states[w], 63);
		vreg moved = ir_bin(l->f, IR_OR, ir_bin_imm(l->f, IR_SHL, states[w], 1), carry);

		ir_mov_to(l->f, states[w], ir_bin(l->f, IR_AND, moved, ir_load(l->f, row, (int32_t)w * 8, 8, false)));
		carry = top;
	}
}

/* 1 when v is not 0, else 0. A comparison would be a branch, and at each branch within a loop the verifier
 * goes on with two states: with arithmetic it knows no more than that it is a number. */
static vreg is_nonzero(struct lower *l, vreg v)
{
	return ir_bin_imm(l->f, IR_SHR, ir_bin(l->f, IR_OR, v, ir_neg(l->f, v)), 63);
}

/* 1 when the last bit of what is looked for is set, else 0: every word but the one with that bit has a
 * mask of 0. */
static vreg states_hit(struct lower *l, const struct needle *n, const vreg *states, const vreg *masks)
{
	vreg any = ir_bin(l->f, IR_AND, states[0], masks[0]);

	for (uint32_t w = 1; w < n->words; w++)
		any = ir_bin(l->f, IR_OR, any, ir_bin(l->f, IR_AND, states[w], masks[w]));
	return is_nonzero(l, any);
}

static void masks_make(struct lower *l, const struct needle *n, vreg *masks)
{
	vreg last = ir_bin_imm(l->f, IR_SUB, n->length, 1);
	vreg bit = ir_bin(l->f, IR_SHL, ir_const(l->f, 1), ir_bin_imm(l->f, IR_AND, last, 63));
	vreg word = ir_bin_imm(l->f, IR_SHR, last, 6);

	for (uint32_t w = 0; w < n->words; w++) {
		vreg other = is_nonzero(l, ir_bin_imm(l->f, IR_XOR, word, w));

		masks[w] = ir_bin(l->f, IR_MUL, bit, ir_bin_imm(l->f, IR_XOR, other, 1));
	}
}

/* *at is the place behind the first occurrence, 0 when there is none. */
static void find_loop(struct lower *l, const struct val *hay, uint32_t capacity, const struct needle *n, vreg at)
{
	vreg states[MOST_WORDS] = {0}, masks[MOST_WORDS] = {0}, seen = ir_vreg_new(l->f, "seen"), c, hit, first;
	struct bytes_loop loop;

	masks_make(l, n, masks);
	for (uint32_t w = 0; w < n->words; w++) {
		states[w] = ir_vreg_new(l->f, "states");
		ir_mov_to(l->f, states[w], ir_const(l->f, 0));
	}
	ir_mov_to(l->f, seen, ir_const(l->f, 0));
	bytes_loop_begin(l, &loop, capacity);
	c = text_byte(l, &loop, hay);
	states_step(l, n, states, c);
	hit = states_hit(l, n, states, masks);
	first = ir_bin(l->f, IR_AND, hit, ir_bin_imm(l->f, IR_XOR, seen, 1));
	ir_mov_to(l->f, seen, ir_bin(l->f, IR_OR, seen, hit));
	ir_mov_to(l->f, at, ir_bin(l->f, IR_ADD, at,
				   ir_bin(l->f, IR_MUL, first, ir_bin_imm(l->f, IR_ADD, loop.i, 1))));
	bytes_loop_end(l, &loop);
}

/* The place of the first occurrence, or -1. */
static int find_emit(struct lower *l, struct expr *call, vreg *out)
{
	struct expr *hay = call_arg(call, 0), *needle = call_arg(call, 1);
	uint32_t some = ir_block_new(l->f, "some"), found = ir_block_new(l->f, "found");
	uint32_t done = ir_block_new(l->f, "searched");
	vreg at = ir_vreg_new(l->f, "at");
	struct needle n = { 0 };
	struct val text;
	int r = text_local(l, hay, &text);

	if (!r && needle->kind == EX_STR)
		needle_literal(l, needle, &n);
	else if (!r)
		r = needle_make(l, needle, &n);
	if (r)
		return r;
	*out = ir_vreg_new(l->f, "index");
	ir_mov_to(l->f, *out, ir_const(l->f, 0));
	ir_br_imm(l->f, CC_NE, n.length, 0, some, done);
	ir_block_use(l->f, some);
	ir_mov_to(l->f, at, ir_const(l->f, 0));
	find_loop(l, &text, text_capacity(l, hay->type), &n, at);
	ir_mov_to(l->f, *out, ir_const(l->f, -1));
	ir_br_imm(l->f, CC_NE, at, 0, found, done);
	ir_block_use(l->f, found);
	ir_mov_to(l->f, *out, ir_bin(l->f, IR_SUB, at, n.length));
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return 0;
}

static int strstr_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg index;
	int r = find_emit(l, call, &index);

	if (!r)
		*out = val_of_reg(call->type, index);
	return r;
}

static int strcontains_emit(struct lower *l, struct expr *call, struct val *out)
{
	vreg index;
	int r = find_emit(l, call, &index);

	if (!r)
		*out = val_of_reg(call->type, ir_setcc_imm(l->f, CC_SGE, index, 0));
	return r;
}

/* ---- globmatch ---- */

/* A pattern as bits: bit i of table[byte] says that part i takes the byte; bit i of stars, that part i is
 * a star. */
struct glob {
	uint64_t table[256], stars;
	uint32_t parts;
};

/* "[a-z]", "[!abc]" at p: its end, or NULL when there is no ']'. A class that is none is a '['. */
static const char *glob_class(const char *p, const char *end, bool set[256])
{
	bool negate = p + 1 < end && (p[1] == '!' || p[1] == '^');
	const char *at = p + 1 + negate, *first = at;

	for (; at < end && (*at != ']' || at == first); at++) {
		uint8_t from = (uint8_t)*at, to = from;

		if (at + 2 < end && at[1] == '-' && at[2] != ']') {
			to = (uint8_t)at[2];
			at += 2;
		}
		for (uint32_t b = from; b <= to; b++)
			set[b] = true;
	}
	if (at >= end)
		return NULL;
	for (uint32_t b = 1; b < 256 && negate; b++)
		set[b] = !set[b];
	return at;
}

static void glob_take(struct glob *g, const bool set[256])
{
	for (uint32_t b = 1; b < 256; b++)
		if (set[b])
			g->table[b] |= 1ULL << g->parts;
	g->parts++;
}

/* False when there are too many parts. Stars in a row are one. */
static bool glob_compile(struct glob *g, const char *p, const char *end)
{
	for (; p < end && *p; p++) {
		bool set[256] = { false };
		const char *close = NULL;

		if (*p == '*' && g->parts && g->stars >> (g->parts - 1))
			continue;
		if (g->parts == GLOB_MOST)
			return false;
		if (*p == '*') {
			g->stars |= 1ULL << g->parts++;
			continue;
		}
		if (*p == '[')
			close = glob_class(p, end, set);
		if (close) {
			p = close;
		} else {
			if (*p == '\\' && p + 1 < end)
				p++;
			memset(set, *p == '?', sizeof(set));
			set[(uint8_t)*p] = true;
		}
		glob_take(g, set);
	}
	return true;
}

static int globmatch_check(struct checker *c, struct expr *call)
{
	const struct expr *pattern = call_arg(call, 1);
	struct glob *g;
	const char *text;
	int r;

	if (call_arg_unknown(call, 0) || call_arg_unknown(call, 1))
		return 0;
	call->type = &type_bool;
	r = text_arg_check(c, call, 0);
	r = r ? r : check_arg_literal_string(c, call, 1, &text);
	if (r || call->data)
		return r;
	g = arena_new_of(c->arena, struct glob);
	if (!glob_compile(g, text, text + pattern->str_len))
		return check_error(c, pattern->span, "a pattern has at most %d characters and stars", GLOB_MOST);
	call->data = g;
	return 0;
}

/* Where a star may take nothing, the part behind it is reached too. */
static vreg stars_pass(struct lower *l, vreg states, vreg stars)
{
	return ir_bin(l->f, IR_OR, states, ir_bin_imm(l->f, IR_SHL, ir_bin(l->f, IR_AND, states, stars), 1));
}

static int globmatch_emit(struct lower *l, struct expr *call, struct val *out)
{
	const struct glob *g = call->data;
	vreg states = ir_vreg_new(l->f, "states"), table, stars, row, moved;
	struct bytes_loop loop;
	struct val text;
	int r = text_local(l, call_arg(call, 0), &text);

	if (r)
		return r;
	table = lower_rodata(l, type_array(l->arena, &type_uint64, 256), g->table, sizeof(g->table)).reg;
	stars = ir_const(l->f, (int64_t)g->stars);
	ir_mov_to(l->f, states, ir_const(l->f, (int64_t)(1 | (g->stars & 1) << 1)));
	bytes_loop_begin(l, &loop, text_capacity(l, call_arg(call, 0)->type));
	row = ir_bin(l->f, IR_ADD, table, ir_bin_imm(l->f, IR_SHL, text_byte(l, &loop, &text), 3));
	moved = ir_bin_imm(l->f, IR_SHL, ir_bin(l->f, IR_AND, states, ir_load(l->f, row, 0, 8, false)), 1);
	moved = ir_bin(l->f, IR_OR, moved, ir_bin(l->f, IR_AND, states, stars));
	ir_mov_to(l->f, states, stars_pass(l, moved, stars));
	bytes_loop_end(l, &loop);
	moved = ir_bin_imm(l->f, IR_AND, ir_bin_imm(l->f, IR_SHR, states, g->parts), 1);
	*out = val_of_reg(call->type, moved);
	return 0;
}

/* ---- strcap, str_concat, default_str_length ---- */

static int strcap_check(struct checker *c, struct expr *call)
{
	const struct type *t;
	int r;

	if (call_arg_unknown(call, 0))
		return 0;
	r = text_arg_check(c, call, 0);
	if (r < 0)
		return r;
	t = call_arg(call, 0)->type;
	expr_become_int(call, t->kind == TY_STRING ? t->size : t->kind == TY_ARRAY ? t->count :
			c->env->config.max_strlen, false);
	return 0;
}

static int default_str_length_check(struct checker *c, struct expr *call)
{
	expr_become_int(call, c->env->config.max_strlen, false);
	return 0;
}

static int str_concat_check(struct checker *c, struct expr *call)
{
	uint32_t bytes = 1;

	for (uint32_t i = 0; i < 2; i++) {
		const struct type *t;
		int r;

		if (call_arg_unknown(call, i))
			return 0;
		r = text_arg_check(c, call, i);
		if (r < 0)
			return r;
		t = call_arg(call, i)->type;
		bytes += t->kind == TY_STRING ? t->size - 1 : t->kind == TY_ARRAY ? t->count : c->env->config.max_strlen - 1;
	}
	call->type = type_string(c->arena, MIN(bytes, c->env->config.max_strlen));
	return 0;
}

/* The second text behind the first. There is room for both at their longest, so that the verifier can see
 * that they fit; the value is the beginning of that. */
static int str_concat_emit(struct lower *l, struct expr *call, struct val *out)
{
	uint32_t most_a = text_capacity(l, call_arg(call, 0)->type), most_b = text_capacity(l, call_arg(call, 1)->type);
	uint32_t fits = ir_block_new(l->f, "fits"), done = ir_block_new(l->f, "whole");
	struct val a, b;
	vreg args[3], got;
	int r = text_local(l, call_arg(call, 0), &a);

	r = r ? r : text_local(l, call_arg(call, 1), &b);
	if (r)
		return r;
	*out = val_slot(l, type_string(l->arena, most_a + most_b), "concat");
	lower_zero(l, out->reg, out->off, out->type->size);
	out->type = call->type;
	args[0] = val_address(l, out);
	args[1] = ir_const(l->f, most_a);
	args[2] = val_address(l, &a);
	got = ir_bin_imm(l->f, IR_SUB, ir_call(l->f, BPF_FUNC_probe_read_kernel_str, 3, args), 1);
	ir_br_imm(l->f, CC_ULT, got, most_a, fits, done);
	ir_block_use(l->f, fits);
	args[0] = ir_bin(l->f, IR_ADD, args[0], got);
	args[1] = ir_const(l->f, most_b);
	args[2] = val_address(l, &b);
	ir_call(l->f, BPF_FUNC_probe_read_kernel_str, 3, args);
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	if (call->type->size < most_a + most_b - 1)
		ir_store_imm(l->f, out->reg, out->off + (int32_t)call->type->size - 1, 1, 0);
	return 0;
}

func_family funcs_search = {
	{ "strncmp", .signature = "int64 strncmp(string a, string b, int n)",
	  .summary = "0 when the first n bytes of two texts are equal",
	  .min_args = 3, .max_args = 3, .check = strncmp_check, .emit = strncmp_emit },
	{ "memcmp", .aliases = (const char *const[]){ "__memcmp", NULL }, .signature = "int64 memcmp(any a, any b, int n)",
	  .summary = "0 when the first n bytes are equal, else the difference of the first that is not",
	  .min_args = 3, .max_args = 3, .check = memcmp_check, .emit = memcmp_emit },
	{ "strstr", .signature = "int64 strstr(string text, string part)",
	  .summary = "where the part (of at most 256 bytes) first occurs in the text, from 0; -1 when it does not",
	  .min_args = 2, .max_args = 2, .check = strstr_check, .emit = strstr_emit },
	{ "strcontains", .signature = "bool strcontains(string text, string part)",
	  .summary = "whether the part (of at most 256 bytes) occurs in the text",
	  .min_args = 2, .max_args = 2, .type = &type_bool, .check = find_check, .emit = strcontains_emit },
	{ "globmatch", .signature = "bool globmatch(string text, string pattern)",
	  .summary = "whether all of the text matches a pattern of *, ?, [abc], [a-z], [!abc] and other characters",
	  .min_args = 2, .max_args = 2, .check = globmatch_check, .emit = globmatch_emit },
	{ "strcap", .signature = "int64 strcap(string text)",
	  .summary = "how many bytes the text can have with its NUL; a constant",
	  .min_args = 1, .max_args = 1, .check = strcap_check },
	{ "str_concat", .signature = "string str_concat(string a, string b)",
	  .summary = "the two texts, one behind the other",
	  .min_args = 2, .max_args = 2, .check = str_concat_check, .emit = str_concat_emit },
	{ "default_str_length", .signature = "uint64 default_str_length",
	  .summary = "how many bytes a string has unless a length is given: max_strlen",
	  .flags = FUNC_BARE | FUNC_PURE, .type = &type_uint64, .check = default_str_length_check },
	{ 0 },
};
