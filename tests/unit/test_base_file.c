/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are read or written as a whole. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/util.h"

static char home[] = "/tmp/sonde-test-file-XXXXXX";

static int home_make(void **state)
{
	(void)state;
	return !mkdtemp(home) || chdir(home);
}

static int home_remove(void **state)
{
	(void)state;
	return chdir("/") || rmdir(home);
}

/* How many files there are. */
static int files(void)
{
	DIR *d = opendir(".");
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void assert_content(const char *path, const char *text)
{
	_cleanup_strbuf_ struct strbuf b = STRBUF_INIT;

	assert_int_equal(file_read(&b, path), 0);
	assert_string_equal(b.s, text);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void test_read(void **state)
{
	_cleanup_strbuf_ struct strbuf b = STRBUF_INIT;

	(void)state;
	assert_int_equal(file_read(&b, "none"), -ENOENT);
	assert_int_equal(file_read(&b, "."), -EISDIR);
	/* It tells no size; and what was there before goes. */
	strbuf_addstr(&b, "before");
	assert_int_equal(file_readf(&b, "/proc/%d/%s", (int)getpid(), "stat"), 0);
	assert_int_equal(strtol(b.s, NULL, 10), getpid());
	assert_int_equal(b.len, strlen(b.s));
	/* More than is read at once. */
	strbuf_reset(&b);
	for (int i = 0; i < 100000; i++)
		strbuf_addf(&b, "%d\n", i);
	assert_int_equal(file_replace("long", b.s, b.len), 0);
	assert_content("long", b.s);
	unlink("long");
}

static void test_new(void **state)
{
	mode_t was = umask(027);
	struct file_new f;

	(void)state;
	assert_int_equal(file_new_open(&f, "a"), 0);
	assert_int_equal(fd_write(f.fd, "half", 4), 0);
	assert_int_equal(access("a", F_OK), -1);
	assert_int_equal(file_new_close(&f, 0), 0);
	umask(was);
	assert_content("a", "half");
	assert_int_equal(mode_of("a"), 0640);
	assert_int_equal(files(), 1);
	unlink("a");
}

/* Until it is complete, the old one stays; when it never is, for good. */
static void test_replaced_as_a_whole(void **state)
{
	struct file_new f;

	(void)state;
	assert_int_equal(file_replace("a", "old", 3), 0);
	assert_int_equal(chmod("a", 0751), 0);
	assert_int_equal(file_new_open(&f, "a"), 0);
	assert_int_equal(fd_write(f.fd, "new", 3), 0);
	assert_content("a", "old");
	assert_int_equal(file_new_close(&f, -ENOSPC), -ENOSPC);
	assert_content("a", "old");
	assert_int_equal(files(), 1);
	assert_int_equal(file_replace("a", "new", 3), 0);
	assert_content("a", "new");
	assert_int_equal(mode_of("a"), 0751);
	assert_int_equal(files(), 1);
	unlink("a");
}

static void test_links_and_leftovers(void **state)
{
	struct stat st;
	char left[32];

	(void)state;
	/* What a process with the same number left. */
	snprintf(left, sizeof(left), "a.%d.0.new", (int)getpid());
	assert_int_equal(symlink("/nowhere", left), 0);
	assert_int_equal(file_replace("a", "old", 3), 0);
	assert_int_equal(symlink("a", "link"), 0);
	assert_int_equal(file_replace("link", "new", 3), 0);
	assert_content("a", "new");
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(files(), 3);
	unlink("link");
	unlink("a");
	unlink(left);
}

/* What is no file is written to, not replaced; where nothing can be, nothing stays. */
static void test_not_a_file(void **state)
{
	char got[8] = "";
	int fd;

	(void)state;
	assert_int_equal(file_replace(".", "x", 1), -EISDIR);
	assert_int_equal(file_replace("none/a", "x", 1), -ENOENT);
	assert_int_equal(file_replace("/dev/full", "x", 1), -ENOSPC);
	assert_int_equal(file_replace("/dev/null", "x", 1), 0);
	assert_int_equal(mkfifo("pipe", 0600), 0);
	fd = open("pipe", O_RDWR);
	assert_int_equal(file_replace("pipe", "text", 4), 0);
	assert_int_equal(read(fd, got, sizeof(got)), 4);
	assert_string_equal(got, "text");
	close(fd);
	assert_int_equal(files(), 1);
	unlink("pipe");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read), cmocka_unit_test(test_new), cmocka_unit_test(test_replaced_as_a_whole),
		cmocka_unit_test(test_links_and_leftovers), cmocka_unit_test(test_not_a_file),
	};

	return cmocka_run_group_tests(tests, home_make, home_remove);
}
