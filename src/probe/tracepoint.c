/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracepoint: the static events of the kernel as tracefs describes them. There are three ways to attach:
 *
 *   the raw tracepoint that all system calls share (syscall_raw.c)
 *   the raw tracepoint of the same name, where the body reads no field of the record or only such as can
 *   be found in the raw arguments (tp_raw.c)
 *   a perf event, which makes the record for every event, and takes 80 ms to detach
 *
 * What the kernel does not do for raw tracepoints is to keep programs from running within each other on
 * one CPU; it stops only a program from running within itself. Programs that run while a lock is taken
 * (lock:contention_end) may then wait for a lock that the program below them holds. Before Linux 6.16,
 * which sees that coming and refuses the lock, a question with such probes is attached through perf.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "kernel/kernel.h"
#include "probe/common.h"
#include "probe/kinds_all.h"
#include "probe/syscall_raw.h"
#include "probe/tp_args.h"
#include "probe/tp_raw.h"

/* What the points of one expansion share: all sys_exit_* have the same args. */
struct tp_shared {
	const struct type *exit_args;
};

/* ---- expand ---- */

static int add(struct probe_env *env, const struct probe_spec *spec, struct tp_shared *shared,
	       const char *system, const char *event, attach_vec *out)
{
	struct arena *a = env->arena;
	struct attach_point *ap = point_add(env, &probe_tracepoint, spec,
					    arena_printf(a, "tracepoint:%s:%s", system, event), out);
	struct syscall_point sp;

	if (!ap)
		return -EINVAL;
	ap->target = arena_strdup(a, system);
	ap->func = arena_strdup(a, event);
	ap->priv = shared;
	env->keep_nesting_guard |= !strcmp(system, "lock");
	if (syscall_raw_of(system, event, &sp))
		syscall_raw_point(ap, &sp);
	else
		ap->section = arena_printf(a, "tp/%s/%s", system, event);
	return 0;
}

/* A pattern alone is one for events, of all subsystems: "tracepoint:*wakeup*". */
static bool is_event_pattern(const struct probe_spec *spec)
{
	return spec->parts.n == 1 && part_is_pattern(spec, 0);
}

static bool part_matches(const struct probe_spec *spec, uint32_t i, const char *name)
{
	return part_is_pattern(spec, i) ? glob_match(spec->parts.v[i], name) : !strcmp(spec->parts.v[i], name);
}

static int expand_pattern(struct probe_env *env, const struct probe_spec *spec, struct tp_shared *shared,
			  attach_vec *out)
{
	const char *const *systems, *const *events;
	size_t nsystems, nevents;
	uint32_t before = out->n, event_part = spec->parts.n - 1;
	int err = kernel_tracepoint_systems(env->kernel, &systems, &nsystems);

	for (size_t s = 0; !err && s < nsystems; s++) {
		if (event_part && !part_matches(spec, 0, systems[s]))
			continue;
		err = kernel_tracepoint_events(env->kernel, systems[s], &events, &nevents);
		for (size_t e = 0; !err && e < nevents; e++)
			if (part_matches(spec, event_part, events[e]))
				err = add(env, spec, shared, systems[s], events[e], out);
	}
	if (err)
		return err;
	return out->n == before ? -ENOENT : 0;
}

/* The subsystem that has an event of this name, for "it is in another place". */
static const char *system_with(struct probe_env *env, const char *event)
{
	const char *const *systems;
	size_t n;

	if (kernel_tracepoint_systems(env->kernel, &systems, &n))
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (!kernel_tracepoint_exists(env->kernel, systems[i], event))
			return systems[i];
	return NULL;
}

/* In the words of the reference; what is known beyond them is the hint. -ENOENT: whether that is an error is
 * for missing_probes to say. */
static int not_found(struct probe_env *env, const struct probe_spec *spec, const char *what, const char *near)
{
	diag_error(env->diags, spec->span, "Tracepoint not found: %s:%s", spec->parts.v[0], spec->parts.v[1]);
	/* To programs that read the reference's words a message of its own says what can be done. */
	diag_hint(env->diags, "%s%s%s%s%s", what, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "",
		  diag_form_is_reference() ? "" : "\nIf this is expected, set the 'missing_probes' config variable to "
						  "'warn' or 'ignore'.");
	return -ENOENT;
}

