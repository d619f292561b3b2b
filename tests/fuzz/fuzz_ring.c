/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz: the reader of a ring buffer whose memory holds anything. The first bytes are the two positions. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run/ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RING_BYTES ((size_t)1 << 20)

static uint64_t sum;

/* Everything that is handed over can be read. */
static int record_read(void *ctx, const void *data, uint32_t len)
{
	const uint8_t *p = data;

	(void)ctx;
	for (uint32_t i = 0; i < len; i++)
		sum += p[i];
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *all;
	static int fd = -1;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct ring r;
	uint64_t pos[2] = { 0 };

	if (fd < 0) {
		fd = memfd_create("ring", MFD_CLOEXEC);
		if (fd < 0 || ftruncate(fd, (off_t)(2 * page + 2 * RING_BYTES)))
			abort();
		all = mmap(NULL, 2 * page + 2 * RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	if (size < sizeof(pos) || size - sizeof(pos) > RING_BYTES)
		return 0;
	memcpy(pos, data, sizeof(pos));
	memset(all + 2 * page, 0, 4096);
	memcpy(all + 2 * page, data + sizeof(pos), size - sizeof(pos));
	memcpy(all + 2 * page + RING_BYTES, data + sizeof(pos), size - sizeof(pos));
	pos[0] &= RING_BYTES - 8;
	/* The kernel never is more than a ring ahead. */
	pos[1] = pos[0] + (pos[1] & (RING_BYTES - 8));
	memcpy(all, &pos[0], 8);
	memcpy(all + page, &pos[1], 8);
	if (ring_open(&r, fd, RING_BYTES))
		abort();
	ring_consume(&r, record_read, NULL);
	ring_close(&r);
	return 0;
}
