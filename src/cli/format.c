/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Format: --fmt prints a program in its canonical layout, or with -o writes it to a file, also its own. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/util.h"

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* A script is replaced as a whole or not at all, and stays executable. */
static int file_replace(const char *path, const char *text)
{
	_cleanup_strbuf_ struct strbuf temporary = STRBUF_INIT;
	struct stat st;
	bool is_there = !stat(path, &st);
	int fd, err;

	strbuf_addf(&temporary, "%s.%d.new", path, (int)getpid());
	if (temporary.failed)
		return -ENOMEM;
	fd = open(temporary.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	err = write_all(fd, text);
	if (!err && ((is_there && fchmod(fd, st.st_mode & 07777)) || fsync(fd)))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(temporary.s, path))
		err = -errno;
	if (err)
		unlink(temporary.s);
	return err;
}

int format_program(const struct options *o)
{
	_cleanup_free_ char *source = NULL, *text = NULL, *target = NULL;
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
	target = realpath(o->output, NULL);
	err = file_replace(target ? target : o->output, text);
	return err ? fail_write(o->output, err) : EXIT_ANSWERED;
}
