/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probe: find a kind of probe by its name or a short one. */
#include "lang/probe.h"

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
