/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File: files that are read or written as a whole. Functions return 0 or a negative errno and give no message. */
#ifndef SONDE_BASE_FILE_H
#define SONDE_BASE_FILE_H

#include <stddef.h>

#include "base/strbuf.h"

/* Replace what `out` holds by the content of a file (at most 16 MiB), which may be one of /proc that tells no size. */
int file_read(struct strbuf *out, const char *path);
int file_readf(struct strbuf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* From the beginning of a file that is open: for files that are read again and again. */
int file_reread(struct strbuf *out, int fd);

/* All of it, however many writes that takes. */
int fd_write(int fd, const void *data, size_t len);

/*
 * A file that takes its name when it is complete: until then it has another one beside it, so that who looks finds the old
 * file or the new one, never a part. The new one has the old one's mode; a symbolic link stays, and what it leads to is
 * replaced. What is no file of its own (a pipe, a terminal) is written as it is.
 */
struct file_new {
	char *path;      /* what is replaced; NULL: nothing is */
	char *temporary;
	int fd;          /* where to write */
};
int file_new_open(struct file_new *f, const char *path);
/* Name it, or remove it when `err` says that it was not finished. Returns err or why it could not be named. */
int file_new_close(struct file_new *f, int err);
/* All of these. */
int file_replace(const char *path, const void *data, size_t len);

#endif
