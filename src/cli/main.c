/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Main: which of the things that sonde can do was asked for. */
#include "cli/cli.h"
#include "cli/tool.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"

/* Started with a standard stream closed, the next file opened would take its place and its output. */
static void streams_ensure(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/*
 * A closed pipe is an error of write() with a message, not the end of the process. A handler and not
 * SIG_IGN, which the command of -c would inherit.
 */
static void on_closed_pipe(int sig)
{
	(void)sig;
}

/*
 * Large files with debugging information are mapped. When somebody cuts one short while it is read, what is missing
 * reads as zeros, which is no debugging information.
 */
static void on_cut_file(int sig, siginfo_t *info, void *context)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)info->si_addr & ~(page - 1);

	(void)context;
	if (info->si_code != BUS_ADRERR ||
	    mmap((void *)at, page, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		signal(sig, SIG_DFL);
}

static void signals_set(void)
{
	struct sigaction cut = { .sa_sigaction = on_cut_file, .sa_flags = SA_SIGINFO };

	signal(SIGPIPE, on_closed_pipe);
	sigaction(SIGBUS, &cut, NULL);
}

static int process_setup(const struct options *o)
{
	struct sonde_process_options p = SONDE_OPTIONS(struct sonde_process_options,
		.debug_dirs = o->debug_dirs.len ? o->debug_dirs.s : NULL, .traceable_functions = o->traceable,
		.without_features = o->without, .libbpf_log = o->libbpf_log, .verifier_log = o->verifier_log,
		.message = message_receive);

	return sonde_process_setup(&p);
}

static int dispatch(const struct options *o)
{
	if (process_setup(o))
		return EXIT_USAGE;
	if (o->program_help)
		return show_params(o);
	if (o->help)
		return show_help();
	if (o->version)
		return show_version();
	if (o->info)
		return show_info();
	if (o->list)
		return list_probes(o);
	if (o->mode == MODE_FORMAT && (o->program || o->file))
		return format_program(o);
	if (o->program || o->file)
		return run_question(o);
	return show_usage();
}

/* A tool of this name runs; a file that is meant is written with a slash. */
static bool tool_try(int argc, char **argv, int *status)
{
	struct tool t;
	int found = tool_find(argv[0], &t);

	if (!found)
		return false;
	*status = found < 0 ? EXIT_FAILED : tool_run(&t, argc, argv);
	if (found > 0)
		tool_free(&t);
	return true;
}

int main(int argc, char **argv)
{
	const struct command *c = argc > 1 ? command_find(argv[1]) : NULL;
	struct options o = { 0 };
	int status;

	streams_ensure();
	signals_set();
	messages_init(&o);
	if (c && argc == 3 && (str_eq(argv[2], "--help") || str_eq(argv[2], "-h")))
		return command_help(c);
	if (c)
		return c->run(argc - 1, argv + 1);
	if (argc > 1 && subject_try(argc - 1, argv + 1, &status))
		return status;
	if (argc > 1 && tool_try(argc - 1, argv + 1, &status))
		return status;
	if (argc > 1)
		command_exec_external(argv[1], argv + 1);
	status = options_parse(&o, argc, argv);
	if (!status) {
		messages_init(&o);
		status = dispatch(&o);
	}
	options_free(&o);
	return status;
}
