/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ELF file of an object, written with libelf into a memory file. Conventions are those that clang
 * and libbpf share: one section per program type and target, REL relocations against the symbols of maps,
 * the sections of data and the functions of .text.
 */
#include <elf.h>
#include <errno.h>
#include <libelf.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/util.h"
#include "code/object_priv.h"

#ifndef R_BPF_64_64
#define R_BPF_64_64 1
#endif
#ifndef R_BPF_64_32
#define R_BPF_64_32 10
#endif

uint32_t object_rodata(struct object *o, const void *data, uint32_t len, uint32_t align)
{
	for (uint32_t at = 0; len && at + len <= o->rodata.n; at += align)
		if (!memcmp(o->rodata.v + at, data, len))
			return at;
	while (o->rodata.n % align)
		vec_push(o->arena, &o->rodata, 0);
	uint32_t at = o->rodata.n;

	for (uint32_t i = 0; i < len; i++)
		vec_push(o->arena, &o->rodata, ((const uint8_t *)data)[i]);
	return at;
}

/* ---- layout: which program lies where ---- */

static struct object_section *section_of(struct arena *a, struct object_layout *l, const char *name)
{
	struct object_section s = { .name = name };

	vec_each(it, &l->sections)
		if (!strcmp(it->name, name))
			return it;
	vec_push(a, &l->sections, s);
	return &l->sections.v[l->sections.n - 1];
}

static void object_place(const struct object *o, struct object_layout *l)
{
	l->prog_section = arena_array_of(o->arena, uint32_t, o->progs.n + 1);
	l->prog_offset = arena_array_of(o->arena, uint32_t, o->progs.n + 1);
	for (uint32_t i = 0; i < o->progs.n; i++) {
		const struct object_prog *p = &o->progs.v[i];
		struct object_section *s = section_of(o->arena, l, p->section ? p->section : TEXT_SECTION);

		l->prog_section[i] = (uint32_t)(s - l->sections.v);
		l->prog_offset[i] = s->bytes;
		s->bytes += p->code.n * (uint32_t)sizeof(struct bpf_insn);
		vec_push(o->arena, &s->progs, i);
	}
}

/* ---- the file ---- */

struct elf_out {
	const struct object *o;
	struct object copy; /* what o points to: as it was given, with an arena of its own */
	struct object_layout layout;
	Elf *elf;
	int fd;
	bool failed;
	struct strbuf strtab, symtab; /* one string table for sections and symbols */
	uint32_t nlocals;
	uint32_t shndx_maps, shndx_rodata, shndx_bss;
	uint32_t *shndx_section;      /* per layout section */
	uint32_t *sym_map, *sym_prog, *sym_kfunc, sym_rodata, sym_bss, sym_text;
	VEC(struct strbuf *) kept;    /* section contents, alive until the file is written */
};

static uint32_t name_add(struct elf_out *e, const char *name)
{
	uint32_t at = (uint32_t)e->strtab.len;

	strbuf_add(&e->strtab, name, strlen(name) + 1);
	return at;
}

/*
 * Once it has run out of memory libelf is not asked again: what it has then is not whole. It may return a section
 * even so, and only tell by its error.
 */
static Elf_Scn *section_new(struct elf_out *e)
{
	Elf_Scn *scn;

	if (e->failed)
		return NULL;
	elf_errno();
	scn = elf_newscn(e->elf);
	return elf_errno() ? NULL : scn;
}

/* A new section with these contents (which must live until elf_update). Its index, 0 on failure. */
static uint32_t section_add(struct elf_out *e, const char *name, uint32_t type, uint64_t flags, const void *data,
			    size_t len, uint32_t align)
{
	Elf_Scn *scn = section_new(e);
	Elf64_Shdr *sh = scn ? elf64_getshdr(scn) : NULL;
	Elf_Data *d = sh ? elf_newdata(scn) : NULL;

	if (!sh || !d) {
		e->failed = true;
		return 0;
	}
	sh->sh_name = name_add(e, name);
	sh->sh_type = type;
	sh->sh_flags = flags;
	sh->sh_addralign = align;
	/* libelf only reads the buffer, though its type does not say so. */
	d->d_buf = (void *)(uintptr_t)data;
	d->d_size = len;
	d->d_align = align;
	d->d_type = ELF_T_BYTE;
	return (uint32_t)elf_ndxscn(scn);
}

