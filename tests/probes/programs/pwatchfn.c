/* build: -O0 */
/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that functions are given the address of: pwatchfn [HOW_MANY [WAIT_MICROSECONDS after each step]]. */
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS 5

static long numbers[8];

__attribute__((noipa)) void number_add(long by, long *number)
{
	*number += by;
}

__attribute__((noipa)) void number_clear(long *number)
{
	*number = 0;
}

int main(int argc, char **argv)
{
	int many = argc > 1 ? atoi(argv[1]) : 1, wait = argc > 2 ? atoi(argv[2]) : 0;

	for (int i = 0; i < ROUNDS; i++) {
		for (int k = 0; k < many; k++)
			number_add(k, &numbers[k]);
		if (wait)
			usleep(wait);
		number_clear(&numbers[0]);
		if (wait)
			usleep(wait);
	}
	return 0;
}
