/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Perf_map: /tmp/perf-PID.map, in which compilers at run time (of Java, JavaScript, Python) say what code
 * they have made: "START SIZE name", the numbers in hexadecimal, as the process sees /tmp and its own
 * number. What is appended while it runs is read when the next address is asked for.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/util.h"
#include "symbol/priv.h"

/* Beyond this a map is not read: it would take time and memory that nobody has asked for. */
#define MOST_BYTES (64u << 20)
#define BLOCK_BYTES ((size_t)64 << 10)
/* Descriptors might become scarce: beyond this one, maps of processes that have ended are given up. */
#define MOST_FD 512

struct perf_map {
	uint32_t pid, inner; /* inner: the number that the process has for itself */
	int tmp_fd;          /* its /tmp where that is not ours; -1 */
	dev_t dev;
	ino_t ino;
	off_t read_bytes;
	struct symtab syms; /* in the order they were written until sorted */
	bool sorted;
	uint64_t looked_ns;
};

/* So often the file is looked at again: for an address that is not in it, and for one that may have got other
 * code since. */
#define MISSING_NS 5000000ULL
#define STALE_NS 100000000ULL

/* The number that the process has in its own namespace: the last one of "NSpid: 12345 7". */
static uint32_t inner_pid(uint32_t pid)
{
	char path[64], line[512], *last;
	uint32_t inner = pid;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (str_starts(line, "NSpid:")) {
			line[strcspn(line, "\n")] = 0;
			last = strrchr(line, '\t');
			inner = last ? (uint32_t)strtoul(last + 1, NULL, 10) : pid;
			break;
		}
	if (f)
		fclose(f);
	return inner;
}

/* Services and containers have a /tmp of their own, which is out of reach once they have ended. */
static int tmp_open(uint32_t pid)
{
	char path[64];
	struct stat own, other;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/root/tmp", pid);
	if (stat(path, &other) || stat("/tmp", &own) || (own.st_dev == other.st_dev && own.st_ino == other.st_ino))
		return -1;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= MOST_FD)
		close_fd(&fd);
	return fd;
}

struct perf_map *perf_map_new(uint32_t pid)
{
	struct perf_map *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->pid = pid;
	m->inner = inner_pid(pid);
	m->tmp_fd = tmp_open(pid);
	m->syms.text = (struct strbuf)STRBUF_INIT;
	return m;
}

void perf_map_free(struct perf_map *m)
{
	if (!m)
		return;
	close_fd(&m->tmp_fd);
	symtab_free(&m->syms);
	free(m);
}

static int map_open(const struct perf_map *m)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	char name[32], path[96];

	snprintf(name, sizeof(name), "perf-%u.map", m->inner);
	if (m->tmp_fd >= 0)
		return openat(m->tmp_fd, name, flags);
	snprintf(path, sizeof(path), "/tmp/%s", name);
	return open(path, flags);
}

static void line_take(struct perf_map *m, const char *line, size_t len)
{
	uint64_t numbers[2];
	const char *end = line + len;
	struct sym *sym;

	for (int i = 0; i < 2; i++) {
		const char *from = line;

		if (line + 2 < end && line[0] == '0' && line[1] == 'x')
			from = line += 2;
		for (numbers[i] = 0; line < end; line++) {
			char c = (char)(*line | 0x20);
			int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

			if (digit < 0)
				break;
			numbers[i] = numbers[i] << 4 | (uint64_t)digit;
		}
		if (line == from || line >= end || *line != ' ')
			return;
		line++;
	}
	if (line >= end || !numbers[1])
		return;
	sym = symtab_add(&m->syms, numbers[0], numbers[1], line, (size_t)(end - line));
	/* What was compiled later lies there now. */
	if (sym)
		sym->rank = UINT32_MAX - sym->name;
	m->sorted = false;
}

/* Whole lines only: the rest comes later. */
static void tail_read(struct perf_map *m, int fd)
{
	_cleanup_free_ char *buf = malloc(BLOCK_BYTES);

	while (buf && m->read_bytes < MOST_BYTES && !m->syms.text.failed) {
		ssize_t n = pread(fd, buf, BLOCK_BYTES, m->read_bytes);
		const char *at = buf, *nl;

		if (n <= 0)
			return;
		while ((nl = memchr(at, '\n', (size_t)(buf + n - at)))) {
			line_take(m, at, (size_t)(nl - at));
			at = nl + 1;
		}
		if (at == buf && (size_t)n < BLOCK_BYTES)
			return;
		/* no line is as long as a block */
		m->read_bytes += at == buf ? n : at - buf;
	}
}

static void map_update(struct perf_map *m)
{
	_cleanup_close_ int fd = map_open(m);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return;
	/* Another file, or one that was begun anew. */
	if (st.st_dev != m->dev || st.st_ino != m->ino || st.st_size < m->read_bytes) {
		symtab_free(&m->syms);
		m->read_bytes = 0;
		m->dev = st.st_dev;
		m->ino = st.st_ino;
	}
	if (st.st_size > m->read_bytes)
		tail_read(m, fd);
}

bool perf_map_find(struct perf_map *m, uint64_t addr, struct symbol *out)
{
	uint64_t now = symbol_clock_ns();
	const struct sym *sym = m->sorted ? symtab_find_latest(&m->syms, addr) : NULL;

	if (now - m->looked_ns > (sym ? STALE_NS : MISSING_NS)) {
		m->looked_ns = now;
		map_update(m);
		if (!m->sorted)
			symtab_sort(&m->syms);
		m->sorted = true;
		sym = symtab_find_latest(&m->syms, addr);
	}
	if (!sym)
		return false;
	*out = (struct symbol){ .name = m->syms.text.s + sym->name, .offset = addr - sym->addr };
	return true;
}
