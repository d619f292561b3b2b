/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this room share: one kind of sorted table, the files of processes, and their mappings. */
#ifndef SONDE_SYMBOL_PRIV_H
#define SONDE_SYMBOL_PRIV_H

#include <sys/types.h>

#include "base/strbuf.h"
#include "symbol/dwarf.h"
#include "symbol/symbol.h"

struct sym {
	uint64_t addr;
	uint32_t size;         /* 0: up to the next one */
	uint32_t name, module; /* places in the table's text; module 0: none */
	uint32_t rank;         /* of several at one address the lowest is kept */
};

/* Symbols of one file or of the kernel. Zeroed, with text = STRBUF_INIT: empty. */
struct symtab {
	struct sym *syms;
	size_t n, cap;
	struct strbuf text; /* begins with a NUL, so that place 0 is the empty text */
};

/* Add a symbol; NULL when there is no memory. It stays until the next is added. */
struct sym *symtab_add(struct symtab *t, uint64_t addr, uint64_t size, const char *name, size_t name_len);
/* Text into the table, for sym.module. */
uint32_t symtab_text(struct symtab *t, const char *text, size_t len);
/* Once all have been added. */
void symtab_sort(struct symtab *t);
/* The symbol that holds the address, or NULL. */
struct sym *symtab_find(const struct symtab *t, uint64_t addr);
/* The same where symbols replace each other: of several the one of the lowest rank. */
struct sym *symtab_find_latest(const struct symtab *t, uint64_t addr);
void symtab_free(struct symtab *t);

/* ---- code_file.c: what is known of a file that processes map ---- */

struct code_file;

/* Frames of one address, innermost first; what there is of file:line belongs to the last answer. */
struct code_files {
	struct code_file *first;
	uint32_t nopen;
	bool unwinds; /* tables are wanted of all files: see symbols_unwind() */
	const struct symbol_options *opt;
};

/* The file at a path, kept from then on. NULL: it cannot be opened. */
struct code_file *code_file_open(struct code_files *all, const char *path);
/* The vdso, as this program has it. */
struct code_file *code_file_vdso(struct code_files *all);
/* The frames at a place in the file, at least one when it is named; 0: nothing is known. */
uint32_t code_file_frames(struct code_files *all, struct code_file *f, uint64_t offset, bool is_return,
			  struct symbol *out, uint32_t max);
void code_files_free(struct code_files *all);
struct unwind_table;
/* Its unwind information; NULL: it has none. */
const struct unwind_table *code_file_unwind(struct code_file *f);
/* What is mapped from this place in the file on: *base is the table's base relative to that place. */
bool code_file_unwind_base(const struct code_file *f, uint64_t offset, uint64_t bytes, uint64_t *base);

/* ---- perf_map.c: what a compiler at run time says of its code ---- */

struct perf_map;
/* While the process is there: it may see /tmp and its number otherwise than we do. NULL when there is no memory. */
struct perf_map *perf_map_new(uint32_t pid);
/* Reads what has been written since. */
bool perf_map_find(struct perf_map *m, uint64_t addr, struct symbol *out);
void perf_map_free(struct perf_map *m);

/* ---- jit_dump.c: the same, from those that keep the code itself in a file ---- */

struct jit_dump;
/* NULL when it cannot be opened. */
struct jit_dump *jit_dump_open(const char *path);
/* Reads what has been written since. */
bool jit_dump_find(struct jit_dump *d, uint64_t addr, bool is_return, struct symbol *out);
void jit_dump_free(struct jit_dump *d);

/* ---- process.c: what is mapped where ---- */

struct mapping {
	uint64_t start, end, offset, ino;
	char *path;             /* as the process sees it; NULL: none */
	struct code_file *file; /* opened when first asked for */
	bool tried, is_code;
};

/* What a process has mapped since it last executed a program. */
struct image {
	uint32_t users;      /* processes that share it, after a fork */
	struct mapping *maps; /* sorted by start, none overlap */
	uint32_t n, cap;
	struct image *older; /* before the exec; this one's own */
};

struct process {
	uint32_t pid;
	bool ended, read; /* read: from /proc, so that it is whole */
	bool is_changed;  /* and nobody has taken notice: see process_take_changed() */
	uint64_t read_ns;    /* when that was */
	uint32_t changes;    /* another number after what it has mapped has changed */
	struct image *image;
	struct jit *jit;
};

/* ---- jit.c: code that was made at run time ---- */

struct jit;
bool jit_find(struct process *p, uint64_t addr, bool is_return, struct symbol *out);
/* Of a mapping that is such code or says where its names are: what is to be had only while the process is there. */
void jit_hold(struct process *p, struct mapping *m);
void jit_free(struct jit *jit);

struct processes;

struct processes *processes_new(void);
void processes_free(struct processes *ps);
/* Known, or read from /proc now; NULL: nothing is known of it. */
struct process *process_get(struct processes *ps, uint32_t pid);
/* Call fn for what it has mapped now. */
void process_each_mapping(struct process *p, void (*fn)(struct process *p, struct mapping *m, void *ctx), void *ctx);
/* Without looking for it in /proc. */
struct process *process_known(struct processes *ps, uint32_t pid);
/* What lies at the address: now, or before the last exec. `again`: ask /proc when it is not known. */
struct mapping *process_mapping(struct process *p, uint64_t addr, bool again);
/* Forget what was read, so that it is read anew. */
void process_forget(struct processes *ps, uint32_t pid);
/* What the kernel tells while it happens. */
void process_mapped(struct processes *ps, uint32_t pid, uint64_t start, uint64_t bytes, uint64_t offset, uint64_t ino,
		    const char *path);
void process_executed(struct processes *ps, uint32_t pid);
void process_forked(struct processes *ps, uint32_t parent, uint32_t child);
void process_ended(struct processes *ps, uint32_t pid);
/* One that has mapped other code since it was taken last, or is new, in any order; 0: there are no more. */
uint32_t process_take_changed(struct processes *ps);
/* A number that grows with all of that. */
uint32_t processes_changes(const struct processes *ps);

/* ---- watch.c: hears of new mappings while they are made ---- */

struct watch;
/* NULL when the kernel does not allow it. */
struct watch *watch_open(struct symbols *s);
int watch_fd(const struct watch *w);
void watch_read(struct watch *w);
void watch_close(struct watch *w);

/* ---- the whole ---- */

struct program;

struct symbols {
	bool kernel_read;
	struct symtab kernel;
	struct symbol_options opt;
	struct code_files files;
	struct processes *processes;
	struct watch *watch;
	struct program *programs;
};

/* usym.c: the ways to a mapped file, the best first; false: this way there is none. */
#define MAPPING_PATH 4200
#define MAPPING_WAYS 4
bool mapping_path(const struct process *p, const struct mapping *m, unsigned way, char path[MAPPING_PATH]);
/* The file that lies in a mapping, opened; NULL: none. */
struct code_file *mapping_file(struct symbols *s, const struct process *p, struct mapping *m);

/* CLOCK_MONOTONIC. */
uint64_t symbol_clock_ns(void);
void programs_free(struct symbols *s);
void kernel_symbols_read(struct symtab *t);

#endif
