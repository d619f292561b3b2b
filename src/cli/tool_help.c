/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tool_help: what is said of tools: the page of one, the list of all, and the source of one. */
#include <ctype.h>
#include <stdlib.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/page.h"
#include "cli/tool.h"

#define COLUMN 24
#define LIST_COLUMN 20

/* Letters of a parameter, "-p, ". */
static void add_letters(struct strbuf *out, const struct tool *t, const char *name)
{
	const char *p = tool_value(t, "letters", 0);

	while (p && *p) {
		size_t len = strcspn(p, " \n");

		if (len > 2 && p[1] == '=' && strlen(name) == len - 2 && !memcmp(p + 2, name, len - 2))
			strbuf_addf(out, "-%c, ", p[0]);
		p += len + strspn(p + len, " \n");
	}
}

struct param_page {
	const struct tool *tool;
	struct strbuf *out;
	size_t n;
};

static int on_param(void *ctx, const char *name, const char *kind, const char *value, const char *description)
{
	struct param_page *page = ctx;
	struct strbuf *out = page->out;
	struct page width = page_of_stdout();
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	size_t start, column;

	if (!page->n++)
		strbuf_addstr(out, "\nOptions:\n");
	start = out->len;
	strbuf_addstr(out, "  ");
	add_letters(out, page->tool, name);
	strbuf_addf(out, "--%s%s%s", name, kind ? "=" : "", kind ? kind : "");
	column = out->len - start;
	if (column + 2 > COLUMN) {
		strbuf_addch(out, '\n');
		column = 0;
	}
	strbuf_fill(out, ' ', COLUMN - column);
	strbuf_addstr(&text, description ? description : "");
	/* 0 and nothing mean "not given" for most. */
	if (value && *value && !str_eq(value, "0"))
		strbuf_addf(&text, " (default: %s)", value);
	out->failed |= text.failed;
	page_words(out, &width, COLUMN, COLUMN, text.len ? text.s : "");
	strbuf_addch(out, '\n');
	return 0;
}

