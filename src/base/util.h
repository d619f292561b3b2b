/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Util: the few macros and one-line helpers every room uses. */
#ifndef SONDE_BASE_UTIL_H
#define SONDE_BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* Arguments may be evaluated twice: give them no side effects. */
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define TAKE_PTR(p) ({ __typeof__(p) p_ = (p); (p) = NULL; p_; })
#define TAKE_FD(fd) ({ int fd_ = (fd); (fd) = -1; fd_; })

static inline uint32_t align_up(uint32_t v, uint32_t align)
{
	return (v + align - 1) & ~(align - 1);
}

static inline bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static inline bool str_starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static inline void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void free_ptr(void *p)
{
	free(*(void **)p);
}

#define _cleanup_close_ __attribute__((cleanup(close_fd)))
#define _cleanup_free_ __attribute__((cleanup(free_ptr)))

/* Does `s` match the shell-like `pattern` (only * and ? and [set] are special)? */
bool glob_match(const char *pattern, const char *s);
/* Does `s` contain a character that makes it a pattern? */
bool glob_is_pattern(const char *s);
/* The name among `names` (n of them) nearest to `word`, for "did you mean"; NULL when none is near. */
const char *nearest_name(const char *word, const char *const *names, size_t n);

#endif
