/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pattern: values of matches, alternatives of shell patterns separated by bars.
 *
 * Own matching instead of fnmatch(3): rules are foreign text, and fnmatch takes time exponential in the number of
 * stars. Here a star is tried once more for each character and never again after the next star was reached.
 */
#include <ctype.h>

#include "base/util.h"
#include "udev/udev.h"

static int fold(char c, bool nocase)
{
	return nocase ? tolower((unsigned char)c) : (unsigned char)c;
}

/* A set in brackets at *p (behind the bracket, up to `end`): does it have c? Moves *p behind it. -1: it is not closed. */
static int set_match(const char **p, const char *end, char c, bool nocase)
{
	const char *s = *p;
	bool invert = s < end && (*s == '!' || *s == '^'), found = false;
	int v = fold(c, nocase);

	s += invert;
	for (const char *first = s; s < end && (*s != ']' || s == first); s++) {
		int low = fold(*s, nocase), high = low;

		if (s + 2 < end && s[1] == '-' && s[2] != ']') {
			high = fold(s[2], nocase);
			s += 2;
		}
		found |= v >= low && v <= high;
	}
	if (s >= end)
		return -1;
	*p = s + 1;
	return found != invert;
}

/* Does one character of the pattern at *p take c? Moves *p behind it. */
static bool char_match(const char **p, const char *end, char c, bool nocase)
{
	const char *s = *p;
	int in;

	if (*s == '?') {
		*p = s + 1;
		return true;
	}
	if (*s == '[') {
		*p = s + 1;
		in = set_match(p, end, c, nocase);
		if (in >= 0)
			return in;
		*p = s; /* not closed: it means itself */
	}
	if (*s == '\\' && s + 1 < end)
		s++;
	*p = s + 1;
	return fold(*s, nocase) == fold(c, nocase);
}

static bool one_match(const char *p, const char *end, const char *v, bool nocase)
{
	const char *star = NULL, *from = NULL;

	while (*v) {
		const char *next = p;

		if (p < end && *p == '*') {
			star = ++p;
			from = v;
			continue;
		}
		if (p < end && char_match(&next, end, *v, nocase)) {
			p = next;
			v++;
			continue;
		}
		if (!star)
			return false;
		p = star;
		v = ++from;
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}

/* The nth alternative; false: there is none. */
static bool alternative(const char *pattern, unsigned nth, const char **begin, const char **end)
{
	for (;; nth--) {
		*begin = pattern;
		*end = pattern + strcspn(pattern, "|");
		if (!nth)
			return true;
		if (!**end)
			return false;
		pattern = *end + 1;
	}
}

bool udev_pattern_match(const char *pattern, const char *value, bool nocase)
{
	const char *begin = pattern, *end;

	value = value ? value : "";
	for (;;) {
		end = begin + strcspn(begin, "|");
		if (one_match(begin, end, value, nocase))
			return true;
		if (!*end)
			return false;
		begin = end + 1;
	}
}

/* A character of the set behind the bracket at *p. */
static char set_example(const char **p, const char *end)
{
	static const char tries[] = "0a1bcdefAxyz_-.: ";

	for (const char *t = tries; *t; t++) {
		const char *q = *p;

		if (set_match(&q, end, *t, false) == 1) {
			*p = q;
			return *t;
		}
	}
	for (int c = 33; c < 127; c++) {
		const char *q = *p;

		if (set_match(&q, end, (char)c, false) == 1) {
			*p = q;
			return (char)c;
		}
	}
	return '[';
}

const char *udev_pattern_example(struct arena *a, const char *pattern, unsigned nth)
{
	const char *p, *end;
	char *out;
	size_t n = 0;

	if (!alternative(pattern, nth, &p, &end))
		return NULL;
	out = arena_alloc(a, (size_t)(end - p) + 1);
	while (p < end) {
		char c = *p++;

		if (c == '*')
			continue;
		out[n++] = c == '?' ? 'x' : c == '[' ? set_example(&p, end) : c == '\\' &&
			p < end ? *p++ : c;
	}
	return out;
}
