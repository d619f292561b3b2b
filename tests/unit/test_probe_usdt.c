/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Markers of programs: operands of every form on both machines, and notes that are broken on purpose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/util.h"
#include "probe/usdt_arg.h"
#include "probe/usdt_note.h"

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

/* "s4 mem reg80 + reg96:4<<2 + -8 sym": what an operand came to. */
static const char *place_text(struct arena *a, const struct usdt_arg *arg)
{
	const struct reg_place *p = &arg->place;
	const char *text;

	if (p->problem)
		return arena_printf(a, "! %s", p->problem);
	text = arena_printf(a, "%c%u%s", p->is_signed ? 's' : 'u', p->bytes, p->is_memory ? " mem" : "");
	if (p->base >= 0)
		text = arena_printf(a, "%s r%d", text, p->base);
	if (p->base >= 0 && p->base_bytes != 8)
		text = arena_printf(a, "%s:%u", text, p->base_bytes);
	if (p->index >= 0)
		text = arena_printf(a, "%s i%d:%u%s<<%u", text, p->index, p->index_bytes, p->index_signed ? "s" : "", p->scale);
	if (p->shift)
		text = arena_printf(a, "%s >>%u", text, p->shift);
	if (arg->symbol)
		text = arena_printf(a, "%s %s%s", text, arg->symbol, arg->pc ? "@pc" : "");
	return p->number ? arena_printf(a, "%s %+lld", text, (long long)p->number) : text;
}

struct operand {
	const char *text, *place;
};

static void operands_check(struct arena *a, enum usdt_machine machine, const struct operand *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct usdt_arg args[USDT_ARGS_MOST];
		uint32_t count = usdt_args_parse(a, machine, list[i].text, args);

		if (count != 1 || strcmp(place_text(a, &args[0]), list[i].place))
			fail_msg("'%s' is %s, not %s", list[i].text, count ? place_text(a, &args[0]) : "nothing", list[i].place);
	}
}

static void test_x86(void **state)
{
	static const struct operand list[] = {
		/* constants */
		{ "-4@$5", "s4 +5" }, { "-4@$-5", "s4 -5" }, { "1@$255", "u1 +255" }, { "8@$0x10", "u8 +16" },
		{ "8@$18446744073709551615", "u8 -1" }, { "-8@$-9223372036854775808", "s8 -9223372036854775808" },
		{ "8@$sym", "u8 sym" }, { "8@$sym+4", "u8 sym +4" }, { "8@$.LC0", "u8 .LC0" }, { "4@$0", "u4" },
		/* registers, whole and in parts */
		{ "8@%rax", "u8 r80" }, { "-8@%rbx", "s8 r40" }, { "4@%ecx", "u4 r88" }, { "-4@%edx", "s4 r96" },
		{ "2@%si", "u2 r104" }, { "-2@%di", "s2 r112" }, { "1@%al", "u1 r80" }, { "-1@%bl", "s1 r40" },
		{ "1@%ah", "u1 r80 >>8" }, { "-1@%dh", "s1 r96 >>8" }, { "1@%sil", "u1 r104" }, { "1@%bpl", "u1 r32" },
		{ "1@%spl", "u1 r152" }, { "8@%rsp", "u8 r152" }, { "8@%rbp", "u8 r32" }, { "8@%rip", "u8 r128" },
		{ "8@%r8", "u8 r72" }, { "4@%r9d", "u4 r64" }, { "2@%r10w", "u2 r56" }, { "1@%r11b", "u1 r48" },
		{ "-8@%r12", "s8 r24" }, { "-4@%r13d", "s4 r16" }, { "-2@%r14w", "s2 r8" }, { "-1@%r15b", "s1 r0" },
		/* a size that the register does not have: as much as there is */
		{ "8@%eax", "u4 r80" }, { "-8@%ax", "s2 r80" }, { "4@%rax", "u4 r80" }, { "-4@%al", "s1 r80" },
		/* memory */
		{ "8@(%rax)", "u8 mem r80" }, { "-4@8(%rsp)", "s4 mem r152 +8" }, { "2@-16(%rbp)", "u2 mem r32 -16" },
		{ "1@0x20(%r15)", "u1 mem r0 +32" }, { "-8@(%rdi,%rsi)", "s8 mem r112 i104:8<<0" },
		{ "4@4(%rax,%rcx,4)", "u4 mem r80 i88:8<<2 +4" }, { "4@(%rax,%rcx,8)", "u4 mem r80 i88:8<<3" },
		{ "4@(,%r9,2)", "u4 mem i64:8<<1" }, { "4@16(,%rax,8)", "u4 mem i80:8<<3 +16" },
		{ "4@(%eax)", "u4 mem r80:4" }, { "4@8+4(%rsp)", "u4 mem r152 +12" }, { "4@8+-4(%rsp)", "u4 mem r152 +4" },
		{ "4@4(%rax,%r10d,4)", "u4 mem r80 i56:4<<2 +4" },
		/* by symbols */
		{ "4@sym(%rip)", "u4 mem sym@pc" }, { "-1@sym+8(%rip)", "s1 mem sym@pc +8" },
		{ "8@-4+sym(%rip)", "u8 mem sym@pc -4" }, { "4@sym-12(%rip)", "u4 mem sym@pc -12" },
		{ "4@8+sym+4(%rip)", "u4 mem sym@pc +12" }, { "4@sym", "u4 mem sym" }, { "4@sym+8", "u4 mem sym +8" },
		{ "4@sym(,%rax,4)", "u4 mem i80:8<<2 sym" }, { "4@sym(%rax)", "u4 mem r80 sym" },
		{ "4@_ZN3foo3barE(%rip)", "u4 mem _ZN3foo3barE@pc" }, { "4@a.b$c(%rip)", "u4 mem a.b$c@pc" },
		{ "8@4096", "u8 mem +4096" }, { "8@16(%rip)", "u8 mem r128 +16" },
		/* without a size */
		{ "%rax", "u8 r80" }, { "$7", "u8 +7" }, { "-8(%rbp)", "u8 mem r32 -8" },
	};

	operands_check(*state, USDT_X86_64, list, ARRAY_SIZE(list));
}

