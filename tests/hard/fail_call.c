/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fail_call N COUNT-FILE COMMAND...: run a command of which system call number N fails (0: none), whoever makes it,
 * and write to COUNT-FILE how many there were and which one failed. Counting begins where fail_alloc.c, which is
 * preloaded, says so. What cannot fail, or cannot be told apart from the end of the process, is not counted. Children
 * are left alone. Exit status: that of the command, or 200 and the signal that killed it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static const long left_alone[] = {
	SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_munmap, SYS_close, SYS_brk,
	SYS_getpid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getppid, SYS_futex, SYS_execve,
	SYS_restart_syscall, SYS_sched_yield, SYS_wait4, SYS_waitid, SYS_kill, SYS_tgkill, SYS_vfork, SYS_fork,
	SYS_uname, SYS_umask, SYS_epoll_wait, SYS_epoll_pwait, SYS_clock_nanosleep, SYS_poll, SYS_rseq, SYS_set_robust_list,
};

static int is_counted(long nr)
{
	for (size_t i = 0; i < sizeof(left_alone) / sizeof(left_alone[0]); i++)
		if (left_alone[i] == nr)
			return 0;
	return nr >= 0;
}

static int error_of(long nr)
{
	switch (nr) {
	case SYS_read:
	case SYS_pread64:
	case SYS_write:
	case SYS_pwrite64:
	case SYS_writev:
	case SYS_getdents64:
		return EIO;
	case SYS_openat:
	case SYS_open:
		return EMFILE;
	case SYS_ioctl:
	case SYS_perf_event_open:
		return EPERM;
	default:
		return ENOMEM;
	}
}

struct injector {
	pid_t pid;
	long at, seen, failed;
	int counting, inside, failing;
};

/* At the entry of a system call, or at its end. */
static void at_call(struct injector *j)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, j->pid, 0, &regs))
		return;
	j->inside = !j->inside;
	if (j->inside) {
		long nr = (long)regs.orig_rax;

		if (nr == -77)
			j->counting = 1;
		if (!j->counting || !is_counted(nr) || ++j->seen != j->at)
			return;
		j->failing = 1;
		j->failed = nr;
		regs.orig_rax = (unsigned long long)-1;
		ptrace(PTRACE_SETREGS, j->pid, 0, &regs);
	} else if (j->failing) {
		j->failing = 0;
		regs.rax = (unsigned long long)(-(long)error_of(j->failed));
		ptrace(PTRACE_SETREGS, j->pid, 0, &regs);
	}
}

static int follow(struct injector *j)
{
	int status, signal = 0;

	while (!ptrace(PTRACE_SYSCALL, j->pid, 0, signal) && waitpid(j->pid, &status, __WALL) == j->pid) {
		signal = 0;
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		if (WIFSIGNALED(status))
			return 200 + WTERMSIG(status);
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			at_call(j);
		else if (WSTOPSIG(status) != SIGTRAP)
			signal = WSTOPSIG(status);
	}
	return 250;
}

int main(int argc, char **argv)
{
	struct injector j = { .failed = -1 };
	int status;
	FILE *f;

	if (argc < 4)
		return 251;
	j.at = atol(argv[1]);
	j.pid = fork();
	if (!j.pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execvp(argv[3], argv + 3);
		_exit(252);
	}
	if (j.pid < 0 || waitpid(j.pid, &status, 0) != j.pid ||
	    ptrace(PTRACE_SETOPTIONS, j.pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL))
		return 253;
	status = follow(&j);
	f = fopen(argv[2], "w");
	if (f) {
		fprintf(f, "%ld %ld\n", j.seen, j.failed);
		fclose(f);
	}
	return status;
}
