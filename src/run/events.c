/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events: from the ring buffer to the function of the language that knows what each one means. */
#include <errno.h>
#include <sched.h>

#include "base/util.h"
#include "run/internal.h"

/* How long the end waits for programs that have reserved room in the ring and not submitted it yet. */
#define LAST_WORDS_NS (100 * 1000 * 1000ULL)

int record_emit(struct session *s, const struct record *rec)
{
	struct record stamped = *rec;
	int r;

	s->nerrors += rec->kind == REC_MESSAGE && rec->sev == SEV_ERROR;
	if (s->result || !s->opt.record)
		return s->result;
	if (!stamped.time_ns)
		stamped.time_ns = s->now_ns;
	r = s->opt.record(s->opt.record_ctx, &stamped);
	if (r)
		s->result = r;
	return r;
}

static int act_record(void *ctx, const struct record *rec)
{
	return record_emit(ctx, rec);
}

/* It has been reported, and the session goes on; but in the end it has not answered all that was asked. */
static int act_map_done(struct session *s, int err)
{
	if (err < 0 && !s->failure)
		s->failure = err;
	return err;
}

static int act_map_print(void *ctx, const struct map *map, int64_t top, int64_t div)
{
	return act_map_done(ctx, map_print(ctx, map, top, div, false));
}

static int act_map_print_key(void *ctx, const struct map *map, const uint8_t *key)
{
	return act_map_done(ctx, map_print_key(ctx, map, key));
}

static int act_map_clear(void *ctx, const struct map *map)
{
	return act_map_done(ctx, map_clear(ctx, map));
}

static int act_map_delete(void *ctx, const struct map *map)
{
	return map_clear(ctx, map);
}

static int act_map_zero(void *ctx, const struct map *map)
{
	return act_map_done(ctx, map_zero(ctx, map));
}

static int act_format(void *ctx, const struct format *f, const struct type *args, const uint8_t *data,
		      struct strbuf *out)
{
	const struct session *s = ctx;
	int err = s->opt.format ? s->opt.format(s->opt.record_ctx, f, args, data, out) : -ENOSYS;

	if (!err && out->failed)
		err = -ENOMEM;
	return err ? report_error(s->report, err, NULL, "cannot put a text together: %s", strerror(-err)) : 0;
}

static void act_stop(void *ctx, int status)
{
	struct session *s = ctx;

	s->exit_asked |= !s->stop;
	/* An end program may still say how the session ends, when no other program has. */
	if (s->finished && !s->exit_called)
		s->status = status;
	s->exit_called = true;
	session_end(s, status);
}

static bool act_wants_command(void *ctx)
{
	struct session *s = ctx;

	s->ncommands_left += s->interrupted;
	return !s->interrupted;
}

static void act_unwatch(void *ctx, uint64_t address)
{
	probes_unwatch(ctx, address);
}

static uint64_t act_start_ns(void *ctx)
{
	const struct session *s = ctx;

	return s->control ? s->control->start_ns : 0;
}

void act_init(struct session *s)
{
	s->act = (struct act){
		.ctx = s,
		.report = s->report,
		.record = act_record,
		.map_print = act_map_print,
		.map_print_key = act_map_print_key,
		.map_clear = act_map_clear,
		.map_delete = act_map_delete,
		.map_zero = act_map_zero,
		.format = act_format,
		.stop = act_stop,
		.wants_command = act_wants_command,
		.unwatch = act_unwatch,
		.start_ns = act_start_ns,
	};
}

/* A program sends no more of its last string than is used; functions may read all of its type. */
static const uint8_t *payload_fill(struct session *s, const uint8_t *payload, uint32_t len, uint32_t want)
{
	if (s->bounce_bytes < want) {
		uint8_t *p = realloc(s->bounce, want);

		if (!p)
			return NULL;
		s->bounce = p;
		s->bounce_bytes = want;
	}
	memcpy(s->bounce, payload, len);
	memset(s->bounce + len, 0, want - len);
	return s->bounce;
}

/*
 * What happens to maps and what went wrong must not wait behind what is only shown, says the reference, and tells
 * by which way an event came. Here they come in the order in which they were sent.
 */
static void event_tell(const struct session *s, const struct site *site)
{
	const char *name = site->func->name, *way = "NORMAL";

	if (site->map && !str_eq(name, "print"))
		way = "URGENT";
	if (site->func->flags & FUNC_FAULT) {
		way = "URGENT";
		name = "runtime_error";
	}
	if (!site->map && str_eq(name, "print"))
		name = "print_non_map";
	report_debug(s->report, "[%s] Event print async action %s", way, name);
}

static int event_handle(void *ctx, const void *data, uint32_t len)
{
	struct session *s = ctx;
	const struct event_header *h = data;
	const uint8_t *payload = (const uint8_t *)data + sizeof(*h);
	const struct site *site;
	uint32_t want, have;

	if (len < sizeof(*h) || h->site >= s->module->sites.n || h->len > len - sizeof(*h)) {
		s->corrupt++;
		return 0;
	}
	site = &s->module->sites.v[h->site];
	if (!site->func || !site->func->act) {
		s->corrupt++;
		return 0;
	}
	have = h->len;
	want = site->payload ? site->payload->size : 0;
	if (have < want) {
		payload = payload_fill(s, payload, have, want);
		if (!payload) {
			s->corrupt++;
			return 0;
		}
		have = want;
	}
	if (s->tells_events)
		event_tell(s, site);
	/* A function's failure has been reported; the session goes on unless its receiver ended it. */
	site->func->act(&s->act, site, payload, have);
	return s->result;
}

int64_t events_drain(struct session *s)
{
	if (!s->ring.consumer || s->result)
		return s->result;
	s->now_ns = clock_ns();
	return ring_consume(&s->ring, event_handle, s);
}

void events_drain_all(struct session *s)
{
	uint64_t until = clock_ns() + LAST_WORDS_NS;

	events_release(s);
	while (s->ring.consumer && !s->result) {
		events_drain(s);
		if (!ring_pending_bytes(&s->ring) || clock_ns() > until)
			break;
		sched_yield();
	}
}

/* Held events: the length as a u64, then the event, filled up to a multiple of 8. */
static int event_hold(void *ctx, const void *data, uint32_t len)
{
	struct session *s = ctx;
	uint64_t head = len;

	strbuf_add(&s->held, &head, sizeof(head));
	strbuf_add(&s->held, data, len);
	strbuf_fill(&s->held, 0, -len & 7);
	return s->held.failed ? -ENOMEM : 0;
}

int events_hold(struct session *s)
{
	int64_t n;

	if (!s->ring.consumer)
		return 0;
	n = ring_consume(&s->ring, event_hold, s);
	if (n < 0)
		return report_error(s->report, -ENOMEM, NULL, "no memory for the events of begin probes");
	return 0;
}

void events_release(struct session *s)
{
	size_t at = 0;

	s->now_ns = clock_ns();
	while (at < s->held.len && !s->result) {
		uint64_t len;

		memcpy(&len, s->held.s + at, sizeof(len));
		event_handle(s, s->held.s + at + sizeof(len), (uint32_t)len);
		at += sizeof(len) + ((len + 7) & ~7ULL);
	}
	strbuf_free(&s->held);
}
