/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records as text and as JSON, in the forms that the reference documents. */
#include "view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"

static struct record value_record(const struct type *t, const void *data)
{
	return (struct record){ .kind = REC_VALUE, .type = t, .data = data, .len = t->size };
}

static void expect_both(struct fixture *text, struct fixture *json, const struct type *t, const void *data,
			 const char *as_text, const char *as_json)
{
	struct record rec = value_record(t, data);
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

	strbuf_addf(&line, "%s\n", as_text);
	show(text, &rec, line.s);
	strbuf_reset(&line);
	strbuf_addf(&line, "{\"type\": \"value\", \"data\": %s}\n", as_json);
	show(json, &rec, line.s);
}

static void scalars(void **state)
{
	struct fixture t, j;
	const int64_t minus = -5, big = (1LL << 53) + 1, even = 1LL << 60;
	const uint64_t most = UINT64_MAX;
	const uint8_t yes = 1, no = 0, mac[6] = { 0, 0x16, 0x3e, 0xab, 0xcd, 0xef };
	const struct enumerator names[] = { { "RED", 1 }, { "BLUE", 7 } };
	const struct type colour = { .kind = TY_ENUM, .size = 4, .name = "colour", .enumerators = names, .nenumerators = 2 };
	const struct type mac_type = { .kind = TY_MAC, .size = 6 };
	const uint32_t blue = 7, other = 9;

	(void)state;
	fixture_open(&t, "text");
	fixture_open(&j, "json");
	expect_both(&t, &j, &type_int64, &minus, "-5", "-5");
	/* What a double would round is a string. */
	expect_both(&t, &j, &type_int64, &big, "9007199254740993", "\"9007199254740993\"");
	expect_both(&t, &j, &type_int64, &even, "1152921504606846976", "1152921504606846976");
	expect_both(&t, &j, &type_uint64, &most, "18446744073709551615", "\"18446744073709551615\"");
	expect_both(&t, &j, &type_bool, &yes, "true", "true");
	expect_both(&t, &j, &type_bool, &no, "false", "false");
	expect_both(&t, &j, type_pointer(t.arena, NULL, SPACE_KERNEL), &even, "0x1000000000000000", "1152921504606846976");
	expect_both(&t, &j, &colour, &blue, "BLUE", "7");
	expect_both(&t, &j, &colour, &other, "9", "9");
	expect_both(&t, &j, &mac_type, mac, "00:16:3E:AB:CD:EF", "\"00:16:3E:AB:CD:EF\"");
	fixture_close(&t);
	fixture_close(&j);
}

static void strings_are_valid_json(void **state)
{
	struct fixture t, j;
	static const struct {
		const char *s, *json;
	} cases[] = {
		{ "abc", "\"abc\"" },
		{ "a\"b\\c\n\r\t", "\"a\\\"b\\\\c\\n\\r\\t\"" },
		{ "\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\"" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9d", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9d\"" },
		{ "a\xff" "b", "\"a\\ufffdb\"" },
		{ "\xc3", "\"\\ufffd\"" },
		{ "\xe2\x82", "\"\\ufffd\\ufffd\"" },
		{ "\xc0\xaf", "\"\\ufffd\\ufffd\"" },             /* overlong */
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },  /* a surrogate */
		{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
	};

	(void)state;
	fixture_open(&t, "text");
	fixture_open(&j, "json");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char data[32] = { 0 };

		memcpy(data, cases[i].s, strlen(cases[i].s));
		expect_both(&t, &j, type_string(t.arena, sizeof(data)), data, cases[i].s, cases[i].json);
	}
	fixture_close(&t);
	fixture_close(&j);
}

