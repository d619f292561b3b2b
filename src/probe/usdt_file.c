/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Usdt_file: notes of an ELF file, with addresses turned into places in the file. */
#include "probe/usdt_file.h"

#include <elf.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/util.h"
#include "probe/usdt_note.h"
#include "symbol/elf_file.h"

#define SECTION_NOTES ".note.stapsdt"
#define SECTION_BASE ".stapsdt.base"

struct reading {
	struct usdt_file *file;
	const struct elf_file *elf;
	size_t room;
	bool has_base;
	uint64_t base; /* where the base lies now: what notes say was before prelink moved the file */
};

static int site_add(const struct usdt_note *note, void *ctx)
{
	struct reading *r = ctx;
	struct usdt_file *f = r->file;
	uint64_t moved = r->has_base && note->base ? r->base - note->base : 0;
	struct usdt_site s = { note->provider, note->name, note->args, .address = note->location + moved };

	/* Without code at the place there is nothing to stop at. */
	if (!elf_file_offset(r->elf, s.address, PF_X, &s.offset))
		return 0;
	if (note->semaphore && !elf_file_offset(r->elf, note->semaphore + moved, PF_W, &s.semaphore))
		s.lost_semaphore = true;
	if (f->nsites == r->room) {
		size_t room = r->room ? r->room * 2 : 64;
		struct usdt_site *grown = reallocarray(f->sites, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		f->sites = grown;
		r->room = room;
	}
	f->sites[f->nsites++] = s;
	return 0;
}

static int compare_names(const struct usdt_site *a, const struct usdt_site *b)
{
	int c = strcmp(a->provider, b->provider);

	return c ? c : strcmp(a->name, b->name);
}

static int compare_sites(const void *x, const void *y)
{
	const struct usdt_site *a = x, *b = y;
	int c = compare_names(a, b);

	return c ? c : a->address < b->address ? -1 : a->address > b->address;
}

static void sites_sort(struct usdt_file *f)
{
	size_t n = 0;

	if (!f->nsites)
		return;
	if (f->nsites > 1)
		qsort(f->sites, f->nsites, sizeof(*f->sites), compare_sites);
	for (size_t i = 1; i < f->nsites; i++)
		if (compare_sites(&f->sites[i], &f->sites[n]))
			f->sites[++n] = f->sites[i];
	f->nsites = n + 1;
}

static int notes_read(struct usdt_file *f, struct elf_file *elf)
{
	struct reading r = { .file = f, .elf = elf };
	size_t len, base_len;
	const void *data = elf_file_section(elf, SECTION_NOTES, &len, NULL);
	int err;

	if (!data)
		return 0;
	f->text = malloc(len);
	if (!f->text)
		return -ENOMEM;
	memcpy(f->text, data, len);
	r.has_base = elf_file_section(elf, SECTION_BASE, &base_len, &r.base);
	err = usdt_notes_each(f->text, len, site_add, &r);
	if (!err)
		sites_sort(f);
	return err;
}

static int file_fill(struct usdt_file *f, struct elf_file *elf, const char **why)
{
	const char *foreign = elf_file_foreign(elf);

	f->dev = elf_file_dev(elf);
	f->ino = elf_file_ino(elf);
	f->is_fixed = elf_file_is_fixed(elf);
	f->path = strdup(elf_file_path(elf));
	*why = "there is no memory for it";
	if (!f->path)
		return -ENOMEM;
	if (foreign) {
		*why = "it is built for another machine";
		return -ENOEXEC;
	}
	return notes_read(f, elf);
}

int usdt_file_read(const char *path, struct usdt_file **out, const char **why)
{
	struct usdt_file *f;
	struct elf_file *elf;
	int err = elf_file_open(path, &elf, why);

	if (err)
		return err;
	f = calloc(1, sizeof(*f));
	*why = "there is no memory for it";
	err = f ? file_fill(f, elf, why) : -ENOMEM;
	elf_file_close(elf);
	if (err)
		usdt_file_free(f);
	else
		*out = f;
	return err;
}

void usdt_file_free(struct usdt_file *f)
{
	if (!f)
		return;
	free(f->path);
	free(f->sites);
	free(f->text);
	free(f);
}

size_t usdt_file_find(const struct usdt_file *f, const char *provider, const char *name)
{
	const struct usdt_site wanted = { .provider = provider, .name = name };
	size_t low = 0, high = f->nsites;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_names(&f->sites[mid], &wanted) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < f->nsites && !compare_names(&f->sites[low], &wanted) ? low : f->nsites;
}

size_t usdt_file_next(const struct usdt_file *f, size_t i)
{
	size_t j = i + 1;

	while (j < f->nsites && !compare_names(&f->sites[i], &f->sites[j]))
		j++;
	return j;
}

struct search {
	const char *name;
	uint64_t address;
	bool found;
};

static int symbol_look(const struct elf_symbol *sym, void *ctx)
{
	struct search *s = ctx;

	if (!sym->defined || strcmp(sym->name, s->name) || sym->type == STT_TLS)
		return 0;
	if (s->found && s->address != sym->addr)
		return 1;
	s->found = true;
	s->address = sym->addr;
	return 0;
}

bool usdt_file_symbol(const struct usdt_file *f, const char *name, uint64_t *address)
{
	struct search s = { .name = name };
	struct elf_file *elf;
	const char *why;
	int r;

	if (elf_file_open(f->path, &elf, &why))
		return false;
	r = elf_file_each_symbol(elf, symbol_look, &s);
	elf_file_close(elf);
	*address = s.address;
	return !r && s.found;
}
