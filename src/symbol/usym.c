/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Usym: functions of processes. /proc/PID/maps says which file lies where; each file's ELF symbols are
 * read once, whoever maps it. A process that has ended keeps what was read while it lived.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "symbol/elf_file.h"
#include "symbol/priv.h"

struct user_file {
	struct user_file *next;
	dev_t dev;
	ino_t ino;
	struct symtab syms; /* by virtual address within the file */
	struct elf_segment *segments; /* what is executable */
	size_t nsegments;
};

struct mapping {
	uint64_t start, end, offset;
	char *path;
	struct user_file *file; /* read when first asked for */
	bool tried;
};

struct process {
	struct process *next;
	uint32_t pid;
	struct mapping *maps;
	size_t nmaps;
};

struct user_symbols {
	struct process *processes;
	struct user_file *files;
};

/* ---- ELF files ---- */

static int symbol_take(const struct elf_symbol *sym, void *ctx)
{
	struct user_file *f = ctx;

	if ((sym->type != STT_FUNC && sym->type != STT_GNU_IFUNC) || !sym->defined || !sym->addr)
		return 0;
	return symtab_add(&f->syms, sym->addr, sym->size, sym->name, strlen(sym->name)) ? 0 : -ENOMEM;
}

static struct user_file *file_new(struct user_symbols *u, struct elf_file *elf)
{
	struct user_file *f = calloc(1, sizeof(*f));
	const struct elf_segment *segments;
	size_t n;

	if (!f)
		return NULL;
	f->dev = elf_file_dev(elf);
	f->ino = elf_file_ino(elf);
	f->syms.text = (struct strbuf)STRBUF_INIT;
	f->next = u->files;
	u->files = f;
	segments = elf_file_segments(elf, &n);
	f->segments = calloc(n + 1, sizeof(*f->segments));
	for (size_t i = 0; f->segments && i < n; i++)
		if (segments[i].flags & PF_X)
			f->segments[f->nsegments++] = segments[i];
	elf_file_each_symbol(elf, symbol_take, f);
	symtab_sort(&f->syms);
	return f;
}

static struct user_file *file_open(struct user_symbols *u, const char *path)
{
	struct user_file *f;
	struct elf_file *elf;
	const char *why;

	if (elf_file_open(path, &elf, &why))
		return NULL;
	for (f = u->files; f; f = f->next)
		if (f->dev == elf_file_dev(elf) && f->ino == elf_file_ino(elf))
			break;
	if (!f)
		f = file_new(u, elf);
	elf_file_close(elf);
	return f;
}

/* ---- processes ---- */

/* "start-end perms offset dev inode   path" */
static void map_line_take(struct process *p, char *line)
{
	unsigned long long start, end, offset;
	struct mapping *maps;
	char perms[5];
	int at = 0;

	if (sscanf(line, "%llx-%llx %4s %llx %*s %*s %n", &start, &end, perms, &offset, &at) < 4 || !at ||
	    perms[2] != 'x' || !line[at])
		return;
	line[strcspn(line, "\n")] = 0;
	maps = realloc(p->maps, (p->nmaps + 1) * sizeof(*maps));
	if (!maps)
		return;
	p->maps = maps;
	p->maps[p->nmaps++] = (struct mapping){ .start = start, .end = end, .offset = offset,
						.path = strdup(line + at) };
}

static void process_read(struct process *p)
{
	char path[64], *line = NULL;
	size_t cap = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/maps", p->pid);
	f = fopen(path, "re");
	if (!f)
		return;
	while (getline(&line, &cap, f) > 0)
		map_line_take(p, line);
	free(line);
	fclose(f);
}

static void maps_free(struct process *p)
{
	for (size_t i = 0; i < p->nmaps; i++)
		free(p->maps[i].path);
	free(p->maps);
	p->maps = NULL;
	p->nmaps = 0;
}

static struct process *process_of(struct user_symbols *u, uint32_t pid)
{
	struct process *p;

	for (p = u->processes; p; p = p->next)
		if (p->pid == pid)
			return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->pid = pid;
	p->next = u->processes;
	u->processes = p;
	process_read(p);
	return p;
}

static struct mapping *mapping_of(struct process *p, uint64_t addr)
{
	for (size_t i = 0; i < p->nmaps; i++)
		if (addr >= p->maps[i].start && addr < p->maps[i].end)
			return &p->maps[i];
	return NULL;
}

/* An address that is in no mapping: the process may have loaded something since. */
static struct mapping *mapping_find(struct process *p, uint64_t addr)
{
	struct mapping *m = mapping_of(p, addr);
	struct process again = { .pid = p->pid };

	if (m)
		return m;
	process_read(&again);
	if (!again.nmaps)
		return NULL; /* it has ended: what is known of it stays */
	maps_free(p);
	p->maps = again.maps;
	p->nmaps = again.nmaps;
	return mapping_of(p, addr);
}

/* The file as the process sees it, which may have a root directory of its own. */
static struct user_file *mapping_file(struct user_symbols *u, uint32_t pid, struct mapping *m)
{
	char path[4200];

	if (m->tried || !m->path || m->path[0] != '/')
		return m->file;
	m->tried = true;
	snprintf(path, sizeof(path), "/proc/%u/root%s", pid, m->path);
	m->file = file_open(u, path);
	if (!m->file)
		m->file = file_open(u, m->path);
	return m->file;
}

bool user_symbol_find(struct user_symbols **users, uint32_t pid, uint64_t addr, struct symbol *out)
{
	struct user_symbols *u = *users;
	struct process *p;
	struct mapping *m;
	struct user_file *f;

	if (!u)
		u = *users = calloc(1, sizeof(*u));
	p = u && pid ? process_of(u, pid) : NULL;
	m = p ? mapping_find(p, addr) : NULL;
	if (!m)
		return false;
	out->module = m->path;
	f = mapping_file(u, pid, m);
	for (size_t i = 0; f && i < f->nsegments; i++) {
		uint64_t at = addr - m->start + m->offset - f->segments[i].offset;
		uint64_t vaddr = at + f->segments[i].vaddr;
		const struct sym *sym;

		if (at >= f->segments[i].bytes)
			continue;
		sym = symtab_find(&f->syms, vaddr);
		if (!sym)
			return false;
		out->name = f->syms.text.s + sym->name;
		out->offset = vaddr - sym->addr;
		return true;
	}
	return false;
}

void user_symbols_free(struct user_symbols *u)
{
	if (!u)
		return;
	while (u->processes) {
		struct process *p = u->processes;

		u->processes = p->next;
		maps_free(p);
		free(p);
	}
	while (u->files) {
		struct user_file *f = u->files;

		u->files = f->next;
		symtab_free(&f->syms);
		free(f->segments);
		free(f);
	}
	free(u);
}
