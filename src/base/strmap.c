/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strmap: FNV-1a over open addressing, at most half full. */
#include "base/strmap.h"

#include <string.h>

static uint32_t hash_bytes(const char *s, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h;
}

static uint32_t *slot_find(const struct strmap *m, const char *key, size_t len)
{
	uint32_t i = hash_bytes(key, len) & (m->nslots - 1);

	for (;; i = (i + 1) & (m->nslots - 1)) {
		const char *k;

		if (!m->slots[i])
			return &m->slots[i];
		k = m->entries.v[m->slots[i] - 1].key;
		if (!strncmp(k, key, len) && !k[len])
			return &m->slots[i];
	}
}

void *strmap_getn(const struct strmap *m, const char *key, size_t len)
{
	uint32_t *slot;

	if (!m->nslots)
		return NULL;
	slot = slot_find(m, key, len);
	return *slot ? m->entries.v[*slot - 1].value : NULL;
}

void *strmap_get(const struct strmap *m, const char *key)
{
	return strmap_getn(m, key, strlen(key));
}

static void slots_grow(struct arena *a, struct strmap *m)
{
	m->nslots = m->nslots ? m->nslots * 2 : 16;
	m->slots = arena_array_of(a, uint32_t, m->nslots);
	for (uint32_t i = 0; i < m->entries.n; i++) {
		const char *k = m->entries.v[i].key;

		*slot_find(m, k, strlen(k)) = i + 1;
	}
}

void strmap_put(struct arena *a, struct strmap *m, const char *key, void *value)
{
	size_t len = strlen(key);
	uint32_t *slot;

	if ((m->entries.n + 1) * 2 > m->nslots)
		slots_grow(a, m);
	slot = slot_find(m, key, len);
	if (*slot) {
		m->entries.v[*slot - 1].value = value;
		return;
	}
	struct strmap_entry e = { arena_strndup(a, key, len), value };

	vec_push(a, &m->entries, e);
	*slot = m->entries.n;
}