static void section_link(struct elf_out *e, uint32_t index, uint32_t link, uint32_t info, uint64_t entsize)
{
	Elf_Scn *scn = e->failed ? NULL : elf_getscn(e->elf, index);
	Elf64_Shdr *sh = scn ? elf64_getshdr(scn) : NULL;

	if (!sh) {
		e->failed = true;
		return;
	}
	sh->sh_link = link;
	sh->sh_info = info;
	sh->sh_entsize = entsize;
}

static struct strbuf *buffer_new(struct elf_out *e)
{
	struct strbuf *b = arena_new_of(e->o->arena, struct strbuf);

	*b = (struct strbuf)STRBUF_INIT;
	vec_push(e->o->arena, &e->kept, b);
	return b;
}

static uint32_t symbol_add(struct elf_out *e, const char *name, uint8_t info, uint32_t shndx, uint64_t value,
			   uint64_t size)
{
	Elf64_Sym sym = {
		.st_name = name ? name_add(e, name) : 0,
		.st_info = info,
		.st_shndx = (uint16_t)shndx,
		.st_value = value,
		.st_size = size,
	};
	uint32_t index = (uint32_t)(e->symtab.len / sizeof(sym));

	strbuf_add(&e->symtab, &sym, sizeof(sym));
	if (ELF64_ST_BIND(info) == STB_LOCAL)
		e->nlocals = index + 1;
	return index;
}

/*
 * The address of a function is a relocation against the section; where in it the function lies is in the
 * instruction. Everything else is as it was compiled.
 */
static void code_add(struct elf_out *e, struct strbuf *text, const struct code *c)
{
	size_t at = text->len;

	strbuf_add(text, c->insns, c->n * sizeof(struct bpf_insn));
	vec_each(r, &c->relos) {
		struct bpf_insn insn = c->insns[r->insn];

		if (r->kind != RELO_FUNC || text->failed)
			continue;
		insn.imm = (int32_t)e->layout.prog_offset[r->index];
		memcpy(text->s + at + r->insn * sizeof(insn), &insn, sizeof(insn));
	}
}

static void code_sections(struct elf_out *e)
{
	const struct object *o = e->o;

	e->shndx_section = arena_array_of(o->arena, uint32_t, e->layout.sections.n + 1);
	for (uint32_t i = 0; i < e->layout.sections.n; i++) {
		const struct object_section *s = &e->layout.sections.v[i];
		struct strbuf *text = buffer_new(e);

		vec_each(p, &s->progs)
			code_add(e, text, &o->progs.v[*p].code);
		e->failed |= text->failed;
		e->shndx_section[i] = section_add(e, s->name, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, text->s,
						  text->len, 8);
	}
}

