/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checkup: the first minute of looking at a machine, as one command: a question that counts in the kernel, /proc
 * before and after, and one page with a line for each thing and the tools that go deeper.
 */
#include "cli/cli.h"
#include "cli/page.h"
#include "cli/checkup.h"
#include "cli/tool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"

#define USAGE "sonde checkup [SECONDS] [-f text|json]"

static struct sonde_session *volatile session;

static void on_stop(int sig)
{
	int saved = errno;

	(void)sig;
	if (session)
		sonde_session_stop(session, 0);
	errno = saved;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- what the question has counted ---- */

static const struct {
	const char *map;
	size_t offset;
} numbers[] = {
	{ "@waits", offsetof(struct findings, waits) },
	{ "@wait_mean_us", offsetof(struct findings, wait_mean_us) },
	{ "@wait_longest_us", offsetof(struct findings, wait_longest_us) },
	{ "@waits_long", offsetof(struct findings, waits_long) },
	{ "@requests", offsetof(struct findings, requests) },
	{ "@request_mean_us", offsetof(struct findings, request_mean_us) },
	{ "@request_longest_us", offsetof(struct findings, request_longest_us) },
	{ "@request_errors", offsetof(struct findings, request_errors) },
	{ "@reclaims", offsetof(struct findings, reclaims) },
	{ "@oom_kills", offsetof(struct findings, oom_kills) },
	{ "@crashes", offsetof(struct findings, crashes) },
};

/* Keeps the busiest, the first of them in front. */
static void busiest_add(struct findings *f, const char *name, uint64_t n)
{
	size_t at = CHECKUP_BUSIEST;

	while (at && f->busiest[at - 1].n < n)
		at--;
	if (at == CHECKUP_BUSIEST)
		return;
	memmove(&f->busiest[at + 1], &f->busiest[at], (CHECKUP_BUSIEST - at - 1) * sizeof(f->busiest[0]));
	f->busiest[at].n = n;
	snprintf(f->busiest[at].name, sizeof(f->busiest[at].name), "%s", name ? name : "");
}

static void number_add(struct findings *f, const char *map, uint64_t value)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (str_eq(map, numbers[i].map))
			*(uint64_t *)((char *)f + numbers[i].offset) += value;
}

static int on_record(void *ctx, const struct sonde_record *r)
{
	struct findings *f = ctx;
	const char *map;
	int64_t value;

	if (sonde_record_kind(r) != SONDE_MAP)
		return 0;
	map = sonde_record_map(r);
	for (size_t row = 0; row < sonde_record_number(r); row++) {
		if (!sonde_record_value_int(r, row, &value) || value < 0)
			continue;
		if (str_eq(map, "@samples"))
			busiest_add(f, sonde_record_key(r, row), (uint64_t)value);
		else
			number_add(f, map, (uint64_t)value);
	}
	return 0;
}

/* ---- asking it ---- */

static int poll_for(uint64_t ms)
{
	uint64_t end = now_ms() + ms, now;
	int more = 1;

	while (more > 0 && (now = now_ms()) < end)
		more = sonde_session_poll(session, (int)MIN(end - now, (uint64_t)1000));
	if (more > 0)
		sonde_session_stop(session, 0);
	return more < 0 ? more : sonde_session_finish(session);
}

static int ask(struct checkup *c, struct sonde_question *q, uint64_t ms)
{
	struct sonde_session_options s = SONDE_OPTIONS(struct sonde_session_options, .record = on_record,
		.record_ctx = &c->found, .message = message_receive, .detach_behind = true);
	struct sonde_session *opened;
	uint64_t begin;
	int err = sonde_session_open(q, &s, &opened);

	if (err)
		return err;
	session = opened;
	err = sonde_session_attach(opened);
	begin = now_ms();
	counters_read(&c->before);
	err = err ? err : poll_for(ms);
	counters_read(&c->after);
	c->took_ms = now_ms() - begin;
	session = NULL;
	sonde_session_free(opened);
	return err;
}

