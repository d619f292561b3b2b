/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every type of the running kernel as a type of the language, against what libbpf says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "base/util.h"
#include "kernel/kernel.h"
#include "lang/ktype.h"

struct all {
	struct arena *arena;
	struct kernel *kernel;
	struct ktypes *types;
	struct btf *btf;
	const struct btf_file *file;
};

static int setup(void **state)
{
	struct all *a = calloc(1, sizeof(*a));

	a->arena = arena_new();
	a->kernel = kernel_new(NULL);
	a->types = ktypes_new(a->arena, a->kernel);
	if (kernel_has_btf(a->kernel)) {
		a->btf = kernel_btf(a->kernel);
		a->file = kernel_types(a->kernel, "vmlinux");
		assert_non_null(a->btf);
		assert_non_null(a->file);
	}
	*state = a;
	return 0;
}

static int teardown(void **state)
{
	struct all *a = *state;

	kernel_free(a->kernel);
	arena_free(a->arena);
	free(a);
	return 0;
}

static void need_btf(const struct all *a)
{
	if (!a->btf) {
		print_message("this kernel has no BTF\n");
		skip();
	}
}

static void member_check(const struct all *a, const struct type *t, const struct btf_type *b)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < btf_vlen(b) && at < t->nfields; i++) {
		const struct btf_member *m = &btf_members(b)[i];
		const char *name = btf__name_by_offset(a->btf, m->name_off);
		const struct field *f = &t->fields[at];
		uint32_t bits = btf_member_bitfield_size(b, i);

		if (!str_eq(f->name ? f->name : "", name))
			continue; /* of a type the language has not */
		at++;
		assert_int_equal(f->bit_size, bits);
		assert_int_equal(f->offset * 8 + f->bit_offset, btf_member_bit_offset(b, i));
		if (!bits)
			assert_int_equal(f->type->size, MAX(btf__resolve_size(a->btf, m->type), 0));
		assert_true(f->bit_offset + f->bit_size <= 64 + 7);
	}
	assert_int_equal(at, t->nfields);
}

static void test_every_type(void **state)
{
	struct all *a = *state;
	uint32_t structs = 0;

	need_btf(a);
	for (uint32_t id = 1; id < btf__type_cnt(a->btf); id++) {
		const struct btf_type *b = btf__type_by_id(a->btf, id);
		const struct type *t;

		assert_string_equal(btf_file_string(a->file, b->name_off), btf__name_by_offset(a->btf, b->name_off));
		t = ktype_of(a->types, a->file, id);
		assert_non_null(t);
		if (!btf_is_composite(b))
			continue;
		structs++;
		assert_int_equal(t->kind, TY_STRUCT);
		assert_int_equal(t->size, b->size);
		assert_int_equal(t->is_union, btf_is_union(b));
		assert_true(t->align && !(t->size % t->align));
		member_check(a, t, b);
	}
	assert_null(btf_file_type(a->file, btf__type_cnt(a->btf)));
	assert_null(btf_file_type(a->file, 0));
	assert_true(structs > 1000);
}

static void test_by_name(void **state)
{
	struct all *a = *state;
	const struct type *t;
	int64_t value = -1;

	need_btf(a);
	t = ktype_find(a->types, "struct task_struct");
	assert_non_null(t);
	assert_ptr_equal(t, ktype_find(a->types, "struct task_struct"));
	assert_string_equal(type_name(a->arena, t), "struct task_struct");
	assert_string_equal(type_name(a->arena, type_field(t, "comm")->type), "string[16]");
	assert_string_equal(type_name(a->arena, type_field(t, "pid")->type), "int32");
	t = type_field(t, "mm")->type;
	assert_string_equal(type_name(a->arena, t), "struct mm_struct *");
	assert_int_equal(t->elem->size, 0); /* nobody has asked for it */
	assert_string_equal(type_name(a->arena, ktype_find(a->types, "pid_t")), "int32");
	assert_string_equal(type_name(a->arena, ktype_find(a->types, "gfp_t")), "uint32");
	assert_int_equal(ktype_find(a->types, "atomic_t")->kind, TY_STRUCT);
	assert_null(ktype_find(a->types, "struct no_such_struct"));
	assert_null(ktype_find(a->types, "struct no_such_struct"));
	assert_null(ktype_find(a->types, "task_struct"));
	t = ktype_enumerator(a->types, "PIDTYPE_TGID", &value);
	assert_non_null(t);
	assert_int_equal(value, 1);
	assert_string_equal(t->name, "pid_type");
	assert_null(ktype_enumerator(a->types, "NO_SUCH_ENUMERATOR", &value));
	assert_null(ktype_enumerator(a->types, "", &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_type, setup, teardown),
		cmocka_unit_test_setup_teardown(test_by_name, setup, teardown),
	};

	return cmocka_run_group_tests_name("ktype live", tests, NULL, NULL);
}
