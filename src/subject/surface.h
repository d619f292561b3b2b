/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Surface: how much of the kernel a command, a cgroup or a container reaches. For the files of this subject.
 *
 *   surface.c         the entry and what is started
 *   surface_target.c  whose calls: the cgroup of a container
 *   surface_record.c  the questions, and their maps as rows
 *   surface_names.c   numbers of the kernel's interface as names
 *   surface_report.c  text and JSON
 *   surface_profile.c a seccomp profile as runtimes read it
 *   surface_audit.c   --audit: what a profile refuses, as it happens
 *   surface_diff.c    two recordings, a subject of its own
 */
#ifndef SONDE_SUBJECT_SURFACE_H
#define SONDE_SUBJECT_SURFACE_H

#include "subject/ask.h"
#include "subject/loop.h"
#include "subject/proc.h"

struct surface_settings {
	const char *cgroup, *container, *profile, *functions;
	bool audit;
};

/* ---- whose calls ---- */

struct target {
	struct strbuf name;      /* for people */
	struct strbuf directory; /* of its cgroup; empty: a command */
	uint64_t cgroup, depth;  /* its number, and how many cgroups lie above it */
	struct sonde_child *child;
	bool gone;               /* the cgroup was removed, or nobody is in it any more */
	struct subject_run *run;
};

/* From the options or the command. 0 or an exit status after a message. */
int target_open(struct target *t, struct subject_run *r);
void target_close(struct target *t);
/* "--target=N" and so on for the questions: `text` holds them, `list` (room for 8) is what question.params wants. */
void target_params(const struct target *t, struct strbuf text[3], const char *list[8]);
/* Let the command run, or watch the cgroup: the loop ends when either does. 0 or an exit status. */
int target_start(struct target *t);

/* ---- what was seen ---- */

/* The parts of a life, as surface.bt numbers them. */
enum part { PART_OUTSIDE, PART_SETUP, PART_WORK, PART_COUNT };
extern const char *const part_names[];

enum table {
	TABLE_CALLS,        /* text: name */
	TABLE_SETUP,        /* text: name; a: process, b: which step of its setup */
	TABLE_STARTED,      /* a: process that started a program within; b: its last step */
	TABLE_ARGUMENTS,    /* text: call; a: value */
	TABLE_SOCKETS,      /* a: family, b: type */
	TABLE_CAPABILITIES, /* a: number; b: granted */
	TABLE_FILES,        /* text: path; a: for writing */
	TABLE_FUNCTIONS,    /* text: name */
	TABLE_COMPAT,       /* a: number of a 32-bit call */
	TABLE_COUNT,
};

struct row {
	char *text;
	enum part part;
	int64_t a, b;
	uint64_t count;
};

struct rows {
	struct row *v;
	size_t n, room;
	uint32_t *slots; /* by hash: a row plus one; 0 is free */
	size_t nslots;   /* a power of two, at least twice n */
};

#define UNSEEN_MOST 8

struct surface {
	struct rows table[TABLE_COUNT];
	bool failed;      /* no memory: something is missing */
	uint64_t lost;    /* events or updates that were lost */
	struct { const char *item; struct strbuf why; } unseen[UNSEEN_MOST];
	size_t nunseen;
	bool has_capabilities, has_functions;
};

/* Add to the row that is the same but for the count. */
void surface_add(struct surface *s, enum table t, const char *text, enum part part, int64_t a,
		 int64_t b, uint64_t count);
void surface_free(struct surface *s);
/* Note what could not be observed. Takes the text out of `why`. */
void surface_unseen(struct surface *s, const char *item, struct strbuf *why);
/* Ask about the target until the loop ends. 0 or an exit status. */
int surface_record(struct surface *s, struct subject_run *r, struct target *t);
/* Is there a container, or only a command? */
bool surface_is_contained(const struct surface *s);
/* Must a profile allow this call, of which `r` is a row of TABLE_CALLS or TABLE_SETUP? */
bool surface_is_needed(const struct surface *s, const struct row *r);
/* Calls that the runtime of a language makes at any time, and the kernel by itself. */
bool call_is_anytime(const char *name);
extern const char *const calls_always[]; /* those that a profile always allows; ends with NULL */

/* ---- names ---- */

/* Each writes to `out`; a number that has no name is written as such. */
void capability_text(struct strbuf *out, int64_t number);
void family_text(struct strbuf *out, int64_t number);
void socket_type_text(struct strbuf *out, int64_t number);
/* An argument of this call, "CLONE_NEWNS|CLONE_NEWPID". */
void argument_text(struct strbuf *out, const char *call, int64_t value);
/* The part of the kernel that a function belongs to, by its name. */
const char *function_subsystem(const char *name);

/* ---- results ---- */

void report_show(struct subject_run *r, const struct surface *s, const struct target *t);
/* Write it, the file taking its name when it is complete. 0 or an exit status after a message. */
int profile_write(struct subject_run *r, const struct surface *s, const char *path);
/* How many calls the profile allows. */
size_t profile_calls(const struct surface *s);
int audit_run(struct subject_run *r, struct target *t);

#endif
