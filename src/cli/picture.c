/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Picture: a file that is written as a whole. It is made under another name beside its own, so that who looks
 * finds the old one or the new one, never a part.
 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/util.h"

int picture_open(struct picture *p, const char *path)
{
	struct stat st;

	*p = (struct picture){ .path = path, .temporary = STRBUF_INIT, .fd = -1 };
	/* What is no file of its own, such as a pipe, is written as it is. */
	if (stat(path, &st) || S_ISREG(st.st_mode))
		strbuf_addf(&p->temporary, "%s.%d.new", path, (int)getpid());
	p->fd = open(p->temporary.len ? p->temporary.s : path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (p->fd >= 0)
		return 0;
	fail(EXIT_FAILED, NULL, "cannot open %s for writing: %m", path);
	strbuf_free(&p->temporary);
	return -1;
}

int picture_close(struct picture *p, int err)
{
	if (close(p->fd) && !err)
		err = -errno;
	if (p->temporary.len && !err && rename(p->temporary.s, p->path))
		err = -errno;
	if (p->temporary.len && err)
		unlink(p->temporary.s);
	strbuf_free(&p->temporary);
	return err;
}
