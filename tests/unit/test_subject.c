/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subject: JSON, options, verdicts, and the reasons to kill, without a kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "subject/options.h"
#include "subject/pressure_kill.h"

/* ---- JSON ---- */

static void json_nests_and_separates(void **state)
{
	_cleanup_json_ struct json j = JSON_INIT;

	(void)state;
	json_object(&j, NULL);
	json_i64(&j, "a", -1);
	json_array(&j, "list");
	json_u64(&j, NULL, UINT64_MAX);
	json_bool(&j, NULL, true);
	json_object(&j, NULL);
	json_end(&j);
	json_end(&j);
	json_text(&j, "none", NULL);
	json_end(&j);
	assert_string_equal(j.b.s, "{\"a\": -1, \"list\": [18446744073709551615, true, {}], \"none\": null}");
}

static void json_escapes_what_is_hostile(void **state)
{
	_cleanup_json_ struct json j = JSON_INIT;

	(void)state;
	json_text(&j, NULL, "a\"b\\c\n\x01 \xc3\xa9 \xff \xe2\x82 \xf5\x80\x80\x80");
	assert_string_equal(j.b.s, "\"a\\\"b\\\\c\\u000a\\u0001 \xc3\xa9 \xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd "
			    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void json_too_deep_is_an_error(void **state)
{
	_cleanup_json_ struct json j = JSON_INIT;

	(void)state;
	for (int i = 0; i <= JSON_DEPTH; i++)
		json_array(&j, NULL);
	assert_true(j.b.failed);
}

/* ---- options ---- */

struct settings {
	bool flag;
	const char *text;
	struct text_list list;
	uint64_t number, time_ns, bytes;
	unsigned choice;
};

static const struct subject_option options[] = {
	{ 'x', "flag", NULL, "", OPTION_FLAG, offsetof(struct settings, flag) },
	{ 't', "text", "T", "", OPTION_TEXT, offsetof(struct settings, text) },
	{ 0, "list", "L", "", OPTION_LIST, offsetof(struct settings, list) },
	{ 0, "number", "N", "", OPTION_NUMBER, offsetof(struct settings, number), .least = 2, .most = 9 },
	{ 0, "time", "T", "", OPTION_TIME, offsetof(struct settings, time_ns), .least = 1000 },
	{ 0, "bytes", "B", "", OPTION_BYTES, offsetof(struct settings, bytes) },
	{ 0, "choice", "C", "", OPTION_CHOICE, offsetof(struct settings, choice), .choices = "one two" },
	{ 0 },
};

static const struct subject subject = { .name = "test", .args = "[WORD] [-- COMMAND]", .options = options };

static void on_message(void *ctx, enum sonde_severity severity, const char *text, const char *hint)
{
	(void)severity, (void)hint;
	snprintf(ctx, 256, "%s", text);
}

static char said[256];

/* Words separated by blanks. */
static int parse(struct settings *s, struct subject_run *r, const char *line)
{
	static char text[256], *words[32], *argv[32];
	int argc = 0;
	char *save = NULL;

	snprintf(text, sizeof(text), "%s", line);
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	*s = (struct settings){ 0 };
	*r = (struct subject_run){ .subject = &subject, .settings = s, .words = words, .message = on_message, .message_ctx = said };
	*said = 0;
	return options_take(r, argc, argv);
}

static void options_of_every_type(void **state)
{
	struct subject_run r;
	struct settings s;

	(void)state;
	assert_int_equal(parse(&s, &r, "-x -tword --list=a --list b --number 9 --time=1.5ms --bytes 2M --choice two w -f json -- ls -l"), 0);
	assert_true(s.flag && r.json);
	assert_string_equal(s.text, "word");
	assert_int_equal(s.list.n, 2);
	assert_string_equal(s.list.v[1], "b");
	assert_int_equal(s.number, 9);
	assert_int_equal(s.time_ns, 1500000);
	assert_int_equal(s.bytes, 2 << 20);
	assert_int_equal(s.choice, 1);
	assert_int_equal(r.nwords, 1);
	assert_string_equal(r.command[1], "-l");
	options_release(&r);
}

static void options_refuse(void **state)
{
	static const struct {
		const char *line, *said;
	} wrong[] = {
		{ "--number 1", "--number: '1' is no number from 2 to 9" }, { "--number -3", "--number: '-3' is no number from 2 to 9" },
		{ "--time 1x", "--time: '1x' is no time" }, { "--time 999ns", "--time: '999ns' is no time" },
		{ "--time nan", "--time: 'nan' is no time" }, { "--bytes 1e300T", "--bytes: '1e300T' is no size" },
		{ "--choice tw", "--choice: there is no 'tw'" }, { "--choice", "--choice needs a value: C" },
		{ "--flag=1", "--flag takes no value" }, { "--flagged", "test: there is no option '--flagged'" },
		{ "-q", "test: there is no option '-q'" }, { "--", "test: there is no command behind --" },
	};
	struct subject_run r;
	struct settings s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(parse(&s, &r, wrong[i].line), SUBJECT_USAGE);
		assert_string_equal(said, wrong[i].said);
		options_release(&r);
	}
}

/* ---- verdicts ---- */

static void verdicts_decide_the_status(void **state)
{
	struct subject_run r = { .subject = &subject, .out = STRBUF_INIT, .json = true };

	(void)state;
	assert_int_equal(verdicts_status(&r), SUBJECT_UNSEEN);
	r.verdicts[VERDICT_PASS] = 1;
	assert_int_equal(verdicts_status(&r), SUBJECT_FINE);
	verdict(&r, &(struct verdict){ .item = "a", .title = "b", .is = VERDICT_UNSEEN, .found = "c", .remedy = "d" });
	assert_int_equal(verdicts_status(&r), SUBJECT_UNSEEN);
	assert_string_equal(r.out.s, "{\"type\": \"verdict\", \"data\": {\"item\": \"a\", \"title\": \"b\", \"verdict\": "
			    "\"not observable\", \"found\": \"c\"}}\n");
	r.verdicts[VERDICT_FAIL] = 1;
	assert_int_equal(verdicts_status(&r), SUBJECT_NOT_FINE);
	strbuf_free(&r.out);
}

/* ---- reasons to kill ---- */

#define MIB ((uint64_t)1 << 20)

static const struct rule_facts facts = { .floor_bytes = 40 * MIB, .horizon_ns = 30 * MS, .thrash_limit = 100 };

static const char *reason_of(const struct domain *d, const struct rule_facts *f)
{
	const struct reason *r = reason_find(d, f);

	return r ? r->name : "none";
}

static void reasons_by_what_is_left(void **state)
{
	struct domain d = { .limit = 1000 * MIB, .left = 500 * MIB, .reserve = 10 * MIB };

	(void)state;
	assert_string_equal(reason_of(&d, &facts), "none");
	d.left = 39 * MIB;
	assert_string_equal(reason_of(&d, &facts), "exhausted");
	/* With swap there is time. */
	d.swap_total = d.swap_left = 400 * MIB;
	assert_string_equal(reason_of(&d, &facts), "none");
	/* But not when both are gone in 20 ms. */
	d.fill_rate = 439.0 * (double)MIB / 0.02;
	assert_string_equal(reason_of(&d, &facts), "exhausted");
	assert_in_range(domain_end_ns(&d), 19 * MS, 21 * MS);
}

static void reasons_by_stalls(void **state)
{
	struct domain d = { .limit = 1000 * MIB, .left = 100 * MIB, .reserve = 10 * MIB, .swap_total = 400 * MIB,
		.swap_left = 300 * MIB, .stalled_ns = 800 * MS };
	struct rule_facts after = facts;

	(void)state;
	assert_string_equal(reason_of(&d, &facts), "critical-stall");
	/* With memory left, somebody just reads a large file. */
	d.left = 900 * MIB;
	assert_string_equal(reason_of(&d, &facts), "none");
	d.stalled_ns = 100 * MS;
	d.swap_left = 10 * MIB;
	d.left = 30 * MIB;
	assert_string_equal(reason_of(&d, &facts), "exhausted");
	d.left = 60 * MIB;
	d.thrash_percent = 150;
	assert_string_equal(reason_of(&d, &facts), "low-swap-thrashing");
	/* What was stalled before a kill is no reason for the next. */
	after.killed_lately = true;
	assert_string_equal(reason_of(&d, &after), "none");
}

/* ---- the sliding window ---- */

static uint64_t worst(const struct window *w, uint64_t now)
{
	uint64_t ns;

	window_worst(w, now, NULL, NULL, &ns);
	return ns;
}

static void window_slides(void **state)
{
	struct window w = { .window_ns = 1000 * MS };
	struct stall s = { .resource = RES_MEMORY, .pid = 7, .tid = 7, .ns = 30 * MS };

	(void)state;
	window_add(&w, &s, 10000 * MS);
	window_add(&w, &s, 10500 * MS);
	assert_int_equal(worst(&w, 10500 * MS), 60 * MS);
	assert_int_equal(worst(&w, 11100 * MS), 30 * MS);
	assert_int_equal(worst(&w, 11600 * MS), 0);
	/* What is longer than a slot lies in several, and no window holds more than itself. */
	s.ns = 3000 * MS;
	window_add(&w, &s, 20000 * MS);
	assert_int_equal(worst(&w, 20000 * MS), 1000 * MS);
}

/* A stall that goes on is counted as it goes on, once, and not when it is over. */
static void window_of_ongoing(void **state)
{
	struct window w = { .window_ns = 1000 * MS };
	struct stall s = { .resource = RES_MEMORY, .pid = 7, .tid = 7, .ns = 40 * MS };

	(void)state;
	window_ongoing(&w, &s, 10000 * MS);
	window_ongoing(&w, NULL, 10000 * MS);
	assert_int_equal(worst(&w, 10000 * MS), 40 * MS);
	s.ns = 90 * MS;
	window_ongoing(&w, &s, 10050 * MS);
	window_ongoing(&w, NULL, 10050 * MS);
	assert_int_equal(worst(&w, 10050 * MS), 90 * MS);
	s.ns = 95 * MS;
	window_add(&w, &s, 10060 * MS);
	assert_int_equal(worst(&w, 10060 * MS), 95 * MS);
	/* Of one that has gone in the midst of it, nothing more is told: neither when others are ... */
	s.ns = 50 * MS;
	window_ongoing(&w, &s, 20000 * MS);
	window_ongoing(&w, NULL, 20000 * MS);
	window_ongoing(&w, NULL, 20050 * MS);
	assert_int_equal(worst(&w, 20050 * MS), 0);
	/* ... nor when there is nobody to tell of. */
	window_ongoing(&w, &s, 30000 * MS);
	window_ongoing(&w, NULL, 30000 * MS);
	assert_int_equal(worst(&w, 30100 * MS), 50 * MS);
	assert_int_equal(worst(&w, 30500 * MS), 0);
}

/* ---- the page of the manual ---- */

static const struct subject_option hostile_options[] = {
	{ 'x', "x_y", "A_B|*", "- first_ *line*\n. second\\\n# third", OPTION_TEXT, 0, 0, 0, NULL },
	{ 0, NULL, NULL, NULL, OPTION_FLAG, 0, 0, 0, NULL },
};

static const struct subject hostile = {
	.name = "x y", .args = "[-- A_B]", .summary = "a_b *c*", .options = hostile_options,
	.text = "; a `b` ++\n[c] 'd'\n\n.start\n\n  -e _f_ \\n",
	.examples = "sonde x_y -e '*\\n' `a`\n  # what *it* does",
};

/* Nothing in an entry is a mark of scdoc's, which reads this as it was meant. */
static void manual_takes_text_as_it_is(void **state)
{
	_cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
	char *rest;

	(void)state;
	subject_manual(&hostile, &b);
	assert_false(b.failed);
	rest = strstr(b.s, "\n# OPTIONS\n");
	assert_non_null(rest);
	*rest++ = 0;
	assert_string_equal(b.s, "sonde-x-y(1)\n\n# NAME\n\nsonde-x-y - a\\_b \\*c\\*\n\n"
				 "# SYNOPSIS\n\n*sonde x y* [_OPTIONS_] \\[-- A\\_B]\n\n"
				 "# DESCRIPTION\n\n\\; a \\`b\\` \\+\\+\n\\[c] 'd'\n\n\\ .start\n\n\\-e \\_f\\_ \\\\n\n");
	assert_non_null(strstr(rest, "# OPTIONS\n\n*-x*, *--x\\_y* _A\\_B|\\*_\n"
					"\t\\- first\\_ \\*line\\*\n\t\\ . second\\\\\n\t\\# third\n\n*-f*, *--view* _NAME_\n\t"));
	assert_non_null(strstr(rest, "# EXAMPLES\n\n```\nsonde x_y -e '*\\\\n' \\`a\\`\n```\n\n\\# what \\*it\\* does\n"
					"\n# SEE ALSO\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_nests_and_separates), cmocka_unit_test(json_escapes_what_is_hostile),
		cmocka_unit_test(json_too_deep_is_an_error), cmocka_unit_test(options_of_every_type), cmocka_unit_test(options_refuse),
		cmocka_unit_test(verdicts_decide_the_status), cmocka_unit_test(reasons_by_what_is_left),
		cmocka_unit_test(reasons_by_stalls), cmocka_unit_test(manual_takes_text_as_it_is),
		cmocka_unit_test(window_slides), cmocka_unit_test(window_of_ongoing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
