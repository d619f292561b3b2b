/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes of the checker: what is written becomes attach points, and the attach points of a clause become
 * units: one for all of them, unless the body looks different from one to the next.
 */
#include "lang/check_priv.h"

#include <ctype.h>

/* ---- what a kind offers ---- */

/* The number of arg0 to arg11; -1 when it is none of them. */
static int argn_number(const char *name)
{
	if (!str_starts(name, "arg") || !isdigit((unsigned char)name[3]))
		return -1;
	if (!name[4])
		return name[3] - '0';
	return name[3] == '1' && (name[4] == '0' || name[4] == '1') && !name[5] ? 10 + name[4] - '0' : -1;
}

/* Words for what the kernel hands the program, as a struct. */
static bool is_context(const char *name)
{
	return str_eq(name, "args") || str_eq(name, "ctx");
}

static bool kind_offers(const struct probe_kind *k, const char *name)
{
	if (str_eq(name, "args"))
		return k->has_args;
	if (str_eq(name, "retval"))
		return k->has_retval;
	if (str_eq(name, "func"))
		return k->has_func;
	return argn_number(name) < 0 || k->has_argn;
}

static const char *kind_offer_text(struct checker *c, const struct probe_kind *k)
{
	const char *text = arena_printf(c->arena, "%s%s%s%s%s", k->has_args ? ", args" : "", k->has_ctx ? ", ctx" : "",
					k->has_argn ? ", arg0 to arg9" : "", k->has_retval ? ", retval" : "",
					k->has_func ? ", func" : "");

	return *text ? arena_printf(c->arena, "they offer %s", text + 2) : "they offer no arguments";
}

int check_offered(struct checker *c, const char *name, struct span span)
{
	const struct probe_kind *k;
	int err;

	if (!c->unit)
		return is_context(name) ? check_error(c, span, "%s has a meaning only inside a probe", name) : 0;
	if (c->priv->sub && (!kind_offers(c->unit->kind, name) || str_eq(name, "probe") || str_eq(name, "ctx"))) {
		err = check_error(c, span, "%s has a meaning only inside a probe, not in a function", name);
		diag_hint(c->diags, "hand it in as a parameter");
		return err;
	}
	k = c->unit->kind;
	if (!kind_offers(k, name)) {
		err = check_error(c, span, "%s is not available in %s probes", name, k->name);
		diag_hint(c->diags, "%s", kind_offer_text(c, k));
		return err;
	}
	/* ctx is a struct in some kinds; in the others it is an address. */
	if ((str_eq(name, "args") || (str_eq(name, "ctx") && k->has_ctx)) && !c->unit->args)
		return check_error(c, span, "%s has no %s", c->unit->points.n ? c->unit->points.v[0]->name : k->name, name);
	return 0;
}

/* ---- from what is written to attach points ---- */

static int unknown_kind(struct checker *c, const struct probe_spec *spec)
{
	VEC(const char *) names = { 0 };
	struct span span = spec->span;
	int err;

	for (const struct probe_kind *const *k = c->env->kinds; k && *k; k++)
		vec_push(c->arena, &names, (*k)->name);
	if (!spec->name && span.begin + strlen(spec->kind) <= span.end)
		span.end = span.begin + (uint32_t)strlen(spec->kind);
	err = check_error(c, span, "there is no kind of probe '%s'", spec->kind);
	diag_hint_nearest(c->diags, spec->kind, names.v, names.n);
	diag_hint(c->diags, "sonde --help lists the kinds");
	return err;
}

/* "hz:$1" with the parameters put in. */
static const char *text_with_params(struct checker *c, const char *s, struct span span)
{
	const char *dollar;
	const char *out = "";

	while ((dollar = strchr(s, '$'))) {
		char *end = (char *)(uintptr_t)dollar + 1;
		uint64_t n = isdigit((unsigned char)*end) ? strtoull(end, &end, 10) : 0;
		const char *text = n ? param_text(c, n) : NULL;

		if (n && !text) {
			check_error(c, span, "the parameter $%llu is not given", (unsigned long long)n);
			return "";
		}
		out = arena_printf(c->arena, "%s%.*s%s", out, (int)(dollar - s), s, n ? text : "$");
		s = end;
	}
	return arena_printf(c->arena, "%s%s", out, s);
}

