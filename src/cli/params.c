/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Params: what a program can be told on the command line, as it says itself by its calls of getopt(). */
#include "cli/cli.h"

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

int show_params(const struct options *o)
{
	struct sonde_compile_options c = SONDE_OPTIONS(struct sonde_compile_options, .name = program_name(o),
						       .message = message_receive);
	struct strbuf out = STRBUF_INIT, list = STRBUF_INIT;
	int status, err;
	_cleanup_free_ char *source = program_read(o, &status);

	if (!source)
		return status;
	err = sonde_list_params(source, &c, on_param, &list);
	if (err) {
		strbuf_free(&list);
		return EXIT_FAILED;
	}
	if (list.len)
		strbuf_addf(&out, "usage: sonde [OPTIONS] %s [-- PARAMETERS]\n\nParameters:\n%s",
			    o->program ? "-e PROGRAM" : o->file, list.s);
	else
		strbuf_addf(&out, "%s takes no named parameters.\n", program_name(o));
	strbuf_free(&list);
	return print_and_free(&out);
}
