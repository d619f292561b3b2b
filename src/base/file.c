/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File: files that are read or written as a whole. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/util.h"

#define READ_MOST ((size_t)16 << 20)

int file_reread(struct strbuf *out, int fd)
{
	ssize_t n;

	strbuf_reset(out);
	do {
		if (out->len >= READ_MOST)
			return -EFBIG;
		if (!strbuf_reserve(out, MAX(out->len, (size_t)4000)))
			return -ENOMEM;
		n = pread(fd, out->s + out->len, out->cap - out->len - 1, (off_t)out->len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			out->len += (size_t)n;
	} while (n);
	out->s[out->len] = 0;
	return 0;
}

int file_read(struct strbuf *out, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : file_reread(out, fd);
}

int file_readf(struct strbuf *out, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return file_read(out, path);
}

int fd_write(int fd, const void *data, size_t len)
{
	const char *s = data;

	while (len) {
		ssize_t n = write(fd, s, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			s += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* What a process with this number left behind when it was killed is in the way at most so often. */
#define NAMES_TRIED 100

/* Beside the file, because rename() does not cross file systems. */
static int open_beside(struct file_new *f)
{
	int err;

	for (int i = 0; i < NAMES_TRIED; i++) {
		if (asprintf(&f->temporary, "%s.%d.%d.new", f->path, (int)getpid(), i) < 0) {
			f->temporary = NULL;
			return -ENOMEM;
		}
		f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (f->fd >= 0)
			return 0;
		err = -errno;
		free(TAKE_PTR(f->temporary));
		if (err != -EEXIST)
			return err;
	}
	return -EEXIST;
}

static void file_new_free(struct file_new *f)
{
	free(TAKE_PTR(f->temporary));
	free(TAKE_PTR(f->path));
}

int file_new_open(struct file_new *f, const char *path)
{
	struct stat st;
	bool is_there = !stat(path, &st);
	int err;

	*f = (struct file_new){ .fd = -1 };
	if (is_there && S_ISDIR(st.st_mode))
		return -EISDIR;
	if (is_there && !S_ISREG(st.st_mode)) {
		f->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return f->fd < 0 ? -errno : 0;
	}
	f->path = is_there ? realpath(path, NULL) : strdup(path);
	if (!f->path)
		return -errno;
	err = open_beside(f);
	if (!err && is_there && fchmod(f->fd, st.st_mode & 07777))
		return file_new_close(f, -errno);
	if (err)
		file_new_free(f);
	return err;
}

int file_new_close(struct file_new *f, int err)
{
	/* Without its content being there first, a crash could leave an empty file in place of the old one. */
	if (!err && f->temporary && fsync(f->fd))
		err = -errno;
	if (close(TAKE_FD(f->fd)) && !err)
		err = -errno;
	if (!err && f->temporary && rename(f->temporary, f->path))
		err = -errno;
	if (err && f->temporary)
		unlink(f->temporary);
	file_new_free(f);
	return err;
}

int file_replace(const char *path, const void *data, size_t len)
{
	struct file_new f;
	int err = file_new_open(&f, path);

	return err ? err : file_new_close(&f, fd_write(f.fd, data, len));
}
