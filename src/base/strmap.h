/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strmap: names to pointers, in an arena. Open addressing; keys are copied into the arena; nothing is
 * ever removed. A zeroed struct is an empty map. Iteration is in order of insertion.
 */
#ifndef SONDE_BASE_STRMAP_H
#define SONDE_BASE_STRMAP_H

#include "base/arena.h"

struct strmap_entry {
	const char *key;
	void *value;
};

struct strmap {
	VEC(struct strmap_entry) entries;
	uint32_t *slots; /* index into entries plus one; 0 is free */
	uint32_t nslots;
};

/* The value of `key`, or NULL. */
void *strmap_get(const struct strmap *m, const char *key);
void *strmap_getn(const struct strmap *m, const char *key, size_t len);
/* Set `key` to `value` (replacing what it had). */
void strmap_put(struct arena *a, struct strmap *m, const char *key, void *value);

#endif