static int examine(struct checkup *c, uint64_t ms)
{
	struct sonde_compile_options o = SONDE_OPTIONS(struct sonde_compile_options, .name = "checkup",
						       .message = message_receive);
	const char *source = tool_import(NULL, "../lib/checkup.bt");
	struct sigaction stop = { .sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND };
	struct sonde_question *q = NULL;
	int err = source ? sonde_compile(source, &o, &q) : -ENOMEM;

	if (err)
		return err;
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	c->ncpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	err = ask(c, q, ms);
	sonde_question_free(q);
	return err;
}

/* ---- the page ---- */

#define FOUND_COLUMN 17
#define DEEPER_COLUMN 112
#define WIDEST_DEEPER 30

/* A narrow terminal has the tools in a line of their own. */
static void line_text(const struct checkup *c, const struct check *k, const struct page *p, struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf found = STRBUF_INIT;
	bool notable = k->say(c, &found), narrow = p->columns && p->columns < DEEPER_COLUMN + WIDEST_DEEPER;
	const char *text = found.failed ? "?" : found.s;

	strbuf_addf(out, "%s%c %-14s%s ", notable ? p->alarm : p->bold, notable ? '!' : ' ', k->name, p->plain);
	if (narrow) {
		page_words(out, p, FOUND_COLUMN, FOUND_COLUMN, text);
		strbuf_addf(out, "\n%*s%s%s%s\n", FOUND_COLUMN, "", p->dim, k->deeper, p->plain);
	} else {
		strbuf_addf(out, "%-*s%s%s%s\n", DEEPER_COLUMN - FOUND_COLUMN, text, p->dim, k->deeper, p->plain);
	}
}

static void page_text(const struct checkup *c, struct strbuf *out)
{
	struct page p = page_of_stdout();

	strbuf_addf(out, "%.1f seconds; %s!%s stands before what is worth a closer look\n\n",
		    (double)c->took_ms / 1000, p.alarm, p.plain);
	for (const struct check *k = checks; k->name; k++)
		line_text(c, k, &p, out);
}

/* Texts are our own but for the names of programs. */
static void add_json_text(struct strbuf *out, const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == '"' || *s == '\\')
			strbuf_addf(out, "\\u%04x", (unsigned char)*s);
		else
			strbuf_addch(out, *s);
	}
}

static void page_json(const struct checkup *c, struct strbuf *out)
{
	for (const struct check *k = checks; k->name; k++) {
		_cleanup_strbuf_ struct strbuf found = STRBUF_INIT;
		bool notable = k->say(c, &found);

		strbuf_addf(out, "{\"type\": \"check\", \"data\": {\"name\": \"%s\", \"notable\": %s, \"found\": \"", k->name,
			    notable ? "true" : "false");
		add_json_text(out, found.failed ? "?" : found.s);
		strbuf_addf(out, "\", \"deeper\": \"%s\"}}\n", k->deeper);
	}
}

static int arguments(int argc, char **argv, uint64_t *seconds, bool *json)
{
	for (int i = 1; i < argc; i++) {
		char *end;

		if (str_eq(argv[i], "-f") && i + 1 < argc && (str_eq(argv[i + 1], "json") || str_eq(argv[i + 1], "text"))) {
			*json = str_eq(argv[++i], "json");
			continue;
		}
		*seconds = strtoull(argv[i], &end, 10);
		if (argv[i][0] < '0' || argv[i][0] > '9' || *end || !*seconds || *seconds > 86400)
			return fail(EXIT_USAGE, USAGE, "checkup takes a number of seconds, from 1 to 86400; '%s' is not one",
				    argv[i]);
	}
	return 0;
}

int cmd_checkup(int argc, char **argv)
{
	struct checkup c = { 0 };
	struct strbuf out = STRBUF_INIT;
	uint64_t seconds = 10;
	bool json = false;
	int status = arguments(argc, argv, &seconds, &json);

	if (status)
		return status;
	if (examine(&c, seconds * 1000))
		return EXIT_FAILED;
	if (json)
		page_json(&c, &out);
	else
		page_text(&c, &out);
	return print_and_free(&out);
}
