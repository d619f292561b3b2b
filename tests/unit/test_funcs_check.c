/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks of functions: what is accepted, what is refused with which words, what becomes a constant. */
#include "funcs.h"

#include <string.h>

/* The body is refused, and the message has all of these words (split at '|'). */
static void refuse(const char *body, const char *words)
{
	struct question q;
	char *copy = strdup(words), *save = NULL;

	question_begin(&q);
	if (!question_check(&q, body))
		fail_msg("accepted: %s", body);
	for (char *word = strtok_r(copy, "|", &save); word; word = strtok_r(NULL, "|", &save)) {
		if (!strstr(q.said.s, word))
			fail_msg("%s\nis not refused with '%s' but:\n%s", body, word, q.said.s);
	}
	free(copy);
	question_end(&q);
}

static void accept_all(const char *const *bodies)
{
	for (; *bodies; bodies++) {
		struct question q;

		question_begin(&q);
		if (question_check(&q, *bodies))
			fail_msg("refused: %s\n%s", *bodies, q.said.s);
		question_end(&q);
	}
}

static void test_table(void **state)
{
	uint32_t n = 0;

	(void)state;
	for (const struct func_def *const *family = func_families; *family; family++) {
		for (const struct func_def *f = *family; f->name; f++, n++) {
			assert_true(f->signature && strstr(f->signature, f->name));
			assert_true(f->summary && *f->summary);
			assert_true(f->min_args <= f->max_args);
			assert_true(f->check || f->type);
			assert_true(f->emit || f->check);
			assert_true(!(f->flags & FUNC_ASYNC) == !f->act);
			assert_ptr_equal(func_find(func_families, f->name), f);
		}
	}
	assert_true(n > 40);
	assert_null(func_find(func_families, "no such function"));
}

static void test_accepted(void **state)
{
	static const char *const bodies[] = {
		"fake:a { @ = count(); @a = sum(1); @b = min(-1); @c = max(2); @d = avg(3); @e = stats(4); }",
		"fake:a { @ = hist(5); @b = hist(5, 5); @c = lhist(5, -10, 10, 2); }",
		"fake:a { @x[pid] = sum(-1); @x[pid] = sum(1); }",
		"fake:a { print(pid); print(tid()); print(pid(init)); print(tid(curr_ns)); print(comm); }",
		"fake:a { print((uid, gid, cpu, numaid, rand, cgroup, ncpus, jiffies, elapsed)); print(curtask); }",
		"fake:a { print(nsecs); print(nsecs()); print(nsecs(monotonic)); print(nsecs(boot)); print(nsecs(sw_tai)); }",
		"fake:a { print(probe); time(); time(\"%H\\n\"); }",
		"words:a { print(arg0 + arg9); }",
		"fake:a { @x[1] = 1; print(@x); print(@x, 5); print(@x, 5, 2); print(@x[1]); clear(@x); zero(@x); }",
		"fake:a { @h[1] = hist(1); print(@h[1]); @c[1] = count(); print(@c[1]); }",
		"fake:a { @x[1, \"a\"] = 1; delete(@x, (1, \"a\")); delete(@x[1, \"a\"]); if (has_key(@x, (1, \"b\"))) { exit(); } }",
		"fake:a { @s = 1; delete(@s); if (delete(@s)) { exit(3); } }",
		"fake:a { print(str(curtask)); print(str(uptr(curtask), 10)); print(str(\"abc\")); print(str(kptr(1), pid)); }",
		"fake:a { print(is_str(comm)); print(is_integer(pid)); print(is_literal(1)); print(bswap(pid)); }",
		"fake:a { print(getopt(\"a\")); print(getopt(\"b\", 1)); print(getopt(\"c\", \"x\", \"what it is\")); }",
		NULL,
	};

	(void)state;
	accept_all(bodies);
}

static void test_aggregates_refused(void **state)
{
	(void)state;
	refuse("fake:a { @ = sum(comm); }", "t:1:|sum|string");
	refuse("fake:a { @ = sum(); }", "t:1:|sum(int n)");
	refuse("fake:a { @ = hist(1, 6); }", "from 0 to 5");
	refuse("fake:a { @ = hist(1, pid); }", "hist");
	refuse("fake:a { @ = lhist(1, 0, 10, 0); }", "step|above 0");
	refuse("fake:a { @ = lhist(1, 0, 10, -1); }", "step|above 0");
	refuse("fake:a { @ = lhist(1, 10, 10, 1); }", "from 10 to 10");
	refuse("fake:a { @ = lhist(1, 0, 10, 20); }", "wider");
	refuse("fake:a { @ = lhist(1, 0, 100000, 1); }", "100000 buckets|hint: ");
	refuse("fake:a { @ = lhist(1, -9223372036854775807, 9223372036854775807, 1); }", "buckets");
	refuse("fake:a { @ = lhist(1, 0, 10); }", "lhist(int n, int min, int max, int step)");
	refuse("fake:a { @ = count(); @ = sum(1); }", "count");
	refuse("fake:a { $x = count(); }", "count");
}

