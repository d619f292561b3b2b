/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Check_fakes: a small table of kinds and functions, enough to check scripts without a kernel, and the
 * way of a script through parser and checker. Header-only: every test is one binary.
 *
 *   begin            no arguments
 *   tp:SYS:EVENT     args by event: "open" (filename, flags), "wake" (comm, pid, ptr), "wake2" as "wake";
 *                    tp:s:* matches all; tp:s:none does not exist
 *   fn:NAME          arg0..arg9 and retval
 */
#ifndef SONDE_TEST_CHECK_FAKES_H
#define SONDE_TEST_CHECK_FAKES_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "lang/check.h"

/* ---- kinds ---- */

static const struct probe_kind begin_kind, tp_kind, fn_kind;

static void point_add(struct probe_env *env, const struct probe_kind *k, const struct probe_spec *spec,
		      const char *name, const char *section, attach_vec *out)
{
	struct attach_point *ap = arena_new_of(env->arena, struct attach_point);

	ap->kind = k;
	ap->spec = spec;
	ap->name = name;
	ap->section = section;
	vec_push(env->arena, out, ap);
}

static int begin_expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	point_add(env, &begin_kind, spec, "begin", "raw_tp", out);
	return 0;
}

static int fn_expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	const char *name = spec->parts.n ? spec->parts.v[0] : "";

	point_add(env, &fn_kind, spec, arena_printf(env->arena, "fn:%s", name), "kprobe", out);
	return 0;
}

static const char *const tp_events[] = { "open", "wake", "wake2" };

static int tp_expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	const char *event = spec->parts.n > 1 ? spec->parts.v[1] : "";
	uint32_t before = out->n;

	if (spec->parts.n != 2)
		return diag_error(env->diags, spec->span, "tp needs a system and an event");
	for (size_t i = 0; i < ARRAY_SIZE(tp_events); i++) {
		if (glob_match(event, tp_events[i]))
			point_add(env, &tp_kind, spec, arena_printf(env->arena, "tp:s:%s", tp_events[i]),
				  arena_printf(env->arena, "tp/s/%s", tp_events[i]), out);
	}
	return out->n > before ? 0 : -ENOENT;
}

static int tp_args(struct probe_env *env, struct attach_point *ap)
{
	struct type *t = arena_new_of(env->arena, struct type);
	const struct type *chars = type_pointer(env->arena, &type_int8, SPACE_USER);
	const struct type *bytes = type_array(env->arena, &type_uint8, 4);
	const struct field open[] = {
		{ .name = "filename", .type = chars, .offset = 16 },
		{ .name = "flags", .type = &type_int32, .offset = 24 },
	};
	const struct field wake[] = {
		{ .name = "comm", .type = type_string(env->arena, 16), .offset = 8 },
		{ .name = "pid", .type = &type_int32, .offset = 24 },
		{ .name = "ptr", .type = type_pointer(env->arena, &type_none, SPACE_KERNEL), .offset = 32 },
		{ .name = "addr", .type = bytes, .offset = 40 },
	};
	bool is_open = str_eq(ap->name, "tp:s:open");

	t->kind = TY_STRUCT;
	t->size = 48;
	t->align = 8;
	t->name = arena_printf(env->arena, "struct %s_args", ap->name);
	type_set_fields(env->arena, t, is_open ? open : wake, is_open ? 2 : 4);
	ap->args = t;
	return 0;
}

static const char *const tp_aliases[] = { "t", NULL }, *const begin_aliases[] = { "start", NULL };

static const struct probe_kind begin_kind = {
	.name = "begin", .aliases = begin_aliases, .case_insensitive = true, .forms = "begin", .expand = begin_expand,
};
static const struct probe_kind tp_kind = {
	.name = "tp", .aliases = tp_aliases, .forms = "tp:SYS:EVENT", .expand = tp_expand, .args = tp_args,
	.has_args = true, .space = SPACE_KERNEL,
};
static const struct probe_kind fn_kind = {
	.name = "fn", .forms = "fn:NAME", .expand = fn_expand, .has_argn = true, .has_retval = true,
};
static const struct probe_kind *const fake_kinds[] = { &begin_kind, &tp_kind, &fn_kind, NULL };

/* ---- functions ---- */

static int fake_printf_check(struct checker *c, struct expr *call)
{
	return check_format_call(c, call, 0);
}

static int fake_agg_check(struct checker *c, struct expr *call)
{
	enum type_kind kind = str_eq(call->name, "count") ? TY_COUNT : str_eq(call->name, "sum") ? TY_SUM :
			      str_eq(call->name, "avg") ? TY_AVG : TY_HIST;
	bool is_signed = false;

	if (call->args.n) {
		int err = check_arg_int(c, call, 0);

		if (err)
			return err;
		if (call->args.v[0]->type->kind == TY_NONE) {
			call->type = &type_none;
			return 0;
		}
		is_signed = call->args.v[0]->type->is_signed;
	}
	call->type = type_agg(c->arena, kind, is_signed, NULL);
	return 0;
}

