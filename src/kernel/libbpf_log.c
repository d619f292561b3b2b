/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libbpf has one print function per process and no context for it. Ours keeps what a thread that asked for it
 * gets, and passes on to whoever was there before what belongs to others.
 */
#include "kernel/libbpf_log.h"

#include <bpf/libbpf.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static libbpf_print_fn_t others;
static __thread struct strbuf *kept;

static void print_tell(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
static int print_keep(enum libbpf_print_level level, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

struct libbpf_telling libbpf_telling;

/* How libbpf begins what it says of a program that was loaded. */
static bool is_verifier_log(const char *fmt)
{
	return strstr(fmt, "BEGIN PROG LOAD LOG");
}

static void print_tell(const char *fmt, va_list ap)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!libbpf_telling.everything && !(libbpf_telling.verifier && is_verifier_log(fmt)))
		return;
	strbuf_vaddf(&text, fmt, ap);
	if (!text.failed && text.len)
		report_info(libbpf_telling.report, "%s", text.s);
}

static int print_keep(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	print_tell(fmt, again);
	va_end(again);
	if (!kept)
		return others ? others(level, fmt, ap) : 0;
	if (level == LIBBPF_WARN)
		strbuf_vaddf(kept, fmt, ap);
	return 0;
}

static void print_install(void)
{
	others = libbpf_set_print(print_keep);
}

void libbpf_log_keep(struct strbuf *log)
{
	pthread_once(&once, print_install);
	kept = log;
}
