/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways: a question that can be asked in several ways names, for each, the probes that it needs. The first
 * way that this kernel offers as a whole is taken; clauses lose the probes that only other ways have, so
 * that nothing is seen twice.
 */
#include "lang/check_priv.h"

#include <errno.h>

/* Text of one way: probes separated by blanks. Those found out about are put into `specs`. */
struct way {
	const char *text;
	VEC(struct probe_spec *) specs;
	const char *missing; /* why it cannot be taken, or NULL */
	bool of_programs;    /* what is missing is no matter of the kernel */
};

static const char *spec_name(struct checker *c, const struct probe_spec *spec)
{
	const struct probe_kind *k = probe_kind_find(c->env->kinds, spec->kind);
	const char *text = k ? k->name : spec->kind;

	for (uint32_t i = 0; i < spec->parts.n; i++)
		text = arena_printf(c->arena, "%s:%s", text, spec->parts.v[i]);
	return text;
}

/* What was said of a probe at its place stands alone here, and names it or its kind. */
static const char *reason_of(struct checker *c, const struct probe_spec *spec, const struct probe_kind *k, const char *said)
{
	const char *last = spec->parts.n ? spec->parts.v[spec->parts.n - 1] : spec->kind;
	size_t len = strlen(said);

	if (!strstr(said, last) && !strstr(said, k->name))
		return arena_printf(c->arena, "no %s", spec_name(c, spec));
	return len && said[len - 1] == '.' ? arena_strndup(c->arena, said, len - 1) : said;
}

/* What the kind has to say stays here: another way may do. */
static const char *spec_missing(struct checker *c, const struct probe_spec *named)
{
	struct probe_spec copy = *named, *spec = &copy;
	const struct probe_kind *k;
	struct diags diags = { .arena = c->arena, .sources = c->diags->sources };
	struct probe_env env = *c->env->probe;
	attach_vec points = { 0 };
	int err;

	spec_put_params(c, spec);
	k = probe_kind_find(c->env->kinds, spec->kind);
	if (!k)
		return arena_printf(c->arena, "there is no kind of probe '%s'", spec->kind);
	if (k->missing && k->missing(&env))
		return arena_printf(c->arena, "no %s: %s", k->name, k->missing(&env));
	env.diags = &diags;
	env.report = NULL;
	env.max_probes = UINT32_MAX;
	err = k->expand(&env, spec, &points);
	/* What was looked into need not be again. */
	c->env->probe->binaries = env.binaries;
	c->env->probe->usdt_files = env.usdt_files;
	if (!err && points.n)
		return NULL;
	if (diags.list.n)
		return reason_of(c, spec, k, diags.list.v[0].text);
	if (k->space == SPACE_USER && spec->parts.n && str_eq(spec->parts.v[0], "*"))
		return arena_printf(c->arena, "no program that runs has %s", spec_name(c, spec));
	return arena_printf(c->arena, "nothing matches %s", spec_name(c, spec));
}

/* Whether the kernel offers it is asked only until one has been found. */
static void way_read(struct checker *c, struct way *w, bool asked)
{
	const char *p = w->text;

	for (;;) {
		size_t len;
		struct probe_spec *spec;

		p += strspn(p, " \t\n");
		len = strcspn(p, " \t\n");
		if (!len)
			return;
		spec = probe_spec_of_text(c->arena, arena_strndup(c->arena, p, len));
		vec_push(c->arena, &w->specs, spec);
		if (asked && !w->missing) {
			const struct probe_kind *k = probe_kind_find(c->env->kinds, spec->kind);

			w->missing = spec_missing(c, spec);
			w->of_programs = k && k->space == SPACE_USER;
		}
		p += len;
	}
}

static void probes_drop(struct checker *c, const struct strmap *others)
{
	vec_each(it, &c->script->clauses) {
		struct clause *clause = *it;
		uint32_t kept = 0;

		vec_each(spec, &clause->probes)
			if (!strmap_get(others, spec_name(c, *spec)))
				clause->probes.v[kept++] = *spec;
		clause->probes.n = kept;
	}
}

static void clauses_drop_empty(struct script *s)
{
	uint32_t kept = 0;

	vec_each(it, &s->clauses)
		if ((*it)->probes.n)
			s->clauses.v[kept++] = *it;
	s->clauses.n = kept;
}

static int none(struct checker *c, const struct way *ways)
{
	const struct span nowhere = { 0 };
	const char *reasons = "";

	for (uint32_t i = 0; i < c->env->nways; i++)
		if (!strstr(reasons, ways[i].missing))
			reasons = arena_printf(c->arena, "%s%s%s", reasons, *reasons ? "; " : "", ways[i].missing);
	return check_error(c, nowhere, "this %s offers none of the ways to ask this: %s",
			   ways[0].of_programs ? "machine" : "kernel", reasons);
}

/* A probe that the way taken needs too stays. */
static void way_take(struct checker *c, const struct way *ways, uint32_t taken)
{
	struct strmap others = { 0 }, ours = { 0 };

	vec_each(spec, &ways[taken].specs)
		strmap_put(c->arena, &ours, spec_name(c, *spec), *spec);
	for (uint32_t i = 0; i < c->env->nways; i++)
		vec_each(spec, &ways[i].specs)
			if (!strmap_get(&ours, spec_name(c, *spec)))
				strmap_put(c->arena, &others, spec_name(c, *spec), *spec);
	probes_drop(c, &others);
	clauses_drop_empty(c->script);
	report_debug(c->env->probe->report, "asked by way of %s", ways[taken].text);
}

int pass_ways(struct checker *c)
{
	struct way *ways = arena_array_of(c->arena, struct way, c->env->nways + 1);
	uint32_t taken = UINT32_MAX;

	if (!c->env->nways)
		return 0;
	for (uint32_t i = 0; i < c->env->nways; i++) {
		ways[i].text = c->env->ways[i];
		way_read(c, &ways[i], taken == UINT32_MAX);
		if (taken == UINT32_MAX && !ways[i].missing)
			taken = i;
	}
	if (taken == UINT32_MAX)
		return none(c, ways);
	way_take(c, ways, taken);
	return 0;
}
