/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arena: memory that is freed all at once.
 *
 * Everything the compiler makes (tokens, trees, types, IR, tables of the object) lives in the arena of
 * its question, so no pass frees anything and no error path leaks. Running out of memory does not
 * return: it jumps to the point set with arena_guard(), where the whole arena is dropped. Between
 * guard and end a pass must therefore not hold anything the arena does not own (a file descriptor, a
 * libelf handle) unless it allocates nothing from the arena meanwhile.
 */
#ifndef SONDE_BASE_ARENA_H
#define SONDE_BASE_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* A new arena, or NULL when there is no memory. Owned by the caller, ended by arena_free(). */
struct arena *arena_new(void);
void arena_free(struct arena *a);

/* The jump taken on exhaustion: `if (setjmp(*arena_guard(a))) { ... -ENOMEM ... }`. */
jmp_buf *arena_guard(struct arena *a);
/* Report exhaustion as the arena itself would: jump to the guard (abort without one). */
_Noreturn void arena_oom(struct arena *a);

/* Zeroed memory of `size` bytes, aligned for any type. Never NULL. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
/* Grow `old` from old_size to new_size bytes (the new part is zeroed); may move. */
void *arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *a, const char *s, size_t len) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/*
 * Something that is not memory of the arena (an open file) but shall end with it: `end` is called with
 * `what` by arena_free(), the last one first; at once when there is no memory to remember it.
 */
void arena_own(struct arena *a, void (*end)(void *what), void *what);
/* Bytes handed out so far; for measurements. */
size_t arena_used_bytes(const struct arena *a);

#define arena_new_of(a, T) ((T *)arena_alloc((a), sizeof(T)))
#define arena_array_of(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (size_t)(n)))

/*
 * A growing array in an arena: VEC(int) v = {0}; vec_push(a, &v, 3); v.v[0]; v.n
 */
#define VEC(T) struct { T *v; uint32_t n, cap; }

#define vec_push(a, vec, item) do { \
	__typeof__(vec) vp_ = (vec); \
	if (vp_->n == vp_->cap || !vp_->v) { \
		uint32_t nc_ = vp_->cap ? vp_->cap * 2 : 8; \
		vp_->v = arena_grow((a), vp_->v, sizeof(*vp_->v) * vp_->cap, sizeof(*vp_->v) * nc_); \
		vp_->cap = nc_; \
	} \
	vp_->v[vp_->n++] = (item); \
} while (0)

/* for (item pointer `it` in vector): `vec_each(it, &v) { it->...; }` */
#define vec_each(it, vec) \
	for (__typeof__((vec)->v[0]) *it = (vec)->v; it && it < (vec)->v + (vec)->n; it++)

#endif
