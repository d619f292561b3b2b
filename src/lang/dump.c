/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dump: trees as text, a node per line: what it is, its type when that is known, and where it stands. */
#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "lang/probe.h"
#include "lang/tree.h"

struct dump {
	const struct script *script;
	struct strbuf *out;
	uint32_t level;
};

static void expr_dump(struct dump *d, const char *role, const struct expr *e);
static void stmt_dump(struct dump *d, const struct stmt *s);

/* ---- lines ---- */

static void line_begin(struct dump *d, const char *role)
{
	strbuf_fill(d->out, ' ', (size_t)d->level * 2);
	if (role)
		strbuf_addf(d->out, "%s: ", role);
}

static void line_end(struct dump *d, struct span span)
{
	struct span last = span;
	uint32_t line, col, end_line, end_col;

	if (source_of(d->script->sources, span)) {
		last.begin = span.end > span.begin ? span.end - 1 : span.begin;
		span_locate(d->script->sources, span, &line, &col);
		span_locate(d->script->sources, last, &end_line, &end_col);
		strbuf_addf(d->out, "  <%" PRIu32 ":%" PRIu32 "-", line, col);
		if (end_line != line)
			strbuf_addf(d->out, "%" PRIu32 ":", end_line);
		strbuf_addf(d->out, "%" PRIu32 ">", end_col);
	}
	strbuf_addch(d->out, '\n');
}

static void quoted_add(struct strbuf *out, const char *s, uint32_t len)
{
	strbuf_addch(out, '"');
	for (uint32_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			strbuf_addf(out, "\\%c", c);
		else if (c == '\n')
			strbuf_addstr(out, "\\n");
		else if (c < 32 || c == 127)
			strbuf_addf(out, "\\x%02x", c);
		else
			strbuf_addch(out, (char)c);
	}
	strbuf_addch(out, '"');
}

static void text_add(struct strbuf *out, const char *s)
{
	quoted_add(out, s, (uint32_t)strlen(s));
}

/* Several nodes under a heading of their own, nothing when there is none. */
static void body_dump(struct dump *d, const char *role, const stmt_vec *body)
{
	if (!body->n)
		return;
	strbuf_fill(d->out, ' ', (size_t)d->level * 2);
	strbuf_addf(d->out, "%s\n", role);
	d->level++;
	vec_each(it, body)
		stmt_dump(d, *it);
	d->level--;
}

/* ---- types as written ---- */

static void type_ref_add(struct strbuf *out, const struct type_ref *r)
{
	static const char *const tags[] = { [TREF_NAME] = "", [TREF_STRUCT] = "struct ",
					    [TREF_UNION] = "union ", [TREF_ENUM] = "enum " };

	if (r->kind == TREF_TYPEOF) {
		strbuf_addstr(out, "typeof(");
		if (r->of_type)
			type_ref_add(out, r->of_type);
		else
			strbuf_addstr(out, "...");
		strbuf_addch(out, ')');
	} else {
		strbuf_addf(out, "%s%s", tags[r->kind], r->name);
	}
	if (r->pointers)
		strbuf_addch(out, ' ');
	strbuf_fill(out, '*', r->pointers);
	vec_each(it, &r->dims) {
		strbuf_addch(out, '[');
		if (*it >= 0)
			strbuf_adds64(out, *it);
		strbuf_addch(out, ']');
	}
}

/* The expressions inside typeof(). */
static void type_ref_dump(struct dump *d, const struct type_ref *r)
{
	for (; r; r = r->of_type)
		if (r->of)
			expr_dump(d, "typeof", r->of);
}

/* ---- expressions ---- */

static const char *const expr_names[] = {
	[EX_INT] = "int", [EX_STR] = "string", [EX_BOOL] = "bool", [EX_IDENT] = "name", [EX_PARAM] = "parameter",
	[EX_PARAM_COUNT] = "parameter count", [EX_VAR] = "variable", [EX_MAP] = "map", [EX_INDEX] = "index",
	[EX_FIELD] = "member", [EX_UNARY] = "unary", [EX_INCDEC] = "step", [EX_BINARY] = "binary",
	[EX_TERNARY] = "choice", [EX_CAST] = "cast", [EX_SIZEOF] = "sizeof", [EX_OFFSETOF] = "offsetof",
	[EX_CALL] = "call", [EX_TUPLE] = "tuple", [EX_RECORD] = "record", [EX_BLOCK] = "block", [EX_IF] = "if",
	[EX_COMPTIME] = "comptime",
};

