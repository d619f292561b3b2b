/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code_file: the symbols of a file that processes map, read once whoever maps it, and its debugging
 * information, of which the answers are kept: the same addresses come again and again.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "base/util.h"
#include "symbol/demangle.h"
#include "symbol/eh_frame.h"
#include "symbol/elf_file.h"
#include "symbol/priv.h"

/* Frames at one address. */
#define MOST_FRAMES 16
/* Answers that are kept; when there are more, they are asked for again. */
#define MOST_ANSWERS (1u << 18)

/* Of one file; the largest programs there are have a quarter of it. */
#define MOST_SYMBOLS (4u << 20)

struct answer {
	uint64_t key; /* address, times two, plus is_return; plus one */
	uint32_t from, n; /* in frames */
};

struct code_file {
	struct code_file *next;
	dev_t dev;
	ino_t ino;
	bool is_vdso;
	struct symtab syms; /* by virtual address within the file */
	struct elf_segment *segments;
	size_t nsegments;
	struct elf_file *elf;     /* until its symbols have been read; then kept while `dwarf` is */
	bool read;
	bool unwind_read;
	struct unwind_table *unwind;
	struct dwarf_file *dwarf; /* or NULL */
	struct answer *answers;   /* open addressing */
	uint32_t nanswers, slots;
	struct symbol *frames;
	uint32_t nframes, frames_cap;
	char **texts;             /* of frames */
	uint32_t ntexts, texts_cap;
};

/* ---- reading ---- */

#define RANK_DEMANGLED 0x80000000u

/* Functions before labels, what is exported before what is not, names for people before those of the library
 * itself. */
static uint32_t rank_of(const struct elf_symbol *sym)
{
	bool code = sym->type == STT_FUNC || sym->type == STT_GNU_IFUNC;
	uint32_t bind = sym->bind == STB_GLOBAL ? 0 : sym->bind == STB_WEAK ? 1 : 2;
	uint32_t underscores = (uint32_t)strspn(sym->name, "_");

	return (code ? 0u : 64u) + bind * 16 + MIN(underscores, 15u);
}

static int symbol_take(const struct elf_symbol *sym, void *ctx)
{
	struct code_file *f = ctx;
	struct sym *s;

	/* $x and the like mark what kind of code follows */
	if (!sym->defined || !sym->addr || sym->type == STT_TLS || sym->name[0] == '$' ||
	    (sym->type == STT_NOTYPE && !sym->size && sym->bind != STB_GLOBAL))
		return 0;
	if (f->syms.n == MOST_SYMBOLS)
		return -E2BIG;
	s = symtab_add(&f->syms, sym->addr, sym->size, sym->name, strlen(sym->name));
	if (!s)
		return -ENOMEM; /* what fits is better than nothing */
	s->rank = rank_of(sym);
	return 0;
}

static void segments_copy(struct code_file *f, const struct elf_file *elf)
{
	size_t n;
	const struct elf_segment *all = elf_file_segments(elf, &n);

	f->segments = calloc(n + 1, sizeof(*f->segments));
	if (!f->segments)
		return;
	memcpy(f->segments, all, n * sizeof(*all));
	f->nsegments = n;
}

static void file_read(struct code_files *all, struct code_file *f)
{
	if (f->read || !f->elf)
		return;
	f->read = true;
	if (all->unwinds)
		code_file_unwind(f);
	segments_copy(f, f->elf);
	elf_file_each_symbol(f->elf, symbol_take, f);
	symtab_sort(&f->syms);
	all->nopen--;
	if (all->opt->debug_info && !dwarf_file_open(f->elf, NULL, &f->dwarf))
		return;
	elf_file_close(f->elf);
	f->elf = NULL;
}

const struct unwind_table *code_file_unwind(struct code_file *f)
{
	if (!f->unwind_read && f->elf) {
		f->unwind = eh_frame_read(f->elf);
		f->unwind_read = true;
	}
	return f->unwind;
}

