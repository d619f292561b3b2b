/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The session as the files of run/ share it. A session is used by one thread at a time; only
 * session_stop() may come from elsewhere (a signal handler, another thread).
 *
 *   session.c  life cycle: open, attach, poll, finish, free
 *   load.c     object -> kernel, and why the kernel refused it
 *   attach.c   programs -> probes, and away again
 *   events.c   what comes out of the ring buffer and what functions do with it
 *   ring.c     the ring buffer itself
 *   tests.c    test: and bench: programs
 *   timers.c   programs that the session runs itself: begin, end, interval, signal
 *   iterators.c  programs that run while the session reads
 *   unwind.c   what the unwinder of user stacks wants to know
 *   maps.c     reading, clearing, showing maps;  reduce.c: CPUs to one value, order of rows
 *   losses.c   every way to lose something, counted
 *   packets.c  packets of skboutput() to capture files
 *   command.c  the process of -c
 */
#ifndef SONDE_RUN_INTERNAL_H
#define SONDE_RUN_INTERNAL_H

#include <stdatomic.h>

#include "base/strbuf.h"
#include "code/module.h"
#include "kernel/kernel.h"
#include "lang/probe.h"
#include "run/ring.h"
#include "run/session.h"

struct bpf_object;
struct bpf_program;

/* A script's map in the kernel. */
struct map_handle {
	int fd; /* owned by the object */
	uint32_t max_entries, value_bytes; /* as the kernel has them */
	bool grows;                        /* room for an entry is made when it comes */
	bool shown;                        /* since the script cleared it */
	bool gone;                         /* a count that the script cleared or deleted: not known to be 0 */
};

/* Something the session runs when a descriptor says so. */
struct trigger {
	int fd;              /* timerfd or signalfd */
	uint32_t prog;       /* index into module.programs */
	uint64_t signal;     /* its number; 0: a timer. fd is -1 where an earlier trigger reads the same signal */
	bool ready;
};

/* What has been told of a loss, so that the next record says only what is new. */
struct loss {
	const char *label;   /* NULL: events */
	const char *map;     /* name of the map, or NULL */
	uint64_t total, told;
};

struct session {
	const struct module *module;
	struct session_options opt;
	const struct reporter *report;
	struct arena *arena;         /* links and what kinds make while attaching */
	struct probe_env probe;      /* opt.probe with that arena */
	struct act act;
	uint32_t ncpus;              /* possible ones: per-CPU values have that many */

	/* load.c */
	struct bpf_object *object;
	struct bpf_program **programs; /* by index in module.programs */
	struct map_handle *maps;     /* by map.id */
	size_t ring_bytes;
	bool ring_is_small;          /* nothing but what the session itself runs sends events */
	struct control *control;     /* .bss: the counters are behind it */

	/* attach.c */
	link_vec links;
	bool attached;
	uint64_t nattached;
	bool *left_out;              /* by index in module.programs: optional, and the kernel refused it */
	uint32_t nleft_out;

	/* events.c */
	struct ring ring;
	uint8_t *bounce;             /* an event that is shorter than its type, filled up with zeros */
	size_t bounce_bytes;
	struct strbuf held;          /* events of begin programs until everything is attached */
	uint64_t now_ns;             /* when the present batch was begun */

	struct packets *packets;     /* packets.c; NULL: the question has none */

	/* timers.c */
	struct trigger *triggers;    /* in order of their programs */
	size_t ntriggers;

	/* losses.c */
	struct loss *losses;
	size_t nlosses;
	int failure; /* of what an event asked for, the first */
	uint64_t corrupt, skipped_runs;
	bool tells_events; /* each with sonde -v, to programs that read what the reference says */
	uint64_t losses_read_ns;

	/* follow.c */
	int follow_fd;               /* -1: nothing is followed */

	/* unwind.c */
	struct unwind *unwind;       /* NULL: no user stacks are unwound */
	int unwind_fd;

	/* session.c */
	void (*watch_ready)(void *ctx); /* of session_watch() */
	void *watch_ctx;
	int epoll_fd, stop_fd, tick_fd, pid_fd, iter_fd;
	uint32_t idle_ticks;
	bool tick_is_slow;
	atomic_bool stop;
	atomic_int status;
	atomic_bool status_set;
	bool exit_called;            /* exit() of the script has given the status */
	bool exit_asked;             /* by exit() of the script, not from outside */
	atomic_bool interrupted;     /* from outside: by a signal */
	uint64_t ncommands_left;     /* of system(), that were not run because of that */
	uint64_t nerrors;            /* errors that the script has shown */
	int result;                  /* what ended the session early: of the record callback, or an errno */
	bool result_told;
	bool finished;
};

