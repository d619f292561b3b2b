/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pressure_stalls: from records to stalls, and the sliding window. */
#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "subject/pressure.h"

extern const char pressure_memory_bt[], pressure_function_bt[], pressure_reclaim_bt[], pressure_victim_bt[],
	pressure_cpu_bt[], pressure_io_bt[];

const char *const resource_names[] = { [RES_MEMORY] = "memory", [RES_CPU] = "cpu", [RES_IO] = "io" };

/* In a record, what is no stall of a resource. */
enum { KIND_OOM_KILL = 9 };

/* ---- records ---- */

static uint64_t part_u64(const struct sonde_record *rec, size_t part)
{
	int64_t v = 0;

	sonde_record_part_int(rec, part, &v);
	return (uint64_t)v;
}

static void copy_comm(char *out, const char *comm)
{
	snprintf(out, COMM_BYTES, "%s", comm ? comm : "");
}

static int on_stall(const struct stall_source *to, const struct sonde_record *rec)
{
	uint64_t kind = part_u64(rec, 0);
	struct stall s = {
		.resource = (enum resource)kind, .pid = (pid_t)part_u64(rec, 1), .tid = (pid_t)part_u64(rec, 2),
		.cgroup = part_u64(rec, 4), .ns = part_u64(rec, 5), .count = part_u64(rec, 6),
		.longest_ns = part_u64(rec, 7), .by = (pid_t)part_u64(rec, 8),
	};

	if (kind == KIND_OOM_KILL) {
		if (to->oom_kill)
			to->oom_kill(to->ctx, s.pid);
		return 0;
	}
	if (kind >= RES_COUNT)
		return 0;
	copy_comm(s.comm, sonde_record_part(rec, 3));
	copy_comm(s.by_comm, sonde_record_part(rec, 9));
	to->stall(to->ctx, &s);
	return 0;
}

static uint64_t key_u64(const struct sonde_record *rec, size_t row, size_t part)
{
	int64_t v = 0;

	sonde_record_key_part_int(rec, row, part, &v);
	return (uint64_t)v;
}

/* Rows of @since: those who stand still at this moment. */
static void on_ongoing(const struct stall_source *to, const struct sonde_record *rec)
{
	uint64_t now = now_ns();

	for (size_t row = 0; row < sonde_record_number(rec); row++) {
		struct stall s = {
			.resource = RES_MEMORY, .pid = (pid_t)key_u64(rec, row, 0), .tid = (pid_t)key_u64(rec, row, 1),
			.cgroup = key_u64(rec, row, 3), .count = 1,
		};
		int64_t since;

		if (!sonde_record_value_int(rec, row, &since) || (uint64_t)since > now)
			continue;
		s.ns = s.longest_ns = now - (uint64_t)since;
		copy_comm(s.comm, sonde_record_key_part(rec, row, 2));
		to->ongoing(to->ctx, &s);
	}
	to->ongoing(to->ctx, NULL);
}

static void on_issued(const struct stall_source *to, const struct sonde_record *rec)
{
	for (size_t row = 0; row < sonde_record_number(rec); row++) {
		int64_t bytes;

		if (sonde_record_value_int(rec, row, &bytes))
			to->issued(to->ctx, (pid_t)key_u64(rec, row, 0), sonde_record_key_part(rec, row, 1), (uint64_t)bytes);
	}
}

static int on_record(void *ctx, const struct sonde_record *rec)
{
	const struct stall_source *to = ctx;

	if (sonde_record_kind(rec) == SONDE_VALUE)
		return on_stall(to, rec);
	if (sonde_record_kind(rec) != SONDE_MAP)
		return 0;
	if (to->ongoing && str_eq(sonde_record_map(rec), "@since"))
		on_ongoing(to, rec);
	if (to->issued && str_eq(sonde_record_map(rec), "@issued"))
		on_issued(to, rec);
	return 0;
}

/* 0; 1: asked, but not whom the kernel kills; or a negative errno. */
static int memory_ask(struct subject_run *r, const struct question *q, const char *way)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, unused = STRBUF_INIT;
	struct question part = *q;
	size_t len;
	int err;

	strbuf_addstr(&text, pressure_memory_bt);
	strbuf_addstr(&text, way);
	len = text.len;
	strbuf_addstr(&text, pressure_victim_bt);
	if (text.failed)
		return subject_fail(r, -ENOMEM, NULL, "out of memory");
	part.source = text.s;
	part.why = &unused;
	if (!ask(r, &part, NULL))
		return 0;
	text.s[len] = 0;
	part.why = q->why;
	err = ask(r, &part, NULL);
	return err ? err : 1;
}

static struct question question_of(enum resource resource, const struct stall_source *source)
{
	union {
		const struct stall_source *in;
		void *out;
	} ctx = { .in = source };

