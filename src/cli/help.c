/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Help: what the program says of itself. Options, commands and functions are printed from their tables. */
#include "cli/cli.h"

#include "base/util.h"
#include "cli/tool.h"

static const char usage[] =
	"USAGE:\n"
	"  sonde [OPTIONS] FILE [PARAMETERS]\n"
	"  sonde [OPTIONS] -e PROGRAM [PARAMETERS]\n"
	"  sonde -l [-v] [PATTERN]\n"
	"  sonde COMMAND [ARGUMENTS]\n";

static const char examples[] =
	"\nFor example:\n"
	"  sonde -e 'tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }'\n"
	"                        who makes how many system calls, until Ctrl-C\n"
	"  sonde -lv 'tracepoint:sched:sched_switch'\n"
	"                        what this probe offers\n"
	"  sonde build q.bt -o q.bpf.o\n"
	"                        compile now, load elsewhere\n";

static const char environment[] =
	"Settings of a program can be given in the environment, in capitals with SONDE_ (or BPFTRACE_) before\n"
	"them; they override those in the program:\n"
	"  SONDE_MAX_MAP_KEYS=100000 sonde q.bt\n"
	"\n"
	"  SONDE_COLOR           colour in messages: auto, always, never\n"
	"  NO_COLOR              when set and not empty: no colour\n";

static const char exit_status[] =
	"  0    the question was answered\n"
	"  1    it could not be answered; a message says why\n"
	"  2    the command line is wrong\n"
	"  130  Ctrl-C; the results until then were shown (143: SIGTERM, 129: SIGHUP)\n"
	"  N    the program called exit(N)\n";

int show_usage(void)
{
	say(usage);
	say("`sonde --help` shows all options.");
	return EXIT_USAGE;
}

static void add_commands(struct strbuf *out)
{
	for (const struct command *c = commands; c->name; c++)
		strbuf_addf(out, "  sonde %s %s\n                        %s\n", c->name, c->args, c->summary);
	subjects_print(out);
	strbuf_addstr(out, "  sonde NAME ...\n                        run the program sonde-NAME, if there is one\n");
}

int show_help(void)
{
	struct strbuf out = STRBUF_INIT;

	strbuf_addstr(&out, usage);
	strbuf_addstr(&out, "\nAsk the running Linux kernel a question, written in the bpftrace language.\n");
	options_print(&out);
	strbuf_addstr(&out, "\nCommands:\n");
	add_commands(&out);
	strbuf_addstr(&out, examples);
	strbuf_addstr(&out, "\nMore: sonde help functions | probes | views | environment | exit-status, and the manual: man sonde\n");
	return print_and_free(&out);
}

int show_version(void)
{
	struct strbuf out = STRBUF_INIT;

	strbuf_addf(&out, "sonde %s\n", sonde_version());
	/* Scripts ask which version of the language there is. */
	strbuf_addstr(&out, "bpftrace v0.26 (the language)\n");
	return print_and_free(&out);
}

int cmd_version(int argc, char **argv)
{
	(void)argc, (void)argv;
	return show_version();
}

struct function_search {
	struct strbuf *out;
	const char *name; /* NULL: all */
	size_t found;
	const char *names[1024]; /* for "did you mean"; valid as long as the library */
	size_t nnames;
};

static int on_function(void *ctx, const char *name, const char *signature, const char *summary)
{
	struct function_search *s = ctx;

	if (s->nnames < ARRAY_SIZE(s->names))
		s->names[s->nnames++] = name;
	if (s->name && !str_eq(s->name, name))
		return 0;
	s->found++;
	strbuf_addf(s->out, "  %s\n                        %s\n", signature, summary);
	return 0;
}

static int help_functions(void)
{
	struct strbuf out = STRBUF_INIT;
	struct function_search s = { .out = &out };

	sonde_list_functions(on_function, &s);
	return print_and_free(&out);
}

struct kind_search {
	struct strbuf *out;
	struct function_search *names; /* of all kinds, for "did you mean", or NULL */
	const char *name;              /* NULL: all */
	size_t found;
};

