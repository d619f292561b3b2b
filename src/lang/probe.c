/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probe: kinds of probes by their names, and specs of probes from text. */
#include "lang/probe.h"

#include <string.h>
#include <strings.h>

#include "base/util.h"

static bool kind_answers(const struct probe_kind *k, const char *name)
{
	int (*differ)(const char *, const char *) = k->case_insensitive ? strcasecmp : strcmp;

	if (!differ(k->name, name))
		return true;
	for (const char *const *a = k->aliases; a && *a; a++) {
		if (!differ(*a, name))
			return true;
	}
	return false;
}

const struct probe_kind *probe_kind_find(const struct probe_kind *const *kinds, const char *name)
{
	for (; kinds && *kinds; kinds++) {
		if (kind_answers(*kinds, name))
			return *kinds;
	}
	return NULL;
}

struct probe_spec *probe_spec_of_text(struct arena *a, const char *text)
{
	struct probe_spec *spec = arena_new_of(a, struct probe_spec);
	size_t len = strcspn(text, ":");
	const char *rest = text[len] ? text + len + 1 : NULL;

	spec->kind = arena_strndup(a, text, len);
	while (rest) {
		bool quoted = *rest == '"' && strchr(rest + 1, '"');
		const char *end = quoted ? strchr(rest + 1, '"') : rest + strcspn(rest, ":");

		rest += quoted;
		vec_push(a, &spec->parts, arena_strndup(a, rest, (size_t)(end - rest)));
		vec_push(a, &spec->part_spans, ((struct span){ 0 }));
		vec_push(a, &spec->part_quoted, quoted);
		end += quoted;
		rest = *end == ':' ? end + 1 : NULL;
	}
	return spec;
}
