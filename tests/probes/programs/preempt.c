/* build: -O1 -pthread */
/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two threads on one processor call the same function, each with long strings of its own. One has real-time
 * priority and wakes all the time, so that on a preemptible kernel it finds the other in the middle of a probe.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#define CALLS 20000
#define WAKES 5000
#define BYTES 1000

__attribute__((noinline)) void same_strings(const char *a, const char *b)
{
	__asm__ volatile("" : : "r"(a), "r"(b) : "memory");
}

static void *wake(void *arg)
{
	struct sched_param param = { .sched_priority = 10 };
	struct timespec shortly = { .tv_nsec = 20000 };
	char text[BYTES];

	(void)arg;
	memset(text, 'w', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
	for (int i = 0; i < WAKES; i++) {
		same_strings(text, text);
		nanosleep(&shortly, NULL);
	}
	return NULL;
}

int main(void)
{
	char text[BYTES];
	pthread_t thread;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	memset(text, 'm', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	pthread_create(&thread, NULL, wake, NULL);
	for (int i = 0; i < CALLS; i++)
		same_strings(text, text);
	pthread_join(thread, NULL);
	return 0;
}
