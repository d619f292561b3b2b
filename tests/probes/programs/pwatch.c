/* build: -O1 */
/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pwatch [COUNT [MICROSECONDS]]: writes a word COUNT times (5) and reads it as often, with a pause after each, and
 * writes another one 64 bytes behind it: processors that are emulated tell of one watchpoint for each store. It
 * lies in a page mapped at 0x10000000, so that it can be watched before the program runs.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 5;
	volatile uint64_t *word = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	uint64_t sum = 0;

	if (word == MAP_FAILED)
		return 1;
	for (int i = 0; i < count; i++) {
		*word = (uint64_t)i;
		word[8] = (uint64_t)i;
		sum += *word;
		if (argc > 2)
			usleep((useconds_t)atoi(argv[2]));
	}
	return sum > 1000;
}
