/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cdecl: tokens of C, constant expressions, and the directives (#define, #if ...) that need them. */
#include "lang/cdecl.h"
#include "lang/header.h"
#include "lang/constant.h"

#include <ctype.h>

/* ---- tokens ---- */

static bool is_word(char ch)
{
	return isalnum((unsigned char)ch) || ch == '_';
}

static const char *skip_blank(const char *p)
{
	for (;;) {
		if (isspace((unsigned char)*p)) {
			p++;
		} else if (p[0] == '\\' && (p[1] == '\n' || p[1] == '\r')) {
			p += 2;
		} else if (p[0] == '/' && p[1] == '*') {
			const char *end = strstr(p + 2, "*/");

			p = end ? end + 2 : p + strlen(p);
		} else if (p[0] == '/' && p[1] == '/') {
			p += strcspn(p, "\n");
		} else {
			return p;
		}
	}
}

static void read_number(struct c_parser *p)
{
	char *end;

	p->tok = C_NUM;
	p->num = strtoull(p->begin, &end, 0);
	p->p = end > p->begin ? end : p->begin + 1;
	while (is_word(*p->p)) /* 1UL, 0x10ULL */
		p->p++;
}

static void read_quoted(struct c_parser *p)
{
	char quote = *p->begin;
	const char *s = p->begin + 1;

	while (*s && *s != quote)
		s += s[0] == '\\' && s[1] ? 2 : 1;
	p->p = *s ? s + 1 : s;
	if (quote == '"') {
		p->tok = C_STR;
		return;
	}
	p->tok = C_NUM;
	p->num = p->begin[1] == '\\' ? (p->begin[2] == 'n' ? '\n' : p->begin[2] == 't' ? '\t' : p->begin[2] == '0' ? 0 :
	         (unsigned char)p->begin[2]) : (unsigned char)p->begin[1];
}

static void read_punct(struct c_parser *p)
{
	static const char *const two[] = { "<<", ">>", "&&", "||", "==", "!=", "<=", ">=" };

	p->tok = C_PUNCT;
	p->punct = (unsigned char)*p->begin;
	p->p = p->begin + 1;
	for (size_t i = 0; i < ARRAY_SIZE(two); i++) {
		if (!strncmp(p->begin, two[i], 2)) {
			p->punct = two[i][0] << 8 | two[i][1];
			p->p = p->begin + 2;
		}
	}
}

void c_next(struct c_parser *p)
{
	p->p = skip_blank(p->p);
	p->begin = p->p;
	p->len = 0;
	if (!*p->p || p->failed) {
		p->tok = C_END;
		return;
	}
	if (isdigit((unsigned char)*p->p)) {
		read_number(p);
	} else if (is_word(*p->p)) {
		p->tok = C_WORD;
		while (is_word(*p->p))
			p->p++;
	} else if (*p->p == '"' || *p->p == '\'') {
		read_quoted(p);
	} else {
		read_punct(p);
	}
	p->len = (uint32_t)(p->p - p->begin);
}

void c_start(struct c_parser *p, struct checker *c, const char *text, struct span span)
{
	*p = (struct c_parser){ .c = c, .text = text, .p = text, .span = span };
	c_next(p);
}

bool c_is(const struct c_parser *p, int punct)
{
	return p->tok == C_PUNCT && p->punct == punct;
}

bool c_is_word(const struct c_parser *p, const char *word)
{
	return p->tok == C_WORD && strlen(word) == p->len && !memcmp(p->begin, word, p->len);
}

bool c_take(struct c_parser *p, int punct)
{
	if (!c_is(p, punct))
		return false;
	c_next(p);
	return true;
}

bool c_take_word(struct c_parser *p, const char *word)
{
	if (!c_is_word(p, word))
		return false;
	c_next(p);
	return true;
}

char *c_text(const struct c_parser *p)
{
	return arena_strndup(p->c->arena, p->begin, p->len);
}

/* The place of the token at hand in the script: the text stands there as it was written. */
struct span c_token_span(const struct c_parser *p)
{
	struct span s = p->span;
	uint32_t at = (uint32_t)(p->begin - p->text);

	if (s.file && s.begin + at + p->len <= s.end) {
		s.begin += at;
		s.end = s.begin + MAX(p->len, 1u);
	}
	return s;
}

void c_error(struct c_parser *p, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	if (p->failed)
		return;
	va_start(ap, fmt);
	text = arena_vprintf(p->c->arena, fmt, ap);
	va_end(ap);
	check_error(p->c, c_token_span(p), "%s", text);
	p->failed = true;
	p->tok = C_END;
}

bool c_expect(struct c_parser *p, int punct)
{
	if (c_take(p, punct))
		return true;
	c_error(p, "'%c' is expected here", punct);
	return false;
}

/* ---- constant expressions ---- */

#define MOST_DEPTH 64

static bool parse_level(struct c_parser *p, int level, int64_t *v);

static bool parse_sizeof(struct c_parser *p, int64_t *v)
{
	const struct type *t;

	if (!c_expect(p, '('))
		return false;
	t = c_type_name(p);
	*v = t ? (int64_t)t->size : 0;
	return t && c_expect(p, ')');
}

static bool is_defined(struct checker *c, const char *name)
{
	return str_eq(name, "BPFTRACE_HAVE_BTF") || strmap_get(&c->priv->c_consts, name) || header_defines(c, name);
}

/* defined(X), defined X: for #if */
static bool parse_defined(struct c_parser *p, int64_t *v)
{
	bool open = c_take(p, '(');

	if (p->tok != C_WORD) {
		c_error(p, "a name is expected here");
		return false;
	}
	*v = is_defined(p->c, c_text(p));
	c_next(p);
	return !open || c_expect(p, ')');
}

static bool parse_word(struct c_parser *p, int64_t *v)
{
	const struct c_const *k;
	char *name;

	if (c_take_word(p, "sizeof"))
		return parse_sizeof(p, v);
	if (c_take_word(p, "defined"))
		return parse_defined(p, v);
	name = c_text(p);
	k = strmap_get(&p->c->priv->c_consts, name);
	if (!k && constant_find(name, v)) {
		c_next(p);
		return true;
	}
	if (!k)
		k = header_constant(p->c, name);
	if (!k || k->str) {
		c_error(p, "'%s' is no integer constant", name);
		return false;
	}
	*v = k->num;
	c_next(p);
	return true;
}

static bool parse_operand(struct c_parser *p, int64_t *v)
{
	if (p->tok == C_NUM) {
		*v = (int64_t)p->num;
		c_next(p);
		return true;
	}
	if (p->tok == C_WORD)
		return parse_word(p, v);
	if (c_take(p, '(')) {
		if (c_at_type(p)) /* a cast: the value is what matters */
			return c_type_name(p) && c_expect(p, ')') && parse_operand(p, v);
		return parse_level(p, 0, v) && c_expect(p, ')');
	}
	c_error(p, "a constant is expected here");
	return false;
}

static bool parse_prefix(struct c_parser *p, int64_t *v)
{
	int op = p->tok == C_PUNCT ? p->punct : 0;
	bool ok;

	if (op != '-' && op != '~' && op != '!' && op != '+')
		return parse_operand(p, v);
	c_next(p);
	if (p->depth >= MOST_DEPTH) {
		c_error(p, "this is nested too deeply");
		return false;
	}
	p->depth++;
	ok = parse_prefix(p, v);
	p->depth--;
	if (op == '-')
		*v = (int64_t)(0 - (uint64_t)*v);
	else if (op == '~')
		*v = ~*v;
	else if (op == '!')
		*v = !*v;
	return ok;
}

/* Binary operators, from the loosest. */
static const int levels[][4] = {
	{ '|' << 8 | '|' }, { '&' << 8 | '&' }, { '|' }, { '^' }, { '&' },
	{ '=' << 8 | '=', '!' << 8 | '=' }, { '<', '>', '<' << 8 | '=', '>' << 8 | '=' },
	{ '<' << 8 | '<', '>' << 8 | '>' }, { '+', '-' }, { '*', '/', '%' },
};

static bool apply(struct c_parser *p, int op, int64_t *x, int64_t y)
{
	uint64_t a = (uint64_t)*x, b = (uint64_t)y;

	if ((op == '/' || op == '%') && (!y || (y == -1 && *x == INT64_MIN))) {
		c_error(p, "division by zero");
		return false;
	}
	switch (op) {
	case '|' << 8 | '|': *x = a || b; break;
	case '&' << 8 | '&': *x = a && b; break;
	case '|': *x = (int64_t)(a | b); break;
	case '^': *x = (int64_t)(a ^ b); break;
	case '&': *x = (int64_t)(a & b); break;
	case '=' << 8 | '=': *x = a == b; break;
	case '!' << 8 | '=': *x = a != b; break;
	case '<': *x = *x < y; break;
	case '>': *x = *x > y; break;
	case '<' << 8 | '=': *x = *x <= y; break;
	case '>' << 8 | '=': *x = *x >= y; break;
	case '<' << 8 | '<': *x = (int64_t)(a << (b & 63)); break;
	case '>' << 8 | '>': *x >>= b & 63; break;
	case '+': *x = (int64_t)(a + b); break;
	case '-': *x = (int64_t)(a - b); break;
	case '*': *x = (int64_t)(a * b); break;
	case '/': *x /= y; break;
	default: *x %= y; break;
	}
	return true;
}

static int level_op(const struct c_parser *p, int level)
{
	for (size_t i = 0; p->tok == C_PUNCT && i < ARRAY_SIZE(levels[0]); i++) {
		if (levels[level][i] && levels[level][i] == p->punct)
			return p->punct;
	}
	return 0;
}

static bool parse_level(struct c_parser *p, int level, int64_t *v)
{
	int64_t right;
	bool ok;
	int op;

	if (level == (int)ARRAY_SIZE(levels))
		return parse_prefix(p, v);
	if (p->depth >= MOST_DEPTH * ARRAY_SIZE(levels)) {
		c_error(p, "this is nested too deeply");
		return false;
	}
	p->depth++;
	ok = parse_level(p, level + 1, v);
	while (ok && (op = level_op(p, level))) {
		c_next(p);
		ok = parse_level(p, level + 1, &right) && apply(p, op, v, right);
	}
	p->depth--;
	return ok;
}

bool c_constant(struct c_parser *p, int64_t *value, bool *negative)
{
	bool ok = parse_level(p, 0, value);

	*negative = ok && *value < 0;
	return ok;
}

void c_const_set(struct checker *c, const char *name, const struct c_const *k)
{
	struct c_const *copy = arena_new_of(c->arena, struct c_const);

	*copy = *k;
	strmap_put(c->arena, &c->priv->c_consts, name, copy);
}

/* ---- directives ---- */

bool c_left_out(const struct c_conditions *cond)
{
	for (uint32_t i = 0; i < cond->open.n; i++) {
		if (cond->open.v[i].skip)
			return true;
	}
	return false;
}

static const struct c_const one = { .num = 1 };

/* The text of a C string literal, its escapes resolved (those that scripts use). */
static void define_string(struct checker *c, const char *name, const char *s, uint32_t len)
{
	struct c_const k = { 0 };
	char *out = arena_alloc(c->arena, (size_t)len + 1);

	for (uint32_t i = 1; i + 1 < len; i++) {
		char ch = s[i];

		if (ch == '\\' && i + 2 < len) {
			ch = s[++i];
			if (ch >= '0' && ch <= '7') {
				int v = 0;

				for (int n = 0; n < 3 && i + 1 < len && s[i] >= '0' && s[i] <= '7'; n++)
					v = v * 8 + (s[i++] - '0');
				i--;
				ch = (char)v;
			} else {
				ch = (char)(ch == 'n' ? '\n' : ch == 't' ? '\t' : ch == 'r' ? '\r' : ch == 'e' ? 27 : ch);
			}
		}
		out[k.str_len++] = ch;
	}
	k.str = out;
	c_const_set(c, name, &k);
}

static void left_out(struct c_parser *p, const char *name)
{
	diag_warn(p->c->diags, p->span, "the C macro %s is no expression of this language and is left out", name);
	diag_hint(p->c->diags, "write it as: macro %s(...) { ... }", name);
}

/* #define NAME value, and what else is an expression: that becomes a macro. */
static void define(struct c_parser *p)
{
	struct checker *c = p->c;
	struct c_const k = { 0 };
	uint32_t ndiags = c->diags->list.n, nerrors = c->diags->nerrors;
	const char *body;
	char *name;

	if (p->tok != C_WORD) {
		c_error(p, "#define needs a name");
		return;
	}
	name = c_text(p);
	if (*p->p == '(') {
		size_t len = strcspn(p->p, ")");

		if (!p->p[len] || !c_macro(c, name, p->p, (uint32_t)len + 1, p->p + len + 1))
			left_out(p, name);
		return;
	}
	c_next(p);
	if (p->tok == C_END) {
		c_const_set(c, name, &one);
		return;
	}
	body = p->begin;
	if (p->tok == C_STR) {
		define_string(c, name, p->begin, p->len);
		return;
	}
	if (c_constant(p, &k.num, &k.is_negative) && p->tok == C_END) {
		c_const_set(c, name, &k);
		return;
	}
	/* why it is no constant does not matter */
	c->diags->list.n = ndiags;
	c->diags->nerrors = nerrors;
	if (!c_macro(c, name, "()", 2, body))
		left_out(p, name);
}

static bool condition(struct c_parser *p, const char *word)
{
	int64_t v = 0;
	bool negative;

	if (str_eq(word, "ifdef") || str_eq(word, "ifndef"))
		return is_defined(p->c, c_text(p)) == str_eq(word, "ifdef");
	return c_constant(p, &v, &negative) && v;
}

static void condition_open(struct c_parser *p, struct c_conditions *cond, const char *word)
{
	bool out = c_left_out(cond), taken = !out && condition(p, word);

	vec_push(p->c->arena, &cond->open, ((struct c_condition){ .skip = !taken, .taken = taken || out }));
}

static void condition_else(struct c_parser *p, struct c_conditions *cond, bool elif)
{
	struct c_condition *top = cond->open.n ? &cond->open.v[cond->open.n - 1] : NULL;

	if (!top) {
		c_error(p, "there is no #if to this");
		return;
	}
	top->skip = top->taken || (elif && !condition(p, "if"));
	top->taken |= !top->skip;
}

void c_directive(struct checker *c, struct c_conditions *cond, const struct c_text *text)
{
	struct c_parser p;
	char *word;

	c_start(&p, c, text->text, text->span);
	c_take(&p, '#');
	word = c_text(&p);
	if (p.tok != C_WORD)
		return;
	c_next(&p);
	if (str_eq(word, "if") || str_eq(word, "ifdef") || str_eq(word, "ifndef")) {
		condition_open(&p, cond, word);
	} else if (str_eq(word, "else") || str_eq(word, "elif")) {
		condition_else(&p, cond, str_eq(word, "elif"));
	} else if (str_eq(word, "endif")) {
		if (cond->open.n)
			cond->open.n--;
		else
			c_error(&p, "there is no #if to this");
	} else if (c_left_out(cond)) {
		return;
	} else if (str_eq(word, "define")) {
		p.p = p.begin; /* again, to see whether '(' follows at once */
		c_next(&p);
		define(&p);
	} else if (str_eq(word, "include")) {
		c_include(&p, cond);
	} else if (!str_eq(word, "pragma") && !str_eq(word, "undef")) {
		check_error(c, text->span, "there is no directive #%s", word);
	}
}
