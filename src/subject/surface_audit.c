/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Surface, audit: every system call that a seccomp filter refuses, as it happens. */
#include <errno.h>
#include <inttypes.h>

#include "base/util.h"
#include "subject/surface.h"

extern const char surface_audit_bt[];

#define MOST_NAMES 512

/* What the processor keeps where. */
#if defined(__x86_64__)
static const char registers[] =
	"macro call_number(r) { (int64)r.orig_ax }\n"
	"macro call_argument0(r) { (uint64)r.di }\nmacro call_argument1(r) { (uint64)r.si }\nmacro call_argument2(r) { (uint64)r.dx }\n";
#elif defined(__aarch64__)
static const char registers[] =
	"macro call_number(r) { (int64)r.syscallno }\n"
	"macro call_argument0(r) { (uint64)r.orig_x0 }\nmacro call_argument1(r) { (uint64)r.regs[1] }\n"
	"macro call_argument2(r) { (uint64)r.regs[2] }\n";
#else
static const char registers[] = "";
#endif

enum how { HOW_ERROR, HOW_SIGNAL, HOW_KILLED };

struct audit {
	struct subject_run *run;
	uint64_t total, lost, unsure;
	struct { char name[48]; uint64_t count; } calls[MOST_NAMES];
	size_t ncalls;
};

static void count_call(struct audit *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->ncalls && !str_eq(a->calls[i].name, name); i++)
		;
	if (i == a->ncalls) {
		if (i == MOST_NAMES)
			return;
		strncpy(a->calls[i].name, name, sizeof(a->calls[i].name) - 1);
		a->ncalls++;
	}
	a->calls[i].count++;
}

static int64_t part_int(const struct sonde_record *rec, size_t part)
{
	int64_t v = 0;

	sonde_record_part_int(rec, part, &v);
	return v;
}

/* "Operation not permitted" */
static const char *error_text(int64_t err)
{
	const char *name = err > -4096 && err < 0 ? strerrorname_np((int)-err) : NULL;

	return name ? name : "?";
}

static void show_arguments(struct subject_run *r, const char *call, const struct sonde_record *rec)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (str_eq(call, "socket") || str_eq(call, "socketpair")) {
		family_text(&text, part_int(rec, 6));
		strbuf_addstr(&text, ", ");
		socket_type_text(&text, part_int(rec, 7) & 15);
	} else {
		strbuf_addf(&text, "0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64,
			    (uint64_t)part_int(rec, 6), (uint64_t)part_int(rec, 7),
			    (uint64_t)part_int(rec, 8));
	}
	out_text(r, "(%s)", text.s);
}

static void refusal(struct audit *a, const struct sonde_record *rec)
{
	static const char *const hows[] = { "error", "signal", "killed" };
	enum how how = (enum how)MIN((uint64_t)part_int(rec, 0), HOW_KILLED);
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT, comm = STRBUF_INIT;
	_cleanup_json_ struct json j = JSON_INIT;

	/* Texts of parts only live until the next one is asked for. */
	strbuf_addstr(&name, how == HOW_KILLED ? "?" : sonde_record_part(rec, 9) ?
		      sonde_record_part(rec, 9) : "?");
	strbuf_addstr(&comm, sonde_record_part(rec, 3) ? sonde_record_part(rec, 3) : "?");
	a->total++;
	count_call(a, name.s);
	out_text(a->run, "%-7" PRId64 "  %-15s  ", part_int(rec, 1), comm.s);
	if (how == HOW_KILLED)
		out_text(a->run, "killed by seccomp; the call cannot be observed\n");
	else if (how == HOW_SIGNAL)
		out_text(a->run, "%s  SIGSYS\n", name.s);
	if (how == HOW_ERROR) {
		out_text(a->run, "%s", name.s);
		show_arguments(a->run, name.s, rec);
		out_text(a->run, "  %s\n", error_text(part_int(rec, 5)));
	}
	json_object(&j, NULL);
	json_text(&j, "how", hows[how]);
	json_i64(&j, "pid", part_int(rec, 1));
	json_i64(&j, "tid", part_int(rec, 2));
	json_text(&j, "comm", comm.s);
	json_text(&j, "call", how == HOW_KILLED ? NULL : name.s);
	json_i64(&j, "number", part_int(rec, 4));
	if (how == HOW_ERROR) {
		json_text(&j, "error", error_text(part_int(rec, 5)));
		json_array(&j, "arguments");
		for (size_t i = 6; i < 9; i++)
			json_u64(&j, NULL, (uint64_t)part_int(rec, i));
		json_end(&j);
	}
	json_end(&j);
	out_json(a->run, "refusal", &j);
}

static int on_record(void *ctx, const struct sonde_record *rec)
{
	struct audit *a = ctx;
	int64_t n;

	switch (sonde_record_kind(rec)) {
	case SONDE_VALUE:
		if (sonde_record_parts(rec) == 10)
			refusal(a, rec);
		break;
	case SONDE_LOST:
		a->lost += sonde_record_number(rec);
		break;
	case SONDE_MAP:
		if (str_eq(sonde_record_map(rec), "@unsure") && sonde_record_value_int(rec, 0, &n))
			a->unsure = (uint64_t)n;
		break;
	default:
		break;
	}
	return 0;
}

/* ---- whether anything can be refused ---- */

struct filters {
	unsigned processes, filtered;
};

