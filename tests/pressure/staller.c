/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Staller: staller MIB FILE SECONDS: fills its cgroup with memory that cannot be taken away, says the time
 * (CLOCK_REALTIME, ns), and then reads a file again and again, for which there is no room.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	size_t bytes = argc > 3 ? strtoul(argv[1], NULL, 10) << 20 : 0;
	int fd = argc > 3 ? open(argv[2], O_RDONLY) : -1;
	static char room[1 << 20];
	char *own = malloc(bytes);
	long long end;

	if (fd < 0 || !own)
		return 1;
	memset(own, 1, bytes);
	/* Who reads it first pays for it: nobody has it in memory. */
	fdatasync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	sleep(1);
	printf("%lld\n", now_ns());
	fflush(stdout);
	end = now_ns() + strtoll(argv[3], NULL, 10) * 1000000000LL;
	while (now_ns() < end) {
		ssize_t n = read(fd, room, sizeof(room));

		if (n < 0)
			return 1;
		if (!n)
			lseek(fd, 0, SEEK_SET);
	}
	return own[bytes / 2] == 1 ? 0 : 1;
}