/* What is put in may bring parts along: "i:ms:1" for the $1 of `$1`, "libc:malloc" for that of `uprobe:$1`. */
static void parts_put(struct checker *c, struct probe_spec *spec, const char *text, bool quoted, struct span span)
{
	const char *colon;

	for (; !quoted && (colon = strchr(text, ':')); text = colon + 1) {
		vec_push(c->arena, &spec->parts, arena_strndup(c->arena, text, (size_t)(colon - text)));
		vec_push(c->arena, &spec->part_spans, span);
		vec_push(c->arena, &spec->part_quoted, false);
	}
	vec_push(c->arena, &spec->parts, text);
	vec_push(c->arena, &spec->part_spans, span);
	vec_push(c->arena, &spec->part_quoted, quoted);
}

void spec_put_params(struct checker *c, struct probe_spec *spec)
{
	struct probe_spec whole = *spec;
	const char *text = text_with_params(c, spec->kind, spec->span), *colon = strchr(text, ':');

	memset(&spec->parts, 0, sizeof(spec->parts));
	memset(&spec->part_spans, 0, sizeof(spec->part_spans));
	memset(&spec->part_quoted, 0, sizeof(spec->part_quoted));
	spec->kind = colon ? arena_strndup(c->arena, text, (size_t)(colon - text)) : text;
	if (colon)
		parts_put(c, spec, colon + 1, false, spec->span);
	for (uint32_t i = 0; i < whole.parts.n; i++) {
		bool quoted = i < whole.part_quoted.n && whole.part_quoted.v[i];
		struct span span = i < whole.part_spans.n ? whole.part_spans.v[i] : spec->span;

		text = whole.parts.v[i];
		if (quoted || !strchr(text, '$'))
			parts_put(c, spec, text, true, span);
		else
			parts_put(c, spec, text_with_params(c, text, span), false, span);
		spec->part_quoted.v[spec->part_quoted.n - 1] = quoted;
	}
}

static const char *spec_text(struct checker *c, const struct probe_spec *spec)
{
	const struct probe_kind *kind = probe_kind_find(c->env->kinds, spec->kind);
	const char *text = kind ? kind->name : spec->kind;

	for (uint32_t i = 0; i < spec->parts.n; i++)
		text = arena_printf(c->arena, "%s:%s", text, spec->parts.v[i]);
	return text;
}

static bool spec_is_pattern(const struct probe_spec *spec)
{
	for (uint32_t i = 0; i < spec->parts.n; i++)
		if (!(i < spec->part_quoted.n && spec->part_quoted.v[i]) && glob_is_pattern(spec->parts.v[i]))
			return true;
	return false;
}

/* A pattern that matches nothing, and the number of the diagnostic that says so. */
struct unmatched {
	const struct probe_spec *spec;
	uint32_t diag;
};

typedef VEC(struct unmatched) unmatched_vec;

/* Who expects that a probe may be missing can say so, unless the message has told already. */
static void missing_remedy(struct checker *c, const struct probe_spec *spec, const struct diag *what)
{
	const struct span nowhere = { 0 };

	if (!what->hint || !strstr(what->hint, "missing_probes"))
		check_error(c, nowhere, "Unable to attach probe: %s. If this is expected, set the 'missing_probes' config "
			    "variable to 'warn'.", spec_text(c, spec));
}

#define NOTHING_MATCHES "Probe has no valid attach points. Nothing matches %s"

/* Nothing matches: an error, a warning or nothing, as missing_probes says. The kind may have said already
 * what is missing. A pattern is an error only when the clause has nothing else. */
static void probe_missing(struct checker *c, const struct probe_spec *spec, uint32_t ndiags, unmatched_vec *unmatched)
{
	const struct span nowhere = { 0 };
	struct diags *d = c->diags;
	struct diag *last;

	if (d->list.n == ndiags && spec_is_pattern(spec) && c->env->config.missing_probes == MISSING_ERROR) {
		diag_warn(d, spec->span, NOTHING_MATCHES, spec_text(c, spec));
		vec_push(c->arena, unmatched, ((struct unmatched){ spec, ndiags }));
		return;
	}
	if (d->list.n == ndiags)
		check_error(c, spec->span, NOTHING_MATCHES, spec_text(c, spec));
	if (d->list.n == ndiags)
		return;
	last = &d->list.v[d->list.n - 1];
	if (last->sev != SEV_ERROR)
		return;
	if (c->env->config.missing_probes == MISSING_ERROR) {
		missing_remedy(c, spec, last);
		return;
	}
	d->nerrors--;
	if (c->env->config.missing_probes == MISSING_WARN) {
		last->sev = SEV_WARNING;
		diag_warn(d, nowhere, "Unable to attach probe: %s. Skipping.", spec_text(c, spec));
	} else {
		d->list.n--;
	}
}

