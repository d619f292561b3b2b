/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sonde.h: ask a running Linux kernel questions from a program of your own.
 *
 *   struct sonde_question *q;
 *   struct sonde_session *s;
 *
 *   sonde_compile("interval:s:1 { print(nsecs) }", NULL, &q);
 *   sonde_session_open(q, &options, &s);      options.record is called for every record
 *   sonde_session_attach(s);
 *   while (sonde_session_poll(s, -1) > 0)
 *           ;
 *   sonde_session_finish(s);
 *   sonde_session_free(s);
 *   sonde_question_free(q);
 *
 * Functions that can fail return 0 (or what is said) or a negative errno; the message has then been given
 * to options.message, once, where the cause was known. Structs of options begin with their size, so that
 * a program built today works with a later library: set it with SONDE_OPTIONS(type).
 * The library keeps no global state; different threads may use different questions and sessions.
 */
#ifndef SONDE_H
#define SONDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SONDE_API __attribute__((visibility("default")))
#define SONDE_OPTIONS(type, ...) ((type){ .size = sizeof(type), __VA_ARGS__ })

struct sonde_question; /* a compiled question */
struct sonde_session;  /* one run of it */
struct sonde_record;   /* one thing it has to show; valid only during the callback */
struct sonde_view;     /* a way of showing records */

/* "0.1.0" */
SONDE_API const char *sonde_version(void);

enum sonde_severity { SONDE_ERROR, SONDE_WARNING, SONDE_INFO, SONDE_DEBUG };
/* `text` has neither a severity word nor a final newline and may span lines; hint may be NULL. */
typedef void (*sonde_message_fn)(void *ctx, enum sonde_severity severity, const char *text, const char *hint);

/* ---- compile ---- */

struct sonde_compile_options {
	size_t size;
	const char *name;            /* shown in diagnostics; NULL: "stdin" */
	const char *const *params;   /* positional parameters $1.. and, as "--name=value", named ones */
	size_t nparams;
	bool unsafe;                 /* allow functions that change the machine or a process */
	bool test_mode, bench_mode;  /* run test:/bench: probes */
	pid_t pid;                   /* limit to this process where the probe kind can; 0: all */
	bool pid_is_child;           /* pid was started for this question: `cpid` */
	const char *const *config;   /* "name=value" settings that override the script's; */
	size_t nconfig;
	sonde_message_fn message;    /* used as long as the question lives, or until a session brings its own */
	void *message_ctx;
	const char *dump_stage;      /* "ast", "types", ...: give this stage to dump() as soon as it is made, so */
	void (*dump)(void *ctx, const char *stage, const char *text); /* also when a later stage fails */
	void *dump_ctx;
	const char *const *include_dirs; /* where headers and imported scripts are looked for too */
	size_t ninclude_dirs;
	/* The text of a script that is imported by this path and need not be a file, or NULL; it must outlive the
	 * question. May itself be NULL. */
	const char *(*import_text)(void *ctx, const char *path);
	void *import_ctx;
	const char *const *includes; /* headers, as if the program began with #include <...> */
	size_t nincludes;
	const char *probe_filter;    /* extended regular expression: only the probes whose name it matches */
	const char *const *ways;     /* the probes of each way to ask the question, separated by blanks: the first way that */
	size_t nways;                /* this kernel offers is taken, and probes that only other ways have are left out */
	bool helper_errors;          /* a message for every read of memory that fails, with its place */
	const char *child_program;   /* with pid_is_child: what it will run, as sonde_child_program() says; or NULL */
};

/* Compile `source` (NUL-terminated). `o` may be NULL. */
SONDE_API int sonde_compile(const char *source, const struct sonde_compile_options *o,
			    struct sonde_question **out);
SONDE_API void sonde_question_free(struct sonde_question *q);
/* The BPF object, a standard ELF file; belongs to the question. */
SONDE_API const void *sonde_question_object(const struct sonde_question *q, size_t *bytes);
/* Write it to a file, atomically (a new file takes the name at the end). */
SONDE_API int sonde_question_write(const struct sonde_question *q, const char *path);
/* One stage as text: "ast", "types", "ir", "ir-opt", "bpf", "elf". free() it. NULL: no such stage. */
SONDE_API char *sonde_question_dump(const struct sonde_question *q, const char *stage);
/* Names of all stages in the order in which they are made, NULL-terminated. */
SONDE_API const char *const *sonde_dump_stages(void);
/* How many places it attaches to (with begin, end and interval). */
SONDE_API size_t sonde_question_probe_count(const struct sonde_question *q);

