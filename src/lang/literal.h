/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Literal: numbers and strings of the lexer. Each reads at lx->pos and always makes a token. */
#ifndef SONDE_LANG_LITERAL_H
#define SONDE_LANG_LITERAL_H

#include "lang/token.h"

/* 12, 0x1f, 017, 1e6, 1_000, 10UL, 5ms. */
void literal_number(struct lexer *lx, struct token *t);
/* "...", ending with its line at the latest. */
void literal_string(struct lexer *lx, struct token *t);
/* '...', which the language does not have: reported, then taken as a string. */
void literal_single_quoted(struct lexer *lx, struct token *t);

#endif