/* What distinguishes a node from others of its kind. */
static void expr_detail(struct strbuf *out, const struct expr *e)
{
	switch (e->kind) {
	case EX_INT:
		if (e->negative_ok)
			strbuf_addf(out, " %" PRId64, (int64_t)e->num);
		else
			strbuf_addf(out, " %" PRIu64, e->num);
		break;
	case EX_BOOL:
		strbuf_addstr(out, e->num ? " true" : " false");
		break;
	case EX_PARAM:
		strbuf_addf(out, " $%" PRIu64, e->num);
		break;
	case EX_STR:
		strbuf_addch(out, ' ');
		quoted_add(out, e->str, e->str_len);
		break;
	case EX_FIELD:
		strbuf_addf(out, " %s%s", e->arrow ? "->" : ".", e->name);
		break;
	case EX_INCDEC:
		strbuf_addf(out, " %s %s", op_text(e->op), e->is_prefix ? "before" : "after");
		break;
	case EX_UNARY: case EX_BINARY:
		strbuf_addf(out, " %s", op_text(e->op));
		break;
	case EX_OFFSETOF:
		vec_each(it, &e->names)
			strbuf_addf(out, "%s%s", it == e->names.v ? " " : ".", *it);
		break;
	default:
		if (e->name && (e->kind == EX_IDENT || e->kind == EX_VAR || e->kind == EX_MAP || e->kind == EX_CALL))
			strbuf_addf(out, " %s", e->name);
	}
	if (e->tref) {
		strbuf_addch(out, ' ');
		type_ref_add(out, e->tref);
	}
	if (e->kind == EX_CALL && e->is_bare)
		strbuf_addstr(out, " (bare)");
}

static void expr_children(struct dump *d, const struct expr *e)
{
	body_dump(d, "do", &e->body);
	expr_dump(d, e->kind == EX_MAP ? "key" : e->kind == EX_BLOCK ? "value" : NULL, e->a);
	expr_dump(d, e->kind == EX_IF || e->kind == EX_TERNARY ? "then" : NULL, e->b);
	expr_dump(d, e->kind == EX_IF || e->kind == EX_TERNARY ? "else" : NULL, e->c);
	for (uint32_t i = 0; i < e->args.n; i++)
		expr_dump(d, e->kind == EX_RECORD ? e->names.v[i] : NULL, e->args.v[i]);
	type_ref_dump(d, e->tref);
}

static void expr_dump(struct dump *d, const char *role, const struct expr *e)
{
	if (!e)
		return;
	line_begin(d, role);
	strbuf_addstr(d->out, expr_names[e->kind]);
	expr_detail(d->out, e);
	if (e->type)
		strbuf_addf(d->out, " : %s", type_name(d->script->arena, e->type));
	line_end(d, e->span);
	d->level++;
	expr_children(d, e);
	d->level--;
}

/* ---- statements ---- */

static const char *const stmt_names[] = {
	[ST_EXPR] = "evaluate", [ST_ASSIGN] = "assign", [ST_LET] = "let", [ST_IF] = "if", [ST_WHILE] = "while",
	[ST_FOR_MAP] = "for", [ST_FOR_RANGE] = "for", [ST_UNROLL] = "unroll", [ST_BREAK] = "break",
	[ST_CONTINUE] = "continue", [ST_RETURN] = "return", [ST_BLOCK] = "block",
};

static void stmt_dump(struct dump *d, const struct stmt *s)
{
	line_begin(d, NULL);
	strbuf_addstr(d->out, stmt_names[s->kind]);
	if (s->kind == ST_ASSIGN) {
		strbuf_addf(d->out, " %s=", op_text(s->op));
		if (!s->target)
			strbuf_addstr(d->out, " (discarded)");
	}
	if (s->tref) {
		strbuf_addstr(d->out, " : ");
		type_ref_add(d->out, s->tref);
	}
	line_end(d, s->span);
	d->level++;
	expr_dump(d, "to", s->target);
	type_ref_dump(d, s->tref);
	expr_dump(d, NULL, s->value);
	expr_dump(d, "from", s->from);
	expr_dump(d, "until", s->to);
	body_dump(d, "do", &s->body);
	body_dump(d, "else", &s->other);
	d->level--;
}

/* ---- what a script is made of ---- */

static void spec_dump(struct dump *d, const struct probe_spec *spec)
{
	line_begin(d, NULL);
	strbuf_addstr(d->out, "probe ");
	if (spec->name)
		strbuf_addf(d->out, "%s=", spec->name);
	text_add(d->out, spec->kind);
	for (uint32_t i = 0; i < spec->parts.n; i++) {
		strbuf_addstr(d->out, spec->part_quoted.v[i] ? " quoted " : " ");
		text_add(d->out, spec->parts.v[i]);
	}
	line_end(d, spec->span);
}

