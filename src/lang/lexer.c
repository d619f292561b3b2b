/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lexer: white space, comments, punctuation and names. Numbers and strings are in literal.c. */
#include <string.h>

#include "base/util.h"
#include "lang/literal.h"
#include "lang/token.h"

/* Punctuation, longest first where one begins with another. */
static const struct {
	const char *text;
	enum tok kind;
} puncts[] = {
	{ "<<=", TOK_SHL_ASSIGN }, { ">>=", TOK_SHR_ASSIGN },
	{ "->", TOK_ARROW }, { "..", TOK_DOTDOT }, { "<<", TOK_SHL }, { ">>", TOK_SHR }, { "==", TOK_EQ },
	{ "!=", TOK_NE }, { "<=", TOK_LE }, { ">=", TOK_GE }, { "&&", TOK_LAND }, { "||", TOK_LOR },
	{ "++", TOK_INC }, { "--", TOK_DEC }, { "+=", TOK_ADD_ASSIGN }, { "-=", TOK_SUB_ASSIGN },
	{ "*=", TOK_MUL_ASSIGN }, { "/=", TOK_DIV_ASSIGN }, { "%=", TOK_MOD_ASSIGN },
	{ "&=", TOK_AND_ASSIGN }, { "|=", TOK_OR_ASSIGN }, { "^=", TOK_XOR_ASSIGN },
	{ "(", TOK_LPAREN }, { ")", TOK_RPAREN }, { "{", TOK_LBRACE }, { "}", TOK_RBRACE },
	{ "[", TOK_LBRACKET }, { "]", TOK_RBRACKET }, { ";", TOK_SEMI }, { ",", TOK_COMMA },
	{ ":", TOK_COLON }, { "?", TOK_QUESTION }, { ".", TOK_DOT }, { "+", TOK_PLUS }, { "-", TOK_MINUS },
	{ "*", TOK_STAR }, { "/", TOK_SLASH }, { "%", TOK_PERCENT }, { "&", TOK_AMP }, { "|", TOK_PIPE },
	{ "^", TOK_CARET }, { "~", TOK_TILDE }, { "!", TOK_BANG }, { "<", TOK_LT }, { ">", TOK_GT },
	{ "=", TOK_ASSIGN },
};

const char *tok_text(enum tok kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(puncts); i++)
		if (puncts[i].kind == kind)
			return puncts[i].text;
	return NULL;
}

const char *token_describe(struct arena *a, const struct token *t)
{
	switch (t->kind) {
	case TOK_EOF: return "the end of the script";
	case TOK_STR: return "a string";
	case TOK_INT: return arena_printf(a, "the number %.40s", t->text);
	case TOK_PARAM_COUNT: return "'$#'";
	case TOK_PARAM: return arena_printf(a, "'$%llu'", (unsigned long long)t->num);
	case TOK_IDENT: case TOK_VAR: case TOK_MAP: return arena_printf(a, "'%.40s'", t->text);
	default: return arena_printf(a, "'%s'", tok_text(t->kind));
	}
}

bool token_is(const struct token *t, const char *word)
{
	return t->kind == TOK_IDENT && !strcmp(t->text, word);
}

bool is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_word_char(char c)
{
	return is_word_start(c) || (c >= '0' && c <= '9');
}

void lex_begin(struct lexer *lx, struct script *script, uint16_t file, struct diags *d)
{
	const struct source *src = source_of(script->sources, (struct span){ .file = file });

	*lx = (struct lexer){ .arena = script->arena, .diags = d, .script = script, .text = src->text,
			      .len = src->len, .file = file };
}

char lex_at(const struct lexer *lx, uint32_t ahead)
{
	return ahead < lx->len - lx->pos ? lx->text[lx->pos + ahead] : 0;
}

struct span lex_span(const struct lexer *lx, uint32_t begin, uint32_t end)
{
	return (struct span){ .begin = begin, .end = end, .file = lx->file };
}

void lex_error(struct lexer *lx, uint32_t begin, uint32_t end, const char *fmt, ...)
{
	va_list ap;

	lx->bad_begin = begin;
	lx->bad_end = end;
	if (lx->quiet)
		return;
	va_start(ap, fmt);
	diag_error(lx->diags, lex_span(lx, begin, end), "%s", arena_vprintf(lx->arena, fmt, ap));
	va_end(ap);
}

void lex_hint(struct lexer *lx, const char *text)
{
	if (!lx->quiet)
		diag_hint(lx->diags, "%s", text);
}

/* Text may be read twice (the parser looks ahead and goes back), a comment is recorded once. */
static void comment_record(struct lexer *lx, uint32_t begin)
{
	const struct script *s = lx->script;
	struct span span = lex_span(lx, begin, lx->pos);

	if (s->comments.n) {
		const struct span *last = &s->comments.v[s->comments.n - 1];

		if (last->file == span.file && last->begin >= span.begin)
			return;
	}
	vec_push(lx->arena, &lx->script->comments, span);
}

static void line_comment_skip(struct lexer *lx)
{
	uint32_t begin = lx->pos;

	while (lx->pos < lx->len && lx->text[lx->pos] != '\n')
		lx->pos++;
	comment_record(lx, begin);
}

