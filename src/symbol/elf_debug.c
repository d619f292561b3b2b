/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elf_debug: the separate file that holds what was stripped from a program: by its build-id, or by the
 * name and checksum in .gnu_debuglink, or from a server that has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <zlib.h>

#include "base/util.h"
#include "symbol/debuginfod.h"
#include "symbol/elf_priv.h"

#define BUILD_ID_MOST 64
#define DEBUG_DIR "/usr/lib/debug"

/* ---- build-id ---- */

static const uint8_t *id_in_notes(Elf_Data *data, size_t *len)
{
	size_t at = 0, name_at, desc_at;
	GElf_Nhdr note;

	while (data && data->d_buf && (at = gelf_getnote(data, at, &note, &name_at, &desc_at))) {
		const char *bytes = data->d_buf;

		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != sizeof("GNU") ||
		    memcmp(bytes + name_at, "GNU", sizeof("GNU")))
			continue;
		if (note.n_descsz < 2 || note.n_descsz > BUILD_ID_MOST)
			continue;
		*len = note.n_descsz;
		return (const uint8_t *)bytes + desc_at;
	}
	return NULL;
}

/* By section, else by segment: section headers may have been stripped. */
const uint8_t *elf_file_build_id(const struct elf_file *f, size_t *len)
{
	Elf_Scn *scn = NULL;
	const uint8_t *id;
	size_t n = 0;

	while ((scn = elf_nextscn(f->elf, scn))) {
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_NOTE)
			continue;
		id = id_in_notes(elf_section_data(scn), len);
		if (id)
			return id;
	}
	if (elf_getphdrnum(f->elf, &n))
		return NULL;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(f->elf, (int)i, &ph) || ph.p_type != PT_NOTE || ph.p_filesz > INT32_MAX)
			continue;
		id = id_in_notes(elf_getdata_rawchunk(f->elf, (int64_t)ph.p_offset, ph.p_filesz,
						      ph.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR), len);
		if (id)
			return id;
	}
	return NULL;
}

/* ---- debug files ---- */

static struct elf_file *debug_open(const char *root, const char *path)
{
	struct elf_file *f;
	char full[4200];
	const char *why;

	if ((size_t)snprintf(full, sizeof(full), "%s%s", root, path) >= sizeof(full))
		return NULL;
	return elf_file_open_any(full, &f, &why) ? NULL : f;
}

/* Debug files of another build would name wrong functions. */
static struct elf_file *of_this_build(struct elf_file *debug, const uint8_t *id, size_t len)
{
	size_t other_len;
	const uint8_t *other = debug ? elf_file_build_id(debug, &other_len) : NULL;

	if (other && other_len == len && !memcmp(other, id, len))
		return debug;
	elf_file_close(debug);
	return NULL;
}

/* Below `dir`, which ends without a slash. */
static struct elf_file *by_build_id(const struct elf_file *f, const char *dir)
{
	char path[sizeof("/.build-id/xx/.debug") + 2 * BUILD_ID_MOST];
	const uint8_t *id;
	size_t len;
	int at;

	id = elf_file_build_id(f, &len);
	if (!id)
		return NULL;
	at = snprintf(path, sizeof(path), "/.build-id/%02x/", id[0]);
	for (size_t i = 1; i < len; i++)
		at += snprintf(path + at, sizeof(path) - (size_t)at, "%02x", id[i]);
	snprintf(path + at, sizeof(path) - (size_t)at, ".debug");
	return of_this_build(debug_open(dir, path), id, len);
}

static struct elf_file *by_build_id_in_root(const struct elf_file *f, const char *root)
{
	_cleanup_free_ char *dir = NULL;

	return asprintf(&dir, "%s%s", root, DEBUG_DIR) < 0 ? NULL : by_build_id(f, dir);
}

static struct elf_file *from_server(const struct elf_file *f)
{
	size_t len;
	const uint8_t *id = elf_file_build_id(f, &len);
	_cleanup_free_ char *path = id ? debuginfod_fetch(id, len) : NULL;

	return path ? of_this_build(debug_open("", path), id, len) : NULL;
}

static bool checksum_matches(const struct elf_file *f, uint32_t want)
{
	uint64_t at = 0;
	unsigned long sum = crc32(0, NULL, 0);
	uint8_t block[65536];

	while (at < f->bytes) {
		size_t n = (size_t)MIN(f->bytes - at, (uint64_t)sizeof(block));

		if (!elf_file_read(f, at, block, n))
			return false;
		sum = crc32(sum, block, (unsigned)n);
		at += n;
	}
	return sum == want;
}