static void look_filter(struct filters *f, const char *pid)
{
	_cleanup_strbuf_ struct strbuf status = STRBUF_INIT;
	uint64_t mode = 0;

	if (file_readf(&status, "/proc/%s/status", pid))
		return;
	f->processes++;
	field_u64(status.s, "Seccomp:", &mode);
	f->filtered += mode != 0;
}

static struct filters filters_of(const struct target *t)
{
	_cleanup_strbuf_ struct strbuf procs = STRBUF_INIT;
	struct filters f = { 0 };
	char *rest = NULL;

	if (t->directory.len && !file_readf(&procs, "%s/cgroup.procs", t->directory.s))
		for (char *pid = strtok_r(procs.s, "\n", &rest); pid; pid = strtok_r(NULL, "\n",
										     &rest))
			look_filter(&f, pid);
	return f;
}

/* ---- the whole ---- */

static void summary(struct audit *a, const struct target *t, const struct filters *before)
{
	struct subject_run *r = a->run;
	_cleanup_json_ struct json j = JSON_INIT;

	out_text(r, "\n%" PRIu64 " refusals", a->total);
	for (size_t i = 0; i < a->ncalls; i++)
		out_text(r, "%s %s %" PRIu64, i ? "," : ":", a->calls[i].name, a->calls[i].count);
	out_text(r, "\n");
	if (t->gone)
		out_text(r, "The %s has ended.\n", t->name.s);
	if (a->unsure)
		out_text(r, "%" PRIu64 " first returns of threads that were there before cannot be told from refusals.\n", a->unsure);
	json_object(&j, NULL);
	json_text(&j, "target", t->name.s);
	json_u64(&j, "refusals", a->total);
	json_object(&j, "calls");
	for (size_t i = 0; i < a->ncalls; i++)
		json_u64(&j, a->calls[i].name, a->calls[i].count);
	json_end(&j);
	json_u64(&j, "lost", a->lost);
	json_u64(&j, "unsure", a->unsure);
	json_bool(&j, "ended", t->gone);
	json_u64(&j, "processes", before->processes);
	json_u64(&j, "filtered", before->filtered);
	json_end(&j);
	out_json(r, "summary", &j);
}

/* No refusal is only a good word when refusals would have been seen. */
static int judge(struct audit *a, const struct target *t, const struct filters *before)
{
	struct strbuf found = STRBUF_INIT;
	struct verdict v = { .item = "refusals", .title = "the profile refuses nothing",
		.is = VERDICT_PASS };

	strbuf_addf(&found, "%" PRIu64 " system calls were refused", a->total);
	if (a->total) {
		v.is = VERDICT_FAIL;
		v.remedy = "if they are needed, add them to the profile";
	} else if (a->lost) {
		v.is = VERDICT_UNSEEN;
		strbuf_addf(&found, ", but %" PRIu64 " events were lost", a->lost);
	} else if (t->directory.len && before->processes && !before->filtered) {
		v.is = VERDICT_UNSEEN;
		strbuf_addstr(&found, ", but none of its processes has a seccomp filter");
	} else if (t->directory.len && !before->processes && t->gone) {
		v.is = VERDICT_UNSEEN;
		strbuf_addstr(&found, ", but nothing ran there");
	}
	v.found = found.s;
	verdict(a->run, &v);
	strbuf_free(&found);
	return verdicts_status(a->run);
}

/* Without these there would be no refusal to be seen, however many there are. */
static int check_probes(struct subject_run *r)
{
	static const char *const probes[] = {
		"tracepoint:raw_syscalls:sys_enter", "rawtracepoint:sys_exit",
		"rawtracepoint:signal_generate",
		"rawtracepoint:sched_process_fork", "tracepoint:sched:sched_process_exit",
	};

	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		if (!probe_exists(probes[i]))
			return subject_fail(r, SUBJECT_UNSEEN, NULL,
					    "not observable: refusals: this kernel has no %s",
					    probes[i]);
	return 0;
}

static int listen_all(struct audit *a, struct target *t)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, why = STRBUF_INIT;
	struct strbuf values[3] = { STRBUF_INIT, STRBUF_INIT, STRBUF_INIT };
	const char *params[8];
	struct question q = { .name = "audit", .params = params, .record = on_record, .ctx = a,
		.why = &why };
	int err;

	target_params(t, values, params);
	params[2] = NULL; /* the mount namespace is nothing to it */
	strbuf_addf(&text, "%s%s", registers, surface_audit_bt);
	q.source = text.s;
	if (t->child) {
		q.pid = sonde_child_pid(t->child);
		q.pid_is_child = true;
	}
	err = *registers ? ask(a->run, &q, NULL) : -ENOSYS;
	for (int i = 0; i < 3; i++)
		strbuf_free(&values[i]);
	if (err)
		return subject_fail(a->run, SUBJECT_UNSEEN, NULL, "not observable: refusals: %s",
				    why.len ? why.s : strerror(-err));
	err = target_start(t);
	return err ? err : loop_run(a->run) ? SUBJECT_FAILED : 0;
}

int audit_run(struct subject_run *r, struct target *t)
{
	struct audit *a = calloc(1, sizeof(*a));
	struct filters before;
	int status;

	if (!a)
		return subject_fail(r, SUBJECT_FAILED, NULL, "out of memory");
	a->run = r;
	before = filters_of(t);
	status = check_probes(r);
	status = status ? status : listen_all(a, t);
	if (!status) {
		summary(a, t, &before);
		status = judge(a, t, &before);
	}
	/* The questions still hold it. */
	asks_finish(r);
	free(a);
	return status;
}