static int spec_expand(struct checker *c, struct probe_spec *spec, attach_vec *points, unmatched_vec *unmatched)
{
	uint32_t ndiags = c->diags->list.n, nerrors = c->diags->nerrors;
	const struct probe_kind *k;
	int err;

	spec_put_params(c, spec);
	if (c->diags->nerrors > nerrors)
		return -EINVAL;
	k = probe_kind_find(c->env->kinds, spec->kind);
	if (!k)
		return unknown_kind(c, spec);
	err = k->expand(c->env->probe, spec, points);
	if (err == -ENOENT) {
		probe_missing(c, spec, ndiags, unmatched);
		return 0;
	}
	return err;
}

static int points_limit(struct checker *c, const struct probe_spec *spec, uint32_t n)
{
	int err;

	if (n <= c->env->config.max_probes)
		return 0;
	err = check_error(c, spec->span, "this makes %u probes, and max_probes is %u", n, c->env->config.max_probes);
	diag_hint(c->diags, "config = { max_probes = %u } allows them; attaching many slows the machine down", n);
	return err;
}

/* ---- which of them are wanted ---- */

/* begin and end always; what else, depends on the mode. */
static bool kind_wanted(struct checker *c, const struct probe_kind *k)
{
	switch (k->run) {
	case RUN_BEGIN: case RUN_END: return true;
	case RUN_TEST: return c->env->test_mode;
	case RUN_BENCH: return c->env->bench_mode;
	default: return !c->env->test_mode && !c->env->bench_mode;
	}
}

static bool point_wanted(struct checker *c, const struct attach_point *ap)
{
	const struct probe_kind *k = ap->kind;

	if (!kind_wanted(c, k)) {
		c->priv->left_out = k;
		return false;
	}
	if (k->run == RUN_BEGIN || k->run == RUN_END || !c->priv->has_filter)
		return true;
	return !regexec(&c->priv->filter, ap->target && (k->run == RUN_TEST || k->run == RUN_BENCH) ? ap->target : ap->name,
			0, NULL, 0);
}

static int filter_compile(struct checker *c)
{
	const struct span nowhere = { 0 };
	char text[128];
	int err;

	if (!c->env->probe_filter)
		return 0;
	err = regcomp(&c->priv->filter, c->env->probe_filter, REG_EXTENDED | REG_NOSUB);
	if (!err) {
		c->priv->has_filter = true;
		return 0;
	}
	regerror(err, &c->priv->filter, text, sizeof(text));
	return check_error(c, nowhere, "the probe filter '%s' is no regular expression: %s", c->env->probe_filter, text);
}

/* A result is shown under its name. */
static int test_name_check(struct checker *c, struct attach_point *ap)
{
	const struct attach_point *other = strmap_get(&c->priv->tests, ap->name);

	if (ap->kind->run != RUN_TEST && ap->kind->run != RUN_BENCH)
		return 0;
	strmap_put(c->arena, &c->priv->tests, ap->name, ap);
	if (!other)
		return 0;
	check_error(c, ap->spec->span, "\"%s\" was used as the name for more than one %s probe", ap->target, ap->kind->name);
	diag_hint(c->diags, "the other one stands at %s", span_text(c, other->spec->span));
	return -EINVAL;
}

/* All that is left is begin and end, or nothing. */
static int nothing_wanted(struct checker *c)
{
	const struct span nowhere = { 0 };

	if (c->priv->block_missing)
		return check_error(c, nowhere, "Attachment failed for all probes. None of the script's probes exists");
	if (c->priv->left_out && c->priv->left_out->run == RUN_TEST)
		return check_error(c, nowhere, "No probes attached; use --test to run test probes");
	if (c->priv->left_out && c->priv->left_out->run == RUN_BENCH)
		return check_error(c, nowhere, "No probes attached; use --bench to run benchmark probes");
	if (c->priv->has_filter)
		return check_error(c, nowhere, "No probes attached; the filter '%s' matches none", c->env->probe_filter);
	return check_error(c, nowhere, "No probes attached; the script has no %s probes", c->env->test_mode ? "test" : "bench");
}

/* None of the clause's probes is there. */
static void unmatched_refuse(struct checker *c, const unmatched_vec *unmatched)
{
	vec_each(u, unmatched) {
		c->diags->list.v[u->diag].sev = SEV_ERROR;
		c->diags->nerrors++;
		missing_remedy(c, u->spec, &c->diags->list.v[u->diag]);
	}
}

