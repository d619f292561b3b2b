/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Iterators: programs that the kernel runs, once for each of its objects, while somebody reads a descriptor.
 * A program writes a byte for each object into what is read, so that a read ends after a few of them and what
 * they have sent can be taken out of the ring before there is more: an iterator loses nothing.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/util.h"
#include "run/internal.h"

/* Objects to a read, and reads before the session looks at everything else. */
#define OBJECTS_PER_READ 64
#define READS_PER_STEP 32

static struct probe_link *next_of(const struct session *s)
{
	vec_each(l, &s->links)
		if (l->to_read)
			return l;
	return NULL;
}

bool iterators_pending(const struct session *s)
{
	return next_of(s);
}

int iterators_open(struct session *s, uint64_t tag)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = tag };

	if (!iterators_pending(s))
		return 0;
	/* Readable until the last one is done. */
	s->iter_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->iter_fd < 0 || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->iter_fd, &ev))
		return report_error(s->report, -errno, NULL, "cannot make a descriptor for iterators: %m");
	return 0;
}

static void done(struct probe_link *l)
{
	l->to_read = false;
	close(TAKE_FD(l->fd));
}

/* One read. A kernel that has gone through a million objects without output wants to be asked again. */
static int step(struct session *s, struct probe_link *l)
{
	char bytes[OBJECTS_PER_READ];
	ssize_t n;
	int err;

	l->begun = true;
	n = read(l->fd, bytes, sizeof(bytes));
	err = n < 0 && errno != EAGAIN && errno != EINTR ? -errno : 0;
	events_drain(s);
	if (n > 0 || (n < 0 && !err))
		return 0;
	done(l);
	return err ? report_error(s->report, err, NULL, "cannot go through the objects of an iterator to their end: %s",
				  strerror(-err)) : 0;
}

int iterators_run(struct session *s)
{
	struct probe_link *l = next_of(s);
	int err = 0;

	for (int i = 0; !err && l && i < READS_PER_STEP && !s->stop && !s->result; i++) {
		err = step(s, l);
		l = next_of(s);
	}
	if (!l)
		close_fd(&s->iter_fd);
	return err;
}

/* exit() ends a run of the program and the session, but not the walk that it is a part of: as in the reference. */
int iterators_finish(struct session *s)
{
	struct probe_link *l = next_of(s);
	int err = 0;

	while (!err && l && l->begun && l->to_read && !s->result && !s->interrupted)
		err = step(s, l);
	return err;
}
