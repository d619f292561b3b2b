/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Elf_file: opening, segments, sections. */
#include "symbol/elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/util.h"
#include "symbol/elf_priv.h"

/* Real files have a dozen; a kernel image some more. */
#define SEGMENTS_MOST 4096

#if defined(__x86_64__)
#define NATIVE_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define NATIVE_MACHINE EM_AARCH64
#else
#define NATIVE_MACHINE EM_NONE
#endif

static const struct machine {
	uint16_t machine;
	uint8_t class;
	const char *name;
} machines[] = {
	{ EM_386, ELFCLASS32, "32-bit x86" }, { EM_X86_64, ELFCLASS64, "x86-64" }, { EM_X86_64, ELFCLASS32, "x32" },
	{ EM_ARM, ELFCLASS32, "32-bit ARM" }, { EM_AARCH64, ELFCLASS64, "64-bit ARM" },
	{ EM_PPC64, ELFCLASS64, "64-bit PowerPC" }, { EM_S390, ELFCLASS64, "s390x" },
	{ EM_RISCV, ELFCLASS64, "64-bit RISC-V" }, { EM_MIPS, ELFCLASS32, "32-bit MIPS" },
	{ EM_LOONGARCH, ELFCLASS64, "LoongArch" },
};

const char *elf_file_foreign(const struct elf_file *f)
{
	if (f->header.e_machine == NATIVE_MACHINE && f->header.e_ident[EI_CLASS] == ELFCLASS64)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].machine == f->header.e_machine && machines[i].class == f->header.e_ident[EI_CLASS])
			return machines[i].name;
	return "another machine";
}

bool elf_file_is_loadable(const struct elf_file *f)
{
	return f->header.e_type == ET_EXEC || f->header.e_type == ET_DYN;
}

bool elf_file_is_fixed(const struct elf_file *f)
{
	return f->header.e_type == ET_EXEC;
}

const char *elf_file_path(const struct elf_file *f)
{
	return f->path;
}

dev_t elf_file_dev(const struct elf_file *f)
{
	return f->dev;
}

ino_t elf_file_ino(const struct elf_file *f)
{
	return f->ino;
}

struct Elf *elf_file_elf(const struct elf_file *f)
{
	return f->elf;
}

/* ---- open ---- */

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -ENOEXEC;
}

/* Both as the table of program headers says, and sane. */
static int segments_read(struct elf_file *f, bool whole, const char **why)
{
	size_t n;

	errno = 0;
	if (elf_getphdrnum(f->elf, &n))
		return errno == ENOMEM ? -ENOMEM : refuse(why, "its program headers are broken");
	if (n > SEGMENTS_MOST)
		return refuse(why, "it has too many program headers");
	f->segments = calloc(n + 1, sizeof(*f->segments));
	if (!f->segments)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(f->elf, (int)i, &ph))
			return errno == ENOMEM ? -ENOMEM : refuse(why, "it is truncated: its program headers are missing");
		if (ph.p_type != PT_LOAD)
			continue;
		if (ph.p_offset + ph.p_filesz < ph.p_offset || ph.p_vaddr + ph.p_memsz < ph.p_vaddr)
			return refuse(why, "its program headers are broken");
		if (whole && ph.p_offset + ph.p_filesz > f->bytes)
			return refuse(why, "it is truncated: what it would load is not all there");
		f->segments[f->nsegments++] = (struct elf_segment){
			.offset = ph.p_offset, .vaddr = ph.p_vaddr, .bytes = ph.p_filesz,
			.mem_bytes = ph.p_memsz, .flags = ph.p_flags,
		};
	}
	return 0;
}

static int header_read(struct elf_file *f, bool whole, const char **why)
{
	/* libelf's own number for that is not public. */
	if (!f->elf && errno == ENOMEM)
		return -ENOMEM;
	if (!f->elf || elf_kind(f->elf) != ELF_K_ELF)
		return refuse(why, "it is no ELF file");
	if (!gelf_getehdr(f->elf, &f->header))
		return refuse(why, "its ELF header is broken");
	return segments_read(f, whole, why);
}

static struct elf_file *file_new(const char *path)
{
	struct elf_file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->fd = -1;
	f->path = strdup(path);
	if (f->path)
		return f;
	free(f);
	return NULL;
}

static int file_open(struct elf_file *f, bool whole, const char **why)
{
	struct stat st;

	/* Not a FIFO that would wait for a writer. */
	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (f->fd < 0 || fstat(f->fd, &st)) {
		*why = strerrordesc_np(errno);
		return -errno;
	}
	if (S_ISDIR(st.st_mode))
		return refuse(why, "it is a directory");
	if (!S_ISREG(st.st_mode))
		return refuse(why, "it is no regular file");
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->bytes = (uint64_t)st.st_size;
	elf_version(EV_CURRENT);
	/* Read, not mapped: a mapping of a file that is cut short later would end the program. */
	errno = 0;
	f->elf = elf_begin(f->fd, ELF_C_READ, NULL);
	return header_read(f, whole, why);
}

