/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probe kinds: what they accept, refuse (and how they say it), list and offer as args. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "kernel/kernel.h"
#include "probe/common.h"
#include "probe/kinds.h"
#include "probe/kinds_all.h"
#include "probe/tp_args.h"
#include "lang/ktype.h"

struct bench {
	struct arena *arena;
	struct kernel *kernel;
	struct sources sources;
	struct diags diags;
	struct probe_env env;
	attach_vec points;
	size_t listed;
	char last[512], said[1024];
};

static void hear(void *ctx, enum severity sev, const char *text, const char *hint)
{
	struct bench *b = ctx;

	(void)sev;
	snprintf(b->said, sizeof(b->said), "%s | %s", text, hint ? hint : "");
}

static struct reporter reporter = { hear, NULL };

static int setup(void **state)
{
	struct arena *a = arena_new();
	struct bench *b = arena_new_of(a, struct bench);

	reporter.ctx = b;
	b->arena = a;
	b->kernel = kernel_new(&reporter);
	b->sources.arena = a;
	b->diags.arena = a;
	b->diags.sources = &b->sources;
	b->env = (struct probe_env){ .arena = a, .kernel = b->kernel, .types = ktypes_new(a, b->kernel), .report = &reporter, .diags = &b->diags,
				     .max_probes = 4096 };
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	kernel_free(b->kernel);
	arena_free(b->arena);
	return 0;
}

/* "interval:s:1" as the parser would leave it; a part in "" is quoted. */
static struct probe_spec *spec_of(struct bench *b, const char *text)
{
	struct probe_spec *s = arena_new_of(b->arena, struct probe_spec);
	char *rest = arena_strdup(b->arena, text), *part;
	uint32_t at = 0;
	uint16_t file = source_add(&b->sources, "q.bt", text, strlen(text));

	s->span = (struct span){ 0, (uint32_t)strlen(text), file };
	s->kind = strsep(&rest, ":");
	while ((part = strsep(&rest, ":"))) {
		size_t len = strlen(part);
		bool quoted = len >= 2 && *part == '"';
		struct span span = { 0, 0, file };

		at = (uint32_t)(part - s->kind);
		span.begin = at;
		span.end = at + (uint32_t)len;
		vec_push(b->arena, &s->parts, quoted ? arena_strndup(b->arena, part + 1, len - 2) : part);
		vec_push(b->arena, &s->part_spans, span);
		vec_push(b->arena, &s->part_quoted, quoted);
	}
	return s;
}

static int expand(struct bench *b, const char *text)
{
	struct probe_spec *s = spec_of(b, text);
	const struct probe_kind *kind = probe_kind_find(probe_kinds, s->kind);

	assert_non_null(kind);
	b->points.n = 0;
	b->diags.list.n = 0;
	b->diags.nerrors = 0;
	b->said[0] = 0;
	return kind->expand(&b->env, s, &b->points);
}

static void accepts(struct bench *b, const char *text, const char *name)
{
	if (expand(b, text) || b->points.n != 1)
		fail_msg("%s: %s", text, b->diags.list.n ? b->diags.list.v[0].text : "no diagnostic");
	assert_string_equal(b->points.v[0]->name, name);
	assert_ptr_equal(b->points.v[0]->kind, probe_kind_find(probe_kinds, b->points.v[0]->spec->kind));
	assert_non_null(b->points.v[0]->section);
}

/* -ENOENT: well formed, but no such event, which missing_probes may forgive. */
static void refuses_as(struct bench *b, int err, const char *text, const char *message, const char *hint)
{
	const struct diag *d;

	assert_int_equal(expand(b, text), err);
	assert_int_equal(b->diags.nerrors, 1);
	d = &b->diags.list.v[0];
	if (!strstr(d->text, message) || (hint && (!d->hint || !strstr(d->hint, hint))))
		fail_msg("%s: %s | %s", text, d->text, d->hint ? d->hint : "no hint");
}

static void refuses(struct bench *b, const char *text, const char *message, const char *hint)
{
	refuses_as(b, -EINVAL, text, message, hint);
}

static void misses(struct bench *b, const char *text, const char *message, const char *hint)
{
	refuses_as(b, -ENOENT, text, message, hint);
}

/* Sorted part by part: "cpu:" before "cpu-clock:". */
static int name_compare(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (*a == ':' ? 1 : (unsigned char)*a) - (*b == ':' ? 1 : (unsigned char)*b);
}

static int count_name(const char *name, void *ctx)
{
	struct bench *b = ctx;

	assert_true(name_compare(b->last, name) < 0); /* each once */
	snprintf(b->last, sizeof(b->last), "%s", name);
	b->listed++;
	return 0;
}

