/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz: one event of the ring, whatever it says of itself, through the session to the functions of the language and
 * out as text and JSON. The question's programs are compiled, not loaded.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "api/api.h"
#include "api/record.h"
#include "run/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every kind of payload. Left out is what reads files or processes that the event names, and what asks maps. */
static const char script[] =
	"struct pair { int a; char b[8]; struct { short s; } c; };\n"
	"begin {\n"
	"  printf(\"%d %s %-5d %x %c %llu %p\", pid, comm, -1, 2, 3, nsecs, 4);\n"
	"  printf(\"%s|%10s|%.3s\", str($1), \"x\", str($2));\n"
	"  printf(\"%r %rx\", buf($1, 20), buf($2, 8)); printf(\"%s %s\", ntop(1), macaddr((int8 *)$1));\n"
	"  printf(\"%s %s\", strftime(\"%H:%M:%S %f\", nsecs), ksym($1)); printf(\"%s\", (true, 2));\n"
	"  print(1); print(\"text\"); print((1, \"two\", (int8)3, (4, comm))); print(true); print(buf($1, 16));\n"
	"  print(*(struct pair *)$1); print(((struct pair *)$1)->b); print(kstack(3)); print(ksym($1)); print(ntop($1));\n"
	"  print(strftime(\"%s %L\", nsecs)); print((uint8)1); print(kstack(raw, 4)); print((int8[4])1); print(nsecs);\n"
	"  join($1); join($1, \",\"); time(\"%H:%M:%S %j\"); errorf(\"%s %d\", comm, 1); warnf(\"%s\", str($1));\n"
	"  print(7 / nsecs); exit(3);\n"
	"}\n";

static void ignore_message(void *ctx, enum sonde_severity severity, const char *text, const char *hint)
{
	(void)ctx, (void)severity, (void)text, (void)hint;
}

static int record_show(void *ctx, const struct record *rec)
{
	struct sonde_record *shown = ctx;
	const char *text, *json;

	record_set(shown, rec);
	text = sonde_record_text(shown);
	json = sonde_record_json(shown);
	for (size_t part = 0; part < sonde_record_parts(shown); part++)
		sonde_record_part(shown, part);
	return text && json ? 0 : -EINVAL;
}

static int format_show(void *ctx, const struct format *f, const struct type *args, const uint8_t *data,
		       struct strbuf *out)
{
	const struct sonde_record *shown = ctx;
	struct view v = { .module = shown->module, .resolver = shown->resolver };

	format_text(&v, out, f, args, data);
	return 0;
}

static struct sonde_question *question(void)
{
	static struct sonde_question *q;
	struct sonde_compile_options o = SONDE_OPTIONS(struct sonde_compile_options, .message = ignore_message);

	if (!q && sonde_compile(script, &o, &q))
		abort();
	return q;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sonde_question *q = question();
	struct session s = { .module = q->module, .report = &q->relay.reporter, .held = STRBUF_INIT, .stop_fd = -1,
		.epoll_fd = -1, .tick_fd = -1, .pid_fd = -1, .iter_fd = -1, .follow_fd = -1, .unwind_fd = -1 };
	struct sonde_record shown;
	uint64_t len = size;

	if (size > 1 << 16)
		return 0;
	record_init(&shown, q->module, &q->resolver);
	s.opt = (struct session_options){ .record = record_show, .format = format_show, .record_ctx = &shown };
	act_init(&s);
	strbuf_add(&s.held, &len, sizeof(len));
	strbuf_add(&s.held, data, size);
	strbuf_fill(&s.held, 0, -len & 7);
	events_release(&s);
	record_free(&shown);
	free(s.bounce);
	return 0;
}
