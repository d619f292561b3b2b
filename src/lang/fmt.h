/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fmt: a script in its canonical layout. Tokens are never changed, only what stands between them: so
 * what a script means stays, and so does every comment. Formatting what has been formatted changes
 * nothing.
 */
#ifndef SONDE_LANG_FMT_H
#define SONDE_LANG_FMT_H

#include "base/strbuf.h"
#include "lang/tree.h"

/* The source numbered `file` of a script that has been parsed without an error. */
void script_format(const struct script *s, uint16_t file, struct strbuf *out);

/* ---- what the tree says about places in the text: bits for each offset (fmt_marks.c) ---- */
enum fmt_mark {
	MARK_OPERAND = 1,    /* what an operator in front or a cast stands before begins here */
	MARK_VALUE_BLOCK = 2, /* this '{' begins a block that is a value */
	MARK_TYPE = 4,       /* inside a type: '*' makes a pointer */
	MARK_DECLARED = 8,   /* a declared name ends here: its ':' follows without a blank */
	MARK_STMT_END = 16,  /* a statement ends here that a ';' must follow */
	MARK_BLOCK_END = 32, /* a statement that is a block ends here: a ';' says nothing */
	MARK_CLAUSE = 64,    /* a clause begins here */
};

/* Marks for offsets 0..len of that source, in the script's arena. */
uint8_t *fmt_marks(const struct script *s, uint16_t file);

#endif
