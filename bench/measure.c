/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure FD COMMAND...: run it and print on the descriptor its number, and when it has ended "wall_ms cpu_ms peak_kib
 * status". A program of its own because the peak memory of a process counts what its parent held when it forked.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

int main(int argc, char **argv)
{
	struct timespec a, b;
	struct rusage u;
	int status, fd;
	pid_t pid;

	if (argc < 3)
		return 2;
	fd = atoi(argv[1]);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	clock_gettime(CLOCK_MONOTONIC, &a);
	if (posix_spawnp(&pid, argv[2], NULL, NULL, argv + 2, environ))
		return 127;
	dprintf(fd, "%d\n", (int)pid);
	if (wait4(pid, &status, 0, &u) != pid)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &b);
	dprintf(fd, "%f %f %ld %d\n", (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6,
		ms(u.ru_utime) + ms(u.ru_stime), u.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	return 0;
}
