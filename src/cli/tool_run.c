/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tool_run: a tool's command line. Its own parameters come by the names that its source gives them, by the letters
 * and in the order of words that its header says; all else is an option of sonde.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/tool.h"

#define MOST_WORDS 256

struct param {
	char *name;
	bool takes_value, is_number;
};

struct invocation {
	const struct tool *tool;
	struct param params[64];
	size_t nparams;
	char *given[MOST_WORDS]; /* "--name=value", owned */
	size_t ngiven;
	char *own[MOST_WORDS];   /* options of sonde, from argv */
	size_t nown;
	size_t nwords;
	bool help;
};

static int on_param(void *ctx, const char *name, const char *kind, const char *value, const char *description)
{
	struct invocation *in = ctx;

	(void)value, (void)description;
	if (in->nparams == ARRAY_SIZE(in->params))
		return 0;
	in->params[in->nparams].takes_value = kind;
	in->params[in->nparams].is_number = kind && str_eq(kind, "NUMBER");
	in->params[in->nparams].name = strdup(name);
	return in->params[in->nparams++].name ? 0 : fail(EXIT_FAILED, NULL, "out of memory");
}

static const struct param *param_named(const struct invocation *in, const char *name, size_t len)
{
	for (size_t i = 0; i < in->nparams; i++)
		if (strlen(in->params[i].name) == len && !memcmp(in->params[i].name, name, len))
			return &in->params[i];
	return NULL;
}

/* "letters: p=pid d=disk" */
static const struct param *param_lettered(const struct invocation *in, char letter)
{
	const char *p = tool_value(in->tool, "letters", 0);

	while (p && *p) {
		size_t len = strcspn(p, " \n");

		if (len > 2 && p[0] == letter && p[1] == '=')
			return param_named(in, p + 2, len - 2);
		p += len + strspn(p + len, " \n");
	}
	return NULL;
}

/* "words: $1=FUNCTION interval count": the name at a place, and its length, or NULL behind the last. */
static const char *word_placed(const struct invocation *in, size_t place, size_t *len)
{
	const char *p = tool_value(in->tool, "words", 0);

	while (p && *p) {
		*len = strcspn(p, " \n");
		if (!place--)
			return p;
		p += *len + strspn(p + *len, " \n");
	}
	return NULL;
}

/* As the program will read it. */
static bool is_number(const char *text)
{
	char *end;

	errno = 0;
	if (*text == '-')
		strtoll(text, &end, 0);
	else
		strtoull(text, &end, 0);
	return !errno && end > text && !*end;
}

static int give(struct invocation *in, const struct param *p, const char *value)
{
	if (value && p->is_number && !is_number(value))
		return fail(EXIT_USAGE, NULL, "%s: %s is a number, and '%s' is none", in->tool->name, p->name, value);
	if (in->ngiven == ARRAY_SIZE(in->given))
		return fail(EXIT_USAGE, NULL, "too many parameters");
	if (asprintf(&in->given[in->ngiven], "--%s%s%s", p->name, value ? "=" : "", value ? value : "") < 0) {
		in->given[in->ngiven] = NULL;
		return fail(EXIT_FAILED, NULL, "out of memory");
	}
	in->ngiven++;
	return 0;
}

static int keep(struct invocation *in, char **argv, int n)
{
	if (in->nown + (size_t)n >= ARRAY_SIZE(in->own))
		return fail(EXIT_USAGE, NULL, "too many options");
	while (n-- > 0)
		in->own[in->nown++] = *argv++;
	return 0;
}

static int take_param(struct invocation *in, const struct param *p, const char *attached, char **argv, int *used)
{
	if (!p->takes_value)
		return attached ? fail(EXIT_USAGE, NULL, "--%s takes no value", p->name) : give(in, p, NULL);
	if (attached)
		return give(in, p, attached);
	if (!argv[1])
		return fail(EXIT_USAGE, NULL, "%s needs a value: --%s VALUE", argv[0], p->name);
	*used = 2;
	return give(in, p, argv[1]);
}

/* Neither a parameter of the tool nor an option of sonde. */
static int no_such_option(const struct invocation *in, const char *word)
{
	const char *names[ARRAY_SIZE(in->params)], *near;

	for (size_t i = 0; i < in->nparams; i++)
		names[i] = in->params[i].name;
	near = word[1] == '-' ? nearest_name(word + 2, names, in->nparams) : NULL;
	if (near)
		return fail(EXIT_USAGE, NULL, "%s: there is no option '%s'; did you mean '--%s'?", in->tool->name, word, near);
	return fail(EXIT_USAGE, NULL, "%s: there is no option '%s'; `sonde help %s` lists them", in->tool->name, word,
		    in->tool->name);
}

