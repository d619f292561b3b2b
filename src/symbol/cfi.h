/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cfi: the records of call frame information and the little programs in them, one step at a time. */
#ifndef SONDE_SYMBOL_CFI_H
#define SONDE_SYMBOL_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number of saved states; compilers need two. */
#define CFI_MOST_DEPTH 16

struct cfi_reader {
	const uint8_t *at, *end;
};

enum cfi_base { CFI_RSP, CFI_RBP, CFI_AT_RBP, CFI_STUB, CFI_OTHER };

/* Where the registers of the caller are. */
struct cfi_state {
	enum cfi_base cfa;
	int64_t offset; /* from the base; CFI_STUB: the byte from which on a word has been pushed */
	uint32_t saved; /* words below the CFA lies rbp; 0: it is unchanged; with CFI_AT_RBP 1: at rbp itself */
	bool no_caller;
};

struct cfi_cie {
	const uint8_t *at; /* NULL: none has been read */
	uint64_t code_align;
	int64_t data_align;
	uint8_t encoding; /* of addresses of functions */
	bool has_augmentation, is_signal, ok;
	struct cfi_state initial;
};

struct unwind_table;

struct cfi {
	const uint8_t *data;
	size_t bytes;
	uint64_t vaddr;
	bool is_eh; /* .eh_frame, not .debug_frame */
	struct cfi_reader record; /* the one at hand, without its length */
	struct cfi_cie cie;
	struct cfi_state stack[CFI_MOST_DEPTH];
	uint32_t depth;
	struct unwind_table *table;
	uint64_t nfunctions, nframes;
};

/* The next record, into c->record. False at the end. */
bool cfi_next(struct cfi *c, struct cfi_reader *r);
/* Is it the record of a function? Then where that is, and its program; its CIE is in c->cie. */
bool cfi_function(struct cfi *c, struct cfi_reader *code, uint64_t *begin, uint64_t *bytes);
/* Run until the address goes on from *pc, or to the end. False: it is broken. */
bool cfi_run(struct cfi *c, struct cfi_reader *code, struct cfi_state *s, uint64_t *pc);

#endif
