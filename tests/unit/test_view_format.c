/* SPDX-License-Identifier: GPL-2.0-or-later */
/* printf: every conversion with its flags; what C's printf shares with it is compared with C's. */
#include "view.h"

#include <stdio.h>

#include "base/util.h"

static void expect_format(struct fixture *f, const char *text, const struct type *const *types, uint32_t n,
			  const uint8_t *data, const char *want)
{
	const struct type *args = type_tuple(f->arena, types, NULL, n);
	const struct format *fmt = format_compile(f->arena, &f->diags, text, (uint32_t)strlen(text),
						  (struct span){ 0 });

	assert_non_null(fmt);
	strbuf_reset(&f->v.out);
	format_text(&f->v, &f->v.out, fmt, args, data);
	expect_shown(f, want);
}

static void expect_int(struct fixture *f, const char *text, const struct type *t, int64_t value, const char *want)
{
	expect_format(f, text, &t, 1, (const uint8_t *)&value, want);
}

static void integers_are_formatted_as_in_c(void **state)
{
	static const char *const flags[] = { "", "-", "0", "+", " ", "#", "-+", "0+", "-#", "0#" };
	static const char *const widths[] = { "", "1", "5", "12", "30" };
	static const char *const precisions[] = { "", ".0", ".1", ".7" };
	static const int64_t values[] = { 0, 1, -1, 42, -42, 255, 123456789012, INT64_MAX, INT64_MIN };
	struct fixture f;

	(void)state;
	fixture_open(&f, "text");
	for (size_t i = 0; i < ARRAY_SIZE(flags) * ARRAY_SIZE(widths) * ARRAY_SIZE(precisions) * 5; i++) {
		char conv = "duxXo"[i % 5], ours[32], theirs[32], want[128];
		const char *flag = flags[i / 5 % ARRAY_SIZE(flags)];
		const char *width = widths[i / 5 / ARRAY_SIZE(flags) % ARRAY_SIZE(widths)];
		const char *precision = precisions[i / 5 / ARRAY_SIZE(flags) / ARRAY_SIZE(widths)];

		/* Signs are for %d, another base is shown for %x and %o; C leaves the rest open. */
		if (strpbrk(flag, "+ ") ? conv != 'd' : strchr(flag, '#') && (strchr("du", conv) || *precision))
			continue;
		snprintf(ours, sizeof(ours), "[%%%s%s%sl%c]", flag, width, precision, conv);
		snprintf(theirs, sizeof(theirs), "[%%%s%s%sll%c]", flag, width, precision, conv);
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			/* With a precision of 0 C shows nothing for 0; a number that is shown is worth more. */
			if (!values[v] && str_eq(precision, ".0"))
				continue;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(want, sizeof(want), theirs, (long long)values[v]);
#pragma GCC diagnostic pop
			expect_int(&f, ours, &type_int64, values[v], want);
		}
	}
	fixture_close(&f);
}

static void integers_keep_their_value(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "text");
	expect_int(&f, "%ld", &type_uint32, 0xffffffff, "4294967295");
	expect_int(&f, "%d", &type_uint32, 0xffffffff, "-1");
	expect_int(&f, "%x", &type_uint64, 0x12345678abcdef, "78abcdef");
	expect_int(&f, "%u", &type_uint64, -1, "4294967295");
	expect_int(&f, "%d", &type_int32, -5, "-5");
	expect_int(&f, "%d", &type_int8, -1, "-1");
	expect_int(&f, "%lu", &type_uint64, -1, "18446744073709551615");
	expect_int(&f, "%jx", &type_int64, 0x12345678abcdef, "12345678abcdef");
	expect_int(&f, "%hhx %%", &type_int64, 0x12345678abcdef, "ef %");
	expect_int(&f, "%hx", &type_int64, 0x12345678abcdef, "cdef");
	expect_int(&f, "%hhd", &type_int64, 0x1ff, "-1");
	expect_int(&f, "%lld", &type_int64, -7, "-7");
	expect_int(&f, "%d", &type_bool, 1, "1");
	expect_int(&f, "%s", &type_bool, 1, "true");
	expect_int(&f, "%s", &type_int16, -3, "-3");
	expect_int(&f, "%c", &type_uint8, 'A', "A");
	expect_int(&f, "%3c|", &type_uint8, 'A', "  A|");
	expect_int(&f, "%-3c|", &type_uint8, 'A', "A  |");
	expect_int(&f, "%p", type_pointer(f.arena, NULL, SPACE_KERNEL), (int64_t)0xffff888000000000, "0xffff888000000000");
	expect_int(&f, "%12p|", &type_uint64, 0xbeef, "      0xbeef|");
	fixture_close(&f);
}