static void test_x86_refused(void **state)
{
	static const struct operand list[] = {
		{ "4f@%xmm0", "! it is a floating-point number" }, { "8f@8(%rsp)", "! it is a floating-point number" },
		{ "-8f@%r9", "! it is a floating-point number" },
		{ "8@%xmm1", "! it lies in a floating-point or vector register" },
		{ "8@%st", "! it lies in a floating-point or vector register" },
		{ "16@%rax", "! a number of 16 bytes cannot be read" }, { "3@%rax", "! a number of 3 bytes cannot be read" },
		{ "0@%rax", "! a number of 0 bytes cannot be read" },
		{ "99999999999999999999@%rax", "! a number of 18446744073709551615 bytes cannot be read" },
		{ "8@%fs:16", "! it lies in storage of the thread, which is not known here" },
		{ "4@sym@GOTPCREL(%rip)", "! only the linker knew where sym@GOTPCREL is" },
		{ "8@%rzx", "! its place '8@%rzx' is not understood" }, { "8@%r16", "! its place '8@%r16' is not understood" },
		{ "8@%r8x", "! its place '8@%r8x' is not understood" }, { "8@", "! its place '8@' is not understood" },
		{ "8@%", "! its place '8@%' is not understood" }, { "8@$", "! its place '8@$' is not understood" },
		{ "8@(", "! its place '8@(' is not understood" }, { "8@(%rax", "! its place '8@(%rax' is not understood" },
		{ "8@(%rax,", "! its place '8@(%rax,' is not understood" },
		{ "8@(%rax,%rbx,3)", "! its place '8@(%rax,%rbx,3)' is not understood" },
		{ "8@(%rax,%rbx,16)", "! its place '8@(%rax,%rbx,16)' is not understood" },
		{ "8@(%al)", "! its place '8@(%al)' is not understood" },
		{ "8@a+b(%rip)", "! its place '8@a+b(%rip)' is not understood" },
		{ "8@a-b(%rip)", "! its place '8@a-b(%rip)' is not understood" },
		{ "8@%rax)", "! its place '8@%rax)' is not understood" },
		{ "8@$99999999999999999999", "! its place '8@$99999999999999999999' is not understood" },
		{ "8@DWORD PTR [rax]", "! its place '8@DWORD PTR [rax]' is not understood" },
		{ "-@%rax", "! its place '-@%rax' is not understood" },
	};

	operands_check(*state, USDT_X86_64, list, ARRAY_SIZE(list));
}

