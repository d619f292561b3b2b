/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cdecl, inside: the C at the top of a script. cdecl.c reads declarations, cdecl_expr.c tokens, constant
 * expressions and directives.
 */
#ifndef SONDE_LANG_CDECL_H
#define SONDE_LANG_CDECL_H

#include "lang/check_priv.h"

enum c_tok { C_END, C_WORD, C_NUM, C_STR, C_PUNCT };

struct c_parser {
	struct checker *c;
	const char *text, *p;  /* the text and how far it is read */
	struct span span;      /* of the text in the script */
	/* the token at hand */
	enum c_tok tok;
	const char *begin;
	uint32_t len;
	uint64_t num;
	int punct;             /* C_PUNCT: the character, or two of them ('<' << 8 | '<') */
	uint32_t depth;        /* of nesting */
	bool failed;           /* a diagnostic was given: everything reads as the end */
};

void c_start(struct c_parser *p, struct checker *c, const char *text, struct span span);
/* Go to the next token. */
void c_next(struct c_parser *p);
bool c_is(const struct c_parser *p, int punct);
bool c_is_word(const struct c_parser *p, const char *word);
/* Step over the token when it is this one. */
bool c_take(struct c_parser *p, int punct);
bool c_take_word(struct c_parser *p, const char *word);
/* An error unless it is this one. */
bool c_expect(struct c_parser *p, int punct);
char *c_text(const struct c_parser *p);
/* The present token, in the source. */
struct span c_token_span(const struct c_parser *p);
/* An error at the present token. */
void c_error(struct c_parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A constant expression; *negative when it is below zero. */
bool c_constant(struct c_parser *p, int64_t *value, bool *negative);

/* A name for a constant: #define or an enumerator. */
void c_const_set(struct checker *c, const char *name, const struct c_const *k);

/* cdecl.c: a declaration, which adds to the types and constants that are known. */
void c_declaration(struct checker *c, const char *text);
/* cdecl.c: a type as in sizeof(type), without a name. NULL after a diagnostic. */
const struct type *c_type_name(struct c_parser *p);
/* Does a type begin here? */
bool c_at_type(struct c_parser *p);

/* cdecl_expr.c: the conditions that are open (#if ...): is what stands here left out? */
struct c_condition {
	bool skip, taken; /* is this part left out; was one of the parts taken */
};
struct c_conditions {
	VEC(struct c_condition) open;
};
bool c_left_out(const struct c_conditions *cond);
void c_directive(struct checker *c, struct c_conditions *cond, const struct c_text *text);

/* cdecl.c: everything that a file declares, or the script itself. */
void c_texts_read(struct checker *c, struct c_conditions *cond, struct script *from);
/* cdecl_file.c: #include, with what follows the word; and a #define that is no constant, as a macro. */
void c_include(struct c_parser *p, struct c_conditions *cond);
bool c_macro(struct checker *c, const char *name, const char *params, uint32_t params_len, const char *body);
/* The same, but the script does not get it. NULL: it is no expression of this language. */
struct macro *c_macro_read(struct checker *c, const char *name, const char *params, uint32_t params_len,
			   const char *body);

#endif
