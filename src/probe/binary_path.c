/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Binary_path: from what a spec names to the paths of files. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/strbuf.h"
#include "base/strmap.h"
#include "base/util.h"
#include "probe/binary.h"
#include "probe/common.h"

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Files by device and inode, so that no file comes twice under two names. */
struct gather {
	struct probe_env *env;
	struct strmap seen;
	path_vec *out;
};

static bool stat_regular(const char *path, struct stat *st)
{
	return !stat(path, st) && S_ISREG(st->st_mode);
}

static bool is_regular(const char *path)
{
	struct stat st;

	return stat_regular(path, &st);
}

static void path_take(struct gather *g, const char *path)
{
	struct arena *a = g->env->arena;
	struct stat st;
	const char *key;

	if (!stat_regular(path, &st))
		return;
	key = arena_printf(a, "%llx:%llx", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	if (strmap_get(&g->seen, key))
		return;
	path = arena_strdup(a, path);
	strmap_put(a, &g->seen, key, (void *)(uintptr_t)path);
	vec_push(a, g->out, path);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* ---- the process of -p ---- */

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Where the process finds the paths that it uses: "" when that is where we do. */
static const char *process_root(struct probe_env *env, int32_t pid)
{
	struct arena *a = env->arena;
	const char *root;

	if (pid <= 0)
		return "";
	root = arena_printf(a, "/proc/%d/root", pid);
	if (same_file("/proc/self/ns/mnt", arena_printf(a, "/proc/%d/ns/mnt", pid)) && same_file("/", root))
		return "";
	return access(root, X_OK) ? "" : root;
}

bool binary_is_implied(const struct probe_env *env)
{
	return env->pid > 0 && (!env->pid_is_child || env->child_program);
}

static int program_of_process(struct probe_env *env, const struct probe_spec *spec, struct gather *g)
{
	const char *link = arena_printf(env->arena, "/proc/%d/exe", env->pid), *path;
	char target[4097];
	ssize_t n;

	if (!binary_is_implied(env))
		return diag_error(env->diags, spec->span, "name the program, or give -p PID of one that runs");
	if (env->pid_is_child) {
		path_take(g, env->child_program);
		return 0;
	}
	n = readlink(link, target, sizeof(target) - 1);
	if (n < 0) {
		diag_error(env->diags, spec->span, "cannot see which program process %d runs: %s", env->pid,
			   strerror(errno));
		return -ENOENT;
	}
	target[n] = 0;
	path = arena_printf(env->arena, "%s%s", process_root(env, env->pid), target);
	/* It may have been replaced on disk: then only the link leads to it. */
	path_take(g, same_file(path, link) ? path : link);
	return 0;
}

/* ---- files that are mapped ---- */

static void strbuf_end(void *b)
{
	strbuf_free(b);
}

static char *maps_read(struct arena *a, const char *path)
{
	struct strbuf *b = arena_new_of(a, struct strbuf);
	ssize_t n = 0;
	int fd;

	*b = (struct strbuf)STRBUF_INIT;
	arena_own(a, strbuf_end, b);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && strbuf_reserve(b, 65536) && (n = read(fd, b->s + b->len, 65536)) > 0) {
		b->len += (size_t)n;
		b->s[b->len] = 0;
	}
	close_fd(&fd);
	return b->s;
}

/* "start-end r-xp offset dev inode   path": the path, when the file can be executed and is still there. */
static char *mapped_path(char *line)
{
	int at = 0;
	char perms[5];

	if (sscanf(line, "%*s %4s %*s %*s %*s %n", perms, &at) != 1 || !at || perms[2] != 'x')
		return NULL;
	return line[at] == '/' && !strstr(line + at, " (deleted)") ? line + at : NULL;
}

static void mapped_take(struct gather *g, int32_t pid)
{
	struct arena *a = g->env->arena;
	const char *root = process_root(g->env, pid), *last = "";
	char *text = maps_read(a, arena_printf(a, "/proc/%d/maps", pid)), *line;

	while ((line = strsep(&text, "\n"))) {
		const char *path = mapped_path(line);

		if (path && strcmp(path, last))
			path_take(g, *root ? arena_printf(a, "%s%s", root, path) : path);
		last = path ? path : last;
	}
}

static void glob_end(void *g)
{
	globfree(g);
}

/* What a pattern of paths matches. */
static const glob_t *glob_paths(struct arena *a, const char *pattern)
{
	glob_t *found = arena_new_of(a, glob_t);

	arena_own(a, glob_end, found);
	if (glob(pattern, GLOB_NOESCAPE, NULL, found))
		found->gl_pathc = 0;
	return found;
}

/* What the process of -p or -c has mapped, or will have. */
static void process_files_take(struct gather *g)
{
	path_vec files = { 0 };

	if (!g->env->pid_is_child) {
		mapped_take(g, g->env->pid);
		return;
	}
	needed_files(g->env, g->env->child_program, &files);
	vec_each(path, &files)
		path_take(g, *path);
}

static void mapped_all_take(struct gather *g)
{
	const glob_t *processes = glob_paths(g->env->arena, "/proc/[0-9]*");

	for (size_t i = 0; i < processes->gl_pathc; i++) {
		int32_t pid = (int32_t)strtol(processes->gl_pathv[i] + strlen("/proc/"), NULL, 10);

		if (pid > 0)
			mapped_take(g, pid);
	}
}

/* ---- names ---- */

/* Call take for every directory of PATH, which is the usual one for another root directory. */
static void search_path(struct gather *g, const char *root, const char *name,
			void (*take)(struct gather *g, const char *path))
{
	const char *env = getenv("PATH"), *dir = *root || !env ? PATH_DEFAULT : env;

	while (*dir) {
		size_t n = strcspn(dir, ":");

		if (n)
			take(g, arena_printf(g->env->arena, "%s%.*s/%s", root, (int)n, dir, name));
		dir += n + (dir[n] == ':');
	}
}

static void executable_take(struct gather *g, const char *path)
{
	/* The first one is what a shell would start. */
	if (!g->out->n && is_regular(path) && !access(path, X_OK))
		path_take(g, path);
}

static void pattern_take(struct gather *g, const char *pattern)
{
	const glob_t *found = glob_paths(g->env->arena, pattern);

	for (size_t i = 0; i < found->gl_pathc; i++)
		path_take(g, found->gl_pathv[i]);
}

static bool is_library_name(const char *name)
{
	return str_starts(name, "lib") || strstr(name, ".so");
}

/* A library that the process uses is meant before any that it might. */
static void process_library_take(struct gather *g, const char *name)
{
	path_vec mapped = { 0 };
	struct gather all = { .env = g->env, .out = &mapped };
	size_t n = strlen(name);

	process_files_take(&all);
	vec_each(path, &mapped) {
		const char *base = strrchr(*path, '/') + 1;

		if (!strncmp(base, name, n) && (!base[n] || str_starts(base + n, ".so") || base[n] == '-')) {
			path_take(g, *path);
			return;
		}
	}
}

static void name_take(struct gather *g, const char *root, const char *name)
{
	const char *library;

	search_path(g, root, name, executable_take);
	if (g->out->n || !is_library_name(name))
		return;
	if (binary_is_implied(g->env))
		process_library_take(g, name);
	library = g->out->n ? NULL : library_find(g->env->arena, root, name);
	if (library)
		path_take(g, library);
}

static void path_or_pattern_take(struct gather *g, const char *root, const char *text, bool pattern)
{
	struct arena *a = g->env->arena;
	void (*take)(struct gather *, const char *) = pattern ? pattern_take : path_take;

	if (strchr(text, '/')) {
		if (*root && text[0] == '/')
			take(g, arena_printf(a, "%s%s", root, text));
		if (!g->out->n)
			take(g, text);
	} else if (pattern) {
		search_path(g, root, text, pattern_take);
	} else {
		name_take(g, root, text);
	}
}

/* ---- what is not there ---- */

static void hint_near(struct probe_env *env, const char *text)
{
	struct arena *a = env->arena;
	const char *slash = strrchr(text, '/');
	VEC(const char *) names = { 0 };
	const glob_t *found;

	if (!slash) {
		if (is_regular(text))
			diag_hint(env->diags, "did you mean './%s'? Without a '/' it is looked for in PATH", text);
		else if (is_library_name(text))
			diag_hint(env->diags, "the dynamic linker's cache and directories have no such library");
		else
			diag_hint(env->diags, "give its path: it is not in PATH");
		return;
	}
	found = glob_paths(a, arena_printf(a, "%.*s/*", (int)(slash - text), text));
	for (size_t i = 0; i < found->gl_pathc; i++)
		vec_push(a, &names, found->gl_pathv[i]);
	diag_hint_nearest(env->diags, text, names.v, names.n);
}

static int missing(struct probe_env *env, const struct probe_spec *spec, uint32_t i)
{
	const char *text = spec->parts.v[i];
	struct stat st;
	int cause;

	if (!strchr(text, '/')) {
		diag_error(env->diags, part_span(spec, i), "there is no program %s'%s'",
			   is_library_name(text) ? "or library " : "", text);
	} else if (stat(text, &st)) {
		cause = errno;
		diag_error(env->diags, part_span(spec, i), "cannot find '%s': %s", text, strerror(cause));
		if (cause != ENOENT && cause != ENOTDIR)
			return -ENOENT;
	} else {
		diag_error(env->diags, part_span(spec, i), "'%s' is no program: it is %s", text,
			   S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
		return -ENOENT;
	}
	hint_near(env, text);
	return -ENOENT;
}

int binary_paths(struct probe_env *env, const struct probe_spec *spec, uint32_t i, path_vec *out)
{
	struct gather g = { .env = env, .out = out };
	const char *text = i < spec->parts.n ? spec->parts.v[i] : "";
	bool pattern = *text && part_is_pattern(spec, i);
	int err;

	if (!*text) {
		err = program_of_process(env, spec, &g);
		return err ? err : out->n ? 0 : -ENOENT;
	}
	if (pattern && !strcmp(text, "*")) {
		if (binary_is_implied(env))
			process_files_take(&g);
		else
			mapped_all_take(&g);
	} else {
		path_or_pattern_take(&g, process_root(env, env->pid), text, pattern);
	}
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), compare_paths);
	if (out->n)
		return 0;
	return pattern ? -ENOENT : missing(env, spec, i);
}
