/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Param: $1, $2, $# become literals. A number is an integer, everything else a string; an integer that
 * came from the command line keeps its text, so that it can still be compared with strings.
 */
#include "lang/check_priv.h"

const char *param_text(const struct checker *c, uint64_t n)
{
	return n >= 1 && n <= c->env->nparams ? c->env->params[n - 1] : NULL;
}

static bool param_number(const char *text, int64_t *value)
{
	bool negative = *text == '-';
	const char *digits = text + negative;
	char *end;

	if (*digits < '0' || *digits > '9')
		return false;
	errno = 0;
	*value = negative ? strtoll(text, &end, 0) : (int64_t)strtoull(text, &end, 0);
	return !errno && !*end;
}

int check_param(struct checker *c, struct expr *e)
{
	const char *text;
	int64_t value = 0;

	if (e->kind == EX_PARAM_COUNT) {
		expr_become_int(e, c->env->nparams, false);
		return 0;
	}
	text = param_text(c, e->num);
	if (text && !param_number(text, &value)) {
		expr_become_string(c->arena, e, text, (uint32_t)strlen(text));
		return 0;
	}
	expr_become_int(e, value, text && *text == '-');
	e->str = text ? text : "";
	e->str_len = (uint32_t)strlen(e->str);
	return 0;
}

bool param_to_string(struct checker *c, struct expr *e)
{
	if (e->kind != EX_INT || !e->str)
		return false;
	expr_become_string(c->arena, e, e->str, e->str_len);
	return true;
}

static void use_mark(struct expr *e, void *ctx)
{
	const struct checker *c = ctx;

	if (e->kind != EX_CALL || !str_eq(e->name, "getopt") || !e->args.n || e->args.v[0]->kind != EX_STR)
		return;
	for (uint32_t i = 0; i < c->env->nnamed; i++)
		if (str_eq(c->env->named[i].name, e->args.v[0]->str))
			c->env->named[i].used = true;
}

void params_mark_expr(struct checker *c, struct expr *e)
{
	if (e)
		expr_visit(e, use_mark, c);
}

void params_mark_stmts(struct checker *c, const stmt_vec *body)
{
	vec_each(s, body)
		stmt_visit(*s, use_mark, c);
}

/* In the order in which the script asks for them. */
static const char *params_expected(struct checker *c)
{
	const char *text = "";

	for (const struct param_use *use = c->params_used; use; use = use->next)
		text = arena_printf(c->arena, "\n  --%s:%s%s%s", use->name, use->description ? " " : "",
				    use->description ? use->description : "", text);
	return text;
}

/* The text is the reference's: programs that start it look for it. */
int pass_named_params(struct checker *c)
{
	const struct span nowhere = { 0 };
	const char *names = "";

	for (uint32_t i = 0; i < c->env->nnamed; i++) {
		const struct named_param *p = &c->env->named[i];

		if (!p->used)
			names = arena_printf(c->arena, "%s%s--%s", names, *names ? ", " : "", p->name);
	}
	if (!*names)
		return 0;
	check_error(c, nowhere, "unexpected program command line options: %s", names);
	diag_hint(c->diags, "expected program options:%s", c->params_used ? params_expected(c) : " none");
	return 0;
}
