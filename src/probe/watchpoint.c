/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watchpoint, asyncwatchpoint: an access to memory, seen by the processor's debug registers. With -p or -c the
 * address is one of that process, else one of the kernel's. The two kinds differ only in how they would follow an
 * argument of a function, which is refused.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

#include "base/util.h"
#include "probe/common.h"
#include "probe/kinds_all.h"

/* What an attach point watches. */
struct watch {
	uint64_t address, length;
	uint32_t mode; /* HW_BREAKPOINT_* */
};

enum { PART_ADDRESS, PART_LENGTH, PART_MODE, NPARTS };

static int address_parse(struct probe_env *env, const struct probe_spec *spec, uint64_t *address)
{
	const char *text = spec->parts.v[PART_ADDRESS];
	char *end;

	errno = 0;
	*address = strtoull(text, &end, 0);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno)
		return 0;
	if (errno == ERANGE)
		return diag_error(env->diags, part_span(spec, PART_ADDRESS), "the address %s is too large", text);
	diag_error(env->diags, part_span(spec, PART_ADDRESS), "'%s' is not an address", text);
	diag_hint(env->diags, "watch a number, such as 0x10000000; an argument of a function cannot be watched: print it "
		  "with uprobe first");
	return -EINVAL;
}

static int length_parse(struct probe_env *env, const struct probe_spec *spec, uint64_t *length)
{
	int err = count_of_part(env, spec, PART_LENGTH, "the length", length);

	if (!err && *length != 1 && *length != 2 && *length != 4 && *length != 8)
		err = diag_error(env->diags, part_span(spec, PART_LENGTH), "a watchpoint is 1, 2, 4 or 8 bytes long, not %s",
				 spec->parts.v[PART_LENGTH]);
	return err;
}

/* "rw" -> HW_BREAKPOINT_RW. */
static int mode_parse(struct probe_env *env, const struct probe_spec *spec, uint32_t *mode)
{
	static const struct { char letter; uint32_t bit; } letters[] = {
		{ 'r', HW_BREAKPOINT_R }, { 'w', HW_BREAKPOINT_W }, { 'x', HW_BREAKPOINT_X },
	};
	const char *text = spec->parts.v[PART_MODE];
	struct span span = part_span(spec, PART_MODE);

	*mode = 0;
	for (const char *p = text; *p; p++) {
		uint32_t bit = 0;

		for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
			bit |= *p == letters[i].letter ? letters[i].bit : 0;
		if (!bit)
			return diag_error(env->diags, span, "a watchpoint's mode is made of r, w and x, not '%c'", *p);
		if (*mode & bit)
			return diag_error(env->diags, span, "'%c' stands twice in the mode of the watchpoint", *p);
		*mode |= bit;
	}
	if (!*mode)
		return diag_error(env->diags, span, "a watchpoint needs a mode: r, w, x");
	return 0;
}

/* What the processor can do. */
static int possible(struct probe_env *env, const struct probe_spec *spec, const struct watch *w)
{
	struct span span = part_span(spec, PART_MODE);
	bool executes = w->mode & HW_BREAKPOINT_X;

	if (executes && w->mode & HW_BREAKPOINT_RW)
		return diag_error(env->diags, span, "memory can be watched for execution or for access, not for both");
#ifdef __x86_64__
	if (w->mode == HW_BREAKPOINT_R) {
		diag_error(env->diags, span, "this processor cannot watch reading alone");
		diag_hint(env->diags, "use rw");
		return -EINVAL;
	}
#endif
	if (executes && w->length != sizeof(long))
		return diag_error(env->diags, part_span(spec, PART_LENGTH), "a watchpoint for execution has length %zu",
				  sizeof(long));
	if (!executes && w->address % w->length)
		return diag_error(env->diags, part_span(spec, PART_ADDRESS),
				  "0x%" PRIx64 " is not a multiple of the length %" PRIu64, w->address, w->length);
	return 0;
}

static int expand_kind(struct probe_env *env, const struct probe_kind *kind, const struct probe_spec *spec,
		       attach_vec *out)
{
	struct watch *w = arena_new_of(env->arena, struct watch);
	struct attach_point *ap;
	int err;

	if (spec->parts.n != NPARTS)
		return diag_error(env->diags, spec->span, "%s needs an address, a length and a mode: %s", kind->name,
				  kind->forms);
	err = address_parse(env, spec, &w->address);
	err = err ? err : length_parse(env, spec, &w->length);
	err = err ? err : mode_parse(env, spec, &w->mode);
	err = err ? err : possible(env, spec, w);
	if (err)
		return err;
	ap = point_add(env, kind, spec, spec_name(env->arena, kind, spec), out);
	if (!ap)
		return -EINVAL;
	ap->section = "perf_event";
	ap->priv = w;
	return 0;
}

static int attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		  uint32_t npoints, link_vec *links)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < npoints; i++) {
		const struct watch *w = points[i]->priv;
		uint32_t before = links->n;
		struct perf_event_attr attr = {
			.type = PERF_TYPE_BREAKPOINT, .bp_type = w->mode, .bp_addr = w->address, .bp_len = w->length,
			.sample_period = 1,
		};

		err = perf_attach_all(env, prog, points[i], &attr, links);
		for (uint32_t l = before; l < links->n; l++) {
			links->v[l].watches = true;
			links->v[l].address = w->address;
		}
	}
	return err;
}

static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	(void)env;
	(void)spec;
	(void)fn;
	(void)ctx;
	return 0; /* any address */
}

static int expand_watchpoint(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	return expand_kind(env, &probe_watchpoint, spec, out);
}

static int expand_async(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	return expand_kind(env, &probe_asyncwatchpoint, spec, out);
}

const struct probe_kind probe_watchpoint = {
	.name = "watchpoint",
	.aliases = (const char *const[]){ "w", NULL },
	.forms = "watchpoint:ADDRESS:LENGTH:MODE",
	.summary = "access to memory, of the kernel or with -p or -c of a process",
	.run = RUN_ATTACHED,
	.prog_type = "perf_event",
	.expand = expand_watchpoint,
	.list = list,
	.attach = attach,
};

const struct probe_kind probe_asyncwatchpoint = {
	.name = "asyncwatchpoint",
	.aliases = (const char *const[]){ "aw", NULL },
	.forms = "asyncwatchpoint:ADDRESS:LENGTH:MODE",
	.summary = "the same; no process is ever stopped for it",
	.run = RUN_ATTACHED,
	.prog_type = "perf_event",
	.expand = expand_async,
	.list = list,
	.attach = attach,
};
