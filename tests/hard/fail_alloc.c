/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LD_PRELOAD: allocation number FAIL_ALLOC of the process fails, and with FAIL_ALLOC_ON all after it. The number of
 * all is written to the file FAIL_COUNT at the end. Children are left alone. With FAIL_STOP a debugger sees where.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t m);
void *__libc_realloc(void *p, size_t n);

static atomic_long seen;
static long fail_at, fail_on;
static pid_t self;

/*
 * libdw ends the process by itself when it finds no memory, with an assertion, or an access to what is not there. sonde
 * asks it only while there is plenty, so what it asks for itself is not made to fail.
 */
static int left_alone(void *caller)
{
	struct dl_find_object o;

	return !_dl_find_object(caller, &o) && strstr(o.dlfo_link_map->l_name, "/libdw.so");
}

static int fails(void *caller)
{
	long n;

	if (!self || left_alone(caller))
		return 0;
	n = atomic_fetch_add(&seen, 1) + 1;
	if (n == fail_at && getenv("FAIL_STOP"))
		raise(SIGTRAP);
	return fail_at && (n == fail_at || (fail_on && n > fail_at)) && getpid() == self;
}

void *malloc(size_t n)
{
	if (fails(__builtin_return_address(0))) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t m)
{
	if (fails(__builtin_return_address(0))) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_calloc(n, m);
}

void *realloc(void *p, size_t n)
{
	if (n && fails(__builtin_return_address(0))) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(p, n);
}

void *reallocarray(void *p, size_t n, size_t m)
{
	if (m && n > SIZE_MAX / m) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, n * m);
}

char *strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = malloc(n);

	return copy ? memcpy(copy, s, n) : NULL;
}

char *strndup(const char *s, size_t most)
{
	size_t n = strnlen(s, most);
	char *copy = malloc(n + 1);

	if (copy) {
		memcpy(copy, s, n);
		copy[n] = 0;
	}
	return copy;
}

/* That of the C library says what failed only if it finds memory for the text. */
void __assert_fail(const char *what, const char *file, unsigned int line, const char *function)
{
	dprintf(2, "%s:%u: %s: assertion %s fails\n", file, line, function, what);
	abort();
}

/* What was before this belongs to the dynamic linker; fail_call.c begins to count here too. */
__attribute__((constructor)) static void start(void)
{
	const char *at = getenv("FAIL_ALLOC");

	fail_at = at ? atol(at) : 0;
	fail_on = getenv("FAIL_ALLOC_ON") != NULL;
	syscall(-77);
	self = getpid();
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("FAIL_COUNT");
	char text[32];
	int fd;

	if (!path || getpid() != self)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0 && write(fd, text, (size_t)snprintf(text, sizeof(text), "%ld\n", atomic_load(&seen))) > 0)
		close(fd);
}
