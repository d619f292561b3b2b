/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parse: what stands between clauses: C, configuration, declarations of maps, macros, subprograms, imports. */
#include <string.h>

#include "base/util.h"
#include "lang/literal.h"
#include "lang/parse.h"

/* ---- C ---- */

static void c_text_add(struct parser *p, uint32_t begin, bool is_directive)
{
	struct c_text c = { .span = lex_span(&p->lx, begin, p->lx.pos), .is_directive = is_directive };

	c.text = arena_strndup(p->arena, p->lx.text + begin, p->lx.pos - begin);
	vec_push(p->arena, &p->script->c_texts, c);
}

/* #include ...; a backslash continues the line. */
static void directive_read(struct parser *p)
{
	struct lexer *lx = &p->lx;
	uint32_t begin = lx->pos;

	for (; lx->pos < lx->len && lx->text[lx->pos] != '\n'; lx->pos++) {
		if (lx->text[lx->pos] == '\\' && lex_at(lx, 1) == '\n')
			lx->pos++;
		else if (lx->text[lx->pos] == '\\' && lex_at(lx, 1) == '\r' && lex_at(lx, 2) == '\n')
			lx->pos += 2;
	}
	c_text_add(p, begin, true);
}

/* Does __attribute__ or a ';' end what a '}' has closed? */
static bool c_goes_on(const struct lexer *lx)
{
	struct lexer ahead = *lx;
	struct token t;

	ahead.quiet = true;
	lex_next(&ahead, &t);
	return t.kind == TOK_SEMI || token_is(&t, "__attribute__");
}

/* To the end of a declaration: its ';', or for a struct without one, its '}'. */
static bool c_decl_scan(struct lexer *lx, bool is_typedef)
{
	uint32_t depth = 0;

	while (lex_skip_blank(lx), lx->pos < lx->len) {
		char c = lx->text[lx->pos];
		struct token t;

		if (c == '"') {
			literal_string(lx, &t);
			continue;
		}
		lx->pos++;
		if (c == '{' || c == '(')
			depth++;
		else if ((c == '}' || c == ')') && depth)
			depth--;
		if (c == ';' && !depth)
			return true;
		if (c == '}' && !depth && !is_typedef && !c_goes_on(lx))
			return true;
	}
	return false;
}

static bool c_decl_read(struct parser *p, const char *word)
{
	uint32_t begin = p->lx.pos, word_end = begin + (uint32_t)strlen(word);

	if (c_decl_scan(&p->lx, !strcmp(word, "typedef"))) {
		c_text_add(p, begin, false);
		return true;
	}
	parse_error(p, lex_span(&p->lx, begin, word_end), "this %s is never closed", word);
	parse_hint(p, "declarations end with '}' or ';'");
	return true;
}

/* ---- configuration ---- */

static bool config_value_read(struct parser *p, struct config_entry *entry)
{
	static const enum expr_kind kinds[TOK_NTOKS] = { [TOK_INT] = EX_INT, [TOK_STR] = EX_STR,
							 [TOK_IDENT] = EX_IDENT };
	struct expr *e = parse_expr_new(p, kinds[p->tok.kind], p->tok.span);

	switch (p->tok.kind) {
	case TOK_STR:
		e->str = p->tok.text;
		e->str_len = p->tok.len;
		break;
	case TOK_INT:
		e->num = p->tok.num;
		break;
	case TOK_IDENT:
		e->name = p->tok.text;
		if (parse_is(p, "true") || parse_is(p, "false")) {
			e->kind = EX_BOOL;
			e->num = parse_is(p, "true");
		}
		break;
	default:
		return parse_expected(p, arena_printf(p->arena, "a value for '%s': a number, a word or a string",
						      entry->name));
	}
	entry->value = e;
	parse_next(p);
	return true;
}

static bool config_entry_read(struct parser *p)
{
	struct config_entry entry = { .span = p->tok.span, .name = p->tok.text };

	if (p->tok.kind != TOK_IDENT)
		return parse_expected(p, "the name of a setting");
	parse_next(p);
	if (!parse_expect(p, TOK_ASSIGN, "after the name of the setting") || !config_value_read(p, &entry))
		return false;
	entry.span = parse_span(p, entry.span.begin);
	vec_push(p->arena, &p->script->configs, entry);
	if (p->tok.kind == TOK_SEMI || p->tok.kind == TOK_RBRACE || p->tok.kind == TOK_EOF || p->tok.newline)
		return true;
	return parse_expected(p, "';' after the setting");
}

