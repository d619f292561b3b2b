/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unwind tables: what this program's own file says of functions whose frames are known, and spoilt files. */
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/util.h"
#include "code/unwind.h"
#include "symbol/eh_frame.h"
#include "symbol/elf_file.h"

#define SELF "/proc/self/exe"

#if UNWIND_HERE

/* Known to the byte: where in it which rule holds. */
__asm__(".pushsection .text\n"
	".type known, @function\n"
	"known: .cfi_startproc\n"
	"nop\n"                                        /* 0: the return address alone */
	".cfi_def_cfa_offset 16\n .cfi_offset 6, -16\n nop\n"  /* 1: rbp pushed */
	".cfi_def_cfa_register 6\n nop\n"              /* 2: by rbp */
	".cfi_remember_state\n .cfi_def_cfa 7, 8\n .cfi_restore 6\n nop\n" /* 3: all is back */
	".cfi_restore_state\n nop\n"                   /* 4: as at 2 */
	".cfi_def_cfa 3, 32\n nop\n"                   /* 5: by a register that is not followed */
	".cfi_escape 0x0f, 3, 0x76, 0x78, 6\n nop\n"   /* 6: what lies at rbp - 8 */
	".cfi_escape 0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22\n nop\n" /* 7: a stub */
	".cfi_undefined 16\n nop\n"                    /* 8: nobody called */
	".cfi_endproc\n"
	".size known, . - known\n"
	".skip 64, 0xcc\n"
	".popsection\n");

static int known_find(const struct elf_symbol *sym, void *ctx)
{
	if (strcmp(sym->name, "known") || !sym->defined)
		return 0;
	*(uint64_t *)ctx = sym->addr;
	return 1;
}

static void test_rules(void **state)
{
	static const uint32_t expected[] = {
		UNWIND_RULE(UNWIND_RSP, 0, 1), UNWIND_RULE(UNWIND_RSP, 2, 2), UNWIND_RULE(UNWIND_RBP, 2, 2),
		UNWIND_RULE(UNWIND_RSP, 0, 1), UNWIND_RULE(UNWIND_RBP, 2, 2), UNWIND_RULE_SPECIAL(UNWIND_UNKNOWN),
		UNWIND_RULE(UNWIND_AT_RBP, 2, 1), UNWIND_RULE_SPECIAL(UNWIND_STUB_11), UNWIND_RULE_SPECIAL(UNWIND_END),
		UNWIND_RULE_SPECIAL(UNWIND_GAP),
	};
	struct elf_file *f;
	struct unwind_table *t;
	uint64_t addr = 0;
	const char *why;

	(void)state;
	assert_int_equal(elf_file_open(SELF, &f, &why), 0);
	assert_int_equal(elf_file_each_symbol(f, known_find, &addr), 1);
	t = eh_frame_read(f);
	assert_non_null(t);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_int_equal(unwind_table_rule(t, addr + i), expected[i]);
	assert_int_equal(unwind_table_rule(t, 0), UNWIND_RULE_SPECIAL(UNWIND_GAP));
	assert_int_equal(unwind_table_rule(t, UINT64_MAX), UNWIND_RULE_SPECIAL(UNWIND_GAP));
	unwind_table_free(t);
	elf_file_close(f);
}

/* In order, and no two alike; whatever the file says. */
static void table_check(const struct unwind_table *t)
{
	for (uint32_t i = 1; i < t->n; i++)
		assert_true(t->rows[i - 1].pc < t->rows[i].pc && t->rows[i - 1].rule != t->rows[i].rule);
}

static uint8_t *self_read(size_t *len)
{
	struct stat st;
	int fd = open(SELF, O_RDONLY | O_CLOEXEC);
	uint8_t *bytes;

	assert_true(fd >= 0 && !fstat(fd, &st));
	bytes = malloc((size_t)st.st_size);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	*len = (size_t)st.st_size;
	return bytes;
}

static void spoilt_read(void *bytes, size_t len)
{
	struct unwind_table *t;
	struct elf_file *f;
	const char *why;

	if (elf_file_open_memory(bytes, len, &f, &why))
		return;
	t = eh_frame_read(f);
	if (t)
		table_check(t);
	unwind_table_free(t);
	elf_file_close(f);
}

/* Where in the file .eh_frame lies. */
static void section_find(const uint8_t *bytes, size_t *offset, size_t *len)
{
	const Elf64_Ehdr *h = (const void *)bytes;
	const Elf64_Shdr *s = (const void *)(bytes + h->e_shoff);
	const char *names = (const char *)bytes + s[h->e_shstrndx].sh_offset;

	for (uint32_t i = 0; i < h->e_shnum; i++)
		if (!strcmp(names + s[i].sh_name, ".eh_frame")) {
			*offset = s[i].sh_offset;
			*len = s[i].sh_size;
			return;
		}
	fail();
}

static void test_spoilt(void **state)
{
	size_t len, offset = 0, n = 0;
	uint8_t *bytes = self_read(&len), *copy = malloc(len);
	uint32_t seed = 1;

	(void)state;
	assert_non_null(copy);
	section_find(bytes, &offset, &n);
	spoilt_read(bytes, len);
	for (int turn = 0; turn < 400; turn++) {
		memcpy(copy, bytes, len);
		for (int i = 0; i < 1 + turn % 20; i++) {
			seed = seed * 1664525 + 1013904223;
			copy[offset + seed % (turn % 2 ? n : MIN(n, 256))] = (uint8_t)(turn % 3 ? seed >> 24 : 0xff);
		}
		spoilt_read(copy, len);
	}
	memset(copy + offset, 0xff, n);
	spoilt_read(copy, len);
	memset(copy + offset, 0, n);
	spoilt_read(copy, len);
	free(copy);
	free(bytes);
}

#else

static void test_rules(void **state)
{
	struct elf_file *f;
	const char *why;

	(void)state;
	assert_int_equal(elf_file_open(SELF, &f, &why), 0);
	assert_null(eh_frame_read(f));
	elf_file_close(f);
}

static void test_spoilt(void **state)
{
	(void)state;
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_spoilt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
