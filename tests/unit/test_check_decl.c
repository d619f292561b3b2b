/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands before the probes: C declarations, config, macros; and parameters of the command line. */
#include "check_fakes.h"

#include <cmocka.h>

static const char *const params[] = { "42", "x y", "-7", "0x10", "tcp" };

static void run(struct checked *q, const char *text)
{
	checked_init(q);
	q->env.params = params;
	q->env.nparams = ARRAY_SIZE(params);
	checked_run(q, text, strlen(text));
}

/* print(CONSTANT) in the first probe: what it is after checking. */
static const struct expr *printed(const struct checked *q, uint32_t i)
{
	return q->script.units.v[0]->clause->body.v[i]->value->args.v[0];
}

static void printed_int(const char *head, const char *what, int64_t value)
{
	struct checked q;
	char text[1024];

	snprintf(text, sizeof(text), "%s\nbegin { print(%s); }", head, what);
	run(&q, text);
	if (q.err)
		print_message("%s\n%s\n", text, q.said.s);
	assert_int_equal(q.err, 0);
	assert_int_equal(printed(&q, 0)->kind, EX_INT);
	assert_int_equal((int64_t)printed(&q, 0)->num, value);
	checked_free(&q);
}

static void printed_string(const char *head, const char *what, const char *value)
{
	struct checked q;
	char text[1024];

	snprintf(text, sizeof(text), "%s\nbegin { print(%s); }", head, what);
	run(&q, text);
	assert_int_equal(q.err, 0);
	assert_int_equal(printed(&q, 0)->kind, EX_STR);
	assert_string_equal(printed(&q, 0)->str, value);
	checked_free(&q);
}

static void said(const char *text, const char *wanted)
{
	struct checked q;

	run(&q, text);
	if (strcmp(q.said.s, wanted))
		print_message("%s\n", text);
	assert_string_equal(q.said.s, wanted);
	checked_free(&q);
}

static void test_layout(void **unused)
{
	static const char head[] =
		"struct in { char c; long l; };\n"
		"struct foo { int a; char name[5]; struct foo *next; u64 b : 3, c : 61, d : 2; unsigned int : 0;\n"
		"  union { short x; struct { char y, z; }; }; struct in in[2]; int (*fn)(int, char *); char *s; };\n"
		"struct packed { char a; int b; } __attribute__((packed));\n"
		"struct bits { unsigned a : 4; unsigned b : 30; unsigned char c; };\n"
		"union u { char a[6]; int b; };\n"
		"typedef struct { int z; } zt;\ntypedef unsigned long ulong_t, *ulong_p;\nstruct t { ulong_t u; ulong_p p; };";

	(void)unused;
	printed_int(head, "sizeof(struct in)", 16);
	printed_int(head, "offsetof(struct foo, name)", 4);
	printed_int(head, "offsetof(struct foo, next)", 16);
	printed_int(head, "offsetof(struct foo, x)", 36);
	printed_int(head, "offsetof(struct foo, z)", 37);
	printed_int(head, "offsetof(struct foo, in)", 40);
	printed_int(head, "offsetof(struct foo, fn)", 72);
	printed_int(head, "sizeof(struct foo)", 88);
	printed_int(head, "sizeof(struct packed)", 5);
	printed_int(head, "offsetof(struct packed, b)", 1);
	printed_int(head, "sizeof(struct bits)", 12);
	printed_int(head, "offsetof(struct bits, c)", 8);
	printed_int(head, "sizeof(union u)", 8);
	printed_int(head, "sizeof(zt)", 4);
	printed_int(head, "sizeof(struct t)", 16);
}

static void test_constants(void **unused)
{
	static const char head[] =
		"#define N (1 << 4 | 3)\n#define S \"a\\tb\"\n#ifdef N\n#define M N\n#else\n#define M 0\n#endif\n"
		"#if N > 3 && defined(M)\n#define K 1\n#elif 1\n#define K 2\n#endif\n#ifndef BPFTRACE_HAVE_BTF\n#include <x.h>\n#endif\n"
		"enum e { A, B = N * 2, C, D = -1 };";

	(void)unused;
	printed_int(head, "N", 19);
	printed_int(head, "M + 1", 20);
	printed_int(head, "A", 0);
	printed_int(head, "C", 39);
	printed_int(head, "D", -1);
	printed_string(head, "S", "a\tb");
}

