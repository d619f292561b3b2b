/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Proc: files of /proc and /sys. */
#include "subject/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/util.h"

int file_u64(uint64_t *out, const char *fmt, ...)
{
	char path[PATH_MAX], text[64], *end;
	_cleanup_close_ int fd = -1;
	uint64_t value;
	ssize_t n;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = 0;
	value = strtoull(text, &end, 10);
	if (end == text)
		return -EINVAL;
	*out = value;
	return 0;
}

int file_write(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

const char *text_trim(struct strbuf *b)
{
	while (b->len && strchr(" \t\n", b->s[b->len - 1]))
		b->s[--b->len] = 0;
	return b->s;
}

static const char *field_find(const char *text, const char *name)
{
	size_t len = strlen(name);

	while (text && *text) {
		if (!strncmp(text, name, len))
			return text + len;
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return NULL;
}

bool field_u64(const char *text, const char *name, uint64_t *out)
{
	const char *p = field_find(text, name);
	char *end;
	uint64_t v;

	if (!p)
		return false;
	v = strtoull(p, &end, 10);
	if (end == p)
		return false;
	*out = v;
	return true;
}

bool field_text(const char *text, const char *name, char *out, size_t size)
{
	const char *p = field_find(text, name);
	size_t len;

	if (!p)
		return false;
	p += strspn(p, " \t");
	len = strcspn(p, "\n");
	while (len && (p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	snprintf(out, size, "%.*s", (int)len, p);
	return true;
}

static int each_number(const char *path, int (*fn)(void *ctx, pid_t pid), void *ctx)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	int res = 0;

	if (!d)
		return -errno;
	while (!res && (entry = readdir(d)))
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			res = fn(ctx, (pid_t)strtol(entry->d_name, NULL, 10));
	closedir(d);
	return res;
}

int proc_each(int (*fn)(void *ctx, pid_t pid), void *ctx)
{
	return each_number("/proc", fn, ctx);
}

int proc_each_thread(pid_t pid, int (*fn)(void *ctx, pid_t tid), void *ctx)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	return each_number(path, fn, ctx);
}

void proc_comm(pid_t pid, char *out, size_t size)
{
	char path[64], text[64];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = 0;
	text[strcspn(text, "\n")] = 0;
	snprintf(out, size, "%s", text);
}

uint64_t proc_start_ticks(pid_t pid)
{
	_cleanup_strbuf_ struct strbuf stat = STRBUF_INIT;
	const char *p;

	if (file_readf(&stat, "/proc/%d/stat", (int)pid))
		return 0;
	/* The name, in parentheses, may hold anything; behind it come the fields from the third. */
	p = strrchr(stat.s, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p, NULL, 10) : 0;
}
