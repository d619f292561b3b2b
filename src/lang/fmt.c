/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fmt: from one token to the next: what stands between them in the canonical layout. Comments lie in the
 * gaps between tokens and are put out from there.
 *
 *   probe:one,
 *   probe:two
 *   /predicate/ {
 *           statement;              // tabs; a statement per line
 *   }
 *
 * Line breaks within a statement, and single empty lines, are the author's.
 */
#include "lang/fmt.h"

#include <strings.h>

#include "base/util.h"
#include "lang/token.h"

enum brace { BRACE_STMTS, BRACE_VALUE, BRACE_INLINE };

struct fmt {
	const struct script *script;
	const char *text;
	uint8_t *marks;
	struct strbuf *out;
	struct lexer lx;
	struct token tok, prev; /* in hand; put out last (TOK_EOF: nothing yet in this piece) */
	bool prev_is_operand;   /* what has been put out last can stand before a binary operator */
	uint32_t done;          /* everything before this offset has been put out */
	uint32_t parens;
	bool in_stmt;           /* a statement has been begun: further lines of it are indented */
	uint32_t lines;         /* line ends that are due before the next text: 0, 1 or 2 */
	bool blank_allowed;     /* an empty line of the author's may stay here */
	bool line_open;         /* the present line has text already */
	VEC(enum brace) braces;
	uint32_t next_c_text, next_clause;
};

/* ---- text and lines ---- */

static void lines_due(struct fmt *f, uint32_t n)
{
	if (f->lines < n && (f->line_open || f->out->len))
		f->lines = n;
}

/* Put out text; what is due comes before it, or else, within a line, `space`. */
static void put(struct fmt *f, const char *s, size_t len, uint32_t indent, bool space)
{
	if (f->lines) {
		strbuf_fill(f->out, '\n', f->lines);
		f->line_open = false;
	}
	if (!f->line_open)
		strbuf_fill(f->out, '\t', indent);
	else if (space)
		strbuf_addch(f->out, ' ');
	strbuf_add(f->out, s, len);
	f->lines = 0;
	f->line_open = true;
}

static uint32_t level(const struct fmt *f)
{
	uint32_t n = 0;

	vec_each(b, &f->braces)
		n += *b != BRACE_INLINE;
	return n;
}

static uint32_t indent_now(const struct fmt *f)
{
	return level(f) + (f->in_stmt || f->parens);
}

/* ---- comments ---- */

/* How many line ends there are in [from, to), at most 2. */
static uint32_t newlines_in(const struct fmt *f, uint32_t from, uint32_t to)
{
	uint32_t n = 0;

	for (uint32_t i = from; i < to && n < 2; i++)
		n += f->text[i] == '\n';
	return n;
}

static uint32_t comment_end(const struct fmt *f, uint32_t at)
{
	const char *s = f->text + at, *end;

	if (s[1] == '/')
		return at + (uint32_t)strcspn(s, "\n");
	end = strstr(s + 2, "*/");
	return end ? at + (uint32_t)(end + 2 - s) : f->lx.len;
}

static void comment_put(struct fmt *f, uint32_t begin, uint32_t end)
{
	bool is_line = f->text[begin + 1] == '/';

	while (end > begin && (f->text[end - 1] == ' ' || f->text[end - 1] == '\t' || f->text[end - 1] == '\r'))
		end--;
	put(f, f->text + begin, end - begin, indent_now(f), true);
	if (is_line)
		lines_due(f, 1);
	f->blank_allowed = true;
}

/* What the author had between two things on lines of their own: how many line ends stay. */
static void author_lines(struct fmt *f, uint32_t newlines)
{
	if (newlines)
		lines_due(f, newlines > 1 && f->blank_allowed ? 2 : 1);
}

/*
 * Put out the comments between `done` and `to`. Returns the line ends after the last of them; *any says
 * whether there were comments. A comment that follows something on its line stays there, whatever is due.
 */
static uint32_t gap_put(struct fmt *f, uint32_t to, bool *any)
{
	uint32_t at = f->done, newlines = 0;

	*any = false;
	while (at < to) {
		if (f->text[at] != '/') {
			newlines += f->text[at++] == '\n';
			continue;
		}
		uint32_t end = comment_end(f, at), due = f->lines;

		if (newlines)
			author_lines(f, newlines);
		else if (!*any)
			f->lines = 0;
		comment_put(f, at, end);
		if (due && !newlines)
			lines_due(f, due);
		*any = true;
		newlines = 0;
		at = end;
	}
	f->done = to;
	return newlines;
}

