/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Symbol: addresses to names, in the kernel and in processes. Tables are read when the first address
 * asks for them and kept; what cannot be read yields no name, never an error.
 */
#ifndef SONDE_SYMBOL_SYMBOL_H
#define SONDE_SYMBOL_SYMBOL_H

#include <stdbool.h>
#include <stdint.h>

struct symbols;
struct dwarf_file;
struct elf_file;
struct reporter;

/* What an address belongs to. The texts belong to the tables and last until these are asked again. */
struct symbol {
	const char *name;
	const char *module; /* the file it was loaded from, or the kernel's module; NULL: none */
	uint64_t offset;    /* of the address from the symbol's beginning */
};

/* NULL when there is no memory. */
struct symbols *symbols_new(void);
void symbols_free(struct symbols *s);

/* The kernel's function at this address. */
bool symbol_kernel(struct symbols *s, uint64_t addr, struct symbol *out);
/*
 * The function of a process at this address. False without a name; out->module is set also then when the
 * address lies in a file.
 */
bool symbol_user(struct symbols *s, uint32_t pid, uint64_t addr, struct symbol *out);

/*
 * The debugging information of a program or library, kept by `s`; *elf (may be NULL) is the file. 0; -ENOENT
 * when it has none, another errno when the file cannot be read or, after a report, libdw is missing.
 */
int symbols_program(struct symbols *s, const char *path, const struct reporter *r, struct dwarf_file **dwarf,
		    struct elf_file **elf);

#endif
