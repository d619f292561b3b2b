/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds, by name, for the table in kinds.c and for the files that define them. */
#ifndef SONDE_PROBE_KINDS_ALL_H
#define SONDE_PROBE_KINDS_ALL_H

#include <errno.h>

#include "lang/probe.h"

extern const struct probe_kind probe_begin, probe_end, probe_fentry, probe_fexit, probe_interval, probe_iter,
	probe_kprobe, probe_kretprobe, probe_profile, probe_rawtracepoint, probe_software, probe_tracepoint;

/* Kinds of the language that have no meaning yet: known by name, so that the error can say so. */
extern const struct probe_kind probe_asyncwatchpoint, probe_bench, probe_hardware, probe_self,
	probe_test, probe_uprobe, probe_uretprobe, probe_usdt, probe_watchpoint;

#endif
