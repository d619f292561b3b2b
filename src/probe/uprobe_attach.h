/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uprobe_attach: programs to places in files; what uprobe, uretprobe and usdt share. */
#ifndef SONDE_PROBE_UPROBE_ATTACH_H
#define SONDE_PROBE_UPROBE_ATTACH_H

#include "lang/probe.h"

/* One place where a program shall run. */
struct uprobe_place {
	const struct attach_point *point; /* whose cookie is handed over, and whose name messages show */
	const char *path;
	uint64_t offset;         /* in the file */
	uint32_t variant;        /* the upper half of the cookie: the place is one of several of its point */
	uint64_t ref_ctr_offset; /* in the file, of a counter the kernel keeps (a semaphore); 0: none */
	bool optional;           /* a pattern found it: it is left out when the kernel cannot trace it */
};

typedef VEC(struct uprobe_place) uprobe_place_vec;

/* kind->prepare: one link for many places, where the kernel has that. */
int uprobe_prepare(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap, link_vec *links);
/*
 * Attach to all places (of the process of -p only, when there is one); places of one file should stand
 * together. `is_return`: when the function that begins there returns. As kind->attach.
 */
int uprobe_attach(struct probe_env *env, struct bpf_program *prog, const uprobe_place_vec *places, bool is_return,
		  link_vec *links);

#endif
