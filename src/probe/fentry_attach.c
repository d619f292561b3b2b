/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fentry, fexit: what a program is for is said before it is loaded; and why the kernel will not have it. */
#include <errno.h>
#include <stdio.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "probe/common.h"
#include "probe/fentry.h"
#include "probe/nearest_kind.h"

/* The kernel's own number, which no header for programs has. */
#define KERNEL_ENOTSUPP 524
/* Programs of this kind load nowhere, or load and cannot be attached. */
#define NOT_ALLOWED "the kernel does not allow trampolines for BPF"

int fentry_prepare(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap, link_vec *links)
{
	struct probe_link open = { .fd = -1 };
	int err;

	if (ap->target && fentry_module_meant(ap))
		return fentry_module_prepare(env, prog, ap, links);
	if (ap->target)
		return 0; /* the section says it */
	open.fd = bpf_prog_get_fd_by_id((uint32_t)ap->number);
	if (open.fd < 0)
		return report_error(env->report, -errno, NULL, "the BPF program %u is gone: %m", (uint32_t)ap->number);
	vec_push(env->arena, links, open);
	err = bpf_program__set_attach_target(prog, open.fd, ap->func);
	return err ? report_error(env->report, err, NULL, "cannot trace %s: %s", ap->name, strerror(-err)) : 0;
}

/* ---- refusals ---- */

const char *fentry_missing(struct probe_env *env)
{
	return kernel_has_fentry(env->kernel) ? NULL : NOT_ALLOWED;
}

/* A program that does nothing, for the same place. Its error, and what the kernel said. */
static int try_load(const struct attach_point *ap, char *log, size_t log_size)
{
	enum bpf_attach_type type = fentry_is_exit(ap->kind) ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY;
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type, .log_level = 1, .log_buf = log,
		    .log_size = (uint32_t)log_size);
	int id = ap->target && !strcmp(ap->target, "vmlinux") ? libbpf_find_vmlinux_btf_id(ap->func, type) : -ENOENT;
	int fd;

	if (id < 0)
		return 0;
	opts.attach_btf_id = (uint32_t)id;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "try", "GPL", insns, ARRAY_SIZE(insns), &opts);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* Not all of that name can be traced: which state is it in? */
static int state_report(struct probe_env *env, const struct attach_point *ap, int err)
{
	const struct kernel_function *list;
	size_t n;

	if (!ap->target || kernel_functions_named(env->kernel, env->arena, ap->target, ap->func, &list, &n) ||
	    list->state == FUNCTION_TRACEABLE)
		return 0;
	return report_error(env->report, err, NULL, "%s cannot be traced: %s", ap->name,
			    function_state_text(list->state));
}

int fentry_refused(struct probe_env *env, const struct attach_point *ap, int err)
{
	char log[1024] = "";
	int tried = try_load(ap, log, sizeof(log));

	if (!tried)
		return 0; /* it is not because of the place */
	if (tried == -EPERM)
		return nearest_kind_report(env, ap, NOT_ALLOWED, err);
	if (state_report(env, ap, err))
		return err;
	log[strcspn(log, "\n")] = 0;
	return report_error(env->report, err, NULL, "the kernel does not trace %s: %s", ap->name,
			    *log ? log : strerror(-tried));
}

/* ---- attach ---- */

static int attach_failed(struct probe_env *env, const struct attach_point *ap, int err)
{
	if (err == -EPERM)
		return nearest_kind_report(env, ap, NOT_ALLOWED, err);
	if (state_report(env, ap, err))
		return err;
	if (err == -KERNEL_ENOTSUPP)
		return report_error(env->report, err, NULL, "cannot attach %s: this kernel cannot hand on its arguments",
				    ap->name);
	if (err == -E2BIG)
		return report_error(env->report, err, NULL, "cannot attach %s: too many programs are attached to it", ap->name);
	return report_error(env->report, err, NULL, "cannot attach %s: %s", ap->name, strerror(-err));
}

int fentry_attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		  uint32_t npoints, link_vec *links)
{
	for (uint32_t i = 0; i < npoints; i++) {
		struct probe_link one = { .fd = bpf_raw_tracepoint_open(NULL, bpf_program__fd(prog)), .slow_close = true };

		if (one.fd < 0)
			return attach_failed(env, points[i], -errno);
		vec_push(env->arena, links, one);
	}
	return 0;
}
