/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Usym: functions of processes. /proc/PID/maps says which file lies where; each file's ELF symbols are
 * read once, whoever maps it. A process that has ended keeps what was read while it lived.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/util.h"
#include "symbol/priv.h"

struct elf_file {
	struct elf_file *next;
	dev_t dev;
	ino_t ino;
	struct symtab syms; /* by virtual address within the file */
	struct segment {
		uint64_t offset, vaddr, bytes; /* of what is executable */
	} *segments;
	size_t nsegments;
};

struct mapping {
	uint64_t start, end, offset;
	char *path;
	struct elf_file *file; /* read when first asked for */
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
	struct elf_file *files;
};

/* ---- ELF files ---- */

static void symbols_take(struct elf_file *f, Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0;

	for (size_t i = 0; i < n && i < INT32_MAX; i++) {
		const char *name;
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym) || GELF_ST_TYPE(sym.st_info) != STT_FUNC ||
		    sym.st_shndx == SHN_UNDEF || !sym.st_value)
			continue;
		name = elf_strptr(elf, sh->sh_link, sym.st_name);
		if (name && *name && !symtab_add(&f->syms, sym.st_value, sym.st_size, name, strlen(name)))
			return;
	}
}

static void segments_take(struct elf_file *f, Elf *elf)
{
	size_t n;

	if (elf_getphdrnum(elf, &n) || !n || n > 1024)
		return;
	f->segments = calloc(n, sizeof(*f->segments));
	for (size_t i = 0; f->segments && i < n; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_LOAD && ph.p_flags & PF_X)
			f->segments[f->nsegments++] = (struct segment){ ph.p_offset, ph.p_vaddr, ph.p_filesz };
	}
}

static void elf_take(struct elf_file *f, int fd)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return;
	segments_take(f, elf);
	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &sh) && (sh.sh_type == SHT_SYMTAB || sh.sh_type == SHT_DYNSYM))
			symbols_take(f, elf, scn, &sh);
	elf_end(elf);
	symtab_sort(&f->syms);
}

static struct elf_file *file_open(struct user_symbols *u, const char *path)
{
	/* Not a FIFO that would wait for a writer. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct elf_file *f;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return NULL;
	for (f = u->files; f; f = f->next)
		if (f->dev == st.st_dev && f->ino == st.st_ino)
			return f;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->syms.text = (struct strbuf)STRBUF_INIT;
	f->next = u->files;
	u->files = f;
	elf_take(f, fd);
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
static struct elf_file *mapping_file(struct user_symbols *u, uint32_t pid, struct mapping *m)
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
	struct elf_file *f;

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
		struct elf_file *f = u->files;

		u->files = f->next;
		symtab_free(&f->syms);
		free(f->segments);
		free(f);
	}
	free(u);
}
