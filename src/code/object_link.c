/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linking: the question's object and those that it imports become one. libbpf's linker does it (types, maps and
 * relocations included); all files are in memory.
 */
#include <bpf/libbpf.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/util.h"
#include "code/object_priv.h"
#include "kernel/libbpf_log.h"

struct memory_file {
	int fd;
	char path[32];
};

static int memory_file_make(struct memory_file *f, const void *data, size_t len)
{
	f->fd = memfd_create("sonde-object", MFD_CLOEXEC);
	if (f->fd < 0)
		return -errno;
	snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
	return fd_write(f->fd, data, len);
}

/* The headers of the sections, all within the file; NULL: it is damaged. */
static Elf64_Shdr *sections_of(void *elf, size_t bytes, uint32_t *n)
{
	const Elf64_Ehdr *eh = elf;

	if (bytes < sizeof(*eh) || eh->e_shoff > bytes || eh->e_shoff % 8 ||
	    (bytes - eh->e_shoff) / sizeof(Elf64_Shdr) < eh->e_shnum)
		return NULL;
	*n = eh->e_shnum;
	return (void *)((char *)elf + eh->e_shoff);
}

static bool section_is(const void *elf, size_t bytes, const Elf64_Shdr *names, const Elf64_Shdr *sh, const char *name)
{
	size_t len = strlen(name) + 1;

	return names->sh_offset < bytes && sh->sh_name < bytes - names->sh_offset &&
	       bytes - names->sh_offset - sh->sh_name >= len &&
	       !memcmp((const char *)elf + names->sh_offset + sh->sh_name, name, len);
}

/* The license that is put at `offset` of the file is the one its section holds. */
static void license_point(void *elf, size_t bytes, uint64_t offset, uint64_t len)
{
	const Elf64_Ehdr *eh = elf;
	uint32_t n = 0;
	Elf64_Shdr *sh = sections_of(elf, bytes, &n);

	for (uint32_t i = 0; eh->e_shstrndx < n && i < n; i++)
		if (section_is(elf, bytes, &sh[eh->e_shstrndx], &sh[i], "license")) {
			sh[i].sh_offset = offset;
			sh[i].sh_size = len;
		}
}

/* The linker wants licenses to be the same to the letter; there is one for the whole, which is put in. */
static int file_add(struct bpf_linker *linker, const void *data, size_t len, const char *license)
{
	_cleanup_free_ char *copy = malloc(len + strlen(license) + 1);
	struct memory_file f;
	int err;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, len);
	memcpy(copy + len, license, strlen(license) + 1);
	license_point(copy, len, len, strlen(license) + 1);
	err = memory_file_make(&f, copy, len + strlen(license) + 1);
	err = err ?: bpf_linker__add_file(linker, f.path, NULL);
	close_fd(&f.fd);
	return err;
}

static int link_all(const struct object *o, const void *elf, size_t elf_bytes, const char *to)
{
	struct bpf_linker *linker = bpf_linker__new(to, NULL);
	int err = linker ? file_add(linker, elf, elf_bytes, o->license) : -errno;

	for (uint32_t i = 0; !err && i < o->links.n; i++)
		err = file_add(linker, o->links.v[i]->elf, o->links.v[i]->elf_bytes, o->license);
	err = err ?: bpf_linker__finalize(linker);
	bpf_linker__free(linker);
	return err;
}

/*
 * A global function is verified by itself, for any argument; one that is hidden is verified where it is called,
 * and so may be handed pointers to what the caller has. The file is the linker's, and well formed.
 */
static void functions_hide(void *elf, size_t bytes)
{
	uint32_t nsections = 0;
	const Elf64_Shdr *sh = sections_of(elf, bytes, &nsections);

	for (uint32_t i = 0; i < nsections; i++) {
		Elf64_Sym *sym = (void *)((char *)elf + sh[i].sh_offset);

		if (sh[i].sh_type != SHT_SYMTAB || sh[i].sh_offset > bytes || bytes - sh[i].sh_offset < sh[i].sh_size)
			continue;
		for (size_t n = 0; n < sh[i].sh_size / sizeof(*sym); n++)
			if (ELF64_ST_TYPE(sym[n].st_info) == STT_FUNC)
				sym[n].st_other = STV_HIDDEN;
	}
}

int object_link(const struct object *o, const struct reporter *r, void **elf, size_t *elf_bytes)
{
	_cleanup_strbuf_ struct strbuf log = STRBUF_INIT;
	struct memory_file out;
	void *data = NULL;
	size_t len = 0;
	int err = memory_file_make(&out, NULL, 0);

	libbpf_log_keep(&log);
	err = err ?: link_all(o, *elf, *elf_bytes, out.path);
	libbpf_log_keep(NULL);
	err = err ?: object_file_take(out.fd, &data, &len);
	close_fd(&out.fd);
	if (err)
		return report_error(r, err, NULL, "cannot link what is imported (%s): %s%s%s", o->links.v[0]->path,
				    strerror(-err), log.len ? "\n" : "", log.s);
	functions_hide(data, len);
	free(*elf);
	*elf = data;
	*elf_bytes = len;
	return 0;
}
