/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pressure_watch: --watch WHAT: when a task has stood still for so long within a window, say so and run a command. What a
 * question sees is known within 50 ms; of PSI, some and full, the kernel says it.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>

#include "base/util.h"
#include "subject/pressure.h"

#define MOST_WATCHES 16

/* "memory:100ms/1s@/system.slice", "memory:some:150ms/1s" */
struct watch {
	struct watching *all;
	const char *text;
	enum resource resource;
	enum { BY_TASK, BY_SOME, BY_FULL } by;
	uint64_t stall_ns, window_ns;
	const char *cgroup;      /* NULL: anywhere */
	struct window *window;   /* BY_TASK */
	int psi_fd;
	uint64_t quiet_until_ns; /* once in a window is enough */
	uint64_t fired;
};

struct watching {
	struct subject_run *run;
	struct watch watch[MOST_WATCHES];
	size_t n;
	struct stall_source source;
	pid_t command;           /* that of the last time, if it still runs */
	uint64_t skipped;        /* times that it still ran */
};

/* ---- the condition ---- */

static const char *take_time(const char *p, uint64_t *ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "ms", 1e6 }, { "us", 1e3 }, { "s", 1e9 }, { "m", 60e9 } };
	char *end;
	double n = strtod(p, &end);

	for (size_t i = 0; i < ARRAY_SIZE(units) && end != p && n > 0; i++) {
		size_t len = strlen(units[i].unit);

		if (strncmp(end, units[i].unit, len) || isalpha((unsigned char)end[len]))
			continue;
		*ns = (uint64_t)(n * units[i].ns);
		return end + len;
	}
	return NULL;
}

static const char *take_word(const char *p, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(p, word, len) && p[len] == ':' ? p + len + 1 : NULL;
}

static const char *take_resource(const char *p, struct watch *w)
{
	for (enum resource res = 0; res < RES_COUNT; res++) {
		const char *rest = take_word(p, resource_names[res]);

		if (rest) {
			w->resource = res;
			return rest;
		}
	}
	return NULL;
}

static const char *take_kind(const char *p, struct watch *w)
{
	const char *some = take_word(p, "some"), *full = take_word(p, "full"), *task = take_word(p, "task");

	w->by = some ? BY_SOME : full ? BY_FULL : BY_TASK;
	return some ? some : full ? full : task ? task : p;
}

static bool watch_parse(struct watch *w, const char *text)
{
	const char *p = take_resource(text, w);

	p = p ? take_kind(p, w) : NULL;
	p = p ? take_time(p, &w->stall_ns) : NULL;
	p = p && *p == '/' ? take_time(p + 1, &w->window_ns) : NULL;
	if (!p || (*p && *p != '@') || w->stall_ns > w->window_ns || w->window_ns < 100 * MS || w->window_ns > 600000 * MS)
		return false;
	w->cgroup = *p ? p + 1 : NULL;
	w->text = text;
	return !w->cgroup || *w->cgroup == '/';
}

/* ---- the command ---- */

static void set_number(const char *name, uint64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	setenv(name, text, 1);
}

struct happening {
	const struct watch *watch;
	const struct window_task *task; /* NULL: PSI does not say */
	uint64_t stalled_ns;
};

static void command_environment(const struct happening *h)
{
	setenv("SONDE_WATCH", h->watch->text, 1);
	setenv("SONDE_RESOURCE", resource_names[h->watch->resource], 1);
	set_number("SONDE_STALLED_US", h->stalled_ns / 1000);
	setenv("SONDE_CGROUP", h->task ? cgroup_name(h->task->last.cgroup) : h->watch->cgroup ? h->watch->cgroup : "/", 1);
	if (!h->task)
		return;
	set_number("SONDE_PID", (uint64_t)h->task->last.pid);
	setenv("SONDE_COMM", h->task->last.comm, 1);
}

