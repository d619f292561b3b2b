/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ring: the consumer's side of a BPF ring buffer (Documentation/bpf/ringbuf.rst). Our own, because
 *  - the end of a session must know that everything was read;
 *  - a batch should cost the producers one cache miss on the consumer's position, not one per record;
 *  - mapping a ring puts all of its pages, twice, into the process at once (33 MiB and 2 ms for one of
 *    16 MiB), so only a window of it is mapped, and moved when it has been read.
 */
#ifndef SONDE_RUN_RING_H
#define SONDE_RUN_RING_H

#include <stddef.h>
#include <stdint.h>

struct ring {
	int fd;            /* of the map; owned by the object */
	uint64_t bytes;    /* of data: a power of two */
	size_t page_bytes;
	uint64_t *consumer;       /* our position, on a page of its own */
	const uint64_t *producer; /* the kernel's */
	const uint8_t *window;    /* the data at positions [window_pos, window_pos + window_bytes) */
	uint64_t window_pos, window_bytes;
};

/* Make ready to read the ring of `bytes` (a power of two) behind a map's descriptor. 0 or a negative errno. */
int ring_open(struct ring *r, int map_fd, size_t bytes);
/* Does nothing to a zeroed struct. */
void ring_close(struct ring *r);

/* A record, 8-byte aligned and valid during the call. Non-zero stops the reading after this record. */
typedef int (*ring_fn)(void *ctx, const void *data, uint32_t len);
/* Read what is there now, not what arrives meanwhile. Returns the number of records, what fn returned when that is not 0, or the negative
 * errno of a window that could not be mapped. */
int64_t ring_consume(struct ring *r, ring_fn fn, void *ctx);
/* Bytes that are reserved or submitted and not read yet. */
uint64_t ring_pending_bytes(const struct ring *r);

#endif
