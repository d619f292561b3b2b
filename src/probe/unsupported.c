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

#define UNSUPPORTED(word, form, text, ...) \
	const struct probe_kind probe_##word = { \
		.name = #word, \
		.aliases = (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL }, \
		.forms = form, \
		.summary = text " (not supported yet)", \
		.run = RUN_ATTACHED, \
		.expand = expand, \
		.list = list, \
	}

UNSUPPORTED(asyncwatchpoint, "asyncwatchpoint:ADDRESS:LENGTH:MODE", "access to memory, seen later", "aw");
UNSUPPORTED(bench, "bench:NAME", "a small benchmark");
UNSUPPORTED(fentry, "fentry[:MODULE]:FUNCTION", "a kernel function begins, with typed arguments", "f", "kfunc");
UNSUPPORTED(fexit, "fexit[:MODULE]:FUNCTION", "a kernel function returns, with typed arguments", "fr",
	    "kretfunc");
UNSUPPORTED(hardware, "hardware:EVENT[:COUNT]", "events counted by the processor", "h");
UNSUPPORTED(iter, "iter:OBJECT[:PIN]", "every kernel object of one sort", "it");
UNSUPPORTED(kprobe, "kprobe[:MODULE]:FUNCTION[+OFFSET]", "a kernel function begins", "k");
UNSUPPORTED(kretprobe, "kretprobe[:MODULE]:FUNCTION", "a kernel function returns", "kr");
UNSUPPORTED(self, "self:signal:SIGNAL", "a signal to the tracer itself");
UNSUPPORTED(test, "test:NAME", "a test of a script");
UNSUPPORTED(uprobe, "uprobe:BINARY:FUNCTION[+OFFSET]", "a function of a program begins", "u");
UNSUPPORTED(uretprobe, "uretprobe:BINARY:FUNCTION", "a function of a program returns", "ur");
UNSUPPORTED(usdt, "usdt:BINARY:[PROVIDER:]NAME", "a marker that a program was built with", "U");
UNSUPPORTED(watchpoint, "watchpoint:ADDRESS:LENGTH:MODE", "access to memory", "w");
