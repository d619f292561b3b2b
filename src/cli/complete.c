/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Complete: what may stand at the end of a command line of sonde. The scripts of the shells hand over its words
 * (`sonde complete WORD... LAST`) and show what is printed: one candidate per line, a tab, and what it means. A
 * candidate that ends with = or : goes on. Nothing means a file.
 */
#include "cli/cli.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "cli/tool.h"

#define MOST_PROBES 2000

struct completion {
	struct strbuf out;
	const char *word;  /* what is there of the last one */
	struct strbuf last; /* the last candidate that is a part of a probe: lists are sorted */
	size_t nprobes;
};

static void offer_n(struct completion *c, const char *text, size_t len, const char *meaning)
{
	size_t typed = strlen(c->word);

	if (len < typed || memcmp(text, c->word, typed))
		return;
	strbuf_add(&c->out, text, len);
	if (meaning && *meaning)
		strbuf_addf(&c->out, "\t%.*s", (int)strcspn(meaning, "\n"), meaning);
	strbuf_addch(&c->out, '\n');
}

static void offer(struct completion *c, const char *text, const char *meaning)
{
	offer_n(c, text, strlen(text), meaning);
}

static void offer_any(void *ctx, const char *text, const char *meaning)
{
	offer(ctx, text, meaning);
}

/* Words separated by blanks. */
static void offer_each(struct completion *c, const char *words, const char *meaning)
{
	while (words && *words) {
		size_t len = strcspn(words, " \n");

		offer_n(c, words, len, meaning);
		words += len + strspn(words + len, " \n");
	}
}

/* ---- options ---- */

static int on_option(void *ctx, char letter, const char *name, const char *arg, const char *help)
{
	char text[3] = { '-', letter, 0 };
	_cleanup_strbuf_ struct strbuf full = STRBUF_INIT;

	(void)arg;
	if (letter)
		offer(ctx, text, help);
	if (name) {
		strbuf_addf(&full, "--%s", name);
		offer_n(ctx, full.s, full.len, help);
	}
	return 0;
}

static int on_view(void *ctx, const char *name, const char *summary)
{
	offer(ctx, name, summary);
	return 0;
}

static void offer_directory(struct completion *c, const char *path, const char *before)
{
	DIR *d = opendir(path);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		strbuf_addf(&text, "%s%s", before, entry->d_name);
		if (entry->d_name[0] != '.')
			offer_n(c, text.s, text.len, NULL);
	}
	if (d)
		closedir(d);
}

static void offer_process(struct completion *c, const char *pid, const char *before)
{
	char comm[32] = "";
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT, text = STRBUF_INIT;
	FILE *f;

	strbuf_addf(&path, "/proc/%s/comm", pid);
	strbuf_addf(&text, "%s%s", before, pid);
	f = path.failed ? NULL : fopen(path.s, "re");
	if (f && fgets(comm, sizeof(comm), f))
		comm[strcspn(comm, "\n")] = 0;
	if (f)
		fclose(f);
	if (!text.failed)
		offer_n(c, text.s, text.len, comm);
}

static void offer_processes(struct completion *c, const char *before)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] > '0' && entry->d_name[0] <= '9')
			offer_process(c, entry->d_name, before);
	if (d)
		closedir(d);
}

/* The value of an option of sonde. False: the option takes none that is known here. */
static bool offer_value(struct completion *c, const char *option)
{
	if (str_eq(option, "-f") || str_eq(option, "--view"))
		sonde_list_views(on_view, c);
	else if (str_eq(option, "-B"))
		offer_each(c, "full line none", NULL);
	else if (str_eq(option, "-d"))
		offer_each(c, "ast types ir ir-opt bpf elf all", NULL);
	else if (str_eq(option, "-p") || str_eq(option, "--pid"))
		offer_processes(c, "");
	else
		return false;
	return true;
}

/* ---- probes ---- */

/* Up to the next part: a kernel has thousands of probes, and one goes from colon to colon. */
static int on_probe(void *ctx, const char *probe, const char *args)
{
	struct completion *c = ctx;
	const char *colon = strchr(probe + MIN(strlen(c->word), strlen(probe)), ':');
	size_t len = colon ? (size_t)(colon + 1 - probe) : strlen(probe);

	(void)args;
	if (c->last.len == len && !memcmp(c->last.s, probe, len))
		return 0;
	strbuf_reset(&c->last);
	strbuf_add(&c->last, probe, len);
	offer_n(c, probe, len, NULL);
	return ++c->nprobes >= MOST_PROBES;
}

static int on_kind(void *ctx, const char *name, const char *forms, const char *summary)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "%s%s", name, strchr(forms, ':') ? ":" : "");
	offer_n(ctx, text.s, text.len, summary);
	return 0;
}

static void offer_probes(struct completion *c)
{
	_cleanup_strbuf_ struct strbuf pattern = STRBUF_INIT;

	if (!strchr(c->word, ':')) {
		sonde_list_kinds(on_kind, c);
		return;
	}
	strbuf_addf(&pattern, "%s*", c->word);
	if (!pattern.failed)
		sonde_list_process_probes(0, pattern.s, false, on_probe, c, NULL, NULL);
}

/* ---- tools ---- */

