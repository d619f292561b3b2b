/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tool: a question with a name. Its source begins with a comment that describes it (tools/README.md); how it is
 * run, its help and the list of tools are made from that comment and from its calls of getopt().
 */
#ifndef SONDE_CLI_TOOL_H
#define SONDE_CLI_TOOL_H

#include <stdbool.h>
#include <stddef.h>

/* A tool within the program; the table is made from tools/ by scripts/embed-tools, sorted by name. */
struct embedded_tool {
	const char *name, *area, *summary;
	const char *aliases; /* separated by blanks */
	const unsigned char *data; /* zlib, with a dictionary: embedded_common, itself packed by zlib */
	size_t packed_bytes, bytes;
};
extern const struct embedded_tool embedded_tools[]; /* ends with a NULL name */
extern const size_t nembedded_tools;
extern const unsigned char embedded_common[];
extern const size_t embedded_common_packed_bytes, embedded_common_bytes;
/* What tools import: "summary.bt", ... */
extern const struct embedded_tool embedded_libs[];

/* One "key: value" of the header; lines that continue it are joined by newlines. */
struct tool_line {
	char *key, *value;
};

struct tool {
	char *name;    /* its own, also when it was asked for by an alias */
	char *summary;
	char *source;
	char *path;    /* of a person's own tool; NULL: from within the program */
	char *text;    /* paragraphs of the header that have no key */
	char *preset;  /* parameters that the alias it was asked for by stands for, or NULL */
	struct tool_line *lines;
	size_t nlines;
};

/*
 * Find a tool by its name or an alias: in the directories of $SONDE_TOOLS (separated by colons), in
 * ~/.config/sonde/tools and /etc/sonde/tools, and within the program. 1: found, free with tool_free(); 0: there is none; -1
 * after a message.
 */
int tool_find(const char *name, struct tool *out);
void tool_free(struct tool *t);
/* Call fn for every tool, sorted; one of a person's own hides one of the same name within the program. Stops when
 * fn returns non-zero, and returns that. */
int tools_each(int (*fn)(void *ctx, const char *name, const char *area, const char *summary, const char *aliases),
	       void *ctx);
/* What is nearest to a mistyped name, or NULL; valid until the next call. */
const char *tool_nearest(const char *name);

/* The command that does what a tool of this name is known for, where there is no such tool; or NULL. */
const char *tool_line(const char *name);

/* The value of a key, or NULL; `nth` counts those that appear several times, from 0. */
const char *tool_value(const struct tool *t, const char *key, size_t nth);

/* Call fn for each of its parameters, as sonde_list_params() does. */
int tool_params(const struct tool *t, int (*fn)(void *ctx, const char *param, const char *kind, const char *value,
						 const char *description), void *ctx);
/* The text of what tools import, for sonde_compile_options; it lasts as long as the process. */
const char *tool_import(void *ctx, const char *path);

/* Run it with its arguments, of which argv[0] is the name. Returns the exit status. */
int tool_run(struct tool *t, int argc, char **argv);
/* Its page of help, for a terminal. */
int tool_help(const struct tool *t);

#endif
