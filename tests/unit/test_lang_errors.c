/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Syntax errors: said once, at their place, saying what was expected; several at once; no cascades. */
#include "lang.h"

#include "base/util.h"

struct wrong {
	const char *script;
	/* "line:col message" of each, in order; parts of messages suffice. */
	const char *errors[6];
};

static const struct wrong cases[] = {
	{ "BEGIN { print(1; }", { "1:16 expected ')' to close the argument list, found ';'" } },
	{ "BEGIN { print(1 }", { "1:17 expected ')' to close the argument list, found '}'" } },
	{ "BEGIN { @a[1 = 2; }", { "1:14 expected ']' to close the map's key" } },
	{ "BEGIN { @a[] = 2; }", { "1:12 expected a key" } },
	{ "BEGIN { print((1, 2; }", { "1:20 expected ')' to close the tuple" } },
	{ "BEGIN { $x = ; print(1) }", { "1:14 expected an expression, found ';'" } },
	{ "BEGIN { $x = 1 +; $y = * }", { "1:17 expected an expression", "1:26 expected an expression" } },
	{ "BEGIN { print(1)\n print(2) }", { "1:17 expected ';' after the statement, found 'print'" } },
	{ "BEGIN { print(1);", { "1:7 this '{' is never closed" } },
	{ "BEGIN { if (1) { print(1);", { "1:16 this '{' is never closed" } },
	{ "BEGIN { print((1", { "1:15 this '(' is never closed" } },
	{ "BEGIN { print(\"abc); }\nEND { $x = }", { "1:15 this string is not closed", "2:12 expected an expression" } },
	{ "BEGIN { print('abc'); }", { "1:15 strings are written with double quotes" } },
	{ "BEGIN { /* never\n print(1); }", { "1:9 this comment is never closed" } },
	{ "BEGIN { print(\"a\\qb\"); }", { "1:17 unknown escape '\\q'" } },
	{ "BEGIN { print(\"\\xg\"); }", { "1:16 hexadecimal digits" } },
	{ "BEGIN { print(08); print(1.5); print(1e-3); print(10foo) }",
	  { "1:16 digit '8' in an octal", "1:26 numbers are integers", "1:38 numbers are integers",
	    "1:53 'foo' cannot follow the number 10" } },
	{ "BEGIN { print(99999999999999999999); print(1e30); print(300000d) }",
	  { "1:15 does not fit 64 bits", "1:44 does not fit", "1:57 does not fit" } },
	{ "BEGIN { print($0); print($); }", { "1:15 '$0' is not a positional", "1:26 a name or a number must follow" } },
	{ "BEGIN { if ($x = 1) { } }", { "1:16 expected ')'" } },
	{ "BEGIN { if $x = 1 { } }", { "1:15 '=' assigns; a condition compares with '=='" } },
	{ "kprobe:f /pid = 1/ { }", { "1:15 '=' assigns; a predicate compares" } },
	{ "kprobe:f /pid == 1 { }", { "1:20 expected '/' to end the predicate, found '{'" } },
	{ "kprobe:f /pid == / { }", { "1:18 expected an expression" } },
	{ "{ print(1) }\nEND { $x = }", { "1:1 expected a probe, found '{'", "2:12 expected an expression" } },
	{ "print(1);\nEND { $x = }", { "1:6 expected '{' to begin the action, found '('", "2:12 expected an expression" } },
	{ "BEGIN print(1) }", { "1:7 expected '{' to begin the action, found 'print'" } },
	{ "BEGIN,, { }", { "1:7 expected a probe, found ','" } },
	{ "BEGIN { } }", { "1:11 this '}' closes nothing" } },
	{ "BEGIN", { "1:6 expected '{' to begin the action, found the end of the script" } },
	{ "BEGIN { if (1) { print(1);\nkprobe:f { print(2) }\nEND { $x = }",
	  { "2:1 a probe cannot begin inside an action", "3:12 expected an expression" } },
	{ "BEGIN { if (1) print(1); }", { "1:16 expected '{' to begin the body of 'if', found 'print'" } },
	{ "BEGIN { if (1) { } else print(1); }", { "1:25 expected '{' to begin the body of 'else'" } },
	{ "BEGIN { for (1) { } for ($x : 5) { } for ($x) { } }",
	  { "1:14 expected a variable after 'for'", "1:31 'for' goes over a map or a range", "1:45 expected ':'" } },
	{ "BEGIN { let x = 1; let @a = 1; }", { "1:13 expected a variable to declare", "1:24 maps are declared outside" } },
	{ "BEGIN { $x.a = 1; pid = 1; 5 = 1; $a = $b = 1; }",
	  { "1:9 this cannot be assigned to", "1:19 'pid' cannot be assigned to", "1:28 only variables and maps",
	    "1:43 an assignment has no value" } },
	{ "BEGIN { 5++; ++pid; }", { "1:9 '++' needs a variable or a map", "1:16 '++' needs" } },
	{ "BEGIN { $x.; $x->5a; }", { "1:12 expected the name of a member after '.'", "1:19 'a' cannot follow" } },
	{ "BEGIN { $x = (uint8[99999999999])$y }", { "1:21 an array cannot be that long" } },
	{ "BEGIN { $x = 1 ? 2; }", { "1:19 expected ':' between the two values" } },
	{ "BEGIN { sizeof 1; offsetof(struct s); }", { "1:16 expected '(' after sizeof", "1:36 expected ',' and the name" } },
	{ "BEGIN { print(`); \x01\x02 }", { "1:15 unexpected character '`'", "1:19 unexpected byte 0x01" } },
	{ "BEGIN { #define X 1\n }", { "1:9 a # directive cannot stand here" } },
	{ "config = { a; b = ; c = 1 d = 2 }\nBEGIN { }",
	  { "1:13 expected '=' after the name", "1:19 expected a value for 'b'", "1:27 expected ';' after the setting" } },
	{ "config = { a = 1\nBEGIN { }", { "1:10 this '{' is never closed" } },
	{ "BEGIN { } config = { a = 1 }", { "1:11 the configuration must stand before" } },
	{ "let $x = 1; let @a; let @b = 5; let @c = hash(10", { "1:5 variables belong to an action", "1:19 expected '='",
	  "1:30 expected the kind", "1:46 this '(' is never closed" } },
	{ "import 5; BEGIN { $x = }", { "1:8 expected the path", "1:24 expected an expression" } },
	{ "macro (a) { } macro m(1) { } macro n(a { }\nBEGIN { $x = }",
	  { "1:7 expected the name of the macro", "1:23 expected a parameter", "1:40 expected ')' to close the parameters",
	    "2:14 expected an expression" } },
	{ "fn f($a) : int64 { } fn g() { }", { "1:8 expected ':' and the type", "1:29 expected ':' and the type" } },
	{ "struct foo { int x;", { "1:1 this struct is never closed" } },
	{ "BEGIN { print(1,\n  pid tid,\n  comm);\n  $x = }", { "2:7 expected ')'", "4:8 expected an expression" } },
};