static int missing(struct probe_env *env, const struct probe_spec *spec)
{
	const char *system = spec->parts.v[0], *event = spec->parts.v[1], *other;
	const char *const *names;
	size_t n;
	int err = kernel_tracepoint_events(env->kernel, system, &names, &n);

	if (err && err != -ENOENT)
		return err;
	other = system_with(env, event);
	if (!err)
		return not_found(env, spec, arena_printf(env->arena, "no tracepoint '%s' in '%s'", event, system),
				 other ? arena_printf(env->arena, "%s:%s", other, event) : nearest_name(event, names, n));
	err = kernel_tracepoint_systems(env->kernel, &names, &n);
	if (err)
		return err;
	return not_found(env, spec, arena_printf(env->arena, "no tracepoint subsystem '%s'", system),
			 other ? other : nearest_name(system, names, n));
}

static int expand(struct probe_env *env, const struct probe_spec *spec, attach_vec *out)
{
	struct tp_shared *shared;
	int err;

	shared = arena_new_of(env->arena, struct tp_shared);
	if (is_event_pattern(spec))
		return expand_pattern(env, spec, shared, out);
	if (spec->parts.n != 2 || !*spec->parts.v[0] || !*spec->parts.v[1])
		return diag_error(env->diags, spec->span, "tracepoint needs a subsystem and an event: %s",
				  probe_tracepoint.forms);
	if (part_is_pattern(spec, 0) || part_is_pattern(spec, 1))
		return expand_pattern(env, spec, shared, out);
	err = kernel_tracepoint_exists(env->kernel, spec->parts.v[0], spec->parts.v[1]);
	if (err == -ENOENT)
		return missing(env, spec);
	if (err) {
		/* kernel_tracefs() has told what it could not do; a file in it that may not be seen is new. */
		if (kernel_tracefs(env->kernel) < 0)
			return err;
		errno = -err;
		return report_error(env->report, err,
				    "run as root, or give the program CAP_DAC_READ_SEARCH",
				    "cannot look up tracepoint %s:%s in tracefs: %m", spec->parts.v[0],
				    spec->parts.v[1]);
	}
	return add(env, spec, shared, spec->parts.v[0], spec->parts.v[1], out);
}

/* ---- settle ---- */

#define VERSION_LOCKS_REFUSE ((6u << 16) + (16u << 8))

/* For comparing both ways: SONDE_TRACEPOINT=perf attaches none raw that could be attached otherwise. */
static bool raw_is_wanted(void)
{
	const char *way = getenv("SONDE_TRACEPOINT");

	return !way || strcmp(way, "perf");
}

/* Is the raw tracepoint of this name the same event, and may a program run there as it would here? */
static bool raw_is_safe(struct probe_env *env, const struct attach_point *ap)
{
	if (!strcmp(ap->target, "lock") ||
	    (env->keep_nesting_guard && kernel_version() < VERSION_LOCKS_REFUSE))
		return false;
	return !kernel_tracepoint_is_dynamic(env->kernel, ap->target, ap->func);
}

static bool is_raw(const struct attach_point *ap)
{
	return str_starts(ap->section, "raw_tp/");
}

/* Raw tracepoints may call less than the record's own. */
static void syscall_leave_group(struct probe_env *env, struct attach_point *ap)
{
	if (!ap->group)
		return;
	ap->group = NULL;
	ap->guard = (struct guard){ .kind = GUARD_NONE };
	ap->section = arena_printf(env->arena, "tp/%s/%s", ap->target, ap->func);
}

static int settle(struct probe_env *env, struct attach_point *ap, const struct body_reads *reads)
{
	const struct type *args = NULL;

	if (reads->kfunc)
		syscall_leave_group(env, ap);
	if (reads->kfunc || ap->group || reads->context || reads->args_whole || !raw_is_wanted() || !raw_is_safe(env, ap))
		return 0;
	if (reads->fields.n) {
		args = tp_raw_args(env, ap->target, ap->func, reads);
		if (!args)
			return 0;
	}
	ap->args = args;
	ap->section = arena_printf(env->arena, "raw_tp/%s", ap->func);
	return 0;
}

/* ---- args ---- */

