/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz: what a compiler at run time says of its code, /tmp/perf-PID.map, which anybody may have written. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbol/priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];

static void path_remove(void)
{
	unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct perf_map *m;
	struct symbol s;
	uint64_t addr = 0x1000;
	int fd;

	if (!*path) {
		snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
		atexit(path_remove);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	m = perf_map_new((uint32_t)getpid());
	if (!m)
		return 0;
	for (size_t i = 0; i < 4; i++, addr += 0x1111) {
		if (size >= 8 * (i + 1))
			memcpy(&addr, data + 8 * i, 8);
		memset(&s, 0, sizeof(s));
		perf_map_find(m, addr, &s);
	}
	perf_map_free(m);
	return 0;
}
