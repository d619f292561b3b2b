/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usdt: markers that a program or library was built with. Each is a place in its code, known by provider and
 * name, at which the notes of the file say where its arguments are.
 */
#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "probe/binary.h"
#include "probe/common.h"
#include "probe/kinds_all.h"
#include "probe/uprobe_attach.h"
#include "probe/usdt.h"

/* The parts of a spec; an empty provider is any. */
struct wanted {
	const char *provider, *name;
	bool provider_pattern, name_pattern;
	uint32_t provider_part, name_part;
};

/* What is done with a marker that matches; not 0 ends it. */
typedef int (*marker_fn)(const struct usdt_file *f, size_t i, void *ctx);

/* ---- what is written ---- */

static int wanted_parse(struct probe_env *env, const struct probe_spec *spec, struct wanted *w)
{
	uint32_t n = spec->parts.n, last = n - 1;

	*w = (struct wanted){ .provider = "", .name = "*", .name_pattern = true };
	/* usdt:* is all there are. */
	if (n == 1 && !strcmp(spec->parts.v[0], "*"))
		return 0;
	if (n < 2 || n > 3 || !*spec->parts.v[last])
		return diag_error(env->diags, spec->span, "usdt needs a program and the name of a marker: %s",
				  probe_usdt.forms);
	w->name = spec->parts.v[last];
	w->name_part = last;
	w->name_pattern = part_is_pattern(spec, last);
	if (n == 3) {
		w->provider = spec->parts.v[1];
		w->provider_part = 1;
		w->provider_pattern = part_is_pattern(spec, 1);
	}
	return 0;
}

static bool text_matches(const char *text, bool pattern, const char *name)
{
	return pattern ? glob_match(text, name) : !strcmp(text, name);
}

static bool provider_matches(const struct wanted *w, const char *provider)
{
	return !*w->provider || text_matches(w->provider, w->provider_pattern, provider);
}

/* usdt:* */
static const struct probe_spec *spec_of_all(struct probe_env *env, const struct probe_spec *spec)
{
	struct probe_spec *all = arena_new_of(env->arena, struct probe_spec);

	*all = *spec;
	vec_push(env->arena, &all->parts, "*");
	return all;
}

/* Without a program, all that the process of -p has mapped are meant. */
static const struct probe_spec *spec_with_files(struct probe_env *env, const struct probe_spec *spec)
{
	struct probe_spec *all;

	if (*spec->parts.v[0] || !binary_is_implied(env))
		return spec;
	all = arena_new_of(env->arena, struct probe_spec);
	*all = *spec;
	all->parts.v = arena_array_of(env->arena, const char *, spec->parts.n);
	memcpy(all->parts.v, spec->parts.v, sizeof(*spec->parts.v) * spec->parts.n);
	all->parts.v[0] = "*";
	return all;
}

/* ---- files ---- */

/* Those that were read for this question. */
struct usdt_files {
	struct arena *arena; /* they live as long as it */
	struct strmap by_path;
};

static void file_end(void *f)
{
	usdt_file_free(f);
}

static void file_keep(struct probe_env *env, struct usdt_file *f)
{
	if (!env->usdt_files) {
		env->usdt_files = arena_new_of(env->arena, struct usdt_files);
		env->usdt_files->arena = env->arena;
	}
	/* A listing asks for the arguments of one marker in an arena of their own. */
	if (env->usdt_files->arena == env->arena)
		strmap_put(env->arena, &env->usdt_files->by_path, f->path, f);
}

/* The markers of a file; NULL with *err and *why. */
static struct usdt_file *file_open(struct probe_env *env, const char *path, int *err, const char **why)
{
	struct usdt_file *f = env->usdt_files ? strmap_get(&env->usdt_files->by_path, path) : NULL;

	if (f)
		return f;
	*err = usdt_file_read(path, &f, why);
	if (*err)
		return NULL;
	arena_own(env->arena, file_end, f);
	file_keep(env, f);
	return f;
}

/* NULL after a diagnostic, unless a pattern has found the file, which may be anything. */
static struct usdt_file *file_read(struct probe_env *env, const struct probe_spec *spec, const char *path, bool quiet)
{
	const char *why;
	int err;
	struct usdt_file *f = file_open(env, path, &err, &why);

	if (f || quiet)
		return f;
	diag_error(env->diags, part_span(spec, 0), "cannot trace %s: %s", path, why);
	if (err == -EACCES || err == -EPERM)
		diag_hint(env->diags, "run as root, or give the program CAP_DAC_READ_SEARCH");
	return NULL;
}

static int file_markers(const struct usdt_file *f, const struct wanted *w, marker_fn fn, void *ctx)
{
	bool exact = *w->provider && !w->provider_pattern && !w->name_pattern;

	for (size_t i = exact ? usdt_file_find(f, w->provider, w->name) : 0; i < f->nsites; i = usdt_file_next(f, i)) {
		const struct usdt_site *s = &f->sites[i];
		int r;

		if (!provider_matches(w, s->provider) || !text_matches(w->name, w->name_pattern, s->name))
			continue;
		r = fn(f, i, ctx);
		if (r || exact)
			return r;
	}
	return 0;
}

/* ---- what is not there ---- */

