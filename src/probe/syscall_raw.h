/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tracepoints of system calls through the two raw tracepoints that all of them share. */
#ifndef SONDE_PROBE_SYSCALL_RAW_H
#define SONDE_PROBE_SYSCALL_RAW_H

#include "kernel/kernel.h"
#include "lang/probe.h"

/* One tracepoint of a system call: syscalls:sys_enter_openat. */
struct syscall_point {
	bool is_exit;
	int number;
};

/* Can this tracepoint be served by the raw one? Its number must be known, and the machine's registers. */
bool syscall_raw_of(const char *system, const char *event, struct syscall_point *out);
/* Fill in section, group and guard. */
void syscall_raw_point(struct attach_point *ap, const struct syscall_point *sp);
/* args, with the same fields as the perf tracepoint has, found in the registers. */
const struct type *syscall_raw_args(struct arena *a, const struct tp_format *format, bool is_exit);

#endif