static void data_sections(struct elf_out *e, const struct object_map *maps)
{
	const struct object *o = e->o;
	struct strbuf *defs = buffer_new(e);

	section_add(e, "license", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, o->license, strlen(o->license) + 1, 1);
	if (o->maps.n && maps) {
		strbuf_fill(defs, 0, (size_t)o->maps.n * MAP_DEF_BYTES);
		e->shndx_maps = section_add(e, ".maps", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, defs->s, defs->len, 8);
	}
	if (o->rodata.n)
		e->shndx_rodata = section_add(e, ".rodata", SHT_PROGBITS, SHF_ALLOC, o->rodata.v, o->rodata.n, 8);
	if (o->bss_bytes)
		e->shndx_bss = section_add(e, ".bss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE, NULL, o->bss_bytes, 8);
	e->failed |= defs->failed;
}

/* Locals must come before globals. */
static void symbols(struct elf_out *e)
{
	const struct object *o = e->o;

	e->sym_map = arena_array_of(o->arena, uint32_t, o->maps.n + 1);
	e->sym_prog = arena_array_of(o->arena, uint32_t, o->progs.n + 1);
	symbol_add(e, NULL, 0, 0, 0, 0);
	if (e->shndx_rodata)
		e->sym_rodata = symbol_add(e, NULL, ELF64_ST_INFO(STB_LOCAL, STT_SECTION), e->shndx_rodata, 0, 0);
	if (e->shndx_bss)
		e->sym_bss = symbol_add(e, NULL, ELF64_ST_INFO(STB_LOCAL, STT_SECTION), e->shndx_bss, 0, 0);
	for (uint32_t i = 0; i < e->layout.sections.n; i++)
		if (!strcmp(e->layout.sections.v[i].name, TEXT_SECTION))
			e->sym_text = symbol_add(e, NULL, ELF64_ST_INFO(STB_LOCAL, STT_SECTION),
						 e->shndx_section[i], 0, 0);
	for (int global = 0; global < 2; global++)
		for (uint32_t i = 0; i < o->progs.n; i++) {
			const struct object_prog *p = &o->progs.v[i];

			if ((p->section != NULL) != global)
				continue;
			e->sym_prog[i] = symbol_add(e, p->code.name,
						    (uint8_t)ELF64_ST_INFO(global ? STB_GLOBAL : STB_LOCAL, STT_FUNC),
						    e->shndx_section[e->layout.prog_section[i]],
						    e->layout.prog_offset[i], p->code.n * sizeof(struct bpf_insn));
		}
	for (uint32_t i = 0; i < o->maps.n; i++)
		e->sym_map[i] = symbol_add(e, o->maps.v[i].name, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
					   e->shndx_maps, i * MAP_DEF_BYTES, MAP_DEF_BYTES);
	/* Undefined: the loader looks for them in the kernel. */
	e->sym_kfunc = arena_array_of(o->arena, uint32_t, o->kfuncs.n + 1);
	for (uint32_t i = 0; i < o->kfuncs.n; i++)
		e->sym_kfunc[i] = symbol_add(e, o->kfuncs.v[i]->name, ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), SHN_UNDEF, 0, 0);
	if (e->shndx_bss)
		symbol_add(e, BSS_SYMBOL, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), e->shndx_bss, 0, o->bss_bytes);
	/* A linker would ask for its type. */
	if (!o->links.n)
		symbol_add(e, "_license", ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), (uint32_t)(e->layout.sections.n + 1),
			   0, strlen(o->license) + 1);
}

static uint32_t kfunc_symbol(const struct elf_out *e, const char *name)
{
	for (uint32_t i = 0; i < e->o->kfuncs.n; i++)
		if (!strcmp(e->o->kfuncs.v[i]->name, name))
			return e->sym_kfunc[i];
	return 0;
}

static uint32_t relo_symbol(const struct elf_out *e, const struct code_relo *r)
{
	switch (r->kind) {
	case RELO_MAP:
		return e->sym_map[r->index];
	case RELO_RODATA:
		return e->sym_rodata;
	case RELO_BSS:
		return e->sym_bss;
	case RELO_FUNC:
		return e->sym_text;
	case RELO_CALLFUNC:
		return e->sym_prog[r->index];
	case RELO_KFUNC:
		return kfunc_symbol(e, r->sym);
	default:
		return 0;
	}
}

static bool relo_is_call(const struct code_relo *r)
{
	return r->kind == RELO_CALLFUNC || r->kind == RELO_KFUNC;
}

static void relocations(struct elf_out *e, uint32_t shndx_symtab)
{
	for (uint32_t i = 0; i < e->layout.sections.n; i++) {
		const struct object_section *s = &e->layout.sections.v[i];
		struct strbuf *rel = buffer_new(e);
		uint32_t index;

		vec_each(p, &s->progs)
			vec_each(r, &e->o->progs.v[*p].code.relos) {
				Elf64_Rel one = {
					.r_offset = e->layout.prog_offset[*p] + r->insn * sizeof(struct bpf_insn),
					.r_info = ELF64_R_INFO((uint64_t)relo_symbol(e, r),
							       relo_is_call(r) ? R_BPF_64_32 : R_BPF_64_64),
				};

				strbuf_add(rel, &one, sizeof(one));
			}
		if (!rel->len)
			continue;
		index = section_add(e, arena_printf(e->o->arena, ".rel%s", s->name), SHT_REL, SHF_INFO_LINK, rel->s,
				    rel->len, 8);
		section_link(e, index, shndx_symtab, e->shndx_section[i], sizeof(Elf64_Rel));
		e->failed |= rel->failed;
	}
}

static bool header(struct elf_out *e)
{
	Elf64_Ehdr *eh = elf64_newehdr(e->elf);

	if (!eh)
		return false;
	eh->e_ident[EI_DATA] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	eh->e_type = ET_REL;
	eh->e_machine = EM_BPF;
	eh->e_version = EV_CURRENT;
	return true;
}

