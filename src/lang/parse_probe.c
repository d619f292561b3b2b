/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parse: probes, which are read as characters, predicates and whole clauses. */
#include <string.h>

#include "base/util.h"
#include "lang/literal.h"
#include "lang/parse.h"

/* One part of a probe, between colons. */
struct part {
	VEC(char) text;
	uint32_t begin;
	bool quoted;
	bool is_path; /* a '/' in it was one already */
};

static bool is_part_char(char c)
{
	return is_word_char(c) || (unsigned char)c >= 0x80 || (c && strchr("-.+*?[]#$@%~!^", c));
}

/*
 * Does the '/' at the lexer belong to the part (a path), or does a predicate begin? It is a path when
 * the part is one already, begins here, or when a ':' follows before anything that no path has:
 * uprobe:lib/x.so:f but kprobe:f/pid/.
 */
static bool slash_is_path(const struct lexer *lx, const struct part *part, bool is_kind)
{
	const char *text = part->text.v;
	uint32_t ahead = 1;

	if (is_kind)
		return false;
	if (part->is_path || !part->text.n || text[0] == '~')
		return true;
	if (text[0] == '.' && (part->text.n == 1 || (part->text.n == 2 && text[1] == '.')))
		return true;
	while (is_part_char(lex_at(lx, ahead)) || lex_at(lx, ahead) == '/')
		ahead++;
	return lex_at(lx, ahead) == ':';
}

static void part_add(struct parser *p, struct part *part, const char *text, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		vec_push(p->arena, &part->text, text[i]);
}

static void quoted_add(struct parser *p, struct part *part)
{
	struct token t;

	literal_string(&p->lx, &t);
	part_add(p, part, t.text, t.len);
	part->quoted = true;
}

static void part_read(struct parser *p, struct part *part, bool is_kind)
{
	struct lexer *lx = &p->lx;

	part->begin = lx->pos;
	for (;;) {
		char c = lex_at(lx, 0), next = lex_at(lx, 1);

		if (c == '"') {
			quoted_add(p, part);
		} else if (c == '\\' && next >= ' ') {
			part_add(p, part, &next, 1);
			lx->pos += 2;
		} else if (is_part_char(c) || (c == '/' && slash_is_path(lx, part, is_kind))) {
			part->is_path |= c == '/';
			part_add(p, part, &c, 1);
			lx->pos++;
		} else {
			return;
		}
	}
}

static const char *part_text(struct parser *p, const struct part *part)
{
	return arena_strndup(p->arena, part->text.v, part->text.n);
}

/* name=kind:...: the name, or NULL when there is none. */
static const char *name_read(struct parser *p)
{
	struct lexer *lx = &p->lx;
	uint32_t len = 0;
	const char *name;

	if (!is_word_start(lex_at(lx, 0)))
		return NULL;
	while (is_word_char(lex_at(lx, len)))
		len++;
	if (lex_at(lx, len) != '=' || lex_at(lx, len + 1) == '=')
		return NULL;
	name = arena_strndup(p->arena, lx->text + lx->pos, len);
	lx->pos += len + 1;
	lex_skip_blank(lx);
	return name;
}

/* Take a ':' with blanks around it. Blanks before anything else are left. */
static bool colon_take(struct lexer *lx)
{
	struct lexer saved = *lx;

	lex_skip_blank(lx);
	if (lex_at(lx, 0) != ':') {
		lx->pos = saved.pos;
		return false;
	}
	lx->pos++;
	saved.pos = lx->pos;
	lex_skip_blank(lx);
	/* `software:faults: /pid/`: the last part is empty, and what follows is a predicate. */
	if (lx->pos != saved.pos && strchr("/{,", lex_at(lx, 0)))
		lx->pos = saved.pos;
	return true;
}

static void spec_add(struct parser *p, struct probe_spec *spec, const struct part *part)
{
	vec_push(p->arena, &spec->parts, part_text(p, part));
	vec_push(p->arena, &spec->part_spans, lex_span(&p->lx, part->begin, p->lx.pos));
	vec_push(p->arena, &spec->part_quoted, part->quoted);
}

/* What stands at the lexer, for a message. */
static const char *found_text(struct parser *p, struct span *span)
{
	struct lexer ahead = p->lx;
	struct token t;

	ahead.quiet = true;
	lex_skip_blank(&ahead);
	*span = lex_span(&ahead, ahead.pos, ahead.pos + 1);
	lex_next(&ahead, &t);
	if (t.kind != TOK_EOF && t.span.begin == span->begin)
		*span = t.span;
	return token_describe(p->arena, &t);
}

