/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dwarf: what a program's debugging information says: where its functions and lines are, which copies
 * of them were inlined, what they take and return, and its types as types of the language. It is read
 * from the file itself or from its separate debug file, as far as somebody asks. Contents are hostile:
 * what is broken is left out.
 */
#ifndef SONDE_SYMBOL_DWARF_H
#define SONDE_SYMBOL_DWARF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/report.h"
#include "lang/type.h"

struct dwarf_file;
struct elf_file;

/*
 * The debugging information of a program or library, whose struct elf_file stays the caller's and must
 * outlive it. 0; -ENOENT without a report when it has none; another errno after a report (libdw is
 * missing). Ended by dwarf_file_close(); types that were made from it end with it.
 */
int dwarf_file_open(struct elf_file *elf, const struct reporter *r, struct dwarf_file **out);
void dwarf_file_close(struct dwarf_file *d);

/* ---- code ---- */

/* A function that an address lies in. */
struct dwarf_frame {
	const char *name;  /* as the linker knows it (mangled) where that is said */
	const char *file;  /* with its directory; NULL: not known */
	int line;          /* where it was when it came to the address, or to the call of the frame before */
	bool inlined;      /* into the next frame */
};

/* The frames at an address, innermost first; the last is the function itself. How many there are, at
 * most `max`; 0 when nothing is known. */
uint32_t dwarf_frames(struct dwarf_file *d, uint64_t vaddr, struct dwarf_frame *out, uint32_t max);

#define DWARF_MOST_COLUMNS 8

/* A line of source that has code, or a column within it. */
struct dwarf_line {
	uint64_t *addrs;   /* where its statement begins: one address for each copy; sorted; free() */
	uint32_t n;
	const char *file, *other; /* the file that was meant; another one that could be meant, or NULL */
	int near;          /* when there is no code: the nearest line that has some; 0: none */
	int columns[DWARF_MOST_COLUMNS]; /* of the line, when it has code but none at that column */
	uint32_t ncolumns;
};

/* Find FILE:LINE or, with a column that is not 0, FILE:LINE:COLUMN; `file` is a path or the end of one. 0, -ENOENT (no
 * such file: out->file is NULL; no code there), -ENOTUNIQ (out->other is set too) or -ENOMEM. */
int dwarf_line_find(struct dwarf_file *d, const char *file, int line, int column, struct dwarf_line *out);

/* The addresses at which copies of a function begin that have been inlined into others. free() *addrs. */
int dwarf_inlined_copies(struct dwarf_file *d, const char *function, uint64_t **addrs, uint32_t *n);

/* ---- types ---- */

/*
 * The parameters of the function at this address as a struct for `args`: where each lies when a probe there
 * fires, in terms of the registers (struct pt_regs). Those that the compiler has removed, and floating
 * point, are left out. NULL: no function is known there.
 */
const struct type *dwarf_args(struct dwarf_file *d, uint64_t vaddr);
/* What the function at this address returns, where a register holds it, as args with a member `retval`.
 * NULL: not known, or nothing that a register holds. */
const struct type *dwarf_return(struct dwarf_file *d, uint64_t vaddr);

/* "struct foo", "union foo", "enum foo", a typedef, a class of C++; NULL: there is none of this name. */
const struct type *dwarf_type_find(struct dwarf_file *d, const char *name);

#endif
