/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Funcs: what the tests of functions share: kinds of probes that attach to nothing, and the way of a
 * script through parser and checker. Header-only: every test is one binary.
 */
#ifndef SONDE_TEST_FUNCS_H
#define SONDE_TEST_FUNCS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "code/module.h"
#include "kernel/kernel.h"
#include "lang/check.h"

/* What a counter of a loaded question has come to. */
__attribute__((unused))
static uint64_t object_counter(const struct bpf_object *obj, uint32_t counter)
{
	struct bpf_map *map = NULL;
	uint32_t zero = 0;
	uint64_t n;
	char *bss;

	while ((map = bpf_object__next_map(obj, map)))
		if (strstr(bpf_map__name(map), ".bss"))
			break;
	assert_non_null(map);
	bss = calloc(1, bpf_map__value_size(map));
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(map), &zero, bss), 0);
	memcpy(&n, bss + COUNTER_OFFSET(counter), sizeof(n));
	free(bss);
	return n;
}

/* fake:NAME has no arguments; words:NAME has arg0.. Both are raw tracepoints that nobody attaches. */
static int fake_expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out);

static const struct probe_kind fake_kind = {
	.name = "fake", .forms = "fake:NAME", .summary = "for tests", .prog_type = "raw_tracepoint",
	.space = SPACE_KERNEL, .expand = fake_expand,
};
static const struct probe_kind words_kind = {
	.name = "words", .forms = "words:NAME", .summary = "for tests", .prog_type = "raw_tracepoint",
	.space = SPACE_KERNEL, .has_argn = true, .expand = fake_expand,
};
static const struct probe_kind *const fake_kinds[] = { &fake_kind, &words_kind, NULL };

static int fake_expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	struct attach_point *ap = arena_new_of(env->arena, struct attach_point);

	ap->kind = str_eq(spec->kind, "words") ? &words_kind : &fake_kind;
	ap->spec = spec;
	ap->name = arena_printf(env->arena, "%s:%s", spec->kind, spec->parts.n ? spec->parts.v[0] : "");
	ap->section = "raw_tp";
	vec_push(env->arena, out, ap);
	return 0;
}

/* A question under test. */
struct question {
	struct arena *arena;
	struct kernel *kernel;
	struct strbuf said; /* everything reported */
	struct reporter reporter;
	struct sources sources;
	struct script script;
	struct diags diags;
	struct probe_env probe;
	struct check_env env;
};

static void question_said(void *ctx, enum severity sev, const char *text, const char *hint)
{
	struct question *q = ctx;

	(void)sev;
	strbuf_addf(&q->said, "%s\n", text);
	if (hint)
		strbuf_addf(&q->said, "hint: %s\n", hint);
}

static void question_begin(struct question *q)
{
	*q = (struct question){ .said = STRBUF_INIT };
	q->arena = arena_new();
	assert_non_null(q->arena);
	q->reporter = (struct reporter){ .emit = question_said, .ctx = q };
	q->kernel = kernel_new(&q->reporter);
	assert_non_null(q->kernel);
	q->sources.arena = q->arena;
	q->script = (struct script){ .arena = q->arena, .sources = &q->sources };
	q->diags = (struct diags){ .arena = q->arena, .sources = &q->sources };
	q->probe = (struct probe_env){ .arena = q->arena, .kernel = q->kernel, .report = &q->reporter,
				       .diags = &q->diags, .max_probes = 1024 };
	q->env = (struct check_env){ .kinds = fake_kinds, .families = func_families, .probe = &q->probe };
	config_defaults(&q->env.config);
}

static void question_end(struct question *q)
{
	kernel_free(q->kernel);
	strbuf_free(&q->said);
	arena_free(q->arena);
}

/* Parse and check; diagnostics are in q->said. */
static int question_check(struct question *q, const char *text)
{
	uint16_t file = source_add(&q->sources, "t", text, strlen(text));
	int r = script_parse(&q->script, file, &q->diags);

	if (!r)
		r = script_check(&q->script, &q->env, &q->diags);
	diag_flush(&q->diags, &q->reporter);
	return r;
}

/* Scripts that make little sense: some are refused, none may do harm. They are given odd_params. */
static const char *const odd_params[] = { "12", "-3", "word" };
static const char *const odd_scripts[] = {
	"fake:a { @x = str(@x); }", "fake:a { @x = min(@x); }", "fake:a { @x = count(); @y = sum(@x); }",
	"fake:a { print(print(1)); }", "fake:a { exit(exit()); }", "fake:a { print(@x[@x[@x[1]]]); }",
	"fake:a { delete(@x, @x); }", "fake:a { delete(@x[@x]); }", "fake:a { delete(@); }", "fake:a { delete(@, ()); }",
	"fake:a { print(has_key(@x, has_key(@x, 1))); }", "fake:a { @x[1] = 1; @x[has_key(@x, 1)] = delete(@x, 1); }",
	"fake:a { print(str($1, $2)); }", "fake:a { print(str($99)); }", "fake:a { print(str($#)); }",
	"fake:a { print(getopt($1)); }", "fake:a { print(getopt(\"\")); }", "fake:a { print(getopt(\"a\", (1, 2))); }",
	"fake:a { print(kaddr(\"\")); }", "fake:a { print(kaddr(\"a\\0b\")); }", "fake:a { print(kaddr($1)); }",
	"fake:a { print(pid(pid)); }", "fake:a { print(nsecs(nsecs)); }", "fake:a { print(pid(\"a\")); }",
	"fake:a { print(bswap(true)); print(bswap(-1)); print(bswap(@x)); }", "fake:a { time(\"\"); time(\"%\"); }",
	"fake:a { @ = hist(1, true); }", "fake:a { @ = hist(1, -1); }", "fake:a { @ = hist(@); }",
	"fake:a { @ = lhist(1, $1, $2, $3); }", "fake:a { @ = lhist(1, \"a\", 2, 3); }",
	"fake:a { @ = lhist(0, 0, 0xffffffffffffffff, 1); }", "fake:a { print(is_str(is_str)); print(is_str(@x)); }",
	"fake:a { print(strlen(@x)); }", "fake:a { print(strlen(1)); print(strlen(\"\")); print(strlen((1, 2))); }",
	"fake:a { print(str(str(str(comm)))); }", "fake:a { print(uptr(uptr(1))); print(kptr(@x)); }",
	"fake:a { print(comm[0]); }", "fake:a { print(probe.x); }", "fake:a { print(curtask.pid); print(*curtask); }",
	"fake:a { clear(@x[1]); zero(pid); clear(); }", "fake:a { print(); printf(); }", "fake:a { print(ncpus = 1); }",
	"fake:a /count()/ { exit }", "fake:a /probe/ { exit() }", "fake:a { for ($x : @y) { print($x); delete(@y, $x.0); } }",
	NULL,
};

#endif
