/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dwarf: this very program, which is built with debugging information, without optimisation. */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/util.h"
#include "symbol/dwarf.h"
#include "symbol/elf_file.h"

struct point {
	int x, y;
};

struct wide {
	long a, b;
};

struct large {
	char name[24];
	long last;
};

struct node {
	struct node *next;
	unsigned low : 3, high : 5;
	enum colour { RED = 1, GREEN = 7 } colour;
	union {
		int whole;
		short halves[2];
	};
	char text[8];
	signed char bytes[2][3];
};

typedef struct {
	struct later *later;
	const struct node *node;
} nameless;

struct later {
	uint64_t number;
};

#define KEPT static __attribute__((noinline, used))

KEPT int scalars(char c, unsigned short s, int i, long l, const char *text, bool b, long seventh, int eighth)
{
	return c + s + i + (int)l + text[0] + b + (int)seventh + eighth;
}

KEPT long structs(struct point p, double d, struct wide w, struct large g, struct node *n)
{
	return p.x + (long)d + w.b + g.last + n->colour;
}

KEPT struct large gives_large(int first, nameless *second)
{
	struct large g = { .last = first + (second != NULL) };

	return g;
}

KEPT struct point gives_point(int x) { return (struct point){ x, x }; }
KEPT float gives_float(int x) { return (float)x; }
KEPT struct node *gives_node(struct node *n) { return n; }

static inline __attribute__((always_inline)) int copied(int x)
{
	return x * 3 + 1; /* the copied line */
}
enum { COPIED_LINE = __LINE__ - 2 };

KEPT int copies_once(int x) { return copied(x) + 1; }
KEPT int copies_twice(int x) { return copied(x) + copied(x + 1); }

struct state {
	struct elf_file *elf;
	struct dwarf_file *dwarf;
};

static uint64_t vaddr_of(void *fn)
{
	Dl_info info;

	assert_true(dladdr(fn, &info));
	return (uintptr_t)fn - (uintptr_t)info.dli_fbase;
}

static int open_self(void **state)
{
	static struct state s;
	const char *why;

	assert_int_equal(elf_file_open("/proc/self/exe", &s.elf, &why), 0);
	assert_int_equal(dwarf_file_open(s.elf, NULL, &s.dwarf), 0);
	*state = &s;
	return 0;
}

static int close_self(void **state)
{
	struct state *s = *state;

	dwarf_file_close(s->dwarf);
	elf_file_close(s->elf);
	return 0;
}

static const struct field *field(const struct type *t, const char *name)
{
	const struct field *f = t ? type_field(t, name) : NULL;

	if (!f)
		print_message("no field %s\n", name);
	assert_non_null(f);
	return f;
}

static void at_word(const struct type *args, const char *name, uint32_t reg, enum type_kind kind, uint32_t size)
{
	const struct field *f = field(args, name);

	assert_int_equal(f->access, ACCESS_CTX_WORD);
	assert_int_equal(f->ctx_offset, reg);
	assert_int_equal(f->type->kind, kind);
	assert_int_equal(f->type->size, size);
}

static void arguments_are_where_the_convention_has_them(void **state)
{
	struct state *s = *state;
	const struct type *a = dwarf_args(s->dwarf, vaddr_of((void *)scalars));
	const struct field *f;

	assert_non_null(a);
	assert_int_equal(a->nfields, 8);
#if defined(__x86_64__)
	at_word(a, "c", 112, TY_INT, 1);
	assert_true(field(a, "c")->type->is_signed);
	at_word(a, "s", 104, TY_INT, 2);
	at_word(a, "i", 96, TY_INT, 4);
	at_word(a, "l", 88, TY_INT, 8);
	at_word(a, "text", 72, TY_POINTER, 8);
	assert_int_equal(field(a, "text")->type->space, SPACE_USER);
	assert_string_equal(field(a, "text")->type->name, "const char *");
	at_word(a, "b", 64, TY_BOOL, 1);
	f = field(a, "seventh");
	assert_int_equal(f->access, ACCESS_CTX_USER);
	assert_int_equal(f->ctx_offset, 152);
	assert_int_equal(f->bias, 8);
	assert_int_equal(field(a, "eighth")->bias, 16);
#else
	(void)f;
#endif
}

