/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers: from lines of text or JSON records. */
#include "play/numbers.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Behind the end of a string whose first quote is at `s`. */
static const char *string_end(const char *s)
{
	for (s++; *s && *s != '"'; s++)
		if (*s == '\\' && s[1])
			s++;
	return *s ? s + 1 : s;
}

/* The first number from `s` on that stands in no string. */
static bool first_number(const char *s, double *number)
{
	while (*s) {
		char *end;

		if (*s == '"') {
			s = string_end(s);
			continue;
		}
		if (*s == '-' || (*s >= '0' && *s <= '9')) {
			*number = strtod(s, &end);
			return end != s;
		}
		s++;
	}
	return false;
}

/* Records about the session (how many probes, what was lost) hold numbers that nobody wants to hear. */
static bool is_heard(const char *line)
{
	return strstr(line, "\"type\": \"value\"") || strstr(line, "\"type\": \"map\"") || strstr(line, "\"type\": \"stats\"") ||
	       strstr(line, "\"type\":\"value\"") || strstr(line, "\"type\":\"map\"");
}

bool numbers_line(const char *line, double *number)
{
	const char *data;
	char *end;

	line += strspn(line, " \t");
	if (*line == '{') {
		data = is_heard(line) ? strstr(line, "\"data\":") : NULL;
		return data && first_number(data + strlen("\"data\":"), number);
	}
	*number = strtod(line, &end);
	return end != line && !end[strspn(end, " \t\r")];
}

void numbers_take(struct numbers *n, const char *data, size_t len, void (*fn)(void *ctx, double number), void *ctx)
{
	double number;

	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\n') {
			n->is_skipped |= n->len == sizeof(n->line) - 1;
			if (!n->is_skipped)
				n->line[n->len++] = data[i];
			continue;
		}
		n->line[n->len] = 0;
		if (!n->is_skipped && numbers_line(n->line, &number))
			fn(ctx, number);
		n->len = 0;
		n->is_skipped = false;
	}
}
