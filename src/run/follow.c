/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Follow: attaching to addresses that functions are called with. A program writes what it sees into a map and may
 * stop the process; this looks into the map every few milliseconds, attaches what is new, and lets the process go on.
 */
#include <errno.h>
#include <signal.h>
#include <sys/timerfd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "code/watched.h"
#include "run/internal.h"

#define TICK_NS (5 * 1000 * 1000L)

static int watched_fd(const struct session *s)
{
	const struct bpf_map *map = s->object ? bpf_object__find_map_by_name(s->object, MODULE_MAP_WATCHED) : NULL;

	return map ? bpf_map__fd(map) : -1;
}

int follow_open(struct session *s)
{
	const struct itimerspec spec = { .it_interval.tv_nsec = TICK_NS, .it_value.tv_nsec = TICK_NS };

	if (!s->module->follows)
		return 0;
	s->follow_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->follow_fd < 0 || timerfd_settime(s->follow_fd, 0, &spec, NULL))
		return report_error(s->report, -errno, NULL, "cannot make a timer: %m");
	return 0;
}

/* Call fn for every entry; it may change or delete it. */
static void each_watched(struct session *s, void (*fn)(struct session *s, int map, const struct watched_key *key,
						       uint64_t state))
{
	struct watched_key *keys = calloc(WATCHED_MOST, sizeof(*keys));
	int map = watched_fd(s);
	uint32_t n = 0;

	while (keys && n < WATCHED_MOST && !bpf_map_get_next_key(map, n ? &keys[n - 1] : NULL, &keys[n]))
		n++;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t state;

		if (!bpf_map_lookup_elem(map, &keys[i], &state))
			fn(s, map, &keys[i], state);
	}
	free(keys);
}

static void process_continue(const struct session *s)
{
	if (s->probe.pid > 0)
		kill(s->probe.pid, SIGCONT);
}

static void new_attach(struct session *s, int map, const struct watched_key *key, uint64_t state)
{
	uint64_t done = WATCHED_DONE;

	if (state == WATCHED_DONE)
		return;
	if (!s->finished)
		probes_follow(s, (uint32_t)key->follower, key->address);
	bpf_map_update_elem(map, key, &done, BPF_EXIST);
	if (state == WATCHED_ASKED_STOPPED)
		process_continue(s);
}

void follow_tick(struct session *s)
{
	uint64_t expirations;

	if (read(s->follow_fd, &expirations, sizeof(expirations)) > 0)
		each_watched(s, new_attach);
}

/* One that is no longer watched, or never was, may be asked for again. */
static void idle_delete(struct session *s, int map, const struct watched_key *key, uint64_t state)
{
	if (state == WATCHED_DONE && !probes_watch(s, key->address))
		bpf_map_delete_elem(map, key);
}

void follow_unwatched(struct session *s)
{
	if (s->follow_fd >= 0)
		each_watched(s, idle_delete);
}

void follow_close(struct session *s)
{
	if (s->follow_fd < 0)
		return;
	/* No program runs any more that could stop the process. */
	each_watched(s, new_attach);
	close_fd(&s->follow_fd);
	s->follow_fd = -1;
}
