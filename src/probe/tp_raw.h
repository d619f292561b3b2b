/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields of tracepoints found in the arguments of the raw tracepoint behind them. */
#ifndef SONDE_PROBE_TP_RAW_H
#define SONDE_PROBE_TP_RAW_H

#include "kernel/kernel.h"
#include "lang/probe.h"

/*
 * Where a field of the record comes from, as the kernel's own code fills it in.
 *   arg       which argument of the raw tracepoint
 *   of        what it points to; NULL: the argument itself is the value
 *   member    the way from there: "pid", "bi_iter.bi_sector", "signal->oom_score_adj"
 * A field that is text beside the record (__data_loc) is the address of the text.
 */
struct tp_raw_field {
	const char *name;
	uint32_t arg;
	const char *of, *member;
};

struct tp_raw_event {
	const char *system, *events;       /* names of events, with spaces between them */
	const struct tp_raw_field *fields; /* ended by one without a name */
};

/* tp_raw_table.c; ended by one without a system. */
extern const struct tp_raw_event tp_raw_events[];

/* The args of this tracepoint for a program at its raw tracepoint: those of the fields `reads` names. NULL
 * when one of them cannot be had there, on this kernel. */
const struct type *tp_raw_args(struct probe_env *env, const char *system, const char *event,
			       const struct body_reads *reads);

#endif
