/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loop: epoll, an eventfd for signals and a timerfd for each timer. */
#include "subject/loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>

#include "base/util.h"
#include "subject/ask.h"

struct loop_watch {
	struct loop_watch *next;
	loop_fn fn; /* NULL: unwatched, to be freed when nothing uses it */
	void *ctx;
	int fd;
	bool own_fd;
	bool is_timer;
};

struct loop {
	int epoll_fd;
	struct loop_watch *watches;
};

/* For the signal handler. */
static int signal_fd = -1;
static volatile sig_atomic_t caught;

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void on_signal(int sig)
{
	int saved = errno;
	uint64_t one = 1;

	caught = sig;
	if (write(signal_fd, &one, sizeof(one)) < 0)
		_exit(128 + sig);
	errno = saved;
}

static void signals_install(void)
{
	static const int stops[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < ARRAY_SIZE(stops); i++) {
		/* The default action is back after the first: that is how the second one kills. */
		struct sigaction stop = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
		struct sigaction old;

		/* nohup asked for it. */
		if (stops[i] == SIGHUP && !sigaction(SIGHUP, NULL, &old) && old.sa_handler == SIG_IGN)
			continue;
		sigaction(stops[i], &stop, NULL);
	}
}

int loop_signal(void)
{
	return caught;
}

static int end_loop(void *ctx, uint32_t events)
{
	(void)ctx, (void)events;
	return LOOP_END;
}

int loop_open(struct subject_run *r)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return subject_fail(r, -ENOMEM, NULL, "out of memory");
	r->loop = l;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	signal_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->epoll_fd < 0 || signal_fd < 0)
		return subject_fail(r, -errno, NULL, "cannot make a descriptor to wait for events: %m");
	signals_install();
	return loop_watch(r, signal_fd, EPOLLIN, end_loop, NULL) ? 0 : -ENOMEM;
}

struct loop_watch *loop_watch(struct subject_run *r, int fd, uint32_t events, loop_fn fn, void *ctx)
{
	struct loop_watch *w = calloc(1, sizeof(*w));
	struct epoll_event ev = { .events = events, .data.ptr = w };

	if (!w || epoll_ctl(r->loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev)) {
		subject_fail(r, 1, NULL, "cannot wait for a descriptor: %m");
		free(w);
		return NULL;
	}
	*w = (struct loop_watch){ .fd = fd, .fn = fn, .ctx = ctx, .next = r->loop->watches };
	r->loop->watches = w;
	return w;
}

void loop_unwatch(struct subject_run *r, struct loop_watch *w)
{
	if (!w || !w->fn)
		return;
	epoll_ctl(r->loop->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	if (w->own_fd)
		close(w->fd);
	w->fn = NULL;
}

void loop_every_set(struct loop_watch *w, uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000) };
	struct itimerspec spec = { .it_interval = t, .it_value = t };

	timerfd_settime(w->fd, 0, &spec, NULL);
}

struct loop_watch *loop_every(struct subject_run *r, uint64_t ns, loop_fn fn, void *ctx)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	struct loop_watch *w = fd < 0 ? NULL : loop_watch(r, fd, EPOLLIN, fn, ctx);

	if (!w) {
		close_fd(&fd);
		return NULL;
	}
	w->own_fd = w->is_timer = true;
	loop_every_set(w, ns);
	return w;
}

int loop_until_exit(struct subject_run *r, pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct loop_watch *w;

	if (fd < 0)
		return subject_fail(r, -errno, NULL, "cannot watch process %d: %m", (int)pid);
	w = loop_watch(r, fd, EPOLLIN, end_loop, NULL);
	if (!w) {
		close(fd);
		return -ENOMEM;
	}
	w->own_fd = true;
	return 0;
}

/* Those that were unwatched while events for them may have been at hand. */
static void watches_sweep(struct loop *l)
{
	struct loop_watch **at = &l->watches;

	while (*at) {
		struct loop_watch *w = *at;

		if (w->fn) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free(w);
	}
}

static int watch_call(struct loop_watch *w, uint32_t events)
{
	uint64_t expired;

	if (!w->fn || (w->is_timer && read(w->fd, &expired, sizeof(expired)) < 0))
		return 0;
	return w->fn(w->ctx, events);
}

static int wait_once(struct loop *l, int timeout_ms)
{
	struct epoll_event ev[32];
	int n = epoll_wait(l->epoll_fd, ev, ARRAY_SIZE(ev), timeout_ms);
	int err = n < 0 && errno != EINTR ? -errno : 0;

	for (int i = 0; i < n && !err; i++)
		err = watch_call(ev[i].data.ptr, ev[i].events);
	watches_sweep(l);
	return err;
}

static int timeout_until(uint64_t end)
{
	uint64_t now = now_ns();

	if (!end)
		return -1;
	return now >= end ? 0 : (int)MIN((end - now + 999999) / 1000000, (uint64_t)1000000);
}

/* Who runs this as a service waits for such a word; one that it never gets, it says itself. */
static void service_tell(const char *word)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len = name ? strlen(name) : 0;
	_cleanup_close_ int fd = -1;

	if (!len || len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, name, len);
	/* What has no place in the file system begins with a zero. */
	if (name[0] == '@')
		to.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		sendto(fd, word, strlen(word), MSG_NOSIGNAL, (struct sockaddr *)&to,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}

int loop_run(struct subject_run *r)
{
	uint64_t end = r->duration_ns ? now_ns() + r->duration_ns : 0;
	int err = 0;

	service_tell("READY=1");
	while (!err && (!end || now_ns() < end)) {
		out_flush(r);
		err = r->write_err ? r->write_err : wait_once(r->loop, timeout_until(end));
	}
	service_tell("STOPPING=1");
	asks_finish(r);
	return err == LOOP_END ? 0 : err;
}

void loop_close(struct subject_run *r)
{
	struct loop *l = r->loop;

	if (!l)
		return;
	for (struct loop_watch *w = l->watches; w; w = w->next)
		loop_unwatch(r, w);
	watches_sweep(l);
	close_fd(&l->epoll_fd);
	free(l);
	r->loop = NULL;
}
