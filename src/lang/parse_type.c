/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parse: types as written, and the guess whether a parenthesis holds one. */
#include <string.h>

#include "base/util.h"
#include "lang/parse.h"

/* Words of which C makes types of several: unsigned long long. */
static const char *const c_words[] = { "char", "double", "float", "int", "long", "short", "signed", "unsigned" };
static const char *const type_words[] = {
	"bool", "buffer", "inet", "int16", "int32", "int64", "int8", "s16", "s32", "s64", "s8", "string",
	"timestamp", "u16", "u32", "u64", "u8", "uint16", "uint32", "uint64", "uint8", "void",
	"__be16", "__be32", "__be64", "__le16", "__le32", "__le64", "__s16", "__s32", "__s64", "__s8",
	"__u16", "__u32", "__u64", "__u8",
};
static const char *const qualifiers[] = { "const", "volatile" };

static const struct {
	const char *word;
	int kind;
} tags[] = { { "struct", TREF_STRUCT }, { "union", TREF_UNION }, { "enum", TREF_ENUM } };

static bool is_one_of(const struct token *t, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (token_is(t, words[i]))
			return true;
	return false;
}

static bool is_c_word(const struct token *t)
{
	return is_one_of(t, c_words, ARRAY_SIZE(c_words));
}

static bool is_qualifier(const struct token *t)
{
	return is_one_of(t, qualifiers, ARRAY_SIZE(qualifiers));
}

static bool is_tag(const struct token *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		if (token_is(t, tags[i].word))
			return true;
	return false;
}

/* Names that are types wherever they stand. */
static bool is_type_word(const struct token *t)
{
	if (t->kind != TOK_IDENT)
		return false;
	return is_c_word(t) || is_one_of(t, type_words, ARRAY_SIZE(type_words)) ||
	       (t->len > 2 && !strcmp(t->text + t->len - 2, "_t"));
}

/* Can this begin an operand and nothing else? `(a[4]) - 1` is a difference. */
static bool begins_operand_only(const struct token *t)
{
	switch (t->kind) {
	case TOK_INT: case TOK_STR: case TOK_IDENT: case TOK_VAR: case TOK_MAP: case TOK_PARAM:
	case TOK_PARAM_COUNT: case TOK_LPAREN: case TOK_BANG: case TOK_TILDE:
		return true;
	default:
		return false;
	}
}

/* Skips [4] and []; false when the brackets hold something else. */
static bool dims_skip(struct lexer *lx, struct token *t, bool *any)
{
	while (t->kind == TOK_LBRACKET) {
		*any = true;
		lex_next(lx, t);
		if (t->kind == TOK_INT)
			lex_next(lx, t);
		if (t->kind != TOK_RBRACKET)
			return false;
		lex_next(lx, t);
	}
	return true;
}

/* With the first token behind the parenthesis in *t. */
static bool type_ahead(struct lexer *lx, struct token *t, enum tok end, bool operand)
{
	bool sure = is_type_word(t), stars = false, dims = false;

	if (t->kind != TOK_IDENT || is_keyword(t->text))
		return token_is(t, "typeof");
	if (is_tag(t) || is_qualifier(t))
		return true;
	do
		lex_next(lx, t);
	while (is_c_word(t));
	while (t->kind == TOK_STAR || t->kind == TOK_LBRACKET || is_qualifier(t)) {
		if (t->kind == TOK_LBRACKET) {
			if (!dims_skip(lx, t, &dims))
				return false;
			continue;
		}
		stars = true;
		lex_next(lx, t);
	}
	if (t->kind != end)
		return false;
	if (sure || stars)
		return true;
	/* An unknown name: only `(name[4])x` is clear enough. */
	if (!dims || !operand)
		return false;
	lex_next(lx, t);
	return begins_operand_only(t);
}

bool parse_looks_like_type(struct parser *p, enum tok end, bool operand)
{
	struct lexer ahead = p->lx;
	struct token t;

	/* What cannot be read will be reported when it is read for good. */
	ahead.quiet = true;
	lex_next(&ahead, &t);
	return type_ahead(&ahead, &t, end, operand);
}

