/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elf_file: an ELF file, its symbols, segments and separate debug file. Contents are taken as hostile:
 * what is broken is left out or refused with a reason, and nothing is mapped, so that a file that is cut
 * short meanwhile does no harm.
 */
#ifndef SONDE_SYMBOL_ELF_FILE_H
#define SONDE_SYMBOL_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct elf_file;
struct Elf;

/* A symbol with a name. */
struct elf_symbol {
	const char *name;   /* without its version */
	bool stays;         /* the name does, until the file is closed; else it is valid during the call */
	uint64_t addr, size;
	uint8_t type, bind; /* STT_*, STB_* */
	bool defined;       /* false: another file has it */
};

/* A part of the file that is loaded. */
struct elf_segment {
	uint64_t offset, vaddr, bytes; /* in the file */
	uint64_t mem_bytes;
	uint32_t flags;                /* PF_X, PF_W, PF_R */
};

/*
 * Open a program or library. 0, or a negative errno with *why saying what is wrong ("it is no ELF file";
 * not freed): only what elf_file_foreign() tells is no reason to refuse. Ended by elf_file_close().
 */
int elf_file_open(const char *path, struct elf_file **out, const char **why);
/* The same of a file that is in memory, which stays the caller's. For tests. */
int elf_file_open_memory(void *data, size_t len, struct elf_file **out, const char **why);
void elf_file_close(struct elf_file *f);

/* What it was opened as. */
const char *elf_file_path(const struct elf_file *f);
/* Which file it is, whatever its path. */
dev_t elf_file_dev(const struct elf_file *f);
ino_t elf_file_ino(const struct elf_file *f);
/* For libelf and libdw; it and its descriptor stay the file's. */
struct Elf *elf_file_elf(const struct elf_file *f);

/* NULL when it is for this machine, else which one it is for: "32-bit x86". */
const char *elf_file_foreign(const struct elf_file *f);
/* Is it a program or library, not a .o file or a core? */
bool elf_file_is_loadable(const struct elf_file *f);
/* Are addresses final (not a PIE or a library)? */
bool elf_file_is_fixed(const struct elf_file *f);
/* Is there a full symbol table (in the file or its debug file), or only the names that are exported? */
bool elf_file_has_symtab(struct elf_file *f);

/* Its loaded segments. */
const struct elf_segment *elf_file_segments(const struct elf_file *f, size_t *n);
/* Where a virtual address lies in the file, within a segment that has these flags. False: nowhere. */
bool elf_file_offset(const struct elf_file *f, uint64_t vaddr, uint32_t flags, uint64_t *offset);
/* And back. */
bool elf_file_vaddr(const struct elf_file *f, uint64_t offset, uint32_t flags, uint64_t *vaddr);

/* The bytes of a section, uncompressed; NULL: there is none. Owned by the file. */
const void *elf_file_section(struct elf_file *f, const char *name, size_t *len, uint64_t *vaddr);
/* `len` bytes at a place in the file (code, above all). False when they are not all there. */
bool elf_file_read(const struct elf_file *f, uint64_t offset, void *to, size_t len);

/* NULL when it has none. */
const uint8_t *elf_file_build_id(const struct elf_file *f, size_t *len);
/*
 * The separate debug file, found by build-id (/usr/lib/debug/.build-id) or .gnu_debuglink, looked for below
 * the root directory of a /proc/PID/root path first. NULL: there is none. Owned by the file.
 */
struct elf_file *elf_file_debug(struct elf_file *f);
/* Directories, with ':' between them, in which separate debug files are looked for first; or NULL. For the whole process. */
extern const char *elf_debug_dirs;

/*
 * Call fn for every symbol that has a name and is a function, data or of no type: .symtab (that of the
 * debug file when the file has none, and that in .gnu_debugdata), then .dynsym; so many come twice.
 * Stops when fn returns non-zero and returns that.
 */
int elf_file_each_symbol(struct elf_file *f, int (*fn)(const struct elf_symbol *sym, void *ctx), void *ctx);

#endif
