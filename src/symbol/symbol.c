/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Symbol: sorted tables of symbols, and the two places they are read from. */
#include "symbol/symbol.h"

#include <stdlib.h>

#include "base/util.h"
#include "symbol/priv.h"

bool symtab_add(struct symtab *t, uint64_t addr, uint64_t size, const char *name, size_t name_len)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 256;
		struct sym *syms = realloc(t->syms, cap * sizeof(*syms));

		if (!syms)
			return false;
		t->syms = syms;
		t->cap = cap;
	}
	t->syms[t->n] = (struct sym){ .addr = addr, .size = size, .name = symtab_text(t, name, name_len) };
	t->n++;
	return !t->text.failed;
}

uint32_t symtab_text(struct symtab *t, const char *text, size_t len)
{
	uint32_t place;

	if (!t->text.len)
		strbuf_addch(&t->text, 0);
	place = (uint32_t)t->text.len;
	strbuf_add(&t->text, text, len);
	strbuf_addch(&t->text, 0);
	return t->text.failed ? 0 : place;
}

/* By address; of several at one address the first stays in front, and is the one that is shown. */
static int sym_compare(const void *pa, const void *pb)
{
	const struct sym *a = pa, *b = pb;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return a->name < b->name ? -1 : a->name > b->name;
}

void symtab_sort(struct symtab *t)
{
	if (t->n > 1)
		qsort(t->syms, t->n, sizeof(*t->syms), sym_compare);
}

const struct sym *symtab_find(const struct symtab *t, uint64_t addr)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->syms[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return NULL;
	low--;
	while (low && t->syms[low - 1].addr == t->syms[low].addr)
		low--;
	if (t->syms[low].size && addr - t->syms[low].addr >= t->syms[low].size)
		return NULL;
	return &t->syms[low];
}

void symtab_free(struct symtab *t)
{
	free(t->syms);
	strbuf_free(&t->text);
	*t = (struct symtab){ .text = STRBUF_INIT };
}

struct symbols *symbols_new(void)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (s)
		s->kernel.text = (struct strbuf)STRBUF_INIT;
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	symtab_free(&s->kernel);
	user_symbols_free(s->user);
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

bool symbol_user(struct symbols *s, uint32_t pid, uint64_t addr, struct symbol *out)
{
	*out = (struct symbol){ 0 };
	return user_symbol_find(&s->user, pid, addr, out);
}