/* Mappings begin with pages, segments anywhere in them. */
bool code_file_unwind_base(const struct code_file *f, uint64_t offset, uint64_t bytes, uint64_t *base)
{
	const struct elf_segment *segments = f->segments;
	size_t n = f->nsegments;

	if (!f->unwind)
		return false;
	if (!f->read)
		segments = elf_file_segments(f->elf, &n);
	for (size_t i = 0; i < n; i++) {
		const struct elf_segment *s = &segments[i];

		if (s->flags & PF_X && s->offset < offset + bytes && s->offset + s->bytes > offset) {
			*base = f->unwind->base - s->vaddr + s->offset - offset;
			return true;
		}
	}
	return false;
}

/* Files that are open and were not asked for yet: beyond these, descriptors might become scarce. */
#define MOST_OPEN 256

static void file_set(struct code_files *all, struct code_file *f, struct elf_file *elf)
{
	f->elf = elf;
	if (++all->nopen > MOST_OPEN)
		file_read(all, f);
}

static struct code_file *file_add(struct code_files *all)
{
	struct code_file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->syms.text = (struct strbuf)STRBUF_INIT;
	f->next = all->first;
	all->first = f;
	return f;
}

struct code_file *code_file_open(struct code_files *all, const char *path)
{
	struct code_file *f;
	struct elf_file *elf;
	const char *why;
	struct stat st;

	if (stat(path, &st))
		return NULL;
	for (f = all->first; f; f = f->next)
		if (!f->is_vdso && f->dev == st.st_dev && f->ino == st.st_ino)
			return f;
	f = file_add(all);
	if (!f)
		return NULL;
	/* kept also when it is no ELF file, so as not to be tried again */
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	if (!elf_file_open(path, &elf, &why))
		file_set(all, f, elf);
	return f;
}

/* The length of [vdso] in our own address space. */
static size_t vdso_bytes(uint64_t start)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long long from, to;
	size_t bytes = 0;
	char line[512];

	while (maps && !bytes && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%llx-%llx", &from, &to) == 2 && from == start)
			bytes = (size_t)(to - from);
	if (maps)
		fclose(maps);
	return bytes;
}

struct code_file *code_file_vdso(struct code_files *all)
{
	uint64_t start = getauxval(AT_SYSINFO_EHDR);
	size_t bytes = start ? vdso_bytes(start) : 0;
	struct elf_file *elf;
	struct code_file *f;
	const char *why;

	for (f = all->first; f; f = f->next)
		if (f->is_vdso)
			return f;
	f = file_add(all);
	if (!f)
		return NULL;
	f->is_vdso = true;
	if (bytes && !elf_file_open_memory((void *)(uintptr_t)start, bytes, &elf, &why))
		file_set(all, f, elf);
	return f;
}

void code_files_free(struct code_files *all)
{
	while (all->first) {
		struct code_file *f = all->first;

		all->first = f->next;
		symtab_free(&f->syms);
		free(f->segments);
		dwarf_file_close(f->dwarf);
		elf_file_close(f->elf);
		unwind_table_free(f->unwind);
		free(f->answers);
		free(f->frames);
		for (uint32_t i = 0; i < f->ntexts; i++)
			free(f->texts[i]);
		free(f->texts);
		free(f);
	}
}

/* ---- by symbols ---- */

/* The name is replaced in the table by what it means. */
static const char *sym_name(const struct code_files *all, struct code_file *f, struct sym *sym)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	uint32_t place;

	if (!all->opt->demangle || sym->rank & RANK_DEMANGLED)
		return f->syms.text.s + sym->name;
	sym->rank |= RANK_DEMANGLED;
	if (!demangle(f->syms.text.s + sym->name, &text) || text.failed)
		return f->syms.text.s + sym->name;
	place = symtab_text(&f->syms, text.s, text.len);
	if (place)
		sym->name = place;
	return f->syms.text.s + sym->name;
}

static bool vaddr_of(const struct code_file *f, uint64_t offset, uint64_t *vaddr)
{
	for (size_t i = 0; i < f->nsegments; i++) {
		const struct elf_segment *s = &f->segments[i];

		if (offset - s->offset < s->bytes) {
			*vaddr = offset - s->offset + s->vaddr;
			return true;
		}
	}
	return false;
}

/* ---- by debugging information ---- */

static const char *text_keep(struct code_file *f, char *text)
{
	if (f->ntexts == f->texts_cap) {
		uint32_t cap = f->texts_cap ? f->texts_cap * 2 : 64;
		char **texts = text ? realloc(f->texts, cap * sizeof(*texts)) : NULL;

		if (!texts) {
			free(text);
			return NULL;
		}
		f->texts = texts;
		f->texts_cap = cap;
	}
	if (text)
		f->texts[f->ntexts++] = text;
	return text;
}