/*
 * A program in its canonical layout, as new text: free() it. Only what stands between words is changed:
 * comments stay and it means the same. `name` as in the compile options. 0, or a negative errno after
 * messages about what cannot be read.
 */
SONDE_API int sonde_format(const char *source, const char *name, char **out, sonde_message_fn message,
			   void *message_ctx);

/* ---- the process ---- */

/* What holds for the whole process; the texts must outlive it. */
struct sonde_process_options {
	size_t size;
	const char *debug_dirs;          /* directories with ':' between them: separate debugging information is there too */
	const char *traceable_functions; /* a file that is read in place of the kernel's list of functions that can be traced */
	const char *without_features;    /* what to do without: kprobe_multi, kprobe_session, uprobe_multi, with ',' between */
	bool libbpf_log, verifier_log;   /* tell what libbpf says, or what the verifier says of each program */
	sonde_message_fn message;        /* receives that, and what is wrong with the above */
	void *message_ctx;
};
/* Once, before anything else is asked of the library. 0, or a negative errno after a message. */
SONDE_API int sonde_process_setup(const struct sonde_process_options *o);

/* ---- run ---- */

/* Return non-zero to end the session with that value as the result of sonde_session_poll(). */
typedef int (*sonde_record_fn)(void *ctx, const struct sonde_record *rec);

struct sonde_session_options {
	size_t size;
	sonde_record_fn record;
	void *record_ctx;
	sonde_message_fn message;
	void *message_ctx;
	pid_t pid;                  /* the session ends when this process ends; 0: none */
	const pid_t *unwind_pids;   /* the unwind tables of these processes are read at the start; must outlive it */
	size_t nunwind_pids;
	bool dry_run;               /* attach only: begin programs are not run */
	bool keep_capabilities;     /* otherwise those not needed any more are dropped after attaching */
	/* Some probes take the kernel 0.1 s to detach. With this, sonde_session_free() leaves that to a forked
	 * process that ends by itself. For programs that end next; they must have only one thread by then. */
	bool detach_behind;
};

/* Load a question into the kernel; nothing is attached yet. It must outlive the session. */
SONDE_API int sonde_session_open(struct sonde_question *q, const struct sonde_session_options *o,
				 struct sonde_session **out);
/* Run begin probes, attach everything, announce it (SONDE_ATTACHED). On failure nothing stays attached. */
SONDE_API int sonde_session_attach(struct sonde_session *s);
/* A descriptor that becomes readable when sonde_session_poll() has something to do. */
SONDE_API int sonde_session_fd(const struct sonde_session *s);
/* Handle what has come, waiting at most timeout_ms (-1: until something comes). 1: go on; 0: the session
 * is over (exit(), sonde_session_stop(), the process ended); negative: errno; else what the record
 * callback returned. */
SONDE_API int sonde_session_poll(struct sonde_session *s, int timeout_ms);
/* Ask it to stop, with this status. Async-signal-safe. Commands of system() that wait are not run any more; how many
 * they were is told as a warning. */
SONDE_API void sonde_session_stop(struct sonde_session *s, int status);
/* Run end probes, show what is left, the maps and the losses. */
SONDE_API int sonde_session_finish(struct sonde_session *s);
/* What exit(code) or sonde_session_stop() said; 0 when nobody did. */
SONDE_API int sonde_session_status(const struct sonde_session *s);
/* Detach (some probes take the kernel 0.1 s) and free. NULL is ignored. */
SONDE_API void sonde_session_free(struct sonde_session *s);

/* ---- a command to trace ---- */

struct sonde_child; /* a process that is ready to run a command and waits for sonde_child_continue() */

/*
 * Start a process for `command`: words separated by blanks, with '...', "..." and \ to quote; no shell.
 * The program is looked up in PATH. Give sonde_child_pid() to the compile and session options, and let it
 * run once the session is attached; its end then ends the session.
 */
SONDE_API int sonde_child_start(const char *command, sonde_message_fn message, void *message_ctx,
				struct sonde_child **out);
