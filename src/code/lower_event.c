/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lower, events: from arguments to a record in the ring buffer.
 *
 * A small payload is written where it will stay: reserve, fill, submit. A large one, which is one with
 * strings of max_strlen, is put together in scratch space and as much of it as is used is copied to the
 * ring: reserving 1 KiB for ten characters would fill the ring with nothing.
 */
#include <errno.h>
#include <linux/bpf.h>

#include "base/util.h"
#include "code/lower_priv.h"

/* Header and payload up to this size are written in place. */
#define MOST_RESERVED_BYTES 512
/* The reader is woken by events that find the ring between a quarter full and this much more. */
#define WAKE_WINDOW_BYTES 16384

#define HEADER_BYTES ((int32_t)sizeof(struct event_header))

uint32_t lower_events_map(struct lower *l)
{
	struct object_map map = {
		.name = MODULE_MAP_EVENTS,
		.type = BPF_MAP_TYPE_RINGBUF,
		.max_entries = l->priv->ring_bytes,
	};

	if (l->priv->events_map < 0) {
		l->priv->events_map = (int32_t)l->object->maps.n;
		l->module->uses_ring = true;
		vec_push(l->arena, &l->object->maps, map);
	}
	return (uint32_t)l->priv->events_map;
}

/*
 * Flags for an event: no wake-up, for the reader comes by itself every few milliseconds; unless the ring
 * has just become a quarter full, then BPF_RB_FORCE_WAKEUP, which is one more than BPF_RB_NO_WAKEUP. Only
 * then: waking it for every event beyond the quarter would cost more than the events.
 */
static vreg wake_flags(struct lower *l)
{
	vreg args[] = { ir_map(l->f, lower_events_map(l)), ir_const(l->f, BPF_RB_AVAIL_DATA) };
	vreg avail = ir_call(l->f, BPF_FUNC_ringbuf_query, 2, args);
	vreg over = ir_bin_imm(l->f, IR_SUB, avail, l->priv->ring_bytes / 4);

	return ir_bin_imm(l->f, IR_ADD, ir_setcc_imm(l->f, CC_ULT, over, WAKE_WINDOW_BYTES), BPF_RB_NO_WAKEUP);
}

/* What the arguments are: expressions, values made from them beforehand, or both at different places. */
struct payload {
	const struct type *type; /* NULL: none */
	struct expr *const *args;
	const struct val *vals;  /* NULL: not made yet */
	uint32_t n;
};

static int payload_item(struct lower *l, const struct payload *p, uint32_t i, vreg addr, int32_t off, vreg *len)
{
	const struct type *t = p->type->fields[i].type;

	*len = 0;
	if (!p->vals)
		return lower_into(l, p->args[i], t, addr, off, true, len);
	return val_to_memory(l, &p->vals[i], t, addr, off);
}

/* Header and arguments at addr. *tail is the length of the last argument when that is a string whose
 * length has become known, else 0. */
static int payload_write(struct lower *l, const struct site *s, const struct payload *p, vreg addr, vreg *tail)
{
	uint32_t bytes = p->type ? p->type->size : 0, n = p->type ? p->n : 0;
	int err = 0;

	*tail = 0;
	for (uint32_t i = 0; !err && i < n; i++)
		err = payload_item(l, p, i, addr, HEADER_BYTES + (int32_t)p->type->fields[i].offset, tail);
	ir_store_imm(l->f, addr, (int32_t)offsetof(struct event_header, site), 4, s->id);
	ir_store_imm(l->f, addr, (int32_t)offsetof(struct event_header, len), 4, bytes);
	return err;
}

static int event_reserved(struct lower *l, const struct site *s, const struct payload *p)
{
	uint32_t have = ir_block_new(l->f, "reserved"), full = ir_block_new(l->f, "full");
	uint32_t done = ir_block_new(l->f, "sent"), bytes = (uint32_t)HEADER_BYTES + (p->type ? p->type->size : 0);
	vreg map = ir_map(l->f, lower_events_map(l)), rec, tail;
	vreg reserve[] = { map, ir_const(l->f, bytes), ir_const(l->f, 0) };
	int err;

	rec = ir_call(l->f, BPF_FUNC_ringbuf_reserve, 3, reserve);
	ir_br_imm(l->f, CC_NE, rec, 0, have, full);
	ir_block_use(l->f, full);
	lower_count(l, COUNTER_LOST);
	ir_jmp(l->f, done);
	ir_block_use(l->f, have);
	err = payload_write(l, s, p, rec, &tail);
	if (!err) {
		vreg submit[] = { rec, wake_flags(l) };

		ir_call(l->f, BPF_FUNC_ringbuf_submit, 2, submit);
	}
	ir_jmp(l->f, done);
	ir_block_use(l->f, done);
	return err;
}

