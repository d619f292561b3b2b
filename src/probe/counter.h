/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counter: what software and hardware have in common: events that are counted, one run for every so many. */
#ifndef SONDE_PROBE_COUNTER_H
#define SONDE_PROBE_COUNTER_H

#include <linux/perf_event.h>

#include "lang/probe.h"

struct counter_event {
	const char *name, *alias;
	uint64_t config, period; /* PERF_COUNT_*; how many when nobody says */
};

/* A kind's events, sorted by name and ended by one without a name. */
int counter_expand(struct probe_env *env, const struct probe_kind *kind, const struct counter_event *events,
		   const struct probe_spec *spec, attach_vec *out);
int counter_list(struct probe_env *env, const struct probe_kind *kind, const struct counter_event *events,
		 const struct probe_spec *spec, int (*fn)(const char *name, void *ctx), void *ctx);
/* The event of an attach point, to be given to perf_attach_all(). */
struct perf_event_attr counter_attr(uint32_t type, const struct attach_point *ap);

#endif
