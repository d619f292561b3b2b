/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers: the programs that the session runs itself, by BPF_PROG_TEST_RUN of a raw tracepoint program.
 *
 * An interval program runs once per expiration of its timer, also when the session was late: what it
 * counts stays right. A session that was stopped for long does not run for ever to catch up: after
 * CATCH_UP_RUNS the rest is skipped and told as missed.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "base/util.h"
#include "run/internal.h"

#define CATCH_UP_RUNS 1000
#define NS_PER_S 1000000000ULL

static int program_run(struct session *s, uint32_t index)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err = bpf_prog_test_run_opts(bpf_program__fd(s->programs[index]), &opts);

	if (err)
		return report_error(s->report, err, NULL, "cannot run the program of %s: %s",
				    s->module->programs.v[index].points[0]->name, strerror(-err));
	return 0;
}

int programs_run(struct session *s, enum probe_run run)
{
	for (uint32_t i = 0; i < s->module->programs.n; i++) {
		const struct program_desc *d = &s->module->programs.v[i];

		if (d->kind->run != run)
			continue;
		for (uint32_t j = 0; j < d->npoints; j++) {
			int err = program_run(s, i);

			if (err)
				return err;
		}
	}
	return 0;
}

static int timer_fd(uint64_t base_ns, uint64_t period_ns)
{
	uint64_t first = base_ns + period_ns;
	struct itimerspec spec = {
		.it_interval = { (time_t)(period_ns / NS_PER_S), (long)(period_ns % NS_PER_S) },
		.it_value = { (time_t)(first / NS_PER_S), (long)(first % NS_PER_S) },
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0 && timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd < 0 ? -errno : fd;
}

/* A signal is read from a descriptor, so it is blocked from now on in this thread (and those it makes). */
static int signal_fd(uint64_t number)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	if (sigaddset(&set, (int)number))
		return -errno;
	if (pthread_sigmask(SIG_BLOCK, &set, NULL))
		return -EINVAL;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static bool signal_is_awaited(const struct session *s, uint64_t number)
{
	for (size_t i = 0; i < s->ntriggers; i++)
		if (s->triggers[i].signal == number)
			return true;
	return false;
}

static int trigger_add(struct session *s, uint32_t prog, const struct attach_point *ap, uint64_t base_ns, uint64_t tag)
{
	uint64_t number = ap->kind->run == RUN_SIGNAL ? ap->number : 0;
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = tag + s->ntriggers };
	bool awaited = number && signal_is_awaited(s, number);
	int fd;

	/* A signal is there to be read once: by the first of its programs, which runs the others. */
	fd = awaited ? -1 : number ? signal_fd(number) : timer_fd(base_ns, ap->period_ns);
	if (!awaited && fd < 0)
		return report_error(s->report, fd, NULL, "cannot make a descriptor for %s: %s", ap->name, strerror(-fd));
	s->triggers[s->ntriggers++] = (struct trigger){ .fd = fd, .prog = prog, .signal = number };
	if (awaited)
		return 0;
	if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &ev))
		return report_error(s->report, -errno, NULL, "cannot wait for %s: %m", ap->name);
	return 0;
}

static bool is_trigger(const struct program_desc *d)
{
	return d->kind->run == RUN_TIMER || d->kind->run == RUN_SIGNAL;
}

int triggers_open(struct session *s, uint64_t tag)
{
	uint64_t base_ns = clock_ns();
	size_t n = 0;

	for (uint32_t i = 0; i < s->module->programs.n; i++)
		if (is_trigger(&s->module->programs.v[i]))
			n += s->module->programs.v[i].npoints;
	if (!n)
		return 0;
	s->triggers = calloc(n, sizeof(*s->triggers));
	if (!s->triggers)
		return report_error(s->report, -ENOMEM, NULL, "no memory for the session's timers");
	for (uint32_t i = 0; i < s->module->programs.n; i++) {
		const struct program_desc *d = &s->module->programs.v[i];

		for (uint32_t j = 0; is_trigger(d) && j < d->npoints; j++) {
			int err = trigger_add(s, i, d->points[j], base_ns, tag);

			if (err)
				return err;
		}
	}
	return 0;
}

/* How often it has fired since it was last asked. */
static uint64_t trigger_take(const struct trigger *t)
{
	struct signalfd_siginfo info;
	uint64_t n = 0;

	if (!t->signal)
		return read(t->fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
	while (n < CATCH_UP_RUNS && read(t->fd, &info, sizeof(info)) == sizeof(info))
		n++;
	return n;
}

/* Its program, and those behind it that wait for the same signal. */
static int trigger_programs_run(struct session *s, const struct trigger *t)
{
	int err = program_run(s, t->prog);

	for (const struct trigger *u = t + 1; t->signal && !err && u < s->triggers + s->ntriggers; u++)
		if (u->signal == t->signal)
			err = program_run(s, u->prog);
	return err;
}

static int trigger_run(struct session *s, const struct trigger *t)
{
	uint64_t n = trigger_take(t);

	if (n > CATCH_UP_RUNS) {
		s->skipped_runs += n - CATCH_UP_RUNS;
		n = CATCH_UP_RUNS;
	}
	for (; n && !s->stop && !s->result; n--) {
		int err = trigger_programs_run(s, t);

		if (err)
			return err;
		events_drain(s);
	}
	return 0;
}

int triggers_run(struct session *s)
{
	for (size_t i = 0; i < s->ntriggers && !s->stop; i++) {
		struct trigger *t = &s->triggers[i];
		int err = t->ready ? trigger_run(s, t) : 0;

		t->ready = false;
		if (err)
			return err;
	}
	return 0;
}

void triggers_close(struct session *s)
{
	for (size_t i = 0; i < s->ntriggers; i++)
		if (s->triggers[i].fd >= 0)
			close(s->triggers[i].fd);
	free(TAKE_PTR(s->triggers));
	s->ntriggers = 0;
}
