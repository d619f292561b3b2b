/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BTF file: the kernel's types read where they lie. A question that names one struct must not pay for
 * the other hundred thousand, so the file is mapped (or, before Linux 6.16, read), walked once to learn
 * where each type begins, and nothing more. The text comes from the kernel but is treated as hostile:
 * every type handed out lies within the file with all its members.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/util.h"
#include "kernel/priv.h"

#define BTF_DIR "/sys/kernel/btf"
#define MOST_BYTES (256u << 20)

struct btf_file {
	char *module;
	const struct btf_file *base; /* whose types come first, or NULL */
	uint8_t *data;
	size_t len;
	bool mapped;
	const uint8_t *types;
	uint32_t types_len;
	const char *strings;
	uint32_t strings_len;
	uint32_t first; /* id of the first type of its own */
	uint32_t *at;   /* where its own types begin, by id - first */
	uint32_t n;     /* of them */
};

void btf_file_free(struct btf_file *f)
{
	if (!f)
		return;
	if (f->mapped)
		munmap(f->data, f->len);
	else
		free(f->data);
	free(f->at);
	free(f->module);
	free(f);
}

/* ---- open ---- */

static int fd_read(int fd, uint8_t *to, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, to + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n && errno ? -errno : -EINVAL;
		done += (size_t)n;
	}
	return 0;
}

