/* SPDX-License-Identifier: GPL-2.0-or-later */
/* List: -l shows the probes that match a pattern, or those of a program; with -v also their arguments. */
#include "cli/cli.h"

#include "base/util.h"

#define WRITE_BYTES (64 * 1024)

struct listing {
	struct strbuf out;
	int status; /* of writing */
};

static int on_probe(void *ctx, const char *probe, const char *args)
{
	struct listing *l = ctx;

	strbuf_addstr(&l->out, probe);
	strbuf_addch(&l->out, '\n');
	if (args && *args)
		strbuf_addf(&l->out, "%s\n", args);
	if (l->out.len >= WRITE_BYTES)
		l->status = print_and_free(&l->out);
	return l->status;
}

/* A name with a dot in it was meant to be a file. */
static void warn_no_file(const char *pattern)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!pattern || !strchr(pattern, '.') || strpbrk(pattern, ":*"))
		return;
	strbuf_addf(&text, "It appears that '%s' is a filename but the file does not exist. Treating '%s' as a search pattern.",
		    pattern, pattern);
	message_receive(NULL, SONDE_WARNING, text.s, NULL);
}

static int list(const struct options *o, struct listing *l)
{
	struct options program = *o;

	if (!o->program && o->pattern && !access(o->pattern, R_OK)) {
		program.file = o->pattern;
		return question_list(&program, on_probe, l);
	}
	if (o->program)
		return question_list(o, on_probe, l);
	warn_no_file(o->pattern);
	return sonde_list_process_probes((int)o->pid, o->pattern, o->verbose > 0, on_probe, l, message_receive, NULL) < 0 ?
		       EXIT_FAILED : EXIT_ANSWERED;
}

int list_probes(const struct options *o)
{
	struct listing l = { .out = STRBUF_INIT };
	int failed, status;

	failed = list(o, &l);
	if (l.status) {
		strbuf_free(&l.out);
		return l.status;
	}
	status = print_and_free(&l.out);
	return status ? status : failed;
}
