/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Token: one line of rules into its tokens. A line with anything wrong in it is ignored by udev as a whole; so it is
 * here, and the problem says which part it was and, where that is plain, how the line should read.
 */
#include "udev/token.h"

#include <ctype.h>

#include "base/util.h"

struct scan {
	struct arena *a;
	struct udev_rules *r;
	struct udev_rule *rule;
	const char *text;
	uint32_t indent; /* of the line in its file */
	const char *at;
};

static struct udev_problem *add_problem(struct scan *s, enum udev_severity severity,
					const char *where, const char *text,
					const char *hint)
{
	struct udev_rule *rule = s->rule;
	struct udev_problem p = {
		.file = rule->file, .line = rule->line, .severity = severity, .text = text,
			.hint = hint, .source = s->text,
		.column = rule->line == rule->last_line &&
			where ? (uint32_t)(where - s->text) + 1 + s->indent : 0,
	};

	vec_push(s->a, &s->r->problems, p);
	return &s->r->problems.v[s->r->problems.n - 1];
}

/* The line with the bytes from `begin` to `end` replaced. */
static const char *replace(struct scan *s, const char *begin, const char *end, const char *with)
{
	return arena_printf(s->a, "%.*s%s%s", (int)(begin - s->text), s->text, with, end);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip(struct scan *s, bool commas)
{
	while (is_blank(*s->at) || (commas && *s->at == ','))
		s->at++;
}

static int scan_op(struct scan *s, enum udev_op *op)
{
	static const struct { char text[3]; enum udev_op op; } ops[] = {
		{ "==", UDEV_MATCH }, { "!=", UDEV_NOMATCH }, { "+=", UDEV_ADD },
		{ "-=", UDEV_REMOVE }, { ":=", UDEV_FINAL }, { "=", UDEV_ASSIGN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (str_starts(s->at, ops[i].text)) {
			s->at += strlen(ops[i].text);
			*op = ops[i].op;
			return 0;
		}
	return -1;
}

static int unescape_number(const char **p, unsigned base, unsigned digits)
{
	unsigned v = 0;

	for (unsigned i = 0; i < digits; i++, (*p)++) {
		unsigned d = (unsigned)**p - '0';

		if (base == 16 && isxdigit((unsigned char)**p))
			d = isdigit((unsigned char)**p) ? d :
				(unsigned)(tolower((unsigned char)**p) - 'a') + 10;
		if (d >= base)
			return -1;
		v = v * base + d;
	}
	return v > 0 && v < 256 ? (int)v : -1;
}

/* One escape of an e"..." string; *p stands behind the backslash. */
static int unescape_char(const char **p)
{
	static const char names[] = "abfnrtv\\\"'s", values[] = "\a\b\f\n\r\t\v\\\"' ";
	const char *found = **p ? strchr(names, **p) : NULL;

	if (found) {
		(*p)++;
		return values[found - names];
	}
	if (**p == 'x') {
		(*p)++;
		return unescape_number(p, 16, 2);
	}
	return unescape_number(p, 8, 3);
}

static const char *unescape(struct scan *s, const char *begin, const char *end)
{
	char *out = arena_alloc(s->a, (size_t)(end - begin) + 1);
	size_t n = 0;

	for (const char *p = begin; p < end;) {
		int c = (unsigned char)*p++;

		if (c == '\\')
			c = unescape_char(&p);
		if (c < 0 || p > end)
			return NULL;
		out[n++] = (char)c;
	}
	return out;
}

/* A quoted value in which only \" means something. */
static const char *plain_value(struct scan *s, const char *begin, const char *end)
{
	char *out = arena_alloc(s->a, (size_t)(end - begin) + 1);
	size_t n = 0;

	for (const char *p = begin; p < end; p++) {
		if (p[0] == '\\' && p + 1 < end && p[1] == '"')
			p++;
		out[n++] = *p;
	}
	return out;
}

static int scan_value(struct scan *s, struct udev_token *t)
{
	const char *start = s->at, *begin, *end;
	bool escaped = false;

	for (; *s->at == 'e' || *s->at == 'i'; s->at++) {
		bool *flag = *s->at == 'e' ? &escaped : &t->nocase;

		if (*flag)
			break;
		*flag = true;
	}
	if (*s->at != '"') {
		add_problem(s, UDEV_ERROR, start,
			    arena_printf(s->a, "%s needs a value in double quotes", t->key->name),
			    "udev ignores the whole line");
		return -1;
	}
	begin = end = s->at + 1;
	while (*end && *end != '"')
		end += end[0] == '\\' && end[1] && (escaped || end[1] == '"') ? 2 : 1;
	if (!*end) {
		add_problem(s, UDEV_ERROR, s->at, "the quotes are not closed",
			    "udev ignores the whole line");
		return -1;
	}
	t->value = escaped ? unescape(s, begin, end) : plain_value(s, begin, end);
	if (!t->value) {
		add_problem(s, UDEV_ERROR, begin, "not an escape that e\"...\" knows",
			    "udev ignores the whole line");
		return -1;
	}
	s->at = end + 1;
	return 0;
}

/* Keys that udev once had: what they are called now. */
static const struct { const char *old, *now; } old_keys[] = {
	{ "BUS", "SUBSYSTEMS" }, { "ID", "KERNELS" }, { "SYSFS", "ATTRS" }, { "PLACE", "KERNELS" },
	{ "DRIVERNAME", "DRIVERS" }, { "MODALIAS", "ENV{MODALIAS}" },
	{ "WAIT_FOR", NULL }, { "WAIT_FOR_SYSFS", NULL }, { "PHYSDEVPATH", NULL },
};

static void unknown_key(struct scan *s, const char *begin, const char *end)
{
	const char *names[64], *near, *name = arena_strndup(s->a, begin, (size_t)(end - begin));
	struct udev_problem *p;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(old_keys); i++)
		if (str_eq(old_keys[i].old, name)) {
			p = add_problem(s, UDEV_ERROR, begin,
					arena_printf(s->a,
						     "udev has no key %s any more: it ignores the whole line", name),
					old_keys[i].now ?
						arena_printf(s->a, "use %s", old_keys[i].now) :
							"leave it out");
			if (old_keys[i].now)
				p->corrected = replace(s, begin, end, old_keys[i].now);
			return;
		}
	for (const struct udev_key *k = udev_keys; k->name; k++)
		names[n++] = k->name;
	near = nearest_name(name, names, n);
	p = add_problem(s, UDEV_ERROR, begin, arena_printf(s->a,
							   "there is no key '%.40s': udev ignores the whole line", name),
			near ? arena_printf(s->a, "did you mean %s?", near) : NULL);
	if (near)
		p->corrected = replace(s, begin, end, near);
}

static int wrong_op(struct scan *s, const struct udev_token *t, const char *at, size_t len)
{
	bool match = t->op == UDEV_MATCH || t->op == UDEV_NOMATCH;
	const char *better = match ? "=" : t->key->match ? "==" : "+=";
	struct udev_problem *p;

	p = add_problem(s, UDEV_ERROR, at, arena_printf(s->a,
							"%s has no operator %s: udev ignores the whole line", t->key->name,
							 udev_op_text(t->op)),
			match ? "it can only be assigned" : "it can only be compared: == or !=");
	p->corrected = replace(s, at, at + len, better);
	return -1;
}

/* What the operator makes of the key. */
static int settle_op(struct scan *s, struct udev_token *t, const char *at)
{
	const struct udev_key *k = t->key;
	bool match = t->op == UDEV_MATCH || t->op == UDEV_NOMATCH;
	size_t len = (size_t)(s->at - at);
	unsigned bit = 1u << t->op;

	if (match || (k->any_op_matches && k->ops & bit)) {
		if (!k->match)
			return wrong_op(s, t, at, len);
		t->what = k->match;
		t->op = match ? t->op : UDEV_MATCH;
		return 0;
	}
	if (!k->assign || !((k->ops | k->as_assign) & bit))
		return wrong_op(s, t, at, len);
	if (k->as_assign & bit) {
		add_problem(s, UDEV_NOTE, at, arena_printf(s->a,
							   "%s has no operator %s: udev takes it for =", k->name,
							    udev_op_text(t->op)), NULL);
		t->op = UDEV_ASSIGN;
	}
	t->what = k->assign;
	return 0;
}

static int scan_attr(struct scan *s, struct udev_token *t)
{
	const char *end;

	if (*s->at != '{') {
		if (t->key->attr != UDEV_ATTR_MUST)
			return 0;
		add_problem(s, UDEV_ERROR, s->at,
			    arena_printf(s->a, "%s needs a name in braces: %s{...}", t->key->name,
					 t->key->name),
			    "udev ignores the whole line");
		return -1;
	}
	end = strchr(s->at, '}');
	if (!end) {
		add_problem(s, UDEV_ERROR, s->at, "the brace is not closed",
			    "udev ignores the whole line");
		return -1;
	}
	if (t->key->attr == UDEV_ATTR_NONE || (end == s->at + 1 &&
					       t->key->attr == UDEV_ATTR_MUST)) {
		add_problem(s, UDEV_ERROR, s->at,
			    arena_printf(s->a,
					 t->key->attr == UDEV_ATTR_NONE ?
					 "%s takes no name in braces" :
				"%s needs a name in its braces", t->key->name),
				"udev ignores the whole line");
		return -1;
	}
	t->attr = arena_strndup(s->a, s->at + 1, (size_t)(end - s->at) - 1);
	s->at = end + 1;
	return 0;
}

static int scan_key(struct scan *s, struct udev_token *t)
{
	const char *begin = s->at;

	while (*s->at && !is_blank(*s->at) && !strchr("={", *s->at) &&
	       !(strchr("+-!:", *s->at) && s->at[1] == '='))
		s->at++;
	t->key = udev_key_find(begin, (size_t)(s->at - begin));
	if (!*s->at) {
		add_problem(s, UDEV_ERROR, begin,
			    arena_printf(s->a, "'%.40s' is no key with an operator and a value",
					 begin),
			    "udev ignores the whole line");
		return -1;
	}
	if (!t->key) {
		unknown_key(s, begin, s->at);
		return -1;
	}
	return scan_attr(s, t);
}

static int scan_token(struct scan *s, struct udev_token *t)
{
	const char *at;

	t->begin = (uint32_t)(s->at - s->text);
	if (scan_key(s, t))
		return -1;
	skip(s, false);
	at = s->at;
	if (scan_op(s, &t->op)) {
		add_problem(s, UDEV_ERROR, at,
			    arena_printf(s->a, "%s needs an operator: one of == != = += -= :=",
					 t->key->name),
			    "udev ignores the whole line");
		return -1;
	}
	if (settle_op(s, t, at))
		return -1;
	skip(s, false);
	if (scan_value(s, t))
		return -1;
	t->end = (uint32_t)(s->at - s->text);
	if (t->nocase && !udev_is_match(t->what)) {
		add_problem(s, UDEV_ERROR, at, "i\"...\" only goes with == and !=",
			    "udev ignores the whole line");
		return -1;
	}
	return 0;
}

static void keep(struct scan *s, const struct udev_token *t)
{
	struct udev_rule *rule = s->rule;

	if (t->what == UDEV_X_LABEL)
		rule->label = t->value;
	else if (t->what == UDEV_X_GOTO && !rule->go)
		rule->go = t->value;
	else if (t->what == UDEV_X_GOTO)
		add_problem(s, UDEV_WARNING, s->text + t->begin,
			    "a second GOTO in one line is ignored", NULL);
	vec_push(s->a, &rule->tokens, *t);
}

/* Stable, as udev does it. */
static void sort_tokens(struct udev_rule *rule)
{
	for (uint32_t i = 1; i < rule->tokens.n; i++) {
		struct udev_token t = rule->tokens.v[i];
		uint32_t j = i;

		for (; j && rule->tokens.v[j - 1].what > t.what; j--)
			rule->tokens.v[j] = rule->tokens.v[j - 1];
		rule->tokens.v[j] = t;
	}
}

struct udev_rule *udev_line_parse(struct arena *a, struct udev_rules *r, struct udev_file *f,
				  const char *text, uint32_t line,
				  uint32_t last_line, uint32_t indent)
{
	struct udev_rule *rule = arena_new_of(a, struct udev_rule);
	struct scan s = { .a = a, .r = r, .rule = rule, .text = arena_strdup(a, text),
		.indent = indent };

	*rule = (struct udev_rule){ .file = f, .line = line, .last_line = last_line, .text = s.text };
	for (s.at = s.text; skip(&s, true), *s.at;) {
		struct udev_token t = { .rule = rule };

		if (scan_token(&s, &t) || udev_token_check(a, r, rule, &t, s.text + t.begin,
							   indent))
			return NULL;
		keep(&s, &t);
	}
	if (!rule->tokens.n)
		return NULL;
	sort_tokens(rule);
	return rule;
}

struct udev_rule *udev_rule_parse(struct arena *a, struct udev_rules *r, struct udev_file *f,
				  const char *text, uint32_t line)
{
	return udev_line_parse(a, r, f, text, line, line, 0);
}

void udev_token_text(const struct udev_token *t, struct strbuf *out)
{
	const char *text = t->rule->text + t->begin;

	strbuf_add(out, text, t->end - t->begin);
}
