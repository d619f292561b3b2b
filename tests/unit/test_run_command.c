/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command of -c: its words, and a process that waits, runs, ends and is ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "run/command.h"

static void expect_words(const char *command, const char *joined)
{
	char **words = words_split(command);
	struct strbuf b = STRBUF_INIT;

	assert_non_null(words);
	for (size_t i = 0; words[i]; i++)
		strbuf_addf(&b, "[%s]", words[i]);
	assert_string_equal(b.s, joined);
	strbuf_free(&b);
	free(words);
}

static void words_are_split_at_blanks(void **state)
{
	(void)state;
	expect_words("a", "[a]");
	expect_words("  ls  -l\t/tmp\n", "[ls][-l][/tmp]");
	expect_words("a b c d e f g h", "[a][b][c][d][e][f][g][h]");
}

static void quotes_keep_words_together(void **state)
{
	(void)state;
	expect_words("echo 'a b' \"c d\"", "[echo][a b][c d]");
	expect_words("a'b c'd", "[ab cd]");
	expect_words("x '' \"\"", "[x][][]");
	expect_words("'it is \\n' \"say \\\"hi\\\"\" a\\ b", "[it is \\n][say \"hi\"][a b]");
	expect_words("'\"' \"'\"", "[\"]['" "]");
	expect_words("a\\", "[a\\]");
}

static void what_is_no_command_is_refused(void **state)
{
	static const char *const bad[] = { "", "   ", "'a", "a \"b", "\"a\\\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		errno = 0;
		assert_null(words_split(bad[i]));
		assert_int_equal(errno, EINVAL);
	}
}

static int run_to_the_end(const char *command)
{
	struct command *c;
	int status = -1;

	if (command_start(command, NULL, &c))
		return -1;
	if (command_continue(c, NULL, NULL, NULL)) {
		command_end(c, &status);
		return -2;
	}
	/* Give it time to end by itself. */
	for (int i = 0; i < 200 && !kill(command_pid(c), 0); i++) {
		char path[64], state_of = 0;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/stat", (int)command_pid(c));
		f = fopen(path, "r");
		if (f && fscanf(f, "%*d (%*[^)]) %c", &state_of) == 1 && state_of == 'Z')
			i = 200;
		if (f)
			fclose(f);
		usleep(10000);
	}
	command_end(c, &status);
	return status;
}

static void its_status_is_known(void **state)
{
	(void)state;
	assert_int_equal(run_to_the_end("true"), 0);
	assert_int_equal(run_to_the_end("sh -c 'exit 7'"), 7);
	assert_int_equal(run_to_the_end("sh -c 'kill -9 $$'"), 128 + SIGKILL);
}

static void it_waits_until_it_is_told(void **state)
{
	char path[] = "/tmp/test_run_command.XXXXXX", command[128];
	struct command *c;
	int status;

	(void)state;
	close(mkstemp(path));
	snprintf(command, sizeof(command), "rm %s", path);
	assert_int_equal(command_start(command, NULL, &c), 0);
	usleep(50000);
	assert_int_equal(access(path, F_OK), 0);
	/* Ended before it began: it never runs. */
	command_end(c, &status);
	assert_int_equal(status, 127);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(run_to_the_end(command), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void one_that_runs_is_ended(void **state)
{
	struct command *c;
	int status;

	(void)state;
	assert_int_equal(command_start("sleep 100", NULL, &c), 0);
	assert_int_equal(command_continue(c, NULL, NULL, NULL), 0);
	command_end(c, &status);
	assert_int_equal(status, 128 + SIGTERM);
	command_end(NULL, NULL);
}

struct seen {
	pid_t pid;
	int times;
	char program[PATH_MAX];
};

static void look(void *ctx)
{
	struct seen *s = ctx;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)s->pid);
	n = readlink(path, s->program, sizeof(s->program) - 1);
	s->program[n > 0 ? n : 0] = 0;
	s->times++;
}

static void its_program_is_there_before_it_runs(void **state)
{
	static const char *const endings[] = { "sleep 100", "true", "sh -c 'kill -9 $$'", "sh -c 'exit 7'" };
	static const int statuses[] = { 128 + SIGTERM, 0, 128 + SIGKILL, 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		struct seen s = { 0 };
		struct command *c;
		char expected[PATH_MAX];
		int status;

		assert_int_equal(command_start(endings[i], NULL, &c), 0);
		s.pid = command_pid(c);
		assert_non_null(realpath(command_program(c), expected));
		assert_int_equal(command_continue(c, NULL, look, &s), 0);
		assert_int_equal(s.times, 1);
		assert_string_equal(s.program, expected);
		if (i)
			assert_int_equal(waitid(P_PID, (id_t)s.pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
		command_end(c, &status);
		assert_int_equal(status, statuses[i]);
	}
}

static void failures_are_known_before_or_at_exec(void **state)
{
	char path[] = "/tmp/test_run_command.XXXXXX";
	struct seen seen = { 0 };
	struct command *c;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(command_start("there-is-no-such-program", NULL, &c), -ENOENT);
	assert_int_equal(command_start("/tmp", NULL, &c), -ENOENT);
	assert_int_equal(command_start("'", NULL, &c), -EINVAL);
	/* An executable file that is no program. */
	assert_int_equal(write(fd, "nothing", 7), 7);
	fchmod(fd, 0700);
	close(fd);
	assert_int_equal(command_start(path, NULL, &c), 0);
	assert_int_equal(command_continue(c, NULL, NULL, NULL), -ENOEXEC);
	command_end(c, NULL);
	/* Nobody is told of a program that does not begin. */
	assert_int_equal(command_start(path, NULL, &c), 0);
	seen.pid = command_pid(c);
	assert_int_equal(command_continue(c, NULL, look, &seen), -ENOEXEC);
	assert_int_equal(seen.times, 0);
	command_end(c, NULL);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_split_at_blanks),
		cmocka_unit_test(quotes_keep_words_together),
		cmocka_unit_test(what_is_no_command_is_refused),
		cmocka_unit_test(its_status_is_known),
		cmocka_unit_test(its_program_is_there_before_it_runs),
		cmocka_unit_test(it_waits_until_it_is_told),
		cmocka_unit_test(one_that_runs_is_ended),
		cmocka_unit_test(failures_are_known_before_or_at_exec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