static void compound_values(void **state)
{
	struct fixture t, j;
	const struct type *items[2], *nested[2], *tuple, *array, *matrix;
	const char *const names[] = { "a", "b" };
	const int32_t numbers[] = { 1, 2, 3, 4 };
	struct {
		int64_t first;
		char second[8];
	} pair = { 1, "abc" };
	const struct field inner[] = { { .name = "x", .type = &type_int32 }, { .name = "y", .type = &type_int32, .offset = 4 } };
	const struct type anonymous = { .kind = TY_STRUCT, .size = 8, .fields = inner, .nfields = 2 };
	const struct field outer[] = {
		{ .name = "m", .type = &type_int32 },
		{ .type = &anonymous, .offset = 4 },
		{ .name = "bits", .type = &type_uint32, .offset = 12, .bit_offset = 3, .bit_size = 5 },
		{ .name = "sbits", .type = &type_int32, .offset = 12, .bit_offset = 8, .bit_size = 4 },
	};
	const struct type s = { .kind = TY_STRUCT, .size = 16, .fields = outer, .nfields = 4 };
	const struct type empty = { .kind = TY_STRUCT };
	const int32_t members[] = { 2, 3, 4, (0x1d << 3) | (0xe << 8) };

	(void)state;
	fixture_open(&t, "text");
	fixture_open(&j, "json");
	items[0] = &type_int64;
	items[1] = type_string(t.arena, 8);
	tuple = type_tuple(t.arena, items, NULL, 2);
	expect_both(&t, &j, tuple, &pair, "(1, abc)", "[1,\"abc\"]");
	expect_both(&t, &j, type_tuple(t.arena, items, names, 2), &pair, "{ .a = 1, .b = abc }", "{\"a\": 1, \"b\": \"abc\"}");
	nested[0] = tuple;
	nested[1] = tuple;
	{
		const __typeof__(pair) two[2] = { { 1, "x" }, { 2, "y" } };

		expect_both(&t, &j, type_tuple(t.arena, nested, NULL, 2), two, "((1, x), (2, y))", "[[1,\"x\"],[2,\"y\"]]");
	}
	array = type_array(t.arena, &type_int32, 2);
	matrix = type_array(t.arena, array, 2);
	expect_both(&t, &j, type_array(t.arena, &type_int32, 4), numbers, "[1,2,3,4]", "[1,2,3,4]");
	expect_both(&t, &j, matrix, numbers, "[[1,2],[3,4]]", "[[1,2],[3,4]]");
	expect_both(&t, &j, &s, members, "{ .m = 2, .x = 3, .y = 4, .bits = 29, .sbits = 14 }",
		     "{\"m\": 2, \"x\": 3, \"y\": 4, \"bits\": 29, \"sbits\": 14}");
	expect_both(&t, &j, &empty, "", "{}", "{}");
	fixture_close(&t);
	fixture_close(&j);
}

static void announcements(void **state)
{
	struct fixture t, j;
	struct record one = { .kind = REC_ATTACHED, .number = 1 }, three = { .kind = REC_ATTACHED, .number = 3 };
	struct record lost = { .kind = REC_LOST, .number = 12 };
	struct record map = { .kind = REC_LOST, .label = "map", .number = 2, .text = "map @x is full", .text_len = 14 };
	struct record time = { .kind = REC_TIME, .text = "10:11:12\n", .text_len = 9 };
	struct record cat = { .kind = REC_TEXT, .label = "cat", .text = "a\n", .text_len = 2 };

	(void)state;
	fixture_open(&t, "text");
	fixture_open(&j, "json");
	show(&t, &one, "Attached 1 probe\n");
	show(&t, &three, "Attached 3 probes\n");
	show(&j, &three, "{\"type\": \"attached_probes\", \"count\": 3, \"data\": {\"probes\": 3}}\n");
	t.v.quiet_attach = j.v.quiet_attach = true;
	show(&t, &three, "");
	show(&j, &three, "");
	show(&t, &lost, "Lost 12 events\n");
	show(&j, &lost, "{\"type\": \"lost_events\", \"count\": 12, \"data\": {\"events\": 12}}\n");
	show(&t, &map, "warning: map @x is full\n");
	show(&j, &map, "{\"type\": \"loss\", \"data\": {\"map\": 2}, \"msg\": \"map @x is full\"}\n");
	show(&t, &time, "10:11:12\n");
	show(&j, &time, "{\"type\": \"time\", \"data\": \"10:11:12\\n\"}\n");
	show(&t, &cat, "a\n");
	show(&j, &cat, "{\"type\": \"cat\", \"data\": \"a\\n\"}\n");
	fixture_close(&t);
	fixture_close(&j);
}

