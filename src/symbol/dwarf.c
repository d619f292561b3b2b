/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dwarf: opening, units and functions by address, and the copies of functions that were inlined. */
#include "symbol/dwarf_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <sys/stat.h>

#include "base/util.h"

#define MOST_UNITS (1u << 20)
#define MOST_RANGES (1u << 24)

/* ---- entries ---- */

const char *dw_name(const struct dwarf_file *d, Dwarf_Die *die)
{
	return d->dw->diename(die);
}

bool dw_number(const struct dwarf_file *d, Dwarf_Die *die, unsigned attr, uint64_t *out)
{
	Dwarf_Attribute at;
	Dwarf_Word v;

	if (!d->dw->attr_integrate(die, attr, &at) || d->dw->formudata(&at, &v))
		return false;
	*out = v;
	return true;
}

bool dw_flag(const struct dwarf_file *d, Dwarf_Die *die, unsigned attr)
{
	Dwarf_Attribute at;
	bool flag = false;

	return d->dw->attr_integrate(die, attr, &at) && !d->dw->formflag(&at, &flag) && flag;
}

bool dw_refer(const struct dwarf_file *d, Dwarf_Die *die, unsigned attr, Dwarf_Die *out)
{
	Dwarf_Attribute at;

	return d->dw->attr_integrate(die, attr, &at) && d->dw->formref_die(&at, out);
}

bool dw_children(const struct dwarf_file *d, Dwarf_Die *die, bool (*fn)(Dwarf_Die *child, void *ctx), void *ctx)
{
	Dwarf_Die child;

	if (d->dw->child(die, &child))
		return true;
	do {
		if (!fn(&child, ctx))
			return false;
	} while (!d->dw->siblingof(&child, &child));
	return true;
}

/* ---- opening ---- */

/*
 * libdw keeps whole sections in memory. Where they are large the file is mapped instead of read, so that
 * only what is looked at costs memory; small ones are read, because a mapped file must not be cut short.
 */
#define READ_MOST_BYTES (32 << 20)

static Elf *elf_for(struct dwarf_file *d, struct elf_file *f)
{
	struct stat st;

	if (stat(elf_file_path(f), &st) || st.st_size <= READ_MOST_BYTES)
		return (Elf *)elf_file_elf(f);
	d->fd = open(elf_file_path(f), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	/* only if it is still the same file */
	if (d->fd >= 0 && !fstat(d->fd, &st) && st.st_dev == elf_file_dev(f) && st.st_ino == elf_file_ino(f))
		d->elf = elf_begin(d->fd, ELF_C_READ_MMAP, NULL);
	return d->elf ? d->elf : (Elf *)elf_file_elf(f);
}

/* The next section that has something in the file, and its name; NULL: that was the last. */
static Elf_Scn *section_next(Elf *elf, Elf_Scn *scn, const char **name)
{
	GElf_Shdr sh;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		*name = gelf_getshdr(scn, &sh) && sh.sh_type != SHT_NOBITS ? elf_strptr(elf, names, sh.sh_name) : NULL;
		if (*name)
			return scn;
	}
	return NULL;
}

/* What has no such section is not worth loading a library for. */
static bool has_debug_info(struct elf_file *f)
{
	Elf *elf = (Elf *)elf_file_elf(f);
	Elf_Scn *scn = NULL;
	const char *name;

	while ((scn = section_next(elf, scn, &name)))
		if (str_eq(name, ".debug_info") || str_eq(name, ".zdebug_info"))
			return true;
	return false;
}

static bool unit_add(struct dwarf_file *d, const Dwarf_Die *skeleton, const Dwarf_Die *split, uint32_t *cap)
{
	if (d->nunits == *cap) {
		uint32_t n = *cap ? *cap * 2 : 64;
		struct dw_unit *units = realloc(d->units, n * sizeof(*units));

		if (!units)
			return false;
		d->units = units;
		*cap = n;
	}
	d->units[d->nunits++] = (struct dw_unit){ .skeleton = *skeleton, .die = split->addr ? *split : *skeleton };
	return true;
}

static void units_read(struct dwarf_file *d)
{
	Dwarf_CU *cu = NULL, *next;
	uint32_t cap = 0;
	Dwarf_Half version;
	uint8_t type;

	for (uint32_t i = 0; i < MOST_UNITS; i++) {
		Dwarf_Die die = { 0 }, split = { 0 };

		if (d->dw->get_units(d->dbg, cu, &next, &version, &type, &die, &split))
			return;
		cu = next;
		/* Units of types alone and parts of units are found through those that refer to them. */
		if (die.addr && (type == DW_UT_compile || type == DW_UT_skeleton) && !unit_add(d, &die, &split, &cap))
			return;
	}
}