/* ---- what stands between two tokens of a statement ---- */

static struct token peek(const struct fmt *f)
{
	struct lexer ahead = f->lx;
	struct token t;

	ahead.quiet = true;
	lex_next(&ahead, &t);
	return t;
}

static bool next_is(const struct fmt *f, const char *word)
{
	struct token t = peek(f);

	return token_is(&t, word);
}

static bool is_keyword_before_paren(const struct token *t)
{
	static const char *const words[] = { "if", "while", "for", "unroll", "return", "else", "comptime" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (token_is(t, words[i]))
			return true;
	return false;
}

static bool is_operand_end(const struct token *t)
{
	switch (t->kind) {
	case TOK_INT: case TOK_STR: case TOK_VAR: case TOK_MAP: case TOK_PARAM: case TOK_PARAM_COUNT:
	case TOK_RPAREN: case TOK_RBRACKET: case TOK_RBRACE:
		return true;
	case TOK_IDENT:
		return !is_keyword_before_paren(t);
	default:
		return false;
	}
}

static bool glues(const struct token *prev, const struct token *cur)
{
	/* - -x must not become --x, nor & &x &&x. */
	return (prev->kind == TOK_MINUS && (cur->kind == TOK_MINUS || cur->kind == TOK_DEC)) ||
	       (prev->kind == TOK_PLUS && (cur->kind == TOK_PLUS || cur->kind == TOK_INC)) ||
	       (prev->kind == TOK_AMP && cur->kind == TOK_AMP);
}

static bool is_step(const struct token *t)
{
	return t->kind == TOK_INC || t->kind == TOK_DEC;
}

static bool marked(const struct fmt *f, uint32_t at, uint8_t bit)
{
	return f->marks[at] & bit;
}

/* A blank behind prev? */
static bool space_behind(const struct fmt *f)
{
	const struct token *prev = &f->prev, *cur = &f->tok;

	switch (prev->kind) {
	case TOK_LPAREN: case TOK_LBRACKET: case TOK_DOT: case TOK_ARROW: case TOK_DOTDOT: case TOK_BANG: case TOK_TILDE:
		return false;
	case TOK_STAR:
		if (marked(f, prev->span.begin, MARK_TYPE))
			return cur->kind == TOK_ASSIGN;
		break;
	case TOK_PLUS:
		if (!f->prev_is_operand)
			return glues(prev, cur);
		break;
	default:
		break;
	}
	if (marked(f, cur->span.begin, MARK_OPERAND))
		return glues(prev, cur);
	return true;
}

/* A blank before cur, which follows prev in one statement? */
static bool space_before(const struct fmt *f)
{
	const struct token *prev = &f->prev, *cur = &f->tok;

	switch (cur->kind) {
	case TOK_SEMI: case TOK_COMMA: case TOK_RPAREN: case TOK_RBRACKET: case TOK_DOT: case TOK_ARROW: case TOK_DOTDOT:
		return false;
	case TOK_LBRACKET:
		return !is_operand_end(prev) && !(prev->kind == TOK_STAR && marked(f, prev->span.begin, MARK_TYPE)) &&
		       space_behind(f);
	case TOK_LPAREN:
		if (prev->kind == TOK_IDENT)
			return is_keyword_before_paren(prev);
		return space_behind(f);
	case TOK_COLON:
		return !marked(f, prev->span.end, MARK_DECLARED);
	case TOK_STAR:
		if (marked(f, cur->span.begin, MARK_TYPE))
			return prev->kind != TOK_STAR && prev->kind != TOK_LPAREN;
		return space_behind(f);
	default:
		if (is_step(cur) && is_operand_end(prev) && !marked(f, peek(f).span.begin, MARK_OPERAND))
			return false;
		return space_behind(f);
	}
}

/* ---- braces ---- */

/* Does the block that begins with the '{' in hand stand on one line, without a ';' or a comment? */
static bool block_is_short(struct fmt *f)
{
	struct lexer ahead = f->lx;
	uint32_t depth = 1;
	struct token t = { .kind = TOK_LBRACE };

	ahead.quiet = true;
	while (depth && t.kind != TOK_EOF) {
		uint32_t before = ahead.pos;

		lex_next(&ahead, &t);
		depth += t.kind == TOK_LBRACE;
		depth -= t.kind == TOK_RBRACE;
		if (t.newline || t.kind == TOK_SEMI || memchr(f->text + before, '/', t.span.begin - before))
			return false;
		/* A ';' will be put there. */
		if (depth && marked(f, t.span.end, MARK_STMT_END))
			return false;
	}
	return !depth;
}

static enum brace brace_kind(struct fmt *f)
{
	if (!marked(f, f->tok.span.begin, MARK_VALUE_BLOCK))
		return BRACE_STMTS;
	return block_is_short(f) ? BRACE_INLINE : BRACE_VALUE;
}

/* { } stays together, also when it was { ; }, but not around a comment. */
static bool block_is_empty(const struct fmt *f)
{
	struct lexer ahead = f->lx;
	struct token t;

	ahead.quiet = true;
	do
		lex_next(&ahead, &t);
	while (t.kind == TOK_SEMI);
	return t.kind == TOK_RBRACE && !memchr(f->text + f->lx.pos, '/', t.span.begin - f->lx.pos);
}

static void stmt_ends(struct fmt *f, bool blank)
{
	f->in_stmt = false;
	f->blank_allowed = blank;
	lines_due(f, 1);
}

static void brace_opened(struct fmt *f)
{
	enum brace kind = block_is_empty(f) ? BRACE_INLINE : brace_kind(f);

	/* What was an empty statement block still ends its statement. */
	if (kind == BRACE_INLINE && !marked(f, f->tok.span.begin, MARK_VALUE_BLOCK))
		kind = BRACE_STMTS;
	vec_push(f->script->arena, &f->braces, kind);
	f->parens = 0;
	if (kind != BRACE_INLINE && !block_is_empty(f))
		stmt_ends(f, false);
}

/* At '}', before it is put out. */
static enum brace brace_closing(struct fmt *f)
{
	enum brace kind = f->braces.n ? f->braces.v[--f->braces.n] : BRACE_STMTS;

	f->in_stmt = kind == BRACE_INLINE;
	f->blank_allowed = false;
	if (kind != BRACE_INLINE && f->prev.kind != TOK_LBRACE)
		lines_due(f, 1);
	return kind;
}

static void brace_closed(struct fmt *f, enum brace kind)
{
	f->in_stmt = true;
	if (kind == BRACE_STMTS && !next_is(f, "else"))
		stmt_ends(f, true);
}

/* ---- tokens ---- */

static void token_next(struct fmt *f)
{
	lex_next(&f->lx, &f->tok);
}

/* Words of a probe and all tokens are put out as they are written. */
static void token_text_put(struct fmt *f, uint32_t indent, bool space)
{
	put(f, f->text + f->tok.span.begin, f->tok.span.end - f->tok.span.begin, indent, space);
	f->prev_is_operand = is_operand_end(&f->prev);
	f->prev = f->tok;
	f->done = f->tok.span.end;
}

/* Is the ';' in hand one that says nothing? */
static bool semi_is_idle(const struct fmt *f)
{
	if (f->parens)
		return false;
	return f->prev.kind == TOK_SEMI || f->prev.kind == TOK_LBRACE ||
	       (f->prev.kind == TOK_RBRACE && marked(f, f->prev.span.end, MARK_BLOCK_END));
}

static void semi_add(struct fmt *f)
{
	if (!marked(f, f->prev.span.end, MARK_STMT_END) || f->prev.kind == TOK_SEMI || peek(f).kind == TOK_SEMI)
		return;
	put(f, ";", 1, 0, false);
	f->prev.kind = TOK_SEMI;
	stmt_ends(f, true);
}

/* Does the token in hand always follow on the line of the one before? */
static bool stays_on_line(const struct fmt *f)
{
	return f->tok.kind == TOK_SEMI || f->tok.kind == TOK_COMMA || f->tok.kind == TOK_LBRACE ||
	       (f->tok.kind == TOK_IDENT && f->prev.kind == TOK_RBRACE && token_is(&f->tok, "else"));
}

/* At the beginning of a line it stands as far out as the line it belongs to. */
static bool closes_line_before(const struct token *t)
{
	return t->kind == TOK_RPAREN || t->kind == TOK_RBRACKET || t->kind == TOK_RBRACE || token_is(t, "else");
}

static void token_put(struct fmt *f)
{
	enum tok kind = f->tok.kind;
	enum brace brace = BRACE_STMTS;
	uint32_t newlines, indent;
	bool commented;

	newlines = gap_put(f, f->tok.span.begin, &commented);
	if (kind == TOK_SEMI && semi_is_idle(f)) {
		f->done = f->tok.span.end;
		return;
	}
	if (kind == TOK_RBRACE)
		brace = brace_closing(f);
	else if (newlines && (commented || f->lines || (!stays_on_line(f) && f->line_open)))
		author_lines(f, newlines);
	if (kind == TOK_RPAREN || kind == TOK_RBRACKET)
		f->parens -= f->parens > 0;
	indent = closes_line_before(&f->tok) ? level(f) + (f->parens > 0) : indent_now(f);
	f->parens += kind == TOK_LPAREN || kind == TOK_LBRACKET;
	token_text_put(f, indent, f->prev.kind != TOK_EOF && (commented || space_before(f)));
	f->in_stmt = true;
	f->blank_allowed = false;
	if (kind == TOK_LBRACE)
		brace_opened(f);
	else if (kind == TOK_RBRACE)
		brace_closed(f, brace);
	else if (kind == TOK_SEMI)
		stmt_ends(f, true);
	semi_add(f);
}

/* ---- pieces of the top level ---- */

static void piece_begin(struct fmt *f)
{
	f->braces.n = 0;
	f->parens = 0;
	f->in_stmt = false;
	f->prev = (struct token){ .kind = TOK_EOF };
	f->lx.pos = f->done;
}

static void piece_end(struct fmt *f)
{
	f->in_stmt = false;
	f->lx.pos = f->done;
	f->blank_allowed = true;
	lines_due(f, 1);
}

static void text_piece_put(struct fmt *f, uint32_t end)
{
	uint32_t begin = f->done, last = end;

	while (last > begin && strchr(" \t\r\n", f->text[last - 1]))
		last--;
	put(f, f->text + begin, last - begin, 0, false);
	f->done = end;
	piece_end(f);
}

/* Tokens up to the '}' or, with `semi`, the ';' that ends them. */
static void tokens_piece_put(struct fmt *f, bool semi)
{
	uint32_t depth = 0;

	do {
		token_next(f);
		if (f->tok.kind == TOK_EOF)
			break;
		depth += f->tok.kind == TOK_LBRACE;
		depth -= f->tok.kind == TOK_RBRACE && depth;
		token_put(f);
	} while (f->tok.kind != (semi ? TOK_SEMI : TOK_RBRACE) || depth);
	piece_end(f);
}

/* ---- clauses ---- */

static bool has_odd_text(const struct fmt *f, const struct probe_spec *s)
{
	for (uint32_t i = s->span.begin; i < s->span.end; i++)
		if (strchr("\"\\", f->text[i]) || !strncmp(f->text + i, "//", 2) || !strncmp(f->text + i, "/*", 2))
			return true;
	return false;
}

/* A probe: as written, without blanks; begin and end in the lower case of today. */
static void probe_put(struct fmt *f, const struct probe_spec *s)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	bool odd = has_odd_text(f, s);

	for (uint32_t i = s->span.begin; i < s->span.end; i++)
		if (odd || !strchr(" \t\r\n\v\f", f->text[i]))
			strbuf_addch(&text, f->text[i]);
	if (!s->name && !s->parts.n && !strcasecmp(text.s, "begin"))
		put(f, "begin", 5, 0, true);
	else if (!s->name && !s->parts.n && !strcasecmp(text.s, "end"))
		put(f, "end", 3, 0, true);
	else
		put(f, text.s, text.len, 0, true);
	f->done = s->span.end;
}

