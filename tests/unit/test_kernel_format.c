/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parser of tracepoint formats: what the kernel writes, and what it never should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "kernel/kernel.h"

#define HEAD "name: e\nID: 365\nformat:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n"

static int parse(struct arena *a, const char *text, struct tp_format *f)
{
	return tp_format_parse(a, text, strlen(text), f);
}

static void test_exec(void **state)
{
	struct arena *a = arena_new();
	struct tp_format f;

	(void)state;
	assert_int_equal(parse(a, HEAD "\tfield:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:0;\n"
				"\tfield:pid_t pid;\toffset:12;\tsize:4;\tsigned:1;\n\n"
				"print fmt: \"filename=%s field:x;\", __get_str(filename)\n", &f), 0);
	assert_int_equal(f.id, 365);
	assert_int_equal(f.nfields, 3);
	assert_string_equal(f.fields[0].name, "common_type");
	assert_string_equal(f.fields[0].type, "unsigned short");
	assert_string_equal(f.fields[1].name, "filename");
	assert_string_equal(f.fields[1].type, "__data_loc char[]");
	assert_true(f.fields[1].data_loc);
	assert_int_equal(f.fields[1].array, 0);
	assert_string_equal(f.fields[2].name, "pid");
	assert_true(f.fields[2].is_signed);
	assert_int_equal(f.fields[2].offset, 12);
	arena_free(a);
}

static void test_declarations(void **state)
{
	static const struct {
		const char *decl, *name, *type;
		uint32_t size, array;
		bool data_loc, rel_loc;
	} rows[] = {
		{ "char comm[16]", "comm", "char[16]", 16, 16, false, false },
		{ "char comm [16]", "comm", "char[16]", 16, 16, false, false },
		{ "unsigned long args[6]", "args", "unsigned long[6]", 48, 6, false, false },
		{ "u8 addr[ETH_ALEN]", "addr", "u8[ETH_ALEN]", 6, 6, false, false },
		{ "u32 v[COUNT]", "v", "u32[COUNT]", 12, 3, false, false },
		{ "u16 m[2][3]", "m", "u16[2][3]", 12, 6, false, false },
		{ "unsigned long args[]", "args", "unsigned long[]", 0, 0, false, false },
		{ "const char * filename", "filename", "const char *", 8, 0, false, false },
		{ "const char *const * argv", "argv", "const char *const *", 8, 0, false, false },
		{ "const char *name", "name", "const char *", 8, 0, false, false },
		{ "void (*fn)(struct x *)", "fn", "void (*)(struct x *)", 8, 0, false, false },
		{ "__data_loc u8[] buf", "buf", "__data_loc u8[]", 4, 0, true, false },
		{ "__data_loc cpumask_t mask", "mask", "__data_loc cpumask_t", 4, 0, true, false },
		{ "__rel_loc char[] s", "s", "__rel_loc char[]", 4, 0, false, true },
		{ "enum dma_data_direction dir", "dir", "enum dma_data_direction", 4, 0, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arena *a = arena_new();
		struct tp_format f;

		assert_int_equal(parse(a, arena_printf(a, HEAD "\tfield:%s;\toffset:8;\tsize:%u;\tsigned:0;\n",
						       rows[i].decl, rows[i].size), &f), 0);
		assert_string_equal(f.fields[1].name, rows[i].name);
		assert_string_equal(f.fields[1].type, rows[i].type);
		assert_int_equal(f.fields[1].array, rows[i].array);
		assert_int_equal(f.fields[1].data_loc, rows[i].data_loc);
		assert_int_equal(f.fields[1].rel_loc, rows[i].rel_loc);
		arena_free(a);
	}
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"", "\n", "ID:", "ID: x\n", "ID: -1\n", "ID: 99999999999\n", "name: e\nformat:\n",
		"ID: 1\nfield:\n", "ID: 1\nfield:;\n", "ID: 1\nfield:int;offset:0;size:4;\nfield: ;offset:1;size:1;\n",
		"ID: 1\nfield:int x;\n", "ID: 1\nfield:int x;offset:8;\n", "ID: 1\nfield:int x;size:4;\n",
		"ID: 1\nfield:int x;offset:;size:4;\n", "ID: 1\nfield:int x;offset:-8;size:4;\n",
		"ID: 1\nfield:int x;offset:99999;size:4;\n", "ID: 1\nfield:int x;offset:8;size:4294967300;\n",
		"ID: 1\nfield:int x;offset:8;size:4;signed:2;\n", "ID: 1\nfield:int 9;offset:8;size:4;\n",
		"ID: 1\nfield:];offset:8;size:4;\n",
		"ID: 1\nfield:(*;offset:8;size:4;\n", "ID: 1\nfield:__data_loc char[] s;offset:8;size:8;\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct arena *a = arena_new();
		struct tp_format f;

		if (parse(a, texts[i], &f) != -EINVAL)
			fail_msg("accepted: %s", texts[i]);
		arena_free(a);
	}
}

/* Every prefix and every changed byte of a format: an answer or a refusal, never a wrong access. */
static void test_mutations(void **state)
{
	static const char text[] = HEAD
		"\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
		"\tfield:__data_loc char[] name;\toffset:24;\tsize:4;\tsigned:0;\n"
		"\tfield:void (*f)(int);\toffset:32;\tsize:8;\tsigned:0;\n\nprint fmt: \"x\"\n";
	static const char odd[] = { 0, '\n', '[', ']', '(', '*', ';', ':', ' ', '9', 'z', (char)0xff };
	size_t len = sizeof(text) - 1;
	struct tp_format f;

	(void)state;
	for (size_t i = 0; i <= len; i++) {
		struct arena *a = arena_new();
		char *copy = malloc(i ? i : 1); /* of exact size, for the sanitizer */

		memcpy(copy, text, i);
		tp_format_parse(a, copy, i, &f);
		free(copy);
		arena_free(a);
	}
	for (size_t i = 0; i < len; i++) {
		struct arena *a = arena_new();
		char *copy = malloc(len);

		for (size_t o = 0; o < sizeof(odd); o++) {
			memcpy(copy, text, len);
			copy[i] = odd[o];
			tp_format_parse(a, copy, len, &f);
		}
		free(copy);
		arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_declarations),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests_name("kernel format", tests, NULL, NULL);
}
