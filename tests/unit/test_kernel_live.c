/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the running kernel offers, asked of the running kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <bpf/btf.h>

#include "base/util.h"
#include "kernel/kernel.h"

static char said[4096];

static void hear(void *ctx, enum severity sev, const char *text, const char *hint)
{
	(void)ctx;
	(void)sev;
	snprintf(said, sizeof(said), "%s | %s", text, hint ? hint : "");
}

static const struct reporter reporter = { hear, NULL };

static int setup(void **state)
{
	said[0] = 0;
	*state = kernel_new(&reporter);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	kernel_free(*state);
	return 0;
}

static struct kernel *tracing_kernel(void **state)
{
	if (geteuid()) {
		print_message("reading tracefs needs root\n");
		skip();
	}
	return *state;
}

static bool sorted(const char *const *names, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (strcmp(names[i - 1], names[i]) >= 0)
			return false;
	return true;
}

static void test_every_format(void **state)
{
	struct kernel *k = tracing_kernel(state);
	const char *const *systems, *const *events;
	size_t nsystems, nevents, total = 0;

	assert_int_equal(kernel_tracepoint_systems(k, &systems, &nsystems), 0);
	assert_true(nsystems > 5);
	assert_true(sorted(systems, nsystems));
	for (size_t s = 0; s < nsystems; s++) {
		assert_int_equal(kernel_tracepoint_events(k, systems[s], &events, &nevents), 0);
		assert_true(sorted(events, nevents));
		total += nevents;
		for (size_t e = 0; e < nevents; e++) {
			struct arena *a = arena_new();
			struct tp_format f;
			uint64_t id;

			if (kernel_tracepoint(k, a, systems[s], events[e], &f))
				fail_msg("%s:%s: %s", systems[s], events[e], said);
			assert_int_equal(kernel_tracepoint_id(k, systems[s], events[e], &id), 0);
			assert_int_equal(id, f.id);
			assert_int_equal(kernel_tracepoint_exists(k, systems[s], events[e]), 0);
			for (uint32_t i = 0; i < f.nfields; i++)
				if (f.fields[i].array && f.fields[i].size % f.fields[i].array)
					fail_msg("%s:%s.%s: %u elements in %u bytes", systems[s], events[e],
						 f.fields[i].name, f.fields[i].array, f.fields[i].size);
			arena_free(a);
		}
	}
	assert_true(total > 100);
	assert_string_equal(said, "");
}

static void test_missing(void **state)
{
	static const char *const bad[][2] = {
		{ "sched", "no_such_event" }, { "no_such_system", "sched_switch" }, { "..", "events" },
		{ "sched", ".." }, { "sched/sched_switch", "x" }, { "", "" }, { "sched", "" }, { "ftrace", "function" },
	};
	struct kernel *k = tracing_kernel(state);
	const char *const *names;
	struct tp_format f;
	uint64_t id;
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(kernel_tracepoint(k, NULL, bad[i][0], bad[i][1], &f), -ENOENT);
		assert_int_equal(kernel_tracepoint_id(k, bad[i][0], bad[i][1], &id), -ENOENT);
		assert_int_equal(kernel_tracepoint_exists(k, bad[i][0], bad[i][1]), -ENOENT);
	}
	assert_int_equal(kernel_tracepoint_events(k, "no_such_system", &names, &n), -ENOENT);
	assert_int_equal(kernel_tracepoint_events(k, "../..", &names, &n), -ENOENT);
	assert_string_equal(said, ""); /* absence is the caller's to report */
}

