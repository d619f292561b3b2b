/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of kprobe and kretprobe share. */
#ifndef SONDE_PROBE_KPROBE_H
#define SONDE_PROBE_KPROBE_H

#include "kernel/kernel.h"
#include "lang/probe.h"

/* attach_point.priv */
struct kprobe_place {
	bool is_return;
	bool multi;             /* one link serves all such points of a program */
	bool session;           /* the link serves the entry and the return of the functions */
	bool by_name;           /* it was asked for by its name: that it fails must be said */
	uint64_t offset;        /* into the function */
	/* Where the functions of this name are; none: the kernel finds the one there is by its name. */
	const uint64_t *addresses;
	uint32_t naddresses;
};

/* kprobe.c, for both kinds */
int kprobe_expand(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		  attach_vec *out);
int kprobe_list(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		int (*fn)(const char *name, void *ctx), void *ctx);

/* kprobe_attach.c */
const char *kprobe_missing(struct probe_env *env); /* NULL, or why the kernel has none */
int kprobe_prepare(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap, link_vec *links);
bool kprobe_join(struct probe_env *env, const attach_vec *begin, const attach_vec *end);
int kprobe_attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		  uint32_t npoints, link_vec *links);

#endif
