/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dwarf, inside: what its files share. */
#ifndef SONDE_SYMBOL_DWARF_PRIV_H
#define SONDE_SYMBOL_DWARF_PRIV_H

#include <dwarf.h>

#include "base/arena.h"
#include "base/strmap.h"
#include "symbol/dwarf.h"
#include "symbol/dwlib.h"
#include "symbol/elf_file.h"

/* How deep entries may be nested before the rest is not looked at. */
#define DW_MOST_DEPTH 64

struct dw_func {
	uint64_t low, high;
	Dwarf_Die die;
};

struct dw_unit {
	Dwarf_Die skeleton; /* has the lines */
	Dwarf_Die die;      /* has everything else: another one only when debugging information is split */
	struct dw_func *funcs; /* sorted; read when the unit is first asked for an address */
	uint32_t nfuncs;
	bool funcs_read;
};

/* Addresses that a unit covers. */
struct dw_range {
	uint64_t low, high;
	uint32_t unit;
};

struct dw_type; /* a type that has been made, by the place of its entry */

struct dwarf_file {
	const struct dwlib *dw;
	struct elf_file *file; /* not owned */
	int fd;                /* of `elf`, when that is our own */
	Elf *elf;              /* our own, or NULL */
	Dwarf *dbg;
	Dwarf_CFI *cfi, *eh;   /* call frames: of .debug_frame, owned by dbg; of .eh_frame, ours */
	bool cfi_read;
	struct dw_unit *units;
	uint32_t nunits;
	struct dw_range *ranges; /* sorted by low */
	uint32_t nranges;
	struct arena *arena;   /* of types and of `memo` */
	struct dw_type *memo;
	uint32_t nmemo, memo_slots, depth;
	struct strmap names;   /* types by name, also those that there are not */
};

/* ---- entries ---- */
const char *dw_name(const struct dwarf_file *d, Dwarf_Die *die); /* or NULL */
/* A number that an attribute says, also through the entry that this one is a copy of. */
bool dw_number(const struct dwarf_file *d, Dwarf_Die *die, unsigned attr, uint64_t *out);
bool dw_flag(const struct dwarf_file *d, Dwarf_Die *die, unsigned attr);
/* The entry an attribute refers to. */
bool dw_refer(const struct dwarf_file *d, Dwarf_Die *die, unsigned attr, Dwarf_Die *out);
/* Call fn for each child; stops when fn returns false and returns that. */
bool dw_children(const struct dwarf_file *d, Dwarf_Die *die, bool (*fn)(Dwarf_Die *child, void *ctx), void *ctx);

/* ---- places ---- */
struct dw_unit *dw_unit_at(struct dwarf_file *d, uint64_t vaddr);
/* The function (not an inlined copy) that holds the address. */
const struct dw_func *dw_func_at(struct dwarf_file *d, uint64_t vaddr, struct dw_unit **unit);
/* The innermost inlined copy at an address within `die`; that itself when there is none. */
void *dw_scope_at(struct dwarf_file *d, const struct dw_func *f, uint64_t vaddr);
/* The functions of a unit, sorted by address. */
void dw_unit_funcs(struct dwarf_file *d, struct dw_unit *u);

/* ---- types ---- */
/* Inside a guarded call (the arena may jump). */
const struct type *dw_type_of(struct dwarf_file *d, Dwarf_Die *die);
/* The type an entry has by DW_AT_type; type_none: void. */
const struct type *dw_type_at(struct dwarf_file *d, Dwarf_Die *die);
/* In C: "const struct foo *". */
const char *dw_type_text(struct dwarf_file *d, Dwarf_Die *die);
/* Without typedefs and qualifiers. */
bool dw_peel(const struct dwarf_file *d, Dwarf_Die *die);

#endif
