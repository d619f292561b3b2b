/* build: -O1 */
/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pwrite FILE TEXT: write it. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = argc > 2 ? open(argv[1], O_WRONLY) : -1;

	return fd < 0 || write(fd, argv[2], strlen(argv[2])) < 0;
}
