/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz: the reader of ELF files, with everything that is asked of a file. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/elf_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int symbol_look(const struct elf_symbol *sym, void *ctx)
{
	uint64_t offset;

	*(size_t *)ctx += strlen(sym->name);
	elf_file_offset(*((struct elf_file **)ctx + 1), sym->addr, PF_X, &offset);
	return 0;
}

static void file_look(struct elf_file *f)
{
	static const char *const sections[] = { ".note.stapsdt", ".gnu_debuglink", ".debug_info", ".dynamic", ".text" };
	struct { size_t sum; struct elf_file *f; } ctx = { .f = f };
	uint64_t place;
	size_t len;

	elf_file_each_symbol(f, symbol_look, &ctx);
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		const unsigned char *bytes = elf_file_section(f, sections[i], &len, NULL);

		for (size_t k = 0; bytes && k < len; k++)
			ctx.sum += bytes[k];
	}
	const uint8_t *id = elf_file_build_id(f, &len);

	for (size_t k = 0; id && k < len; k++)
		ctx.sum += id[k];
	elf_file_segments(f, &len);
	elf_file_vaddr(f, 64, 0, &place);
	elf_file_read(f, ctx.sum, &place, sizeof(place));
	elf_file_has_symtab(f);
	elf_file_foreign(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* libelf may write where it converts: it gets bytes of its own, with nothing behind them. */
	uint8_t *copy = malloc(size ? size : 1);
	struct elf_file *f;
	const char *why;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (!elf_file_open_memory(copy, size, &f, &why)) {
		file_look(f);
		elf_file_close(f);
	}
	free(copy);
	return 0;
}