/* The comments before the next thing, which begins at `to`. */
static void header_gap_put(struct fmt *f, uint32_t to)
{
	bool any;

	if (gap_put(f, to, &any) && any)
		lines_due(f, 1);
}

/* The comma behind a probe; the last one may have one, too. */
static void probe_comma_put(struct fmt *f, bool last)
{
	f->lx.pos = f->done;
	lex_skip_blank(&f->lx);
	if (last && lex_at(&f->lx, 0) != ',')
		return;
	header_gap_put(f, f->lx.pos);
	put(f, ",", 1, 0, false);
	f->done = f->lx.pos + 1;
	if (!last)
		lines_due(f, 1);
}

static void probes_put(struct fmt *f, const struct clause *c)
{
	for (uint32_t i = 0; i < c->probes.n; i++) {
		header_gap_put(f, c->probes.v[i]->span.begin);
		probe_put(f, c->probes.v[i]);
		probe_comma_put(f, i + 1 == c->probes.n);
	}
}

/* From its '/' to its '/'. */
static void predicate_put(struct fmt *f, const struct clause *c, uint32_t slash)
{
	if (newlines_in(f, f->done, slash) || c->probes.n > 1)
		lines_due(f, 1);
	header_gap_put(f, slash);
	put(f, "/", 1, 0, true);
	f->done = f->lx.pos = slash + 1;
	f->prev = (struct token){ .kind = TOK_LPAREN };
	f->in_stmt = true;
	for (token_next(f); f->tok.span.begin < c->pred->span.end; token_next(f)) {
		/* A '*' right behind the slash would begin a comment. */
		if (f->prev.kind == TOK_LPAREN && f->prev.span.end == 0 && f->tok.kind == TOK_STAR)
			put(f, " ", 1, 0, false);
		token_put(f);
	}
	header_gap_put(f, f->tok.span.begin);
	put(f, "/", 1, 0, false);
	f->done = f->lx.pos = f->tok.span.end;
	f->in_stmt = false;
}

