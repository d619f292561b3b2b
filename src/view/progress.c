/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Progress on the terminal. */
#include "view/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define FIRST_NS 300000000ULL
#define AGAIN_NS 100000000ULL

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void progress_begin(struct progress *p, const char *what, size_t total)
{
	*p = (struct progress){ .what = what, .total = total };
	if (isatty(STDERR_FILENO))
		p->next_ns = now_ns() + FIRST_NS;
}

void progress_step(struct progress *p, size_t done)
{
	char line[160];
	uint64_t now;
	int n;

	if (!p->next_ns || done % 16)
		return;
	now = now_ns();
	if (now < p->next_ns)
		return;
	p->next_ns = now + AGAIN_NS;
	n = snprintf(line, sizeof(line), "\r%s: %zu of %zu (%zu %%)\033[K", p->what, done, p->total,
		     p->total ? done * 100 / p->total : 0);
	p->drawn |= write(STDERR_FILENO, line, (size_t)n) > 0;
}

void progress_end(struct progress *p)
{
	static const char wipe[] = "\r\033[K";

	if (p->drawn && write(STDERR_FILENO, wipe, sizeof(wipe) - 1) < 0)
		p->drawn = false;
}