static int clause_points(struct checker *c, struct clause *clause, attach_vec *points, uint32_t *total)
{
	struct strmap seen = { 0 };
	uint32_t nerrors = c->diags->nerrors, found = 0;
	unmatched_vec unmatched = { 0 };

	vec_each(spec, &clause->probes) {
		attach_vec some = { 0 };
		int err = spec_expand(c, *spec, &some, &unmatched);

		found += some.n;
		if (err && err != -EINVAL)
			return err;
		if (err)
			continue;
		vec_each(ap, &some) {
			const char *text = (*ap)->same_as ? (*ap)->same_as : (*ap)->name;

			if (strmap_get(&seen, text) || !point_wanted(c, *ap))
				continue;
			if (test_name_check(c, *ap))
				return -EINVAL;
			strmap_put(c->arena, &seen, text, *ap);
			vec_push(c->arena, points, *ap);
			++*total;
		}
		if (points_limit(c, *spec, *total)) {
			*total = 0; /* said once, not again for every clause behind it */
			return -EINVAL;
		}
	}
	/* Nothing is left of a block all of whose probes may be missing. */
	if (!found)
		unmatched_refuse(c, &unmatched);
	c->priv->block_missing |= !found;
	return c->diags->nerrors > nerrors ? -EINVAL : 0;
}

/* ---- from attach points to units ---- */

/* Does the body look at something that differs from one attach point to the next? */
struct body_uses {
	struct checker *c;
	bool point;
	uint32_t nargs; /* how often args or retval is named */
	uint32_t nretval_cast; /* how often it is retval, cast to an integer */
	uint32_t argn;  /* 1 << number of each argN */
	bool own; /* what only a body of its own can do */
	struct body_reads reads;
};

static bool is_args(const struct expr *e)
{
	return e && (e->kind == EX_IDENT || e->kind == EX_CALL) && is_context(e->name);
}

static void note_use(struct expr *e, void *ctx)
{
	struct body_uses *u = ctx;
	const struct func_def *f;
	int number;

	u->nretval_cast += e->kind == EX_CAST && e->a->kind == EX_IDENT && str_eq(e->a->name, "retval") &&
			   tref_is_integer(e->tref);
	if (e->kind == EX_FIELD && is_args(e->a))
		vec_push(u->c->arena, &u->reads.fields, e->name);
	if (e->kind != EX_IDENT && e->kind != EX_CALL)
		return;
	u->nargs += is_context(e->name) || str_eq(e->name, "retval");
	u->point |= str_eq(e->name, "probe") || str_eq(e->name, "func");
	number = argn_number(e->name);
	if (number >= 0)
		u->argn |= 1u << number;
	f = func_find(u->c->env->families, e->name);
	u->reads.context |= f && f->flags & FUNC_CONTEXT;
	u->reads.object |= f && f->flags & FUNC_OBJECT;
	u->reads.kfunc |= f && f->flags & FUNC_KFUNC && e->args.n;
	u->own |= f && f->flags & FUNC_OWN_POINT;
}

static struct body_uses body_uses_of(struct checker *c, struct clause *clause)
{
	struct body_uses uses = { .c = c };

	clause_visit(clause, note_use, &uses);
	uses.reads.args_whole = uses.nargs > uses.reads.fields.n;
	return uses;
}

static bool wants_args(const struct probe_kind *k, const struct body_uses *uses)
{
	/* A cast says of which type a word is: debugging information, which may be large, is not read for it. */
	uint32_t words = k->has_plain_retval ? uses->nretval_cast : 0;

	return uses->nargs > words || (uses->argn && k->has_typed_argn);
}

static bool points_alike(const struct attach_point *x, const struct attach_point *y, const struct body_uses *uses)
{
	if (!wants_args(x->kind, uses))
		return true;
	return uses->nargs ? args_alike(x->args, y->args) : argn_alike(x->args, y->args, uses->argn);
}

/* The program type is what the section begins with. */
static bool same_section_type(const char *x, const char *y)
{
	size_t n = x ? strcspn(x, "/") : 0, m = y ? strcspn(y, "/") : 0;

	return n == m && (!n || !memcmp(x, y, n));
}

static bool unit_takes(struct checker *c, const struct unit *u, const struct attach_point *ap,
		       const struct body_uses *uses)
{
	const struct attach_point *first = u->points.v[0];

	return (!uses->point || points_told_apart(c, first, ap)) && !uses->own && u->kind == ap->kind &&
	       first->uses_btf_ctx == ap->uses_btf_ctx && first->stays == ap->stays &&
	       same_section_type(first->section, ap->section) && points_alike(first, ap, uses);
}

