/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nearest kind: where the functions of the kernel cannot be traced, which other probe sees the same event. */
#ifndef SONDE_PROBE_NEAREST_KIND_H
#define SONDE_PROBE_NEAREST_KIND_H

#include "lang/probe.h"

/*
 * Report that `ap` cannot be attached on this kernel for the reason given ("CONFIG_KPROBES is off"), with the
 * nearest probe that works here as the hint. Returns err.
 */
int nearest_kind_report(struct probe_env *env, const struct attach_point *ap, const char *reason, int err);

#endif
