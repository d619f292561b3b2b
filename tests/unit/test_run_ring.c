/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring buffer's reader, on a file that is laid out as the kernel lays out a ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run/ring.h"

#define RING_BYTES ((size_t)2 << 20)

struct fake {
	int fd;
	size_t page;
	uint8_t *all; /* consumer page, producer page, data, data again */
	struct ring ring;
	uint64_t produced;
};

static uint64_t seen, sum_of_lengths;
static int stop_after;

static int setup(void **state)
{
	static struct fake f;

	f = (struct fake){ .fd = memfd_create("ring", MFD_CLOEXEC), .page = (size_t)sysconf(_SC_PAGESIZE) };
	assert_int_equal(ftruncate(f.fd, (off_t)(2 * f.page + 2 * RING_BYTES)), 0);
	f.all = mmap(NULL, 2 * f.page + 2 * RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, f.fd, 0);
	assert_ptr_not_equal(f.all, MAP_FAILED);
	assert_int_equal(ring_open(&f.ring, f.fd, RING_BYTES), 0);
	seen = sum_of_lengths = 0;
	stop_after = 0;
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fake *f = *state;

	ring_close(&f->ring);
	ring_close(&f->ring);
	munmap(f->all, 2 * f->page + 2 * RING_BYTES);
	close(f->fd);
	return 0;
}

static void put_bytes(struct fake *f, uint64_t pos, const void *p, size_t n)
{
	uint8_t *data = f->all + 2 * f->page;

	for (size_t i = 0; i < n; i++) {
		size_t at = (pos + i) & (RING_BYTES - 1);

		data[at] = data[at + RING_BYTES] = ((const uint8_t *)p)[i];
	}
}

/* A record whose payload begins with its number and ends with a mark. */
static void put(struct fake *f, uint64_t number, uint32_t len, uint32_t flags)
{
	uint32_t head[2] = { len | flags, 0 };

	put_bytes(f, f->produced, head, sizeof(head));
	put_bytes(f, f->produced + 8, &number, sizeof(number));
	put_bytes(f, f->produced + 8 + len - 1, "!", 1);
	f->produced += (len + 8 + 7) & ~7u;
	*(uint64_t *)(void *)(f->all + f->page) = f->produced;
}

static int take(void *ctx, const void *data, uint32_t len)
{
	uint64_t number;

	(void)ctx;
	memcpy(&number, data, sizeof(number));
	assert_int_equal(number, seen);
	assert_int_equal(((const char *)data)[len - 1], '!');
	seen++;
	sum_of_lengths += len;
	return stop_after && seen == (uint64_t)stop_after ? -ECANCELED : 0;
}

static void an_empty_ring_has_nothing(void **state)
{
	struct fake *f = *state;

	assert_int_equal(ring_consume(&f->ring, take, NULL), 0);
	assert_int_equal(ring_pending_bytes(&f->ring), 0);
}

static void records_come_in_order_round_and_round(void **state)
{
	struct fake *f = *state;
	uint64_t n = 0, bytes = 0;

	for (int round = 0; round < 400; round++) {
		for (uint32_t i = 0; i < 100; i++) {
			uint32_t len = 9 + (uint32_t)((n * 37) % 500);

			put(f, n++, len, 0);
			bytes += len;
		}
		assert_int_equal(ring_consume(&f->ring, take, NULL), 100);
		assert_int_equal(ring_pending_bytes(&f->ring), 0);
	}
	assert_int_equal(seen, n);
	assert_int_equal(sum_of_lengths, bytes);
	assert_true(f->produced > 4 * RING_BYTES);
}

static void records_larger_than_a_window_are_whole(void **state)
{
	struct fake *f = *state;

	for (uint64_t i = 0; i < 20; i++) {
		put(f, i, (uint32_t)(RING_BYTES - 64 - i * 16), 0);
		assert_int_equal(ring_consume(&f->ring, take, NULL), 1);
	}
}

static void discarded_records_are_passed_over(void **state)
{
	struct fake *f = *state;

	put(f, 0, 16, 0);
	put(f, 77, 24, BPF_RINGBUF_DISCARD_BIT);
	put(f, 1, 16, 0);
	assert_int_equal(ring_consume(&f->ring, take, NULL), 2);
	assert_int_equal(ring_pending_bytes(&f->ring), 0);
}

static void reading_stops_at_a_record_that_is_being_written(void **state)
{
	struct fake *f = *state;
	uint64_t busy;

	put(f, 0, 16, 0);
	busy = f->produced;
	put(f, 1, 16, BPF_RINGBUF_BUSY_BIT);
	put(f, 2, 16, 0);
	assert_int_equal(ring_consume(&f->ring, take, NULL), 1);
	assert_int_equal(ring_pending_bytes(&f->ring), 48);
	put_bytes(f, busy, &(uint32_t){ 16 }, 4);
	assert_int_equal(ring_consume(&f->ring, take, NULL), 2);
}

static void a_receiver_can_stop(void **state)
{
	struct fake *f = *state;

	for (uint64_t i = 0; i < 5; i++)
		put(f, i, 16, 0);
	stop_after = 3;
	assert_int_equal(ring_consume(&f->ring, take, NULL), -ECANCELED);
	assert_int_equal(ring_consume(&f->ring, take, NULL), 2);
}

static void a_record_that_ends_beyond_what_was_written_is_none(void **state)
{
	struct fake *f = *state;

	put(f, 0, 16, 0);
	put_bytes(f, 0, &(uint32_t){ 4096 }, 4);
	assert_int_equal(ring_consume(&f->ring, take, NULL), -EBADMSG);
	assert_int_equal(seen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_empty_ring_has_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(records_come_in_order_round_and_round, setup, teardown),
		cmocka_unit_test_setup_teardown(records_larger_than_a_window_are_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(discarded_records_are_passed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(reading_stops_at_a_record_that_is_being_written, setup, teardown),
		cmocka_unit_test_setup_teardown(a_receiver_can_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(a_record_that_ends_beyond_what_was_written_is_none, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