static void add_indented(struct strbuf *out, const char *text, const char *indent)
{
	while (text && *text) {
		size_t len = strcspn(text, "\n");

		strbuf_addf(out, "%s%.*s\n", len ? indent : "", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

/* A terminal has its own width: lines of a paragraph are joined for it. */
static void add_paragraphs(struct strbuf *out, const char *text)
{
	struct page page = page_of_stdout();

	while (page.columns && *text) {
		const char *end = strstr(text, "\n\n");
		_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;

		strbuf_add(&words, text, end ? (size_t)(end - text) : strlen(text));
		for (size_t i = 0; i < words.len; i++)
			words.s[i] = words.s[i] == '\n' ? ' ' : words.s[i];
		out->failed |= words.failed;
		page_words(out, &page, 0, 0, words.len ? words.s : "");
		strbuf_addstr(out, end ? "\n\n" : "\n");
		text = end ? end + 2 : "";
	}
	add_indented(out, text, "");
}

static void add_usage(struct strbuf *out, const struct tool *t)
{
	const char *words = tool_value(t, "words", 0);

	strbuf_addf(out, "usage: sonde %s [OPTIONS]", t->name);
	while (words && *words) {
		size_t len = strcspn(words, " \n"), name = *words == '$' ? strcspn(words, "=") + 1 : 0;

		strbuf_addstr(out, name ? " " : " [");
		for (size_t i = name; i < len; i++)
			strbuf_addch(out, (char)toupper((unsigned char)words[i]));
		strbuf_addstr(out, name ? "" : "]");
		words += len + strspn(words + len, " \n");
	}
	strbuf_addch(out, '\n');
}

/* "PID:7 process id": the name, then what it means. */
static void add_columns(struct strbuf *out, const char *p)
{
	if (!p)
		return;
	strbuf_addstr(out, "\nColumns:\n");
	while (*p) {
		size_t line = strcspn(p, "\n"), name = strcspn(p, " :\n"), word = strcspn(p, " \n");
		const char *text = p + word + strspn(p + word, " ");

		if (name)
			strbuf_addf(out, "  %-*.*s%.*s\n", COLUMN - 2, (int)name, p, (int)(p + line - MIN(text, p + line)), text);
		p += line + (p[line] == '\n');
	}
}

/* All values of a key. `indent` stands before what follows the first line of each. */
static void add_each(struct strbuf *out, const struct tool *t, const char *key, const char *title, const char *indent)
{
	const char *value;

	for (size_t i = 0; (value = tool_value(t, key, i)); i++) {
		size_t line = strcspn(value, "\n");

		if (!i)
			strbuf_addf(out, "\n%s:\n", title);
		strbuf_addf(out, "  %.*s\n", (int)line, value);
		add_indented(out, value + line + (value[line] == '\n'), indent);
	}
}

int tool_help(const struct tool *t)
{
	struct strbuf out = STRBUF_INIT;
	struct param_page page = { .tool = t, .out = &out };

	add_usage(&out, t);
	strbuf_addf(&out, "\n%s: %s\n", t->name, t->summary);
	if (*t->text) {
		strbuf_addch(&out, '\n');
		add_paragraphs(&out, t->text);
	}
	if (tool_params(t, on_param, &page)) {
		strbuf_free(&out);
		return EXIT_FAILED;
	}
	add_columns(&out, tool_value(t, "columns", 0));
	add_each(&out, t, "example", "Examples", "      ");
	add_each(&out, t, "way", "Needs the probes of one of these lines", "  ");
	add_each(&out, t, "alias", "Other names, and the options that they stand for", "  ");
	add_each(&out, t, "note", "Notes", "  ");
	add_each(&out, t, "untested", "Untested", "  ");
	strbuf_addstr(&out, "\nOptions of sonde itself (-f json, -o FILE, --duration SECONDS, ...) work as well: sonde help options\n");
	return print_and_free(&out);
}

/* ---- the list ---- */

struct list_page {
	struct strbuf out;
	struct page page;
	const char *word; /* an area, or part of a name or of what is said; NULL: all */
	char area[32];
	size_t found;
};

static bool entry_matches(const struct list_page *l, const char *name, const char *area, const char *summary,
			  const char *aliases)
{
	return !l->word || str_eq(area, l->word) || strcasestr(name, l->word) || strcasestr(summary, l->word) ||
	       strcasestr(aliases, l->word);
}

/* On a terminal they have lines of their own. */
static void add_aliases(struct list_page *l, const char *aliases)
{
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;

	strbuf_addf(&words, "(also %s)", aliases);
	strbuf_addch(&l->out, l->page.columns ? '\n' : ' ');
	strbuf_fill(&l->out, ' ', l->page.columns ? LIST_COLUMN : 0);
	strbuf_addstr(&l->out, l->page.dim);
	page_words(&l->out, &l->page, LIST_COLUMN, LIST_COLUMN, words.failed ? aliases : words.s);
	strbuf_addstr(&l->out, l->page.plain);
}

static int on_tool(void *ctx, const char *name, const char *area, const char *summary, const char *aliases)
{
	struct list_page *l = ctx;

	if (!str_eq(area, l->area) || !entry_matches(l, name, area, summary, aliases))
		return 0;
	l->found++;
	strbuf_addf(&l->out, "  %s%-*s%s", l->page.bold, LIST_COLUMN - 2, name, l->page.plain);
	page_words(&l->out, &l->page, LIST_COLUMN, LIST_COLUMN, summary);
	if (*aliases)
		add_aliases(l, aliases);
	strbuf_addch(&l->out, '\n');
	return 0;
}

struct areas {
	char names[32][32];
	size_t n;
};

static int on_area(void *ctx, const char *name, const char *area, const char *summary, const char *aliases)
{
	struct areas *a = ctx;

	(void)name, (void)summary, (void)aliases;
	for (size_t i = 0; i < a->n; i++)
		if (str_eq(a->names[i], area))
			return 0;
	if (a->n < ARRAY_SIZE(a->names) && strlen(area) < sizeof(a->names[0]))
		memcpy(a->names[a->n++], area, strlen(area) + 1);
	return 0;
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

int cmd_tools(int argc, char **argv)
{
	struct list_page l = { .out = STRBUF_INIT, .page = page_of_stdout(), .word = argc > 1 ? argv[1] : NULL };
	struct areas areas = { .n = 0 };

	if (argc > 2)
		return fail(EXIT_USAGE, "sonde tools [AREA|WORD]", "tools takes one word");
	tools_each(on_area, &areas);
	qsort(areas.names, areas.n, sizeof(areas.names[0]), name_compare);
	for (size_t i = 0; i < areas.n; i++) {
		size_t before = l.out.len, title;

		memcpy(l.area, areas.names[i], sizeof(l.area));
		strbuf_addf(&l.out, "%s%s%s:%s\n", before ? "\n" : "", l.page.bold, l.area, l.page.plain);
		title = l.out.len;
		tools_each(on_tool, &l);
		if (l.out.len == title)
			l.out.s[l.out.len = before] = 0;
	}
	if (l.found)
		return print_and_free(&l.out);
	strbuf_free(&l.out);
	return fail(EXIT_FAILED, "`sonde tools` lists all", "no tool matches '%s'", l.word ? l.word : "");
}

int cmd_show(int argc, char **argv)
{
	struct strbuf out = STRBUF_INIT;
	struct tool t;
	int r;

	if (argc != 2)
		return fail(EXIT_USAGE, "sonde show TOOL", "show takes the name of a tool");
	r = tool_find(argv[1], &t);
	if (r < 0)
		return EXIT_FAILED;
	if (!r)
		return fail(EXIT_USAGE, "`sonde tools` lists all", "there is no tool '%s'", argv[1]);
	strbuf_addstr(&out, t.source);
	tool_free(&t);
	return print_and_free(&out);
}
