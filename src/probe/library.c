/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Library: where the dynamic linker finds a library: its cache, else the standard directories. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "probe/binary.h"

#define CACHE_MAGIC "glibc-ld.so.cache1.1"
#define CACHE_MOST_BYTES ((size_t)64 << 20)

#if defined(__x86_64__)
#define CACHE_FLAGS 0x0303 /* of libraries for this machine: ELF, 64 bits */
#define TRIPLET "x86_64-linux-gnu"
#elif defined(__aarch64__)
#define CACHE_FLAGS 0x0a03
#define TRIPLET "aarch64-linux-gnu"
#else
#define CACHE_FLAGS 3
#define TRIPLET "."
#endif

/* As glibc writes it. All places count from the header's beginning. */
struct cache_header {
	char magic[20];
	uint32_t nlibs, strings_bytes, unused[5];
};

struct cache_entry {
	int32_t flags;
	uint32_t name, path, os_version;
	uint64_t hwcap;
};

static void strbuf_end(void *b)
{
	strbuf_free(b);
}

/* A whole file in memory of the arena; NULL when it cannot be read. */
static const struct strbuf *file_read(struct arena *a, const char *path)
{
	struct strbuf *b = arena_new_of(a, struct strbuf);
	int fd;

	*b = (struct strbuf)STRBUF_INIT;
	arena_own(a, strbuf_end, b);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return NULL;
	while (b->len < CACHE_MOST_BYTES && strbuf_reserve(b, 65536)) {
		ssize_t n = read(fd, b->s + b->len, 65536);

		if (n <= 0)
			break;
		b->len += (size_t)n;
	}
	close(fd);
	return b;
}

/* "libc.so.6" is libc.so.6 and libc: the name up to ".so". */
static bool name_matches(const char *soname, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(soname, name, n) && (!soname[n] || str_starts(soname + n, ".so"));
}

static bool is_regular(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* A text of the cache, which ends within it. */
static const char *cache_text(const char *base, size_t len, uint32_t at)
{
	return at < len && memchr(base + at, 0, len - at) ? base + at : NULL;
}

static const char *in_cache(struct arena *a, const char *root, const char *name)
{
	const struct strbuf *file = file_read(a, arena_printf(a, "%s/etc/ld.so.cache", root));
	const char *base = file ? memmem(file->s, file->len, CACHE_MAGIC, strlen(CACHE_MAGIC)) : NULL;
	struct cache_header h;
	size_t len;

	if (!base)
		return NULL;
	len = (size_t)(file->s + file->len - base);
	if (len < sizeof(h) + 16)
		return NULL;
	memcpy(&h, base, sizeof(h));
	for (size_t i = 0; i < h.nlibs && 48 + (i + 1) * sizeof(struct cache_entry) <= len; i++) {
		const char *soname, *path, *full;
		struct cache_entry e;

		memcpy(&e, base + 48 + i * sizeof(e), sizeof(e));
		soname = cache_text(base, len, e.name);
		path = cache_text(base, len, e.path);
		if (e.flags != CACHE_FLAGS || !soname || !path || !name_matches(soname, name))
			continue;
		full = arena_printf(a, "%s%s", root, path);
		if (is_regular(full))
			return full;
	}
	return NULL;
}

static void glob_end(void *g)
{
	globfree(g);
}

/* NAME, else the first of NAME.so*; nothing that a linker script may be. */
static const char *in_directory(struct arena *a, const char *root, const char *dir, const char *name)
{
	const char *full = arena_printf(a, "%s%s/%s", root, dir, name);
	glob_t *found;

	if (strstr(name, ".so") && is_regular(full))
		return full;
	found = arena_new_of(a, glob_t);
	if (glob(arena_printf(a, "%s.so.*", full), 0, NULL, found)) {
		globfree(found);
		return NULL;
	}
	arena_own(a, glob_end, found);
	for (size_t i = 0; i < found->gl_pathc; i++)
		if (is_regular(found->gl_pathv[i]))
			return found->gl_pathv[i];
	return NULL;
}

const char *library_find(struct arena *a, const char *root, const char *name)
{
	static const char *const dirs[] = {
		"/lib/" TRIPLET, "/usr/lib/" TRIPLET, "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib",
	};
	const char *path = in_cache(a, root, name);

	for (size_t i = 0; !path && i < ARRAY_SIZE(dirs); i++)
		path = in_directory(a, root, dirs[i], name);
	return path;
}

const char *library_heir(struct arena *a, const char *path)
{
	static const char *const given_up[] = { "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "libanl.so.1" };
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; slash && i < ARRAY_SIZE(given_up); i++)
		if (str_eq(slash + 1, given_up[i]))
			return arena_printf(a, "%.*s/libc.so.6", (int)(slash - path), path);
	return NULL;
}
