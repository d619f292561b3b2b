/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load WHAT N [CPUS]: known numbers of system calls for the measurements to see.
 *
 *   calls N CPUS    getppid() N times on each of the first CPUS processors, each from a thread of its own
 *   open N          openat() of a file that is not there, N times; prints the median of nanoseconds per call of
 *                   thousands of them, so that it does not matter if something else gets the CPU now and then
 *   keys N          getpgid(i) for N different i, then getpgid() of one below, and stays until standard input ends
 *   churn N SECONDS getpgid(i) for N different i, then getsid(i) for the same, over and over; prints how many rounds
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST_CPUS 256
#define BLOCK 1000
#define FIRST_KEY 1000000000
#define LAST_KEY (FIRST_KEY - 1)

static long count;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *calls_on(void *arg)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((long)arg, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (long i = 0; i < count; i++)
		syscall(SYS_getppid);
	return NULL;
}

static int calls(long cpus)
{
	pthread_t threads[MOST_CPUS];

	if (cpus < 1 || cpus > MOST_CPUS)
		return 2;
	for (long c = 0; c < cpus; c++)
		if (pthread_create(&threads[c], NULL, calls_on, (void *)c))
			return 1;
	for (long c = 0; c < cpus; c++)
		pthread_join(threads[c], NULL);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static int opens(void)
{
	long n = count / BLOCK;
	double *ns = calloc((size_t)n + 1, sizeof(*ns));

	if (!ns)
		return 1;
	for (long k = 0; k < n; k++) {
		double begin = seconds();

		for (long i = 0; i < BLOCK; i++)
			syscall(SYS_openat, AT_FDCWD, "/nonexistent", O_RDONLY);
		ns[k] = (seconds() - begin) * 1e9 / BLOCK;
	}
	qsort(ns, (size_t)n, sizeof(*ns), compare);
	printf("%f\n", ns[n / 2]);
	free(ns);
	return 0;
}

static int keys(void)
{
	char byte;

	for (long i = 1; i <= count; i++)
		syscall(SYS_getpgid, FIRST_KEY + i);
	syscall(SYS_getpgid, LAST_KEY);
	return read(0, &byte, 1) < 0;
}

static int churn(double for_seconds)
{
	double end = seconds() + for_seconds;
	long rounds = 0;

	for (; seconds() < end; rounds++) {
		for (long i = 1; i <= count; i++)
			syscall(SYS_getpgid, FIRST_KEY + i);
		for (long i = 1; i <= count; i++)
			syscall(SYS_getsid, FIRST_KEY + i);
	}
	printf("%ld\n", rounds);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	count = atol(argv[2]);
	if (!strcmp(argv[1], "calls") && argc > 3)
		return calls(atol(argv[3]));
	if (!strcmp(argv[1], "open"))
		return opens();
	if (!strcmp(argv[1], "keys"))
		return keys();
	if (!strcmp(argv[1], "churn") && argc > 3)
		return churn(atof(argv[3]));
	return 2;
}