static size_t lists(struct bench *b, const char *text)
{
	struct probe_spec *s = spec_of(b, text);
	const struct probe_kind *kind = probe_kind_find(probe_kinds, s->kind);

	b->listed = 0;
	b->last[0] = 0;
	assert_int_equal(kind->list(&b->env, s, count_name, b), 0);
	return b->listed;
}

static struct bench *tracing_bench(void **state)
{
	if (geteuid()) {
		print_message("reading tracefs needs root\n");
		skip();
	}
	return *state;
}

static void test_table(void **state)
{
	(void)state;
	assert_ptr_equal(probe_kind_find(probe_kinds, "BEGIN"), &probe_begin);
	assert_ptr_equal(probe_kind_find(probe_kinds, "End"), &probe_end);
	assert_ptr_equal(probe_kind_find(probe_kinds, "t"), &probe_tracepoint);
	assert_ptr_equal(probe_kind_find(probe_kinds, "U"), &probe_usdt);
	assert_ptr_equal(probe_kind_find(probe_kinds, "u"), &probe_uprobe);
	assert_null(probe_kind_find(probe_kinds, "T"));
	assert_null(probe_kind_find(probe_kinds, "Tracepoint"));
	assert_null(probe_kind_find(probe_kinds, ""));
	for (const struct probe_kind *const *k = probe_kinds; *k; k++) {
		assert_non_null((*k)->forms);
		assert_non_null((*k)->summary);
		assert_non_null((*k)->expand);
		assert_non_null((*k)->list);
		assert_ptr_equal(probe_kind_find(probe_kinds, (*k)->name), *k);
	}
}

static void test_begin_end(void **state)
{
	struct bench *b = *state;

	accepts(b, "BEGIN", "begin");
	accepts(b, "end", "end");
	refuses(b, "begin:x", "begin takes nothing", NULL);
	assert_int_equal(lists(b, "begin"), 1);
	assert_int_equal(lists(b, "begin:*"), 1);
}

static void test_interval(void **state)
{
	struct bench *b = *state;

	accepts(b, "interval:s:1", "interval:s:1");
	assert_int_equal(b->points.v[0]->period_ns, 1000000000);
	accepts(b, "i:ms:1e1", "interval:ms:1e1");
	assert_int_equal(b->points.v[0]->period_ns, 10000000);
	accepts(b, "i:hz:4", "interval:hz:4");
	assert_int_equal(b->points.v[0]->period_ns, 250000000);
	accepts(b, "i:10ms", "interval:10ms");
	assert_int_equal(b->points.v[0]->period_ns, 10000000);
	accepts(b, "i:1_000", "interval:1_000");
	assert_int_equal(b->points.v[0]->period_ns, 1000);
	refuses(b, "interval", "needs a unit and a count", NULL);
	refuses(b, "interval:s:1:2", "needs a unit and a count", NULL);
	refuses(b, "interval:sec:1", "'sec' is not a unit", "did you mean 's'");
	refuses(b, "interval:s:0", "greater than 0", NULL);
	refuses(b, "interval:s:-1", "positive number", NULL);
	refuses(b, "interval:s:", "positive number", NULL);
	refuses(b, "interval:s:1x", "positive number", NULL);
	refuses(b, "interval:s:99999999999999999999", "too large", NULL);
	refuses(b, "interval:s:9e18", "too long", NULL);
	refuses(b, "interval:hz:1e12", "too high", NULL);
	refuses(b, "interval:0s", "greater than 0", NULL);
	refuses(b, "interval:1x", "not a period", "interval:s:1");
	refuses(b, "interval:s", "not a period", "interval:s:1");
	refuses(b, "interval:5hz", "not a period", NULL);
	refuses(b, "interval:", "not a period", NULL);
	refuses(b, "interval:9e99s", "too long", NULL);
	assert_int_equal(lists(b, "interval:*"), 4);
	assert_int_equal(lists(b, "interval:s"), 1);
}

static void test_profile(void **state)
{
	struct bench *b = *state;

	accepts(b, "profile:hz:99", "profile:hz:99");
	assert_int_equal(b->points.v[0]->number, 99);
	accepts(b, "p:ms:5", "profile:ms:5");
	assert_int_equal(b->points.v[0]->number, 0);
	assert_int_equal(b->points.v[0]->period_ns, 5000000);
	assert_string_equal(b->points.v[0]->section, "perf_event");
	refuses(b, "profile:hx:99", "'hx' is not a unit", "'hz'");
	assert_int_equal(lists(b, "profile:*"), 4);
}

