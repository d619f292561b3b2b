/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eh_frame: call frame information to rows. Format: System V ABI, "DWARF extensions" of the LSB, and DWARF 5,
 * section 6.4. Only the rules for the CFA, rbp and the return address are followed.
 */
#include "symbol/eh_frame.h"

#include <elf.h>
#include <stdlib.h>

#include "base/util.h"
#include "code/unwind.h"
#include "symbol/cfi.h"
#include "symbol/elf_file.h"

/* 32 MiB; a web browser has two million. */
#define MOST_ROWS (4u << 20)
/* The room between two functions. */
#define PADDING 16

/* ---- rows ---- */

static bool row_add(struct cfi *c, uint64_t pc, uint32_t rule)
{
	struct unwind_table *t = c->table;

	if (pc < t->base || pc - t->base > UINT32_MAX - 1)
		return true; /* not in this file's code */
	if (t->n == t->cap) {
		uint32_t cap = t->cap ? t->cap * 2 : 256;
		struct unwind_row *rows = cap <= MOST_ROWS ? realloc(t->rows, cap * sizeof(*rows)) : NULL;

		t->cut |= !rows;
		if (!rows)
			return false;
		t->rows = rows;
		t->cap = cap;
	}
	t->rows[t->n++] = (struct unwind_row){ (uint32_t)(pc - t->base), rule };
	return true;
}

static bool is_gap(const struct unwind_row *r)
{
	return r->rule == UNWIND_RULE_SPECIAL(UNWIND_GAP);
}

/* What is known comes behind what is not. */
static int row_compare(const void *pa, const void *pb)
{
	const struct unwind_row *a = pa, *b = pb;

	if (a->pc != b->pc)
		return a->pc < b->pc ? -1 : 1;
	return is_gap(b) - is_gap(a);
}

/* One row for each address, none that says what the one before it says, no gap that is mere padding. */
static void rows_tidy(struct unwind_table *t)
{
	uint32_t n = 0;

	if (t->n > 1)
		qsort(t->rows, t->n, sizeof(*t->rows), row_compare);
	for (uint32_t i = 0; i < t->n; i++) {
		const struct unwind_row *r = &t->rows[i];

		if (i + 1 < t->n && (r[1].pc == r->pc || (is_gap(r) && r[1].pc - r->pc < PADDING)))
			continue;
		if (n && t->rows[n - 1].rule == r->rule)
			continue;
		t->rows[n++] = *r;
	}
	t->n = n;
}

/* ---- one function ---- */

static uint32_t rule_of(const struct cfi *c, const struct cfi_state *s)
{
	bool is_base = s->cfa == CFI_RSP || s->cfa == CFI_RBP || s->cfa == CFI_AT_RBP;
	int64_t words = (s->cfa == CFI_AT_RBP ? -s->offset : s->offset) / 8;

	if (c->cie.is_signal)
		return UNWIND_RULE_SPECIAL(UNWIND_SIGNAL);
	if (s->no_caller)
		return UNWIND_RULE_SPECIAL(UNWIND_END);
	if (s->cfa == CFI_STUB)
		return UNWIND_RULE_SPECIAL(s->offset == 10 ? UNWIND_STUB_10 : UNWIND_STUB_11);
	if (!is_base || s->offset % 8 || words < 0 || words > UNWIND_MOST_WORDS)
		return UNWIND_RULE_SPECIAL(UNWIND_UNKNOWN);
	return UNWIND_RULE(s->cfa == CFI_RSP ? UNWIND_RSP : s->cfa == CFI_RBP ? UNWIND_RBP : UNWIND_AT_RBP,
			   s->saved, words);
}

/* Of the functions that call others: do they keep frame pointers? */
static void function_note(struct cfi *c, bool frames, bool has_frame)
{
	c->nfunctions += has_frame;
	c->nframes += frames;
}

static void function_rows(struct cfi *c, struct cfi_reader *code, uint64_t begin, uint64_t bytes)
{
	struct cfi_state state = c->cie.initial;
	uint64_t pc = begin, next = begin;
	bool frames = false, has_frame = false, is_stub = false;

	if (!bytes || begin + bytes < begin)
		return;
	c->depth = 0;
	do {
		pc = next;
		if (!cfi_run(c, code, &state, &next) || next < pc) {
			next = pc;
			state.cfa = CFI_OTHER;
			break;
		}
		is_stub |= state.cfa == CFI_STUB;
		frames |= state.cfa == CFI_RBP;
		has_frame |= state.cfa == CFI_RBP || (state.cfa == CFI_RSP && state.offset > 16);
		if (next > pc && !row_add(c, pc, rule_of(c, &state)))
			return;
	} while (next < begin + bytes && code->at < code->end);
	if (next < begin + bytes && !row_add(c, next, rule_of(c, &state)))
		return;
	row_add(c, begin + bytes, UNWIND_RULE_SPECIAL(UNWIND_GAP));
	if (!is_stub)
		function_note(c, frames, has_frame);
}

/* ---- a section ---- */

static void section_read(struct cfi *c)
{
	struct cfi_reader r = { c->data, c->data + c->bytes };
	uint64_t begin, bytes;

	while (cfi_next(c, &r)) {
		struct cfi_reader code;

		if (cfi_function(c, &code, &begin, &bytes))
			function_rows(c, &code, begin, bytes);
		if (c->table->cut)
			return;
	}
}

static bool section_open(struct cfi *c, struct elf_file *f, const char *name, bool is_eh)
{
	size_t len;

	c->data = elf_file_section(f, name, &len, &c->vaddr);
	c->bytes = len;
	c->is_eh = is_eh;
	return c->data != NULL;
}

static uint64_t code_begin(const struct elf_file *f)
{
	size_t n;
	const struct elf_segment *s = elf_file_segments(f, &n);
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < n; i++)
		if (s[i].flags & PF_X)
			first = MIN(first, s[i].vaddr);
	return first == UINT64_MAX ? 0 : first & ~0xfffULL;
}

struct unwind_table *eh_frame_read(struct elf_file *f)
{
	struct unwind_table *t = UNWIND_HERE && !elf_file_foreign(f) ? calloc(1, sizeof(*t)) : NULL;
	struct cfi c = { .table = t };

	if (!t)
		return NULL;
	t->base = code_begin(f);
	if (section_open(&c, f, ".eh_frame", true))
		section_read(&c);
	if (!t->n && section_open(&c, f, ".debug_frame", false))
		section_read(&c);
	if (!t->n) {
		unwind_table_free(t);
		return NULL;
	}
	rows_tidy(t);
	t->frame_pointers = c.nframes * 10 >= c.nfunctions * 9;
	return t;
}

void unwind_table_free(struct unwind_table *t)
{
	if (!t)
		return;
	free(t->rows);
	free(t);
}

uint32_t unwind_table_rule(const struct unwind_table *t, uint64_t vaddr)
{
	uint32_t low = 0, high = t->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (t->base + t->rows[mid].pc <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? t->rows[low - 1].rule : UNWIND_RULE_SPECIAL(UNWIND_GAP);
}
