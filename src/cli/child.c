/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Child: the command of -c. It is forked before the probes are attached, because its number must be known,
 * and becomes the command after, because nothing of it may be missed.
 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/util.h"

/*
 * Split a command at blanks; quotes and backslashes work as in the shell, nothing else does. The words
 * are written over `text`. Returns the number of words, -1 for a quote without an end.
 */
static int split_words(char *text, char **words)
{
	char *in = text, *out = text, quote = 0;
	int n = 0;

	for (;;) {
		while (*in == ' ' || *in == '\t' || *in == '\n')
			in++;
		if (!*in)
			break;
		words[n++] = out;
		for (; *in && (quote || !strchr(" \t\n", *in)); in++) {
			if (quote ? *in == quote : *in == '"' || *in == '\'')
				quote = quote ? 0 : *in;
			else if (*in == '\\' && quote != '\'' && in[1])
				*out++ = *++in;
			else
				*out++ = *in;
		}
		if (*in)
			in++;
		*out++ = 0;
	}
	words[n] = NULL;
	return quote ? -1 : n;
}

_Noreturn static void child_main(char **words, int go, int err_fd, pid_t parent)
{
	char byte = 0;
	int err;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	while (read(go, &byte, 1) < 0 && errno == EINTR)
		;
	if (byte == 'g') {
		signal(SIGPIPE, SIG_DFL);
		execvp(words[0], words);
		err = errno;
		if (write(err_fd, &err, sizeof(err)) < 0)
			_exit(126);
	}
	_exit(127);
}

static int fork_words(struct child *c, char **words)
{
	int go[2], err[2];
	pid_t parent = getpid();

	if (pipe2(go, O_CLOEXEC))
		return fail(EXIT_FAILED, NULL, "cannot make a pipe: %m");
	if (pipe2(err, O_CLOEXEC)) {
		close(go[0]);
		close(go[1]);
		return fail(EXIT_FAILED, NULL, "cannot make a pipe: %m");
	}
	c->pid = fork();
	if (c->pid == 0) {
		close(go[1]);
		close(err[0]);
		child_main(words, go[0], err[1], parent);
	}
	close(go[0]);
	close(err[1]);
	c->go = go[1];
	c->err = err[0];
	if (c->pid < 0) {
		c->pid = 0;
		child_end(c);
		return fail(EXIT_FAILED, NULL, "cannot start a process: %m");
	}
	return 0;
}

int child_prepare(struct child *c, const char *command)
{
	_cleanup_free_ char *text = strdup(command);
	_cleanup_free_ char **words = calloc(strlen(command) / 2 + 2, sizeof(*words));
	int n;

	if (!text || !words)
		return fail(EXIT_FAILED, NULL, "out of memory");
	n = split_words(text, words);
	if (n < 0)
		return fail(EXIT_USAGE, NULL, "-c: a quote is not closed in: %s", command);
	if (!n)
		return fail(EXIT_USAGE, NULL, "-c: the command is empty");
	return fork_words(c, words);
}

int child_start(struct child *c, const char *command)
{
	int err = 0;
	ssize_t n;

	if (write(c->go, "g", 1) != 1)
		return fail(EXIT_FAILED, NULL, "cannot start '%s': %m", command);
	/* The pipe closes by itself when the command has taken over. */
	do {
		n = read(c->err, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	if (n == sizeof(err)) {
		errno = err;
		return fail(EXIT_FAILED, NULL, "cannot run '%s': %m", command);
	}
	return 0;
}

void child_end(struct child *c)
{
	if (c->go >= 0)
		close(c->go);
	if (c->err >= 0)
		close(c->err);
	c->go = c->err = -1;
	if (!c->pid)
		return;
	if (waitpid(c->pid, NULL, WNOHANG) == 0) {
		kill(c->pid, SIGTERM);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	c->pid = 0;
}