static int take_long(struct invocation *in, char **argv, int *used)
{
	const char *name = argv[0] + 2, *eq = strchr(name, '=');
	size_t len = eq ? (size_t)(eq - name) : strlen(name);
	const struct param *p = param_named(in, name, len);

	if (p)
		return take_param(in, p, eq ? eq + 1 : NULL, argv, used);
	if (!option_exists(argv[0]))
		return no_such_option(in, argv[0]);
	*used = option_words(argv);
	return keep(in, argv, *used);
}

/* -m, -p5, -p 5; several letters in one word when none takes a value: -xm. */
static int take_letters(struct invocation *in, char **argv, int *used)
{
	const struct param *p = param_lettered(in, argv[0][1]);
	int err;

	if (!p && !option_exists(argv[0]))
		return no_such_option(in, argv[0]);
	if (!p) {
		*used = option_words(argv);
		return keep(in, argv, *used);
	}
	if (p->takes_value)
		return take_param(in, p, argv[0][2] ? argv[0] + 2 : NULL, argv, used);
	for (const char *c = argv[0] + 1; *c; c++) {
		p = param_lettered(in, *c);
		if (!p || p->takes_value)
			return fail(EXIT_USAGE, NULL, "%s: there is no option '-%c' that takes no value", in->tool->name, *c);
		err = give(in, p, NULL);
		if (err)
			return err;
	}
	return 0;
}

/* What the program knows as $1, $2, ... goes to it as it is. */
static int give_positional(struct invocation *in, const char *word)
{
	if (!*word || *word == '-')
		return fail(EXIT_USAGE, NULL, "%s: '%s' is not what it takes", in->tool->name, word);
	if (in->ngiven == ARRAY_SIZE(in->given))
		return fail(EXIT_USAGE, NULL, "too many parameters");
	in->given[in->ngiven] = strdup(word);
	return in->given[in->ngiven++] ? 0 : fail(EXIT_FAILED, NULL, "out of memory");
}

static int take_word(struct invocation *in, const char *word)
{
	size_t len = 0;
	const char *name = word_placed(in, in->nwords++, &len);
	const struct param *p;

	if (name && *name == '$')
		return give_positional(in, word);
	p = name ? param_named(in, name, len) : NULL;
	if (p)
		return give(in, p, word);
	return fail(EXIT_USAGE, NULL, "%s: '%s' is left over; `sonde help %s` shows what it takes", in->tool->name, word,
		    in->tool->name);
}

static int take_arguments(struct invocation *in, int argc, char **argv)
{
	int err = 0, used;
	bool only_words = false;

	for (int i = 0; i < argc && !err; i += used) {
		used = 1;
		if (!only_words && str_eq(argv[i], "--"))
			only_words = true;
		else if (!only_words && (str_eq(argv[i], "--help") || str_eq(argv[i], "-h")) && !param_lettered(in, 'h'))
			in->help = true;
		else if (only_words || argv[i][0] != '-' || !argv[i][1])
			err = take_word(in, argv[i]);
		else if (argv[i][1] == '-')
			err = take_long(in, argv + i, &used);
		else
			err = take_letters(in, argv + i, &used);
	}
	return err;
}

/* A tool cannot do without those words that its program knows as $1, $2, ... */
static int check_words(const struct invocation *in)
{
	size_t len;
	const char *name = word_placed(in, in->nwords, &len), *eq = name ? memchr(name, '=', len) : NULL;

	if (!eq || *name != '$')
		return 0;
	return fail(EXIT_USAGE, NULL, "%s needs %.*s; `sonde help %s` shows what it takes", in->tool->name,
		    (int)(name + len - eq - 1), eq + 1, in->tool->name);
}