/* ---- load.c ---- */
int session_load(struct session *s);
void session_unload(struct session *s);
/* The probe a program of this name is for, to be named in messages. */
const char *program_point(const struct session *s, const char *name);
/* After a refusal with `err`: if a program calls a helper that the kernel lacks, say so and return err; else 0. */
int report_missing_helper(const struct session *s, int err);

/* ---- attach.c ---- */
int probes_attach(struct session *s);
/* Switch programs off and close the links that close at once. */
void probes_switch_off(struct session *s);
/* Close the watchpoints at this address. */
void probes_unwatch(struct session *s, uint64_t address);
/* Close what is left, in parallel. */
void probes_detach(struct session *s);

/* Is there a watchpoint at this address? */
bool probes_watch(const struct session *s, uint64_t address);
/* Attach what follows the arguments of functions, to one. */
void probes_follow(struct session *s, uint32_t follower, uint64_t address);

/* ---- follow.c ---- */
/* Once programs are loaded. Makes follow_fd, which becomes readable when follow_tick() has to look. */
int follow_open(struct session *s);
void follow_tick(struct session *s);
/* Watchpoints have been ended. */
void follow_unwatched(struct session *s);
/* Once nothing is attached. */
void follow_close(struct session *s);

/* ---- events.c ---- */
void act_init(struct session *s);
/* Hand one record to the receiver, unless one has already ended the session. */
int record_emit(struct session *s, const struct record *rec);
/* Handle what is in the ring. Returns the number of events, or the session's result. */
int64_t events_drain(struct session *s);
/* The same at the end: waits shortly for programs that are still writing. */
void events_drain_all(struct session *s);
/* Put aside what is in the ring / handle what was put aside. */
int events_hold(struct session *s);
void events_release(struct session *s);

/* ---- timers.c ---- */
/* Run all programs of this kind once, in their order. 0 or a negative errno after a report. */
int programs_run(struct session *s, enum probe_run run);
/* Make the descriptors of interval and signal programs and add them to epoll, tagged with tag + index. */
int triggers_open(struct session *s, uint64_t tag);
/* Run what is ready, draining the ring after each run. */
int triggers_run(struct session *s);
void triggers_close(struct session *s);

/* ---- packets.c ---- */
/* When the question calls skboutput(): open what its packets come through. 0 or a negative errno after a report. */
int packets_open(struct session *s, uint64_t tag);
void packets_drain(struct session *s);
void packets_close(struct session *s);

/* ---- iterators.c ---- */
/* Is there one that has not come to its end? */
bool iterators_pending(const struct session *s);
/* Have epoll report with this tag that there is something to read, as long as there is. */
int iterators_open(struct session *s, uint64_t tag);
/* Go on for a while. 0 or a negative errno after a report. */
int iterators_run(struct session *s);
/* Go on to the end of the one that has been begun. */
int iterators_finish(struct session *s);

/* ---- unwind.c ---- */
/* Once programs are loaded. Makes unwind_fd, which becomes readable when unwind_tick() has to look. */
int unwind_open(struct session *s);
/* The symbols have been told of what happens to processes. */
void unwind_renew(struct session *s);
void unwind_tick(struct session *s);
/* This process is to be known now. */
void unwind_look(struct session *s, uint32_t pid);
void unwind_close(struct session *s);

/* ---- tests.c ---- */
/* Is this a run of tests or benchmarks? Then nothing is attached, and no maps are shown. */
bool session_has_tests(const struct session *s);
/* Run them all; the session is over then. */
int tests_run(struct session *s);

/* ---- maps.c ---- */
int map_print(struct session *s, const struct map *map, int64_t top, int64_t div, bool final);
int map_print_key(struct session *s, const struct map *map, const uint8_t *key);
int map_clear(struct session *s, const struct map *map);
int map_zero(struct session *s, const struct map *map);
/* All maps that are not empty, in order of their names. */
int maps_print_all(struct session *s);

/* ---- losses.c ---- */
int losses_open(struct session *s);
/* Tell what is new. `all` false: only what a person must know while it happens, and not too often. */
void losses_tell(struct session *s, bool all);
void losses_close(struct session *s);

/* ---- session.c ---- */
uint64_t clock_ns(void);
void session_end(struct session *s, int status);

#endif
