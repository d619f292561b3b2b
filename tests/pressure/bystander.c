/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bystander: bystander FILE: every 10 ms looks at its own memory and at a file, as a program that a person works with does,
 * and tells at SIGTERM how late it was at worst: microseconds.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OWN_BYTES (16 << 20)
#define PERIOD_NS 10000000

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1;
	struct timespec period = { .tv_nsec = PERIOD_NS };
	char *own = malloc(OWN_BYTES), *file;
	volatile long sum = 0;
	long worst = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !own)
		return 1;
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)
		return 1;
	memset(own, 1, OWN_BYTES);
	signal(SIGTERM, on_term);
	printf("ready\n");
	fflush(stdout);
	for (size_t turn = 0; !stop; turn++) {
		long begin = now_us(), late;

		nanosleep(&period, NULL);
		/* A part of both each time; all of them within half a second. */
		for (size_t i = turn % 50 * 4096; i < OWN_BYTES; i += 50 * 4096)
			sum += own[i]++;
		for (size_t i = turn % 50 * 4096; i < (size_t)st.st_size; i += 50 * 4096)
			sum += file[i];
		late = now_us() - begin - PERIOD_NS / 1000;
		if (late > worst)
			worst = late;
	}
	printf("%ld\n", worst);
	return 0;
}