/* typeof(type or expression) */
static bool typeof_read(struct parser *p, struct type_ref *r)
{
	struct span open;
	bool is_type;

	r->kind = TREF_TYPEOF;
	parse_next(p);
	if (p->tok.kind != TOK_LPAREN)
		return parse_expected(p, "'(' after typeof");
	open = p->tok.span;
	is_type = parse_looks_like_type(p, TOK_RPAREN, false);
	parse_next(p);
	if (is_type)
		r->of_type = parse_type(p);
	else
		r->of = parse_expr(p);
	return (r->of_type || r->of) && parse_close(p, TOK_RPAREN, open, "to close typeof");
}

static bool tag_read(struct parser *p, struct type_ref *r)
{
	const char *word = p->tok.text;

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		if (!strcmp(word, tags[i].word))
			r->kind = tags[i].kind;
	parse_next(p);
	if (p->tok.kind != TOK_IDENT)
		return parse_expected(p, arena_printf(p->arena, "a name after '%s'", word));
	r->name = p->tok.text;
	parse_next(p);
	return true;
}

static void qualifiers_skip(struct parser *p)
{
	while (is_qualifier(&p->tok))
		parse_next(p);
}

static bool base_read(struct parser *p, struct type_ref *r)
{
	qualifiers_skip(p);
	if (is_tag(&p->tok))
		return tag_read(p, r);
	if (parse_is(p, "typeof"))
		return typeof_read(p, r);
	if (p->tok.kind != TOK_IDENT || is_keyword(p->tok.text))
		return parse_expected(p, "a type");
	r->kind = TREF_NAME;
	r->name = p->tok.text;
	while (is_c_word(&p->tok)) {
		parse_next(p);
		if (!is_c_word(&p->tok))
			return true;
		/* Hostile text might go on for ever; no type of C has more words. */
		if (strlen(r->name) > 64)
			return parse_expected(p, "the end of the type");
		r->name = arena_printf(p->arena, "%s %s", r->name, p->tok.text);
	}
	parse_next(p);
	return true;
}

static void stars_read(struct parser *p, struct type_ref *r)
{
	qualifiers_skip(p);
	while (parse_take(p, TOK_STAR)) {
		r->pointers++;
		qualifiers_skip(p);
	}
}

static bool dims_read(struct parser *p, struct type_ref *r)
{
	while (p->tok.kind == TOK_LBRACKET) {
		struct span open = p->tok.span;
		int64_t dim = -1;

		parse_next(p);
		if (p->tok.kind == TOK_INT) {
			if (p->tok.num > INT32_MAX)
				return parse_error(p, p->tok.span, "an array cannot be that long");
			dim = (int64_t)p->tok.num;
			parse_next(p);
		}
		if (!parse_close(p, TOK_RBRACKET, open, "to close the dimension of the array"))
			return false;
		vec_push(p->arena, &r->dims, dim);
	}
	return true;
}

/* uint8[4] *: a pointer to what has been read so far. Written out it is typeof(uint8[4]) *. */
static struct type_ref *pointer_to(struct parser *p, struct type_ref *of)
{
	struct type_ref *r = arena_new_of(p->arena, struct type_ref);

	r->kind = TREF_TYPEOF;
	r->of_type = of;
	return r;
}

static struct type_ref *type_read(struct parser *p)
{
	struct type_ref *r = arena_new_of(p->arena, struct type_ref);
	uint32_t begin = p->tok.span.begin, rounds = 0;

	if (!base_read(p, r))
		return NULL;
	stars_read(p, r);
	if (!dims_read(p, r))
		return NULL;
	r->span = parse_span(p, begin);
	while (p->tok.kind == TOK_STAR) {
		if (p->depth + rounds++ >= NESTING_MOST)
			return parse_expected(p, "the end of the type");
		r = pointer_to(p, r);
		stars_read(p, r);
		if (!dims_read(p, r))
			return NULL;
		r->span = parse_span(p, begin);
	}
	return r;
}

struct type_ref *parse_type(struct parser *p)
{
	struct type_ref *r;

	if (!parse_enter(p))
		return NULL;
	r = type_read(p);
	parse_leave(p);
	return r;
}