static void command_exec(struct subject_run *r, const struct happening *h)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	command_environment(h);
	execvp(r->command[0], r->command);
	subject_fail(r, 0, NULL, "cannot run %s: %m", r->command[0]);
	_exit(127);
}

static void command_run(struct watching *all, const struct happening *h)
{
	struct subject_run *r = all->run;

	if (!r->command)
		return;
	if (all->command && !waitpid(all->command, NULL, WNOHANG)) {
		all->skipped++;
		return;
	}
	out_flush(r);
	all->command = fork();
	if (!all->command)
		command_exec(r, h);
	if (all->command < 0) {
		all->command = 0;
		subject_warn(r, NULL, "cannot run %s: %m", r->command[0]);
	}
}

/* ---- when it happens ---- */

static void happening_text(struct watching *all, const struct happening *h)
{
	const struct stall *s = h->task ? &h->task->last : NULL;
	char clock[16];
	time_t now = time(NULL);
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
	if (s)
		out_text(all->run, "%s  %s: %s[%d] in %s stood still for %.1f ms\n", clock, h->watch->text, s->comm, (int)s->pid,
			 cgroup_name(s->cgroup), (double)h->stalled_ns / 1e6);
	else
		out_text(all->run, "%s  %s: PSI says so\n", clock, h->watch->text);
}

static void happening_json(struct watching *all, const struct happening *h)
{
	_cleanup_json_ struct json j = JSON_INIT;
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	json_object(&j, NULL);
	json_raw(&j, "time_ns", "");
	strbuf_addf(&j.b, "%lld%09ld", (long long)t.tv_sec, t.tv_nsec);
	json_text(&j, "watch", h->watch->text);
	json_text(&j, "resource", resource_names[h->watch->resource]);
	json_text(&j, "source", h->task ? "events" : "psi");
	if (h->task) {
		json_i64(&j, "pid", h->task->last.pid);
		json_i64(&j, "tid", h->task->last.tid);
		json_text(&j, "comm", h->task->last.comm);
		json_text(&j, "cgroup", cgroup_name(h->task->last.cgroup));
		json_u64(&j, "stalled_ns", h->stalled_ns);
	}
	json_end(&j);
	out_json(all->run, "stall", &j);
}

static void happen(struct watch *w, const struct window_task *task, uint64_t stalled_ns, uint64_t now)
{
	struct happening h = { .watch = w, .task = task, .stalled_ns = stalled_ns };

	w->quiet_until_ns = now + w->window_ns;
	w->fired++;
	happening_text(w->all, &h);
	happening_json(w->all, &h);
	command_run(w->all, &h);
	out_flush(w->all->run);
}

static bool in_cgroup(void *ctx, const struct window_task *t)
{
	const struct watch *w = ctx;
	const char *name;
	size_t len;

	if (t->last.resource != w->resource)
		return false;
	if (!w->cgroup)
		return true;
	len = strlen(w->cgroup);
	name = cgroup_name(t->last.cgroup);
	return !strncmp(name, w->cgroup, len) && (!name[len] || name[len] == '/' || len == 1);
}

static void watch_check(struct watch *w, uint64_t now)
{
	const struct window_task *worst;
	uint64_t ns;

	if (now < w->quiet_until_ns)
		return;
	worst = window_worst(w->window, now, in_cgroup, w, &ns);
	if (worst && ns >= w->stall_ns)
		happen(w, worst, ns, now);
}

static void on_stall(void *ctx, const struct stall *s)
{
	struct watching *all = ctx;
	uint64_t now = now_ns();

	for (size_t i = 0; i < all->n; i++) {
		struct watch *w = &all->watch[i];

		if (w->by != BY_TASK || w->resource != s->resource)
			continue;
		window_add(w->window, s, now);
		watch_check(w, now);
	}
}

static void on_ongoing(void *ctx, const struct stall *s)
{
	struct watching *all = ctx;
	uint64_t now = now_ns();

	for (size_t i = 0; i < all->n; i++) {
		struct watch *w = &all->watch[i];

		if (w->by != BY_TASK || w->resource != RES_MEMORY)
			continue;
		window_ongoing(w->window, s, now);
		if (!s)
			watch_check(w, now);
	}
}

