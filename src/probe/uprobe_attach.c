/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uprobe_attach: by one link for all places of a file where the kernel has that, else by a perf event
 * for each place. Either closes slowly: the kernel waits until no processor runs the program any more.
 */
#include "probe/uprobe_attach.h"

#include <errno.h>
#include <fcntl.h>

#include <linux/perf_event.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "kernel/kernel.h"
#include "probe/common.h"

#ifndef ENOTSUPP
#define ENOTSUPP 524 /* of the kernel alone: an instruction it cannot step over */
#endif

#define PMU "/sys/bus/event_source/devices/uprobe/"

/* Many links, one closed after the other: as many places of one file as one system call may take. */
#define PLACES_MOST (1u << 20)

struct attaching {
	struct probe_env *env;
	struct bpf_program *prog;
	bool is_return;
	link_vec *links;
	uint32_t nleft_out;
	const struct uprobe_place *left_out; /* the first of them */
	int left_out_err;
};

int uprobe_prepare(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap, link_vec *links)
{
	(void)ap;
	(void)links;
	if (!kernel_has_uprobe_multi(env->kernel))
		return 0;
	return bpf_program__set_expected_attach_type(prog, (enum bpf_attach_type)BPF_ATTACH_UPROBE_MULTI);
}

/* ---- what can go wrong ---- */

/* Is it this place that cannot be traced, rather than none at all? */
static bool is_about_place(int err)
{
	return err == -EINVAL || err == -ENOTSUPP || err == -EOPNOTSUPP || err == -EIO || err == -EEXIST ||
	       err == -EFAULT || err == -ENOENT || err == -EBADF || err == -ESTALE;
}

static const char *reason(int err)
{
	switch (err) {
	case -ENOTSUPP:
	case -EOPNOTSUPP:
		return "the kernel cannot trace the instruction there";
	case -EINVAL:
		return "the kernel does not accept the place";
	case -EIO:
		return "the kernel cannot read the file";
	case -EBADF:
		return "it is no regular file any more";
	default:
		return strerror(-err);
	}
}

static const char *remedy(int err)
{
	switch (err) {
	case -ENOENT:
		return "the file has been moved or removed, or its process has ended";
	case -EACCES:
	case -EPERM:
		return "run as root, or give the program CAP_PERFMON and CAP_BPF";
	case -ESRCH:
		return "the process has ended";
	case -EMFILE:
	case -ENFILE:
		return "too many files are open: raise the limit with ulimit -n";
	case -EINVAL:
		return "the file may have been replaced by a shorter one, or be on a file system that has no pages";
	default:
		return NULL;
	}
}

/* One place failed: an error, unless it may be left out. */
static int place_failed(struct attaching *at, const struct uprobe_place *p, int err)
{
	if (p->optional && is_about_place(err)) {
		at->left_out = at->nleft_out++ ? at->left_out : p;
		at->left_out_err = err;
		return 0;
	}
	return report_error(at->env->report, err, remedy(err), "cannot attach %s: %s", p->point->name, reason(err));
}

static void left_out_tell(const struct attaching *at)
{
	if (at->nleft_out == 1)
		report_warning(at->env->report, NULL, "%s is left out: %s", at->left_out->point->name,
			       reason(at->left_out_err));
	else if (at->nleft_out)
		report_warning(at->env->report, NULL, "%u probes are left out, %s among them: %s", at->nleft_out,
			       at->left_out->point->name, reason(at->left_out_err));
}

static uint64_t place_cookie(const struct uprobe_place *p)
{
	return p->point->cookie | (uint64_t)p->variant << 32;
}

/* ---- one link for many ---- */