static void clause_dump(struct dump *d, const struct clause *c)
{
	line_begin(d, NULL);
	strbuf_addf(d->out, "clause %" PRIu32, c->index);
	line_end(d, c->span);
	d->level++;
	vec_each(it, &c->probes)
		spec_dump(d, *it);
	expr_dump(d, "predicate", c->pred);
	body_dump(d, "do", &c->body);
	d->level--;
}

static void params_add(struct strbuf *out, const struct param *params, uint32_t n)
{
	strbuf_addch(out, '(');
	for (uint32_t i = 0; i < n; i++) {
		strbuf_addf(out, "%s%s", i ? ", " : "", params[i].name);
		if (params[i].tref) {
			strbuf_addstr(out, " : ");
			type_ref_add(out, params[i].tref);
		}
	}
	strbuf_addch(out, ')');
}

static void macro_dump(struct dump *d, const struct macro *m)
{
	strbuf_addf(d->out, "macro %s", m->name);
	params_add(d->out, m->params.v, m->params.n);
	line_end(d, m->span);
	d->level++;
	expr_dump(d, NULL, m->body);
	d->level--;
}

static void subprog_dump(struct dump *d, const struct subprog *s)
{
	strbuf_addf(d->out, "function %s", s->name);
	params_add(d->out, s->params.v, s->params.n);
	strbuf_addstr(d->out, " : ");
	type_ref_add(d->out, s->ret);
	line_end(d, s->span);
	d->level++;
	body_dump(d, "do", &s->body);
	d->level--;
}

static void preamble_dump(struct dump *d, const struct script *s)
{
	vec_each(it, &s->c_texts) {
		strbuf_addstr(d->out, it->is_directive ? "directive " : "C ");
		text_add(d->out, it->text);
		line_end(d, it->span);
	}
	vec_each(it, &s->imports) {
		strbuf_addstr(d->out, "import ");
		text_add(d->out, it->path);
		line_end(d, it->span);
	}
	vec_each(it, &s->configs) {
		strbuf_addf(d->out, "config %s", it->name);
		line_end(d, it->span);
		d->level++;
		expr_dump(d, NULL, it->value);
		d->level--;
	}
	vec_each(it, &s->map_decls) {
		strbuf_addf(d->out, "map %s = %s", it->name, it->kind);
		line_end(d, it->span);
		d->level++;
		expr_dump(d, "entries", it->max_entries);
		d->level--;
	}
}

void script_dump_ast(const struct script *s, struct strbuf *out)
{
	struct dump d = { .script = s, .out = out };

	preamble_dump(&d, s);
	vec_each(it, &s->macros)
		macro_dump(&d, *it);
	vec_each(it, &s->subprogs)
		subprog_dump(&d, *it);
	vec_each(it, &s->clauses)
		clause_dump(&d, *it);
}

/* ---- after checking ---- */

static const char *type_text(const struct script *s, const struct type *t)
{
	return t ? type_name(s->arena, t) : "none";
}

static void map_dump(struct dump *d, const struct map *m)
{
	strbuf_addf(d->out, "map %s", m->name);
	if (m->key)
		strbuf_addf(d->out, "[%s]", type_text(d->script, m->key));
	strbuf_addf(d->out, " : %s", type_text(d->script, m->value));
	if (m->decl_kind)
		strbuf_addf(d->out, " in %s", m->decl_kind);
	if (m->max_entries)
		strbuf_addf(d->out, " of %" PRId64, m->max_entries);
	line_end(d, m->span);
}

static void unit_dump(struct dump *d, const struct unit *u)
{
	strbuf_addf(d->out, "unit %" PRIu32 "\n", u->id);
	d->level++;
	vec_each(it, &u->points) {
		line_begin(d, "at");
		strbuf_addf(d->out, "%s\n", (*it)->name);
	}
	if (u->args) {
		line_begin(d, "args");
		strbuf_addf(d->out, "%s\n", type_text(d->script, u->args));
	}
	vec_each(it, &u->vars) {
		line_begin(d, "variable");
		strbuf_addf(d->out, "%s : %s", (*it)->name, type_text(d->script, (*it)->type));
		line_end(d, (*it)->span);
	}
	clause_dump(d, u->clause);
	d->level--;
}

void script_dump_types(const struct script *s, struct strbuf *out)
{
	struct dump d = { .script = s, .out = out };

	vec_each(it, &s->maps)
		map_dump(&d, *it);
	vec_each(it, &s->units)
		unit_dump(&d, *it);
}
