/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Format: --fmt prints a program in its canonical layout, or with -o writes it to a file, also its own. */
#include "cli/cli.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/util.h"

int format_program(const struct options *o)
{
	_cleanup_free_ char *source = NULL, *text = NULL;
	struct strbuf out = STRBUF_INIT;
	int status, err;

	source = program_read(o, &status);
	if (!source)
		return status;
	if (sonde_format(source, program_name(o), &text, message_receive, NULL))
		return EXIT_FAILED;
	if (!o->output) {
		strbuf_addstr(&out, text);
		return print_and_free(&out);
	}
	err = file_replace(o->output, text, strlen(text));
	return err ? fail_write(o->output, err) : EXIT_ANSWERED;
}
