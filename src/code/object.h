/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Object: the maps, data and programs of a question, and the ELF file they become. The file is what any
 * libbpf program can load: .maps described in BTF, .BTF, .BTF.ext with function and line information,
 * a license, one section per program.
 */
#ifndef SONDE_CODE_OBJECT_H
#define SONDE_CODE_OBJECT_H

#include "base/report.h"
#include "code/ir.h"
#include "lang/tree.h"

struct object_map {
	const char *name;      /* ELF and kernel name: at most 15 bytes are kept by the kernel */
	uint32_t type;         /* BPF_MAP_TYPE_* */
	uint32_t key_bytes, value_bytes, max_entries, flags;
	/* For the BTF of key and value, so that bpftool can print them; NULL: an array of bytes. */
	const struct type *key, *value;
};

struct object_prog {
	const char *section; /* ELF section; NULL for subprograms (.text) */
	struct code code;
};

#define KFUNC_MOST_PARAMS 5

/*
 * A function of the kernel that programs call. Its types, as the loader compares them with the kernel's: "int" for
 * any number, "void", or the name of a struct for a pointer to it.
 */
struct object_kfunc {
	const char *name;
	const char *ret;
	const char *params[KFUNC_MOST_PARAMS]; /* NULL behind the last */
	const struct c_function *linked; /* not the kernel's but of an object that is linked: it has the types */
};

struct object {
	struct arena *arena;
	const struct sources *sources; /* for line info */
	const char *license;
	VEC(struct object_map) maps;
	VEC(struct object_prog) progs; /* subprograms too; the number is what IR_FUNC means */
	VEC(const struct object_kfunc *) kfuncs; /* each once */
	VEC(uint8_t) rodata;           /* constant data; IR_RODATA offsets */
	uint32_t bss_bytes;            /* zero at the start; IR_BSS offsets */
	VEC(const struct c_object *) links; /* linked to it when it is written */
};

/* Add bytes to .rodata at an aligned offset; equal runs are kept once. Returns the offset. */
uint32_t object_rodata(struct object *o, const void *data, uint32_t len, uint32_t align);

/* The ELF file, in memory the caller frees with free(). 0 or a negative errno after a report. */
int object_write(const struct object *o, const struct reporter *r, void **elf, size_t *elf_bytes);

struct strbuf;
/* The sections, symbols, relocations and BTF of an ELF file made by object_write(), as text. */
int object_dump(const void *elf, size_t elf_bytes, struct strbuf *out);

#endif
