/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kinds: the table of all probe kinds. A new kind is one file here and one line in kinds.c. */
#ifndef SONDE_PROBE_KINDS_H
#define SONDE_PROBE_KINDS_H

#include "lang/probe.h"

/* NULL-terminated, in the order help shows them. */
extern const struct probe_kind *const probe_kinds[];

#endif
