/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eh_frame: how to find the caller's registers at each address of a program or library, as its unwind
 * information (.eh_frame, .debug_frame) says, compiled into one sorted table of small rules. x86-64 only; of
 * another machine's file there is no table. Contents are taken as hostile: what is broken is left out.
 */
#ifndef SONDE_SYMBOL_EH_FRAME_H
#define SONDE_SYMBOL_EH_FRAME_H

#include <stdbool.h>
#include <stdint.h>

struct elf_file;

/* From this address on the rule (code/unwind.h) holds. */
struct unwind_row {
	uint32_t pc; /* from the table's base */
	uint32_t rule;
};

struct unwind_table {
	uint64_t base;         /* a virtual address of the file: the first of its code */
	struct unwind_row *rows; /* in order of pc, none of them equal */
	uint32_t n, cap;
	bool frame_pointers;   /* its functions keep them, but for a few */
	bool cut;              /* there was more than is kept */
};

/* NULL: the file says nothing, or there is no memory. */
struct unwind_table *eh_frame_read(struct elf_file *f);
void unwind_table_free(struct unwind_table *t);
/* The rule at an address of the file; UNWIND_GAP when nothing is said of it. */
uint32_t unwind_table_rule(const struct unwind_table *t, uint64_t vaddr);

#endif
