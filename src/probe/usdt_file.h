/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Usdt_file: the markers of one program or library. */
#ifndef SONDE_PROBE_USDT_FILE_H
#define SONDE_PROBE_USDT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One place in the code; several may have the same name. */
struct usdt_site {
	const char *provider, *name, *args;
	uint64_t address;    /* as linked, after what prelink has moved */
	uint64_t offset;     /* in the file */
	uint64_t semaphore;  /* offset in the file of the counter that switches it on; 0: none */
	bool lost_semaphore; /* it has one, but not where the kernel could count */
};

struct usdt_file {
	char *path;
	dev_t dev;
	ino_t ino;
	bool is_fixed;           /* loaded at the addresses it was linked for */
	struct usdt_site *sites; /* by provider, name and address, each once */
	size_t nsites;
	void *text;              /* what the strings lie in */
};

/* Read them all. 0, or a negative errno with *why ("it is no ELF file"). Without any, nsites is 0. */
int usdt_file_read(const char *path, struct usdt_file **out, const char **why);
void usdt_file_free(struct usdt_file *f);

/* The first site of this very provider and name; nsites when there is none. */
size_t usdt_file_find(const struct usdt_file *f, const char *provider, const char *name);
/* The next site whose provider or name differs from that of site i. */
size_t usdt_file_next(const struct usdt_file *f, size_t i);
/* The address of a symbol as linked. False: unknown, or several have this name. */
bool usdt_file_symbol(const struct usdt_file *f, const char *name, uint64_t *address);

#endif