static void clause_put(struct fmt *f, const struct clause *c)
{
	uint32_t slash;

	probes_put(f, c);
	f->lx.pos = f->done;
	lex_skip_blank(&f->lx);
	slash = f->lx.pos;
	f->lx.pos = f->done;
	if (c->pred)
		predicate_put(f, c, slash);
	f->prev = (struct token){ .kind = TOK_RPAREN };
	tokens_piece_put(f, false);
}

/* ---- a script ---- */

/* Pieces come in the order of the text, so each list is gone through once. */
static const struct c_text *c_text_at(struct fmt *f, uint32_t at)
{
	while (f->next_c_text < f->script->c_texts.n) {
		const struct c_text *c = &f->script->c_texts.v[f->next_c_text];

		if (c->span.file == f->lx.file && c->span.begin >= at)
			return c->span.begin == at ? c : NULL;
		f->next_c_text++;
	}
	return NULL;
}

static const struct clause *clause_at(struct fmt *f, uint32_t at)
{
	while (f->next_clause < f->script->clauses.n) {
		const struct clause *c = f->script->clauses.v[f->next_clause];

		if (c->span.file == f->lx.file && c->span.begin >= at)
			return c->span.begin == at ? c : NULL;
		f->next_clause++;
	}
	return NULL;
}