static void test_members(void **unused)
{
	static const char text[] =
		"struct foo { int a; char n[16]; struct foo *next; u64 b : 3; struct { u8 q[4]; } in; };\n"
		"fn:x { $f = (struct foo *)arg0; @a = $f.a; @n = $f->n; @b = $f.next.next->b; @q = $f.in.q[2]; @s = *$f; }";
	struct checked q;

	(void)unused;
	run(&q, text);
	if (q.err)
		print_message("%s\n", q.said.s);
	assert_int_equal(q.err, 0);
	assert_string_equal(type_name(q.arena, q.script.maps.v[0]->value), "int32");
	assert_string_equal(type_name(q.arena, q.script.maps.v[1]->value), "string[16]");
	assert_string_equal(type_name(q.arena, q.script.maps.v[2]->value), "uint64");
	assert_string_equal(type_name(q.arena, q.script.maps.v[3]->value), "uint8");
	assert_string_equal(type_name(q.arena, q.script.maps.v[4]->value), "struct foo");
	checked_free(&q);
	said("struct foo { int pid; };\nfn:x { print(((struct foo *)arg0).pod); }",
	     "2:35: error: struct foo has no member 'pod'\n  hint: did you mean 'pid'?\n");
	said("struct foo { nosuch x; };\nbegin { }", "1:14: error: there is no type 'nosuch'\n");
	said("struct foo { int x[-1]; };\nbegin { }", "1:23: error: an array of -1 elements is too large\n");
	said("#include <linux/fs.h>\nbegin { }", "");
	said("#include \"no/such.h\"\nbegin { }", "1:10: error: cannot read no/such.h: No such file or directory\n");
	said("#define F(x) x\nbegin { print(F(1)); }", "");
	said("#define F(x) do { x; } while (0)\nbegin { }",
	     "1:1: warning: the C macro F is no expression of this language and is left out\n"
	     "  hint: write it as: macro F(...) { ... }\n");
}

static void test_config(void **unused)
{
	struct checked q;

	(void)unused;
	run(&q, "config = { max_strlen = 64; BPFTRACE_MAX_MAP_KEYS = 7; stack_mode = perf; missing_probes = \"warn\"; "
		"print_maps_on_exit = false } begin { }");
	assert_int_equal(q.err, 0);
	assert_int_equal(q.env.config.max_strlen, 64);
	assert_int_equal(q.env.config.max_map_keys, 7);
	assert_string_equal(q.env.config.stack_mode, "perf");
	assert_int_equal(q.env.config.missing_probes, MISSING_WARN);
	assert_false(q.env.config.print_maps_on_exit);
	checked_free(&q);
	said("config = { max_strln = 4 } begin { }",
	     "1:12: error: Unrecognized config variable: max_strln\n  hint: did you mean 'max_strlen'?\n");
	said("config = { max_strlen = 0 } begin { }", "1:25: error: max_strlen takes a number from 1 to 1048576\n");
	said("config = { stack_mode = foo } begin { }",
	     "1:25: error: stack_mode takes one of bpftrace, perf, raw, build_id\n");
	said("config = { max_strlen = 4 } begin { $s = \"abcdef\"; }",
	     "1:37: error: this string of 7 bytes is longer than max_strlen, which is 4\n"
	     "  hint: config = { max_strlen = 7 }\n");
}

/* What the environment or the command line has set, a script cannot change. */
static void test_config_order(void **unused)
{
	static const char text[] = "config = { max_strlen = 64; max_probes = 5 } begin { }";
	struct checked q;

	(void)unused;
	checked_init(&q);
	assert_int_equal(setenv("BPFTRACE_MAX_STRLEN", "200", 1), 0);
	assert_int_equal(config_environment(&q.env.config, q.arena, NULL), 0);
	unsetenv("BPFTRACE_MAX_STRLEN");
	assert_int_equal(config_set(&q.env.config, q.arena, "SONDE_max_cat_bytes", "9", NULL), 0);
	assert_int_equal(config_set(&q.env.config, q.arena, "nosuch", "9", NULL), -EINVAL);
	assert_int_equal(config_set(&q.env.config, q.arena, "max_probes", "-3", NULL), -EINVAL);
	checked_run(&q, text, strlen(text));
	assert_int_equal(q.env.config.max_strlen, 200);
	assert_int_equal(q.env.config.max_cat_bytes, 9);
	assert_int_equal(q.env.config.max_probes, 5);
	checked_free(&q);
}

