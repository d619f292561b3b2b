/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command: fork, wait for a byte, exec; a failure of exec comes back through a pipe. */
#include "run/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/util.h"

/* A child that has been asked to end gets this long before it is killed. */
#define GRACE_MS 2000

struct command {
	pid_t pid;
	int pid_fd;
	int go_fd;    /* a byte sent here lets it exec; closed without one, it exits */
	int error_fd; /* the errno of its exec comes here; closed when exec succeeded */
	bool reaped;
	int wstatus;
	char path[];
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* One word from *in to *out, both moved on. False: a quote is not closed. */
static bool word_copy(const char **in, char **out)
{
	const char *p = *in;
	char *o = *out, quote = 0;

	for (; *p && (quote || !is_blank(*p)); p++) {
		if (quote ? *p == quote : *p == '\'' || *p == '"') {
			quote = quote ? 0 : *p;
		} else if (*p == '\\' && quote != '\'' && p[1]) {
			*o++ = *++p;
		} else {
			*o++ = *p;
		}
	}
	*o++ = 0;
	*in = p;
	*out = o;
	return !quote;
}

char **words_split(const char *command)
{
	/* A word takes at least one byte and a blank of the command, so half of it plus one are enough. */
	size_t len = strlen(command), most = len / 2 + 2, n = 0;
	char **words = malloc(most * sizeof(*words) + len + 1);
	char *text;

	if (!words)
		return NULL;
	text = (char *)(words + most);
	for (;;) {
		while (is_blank(*command))
			command++;
		if (!*command)
			break;
		words[n++] = text;
		if (!word_copy(&command, &text)) {
			n = 0;
			break;
		}
	}
	words[n] = NULL;
	if (n)
		return words;
	free(words);
	errno = EINVAL;
	return NULL;
}

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

/* The file of a program: as given when it has a slash, else from PATH. malloc()ed; NULL: not found. */
static char *program_find(const char *name)
{
	const char *path = getenv("PATH");
	char *found = NULL;

	if (strchr(name, '/'))
		return is_program(name) ? strdup(name) : NULL;
	for (const char *dir = path ? path : "/usr/local/bin:/usr/bin:/bin"; *dir;) {
		size_t n = strcspn(dir, ":");

		/* An empty entry is the present directory. */
		if (asprintf(&found, "%.*s/%s", n ? (int)n : 1, n ? dir : ".", name) < 0)
			return NULL;
		if (is_program(found))
			return found;
		free(TAKE_PTR(found));
		dir += n + (dir[n] == ':');
	}
	return NULL;
}

/* In the child. Only async-signal-safe calls: the parent may have had threads. */
static _Noreturn void command_run(const char *path, char *const *words, pid_t parent, int go_fd, int error_fd)
{
	char go;
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	/* Only now may probes be attached: no system call above may be counted as the command's. */
	if (write(go_fd, "r", 1) != 1)
		_exit(127);
	do
		n = read(go_fd, &go, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1) {
		execv(path, words);
		if (write(error_fd, &(int){ errno }, sizeof(int)) < 0)
			_exit(126);
	}
	_exit(127);
}

struct pipes {
	int go[2], error[2];
};

static void pipes_close(struct pipes *p)
{
	close_fd(&p->go[0]);
	close_fd(&p->go[1]);
	close_fd(&p->error[0]);
	close_fd(&p->error[1]);
}

/* Wait until the child has nothing more to do than to wait for us (or has died: then it will show). */
static void command_await(int go_fd)
{
	char ready;

	while (read(go_fd, &ready, 1) < 0 && errno == EINTR)
		;
}

static int command_fork(struct command *c, char *const *words, struct pipes *p)
{
	pid_t parent = getpid();

	/* A socket, because a write to a pipe without a reader would raise SIGPIPE. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p->go) || pipe2(p->error, O_CLOEXEC))
		return -errno;
	c->pid = fork();
	if (c->pid < 0)
		return -errno;
	if (!c->pid) {
		/* Its copy of the parent's end would keep it waiting when the parent dies. */
		close(p->go[1]);
		command_run(c->path, words, parent, p->go[0], p->error[1]);
	}
	c->go_fd = TAKE_FD(p->go[1]);
	/* With our copy of its end closed, the death of the child ends the wait. */
	close(TAKE_FD(p->go[0]));
	command_await(c->go_fd);
	c->error_fd = TAKE_FD(p->error[0]);
	c->pid_fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	return 0;
}