static void test_software(void **state)
{
	struct bench *b = *state;

	accepts(b, "software:faults:100", "software:faults:100");
	assert_string_equal(b->points.v[0]->target, "page-faults");
	accepts(b, "s:cs", "software:cs");
	assert_int_equal(b->points.v[0]->period_ns, 1000);
	accepts(b, "software:cpu-clock:", "software:cpu-clock:");
	refuses(b, "software:fault", "no software event 'fault'", "did you mean 'faults'");
	refuses(b, "software:faults:0", "greater than 0", NULL);
	refuses(b, "software:faults:x", "positive number", NULL);
	refuses(b, "software", "needs an event", NULL);
	refuses(b, "software:a:1:2", "needs an event", NULL);
	assert_int_equal(expand(b, "software:*-faults:1"), 0);
	assert_int_equal(b->points.n, 5);
	assert_int_equal(expand(b, "software:zzz*"), -ENOENT);
	assert_int_equal(b->diags.nerrors, 0);
	assert_int_equal(lists(b, "software:*"), 14);
	assert_int_equal(lists(b, "software:cpu"), 1);
}

static void test_hardware(void **state)
{
	struct bench *b = *state;

	accepts(b, "hardware:cycles:7", "hardware:cycles:7");
	assert_string_equal(b->points.v[0]->target, "cpu-cycles");
	assert_int_equal(b->points.v[0]->period_ns, 7);
	accepts(b, "h:branches:", "hardware:branches:");
	assert_int_equal(b->points.v[0]->period_ns, 100000);
	accepts(b, "h:cache-misses", "hardware:cache-misses");
	assert_int_equal(b->points.v[0]->period_ns, 1000000);
	refuses(b, "hardware:cache-miss", "no hardware event 'cache-miss'", "did you mean 'cache-misses'");
	assert_int_equal(lists(b, "hardware:*"), 12);
}

static void test_watchpoint(void **state)
{
	struct bench *b = *state;

	accepts(b, "w:0x1000:8:rw", "watchpoint:0x1000:8:rw");
	assert_string_equal(b->points.v[0]->section, "perf_event");
	accepts(b, "aw:4096:1:w", "asyncwatchpoint:4096:1:w");
	refuses(b, "w:0x1001:2:w", "0x1001 is not a multiple of the length 2", NULL);
	refuses(b, "w:-8:8:w", "'-8' is not an address", NULL);
	refuses(b, "w:8:16:w", "1, 2, 4 or 8 bytes", NULL);
	assert_int_equal(lists(b, "watchpoint:*"), 0);
}

static void test_tracepoint(void **state)
{
	struct bench *b = tracing_bench(state);

	accepts(b, "tracepoint:sched:sched_switch", "tracepoint:sched:sched_switch");
	assert_string_equal(b->points.v[0]->section, "tp/sched/sched_switch");
	assert_null(b->points.v[0]->group);
	refuses(b, "tracepoint", "tracepoint needs a subsystem and an event", NULL);
	refuses(b, "tracepoint:sched", "tracepoint:SUBSYSTEM:EVENT", NULL);
	refuses(b, "tracepoint:a:b:c", "tracepoint:SUBSYSTEM:EVENT", NULL);
	refuses(b, "tracepoint::", "tracepoint:SUBSYSTEM:EVENT", NULL);
	misses(b, "t:sched:sched_swich", "Tracepoint not found: sched:sched_swich",
	       "no tracepoint 'sched_swich' in 'sched'; did you mean 'sched_switch'?");
	misses(b, "t:shed:sched_swich", "Tracepoint not found: shed:", "no tracepoint subsystem 'shed'; did you mean 'sched'?");
	misses(b, "t:syscall:sys_enter_openat", "Tracepoint not found", "did you mean 'syscalls'?");
	misses(b, "t:block:sched_switch", "Tracepoint not found: block:sched_switch",
	       "did you mean 'sched:sched_switch'?");
	misses(b, "t:sched:\"sched_*\"", "Tracepoint not found", "no tracepoint 'sched_*'");
	misses(b, "t:../..:x", "Tracepoint not found", "no tracepoint subsystem");
	assert_int_equal(expand(b, "t:sched:sched_proc*"), 0);
	assert_true(b->points.n > 3);
	assert_int_equal(expand(b, "t:s*d:sched_switch"), 0);
	assert_int_equal(b->points.n, 1);
	assert_int_equal(expand(b, "t:sched:zzz*"), -ENOENT);
	assert_int_equal(expand(b, "t:zzz*:*"), -ENOENT);
	assert_int_equal(b->diags.nerrors, 0);
	b->env.max_probes = 10;
	refuses(b, "t:syscalls:*", "matches more than 10 probes", "max_probes");
	assert_string_equal(b->said, "");
}

