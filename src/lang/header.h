/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Header: what the machine's own C headers say, for names that neither the script, nor sonde, nor the kernel's
 * types know. They are read when such a name turns up and not before. They are written for real compilers:
 * whatever cannot be understood in them is passed over in silence.
 */
#ifndef SONDE_LANG_HEADER_H
#define SONDE_LANG_HEADER_H

#include "base/strbuf.h"
#include "lang/cdecl.h"

struct header_define {
	const char *params; /* "a,b"; NULL: it is used without parentheses */
	const char *body;
	bool busy;          /* being put in: not again within itself */
	bool tried;         /* as a macro of the script's language; what came of it: */
	const struct macro *macro;
};

struct header_decl {
	const char *text;
	bool read;
};

struct headers {
	struct checker *c;
	VEC(const char *) names; /* as the script includes them */
	bool loaded;
	struct strmap defines;   /* of struct header_define */
	struct strmap decls;     /* of struct header_decl, by "struct x", a typedef's name or an enumerator */
	struct strmap seen;      /* files, by path */
	struct strbuf flat;      /* what is left of the files without directives; while reading */
	uint32_t nfiles, depth;
	size_t bytes;
	uint64_t deadline_ns;
};

/* #include <name> has been met. */
void header_note(struct checker *c, const char *name);
/* The constant of this name; NULL: the headers have none. It is one of the script's constants then. */
const struct c_const *header_constant(struct checker *c, const char *name);
/* Is it a #define of theirs? */
bool header_defines(struct checker *c, const char *name);
/* The type of this name ("struct x", or that of a typedef); NULL: there is none. */
const struct type *header_type(struct checker *c, const char *name);

/* One of their #defines, where the script itself uses it: it is put in place of `e`, a call or a name, and 1 returned.
 * 0: they have none of that name. Else a negative errno after a diagnostic. */
int header_macro(struct checker *c, struct expr *e);
/* What they have been told to say of it, with everything read; NULL: nothing. */
struct headers *headers_loaded(struct checker *c);

/* ---- header_text.c: from text to text ---- */
/* Comments become blanks, lines that are continued one. malloc()ed; NULL without memory. */
char *header_clean(const char *text, size_t len);
/* `text` with all #defines put in. Bounded in length. */
void header_expand(struct headers *h, const char *text, size_t len, struct strbuf *out);
/* How many parameters it has. */
uint32_t header_nparams(const struct header_define *d);
/* #define NAME[(params)] body: what stands behind the word. */
void header_define(struct headers *h, const char *text, size_t len);

/* ---- header_decl.c ---- */
/* Take down which names are declared where in the text. */
void header_decls_index(struct headers *h, const char *text);

#endif