static bool range_add(struct dwarf_file *d, uint64_t low, uint64_t high, uint32_t unit, uint32_t *cap)
{
	if (d->nranges == *cap) {
		uint32_t n = *cap ? *cap * 2 : 256;
		struct dw_range *ranges = d->nranges < MOST_RANGES ? realloc(d->ranges, n * sizeof(*ranges)) : NULL;

		if (!ranges)
			return false;
		d->ranges = ranges;
		*cap = n;
	}
	d->ranges[d->nranges++] = (struct dw_range){ low, high, unit };
	return true;
}

static int range_compare(const void *pa, const void *pb)
{
	const struct dw_range *a = pa, *b = pb;

	return a->low < b->low ? -1 : a->low > b->low;
}

static void ranges_read(struct dwarf_file *d)
{
	uint32_t cap = 0;

	for (uint32_t i = 0; i < d->nunits; i++) {
		Dwarf_Addr base, low, high;
		ptrdiff_t at = 0;

		while ((at = d->dw->ranges(&d->units[i].skeleton, at, &base, &low, &high)) > 0)
			/* what the linker has thrown away lies at 0 or 1 */
			if (low > 1 && low < high && !range_add(d, low, high, i, &cap))
				break;
	}
	if (d->nranges > 1)
		qsort(d->ranges, d->nranges, sizeof(*d->ranges), range_compare);
}

/* libdw takes it on trust that each of its texts ends within the section. Asked after it has unpacked them. */
static bool texts_end(struct dwarf_file *d, struct elf_file *debug)
{
	static const char *const of_texts[] = { ".debug_str", ".debug_line_str", ".zdebug_str", ".zdebug_line_str" };
	Elf *elf = d->elf ? d->elf : (Elf *)elf_file_elf(debug);
	Elf_Scn *scn = NULL;
	const char *name;

	while ((scn = section_next(elf, scn, &name)))
		for (size_t i = 0; i < ARRAY_SIZE(of_texts); i++) {
			Elf_Data *data = str_eq(name, of_texts[i]) ? elf_getdata(scn, NULL) : NULL;

			if (data && data->d_size && ((const char *)data->d_buf)[data->d_size - 1])
				return false;
		}
	return true;
}

int dwarf_file_open(struct elf_file *elf, const struct reporter *r, struct dwarf_file **out)
{
	struct elf_file *debug = has_debug_info(elf) ? elf : elf_file_debug(elf);
	struct dwarf_file *d;

	if (!debug || !has_debug_info(debug))
		return -ENOENT;
	d = dwlib_may_be_asked() ? calloc(1, sizeof(*d)) : NULL;
	if (!d)
		return report_error(r, -ENOMEM, NULL, "no memory for debugging information");
	d->fd = -1;
	d->file = elf;
	d->dw = dwlib_get(r);
	d->arena = arena_new();
	d->dbg = d->dw && d->arena ? d->dw->begin_elf(elf_for(d, debug), DWARF_C_READ, NULL) : NULL;
	if (!d->dbg || !texts_end(d, debug)) {
		int err = d->dw ? -ENOENT : -ELIBACC;

		dwarf_file_close(d);
		return err;
	}
	units_read(d);
	ranges_read(d);
	*out = d;
	return 0;
}

void dwarf_file_close(struct dwarf_file *d)
{
	if (!d)
		return;
	for (uint32_t i = 0; i < d->nunits; i++)
		free(d->units[i].funcs);
	free(d->units);
	free(d->ranges);
	if (d->dw && d->eh)
		d->dw->cfi_end(d->eh);
	if (d->dw && d->dbg)
		d->dw->end(d->dbg);
	if (d->elf)
		elf_end(d->elf);
	close_fd(&d->fd);
	arena_free(d->arena);
	free(d);
}

/* ---- functions by address ---- */

struct func_walk {
	struct dwarf_file *d;
	struct dw_unit *unit;
	uint32_t cap, depth;
};