/* What an alias stands for comes first, so that the command line wins. */
static int take_preset(struct invocation *in)
{
	char *words[16], *save = NULL;
	_cleanup_free_ char *copy = in->tool->preset ? strdup(in->tool->preset) : NULL;
	int n = 0;

	for (char *w = copy ? strtok_r(copy, " ", &save) : NULL; w && n < 15; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	words[n] = NULL;
	return take_arguments(in, n, words);
}

/* "PID:7 process id\nCOMM name" -> "PID:7,COMM" */
static void columns_spec(const char *value, struct strbuf *out)
{
	while (value && *value) {
		size_t len = strcspn(value, " \n");

		if (len) {
			strbuf_addstr(out, out->len ? "," : "");
			strbuf_add(out, value, len);
		}
		value += strcspn(value, "\n");
		value += *value == '\n';
	}
}

static int ways_take(const struct tool *t, struct options *o)
{
	size_t n = 0;

	while (tool_value(t, "way", n))
		n++;
	o->ways = calloc(n + 1, sizeof(*o->ways));
	if (!o->ways)
		return fail(EXIT_FAILED, NULL, "out of memory");
	for (o->nways = 0; o->nways < n; o->nways++)
		o->ways[o->nways] = tool_value(t, "way", o->nways);
	return 0;
}

static int run(struct invocation *in, struct options *o)
{
	const char *view = tool_value(in->tool, "view", 0);
	_cleanup_strbuf_ struct strbuf columns = STRBUF_INIT;
	int status = ways_take(in->tool, o);

	if (status)
		return status;
	columns_spec(tool_value(in->tool, "columns", 0), &columns);
	o->program = in->tool->source;
	o->import_text = tool_import;
	o->title = in->tool->path ? in->tool->path : in->tool->name;
	/* The tool's own view where it can write the file, too: a heat map is no flame graph. */
	if (!o->view_asked || (o->view_by_file && view && sonde_view_takes_file(view, o->output))) {
		o->format = view ? view : "table";
		o->view_by_file = false;
	}
	o->range = o->range ? o->range : tool_value(in->tool, "range", 0);
	o->columns = columns.len ? columns.s : NULL;
	o->params = (const char **)(void *)in->given;
	o->nparams = in->ngiven;
	o->quiet = true;
	messages_init(o);
	status = run_question(o);
	free(o->ways);
	return status;
}

/* Parameters of the usual names whose values are things of this machine. 0 and nothing stand for all. */
static const struct {
	const char *before, *directory, *what, *hint;
} things[] = {
	{ "--disk=", "/sys/block", "disk", "; `lsblk -d` lists the disks" },
	{ "--pid=", "/proc", "process", "" },
};

/* What is not there would never be seen, and nobody would know why. */
static int check_thing(const struct invocation *in, const char *given)
{
	for (size_t i = 0; i < ARRAY_SIZE(things); i++) {
		const char *value = given + strlen(things[i].before);
		_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;

		if (!str_starts(given, things[i].before) || !*value || str_eq(value, "0"))
			continue;
		strbuf_addf(&path, "%s/%s", things[i].directory, value);
		if (path.failed || strchr(value, '/') || access(path.s, F_OK))
			return fail(EXIT_USAGE, NULL, "%s: there is no %s '%s'%s", in->tool->name, things[i].what, value,
				    things[i].hint);
	}
	return 0;
}

static int check_things(const struct invocation *in)
{
	int err = 0;

	for (size_t i = 0; i < in->ngiven && !err; i++)
		err = check_thing(in, in->given[i]);
	return err;
}

static void invocation_free(struct invocation *in)
{
	for (size_t i = 0; i < in->nparams; i++)
		free(in->params[i].name);
	for (size_t i = 0; i < in->ngiven; i++)
		free(in->given[i]);
	free(in);
}

static int invoke(struct invocation *in, int argc, char **argv)
{
	struct options o;
	int status;

	in->own[in->nown++] = argv[0];
	if (tool_params(in->tool, on_param, in))
		return EXIT_FAILED;
	status = take_preset(in);
	status = status ? status : take_arguments(in, argc - 1, argv + 1);
	if (status)
		return status;
	if (in->help)
		return tool_help(in->tool);
	status = check_words(in);
	status = status ? status : check_things(in);
	if (status)
		return status;
	status = options_parse(&o, (int)in->nown, in->own);
	if (!status) {
		free(TAKE_PTR(o.params));
		status = run(in, &o);
		o.params = NULL; /* they are ours */
	}
	options_free(&o);
	return status;
}

int tool_run(struct tool *t, int argc, char **argv)
{
	struct invocation *in = calloc(1, sizeof(*in));
	int status;

	if (!in)
		return fail(EXIT_FAILED, NULL, "out of memory");
	in->tool = t;
	status = invoke(in, argc, argv);
	invocation_free(in);
	return status;
}