/* Build everything; libelf computes the offsets. */
static int file_fill(struct elf_out *e)
{
	struct strbuf *btf = buffer_new(e), *ext = buffer_new(e);
	uint32_t symtab, strtab;
	Elf64_Ehdr *eh;
	Elf_Scn *scn;
	Elf_Data *d;
	int err;

	err = object_btf_write(e->o, &e->layout, btf, ext);
	if (err)
		return err;
	if (!header(e))
		return -EIO;
	strbuf_addch(&e->strtab, 0);
	code_sections(e);
	data_sections(e, e->o->maps.v);
	section_add(e, ".BTF", SHT_PROGBITS, 0, btf->s, btf->len, 4);
	section_add(e, ".BTF.ext", SHT_PROGBITS, 0, ext->s, ext->len, 4);
	symbols(e);
	symtab = section_add(e, ".symtab", SHT_SYMTAB, 0, e->symtab.s, e->symtab.len, 8);
	relocations(e, symtab);
	strtab = section_add(e, ".strtab", SHT_STRTAB, 0, "", 1, 1);
	section_link(e, symtab, strtab, e->nlocals, sizeof(Elf64_Sym));
	/* Only now is the string table complete. */
	scn = e->failed ? NULL : elf_getscn(e->elf, strtab);
	d = scn ? elf_getdata(scn, NULL) : NULL;
	eh = elf64_getehdr(e->elf);
	if (e->failed || e->strtab.failed || e->symtab.failed || !d || !eh)
		return -ENOMEM;
	d->d_buf = e->strtab.s;
	d->d_size = e->strtab.len;
	eh->e_shstrndx = (uint16_t)strtab;
	return 0;
}

int object_file_take(int fd, void **data, size_t *len)
{
	struct stat st;
	size_t done = 0;
	char *p;

	if (fstat(fd, &st))
		return -errno;
	p = malloc((size_t)st.st_size);
	if (!p)
		return -ENOMEM;
	while (done < (size_t)st.st_size) {
		ssize_t n = pread(fd, p + done, (size_t)st.st_size - done, (off_t)done);

		if (n <= 0) {
			free(p);
			return n ? -errno : -EIO;
		}
		done += (size_t)n;
	}
	*data = p;
	*len = done;
	return 0;
}

static int elf_make(struct elf_out *e)
{
	int err;

	e->fd = memfd_create("sonde-object", MFD_CLOEXEC);
	if (e->fd < 0)
		return -errno;
	e->elf = elf_begin(e->fd, ELF_C_WRITE, NULL);
	if (!e->elf)
		return -EIO;
	err = file_fill(e);
	if (err)
		return err;
	return elf_update(e->elf, ELF_C_WRITE) < 0 ? -EIO : 0;
}

static void elf_drop(struct elf_out *e)
{
	elf_end(e->elf);
	if (e->fd >= 0)
		close(e->fd);
	vec_each(b, &e->kept)
		strbuf_free(*b);
	strbuf_free(&e->strtab);
	strbuf_free(&e->symtab);
	arena_free(e->copy.arena);
	free(e);
}

/* With an arena of its own: when it is exhausted we must still let go of the file. */
static struct elf_out *elf_out_new(const struct object *o)
{
	struct elf_out *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->o = &e->copy;
	e->copy = *o;
	e->copy.arena = arena_new();
	e->fd = -1;
	e->strtab = e->symtab = (struct strbuf)STRBUF_INIT;
	if (e->copy.arena)
		return e;
	free(e);
	return NULL;
}

int object_write(const struct object *o, const struct reporter *r, void **elf, size_t *elf_bytes)
{
	struct elf_out *e = elf_out_new(o);
	int err;

	if (!e)
		return report_error(r, -ENOMEM, NULL, "out of memory");
	if (setjmp(*arena_guard(e->copy.arena))) {
		err = -ENOMEM;
	} else if (elf_version(EV_CURRENT) == EV_NONE) {
		err = -EIO;
	} else {
		object_place(&e->copy, &e->layout);
		err = elf_make(e);
		if (!err)
			err = object_file_take(e->fd, elf, elf_bytes);
	}
	if (err)
		report_error(r, err, NULL, "cannot write the BPF object: %s",
			     err == -EIO ? elf_errmsg(-1) : strerror(-err));
	else if (o->links.n)
		err = object_link(o, r, elf, elf_bytes);
	elf_drop(e);
	return err;
}