static void config_entry_skip(struct parser *p)
{
	while (p->tok.kind != TOK_SEMI && p->tok.kind != TOK_RBRACE && p->tok.kind != TOK_EOF) {
		parse_next(p);
		if (p->tok.newline && p->tok.kind == TOK_IDENT)
			return;
	}
}

/* At config. */
static bool config_read(struct parser *p)
{
	struct span word = p->tok.span, open;

	parse_next(p);
	parse_next(p); /* = */
	open = p->tok.span;
	if (p->tok.kind != TOK_LBRACE)
		return parse_expected(p, "'{' to begin the configuration");
	if (p->script->clauses.n) {
		parse_error(p, word, "the configuration must stand before the first probe");
		return false;
	}
	parse_next(p);
	while (p->tok.kind != TOK_RBRACE && p->tok.kind != TOK_EOF) {
		if (parse_take(p, TOK_SEMI))
			continue;
		p->piece_begin = p->tok.span.begin;
		if (parse_at_probe(p)) {
			parse_error(p, open, "this '{' is never closed");
			p->unwind = true;
			return true;
		}
		if (!config_entry_read(p))
			config_entry_skip(p);
	}
	parse_at_close(p, TOK_RBRACE, open, "to close the configuration");
	return true;
}

/* ---- let, import ---- */

/* The ';' that ends a declaration stays in hand, for what follows it may be a probe. */
static bool decl_end(struct parser *p, const char *why)
{
	return p->tok.kind == TOK_SEMI || parse_expected(p, arena_printf(p->arena, "';' to end %s", why));
}

/* let @a = hash(100); */
static bool map_decl_read(struct parser *p)
{
	struct map_decl d = { .span = p->tok.span };
	struct span open;

	parse_next(p);
	if (p->tok.kind == TOK_VAR) {
		parse_error(p, p->tok.span, "variables belong to an action; only maps are declared outside");
		return false;
	}
	if (p->tok.kind != TOK_MAP)
		return parse_expected(p, "the name of a map to declare");
	d.name = p->tok.text;
	parse_next(p);
	if (!parse_expect(p, TOK_ASSIGN, "and the kind of the map"))
		return false;
	if (p->tok.kind != TOK_IDENT)
		return parse_expected(p, "the kind of the map");
	d.kind = p->tok.text;
	parse_next(p);
	open = p->tok.span;
	if (!parse_expect(p, TOK_LPAREN, "and the number of entries of the map"))
		return false;
	d.max_entries = parse_expr(p);
	if (!d.max_entries || !parse_close(p, TOK_RPAREN, open, "to close the declaration"))
		return false;
	d.span = parse_span(p, d.span.begin);
	if (parse_too_high(p, d.max_entries, NULL))
		return false;
	vec_push(p->arena, &p->script->map_decls, d);
	return decl_end(p, "the declaration");
}

bool parse_import(struct parser *p)
{
	struct import i = { .span = p->tok.span };

	parse_next(p);
	if (p->tok.kind != TOK_STR)
		return parse_expected(p, "the path to import as a string");
	if (!p->tok.len || strlen(p->tok.text) != p->tok.len) {
		parse_error(p, p->tok.span, "this is not the name of a file");
		return false;
	}
	i.path = p->tok.text;
	parse_next(p);
	i.span = parse_span(p, i.span.begin);
	vec_push(p->arena, &p->script->imports, i);
	return true;
}

/* import "x.bt"; */
static bool import_read(struct parser *p)
{
	return parse_import(p) && decl_end(p, "the import");
}

/* ---- macros and subprograms ---- */

static bool macro_param_read(struct parser *p, struct param *out)
{
	if (p->tok.kind != TOK_VAR && p->tok.kind != TOK_MAP && p->tok.kind != TOK_IDENT)
		return parse_expected(p, "a parameter: $variable, @map or expression");
	*out = (struct param){ .span = p->tok.span, .name = p->tok.text };
	parse_next(p);
	return true;
}

static bool subprog_param_read(struct parser *p, struct param *out)
{
	if (p->tok.kind != TOK_VAR)
		return parse_expected(p, "a parameter: $name : type");
	*out = (struct param){ .span = p->tok.span, .name = p->tok.text };
	parse_next(p);
	if (!parse_expect(p, TOK_COLON, "and the type of the parameter"))
		return false;
	out->tref = parse_type(p);
	out->span = parse_span(p, out->span.begin);
	return out->tref;
}

