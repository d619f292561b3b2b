/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps as text and as JSON: rows, keys, aggregations, histograms. */
#include "view.h"

#include "base/util.h"

static struct fixture text, json;

static int open_both(void **state)
{
	(void)state;
	fixture_open(&text, "text");
	fixture_open(&json, "json");
	return 0;
}

static int close_both(void **state)
{
	(void)state;
	fixture_close(&text);
	fixture_close(&json);
	return 0;
}

static void show_table(const struct table *t, const char *as_text, const char *as_json)
{
	struct record rec = { .kind = REC_MAP, .table = t };

	show(&text, &rec, as_text);
	show(&json, &rec, as_json);
}

static void expect_scalar(const struct type *value, const void *data, int64_t div, const char *as_text,
			  const char *as_json)
{
	const struct map m = { .name = "@x", .value = value };
	const struct row row = { .value = data };
	const struct table t = { .map = &m, .rows = &row, .nrows = 1, .div = div };

	show_table(&t, as_text, as_json);
}

static void scalars_and_aggregations(void **state)
{
	const struct type *count = type_agg(text.arena, TY_COUNT, false, NULL);
	const struct type *sum = type_agg(text.arena, TY_SUM, true, NULL);
	const struct type *min = type_agg(text.arena, TY_MIN, true, NULL);
	const struct type *avg = type_agg(text.arena, TY_AVG, true, NULL);
	const struct type *uavg = type_agg(text.arena, TY_AVG, false, NULL);
	const struct type *stats = type_agg(text.arena, TY_STATS, true, NULL);
	const int64_t five = 5, minus[2] = { -7, 1 }, pair[2] = { -61, 3 }, none[2] = { 0, 0 };

	(void)state;
	expect_scalar(&type_int64, &five, 0, "@x: 5\n", "{\"type\": \"map\", \"data\": {\"@x\": 5}}\n");
	expect_scalar(&type_int64, minus, 2, "@x: -3\n", "{\"type\": \"map\", \"data\": {\"@x\": -3}}\n");
	expect_scalar(count, &five, 0, "@x: 5\n", "{\"type\": \"map\", \"data\": {\"@x\": 5}}\n");
	expect_scalar(count, &five, 2, "@x: 2\n", "{\"type\": \"map\", \"data\": {\"@x\": 2}}\n");
	expect_scalar(sum, minus, 0, "@x: -7\n", "{\"type\": \"map\", \"data\": {\"@x\": -7}}\n");
	expect_scalar(min, minus, 0, "@x: -7\n", "{\"type\": \"map\", \"data\": {\"@x\": -7}}\n");
	expect_scalar(avg, pair, 0, "@x: -20\n", "{\"type\": \"stats\", \"data\": {\"@x\": -20}}\n");
	expect_scalar(avg, pair, 10, "@x: -2\n", "{\"type\": \"stats\", \"data\": {\"@x\": -2}}\n");
	expect_scalar(uavg, none, 0, "@x: 0\n", "{\"type\": \"stats\", \"data\": {\"@x\": 0}}\n");
	expect_scalar(stats, pair, 0, "@x: { .count = 3, .average = -20, .total = -61 }\n",
		      "{\"type\": \"stats\", \"data\": {\"@x\": {\"count\": 3, \"average\": -20, \"total\": -61}}}\n");
}

static void keyed_maps(void **state)
{
	const struct type *items[] = { &type_int64, type_string(text.arena, 8) };
	struct {
		int64_t n;
		char s[8];
	} keys[] = { { 1, "abc" }, { -2, "d e" } };
	const int64_t values[] = { 5, 6 };
	const struct row rows[] = { { (uint8_t *)&keys[0], (const uint8_t *)&values[0] },
				    { (uint8_t *)&keys[1], (const uint8_t *)&values[1] } };
	const struct row strings[] = { { (uint8_t *)keys[0].s, (const uint8_t *)&values[0] },
				       { (uint8_t *)keys[1].s, (const uint8_t *)&values[1] } };
	struct map m = { .name = "@", .value = &type_int64 };
	struct table t = { .map = &m, .rows = rows, .nrows = 2 };

	(void)state;
	m.key = type_tuple(text.arena, items, NULL, 2);
	show_table(&t, "@[1, abc]: 5\n@[-2, d e]: 6\n", "{\"type\": \"map\", \"data\": {\"@\": {\"1,abc\": 5, \"-2,d e\": 6}}}\n");
	m.key = items[1];
	t.rows = strings;
	show_table(&t, "@[abc]: 5\n@[d e]: 6\n", "{\"type\": \"map\", \"data\": {\"@\": {\"abc\": 5, \"d e\": 6}}}\n");
	t.nrows = 0;
	show_table(&t, "", "");
}