static int content(struct btf_file *f, int dir, const char *module)
{
	_cleanup_close_ int fd = openat(dir, module, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return errno ? -errno : -EIO;
	if (st.st_size < (off_t)sizeof(struct btf_header) || st.st_size > (off_t)MOST_BYTES)
		return -EINVAL;
	f->len = (size_t)st.st_size;
	f->data = mmap(NULL, f->len, PROT_READ, MAP_PRIVATE, fd, 0);
	f->mapped = f->data != MAP_FAILED;
	if (f->mapped)
		return 0;
	f->data = malloc(f->len);
	return f->data ? fd_read(fd, f->data, f->len) : -ENOMEM;
}

static int sections(struct btf_file *f)
{
	const struct btf_header *h = (const struct btf_header *)f->data;
	uint64_t types = h ? (uint64_t)h->hdr_len + h->type_off : 0, strings = h ? (uint64_t)h->hdr_len + h->str_off : 0;

	if (!h || h->magic != BTF_MAGIC || h->hdr_len < sizeof(*h) || types % 4 || types + h->type_len > f->len ||
	    strings + h->str_len > f->len || !h->str_len)
		return -EINVAL;
	f->types = f->data + types;
	f->types_len = h->type_len;
	f->strings = (const char *)f->data + strings;
	f->strings_len = h->str_len;
	return f->strings[f->strings_len - 1] ? -EINVAL : 0;
}

/* Bytes behind the head of a type of this kind; -1: an unknown kind. */
static int64_t tail_bytes(const struct btf_type *t)
{
	uint32_t n = btf_vlen(t);

	switch (btf_kind(t)) {
	case BTF_KIND_INT: case BTF_KIND_VAR: case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT: case BTF_KIND_UNION:
		return (int64_t)n * (int64_t)sizeof(struct btf_member);
	case BTF_KIND_ENUM: case BTF_KIND_FUNC_PROTO:
		return (int64_t)n * 8;
	case BTF_KIND_DATASEC: case BTF_KIND_ENUM64:
		return (int64_t)n * 12;
	case BTF_KIND_PTR: case BTF_KIND_FWD: case BTF_KIND_TYPEDEF: case BTF_KIND_VOLATILE: case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT: case BTF_KIND_FUNC: case BTF_KIND_FLOAT: case BTF_KIND_TYPE_TAG:
		return 0;
	default:
		return -1;
	}
}

static int index_types(struct btf_file *f)
{
	uint32_t at = 0, cap = 0;

	while (f->types_len - at >= sizeof(struct btf_type)) {
		int64_t tail = tail_bytes((const struct btf_type *)(f->types + at));
		uint64_t next = at + sizeof(struct btf_type) + (uint64_t)tail;

		if (tail < 0 || next > f->types_len)
			return -EINVAL;
		if (f->n == cap) {
			uint32_t *more;

			/* The first guess is what an average type takes, so that one allocation does. */
			cap = cap ? cap * 2 : f->types_len / 24 + 16;
			more = realloc(f->at, (size_t)cap * sizeof(*more));
			if (!more)
				return -ENOMEM;
			f->at = more;
		}
		f->at[f->n++] = at;
		at = (uint32_t)next;
	}
	return 0;
}

static int file_open(int dir, const char *module, const struct btf_file *base, struct btf_file **out)
{
	struct btf_file *f = calloc(1, sizeof(*f));
	int err = f ? 0 : -ENOMEM;

	if (err)
		return err;
	f->base = base;
	f->first = base ? base->first + base->n : 1;
	f->module = strdup(module);
	err = f->module ? content(f, dir, module) : -ENOMEM;
	err = err ? err : sections(f);
	err = err ? err : index_types(f);
	if (err)
		btf_file_free(f);
	else
		*out = f;
	return err;
}

/* ---- the types of the running kernel and of its modules ---- */

static const struct btf_file *find_open(const struct kernel *k, const char *module)
{
	for (size_t i = 0; i < k->nbtf_files; i++)
		if (!strcmp(k->btf_files[i]->module, module))
			return k->btf_files[i];
	return NULL;
}

static int open_and_keep(struct kernel *k, const char *module)
{
	_cleanup_close_ int dir = open(BTF_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_module = strcmp(module, "vmlinux") != 0;
	struct btf_file **more, *f = NULL;
	int err;

	if (dir < 0)
		return -errno;
	more = realloc(k->btf_files, (k->nbtf_files + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	k->btf_files = more;
	err = file_open(dir, module, is_module ? find_open(k, "vmlinux") : NULL, &f);
	if (!err)
		k->btf_files[k->nbtf_files++] = f;
	return err;
}

const struct btf_file *kernel_types(struct kernel *k, const char *module)
{
	const struct btf_file *f = find_open(k, module);
	int err;

	if (f || k->btf_failed)
		return f;
	if (strcmp(module, "vmlinux") && !kernel_types(k, "vmlinux"))
		return NULL;
	err = open_and_keep(k, module);
	if (!err)
		return find_open(k, module);
	if (strcmp(module, "vmlinux")) {
		report_error(k->report, err, NULL, "cannot read the types of module %s: %s", module, strerror(-err));
		return NULL;
	}
	k->btf_failed = true; /* said once */
	report_error(k->report, err, err == -ENOMEM ? NULL : "a kernel with CONFIG_DEBUG_INFO_BTF=y is needed",
		     "cannot read the kernel's types (" BTF_DIR "/vmlinux): %s", strerror(-err));
	return NULL;
}

int kernel_types_each_module(struct kernel *k, int (*fn)(const struct btf_file *f, void *ctx), void *ctx)
{
	DIR *dir = kernel_types(k, "vmlinux") ? opendir(BTF_DIR) : NULL;
	struct dirent *entry;
	int r = 0;

	while (dir && !r && (entry = readdir(dir))) {
		const struct btf_file *f = find_open(k, entry->d_name);

		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "vmlinux"))
			continue;
		/* A module that is going away is none of our business. */
		if (!f && !open_and_keep(k, entry->d_name))
			f = find_open(k, entry->d_name);
		if (f)
			r = fn(f, ctx);
	}
	if (dir)
		closedir(dir);
	return r;
}

/* ---- look into one ---- */

const char *btf_file_module(const struct btf_file *f)
{
	return f->module;
}

uint32_t btf_file_end(const struct btf_file *f)
{
	return f->first + f->n;
}

const struct btf_type *btf_file_type(const struct btf_file *f, uint32_t id)
{
	if (id < f->first)
		return f->base ? btf_file_type(f->base, id) : NULL;
	if (id - f->first >= f->n)
		return NULL;
	return (const struct btf_type *)(f->types + f->at[id - f->first]);
}

const char *btf_file_string(const struct btf_file *f, uint32_t offset)
{
	uint32_t before = f->base ? f->base->strings_len : 0;

	if (offset < before)
		return btf_file_string(f->base, offset);
	return offset - before < f->strings_len ? f->strings + (offset - before) : "";
}

/* Where `name` stands among the strings; 0 when it does not. */
static uint32_t string_offset(const struct btf_file *f, const char *name)
{
	size_t len = strlen(name) + 1; /* with its NUL */
	const char *hit = f->strings, *end = f->strings + f->strings_len;

	for (; (hit = memmem(hit, (size_t)(end - hit), name, len)); hit++)
		if (hit > f->strings && !hit[-1])
			return (uint32_t)(hit - f->strings) + (f->base ? f->base->strings_len : 0);
	return 0;
}

struct names {
	uint32_t own, base; /* the same name may stand in both tables */
};

static struct names names_of(const struct btf_file *f, const char *name)
{
	return (struct names){ string_offset(f, name), f->base ? string_offset(f->base, name) : 0 };
}

static bool named(const struct names *names, uint32_t offset)
{
	return offset && (offset == names->own || offset == names->base);
}

uint32_t btf_file_find(const struct btf_file *f, const char *name, uint32_t kinds)
{
	struct names names = names_of(f, name);

	for (uint32_t i = 0; (names.own || names.base) && i < f->n; i++) {
		const struct btf_type *t = (const struct btf_type *)(f->types + f->at[i]);

		if (named(&names, t->name_off) && kinds >> btf_kind(t) & 1)
			return f->first + i;
	}
	return 0;
}

uint32_t btf_file_find_enumerator(const struct btf_file *f, const char *name, uint32_t *which)
{
	struct names names = names_of(f, name);

	for (uint32_t i = 0; (names.own || names.base) && i < f->n; i++) {
		const struct btf_type *t = (const struct btf_type *)(f->types + f->at[i]);
		uint32_t step = btf_kind(t) == BTF_KIND_ENUM64 ? 12 : 8;

		if (!btf_is_any_enum(t))
			continue;
		for (uint32_t e = 0; e < btf_vlen(t); e++) {
			/* Both kinds of enumerator begin with the name. */
			const uint8_t *one = (const uint8_t *)(t + 1) + e * step;

			if (named(&names, *(const uint32_t *)(const void *)one)) {
				*which = e;
				return f->first + i;
			}
		}
	}
	return 0;
}
