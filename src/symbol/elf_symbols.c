/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elf_symbols: the symbol tables of a file. Some distributions keep a small one of all functions in
 * .gnu_debugdata, an ELF file compressed by xz; the library for that is loaded when one is found.
 */
#include <dlfcn.h>
#include <errno.h>

#include "base/util.h"
#include "symbol/elf_priv.h"

/* Names in .symtab may carry a version: malloc@@GLIBC_2.2.5. Longer names are C++ and have none. */
#define VERSIONED_NAME_MOST 256

/* Small tables grow to ten times their compressed size; a bomb is not let through. */
#define MINI_MOST_BYTES ((size_t)256 << 20)

struct walk {
	int (*fn)(const struct elf_symbol *sym, void *ctx);
	void *ctx;
};

static bool type_wanted(unsigned char type)
{
	return type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_OBJECT || type == STT_NOTYPE || type == STT_TLS;
}

static int symbol_tell(const struct walk *w, const GElf_Sym *sym, const char *name)
{
	struct elf_symbol s = {
		.name = name, .addr = sym->st_value, .size = sym->st_size,
		.type = GELF_ST_TYPE(sym->st_info), .bind = GELF_ST_BIND(sym->st_info),
		.defined = sym->st_shndx != SHN_UNDEF, .stays = true,
	};
	char plain[VERSIONED_NAME_MOST];
	const char *at = strchr(name, '@');

	if (at && at != name && (size_t)(at - name) < sizeof(plain)) {
		memcpy(plain, name, (size_t)(at - name));
		plain[at - name] = 0;
		s.name = plain;
		s.stays = false;
	}
	return w->fn(&s, w->ctx);
}

/* Of tables that are larger than any there is, the beginning; without names where those are. */
#define MOST_TABLE_BYTES (128u << 20)
#define MOST_NAME_BYTES (1u << 30)

static Elf_Data *table_data(const struct elf_file *f, Elf_Scn *scn, const GElf_Shdr *sh)
{
	GElf_Shdr names;

	if (!scn || !gelf_getshdr(elf_getscn(f->elf, sh->sh_link), &names) || names.sh_size > MOST_NAME_BYTES)
		return NULL;
	if (sh->sh_size <= MOST_TABLE_BYTES)
		return elf_section_data(scn);
	return elf_getdata_rawchunk(f->elf, (int64_t)sh->sh_offset, MOST_TABLE_BYTES, ELF_T_SYM);
}

/* Names up to the last that ends. elf_strptr() would find its section anew for each of them. */
struct names {
	const char *text;
	size_t len;
};

static struct names table_names(const struct elf_file *f, size_t section)
{
	Elf_Scn *scn = elf_getscn(f->elf, section);
	struct names names = { 0 };
	const Elf_Data *data;
	GElf_Shdr sh;

	if (!scn || !gelf_getshdr(scn, &sh) || sh.sh_type != SHT_STRTAB)
		return names;
	if (sh.sh_flags & SHF_COMPRESSED && elf_compress(scn, 0, 0) < 0)
		return names;
	data = elf_section_data(scn);
	if (!data)
		return names;
	names = (struct names){ data->d_buf, data->d_size };
	while (names.len && names.text[names.len - 1])
		names.len--;
	return names;
}

static int table_walk(const struct elf_file *f, uint32_t type, const struct walk *w)
{
	GElf_Shdr sh = { 0 };
	Elf_Data *data = table_data(f, elf_section_find(f, type, NULL, &sh), &sh);
	size_t n = data && sh.sh_entsize ? data->d_size / sh.sh_entsize : 0;
	struct names names = n ? table_names(f, sh.sh_link) : (struct names){ 0 };
	int r = 0;

	for (size_t i = 1; !r && i < n && i < INT32_MAX; i++) {
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym) || !type_wanted(GELF_ST_TYPE(sym.st_info)))
			continue;
		if (sym.st_name < names.len && names.text[sym.st_name])
			r = symbol_tell(w, &sym, names.text + sym.st_name);
	}
	return r;
}

static bool has_table(const struct elf_file *f, uint32_t type)
{
	GElf_Shdr sh;

	return elf_section_find(f, type, NULL, &sh) && sh.sh_size;
}

/* ---- .gnu_debugdata ---- */

/* lzma_stream_buffer_decode() and what it returns. */
typedef int (*xz_decode_fn)(uint64_t *memlimit, uint32_t flags, const void *allocator, const uint8_t *in,
			    size_t *in_pos, size_t in_size, uint8_t *out, size_t *out_pos, size_t out_size);
enum { XZ_OK = 0, XZ_OUTPUT_FULL = 10 };

static void *xz_unpack(xz_decode_fn decode, const uint8_t *in, size_t in_bytes, size_t *out_bytes)
{
	for (size_t room = in_bytes * 8; room && room <= MINI_MOST_BYTES; room *= 4) {
		uint64_t memory = MINI_MOST_BYTES;
		size_t in_pos = 0, out_pos = 0;
		uint8_t *out = malloc(room);
		int r = out ? decode(&memory, 0, NULL, in, &in_pos, in_bytes, out, &out_pos, room) : -1;

		if (r == XZ_OK) {
			*out_bytes = out_pos;
			return out;
		}
		free(out);
		if (r != XZ_OUTPUT_FULL)
			return NULL;
	}
	return NULL;
}

static xz_decode_fn xz_load(void)
{
	/* Stays loaded: it is needed again for the next file. */
	void *lib = dlopen("liblzma.so.5", RTLD_NOW | RTLD_LOCAL);

	return lib ? (xz_decode_fn)(uintptr_t)dlsym(lib, "lzma_stream_buffer_decode") : NULL;
}

static struct elf_file *mini_of(struct elf_file *f)
{
	xz_decode_fn decode;
	const void *data;
	const char *why;
	size_t len, n;

	if (f->mini_tried)
		return f->mini;
	f->mini_tried = true;
	data = elf_file_section(f, ".gnu_debugdata", &len, NULL);
	decode = data ? xz_load() : NULL;
	f->mini_data = decode ? xz_unpack(decode, data, len, &n) : NULL;
	if (f->mini_data && elf_file_open_memory(f->mini_data, n, &f->mini, &why))
		f->mini = NULL;
	return f->mini;
}

/* ---- all of them ---- */

bool elf_file_has_symtab(struct elf_file *f)
{
	if (has_table(f, SHT_SYMTAB) || mini_of(f))
		return true;
	return elf_file_debug(f) && has_table(elf_file_debug(f), SHT_SYMTAB);
}

int elf_file_each_symbol(struct elf_file *f, int (*fn)(const struct elf_symbol *sym, void *ctx), void *ctx)
{
	struct walk w = { .fn = fn, .ctx = ctx };
	struct elf_file *debug;
	int r = 0;

	if (has_table(f, SHT_SYMTAB)) {
		r = table_walk(f, SHT_SYMTAB, &w);
	} else {
		debug = elf_file_debug(f);
		if (debug)
			r = table_walk(debug, SHT_SYMTAB, &w);
		else if (mini_of(f))
			r = table_walk(f->mini, SHT_SYMTAB, &w);
	}
	return r ? r : table_walk(f, SHT_DYNSYM, &w);
}
