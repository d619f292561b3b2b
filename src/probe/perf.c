/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Perf: attaching a program to perf events and to raw tracepoints, and saying why that failed. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>

#include <linux/bpf.h>
#include <linux/perf_event.h>

#include <bpf/libbpf.h>

#include "base/file.h"
#include "base/util.h"
#include "kernel/kernel.h"
#include "probe/common.h"

/* Kernels of some distributions know a level 3, which leaves perf events to CAP_SYS_ADMIN. */
static bool root_only(void)
{
	_cleanup_strbuf_ struct strbuf b = STRBUF_INIT;

	return !file_read(&b, "/proc/sys/kernel/perf_event_paranoid") && strtol(b.s, NULL, 10) > 2;
}

static const char *perf_hint(int err, const struct probe_kind *kind)
{
	switch (err) {
	case -EACCES:
	case -EPERM:
		if (root_only())
			return "run as root, or with CAP_PERFMON and CAP_BPF and kernel.perf_event_paranoid at most 2";
		return "run as root, or give the program CAP_PERFMON and CAP_BPF";
	case -EMFILE:
	case -ENFILE:
		return "too many files are open: raise the limit with ulimit -n";
	case -ESRCH:
		return "the process has ended";
	case -ENOSPC:
		return "the processor can watch a few addresses at a time (x86: 4), and all of that are taken";
	case -EOPNOTSUPP:
	case -ENOENT:
	case -ENODEV:
		return kind->absent_hint ? kind->absent_hint : "use another event: this kernel has no such one";
	default:
		return NULL;
	}
}

int attach_report(struct probe_env *env, const struct attach_point *ap, int err)
{
	bool absent = err == -EOPNOTSUPP || err == -ENOENT || err == -ENODEV;

	return report_error(env->report, err, perf_hint(err, ap->kind), "cannot attach %s: %s", ap->name,
			    absent ? "this kernel or machine does not offer the event" :
			    err == -ENOSPC ? "no register is left for it" : strerror(-err));
}

struct probe_link *link_slot(struct probe_env *env, link_vec *links)
{
	struct probe_link none = { .fd = -1 };

	vec_push(env->arena, links, none);
	return &links->v[links->n - 1];
}

static int perf_open(struct perf_event_attr *attr, int32_t pid, int cpu)
{
	long fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0 && errno == EINVAL && attr->inherit_thread) {
		/* Before 5.13: then only the threads that exist now. */
		attr->inherit_thread = attr->inherit = 0;
		fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	}
	return fd < 0 ? -errno : (int)fd;
}

int perf_attach_cookie(struct probe_env *env, struct bpf_program *prog, struct perf_event_attr *attr, int32_t pid,
		       int cpu, uint64_t cookie, bool slow_close, link_vec *links)
{
	LIBBPF_OPTS(bpf_perf_event_opts, opts, .bpf_cookie = cookie);
	struct probe_link *slot = link_slot(env, links);
	int fd = perf_open(attr, pid, cpu), err = fd;

	if (fd >= 0) {
		slot->slow_close = slow_close;
		slot->link = bpf_program__attach_perf_event_opts(prog, fd, &opts);
		if (slot->link)
			return 0;
		err = -errno;
		close(fd);
	}
	links->n--;
	return err;
}

int perf_attach_tracepoint(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap,
			   uint64_t id, link_vec *links)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .config = id,
	}; /* without a period: some events allow no samples, and a program needs none */
	const int *cpus;
	size_t n;
	int err = kernel_online_cpus(env->kernel, &cpus, &n);

	if (err)
		return err;
	/* Programs belong to the tracepoint, not to the CPU of the event: one event serves all CPUs. */
	err = perf_attach_cookie(env, prog, &attr, -1, cpus[0], ap->cookie, true, links);
	return err ? attach_report(env, ap, err) : 0;
}

static int attach_cpus(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap,
		       struct perf_event_attr *attr, link_vec *links)
{
	const int *cpus;
	size_t n;
	int err = kernel_online_cpus(env->kernel, &cpus, &n);

	for (size_t i = 0; !err && i < n; i++)
		err = perf_attach_cookie(env, prog, attr, -1, cpus[i], ap->cookie, false, links);
	return err;
}

/* The threads of a process; free(). */
static int threads_read(int32_t pid, int32_t **tids, size_t *n)
{
	size_t cap = 0, count = 0;
	int32_t *list = NULL;
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while ((entry = readdir(dir))) {
		int32_t tid = (int32_t)strtol(entry->d_name, NULL, 10);

		if (tid <= 0)
			continue;
		if (count == cap) {
			int32_t *grown = reallocarray(list, cap = cap ? cap * 2 : 16, sizeof(*list));

			if (!grown) {
				free(list);
				closedir(dir);
				return -ENOMEM;
			}
			list = grown;
		}
		list[count++] = tid;
	}
	closedir(dir);
	*tids = list;
	*n = count;
	return 0;
}

/* A perf event follows one thread and the threads that it starts. */
static int attach_threads(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap,
			  struct perf_event_attr *attr, link_vec *links)
{
	int32_t *tids = NULL;
	size_t n = 0;
	int err = threads_read(env->pid, &tids, &n);

	if (err)
		return err;
	attr->inherit = attr->inherit_thread = 1;
	for (size_t i = 0; !err && i < n; i++) {
		err = perf_attach_cookie(env, prog, attr, tids[i], -1, ap->cookie, false, links);
		if (err == -ESRCH && tids[i] != env->pid)
			err = 0; /* a thread that has ended meanwhile */
	}
	free(tids);
	return err;
}

int perf_attach_all(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap,
		    struct perf_event_attr *attr, link_vec *links)
{
	int err;

	attr->size = sizeof(*attr);
	err = env->pid > 0 ? attach_threads(env, prog, ap, attr, links) : attach_cpus(env, prog, ap, attr, links);
	return err ? attach_report(env, ap, err) : 0;
}

/* libbpf's functions know nothing of the cookie, which Linux takes since 6.10. */
static int raw_attach_cookie(struct bpf_program *prog, const char *event, uint64_t cookie)
{
	struct {
		uint64_t name;
		uint32_t prog_fd, pad;
		uint64_t cookie;
	} attr = { .name = (uintptr_t)event, .prog_fd = (uint32_t)bpf_program__fd(prog), .cookie = cookie };
	long fd = syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));

	return fd < 0 ? -errno : (int)fd;
}

int raw_attach(struct probe_env *env, struct bpf_program *prog, const char *event,
	       const struct attach_point *ap, link_vec *links)
{
	struct probe_link *slot = link_slot(env, links);
	int err;

	if (ap->cookie || !event) {
		slot->fd = err = raw_attach_cookie(prog, event, ap->cookie);
		if (err >= 0)
			return 0;
	} else {
		slot->link = bpf_program__attach_raw_tracepoint(prog, event);
		if (slot->link)
			return 0;
		err = -errno;
	}
	links->n--;
	return attach_report(env, ap, err);
}
