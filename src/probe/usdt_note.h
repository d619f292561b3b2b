/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Usdt_note: the notes that say where a program has its markers (section .note.stapsdt). */
#ifndef SONDE_PROBE_USDT_NOTE_H
#define SONDE_PROBE_USDT_NOTE_H

#include <stddef.h>
#include <stdint.h>

/* One note; the strings lie in the section. */
struct usdt_note {
	const char *provider, *name, *args;
	uint64_t location, base, semaphore; /* as linked; semaphore 0: none */
};

/*
 * Call fn for every note that is whole, until it returns non-zero, which is returned. What is broken is
 * left out; behind a note whose length goes beyond the section nothing can be found.
 */
int usdt_notes_each(const void *data, size_t len, int (*fn)(const struct usdt_note *note, void *ctx), void *ctx);

#endif
