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
	const char *file;   /* of source, with its directory; NULL: not known */
	int line;
	bool inlined;       /* into the frame that follows */
};

struct symbol_options {
	bool demangle;   /* names of C++ and Rust */
	bool debug_info; /* inlined functions and lines of source, where debugging information has them */
	bool uncached;   /* ask for what a process has mapped each time */
};

/* NULL when there is no memory. */
struct symbols *symbols_new(void);
void symbols_free(struct symbols *s);
void symbols_configure(struct symbols *s, const struct symbol_options *opt);

/*
 * From now on remember what processes map, so that their addresses have names after they have ended: all
 * processes there are (only `pid` when it is not 0) and those to come. The descriptor becomes readable when
 * symbols_watch_read() has to do something; -1: the kernel does not allow it, and only processes that
 * still run when they are asked for are known.
 */
int symbols_watch(struct symbols *s, uint32_t pid);
void symbols_watch_read(struct symbols *s);

/* The kernel's function at this address. */
bool symbol_kernel(struct symbols *s, uint64_t addr, struct symbol *out);
/*
 * The function of a process at this address. False without a name; out->module is set also then when the
 * address lies in a file.
 */
bool symbol_user(struct symbols *s, uint32_t pid, uint64_t addr, struct symbol *out);
/*
 * The same with functions that were inlined there, innermost first, and lines of source; the last is the
 * function itself. How many, 0 without a name (out[0].module is set as above). is_return: the address is
 * the one behind a call, whose line is meant.
 */
uint32_t symbol_user_frames(struct symbols *s, uint32_t pid, uint64_t addr, bool is_return, struct symbol *out,
			    uint32_t max);

struct unwind_table;

/* A part of a process's memory that holds code. */
struct unwind_span {
	uint64_t start, end;
	uint64_t base;                    /* where the table's base lies in the process */
	const struct unwind_table *table; /* NULL: nothing is known of it. Kept by the symbols. */
};

/*
 * All code that a process has mapped, in order, in memory that the caller frees. 0, -ESRCH when nothing is known
 * of it. From the first call on, what files say of unwinding is kept.
 */
int symbols_unwind(struct symbols *s, uint32_t pid, struct unwind_span **spans, uint32_t *n);
/*
 * A number that is another one when that may have changed; 0: it has ended or is not known. Of pid 0: one that
 * is another when this has happened to any process.
 */
uint32_t symbols_unwind_changes(struct symbols *s, uint32_t pid);
/* A process that is new or has mapped other code since it was asked for here; 0: there are no more. */
uint32_t symbols_unwind_changed(struct symbols *s);
/* Which program a process runs, or ran: the number of its file; 0: that is not known. */
uint64_t symbols_unwind_program(struct symbols *s, uint32_t pid);
/* Those that run at this moment, into pids[max]: how many. */
uint32_t symbols_running(uint32_t *pids, uint32_t max);

/*
 * The debugging information of a program or library, kept by `s`; *elf (may be NULL) is the file. 0; -ENOENT
 * when it has none, another errno when the file cannot be read or, after a report, libdw is missing.
 */
int symbols_program(struct symbols *s, const char *path, const struct reporter *r, struct dwarf_file **dwarf,
		    struct elf_file **elf);

#endif
