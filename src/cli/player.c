/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Player: a view that is heard and not seen is played by a program of its own, which reads records from a pipe. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/util.h"

/* First the one installed with sonde, then any on the PATH. */
static int spawn(pid_t *pid, const char *name, char **argv, posix_spawn_file_actions_t *actions)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	int err;

	strbuf_addf(&path, "%s/%s", SONDE_LIBEXEC, name);
	if (path.failed)
		return ENOMEM;
	err = posix_spawn(pid, path.s, actions, NULL, argv, environ);
	return err ? posix_spawnp(pid, name, actions, NULL, argv, environ) : 0;
}

int player_start(struct player *p, const char *name, const char *range)
{
	_cleanup_strbuf_ struct strbuf program = STRBUF_INIT, option = STRBUF_INIT;
	char *argv[3] = { 0 };
	posix_spawn_file_actions_t actions;
	int ends[2], err;

	strbuf_addf(&program, "sonde-%s", name);
	strbuf_addf(&option, "--range=%s", range ? range : "");
	if (program.failed || option.failed || pipe2(ends, O_CLOEXEC))
		return fail(EXIT_FAILED, NULL, "cannot run sonde-%s: %m", name);
	argv[0] = program.s;
	argv[1] = range ? option.s : NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
	err = spawn(&p->pid, program.s, argv, &actions);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	p->fd = ends[1];
	if (!err)
		return 0;
	close(ends[1]);
	errno = err;
	return fail(EXIT_FAILED, "write the sound to a file: -o FILE.wav", "cannot run %s, which plays it: %m", program.s);
}

int player_end(struct player *p)
{
	int status = 0;

	close(p->fd);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EPIPE;
}
