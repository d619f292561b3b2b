/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds, by name, for the table in kinds.c and for the files that define them. */
#ifndef SONDE_PROBE_KINDS_ALL_H
#define SONDE_PROBE_KINDS_ALL_H

#include <errno.h>

#include "lang/probe.h"

extern const struct probe_kind probe_asyncwatchpoint;
extern const struct probe_kind probe_begin;
extern const struct probe_kind probe_bench;
extern const struct probe_kind probe_end;
extern const struct probe_kind probe_fentry;
extern const struct probe_kind probe_fexit;
extern const struct probe_kind probe_hardware;
extern const struct probe_kind probe_interval;
extern const struct probe_kind probe_iter;
extern const struct probe_kind probe_kprobe;
extern const struct probe_kind probe_kretprobe;
extern const struct probe_kind probe_profile;
extern const struct probe_kind probe_rawtracepoint;
extern const struct probe_kind probe_self;
extern const struct probe_kind probe_software;
extern const struct probe_kind probe_test;
extern const struct probe_kind probe_tracepoint;
extern const struct probe_kind probe_uprobe;
extern const struct probe_kind probe_uretprobe;
extern const struct probe_kind probe_usdt;
extern const struct probe_kind probe_watchpoint;

#endif