static int fake_str_check(struct checker *c, struct expr *call)
{
	int64_t n = c->env->config.max_strlen;
	int err;

	for (uint32_t i = 0; i < call->args.n; i++) {
		err = check_expr(c, call->args.v[i]);
		if (err)
			return err;
	}
	err = check_arg_address(c, call, 0);
	if (!err && call->args.n > 1)
		err = check_arg_literal_int(c, call, 1, &n);
	if (!err)
		call->type = type_string(c->arena, (uint32_t)n);
	return err;
}

static int fake_has_key_check(struct checker *c, struct expr *call)
{
	struct map *m;
	int err = check_arg_map(c, call, 0, true, &m);

	return err ?: check_map_key(c, m, call->args.v[1]->type, call->args.v[1]->span);
}

static int fake_clear_check(struct checker *c, struct expr *call)
{
	struct map *m;

	return check_arg_map(c, call, 0, false, &m);
}

static int fake_probe_check(struct checker *c, struct expr *call)
{
	call->type = type_string(c->arena, (uint32_t)strlen(c->unit->points.v[0]->name) + 1);
	return 0;
}

static const struct type comm_type = { .kind = TY_STRING, .size = 16, .align = 1 };

#define BARE(n, t) { n, .signature = #n, .flags = FUNC_BARE | FUNC_PURE, .type = (t) }
#define AGG(n, args) { n, .signature = n "(int n)", .min_args = (args), .max_args = (args), .flags = FUNC_AGGREGATE, \
		       .check = fake_agg_check }

static func_family fake_family = {
	BARE("pid", &type_uint32), BARE("nsecs", &type_uint64), BARE("comm", &comm_type),
	BARE("arg0", &type_uint64), BARE("arg1", &type_uint64), BARE("retval", &type_uint64),
	{ "probe", .signature = "string probe", .flags = FUNC_BARE, .check = fake_probe_check },
	AGG("count", 0), AGG("sum", 1), AGG("avg", 1), AGG("hist", 1),
	{ "printf", .signature = "void printf(string format, ...)", .min_args = 1, .max_args = FUNC_ANY_ARGS,
	  .flags = FUNC_VOID, .check = fake_printf_check },
	{ "print", .signature = "void print(value)", .min_args = 1, .max_args = 3, .flags = FUNC_VOID | FUNC_MAP_ARG },
	{ "clear", .signature = "void clear(map m)", .min_args = 1, .max_args = 1, .flags = FUNC_VOID | FUNC_MAP_ARG,
	  .check = fake_clear_check },
	{ "exit", .signature = "void exit([int status])", .max_args = 1, .flags = FUNC_VOID },
	{ "str", .signature = "string str(void *address[, int length])", .min_args = 1, .max_args = 2,
	  .flags = FUNC_LAZY_ARGS, .check = fake_str_check },
	{ "has_key", .signature = "bool has_key(map m, key k)", .min_args = 2, .max_args = 2, .flags = FUNC_MAP_ARG,
	  .type = &type_bool, .check = fake_has_key_check },
	{ "system", .signature = "void system(string format, ...)", .min_args = 1, .max_args = FUNC_ANY_ARGS,
	  .flags = FUNC_VOID | FUNC_UNSAFE, .check = fake_printf_check },
	{ 0 },
};
static const struct func_def *const fake_families[] = { fake_family, NULL };

/* ---- a script on its way ---- */

struct checked {
	struct arena *arena;
	struct sources sources;
	struct script script;
	struct diags diags;
	struct probe_env probe;
	struct check_env env;
	struct strbuf said; /* every diagnostic as "LINE:COL: severity: text\n" and "  hint: ...\n" */
	int err;
};

static void said_add(struct checked *q, const struct diag *d)
{
	static const char *const words[] = { "error", "warning", "info", "debug" };
	uint32_t line = 0, col = 0;

	if (d->span.file)
		span_locate(&q->sources, d->span, &line, &col);
	strbuf_addf(&q->said, "%u:%u: %s: %s\n", line, col, words[d->sev], d->text);
	if (d->hint)
		strbuf_addf(&q->said, "  hint: %s\n", d->hint);
}

static void checked_init(struct checked *q)
{
	memset(q, 0, sizeof(*q));
	q->arena = arena_new();
	q->said = (struct strbuf)STRBUF_INIT;
	q->sources.arena = q->script.arena = q->diags.arena = q->probe.arena = q->arena;
	q->script.sources = &q->sources;
	q->diags.sources = &q->sources;
	q->probe.diags = &q->diags;
	q->env.kinds = fake_kinds;
	q->env.families = fake_families;
	q->env.probe = &q->probe;
	config_defaults(&q->env.config);
}

static void checked_run(struct checked *q, const char *text, size_t len)
{
	uint16_t file = source_add(&q->sources, "stdin", text, len);

	q->err = script_parse(&q->script, file, &q->diags);
	if (!q->err)
		q->err = script_check(&q->script, &q->env, &q->diags);
	vec_each(it, &q->diags.list)
		said_add(q, it);
}

static void checked_free(struct checked *q)
{
	strbuf_free(&q->said);
	arena_free(q->arena);
}

#endif
