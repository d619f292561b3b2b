/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * View: a way of showing records. One view is one struct view_def in one file; the table is views.c.
 */
#ifndef SONDE_VIEW_VIEW_H
#define SONDE_VIEW_VIEW_H

#include <stdio.h>

#include "base/report.h"
#include "base/strbuf.h"
#include "code/record.h"
#include "code/module.h"
#include "symbol/symbol.h"

/* Turns addresses into names while showing; provided by whoever runs the session. Any member may be NULL,
 * and an address may have no name: then the number is shown. */
struct resolver {
	void *ctx;
	bool (*ksym)(void *ctx, uint64_t addr, struct symbol *out);
	/* `out->module` may be set even when there is no name. */
	bool (*usym)(void *ctx, uint32_t pid, uint64_t addr, struct symbol *out);
	/* As symbol_user_frames(). */
	uint32_t (*uframes)(void *ctx, uint32_t pid, uint64_t addr, bool is_return, struct symbol *out, uint32_t max);
};

struct view {
	const struct view_def *def;
	const struct module *module; /* set before the first record */
	const struct resolver *resolver;
	int fd;            /* where it writes; not owned */
	bool colour;       /* a terminal that wants colour */
	bool is_terminal;  /* fd is one */
	bool quiet_attach; /* -q */
	const struct reporter *reporter; /* for what is to be said beside the output; NULL: nobody listens */
	const char *title; /* of pictures: the program's name; or NULL */
	const char *file;  /* the name of the file that fd is, or NULL */
	const char *range; /* of views that map numbers to something, "-90:-30"; or NULL */
	const char *columns_spec; /* titles and widths, "PID:7,COMM:16", for views with columns; or NULL */
	struct strbuf out; /* buffered; written when large, and on flush */
	uint64_t bytes_written;
	int err;           /* first failed write, as a negative errno; later output is dropped */
	bool attached;     /* a session has begun, and its end will be set off */
	bool only_attach;  /* nothing follows: a dry run */
	bool final_gap;    /* an empty line is due before the next map that is shown at the end */
	bool in_key;       /* what is shown is the key of a map: stacks are indented less */
	bool is_dense;     /* no blanks in tuples and structs: keys of JSON */
	struct strbuf scratch; /* a payload that came shorter than its type, filled up */
	void *priv;
};

struct view_def {
	const char *name;    /* "text", "json" */
	const char *summary;
	const char *extensions[4]; /* ".csv": of the files that it is for; they end with NULL */
	const char *player;    /* "play": sonde-play shows it where no file is written, from JSON records; or NULL */
	bool is_picture;       /* made at the end, of what takes() says; anything else is not shown by it */
	bool draws_files;      /* is_picture in files of its extensions, and a stream elsewhere */
	bool for_programs;     /* losses and messages are records in it; otherwise they go to stderr */
	/* Where the name of a file leaves it open which picture it is for (.svg): is it that of such a program? */
	bool (*suits)(const struct module *m);
	int (*open)(struct view *v);
	bool (*takes)(const struct view *v, const struct record *rec); /* with is_picture: is the record part of it? */
	int (*record)(struct view *v, const struct record *rec);
	void (*close)(struct view *v); /* final output; may be NULL */
	/* Of views that write anew in place on a terminal; else NULL. Does something stand there now? */
	bool (*stands)(const struct view *v);
	void (*leave)(struct view *v); /* it stays as it is, because others write there, too */
};

/* Names a message of a script by its place: "q.bt:3:14-20: ", or nothing when the place is unknown. */
void view_place(const struct view *v, struct strbuf *out, struct span span);
/* The line it is about, on a line of its own, and a mark beneath the place. */
void view_excerpt(const struct view *v, struct strbuf *out, struct span span);

/* NULL-terminated. */
extern const struct view_def *const views[];
const struct view_def *view_find(const char *name);
/* The view that a file of this name asks for; NULL: none. */
const struct view_def *view_find_file(const char *path);
bool view_takes_file(const struct view_def *def, const char *path);
/* Of those that take the file, the one for what this program counts and prints. */
const struct view_def *view_for_program(const struct module *m, const char *path);
/*
 * Does the program print such values? `fn` is given their type (of the values of a map); again: those that it may print
 * more than once.
 */
bool program_prints(const struct module *m, bool again, bool (*fn)(const struct type *t));
/* Is it a picture in this file (NULL: standard output)? */
bool view_is_picture(const struct view_def *def, const char *path);
/* Does the path end like this (".svg")? NULL does not. */
bool path_ends(const char *path, const char *extension);

int view_open(struct view *v, const struct view_def *def, int fd);
int view_record(struct view *v, const struct record *rec);
/* Write what is buffered. 0 or the negative errno of the write. */
int view_flush(struct view *v);
int view_close(struct view *v);
/*
 * Around a loop that makes a line of each of `n` rows: written while they are made, so that a large map is never all in
 * memory as text, and with progress on the terminal when they go to a file.
 */
struct progress;
void view_rows_begin(const struct view *v, struct progress *p, size_t n);
void view_rows_step(struct view *v, struct progress *p, size_t done);

/* ---- values as text, shared by views ---- */
/* A value as the language prints it: 12, hello, (1, hello), [1,2], ... */
void value_text(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data);
/* A map key: its tuple without parentheses. */
void key_text(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data);
/* JSON: numbers, strings, arrays, objects. */
void value_json(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data);
void json_string(struct strbuf *out, const char *s, size_t len);
/* The same with the numbers of a map divided by `div` (0 and 1: as they are), as print(@m, top, div) does. */
void value_text_div(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data,
		    int64_t div);
void value_json_div(const struct view *v, struct strbuf *out, const struct type *t, const uint8_t *data,
		    int64_t div);
/* The value as one number (integers, count, sum, min, max, avg, ...). False: it is none. */
bool value_int(const struct type *t, const uint8_t *data, int64_t *value);
/* A printf record through its compiled format. */
void format_text(const struct view *v, struct strbuf *out, const struct format *f, const struct type *args,
		 const uint8_t *data);

#endif
