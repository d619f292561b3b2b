/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parse: the token in hand, what is wrong with it, and the way through a script. */
#include "lang/parse.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

/* Reading on after more errors than these only costs time and memory. */
#define ERRORS_MOST 100u

void parse_next(struct parser *p)
{
	p->prev_end = p->tok.span.end;
	if (p->diags->nerrors > ERRORS_MOST)
		p->dead = true;
	if (p->dead)
		p->lx.pos = p->lx.len;
	lex_next(&p->lx, &p->tok);
}

void parse_begin(struct parser *p)
{
	p->tok.span.end = p->lx.pos;
	parse_next(p);
}

struct token parse_peek(struct parser *p)
{
	struct lexer saved = p->lx;
	struct token t;

	lex_next(&p->lx, &t);
	p->lx = saved;
	return t;
}

bool parse_is(const struct parser *p, const char *word)
{
	return token_is(&p->tok, word);
}

bool parse_take(struct parser *p, enum tok kind)
{
	if (p->tok.kind != kind)
		return false;
	parse_next(p);
	return true;
}

/* Nothing is said twice about the end of the script, nor about a piece with something unreadable in it. */
static bool error_follows(const struct parser *p)
{
	return p->dead || p->unwind || (p->tok.kind == TOK_EOF && p->end_reported) ||
	       (p->lx.bad_end && p->lx.bad_begin >= p->piece_begin);
}

void *parse_error(struct parser *p, struct span span, const char *fmt, ...)
{
	va_list ap;

	p->reported = !error_follows(p);
	if (!p->reported)
		return NULL;
	if (p->tok.kind == TOK_EOF)
		p->end_reported = true;
	va_start(ap, fmt);
	diag_error(p->diags, span, "%s", arena_vprintf(p->arena, fmt, ap));
	va_end(ap);
	return NULL;
}

void parse_hint(struct parser *p, const char *fmt, ...)
{
	va_list ap;

	if (!p->reported)
		return;
	va_start(ap, fmt);
	diag_hint(p->diags, "%s", arena_vprintf(p->arena, fmt, ap));
	va_end(ap);
}

void *parse_expected(struct parser *p, const char *what)
{
	struct span at = p->tok.span;

	/* What is missing is missing where the line ended. */
	if ((p->tok.newline || p->tok.kind == TOK_EOF) && p->prev_end)
		at = lex_span(&p->lx, p->prev_end, p->prev_end + 1);
	return parse_error(p, at, "expected %s, found %s", what, token_describe(p->arena, &p->tok));
}

bool parse_expect(struct parser *p, enum tok kind, const char *why)
{
	if (parse_take(p, kind))
		return true;
	parse_expected(p, arena_printf(p->arena, "'%s' %s", tok_text(kind), why));
	return false;
}

bool parse_at_close(struct parser *p, enum tok kind, struct span open, const char *why)
{
	if (p->tok.kind == kind)
		return true;
	if (p->tok.kind == TOK_EOF) {
		parse_error(p, open, "this '%c' is never closed", p->lx.text[open.begin]);
		return false;
	}
	parse_expected(p, arena_printf(p->arena, "'%s' %s", tok_text(kind), why));
	if (p->tok.kind == TOK_ASSIGN)
		parse_hint(p, "to compare, write '=='; assignments are statements");
	return false;
}

bool parse_close(struct parser *p, enum tok kind, struct span open, const char *why)
{
	if (!parse_at_close(p, kind, open, why))
		return false;
	parse_next(p);
	return true;
}

struct span parse_span(const struct parser *p, uint32_t begin)
{
	return lex_span(&p->lx, begin, MAX(p->prev_end, begin));
}

bool parse_enter(struct parser *p)
{
	if (p->depth < NESTING_MOST) {
		p->depth++;
		return true;
	}
	parse_error(p, p->tok.span, "nested deeper than %u levels", NESTING_MOST);
	p->dead = true;
	return false;
}

void parse_leave(struct parser *p)
{
	p->depth--;
}

bool is_keyword(const char *word)
{
	static const char *const words[] = { "break", "continue", "else", "for", "if", "import", "let", "macro",
					     "offsetof", "return", "sizeof", "typeof", "unroll", "while" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i], word))
			return true;
	return false;
}

static void shebang_read(struct parser *p)
{
	const char *end;

	if (lex_at(&p->lx, 0) != '#' || lex_at(&p->lx, 1) != '!')
		return;
	end = memchr(p->lx.text, '\n', p->lx.len);
	p->lx.pos = end ? (uint32_t)(end - p->lx.text) : p->lx.len;
	p->script->shebang = arena_strndup(p->arena, p->lx.text, p->lx.pos);
}

int script_parse(struct script *script, uint16_t file, struct diags *d)
{
	struct parser p = { .arena = script->arena, .script = script, .diags = d };
	uint32_t before = d->nerrors;

	lex_begin(&p.lx, script, file, d);
	shebang_read(&p);
	for (;;) {
		lex_skip_blank(&p.lx);
		if (p.lx.pos >= p.lx.len || p.dead)
			break;
		p.piece_begin = p.clause_begin = p.lx.pos;
		if (!parse_decl(&p))
			parse_clause(&p);
	}
	return d->nerrors == before ? 0 : -EINVAL;
}