static int event_output(struct lower *l, const struct site *s, const struct payload *p)
{
	const struct type *t = p->type;
	uint32_t slot = ir_slot_new(l->f, align_up((uint32_t)HEADER_BYTES + t->size, 8), 8, "event");
	vreg addr = ir_slot_addr(l->f, slot), tail, bytes, sent;
	int err = payload_write(l, s, p, addr, &tail);

	if (err)
		return err;
	if (tail) {
		uint32_t before = t->fields[p->n - 1].offset;

		ir_store(l->f, addr, (int32_t)offsetof(struct event_header, len), 4,
			 ir_bin_imm(l->f, IR_ADD, tail, before));
		bytes = ir_bin_imm(l->f, IR_ADD, tail, HEADER_BYTES + (int64_t)before);
	} else {
		bytes = ir_const(l->f, HEADER_BYTES + (int64_t)t->size);
	}
	vreg args[] = { ir_map(l->f, lower_events_map(l)), addr, bytes, wake_flags(l) };

	sent = ir_call(l->f, BPF_FUNC_ringbuf_output, 4, args);
	lower_count_failure(l, sent, COUNTER_LOST);
	return 0;
}

void lower_event_output(struct lower *l, const struct site *s, vreg addr, vreg bytes)
{
	vreg len = ir_bin_imm(l->f, IR_ADD, bytes, HEADER_BYTES);
	vreg args[] = { ir_map(l->f, lower_events_map(l)), addr, len, 0 };

	ir_store_imm(l->f, addr, (int32_t)offsetof(struct event_header, site), 4, s->id);
	ir_store(l->f, addr, (int32_t)offsetof(struct event_header, len), 4, bytes);
	args[3] = wake_flags(l);
	lower_count_failure(l, ir_call(l->f, BPF_FUNC_ringbuf_output, 4, args), COUNTER_LOST);
}

static int event_send(struct lower *l, const struct site *s, const struct payload *p)
{
	uint32_t bytes = (uint32_t)HEADER_BYTES + (p->type ? p->type->size : 0);

	if (bytes > l->priv->ring_bytes / 4)
		return diag_error(l->diags, s->span, "the arguments take %u bytes, too much for one event", bytes);
	return bytes <= MOST_RESERVED_BYTES ? event_reserved(l, s, p) : event_output(l, s, p);
}

/* ---- when arguments must be made first ---- */

static void effect_visit(struct expr *e, void *ctx)
{
	bool *found = ctx;

	if (e->kind == EX_INCDEC || e->kind == EX_BLOCK || e->kind == EX_IF)
		*found = true;
	if (e->kind == EX_CALL &&
	    (!e->func || e->sub || e->c_func || e->func->flags & (FUNC_ASYNC | FUNC_VOID | FUNC_UNSAFE | FUNC_MAP_ARG)))
		*found = true;
}

/*
 * Do these arguments change something, or may they leave the block? Then they are made before room is
 * reserved: a full ring must not change what a program does, and what is reserved must be submitted.
 */
static bool has_effect(struct expr *const *args, uint32_t n)
{
	bool found = false;

	for (uint32_t i = 0; i < n; i++)
		expr_visit(args[i], effect_visit, &found);
	return found;
}

static const struct type *payload_type(struct lower *l, struct expr *const *args, const struct val *vals, uint32_t n)
{
	const struct type **types = arena_array_of(l->arena, const struct type *, n);

	for (uint32_t i = 0; i < n; i++)
		types[i] = vals ? vals[i].type : type_kept(l->arena, lower_read_type(args[i]->type));
	return n ? type_tuple(l->arena, types, NULL, n) : NULL;
}

int lower_event_vals(struct lower *l, struct site *s, const struct val *vals, uint32_t n)
{
	struct payload p = { .vals = vals, .n = n };

	p.type = s->payload = payload_type(l, NULL, vals, n);
	return event_send(l, s, &p);
}

int lower_event(struct lower *l, struct site *s, struct expr *const *args, uint32_t nargs)
{
	struct payload p = { .args = args, .n = nargs };
	struct val *vals;

	if (has_effect(args, nargs)) {
		vals = arena_array_of(l->arena, struct val, nargs);
		for (uint32_t i = 0; i < nargs; i++) {
			struct val v = { 0 };
			int err = lower_expr(l, args[i], &v);

			if (err)
				return err;
			if (v.kind == VAL_NONE)
				return diag_error(l->diags, args[i]->span, "this has no value");
			vals[i] = val_local(l, &v);
		}
		return lower_event_vals(l, s, vals, nargs);
	}
	p.type = s->payload = payload_type(l, args, NULL, nargs);
	return event_send(l, s, &p);
}
