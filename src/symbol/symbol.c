/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Symbol: sorted tables of symbols, and the names of the kernel. */
#include "symbol/symbol.h"

#include <stdlib.h>
#include <time.h>

#include "base/util.h"
#include "symbol/priv.h"

/* ---- tables ---- */

struct sym *symtab_add(struct symtab *t, uint64_t addr, uint64_t size, const char *name, size_t name_len)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 256;
		struct sym *syms = realloc(t->syms, cap * sizeof(*syms));

		if (!syms)
			return NULL;
		t->syms = syms;
		t->cap = cap;
	}
	t->syms[t->n] = (struct sym){ .addr = addr, .size = (uint32_t)MIN(size, (uint64_t)UINT32_MAX),
				      .name = symtab_text(t, name, name_len) };
	return t->text.failed ? NULL : &t->syms[t->n++];
}

uint32_t symtab_text(struct symtab *t, const char *text, size_t len)
{
	uint32_t place;

	if (!t->text.len)
		strbuf_addch(&t->text, 0);
	place = (uint32_t)t->text.len;
	if (t->text.len + len > UINT32_MAX)
		return 0;
	strbuf_add(&t->text, text, len);
	strbuf_addch(&t->text, 0);
	return t->text.failed ? 0 : place;
}

static int sym_compare(const void *pa, const void *pb)
{
	const struct sym *a = pa, *b = pb;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->name < b->name ? -1 : a->name > b->name;
}

void symtab_sort(struct symtab *t)
{
	size_t n = 0;

	if (t->n < 2)
		return;
	if (t->n > 1)
		qsort(t->syms, t->n, sizeof(*t->syms), sym_compare);
	for (size_t i = 1; i < t->n; i++)
		if (t->syms[i].addr != t->syms[n].addr)
			t->syms[++n] = t->syms[i];
	t->n = n + 1;
	if (t->n < t->cap / 2) {
		struct sym *less = realloc(t->syms, t->n * sizeof(*less));

		if (less) {
			t->syms = less;
			t->cap = t->n;
		}
	}
}

/* A label within a function has no size: this far back the function is looked for. */
#define MOST_LABELS 32

/* The first symbol behind the address. */
static size_t sym_after(const struct symtab *t, uint64_t addr)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->syms[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct sym *symtab_find(const struct symtab *t, uint64_t addr)
{
	size_t after = sym_after(t, addr);

	for (size_t i = after; i && after - i < MOST_LABELS; i--)
		if (addr - t->syms[i - 1].addr < t->syms[i - 1].size)
			return &t->syms[i - 1];
	return after && !t->syms[after - 1].size ? &t->syms[after - 1] : NULL;
}

struct sym *symtab_find_latest(const struct symtab *t, uint64_t addr)
{
	size_t after = sym_after(t, addr);
	struct sym *found = NULL;

	for (size_t i = after; i && after - i < MOST_LABELS; i--) {
		struct sym *sym = &t->syms[i - 1];

		if (addr - sym->addr < sym->size && (!found || sym->rank < found->rank))
			found = sym;
	}
	return found;
}

void symtab_free(struct symtab *t)
{
	free(t->syms);
	strbuf_free(&t->text);
	*t = (struct symtab){ .text = STRBUF_INIT };
}

/* ---- the whole ---- */

uint64_t symbol_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

struct symbols *symbols_new(void)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->kernel.text = (struct strbuf)STRBUF_INIT;
	s->opt.demangle = true;
	s->files.opt = &s->opt;
	s->processes = processes_new();
	if (s->processes)
		return s;
	free(s);
	return NULL;
}

void symbols_configure(struct symbols *s, const struct symbol_options *opt)
{
	s->opt = *opt;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	watch_close(s->watch);
	symtab_free(&s->kernel);
	processes_free(s->processes);
	code_files_free(&s->files);
	programs_free(s);
	free(s);
}

bool symbol_kernel(struct symbols *s, uint64_t addr, struct symbol *out)
{
	const struct sym *sym;

	if (!s->kernel_read)
		kernel_symbols_read(&s->kernel);
	s->kernel_read = true;
	sym = symtab_find(&s->kernel, addr);
	if (!sym)
		return false;
	*out = (struct symbol){
		.name = s->kernel.text.s + sym->name,
		.module = sym->module ? s->kernel.text.s + sym->module : NULL,
		.offset = addr - sym->addr,
	};
	return true;
}
