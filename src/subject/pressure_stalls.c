/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pressure_stalls: from records to stalls. */
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
