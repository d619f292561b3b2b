/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz: the readers of ELF files, symbols, unwind and debugging information, all that is asked of them. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbol/dwarf.h"
#include "symbol/eh_frame.h"
#include "symbol/elf_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST_FUNCTIONS 64

struct found {
	uint64_t addrs[MOST_FUNCTIONS];
	size_t n;
};

static int symbol_found(const struct elf_symbol *sym, void *ctx)
{
	struct found *f = ctx;

	if (f->n < MOST_FUNCTIONS)
		f->addrs[f->n++] = sym->addr;
	return 0;
}

static void types_ask(const struct type *t, int depth)
{
	for (uint32_t i = 0; t && depth && i < t->nfields; i++) {
		const struct type *to = t->fields[i].type;

		if (to->kind == TY_POINTER && to->elem->maker)
			to->elem->maker->complete(to->elem->maker, (struct type *)(uintptr_t)to->elem);
		types_ask(to->kind == TY_POINTER ? to->elem : to, depth - 1);
	}
}

static void dwarf_ask(struct elf_file *elf, const struct found *found)
{
	struct dwarf_frame frames[8];
	struct dwarf_file *d;
	struct dwarf_line line;
	uint64_t *addrs;
	uint32_t n;

	if (dwarf_file_open(elf, NULL, &d))
		return;
	for (size_t i = 0; i < found->n; i++) {
		dwarf_frames(d, found->addrs[i], frames, 8);
		dwarf_frames(d, found->addrs[i] + 5, frames, 8);
		types_ask(dwarf_args(d, found->addrs[i]), 4);
		types_ask(dwarf_args(d, found->addrs[i] + 4), 2);
		types_ask(dwarf_return(d, found->addrs[i]), 4);
	}
	types_ask(dwarf_type_find(d, "struct node"), 4);
	dwarf_type_find(d, "nobody");
	if (!dwarf_line_find(d, "small.c", 12, 0, &line))
		free(line.addrs);
	if (!dwarf_inlined_copies(d, "inlined", &addrs, &n))
		free(addrs);
	dwarf_file_close(d);
}

/*
 * libelf frees what it has read of a file's sections only when it has not read the whole file since, which libdw may make
 * it do: no more than the file, once for each that is opened.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libelf.so\n";
}

/* A file in memory, because the readers open what they read themselves. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct found found = { 0 };
	struct elf_file *elf;
	const char *why;
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!elf_file_open(path, &elf, &why)) {
		elf_file_each_symbol(elf, symbol_found, &found);
		dwarf_ask(elf, &found);
		unwind_table_free(eh_frame_read(elf));
		elf_file_close(elf);
	}
	close(fd);
	return 0;
}
