/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading ELF files: what a real one says, and files that are cut short or spoilt, from memory and on disk. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/util.h"
#include "symbol/elf_file.h"

#define SELF "/proc/self/exe"

struct image {
	uint8_t *bytes;
	size_t len;
};

static struct image self_read(void)
{
	struct stat st;
	struct image m = { 0 };
	int fd = open(SELF, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0 && !fstat(fd, &st));
	m.bytes = malloc((size_t)st.st_size);
	assert_non_null(m.bytes);
	while (m.len < (size_t)st.st_size) {
		ssize_t n = read(fd, m.bytes + m.len, (size_t)st.st_size - m.len);

		assert_true(n > 0);
		m.len += (size_t)n;
	}
	close(fd);
	return m;
}

struct seen {
	struct elf_file *file;
	uint64_t main_addr;
	uint32_t functions, undefined;
	bool versioned;
};

static int symbol_see(const struct elf_symbol *sym, void *ctx)
{
	struct seen *s = ctx;
	uint64_t offset;

	s->versioned |= strchr(sym->name, '@') != NULL;
	s->undefined += !sym->defined;
	s->functions += sym->type == STT_FUNC && sym->defined;
	if (!strcmp(sym->name, "main") && sym->defined && elf_file_offset(s->file, sym->addr, PF_X, &offset))
		s->main_addr = sym->addr;
	return 0;
}

static void test_own_file(void **state)
{
	struct elf_file *f;
	struct seen seen = { 0 };
	const char *why;
	uint64_t offset, back;
	size_t n;

	(void)state;
	assert_int_equal(elf_file_open(SELF, &f, &why), 0);
	seen.file = f;
	assert_null(elf_file_foreign(f));
	assert_true(elf_file_is_loadable(f));
	assert_true(elf_file_has_symtab(f));
	assert_int_equal(elf_file_each_symbol(f, symbol_see, &seen), 0);
	assert_true(seen.functions > 3 && seen.undefined > 3 && !seen.versioned);
	assert_true(seen.main_addr);
	assert_true(elf_file_offset(f, seen.main_addr, PF_X, &offset));
	assert_true(elf_file_vaddr(f, offset, PF_X, &back));
	assert_int_equal(back, seen.main_addr);
	assert_false(elf_file_offset(f, seen.main_addr, PF_X | PF_W, &offset));
	assert_non_null(elf_file_section(f, ".text", &n, NULL));
	assert_null(elf_file_section(f, ".no such section", &n, NULL));
	elf_file_close(f);
}

static void test_refused(void **state)
{
	static const struct {
		const char *path;
		int err;
		const char *why;
	} cases[] = {
		{ "/no/such/file", -ENOENT, "No such file" }, { "/", -ENOEXEC, "directory" },
		{ "/dev/null", -ENOEXEC, "no regular file" }, { "/etc/passwd", -ENOEXEC, "no ELF file" },
	};
	struct elf_file *f;
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(elf_file_open(cases[i].path, &f, &why), cases[i].err);
		assert_non_null(strstr(why, cases[i].why));
	}
}

static int count(const struct elf_symbol *sym, void *ctx)
{
	*(size_t *)ctx += strlen(sym->name);
	return 0;
}

/* Ask for everything; what comes back does not matter. */
static void ask_all(uint8_t *bytes, size_t len)
{
	static const char *const sections[] = { ".text", ".dynamic", ".gnu_debuglink", ".gnu_debugdata", ".debug_info" };
	struct elf_file *f;
	const char *why;
	uint64_t place;
	size_t n = 0;

	if (elf_file_open_memory(bytes, len, &f, &why))
		return;
	elf_file_each_symbol(f, count, &n);
	elf_file_build_id(f, &n);
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		elf_file_section(f, sections[i], &n, &place);
	elf_file_offset(f, 0x1000, PF_X, &place);
	elf_file_has_symtab(f);
	elf_file_close(f);
}

static void test_truncated(void **state)
{
	struct image m = self_read();

	(void)state;
	for (size_t len = 0; len < m.len; len += len < 1024 ? 1 : m.len / 64) {
		/* Of its own, so that reading behind the end is noticed. */
		uint8_t *part = malloc(len ? len : 1);

		assert_non_null(part);
		memcpy(part, m.bytes, len);
		ask_all(part, len);
		free(part);
	}
	free(m.bytes);
}

/* On disk the file's size is known: what is cut off is told. */
static void test_truncated_file(void **state)
{
	struct image m = self_read();
	char path[] = "/tmp/sonde-elf-XXXXXX";
	int fd = mkstemp(path);
	struct elf_file *f;
	const char *why;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, m.bytes, 4096), 4096);
	close(fd);
	assert_int_equal(elf_file_open(path, &f, &why), -ENOEXEC);
	assert_non_null(strstr(why, "truncated"));
	unlink(path);
	free(m.bytes);
}

static void test_spoilt(void **state)
{
	struct image m = self_read();
	uint64_t random = 88172645463325252ULL;

	(void)state;
	for (int round = 0; round < 400; round++) {
		uint8_t *copy = malloc(m.len);

		assert_non_null(copy);
		memcpy(copy, m.bytes, m.len);
		for (int i = 0; i < 8; i++) {
			size_t region, at;

			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			/* Headers at both ends are what everything else hangs on. */
			region = round % 3 == 0 ? 1024 : round % 3 == 1 ? 4096 : m.len;
			at = random % region;
			copy[round % 3 == 1 ? m.len - 1 - at : at] = (uint8_t)(random >> 32);
		}
		ask_all(copy, m.len);
		free(copy);
	}
	free(m.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_file), cmocka_unit_test(test_refused), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_truncated_file), cmocka_unit_test(test_spoilt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
