/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands: what `sonde NAME` does. A name that is not built in is looked for as a program sonde-NAME, so
 * that what needs heavier libraries can be a program of its own.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"

const struct command commands[] = {
	{ "build", "FILE -o OUT.bpf.o", "compile a program into a standard BPF object",
	  "The object loads with libbpf or `bpftool prog loadall`. Without -o its name is that of FILE, with .bpf.o for .bt;\n"
	  "-e PROGRAM stands for a file. -I, --include and what else belongs to compiling is as in `sonde --help`.\n", cmd_build },
	{ "checkup", "[SECONDS] [-f json]", "look the machine over and say on one page what is worth a closer look",
	  "SECONDS is how long to look (10 unless told). A ! stands before what is worth a closer look, and each line ends\n"
	  "with the tools that go deeper: `sonde help TOOL` says what they do. -f json prints one object.\n", cmd_checkup },
	{ "complete", "WORD...", "what may stand at the end of a command line, for the completion of shells",
	  "The last word is the one to be completed. Each line is a word, a tab, and what it means.\n", cmd_complete },
	{ "diff", "BEFORE.folded AFTER.folded -o OUT.svg", "draw how a recording of stacks differs from another",
	  "Recordings are made with -o FILE.folded. The flame graph is that of AFTER; what grew is red, what shrank blue.\n"
	  "OUT.html is a page of its own.\n", cmd_diff },
	{ "help", "[TOPIC]", "explain a command, a function or a topic",
	  "Without a topic, the same as `sonde --help`.\n", cmd_help },
	{ "show", "TOOL", "print the source of a tool, to copy and change",
	  "A copy in ~/.config/sonde/tools, or in a directory of SONDE_TOOLS, is a tool by the name of its file.\n", cmd_show },
	{ "tools", "[AREA|WORD]", "list the tools",
	  "An area is one of the headings of the whole list; a word is looked for in names and summaries.\n", cmd_tools },
	{ "version", "", "show the version", NULL, cmd_version },
	{ NULL, NULL, NULL, NULL, NULL },
};

int command_help(const struct command *c)
{
	struct strbuf out = STRBUF_INIT;

	strbuf_addf(&out, "usage: sonde %s%s%s\n\n%s: %s\n", c->name, *c->args ? " " : "", c->args, c->name, c->summary);
	if (c->more)
		strbuf_addf(&out, "\n%s", c->more);
	return print_and_free(&out);
}

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (str_eq(c->name, name))
			return c;
	return NULL;
}

const char *command_nearest(const char *name)
{
	const char *names[ARRAY_SIZE(commands)];
	size_t n = 0;

	for (const struct command *c = commands; c->name; c++)
		names[n++] = c->name;
	return nearest_name(name, names, n);
}

void command_exec_external(const char *name, char **argv)
{
	_cleanup_strbuf_ struct strbuf program = STRBUF_INIT;

	if (strpbrk(name, "/.") || name[0] == '-' || !*name)
		return;
	strbuf_addf(&program, "%s/sonde-%s", SONDE_LIBEXEC, name);
	if (program.failed)
		return;
	execv(program.s, argv);
	strbuf_reset(&program);
	strbuf_addf(&program, "sonde-%s", name);
	if (program.failed)
		return;
	execvp(program.s, argv);
	if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
		exit(fail(EXIT_FAILED, NULL, "cannot run %s: %m", program.s));
}
