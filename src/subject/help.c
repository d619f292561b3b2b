/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Help: the page of a subject, for a terminal and for the manual, made from its entry. */
#include "base/util.h"
#include "subject/subject.h"

#define COLUMN 24
#define WIDTH 88

static void add_option(struct strbuf *out, const struct subject_option *o)
{
	size_t start = out->len, column;
	const char *p = o->help;

	strbuf_addstr(out, "  ");
	if (o->letter)
		strbuf_addf(out, "-%c, ", o->letter);
	strbuf_addf(out, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
	column = out->len - start;
	if (column + 2 > COLUMN) {
		strbuf_addch(out, '\n');
		column = 0;
	}
	while (*p) {
		size_t len = strcspn(p, "\n");

		strbuf_fill(out, ' ', COLUMN - column);
		strbuf_add(out, p, len);
		strbuf_addch(out, '\n');
		p += len + (p[len] == '\n');
		column = 0;
	}
}

static void add_indented(struct strbuf *out, const char *p)
{
	while (p && *p) {
		size_t len = strcspn(p, "\n");

		strbuf_addf(out, "%s%.*s\n", len ? "  " : "", (int)len, p);
		p += len + (p[len] == '\n');
	}
}

/* Paragraphs, each of which is one line in the text. */
static void add_wrapped(struct strbuf *out, const char *p)
{
	size_t column = 0;

	while (*p) {
		size_t word = strcspn(p, " \n");

		if (column && column + 1 + word > WIDTH) {
			strbuf_addch(out, '\n');
			column = 0;
		} else if (column) {
			strbuf_addch(out, ' ');
			column++;
		}
		strbuf_add(out, p, word);
		column += word;
		for (p += word; *p == ' '; p++)
			;
		for (; *p == '\n'; p++) {
			strbuf_addch(out, '\n');
			column = 0;
		}
	}
}

static const struct subject_option *table(const struct subject *s, int i)
{
	return i ? subject_common : s->options;
}

void subject_help(const struct subject *s, struct strbuf *out)
{
	strbuf_addf(out, "usage: sonde %s [OPTIONS]%s%s\n\n%s: %s\n\n", s->name, s->args ? " " : "", s->args ? s->args : "",
		    s->name, s->summary);
	add_wrapped(out, s->text);
	strbuf_addstr(out, "\n\nOptions:\n");
	for (int i = 0; i < 2; i++)
		for (const struct subject_option *o = table(s, i); o && o->name; o++)
			add_option(out, o);
	if (s->verdicts)
		strbuf_addstr(out, "\nExit status: 0 every item passed, 3 one failed, 4 none failed but not all could be observed,\n"
			      "1 it could not be done, 2 the command line is wrong, 130 Ctrl-C without a failed item.\n");
	if (s->examples) {
		strbuf_addstr(out, "\nExamples:\n");
		add_indented(out, s->examples);
	}
}

/* ---- scdoc ---- */

/* One line, in which no character is a mark of scdoc's; some are only where a line begins. */
static void add_line(struct strbuf *out, const char *s, size_t len)
{
	size_t blanks = strspn(s, " \t");

	for (size_t i = MIN(blanks, len); i < len; i++) {
		/* A point there makes a list of it in any case; behind a blank it does not. */
		if (i == blanks && s[i] == '.')
			strbuf_addstr(out, "\\ ");
		else if (strchr("_*\\+`", s[i]) || (i == blanks && strchr("#;-[]|", s[i])))
			strbuf_addch(out, '\\');
		strbuf_addch(out, s[i]);
	}
}

/* Each line behind so much, and a newline behind each. */
static void add_lines(struct strbuf *out, const char *indent, const char *s)
{
	while (*s) {
		size_t len = strcspn(s, "\n");

		if (len)
			strbuf_addstr(out, indent);
		add_line(out, s, len);
		strbuf_addch(out, '\n');
		s += len + (s[len] == '\n');
	}
}

static void add_option_scd(struct strbuf *out, const struct subject_option *o)
{
	if (o->letter)
		strbuf_addf(out, "*-%c*, ", o->letter);
	strbuf_addstr(out, "*--");
	add_line(out, o->name, strlen(o->name));
	strbuf_addch(out, '*');
	if (o->arg) {
		strbuf_addstr(out, " _");
		add_line(out, o->arg, strlen(o->arg));
		strbuf_addch(out, '_');
	}
	strbuf_addch(out, '\n');
	add_lines(out, "\t", o->help);
	strbuf_addch(out, '\n');
}

/* A command as it is typed, in one line however long. */
static void add_literal(struct strbuf *out, const char *s, size_t len)
{
	strbuf_addstr(out, "\n```\n");
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\\' || s[i] == '`')
			strbuf_addch(out, '\\');
		strbuf_addch(out, s[i]);
	}
	strbuf_addstr(out, "\n```\n\n");
}

/* Commands, each with lines behind blanks that say what for. */
static void add_examples_scd(struct strbuf *out, const char *p)
{
	while (*p) {
		size_t len = strcspn(p, "\n");

		if (len && *p != ' ') {
			add_literal(out, p, len);
		} else {
			add_line(out, p, len);
			strbuf_addch(out, '\n');
		}
		p += len + (p[len] == '\n');
	}
}

static void add_dashed(struct strbuf *out, const char *name)
{
	for (; *name; name++)
		strbuf_addch(out, *name == ' ' ? '-' : *name);
}

void subject_manual(const struct subject *s, struct strbuf *out)
{
	strbuf_addstr(out, "sonde-");
	add_dashed(out, s->name);
	strbuf_addstr(out, "(1)\n\n# NAME\n\nsonde-");
	add_dashed(out, s->name);
	strbuf_addstr(out, " - ");
	add_line(out, s->summary, strlen(s->summary));
	strbuf_addf(out, "\n\n# SYNOPSIS\n\n*sonde %s* [_OPTIONS_]%s", s->name, s->args ? " " : "");
	add_line(out, s->args ? s->args : "", s->args ? strlen(s->args) : 0);
	strbuf_addstr(out, "\n\n# DESCRIPTION\n\n");
	add_lines(out, "", s->text);
	strbuf_addstr(out, "\n# OPTIONS\n\n");
	for (int i = 0; i < 2; i++)
		for (const struct subject_option *o = table(s, i); o && o->name; o++)
			add_option_scd(out, o);
	if (s->verdicts)
		strbuf_addstr(out, "# EXIT STATUS\n\n*0*\n\tEvery item passed.\n\n*3*\n\tOne failed.\n\n*4*\n\tNone failed, but not "
			      "all could be observed.\n\n*1*\n\tIt could not be done; a message says why.\n\n*2*\n\tThe command line is "
			      "wrong.\n\n*130*\n\tCtrl-C, and no item failed.\n\n");
	if (s->examples) {
		strbuf_addstr(out, "# EXAMPLES\n");
		add_examples_scd(out, s->examples);
	}
	strbuf_addstr(out, "\n# SEE ALSO\n\n*sonde*(1)\n");
}
