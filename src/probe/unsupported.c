/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of the language that sonde cannot attach yet. They are known by name and refused by name. */
#include "base/util.h"
#include "probe/common.h"
#include "probe/kinds.h"
#include "probe/kinds_all.h"

static int expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	const struct probe_kind *kind = probe_kind_find(probe_kinds, spec->kind);

	(void)out;
	return diag_error(env->diags, spec->span, "probe kind %s is not supported yet",
			  kind ? kind->name : spec->kind);
}

/* Nothing that could be attached. */
static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	(void)env;
	(void)spec;
	(void)fn;
	(void)ctx;
	return 0;
}

#define UNSUPPORTED(word, alias, alias2, form, text) \
	const struct probe_kind probe_##word = { \
		.name = #word, \
		.aliases = (const char *const[]){ alias, alias2, NULL }, \
		.forms = form, \
		.summary = text " (not supported yet)", \
		.run = RUN_ATTACHED, \
		.expand = expand, \
		.list = list, \
	}

UNSUPPORTED(asyncwatchpoint, "aw", NULL, "asyncwatchpoint:ADDRESS:LENGTH:MODE", "access to memory, seen later");
UNSUPPORTED(hardware, "h", NULL, "hardware:EVENT[:COUNT]", "events counted by the processor");
UNSUPPORTED(watchpoint, "w", NULL, "watchpoint:ADDRESS:LENGTH:MODE", "access to memory");
