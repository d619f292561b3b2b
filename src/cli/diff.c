/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Diff: `sonde diff BEFORE.folded AFTER.folded -o OUT.svg` draws what has changed from one recording to the other. */
#include "cli/cli.h"

#include <errno.h>

#include "base/file.h"
#include "base/util.h"

static int check_diff(const struct options *o)
{
	if (!o->file || o->nparams != 1)
		return fail(EXIT_USAGE, "sonde diff BEFORE.folded AFTER.folded -o OUT.svg",
			    "diff compares two recordings (made with -f folded)");
	if (o->program || o->command || o->list || o->pid)
		return fail(EXIT_USAGE, NULL, "diff only reads recordings; it takes no program");
	if (o->output && !sonde_view_takes_file("flame", o->output))
		return fail(EXIT_USAGE, "give it a name that ends in .svg or .html",
			    "diff draws a flame graph; it cannot write %s", o->output);
	return 0;
}

static int draw(const struct options *o, int fd)
{
	struct sonde_view_options v = SONDE_OPTIONS(struct sonde_view_options, .fd = fd, .file = o->output,
		.message = message_receive);

	return sonde_diff_stacks(o->file, o->params[0], &v);
}

static int diff(const struct options *o)
{
	struct file_new p;
	int err, status = check_diff(o);

	if (status)
		return status;
	if (!o->output)
		return draw(o, STDOUT_FILENO) ? EXIT_FAILED : EXIT_ANSWERED;
	err = file_new_open(&p, o->output);
	if (err)
		return fail_open(o->output, err);
	/* Any other failure has been told where it was found. */
	err = draw(o, p.fd);
	if (err) {
		file_new_close(&p, err);
		return EXIT_FAILED;
	}
	err = file_new_close(&p, 0);
	return err ? fail_write(o->output, err) : EXIT_ANSWERED;
}

int cmd_diff(int argc, char **argv)
{
	struct options o;
	int status = options_parse(&o, argc, argv);

	if (!status) {
		messages_init(&o);
		status = o.help ? show_help() : diff(&o);
	}
	options_free(&o);
	return status;
}
