/* SPDX-License-Identifier: GPL-2.0-or-later */
/* List: -l shows the probes that match a pattern; with -v also the arguments of each. */
#include "cli/cli.h"

#include "base/util.h"

#define WRITE_BYTES (64 * 1024)

struct listing {
	struct strbuf out;
	size_t found;
	int status; /* of writing */
};

static void add_args(struct strbuf *out, const char *args)
{
	while (*args) {
		size_t len = strcspn(args, "\n");

		strbuf_addstr(out, "    ");
		strbuf_add(out, args, len);
		strbuf_addch(out, '\n');
		args += len + (args[len] == '\n');
	}
}

static int on_probe(void *ctx, const char *probe, const char *args)
{
	struct listing *l = ctx;

	l->found++;
	strbuf_addstr(&l->out, probe);
	strbuf_addch(&l->out, '\n');
	if (args)
		add_args(&l->out, args);
	if (l->out.len >= WRITE_BYTES)
		l->status = print_and_free(&l->out);
	return l->status;
}

int list_probes(const struct options *o)
{
	struct listing l = { .out = STRBUF_INIT };
	int err, status;

	if (o->program)
		return fail(EXIT_USAGE, "give the pattern of a probe: sonde -l 'tracepoint:sched:*'",
			    "-l does not list the probes of a program");
	err = sonde_list_probes(o->pattern, o->verbose > 0, on_probe, &l, message_receive, NULL);
	if (l.status) {
		strbuf_free(&l.out);
		return l.status;
	}
	status = print_and_free(&l.out);
	if (status || err < 0)
		return EXIT_FAILED;
	if (!l.found)
		return fail(EXIT_FAILED, "`sonde -l` without a pattern lists everything", "no probe matches '%s'",
			    o->pattern ? o->pattern : "*");
	return EXIT_ANSWERED;
}