static int on_kind(void *ctx, const char *name, const char *forms, const char *summary)
{
	struct kind_search *s = ctx;

	if (s->names && s->names->nnames < ARRAY_SIZE(s->names->names))
		s->names->names[s->names->nnames++] = name;
	if (s->name && !str_eq(s->name, name))
		return 0;
	s->found++;
	strbuf_addf(s->out, "  %s\n                        %s\n", forms, summary);
	return 0;
}

static int help_probes(void)
{
	struct strbuf out = STRBUF_INIT;
	struct kind_search s = { .out = &out };

	sonde_list_kinds(on_kind, &s);
	return print_and_free(&out);
}

static int on_view(void *ctx, const char *name, const char *summary)
{
	strbuf_addf(ctx, "  %-10s%s\n", name, summary);
	return 0;
}

static int help_views(void)
{
	struct strbuf out = STRBUF_INIT;

	sonde_list_views(on_view, &out);
	strbuf_addstr(&out, "\n-f NAME chooses one, and so does the end of the name of -o FILE: .csv, .svg and .html (flame), .folded, .pb.gz,\n"
		      ".wav (tone). `sonde diff A.folded B.folded -o x.svg` draws what has changed between two recordings.\n");
	return print_and_free(&out);
}

static int help_options(void)
{
	struct strbuf out = STRBUF_INIT;

	strbuf_addstr(&out, usage);
	options_print(&out);
	return print_and_free(&out);
}

static int help_commands(void)
{
	struct strbuf out = STRBUF_INIT;

	add_commands(&out);
	return print_and_free(&out);
}

static int help_text(const char *text)
{
	struct strbuf out = STRBUF_INIT;

	strbuf_addstr(&out, text);
	return print_and_free(&out);
}

static int help_environment(void)
{
	return help_text(environment);
}

static int help_exit_status(void)
{
	return help_text(exit_status);
}

static const struct {
	const char *name;
	int (*show)(void);
} topics[] = {
	{ "options", help_options }, { "commands", help_commands }, { "functions", help_functions },
	{ "probes", help_probes }, { "views", help_views },
	{ "environment", help_environment }, { "exit-status", help_exit_status },
};

const char *help_topic(size_t i)
{
	return i < ARRAY_SIZE(topics) ? topics[i].name : NULL;
}

static int help_unknown(struct function_search *s, const char *topic)
{
	_cleanup_strbuf_ struct strbuf hint = STRBUF_INIT;
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(topics) && s->nnames < ARRAY_SIZE(s->names); i++)
		s->names[s->nnames++] = topics[i].name;
	near = nearest_name(topic, s->names, s->nnames);
	if (near)
		strbuf_addf(&hint, "did you mean '%s'?", near);
	else
		strbuf_addstr(&hint, "topics: options commands functions probes views environment exit-status, "
				    "or the name of a function or of a kind of probe");
	return fail(EXIT_USAGE, hint.s, "there is no help on '%s'", topic);
}

/* A command, a function of the language or a kind of probe, by name. */
static int help_name(const char *name)
{
	struct strbuf out = STRBUF_INIT;
	struct function_search s = { .out = &out, .name = name };
	struct kind_search k = { .out = &out, .names = &s, .name = name };
	const struct command *c = command_find(name);

	if (c)
		strbuf_addf(&out, "  sonde %s %s\n                        %s\n", c->name, c->args, c->summary);
	sonde_list_functions(on_function, &s);
	sonde_list_kinds(on_kind, &k);
	if (c || s.found || k.found)
		return print_and_free(&out);
	strbuf_free(&out);
	return help_unknown(&s, name);
}

int cmd_help(int argc, char **argv)
{
	struct tool t;
	int found, status;

	if (argc < 2)
		return show_help();
	for (size_t i = 0; i < ARRAY_SIZE(topics); i++)
		if (str_eq(topics[i].name, argv[1]))
			return topics[i].show();
	if (subject_help_try(argc - 1, argv + 1, &status))
		return status;
	found = tool_find(argv[1], &t);
	if (!found)
		return help_name(argv[1]);
	status = found > 0 ? tool_help(&t) : EXIT_FAILED;
	if (found > 0)
		tool_free(&t);
	return status;
}