static void strings_have_width_and_precision(void **state)
{
	struct fixture f;
	const struct type *s8;

	(void)state;
	fixture_open(&f, "text");
	s8 = type_string(f.arena, 8);
	expect_format(&f, "[%s]", &s8, 1, (const uint8_t *)"abc\0\0\0\0", "[abc]");
	expect_format(&f, "[%6s]", &s8, 1, (const uint8_t *)"abc\0\0\0\0", "[   abc]");
	expect_format(&f, "[%-6s]", &s8, 1, (const uint8_t *)"abc\0\0\0\0", "[abc   ]");
	expect_format(&f, "[%.2s]", &s8, 1, (const uint8_t *)"abc\0\0\0\0", "[ab]");
	expect_format(&f, "[%5.2s]", &s8, 1, (const uint8_t *)"abc\0\0\0\0", "[   ab]");
	expect_format(&f, "[%s]", &s8, 1, (const uint8_t *)"\0\0\0\0\0\0\0", "[]");
	/* An array of characters need not have a NUL. */
	expect_format(&f, "[%s]", &s8, 1, (const uint8_t *)"abcdefgh", "[abcdefgh]");
	fixture_close(&f);
}

static void width_may_be_an_argument(void **state)
{
	struct fixture f;
	const struct type *types[] = { &type_int32, &type_int32 };
	int32_t right[] = { 6, 42 }, left[] = { -6, 42 }, huge[] = { INT32_MAX, 1 };
	const struct format *fmt;

	(void)state;
	fixture_open(&f, "text");
	expect_format(&f, "[%*d]", types, 2, (const uint8_t *)right, "[    42]");
	expect_format(&f, "[%*d]", types, 2, (const uint8_t *)left, "[42    ]");
	fmt = format_compile(f.arena, &f.diags, "%*d", 3, (struct span){ 0 });
	format_text(&f.v, &f.v.out, fmt, type_tuple(f.arena, types, NULL, 2), (const uint8_t *)huge);
	assert_int_equal(f.v.out.len, 65536);
	fixture_close(&f);
}

static void buffers_are_shown_in_three_ways(void **state)
{
	struct fixture f;
	const struct type *buf;
	const uint8_t data[] = { 5, 0, 0, 0, 'a', 'b', 0, 0xff, '\n', 'x' };
	const uint8_t lying[] = { 200, 0, 0, 0, 'a', 'b', 'c', 'd', 'e', 'f' };

	(void)state;
	fixture_open(&f, "text");
	buf = type_buffer(f.arena, 6);
	expect_format(&f, "%r", &buf, 1, data, "ab\\x00\\xff\\x0a");
	expect_format(&f, "%rx", &buf, 1, data, "\\x61\\x62\\x00\\xff\\x0a");
	expect_format(&f, "%rh", &buf, 1, data, "61 62 00 ff 0a");
	/* A length beyond the buffer is not believed. */
	expect_format(&f, "%r", &buf, 1, lying, "abcdef");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_formatted_as_in_c),
		cmocka_unit_test(integers_keep_their_value),
		cmocka_unit_test(strings_have_width_and_precision),
		cmocka_unit_test(width_may_be_an_argument),
		cmocka_unit_test(buffers_are_shown_in_three_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
