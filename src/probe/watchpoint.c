/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watchpoint, asyncwatchpoint: an access to memory, seen by the processor's debug registers. With -p or -c the
 * address is one of that process, else one of the kernel's. It may be an argument of a function: what that is, is
 * seen when the function is called; watchpoint stops the process until its address is watched, asyncwatchpoint does
 * not.
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
	uint64_t address, length; /* no address: an argument is followed */
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
	diag_hint(env->diags, "it is a number, such as 0x10000000, or an argument of a function, such as main+arg1");
	return -EINVAL;
}

/* ---- an argument of a function ---- */

/* "increment+arg1": where the '+' is; NULL: it is not of this form. */
static const char *argument_of(const struct probe_spec *spec)
{
	const char *text = spec->parts.n == NPARTS ? spec->parts.v[PART_ADDRESS] : "", *plus = strrchr(text, '+');

	if (!plus || plus == text || !str_starts(plus, "+arg") || plus[4] < '0' || plus[4] > '9' || plus[5])
		return NULL;
	return plus;
}

static const char *follow_kind(struct probe_env *env, const struct probe_spec *spec, uint32_t number, bool stop)
{
	const char *plus = argument_of(spec), *text = plus ? spec->parts.v[PART_ADDRESS] : NULL;
	const char *quote = spec->part_quoted.n && spec->part_quoted.v[PART_ADDRESS] ? "\"" : "";

	/* expand() says what is missing. */
	if (!plus || env->pid <= 0)
		return NULL;
	return arena_printf(env->arena, "uprobe::%s%.*s%s { __watch(%u, %s, %d); }", quote, (int)(plus - text), text, quote,
			    number, plus + 1, stop);
}

static const char *follow_watchpoint(struct probe_env *env, const struct probe_spec *spec, uint32_t number)
{
	return follow_kind(env, spec, number, true);
}

static const char *follow_async(struct probe_env *env, const struct probe_spec *spec, uint32_t number)
{
	return follow_kind(env, spec, number, false);
}

static int argument_parse(struct probe_env *env, const struct probe_spec *spec)
{
	if (spec->follower)
		return 0;
	diag_error(env->diags, part_span(spec, PART_ADDRESS), "whose function '%s' is meant is not known",
		   spec->parts.v[PART_ADDRESS]);
	diag_hint(env->diags, "give the process with -p PID or -c COMMAND");
	return -EINVAL;
}

/* ---- all of it ---- */

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
	err = argument_of(spec) ? argument_parse(env, spec) : address_parse(env, spec, &w->address);
	err = err ? err : length_parse(env, spec, &w->length);
	err = err ? err : mode_parse(env, spec, &w->mode);
	err = err ? err : possible(env, spec, w);
	if (err)
		return err;
	ap = point_add(env, kind, spec, spec_name(env->arena, kind, spec), out);
	if (!ap)
		return -EINVAL;
	ap->section = "perf_event";
	ap->follower = spec->follower;
	ap->priv = w;
	return 0;
}

static int address_attach(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap,
			  uint64_t address, link_vec *links)
{
	const struct watch *w = ap->priv;
	uint32_t before = links->n;
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .bp_type = w->mode, .bp_addr = address, .bp_len = w->length,
		.sample_period = 1,
	};
	int err = perf_attach_all(env, prog, ap, &attr, links);

	for (uint32_t l = before; l < links->n; l++) {
		links->v[l].watches = true;
		links->v[l].address = address;
	}
	return err;
}

static int follow_attach(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap,
			 uint64_t address, link_vec *links)
{
	const struct watch *w = ap->priv;

	if (!(w->mode & HW_BREAKPOINT_X) && address % w->length)
		return report_error(env->report, -EINVAL, "watch fewer bytes", "%s: 0x%" PRIx64 " is not a multiple of the "
				    "length %" PRIu64, ap->name, address, w->length);
	return address_attach(env, prog, ap, address, links);
}

static int attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		  uint32_t npoints, link_vec *links)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < npoints; i++) {
		const struct watch *w = points[i]->priv;

		if (!points[i]->follower)
			err = address_attach(env, prog, points[i], w->address, links);
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
	.forms = "watchpoint:ADDRESS:LENGTH:MODE or watchpoint:FUNCTION+argN:LENGTH:MODE",
	.summary = "access to memory, of the kernel or with -p or -c of a process",
	.run = RUN_ATTACHED,
	.prog_type = "perf_event",
	.expand = expand_watchpoint,
	.list = list,
	.attach = attach,
	.follow = follow_watchpoint,
	.follow_attach = follow_attach,
};

const struct probe_kind probe_asyncwatchpoint = {
	.name = "asyncwatchpoint",
	.aliases = (const char *const[]){ "aw", NULL },
	.forms = "asyncwatchpoint:ADDRESS:LENGTH:MODE or asyncwatchpoint:FUNCTION+argN:LENGTH:MODE",
	.summary = "the same, but the process is not stopped until the argument of a function is watched",
	.run = RUN_ATTACHED,
	.prog_type = "perf_event",
	.expand = expand_async,
	.list = list,
	.attach = attach,
	.follow = follow_async,
	.follow_attach = follow_attach,
};