static void test_syscall_points(void **state)
{
	struct bench *b = tracing_bench(state);
	const struct type *first;

	accepts(b, "t:syscalls:sys_enter_openat", "tracepoint:syscalls:sys_enter_openat");
	assert_string_equal(b->points.v[0]->section, "raw_tp/sys_enter");
	assert_string_equal(b->points.v[0]->group, "raw_syscalls:sys_enter");
	assert_int_equal(b->points.v[0]->guard.kind, GUARD_WORD_IN);
	assert_int_equal(b->points.v[0]->guard_value, kernel_syscall_number("openat"));
	assert_int_equal(probe_tracepoint.args(&b->env, b->points.v[0]), 0);
	assert_int_equal(b->points.v[0]->args->nfields, 5);
	assert_int_equal(type_field(b->points.v[0]->args, "filename")->type->kind, TY_POINTER);
	assert_int_equal(type_field(b->points.v[0]->args, "filename")->type->space, SPACE_USER);
	assert_int_equal(type_field(b->points.v[0]->args, "dfd")->type->size, 8);
	assert_true(type_field(b->points.v[0]->args, "dfd")->type->is_signed);

	assert_int_equal(expand(b, "t:syscalls:sys_exit_*"), 0);
	assert_true(b->points.n > 100);
	assert_int_equal(probe_tracepoint.args(&b->env, b->points.v[0]), 0);
	first = b->points.v[0]->args;
	assert_int_equal(type_field(first, "ret")->access, ACCESS_CTX_WORD);
	assert_int_equal(type_field(first, "ret")->type->size, 8);
	vec_each(ap, &b->points) {
		assert_int_equal(probe_tracepoint.args(&b->env, *ap), 0);
		assert_ptr_equal((*ap)->args, first); /* one shape */
	}
}

static void test_tracepoint_args(void **state)
{
	struct bench *b = tracing_bench(state);
	const struct type *args;

	accepts(b, "t:sched:sched_switch", "tracepoint:sched:sched_switch");
	assert_int_equal(probe_tracepoint.args(&b->env, b->points.v[0]), 0);
	args = b->points.v[0]->args;
	assert_null(type_field(args, "common_pid"));
	assert_int_equal(type_field(args, "prev_comm")->type->kind, TY_STRING);
	assert_int_equal(type_field(args, "prev_comm")->type->size, 16);
	assert_string_equal(type_field(args, "prev_comm")->type->name, "char[16]");
	assert_int_equal(type_field(args, "next_pid")->type->kind, TY_INT);
	assert_true(type_field(args, "next_pid")->type->is_signed);
	accepts(b, "t:sched:sched_process_exec", "tracepoint:sched:sched_process_exec");
	assert_int_equal(probe_tracepoint.args(&b->env, b->points.v[0]), 0);
	args = b->points.v[0]->args;
	assert_int_equal(type_field(args, "filename")->access, ACCESS_DATA_LOC);
	assert_int_equal(type_field(args, "filename")->type->kind, TY_POINTER);
	assert_int_equal(type_field(args, "filename")->type->elem->size, 1);
	accepts(b, "t:raw_syscalls:sys_enter", "tracepoint:raw_syscalls:sys_enter");
	assert_int_equal(probe_tracepoint.args(&b->env, b->points.v[0]), 0);
	args = b->points.v[0]->args;
	assert_int_equal(type_field(args, "args")->type->kind, TY_ARRAY);
	assert_int_equal(type_field(args, "args")->type->count, 6);
	assert_false(type_field(args, "args")->type->elem->is_signed);
}