/* One piece, which begins at `done`. Returns whether it is one that empty lines stand around. */
static bool piece_put(struct fmt *f)
{
	const struct c_text *c = c_text_at(f, f->done);
	bool semi;

	piece_begin(f);
	if (c) {
		text_piece_put(f, c->span.end);
		return !c->is_directive && memchr(c->text, '\n', strlen(c->text));
	}
	if (marked(f, f->done, MARK_CLAUSE)) {
		clause_put(f, clause_at(f, f->done));
		return true;
	}
	semi = next_is(f, "let") || next_is(f, "import");
	tokens_piece_put(f, semi);
	return !semi;
}

/* Is the piece at `done` one that empty lines stand around? */
static bool piece_is_block(struct fmt *f)
{
	const struct c_text *c = c_text_at(f, f->done);

	if (c)
		return !c->is_directive && memchr(c->text, '\n', strlen(c->text));
	if (marked(f, f->done, MARK_CLAUSE))
		return true;
	f->lx.pos = f->done;
	return !next_is(f, "let") && !next_is(f, "import");
}

void script_format(const struct script *s, uint16_t file, struct strbuf *out)
{
	struct diags silent = { .arena = s->arena, .sources = s->sources };
	struct script comments = { .arena = s->arena, .sources = s->sources };
	struct fmt f = { .script = s, .out = out, .marks = fmt_marks(s, file) };
	bool before = false;

	lex_begin(&f.lx, &comments, file, &silent);
	f.lx.quiet = true;
	f.text = f.lx.text;
	if (s->shebang && !strncmp(f.text, "#!", 2))
		text_piece_put(&f, (uint32_t)strcspn(f.text, "\n"));
	for (;;) {
		uint32_t from = f.done, newlines;
		bool commented;

		f.lx.pos = f.done;
		lex_skip_blank(&f.lx);
		if (before && f.lx.pos < f.lx.len && strchr("\r\n", f.text[from + strspn(f.text + from, " \t")]))
			lines_due(&f, 2);
		newlines = gap_put(&f, f.lx.pos, &commented);
		if (f.done >= f.lx.len)
			break;
		author_lines(&f, newlines);
		if (!commented && (before || piece_is_block(&f)))
			lines_due(&f, 2);
		before = piece_put(&f);
	}
	if (f.line_open)
		strbuf_addch(out, '\n');
}
