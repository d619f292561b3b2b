/* build: -O1 */
/* build nopie: -O1 -no-pie */
/* A marker that fires only while its semaphore says that somebody looks. */
#define _SDT_HAS_SEMAPHORES 1
#include <stdio.h>
#include <stdlib.h>
#include <sys/sdt.h>
#include <unistd.h>

__extension__ unsigned short watched_tick_semaphore __attribute__((unused, section(".probes")));
__extension__ unsigned short watched_other_semaphore __attribute__((unused, section(".probes")));

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 3;

	for (int i = 0; i < count; i++) {
		if (watched_tick_semaphore)
			STAP_PROBE3(watched, tick, i, watched_tick_semaphore, watched_other_semaphore);
		if (watched_other_semaphore)
			STAP_PROBE1(watched, other, i);
		if (count > 1000)
			usleep(10000);
	}
	return 0;
}
