/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ELF file of an object as text: sections, symbols, relocations, types. */
#include <bpf/btf.h>
#include <elf.h>
#include <errno.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "code/object.h"

static const char *section_kind(uint32_t type)
{
	switch (type) {
	case SHT_PROGBITS: return "progbits";
	case SHT_NOBITS: return "nobits";
	case SHT_SYMTAB: return "symtab";
	case SHT_STRTAB: return "strtab";
	case SHT_REL: return "rel";
	default: return "other";
	}
}

static const char *name_at(Elf *elf, size_t strtab, size_t offset)
{
	const char *s = elf_strptr(elf, strtab, offset);

	return s ? s : "?";
}

static void symbols_dump(Elf *elf, Elf_Scn *scn, const Elf64_Shdr *sh, struct strbuf *out)
{
	const Elf_Data *d = elf_getdata(scn, NULL);
	const Elf64_Sym *syms = d ? d->d_buf : NULL;

	for (size_t i = 1; syms && i < d->d_size / sizeof(*syms); i++)
		strbuf_addf(out, "    %2zu: section %2u offset %5llu size %5llu %s %s\n", i, syms[i].st_shndx,
			    (unsigned long long)syms[i].st_value, (unsigned long long)syms[i].st_size,
			    ELF64_ST_BIND(syms[i].st_info) == STB_GLOBAL ? "global" : "local ",
			    name_at(elf, sh->sh_link, syms[i].st_name));
}

static void relocations_dump(Elf_Scn *scn, struct strbuf *out)
{
	const Elf_Data *d = elf_getdata(scn, NULL);
	const Elf64_Rel *rel = d ? d->d_buf : NULL;

	for (size_t i = 0; rel && i < d->d_size / sizeof(*rel); i++)
		strbuf_addf(out, "    insn %4llu: symbol %u\n", (unsigned long long)rel[i].r_offset / 8,
			    (unsigned)ELF64_R_SYM(rel[i].r_info));
}

static void btf_line(const struct btf *btf, uint32_t id, struct strbuf *out)
{
	static const char *const kinds[] = { "void", "int", "ptr", "array", "struct", "union", "enum", "fwd",
		"typedef", "volatile", "const", "restrict", "func", "func_proto", "var", "datasec", "float" };
	const struct btf_type *t = btf__type_by_id(btf, id);
	const char *name = btf__name_by_offset(btf, t->name_off);

	strbuf_addf(out, "    [%u] %s %s", id, btf_kind(t) < ARRAY_SIZE(kinds) ? kinds[btf_kind(t)] : "?",
		    name && *name ? name : "(anonymous)");
	if (btf_is_array(t))
		strbuf_addf(out, " of [%u] x %u", btf_array(t)->type, btf_array(t)->nelems);
	else if (btf_is_ptr(t) || btf_is_func(t) || btf_is_var(t))
		strbuf_addf(out, " -> [%u]", t->type);
	else if (btf_is_int(t) || btf_is_composite(t) || btf_is_datasec(t))
		strbuf_addf(out, " size %u", t->size);
	strbuf_addch(out, '\n');
	if (btf_is_composite(t))
		for (uint16_t i = 0; i < btf_vlen(t); i++)
			strbuf_addf(out, "          .%s [%u] at bit %u\n",
				    btf__name_by_offset(btf, btf_members(t)[i].name_off), btf_members(t)[i].type,
				    btf_member_bit_offset(t, i));
}

static void btf_dump_types(Elf_Scn *scn, struct strbuf *out)
{
	const Elf_Data *d = elf_getdata(scn, NULL);
	struct btf *btf = d ? btf__new(d->d_buf, (uint32_t)d->d_size) : NULL;

	for (uint32_t id = 1; btf && id < btf__type_cnt(btf); id++)
		btf_line(btf, id, out);
	btf__free(btf);
}

static void section_dump(Elf *elf, size_t strtab, Elf_Scn *scn, struct strbuf *out)
{
	const Elf64_Shdr *sh = elf64_getshdr(scn);
	const char *name = sh ? name_at(elf, strtab, sh->sh_name) : "?";

	if (!sh)
		return;
	strbuf_addf(out, "[%2zu] %-24s %-8s offset %6llu size %6llu\n", elf_ndxscn(scn), name,
		    section_kind(sh->sh_type), (unsigned long long)sh->sh_offset, (unsigned long long)sh->sh_size);
	if (sh->sh_type == SHT_SYMTAB)
		symbols_dump(elf, scn, sh, out);
	else if (sh->sh_type == SHT_REL)
		relocations_dump(scn, out);
	else if (!strcmp(name, ".BTF"))
		btf_dump_types(scn, out);
}

int object_dump(const void *elf, size_t elf_bytes, struct strbuf *out)
{
	/* elf_memory() wants a writable image though it is only read. */
	char *copy = malloc(elf_bytes);
	Elf_Scn *scn = NULL;
	size_t strtab;
	Elf *file;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, elf, elf_bytes);
	elf_version(EV_CURRENT);
	file = elf_memory(copy, elf_bytes);
	if (!file || elf_getshdrstrndx(file, &strtab)) {
		elf_end(file);
		free(copy);
		return -EINVAL;
	}
	while ((scn = elf_nextscn(file, scn)))
		section_dump(file, strtab, scn, out);
	elf_end(file);
	free(copy);
	return out->failed ? -ENOMEM : 0;
}