static int on_psi(void *ctx, uint32_t events)
{
	struct watch *w = ctx;

	if (events & EPOLLERR)
		return subject_fail(w->all->run, -ENOENT, NULL, "%s: the cgroup has gone", w->text);
	happen(w, NULL, 0, now_ns());
	return 0;
}

/* ---- start ---- */

static int psi_start(struct watch *w)
{
	struct subject_run *r = w->all->run;
	uint64_t stall_us = w->stall_ns / 1000, window_us = w->window_ns / 1000;
	char path[PATH_MAX];

	psi_path(path, sizeof(path), w->resource, w->cgroup);
	w->psi_fd = psi_trigger(path, w->by == BY_FULL, &stall_us, &window_us);
	if (w->psi_fd < 0) {
		errno = -w->psi_fd;
		return subject_fail(r, -1, "PSI takes windows from 500 ms to 10 s; a kernel without it is started with psi=1",
				    "%s: cannot set a trigger in %s: %m", w->text, path);
	}
	if (window_us * 1000 != w->window_ns)
		subject_warn(r, "CAP_SYS_RESOURCE allows others", "%s: the kernel only takes windows of 2 s here: it is now %llums/2s",
			     w->text, (unsigned long long)stall_us / 1000);
	return loop_watch(r, w->psi_fd, EPOLLPRI, on_psi, w) ? 0 : -ENOMEM;
}

static int watches_parse(struct watching *all, const struct text_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct watch *w = &all->watch[i];

		w->all = all;
		w->psi_fd = -1;
		if (i == MOST_WATCHES)
			return subject_fail(all->run, SUBJECT_USAGE, NULL, "--watch can be given %d times", MOST_WATCHES);
		if (!watch_parse(w, list->v[i]))
			return subject_fail(all->run, SUBJECT_USAGE,
					    "RESOURCE:[task:|some:|full:]STALL/WINDOW[@/CGROUP], as in memory:100ms/1s",
					    "--watch: '%s' is no condition", list->v[i]);
		if (w->by == BY_TASK) {
			w->window = calloc(1, sizeof(*w->window));
			if (!w->window)
				return subject_fail(all->run, SUBJECT_FAILED, NULL, "out of memory");
			w->window->window_ns = w->window_ns;
		}
		all->n++;
	}
	return 0;
}

static int watches_start(struct watching *all)
{
	bool asked[RES_COUNT] = { false };
	int err = 0;

	for (size_t i = 0; i < all->n && !err; i++) {
		struct watch *w = &all->watch[i];

		if (w->by != BY_TASK) {
			err = psi_start(w);
		} else if (!asked[w->resource]) {
			asked[w->resource] = true;
			err = stalls_ask(all->run, w->resource, &all->source, NULL);
		}
	}
	return err;
}

static void watches_free(struct watching *all)
{
	for (size_t i = 0; i < all->n; i++) {
		free(all->watch[i].window);
		close_fd(&all->watch[i].psi_fd);
	}
	free(all);
}

int watch_run(struct subject_run *r)
{
	const struct pressure_settings *set = r->settings;
	struct watching *all = calloc(1, sizeof(*all));
	int status;

	if (!all)
		return subject_fail(r, SUBJECT_FAILED, NULL, "out of memory");
	all->run = r;
	all->source = (struct stall_source){ .ctx = all, .stall = on_stall, .ongoing = on_ongoing };
	status = watches_parse(all, &set->watch);
	if (!status)
		status = watches_start(all) || loop_run(r) ? SUBJECT_FAILED : SUBJECT_FINE;
	if (all->skipped)
		subject_warn(r, NULL, "%llu times %s was not run because it still ran", (unsigned long long)all->skipped,
			     r->command[0]);
	watches_free(all);
	return status;
}
