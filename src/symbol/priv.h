/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this room share: one kind of sorted table. */
#ifndef SONDE_SYMBOL_PRIV_H
#define SONDE_SYMBOL_PRIV_H

#include "base/strbuf.h"
#include "symbol/dwarf.h"
#include "symbol/symbol.h"

struct sym {
	uint64_t addr, size; /* size 0: up to the next one */
	uint32_t name, module; /* places in the table's text; module 0: none */
};

/* Symbols of one file or of the kernel. Zeroed, with text = STRBUF_INIT: empty. */
struct symtab {
	struct sym *syms;
	size_t n, cap;
	struct strbuf text; /* begins with a NUL, so that place 0 is the empty text */
};

/* Add a symbol; false when there is no memory. */
bool symtab_add(struct symtab *t, uint64_t addr, uint64_t size, const char *name, size_t name_len);
/* Text into the table, for sym.module. */
uint32_t symtab_text(struct symtab *t, const char *text, size_t len);
/* Once all have been added. */
void symtab_sort(struct symtab *t);
/* The symbol that holds the address, or NULL. */
const struct sym *symtab_find(const struct symtab *t, uint64_t addr);
void symtab_free(struct symtab *t);

struct user_symbols;
struct program;

struct symbols {
	bool kernel_read;
	struct symtab kernel;
	struct user_symbols *user;
	struct program *programs;
};

void programs_free(struct symbols *s);

void kernel_symbols_read(struct symtab *t);
bool user_symbol_find(struct user_symbols **u, uint32_t pid, uint64_t addr, struct symbol *out);
void user_symbols_free(struct user_symbols *u);

#endif
