/* build: -O1 */
/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sleepers COUNT: so many processes sleep at once. */
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec second = { .tv_sec = 3 };
	int count = argc > 1 ? atoi(argv[1]) : 1;

	for (int i = 0; i < count; i++)
		if (!fork()) {
			nanosleep(&second, NULL);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	return 0;
}
