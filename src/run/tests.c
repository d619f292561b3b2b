/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests: the test: and bench: programs of a script. A test fails when it returns anything but 0, says
 * exit() with a status, or shows an error. A benchmark is run until a millisecond has been spent in it.
 *
 * The kernel repeats no raw tracepoint program on its own, so each run is a call, and its time is what
 * the kernel's statistics of the program say, less what they say of a program that does nothing.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>

#include "base/util.h"
#include "run/internal.h"

#define BENCH_ENOUGH_NS 1000000
#define BENCH_MOST_RUNS 1000000

struct testing {
	struct session *s;
	struct test_report report;
	const char **names;
	bool *passed;
	uint32_t nfailed;
};

/* ---- the programs ---- */

static bool is_test(const struct program_desc *d)
{
	return d->kind->run == RUN_TEST || d->kind->run == RUN_BENCH;
}

bool session_has_tests(const struct session *s)
{
	vec_each(d, &s->module->programs)
		if (is_test(d))
			return true;
	return false;
}

static int testing_open(struct testing *t, struct session *s)
{
	uint32_t n = 0;

	*t = (struct testing){ .s = s };
	vec_each(d, &s->module->programs)
		n += is_test(d) ? d->npoints : 0;
	t->names = calloc(n + 1, sizeof(*t->names));
	t->passed = calloc(n + 1, sizeof(*t->passed));
	if (!t->names || !t->passed)
		return report_error(s->report, -ENOMEM, NULL, "no memory to run the tests");
	t->report = (struct test_report){ .names = t->names, .passed = t->passed, .n = n };
	n = 0;
	vec_each(d, &s->module->programs)
		for (uint32_t i = 0; is_test(d) && i < d->npoints; i++)
			t->names[n++] = d->points[i]->target;
	return 0;
}

static int tell(struct testing *t, enum record_kind kind, bool begins)
{
	struct record rec = { .kind = kind, .test = &t->report };

	t->report.begins = begins;
	return record_emit(t->s, &rec);
}

/* ---- one run ---- */

struct outcome {
	uint32_t duration_ns;
	bool passed, returned;
};

/* exit() in a test ends the test, not the session. */
static int status_take(struct session *s)
{
	int status = s->status_set ? s->status : 0;
	uint64_t ignored;

	/* A signal that asked the session to stop stays. */
	if (s->exit_asked) {
		s->stop = s->status_set = false;
		s->status = 0;
		s->exit_asked = false;
		if (read(s->stop_fd, &ignored, sizeof(ignored)) < 0)
			status = status ? status : 0;
	}
	return status;
}

static int once(struct session *s, uint32_t prog, struct outcome *out)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	uint64_t errors = s->nerrors, before = clock_ns();
	int err;

	s->control->result = 0;
	err = bpf_prog_test_run_opts(bpf_program__fd(s->programs[prog]), &opts);
	if (err)
		return report_error(s->report, err, NULL, "cannot run the program of %s: %s",
				    s->module->programs.v[prog].points[0]->name, strerror(-err));
	out->duration_ns = (uint32_t)(clock_ns() - before);
	events_drain_all(s);
	out->returned = s->control->result != 0;
	out->passed = !out->returned && !status_take(s) && s->nerrors == errors;
	return s->result;
}

static int test_run(struct testing *t, uint32_t prog)
{
	struct outcome o = { 0 };
	int err = tell(t, REC_TEST, true);

	err = err ? err : once(t->s, prog, &o);
	if (err)
		return err;
	t->passed[t->report.index] = o.passed;
	t->report.duration_ns = o.duration_ns;
	t->nfailed += !o.passed;
	return tell(t, REC_TEST, false);
}

/* ---- benchmarks ---- */

static int runs_measure(struct session *s, int fd, uint64_t runs, uint64_t *total_ns)
{
	struct bpf_prog_info before = { 0 }, after = { 0 };
	uint32_t len = sizeof(before);
	int err = bpf_obj_get_info_by_fd(fd, &before, &len);

	for (uint64_t i = 0; !err && i < runs && !s->result; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts);

		err = bpf_prog_test_run_opts(fd, &opts);
		/* What it has to say is not wanted, but the ring must not fill. */
		if (i % 256 == 255)
			events_drain(s);
	}
	len = sizeof(after);
	err = err ? err : bpf_obj_get_info_by_fd(fd, &after, &len);
	events_drain_all(s);
	*total_ns = after.run_time_ns - before.run_time_ns;
	return err;
}

/* What the statistics count for nothing, per run. */
static uint64_t overhead_ns(struct session *s)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 }, { .code = BPF_JMP | BPF_EXIT },
	};
	_cleanup_close_ int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "nothing", "GPL", nothing, ARRAY_SIZE(nothing),
					       NULL);
	uint64_t total = 0, runs = 1000;

	return fd >= 0 && !runs_measure(s, fd, runs, &total) ? total / runs : 0;
}

static int bench_measure(struct testing *t, uint32_t prog)
{
	int fd = bpf_program__fd(t->s->programs[prog]);
	uint64_t runs = 1, total = 0, nothing = overhead_ns(t->s);
	int err = 0;

	while (!err && !t->s->result) {
		err = runs_measure(t->s, fd, runs, &total);
		if (err || total >= BENCH_ENOUGH_NS || runs >= BENCH_MOST_RUNS)
			break;
		runs *= total < BENCH_ENOUGH_NS / 100 ? 100 : total < BENCH_ENOUGH_NS / 10 ? 10 : 2;
	}
	if (err)
		return report_error(t->s->report, err, NULL, "cannot measure bench:%s: %s", t->names[t->report.index],
				    strerror(-err));
	total /= runs;
	t->report.duration_ns = total > nothing ? total - nothing : 0;
	t->report.iterations = runs;
	return t->s->result;
}

static int bench_run(struct testing *t, uint32_t prog)
{
	struct outcome o = { 0 };
	int err = tell(t, REC_BENCH, true);

	/* Once before, to see what it says: returning 1 skips it. */
	err = err ? err : once(t->s, prog, &o);
	if (!err && !o.passed) {
		t->nfailed += !o.returned;
		t->report.iterations = 0;
		if (!o.returned)
			report_error(t->s->report, 0, NULL, "the benchmark %s failed", t->names[t->report.index]);
		return tell(t, REC_BENCH, false);
	}
	err = err ? err : bench_measure(t, prog);
	status_take(t->s);
	return err ? err : tell(t, REC_BENCH, false);
}

/* ---- all of them ---- */

static int all_run(struct testing *t)
{
	for (uint32_t i = 0; i < t->s->module->programs.n; i++) {
		const struct program_desc *d = &t->s->module->programs.v[i];

		for (uint32_t j = 0; is_test(d) && j < d->npoints; j++, t->report.index++) {
			int err = d->kind->run == RUN_TEST ? test_run(t, i) : bench_run(t, i);

			if (err || t->s->stop)
				return err;
		}
	}
	return 0;
}

int tests_run(struct session *s)
{
	/* The kernel counts the time of programs as long as this is open. */
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	struct testing t;
	int err = testing_open(&t, s);

	err = err ? err : all_run(&t);
	if (!err)
		session_stop(s, t.nfailed ? 1 : 0);
	free(t.names);
	free(t.passed);
	if (stats >= 0)
		close(stats);
	return err;
}