#define BAR "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@"
#define HALF "@@@@@@@@@@@@@@@@@@@@@@@@@@                          "
#define NO_BAR "                                                    "

static void log_histograms(void **state)
{
	const int64_t param[3] = { 0 };
	const struct type *hist = type_agg(text.arena, TY_HIST, true, param);
	uint64_t b[128] = { 0 };

	(void)state;
	assert_true(type_buckets(hist) <= ARRAY_SIZE(b));
	b[hist_bucket(-1, 0)] = 1;
	b[hist_bucket(2, 0)] = 2;
	b[hist_bucket(4, 0)] = 1;
	expect_scalar(hist, b, 0,
		      "@x:\n"
		      "(..., 0)               1 |" HALF "|\n"
		      "[0]                    0 |" NO_BAR "|\n"
		      "[1]                    0 |" NO_BAR "|\n"
		      "[2, 4)                 2 |" BAR "|\n"
		      "[4, 8)                 1 |" HALF "|\n"
		      "\n",
		      "{\"type\": \"hist\", \"data\": {\"@x\": [{\"max\": -1, \"count\": 1},{\"min\": 0, \"max\": 0, \"count\": 0},"
		      "{\"min\": 1, \"max\": 1, \"count\": 0},{\"min\": 2, \"max\": 3, \"count\": 2},"
		      "{\"min\": 4, \"max\": 7, \"count\": 1}]}}\n");
	memset(b, 0, sizeof(b));
	expect_scalar(hist, b, 0, "@x:\n\n", "{\"type\": \"hist\", \"data\": {\"@x\": []}}\n");
	b[hist_bucket(1 << 20, 0)] = 100;
	expect_scalar(hist, b, 10, "@x:\n[1M, 2M)              10 |" BAR "|\n\n",
		      "{\"type\": \"hist\", \"data\": {\"@x\": [{\"min\": 1048576, \"max\": 2097151, \"count\": 10}]}}\n");
	/* Divided to nothing it is still a row. */
	expect_scalar(hist, b, 1000, "@x:\n[1M, 2M)               0 |" NO_BAR "|\n\n",
		      "{\"type\": \"hist\", \"data\": {\"@x\": [{\"min\": 1048576, \"max\": 2097151, \"count\": 0}]}}\n");
	memset(b, 0, sizeof(b));
	b[hist_bucket(INT64_MAX, 0)] = 1;
	expect_scalar(hist, b, 0, "@x:\n[4E, 8E)               1 |" BAR "|\n\n",
		      "{\"type\": \"hist\", \"data\": {\"@x\": [{\"min\": 4611686018427387904, \"max\": \"9223372036854775807\", \"count\": 1}]}}\n");
}

static void fine_log_histograms(void **state)
{
	const int64_t param[3] = { 2 };
	const struct type *hist = type_agg(text.arena, TY_HIST, true, param);
	uint64_t b[512] = { 0 };

	(void)state;
	assert_true(type_buckets(hist) <= ARRAY_SIZE(b));
	b[hist_bucket(5, 2)] = 1;
	b[hist_bucket(8, 2)] = 1;
	expect_scalar(hist, b, 0,
		      "@x:\n[5]                    1 |" BAR "|\n[6]                    0 |" NO_BAR "|\n"
		      "[7]                    0 |" NO_BAR "|\n[8, 10)                1 |" BAR "|\n\n",
		      "{\"type\": \"hist\", \"data\": {\"@x\": [{\"min\": 5, \"max\": 5, \"count\": 1},{\"min\": 6, \"max\": 6, \"count\": 0},"
		      "{\"min\": 7, \"max\": 7, \"count\": 0},{\"min\": 8, \"max\": 9, \"count\": 1}]}}\n");
	memset(b, 0, sizeof(b));
	b[hist_bucket(1024, 2)] = 1;
	expect_scalar(hist, b, 0, "@x:\n[1024, 1280)           1 |" BAR "|\n\n",
		      "{\"type\": \"hist\", \"data\": {\"@x\": [{\"min\": 1024, \"max\": 1279, \"count\": 1}]}}\n");
	memset(b, 0, sizeof(b));
	b[hist_bucket(4096, 2)] = 1;
	expect_scalar(hist, b, 0, "@x:\n[4K, 5K)               1 |" BAR "|\n\n",
		      "{\"type\": \"hist\", \"data\": {\"@x\": [{\"min\": 4096, \"max\": 5119, \"count\": 1}]}}\n");
}