static int open_one(const char *path, bool whole, struct elf_file **out, const char **why)
{
	struct elf_file *f = file_new(path);
	int err;

	*why = "there is no memory for it";
	if (!f)
		return -ENOMEM;
	err = file_open(f, whole, why);
	if (err)
		elf_file_close(f);
	else
		*out = f;
	return err;
}

int elf_file_open(const char *path, struct elf_file **out, const char **why)
{
	return open_one(path, true, out, why);
}

int elf_file_open_any(const char *path, struct elf_file **out, const char **why)
{
	return open_one(path, false, out, why);
}

int elf_file_open_memory(void *data, size_t len, struct elf_file **out, const char **why)
{
	struct elf_file *f = file_new("");
	int err;

	*why = "there is no memory for it";
	if (!f)
		return -ENOMEM;
	f->bytes = len;
	elf_version(EV_CURRENT);
	errno = 0;
	f->elf = elf_memory(data, len);
	err = header_read(f, false, why);
	if (err)
		elf_file_close(f);
	else
		*out = f;
	return err;
}

void elf_file_close(struct elf_file *f)
{
	if (!f)
		return;
	elf_file_close(f->debug);
	elf_file_close(f->mini);
	free(f->mini_data);
	elf_end(f->elf);
	close_fd(&f->fd);
	free(f->segments);
	free(f->path);
	free(f);
}

/* ---- places ---- */

const struct elf_segment *elf_file_segments(const struct elf_file *f, size_t *n)
{
	*n = f->nsegments;
	return f->segments;
}

bool elf_file_offset(const struct elf_file *f, uint64_t vaddr, uint32_t flags, uint64_t *offset)
{
	for (size_t i = 0; i < f->nsegments; i++) {
		const struct elf_segment *s = &f->segments[i];

		if ((s->flags & flags) == flags && vaddr - s->vaddr < s->bytes && vaddr >= s->vaddr) {
			*offset = vaddr - s->vaddr + s->offset;
			return true;
		}
	}
	return false;
}

bool elf_file_vaddr(const struct elf_file *f, uint64_t offset, uint32_t flags, uint64_t *vaddr)
{
	for (size_t i = 0; i < f->nsegments; i++) {
		const struct elf_segment *s = &f->segments[i];

		if ((s->flags & flags) == flags && offset - s->offset < s->bytes && offset >= s->offset) {
			*vaddr = offset - s->offset + s->vaddr;
			return true;
		}
	}
	return false;
}

bool elf_file_read(const struct elf_file *f, uint64_t offset, void *to, size_t len)
{
	size_t size;
	const char *all;

	if (offset > f->bytes || len > f->bytes - offset)
		return false;
	if (f->fd >= 0)
		return pread(f->fd, to, len, (off_t)offset) == (ssize_t)len;
	all = elf_rawfile(f->elf, &size);
	if (!all || offset > size || len > size - offset)
		return false;
	memcpy(to, all + offset, len);
	return true;
}

/* ---- sections ---- */

Elf_Scn *elf_section_find(const struct elf_file *f, uint32_t type, const char *name, GElf_Shdr *sh)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (name && elf_getshdrstrndx(f->elf, &names))
		return NULL;
	while ((scn = elf_nextscn(f->elf, scn))) {
		const char *own;

		if (!gelf_getshdr(scn, sh))
			continue;
		if (!name && sh->sh_type == type)
			return scn;
		own = name ? elf_strptr(f->elf, names, sh->sh_name) : NULL;
		if (own && !strcmp(own, name))
			return scn;
	}
	return NULL;
}

Elf_Data *elf_section_data(Elf_Scn *scn)
{
	Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;

	return data && data->d_buf && data->d_size ? data : NULL;
}

const void *elf_file_section(struct elf_file *f, const char *name, size_t *len, uint64_t *vaddr)
{
	GElf_Shdr sh;
	Elf_Scn *scn = elf_section_find(f, 0, name, &sh);
	const Elf_Data *data;

	if (!scn || sh.sh_type == SHT_NOBITS)
		return NULL;
	if (sh.sh_flags & SHF_COMPRESSED && elf_compress(scn, 0, 0) < 0)
		return NULL;
	data = elf_section_data(scn);
	if (!data)
		return NULL;
	*len = data->d_size;
	if (vaddr)
		*vaddr = sh.sh_addr;
	return data->d_buf;
}
