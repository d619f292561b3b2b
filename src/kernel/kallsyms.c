/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/kallsyms: one symbol. The kernel takes 40 ms to write its 5 MB, so it is read only until the
 * symbol is found, and nothing of it is kept.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/util.h"
#include "kernel/priv.h"

/* Lines are at most 16 digits, a letter, a name of up to 511 bytes and a module's name. */
#define LINE_MAX_BYTES 1024

struct symbol {
	uint64_t address;
	bool found;
};

/* "ffffffff81000000 T name\t[module]" or without the module */
static bool line_is(const char *line, const char *end, const char *name, size_t name_len)
{
	const char *p = memchr(line, ' ', (size_t)(end - line));

	return p && (size_t)(end - p) >= 3 + name_len && !memcmp(p + 3, name, name_len) &&
	       (p + 3 + name_len == end || p[3 + name_len] == '\t');
}

/* Look through whole lines. */
static bool lines_search(const char *text, const char *end, const char *name, size_t len, struct symbol *out)
{
	const char *hit = text;

	while ((hit = memmem(hit, (size_t)(end - hit), name, len))) {
		const char *start = memrchr(text, '\n', (size_t)(hit - text));
		const char *stop = memchr(hit, '\n', (size_t)(end - hit));

		start = start ? start + 1 : text;
		stop = stop ? stop : end;
		if (line_is(start, stop, name, len)) {
			out->found = true;
			out->address = strtoull(start, NULL, 16);
			return true;
		}
		hit++;
	}
	return false;
}

int kallsyms_each(struct kernel *k, bool (*fn)(const char *text, const char *end, void *ctx), void *ctx)
{
	_cleanup_close_ int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return report_error(k->report, -errno, NULL, "cannot open /proc/kallsyms: %m");
	err = lines_each(fd, fn, ctx);
	if (err) {
		errno = -err;
		return report_error(k->report, err, NULL, "cannot read /proc/kallsyms: %m");
	}
	return 0;
}

struct search {
	const char *name;
	size_t len;
	struct symbol *out;
};

static bool chunk_search(const char *text, const char *end, void *ctx)
{
	const struct search *s = ctx;

	return lines_search(text, end, s->name, s->len, s->out);
}

static int symbol_find(struct kernel *k, const char *name, struct symbol *out)
{
	struct search s = { name, strlen(name), out };

	*out = (struct symbol){0};
	if (!s.len || s.len > LINE_MAX_BYTES / 2)
		return 0;
	return kallsyms_each(k, chunk_search, &s);
}

uint64_t kernel_symbol_address(struct kernel *k, const char *name)
{
	struct symbol s;

	return symbol_find(k, name, &s) ? 0 : s.address;
}

bool kernel_symbol_exists(struct kernel *k, const char *name)
{
	struct symbol s;

	return !symbol_find(k, name, &s) && s.found;
}
