/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Common: parts of a spec, attach points and numbers. */
#include "probe/common.h"

#include <ctype.h>
#include <errno.h>

#include "base/strbuf.h"
#include "base/util.h"

struct span part_span(const struct probe_spec *spec, uint32_t i)
{
	return i < spec->part_spans.n ? spec->part_spans.v[i] : spec->span;
}

bool part_is_pattern(const struct probe_spec *spec, uint32_t i)
{
	bool quoted = i < spec->part_quoted.n && spec->part_quoted.v[i];

	return !quoted && glob_is_pattern(spec->parts.v[i]);
}

const char *spec_name(struct arena *a, const struct probe_kind *kind, const struct probe_spec *spec)
{
	const char *name = kind->name;

	vec_each(part, &spec->parts)
		name = arena_printf(a, "%s:%s", name, *part);
	return name;
}

const char *spec_pattern(struct arena *a, const struct probe_spec *spec)
{
	const char *pattern = NULL;

	vec_each(part, &spec->parts)
		pattern = pattern ? arena_printf(a, "%s:%s", pattern, *part) : *part;
	return pattern && *pattern ? pattern : "*";
}

struct attach_point *point_add(struct probe_env *env, const struct probe_kind *kind,
			       const struct probe_spec *spec, const char *name, attach_vec *out)
{
	struct attach_point *ap;

	if (env->max_probes && out->n >= env->max_probes) {
		diag_error(env->diags, spec->span, "%s matches more than %u probes",
			   spec_name(env->arena, kind, spec), env->max_probes);
		diag_hint(env->diags, "name fewer, or raise the limit: config = { max_probes = N }");
		return NULL;
	}
	ap = arena_new_of(env->arena, struct attach_point);
	ap->kind = kind;
	ap->spec = spec;
	ap->name = name;
	vec_push(env->arena, out, ap);
	return ap;
}

/* ---- numbers ---- */

/* Digits with '_' between them; stops at anything else. */
static int digits_parse(const char **text, uint64_t *value)
{
	const char *p = *text;
	uint64_t v = 0;

	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	for (; isdigit((unsigned char)*p) || (*p == '_' && isdigit((unsigned char)p[1])); p++) {
		if (*p == '_')
			continue;
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v))
			return -ERANGE;
	}
	*text = p;
	*value = v;
	return 0;
}

/* As count_parse(), but stops behind the number. */
static int number_parse(const char **text, uint64_t *value)
{
	uint64_t v, exponent;
	int err = digits_parse(text, &v);

	if (err)
		return err;
	if ((**text == 'e' || **text == 'E') && isdigit((unsigned char)(*text)[1])) {
		++*text;
		err = digits_parse(text, &exponent);
		if (err)
			return err;
		for (; exponent && v; exponent--)
			if (__builtin_mul_overflow(v, 10, &v))
				return -ERANGE;
	}
	*value = v;
	return 0;
}

int count_parse(const char *text, uint64_t *value)
{
	uint64_t v;
	int err = number_parse(&text, &v);

	if (err)
		return err;
	if (*text)
		return -EINVAL;
	*value = v;
	return 0;
}

int count_of_part(struct probe_env *env, const struct probe_spec *spec, uint32_t i, const char *what,
		  uint64_t *value)
{
	const char *text = spec->parts.v[i];
	uint64_t v = 0;
	int err = count_parse(text, &v);

	if (err == -ERANGE || (!err && v > INT64_MAX))
		return diag_error(env->diags, part_span(spec, i), "%s %s is too large", what, text);
	if (err)
		return diag_error(env->diags, part_span(spec, i), "%s must be a positive number, not '%s'", what,
				  text);
	if (!v)
		return diag_error(env->diags, part_span(spec, i), "%s must be greater than 0", what);
	*value = v;
	return 0;
}

/* ---- rates ---- */

