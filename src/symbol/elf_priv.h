/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files about ELF share: elf_file.c opens, elf_symbols.c reads symbols, elf_debug.c finds debug files. */
#ifndef SONDE_SYMBOL_ELF_PRIV_H
#define SONDE_SYMBOL_ELF_PRIV_H

#include <gelf.h>

#include "symbol/elf_file.h"

struct elf_file {
	char *path;
	int fd; /* -1: in memory */
	dev_t dev;
	ino_t ino;
	uint64_t bytes;
	Elf *elf;
	GElf_Ehdr header;
	struct elf_segment *segments;
	size_t nsegments;
	bool debug_tried;
	struct elf_file *debug;
	bool mini_tried; /* the small symbol table in .gnu_debugdata */
	struct elf_file *mini;
	void *mini_data;
};

/* Open without asking whether all that is loaded is there: a debug file has only the headers of it. */
int elf_file_open_any(const char *path, struct elf_file **out, const char **why);

/* The section of this type or (when not NULL) name; NULL: none. */
Elf_Scn *elf_section_find(const struct elf_file *f, uint32_t type, const char *name, GElf_Shdr *sh);
/* Its bytes, which a hostile header may claim to be more than there are. */
Elf_Data *elf_section_data(Elf_Scn *scn);

#endif