static void test_arm64(void **state)
{
	static const struct operand list[] = {
		{ "-4@5", "s4 +5" }, { "8@-1", "u8 -1" }, { "8@#16", "u8 +16" }, { "8@x0", "u8 r0" }, { "4@w30", "u4 r240" },
		{ "-8@x19", "s8 r152" }, { "-2@w3", "s2 r24" }, { "1@w1", "u1 r8" }, { "8@sp", "u8 r248" },
		{ "8@xzr", "u8" }, { "4@wzr", "u4" }, { "8@w2", "u4 r16" },
		{ "8@[sp]", "u8 mem r248" }, { "8@[x1]", "u8 mem r8" }, { "-4@[sp, 60]", "s4 mem r248 +60" },
		{ "4@[x20,-8]", "u4 mem r160 -8" }, { "4@[x29, #16]", "u4 mem r232 +16" },
		{ "8@[x0, x1]", "u8 mem r0 i8:8<<0" }, { "8@[x0,x1,lsl 3]", "u8 mem r0 i8:8<<3" },
		{ "8@[x0, x1, lsl #3]", "u8 mem r0 i8:8<<3" }, { "4@[x0, w2, sxtw 2]", "u4 mem r0 i16:4s<<2" },
		{ "4@[x0, w2, uxtw]", "u4 mem r0 i16:4<<0" },
		{ "4f@s0", "! it is a floating-point number" },
		{ "8@d1", "! it lies in a floating-point or vector register" },
		{ "8@x31", "! its place '8@x31' is not understood" }, { "8@[x0", "! its place '8@[x0' is not understood" },
		{ "8@[w0]", "! its place '8@[w0]' is not understood" }, { "8@[x0, q1]", "! its place '8@[x0, q1]' is not understood" },
		{ "8@[x0, x1, lsl 9]", "! its place '8@[x0, x1, lsl 9]' is not understood" },
		{ "8@[x0, x1, ror 1]", "! its place '8@[x0, x1, ror 1]' is not understood" },
	};

	operands_check(*state, USDT_ARM64, list, ARRAY_SIZE(list));
}

/* What cannot be understood does not hide what follows. */
static void test_several(void **state)
{
	struct usdt_arg args[USDT_ARGS_MOST];
	struct arena *a = *state;

	assert_int_equal(usdt_args_parse(a, USDT_X86_64, "  -4@%eax 8@oh no! 1@$3 8@%xmm0\t8f@%xmm1 2@(%rsp)  ", args), 6);
	assert_string_equal(place_text(a, &args[0]), "s4 r80");
	assert_string_equal(place_text(a, &args[1]), "! its place '8@oh no!' is not understood");
	assert_string_equal(place_text(a, &args[2]), "u1 +3");
	assert_string_equal(place_text(a, &args[3]), "! it lies in a floating-point or vector register");
	assert_string_equal(args[4].type_name, "double");
	assert_string_equal(place_text(a, &args[5]), "u2 mem r152");
	assert_int_equal(usdt_args_parse(a, USDT_ARM64, "8@[sp, 8] 4@w0 8@[x0, x1, lsl 3] -1@7", args), 4);
	assert_string_equal(place_text(a, &args[2]), "u8 mem r0 i8:8<<3");
	assert_string_equal(place_text(a, &args[3]), "s1 +7");
	assert_int_equal(usdt_args_parse(a, USDT_X86_64, "", args), 0);
	/* No more than the macros can pass. */
	assert_int_equal(usdt_args_parse(a, USDT_X86_64, "1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1",
					 args), USDT_ARGS_MOST);
}

/* Any bytes: no crash, an end, and nothing beyond the array. */
static void test_arguments_random(void **state)
{
	static const char letters[] = "$%()@,+-0189rxabceispfdwl[]#:. \t_~";
	uint32_t seed = 12345;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct usdt_arg args[USDT_ARGS_MOST];
		struct arena *a = arena_new();
		char text[48];
		size_t n = 0;

		for (; n < sizeof(text) - 1; n++) {
			seed = seed * 1664525 + 1013904223;
			text[n] = letters[(seed >> 16) % sizeof(letters)];
		}
		text[n] = 0;
		for (int machine = 0; machine < 2; machine++) {
			uint32_t count = usdt_args_parse(a, (enum usdt_machine)machine, text, args);

			assert_true(count <= USDT_ARGS_MOST);
			for (uint32_t i = 0; i < count; i++)
				assert_true(args[i].place.problem || args[i].place.bytes == 1 || args[i].place.bytes == 2 ||
					    args[i].place.bytes == 4 || args[i].place.bytes == 8);
		}
		arena_free(a);
	}
}

/* ---- notes ---- */

struct notes {
	uint8_t bytes[1024];
	size_t n;
};

