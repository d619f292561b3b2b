/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types: layout, comparison, names, members of anonymous members, histogram buckets. */
#include "lang.h"

#include "base/util.h"

static void tuples_are_laid_out_like_structs(void **state)
{
	struct arena *a = arena_new();
	const struct type *items[] = { &type_uint8, &type_int64, &type_uint16, type_string(a, 5) };
	const struct type *t = type_tuple(a, items, NULL, 4);

	(void)state;
	assert_int_equal(t->fields[1].offset, 8);
	assert_int_equal(t->fields[2].offset, 16);
	assert_int_equal(t->fields[3].offset, 18);
	assert_int_equal(t->size, 24);
	assert_int_equal(t->align, 8);
	assert_string_equal(t->fields[3].name, "3");
	assert_string_equal(type_name(a, t), "(uint8,int64,uint16,string[5])");
	assert_int_equal(type_tuple(a, NULL, NULL, 0)->size, 0);
	arena_free(a);
}

static void names_are_those_people_know(void **state)
{
	struct arena *a = arena_new();
	const struct type *task = &(struct type){ .kind = TY_STRUCT, .name = "task_struct", .size = 8 };
	const struct type *p = type_pointer(a, task, SPACE_KERNEL);
	const struct type *items[] = { &type_bool };
	const char *const names[] = { "ok" };
	int64_t bits[3] = { 2 };

	(void)state;
	assert_string_equal(type_name(a, p), "struct task_struct *");
	assert_string_equal(type_name(a, type_pointer(a, p, SPACE_KERNEL)), "struct task_struct **");
	assert_string_equal(type_name(a, type_pointer(a, &type_none, SPACE_NONE)), "void *");
	assert_string_equal(type_name(a, type_array(a, &type_int8, 6)), "int8[6]");
	assert_string_equal(type_name(a, type_buffer(a, 16)), "buffer[16]");
	assert_string_equal(type_name(a, type_agg(a, TY_COUNT, false, NULL)), "count_t");
	assert_string_equal(type_name(a, type_agg(a, TY_SUM, false, NULL)), "usum_t");
	assert_string_equal(type_name(a, type_agg(a, TY_HIST, true, bits)), "hist_t");
	assert_string_equal(type_name(a, type_tuple(a, items, names, 1)), "(ok=bool)");
	arena_free(a);
}

static void equality_looks_at_parts(void **state)
{
	struct arena *a = arena_new();
	const struct type *one[] = { &type_uint8, &type_int64 }, *two[] = { &type_uint8, &type_uint64 };
	const char *const x[] = { "a", "b" }, *const y[] = { "a", "c" };
	int64_t l1[3] = { 0, 10, 1 }, l2[3] = { 0, 10, 2 };

	(void)state;
	assert_true(type_equal(type_tuple(a, one, NULL, 2), type_tuple(a, one, NULL, 2)));
	assert_false(type_equal(type_tuple(a, one, NULL, 2), type_tuple(a, two, NULL, 2)));
	assert_false(type_equal(type_tuple(a, one, x, 2), type_tuple(a, one, y, 2)));
	assert_false(type_equal(type_string(a, 4), type_string(a, 5)));
	assert_false(type_equal(&type_int8, &type_uint8));
	assert_true(type_equal(type_agg(a, TY_LHIST, true, l1), type_agg(a, TY_LHIST, true, l1)));
	assert_false(type_equal(type_agg(a, TY_LHIST, true, l1), type_agg(a, TY_LHIST, true, l2)));
	assert_true(type_equal(type_pointer(a, &type_int8, SPACE_USER), type_pointer(a, &type_int8, SPACE_KERNEL)));
	arena_free(a);
}

static void members_of_anonymous_members_are_found(void **state)
{
	struct arena *a = arena_new();
	struct type inner = { .kind = TY_STRUCT, .size = 8, .is_union = true }, outer = { .kind = TY_STRUCT, .size = 16 };
	struct type deep = { .kind = TY_STRUCT, .size = 4 };
	struct field deep_fields[] = { { .name = "z", .type = &type_int32 } };
	struct field inner_fields[] = { { .name = "x", .type = &type_int64 }, { .type = &deep, .offset = 4 } };
	struct field outer_fields[] = { { .name = "a", .type = &type_int64 }, { .name = "", .type = &inner, .offset = 8 } };

	(void)state;
	type_set_fields(a, &deep, deep_fields, 1);
	type_set_fields(a, &inner, inner_fields, 2);
	type_set_fields(a, &outer, outer_fields, 2);
	assert_int_equal(outer.nfields, 2);
	assert_int_equal(type_field(&outer, "x")->offset, 8);
	assert_int_equal(type_field(&outer, "z")->offset, 12);
	assert_null(type_field(&outer, "y"));
	arena_free(a);
}

static void buckets_and_bounds_agree(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	assert_int_equal(hist_bucket(-1, 0), 0);
	assert_int_equal(hist_bucket(0, 0), 1);
	assert_int_equal(hist_bucket(1, 0), 2);
	assert_int_equal(hist_bucket(2, 0), 3);
	assert_int_equal(hist_bucket(3, 0), 3);
	assert_int_equal(hist_bucket(4, 0), 4);
	for (uint32_t k = 0; k <= 5; k++) {
		int64_t param[3] = { k }, low, high, expected = 0;
		uint32_t n = type_buckets(type_agg(a, TY_HIST, true, param));

		assert_int_equal(hist_bucket(INT64_MAX, k), n - 1);
		for (uint32_t b = 1; b < n; b++) {
			hist_bounds(b, k, &low, &high);
			assert_true(low == expected);
			assert_int_equal(hist_bucket(low, k), b);
			assert_int_equal(hist_bucket(high, k), b);
			expected = (int64_t)((uint64_t)high + 1);
		}
		assert_true(high == INT64_MAX);
		hist_bounds(0, k, &low, &high);
		assert_true(low == INT64_MIN && high == -1);
	}
	arena_free(a);
}

static void aggregations_have_their_size(void **state)
{
	struct arena *a = arena_new();
	int64_t log[3] = { 0 }, lin[3] = { 0, 100, 10 }, wrong[3] = { 5, 0, 0 };

	(void)state;
	assert_int_equal(type_agg(a, TY_COUNT, true, NULL)->size, 8);
	assert_int_equal(type_agg(a, TY_MIN, true, NULL)->size, 16);
	assert_int_equal(type_agg(a, TY_HIST, true, log)->size, 65 * 8);
	assert_int_equal(type_agg(a, TY_LHIST, true, lin)->size, 12 * 8);
	assert_int_equal(type_agg(a, TY_LHIST, true, wrong)->size, 16);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tuples_are_laid_out_like_structs),
		cmocka_unit_test(names_are_those_people_know),
		cmocka_unit_test(equality_looks_at_parts),
		cmocka_unit_test(members_of_anonymous_members_are_found),
		cmocka_unit_test(buckets_and_bounds_agree),
		cmocka_unit_test(aggregations_have_their_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