static int on_tool(void *ctx, const char *name, const char *area, const char *summary, const char *aliases)
{
	(void)area;
	offer(ctx, name, summary);
	offer_each(ctx, aliases, summary);
	return 0;
}

static int on_area(void *ctx, const char *name, const char *area, const char *summary, const char *aliases)
{
	struct completion *c = ctx;
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

	(void)name, (void)summary, (void)aliases;
	strbuf_addf(&line, "%s\n", area);
	if (!line.failed && !(c->out.len && strstr(c->out.s, line.s)))
		offer(c, area, NULL);
	return 0;
}

static int on_param(void *ctx, const char *name, const char *kind, const char *value, const char *description)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	(void)value;
	strbuf_addf(&text, "--%s%s", name, kind ? "=" : "");
	offer_n(ctx, text.s, text.len, description);
	return 0;
}

/* "p=pid d=disk" */
static void offer_letters(struct completion *c, const char *letters)
{
	while (letters && *letters) {
		size_t len = strcspn(letters, " \n");
		char text[3] = { '-', letters[0], 0 };
		_cleanup_strbuf_ struct strbuf full = STRBUF_INIT;

		strbuf_addf(&full, "--%.*s", (int)(len > 2 ? len - 2 : 0), letters + MIN(len, (size_t)2));
		offer(c, text, full.s);
		letters += len + strspn(letters + len, " \n");
	}
}

/* "-d" is "--disk" where the letters say "d=disk". Empty: no parameter of the tool is called so. */
static void long_name(const struct tool *t, const char *option, struct strbuf *out)
{
	const char *letters = tool_value(t, "letters", 0);

	if (str_starts(option, "--"))
		strbuf_addstr(out, option);
	while (option[0] == '-' && option[1] && !option[2] && letters && *letters) {
		size_t len = strcspn(letters, " \n");

		if (letters[0] == option[1] && len > 2)
			strbuf_addf(out, "--%.*s", (int)len - 2, letters + 2);
		letters += len + strspn(letters + len, " \n");
	}
}

/* Values of the parameters whose names mean the same in all tools. */
static bool offer_param_value(struct completion *c, const char *name, const char *before)
{
	if (str_eq(name, "--disk"))
		offer_directory(c, "/sys/block", before);
	else if (str_eq(name, "--pid"))
		offer_processes(c, before);
	else
		return false;
	return true;
}

static void complete_tool(struct completion *c, const struct tool *t, const char *previous)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;

	long_name(t, previous, &name);
	if (str_starts(c->word, "--disk=") || str_starts(c->word, "--pid=")) {
		offer_param_value(c, str_starts(c->word, "--disk=") ? "--disk" : "--pid",
				  str_starts(c->word, "--disk=") ? "--disk=" : "--pid=");
	} else if (name.len && offer_param_value(c, name.s, "")) {
		return;
	} else if (!name.len && offer_value(c, previous)) {
		return;
	} else if (*c->word == '-') {
		tool_params(t, on_param, c);
		offer_letters(c, tool_value(t, "letters", 0));
		options_each(on_option, c);
	}
}

/* ---- the line ---- */

static void offer_commands(struct completion *c)
{
	for (const struct command *cmd = commands; cmd->name; cmd++)
		if (*cmd->summary)
			offer(c, cmd->name, cmd->summary);
	subjects_complete_name(offer_any, c);
}

static bool is_listing(const char *word)
{
	return word[0] == '-' && word[1] != '-' && strchr(word, 'l') && strspn(word + 1, "lvq") == strlen(word + 1);
}

/* What follows the name of a command. False: it is none that takes names. */
static bool complete_command(struct completion *c, const char *command)
{
	if (str_eq(command, "help")) {
		for (size_t i = 0; help_topic(i); i++)
			offer(c, help_topic(i), NULL);
		offer_commands(c);
		tools_each(on_tool, c);
	} else if (str_eq(command, "show")) {
		tools_each(on_tool, c);
	} else if (str_eq(command, "tools")) {
		tools_each(on_area, c);
	} else {
		return false;
	}
	return true;
}

static void complete_first(struct completion *c)
{
	if (*c->word == '-') {
		options_each(on_option, c);
		return;
	}
	offer_commands(c);
	tools_each(on_tool, c);
}

static void complete(struct completion *c, int n, char **words)
{
	const char *before = n > 1 ? words[n - 2] : "";
	struct tool t;

	c->word = words[n - 1];
	if (n == 1)
		complete_first(c);
	else if (subject_complete(n, words, offer_any, c))
		;
	else if (is_listing(before))
		offer_probes(c);
	else if (n == 2 && complete_command(c, words[0]))
		;
	else if (words[0][0] != '-' && tool_find(words[0], &t) > 0) {
		complete_tool(c, &t, before);
		tool_free(&t);
	} else if (offer_value(c, before)) {
		;
	} else if (*c->word == '-') {
		options_each(on_option, c);
	}
}

int cmd_complete(int argc, char **argv)
{
	struct completion c = { .out = STRBUF_INIT, .last = STRBUF_INIT };

	if (argc < 2)
		return fail(EXIT_USAGE, NULL, "complete takes the words of a command line");
	complete(&c, argc - 1, argv + 1);
	strbuf_free(&c.last);
	return print_and_free(&c.out);
}
