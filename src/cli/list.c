/* SPDX-License-Identifier: GPL-2.0-or-later */
/* List: -l shows the probes that match a pattern; with -v also the arguments of each. */
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
	return status || err < 0 ? EXIT_FAILED : EXIT_ANSWERED;
}