static bool func_add(struct func_walk *w, Dwarf_Die *die)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;

	while ((at = w->d->dw->ranges(die, at, &base, &low, &high)) > 0) {
		if (low <= 1 || low >= high)
			continue;
		if (w->unit->nfuncs == w->cap) {
			uint32_t n = w->cap ? w->cap * 2 : 32;
			struct dw_func *funcs = realloc(w->unit->funcs, n * sizeof(*funcs));

			if (!funcs)
				return false;
			w->unit->funcs = funcs;
			w->cap = n;
		}
		w->unit->funcs[w->unit->nfuncs++] = (struct dw_func){ low, high, *die };
	}
	return true;
}

/* Functions are also in namespaces, in classes, and within each other. */
static bool func_visit(Dwarf_Die *die, void *ctx)
{
	struct func_walk *w = ctx;
	int tag = w->d->dw->tag(die);
	bool go_on = true;

	if (tag == DW_TAG_subprogram && !func_add(w, die))
		return false;
	if (tag != DW_TAG_subprogram && tag != DW_TAG_namespace && tag != DW_TAG_class_type &&
	    tag != DW_TAG_structure_type && tag != DW_TAG_lexical_block && tag != DW_TAG_module)
		return true;
	if (w->depth++ < DW_MOST_DEPTH)
		go_on = dw_children(w->d, die, func_visit, w);
	w->depth--;
	return go_on;
}

static int func_compare(const void *pa, const void *pb)
{
	const struct dw_func *a = pa, *b = pb;

	return a->low < b->low ? -1 : a->low > b->low;
}

void dw_unit_funcs(struct dwarf_file *d, struct dw_unit *u)
{
	struct func_walk w = { .d = d, .unit = u };

	if (u->funcs_read)
		return;
	u->funcs_read = true;
	dw_children(d, &u->die, func_visit, &w);
	if (u->nfuncs > 1)
		qsort(u->funcs, u->nfuncs, sizeof(*u->funcs), func_compare);
}