static struct expr *node(struct checker *c, enum expr_kind kind, struct span span)
{
	struct expr *e = arena_new_of(c->arena, struct expr);

	e->kind = kind;
	e->span = span;
	return e;
}

/* -p for a kind that cannot be attached to one process alone: a test in front of the clause's own. */
static void clause_filter_pid(struct checker *c, struct clause *clause, struct span span)
{
	struct expr *same = node(c, EX_BINARY, span), *both = node(c, EX_BINARY, span);

	same->op = OP_EQ;
	same->a = node(c, EX_IDENT, span);
	same->a->name = "pid";
	same->b = node(c, EX_INT, span);
	same->b->num = (uint64_t)c->env->probe->pid;
	both->op = OP_LAND;
	both->a = same;
	both->b = clause->pred;
	clause->pred = clause->pred ? both : same;
}

/* The process of -p; that of -c is not meant. */
static bool one_process(struct checker *c)
{
	return c->env->probe->pid > 0 && !c->env->child_pid;
}

static struct unit *unit_new(struct checker *c, struct clause *clause, const struct attach_point *ap, bool clone)
{
	struct unit *u = arena_new_of(c->arena, struct unit);

	u->clause = clone ? clause_clone(c->arena, clause) : clause;
	u->kind = ap->kind;
	u->id = c->script->units.n;
	if (one_process(c) && ap->kind->filter_pid)
		clause_filter_pid(c, u->clause, ap->spec->span);
	if (ap->args) {
		struct type *t = type_clone(c->arena, ap->args);

		t->space = SPACE_CTX;
		u->args = t;
	}
	vec_push(c->arena, &c->script->units, u);
	return u;
}

static int point_settle(struct checker *c, struct attach_point *ap, const struct body_uses *uses)
{
	int err = ap->kind->settle ? ap->kind->settle(c->env->probe, ap, &uses->reads) : 0;

	if (err || !wants_args(ap->kind, uses) || ap->args || !ap->kind->args)
		return err;
	return ap->kind->args(c->env->probe, ap);
}

static int clause_units(struct checker *c, struct clause *clause, const attach_vec *points)
{
	struct body_uses uses = body_uses_of(c, clause);
	uint32_t from = c->script->units.n;

	vec_each(it, points) {
		struct attach_point *ap = *it;
		struct unit *u = NULL;
		int err = point_settle(c, ap, &uses);

		if (err)
			return err;
		for (uint32_t i = from; !u && i < c->script->units.n; i++) {
			if (unit_takes(c, c->script->units.v[i], ap, &uses))
				u = c->script->units.v[i];
		}
		if (!u)
			u = unit_new(c, clause, ap, c->script->units.n > from || one_process(c));
		vec_push(c->arena, &u->points, ap);
	}
	for (uint32_t i = from; i < c->script->units.n; i++)
		points_number(c, c->script->units.v[i]);
	return 0;
}

static int clauses_to_units(struct checker *c)
{
	uint32_t n = c->script->clauses.n, total = 0;
	attach_vec *points = arena_array_of(c->arena, attach_vec, n);
	int err = 0;

	for (uint32_t i = 0; i < n; i++) {
		err = clause_points(c, c->script->clauses.v[i], &points[i], &total);
		if (err && err != -EINVAL)
			return err;
		if (err)
			points[i].n = 0;
	}
	/* What one clause traces may decide how the points of another are attached. */
	for (uint32_t i = 0; i < n; i++) {
		err = clause_units(c, c->script->clauses.v[i], &points[i]);
		if (err && err != -EINVAL)
			return err;
	}
	return 0;
}

int pass_probes(struct checker *c)
{
	int err;

	if (!c->script->clauses.n) {
		const struct span nowhere = { 0 };

		check_error(c, nowhere, "the script has no probes");
		diag_hint(c->diags, "a script is made of PROBE { ... }, for example: begin { print(\"hello\"); }");
		return -EINVAL;
	}
	c->env->probe->max_probes = c->env->config.max_probes;
	err = filter_compile(c);
	err = err ? err : clauses_to_units(c);
	if (c->priv->has_filter)
		regfree(&c->priv->filter);
	if (!err && !c->script->units.n && !c->diags->nerrors)
		return nothing_wanted(c);
	return err;
}