static const char *frame_name(const struct code_files *all, struct code_file *f, const char *name)
{
	struct strbuf text = STRBUF_INIT;
	const char *kept = NULL;

	if (name && all->opt->demangle && demangle(name, &text))
		kept = text_keep(f, strbuf_take(&text));
	strbuf_free(&text);
	return kept ? kept : name;
}

static struct answer *answer_slot(const struct code_file *f, uint64_t key)
{
	uint32_t i = (uint32_t)(key * 0x9e3779b97f4a7c15ULL >> 32);

	for (;; i++) {
		struct answer *a = &f->answers[i & (f->slots - 1)];

		if (!a->key || a->key == key)
			return a;
	}
}

static void answers_drop(struct code_file *f)
{
	for (uint32_t i = 0; i < f->ntexts; i++)
		free(f->texts[i]);
	f->ntexts = f->nanswers = f->nframes = 0;
	memset(f->answers, 0, f->slots * sizeof(*f->answers));
}

static bool answers_room(struct code_file *f)
{
	uint32_t slots = f->slots ? f->slots * 2 : 256;
	struct answer *old = f->answers, *grown;
	uint32_t n = f->slots;

	if (f->nanswers * 2 < f->slots)
		return true;
	if (slots > MOST_ANSWERS) {
		answers_drop(f);
		return true;
	}
	grown = calloc(slots, sizeof(*grown));
	if (!grown)
		return false;
	f->answers = grown;
	f->slots = slots;
	for (uint32_t i = 0; i < n; i++)
		if (old[i].key)
			*answer_slot(f, old[i].key) = old[i];
	free(old);
	return true;
}

static bool frames_room(struct code_file *f)
{
	uint32_t cap = f->frames_cap ? f->frames_cap * 2 : 256;
	struct symbol *frames;

	if (f->nframes + MOST_FRAMES <= f->frames_cap)
		return true;
	frames = realloc(f->frames, cap * sizeof(*frames));
	if (!frames)
		return false;
	f->frames = frames;
	f->frames_cap = cap;
	return true;
}

/* What debugging information says of an address, kept. */
static const struct answer *answer_of(const struct code_files *all, struct code_file *f, uint64_t vaddr, bool is_return)
{
	struct dwarf_frame frames[MOST_FRAMES];
	uint64_t key = (vaddr << 1 | is_return) + 1;
	struct answer *a;

	if (!answers_room(f) || !frames_room(f))
		return NULL;
	a = answer_slot(f, key);
	if (a->key)
		return a;
	f->nanswers++;
	*a = (struct answer){ key, f->nframes, dwarf_frames(f->dwarf, vaddr - is_return, frames, MOST_FRAMES) };
	for (uint32_t i = 0; i < a->n; i++)
		f->frames[f->nframes++] = (struct symbol){
			.name = frames[i].inlined ? frame_name(all, f, frames[i].name) : NULL,
			.file = frames[i].file, .line = frames[i].line, .inlined = frames[i].inlined,
		};
	return a;
}

uint32_t code_file_frames(struct code_files *all, struct code_file *f, uint64_t offset, bool is_return,
			  struct symbol *out, uint32_t max)
{
	const struct answer *a;
	struct sym *sym;
	uint64_t vaddr;
	uint32_t n = 0;

	file_read(all, f);
	if (!vaddr_of(f, offset, &vaddr) || !max)
		return 0;
	sym = symtab_find(&f->syms, vaddr);
	if (!sym)
		return 0;
	a = f->dwarf && all->opt->debug_info && vaddr ? answer_of(all, f, vaddr, is_return && vaddr > sym->addr) : NULL;
	for (uint32_t i = 0; a && i + 1 < a->n && n + 1 < max; i++)
		out[n++] = f->frames[a->from + i];
	out[n] = (struct symbol){ .name = sym_name(all, f, sym), .offset = vaddr - sym->addr };
	if (a && a->n) {
		out[n].file = f->frames[a->from + a->n - 1].file;
		out[n].line = f->frames[a->from + a->n - 1].line;
	}
	return n + 1;
}
