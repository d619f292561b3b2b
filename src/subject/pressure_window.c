/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pressure_window: what each task has stalled within the last second, or another length of time. */
#include "base/util.h"
#include "subject/pressure.h"

/* Those who stand still are told 20 times a second, as long as there are any. */
#define ONGOING_HOLDS_NS (200 * MS)

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
	/* What went on is over, and among this. */
	t->ongoing_ns = 0;
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
	t->ongoing_told_ns = now;
	t->ongoing_seen = true;
}

uint64_t window_task_ns(const struct window *w, const struct window_task *t, uint64_t now)
{
	uint64_t slot = now / slot_ns(w), us = 0;

	if (now - t->ongoing_told_ns <= ONGOING_HOLDS_NS)
		us = t->ongoing_ns / 1000;
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