int command_start(const char *command, const struct reporter *r, struct command **out)
{
	_cleanup_free_ char **words = words_split(command);
	_cleanup_free_ char *path = NULL;
	struct pipes p = { { -1, -1 }, { -1, -1 } };
	struct command *c;
	int err;

	if (!words)
		return report_error(r, -errno, errno == EINVAL ? "it needs a word, and every quote must be closed" : NULL,
				    "cannot run the command '%s'", command);
	path = program_find(words[0]);
	if (!path)
		return report_error(r, -ENOENT, strchr(words[0], '/') ? NULL : "is it in PATH?",
				    "cannot run '%s': there is no such program", words[0]);
	c = calloc(1, sizeof(*c) + strlen(path) + 1);
	if (!c)
		return report_error(r, -ENOMEM, NULL, "no memory to run '%s'", path);
	memcpy(c->path, path, strlen(path) + 1);
	c->go_fd = c->error_fd = c->pid_fd = -1;
	err = command_fork(c, words, &p);
	pipes_close(&p);
	if (err) {
		free(c);
		return report_error(r, err, NULL, "cannot make a process for '%s': %s", path, strerror(-err));
	}
	*out = c;
	return 0;
}

pid_t command_pid(const struct command *c)
{
	return c->pid;
}

const char *command_program(const struct command *c)
{
	return c->path;
}

/* Wait until the exec has stopped it. False: it has ended. */
static bool exec_await(struct command *c)
{
	int status;

	for (;;) {
		if (waitpid(c->pid, &status, __WALL) != c->pid) {
			if (errno == EINTR)
				continue;
			return false;
		}
		if (!WIFSTOPPED(status)) {
			c->wstatus = status;
			c->reaped = true;
			return false;
		}
		if (status >> 16 == PTRACE_EVENT_EXEC)
			return true;
		/* a signal that came before */
		ptrace(PTRACE_CONT, c->pid, NULL, status >> 16 ? 0 : WSTOPSIG(status));
	}
}

int command_continue(struct command *c, const struct reporter *r, void (*begun)(void *ctx), void *ctx)
{
	bool held = false;
	int err = 0;
	ssize_t n;

	if (c->go_fd < 0)
		return 0;
	/* Nobody may who has not CAP_SYS_PTRACE, without which a program that is held would not get the rights of its file. */
	if (begun)
		held = !ptrace(PTRACE_SEIZE, c->pid, NULL, PTRACE_O_TRACEEXEC);
	if (send(c->go_fd, "g", 1, MSG_NOSIGNAL) != 1)
		return report_error(r, -ESRCH, NULL, "the process for '%s' has ended before it could begin", c->path);
	close(TAKE_FD(c->go_fd));
	do
		n = read(c->error_fd, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	close(TAKE_FD(c->error_fd));
	if (held && !n && exec_await(c)) {
		begun(ctx);
		ptrace(PTRACE_DETACH, c->pid, NULL, NULL);
	}
	if (n == sizeof(err) && err)
		return report_error(r, -err, err == ENOEXEC ? "a script needs a first line such as #!/bin/sh" : NULL,
				    "cannot run '%s': %s", c->path, strerror(err));
	return 0;
}

static bool command_reap(struct command *c, int flags)
{
	if (!c->reaped && waitpid(c->pid, &c->wstatus, flags) == c->pid)
		c->reaped = true;
	return c->reaped;
}

/* Has it ended, or does it within GRACE_MS? */
static bool command_wait(struct command *c)
{
	struct pollfd p = { .fd = c->pid_fd, .events = POLLIN };

	if (!command_reap(c, WNOHANG) && c->pid_fd >= 0)
		while (poll(&p, 1, GRACE_MS) < 0 && errno == EINTR)
			;
	return command_reap(c, WNOHANG);
}

static int status_of(int wstatus)
{
	return WIFSIGNALED(wstatus) ? 128 + WTERMSIG(wstatus) : WEXITSTATUS(wstatus);
}

void command_end(struct command *c, int *status)
{
	if (!c)
		return;
	/* One that has not begun exits by itself when its pipe closes. */
	if (c->go_fd < 0 && !command_reap(c, WNOHANG)) {
		kill(c->pid, SIGTERM);
		kill(c->pid, SIGCONT);
	}
	close_fd(&c->go_fd);
	close_fd(&c->error_fd);
	if (!command_wait(c)) {
		kill(c->pid, SIGKILL);
		command_reap(c, 0);
	}
	close_fd(&c->pid_fd);
	if (status)
		*status = status_of(c->wstatus);
	free(c);
}