/* A name, its NUL, up to the next multiple of four, the checksum. */
static const char *debug_link(struct elf_file *f, uint32_t *sum)
{
	size_t len, name_len;
	const char *link = elf_file_section(f, ".gnu_debuglink", &len, NULL);

	if (!link)
		return NULL;
	name_len = strnlen(link, len);
	if (!name_len || (name_len + 4) / 4 * 4 + 4 > len || strchr(link, '/'))
		return NULL;
	memcpy(sum, link + (name_len + 4) / 4 * 4, sizeof(*sum));
	return link;
}

/* The file with this checksum that is not the file itself. */
static struct elf_file *of_this_link(struct elf_file *f, struct elf_file *debug, uint32_t sum)
{
	if (debug && !(debug->dev == f->dev && debug->ino == f->ino) && checksum_matches(debug, sum))
		return debug;
	elf_file_close(debug);
	return NULL;
}

static struct elf_file *by_link(struct elf_file *f, const char *root, const char *path)
{
	static const char *const forms[] = { "%1$.*2$s/%3$s", "%1$.*2$s/.debug/%3$s", DEBUG_DIR "%1$.*2$s/%3$s" };
	const char *slash = strrchr(path, '/');
	uint32_t sum;
	const char *name = debug_link(f, &sum);

	for (size_t i = 0; name && slash && i < ARRAY_SIZE(forms); i++) {
		struct elf_file *debug;
		char full[4200];
		int n;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		n = snprintf(full, sizeof(full), forms[i], path, (int)(slash - path), name);
#pragma GCC diagnostic pop
		debug = n > 0 && (size_t)n < sizeof(full) ? debug_open(root, full) : NULL;
		debug = of_this_link(f, debug, sum);
		if (debug)
			return debug;
	}
	return NULL;
}

/* ---- directories that the person names ---- */

const char *elf_debug_dirs;

/* The link's name in `dir`; below it, beneath the file's own directory; and in a directory beside the file. */
static struct elf_file *by_link_in(struct elf_file *f, const char *dir, const char *path)
{
	const char *slash = strrchr(path, '/');
	int own = slash ? (int)(slash - path) : 0;
	uint32_t sum;
	const char *name = debug_link(f, &sum);
	struct elf_file *debug = NULL;
	char full[4200];

	for (int form = 0; name && !debug && form < 3; form++) {
		int n = form == 0 ? snprintf(full, sizeof(full), "%s/%s", dir, name) :
			form == 1 ? snprintf(full, sizeof(full), "%s%.*s/%s", dir, own, path, name) :
				    snprintf(full, sizeof(full), "%.*s/%s/%s", own, path, dir, name);

		if (n > 0 && (size_t)n < sizeof(full))
			debug = of_this_link(f, debug_open("", full), sum);
	}
	return debug;
}

static struct elf_file *in_named_dirs(struct elf_file *f, const char *path)
{
	struct elf_file *debug = NULL;
	size_t len;

	for (const char *p = elf_debug_dirs; p && *p && !debug; p += len + (p[len] == ':')) {
		_cleanup_free_ char *dir = NULL;

		len = strcspn(p, ":");
		dir = len ? strndup(p, len) : NULL;
		if (!dir)
			continue;
		debug = by_build_id(f, dir);
		debug = debug ? debug : by_link_in(f, dir, path);
	}
	return debug;
}

/* How much of a path is "/proc/PID/root". */
static size_t root_prefix(const char *path)
{
	size_t n = strlen("/proc/"), digits;

	if (!str_starts(path, "/proc/"))
		return 0;
	digits = strspn(path + n, "0123456789");
	if (!digits && str_starts(path + n, "self"))
		digits = 4;
	return digits && str_starts(path + n + digits, "/root/") ? n + digits + strlen("/root") : 0;
}

struct elf_file *elf_file_debug(struct elf_file *f)
{
	size_t prefix = root_prefix(f->path);
	char *root;

	if (f->debug_tried)
		return f->debug;
	f->debug_tried = true;
	if (f->fd < 0)
		return NULL;
	root = strndup(f->path, prefix);
	if (!root)
		return NULL;
	f->debug = in_named_dirs(f, f->path + prefix);
	if (!f->debug)
		f->debug = by_build_id_in_root(f, root);
	if (!f->debug && prefix)
		f->debug = by_build_id_in_root(f, "");
	if (!f->debug)
		f->debug = by_link(f, root, f->path + prefix);
	/* The process may have ended since the file was opened. The checksum says whether it is the right one. */
	if (!f->debug && prefix)
		f->debug = by_link(f, "", f->path + prefix);
	if (!f->debug)
		f->debug = from_server(f);
	free(root);
	return f->debug;
}
