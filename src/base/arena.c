/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arena: a chain of blocks, each twice the last up to a limit, all freed together. */
#include "base/arena.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_FIRST_BYTES ((size_t)16 << 10)
#define BLOCK_MOST_BYTES ((size_t)1 << 20)
#define ALIGN_BYTES ((size_t)16)

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(16) unsigned char data[];
};

/* Something else that ends with the arena. */
struct owned {
	struct owned *next;
	void (*end)(void *);
	void *what;
};

struct arena {
	struct block *head;
	struct owned *owned;
	size_t next_size;
	size_t used;
	bool guarded;
	jmp_buf guard;
};

struct arena *arena_new(void)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a)
		a->next_size = BLOCK_FIRST_BYTES;
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (struct owned *o = a->owned, *older; o; o = older) {
		older = o->next;
		o->end(o->what);
		free(o);
	}
	for (struct block *b = a->head, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

jmp_buf *arena_guard(struct arena *a)
{
	a->guarded = true;
	return &a->guard;
}

void arena_oom(struct arena *a)
{
	if (a->guarded)
		longjmp(a->guard, 1);
	fputs("sonde: out of memory\n", stderr);
	abort();
}

static struct block *block_add(struct arena *a, size_t need)
{
	size_t size = a->next_size;
	struct block *b;

	if (need > SIZE_MAX / 2)
		arena_oom(a);
	while (size < need)
		size *= 2;
	if (a->next_size < BLOCK_MOST_BYTES)
		a->next_size *= 2;
	b = malloc(sizeof(*b) + size);
	if (!b)
		arena_oom(a);
	b->next = a->head;
	b->size = size;
	b->used = 0;
	a->head = b;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct block *b = a->head;
	void *p;

	if (size > SIZE_MAX / 2)
		arena_oom(a);
	size = (size + ALIGN_BYTES - 1) & ~(ALIGN_BYTES - 1);
	if (!b || b->size - b->used < size)
		b = block_add(a, size);
	p = b->data + b->used;
	b->used += size;
	a->used += size;
	memset(p, 0, size);
	return p;
}

void *arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size)
{
	void *p = arena_alloc(a, new_size);

	if (old_size)
		memcpy(p, old, old_size);
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p = arena_alloc(a, len + 1);

	if (len)
		memcpy(p, s, len);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		arena_oom(a);
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void arena_own(struct arena *a, void (*end)(void *), void *what)
{
	struct owned *o = malloc(sizeof(*o));

	if (!o) {
		end(what);
		arena_oom(a);
	}
	*o = (struct owned){ .next = a->owned, .end = end, .what = what };
	a->owned = o;
}

size_t arena_used_bytes(const struct arena *a)
{
	return a->used;
}
