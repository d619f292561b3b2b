/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unwind: the code a process has mapped, with what the files say about finding callers in it. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/util.h"
#include "symbol/eh_frame.h"
#include "symbol/priv.h"

struct collect {
	struct symbols *symbols;
	struct unwind_span *spans;
	uint32_t n, cap;
	bool failed;
};

static struct unwind_span *span_new(struct collect *c)
{
	if (c->n == c->cap) {
		uint32_t cap = c->cap ? c->cap * 2 : 64;
		struct unwind_span *spans = realloc(c->spans, cap * sizeof(*spans));

		c->failed |= !spans;
		if (!spans)
			return NULL;
		c->spans = spans;
		c->cap = cap;
	}
	return &c->spans[c->n++];
}

static void mapping_collect(struct process *p, struct mapping *m, void *ctx)
{
	struct collect *c = ctx;
	struct unwind_span *span = m->is_code ? span_new(c) : NULL;
	struct code_file *f;
	uint64_t base;

	if (!span)
		return;
	*span = (struct unwind_span){ .start = m->start, .end = m->end };
	f = mapping_file(c->symbols, p, m);
	if (!f || !code_file_unwind(f) || !code_file_unwind_base(f, m->offset, m->end - m->start, &base))
		return;
	span->table = code_file_unwind(f);
	span->base = m->start + base;
}

int symbols_unwind(struct symbols *s, uint32_t pid, struct unwind_span **spans, uint32_t *n)
{
	struct collect c = { .symbols = s };
	struct process *p = process_get(s->processes, pid);

	s->files.unwinds = true;
	if (!p || !p->image)
		return -ESRCH;
	process_each_mapping(p, mapping_collect, &c);
	if (c.failed) {
		free(c.spans);
		return -ENOMEM;
	}
	*spans = c.spans;
	*n = c.n;
	return c.n ? 0 : -ESRCH;
}

uint32_t symbols_unwind_changes(struct symbols *s, uint32_t pid)
{
	const struct process *p;

	if (!pid)
		return processes_changes(s->processes);
	p = process_known(s->processes, pid);
	return p && !p->ended ? p->changes + 1 : 0;
}

uint32_t symbols_unwind_changed(struct symbols *s)
{
	return process_take_changed(s->processes);
}

/* Libraries lie above the program. */
static void program_note(struct process *p, struct mapping *m, void *ctx)
{
	uint64_t *ino = ctx;

	(void)p;
	if (!*ino && m->is_code)
		*ino = m->ino;
}

uint64_t symbols_unwind_program(struct symbols *s, uint32_t pid)
{
	struct process *p = process_known(s->processes, pid);
	uint64_t ino = 0;

	if (p && p->image)
		process_each_mapping(p, program_note, &ino);
	return ino;
}

/* "1234 (name) R ...", where the name may hold anything. */
static bool is_running(const char *pid, struct strbuf *b)
{
	const char *end = file_readf(b, "/proc/%s/stat", pid) ? NULL : strrchr(b->s, ')');

	return end && str_starts(end, ") R");
}

/* The tables of more code than this take more time than a session's beginning may. */
#define MOST_CODE_KIB (4 * 1024)

static long field_kib(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtol(at + strlen(name), NULL, 10) : 0;
}

/* Of a compiler, or of a virtual machine: with its libraries. */
static bool is_large(const char *pid, struct strbuf *b)
{
	if (file_readf(b, "/proc/%s/status", pid))
		return false;
	return field_kib(b->s, "\nVmExe:") + field_kib(b->s, "\nVmLib:") > MOST_CODE_KIB;
}

uint32_t symbols_running(uint32_t *pids, uint32_t max)
{
	_cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
	DIR *proc = opendir("/proc");
	struct dirent *e;
	uint32_t n = 0;

	while (proc && n < max && (e = readdir(proc)))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && is_running(e->d_name, &b) &&
		    !is_large(e->d_name, &b))
			pids[n++] = (uint32_t)strtoul(e->d_name, NULL, 10);
	if (proc)
		closedir(proc);
	return n;
}