static void structs_are_passed_in_parts_and_in_memory(void **state)
{
	struct state *s = *state;
	const struct type *a = dwarf_args(s->dwarf, vaddr_of((void *)structs));

	assert_non_null(a);
	assert_int_equal(a->nfields, 4); /* floating point is left out */
	assert_int_equal(field(a, "p")->access, ACCESS_CTX_PARTS);
	assert_int_equal(field(field(a, "p")->type, "y")->offset, 4);
#if defined(__x86_64__)
	assert_int_equal(field(a, "p")->ctx_offset, 112);
	assert_int_equal(field(a, "w")->ctx_offset, 104);
	assert_int_equal(field(a, "w")->bias, 96);
	assert_int_equal(field(a, "g")->access, ACCESS_CTX_USER);
	assert_int_equal(field(a, "g")->bias, 8);
	at_word(a, "n", 88, TY_POINTER, 8);
#endif
	/* one after the other, as they are shown as a whole */
	assert_int_equal(field(a, "p")->offset, 0);
	assert_int_equal(field(a, "w")->offset, 8);
	assert_int_equal(field(a, "g")->offset, 24);
	assert_int_equal(a->size, 24 + 32 + 8);
}

static void a_large_result_takes_a_register(void **state)
{
	struct state *s = *state;
	const struct type *a = dwarf_args(s->dwarf, vaddr_of((void *)gives_large));

#if defined(__x86_64__)
	at_word(a, "first", 104, TY_INT, 4);
	at_word(a, "second", 96, TY_POINTER, 8);
#endif
	a = dwarf_return(s->dwarf, vaddr_of((void *)gives_large));
	assert_int_equal(field(a, "retval")->access, ACCESS_CTX_USER);
	assert_string_equal(field(a, "retval")->type->name, "large");
}

static void results_have_types(void **state)
{
	struct state *s = *state;
	const struct type *r = dwarf_return(s->dwarf, vaddr_of((void *)scalars));

	assert_true(field(r, "retval")->type->is_signed);
	assert_int_equal(field(r, "retval")->type->size, 4);
	r = dwarf_return(s->dwarf, vaddr_of((void *)gives_point));
	assert_int_equal(field(r, "retval")->access, ACCESS_CTX_PARTS);
	assert_null(dwarf_return(s->dwarf, vaddr_of((void *)gives_float)));
	r = dwarf_return(s->dwarf, vaddr_of((void *)gives_node));
	assert_int_equal(field(r, "retval")->type->kind, TY_POINTER);
	assert_string_equal(field(r, "retval")->type->elem->name, "node");
}

static void structs_have_their_members(void **state)
{
	struct state *s = *state;
	const struct type *t = dwarf_type_find(s->dwarf, "struct node"), *next;

	assert_non_null(t);
	assert_int_equal(t->size, sizeof(struct node));
	assert_int_equal(field(t, "low")->bit_size, 3);
	assert_int_equal(field(t, "high")->bit_offset, 3);
	assert_int_equal(field(t, "high")->bit_size, 5);
	assert_int_equal(field(t, "colour")->type->kind, TY_ENUM);
	assert_int_equal(field(t, "colour")->type->nenumerators, 2);
	assert_string_equal(field(t, "colour")->type->enumerators[1].name, "GREEN");
	assert_int_equal(field(t, "colour")->type->enumerators[1].value, 7);
	assert_int_equal(field(t, "halves")->offset, offsetof(struct node, halves));
	assert_int_equal(field(t, "text")->type->kind, TY_STRING);
	assert_int_equal(field(t, "bytes")->type->kind, TY_ARRAY);
	assert_int_equal(field(t, "bytes")->type->count, 2);
	assert_int_equal(field(t, "bytes")->type->elem->count, 3);
	/* what a pointer leads to is made when it is followed, in circles too */
	next = field(t, "next")->type->elem;
	assert_int_equal(next->size, 0);
	assert_non_null(next->maker);
	next->maker->complete(next->maker, (struct type *)(uintptr_t)next);
	assert_int_equal(next->size, sizeof(struct node));
	assert_int_equal(field(next, "text")->offset, offsetof(struct node, text));
}

