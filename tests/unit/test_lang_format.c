/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formats: what they compile to, and which arguments fit. */
#include "lang.h"

#include "lang/format.h"

/* Compile the first string of a script, as the checker does. */
static const struct format *compile(struct parsed *p, const char *text)
{
	const struct expr *call;

	parse_text(p, text);
	assert_int_equal(p->err, 0);
	call = p->script.clauses.v[0]->body.v[0]->value;
	return format_compile(p->arena, &p->diags, call->args.v[0]->str, call->args.v[0]->str_len,
			      call->args.v[0]->span);
}

static void pieces(void **state)
{
	struct parsed p;
	const struct format *f = compile(&p, "BEGIN { printf(\"a%%b %-08.3llx|%+ #*d%rx%rh%rz\\n\") }");
	const struct format_piece *v;

	(void)state;
	assert_non_null(f);
	v = f->pieces.v;
	assert_int_equal(f->pieces.n, 6);
	assert_int_equal(f->nargs, 6);
	assert_string_equal(v[0].text, "a%b ");
	assert_int_equal(v[0].conv, CONV_X);
	assert_true(v[0].left && v[0].zero && !v[0].plus);
	assert_int_equal(v[0].width, 8);
	assert_int_equal(v[0].precision, 3);
	assert_int_equal(v[0].int_bytes, 8);
	assert_string_equal(v[1].text, "|");
	assert_true(v[1].plus && v[1].space && v[1].alt && v[1].width_arg);
	assert_int_equal(v[1].conv, CONV_D);
	assert_int_equal(v[1].arg, 2);
	assert_int_equal(v[1].precision, -1);
	assert_int_equal(v[2].conv, CONV_RX);
	assert_int_equal(v[3].conv, CONV_RH);
	assert_int_equal(v[4].conv, CONV_R);
	assert_int_equal(v[5].conv, CONV_TEXT);
	assert_string_equal(v[5].text, "z\n");
	parsed_end(&p);
}

static void every_conversion(void **state)
{
	struct parsed p;
	const struct format *f = compile(&p, "BEGIN { printf(\"%d%i%u%x%X%o%c%p%s%r%b%hhd%hd%ld%jd%zd\") }");
	static const enum conv convs[] = { CONV_D, CONV_D, CONV_U, CONV_X, CONV_XX, CONV_O, CONV_C, CONV_P, CONV_S,
					   CONV_R, CONV_B, CONV_D, CONV_D, CONV_D, CONV_D, CONV_D };
	static const int bytes[] = { 4, 4, 4, 4, 4, 4, 0, 0, 0, 0, 0, 1, 2, 8, 8, 8 };

	(void)state;
	assert_int_equal(f->pieces.n, 16);
	for (uint32_t i = 0; i < 16; i++) {
		assert_int_equal(f->pieces.v[i].conv, convs[i]);
		assert_int_equal(f->pieces.v[i].int_bytes, bytes[i]);
	}
	parsed_end(&p);
}

static void place_of_a_conversion(void **state)
{
	struct parsed p;
	const char *text = "BEGIN { printf(\"\\n\\x41\\033 %5d \\\" %s\") }";
	const struct format *f = compile(&p, text);

	(void)state;
	assert_int_equal(f->pieces.v[0].span.begin, strstr(text, "%5d") - text);
	assert_int_equal(f->pieces.v[0].span.end, strstr(text, "%5d") + 3 - text);
	assert_int_equal(f->pieces.v[1].span.begin, strstr(text, "%s") - text);
	parsed_end(&p);
}

static void refused(void **state)
{
	static const struct {
		const char *script, *message;
	} cases[] = {
		{ "BEGIN { printf(\"100%\") }", "unfinished" }, { "BEGIN { printf(\"%y\") }", "'%y'" },
		{ "BEGIN { printf(\"%5.2f\") }", "floating" }, { "BEGIN { printf(\"%gx\") }", "floating" },
		{ "BEGIN { printf(\"%99999d\") }", "width" }, { "BEGIN { printf(\"%.99999d\") }", "width" },
		{ "BEGIN { printf(\"%.*d\") }", "precision" }, { "BEGIN { printf(\"%\\0d\") }", "unknown" },
		{ "BEGIN { printf(\"%n\") }", "'%n'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct parsed p;

		assert_null(compile(&p, cases[i].script));
		assert_int_equal(p.diags.list.n, 1);
		assert_non_null(strstr(p.diags.list.v[0].text, cases[i].message));
		parsed_end(&p);
	}
}

static int check(struct parsed *p, const struct format *f, const struct type *const *types, uint32_t n)
{
	struct span spans[8] = { { 0 } }, call = { .begin = 8, .end = 20, .file = 1 };

	for (uint32_t i = 0; i < 8; i++)
		spans[i] = (struct span){ .begin = 20 + i, .end = 21 + i, .file = 1 };
	return format_check(f, &p->diags, "printf", types, spans, n, call);
}

static void arguments(void **state)
{
	struct parsed p;
	const struct format *f = compile(&p, "BEGIN { printf(\"%d %s %r %c %p\") }");
	const struct type *string = type_string(p.arena, 6), *buffer = type_buffer(p.arena, 8);
	const struct type *pointer = type_pointer(p.arena, &type_none, SPACE_KERNEL);
	const struct type *good[] = { &type_int8, string, buffer, &type_uint8, pointer };
	const struct type *odd[] = { pointer, &type_bool, buffer, &type_uint8, &type_uint64 };
	const struct type *unknown[] = { &type_none, &type_none, &type_none, &type_none, &type_none };
	const struct type *bad[] = { string, type_agg(p.arena, TY_HIST, true, (int64_t[3]){ 0 }), string, string, buffer };

	(void)state;
	assert_int_equal(check(&p, f, good, 5), 0);
	assert_int_equal(check(&p, f, odd, 5), 0);
	assert_int_equal(check(&p, f, unknown, 5), 0);
	assert_int_equal(p.diags.list.n, 0);
	assert_int_not_equal(check(&p, f, bad, 5), 0);
	assert_int_equal(p.diags.list.n, 5);
	assert_string_equal(p.diags.list.v[0].text,
			    "printf: conversion %d of argument 1 needs an integer, not string[6]");
	assert_int_not_equal(check(&p, f, good, 3), 0);
	assert_string_equal(p.diags.list.v[5].text, "printf: the format takes 5 arguments, 3 are given");
	parsed_end(&p);
}

static void surplus_argument(void **state)
{
	struct parsed p;
	const struct format *f = compile(&p, "BEGIN { printf(\"%d\") }");
	const struct type *types[] = { &type_int8, &type_int8 };

	(void)state;
	assert_int_not_equal(check(&p, f, types, 2), 0);
	assert_string_equal(p.diags.list.v[0].text, "printf: the format takes 1 argument, 2 are given");
	assert_int_equal(p.diags.list.v[0].span.begin, 8);
	parsed_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces), cmocka_unit_test(every_conversion),
		cmocka_unit_test(place_of_a_conversion), cmocka_unit_test(refused), cmocka_unit_test(arguments),
		cmocka_unit_test(surplus_argument),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
