/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reduce: the values that the CPUs keep of one key become one value, and rows are put into the order in
 * which they are shown. No kernel is needed here.
 */
#ifndef SONDE_RUN_REDUCE_H
#define SONDE_RUN_REDUCE_H

#include <stdbool.h>

#include "code/record.h"

/*
 * Reduce `ncpus` values of type `t` that lie `stride` bytes apart to one at `out`, of `bytes` bytes.
 * Counts, sums and buckets are added; min and max become the value that they stand for; of what does not add up
 * (strings, tuples) the first that is not all zeros is taken.
 */
void value_reduce(const struct type *t, const uint8_t *values, size_t stride, uint32_t ncpus, uint8_t *out,
		  size_t bytes);

/* Order of two values of a key's type: numbers by value, strings by bytes, tuples member by member. */
int key_compare(const struct type *t, const uint8_t *a, const uint8_t *b);

/*
 * Sort rows as they are shown: numbers and aggregations by value, avg and stats by average, histograms by
 * the number of values in them, everything else by key. Ties are in order of the key. With `top` (0: all)
 * only that many are left, the last in order. false: no memory.
 */
bool rows_sort(const struct map *map, struct row *rows, size_t *nrows, size_t top);

#endif
