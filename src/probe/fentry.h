/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of fentry and fexit share. */
#ifndef SONDE_PROBE_FENTRY_H
#define SONDE_PROBE_FENTRY_H

#include "kernel/kernel.h"
#include "lang/probe.h"

/* An attach point has `target` (a module) and `func`; one in a BPF program has no target and its id as `number`. */

typedef int (*probe_name_fn)(const char *name, void *ctx);

/* ---- fentry.c ---- */
bool fentry_is_exit(const struct probe_kind *kind);
/* Why the kernel cannot trace a function of this prototype; NULL: it can. */
const char *fentry_proto_refusal(const struct btf_file *btf, const struct btf_type *proto);

/* ---- fentry_bpf.c: functions of BPF programs that are loaded ---- */
bool fentry_bpf_meant(const struct probe_spec *spec);
int fentry_bpf_expand(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		      attach_vec *out);
int fentry_bpf_list(struct probe_env *env, const struct probe_kind *kind, const char *pattern, probe_name_fn fn,
		    void *ctx);

/* ---- fentry_module.c: functions of modules that the loader would not find by their name ---- */
/* The section of a program for the function with this number in the types of its module. */
const char *fentry_module_section(struct probe_env *env, const struct probe_kind *kind, const char *module,
				  const char *function, uint32_t id);
bool fentry_module_meant(const struct attach_point *ap);
int fentry_module_prepare(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap,
			  link_vec *links);

/* ---- fentry_attach.c ---- */
/* NULL, or why the kernel has none. */
const char *fentry_missing(struct probe_env *env);
int fentry_prepare(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap, link_vec *links);
int fentry_refused(struct probe_env *env, const struct attach_point *ap, int err);
int fentry_attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		  uint32_t npoints, link_vec *links);

#endif
