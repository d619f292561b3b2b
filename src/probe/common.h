/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the probe kinds share: parts of a spec, attach points, perf events. */
#ifndef SONDE_PROBE_COMMON_H
#define SONDE_PROBE_COMMON_H

#include <stdint.h>

#include "lang/probe.h"

struct perf_event_attr;

/* Where part i stands; the whole spec when that is not known. */
struct span part_span(const struct probe_spec *spec, uint32_t i);
/* Is part i a pattern? A quoted part never is. */
bool part_is_pattern(const struct probe_spec *spec, uint32_t i);
/* The spec as written, with the kind's full name: "interval:s:1". */
const char *spec_name(struct arena *a, const struct probe_kind *kind, const struct probe_spec *spec);
/* All parts joined by ':'; "*" when there are none: the pattern of a listing. */
const char *spec_pattern(struct arena *a, const struct probe_spec *spec);

/* A new attach point at the end of *out; NULL after a diagnostic when there are too many. */
struct attach_point *point_add(struct probe_env *env, const struct probe_kind *kind,
			       const struct probe_spec *spec, const char *name, attach_vec *out);

/* A count as the language writes integers: digits, _ between them, 1e6. 0, -EINVAL, or -ERANGE. */
int count_parse(const char *text, uint64_t *value);
/* The count in part i, which must not be 0. 0, or -EINVAL after a diagnostic. */
int count_of_part(struct probe_env *env, const struct probe_spec *spec, uint32_t i, const char *what,
		  uint64_t *value);
/* "hz:99", "ms:10", "10ms" and "1000" (nanoseconds). *hz is 0 unless a rate was asked for; *period_ns is
 * always set. 0, or -EINVAL after a diagnostic. */
int rate_parse(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
	       uint64_t *period_ns, uint64_t *hz);
/* list() of the kinds that take a rate. */
int rate_list(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
	      int (*fn)(const char *name, void *ctx), void *ctx);

/* Attach `prog` to the tracepoint with this number. Like those below: one message says what failed. */
int perf_attach_tracepoint(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap,
			   uint64_t id, link_vec *links);
/* Attach on every online CPU, or, with -p, to every thread of that process. */
int perf_attach_all(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap,
		    struct perf_event_attr *attr, link_vec *links);
/*
 * For kinds with perf events of their own: open one and attach `prog` to it, with a cookie (0: none). The
 * event's attr must hold its size. Nothing is reported; attach_report() does that.
 */
int perf_attach_cookie(struct probe_env *env, struct bpf_program *prog, struct perf_event_attr *attr, int32_t pid,
		       int cpu, uint64_t cookie, bool slow_close, link_vec *links);
int attach_report(struct probe_env *env, const struct attach_point *ap, int err);
/* Room for one more link, asked for before there is anything that could leak; links->n-- gives it back. */
struct probe_link *link_slot(struct probe_env *env, link_vec *links);
/* Attach to a raw tracepoint; `event` NULL: to the one whose types the program has. */
int raw_attach(struct probe_env *env, struct bpf_program *prog, const char *event,
	       const struct attach_point *ap, link_vec *links);

#endif
