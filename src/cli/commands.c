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
	{ "build", "FILE -o OUT.bpf.o", "compile a program into a standard BPF object", cmd_build },
	{ "checkup", "[SECONDS] [-f json]", "look the machine over and say on one page what is worth a closer look", cmd_checkup },
	{ "complete", "WORD...", "what may stand at the end of a command line, for the completion of shells", cmd_complete },
	{ "diff", "BEFORE.folded AFTER.folded -o OUT.svg", "draw how a recording of stacks differs from another", cmd_diff },
	{ "help", "[TOPIC]", "explain a command, a function or a topic", cmd_help },
	{ "show", "TOOL", "print the source of a tool, to copy and change", cmd_show },
	{ "tools", "[AREA|WORD]", "list the tools", cmd_tools },
	{ "version", "", "show the version", cmd_version },
	{ NULL, NULL, NULL, NULL },
};

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
