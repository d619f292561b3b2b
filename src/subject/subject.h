/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subject: what one question cannot answer alone. A subject joins questions with /proc, /sys, cgroups and netlink and
 * ends in something a person can act on. `sonde NAME ...` runs it.
 *
 * One subject is one struct subject, `subject_NAME` in NAME.c, and its name in the list of meson.build; a name in two
 * words ("devices lint", subject_devices_lint) is a subject of its own. From the entry come its command line, its help,
 * its completion and its page in the manual. What its run() is given:
 *
 *   struct subject_run   options, words, where to write          this header
 *   out_text, out_json   text and JSON                           this header, json.h
 *   verdict()            pass, fail, not observable              this header
 *   loop_*               waiting, Ctrl-C, time limit             loop.h
 *   ask()                a question and its records              ask.h
 *   file_*, cgroup_*     /proc, /sys, cgroups                    proc.h
 *
 * A subject is a client of libsonde like any other program: it uses sonde.h and base/.
 */
#ifndef SONDE_SUBJECT_SUBJECT_H
#define SONDE_SUBJECT_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strbuf.h"
#include "sonde.h"
#include "subject/json.h"

/* What run() returns, and the process says when it ends. */
enum {
	SUBJECT_FINE = 0,     /* also: every verdict is a pass */
	SUBJECT_FAILED = 1,   /* it could not be answered; a message says why */
	SUBJECT_USAGE = 2,    /* the command line is wrong */
	SUBJECT_NOT_FINE = 3, /* a verdict is a fail */
	SUBJECT_UNSEEN = 4,   /* no verdict is a fail, but not everything could be observed */
};

/* ---- the entry ---- */

enum option_type {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char * */
	OPTION_LIST,   /* struct text_list: can be given several times */
	OPTION_NUMBER, /* uint64_t from `least` to `most` (0: any) */
	OPTION_TIME,   /* uint64_t, nanoseconds; 500ms, 2m, plain numbers are seconds */
	OPTION_BYTES,  /* uint64_t; 512K, 2M, 1G */
	OPTION_CHOICE, /* unsigned: the position in `choices` */
};

struct text_list {
	const char **v;
	size_t n;
};

struct subject_option {
	char letter;         /* 0: none */
	const char *name;    /* without -- */
	const char *arg;     /* what its value is called; NULL for a flag */
	const char *help;    /* lines are separated by \n */
	enum option_type type;
	size_t at;           /* offset in the subject's settings */
	uint64_t least, most;
	const char *choices; /* separated by blanks */
};

struct subject_run;

struct subject {
	const char *name;
	const char *args;    /* what follows the options, "[-- COMMAND]"; NULL: nothing may */
	const char *summary; /* one line */
	const char *text;    /* what a person must know to use it: paragraphs, separated by empty lines */
	const char *examples; /* per example a line with the command and an indented one with what it shows */
	bool verdicts;       /* it judges: exit status 3 and 4 are possible */
	const struct subject_option *options; /* ends with a NULL name */
	size_t settings_size;
	const void *defaults; /* of the settings; NULL: zeros */
	int (*run)(struct subject_run *r);
};

/* Ends with NULL. */
extern const struct subject *const subjects[];
/* The subject that these words begin with; *words: how many of them are its name. NULL: none. */
const struct subject *subject_find(int argc, char **argv, int *words);
/* Options that every subject has. */
extern const struct subject_option subject_common[];
/* Its page, for a terminal and as scdoc(5). */
void subject_help(const struct subject *s, struct strbuf *out);
void subject_manual(const struct subject *s, struct strbuf *out);

/* Run it with its arguments (without the words of its name). Returns the exit status. */
int subject_start(const struct subject *s, int argc, char **argv, sonde_message_fn message, void *message_ctx);

/* ---- a run ---- */

enum verdict_is { VERDICT_PASS, VERDICT_FAIL, VERDICT_UNSEEN, VERDICT_NKINDS };

struct subject_run {
	const struct subject *subject;
	void *settings;       /* of the subject's options */
	char **words;         /* what is no option */
	int nwords;
	char **command;       /* behind --, NULL-terminated; NULL: none was given */
	/* From the options that every subject has. */
	bool json, help;
	const char *output;   /* NULL: standard output */
	uint64_t duration_ns; /* 0: until something else ends it */
	/* The rest belongs to the frame. */
	sonde_message_fn message;
	void *message_ctx;
	struct loop *loop;
	struct asking *askings;
	struct strbuf out;
	int fd;
	int write_err;
	size_t verdicts[VERDICT_NKINDS];
};

/* Say "ERROR: ..." on standard error and return `status`. `hint` may be NULL. */
int subject_fail(struct subject_run *r, int status, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void subject_warn(struct subject_run *r, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Text for people. Nothing happens when the output is JSON. */
void out_text(struct subject_run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One line {"type": TYPE, "data": <what j holds>}, when the output is JSON. j is empty afterwards. */
void out_json(struct subject_run *r, const char *type, struct json *j);
/* Write what has gathered; the loop does it whenever it waits. A failed write ends the loop. */
void out_flush(struct subject_run *r);

/*
 * One item and what became of it. `found` is one sentence with the figures. VERDICT_UNSEEN needs the reason there: what
 * could not be observed is never a pass.
 */
struct verdict {
	const char *item;     /* one word of a list that stays, "memory-locked" */
	const char *title;    /* what is asked, "Memory is locked" */
	enum verdict_is is;
	const char *found;
	const char *remedy;   /* of a fail: what to do; NULL */
	struct json *evidence; /* members of an object, for JSON; or NULL. Empty afterwards */
	const char *details;  /* lines for people; NULL */
};
void verdict(struct subject_run *r, const struct verdict *v);
const char *verdict_name(enum verdict_is is);
/* The exit status that the verdicts so far amount to. */
int verdicts_status(const struct subject_run *r);

#endif