static int multi_link(struct attaching *at, const struct uprobe_place *p, uint32_t n)
{
	struct arena *a = at->env->arena;
	uint64_t *offsets = arena_array_of(a, uint64_t, n), *cookies = arena_array_of(a, uint64_t, n);
	uint64_t *counters = NULL;
	struct probe_link *slot;
	int fd;

	for (uint32_t i = 0; i < n; i++) {
		offsets[i] = p[i].offset;
		cookies[i] = place_cookie(&p[i]);
		if (p[i].ref_ctr_offset && !counters)
			counters = arena_array_of(a, uint64_t, n);
		if (p[i].ref_ctr_offset)
			counters[i] = p[i].ref_ctr_offset;
	}
	slot = link_slot(at->env, at->links);
	fd = kernel_uprobe_multi_link(bpf_program__fd(at->prog), &(struct uprobe_places){
		.path = p->path, .offsets = offsets, .cookies = cookies, .ref_ctr_offsets = counters, .n = n,
		.is_return = at->is_return, .pid = at->env->pid,
	});
	if (fd < 0) {
		at->links->n--;
		return fd;
	}
	slot->fd = fd;
	slot->slow_close = true;
	return 0;
}

/* All or, when the kernel refuses one of them, halves: few are refused, and so they are found fast. */
static int multi_attach(struct attaching *at, const struct uprobe_place *p, uint32_t n)
{
	int err = multi_link(at, p, n);

	if (!err)
		return 0;
	if (n == 1 || !is_about_place(err))
		return place_failed(at, p, err);
	err = multi_attach(at, p, n / 2);
	return err ? err : multi_attach(at, p + n / 2, n - n / 2);
}

/* ---- a perf event for each ---- */

static int pmu_number(const char *file, int *value)
{
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return -EOPNOTSUPP;
	text[n] = 0;
	*value = (int)strtol(text + strcspn(text, "0123456789"), NULL, 10);
	return 0;
}

/* "config:0", the bit that asks for the return; the counter has the upper half of config. */
static int pmu_attr(const struct attaching *at, const struct uprobe_place *p, struct perf_event_attr *attr)
{
	int type, bit = 0, err = pmu_number(PMU "type", &type);

	if (!err && at->is_return)
		err = pmu_number(PMU "format/retprobe", &bit);
	if (err)
		return err;
	*attr = (struct perf_event_attr){
		.type = (uint32_t)type, .size = sizeof(*attr), .uprobe_path = (uintptr_t)p->path,
		.probe_offset = p->offset,
		.config = p->ref_ctr_offset << 32 | (at->is_return ? 1ULL << bit : 0),
	};
	return 0;
}

static int event_attach(struct attaching *at, const struct uprobe_place *p)
{
	int32_t pid = at->env->pid > 0 ? at->env->pid : -1;
	struct perf_event_attr attr;
	int err = pmu_attr(at, p, &attr);

	if (err)
		return report_error(at->env->report, err, NULL, "cannot attach %s: this kernel has no uprobes",
				    p->point->name);
	err = perf_attach_cookie(at->env, at->prog, &attr, pid, pid > 0 ? -1 : 0, place_cookie(p), true, at->links);
	return err ? place_failed(at, p, err) : 0;
}

/* ---- all ---- */

static uint32_t same_file(const uprobe_place_vec *places, uint32_t from)
{
	uint32_t n = 1;

	while (from + n < places->n && n < PLACES_MOST && !strcmp(places->v[from + n].path, places->v[from].path))
		n++;
	return n;
}

int uprobe_attach(struct probe_env *env, struct bpf_program *prog, const uprobe_place_vec *places, bool is_return,
		  link_vec *links)
{
	struct attaching at = { .env = env, .prog = prog, .is_return = is_return, .links = links };
	bool multi = kernel_has_uprobe_multi(env->kernel);
	int err = 0;

	for (uint32_t i = 0, n; !err && i < places->n; i += n) {
		n = multi ? same_file(places, i) : 1;
		err = multi ? multi_attach(&at, &places->v[i], n) : event_attach(&at, &places->v[i]);
	}
	if (!err && at.nleft_out == places->n && at.left_out)
		return report_error(env->report, at.left_out_err, NULL, "cannot attach %s: %s", at.left_out->point->name,
				    reason(at.left_out_err));
	if (!err)
		left_out_tell(&at);
	return err;
}