static void test_words_refused(void **state)
{
	(void)state;
	refuse("fake:a { print(nsecs(monotonik)); }", "boot, monotonic, tai, sw_tai|'monotonic'");
	refuse("fake:a { print(pid(1)); }", "curr_ns, init");
	refuse("fake:a { print(arg0); }", "fake|arg0");
	refuse("words:a { print(arg12); }", "arg12");
}

static void test_output_refused(void **state)
{
	(void)state;
	refuse("fake:a { print(1, 2); }", "whole maps");
	refuse("fake:a { @x[1] = 1; print(@x[1], 2); }", "whole maps");
	refuse("fake:a { @x[1] = 1; print(@x, -1); }", "-1");
	refuse("fake:a { @x[1] = 1; print(@x, 1, 0); }", "divide by 0");
	refuse("fake:a { print(exit()); }", "exit");
	refuse("fake:a { clear(1); }", "clear");
	refuse("fake:a { exit(\"no\"); }", "exit|string");
	refuse("fake:a { time(5); }", "time");
	refuse("fake:a { printf(5); }", "printf");
	refuse("fake:a { printf(\"%s\"); }", "t:1:");
}

static void test_maps_refused(void **state)
{
	(void)state;
	refuse("fake:a { @x[1] = 1; delete(@x); }", "delete");
	refuse("fake:a { @x[1] = 1; delete(@x[1], 1); }", "twice");
	refuse("fake:a { @x[1] = 1; delete(@x, \"a\"); }", "@x");
	refuse("fake:a { delete(1); }", "delete() takes a map");
	refuse("fake:a { @x = 1; print(has_key(@x, 1)); }", "@x");
	refuse("fake:a { @x[1] = 1; print(has_key(@x)); }", "has_key(@map, key)");
}

static void test_strings_and_addresses_refused(void **state)
{
	(void)state;
	refuse("fake:a { print(str()); }", "str(");
	refuse("fake:a { print(str((1, 2))); }", "str");
	refuse("fake:a { print(str(curtask, -1)); }", "negative");
	refuse("fake:a { print(str(curtask, \"a\")); }", "str");
	refuse("fake:a { print(kaddr(\"no_such_symbol_here\")); }", "no_such_symbol_here|/proc/kallsyms");
	refuse("fake:a { print(kaddr(pid)); }", "kaddr");
	refuse("fake:a { print(uptr(comm)); }", "uptr");
	refuse("fake:a { print(bswap(comm)); }", "bswap");
}

/* Odd but not fatal: whatever the verdict, checking ends and nothing is touched that is not there. */
static void test_odd_scripts(void **state)
{
	(void)state;
	for (const char *const *body = odd_scripts; *body; body++) {
		struct question q;
		int r;

		question_begin(&q);
		q.env.params = odd_params;
		q.env.nparams = ARRAY_SIZE(odd_params);
		r = question_check(&q, *body);
		if (r && !q.said.len)
			fail_msg("refused without a word: %s", *body);
		question_end(&q);
	}
}

static void test_length_beyond_max_strlen_warns(void **state)
{
	struct question q;

	(void)state;
	question_begin(&q);
	assert_int_equal(question_check(&q, "fake:a { print(str(curtask, 5000)); }"), 0);
	assert_non_null(strstr(q.said.s, "max_strlen=5000"));
	question_end(&q);
}

/* The value argument of the first print() of the script. */
static const struct expr *printed(const struct question *q)
{
	const struct clause *clause = q->script.units.v[0]->clause;

	return clause->body.v[0]->value->args.v[0];
}