struct probe_spec *parse_probe(struct parser *p)
{
	struct probe_spec *spec = arena_new_of(p->arena, struct probe_spec);
	struct part kind = { 0 };
	uint32_t begin = p->lx.pos;

	spec->name = name_read(p);
	part_read(p, &kind, true);
	if (!kind.text.n) {
		struct span span;
		const char *found = found_text(p, &span);

		parse_error(p, span, "expected a probe, found %s", found);
		parse_hint(p, "a script is made of probes with actions: interval:s:1 { print(nsecs); }");
		return NULL;
	}
	spec->kind = part_text(p, &kind);
	while (colon_take(&p->lx)) {
		struct part part = { 0 };

		part_read(p, &part, false);
		spec_add(p, spec, &part);
	}
	spec->span = lex_span(&p->lx, begin, p->lx.pos);
	return spec;
}

void parse_skip_piece(struct parser *p, uint32_t begin)
{
	uint32_t braces = 0;

	/* The token in hand counts: it may be the '{'. */
	if (p->tok.span.end > begin && p->tok.span.end == p->lx.pos)
		p->lx.pos = p->tok.span.begin;
	p->lx.quiet = true;
	parse_begin(p);
	for (; p->tok.kind != TOK_EOF; parse_next(p)) {
		if (p->tok.kind == TOK_LBRACE)
			braces++;
		else if (p->tok.kind == TOK_RBRACE && (!braces || !--braces))
			break;
		else if (p->tok.kind == TOK_SEMI && !braces)
			break;
	}
	p->lx.quiet = false;
}

static bool probes_read(struct parser *p, struct clause *c)
{
	for (;;) {
		struct probe_spec *spec = parse_probe(p);

		if (!spec)
			return false;
		vec_push(p->arena, &c->probes, spec);
		lex_skip_blank(&p->lx);
		if (lex_at(&p->lx, 0) != ',')
			return true;
		p->lx.pos++;
		lex_skip_blank(&p->lx);
		/* the last one may be followed by a comma, too */
		if (lex_at(&p->lx, 0) == '/' || lex_at(&p->lx, 0) == '{')
			return true;
	}
}

/* At the '/' that begins it. */
static bool predicate_read(struct parser *p, struct clause *c)
{
	struct span slash = lex_span(&p->lx, p->lx.pos, p->lx.pos + 1);

	p->lx.pos++;
	parse_begin(p);
	p->in_predicate = true;
	p->nblocks++; /* a block inside is not the outermost */
	p->open = 0;
	c->pred = parse_condition(p, "a predicate");
	p->in_predicate = false;
	p->nblocks--;
	return c->pred && parse_close(p, TOK_SLASH, slash, "to end the predicate");
}

static struct expr *action_read(struct parser *p)
{
	if (p->tok.kind == TOK_LBRACE)
		return parse_block(p, "the action");
	parse_expected(p, "'{' to begin the action");
	if (p->tok.kind == TOK_LPAREN)
		parse_hint(p, "statements stand inside the action of a probe: BEGIN { ... }");
	else
		parse_hint(p, "a clause is: PROBE[,PROBE] [/PREDICATE/] { ACTION }");
	return NULL;
}

static bool clause_read(struct parser *p, struct clause *c)
{
	struct expr *block;

	if (!probes_read(p, c))
		return false;
	if (lex_at(&p->lx, 0) == '/') {
		if (!predicate_read(p, c))
			return false;
	} else {
		parse_begin(p);
	}
	block = action_read(p);
	if (!block)
		return false;
	c->body = parse_block_stmts(p, block);
	return true;
}

void parse_unwind_end(struct parser *p)
{
	if (p->unwind)
		p->lx.pos = p->tok.span.begin;
	p->unwind = false;
}

bool parse_clause(struct parser *p)
{
	struct clause *c = arena_new_of(p->arena, struct clause);
	uint32_t begin = p->lx.pos;

	p->tok = (struct token){ .kind = TOK_SEMI, .span = lex_span(&p->lx, begin, begin) };
	if (lex_at(&p->lx, 0) == '}') {
		parse_error(p, lex_span(&p->lx, begin, begin + 1), "this '}' closes nothing");
		p->lx.pos++;
		return false;
	}
	if (!clause_read(p, c)) {
		parse_skip_piece(p, begin);
		return false;
	}
	c->span = parse_span(p, begin);
	parse_unwind_end(p);
	if (parse_too_high(p, c->pred, &c->body))
		return false;
	c->index = p->script->clauses.n;
	vec_push(p->arena, &p->script->clauses, c);
	return true;
}
