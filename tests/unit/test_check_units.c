/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How attach points become units, and what happens to those that are missing. */
#include "check_fakes.h"

#include <cmocka.h>

struct units {
	const char *script;
	const char *points; /* "a b|c": the points of each unit */
};

static const struct units cases[] = {
	{ "begin { }", "begin" },
	{ "BEGIN { } start { }", "begin|begin" },
	/* a body that looks at nothing is one for all */
	{ "tp:s:* { @[comm] = count(); }", "tp:s:open tp:s:wake tp:s:wake2" },
	/* one unit for each shape of args */
	{ "tp:s:wake* { print(args.pid); }", "tp:s:wake tp:s:wake2" },
	{ "t:s:w* /args.pid > 1/ { }", "tp:s:wake tp:s:wake2" },
	{ "tp:s:* { print(sizeof(args)); }", "tp:s:open|tp:s:wake tp:s:wake2" },
	/* one for each point when it asks which it is */
	{ "tp:s:* { @[probe] = count(); }", "tp:s:open|tp:s:wake|tp:s:wake2" },
	/* program types and kinds do not mix */
	{ "begin, tp:s:open, fn:f, fn:g { @ = count(); }", "begin|tp:s:open|fn:f fn:g" },
	/* what is named twice is there once */
	{ "tp:s:open, tp:s:o*, tp:s:open { }", "tp:s:open" },
	{ "tp:s:open { } tp:s:open { }", "tp:s:open|tp:s:open" },
	{ "tp:s:$2 { }", "tp:s:open" },
	/* missing ones */
	{ "config = { missing_probes = warn } tp:s:none, tp:s:open { }", "tp:s:open" },
	{ "config = { missing_probes = ignore } tp:s:open, tp:s:none { }", "tp:s:open" },
};

static void points_add(struct strbuf *b, const struct unit *u)
{
	if (b->len)
		strbuf_addch(b, '|');
	for (uint32_t i = 0; i < u->points.n; i++)
		strbuf_addf(b, "%s%s", i ? " " : "", u->points.v[i]->name);
}

static void test_units(void **unused)
{
	static const char *const params[] = { "1", "open" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf points = STRBUF_INIT;
		struct checked q;

		checked_init(&q);
		q.env.params = params;
		q.env.nparams = 2;
		checked_run(&q, cases[i].script, strlen(cases[i].script));
		vec_each(it, &q.script.units)
			points_add(&points, *it);
		if (q.err)
			print_message("%s\n%s\n", cases[i].script, q.said.s);
		assert_string_equal(points.s, cases[i].points);
		strbuf_free(&points);
		checked_free(&q);
	}
}

/* Units of one clause have trees of their own. */
static void test_trees_are_apart(void **unused)
{
	static const char text[] = "tp:s:* { $a = args; } tp:s:* { $b = sizeof(args); }";
	struct checked q;

	(void)unused;
	checked_init(&q);
	checked_run(&q, text, strlen(text));
	assert_int_equal(q.script.units.n, 4);
	assert_ptr_not_equal(q.script.units.v[0]->clause, q.script.units.v[1]->clause);
	assert_ptr_not_equal(q.script.units.v[0]->clause->body.v[0], q.script.units.v[1]->clause->body.v[0]);
	assert_ptr_not_equal(q.script.units.v[2]->vars.v[0], q.script.units.v[3]->vars.v[0]);
	assert_int_equal(q.script.units.v[0]->args->space, SPACE_CTX);
	checked_free(&q);
}

/* args is asked for only when a body uses it. */
static void test_args_on_demand(void **unused)
{
	struct checked q;

	(void)unused;
	checked_init(&q);
	checked_run(&q, "tp:s:open { print(pid); }", 25);
	assert_int_equal(q.err, 0);
	assert_null(q.script.units.v[0]->args);
	assert_null(q.script.units.v[0]->points.v[0]->args);
	checked_free(&q);
}

static void test_missing_is_said(void **unused)
{
	static const char warn[] = "config = { missing_probes = warn } tp:s:none, tp:s:open { }";
	static const char some[] = "config = { missing_probes = warn } tp:s:none { @a = 1 } tp:s:open { }";
	static const char none[] = "config = { missing_probes = warn } tp:s:none { }";
	struct checked q;

	(void)unused;
	checked_init(&q);
	checked_run(&q, warn, strlen(warn));
	assert_string_equal(q.said.s, "1:36: warning: Probe has no valid attach points. Nothing matches tp:s:none\n"
			    "0:0: warning: Unable to attach probe: tp:s:none. Skipping.\n");
	assert_int_equal(q.diags.nerrors, 0);
	checked_free(&q);
	checked_init(&q);
	checked_run(&q, none, strlen(none));
	assert_string_equal(q.said.s, "1:36: warning: Probe has no valid attach points. Nothing matches tp:s:none\n"
			    "0:0: warning: Unable to attach probe: tp:s:none. Skipping.\n"
				      "0:0: error: Attachment failed for all probes. None of the script's probes exists\n");
	checked_free(&q);
	checked_init(&q);
	checked_run(&q, some, strlen(some));
	assert_string_equal(q.said.s, "1:36: warning: Probe has no valid attach points. Nothing matches tp:s:none\n"
			    "0:0: warning: Unable to attach probe: tp:s:none. Skipping.\n");
	assert_int_equal(q.script.units.n, 1);
	checked_free(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_trees_are_apart),
		cmocka_unit_test(test_args_on_demand),
		cmocka_unit_test(test_missing_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