/* The words that are not in this kernel's own formats. */
static void test_field_types(void **state)
{
	struct bench *b = *state;
	static const struct {
		struct tp_field f;
		enum addr_space space;
		enum type_kind kind;
		uint32_t size;
		bool is_signed;
	} rows[] = {
		{ { .type = "pid_t", .size = 8 }, SPACE_USER, TY_INT, 8, false },
		{ { .type = "umode_t", .size = 8 }, SPACE_USER, TY_INT, 2, false },
		{ { .type = "const clockid_t", .size = 8 }, SPACE_USER, TY_INT, 4, true },
		{ { .type = "u32", .size = 8 }, SPACE_USER, TY_INT, 8, false },
		{ { .type = "cap_user_header_t", .size = 8 }, SPACE_USER, TY_POINTER, 8, false },
		{ { .type = "bool", .size = 1 }, SPACE_KERNEL, TY_BOOL, 1, false },
		{ { .type = "u8[6]", .size = 6, .array = 6 }, SPACE_KERNEL, TY_ARRAY, 6, false },
		{ { .type = "unsigned long[]", .size = 0 }, SPACE_KERNEL, TY_ARRAY, 0, false },
		{ { .type = "struct in6_addr", .size = 16 }, SPACE_KERNEL, TY_ARRAY, 16, false },
		{ { .type = "char", .size = 1, .is_signed = true }, SPACE_KERNEL, TY_INT, 1, true },
		{ { .type = "void (*)(struct x *)", .size = 8 }, SPACE_KERNEL, TY_POINTER, 8, false },
		{ { .type = "*", .size = 8 }, SPACE_KERNEL, TY_POINTER, 8, false },
		{ { .type = "", .size = 3 }, SPACE_KERNEL, TY_ARRAY, 3, false },
		{ { .type = "__data_loc u64[]", .size = 4, .data_loc = true }, SPACE_KERNEL, TY_POINTER, 8, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct type *t = tp_field_type(b->arena, &rows[i].f, rows[i].space);

		if (t->kind != rows[i].kind || t->size != rows[i].size ||
		    (t->kind == TY_INT && t->is_signed != rows[i].is_signed))
			fail_msg("%s: %s of %u bytes", rows[i].f.type, type_name(b->arena, t), t->size);
	}
}

static void test_tracepoint_list(void **state)
{
	struct bench *b = tracing_bench(state);
	size_t all = lists(b, "tracepoint:*");

	assert_true(all > 100);
	assert_int_equal(lists(b, "tracepoint"), all);
	assert_int_equal(lists(b, "t:*:*"), all);
	assert_int_equal(lists(b, "t:sched:sched_switch"), 1);
	assert_int_equal(lists(b, "t:*sched_switch"), 1);
	assert_int_equal(lists(b, "t:zzz*"), 0);
	assert_int_equal(lists(b, "t:zzz:*"), 0);
}

static void test_rawtracepoint(void **state)
{
	struct bench *b = *state;
	const struct type *args;
	size_t all;

	if (!kernel_has_btf(b->kernel)) {
		print_message("this kernel has no BTF\n");
		skip();
	}
	accepts(b, "rt:sched_switch", "rawtracepoint:vmlinux:sched_switch");
	assert_string_equal(b->points.v[0]->section, "raw_tp/sched_switch");
	assert_int_equal(probe_rawtracepoint.args(&b->env, b->points.v[0]), 0);
	args = b->points.v[0]->args;
	assert_true(args->nfields >= 3);
	assert_int_equal(args->fields[1].access, ACCESS_CTX_WORD);
	assert_int_equal(args->fields[1].ctx_offset, 8);
	assert_int_equal(args->fields[1].type->kind, TY_POINTER);
	assert_string_equal(args->fields[1].type->elem->name, "task_struct");
	assert_string_equal(args->fields[1].type->name, "struct task_struct *");
	accepts(b, "rawtracepoint:vmlinux:sched_switch", "rawtracepoint:vmlinux:sched_switch");
	misses(b, "rt:sched_swich", "Probe has no valid attach points.",
	       "no raw tracepoint 'sched_swich'; did you mean 'sched_switch'?");
	misses(b, "rt:nomodule:sched_switch", "No BTF found for nomodule:sched_switch.",
	       "it is rawtracepoint:vmlinux:sched_switch");
	refuses(b, "rt", "rawtracepoint needs an event", NULL);
	refuses(b, "rt:a:b:c", "rawtracepoint needs an event", NULL);
	assert_int_equal(expand(b, "rt:sched_process_*"), 0);
	assert_true(b->points.n > 3);
	assert_int_equal(expand(b, "rt:zzz*"), -ENOENT);
	all = lists(b, "rawtracepoint:*");
	assert_true(all > 100);
	assert_int_equal(lists(b, "rt:*:*"), all);
	assert_int_equal(lists(b, "rt:sched_switch"), 1);
	/* every one of them can be described */
	assert_int_equal(expand(b, "rt:*"), 0);
	vec_each(ap, &b->points)
		assert_int_equal(probe_rawtracepoint.args(&b->env, *ap), 0);
	assert_string_equal(b->said, "");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_table), T(test_begin_end), T(test_interval), T(test_profile), T(test_software),
		T(test_hardware), T(test_watchpoint), T(test_tracepoint), T(test_syscall_points), T(test_tracepoint_args),
		T(test_field_types), T(test_tracepoint_list), T(test_rawtracepoint),
	};

	return cmocka_run_group_tests_name("probe kinds", tests, NULL, NULL);
}