/* Comments may span lines: true when this one did. */
static bool block_comment_skip(struct lexer *lx)
{
	uint32_t begin = lx->pos;
	bool newline = false;

	for (lx->pos += 2; lx->pos < lx->len; lx->pos++) {
		newline |= lx->text[lx->pos] == '\n';
		if (lx->text[lx->pos] == '*' && lex_at(lx, 1) == '/') {
			lx->pos += 2;
			comment_record(lx, begin);
			return newline;
		}
	}
	lex_error(lx, begin, begin + 2, "this comment is never closed");
	lex_hint(lx, "comments end with */");
	lx->bad_end = lx->len;
	return newline;
}

bool lex_skip_blank(struct lexer *lx)
{
	bool newline = !lx->pos;

	while (lx->pos < lx->len) {
		char c = lx->text[lx->pos];

		if (c == '/' && lex_at(lx, 1) == '/') {
			line_comment_skip(lx);
		} else if (c == '/' && lex_at(lx, 1) == '*') {
			newline |= block_comment_skip(lx);
		} else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f') {
			newline |= c == '\n';
			lx->pos++;
		} else {
			break;
		}
	}
	return newline;
}

static void word_read(struct lexer *lx, struct token *t, enum tok kind)
{
	uint32_t begin = lx->pos++;

	/* @ alone is a name; @1 is not one. */
	if (kind != TOK_MAP || is_word_start(lex_at(lx, 0)))
		while (is_word_char(lex_at(lx, 0)))
			lx->pos++;
	t->kind = kind;
	t->len = lx->pos - begin;
	t->text = arena_strndup(lx->arena, lx->text + begin, t->len);
}

/* $1 */
static void param_read(struct lexer *lx, struct token *t)
{
	uint32_t begin = lx->pos++;
	uint64_t num = 0;

	while (is_word_char(lex_at(lx, 0))) {
		char c = lex_at(lx, 0);

		num = c >= '0' && c <= '9' && num < 100000 ? num * 10 + (uint64_t)(c - '0') : UINT32_MAX;
		lx->pos++;
	}
	if (!num || num >= 100000) {
		lex_error(lx, begin, lx->pos, "'%.*s' is not a positional parameter",
			  (int)MIN(lx->pos - begin, 40u), lx->text + begin);
		lex_hint(lx, "they are $1, $2, ...; $# is their number; variables begin with a letter");
		num = 1;
	}
	t->kind = TOK_PARAM;
	t->num = num;
}

static bool dollar_read(struct lexer *lx, struct token *t)
{
	char next = lex_at(lx, 1);

	if (is_word_start(next)) {
		word_read(lx, t, TOK_VAR);
	} else if (next >= '0' && next <= '9') {
		param_read(lx, t);
	} else if (next == '#') {
		lx->pos += 2;
		t->kind = TOK_PARAM_COUNT;
	} else {
		lex_error(lx, lx->pos, lx->pos + 1, "a name or a number must follow '$'");
		lx->pos++;
		return false;
	}
	return true;
}

static bool punct_read(struct lexer *lx, struct token *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(puncts); i++) {
		size_t n = strlen(puncts[i].text);

		if (n <= lx->len - lx->pos && !memcmp(lx->text + lx->pos, puncts[i].text, n)) {
			t->kind = puncts[i].kind;
			lx->pos += (uint32_t)n;
			return true;
		}
	}
	return false;
}

/* Skip what no token begins with; a run of it is one error. */
static void garbage_skip(struct lexer *lx)
{
	uint32_t begin = lx->pos;
	unsigned char c = (unsigned char)lx->text[begin];

	if (c == '#') {
		while (lx->pos < lx->len && lx->text[lx->pos] != '\n')
			lx->pos++;
		lex_error(lx, begin, lx->pos, "a # directive cannot stand here");
		lex_hint(lx, "#include and #define stand at the top of the script");
		return;
	}
	while (lx->pos < lx->len) {
		c = (unsigned char)lx->text[lx->pos];
		/* strchr() would find the NUL too. */
		if (is_word_char((char)c) || (c && strchr(" \t\n\r\v\f$@\"'#(){}[];,:?.+-*/%&|^~!<>=", c)))
			break;
		lx->pos++;
	}
	c = (unsigned char)lx->text[begin];
	if (c > 32 && c < 127)
		lex_error(lx, begin, lx->pos, "unexpected character '%c'", c);
	else
		lex_error(lx, begin, lx->pos, "unexpected byte 0x%02x", c);
}

/* One token at pos, which is neither blank nor the end. False: it was an error, read on. */
static bool token_read(struct lexer *lx, struct token *t)
{
	char c = lx->text[lx->pos];

	if (is_word_start(c)) {
		word_read(lx, t, TOK_IDENT);
	} else if (c >= '0' && c <= '9') {
		literal_number(lx, t);
	} else if (c == '"') {
		literal_string(lx, t);
	} else if (c == '\'') {
		literal_single_quoted(lx, t);
	} else if (c == '@') {
		word_read(lx, t, TOK_MAP);
	} else if (c == '$') {
		return dollar_read(lx, t);
	} else if (!punct_read(lx, t)) {
		garbage_skip(lx);
		return false;
	}
	return true;
}

void lex_next(struct lexer *lx, struct token *t)
{
	bool newline = false;

	for (;;) {
		uint32_t begin;

		newline |= lex_skip_blank(lx);
		begin = lx->pos;
		*t = (struct token){ .kind = TOK_EOF, .newline = newline };
		if (begin >= lx->len || token_read(lx, t)) {
			t->span = lex_span(lx, begin, lx->pos);
			break;
		}
	}
	lx->after_dot = t->kind == TOK_DOT;
}