SONDE_API pid_t sonde_child_pid(const struct sonde_child *c);
/* The file of the program that it will run. */
SONDE_API const char *sonde_child_program(const struct sonde_child *c);
/* Let it run the command. When the kernel refuses to run it, the negative errno of that. */
SONDE_API int sonde_child_continue(struct sonde_child *c);
/* The same, and `s` knows its program before that runs, where stacks of it will be walked by unwind tables: without, those
 * of the first milliseconds are short. From the thread that has started the child. */
SONDE_API int sonde_session_begin_child(struct sonde_session *s, struct sonde_child *c);
/* End it (SIGTERM, and SIGKILL when it does not go) if it still runs, reap it and free it. *status, which
 * may be NULL, is its exit status, or 128 plus the signal that ended it. NULL is ignored. */
SONDE_API void sonde_child_end(struct sonde_child *c, int *status);

/* ---- records ---- */

enum sonde_record_kind {
	SONDE_ATTACHED, SONDE_PRINTF, SONDE_VALUE, SONDE_MAP, SONDE_TIME, SONDE_TEXT, SONDE_LOST,
	SONDE_MESSAGE, SONDE_TEST, SONDE_BENCH,
};
SONDE_API enum sonde_record_kind sonde_record_kind(const struct sonde_record *r);
/* As the text view shows it. Valid until the next call for this record. */
SONDE_API const char *sonde_record_text(const struct sonde_record *r);
/* As one JSON value without a newline. Valid until the next call for this record. */
SONDE_API const char *sonde_record_json(const struct sonde_record *r);
/* SONDE_ATTACHED, SONDE_LOST: the number. SONDE_MAP: the number of rows. */
SONDE_API uint64_t sonde_record_number(const struct sonde_record *r);
/* SONDE_MAP: its name with the @. */
SONDE_API const char *sonde_record_map(const struct sonde_record *r);
/* SONDE_MAP: key and value of a row as text; valid until the next call. NULL: no such row. */
SONDE_API const char *sonde_record_key(const struct sonde_record *r, size_t row);
SONDE_API const char *sonde_record_value(const struct sonde_record *r, size_t row);
/* The value of a row as a number (count, sum, min, max, average, integers). False: it is none. */
SONDE_API bool sonde_record_value_int(const struct sonde_record *r, size_t row, int64_t *value);
/*
 * The parts of a record: SONDE_PRINTF: the arguments behind the format; SONDE_VALUE: the members of a tuple or record,
 * else the value itself. As a number (false: it is none), and as text, valid until the next call. NULL: no such part.
 */
SONDE_API size_t sonde_record_parts(const struct sonde_record *r);
SONDE_API bool sonde_record_part_int(const struct sonde_record *r, size_t part, int64_t *value);
SONDE_API const char *sonde_record_part(const struct sonde_record *r, size_t part);
/* The same for the parts of a row's key, of which there is one unless it is a tuple. */
SONDE_API bool sonde_record_key_part_int(const struct sonde_record *r, size_t row, size_t part, int64_t *value);
SONDE_API const char *sonde_record_key_part(const struct sonde_record *r, size_t row, size_t part);

/* ---- views ---- */

struct sonde_view_options {
	size_t size;
	int fd;            /* where to write; not closed */
	bool colour, quiet;
	bool line_buffered; /* write after every record */
	bool only_attach;   /* of a dry run: nothing follows the attaching */
	const char *columns; /* titles and widths of the columns, "PID:7,COMM:16"; NULL: as the types say. Must outlive it */
	/* The following may be NULL, and must outlive it too. */
	const char *title; /* of pictures */
	const char *file;  /* the name of the file that fd is: its end says in which form a picture is written */
	const char *range; /* of the tone: LOW:HIGH[,HZ:HZ][,linear], numbers and their frequencies */
	sonde_message_fn message; /* what is to be said beside the output */
	void *message_ctx;
};
/* A view by name ("text", "json", ...). Give every record to sonde_view_record(). -EINVAL: no such view. */
SONDE_API int sonde_view_open(const char *name, const struct sonde_question *q,
			      const struct sonde_view_options *o, struct sonde_view **out);
