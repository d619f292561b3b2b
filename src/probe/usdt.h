/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Usdt: what the files of this kind share: usdt.c finds markers, usdt_type.c types their arguments,
 * usdt_attach.c attaches. */
#ifndef SONDE_PROBE_USDT_H
#define SONDE_PROBE_USDT_H

#include "base/strmap.h"
#include "lang/probe.h"
#include "probe/usdt_file.h"

/* What the points of one expansion share. */
struct usdt_shared {
	struct strmap types; /* args by the text of the notes, where that says all */
};

/* One marker of one file: attach_point.priv. */
struct usdt_point {
	const struct usdt_file *file;
	const struct usdt_site *sites;
	size_t nsites;
	bool by_pattern;  /* found, not named */
	uint32_t *places; /* of each site: which of the places of its arguments; NULL: all the same */
	struct usdt_shared *shared;
};

/* Fill ap->args with arg0, arg1, ... */
int usdt_args_fill(struct probe_env *env, struct attach_point *ap);
int usdt_attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		uint32_t npoints, link_vec *links);

#endif
