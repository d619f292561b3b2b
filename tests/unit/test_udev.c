/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of udev: patterns, reading, replaying, making up devices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "udev/udev.h"

static struct arena *a;

static int setup(void **state)
{
	(void)state;
	a = arena_new();
	return a ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static void test_patterns(void **state)
{
	static const struct { const char *pattern, *value; bool nocase, match; } cases[] = {
		{ "abc", "abc", false, true }, { "abc", "ab", false, false }, { "", "", false, true }, { "", NULL, false, true },
		{ "", "x", false, false }, { "?*", "x", false, true }, { "?*", "", false, false }, { "*", "", false, true },
		{ "a*c", "abc", false, true }, { "a*c", "ac", false, true }, { "a*c", "acb", false, false }, { "*a*b", "xaxbxb", false, true },
		{ "a|b", "b", false, true }, { "a|", "", false, true }, { "|a", "", false, true }, { "a||b", "", false, true },
		{ "[0-9]", "5", false, true }, { "[!0-9]", "5", false, false }, { "[^0-9]", "x", false, true }, { "[a-]", "-", false, true },
		{ "[]a]", "]", false, true }, { "[a", "[a", false, true }, { "\\*", "*", false, true }, { "\\*", "x", false, false },
		{ "ABC", "abc", true, true }, { "ABC", "abc", false, false }, { "[A-C]x", "bX", true, true }, { "sd*[!0-9]|sr*", "sda", false, true },
		{ "sd*[!0-9]|sr*", "sda1", false, false }, { "sd*[!0-9]|sr*", "sr0", false, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (udev_pattern_match(cases[i].pattern, cases[i].value, cases[i].nocase) != cases[i].match)
			fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].value ? cases[i].value : "(none)");
}

static void test_examples_match(void **state)
{
	static const char *const patterns[] = {
		"abc", "sd*[!0-9]|sr*", "?*", "[a-f0-9][!x]", "x\\*y", "*:0701??:*", "[]]", "a|b|c", "[!a-zA-Z0-9]", "",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		const char *example;

		for (unsigned n = 0; (example = udev_pattern_example(a, patterns[i], n)); n++)
			if (!udev_pattern_match(patterns[i], example, false))
				fail_msg("'%s' gives '%s'", patterns[i], example);
	}
}

/* A pattern with many stars is no trouble. */
static void test_many_stars(void **state)
{
	char pattern[2002], value[1001];

	(void)state;
	for (int i = 0; i < 1000; i++)
		memcpy(pattern + 2 * i, "*a", 2);
	memcpy(pattern + 2000, "b", 2);
	memset(value, 'a', 1000);
	value[1000] = 0;
	assert_false(udev_pattern_match(pattern, value, false));
}

static struct udev_rules *parse(const char *text)
{
	struct udev_rules *r = arena_new_of(a, struct udev_rules);

	udev_rules_parse(a, r, "/x/60-test.rules", text, strlen(text), false);
	return r;
}

static void test_reading(void **state)
{
	struct udev_rules *r = parse("# comment\n\n  KERNEL==\"a\" , MODE=\"0600\"\nKERNEL==\"b\", \\\n# comment within\n  MODE=\"0601\"\n"
				     "MODE=\"0602\", KERNEL==\"c\"\n");
	const struct udev_file *f = r->files.v[0];

	(void)state;
	assert_int_equal(r->problems.n, 0);
	assert_int_equal(f->rules.n, 3);
	assert_string_equal(f->name, "60-test.rules");
	assert_int_equal(f->rules.v[0]->line, 3);
	assert_int_equal(f->rules.v[1]->line, 4);
	assert_int_equal(f->rules.v[1]->last_line, 6);
	assert_string_equal(f->rules.v[1]->text, "KERNEL==\"b\", MODE=\"0601\"");
	/* Matches come first, however the line is written. */
	assert_int_equal(f->rules.v[2]->tokens.v[0].what, UDEV_M_KERNEL);
}

static void test_values(void **state)
{
	struct udev_rules *r = parse("ENV{A}=\"a\\\"b\\n\", ENV{B}=e\"x\\x41\\101\\t\\\"y\", KERNEL==ei\"z\"\n");
	const struct udev_rule *rule = r->files.v[0]->rules.v[0];

	(void)state;
	assert_true(rule->tokens.v[0].nocase);
	assert_string_equal(rule->tokens.v[1].value, "a\"b\\n");
	assert_string_equal(rule->tokens.v[2].value, "xAA\t\"y");
}

static struct udev_device *device_new(void)
{
	struct udev_device *d = arena_new_of(a, struct udev_device), *p = arena_new_of(a, struct udev_device);

	d->kernel = "ttyUSB3";
	d->subsystem = "tty";
	d->devpath = "/devices/x/ttyUSB3";
	d->node = true;
	d->parent = p;
	p->kernel = "1-1";
	p->subsystem = "usb";
	p->driver = "usb";
	udev_device_set(a, &d->props, "DEVNAME", "/dev/ttyUSB3");
	udev_device_set(a, &d->props, "MAJOR", "188");
	udev_device_set(a, &d->attrs, "dev", "188:3\n");
	udev_device_set(a, &p->attrs, "idVendor", "1234");
	udev_device_set(a, &p->attrs, "serial", "S1");
	return d;
}

static const char *prop_after(const char *rules, const char *name)
{
	struct udev_device *d = device_new();

	return udev_prop(d, udev_event_replay(a, parse(rules), d, "add", NULL), name);
}

static void test_substitutions(void **state)
{
	static const struct { const char *text, *value; } cases[] = {
		{ "$kernel %k", "ttyUSB3 ttyUSB3" }, { "%n $number", "3 3" }, { "$devnode $name", "/dev/ttyUSB3 ttyUSB3" },
		{ "$attr{dev}", "188:3\n" }, { "%s{idVendor}", "1234" }, { "%E{MAJOR} $major", "188 188" }, { "$$ %%", "$ %" },
		{ "$id $driver", "1-1 usb" }, { "$root$sys$devpath", "/dev/sys/devices/x/ttyUSB3" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(prop_after(arena_printf(a, "SUBSYSTEMS==\"usb\", ENV{X}=\"%s\"\n", cases[i].text), "X"), cases[i].value);
}

static void test_parents_are_one(void **state)
{
	(void)state;
	assert_string_equal(prop_after("ATTRS{idVendor}==\"1234\", ATTRS{serial}==\"S1\", ENV{X}=\"1\"\n", "X"), "1");
	assert_null(prop_after("ATTRS{idVendor}==\"1234\", ATTRS{dev}==\"188:3\", ENV{X}=\"1\"\n", "X"));
	assert_null(prop_after("ATTRS{none}!=\"x\", ENV{X}=\"1\"\n", "X"));
}

static void test_final_and_jumps(void **state)
{
	struct udev_device *d = device_new();
	struct udev_state *s = udev_event_replay(a, parse("MODE:=\"0600\"\nMODE=\"0666\"\nRUN+=\"a\"\nRUN:=\"b\"\nRUN+=\"c\"\nGOTO=\"x\"\nENV{X}=\"1\"\n"
							  "LABEL=\"x\", ENV{Y}=\"1\"\n"), d, "add", NULL);

	(void)state;
	assert_string_equal(s->node_mode, "0600");
	assert_int_equal(s->runs.n, 1);
	assert_string_equal(s->runs.v[0].name, "b");
	assert_null(udev_prop(d, s, "X"));
	assert_string_equal(udev_prop(d, s, "Y"), "1");
}

/* The heart of it: what is there after the next event. */
static void test_next_event(void **state)
{
	struct udev_rules *r = parse("ACTION==\"add\", ENV{A}=\"1\", ENV{B}=\"2\", TAG+=\"t\", SYMLINK+=\"l\", MODE=\"0666\", GROUP=\"g\"\n"
				     "ACTION==\"bind\", IMPORT{db}=\"B\"\nTAG==\"t\", ENV{T}=\"1\"\n");
	struct udev_device *d = device_new();
	struct udev_state *add = udev_event_replay(a, r, d, "add", NULL), *bind = udev_event_replay(a, r, d, "bind", add);

	(void)state;
	assert_string_equal(udev_prop(d, add, "T"), "1");
	assert_null(udev_prop(d, bind, "A"));
	assert_string_equal(udev_prop(d, bind, "B"), "2");
	assert_int_equal(bind->tags.n, 0);
	assert_int_equal(bind->all_tags.n, 1);
	assert_null(udev_prop(d, bind, "T"));
	assert_int_equal(bind->links.n, 0);
	/* The node stays as it is until something says otherwise. */
	assert_string_equal(bind->node_mode, "0666");
	assert_string_equal(bind->node_group, "g");
}

static void check_synth(const char *text, uint32_t index)
{
	struct udev_rules *r = parse(text);
	const struct udev_rule *rule = r->files.v[0]->rules.v[index];
	const char *why = NULL;
	struct udev_device *d = udev_synth(a, rule, "add", &why);

	if (!d)
		fail_msg("%s: %s", text, why ? why : "not for add");
	assert_true(udev_state_hit(udev_event_replay(a, r, d, "add", NULL), rule));
}

static void test_made_up(void **state)
{
	(void)state;
	check_synth("SUBSYSTEM==\"usb\", ATTR{idVendor}==\"12*|34\", ENV{X}=\"1\"\n", 0);
	check_synth("SUBSYSTEM!=\"hidraw\", GOTO=\"e\"\nATTRS{idVendor}==\"046d\", GOTO=\"h\"\nGOTO=\"e\"\nLABEL=\"h\"\nTAG+=\"x\"\nLABEL=\"e\"\n", 4);
	check_synth("KERNEL==\"sd*[!0-9]|sr*\", ENV{DEVTYPE}!=\"partition\", TEST==\"queue/x\", PROGRAM==\"/bin/p\", RESULT==\"a*\", TAG+=\"x\"\n", 0);
	check_synth("ENV{A}==\"1\", GOTO=\"e\"\nENV{B}!=\"2\", GOTO=\"e\"\nKERNEL!=\"x[0-9]\", GOTO=\"e\"\nTAG+=\"x\"\nLABEL=\"e\"\n", 3);
}

static void test_not_made_up(void **state)
{
	const char *why = "";
	struct udev_rules *r = parse("KERNEL==\"a\", KERNEL==\"b\", TAG+=\"x\"\nACTION==\"change\", TAG+=\"x\"\n");

	(void)state;
	assert_null(udev_synth(a, r->files.v[0]->rules.v[0], "add", &why));
	assert_string_equal(why, "what it asks for together with the jumps before it contradicts itself");
	assert_null(udev_synth(a, r->files.v[0]->rules.v[1], "add", &why));
	assert_null(why);
}

static void test_order_of_files(void **state)
{
	struct udev_rules r = { 0 };

	(void)state;
	udev_rules_parse(a, &r, "/b/70-x.rules", "ENV{A}=\"1\"\n", 11, false);
	udev_rules_parse(a, &r, "/a/60-x.rules", "ENV{A}=\"2\"\n", 11, false);
	udev_rules_parse(a, &r, "/c/70-x.rules", "ENV{A}=\"3\"\n", 11, false);
	udev_rules_sort(a, &r);
	assert_int_equal(r.files.n, 2);
	assert_string_equal(r.files.v[0]->path, "/a/60-x.rules");
	assert_string_equal(r.files.v[1]->path, "/b/70-x.rules");
	assert_int_equal(r.problems.n, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_patterns), TEST(test_examples_match), TEST(test_many_stars), TEST(test_reading), TEST(test_values),
		TEST(test_substitutions), TEST(test_parents_are_one), TEST(test_final_and_jumps), TEST(test_next_event), TEST(test_made_up),
		TEST(test_not_made_up), TEST(test_order_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