/* (a, b), each read by `read`, handed to `add`. */
static bool params_read(struct parser *p, bool (*read)(struct parser *, struct param *),
			void (*add)(struct parser *, void *, const struct param *), void *to)
{
	struct span open = p->tok.span;

	if (!parse_expect(p, TOK_LPAREN, "to begin the parameters"))
		return false;
	while (p->tok.kind != TOK_RPAREN) {
		struct param one;

		if (!read(p, &one))
			return false;
		add(p, to, &one);
		if (!parse_take(p, TOK_COMMA))
			break;
	}
	return parse_close(p, TOK_RPAREN, open, "to close the parameters");
}

static void macro_param_add(struct parser *p, void *to, const struct param *one)
{
	vec_push(p->arena, &((struct macro *)to)->params, *one);
}

static void subprog_param_add(struct parser *p, void *to, const struct param *one)
{
	vec_push(p->arena, &((struct subprog *)to)->params, *one);
}

/* At macro. */
static bool macro_read(struct parser *p)
{
	struct macro *m = arena_new_of(p->arena, struct macro);
	uint32_t begin = p->tok.span.begin;

	parse_next(p);
	m->name = p->tok.text;
	m->name_span = p->tok.span;
	if (p->tok.kind != TOK_IDENT)
		return parse_expected(p, "the name of the macro");
	parse_next(p);
	if (!params_read(p, macro_param_read, macro_param_add, m))
		return false;
	m->body = parse_block(p, "the macro");
	if (!m->body)
		return false;
	m->span = parse_span(p, begin);
	if (!parse_too_high(p, m->body, NULL))
		vec_push(p->arena, &p->script->macros, m);
	return true;
}

/* At fn. */
static bool subprog_read(struct parser *p)
{
	struct subprog *s = arena_new_of(p->arena, struct subprog);
	uint32_t begin = p->tok.span.begin;
	struct expr *block;

	parse_next(p);
	s->name = p->tok.text;
	s->name_span = p->tok.span;
	if (p->tok.kind != TOK_IDENT)
		return parse_expected(p, "the name of the function");
	parse_next(p);
	if (!params_read(p, subprog_param_read, subprog_param_add, s) ||
	    !parse_expect(p, TOK_COLON, "and the type the function returns"))
		return false;
	s->ret = parse_type(p);
	block = s->ret ? parse_block(p, "the function") : NULL;
	if (!block)
		return false;
	s->body = parse_block_stmts(p, block);
	s->span = parse_span(p, begin);
	if (!parse_too_high(p, NULL, &s->body))
		vec_push(p->arena, &p->script->subprogs, s);
	return true;
}

/* ---- which ---- */

static const struct {
	const char *word;
	enum tok next; /* what makes it a declaration and not the beginning of a probe */
	bool (*read)(struct parser *p);
} decls[] = {
	{ "config", TOK_ASSIGN, config_read }, { "let", TOK_EOF, map_decl_read },
	{ "import", TOK_EOF, import_read }, { "macro", TOK_EOF, macro_read }, { "fn", TOK_EOF, subprog_read },
};
static const char *const c_decls[] = { "struct", "union", "enum", "typedef" };

/* Read one that begins with a word, as tokens; what cannot be read is skipped. */
static void decl_read(struct parser *p, bool (*read)(struct parser *p))
{
	uint32_t begin = p->lx.pos;

	parse_begin(p);
	if (!read(p))
		parse_skip_piece(p, begin);
	parse_unwind_end(p);
}

bool parse_decl(struct parser *p)
{
	struct lexer ahead = p->lx;
	struct token word, next;

	if (lex_at(&p->lx, 0) == '#') {
		directive_read(p);
		return true;
	}
	if (!is_word_start(lex_at(&p->lx, 0)))
		return false;
	ahead.quiet = true;
	lex_next(&ahead, &word);
	lex_next(&ahead, &next);
	/* let:... would be a probe. */
	if (next.kind == TOK_COLON)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(c_decls); i++)
		if (token_is(&word, c_decls[i]))
			return c_decl_read(p, c_decls[i]);
	for (size_t i = 0; i < ARRAY_SIZE(decls); i++) {
		if (!token_is(&word, decls[i].word) || (decls[i].next && decls[i].next != next.kind))
			continue;
		decl_read(p, decls[i].read);
		return true;
	}
	return false;
}
