/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ask: questions of a subject, written in the language in NAME.bt beside its C file; the build makes the text of
 * pressure.bt `pressure_bt`. Records are delivered while the loop runs. Numbers and texts are taken from them with
 * sonde_record_part() and its like.
 */
#ifndef SONDE_SUBJECT_ASK_H
#define SONDE_SUBJECT_ASK_H

#include "subject/subject.h"

struct question {
	const char *name;          /* in messages */
	const char *source;
	const char *const *params; /* "--name=value", ends with NULL; or NULL */
	const char *const *config; /* "name=value", ends with NULL; or NULL */
	const char *only;          /* extended regular expression: only the probes that it matches; or NULL */
	pid_t pid;                 /* as in the compile options; 0: all */
	bool pid_is_child;
	pid_t unwind_pid;          /* whose user stacks are wanted, from its first one on; 0: nobody's */
	sonde_record_fn record;
	void *ctx;
	/* When it cannot be asked, the reason comes here and no message is shown: for what is then not observable. NULL: it
	 * is an error like any other. */
	struct strbuf *why;
};

struct asking;

/* Compile, load and attach. 0 or a negative errno. It is finished and freed by the frame. */
int ask(struct subject_run *r, const struct question *q, struct asking **out);
/* End it now: end probes and maps are delivered. */
int ask_finish(struct asking *a);
/* Events that could not be delivered so far: with any, what was not seen may have happened. */
uint64_t ask_lost(const struct asking *a);

/* Does this kernel have such a probe? Wildcards are understood. */
bool probe_exists(const char *probe);

/* The command behind --, ready to run and waiting for sonde_child_continue(); loop_until_exit() its process. NULL
 * after a message. The caller ends it with sonde_child_end(). */
struct sonde_child *command_prepare(struct subject_run *r);

/* For the frame. */
void asks_finish(struct subject_run *r);
void asks_free(struct subject_run *r);

#endif
