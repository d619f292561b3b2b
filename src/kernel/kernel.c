/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel: the object that remembers what has been asked, and the small things it is made of. */
#include "kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/utsname.h>

#include <bpf/btf.h>

#include "base/util.h"
#include "kernel/priv.h"

struct kernel_wishes kernel_wishes;

struct kernel *kernel_new(const struct reporter *r)
{
	struct kernel *k = calloc(1, sizeof(*k));

	if (k)
		k->report = r;
	return k;
}

void kernel_free(struct kernel *k)
{
	if (!k)
		return;
	if (k->tracefs > 0)
		close(k->tracefs);
	for (size_t i = 0; i < k->nevents; i++) {
		free(k->events[i].name);
		name_list_free(&k->events[i].events);
	}
	free(k->events);
	free(k->dynamic_events);
	name_list_free(&k->systems);
	name_list_free(&k->raw);
	functions_free(k->functions);
	btf__free(k->module_btf);
	free(k->module);
	btf__free(k->btf);
	while (k->nbtf_files) /* modules refer to vmlinux: last in, first out */
		btf_file_free(k->btf_files[--k->nbtf_files]);
	free(k->btf_files);
	free(k->format_text);
	free(k->cpus);
	free(k);
}

uint32_t kernel_version(void)
{
	unsigned major = 0, minor = 0, patch = 0;
	struct utsname u;

	if (uname(&u) || sscanf(u.release, "%u.%u.%u", &major, &minor, &patch) < 2)
		return 0;
	/* The kernel itself clamps the third number: 4.9.256 and later do not fit. */
	return (major << 16) + (minor << 8) + MIN(patch, 255U);
}

/* ---- files ---- */

static int fd_read_all(int fd, struct strbuf *out)
{
	for (;;) {
		ssize_t n;

		/* tracefs gives at most a page per read, so a small first size costs nothing. */
		if (!strbuf_reserve(out, 4096))
			return -ENOMEM;
		n = read(fd, out->s + out->len, out->cap - out->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		out->len += (size_t)n;
		out->s[out->len] = 0;
	}
}

int file_read_at(int dir, const char *path, char **text, size_t *len)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	_cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = fd_read_all(fd, &out);
	if (err)
		return err;
	*len = out.len;
	*text = strbuf_take(&out);
	return *text ? 0 : -ENOMEM;
}

int lines_each(int fd, bool (*fn)(const char *text, const char *end, void *ctx), void *ctx)
{
	size_t have = 0, size = 1 << 16;
	_cleanup_free_ char *buf = malloc(size + 1);

	if (!buf)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, buf + have, size - have);
		char *last;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : 0;
		have += (size_t)n;
		buf[have] = 0;
		last = memrchr(buf, '\n', have);
		if (!last && have == size)
			return -EMSGSIZE; /* a line of this length is none that the kernel writes */
		if (!last)
			continue;
		if (fn(buf, last, ctx))
			return 0;
		have -= (size_t)(last + 1 - buf);
		memmove(buf, last + 1, have);
	}
}

/* ---- lists of names ---- */

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t names_count(const char *text, size_t len)
{
	size_t n = 0;

	for (const char *p = text; p < text + len; p += strlen(p) + 1)
		n++;
	return n;
}

static size_t names_unique(const char **names, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!kept || strcmp(names[kept - 1], names[i]))
			names[kept++] = names[i];
	return kept;
}

int name_list_take(struct name_list *list, struct strbuf *text)
{
	size_t len = text->len, n = 0;
	const char **names;
	char *block;

	if (text->failed)
		return -ENOMEM;
	block = strbuf_take(text);
	if (!block)
		return -ENOMEM;
	names = calloc(names_count(block, len) + 1, sizeof(*names));
	if (!names) {
		free(block);
		return -ENOMEM;
	}
	for (const char *p = block; p < block + len; p += strlen(p) + 1)
		names[n++] = p;
	qsort(names, n, sizeof(*names), name_compare);
	list->text = block;
	list->names = names;
	list->n = names_unique(names, n);
	return 0;
}

void name_list_free(struct name_list *list)
{
	free(list->text);
	free(list->names);
	*list = (struct name_list){0};
}