static void messages_name_their_place(void **state)
{
	struct fixture t, j;
	struct record rec = { .kind = REC_MESSAGE, .sev = SEV_WARNING, .text = "odd", .text_len = 3 };

	(void)state;
	fixture_open(&t, "text");
	fixture_open(&j, "json");
	show(&t, &rec, "WARNING: odd\n");
	show(&j, &rec, "{\"type\": \"warnf\", \"msg\": \"odd\"}\n");
	rec.sev = SEV_ERROR;
	rec.span = (struct span){ 9, 12, source_add(&t.sources, "q.bt", "BEGIN {\n odd }", 14) };
	source_add(&j.sources, "q.bt", "BEGIN {\n odd }", 14);
	show(&t, &rec, "q.bt:2:2-5: ERROR: odd\n");
	show(&j, &rec, "{\"type\": \"errorf\", \"msg\": \"odd\", \"filename\": \"q.bt\", \"line\": 2, \"col\": 2}\n");
	fixture_close(&t);
	fixture_close(&j);
}

/* A payload that ends early reads as if zeros followed. */
static void short_payloads_are_filled_up(void **state)
{
	struct fixture f;
	const struct type *items[2];
	uint8_t *data = malloc(11);
	struct record rec = { .kind = REC_VALUE, .data = data, .len = 11 };

	(void)state;
	fixture_open(&f, "text");
	items[0] = &type_int64;
	items[1] = type_string(f.arena, 64);
	rec.type = type_tuple(f.arena, items, NULL, 2);
	memcpy(data, "\5\0\0\0\0\0\0\0abc", 11);
	show(&f, &rec, "(5, abc)\n");
	rec.data = NULL;
	rec.len = 0;
	show(&f, &rec, "(0, )\n");
	free(data);
	fixture_close(&f);
}

static void a_full_disk_is_an_error_once(void **state)
{
	struct fixture f;
	int64_t n = 5;
	struct record rec = value_record(&type_int64, &n);

	(void)state;
	fixture_open(&f, "text");
	f.v.fd = open("/dev/full", O_WRONLY);
	assert_true(f.v.fd >= 0);
	assert_int_equal(view_record(&f.v, &rec), 0);
	assert_int_equal(view_flush(&f.v), -ENOSPC);
	assert_int_equal(view_record(&f.v, &rec), -ENOSPC);
	assert_int_equal(f.v.out.len, 0);
	close(f.v.fd);
	f.v.fd = -1;
	fixture_close(&f);
}

/* Output is written when 64 KiB have gathered, and then all of it. */
static void much_output_is_written(void **state)
{
	struct fixture f;
	int64_t n = 123456;
	struct record rec = value_record(&type_int64, &n);

	(void)state;
	fixture_open(&f, "text");
	f.v.fd = open("/dev/null", O_WRONLY);
	assert_true(f.v.fd >= 0);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(view_record(&f.v, &rec), 0);
	assert_true(f.v.bytes_written >= 65536 && f.v.out.len < 65536);
	assert_int_equal(view_flush(&f.v), 0);
	assert_int_equal(f.v.bytes_written, 140000);
	close(f.v.fd);
	f.v.fd = -1;
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars),
		cmocka_unit_test(strings_are_valid_json),
		cmocka_unit_test(compound_values),
		cmocka_unit_test(announcements),
		cmocka_unit_test(messages_name_their_place),
		cmocka_unit_test(short_payloads_are_filled_up),
		cmocka_unit_test(a_full_disk_is_an_error_once),
		cmocka_unit_test(much_output_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
