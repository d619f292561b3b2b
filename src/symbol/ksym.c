/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ksym: the kernel's functions from /proc/kallsyms, which lists those of modules and BPF programs too.
 * Without CAP_SYSLOG it may hide all addresses: then the table stays empty and numbers are shown.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/util.h"
#include "symbol/priv.h"

/* Lines are at most 16 digits, a letter, a name of up to 511 bytes and a module's name. */
#define BLOCK_BYTES ((size_t)256 << 10)

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "ffffffff81000000 T name\t[module]": functions only. */
static void line_take(struct symtab *t, const char *line, const char *end)
{
	const char *name, *tab;
	uint64_t addr = 0;
	struct sym *sym;

	for (; line < end && hex_digit(*line) >= 0; line++)
		addr = addr << 4 | (uint64_t)hex_digit(*line);
	if (!addr || end - line < 4 || !strchr("tTwW", line[1]))
		return;
	name = line + 3;
	tab = memchr(name, '\t', (size_t)(end - name));
	sym = symtab_add(t, addr, 0, name, (size_t)((tab ? tab : end) - name));
	if (sym && tab && end - tab > 3 && tab[1] == '[')
		sym->module = symtab_text(t, tab + 2, (size_t)(end - tab - 3));
}

void kernel_symbols_read(struct symtab *t)
{
	_cleanup_close_ int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *buf = malloc(BLOCK_BYTES);
	size_t have = 0;

	while (fd >= 0 && buf) {
		ssize_t n = read(fd, buf + have, BLOCK_BYTES - have);
		char *at = buf, *nl;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
		while ((nl = memchr(at, '\n', have - (size_t)(at - buf)))) {
			line_take(t, at, nl);
			at = nl + 1;
		}
		have -= (size_t)(at - buf);
		memmove(buf, at, have);
		if (have == BLOCK_BYTES)
			break; /* no line is that long */
	}
	symtab_sort(t);
}