static void hint_names(struct probe_env *env, const struct usdt_file *f, const struct wanted *w, bool providers)
{
	VEC(const char *) names = { 0 };

	for (size_t i = 0; i < f->nsites; i = usdt_file_next(f, i))
		if (providers || provider_matches(w, f->sites[i].provider))
			vec_push(env->arena, &names, providers ? f->sites[i].provider : f->sites[i].name);
	diag_hint_nearest(env->diags, providers ? w->provider : w->name, names.v, names.n);
	diag_hint(env->diags, "sonde -l 'usdt:%s:*' lists them", f->path);
}

/* -ENOENT: whether that is an error is for missing_probes to say. */
static int missing(struct probe_env *env, const struct probe_spec *spec, const struct usdt_file *f,
		   const struct wanted *w)
{
	bool has_provider = false;

	if (!f->nsites) {
		diag_error(env->diags, part_span(spec, 0), "%s has no markers", f->path);
		diag_hint(env->diags, "only programs built with those of <sys/sdt.h> have any");
		return -ENOENT;
	}
	if (w->provider_pattern || w->name_pattern)
		return -ENOENT;
	for (size_t i = 0; i < f->nsites; i = usdt_file_next(f, i))
		has_provider |= provider_matches(w, f->sites[i].provider);
	if (!has_provider)
		diag_error(env->diags, part_span(spec, w->provider_part), "%s has no markers of a provider '%s'", f->path,
			   w->provider);
	else
		diag_error(env->diags, part_span(spec, w->name_part), "%s has no marker '%s%s%s'", f->path, w->provider,
			   *w->provider ? ":" : "", w->name);
	hint_names(env, f, w, !has_provider);
	return -ENOENT;
}

/* ---- expand ---- */

struct adding {
	struct probe_env *env;
	const struct probe_spec *spec;
	struct usdt_shared *shared;
	attach_vec *out;
	bool by_pattern;
};

static int point_make(const struct usdt_file *f, size_t i, void *ctx)
{
	const struct usdt_site *s = &f->sites[i];
	struct adding *add = ctx;
	struct arena *a = add->env->arena;
	struct usdt_point *p;
	struct attach_point *ap = point_add(add->env, &probe_usdt, add->spec,
					    arena_printf(a, "usdt:%s:%s:%s", f->path, s->provider, s->name), add->out);

	if (!ap)
		return -EINVAL;
	p = arena_new_of(a, struct usdt_point);
	*p = (struct usdt_point){ .file = f, .sites = s, .nsites = usdt_file_next(f, i) - i, .shared = add->shared,
				  .by_pattern = add->by_pattern };
	ap->section = "uprobe";
	ap->target = f->path;
	ap->priv = p;
	return 0;
}

static int expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	struct adding add = { env, spec, arena_new_of(env->arena, struct usdt_shared), out };
	uint32_t before = out->n;
	path_vec paths = { 0 };
	struct wanted w;
	int err = spec->parts.n ? 0 : diag_error(env->diags, spec->span, "usdt needs a program: %s", probe_usdt.forms);
	bool quiet;

	err = err ? err : wanted_parse(env, spec, &w);
	if (err)
		return err;
	spec = spec_with_files(env, spec);
	err = binary_paths(env, spec, 0, &paths);
	if (err)
		return err;
	quiet = part_is_pattern(spec, 0);
	add.by_pattern = quiet || w.provider_pattern || w.name_pattern;
	vec_each(path, &paths) {
		const struct usdt_file *f = file_read(env, spec, *path, quiet);

		if (!f && !quiet)
			return -ENOENT;
		err = f ? file_markers(f, &w, point_make, &add) : 0;
		if (err)
			return err;
		if (!quiet && out->n == before)
			return missing(env, spec, f, &w);
	}
	return out->n == before ? -ENOENT : 0;
}

/* ---- list ---- */

struct listing {
	int (*fn)(const char *name, void *ctx);
	void *ctx;
};

static int marker_tell(const struct usdt_file *f, size_t i, void *ctx)
{
	const struct listing *l = ctx;
	char *name;
	int r;

	if (asprintf(&name, "usdt:%s:%s:%s", f->path, f->sites[i].provider, f->sites[i].name) < 0)
		return -ENOMEM;
	r = l->fn(name, l->ctx);
	free(name);
	return r;
}

static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	struct listing l = { fn, ctx };
	path_vec paths = { 0 };
	struct wanted w;
	int r = 0;

	/* For a pattern that names none, those of the process of -p: no one asks for all there are. */
	if (!spec->parts.n && !binary_is_implied(env))
		return 0;
	if (!spec->parts.n)
		spec = spec_of_all(env, spec);
	r = wanted_parse(env, spec, &w);
	r = r ? r : binary_paths(env, spec_with_files(env, spec), 0, &paths);
	if (r)
		return r == -ENOENT ? 0 : r;
	vec_each(path, &paths) {
		const struct usdt_file *f = file_read(env, spec, *path, true);

		r = f ? file_markers(f, &w, marker_tell, &l) : 0;
		if (r)
			return r;
	}
	return 0;
}

const struct probe_kind probe_usdt = {
	.name = "usdt",
	.aliases = (const char *const[]){ "U", NULL },
	.forms = "usdt:BINARY:[PROVIDER:]NAME",
	.summary = "a marker that a program was built with",
	.run = RUN_ATTACHED,
	.prog_type = "kprobe",
	.has_argn = true,
	.has_typed_argn = true,
	.space = SPACE_USER,
	.slow_close = true,
	.last_runs_first = true,
	.preemptible = true,
	.reentrant = true,
	.takes_cookie = true,
	.expand = expand,
	.args = usdt_args_fill,
	.list = list,
	.prepare = uprobe_prepare,
	.attach = usdt_attach,
};
