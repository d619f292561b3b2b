/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Token: the words of a script. Tokens are made one at a time where the parser stands, because what a
 * character means depends on that: a '/' ends a predicate, divides, or belongs to the path of a probe
 * (probes and C declarations are read as plain text, not as tokens).
 */
#ifndef SONDE_LANG_TOKEN_H
#define SONDE_LANG_TOKEN_H

#include "lang/diag.h"
#include "lang/tree.h"

enum tok {
	TOK_EOF,
	TOK_INT,   /* num; text is as written */
	TOK_STR,   /* text, len: escapes resolved */
	TOK_IDENT, /* text */
	TOK_VAR,   /* text with its $ */
	TOK_MAP,   /* text with its @ */
	TOK_PARAM, /* num */
	TOK_PARAM_COUNT,
	TOK_LPAREN, TOK_RPAREN, TOK_LBRACE, TOK_RBRACE, TOK_LBRACKET, TOK_RBRACKET,
	TOK_SEMI, TOK_COMMA, TOK_COLON, TOK_QUESTION, TOK_DOT, TOK_DOTDOT, TOK_ARROW,
	TOK_PLUS, TOK_MINUS, TOK_STAR, TOK_SLASH, TOK_PERCENT, TOK_AMP, TOK_PIPE, TOK_CARET, TOK_TILDE,
	TOK_BANG, TOK_SHL, TOK_SHR, TOK_EQ, TOK_NE, TOK_LT, TOK_LE, TOK_GT, TOK_GE, TOK_LAND, TOK_LOR,
	TOK_INC, TOK_DEC,
	TOK_ASSIGN, TOK_ADD_ASSIGN, TOK_SUB_ASSIGN, TOK_MUL_ASSIGN, TOK_DIV_ASSIGN, TOK_MOD_ASSIGN,
	TOK_AND_ASSIGN, TOK_OR_ASSIGN, TOK_XOR_ASSIGN, TOK_SHL_ASSIGN, TOK_SHR_ASSIGN,
	TOK_NTOKS,
};

struct token {
	enum tok kind;
	struct span span;
	const char *text;
	uint32_t len;
	uint64_t num;
	bool newline; /* the first of its line */
};

struct lexer {
	struct arena *arena;
	struct diags *diags;
	struct script *script; /* comments are recorded here */
	const char *text;
	uint32_t len, pos;
	uint16_t file;
	bool quiet;         /* errors are not reported: text is being skipped */
	bool after_dot;     /* the last token was '.': a number is a member of a tuple */
	uint32_t bad_begin, bad_end; /* of the last thing that could not be read; what the parser finds
				      * wrong there follows from it */
};

void lex_begin(struct lexer *lx, struct script *script, uint16_t file, struct diags *d);
/* The next token; at the end TOK_EOF for ever. What is wrong is reported and skipped. */
void lex_next(struct lexer *lx, struct token *t);
/* Skip white space and comments. True when a new line began. */
bool lex_skip_blank(struct lexer *lx);
/* The byte at pos + ahead; 0 beyond the end. */
char lex_at(const struct lexer *lx, uint32_t ahead);
struct span lex_span(const struct lexer *lx, uint32_t begin, uint32_t end);
/* Report something that cannot be read; nothing when quiet. */
void lex_error(struct lexer *lx, uint32_t begin, uint32_t end, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* A hint for what lex_error() has just reported. */
void lex_hint(struct lexer *lx, const char *text);
bool is_word_start(char c);
bool is_word_char(char c);

/* ';' or '+=' for messages; NULL for tokens that have a text of their own. */
const char *tok_text(enum tok kind);
/* What a message says was found: "'}'", "the end of the script", "a string". */
const char *token_describe(struct arena *a, const struct token *t);
/* Is it this word? */
bool token_is(const struct token *t, const char *word);

#endif