static const struct rate_unit {
	const char *name;
	uint64_t ns; /* 0: the count is per second */
	bool suffix_only; /* may follow a number, but is no part of its own */
} rate_units[] = {
	{ "hz", 0, false },
	{ "ms", 1000000, false },
	{ "s", 1000000000, false },
	{ "us", 1000, false },
	{ "ns", 1, true },
	{ "m", 60ULL * 1000000000, true },
	{ "h", 3600ULL * 1000000000, true },
	{ "d", 86400ULL * 1000000000, true },
};

static const char *const rate_unit_names[] = { "hz", "ms", "s", "us" };

static const struct rate_unit *rate_unit_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rate_units); i++)
		if (!strcmp(rate_units[i].name, name))
			return &rate_units[i];
	return NULL;
}

static int rate_too_long(struct probe_env *env, const struct probe_spec *spec, uint32_t i)
{
	return diag_error(env->diags, part_span(spec, i), "the period %s is too long", spec->parts.v[i]);
}

/* "10ms", "1s", "500" */
static int duration_of_part(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
			    uint64_t *period_ns)
{
	const char *text = spec->parts.v[0], *rest = text;
	const struct rate_unit *unit, *bare = rate_unit_find(text);
	uint64_t v = 0;
	int err = number_parse(&rest, &v);

	if (err == -ERANGE)
		return rate_too_long(env, spec, 0);
	unit = rate_unit_find(*rest ? rest : "ns");
	if (err || !unit || !unit->ns) {
		diag_error(env->diags, part_span(spec, 0), "'%s' is not a period of time", text);
		if (bare && !bare->suffix_only)
			diag_hint(env->diags, "say how many: %s:%s:1", kind->name, text);
		else
			diag_hint(env->diags, "write %s:s:1, %s:hz:99 or %s:100ms", kind->name, kind->name,
				  kind->name);
		return -EINVAL;
	}
	if (!v)
		return diag_error(env->diags, part_span(spec, 0), "the period must be greater than 0");
	if (__builtin_mul_overflow(v, unit->ns, period_ns) || *period_ns > INT64_MAX)
		return rate_too_long(env, spec, 0);
	return 0;
}

int rate_parse(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
	       uint64_t *period_ns, uint64_t *hz)
{
	const struct rate_unit *unit;
	uint64_t count = 1;
	int err;

	*hz = 0;
	if (spec->parts.n == 1)
		return duration_of_part(env, kind, spec, period_ns);
	if (spec->parts.n != 2)
		return diag_error(env->diags, spec->span, "%s needs a unit and a count: %s", kind->name,
				  kind->forms);
	unit = rate_unit_find(spec->parts.v[0]);
	if (!unit || unit->suffix_only) {
		diag_error(env->diags, part_span(spec, 0), "'%s' is not a unit of %s: it is hz, s, ms or us",
			   spec->parts.v[0], kind->name);
		diag_hint_nearest(env->diags, spec->parts.v[0], rate_unit_names, ARRAY_SIZE(rate_unit_names));
		return -EINVAL;
	}
	err = count_of_part(env, spec, 1, unit->ns ? "the period" : "the rate", &count);
	if (err)
		return err;
	if (unit->ns && (__builtin_mul_overflow(count, unit->ns, period_ns) || *period_ns > INT64_MAX))
		return rate_too_long(env, spec, 1);
	if (!unit->ns) {
		if (count > 1000000000)
			return diag_error(env->diags, part_span(spec, 1), "the rate %s is too high",
					  spec->parts.v[1]);
		*hz = count;
		*period_ns = 1000000000 / count;
	}
	return 0;
}

int rate_list(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
	      int (*fn)(const char *name, void *ctx), void *ctx)
{
	const char *pattern = spec_pattern(env->arena, spec);

	for (size_t i = 0; i < ARRAY_SIZE(rate_unit_names); i++) {
		const char *unit = arena_printf(env->arena, "%s:", rate_unit_names[i]);
		int r = 0;

		if (glob_match(pattern, unit) || glob_match(pattern, rate_unit_names[i]))
			r = fn(arena_printf(env->arena, "%s:%s", kind->name, unit), ctx);
		if (r)
			return r;
	}
	return 0;
}