static const struct type *args_of(struct probe_env *env, const struct attach_point *ap,
				  const struct tp_format *format)
{
	struct syscall_point sp;

	if (ap->group && syscall_raw_of(ap->target, ap->func, &sp))
		return syscall_raw_args(env->arena, format, sp.is_exit);
	return tp_args_type(env->arena, format, strcmp(ap->target, "syscalls") ? SPACE_KERNEL : SPACE_USER);
}

static int args(struct probe_env *env, struct attach_point *ap)
{
	struct tp_shared *shared = ap->priv;
	bool is_exit = ap->group && str_starts(ap->func, "sys_exit_");
	struct tp_format format;
	int err;

	if (ap->args)
		return 0;
	if (is_exit && shared->exit_args) {
		ap->args = shared->exit_args;
		return 0;
	}
	err = kernel_tracepoint(env->kernel, env->arena, ap->target, ap->func, &format);
	if (err == -ENOENT)
		return report_error(env->report, err, NULL, "%s has gone away", ap->name);
	if (err)
		return err;
	ap->args = args_of(env, ap, &format);
	if (is_exit)
		shared->exit_args = ap->args;
	return 0;
}

/* ---- list ---- */

/* Could an event of this subsystem match? Spares opening the directories of all others. */
static bool system_may_match(const struct probe_spec *spec, const char *system)
{
	return spec->parts.n != 2 || glob_match(spec->parts.v[0], system);
}

static int list_system(struct probe_env *env, const char *pattern, const char *system,
		       int (*fn)(const char *name, void *ctx), void *ctx)
{
	const char *const *events;
	size_t n;
	int r = kernel_tracepoint_events(env->kernel, system, &events, &n);
	char name[512];

	for (size_t i = 0; !r && i < n; i++) {
		if ((size_t)snprintf(name, sizeof(name), "tracepoint:%s:%s", system, events[i]) >= sizeof(name))
			continue;
		if (!strcmp(pattern, "*") || glob_match(pattern, name + strlen("tracepoint:")))
			r = fn(name, ctx);
	}
	return r;
}

static int list(struct probe_env *env, const struct probe_spec *spec, int (*fn)(const char *name, void *ctx),
		void *ctx)
{
	const char *pattern = spec_pattern(env->arena, spec);
	const char *const *systems;
	size_t n;
	int r = kernel_tracepoint_systems(env->kernel, &systems, &n);

	for (size_t i = 0; !r && i < n; i++)
		if (system_may_match(spec, systems[i]))
			r = list_system(env, pattern, systems[i], fn, ctx);
	return r;
}

/* ---- attach ---- */

static int attach_perf(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap,
		       link_vec *links)
{
	uint64_t id;
	int err = kernel_tracepoint_id(env->kernel, ap->target, ap->func, &id);

	if (err == -ENOENT)
		return report_error(env->report, err, NULL, "cannot attach %s: it has gone away", ap->name);
	if (err)
		return err;
	return perf_attach_tracepoint(env, prog, ap, id, links);
}

static int attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		  uint32_t npoints, link_vec *links)
{
	struct syscall_point sp;
	int err = 0;

	/* All points of a group are one attachment: the program tells them apart. */
	if (npoints && points[0]->group && syscall_raw_of(points[0]->target, points[0]->func, &sp))
		return raw_attach(env, prog, sp.is_exit ? "sys_exit" : "sys_enter", points[0], links);
	for (uint32_t i = 0; !err && i < npoints; i++)
		err = is_raw(points[i]) ? raw_attach(env, prog, points[i]->func, points[i], links)
					: attach_perf(env, prog, points[i], links);
	return err;
}

const struct probe_kind probe_tracepoint = {
	.name = "tracepoint",
	.aliases = (const char *const[]){ "t", NULL },
	.forms = "tracepoint:SUBSYSTEM:EVENT",
	.summary = "a static event of the kernel, with named arguments",
	.run = RUN_ATTACHED,
	.prog_type = "tracepoint",
	.filter_pid = true,
	.has_args = true,
	.space = SPACE_KERNEL,
	.slow_close = true,
	.takes_cookie = true,
	.expand = expand,
	.settle = settle,
	.args = args,
	.list = list,
	.attach = attach,
};
