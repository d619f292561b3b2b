/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ring: map it, read it. */
#include "run/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

/* Give room back to the producers at least after this many bytes. */
#define GIVE_BACK_BYTES ((uint64_t)256 << 10)

int ring_open(struct ring *r, int map_fd, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumer, *producer;

	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	producer = mmap(NULL, page + 2 * bytes, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (producer == MAP_FAILED) {
		int err = -errno;

		munmap(consumer, page);
		return err;
	}
	*r = (struct ring){ .fd = map_fd, .mask = bytes - 1, .page_bytes = page, .consumer = consumer,
			    .producer = producer, .data = (const uint8_t *)producer + page };
	return 0;
}

void ring_close(struct ring *r)
{
	if (!r->consumer)
		return;
	munmap(r->consumer, r->page_bytes);
	munmap((void *)(uintptr_t)r->producer, r->page_bytes + 2 * (r->mask + 1));
	*r = (struct ring){ 0 };
}

uint64_t ring_pending_bytes(const struct ring *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE) - *r->consumer;
}

static uint64_t record_bytes(uint32_t header)
{
	uint32_t len = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

	return ((uint64_t)len + BPF_RINGBUF_HDR_SZ + 7) & ~7ULL;
}

int64_t ring_consume(struct ring *r, ring_fn fn, void *ctx)
{
	uint64_t pos = *r->consumer, given = pos;
	int64_t n = 0;
	int err = 0;

	while (!err && pos != __atomic_load_n(r->producer, __ATOMIC_ACQUIRE)) {
		const uint8_t *rec = r->data + (pos & r->mask);
		uint32_t header = __atomic_load_n((const uint32_t *)(const void *)rec, __ATOMIC_ACQUIRE);

		if (header & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(header & BPF_RINGBUF_DISCARD_BIT)) {
			err = fn(ctx, rec + BPF_RINGBUF_HDR_SZ, header);
			n++;
		}
		pos += record_bytes(header);
		if (pos - given >= GIVE_BACK_BYTES) {
			__atomic_store_n(r->consumer, pos, __ATOMIC_RELEASE);
			given = pos;
		}
	}
	if (pos != given)
		__atomic_store_n(r->consumer, pos, __ATOMIC_RELEASE);
	return err ? err : n;
}
