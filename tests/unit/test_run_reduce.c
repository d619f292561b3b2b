/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the values of all CPUs become one, and in which order rows are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "run/reduce.h"

#define NCPUS 4

static const int64_t none[3];

static int setup(void **state)
{
	*state = arena_new();
	return !*state;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static void counts_are_added(void **state)
{
	const struct type *t = type_agg(*state, TY_COUNT, false, none);
	uint64_t in[NCPUS] = { 1, 0, 5, 7 }, out = 99;

	value_reduce(t, (const uint8_t *)in, sizeof(in[0]), NCPUS, (uint8_t *)&out, sizeof(out));
	assert_int_equal(out, 13);
}

static void signed_sums_are_added(void **state)
{
	const struct type *t = type_agg(*state, TY_SUM, true, none);
	int64_t in[NCPUS] = { -5, 3, -10, 0 }, out = 0;

	value_reduce(t, (const uint8_t *)in, sizeof(in[0]), NCPUS, (uint8_t *)&out, sizeof(out));
	assert_int_equal(out, -12);
}

/* As programs leave it in a map. */
static void put_extreme(const struct type *t, uint64_t pair[2], int64_t v)
{
	pair[0] = (uint64_t)v ^ type_extreme_code(t);
	pair[1] = 1;
}

static void extremes_ignore_cpus_without_a_value(void **state)
{
	const struct type *min = type_agg(*state, TY_MIN, true, none), *max = type_agg(*state, TY_MAX, true, none);
	uint64_t in[NCPUS][2] = { 0 };
	int64_t out[2];

	put_extreme(min, in[1], -3);
	put_extreme(min, in[2], 8);
	value_reduce(min, (const uint8_t *)in, sizeof(in[0]), NCPUS, (uint8_t *)out, sizeof(out));
	assert_int_equal(out[0], -3);
	assert_int_equal(out[1], 1);
	put_extreme(max, in[1], -3);
	put_extreme(max, in[2], -8);
	value_reduce(max, (const uint8_t *)in, sizeof(in[0]), NCPUS, (uint8_t *)out, sizeof(out));
	assert_int_equal(out[0], -3);
	value_reduce(max, (const uint8_t *)in[2], sizeof(in[0]), 1, (uint8_t *)out, sizeof(out));
	assert_int_equal(out[0], -8);
	memset(in, 0, sizeof(in));
	value_reduce(max, (const uint8_t *)in, sizeof(in[0]), NCPUS, (uint8_t *)out, sizeof(out));
	assert_int_equal(out[0], 0);
	assert_int_equal(out[1], 0);
}

static void unsigned_extremes_compare_as_unsigned(void **state)
{
	const struct type *max = type_agg(*state, TY_MAX, false, none), *min = type_agg(*state, TY_MIN, false, none);
	uint64_t in[2][2], out[2];

	put_extreme(max, in[0], 1);
	put_extreme(max, in[1], -1);
	value_reduce(max, (const uint8_t *)in, sizeof(in[0]), 2, (uint8_t *)out, sizeof(out));
	assert_true(out[0] == UINT64_MAX);
	put_extreme(min, in[0], 1);
	put_extreme(min, in[1], -1);
	value_reduce(min, (const uint8_t *)in, sizeof(in[0]), 2, (uint8_t *)out, sizeof(out));
	assert_true(out[0] == 1);
}

static void buckets_are_added_one_by_one(void **state)
{
	int64_t param[3] = { 0, 30, 10 };
	const struct type *t = type_agg(*state, TY_LHIST, false, param);
	uint64_t in[2][5] = { { 1, 2, 3, 4, 5 }, { 10, 0, 0, 0, 1 } }, out[5];

	assert_int_equal(type_buckets(t), 5);
	value_reduce(t, (const uint8_t *)in, sizeof(in[0]), 2, (uint8_t *)out, sizeof(out));
	assert_memory_equal(out, ((uint64_t[]){ 11, 2, 3, 4, 6 }), sizeof(out));
}

static void narrow_integers_are_added_in_their_size(void **state)
{
	int16_t out = 0;
	uint8_t in[3][8] = { { 0 } };

	(void)state;
	memcpy(in[0], &(int16_t){ -2 }, 2);
	memcpy(in[1], &(int16_t){ 7 }, 2);
	memcpy(in[2], &(int16_t){ -6 }, 2);
	value_reduce(&type_int16, in[0], 8, 3, (uint8_t *)&out, sizeof(out));
	assert_int_equal(out, -1);
}

static void of_strings_the_first_that_is_there_is_taken(void **state)
{
	char in[3][8] = { "", "abc", "xyz" }, out[8];

	value_reduce(type_string(*state, 8), (const uint8_t *)in, 8, 3, (uint8_t *)out, sizeof(out));
	assert_string_equal(out, "abc");
}

static void one_value_is_copied(void **state)
{
	uint8_t odd[3] = { 1, 2, 3 }, out[3] = { 0 };

	value_reduce(type_string(*state, 3), odd, 8, 1, out, sizeof(out));
	assert_memory_equal(out, odd, sizeof(out));
}

static void keys_compare_as_their_types_say(void **state)
{
	const struct type *items[2] = { type_string(*state, 4), &type_int32 };
	const struct type *pair = type_tuple(*state, items, NULL, 2);
	struct {
		char s[4];
		int32_t n;
	} a = { "ab", 5 }, b = { "ab", -5 }, c = { "b", -9 };
	int64_t minus = -1, plus = 1;

	assert_true(key_compare(&type_int64, (uint8_t *)&minus, (uint8_t *)&plus) < 0);
	assert_true(key_compare(&type_uint64, (uint8_t *)&minus, (uint8_t *)&plus) > 0);
	assert_true(key_compare(pair, (uint8_t *)&a, (uint8_t *)&b) > 0);
	assert_true(key_compare(pair, (uint8_t *)&a, (uint8_t *)&c) < 0);
	assert_int_equal(key_compare(pair, (uint8_t *)&a, (uint8_t *)&a), 0);
}

/* All of them, and the last of them: each number that can be asked for. */
static void expect_order(const struct map *m, const uint64_t (*values)[2], const int64_t *keys, size_t n,
			 const int64_t *order)
{
	for (size_t top = 0; top <= n + 1; top++) {
		size_t want = top && top < n ? top : n, left = n;
		struct row rows[8];

		for (size_t i = 0; i < n; i++)
			rows[i] = (struct row){ .key = (const uint8_t *)&keys[i], .value = (const uint8_t *)values[i] };
		assert_true(rows_sort(m, rows, &left, top));
		assert_int_equal(left, want);
		for (size_t i = 0; i < want; i++)
			assert_memory_equal(rows[i].key, &order[n - want + i], sizeof(order[0]));
	}
}

static void rows_are_in_order_of_value_then_key(void **state)
{
	struct map m = { .name = "@", .key = &type_int64, .value = type_agg(*state, TY_COUNT, false, none) };
	const uint64_t values[4][2] = { { 5 }, { 1 }, { 5 }, { 9 } };

	expect_order(&m, values, (int64_t[]){ 2, 3, -1, 0 }, 4, (int64_t[]){ 3, -1, 2, 0 });
}

static void signed_numbers_are_in_order_below_zero_too(void **state)
{
	struct map m = { .name = "@", .key = &type_uint64, .value = &type_int64 };
	const uint64_t values[5][2] = { { 7 }, { (uint64_t)-3 }, { 0 }, { (uint64_t)-3 }, { 7 } };

	(void)state;
	expect_order(&m, values, (int64_t[]){ -1, 4, 9, 2, 3 }, 5, (int64_t[]){ 2, 4, 9, 3, -1 });
}

static void histograms_are_in_order_of_how_many_values_they_have(void **state)
{
	struct map m = { .name = "@", .key = &type_int64, .value = type_agg(*state, TY_LHIST, true, (int64_t[]){ 0, 8, 4 }) };
	const uint64_t values[3][4] = { { 0, 3, 0, 1 }, { 1 }, { 1, 1, 1, 0 } };
	struct row rows[3];
	size_t n = 3;

	for (size_t i = 0; i < n; i++)
		rows[i] = (struct row){ .value = (const uint8_t *)values[i], .key = (const uint8_t *)values[i] };
	assert_true(rows_sort(&m, rows, &n, 2));
	assert_int_equal(n, 2);
	assert_ptr_equal(rows[0].value, values[2]);
	assert_ptr_equal(rows[1].value, values[0]);
}

static void averages_are_in_order_of_the_average(void **state)
{
	struct map m = { .name = "@", .key = &type_int64, .value = type_agg(*state, TY_AVG, true, none) };
	const uint64_t values[3][2] = { { 100, 100 }, { 10, 2 }, { (uint64_t)-8, 4 } };

	expect_order(&m, values, (int64_t[]){ 1, 2, 3 }, 3, (int64_t[]){ 3, 1, 2 });
}

static void strings_are_in_order_of_their_keys(void **state)
{
	struct map m = { .name = "@", .key = &type_int64, .value = type_string(*state, 8) };
	const uint64_t values[3][2] = { { 3 }, { 2 }, { 1 } };

	expect_order(&m, values, (int64_t[]){ 5, -5, 0 }, 3, (int64_t[]){ -5, 0, 5 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_added),
		cmocka_unit_test(signed_sums_are_added),
		cmocka_unit_test(extremes_ignore_cpus_without_a_value),
		cmocka_unit_test(unsigned_extremes_compare_as_unsigned),
		cmocka_unit_test(buckets_are_added_one_by_one),
		cmocka_unit_test(narrow_integers_are_added_in_their_size),
		cmocka_unit_test(of_strings_the_first_that_is_there_is_taken),
		cmocka_unit_test(one_value_is_copied),
		cmocka_unit_test(keys_compare_as_their_types_say),
		cmocka_unit_test(rows_are_in_order_of_value_then_key),
		cmocka_unit_test(signed_numbers_are_in_order_below_zero_too),
		cmocka_unit_test(histograms_are_in_order_of_how_many_values_they_have),
		cmocka_unit_test(averages_are_in_order_of_the_average),
		cmocka_unit_test(strings_are_in_order_of_their_keys),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