/* In a child that has given up its capabilities, tracefs is refused with the one that is missing. */
static void test_unprivileged(void **state)
{
	struct kernel *k = tracing_kernel(state);
	int status;
	pid_t pid = fork();

	if (!pid) {
		bool named;

		kernel_drop_capabilities(0);
		named = kernel_tracefs(k) < 0 ? strstr(said, "CAP_") != NULL
					      : !access("/sys/kernel/tracing/events", F_OK);
		said[0] = 0;
		if (kernel_check_capabilities(k) != -EPERM || !strstr(said, "CAP_BPF and CAP_PERFMON"))
			_exit(2);
		_exit(named ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_capabilities(void **state)
{
	assert_int_equal(kernel_check_capabilities(tracing_kernel(state)), 0);
	assert_string_equal(said, "");
}

static void test_cpus(void **state)
{
	const int *cpus;
	size_t n;

	assert_int_equal(kernel_online_cpus(*state, &cpus, &n), 0);
	assert_int_equal(n, kernel_ncpus_online());
	assert_true(kernel_ncpus_possible() >= (int)n);
	for (size_t i = 1; i < n; i++)
		assert_true(cpus[i] > cpus[i - 1]);
	assert_true(kernel_version() >= 5 << 16);
}

static void test_symbols(void **state)
{
	struct kernel *k = *state;

	assert_true(kernel_symbol_exists(k, "vfs_read"));
	assert_false(kernel_symbol_exists(k, "vfs_rea"));
	assert_false(kernel_symbol_exists(k, "fs_read"));
	assert_false(kernel_symbol_exists(k, ""));
	assert_false(kernel_symbol_exists(k, "T"));
	assert_int_equal(kernel_symbol_address(k, "no_such_symbol_at_all"), 0);
	if (!geteuid())
		assert_true(kernel_symbol_address(k, "vfs_read") != 0);
}

/* The names from the string section are those of the typedefs. */
static void test_raw_tracepoints(void **state)
{
	struct kernel *k = *state;
	const char *const *names;
	size_t n, typedefs = 0, own = 0;
	struct btf *btf;

	if (!kernel_has_btf(k)) {
		print_message("this kernel has no BTF\n");
		skip();
	}
	assert_int_equal(kernel_raw_tracepoints(k, &names, &n), 0);
	assert_true(sorted(names, n));
	btf = kernel_btf(k);
	assert_non_null(btf);
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		typedefs += btf_is_typedef(t) && str_starts(btf__name_by_offset(btf, t->name_off), "btf_trace_");
	}
	for (size_t i = 0; i < n; i++)
		own += str_starts(names[i], "vmlinux:");
	assert_int_equal(own, typedefs);
}

static void test_features(void **state)
{
	struct kernel *k = tracing_kernel(state);
	size_t n = 0, works = 0;

	for (const struct kernel_feature *f = kernel_features; f->name; f++, n++)
		works += f->probe(k);
	assert_true(n > 30);
	assert_true(works > n / 2);
}

/* ---- functions ---- */

static void functions_match_and_say_why(void **state)
{
	struct kernel *k = kernel_new(&reporter);
	struct arena *a = arena_new();
	const struct kernel_function *list;
	size_t n;

	(void)state;
	assert_int_equal(kernel_functions(k, a, NULL, "vfs_rea*", &list, &n), 0);
	assert_true(n >= 2);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(strncmp(list[i].name, "vfs_rea", 7), 0);
		assert_true(!i || strcmp(list[i - 1].name, list[i].name) <= 0);
	}
	assert_int_equal(kernel_functions(k, a, "nothing_like_it", "vfs_rea*", &list, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(kernel_functions(k, a, "vmlinu?", "*vfs_read", &list, &n), 0);
	assert_true(n >= 1);
	assert_int_equal(kernel_functions_named(k, a, NULL, "vfs_read", &list, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].state, FUNCTION_TRACEABLE);
	assert_string_equal(list[0].module, "vmlinux");
	assert_int_equal(kernel_functions_named(k, a, "vmlinux", "vfs_raed", &list, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].state, FUNCTION_MISSING);
	assert_string_equal(kernel_function_nearest(k, NULL, "vfs_raed"), "vfs_read");
	assert_true(kernel_module_loaded("vmlinux"));
	assert_false(kernel_module_loaded("../module"));
	assert_false(kernel_module_loaded("nothing_like_it"));
	arena_free(a);
	kernel_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_format, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unprivileged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_capabilities, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cpus, setup, teardown),
		cmocka_unit_test_setup_teardown(test_symbols, setup, teardown),
		cmocka_unit_test_setup_teardown(test_raw_tracepoints, setup, teardown),
		cmocka_unit_test(functions_match_and_say_why),
		cmocka_unit_test_setup_teardown(test_features, setup, teardown),
	};

	return cmocka_run_group_tests_name("kernel live", tests, NULL, NULL);
}
