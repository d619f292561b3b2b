/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes: what is mapped where, as it is told, in whatever order it comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "symbol/priv.h"

/* Numbers that no process has. */
#define PID 4194304u
#define CHILD 4194305u

static int start(void **state)
{
	*state = processes_new();
	process_executed(*state, PID);
	return !*state;
}

static int end(void **state)
{
	processes_free(*state);
	return 0;
}

/* "NAME+OFFSET" of the place in the file that lies there; "" for none. */
static const char *at(struct processes *ps, uint32_t pid, uint64_t addr)
{
	static char text[64];
	struct process *p = process_known(ps, pid);
	const struct mapping *m = p ? process_mapping(p, addr, false) : NULL;

	text[0] = 0;
	if (m)
		snprintf(text, sizeof(text), "%s+%llx", m->path ? m->path : "-", (unsigned long long)(addr - m->start + m->offset));
	return text;
}

static void a_mapping_takes_the_place_of_what_was_there(void **state)
{
	struct processes *ps = *state;

	process_mapped(ps, PID, 0x1000, 0x4000, 0x0, 1, "a");
	process_mapped(ps, PID, 0x9000, 0x1000, 0x0, 2, "b");
	assert_string_equal(at(ps, PID, 0x0fff), "");
	assert_string_equal(at(ps, PID, 0x1000), "a+0");
	assert_string_equal(at(ps, PID, 0x4fff), "a+3fff");
	assert_string_equal(at(ps, PID, 0x5000), "");
	/* in the middle */
	process_mapped(ps, PID, 0x2000, 0x1000, 0x10, 3, "c");
	assert_string_equal(at(ps, PID, 0x1fff), "a+fff");
	assert_string_equal(at(ps, PID, 0x2000), "c+10");
	assert_string_equal(at(ps, PID, 0x3000), "a+2000");
	/* over the end of one, all of another and the beginning of a third */
	process_mapped(ps, PID, 0x1800, 0x2800, 0, 4, "d");
	assert_string_equal(at(ps, PID, 0x17ff), "a+7ff");
	assert_string_equal(at(ps, PID, 0x2000), "d+800");
	assert_string_equal(at(ps, PID, 0x4000), "a+3000");
	assert_string_equal(at(ps, PID, 0x9000), "b+0");
	/* exactly over it, and over everything */
	process_mapped(ps, PID, 0x9000, 0x1000, 0x7, 5, "e");
	assert_string_equal(at(ps, PID, 0x9000), "e+7");
	process_mapped(ps, PID, 0, 0x100000, 0, 6, NULL);
	assert_string_equal(at(ps, PID, 0x1000), "-+1000");
	process_mapped(ps, PID, UINT64_MAX - 10, 100, 0, 7, "beyond the end");
	assert_string_equal(at(ps, PID, UINT64_MAX - 5), "");
}

static void a_child_has_what_its_parent_has(void **state)
{
	struct processes *ps = *state;

	process_mapped(ps, PID, 0x1000, 0x1000, 0, 1, "a");
	process_forked(ps, PID, CHILD);
	assert_string_equal(at(ps, CHILD, 0x1000), "a+0");
	process_mapped(ps, CHILD, 0x1000, 0x1000, 0, 2, "child");
	assert_string_equal(at(ps, CHILD, 0x1000), "child+0");
	assert_string_equal(at(ps, PID, 0x1000), "a+0");
	process_ended(ps, PID);
	process_forget(ps, PID);
	assert_string_equal(at(ps, CHILD, 0x1000), "child+0");
}

static void what_was_before_exec_is_known(void **state)
{
	struct processes *ps = *state;
	char name[8];

	process_mapped(ps, PID, 0x1000, 0x1000, 0, 1, "a");
	process_executed(ps, PID);
	process_mapped(ps, PID, 0x5000, 0x1000, 0, 2, "b");
	assert_string_equal(at(ps, PID, 0x5000), "b+0");
	assert_string_equal(at(ps, PID, 0x1000), "a+0");
	process_mapped(ps, PID, 0x1000, 0x800, 0, 2, "b");
	assert_string_equal(at(ps, PID, 0x1000), "b+0");
	assert_string_equal(at(ps, PID, 0x1900), "a+900");
	/* but not for ever */
	for (int i = 0; i < 40; i++) {
		process_executed(ps, PID);
		snprintf(name, sizeof(name), "n%d", i);
		process_mapped(ps, PID, 0x100000 * (uint64_t)(i + 1), 0x1000, 0, 3, name);
	}
	assert_string_equal(at(ps, PID, 0x2800000), "n39+0");
	assert_string_equal(at(ps, PID, 0x1f00000), "n30+0");
	assert_string_equal(at(ps, PID, 0x100000), "");
	process_ended(ps, PID);
	assert_string_equal(at(ps, PID, 0x2800000), "n39+0");
}

static void very_many_that_have_ended_are_forgotten(void **state)
{
	struct processes *ps = *state;
	uint32_t known = 0;

	for (uint32_t i = 0; i < 40000; i++) {
		process_executed(ps, CHILD + i);
		process_mapped(ps, CHILD + i, 0x1000, 0x1000, 0, 1, "x");
		process_ended(ps, CHILD + i);
	}
	for (uint32_t i = 0; i < 40000; i++)
		known += process_known(ps, CHILD + i) != NULL;
	assert_in_range(known, 1000, 20000);
	assert_string_equal(at(ps, CHILD + 39999, 0x1000), "x+0");
	assert_string_equal(at(ps, CHILD, 0x1000), "");
	assert_non_null(process_known(ps, PID));
}

static void proc_is_asked_for_those_that_run(void **state)
{
	struct processes *ps = *state;
	uint64_t code = (uintptr_t)&proc_is_asked_for_those_that_run;
	struct process *p = process_get(ps, (uint32_t)getpid());
	const struct mapping *m = p ? process_mapping(p, code, true) : NULL;

	assert_non_null(m);
	assert_non_null(strstr(m->path, "processes"));
	p = process_get(ps, CHILD);
	assert_true(!p || !process_mapping(p, code, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_mapping_takes_the_place_of_what_was_there, start, end),
		cmocka_unit_test_setup_teardown(a_child_has_what_its_parent_has, start, end),
		cmocka_unit_test_setup_teardown(what_was_before_exec_is_known, start, end),
		cmocka_unit_test_setup_teardown(very_many_that_have_ended_are_forgotten, start, end),
		cmocka_unit_test_setup_teardown(proc_is_asked_for_those_that_run, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
