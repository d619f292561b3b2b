/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ring: map it piece by piece, read it. */
#include "run/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

/* Give room back to the producers at least after this many bytes. */
#define GIVE_BACK_BYTES ((uint64_t)256 << 10)
#define WINDOW_BYTES ((uint64_t)512 << 10)

static void *map_pages(const struct ring *r, int prot, uint64_t offset, uint64_t bytes)
{
	void *p = mmap(NULL, bytes, prot, MAP_SHARED, r->fd, (off_t)offset);

	return p == MAP_FAILED ? NULL : p;
}

int ring_open(struct ring *r, int map_fd, size_t bytes)
{
	struct ring new = { .fd = map_fd, .bytes = bytes, .page_bytes = (size_t)sysconf(_SC_PAGESIZE) };

	new.consumer = map_pages(&new, PROT_READ | PROT_WRITE, 0, new.page_bytes);
	if (!new.consumer)
		return -errno;
	new.producer = map_pages(&new, PROT_READ, new.page_bytes, new.page_bytes);
	if (!new.producer) {
		int err = -errno;

		munmap(new.consumer, new.page_bytes);
		return err;
	}
	*r = new;
	return 0;
}

static void window_close(struct ring *r)
{
	if (r->window)
		munmap((void *)(uintptr_t)r->window, r->window_bytes);
	r->window = NULL;
	r->window_bytes = 0;
}

void ring_close(struct ring *r)
{
	if (!r->consumer)
		return;
	window_close(r);
	munmap(r->consumer, r->page_bytes);
	munmap((void *)(uintptr_t)r->producer, r->page_bytes);
	*r = (struct ring){ 0 };
}

uint64_t ring_pending_bytes(const struct ring *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE) - *r->consumer;
}

static bool window_covers(const struct ring *r, uint64_t pos, uint64_t bytes)
{
	return pos - r->window_pos < r->window_bytes && bytes <= r->window_bytes - (pos - r->window_pos);
}

/*
 * Map a window that begins on the page of `pos` and holds `bytes` from there. The kernel offers the data
 * twice in a row, so a window that begins in the first copy may run into the second.
 */
static int window_move(struct ring *r, uint64_t pos, uint64_t bytes)
{
	uint64_t page_mask = r->page_bytes - 1, begin = pos & ~page_mask;
	uint64_t want = (pos - begin + bytes + page_mask) & ~page_mask;

	if (want < WINDOW_BYTES)
		want = WINDOW_BYTES;
	if (want > r->bytes)
		want = r->bytes;
	if (pos - begin + bytes > want)
		want = 2 * r->bytes - (begin & (r->bytes - 1));
	window_close(r);
	r->window = map_pages(r, PROT_READ, 2 * r->page_bytes + (begin & (r->bytes - 1)), want);
	if (!r->window)
		return -errno;
	r->window_pos = begin;
	r->window_bytes = want;
	return 0;
}

/* `bytes` of data at `pos`; NULL with errno when they could not be mapped. */
static const uint8_t *data_at(struct ring *r, uint64_t pos, uint64_t bytes)
{
	int err;

	if (!window_covers(r, pos, bytes)) {
		err = window_move(r, pos, bytes);
		if (err) {
			errno = -err;
			return NULL;
		}
	}
	return r->window + (pos - r->window_pos);
}

static uint64_t record_bytes(uint32_t header)
{
	uint32_t len = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

	return ((uint64_t)len + BPF_RINGBUF_HDR_SZ + 7) & ~7ULL;
}

int64_t ring_consume(struct ring *r, ring_fn fn, void *ctx)
{
	/* Up to here and no further: showing a record may itself be what the probes see. */
	uint64_t end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	uint64_t pos = *r->consumer, given = pos;
	int64_t n = 0;
	int err = 0;

	while (!err && pos != end) {
		const uint8_t *rec = data_at(r, pos, BPF_RINGBUF_HDR_SZ);
		uint32_t header;

		if (rec) {
			header = __atomic_load_n((const uint32_t *)(const void *)rec, __ATOMIC_ACQUIRE);
			if (header & BPF_RINGBUF_BUSY_BIT)
				break;
			/* The kernel moves on by whole records: this is none of its. */
			if (record_bytes(header) > end - pos) {
				err = -EBADMSG;
				break;
			}
			rec = data_at(r, pos, record_bytes(header));
		}
		if (!rec) {
			err = -errno;
			break;
		}
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
