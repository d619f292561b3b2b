/* build: -O1 -fno-omit-frame-pointer -pthread */
/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One thread holds a mutex for 150 ms while another waits for it, begun some 20 ms later, which then holds it for 100 ms.
 */
#include <pthread.h>
#include <unistd.h>

pthread_mutex_t the_mutex = PTHREAD_MUTEX_INITIALIZER;

static void *wait_and_hold(void *arg)
{
	pthread_mutex_lock(&the_mutex);
	usleep(100000);
	pthread_mutex_unlock(&the_mutex);
	return arg;
}

int main(void)
{
	pthread_t thread;

	pthread_mutex_lock(&the_mutex);
	if (pthread_create(&thread, NULL, wait_and_hold, NULL))
		return 1;
	usleep(150000);
	pthread_mutex_unlock(&the_mutex);
	pthread_join(thread, NULL);
	return 0;
}
