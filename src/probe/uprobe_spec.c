/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uprobe_spec: BINARY:[LANGUAGE:]FUNCTION[+OFFSET], BINARY:ADDRESS, BINARY@FILE:LINE[:COLUMN]. */
#include "probe/uprobe_spec.h"

#include <ctype.h>
#include <errno.h>

#include "base/util.h"
#include "probe/binary.h"
#include "probe/common.h"

static const char *const languages[] = { "cpp", "rust" };

bool uprobe_number(const char *text, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoull(text, &end, text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
	return !errno && !*end;
}

const char *uprobe_language(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(languages); i++)
		if (!strcmp(languages[i], text))
			return languages[i];
	return NULL;
}

/* "main+0x10"; C++ has functions called operator+, which no number follows. */
static void name_take(struct probe_env *env, struct uprobe_spec *u, const char *text)
{
	const char *plus = strrchr(text, '+');
	bool quoted = u->name_part < u->spec->part_quoted.n && u->spec->part_quoted.v[u->name_part];

	if (!quoted && uprobe_number(text, &u->address)) {
		u->has_address = true;
		return;
	}
	if (plus && plus != text && uprobe_number(plus + 1, &u->offset)) {
		u->has_offset = true;
		text = arena_strndup(env->arena, text, (size_t)(plus - text));
	}
	u->name = text;
	u->is_pattern = !quoted && glob_is_pattern(text);
}

/* The spec with another first part. */
static const struct probe_spec *with_path(struct arena *a, const struct probe_spec *spec, const char *path)
{
	struct probe_spec *copy = arena_new_of(a, struct probe_spec);

	*copy = *spec;
	copy->parts.v = arena_array_of(a, const char *, spec->parts.n);
	memcpy(copy->parts.v, spec->parts.v, sizeof(*spec->parts.v) * spec->parts.n);
	copy->parts.v[0] = path;
	return copy;
}

/* "./prog@dir/file.c" and then numbers: a place in the source. A file may have such a name itself. */
static bool line_take(struct probe_env *env, struct uprobe_spec *u)
{
	const struct probe_spec *spec = u->spec;
	const char *text = spec->parts.v[0], *at = strrchr(text, '@');
	uint64_t line = 0, column = 0;

	if (!at || spec->parts.n < 2 || spec->parts.n > 3 || !access(text, F_OK))
		return false;
	if (!uprobe_number(spec->parts.v[1], &line) || line > INT32_MAX)
		return false;
	if (spec->parts.n == 3 && (!uprobe_number(spec->parts.v[2], &column) || column > INT32_MAX))
		return false;
	u->path_part = 0;
	u->name_part = 1;
	u->spec = with_path(env->arena, spec, arena_strndup(env->arena, text, (size_t)(at - text)));
	u->source = at + 1;
	u->line = (uint32_t)line;
	u->column = (uint32_t)column;
	return true;
}

static int parts_wrong(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec)
{
	diag_error(env->diags, spec->span, "%s needs a program or library and a function: %s", kind->name, kind->forms);
	if (spec->parts.n == 1 && !binary_is_implied(env))
		diag_hint(env->diags, "the program can be left out only with -p PID");
	return -EINVAL;
}

/* How many parts come before the name, and which of them is the path. */
static int parts_take(struct probe_env *env, const struct probe_kind *kind, struct uprobe_spec *u)
{
	const struct probe_spec *spec = u->spec;
	uint32_t n = spec->parts.n;
	bool implied = binary_is_implied(env) && (n == 1 || (n == 2 && uprobe_language(spec->parts.v[0])));

	u->path_part = implied ? PART_NONE : 0;
	u->name_part = n - 1;
	if (!implied && (n < 2 || n > 3))
		return parts_wrong(env, kind, spec);
	if (!*spec->parts.v[n - 1] || (!implied && !*spec->parts.v[0] && !binary_is_implied(env)))
		return parts_wrong(env, kind, spec);
	if (n == (implied ? 1 : 2))
		return 0;
	u->lang = uprobe_language(spec->parts.v[n - 2]);
	if (u->lang)
		return 0;
	diag_error(env->diags, part_span(spec, n - 2), "'%s' is no language whose names are known: it is cpp or rust",
		   spec->parts.v[n - 2]);
	if (n == 3 && !*spec->parts.v[1])
		diag_hint(env->diags, "names that hold colons are written in quotes: \"ns::function\"");
	return -EINVAL;
}

int uprobe_spec_parse(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		      struct uprobe_spec *out)
{
	struct uprobe_spec u = { .spec = spec, .path_part = PART_NONE };
	int err = 0;

	if (!spec->parts.n)
		return parts_wrong(env, kind, spec);
	if (!line_take(env, &u)) {
		err = parts_take(env, kind, &u);
		if (err)
			return err;
		name_take(env, &u, spec->parts.v[u.name_part]);
	}
	if (u.is_pattern && u.has_offset)
		return diag_error(env->diags, part_span(spec, u.name_part), "a pattern of functions cannot have an offset");
	*out = u;
	return 0;
}