static void add(struct notes *s, const void *data, size_t len)
{
	memcpy(s->bytes + s->n, data, len);
	s->n += len;
}

static void add_note(struct notes *s, const char *owner, uint32_t type, uint64_t location, const char *strings,
		     size_t strings_len)
{
	uint32_t owner_len = (uint32_t)strlen(owner) + 1, len = (uint32_t)(24 + strings_len);
	uint32_t header[3] = { owner_len, len, type };
	uint64_t words[3] = { location, 0x1000, 0x2000 };

	add(s, header, sizeof(header));
	add(s, owner, owner_len);
	s->n = (s->n + 3) & ~(size_t)3;
	add(s, words, sizeof(words));
	add(s, strings, strings_len);
	s->n = (s->n + 3) & ~(size_t)3;
}

static int note_text(const struct usdt_note *n, void *ctx)
{
	char *text = ctx;

	sprintf(text + strlen(text), "%s:%s(%s) %llx %llx %llx;", n->provider, n->name, n->args,
		(unsigned long long)n->location, (unsigned long long)n->base, (unsigned long long)n->semaphore);
	return 0;
}

static int note_stop(const struct usdt_note *n, void *ctx)
{
	(void)n;
	++*(int *)ctx;
	return 7;
}

static void test_notes(void **state)
{
	struct notes s = { 0 };
	char text[512] = "";
	int calls = 0;

	(void)state;
	add_note(&s, "stapsdt", 3, 0x10, "prov\0one\0" "4@%eax", 16);
	add_note(&s, "other", 3, 0x20, "prov\0two\0", 10);
	add_note(&s, "stapsdt", 4, 0x30, "prov\0three\0", 12);
	add_note(&s, "stapsdt", 3, 0x40, "p\0n\0", 5);
	add_note(&s, "stapsdt", 3, 0x50, "p\0four", 7);  /* the arguments are missing */
	add_note(&s, "stapsdt", 3, 0x60, "p", 1);        /* no string ends */
	add_note(&s, "stapsdt", 3, 0x70, "\0name\0", 7); /* no provider */
	add_note(&s, "stapsdt", 3, 0x80, "last\0one\0", 10);
	assert_int_equal(usdt_notes_each(s.bytes, s.n, note_text, text), 0);
	assert_string_equal(text, "prov:one(4@%eax) 10 1000 2000;p:n() 40 1000 2000;p:four() 50 1000 2000;"
				  "last:one() 80 1000 2000;");
	assert_int_equal(usdt_notes_each(s.bytes, s.n, note_stop, &calls), 7);
	assert_int_equal(calls, 1);
	assert_int_equal(usdt_notes_each(s.bytes, 0, note_text, text), 0);
}

/* Cut short anywhere, and with any byte changed: within bounds (valgrind and sanitizers look on). */
static void test_notes_broken(void **state)
{
	struct notes s = { 0 };

	(void)state;
	add_note(&s, "stapsdt", 3, 0x10, "prov\0one\0" "4@%eax", 16);
	add_note(&s, "stapsdt", 3, 0x40, "p\0n\0", 5);
	for (size_t n = 0; n <= s.n; n++) {
		uint8_t *exact = malloc(n ? n : 1);
		char text[2048] = "";

		memcpy(exact, s.bytes, n);
		assert_int_equal(usdt_notes_each(exact, n, note_text, text), 0);
		free(exact);
	}
	for (size_t i = 0; i < s.n; i++) {
		for (int bit = 0; bit < 8; bit++) {
			uint8_t *exact = malloc(s.n);
			char text[2048] = "";

			memcpy(exact, s.bytes, s.n);
			exact[i] ^= (uint8_t)(1 << bit);
			assert_int_equal(usdt_notes_each(exact, s.n, note_text, text), 0);
			free(exact);
		}
	}
	for (uint32_t bad = 0xfffffff0; bad; bad++) {
		uint32_t header[8] = { 8, bad, 3 }, other[8] = { bad, 8, 3 };
		char text[64] = "";

		assert_int_equal(usdt_notes_each(header, sizeof(header), note_text, text), 0);
		assert_int_equal(usdt_notes_each(other, sizeof(other), note_text, text), 0);
		assert_string_equal(text, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_x86, setup, teardown),
		cmocka_unit_test_setup_teardown(test_x86_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_arm64, setup, teardown),
		cmocka_unit_test_setup_teardown(test_several, setup, teardown),
		cmocka_unit_test(test_arguments_random),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_notes_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