static void diags_compare(const struct wrong *w, struct parsed *p)
{
	uint32_t n = 0;

	while (n < ARRAY_SIZE(w->errors) && w->errors[n])
		n++;
	for (uint32_t i = 0; i < n || i < p->diags.list.n; i++) {
		const struct diag *one = i < p->diags.list.n ? &p->diags.list.v[i] : NULL;
		uint32_t line = 0, col = 0;
		char place[64];

		if (one)
			span_locate(&p->sources, one->span, &line, &col);
		snprintf(place, sizeof(place), "%u:%u ", line, col);
		if (i < n && one && str_starts(w->errors[i], place) && strstr(one->text, w->errors[i] + strlen(place)))
			continue;
		fail_msg("in: %s\nexpected: %s\nfound: %s%s", w->script, i < n ? w->errors[i] : "nothing more",
			 place, one ? one->text : "nothing");
	}
}

static void each_once_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed p;

		parse_text(&p, cases[i].script);
		assert_int_not_equal(p.err, 0);
		diags_compare(&cases[i], &p);
		parsed_end(&p);
	}
}

static void what_is_right_is_kept(void **state)
{
	struct parsed p;

	(void)state;
	parse_text(&p, "BEGIN { print(1; print(2) } kprobe:f { $x = ; $y = 2; } END { }");
	assert_int_equal(p.script.clauses.n, 3);
	assert_int_equal(p.script.clauses.v[1]->body.n, 1);
	parsed_end(&p);
}

static void rendering(void **state)
{
	struct parsed p;

	(void)state;
	parse_text(&p, "BEGIN {\n\tprint(\"\xc3\xa4\", pid = 1);\n}");
	assert_int_equal(p.diags.list.n, 1);
	assert_string_equal(diag_render(&p.diags, &p.diags.list.v[0]),
			    "t.bt:2:18: error: expected ')' to close the argument list, found '='\n"
			    "  2 | \tprint(\"\xc3\xa4\", pid = 1);\n"
			    "    | \t               ^\n"
			    "hint: to compare, write '=='; assignments are statements");
	parsed_end(&p);
}

static void collect(void *ctx, enum severity sev, const char *text, const char *hint)
{
	struct strbuf *out = ctx;

	(void)hint;
	strbuf_addf(out, "%d %s\n", sev, text);
}

static void order_repetition_and_limit(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	struct reporter r = { collect, &out };
	struct parsed p;

	(void)state;
	parsed_begin(&p);
	p.diags.most_errors = 2;
	source_add(&p.sources, "t.bt", "abc\ndef", 7);
	diag_error(&p.diags, (struct span){ 4, 5, 1 }, "second");
	diag_error(&p.diags, (struct span){ 4, 5, 1 }, "second");
	diag_hint(&p.diags, "lost");
	diag_warn(&p.diags, (struct span){ 0, 3, 1 }, "first");
	diag_error(&p.diags, (struct span){ 0 }, "nowhere");
	diag_error(&p.diags, (struct span){ 6, 7, 1 }, "too many");
	diag_hint(&p.diags, "lost");
	assert_int_equal(p.diags.nerrors, 3);
	diag_flush(&p.diags, &r);
	assert_string_equal(out.s, "0 nowhere\n"
			    "1 t.bt:1:1: warning: first\n  1 | abc\n    | ^~~\n"
			    "0 t.bt:2:1: error: second\n  2 | def\n    | ^\n"
			    "2 1 more errors are not shown\n");
	parsed_end(&p);
}

static void control_characters_and_long_lines(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct parsed p;
	const char *shown;

	(void)state;
	strbuf_addstr(&text, "BEGIN { print(\"\x1b[31m\"); ");
	for (int i = 0; i < 500; i++)
		strbuf_addstr(&text, "print(1); ");
	strbuf_addstr(&text, "$x = ; }");
	parse_text(&p, text.s);
	shown = diag_render(&p.diags, &p.diags.list.v[0]);
	assert_null(strchr(shown, '\x1b'));
	assert_true(strlen(shown) < 500);
	assert_non_null(strstr(shown, "| ..."));
	parsed_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_once_at_its_place), cmocka_unit_test(what_is_right_is_kept),
		cmocka_unit_test(rendering), cmocka_unit_test(order_repetition_and_limit),
		cmocka_unit_test(control_characters_and_long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
