/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uprobe_names: which functions of a file a spec names. Names of C++ and Rust are compared as their
 * programmers wrote them: whole, or without parameters (all functions that are overloaded), and without the
 * type that templates are shown to return.
 */
#include <errno.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "probe/uprobe_expand.h"
#include "symbol/demangle.h"

static void strbuf_end(void *b)
{
	strbuf_free(b);
}

/* Begins behind the last blank that is not within brackets or behind "operator". */
static const char *without_return_type(const char *text, size_t len)
{
	const char *begin = text;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (str_starts(text + i, "operator"))
			break;
		depth += strchr("<([{", text[i]) != NULL;
		depth -= strchr(">)]}", text[i]) != NULL;
		if (text[i] == ' ' && !depth)
			begin = text + i + 1;
	}
	return begin;
}

/* How much of "ns::f(int) const" comes before its parameters. */
static size_t parameters_at(const char *text)
{
	const char *close = strrchr(text, ')');
	int depth = 0;

	for (const char *p = close; p && p >= text; p--) {
		depth += *p == ')';
		depth -= *p == '(';
		if (!depth)
			return p == text ? strlen(text) : (size_t)(p - text);
	}
	return strlen(text);
}

/* Blanks do not matter: f(int,char) is f(int, char). */
static bool same_words(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strspn(a, " ");
		b += strspn(b, " ");
		if (*a != *b)
			return false;
		if (!*a)
			return true;
	}
}

static bool text_matches(const struct uprobe_spec *u, const char *text)
{
	return u->is_pattern ? glob_match(u->name, text) : same_words(u->name, text);
}

bool uprobe_plain_matches(struct arena *a, const struct uprobe_spec *u, const char *plain)
{
	size_t end = parameters_at(plain);
	const char *text = arena_strndup(a, plain, end);

	return text_matches(u, plain) || text_matches(u, text) ||
	       text_matches(u, arena_strdup(a, without_return_type(text, end)));
}

/* Append the name as it was written in this language (NULL: in any). */
static bool demangle_as(const char *lang, const char *name, struct strbuf *out)
{
	bool rust;

	if (!lang)
		return demangle(name, out);
	strbuf_reset(out);
	rust = demangle_rust_legacy(name, out) || demangle_rust_v0(name, out);
	if (!strcmp(lang, "rust"))
		return rust;
	return !rust && demangle(name, out);
}

void uprobe_each_plain(struct probe_env *env, struct binary *b, const char *lang,
		       bool (*fn)(struct binary_symbol *f, void *ctx), void *ctx)
{
	struct strbuf *text = arena_new_of(env->arena, struct strbuf);

	*text = (struct strbuf)STRBUF_INIT;
	arena_own(env->arena, strbuf_end, text);
	binary_list(env, b);
	vec_each(f, &b->functions) {
		strbuf_reset(text);
		if (!demangle_is_mangled(f->name))
			continue;
		if (!f->plain && demangle_as(lang, f->name, text))
			f->plain = arena_strdup(env->arena, text->s);
		if (f->plain && !fn(f, ctx))
			return;
	}
}

struct matcher {
	struct probe_env *env;
	const struct uprobe_spec *u;
	symbol_vec *found;
};

static bool plain_take(struct binary_symbol *f, void *ctx)
{
	struct matcher *m = ctx;

	if (uprobe_plain_matches(m->env->arena, m->u, f->plain))
		vec_push(m->env->arena, m->found, *f);
	return true;
}

/* Does it look like a name that a programmer wrote, and no linker has? */
static bool is_plain_name(const char *name)
{
	return strpbrk(name, "(<: ") != NULL;
}

void uprobe_match(struct probe_env *env, const struct uprobe_spec *u, struct binary *b, symbol_vec *found)
{
	struct matcher m = { .env = env, .u = u, .found = found };
	const struct binary_symbol *exact;
	size_t n = 0;

	if (u->lang || is_plain_name(u->name)) {
		uprobe_each_plain(env, b, u->lang, plain_take, &m);
		if (u->lang || found->n)
			return;
	}
	if (!u->is_pattern) {
		exact = binary_find(env, b, u->name, &n);
		for (size_t i = 0; i < n; i++)
			vec_push(env->arena, found, exact[i]);
		return;
	}
	binary_list(env, b);
	vec_each(f, &b->functions)
		if (glob_match(u->name, f->name))
			vec_push(env->arena, found, *f);
}
