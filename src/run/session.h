/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Session: one run of a module: load, attach, consume, aggregate, count every loss, end cleanly.
 */
#ifndef SONDE_RUN_SESSION_H
#define SONDE_RUN_SESSION_H

#include <sys/types.h>

#include "base/report.h"
#include "code/module.h"

struct session;
struct symbols;

struct session_options {
	const struct reporter *report;
	struct probe_env *probe;     /* for attaching */
	int (*record)(void *ctx, const struct record *rec); /* every record, in order; non-zero ends the session with it */
	/* Append what printf() would show, for functions that need it as a text. NULL: they cannot. */
	int (*format)(void *ctx, const struct format *f, const struct type *args, const uint8_t *data,
		      struct strbuf *out);
	void *record_ctx;            /* of both */
	struct symbols *symbols;     /* for walking stacks of processes; NULL: by frame pointers */
	pid_t pid;                   /* the process of -p: its end ends the session; 0: none */
	const pid_t *unwind_pids;    /* whose user stacks are unwound from the start, like that process */
	size_t nunwind_pids;
	bool dry_run;                /* begin programs are not run */
	bool quiet_maps;             /* do not print maps at the end */
	bool keep_capabilities;      /* do not drop what is not needed after attaching */
	bool detach_behind;          /* a forked process closes what closes slowly */
};

/* Open and load the object; nothing is attached yet. 0 or a negative errno after a report. */
int session_open(const struct module *m, const struct session_options *o, struct session **out);
/* Call ready(ctx) from session_poll() when the descriptor can be read. At most one, before attaching. */
int session_watch(struct session *s, int fd, void (*ready)(void *ctx), void *ctx);
/* Run begin programs, attach everything, announce it (REC_ATTACHED). On failure nothing stays attached. */
int session_attach(struct session *s);
/* Does it want to know what programs are made of before they run? session_look(): this process has just become another. */
bool session_unwinds(const struct session *s);
void session_look(struct session *s, pid_t pid);
/* A descriptor that becomes readable when session_poll() has something to do. */
int session_fd(const struct session *s);
/* Handle what has come, waiting at most timeout_ms (-1: until something comes). 1: go on, 0: the session
 * has been asked to stop (exit(), the process ended), negative: errno after a report. */
int session_poll(struct session *s, int timeout_ms);
/* Ask the session to stop; async-signal-safe. */
void session_stop(struct session *s, int status);
/* The same, because the user wants it: commands of system() that wait are not run any more. */
void session_interrupt(struct session *s, int status);
/* Switch programs off, drain the ring, run end programs, show maps and losses; detach (the slow part,
 * after everything has been shown). */
int session_finish(struct session *s);
/* What exit(code) said, 0 when nobody did. */
int session_status(const struct session *s);
void session_free(struct session *s);

struct session_losses {
	uint64_t events_lost, faults, truncated, map_refused, missed_runs;
};
void session_losses(const struct session *s, struct session_losses *out);

#endif