SONDE_API int sonde_view_record(struct sonde_view *v, const struct sonde_record *r);
SONDE_API int sonde_view_flush(struct sonde_view *v);
SONDE_API int sonde_view_close(struct sonde_view *v); /* frees it */
/* Has it written something to the terminal that it will write anew in the same place? */
SONDE_API bool sonde_view_stands(const struct sonde_view *v);
/* Let it stay as it is: somebody else is about to write to the terminal. */
SONDE_API void sonde_view_leave(struct sonde_view *v);
/* Names of all views, NULL-terminated. */
SONDE_API const char *const *sonde_view_names(void);
/* The view that a file of this name asks for (".csv", ...); NULL: none. */
SONDE_API const char *sonde_view_for_file(const char *path);
/* Can a view write a file of this name? */
SONDE_API bool sonde_view_takes_file(const char *name, const char *path);
/* The program sonde-NAME that shows a view to a person when it is not written to a file: it is given JSON records.
 * NULL: none. */
SONDE_API const char *sonde_view_player(const char *name);
/* The same, of several pictures the one for what the question counts and prints: stacks, histograms, numbers. */
SONDE_API const char *sonde_view_for_question(const struct sonde_question *q, const char *path);
/* Is this view a picture, which is made at the end from some of the records, or a stream that shows them all? Some are
 * pictures only in files of certain names. path NULL: standard output. */
SONDE_API bool sonde_view_is_picture(const char *name, const char *path);
/* Is this record part of the picture? Always true of other views. */
SONDE_API bool sonde_view_takes(const struct sonde_view *v, const struct sonde_record *r);
/* A flame graph (SVG, or HTML when o->file ends so) of a recording of stacks, two files of folded text: widths are those
 * of `after`, and colours say whether the share of each frame has grown (red) or shrunk (blue). */
SONDE_API int sonde_diff_stacks(const char *before, const char *after, const struct sonde_view_options *o);
/* Are losses and messages records in the output of this view, as in JSON, or does it leave them to the caller? */
SONDE_API bool sonde_view_shows_losses(const char *name);
/* Views: fn(name, summary). */
SONDE_API int sonde_list_views(int (*fn)(void *ctx, const char *name, const char *summary), void *ctx);

/* ---- what can be asked ---- */

/* Call fn for every probe that matches `pattern` (kind:part:..., with wildcards, several separated by commas;
 * NULL: all kinds). With `verbose`, `args` is the list of arguments, one per line, else NULL. "struct NAME",
 * "union NAME" and "enum NAME" find types of the kernel, with `verbose` as their definition in C. */
SONDE_API int sonde_list_probes(const char *pattern, bool verbose,
				int (*fn)(void *ctx, const char *probe, const char *args), void *ctx,
				sonde_message_fn message, void *message_ctx);
/* The same of a process: probes of programs may leave their program out, and "*" for it is what the process has
 * mapped. */
SONDE_API int sonde_list_process_probes(int pid, const char *pattern, bool verbose,
					int (*fn)(void *ctx, const char *probe, const char *args), void *ctx,
					sonde_message_fn message, void *message_ctx);
/* The same for the probes that a program attaches to. Its actions are not checked. */
SONDE_API int sonde_list_program(const char *source, const struct sonde_compile_options *o, bool verbose,
				 int (*fn)(void *ctx, const char *probe, const char *args), void *ctx);
/* The named parameters that a program takes: fn(name, kind, default, description), where kind is "NUMBER",
 * "TEXT" or NULL for one that is given or not, and default and description may be NULL. */
SONDE_API int sonde_list_params(const char *source, const struct sonde_compile_options *o,
				int (*fn)(void *ctx, const char *param, const char *kind, const char *value,
					  const char *description), void *ctx);
/* Kinds of probes: fn(name, forms, summary). */
SONDE_API int sonde_list_kinds(int (*fn)(void *ctx, const char *name, const char *forms, const char *summary),
			       void *ctx);
/* What this kernel and this build can do: fn(group, name, value). */
SONDE_API int sonde_info(int (*fn)(void *ctx, const char *group, const char *name, const char *value),
			 void *ctx, sonde_message_fn message, void *message_ctx);
/* Functions of the language: fn(name, signature, summary). */
SONDE_API int sonde_list_functions(int (*fn)(void *ctx, const char *name, const char *signature,
					     const char *summary), void *ctx);

#ifdef __cplusplus
}
#endif

#endif
