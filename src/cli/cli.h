/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cli: the program `sonde`. It is a client of libsonde like any other and uses nothing but sonde.h and
 * the small things of base/.
 */
#ifndef SONDE_CLI_CLI_H
#define SONDE_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/strbuf.h"
#include "sonde.h"

/* What the process says when it ends; above: 128 + the signal that ended the session. */
enum {
	EXIT_ANSWERED = 0,
	EXIT_FAILED = 1,  /* the question could not be answered */
	EXIT_USAGE = 2,   /* the command line is wrong */
};

/* What is done with the program. */
enum mode { MODE_RUN, MODE_COMPILE, MODE_TEST, MODE_BENCH, MODE_FORMAT };

#define MOST_INCLUDES 32

enum buffering { BUFFER_AUTO, BUFFER_FULL, BUFFER_LINE, BUFFER_NONE };

/* The command line. Strings belong to argv; `params` is allocated. */
struct options {
	const char *program;  /* -e */
	const char *file;     /* the first word that is no option, unless -e or -l */
	const char *pattern;  /* -l: what follows it */
	const char **params;
	size_t nparams;
	bool list, help, version, info;
	bool program_help;    /* --help came after the program: it is asked about, not sonde */
	const char *format, *output, *command;
	bool view_asked;      /* by -f or by the name of the output file */
	bool view_by_file;    /* by that name */
	const char *columns;  /* of views that have columns, or NULL */
	const char *range;    /* of a tone, or NULL */
	const char *title;    /* how messages call `program`; NULL: stdin */
	const char *(*import_text)(void *ctx, const char *path);
	const char **ways;
	size_t nways;
	uint64_t duration_ns; /* 0: until something else ends it */
	pid_t pid;
	enum buffering buffering;
	unsigned dump_stages; /* bits by the order of sonde_dump_stages() */
	bool quiet, no_warnings, unsafe, dry_run, helper_errors;
	enum mode mode;
	const char *probe_filter;
	const char *include_dirs[MOST_INCLUDES], *includes[MOST_INCLUDES];
	size_t ninclude_dirs, nincludes;
	unsigned verbose;
	struct strbuf debug_dirs;  /* --debuginfo, all of them */
	const char *traceable, *without, *emit_elf;
	pid_t unwind_pids[MOST_INCLUDES];
	size_t nunwind_pids;
	bool libbpf_log, verifier_log;
	const char *ignored[16]; /* options that were accepted and have no effect here */
	size_t nignored;
};

/* 0, or EXIT_USAGE after a message. */
int options_parse(struct options *o, int argc, char **argv);
void options_free(struct options *o);
/* Is a word that begins with - an option of sonde? Of letters that stand together, the first one is meant. */
bool option_exists(const char *word);
/* How many words of argv the option at argv[0] takes, with its value: 1 or 2. */
int option_words(char **argv);
/* The table of options, for people. */
void options_print(struct strbuf *out);
/* Call fn for each option; letter may be 0, name and arg NULL. Stops when fn returns non-zero, and returns that. */
int options_each(int (*fn)(void *ctx, char letter, const char *name, const char *arg, const char *help), void *ctx);

/* ---- messages ---- */

struct messages {
	bool quiet, no_warnings, colour;
	bool logs; /* -d libbpf, -d verifier: what was asked for is shown with -q too */
	unsigned verbose;
};
/* How this process speaks: set once from the options; errors are always shown. */
extern struct messages messages;
/* "auto" (a terminal, and NO_COLOR is not set), "always" or "never" from the environment. */
void messages_init(const struct options *o);
/* May what goes to this file have colour? */
bool colour_wanted(int fd);
/* The receiver of the library's messages. */
void message_receive(void *ctx, enum sonde_severity severity, const char *text, const char *hint);
/* Say "ERROR: ..." and return `status`. `hint` may be NULL. */
int fail(int status, const char *hint, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* fail() for a text that stands alone, to stderr without any decoration. */
void say(const char *text);

/* ---- standard output ---- */

/* Write `b` to standard output and free it. EXIT_ANSWERED, or EXIT_FAILED after a message. */
int print_and_free(struct strbuf *b);
/* An output could not be opened, or written. */
int fail_open(const char *name, int err);
int fail_write(const char *name, int err);

/* A program that shows records, which it reads from a pipe. */
struct player {
	pid_t pid; /* 0: none */
	int fd;    /* where to write */
};
/* Start sonde-NAME. 0 or an exit status after a message. */
int player_start(struct player *p, const char *name, const char *range);
/* Let it end. 0, or a negative errno when it failed (it has said why). */
int player_end(struct player *p);

/* ---- the question ---- */

/* As messages name the program. */
const char *program_name(const struct options *o);
/* The text of the program (free() it), or NULL after a message and *status set. */
char *program_read(const struct options *o, int *status);
/* Compile what the options name, for this process (0: all). NULL after messages and *status set. */
struct sonde_question *question_compile(const struct options *o, const struct sonde_child *child, int *status);
/* What the named parameters of the program are. Returns the exit status. */
int show_params(const struct options *o);
/* -l: hand over the probes of the program that the options name. Returns the exit status. */
int question_list(const struct options *o, int (*fn)(void *ctx, const char *probe, const char *args), void *ctx);
/* -d: compile and print the stages that were asked for. */
int question_dump(const struct options *o);

/* ---- commands ---- */

/* Each takes its arguments with its own name as argv[0] and returns the exit status. */
int cmd_build(int argc, char **argv);
int cmd_complete(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_checkup(int argc, char **argv);
int cmd_help(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_tools(int argc, char **argv);
int cmd_version(int argc, char **argv);

struct command {
	const char *name, *args, *summary;
	const char *more; /* paragraphs for `sonde NAME --help`, or NULL */
	int (*run)(int argc, char **argv);
};
extern const struct command commands[]; /* ends with a NULL name */
const struct command *command_find(const char *name);
/* `sonde NAME --help`: writes it to standard output and returns the exit status. */
int command_help(const struct command *c);
/* Become the program sonde-NAME, if there is one; returns only when there is none. */
void command_exec_external(const char *name, char **argv);
/* Names of the topics of `sonde help`; NULL behind the last. */
const char *help_topic(size_t i);
/* What is nearest to a mistyped command, or NULL. */
const char *command_nearest(const char *name);

/* ---- subjects (src/subject) ---- */

/* Run the subject that these words begin with, or show its help. False: they name none. */
bool subject_try(int argc, char **argv, int *status);
bool subject_help_try(int argc, char **argv, int *status);
void subjects_print(struct strbuf *out);
void subjects_complete_name(void (*offer)(void *ctx, const char *text, const char *meaning), void *ctx);
/* What may stand at the end of these words. False: they name none. */
bool subject_complete(int argc, char **argv, void (*offer)(void *ctx, const char *text, const char *meaning), void *ctx);

int run_question(const struct options *o);
int format_program(const struct options *o);
int list_probes(const struct options *o);
int show_info(void);
int show_help(void);
int show_version(void);
/* The few lines for a person who gave nothing to do. */
int show_usage(void);

#endif
