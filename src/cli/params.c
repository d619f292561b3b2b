/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Params: what a program can be told on the command line, as it says itself by its calls of getopt(). */
#include "cli/cli.h"

#include <stdlib.h>

#include "base/util.h"

#define COLUMN 24

static int on_param(void *ctx, const char *param, const char *kind, const char *value, const char *description)
{
	struct strbuf *out = ctx;
	size_t start = out->len, column;

	strbuf_addf(out, "  --%s%s%s", param, kind ? "=" : "", kind ? kind : "");
	column = out->len - start;
	if (!description && !value) {
		strbuf_addch(out, '\n');
		return 0;
	}
	if (column + 2 > COLUMN) {
		strbuf_addch(out, '\n');
		column = 0;
	}
	strbuf_fill(out, ' ', COLUMN - column);
	strbuf_addstr(out, description ? description : "");
	if (value)
		strbuf_addf(out, "%s(default: %s)", description ? " " : "", *value ? value : "\"\"");
	strbuf_addch(out, '\n');
	return 0;
}

/* As the reference says it. */
static int on_param_short(void *ctx, const char *param, const char *kind, const char *value, const char *description)
{
	(void)kind;
	(void)value;
	strbuf_addf(ctx, "  --%s:%s%s\n", param, description ? " " : "", description ? description : "");
	return 0;
}

static void list_headed(struct strbuf *out, const struct options *o, const char *list, bool reference)
{
	if (!*list)
		strbuf_addf(out, "%s takes no named parameters.\n", program_name(o));
	else if (reference)
		strbuf_addf(out, "HINT: expected program options:\n%s", list);
	else
		strbuf_addf(out, "usage: sonde [OPTIONS] %s [-- PARAMETERS]\n\nParameters:\n%s",
			    o->program ? "-e PROGRAM" : o->file, list);
}

int show_params(const struct options *o)
{
	struct sonde_compile_options c = SONDE_OPTIONS(struct sonde_compile_options, .name = program_name(o),
						       .message = message_receive);
	struct strbuf out = STRBUF_INIT, list = STRBUF_INIT;
	bool reference = getenv("__BPFTRACE_NOTIFY_PROBES_ATTACHED");
	int status, err;
	_cleanup_free_ char *source = program_read(o, &status);

	if (!source)
		return status;
	err = sonde_list_params(source, &c, reference ? on_param_short : on_param, &list);
	if (err) {
		strbuf_free(&list);
		return EXIT_FAILED;
	}
	list_headed(&out, o, list.s, reference);
	strbuf_free(&list);
	return print_and_free(&out);
}
