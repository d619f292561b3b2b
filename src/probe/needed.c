/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Needed: the files that the dynamic linker will map with a program that does not run yet: its interpreter and
 * the libraries that its dynamic section names, and those that these name. What a program loads later on by
 * itself nobody knows.
 */
#include <elf.h>
#include <sys/stat.h>

#include "base/strmap.h"
#include "base/util.h"
#include "probe/binary.h"

/* More than any program has; a limit for files that name each other in circles of new names. */
#define FILES_MOST 4096

struct needed {
	struct probe_env *env;
	struct strmap seen; /* names of libraries */
	path_vec *out;
};

static bool is_regular(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* "$ORIGIN" and "${ORIGIN}" at the beginning of a directory stand for where the file is. */
static const char *origin_put(struct arena *a, const char *dir, const char *file)
{
	size_t n = str_starts(dir, "$ORIGIN") ? strlen("$ORIGIN") : str_starts(dir, "${ORIGIN}") ? strlen("${ORIGIN}") : 0;
	const char *slash = strrchr(file, '/');

	if (!n)
		return dir;
	return arena_printf(a, "%.*s%s", slash ? (int)(slash - file) : 1, slash ? file : ".", dir + n);
}

/* In the directories of a list with colons; NULL: in none. */
static const char *in_list(struct arena *a, const char *list, const char *file, const char *name)
{
	while (list && *list) {
		size_t n = strcspn(list, ":");
		const char *dir = arena_strndup(a, list, n);
		const char *path = arena_printf(a, "%s/%s", origin_put(a, dir, file), name);

		if (n && is_regular(path))
			return path;
		list += n + (list[n] == ':');
	}
	return NULL;
}

static const char *library_of(struct needed *nd, const char *file, const char *runpath, const char *name)
{
	struct arena *a = nd->env->arena;
	const char *path;

	if (strchr(name, '/'))
		return is_regular(name) ? arena_strdup(a, name) : NULL; /* the file is closed before it is used */
	path = in_list(a, runpath, file, name);
	path = path ? path : in_list(a, getenv("LD_LIBRARY_PATH"), file, name);
	return path ? path : library_find(a, "", name);
}

static void library_take(struct needed *nd, const char *file, const char *runpath, const char *name)
{
	const char *path;

	if (strmap_get(&nd->seen, name) || nd->out->n >= FILES_MOST)
		return;
	strmap_put(nd->env->arena, &nd->seen, arena_strdup(nd->env->arena, name), nd);
	path = library_of(nd, file, runpath, name);
	if (path)
		vec_push(nd->env->arena, nd->out, path);
}

/* A text of the dynamic section's strings, which ends within them. */
static const char *text_at(const char *strings, size_t len, uint64_t at)
{
	return at < len && memchr(strings + at, 0, len - at) ? strings + at : NULL;
}

static void dynamic_read(struct needed *nd, struct elf_file *elf, const char *file)
{
	size_t bytes, len, n;
	const char *table = elf_file_section(elf, ".dynamic", &bytes, NULL), *runpath = NULL;
	const char *strings = elf_file_section(elf, ".dynstr", &len, NULL), *name;
	Elf64_Dyn d;

	n = table && strings ? bytes / sizeof(d) : 0;
	for (size_t i = 0; i < n; i++) {
		memcpy(&d, table + i * sizeof(d), sizeof(d));
		if (d.d_tag == DT_RUNPATH || (d.d_tag == DT_RPATH && !runpath))
			runpath = text_at(strings, len, d.d_un.d_val);
	}
	for (size_t i = 0; i < n; i++) {
		memcpy(&d, table + i * sizeof(d), sizeof(d));
		name = d.d_tag == DT_NEEDED ? text_at(strings, len, d.d_un.d_val) : NULL;
		if (name && *name)
			library_take(nd, file, runpath, name);
	}
}

static void interpreter_read(struct needed *nd, struct elf_file *elf, const char *file)
{
	size_t len;
	const char *name = elf_file_section(elf, ".interp", &len, NULL);

	if (name && len && !name[len - 1] && *name == '/')
		library_take(nd, file, NULL, name);
}

void needed_files(struct probe_env *env, const char *program, path_vec *out)
{
	struct needed nd = { .env = env, .out = out };
	uint32_t next = out->n;

	vec_push(env->arena, out, program);
	for (; next < out->n; next++) {
		const char *path = out->v[next], *why;
		struct elf_file *elf;

		if (elf_file_open(path, &elf, &why))
			continue;
		if (!elf_file_foreign(elf)) {
			interpreter_read(&nd, elf, path);
			dynamic_read(&nd, elf, path);
		}
		elf_file_close(elf);
	}
}
