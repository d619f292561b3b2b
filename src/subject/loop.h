/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loop: where a subject waits: for its questions, for its own descriptors, for timers. It ends with Ctrl-C (SIGTERM,
 * SIGHUP), after --duration, when a callback says so, or when a write has failed; the subject then shows its results. A
 * second Ctrl-C kills the process at once.
 */
#ifndef SONDE_SUBJECT_LOOP_H
#define SONDE_SUBJECT_LOOP_H

#include "subject/subject.h"

/* 0: go on; LOOP_END: end the loop; a negative errno ends it too, and loop_run() returns it. */
#define LOOP_END 1
typedef int (*loop_fn)(void *ctx, uint32_t events);

struct loop_watch;

/* Call fn when fd has one of these (EPOLLIN, EPOLLPRI, ...). NULL after a message. fd stays the caller's. */
struct loop_watch *loop_watch(struct subject_run *r, int fd, uint32_t events, loop_fn fn, void *ctx);
/* May be called within its own callback. NULL is ignored. */
void loop_unwatch(struct subject_run *r, struct loop_watch *w);
/* Call fn every `ns` nanoseconds. NULL after a message. */
struct loop_watch *loop_every(struct subject_run *r, uint64_t ns, loop_fn fn, void *ctx);
/* Change the time of one that loop_every() made. 0: not any more. */
void loop_every_set(struct loop_watch *w, uint64_t ns);
/* End the loop when this process ends. 0 or a negative errno after a message. */
int loop_until_exit(struct subject_run *r, pid_t pid);
/* Wait until something ends it. 0 or a negative errno. Questions that run are then finished: their end probes and
 * maps have been delivered when this returns. */
int loop_run(struct subject_run *r);
/* The signal that ended it, or 0. */
int loop_signal(void);
/* CLOCK_MONOTONIC, the clock of nsecs in the language. */
uint64_t now_ns(void);

/* For the frame. */
int loop_open(struct subject_run *r);
void loop_close(struct subject_run *r);

#endif