/* The expression, with at most one named parameter given, is this constant. */
static void check_const_given(const char *expr, const char *name, const char *value, enum expr_kind kind, int64_t num,
			      const char *text)
{
	struct named_param given = { .name = name, .value = value };
	struct question q;
	char *body;

	question_begin(&q);
	q.env.named = &given;
	q.env.nnamed = name != NULL;
	body = arena_printf(q.arena, "fake:a { print(%s); }", expr);
	if (question_check(&q, body))
		fail_msg("refused: %s\n%s", body, q.said.s);
	if (printed(&q)->kind != kind)
		fail_msg("%s is of kind %d, not %d", expr, printed(&q)->kind, kind);
	if (text)
		assert_string_equal(printed(&q)->str, text);
	else
		assert_int_equal((int64_t)printed(&q)->num, num);
	assert_int_equal(given.used, name != NULL);
	question_end(&q);
}

static void check_const(const char *expr, enum expr_kind kind, int64_t num, const char *text)
{
	check_const_given(expr, NULL, NULL, kind, num, text);
}

static void test_constants(void **state)
{
	(void)state;
	check_const("ncpus", EX_INT, kernel_ncpus_possible(), NULL);
	check_const("is_str(comm)", EX_BOOL, 1, NULL);
	check_const("is_str(1)", EX_BOOL, 0, NULL);
	check_const("is_integer(pid)", EX_BOOL, 1, NULL);
	check_const("is_unsigned_integer(pid)", EX_BOOL, 1, NULL);
	check_const("is_unsigned_integer(-1)", EX_BOOL, 0, NULL);
	check_const("is_ptr(curtask)", EX_BOOL, 1, NULL);
	check_const("is_array(comm)", EX_BOOL, 0, NULL);
	check_const("is_literal(\"a\")", EX_BOOL, 1, NULL);
	check_const("is_literal(pid)", EX_BOOL, 0, NULL);
	check_const("str(\"hello\")", EX_STR, 0, "hello");
	check_const("str(\"hello\", 3)", EX_STR, 0, "he");
	check_const("str(\"hello\", 50)", EX_STR, 0, "hello");
}

static void test_named_parameters(void **state)
{
	(void)state;
	check_const_given("getopt(\"a\", 1)", "a", "-5", EX_INT, -5, NULL);
	check_const_given("getopt(\"a\", 1)", "a", "0xffffffffffffffff", EX_INT, -1, NULL);
	check_const_given("getopt(\"a\")", "a", NULL, EX_BOOL, 1, NULL);
	check_const_given("getopt(\"a\")", "a", "1", EX_BOOL, 1, NULL);
	check_const_given("getopt(\"a\", true)", "a", "false", EX_BOOL, 0, NULL);
	check_const_given("getopt(\"a\", \"none\")", "a", "hello", EX_STR, 0, "hello");
	check_const("getopt(\"a\")", EX_BOOL, 0, NULL);
	check_const("getopt(\"a\", -7)", EX_INT, -7, NULL);
	check_const("getopt(\"a\", \"none\", \"words\")", EX_STR, 0, "none");
}

static void refuse_param(const char *expr, const char *value, const char *word)
{
	struct named_param given = { .name = "a", .value = value };
	struct question q;
	char *body;

	question_begin(&q);
	q.env.named = &given;
	q.env.nnamed = 1;
	body = arena_printf(q.arena, "fake:a { print(%s); }", expr);
	assert_int_not_equal(question_check(&q, body), 0);
	if (!strstr(q.said.s, word))
		fail_msg("%s\nis not refused with '%s' but:\n%s", body, word, q.said.s);
	question_end(&q);
}

static void test_named_parameters_refused(void **state)
{
	(void)state;
	refuse_param("getopt(\"a\", 1)", "5x", "--a invalid integer (value: 5x)");
	refuse_param("getopt(\"a\", 1)", "99999999999999999999", "invalid integer");
	refuse_param("getopt(\"a\", true)", "5x", "--a is a bool");
	refuse_param("getopt(\"a\", 1)", NULL, "--a=NUMBER");
	refuse_param("getopt(\"a\", \"x\")", NULL, "--a=TEXT");
	refuse_param("getopt(\"a\", pid)", "1", "default");
	refuse_param("getopt(5)", "1", "getopt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_aggregates_refused),
		cmocka_unit_test(test_words_refused),
		cmocka_unit_test(test_output_refused),
		cmocka_unit_test(test_maps_refused),
		cmocka_unit_test(test_strings_and_addresses_refused),
		cmocka_unit_test(test_odd_scripts),
		cmocka_unit_test(test_length_beyond_max_strlen_warns),
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_named_parameters),
		cmocka_unit_test(test_named_parameters_refused),
	};

	return cmocka_run_group_tests_name("funcs_check", tests, NULL, NULL);
}
