/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Message: what this program says to the person, on standard error. Diagnostics of a script name their
 * place themselves ("q.bt:3:14: error: ..."); everything else is introduced with "ERROR: " or "WARNING: ", as the
 * reference does it, for programs that look at what it says.
 */
#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/util.h"

struct messages messages;

bool colour_wanted(int fd)
{
	const char *set = getenv("SONDE_COLOR"), *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (!set)
		set = getenv("BPFTRACE_COLOR");
	if (str_eq(set, "always"))
		return true;
	if (str_eq(set, "never") || (no && *no))
		return false;
	return isatty(fd) && !str_eq(term, "dumb");
}

void messages_init(const struct options *o)
{
	messages = (struct messages){
		.quiet = o->quiet, .no_warnings = o->no_warnings, .verbose = o->verbose,
		.colour = colour_wanted(STDERR_FILENO), .logs = o->libbpf_log || o->verifier_log,
	};
}

static const struct {
	const char *placed, *word, *colour;
} severities[] = {
	[SONDE_ERROR] = { "error: ", "ERROR: ", "\033[1;31m" },
	[SONDE_WARNING] = { "warning: ", "WARNING: ", "\033[1;35m" },
	[SONDE_INFO] = { "", "sonde: ", "" },
	[SONDE_DEBUG] = { "", "sonde: ", "" },
};

/* Does the text begin with its place, "name:line:col"? */
static bool has_place(const char *text)
{
	const char *eol = text + strcspn(text, "\n"), *p = text;

	while ((p = memchr(p, ':', (size_t)(eol - p)))) {
		const char *q = p + 1;

		while (isdigit((unsigned char)*q))
			q++;
		if (q > p + 1 && *q == ':' && isdigit((unsigned char)q[1]))
			return true;
		p++;
	}
	return false;
}

static void add_coloured(struct strbuf *out, const char *text, const char *colour)
{
	if (messages.colour && *colour)
		strbuf_addf(out, "%s%s\033[0m", colour, text);
	else
		strbuf_addstr(out, text);
}

/* The severity word inside a rendered diagnostic gets its colour; the text stays the same. */
static void add_placed(struct strbuf *out, const char *text, const char *word, const char *colour)
{
	const char *at = *word ? strcasestr(text, word) : NULL;

	if (!at || !messages.colour || at > text + strcspn(text, "\n")) {
		strbuf_addstr(out, text);
		return;
	}
	strbuf_add(out, text, (size_t)(at - text));
	strbuf_addf(out, "%s%.*s\033[0m%s", colour, (int)strlen(word), at, at + strlen(word));
}

static bool wanted(enum sonde_severity severity)
{
	switch (severity) {
	case SONDE_ERROR:
		return true;
	case SONDE_WARNING:
		return !messages.no_warnings;
	case SONDE_INFO:
		return !messages.quiet || messages.logs;
	default: /* the reference has one step less */
		return messages.verbose >= (getenv("__BPFTRACE_NOTIFY_PROBES_ATTACHED") ? 1 : 2);
	}
}

/* One write, so that messages of several processes do not mix. */
static void write_stderr(const struct strbuf *b)
{
	static const char no_memory[] = "ERROR: out of memory\n";

	if (b->failed)
		fd_write(STDERR_FILENO, no_memory, strlen(no_memory));
	else
		fd_write(STDERR_FILENO, b->s, b->len);
}

void message_receive(void *ctx, enum sonde_severity severity, const char *text, const char *hint)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	size_t len = strlen(text);

	(void)ctx;
	if (!wanted(severity))
		return;
	if (has_place(text)) {
		add_placed(&out, text, severities[severity].placed, severities[severity].colour);
	} else {
		add_coloured(&out, severities[severity].word, severities[severity].colour);
		strbuf_addstr(&out, text);
	}
	if (!len || text[len - 1] != '\n')
		strbuf_addch(&out, '\n');
	strbuf_add_lines(&out, getenv("__BPFTRACE_NOTIFY_PROBES_ATTACHED") ? "HINT: " : "hint: ", hint);
	write_stderr(&out);
}

int fail(int status, const char *hint, const char *fmt, ...)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	message_receive(NULL, SONDE_ERROR, text.failed ? "out of memory" : text.s, hint);
	return status;
}

void say(const char *text)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	size_t len = strlen(text);

	strbuf_add(&out, text, len);
	if (!len || text[len - 1] != '\n')
		strbuf_addch(&out, '\n');
	write_stderr(&out);
}

int fail_open(const char *name, int err)
{
	errno = -err;
	return fail(EXIT_FAILED, NULL, "cannot open %s for writing: %m", name);
}

int fail_write(const char *name, int err)
{
	const char *hint = NULL;

	if (err == -EPIPE)
		hint = "the program that was reading the output has ended";
	else if (err == -ENOSPC)
		hint = "make room there, or write elsewhere with -o FILE";
	errno = -err;
	return fail(EXIT_FAILED, hint, "cannot write to %s: %m", name);
}

int print_and_free(struct strbuf *b)
{
	int err = b->failed ? -ENOMEM : 0;

	if (!err)
		err = fd_write(STDOUT_FILENO, b->s, b->len);
	strbuf_free(b);
	return err ? fail_write("standard output", err) : EXIT_ANSWERED;
}