static void test_params(void **unused)
{
	static struct named_param named[] = { { .name = "verbose" } };
	struct checked q;

	(void)unused;
	printed_int("", "$1", 42);
	printed_int("", "$3 * 2", -14);
	printed_int("", "$4", 16);
	printed_int("", "$9", 0);
	printed_int("", "$#", 5);
	printed_string("", "$2", "x y");
	printed_string("", "$5 + 1", "cp");
	run(&q, "begin { if (comm == $1) { print(1); } }"); /* texts are compared, though it looks like a number */
	assert_int_equal(q.err, 0);
	checked_free(&q);
	checked_init(&q);
	q.env.named = named;
	q.env.nnamed = 1;
	checked_run(&q, "begin { }", 9);
	assert_string_equal(q.said.s, "0:0: error: unexpected program command line options: --verbose\n"
				      "  hint: expected program options: none\n");
	checked_free(&q);
}

static void test_macros(void **unused)
{
	static const char head[] = "macro one() { 1 } macro add(x, y) { x + y } macro two(x) { add(x, one) }";
	struct checked q;

	(void)unused;
	printed_int(head, "one", 1);
	printed_int(head, "one()", 1);
	printed_int(head, "add(2, 3) * 2", 10);
	printed_int(head, "two(two(5))", 7);
	/* variables of a macro are its own */
	run(&q, "macro m($v, @s) { let $x = 5; $v += $x; @s = $v; $x } begin { $x = \"text\"; $q = 1; $r = m($q, @t); }");
	if (q.err)
		print_message("%s\n", q.said.s);
	assert_int_equal(q.err, 0);
	checked_free(&q);
	said("macro m() { @x++ } begin { m(); }", "1:13: error: a macro only sees the maps it is given: @x is no parameter of m\n");
	said("macro m($v) { $v++ } begin { m(5); }", "1:15: error: ++ needs a variable or a map\n");
	said("macro m(@v) { @v++ } begin { m(5); }", "1:32: error: @v of the macro m takes a whole map\n");
	said("macro m(a) { a } begin { m(); }", "1:26: error: the macro m takes 1 argument, not 0\n");
	said("macro m() { m() } begin { m(); }", "1:27: error: the macro m calls itself\n");
	said("macro m() { $x } begin { $x = 1; m(); }", "1:34: error: $x has no value here\n"
	     "  hint: a macro sees its own variables and its parameters, not those around its call\n");
}

/* Macros that grow without end are stopped, in memory as in depth. */
static void test_macro_bombs(void **unused)
{
	struct strbuf wide = STRBUF_INIT, high = STRBUF_INIT;
	struct checked q;

	(void)unused;
	strbuf_addstr(&wide, "macro d(x) { x + x } begin { @ = ");
	strbuf_addstr(&high, "macro h(x) { ((1 + (2 + (3 + (4 + (5 + (6 + (7 + (8 + (9 + x)))))))))) } begin { @ = ");
	for (int i = 0; i < 200; i++) {
		strbuf_addstr(&wide, i < 40 ? "d(" : "");
		strbuf_addstr(&high, "h(");
	}
	strbuf_addstr(&wide, "pid");
	strbuf_addstr(&high, "pid");
	strbuf_fill(&wide, ')', 40);
	strbuf_fill(&high, ')', 200);
	strbuf_addstr(&wide, "; }");
	strbuf_addstr(&high, "; }");
	run(&q, wide.s);
	assert_non_null(strstr(q.said.s, "the macro d makes too much of this"));
	checked_free(&q);
	run(&q, high.s);
	assert_non_null(strstr(q.said.s, "the macro h makes too much of this"));
	checked_free(&q);
	strbuf_free(&wide);
	strbuf_free(&high);
}

static void test_refused(void **unused)
{
	(void)unused;
	said("fn f($a: int64): int64 { return -f($a); } begin { }",
	     "1:34: error: recursion: f() is called while it runs, and the call stack of more than 8 frames is too deep "
	     "for the kernel\n  hint: a loop (while, for) can often do the same, and so can return f(...) where nothing is left "
	     "to do\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_config_order),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_macros),
		cmocka_unit_test(test_macro_bombs),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
