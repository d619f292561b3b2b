/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memhog: memhog MIB [MILLISECONDS]: takes memory page by page, as fast as it can, after a pause. A quarter of each page does
 * not compress. Says how far it has come at the end, if it is let.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

static uint64_t state = 88172645463325252ULL;

static void fill(uint64_t *page)
{
	for (int i = 0; i < PAGE / 4 / 8; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		page[i] = state;
	}
}

int main(int argc, char **argv)
{
	size_t bytes = strtoull(argv[1], NULL, 10) << 20;
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return 1;
	if (argc > 2)
		usleep((useconds_t)atoi(argv[2]) * 1000);
	for (size_t i = 0; i < bytes; i += PAGE)
		fill((uint64_t *)(p + i));
	printf("all of it\n");
	return 0;
}
