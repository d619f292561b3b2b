/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Util: patterns and near names. */
#include "base/util.h"

#include <fnmatch.h>

bool glob_is_pattern(const char *s)
{
	return strpbrk(s, "*?[") != NULL;
}

bool glob_match(const char *pattern, const char *s)
{
	size_t n;

	/* Most patterns that meet a hundred thousand names are *word*. */
	if (*pattern == '*') {
		n = strcspn(pattern + 1, "*?[");
		if (pattern[n + 1] == '*' && !pattern[n + 2])
			return memmem(s, strlen(s), pattern + 1, n);
		if (!n && !pattern[1])
			return true;
	}
	return fnmatch(pattern, s, FNM_NOESCAPE) == 0;
}

/* Damerau-Levenshtein (optimal string alignment); words longer than the table are never near. */
static unsigned edit_distance(const char *a, size_t la, const char *b, size_t lb)
{
	unsigned d[3][65];
	unsigned *prev2 = d[0], *prev = d[1], *cur = d[2];

	for (size_t j = 0; j <= lb; j++)
		prev[j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		cur[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned cost = a[i - 1] != b[j - 1];
			unsigned best = MIN(MIN(prev[j] + 1, cur[j - 1] + 1), prev[j - 1] + cost);

			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = MIN(best, prev2[j - 2] + 1);
			cur[j] = best;
		}
		unsigned *t = prev2;

		prev2 = prev;
		prev = cur;
		cur = t;
	}
	return prev[lb];
}

const char *nearest_name(const char *word, const char *const *names, size_t n)
{
	size_t len = strlen(word);
	unsigned best = (unsigned)len / 3 + 1;
	const char *found = NULL;

	if (len > 64)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t l = names[i] ? strlen(names[i]) : 65;
		unsigned d;

		if (l > 64)
			continue;
		d = edit_distance(word, len, names[i], l);
		if (d < best || (d == best && !found && d < MAX(l, len))) {
			best = d;
			found = names[i];
		}
	}
	return found;
}
