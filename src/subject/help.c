/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Help: the page of a subject, for a terminal and for the manual, made from its entry. */
#include "base/util.h"
#include "subject/subject.h"

#define COLUMN 24

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

static const struct subject_option *table(const struct subject *s, int i)
{
	return i ? subject_common : s->options;
}

void subject_help(const struct subject *s, struct strbuf *out)
{
	strbuf_addf(out, "usage: sonde %s [OPTIONS]%s%s\n\n%s: %s\n\n%s\n\nOptions:\n", s->name, s->args ? " " : "",
		    s->args ? s->args : "", s->name, s->summary, s->text);
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

/* Its marks _ and * and \ are text here. */
static void add_plain(struct strbuf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr("_*\\#`", s[i]))
			strbuf_addch(out, '\\');
		strbuf_addch(out, s[i]);
	}
}

static void add_text(struct strbuf *out, const char *s)
{
	add_plain(out, s, strlen(s));
}

static void add_option_scd(struct strbuf *out, const struct subject_option *o)
{
	if (o->letter)
		strbuf_addf(out, "*-%c*, ", o->letter);
	strbuf_addf(out, "*--%s*", o->name);
	if (o->arg) {
		strbuf_addstr(out, " _");
		add_text(out, o->arg);
		strbuf_addch(out, '_');
	}
	strbuf_addstr(out, "\n\t");
	for (const char *p = o->help; *p; p++) {
		if (*p == '\n')
			strbuf_addstr(out, "\n\t");
		else
			add_plain(out, p, 1);
	}
	strbuf_addstr(out, "\n\n");
}

static void add_examples_scd(struct strbuf *out, const char *p)
{
	while (*p) {
		size_t len = strcspn(p, "\n"), blanks = strspn(p, " ");

		if (len && !blanks)
			strbuf_addf(out, "\n\t%.*s\n\n", (int)len, p);
		else
			add_plain(out, p + MIN(blanks, len), len - MIN(blanks, len));
		strbuf_addch(out, '\n');
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
	add_text(out, s->summary);
	strbuf_addf(out, "\n\n# SYNOPSIS\n\n*sonde %s* [_OPTIONS_] ", s->name);
	add_text(out, s->args ? s->args : "");
	strbuf_addstr(out, "\n\n# DESCRIPTION\n\n");
	add_text(out, s->text);
	strbuf_addstr(out, "\n\n# OPTIONS\n\n");
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
