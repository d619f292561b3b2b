/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Header_macro: a #define of the machine's headers that the script itself uses becomes a macro of the script's
 * language: its text with all others put in, and names of its own for the arguments.
 */
#include <ctype.h>
#include <errno.h>

#include "lang/check_priv.h"
#include "lang/header.h"

#define MOST_HINT 100

/* Names of types in parentheses, which only who knows the headers can tell from values: (id)(x). */
static void types_name(struct checker *c, const char *p, struct strbuf *out)
{
	while (*p) {
		size_t blanks = *p == '(' ? strspn(p + 1, " ") : 0, len = 0;
		const char *word = p + 1 + blanks, *end;
		const struct type *t = NULL;

		while (*p == '(' && (isalnum((unsigned char)word[len]) || word[len] == '_'))
			len++;
		end = word + len + strspn(word + len, " ");
		if (len && *end == ')')
			t = c_type_find(c, arena_strndup(c->arena, word, len));
		if (t && t->kind == TY_INT) {
			strbuf_addf(out, "(%s)", type_name(c->arena, type_integer(t->size, t->is_signed)));
			p = end + 1;
			continue;
		}
		strbuf_addch(out, *p++);
	}
}

/* What names itself, a function of C behind it mostly, would be put in for ever. */
static bool has_word(const char *text, const char *name)
{
	for (const char *p = text; (p = strstr(p, name)); p++) {
		char after = p[strlen(name)], before = p > text ? p[-1] : ' ';

		if (!isalnum((unsigned char)after) && after != '_' && !isalnum((unsigned char)before) && before != '_')
			return true;
	}
	return false;
}

static const struct macro *macro_make(struct headers *h, const char *name, struct header_define *d)
{
	_cleanup_strbuf_ struct strbuf params = STRBUF_INIT, use = STRBUF_INIT, text = STRBUF_INIT, typed = STRBUF_INIT;
	uint32_t n = d->params ? header_nparams(d) : 0;

	for (uint32_t i = 0; i < n; i++)
		strbuf_addf(&params, "%s__arg_%u_", i ? ", " : "", i);
	strbuf_addf(&use, d->params ? "%s(%s)" : "%s", name, params.s);
	header_expand(h, use.s, use.len, &text);
	if (!text.len || has_word(text.s, name))
		return NULL;
	types_name(h->c, text.s, &typed);
	strbuf_reset(&use);
	strbuf_addf(&use, "(%s)", params.s);
	if (params.failed || use.failed || text.failed || typed.failed)
		return NULL;
	return c_macro_read(h->c, name, use.s, (uint32_t)use.len, typed.s);
}

static int not_readable(struct checker *c, const struct expr *e, const struct header_define *d)
{
	check_error(c, e->span, "the headers' macro %s is no expression of this language", e->name);
	diag_hint(c->diags, "it is: %.*s%s", MOST_HINT, d->body, strlen(d->body) > MOST_HINT ? "..." : "");
	return -EINVAL;
}

int header_macro(struct checker *c, struct expr *e)
{
	struct headers *h = headers_loaded(c);
	struct header_define *d = h ? strmap_get(&h->defines, e->name) : NULL;
	uint32_t n;

	/* A name alone that takes parameters, or one of nothing, is no use of it. */
	if (!d || d->busy || (e->kind == EX_CALL && !e->is_bare) != !!d->params || !*d->body)
		return 0;
	n = d->params ? header_nparams(d) : 0;
	if (n != e->args.n)
		return check_error(c, e->span, "the headers' macro %s takes %u argument%s, not %u", e->name, n,
				   n == 1 ? "" : "s", e->args.n);
	if (!d->tried)
		d->macro = macro_make(h, e->name, d);
	d->tried = true;
	if (!d->macro)
		return e->kind == EX_CALL && !e->is_bare ? not_readable(c, e, d) : 0;
	return macro_apply(c, e, d->macro) ?: 1;
}
