/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Embed sonde: which programs made the most system calls in the last second?
 * cc embed.c $(pkg-config --cflags --libs sonde) && sudo ./a.out
 */
#include <inttypes.h>
#include <sonde.h>
#include <stdio.h>

static const char question[] =
	"tracepoint:raw_syscalls:sys_enter { @calls[comm] = count(); } interval:s:1 { exit(); }";

static void on_message(void *ctx, enum sonde_severity severity, const char *text, const char *hint)
{
	(void)ctx;
	if (severity <= SONDE_WARNING)
		fprintf(stderr, "%s%s%s\n", text, hint ? "\nhint: " : "", hint ? hint : "");
}

static int on_record(void *ctx, const struct sonde_record *rec)
{
	int64_t calls;

	(void)ctx;
	if (sonde_record_kind(rec) != SONDE_MAP)
		return 0;
	for (size_t i = 0; i < sonde_record_number(rec); i++)
		if (sonde_record_value_int(rec, i, &calls))
			printf("%-16s made %" PRId64 " system calls\n", sonde_record_key(rec, i), calls);
	return 0;
}

int main(void)
{
	struct sonde_compile_options compile =
		SONDE_OPTIONS(struct sonde_compile_options, .message = on_message);
	struct sonde_session_options run =
		SONDE_OPTIONS(struct sonde_session_options, .record = on_record, .message = on_message);
	struct sonde_question *q = NULL;
	struct sonde_session *s = NULL;
	int err;

	err = sonde_compile(question, &compile, &q);
	if (!err)
		err = sonde_session_open(q, &run, &s);
	if (!err)
		err = sonde_session_attach(s);
	while (!err && sonde_session_poll(s, -1) > 0)
		;
	if (!err)
		err = sonde_session_finish(s);
	sonde_session_free(s);
	sonde_question_free(q);
	return err ? 1 : 0;
}