static void types_by_name(void **state)
{
	struct state *s = *state;
	const struct type *t = dwarf_type_find(s->dwarf, "nameless");

	assert_non_null(t);
	assert_string_equal(t->name, "nameless");
	assert_non_null(dwarf_type_find(s->dwarf, "enum colour"));
	assert_null(dwarf_type_find(s->dwarf, "struct nobody"));
	assert_null(dwarf_type_find(s->dwarf, "union node"));
	assert_null(dwarf_type_find(s->dwarf, ""));
}

static void lines_have_places(void **state)
{
	struct state *s = *state;
	struct dwarf_line l;

	assert_int_equal(dwarf_line_find(s->dwarf, "test_dwarf.c", COPIED_LINE, 0, &l), 0);
	assert_int_equal(l.n, 3);
	free(l.addrs);
	assert_int_equal(dwarf_line_find(s->dwarf, "unit/test_dwarf.c", 1, 0, &l), -ENOENT);
	assert_non_null(l.file);
	assert_true(l.near > 1);
	assert_int_equal(dwarf_line_find(s->dwarf, "no_such.c", 1, 0, &l), -ENOENT);
	assert_null(l.file);
	assert_int_equal(dwarf_line_find(s->dwarf, "nit/test_dwarf.c", 1, 0, &l), -ENOENT); /* no whole part */
	assert_null(l.file);
}

static void inlined_copies_are_frames(void **state)
{
	struct state *s = *state;
	struct dwarf_frame frames[8];
	uint64_t *addrs;
	uint32_t n;

	assert_int_equal(dwarf_inlined_copies(s->dwarf, "copied", &addrs, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(dwarf_frames(s->dwarf, addrs[0], frames, 8), 2);
	assert_string_equal(frames[0].name, "copied");
	assert_true(frames[0].inlined);
	assert_string_equal(frames[1].name, "copies_once");
	assert_false(frames[1].inlined);
	assert_int_equal(frames[0].line, COPIED_LINE);
	assert_non_null(strstr(frames[1].file, "test_dwarf.c"));
	assert_int_equal(dwarf_frames(s->dwarf, addrs[0], frames, 1), 1);
	assert_string_equal(frames[0].name, "copies_once");
	assert_int_equal(dwarf_frames(s->dwarf, 1, frames, 8), 0);
	free(addrs);
}

static void what_has_none_says_so(void **state)
{
	struct elf_file *elf;
	struct dwarf_file *d;
	const char *why;

	(void)state;
	assert_int_equal(elf_file_open("/bin/true", &elf, &why), 0);
	assert_int_equal(dwarf_file_open(elf, NULL, &d), -ENOENT);
	elf_file_close(elf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_are_where_the_convention_has_them),
		cmocka_unit_test(structs_are_passed_in_parts_and_in_memory),
		cmocka_unit_test(a_large_result_takes_a_register),
		cmocka_unit_test(results_have_types),
		cmocka_unit_test(structs_have_their_members),
		cmocka_unit_test(types_by_name),
		cmocka_unit_test(lines_have_places),
		cmocka_unit_test(inlined_copies_are_frames),
		cmocka_unit_test(what_has_none_says_so),
	};

	return cmocka_run_group_tests(tests, open_self, close_self);
}
