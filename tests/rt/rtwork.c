/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rtwork: rtwork MODE [TURNS]: a realtime program that does everything as it should, but for the one thing that MODE names.
 * "good" and the modes that begin with "good-" have no fault. The work is done by one thread, every 2 ms.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_NS 2000000
#define FRESH_BYTES ((size_t)4096 * 4096)

static const char *mode;
static long turns;
static volatile int done;
static pthread_mutex_t mutex;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static int ends[2];
static uint32_t word;
static char *fresh;
static pthread_t worker;

static int is(const char *name)
{
	return !strcmp(mode, name);
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- one turn of the work ---- */

static struct timespec next;

static void next_turn(clockid_t clock)
{
	next.tv_nsec += PERIOD_NS;
	if (next.tv_nsec >= 1000000000) {
		next.tv_nsec -= 1000000000;
		next.tv_sec++;
	}
	while (clock_nanosleep(clock, TIMER_ABSTIME, &next, NULL) == EINTR)
		;
}

static void wait_relative(void)
{
	struct timespec t = { .tv_nsec = PERIOD_NS };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

/* A turn of an epoll loop around a timer file. */
static void wait_epoll(void)
{
	static int epoll_fd = -1, timer_fd;
	struct itimerspec spec = { 0 };
	struct epoll_event ev = { .events = EPOLLIN };
	uint64_t n;

	if (epoll_fd < 0) {
		timer_fd = timerfd_create(CLOCK_MONOTONIC, 0);
		epoll_fd = epoll_create1(0);
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &ev);
	}
	next.tv_nsec += PERIOD_NS;
	if (next.tv_nsec >= 1000000000) {
		next.tv_nsec -= 1000000000;
		next.tv_sec++;
	}
	spec.it_value = next;
	timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
	epoll_wait(epoll_fd, &ev, 1, -1);
	if (read(timer_fd, &n, sizeof(n)) < 0)
		fail("read");
}

static void wait_word(void)
{
	uint32_t seen = __atomic_load_n(&word, __ATOMIC_ACQUIRE);

	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void turn(long i)
{
	char byte;

	if (is("mutex") || is("good-mutex")) {
		pthread_mutex_lock(&mutex);
		pthread_mutex_unlock(&mutex);
	} else if (is("rwlock")) {
		pthread_rwlock_rdlock(&rwlock);
		pthread_rwlock_unlock(&rwlock);
	} else if (is("cond") || is("good-cond")) {
		pthread_mutex_lock(&mutex);
		if (is("good-cond"))
			pthread_cond_signal(&cond);
		pthread_mutex_unlock(&mutex);
		if (is("cond"))
			pthread_cond_signal(&cond);
	} else if (is("fault")) {
		fresh[i % 4096 * 4096] = 1;
	} else if (is("memory") || is("good-malloc")) {
		char *p = malloc(256 << 10);

		*(volatile char *)p = 1;
		free(p);
	}
	if (is("relative"))
		wait_relative();
	else if (is("usleep"))
		usleep(PERIOD_NS / 1000);
	else if (is("realtime"))
		next_turn(CLOCK_REALTIME);
	else if (is("good-epoll"))
		wait_epoll();
	else if (is("semaphore"))
		sem_wait(&semaphore);
	else if (is("pipe") && read(ends[0], &byte, 1) < 0)
		fail("read");
	else if (is("waker"))
		wait_word();
	else if (!is("pipe"))
		next_turn(CLOCK_MONOTONIC);
}

/* As much of the stack as will be used. */
static void stack_touch(void)
{
	volatile char room[64 << 10];

	for (size_t i = 0; i < sizeof(room); i += 1024)
		room[i] = 1;
}

static void *work(void *arg)
{
	stack_touch();
	clock_gettime(is("realtime") ? CLOCK_REALTIME : CLOCK_MONOTONIC, &next);
	/* Everything once, while time does not matter yet: what is linked late is then there. */
	turn(0);
	for (long i = 1; i <= turns; i++)
		turn(i);
	done = 1;
	return arg;
}

/* ---- the other thread, which is not in a hurry ---- */

static void serve(void)
{
	struct timespec t = { .tv_nsec = PERIOD_NS };

	nanosleep(&t, NULL);
	if (is("mutex") || is("good-mutex")) {
		pthread_mutex_lock(&mutex);
		pthread_mutex_unlock(&mutex);
	} else if (is("semaphore")) {
		sem_post(&semaphore);
	} else if (is("pipe")) {
		if (write(ends[1], "x", 1) < 0)
			fail("write");
	} else if (is("waker")) {
		__atomic_add_fetch(&word, 1, __ATOMIC_RELEASE);
		syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	} else if (is("kill")) {
		pthread_kill(worker, SIGUSR1);
	}
}

static void on_signal(int sig)
{
	(void)sig;
}

static void timer_start(void)
{
	struct itimerspec every = { .it_interval.tv_nsec = 10000000, .it_value.tv_nsec = 10000000 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &every, NULL))
		fail("timer_create");
}

/* ---- preparing ---- */

static void memory_prepare(void)
{
	int flags = MCL_CURRENT | MCL_FUTURE;

	if (is("memory")) {
		mallopt(M_MMAP_THRESHOLD, 128 << 10);
	} else {
		mallopt(M_TRIM_THRESHOLD, -1);
		mallopt(M_MMAP_MAX, 0);
	}
	if (is("fault"))
		flags |= MCL_ONFAULT;
	if (is("current"))
		flags = MCL_CURRENT;
	if (!is("unlocked") && mlockall(flags))
		fail("mlockall");
	if (is("fault"))
		fresh = mmap(NULL, FRESH_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* The heap is as large as it will be. */
	free(memset(malloc(8 << 20), 1, 8 << 20));
}

static void locks_prepare(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	if (!is("mutex"))
		pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&mutex, &attr);
	sem_init(&semaphore, 0, 0);
	if (pipe(ends))
		fail("pipe");
	signal(SIGUSR1, on_signal);
}

static void thread_start(pthread_t *thread, int policy, int priority, void *(*fn)(void *))
{
	struct sched_param param = { .sched_priority = priority };
	pthread_attr_t attr;
	cpu_set_t cpus;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 512 << 10);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, policy);
	pthread_attr_setschedparam(&attr, &param);
	if (!is("affinity")) {
		CPU_ZERO(&cpus);
		CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &cpus);
		pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	}
	err = pthread_create(thread, &attr, fn, NULL);
	if (err) {
		errno = err;
		fail("pthread_create");
	}
}


int main(int argc, char **argv)
{
	int policy = SCHED_FIFO, priority = 60;
	struct sched_param main_param = { .sched_priority = 10 };

	mode = argc > 1 ? argv[1] : "good";
	turns = argc > 2 ? atol(argv[2]) : 250;
	if (is("none")) {
		policy = SCHED_OTHER;
		priority = 0;
	} else if (is("highest")) {
		priority = 99;
	} else if (is("good-rr")) {
		policy = SCHED_RR;
	}
	memory_prepare();
	locks_prepare();
	if (is("everyone") && sched_setscheduler(0, SCHED_FIFO, &main_param))
		fail("sched_setscheduler");
	thread_start(&worker, policy, priority, work);
	if (is("timer"))
		timer_start();
	if (is("everyone"))
		pthread_join(worker, NULL);
	while (!done)
		serve();
	return 0;
}
