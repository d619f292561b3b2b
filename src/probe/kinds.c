/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kinds: the table of all probe kinds. */
#include "probe/kinds.h"

#include <strings.h>

#include "base/util.h"
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

static bool kind_is(const struct probe_kind *kind, const char *name)
{
	if (kind->case_insensitive ? !strcasecmp(kind->name, name) : !strcmp(kind->name, name))
		return true;
	for (const char *const *alias = kind->aliases; alias && *alias; alias++)
		if (kind->case_insensitive ? !strcasecmp(*alias, name) : !strcmp(*alias, name))
			return true;
	return false;
}

const struct probe_kind *probe_kind_find(const struct probe_kind *const *kinds, const char *name)
{
	for (; *kinds; kinds++)
		if (kind_is(*kinds, name))
			return *kinds;
	return NULL;
}
