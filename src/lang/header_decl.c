/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Header, declarations: which struct, union, enum, enumerator and typedef is declared by which piece of text.
 * The pieces are told apart by braces and semicolons alone; what they mean is found out when one is asked for.
 */
#include <ctype.h>

#include "lang/header.h"

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static size_t word_at(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && is_word(p[n]))
		n++;
	return n;
}

static bool word_is(const char *p, size_t n, const char *word)
{
	return n == strlen(word) && !memcmp(p, word, n);
}

static const char *blank_skip(const char *p, const char *end)
{
	while (p < end && isspace((unsigned char)*p))
		p++;
	return p;
}

static void name_put(struct headers *h, const char *tag, const char *name, size_t n, struct header_decl *d)
{
	const char *key = arena_printf(h->c->arena, "%s%.*s", tag, (int)n, name);

	if (n && !isdigit((unsigned char)*name) && !strmap_get(&h->decls, key))
		strmap_put(h->c->arena, &h->decls, key, d);
}

/* The enumerators between the braces at p. */
static void enumerators_put(struct headers *h, const char *p, const char *end, struct header_decl *d)
{
	uint32_t depth = 0;
	bool expected = true;

	for (p++; p < end && *p != '}';) {
		size_t n = word_at(p, end);

		if (n && expected)
			name_put(h, "", p, n, d);
		if (n || !isspace((unsigned char)*p))
			expected = !n && *p == ',' && !depth;
		if (*p == '(')
			depth++;
		else if (*p == ')' && depth)
			depth--;
		p += n ? n : 1;
	}
}

/* `struct NAME {`, `enum {`: p stands behind the word. */
static void tag_put(struct headers *h, const char *tag, const char *p, const char *end, struct header_decl *d)
{
	const char *name = blank_skip(p, end), *brace;
	size_t n = word_at(name, end);

	brace = blank_skip(name + n, end);
	if (brace >= end || *brace != '{')
		return;
	name_put(h, tag, name, n, d);
	if (str_eq(tag, "enum "))
		enumerators_put(h, brace, end, d);
}

/* What a typedef names: (*NAME), else the last word outside of everything. */
static void typedef_put(struct headers *h, const char *text, const char *end, struct header_decl *d)
{
	const char *name = NULL, *star = NULL;
	size_t len = 0, star_len = 0;
	uint32_t depth = 0;

	for (const char *p = text; p < end;) {
		size_t n = word_at(p, end);
		const char *after = blank_skip(p + 1, end);

		if (n && !depth) {
			name = p;
			len = n;
		} else if (*p == '(' && !depth && !star && after < end && *after == '*') {
			star = blank_skip(after + 1, end);
			star_len = word_at(star, end);
		}
		if (*p == '{' || *p == '(' || *p == '[')
			depth++;
		else if ((*p == '}' || *p == ')' || *p == ']') && depth)
			depth--;
		p += n ? n : 1;
	}
	if (star_len)
		name_put(h, "", star, star_len, d);
	else if (name)
		name_put(h, "", name, len, d);
}

static void piece_index(struct headers *h, const char *p, const char *end)
{
	static const char *const tags[] = { "struct ", "union ", "enum " };
	struct header_decl *d = arena_new_of(h->c->arena, struct header_decl);
	bool is_typedef;
	size_t n;

	/* __extension__ and the like */
	for (p = blank_skip(p, end); (n = word_at(p, end)) > 2 && p[0] == '_' && p[1] == '_'; p = blank_skip(p + n, end))
		;
	is_typedef = word_is(p, n, "typedef");
	if (!is_typedef && !word_is(p, n, "struct") && !word_is(p, n, "union") && !word_is(p, n, "enum"))
		return;
	d->text = arena_strndup(h->c->arena, p, (size_t)(end - p));
	p = d->text;
	end = p + strlen(p);
	if (is_typedef)
		typedef_put(h, p, end, d);
	for (; p < end; p += n ? n : 1) {
		n = word_at(p, end);
		for (size_t i = 0; n && i < ARRAY_SIZE(tags); i++)
			if (n + 1 == strlen(tags[i]) && !memcmp(p, tags[i], n))
				tag_put(h, tags[i], p + n, end, d);
	}
}

/* Does a brace that closes here end a function, so that no ';' follows? */
static bool ends_function(const char *begin, const char *brace)
{
	const char *open = memchr(begin, '{', (size_t)(brace - begin));

	while (open && open > begin && isspace((unsigned char)open[-1]))
		open--;
	return open && open > begin && open[-1] == ')';
}

void header_decls_index(struct headers *h, const char *text)
{
	const char *begin = text;
	uint32_t depth = 0;

	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\'') {
			char quote = *p;

			for (p++; *p && *p != quote && *p != '\n'; p++)
				p += p[0] == '\\' && p[1];
			if (!*p)
				break;
		} else if (*p == '{' || *p == '(') {
			depth++;
		} else if ((*p == '}' || *p == ')') && depth) {
			depth--;
		}
		if (!depth && (*p == ';' || (*p == '}' && ends_function(begin, p)))) {
			piece_index(h, begin, p + 1);
			begin = p + 1;
		}
	}
}
