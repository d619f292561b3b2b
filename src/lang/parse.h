/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parse: what the files of the parser share. It is a plain recursive descent with one token in hand.
 *
 * Failure is NULL (or false) and has been reported: the callers hand it up to the next statement or
 * clause, where reading goes on. What follows from an earlier error is not reported (parse_error()).
 *
 * Between declarations and clauses the text is read as characters (probes are not made of tokens): the
 * lexer then stands right behind the last thing read, and parse_begin() takes up tokens from there.
 */
#ifndef SONDE_LANG_PARSE_H
#define SONDE_LANG_PARSE_H

#include "lang/token.h"

#define NESTING_MOST 500u /* an `if` is two */

struct parser {
	struct arena *arena;
	struct script *script;
	struct diags *diags;
	struct lexer lx;
	struct token tok;    /* the one in hand */
	uint32_t prev_end;   /* where the one before ended */
	uint32_t depth;      /* of nesting */
	uint32_t open;       /* ( and [ that are not closed yet */
	uint32_t nblocks;    /* { that are not closed yet */
	bool in_predicate;   /* a '/' before '{' ends it */
	bool dead;           /* nested too deep: there is no more to read */
	bool unwind;         /* a '}' is missing: all blocks end here */
	bool end_reported;   /* that the script ends too early */
	bool reported;       /* the last parse_error() was not dropped */
	uint32_t piece_begin; /* of the statement or declaration being read */
	uint32_t clause_begin;
};

/* ---- parse.c ---- */
void parse_next(struct parser *p);
/* Take up tokens where the lexer stands. */
void parse_begin(struct parser *p);
/* The token after the one in hand. */
struct token parse_peek(struct parser *p);
bool parse_is(const struct parser *p, const char *word);
/* If the token in hand is of this kind, take it. */
bool parse_take(struct parser *p, enum tok kind);
/* Report, unless it follows from something reported before. Always returns NULL. */
void *parse_error(struct parser *p, struct span span, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A hint for what parse_error() has just reported. */
void parse_hint(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "expected X, found Y" at the token in hand (or behind the one before, when that ended its line). */
void *parse_expected(struct parser *p, const char *what);
/* Take a token of this kind, or report: "expected ')' to close the tuple, found '}'". */
bool parse_expect(struct parser *p, enum tok kind, const char *why);
/* Is it this closing token? Report otherwise; at the end of the script, at the opening one. */
bool parse_at_close(struct parser *p, enum tok kind, struct span open, const char *why);
/* The same, and take it. */
bool parse_close(struct parser *p, enum tok kind, struct span open, const char *why);
/* Up to the end of the last token. */
struct span parse_span(const struct parser *p, uint32_t begin);
/* One level deeper; false (and dead) beyond the limit. Pairs with parse_leave() when true. */
bool parse_enter(struct parser *p);
void parse_leave(struct parser *p);
bool is_keyword(const char *word);

/* ---- parse_expr.c ---- */
struct expr *parse_expr(struct parser *p);
struct expr *parse_condition(struct parser *p, const char *of);
struct expr *parse_expr_new(struct parser *p, enum expr_kind kind, struct span span);
/* if as an expression: EX_IF of EX_BLOCKs */
struct expr *parse_if(struct parser *p);

/* ---- parse_type.c ---- */
struct type_ref *parse_type(struct parser *p);
/* Do the tokens after the one in hand name a type and then `end`? `operand`: an operand follows (a cast). */
bool parse_looks_like_type(struct parser *p, enum tok end, bool operand);

/* ---- parse_stmt.c ---- */
/* { statements [value] }: an EX_BLOCK. `of` says whose it is, for messages. The outermost block leaves
 * the lexer right behind its '}'. */
struct expr *parse_block(struct parser *p, const char *of);
/* Does a probe begin at the token in hand, because the '}' before it has been forgotten? */
bool parse_at_probe(struct parser *p);
/* The statements of an EX_BLOCK, with its value as the last. */
stmt_vec parse_block_stmts(struct parser *p, const struct expr *block);

/* ---- parse_probe.c ---- */
/* One probe as plain text at the lexer. NULL after a report. */
struct probe_spec *parse_probe(struct parser *p);
/* probes [/predicate/] { ... }. False after a report; skipped then. */
bool parse_clause(struct parser *p);

/* Skip a clause or declaration, begun at `begin`, that could not be read: to the end of its action, or to
 * a ';' before one. */
void parse_skip_piece(struct parser *p, uint32_t begin);
/* After a forgotten '}': the probe in hand begins the next clause. */
void parse_unwind_end(struct parser *p);

/* ---- parse_decl.c ---- */
/* A declaration, if one begins at the lexer; false: there is none. */
bool parse_decl(struct parser *p);
/* import "x.bt", without its ';'. Also a statement: macros import what they are made of. */
bool parse_import(struct parser *p);

/* ---- parse_depth.c ---- */
/* Is the tree below too high for passes that recurse? Reports it. */
bool parse_too_high(struct parser *p, const struct expr *e, const stmt_vec *body);

#endif
