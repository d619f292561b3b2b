/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the ELF writer (object_elf.c) and the writer of BTF (object_btf.c). */
#ifndef SONDE_CODE_OBJECT_PRIV_H
#define SONDE_CODE_OBJECT_PRIV_H

#include "base/strbuf.h"
#include "code/object.h"

/* Programs of one ELF section, one after the other. */
struct object_section {
	const char *name;
	VEC(uint32_t) progs; /* indices into object.progs */
	uint32_t bytes;
};

/* Where things lie in the file; made by layout before anything is written. */
struct object_layout {
	VEC(struct object_section) sections;
	uint32_t *prog_section; /* per program: index into sections */
	uint32_t *prog_offset;  /* per program: bytes from the start of its section */
};

#define TEXT_SECTION ".text"
/* Offset of map i within .maps: each definition has a slot of the same size, so that no two maps share
 * a place (libbpf finds a map by section and offset). */
#define MAP_DEF_BYTES 64u

/* The one variable of .bss. */
#define BSS_SYMBOL "sonde_bss"

/* The contents of .BTF and .BTF.ext. 0 or a negative errno. The buffers are the caller's. */
int object_btf_write(const struct object *o, const struct object_layout *l, struct strbuf *btf,
		     struct strbuf *ext);

/* Link what is imported to the file, which is replaced. 0 or a negative errno after a report. */
int object_link(const struct object *o, const struct reporter *r, void **elf, size_t *elf_bytes);
/* The bytes of a file, in memory of their own. */
int object_file_take(int fd, void **data, size_t *len);

#endif
