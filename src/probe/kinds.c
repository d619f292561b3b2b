/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kinds: the table of all probe kinds. */
#include "probe/kinds.h"

#include "probe/kinds_all.h"

const struct probe_kind *const probe_kinds[] = {
	&probe_begin,
	&probe_end,
	&probe_interval,
	&probe_profile,
	&probe_rawtracepoint,
	&probe_software,
	&probe_tracepoint,
	&probe_asyncwatchpoint,
	&probe_bench,
	&probe_fentry,
	&probe_fexit,
	&probe_hardware,
	&probe_iter,
	&probe_kprobe,
	&probe_kretprobe,
	&probe_self,
	&probe_test,
	&probe_uprobe,
	&probe_uretprobe,
	&probe_usdt,
	&probe_watchpoint,
	NULL,
};