	return (struct question){ .name = resource_names[resource], .record = on_record, .ctx = ctx.out };
}

int reclaim_ask(struct subject_run *r, const struct stall_source *source, struct strbuf *why)
{
	struct question q = question_of(RES_MEMORY, source);

	q.why = why;
	return memory_ask(r, &q, pressure_reclaim_bt);
}

int stalls_ask(struct subject_run *r, enum resource resource, const struct stall_source *source, struct strbuf *why)
{
	struct question q = question_of(resource, source);
	_cleanup_strbuf_ struct strbuf unused = STRBUF_INIT;

	if (resource == RES_MEMORY) {
		int err;

		q.why = &unused;
		err = memory_ask(r, &q, pressure_function_bt);
		err = err < 0 ? reclaim_ask(r, source, why) : err;
		return MIN(err, 0);
	}
	q.why = why;
	q.source = resource == RES_CPU ? pressure_cpu_bt : pressure_io_bt;
	return ask(r, &q, NULL);
}

/* ---- the sliding window ---- */

static uint64_t slot_ns(const struct window *w)
{
	return w->window_ns / WINDOW_SLOTS;
}

/* Forget the slots that have passed since. */
static void task_advance(struct window_task *t, uint64_t slot)
{
	if (slot - t->slot_number >= WINDOW_SLOTS) {
		memset(t->slot_us, 0, sizeof(t->slot_us));
	} else {
		for (uint64_t s = t->slot_number + 1; s <= slot; s++)
			t->slot_us[s % WINDOW_SLOTS] = 0;
	}
	t->slot_number = slot;
}

/* The task's place: a new one, or that of the one that has been quiet longest. */
static struct window_task *task_get(struct window *w, const struct stall *s, uint64_t slot)
{
	struct window_task *oldest = &w->task[0];

	for (size_t i = 0; i < w->ntasks; i++) {
		struct window_task *t = &w->task[i];

		if (t->last.tid == s->tid && t->last.pid == s->pid && t->last.resource == s->resource)
			return t;
		if (t->slot_number < oldest->slot_number)
			oldest = t;
	}
	if (w->ntasks < WINDOW_TASKS)
		oldest = &w->task[w->ntasks++];
	*oldest = (struct window_task){ .slot_number = slot };
	return oldest;
}

void window_add(struct window *w, const struct stall *s, uint64_t now)
{
	uint64_t slot = now / slot_ns(w);
	struct window_task *t = task_get(w, s, slot);
	uint64_t left = s->ns / 1000;

	task_advance(t, slot);
	t->last = *s;
	/* What was added up, or took long, lies in the slots before, too; no slot holds more than its own length. */
	for (uint64_t i = 0; i < WINDOW_SLOTS && left; i++) {
		uint32_t *at = &t->slot_us[(slot - i) % WINDOW_SLOTS];
		uint64_t room = slot_ns(w) / 1000 - MIN((uint64_t)*at, slot_ns(w) / 1000);

		*at += (uint32_t)MIN(left, room);
		left -= MIN(left, room);
	}
}

static void ongoing_sweep(struct window *w)
{
	for (size_t i = 0; i < w->ntasks; i++) {
		if (!w->task[i].ongoing_seen)
			w->task[i].ongoing_ns = 0;
		w->task[i].ongoing_seen = false;
	}
}

void window_ongoing(struct window *w, const struct stall *s, uint64_t now)
{
	struct window_task *t;

	if (!s) {
		ongoing_sweep(w);
		return;
	}
	t = task_get(w, s, now / slot_ns(w));
	task_advance(t, now / slot_ns(w));
	t->last = *s;
	t->ongoing_ns = s->ns;
	t->ongoing_seen = true;
}

uint64_t window_task_ns(const struct window *w, const struct window_task *t, uint64_t now)
{
	uint64_t slot = now / slot_ns(w), us = t->ongoing_ns / 1000;

	for (uint64_t i = 0; i < WINDOW_SLOTS; i++) {
		uint64_t s = slot - i;

		if (s <= t->slot_number && t->slot_number - s < WINDOW_SLOTS)
			us += t->slot_us[s % WINDOW_SLOTS];
	}
	return MIN(us * 1000, w->window_ns);
}

const struct window_task *window_worst(const struct window *w, uint64_t now,
				       bool (*take)(void *ctx, const struct window_task *t), void *ctx, uint64_t *ns)
{
	const struct window_task *worst = NULL;

	*ns = 0;
	for (size_t i = 0; i < w->ntasks; i++) {
		uint64_t its = window_task_ns(w, &w->task[i], now);

		if (its <= *ns || (take && !take(ctx, &w->task[i])))
			continue;
		worst = &w->task[i];
		*ns = its;
	}
	return worst;
}
