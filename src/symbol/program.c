/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Program: the debugging information of the programs a question looks into, opened once for all of it. */
#include <errno.h>
#include <sys/stat.h>

#include "base/util.h"
#include "symbol/elf_file.h"
#include "symbol/priv.h"

struct program {
	struct program *next;
	struct elf_file *elf;
	struct dwarf_file *dwarf; /* NULL: it has none */
	int err;
};

static struct program *program_open(const char *path, const struct reporter *r)
{
	struct program *p = calloc(1, sizeof(*p));
	const char *why;

	if (!p)
		return NULL;
	p->err = elf_file_open(path, &p->elf, &why);
	if (!p->err)
		p->err = dwarf_file_open(p->elf, r, &p->dwarf);
	return p;
}

static struct program *program_known(struct symbols *s, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return NULL;
	for (struct program *p = s->programs; p; p = p->next)
		if (p->elf && elf_file_dev(p->elf) == st.st_dev && elf_file_ino(p->elf) == st.st_ino)
			return p;
	return NULL;
}

int symbols_program(struct symbols *s, const char *path, const struct reporter *r, struct dwarf_file **dwarf,
		    struct elf_file **elf)
{
	struct program *p = program_known(s, path);

	if (!p) {
		p = program_open(path, r);
		if (!p)
			return report_error(r, -ENOMEM, NULL, "no memory to read %s", path);
		p->next = s->programs;
		s->programs = p;
	}
	*dwarf = p->dwarf;
	if (elf)
		*elf = p->elf;
	return p->err;
}

void programs_free(struct symbols *s)
{
	while (s->programs) {
		struct program *p = s->programs;

		s->programs = p->next;
		dwarf_file_close(p->dwarf);
		elf_file_close(p->elf);
		free(p);
	}
}
