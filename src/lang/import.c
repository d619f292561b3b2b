/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Import: other scripts become part of this one, each once, before what imports them: so a macro may be
 * used as if it stood at the top, and begin and end probes run in the order in which they were imported.
 * Headers of C are included, compiled C (or C that is compiled for the purpose) is linked: c_object.c.
 */
#include <limits.h>
#include <sys/stat.h>

#include "lang/check_priv.h"

#define MOST_FILES 256
#define MOST_DEPTH 64

struct importing {
	struct checker *c;
	struct script *all;  /* what has been imported so far */
	struct strmap seen;  /* full paths */
	uint32_t nfiles, depth;
};

static void script_import(struct importing *im, const struct script *part);

/* ---- where it is ---- */

static bool is_file(struct arena *a, const char *path, const char **full)
{
	char buf[PATH_MAX];
	struct stat st;

	if (stat(path, &st) || !realpath(path, buf))
		return false;
	*full = arena_strdup(a, buf);
	return true;
}

/* Beside the script that imports it, then in the directories of -I, then from where we stand. */
static const char *file_find(struct checker *c, const struct import *i, const char **full)
{
	const struct source *from = source_of(c->script->sources, i->span);
	const char *slash = from ? strrchr(from->name, '/') : NULL, *path;

	if (slash && i->path[0] != '/') {
		path = arena_printf(c->arena, "%.*s/%s", (int)(slash - from->name), from->name, i->path);
		if (is_file(c->arena, path, full))
			return path;
	}
	for (uint32_t n = 0; n < c->env->ninclude_dirs && i->path[0] != '/'; n++) {
		path = arena_printf(c->arena, "%s/%s", c->env->include_dirs[n], i->path);
		if (is_file(c->arena, path, full))
			return path;
	}
	return is_file(c->arena, i->path, full) ? i->path : NULL;
}

/* ---- what it is ---- */

/* `text` NULL: read it from `path`. */
static void bt_import(struct importing *im, const struct import *i, const char *path, const char *text)
{
	struct checker *c = im->c;
	struct script part = { .arena = c->arena, .sources = c->script->sources };
	size_t len = text ? strlen(text) : 0;
	int err;

	if (++im->nfiles > MOST_FILES || im->depth >= MOST_DEPTH) {
		check_error(c, i->span, "too many scripts are imported");
		return;
	}
	err = text ? 0 : file_text(c->arena, path, &text, &len);
	if (err) {
		check_error(c, i->span, "cannot read %s: %s", path, strerror(-err));
		return;
	}
	if (memchr(text, 0, len)) {
		check_error(c, i->span, "%s is no text: it contains a NUL byte", path);
		return;
	}
	if (script_parse(&part, source_add(c->script->sources, path, text, len), c->diags))
		return;
	im->depth++;
	script_import(im, &part);
	im->depth--;
}

static void header_import(struct importing *im, const struct import *i, const char *full)
{
	struct c_text t = { .span = i->span, .is_directive = true };

	t.text = arena_printf(im->c->arena, "#include \"%s\"", full);
	vec_push(im->c->arena, &im->all->c_texts, t);
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static void file_import(struct importing *im, const struct import *i)
{
	struct checker *c = im->c;
	const char *text = c->env->import_text ? c->env->import_text(c->env->import_ctx, i->path) : NULL;
	const char *full, *path;

	if (text) {
		if (!strmap_get(&im->seen, i->path)) {
			strmap_put(c->arena, &im->seen, i->path, im);
			bt_import(im, i, i->path, text);
		}
		return;
	}
	path = file_find(c, i, &full);
	/* What the reference has in its library is always there. */
	if (!path && str_starts(i->path, "stdlib/"))
		return;
	if (!path) {
		check_error(c, i->span, "cannot find %s to import", i->path);
		diag_hint(c->diags, "it is looked for beside the script that imports it, in the directories of -I, "
			  "and from the current directory");
		return;
	}
	if (strmap_get(&im->seen, full))
		return;
	strmap_put(c->arena, &im->seen, full, im);
	if (ends_with(path, ".h")) {
		header_import(im, i, full);
	} else if (ends_with(path, ".c")) {
		c_source_import(c, i->span, full);
	} else if (ends_with(path, ".o")) {
		c_object_import(c, i->span, full);
	} else {
		bt_import(im, i, path, NULL);
	}
}

/* ---- all of it ---- */

#define APPEND(a, to, from) do { \
	vec_each(it_, from) \
		vec_push(a, to, *it_); \
} while (0)

/* What `part` imports, and then `part` itself, behind all that was imported before. */
static void script_import(struct importing *im, const struct script *part)
{
	struct arena *a = im->c->arena;

	vec_each(i, &part->imports)
		file_import(im, i);
	APPEND(a, &im->all->c_texts, &part->c_texts);
	APPEND(a, &im->all->configs, &part->configs);
	APPEND(a, &im->all->map_decls, &part->map_decls);
	APPEND(a, &im->all->macros, &part->macros);
	APPEND(a, &im->all->subprogs, &part->subprogs);
	APPEND(a, &im->all->clauses, &part->clauses);
}

/* --include: as if it stood at the top. */
static void includes_add(struct checker *c, struct script *all)
{
	for (uint32_t i = 0; i < c->env->nincludes; i++) {
		const char *name = c->env->includes[i], *full;
		bool there = is_file(c->arena, name, &full);
		struct c_text t = { .is_directive = true };

		t.text = there ? arena_printf(c->arena, "#include \"%s\"", full) :
				 arena_printf(c->arena, "#include <%s>", name);
		vec_push(c->arena, &all->c_texts, t);
	}
}

int pass_imports(struct checker *c)
{
	struct script *s = c->script, all = { 0 };
	struct importing im = { .c = c, .all = &all };
	const struct source *main = s->sources->files.n ? s->sources->files.v[0] : NULL;
	const char *full;

	if (!s->imports.n && !c->env->nincludes)
		return 0;
	includes_add(c, &all);
	/* A script that is imported may import the one it is imported by. */
	if (main && is_file(c->arena, main->name, &full))
		strmap_put(c->arena, &im.seen, full, &im);
	script_import(&im, s);
	*s = (struct script){
		.arena = s->arena, .sources = s->sources, .shebang = s->shebang, .comments = s->comments,
		.imports = s->imports, .c_texts = all.c_texts, .configs = all.configs, .map_decls = all.map_decls,
		.macros = all.macros, .subprogs = all.subprogs, .clauses = all.clauses,
		.c_objects = s->c_objects, .c_funcs = s->c_funcs,
	};
	for (uint32_t i = 0; i < s->clauses.n; i++)
		s->clauses.v[i]->index = i;
	return 0;
}