static void linear_histograms(void **state)
{
	const int64_t param[3] = { 0, 20, 10 }, kilo[3] = { 0, 2048, 1024 };
	const struct type *lhist = type_agg(text.arena, TY_LHIST, true, param);
	const uint64_t b[] = { 1, 2, 0, 1 }, k[] = { 0, 1, 1, 0 };

	(void)state;
	assert_int_equal(type_buckets(lhist), 4);
	expect_scalar(lhist, b, 5,
		      "@x:\n"
		      "(..., 0)               1 |" HALF "|\n"
		      "[0, 10)                2 |" BAR "|\n"
		      "[10, 20)               0 |" NO_BAR "|\n"
		      "[20, ...)              1 |" HALF "|\n"
		      "\n",
		      "{\"type\": \"hist\", \"data\": {\"@x\": [{\"max\": -1, \"count\": 1},{\"min\": 0, \"max\": 9, \"count\": 2},"
		      "{\"min\": 10, \"max\": 19, \"count\": 0},{\"min\": 20, \"count\": 1}]}}\n");
	expect_scalar(type_agg(text.arena, TY_LHIST, true, kilo), k, 0,
		      "@x:\n[0, 1K)                1 |" BAR "|\n[1K, 2K)               1 |" BAR "|\n\n",
		      "{\"type\": \"hist\", \"data\": {\"@x\": [{\"min\": 0, \"max\": 1023, \"count\": 1},{\"min\": 1024, \"max\": 2047, \"count\": 1}]}}\n");
}

static void keyed_histograms(void **state)
{
	const int64_t param[3] = { 0, 10, 10 };
	const uint64_t b[] = { 0, 1, 0 };
	const int64_t keys[] = { 1, 2 };
	const struct row rows[] = { { (const uint8_t *)&keys[0], (const uint8_t *)b }, { (const uint8_t *)&keys[1], (const uint8_t *)b } };
	const struct map m = { .name = "@h", .key = &type_int64, .value = type_agg(text.arena, TY_LHIST, true, param) };
	const struct table t = { .map = &m, .rows = rows, .nrows = 2 };

	(void)state;
	show_table(&t,
		   "@h[1]:\n[0, 10)                1 |" BAR "|\n\n@h[2]:\n[0, 10)                1 |" BAR "|\n\n",
		   "{\"type\": \"hist\", \"data\": {\"@h\": {\"1\": [{\"min\": 0, \"max\": 9, \"count\": 1}], "
		   "\"2\": [{\"min\": 0, \"max\": 9, \"count\": 1}]}}}\n");
}

/* An empty line stands between the maps of the end, and only there. */
static void maps_of_the_end_are_apart(void **state)
{
	const int64_t five = 5, param[3] = { 0, 10, 10 };
	const uint64_t b[] = { 0, 1, 0 };
	const struct map a = { .name = "@a", .value = &type_int64 };
	const struct map h = { .name = "@h", .value = type_agg(text.arena, TY_LHIST, true, param) };
	const struct row ra = { .value = (const uint8_t *)&five }, rh = { .value = (const uint8_t *)b };
	struct table ta = { .map = &a, .rows = &ra, .nrows = 1 }, th = { .map = &h, .rows = &rh, .nrows = 1, .final = true };
	struct record rec = { .kind = REC_MAP, .table = &ta }, hist = { .kind = REC_MAP, .table = &th };

	(void)state;
	text.v.fd = 1000000; /* somewhere, but never written to here */
	show(&text, &rec, "@a: 5\n");
	show(&text, &rec, "@a: 5\n");
	ta.final = true;
	show(&text, &rec, "@a: 5\n");
	show(&text, &rec, "\n@a: 5\n");
	show(&text, &hist, "\n@h:\n[0, 10)                1 |" BAR "|\n\n");
	show(&text, &rec, "@a: 5\n");
	text.v.fd = -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(scalars_and_aggregations, open_both, close_both),
		cmocka_unit_test_setup_teardown(keyed_maps, open_both, close_both),
		cmocka_unit_test_setup_teardown(log_histograms, open_both, close_both),
		cmocka_unit_test_setup_teardown(fine_log_histograms, open_both, close_both),
		cmocka_unit_test_setup_teardown(linear_histograms, open_both, close_both),
		cmocka_unit_test_setup_teardown(keyed_histograms, open_both, close_both),
		cmocka_unit_test_setup_teardown(maps_of_the_end_are_apart, open_both, close_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
