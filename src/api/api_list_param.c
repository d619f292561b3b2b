/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The named parameters of a program: its calls of getopt(), as they are written, in clauses and what those use. */
#include <errno.h>
#include <inttypes.h>

#include "api/api.h"
#include "base/strmap.h"

struct listing {
	struct sonde_compile_options o;
	struct arena *arena;
	int (*fn)(void *ctx, const char *param, const char *kind, const char *value, const char *description);
	void *ctx;
	struct strmap seen;
	VEC(struct clause *) clauses;
	VEC(struct macro *) macros; /* NULL: has been looked into */
	int result;
};

static const char *default_text(struct arena *a, const struct expr *e, const char **kind)
{
	bool negative = e->kind == EX_UNARY && e->op == OP_NEG && e->a->kind == EX_INT;

	*kind = e->kind == EX_STR ? "TEXT" : e->kind == EX_BOOL ? NULL : "NUMBER";
	if (e->kind == EX_STR)
		return e->str;
	if (e->kind == EX_BOOL)
		return e->num ? "true" : NULL;
	if (negative)
		return arena_printf(a, "-%" PRIu64, e->a->num);
	return e->kind == EX_INT ? arena_printf(a, "%" PRIu64, e->num) : NULL;
}

static void getopt_visit(struct listing *l, struct expr *e)
{
	const char *value = NULL, *kind = NULL, *description = NULL;

	if (e->kind != EX_CALL || !str_eq(e->name, "getopt") || !e->args.n || e->args.v[0]->kind != EX_STR)
		return;
	if (strmap_get(&l->seen, e->args.v[0]->str))
		return;
	strmap_put(l->arena, &l->seen, e->args.v[0]->str, e);
	if (e->args.n > 1)
		value = default_text(l->arena, e->args.v[1], &kind);
	if (e->args.n > 2 && e->args.v[2]->kind == EX_STR)
		description = e->args.v[2]->str;
	l->result = l->fn(l->ctx, e->args.v[0]->str, kind, value, description);
}

/* What is imported may have macros that this program does not use, and so parameters that it does not have. */
static void expr_look(struct expr *e, void *ctx)
{
	struct listing *l = ctx;

	if (l->result)
		return;
	getopt_visit(l, e);
	if (e->kind != EX_CALL && e->kind != EX_IDENT)
		return;
	vec_each(m, &l->macros) {
		struct macro *used = *m;

		if (!used || !str_eq(used->name, e->name))
			continue;
		*m = NULL;
		expr_visit(used->body, expr_look, l);
	}
}

/*
 * A script and those that it imports by text; what stands in files is not looked into. All are gathered before any is
 * looked into, because a macro may be used before it is written.
 */
static int script_read(struct listing *l, struct diags *d, struct sources *sources,
		       const char *source, const char *name, uint32_t depth)
{
	struct script script = { .arena = l->arena, .sources = sources };
	int err = script_parse(&script, source_add(sources, name, source, strlen(source)), d);

	if (err)
		return err;
	vec_each(i, &script.imports) {
		const char *text = l->o.import_text ? l->o.import_text(l->o.import_ctx, i->path) : NULL;

		err = text && depth ? script_read(l, d, sources, text, i->path, depth - 1) : 0;
		if (err)
			return err;
	}
	vec_each(m, &script.macros)
		vec_push(l->arena, &l->macros, *m);
	vec_each(c, &script.clauses)
		vec_push(l->arena, &l->clauses, *c);
	return 0;
}

static int params_guarded(struct listing *l, const struct reporter *r, const char *source, const char *name)
{
	struct arena *a = l->arena;
	struct sources sources = { .arena = a };
	struct diags diags = { .arena = a, .sources = &sources };
	int err;

	if (setjmp(*arena_guard(a)))
		return report_error(r, -ENOMEM, NULL, "no memory to read %s", name);
	if (strlen(source) > INT32_MAX)
		return report_error(r, -E2BIG, NULL, "%s is too large", name);
	err = script_read(l, &diags, &sources, source, name, 8);
	diag_flush(&diags, r);
	if (!err)
		vec_each(c, &l->clauses)
			clause_visit(*c, expr_look, l);
	return err ? err : l->result;
}

int sonde_list_params(const char *source, const struct sonde_compile_options *o,
		      int (*fn)(void *ctx, const char *param, const char *kind, const char *value,
				const char *description), void *ctx)
{
	struct listing l = { .fn = fn, .ctx = ctx };
	struct relay relay;
	const char *name;
	int err;

	options_copy(&l.o, sizeof(l.o), o);
	relay_init(&relay, l.o.message, l.o.message_ctx);
	name = l.o.name ? l.o.name : "stdin";
	l.arena = arena_new();
	if (!l.arena)
		return report_error(&relay.reporter, -ENOMEM, NULL, "no memory to read %s", name);
	err = params_guarded(&l, &relay.reporter, source, name);
	arena_free(l.arena);
	return err;
}
