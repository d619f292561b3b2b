/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Session: open, attach, poll, finish, free. */
#include "run/session.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>

#include "base/util.h"
#include "run/internal.h"

/*
 * Programs submit most events without a wake-up, so the ring is looked at every TICK_NS; when nothing
 * came for IDLE_TICKS, less often.
 */
#define TICK_NS (20 * 1000 * 1000L)
#define TICK_IDLE_NS (50 * 1000 * 1000L)
#define IDLE_TICKS 50

/* What an epoll event is about; triggers are TAG_TRIGGER + index. */
enum { TAG_RING, TAG_TICK, TAG_STOP, TAG_PID, TAG_WATCH, TAG_ITER, TAG_PACKETS, TAG_UNWIND, TAG_FOLLOW, TAG_TRIGGER };

uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static int watch(struct session *s, int fd, uint32_t events, uint64_t tag)
{
	struct epoll_event ev = { .events = events, .data.u64 = tag };

	if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &ev))
		return report_error(s->report, -errno, NULL, "cannot wait for events: %m");
	return 0;
}

static int pid_watch(struct session *s)
{
	if (s->opt.pid <= 0)
		return 0;
	s->pid_fd = (int)syscall(SYS_pidfd_open, s->opt.pid, 0);
	if (s->pid_fd < 0)
		return report_error(s->report, -errno, NULL, "cannot watch process %d: %m", (int)s->opt.pid);
	return watch(s, s->pid_fd, EPOLLIN, TAG_PID);
}

static int tick_set(struct session *s, long ns)
{
	struct itimerspec spec = { .it_interval.tv_nsec = ns, .it_value.tv_nsec = ns };

	return timerfd_settime(s->tick_fd, 0, &spec, NULL) ? -errno : 0;
}

/* Only programs that the kernel runs by itself can send events while we sleep. */
static int ring_watch(struct session *s)
{
	int err;

	if (!s->ring.consumer || s->ring_is_small)
		return 0;
	s->tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->tick_fd < 0 || tick_set(s, TICK_NS))
		return report_error(s->report, -errno, NULL, "cannot make a timer: %m");
	err = watch(s, s->tick_fd, EPOLLIN, TAG_TICK);
	/* Edge-triggered: a ring that is being written all the time must not end every wait at once. */
	return err ? err : watch(s, s->ring.fd, EPOLLIN | EPOLLET, TAG_RING);
}

static int unwind_watch(struct session *s)
{
	int err = unwind_open(s);

	return err || s->unwind_fd < 0 ? err : watch(s, s->unwind_fd, EPOLLIN, TAG_UNWIND);
}

static int follow_watch(struct session *s)
{
	int err = follow_open(s);

	return err || s->follow_fd < 0 ? err : watch(s, s->follow_fd, EPOLLIN, TAG_FOLLOW);
}

static int epoll_open(struct session *s)
{
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->epoll_fd < 0 || s->stop_fd < 0)
		return report_error(s->report, -errno, NULL, "cannot make a descriptor to wait for events: %m");
	return watch(s, s->stop_fd, EPOLLIN, TAG_STOP);
}

static struct session *session_new(const struct module *m, const struct session_options *o)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->epoll_fd = s->stop_fd = s->tick_fd = s->pid_fd = s->iter_fd = s->unwind_fd = s->follow_fd = -1;
	s->held = (struct strbuf)STRBUF_INIT;
	s->module = m;
	s->opt = *o;
	s->report = o->report;
	s->ncpus = (uint32_t)MAX(kernel_ncpus_possible(), 1);
	s->arena = arena_new();
	if (!s->arena) {
		free(s);
		return NULL;
	}
	s->probe = *o->probe;
	s->probe.arena = s->arena;
	s->probe.report = o->report;
	s->probe.diags = NULL;
	s->probe.dry_run = o->dry_run;
	s->tells_events = diag_form_is_reference();
	act_init(s);
	return s;
}

int session_open(const struct module *m, const struct session_options *o, struct session **out)
{
	struct session *s;
	int err = kernel_check_capabilities(o->probe->kernel);

	if (err)
		return err;
	s = session_new(m, o);
	if (!s)
		return report_error(o->report, -ENOMEM, NULL, "no memory for a session");
	err = epoll_open(s);
	err = err ? err : session_load(s);
	err = err ? err : losses_open(s);
	err = err ? err : packets_open(s, TAG_PACKETS);
	err = err ? err : pid_watch(s);
	if (err) {
		session_free(s);
		return err;
	}
	*out = s;
	return 0;
}

