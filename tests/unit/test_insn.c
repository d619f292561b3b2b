/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lengths of x86-64 instructions; the bytes are from the architecture's manual of opcodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "probe/insn.h"

static const struct {
	const char *what;
	size_t len; /* 0: no instruction */
	uint8_t code[INSN_MOST_BYTES + 1];
} cases[] = {
	{ "push rbp", 1, { 0x55 } },
	{ "endbr64", 4, { 0xf3, 0x0f, 0x1e, 0xfa } },
	{ "mov rbp, rsp", 3, { 0x48, 0x89, 0xe5 } },
	{ "sub rsp, 16", 4, { 0x48, 0x83, 0xec, 0x10 } },
	{ "sub rsp, 4096", 7, { 0x48, 0x81, 0xec, 0x00, 0x10, 0, 0 } },
	{ "mov rax, 64 bits", 10, { 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ "mov eax, 32 bits", 5, { 0xb8, 1, 2, 3, 4 } },
	{ "mov ax, 16 bits", 4, { 0x66, 0xb8, 1, 2 } },
	{ "mov eax, [rip + x]", 6, { 0x8b, 0x05, 1, 2, 3, 4 } },
	{ "mov eax, [rsp + 8]", 4, { 0x8b, 0x44, 0x24, 0x08 } },
	{ "mov eax, [x + 4 * rax]", 7, { 0x8b, 0x04, 0x85, 1, 2, 3, 4 } },
	{ "movabs al, [x]", 9, { 0xa0, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ "call x", 5, { 0xe8, 1, 2, 3, 4 } },
	{ "call [rip + x]", 6, { 0xff, 0x15, 1, 2, 3, 4 } },
	{ "jne near", 6, { 0x0f, 0x85, 1, 2, 3, 4 } },
	{ "jne short", 2, { 0x75, 0x10 } },
	{ "test al, 1", 3, { 0xf6, 0xc0, 0x01 } },
	{ "not al", 2, { 0xf6, 0xd0 } },
	{ "test eax, 1", 6, { 0xf7, 0xc0, 1, 0, 0, 0 } },
	{ "neg eax", 2, { 0xf7, 0xd8 } },
	{ "ret", 1, { 0xc3 } },
	{ "ret 8", 3, { 0xc2, 8, 0 } },
	{ "enter 16, 1", 4, { 0xc8, 16, 0, 1 } },
	{ "lock cmpxchg [rdi], esi", 4, { 0xf0, 0x0f, 0xb1, 0x37 } },
	{ "nop word [rax + rax]", 6, { 0x66, 0x0f, 0x1f, 0x44, 0, 0 } },
	{ "pshufd xmm0, xmm0, 1", 5, { 0x66, 0x0f, 0x70, 0xc0, 1 } },
	{ "palignr xmm0, xmm1, 4", 6, { 0x66, 0x0f, 0x3a, 0x0f, 0xc1, 4 } },
	{ "pshufb xmm0, xmm1", 5, { 0x66, 0x0f, 0x38, 0x00, 0xc1 } },
	{ "vzeroupper", 3, { 0xc5, 0xf8, 0x77 } },
	{ "vmovdqu ymm0, [rsi]", 4, { 0xc5, 0xfe, 0x6f, 0x06 } },
	{ "vpshufd ymm0, ymm0, 1", 5, { 0xc5, 0xfd, 0x70, 0xc0, 1 } },
	{ "vpalignr ymm0, ymm1, ymm2, 4", 6, { 0xc4, 0xe3, 0x75, 0x0f, 0xc2, 4 } },
	{ "vmovdqu64 zmm16, [rsi]", 6, { 0x62, 0xe1, 0xfe, 0x48, 0x6f, 0x06 } },
	{ "push es: none in 64 bits", 0, { 0x06 } },
	{ "prefixes alone", 0, { 0x66, 0x66 } },
	{ "too many prefixes", 0, { 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90 } },
};

static void test_lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len = cases[i].len ? cases[i].len : sizeof(cases[i].code);

		if (!strcmp(cases[i].what, "prefixes alone"))
			len = 2;
		if (insn_length_x86(cases[i].code, len) != cases[i].len)
			fail_msg("%s: %zu bytes", cases[i].what, insn_length_x86(cases[i].code, len));
		/* Cut short it is none. */
		if (cases[i].len)
			assert_int_equal(insn_length_x86(cases[i].code, len - 1), 0);
	}
}

static void test_any_bytes(void **state)
{
	uint8_t code[INSN_MOST_BYTES + 1] = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 0x1000000; i += 7) {
		code[0] = (uint8_t)i;
		code[1] = (uint8_t)(i >> 8);
		code[2] = (uint8_t)(i >> 16);
		assert_true(insn_length_x86(code, sizeof(code)) <= INSN_MOST_BYTES);
		assert_true(insn_length_x86(code, 3) <= 3);
	}
}

#if defined(__x86_64__)
static void test_boundaries(void **state)
{
	/* push rbp; mov rbp, rsp; sub rsp, 16; ret */
	const uint8_t code[] = { 0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x10, 0xc3 };
	const uint8_t broken[] = { 0x55, 0x06, 0x90 };

	(void)state;
	for (size_t i = 0; i < sizeof(code); i++)
		assert_int_equal(insn_begins_at(code, sizeof(code), i), i == 0 || i == 1 || i == 4 || i == 8);
	assert_int_equal(insn_begins_at(broken, sizeof(broken), 2), -1);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths), cmocka_unit_test(test_any_bytes),
#if defined(__x86_64__)
		cmocka_unit_test(test_boundaries),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