struct dw_unit *dw_unit_at(struct dwarf_file *d, uint64_t vaddr)
{
	uint32_t low = 0, high = d->nranges;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (d->ranges[mid].low <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	return low && vaddr < d->ranges[low - 1].high ? &d->units[d->ranges[low - 1].unit] : NULL;
}

const struct dw_func *dw_func_at(struct dwarf_file *d, uint64_t vaddr, struct dw_unit **unit)
{
	struct dw_unit *u = dw_unit_at(d, vaddr);
	uint32_t low = 0, high;

	if (!u || !dwlib_may_be_asked())
		return NULL;
	dw_unit_funcs(d, u);
	for (high = u->nfuncs; low < high;) {
		uint32_t mid = low + (high - low) / 2;

		if (u->funcs[mid].low <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || vaddr >= u->funcs[low - 1].high)
		return NULL;
	if (unit)
		*unit = u;
	return &u->funcs[low - 1];
}

/* ---- inlined copies ---- */

#define MOST_INLINED 32

struct inline_walk {
	const struct dwarf_file *d;
	uint64_t vaddr;
	Dwarf_Die found[MOST_INLINED]; /* outermost first */
	uint32_t n, depth;
};

/* Of the blocks and copies side by side at most one holds the address. */
static bool inline_visit(Dwarf_Die *die, void *ctx)
{
	struct inline_walk *w = ctx;
	int tag = w->d->dw->tag(die);
	Dwarf_Die here = *die;

	if ((tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block) ||
	    w->d->dw->haspc(die, w->vaddr) <= 0)
		return true;
	if (tag == DW_TAG_inlined_subroutine && w->n < MOST_INLINED)
		w->found[w->n++] = here;
	if (w->depth++ < DW_MOST_DEPTH)
		dw_children(w->d, &here, inline_visit, w);
	return false;
}

static void inline_find(const struct dwarf_file *d, const struct dw_func *f, uint64_t vaddr, struct inline_walk *w)
{
	Dwarf_Die die = f->die;

	w->d = d;
	w->vaddr = vaddr;
	w->n = w->depth = 0;
	dw_children(d, &die, inline_visit, w);
}

void *dw_scope_at(struct dwarf_file *d, const struct dw_func *f, uint64_t vaddr)
{
	struct inline_walk w;

	inline_find(d, f, vaddr, &w);
	return w.n ? w.found[w.n - 1].addr : f->die.addr;
}

static const char *linkage_name(const struct dwarf_file *d, Dwarf_Die *die)
{
	Dwarf_Attribute at;
	const char *name = NULL;

	if (d->dw->attr_integrate(die, DW_AT_linkage_name, &at) || d->dw->attr_integrate(die, DW_AT_MIPS_linkage_name, &at))
		name = d->dw->formstring(&at);
	return name ? name : dw_name(d, die);
}

/* Where the function was called from that `die` is a copy of. */
static void call_place(struct dwarf_file *d, struct dw_unit *u, Dwarf_Die *die, struct dwarf_frame *out)
{
	uint64_t file = 0, line = 0;
	Dwarf_Files *files;
	size_t n;

	out->file = NULL;
	out->line = 0;
	if (!dw_number(d, die, DW_AT_call_file, &file) || !dw_number(d, die, DW_AT_call_line, &line) ||
	    d->dw->getsrcfiles(&u->skeleton, &files, &n) || file >= n || line > INT32_MAX)
		return;
	out->file = d->dw->filesrc(files, file, NULL, NULL);
	out->line = (int)line;
}

static void line_place(struct dwarf_file *d, struct dw_unit *u, uint64_t vaddr, struct dwarf_frame *out)
{
	Dwarf_Line *line = d->dw->getsrc_die(&u->skeleton, vaddr);

	if (!line || d->dw->lineno(line, &out->line) || out->line <= 0)
		return;
	out->file = d->dw->linesrc(line, NULL, NULL);
}

uint32_t dwarf_frames(struct dwarf_file *d, uint64_t vaddr, struct dwarf_frame *out, uint32_t max)
{
	struct dw_unit *u = NULL;
	const struct dw_func *f = dw_func_at(d, vaddr, &u);
	struct dwarf_frame place = { 0 };
	struct inline_walk w;
	Dwarf_Die die;
	uint32_t n = 0;

	if (!f || !max)
		return 0;
	inline_find(d, f, vaddr, &w);
	line_place(d, u, vaddr, &place);
	for (uint32_t i = w.n; i-- && n + 1 < max;) {
		place.name = linkage_name(d, &w.found[i]);
		place.inlined = true;
		if (place.name)
			out[n++] = place;
		call_place(d, u, &w.found[i], &place);
	}
	die = f->die;
	place.name = linkage_name(d, &die);
	place.inlined = false;
	out[n++] = place;
	return n;
}

/* ---- a function's inlined copies ---- */

struct copies_walk {
	struct dwarf_file *d;
	const char *name;
	uint64_t *addrs;
	uint32_t n, cap, depth;
	bool failed;
};

static void copy_add(struct copies_walk *w, Dwarf_Die *die)
{
	Dwarf_Addr pc;

	if (w->d->dw->entrypc(die, &pc) || pc <= 1)
		return;
	if (w->n == w->cap) {
		uint32_t cap = w->cap ? w->cap * 2 : 16;
		uint64_t *addrs = realloc(w->addrs, cap * sizeof(*addrs));

		w->failed |= !addrs;
		if (!addrs)
			return;
		w->addrs = addrs;
		w->cap = cap;
	}
	w->addrs[w->n++] = pc;
}

static bool copy_visit(Dwarf_Die *die, void *ctx)
{
	struct copies_walk *w = ctx;
	int tag = w->d->dw->tag(die);
	const char *name, *linkage;

	if (tag == DW_TAG_inlined_subroutine) {
		name = dw_name(w->d, die);
		linkage = linkage_name(w->d, die);
		if (str_eq(name, w->name) || str_eq(linkage, w->name))
			copy_add(w, die);
	} else if (tag != DW_TAG_subprogram && tag != DW_TAG_lexical_block && tag != DW_TAG_namespace &&
		   tag != DW_TAG_class_type && tag != DW_TAG_structure_type) {
		return true;
	}
	if (w->depth++ < DW_MOST_DEPTH)
		dw_children(w->d, die, copy_visit, w);
	w->depth--;
	return !w->failed;
}

static int addr_compare(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

int dwarf_inlined_copies(struct dwarf_file *d, const char *function, uint64_t **addrs, uint32_t *n)
{
	struct copies_walk w = { .d = d, .name = function };

	for (uint32_t i = 0; i < d->nunits && !w.failed; i++)
		if (dwlib_may_be_asked())
			dw_children(d, &d->units[i].die, copy_visit, &w);
		else
			w.failed = true;
	if (w.failed) {
		free(w.addrs);
		return -ENOMEM;
	}
	if (w.n > 1)
		qsort(w.addrs, w.n, sizeof(*w.addrs), addr_compare);
	*addrs = w.addrs;
	*n = w.n;
	return 0;
}