int session_watch(struct session *s, int fd, void (*ready)(void *ctx), void *ctx)
{
	s->watch_ready = ready;
	s->watch_ctx = ctx;
	return watch(s, fd, EPOLLIN, TAG_WATCH);
}

/*
 * What the session does later (reading maps, running end programs) needs no capability once programs and
 * maps are loaded, from Linux 5.19 on; before, every bpf() call asks for CAP_BPF when unprivileged BPF is
 * switched off.
 */
static void capabilities_drop(struct session *s)
{
	uint64_t keep = kernel_version() < 0x051300 ? 1ULL << CAP_BPF : 0;

	keep |= s->module->keep_capabilities;
	/* What is followed is attached later, to processes of any user; Debian's kernels want more than CAP_PERFMON. */
	if (s->module->follows)
		keep |= 1ULL << CAP_BPF | 1ULL << CAP_PERFMON | 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_SYS_PTRACE | 1ULL << CAP_KILL;
	if (!s->opt.keep_capabilities)
		kernel_drop_capabilities(keep);
}

/* Kinds allocate while they attach; when memory ends, they do not come back. */
static int attach_guarded(struct session *s)
{
	if (setjmp(*arena_guard(s->arena)))
		return report_error(s->report, -ENOMEM, NULL, "no memory to attach the probes");
	return probes_attach(s);
}

static int attached_tell(struct session *s)
{
	struct record rec = { .kind = REC_ATTACHED, .number = s->nattached };

	return record_emit(s, &rec);
}

/*
 * What begin programs print is shown after the line that says how many probes were attached, as the
 * reference has it. The ring is emptied before attaching, which may take seconds in which it could fill.
 */
static int attach_all(struct session *s)
{
	int err;

	s->control->start_ns = clock_ns();
	/* A dry run attaches, to see that it can, and executes nothing of the script by itself. */
	err = s->opt.dry_run ? 0 : programs_run(s, RUN_BEGIN);
	err = err ? err : events_hold(s);
	err = err ? err : unwind_watch(s);
	err = err ? err : follow_watch(s);
	err = err ? err : attach_guarded(s);
	err = err ? err : ring_watch(s);
	err = err ? err : triggers_open(s, TAG_TRIGGER);
	return err ? err : iterators_open(s, TAG_ITER);
}

/* Are there programs that go on running? */
static bool programs_last(const struct session *s)
{
	for (uint32_t i = 0; i < s->module->programs.n; i++) {
		enum probe_run run = s->module->programs.v[i].kind->run;

		if (run == RUN_ATTACHED || run == RUN_TIMER || run == RUN_SIGNAL)
			return true;
	}
	return false;
}

/* Is there anything that could still happen once the begin programs have run? */
static bool session_has_future(const struct session *s)
{
	bool stays_only = s->module->programs.n > 0;

	for (uint32_t i = 0; i < s->module->programs.n; i++)
		stays_only &= s->module->programs.v[i].points[0]->stays;
	return programs_last(s) || iterators_pending(s) || (s->opt.pid && !stays_only);
}

int session_attach(struct session *s)
{
	int err = attach_all(s);
	bool tests;

	if (err) {
		probes_switch_off(s);
		probes_detach(s);
		return err;
	}
	s->attached = true;
	tests = session_has_tests(s);
	/* Measuring asks for the kernel's statistics. */
	if (!tests)
		capabilities_drop(s);
	err = tests ? 0 : attached_tell(s);
	if (!err)
		events_release(s);
	if (!err && tests && !s->opt.dry_run)
		err = tests_run(s);
	if (err < 0)
		return err;
	if (!session_has_future(s))
		session_stop(s, 0);
	return 0;
}

int session_fd(const struct session *s)
{
	return s->epoll_fd;
}

void session_stop(struct session *s, int status)
{
	uint64_t one = 1;
	bool unset = false;
	int saved = errno;

	if (atomic_compare_exchange_strong(&s->status_set, &unset, true))
		s->status = status;
	/* Once is enough; a probe on writes would otherwise see one for each of its own calls of exit(). */
	if (atomic_exchange(&s->stop, true))
		return;
	if (write(s->stop_fd, &one, sizeof(one)) < 0)
		errno = saved; /* it is full: it is readable already */
}

void session_interrupt(struct session *s, int status)
{
	s->interrupted = true;
	session_stop(s, status);
}

void session_end(struct session *s, int status)
{
	session_stop(s, status);
}

bool session_unwinds(const struct session *s)
{
	return s->unwind;
}

