/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Progress: a line on the terminal while rows go to a file, wiped at the end; nothing into a pipe or beside one. */
#include "view.h"

#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"
#include "view/progress.h"

#define ROWS 100
/* Longer than work may take before it shows how far it is. */
#define LONG_US 350000

/* What comes out of stderr, which `fd` is for so long, when the first of many rows takes so long. */
static void rows_go(int to, int fd, int from, char *seen, size_t room)
{
	static const struct view_def def = { .name = "none" };
	int stderr_was = dup(STDERR_FILENO);
	struct progress p;
	struct view v;
	ssize_t n;

	assert_int_equal(view_open(&v, &def, to), 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	view_rows_begin(&v, &p, ROWS);
	usleep(LONG_US);
	for (size_t i = 0; i < ROWS; i++)
		view_rows_step(&v, &p, i + 1);
	progress_end(&p);
	dup2(stderr_was, STDERR_FILENO);
	close(stderr_was);
	n = read(from, seen, room - 1);
	seen[n > 0 ? n : 0] = 0;
	view_close(&v);
}

static int file_new(void)
{
	char path[] = "/tmp/sonde-progress-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

static void a_terminal_shows_how_far_it_is(void **state)
{
	int terminal, its_end, file = file_new();
	char seen[256];

	(void)state;
	if (openpty(&terminal, &its_end, NULL, NULL, NULL))
		skip();
	fcntl(terminal, F_SETFL, O_NONBLOCK);
	rows_go(file, its_end, terminal, seen, sizeof(seen));
	/* On a busy machine there may be more lines in between. */
	assert_true(str_starts(seen, "\rwriting rows: 16 of 100 (16 %)\033[K"));
	assert_string_equal(strrchr(seen, '\r'), "\r\033[K");
	close(terminal);
	close(its_end);
	close(file);
}

/* A pager may have the terminal, then. */
static void beside_a_pipe_nothing_is_shown(void **state)
{
	int terminal, its_end, ends[2];
	char seen[256];

	(void)state;
	if (openpty(&terminal, &its_end, NULL, NULL, NULL))
		skip();
	fcntl(terminal, F_SETFL, O_NONBLOCK);
	assert_int_equal(pipe(ends), 0);
	rows_go(ends[1], its_end, terminal, seen, sizeof(seen));
	assert_string_equal(seen, "");
	close(terminal);
	close(its_end);
	close(ends[0]);
	close(ends[1]);
}

static void into_a_pipe_nothing_is_shown(void **state)
{
	int ends[2], file = file_new();
	char seen[256];

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	rows_go(file, ends[1], ends[0], seen, sizeof(seen));
	assert_string_equal(seen, "");
	close(ends[0]);
	close(ends[1]);
	close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_terminal_shows_how_far_it_is),
		cmocka_unit_test(beside_a_pipe_nothing_is_shown),
		cmocka_unit_test(into_a_pipe_nothing_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