void session_look(struct session *s, pid_t pid)
{
	if (s->watch_ready)
		s->watch_ready(s->watch_ctx);
	unwind_look(s, (uint32_t)pid);
}

/* Slow down when nothing comes, and back. */
static void tick_handle(struct session *s, int64_t nevents)
{
	uint64_t expirations;
	bool slow;

	/* Reading it is what makes it go on; it may not have expired. */
	if (s->tick_fd < 0 || read(s->tick_fd, &expirations, sizeof(expirations)) < 0)
		return;
	s->idle_ticks = nevents ? 0 : s->idle_ticks + 1;
	slow = s->idle_ticks > IDLE_TICKS;
	if (slow != s->tick_is_slow && !tick_set(s, slow ? TICK_IDLE_NS : TICK_NS))
		s->tick_is_slow = slow;
}

static int session_result(struct session *s)
{
	if (s->result && !s->result_told) {
		s->result_told = true;
		return s->result;
	}
	return s->stop || s->result ? 0 : 1;
}

static int wake_handle(struct session *s, const struct epoll_event *ev, int n)
{
	bool fired = false, iterating = false;
	int64_t nevents;
	int err;

	/* Before events are shown: names for the first stacks may take a tenth of a second, in which others are walked. */
	for (int i = 0; i < n; i++) {
		if (ev[i].data.u64 == TAG_WATCH) {
			s->watch_ready(s->watch_ctx);
			unwind_renew(s);
		}
		if (ev[i].data.u64 == TAG_UNWIND)
			unwind_tick(s);
	}
	nevents = events_drain(s);
	packets_drain(s);
	tick_handle(s, nevents);
	for (int i = 0; i < n; i++) {
		uint64_t tag = ev[i].data.u64;

		if (tag == TAG_PID)
			session_end(s, 0);
		if (tag == TAG_FOLLOW)
			follow_tick(s);
		iterating |= tag == TAG_ITER;
		if (tag >= TAG_TRIGGER)
			fired = s->triggers[tag - TAG_TRIGGER].ready = true;
	}
	err = fired ? triggers_run(s) : 0;
	if (!err && iterating)
		err = iterators_run(s);
	if (nevents || fired || iterating)
		losses_tell(s, false);
	/* When all has been gone through and nothing else is attached, that was it. */
	if (!err && iterating && !iterators_pending(s) && !programs_last(s))
		session_stop(s, 0);
	return err;
}

int session_poll(struct session *s, int timeout_ms)
{
	struct epoll_event ev[16];
	int n, err;

	if (s->stop || s->result)
		return session_result(s);
	n = epoll_wait(s->epoll_fd, ev, ARRAY_SIZE(ev), timeout_ms);
	if (n < 0 && errno != EINTR)
		return report_error(s->report, -errno, NULL, "cannot wait for events: %m");
	err = n > 0 ? wake_handle(s, ev, n) : 0;
	return err ? err : session_result(s);
}

/* Those of the end programs are run again. */
static void commands_left_tell(struct session *s)
{
	s->interrupted = false;
	if (s->ncommands_left)
		report_warning(s->report, NULL, "%llu command%s of system() that waited %s not run any more",
			       (unsigned long long)s->ncommands_left, s->ncommands_left > 1 ? "s" : "",
			       s->ncommands_left > 1 ? "were" : "was");
}

int session_finish(struct session *s)
{
	int err = 0;

	if (!s->attached || s->finished)
		return s->result;
	s->finished = true;
	err = s->exit_asked ? iterators_finish(s) : 0;
	probes_switch_off(s);
	events_drain_all(s);
	packets_drain(s);
	commands_left_tell(s);
	if (!s->result)
		err = err ? err : programs_run(s, RUN_END);
	events_drain_all(s);
	if (!s->opt.quiet_maps && !s->result && !session_has_tests(s)) {
		int e = maps_print_all(s);

		err = err ? err : e;
	}
	losses_tell(s, true);
	err = err ? err : s->failure;
	return s->result ? s->result : err;
}

int session_status(const struct session *s)
{
	return s->status;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	probes_switch_off(s);
	probes_detach(s);
	follow_close(s);
	triggers_close(s);
	packets_close(s);
	unwind_close(s);
	session_unload(s);
	losses_close(s);
	strbuf_free(&s->held);
	free(s->bounce);
	close_fd(&s->tick_fd);
	close_fd(&s->pid_fd);
	close_fd(&s->iter_fd);
	close_fd(&s->stop_fd);
	close_fd(&s->epoll_fd);
	arena_free(s->arena);
	free(s);
}
