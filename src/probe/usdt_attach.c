/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Usdt_attach: every site of every marker is a uprobe of its own, whose semaphore the kernel counts up. */
#include <errno.h>

#include <bpf/libbpf.h>

#include "base/util.h"
#include "probe/common.h"
#include "probe/usdt.h"

static const char *attach_hint(int err)
{
	switch (err) {
	case -EACCES:
	case -EPERM:
		return "run as root, or give the program CAP_PERFMON and CAP_BPF";
	case -EMFILE:
	case -ENFILE:
		return "too many files are open: raise the limit with ulimit -n";
	case -ESRCH:
		return "the process has ended";
	default:
		return NULL;
	}
}

static int site_attach(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap, size_t i,
		       link_vec *links)
{
	const struct usdt_point *p = ap->priv;
	const struct usdt_site *s = &p->sites[i];
	struct probe_link link = { .fd = -1, .slow_close = true };
	LIBBPF_OPTS(bpf_uprobe_opts, opts,
		.ref_ctr_offset = s->semaphore,
		.bpf_cookie = ap->cookie | (p->places ? (uint64_t)p->places[i] << 32 : 0),
	);

	vec_push(env->arena, links, link);
	link.link = bpf_program__attach_uprobe_opts(prog, env->pid > 0 ? env->pid : -1, p->file->path, s->offset, &opts);
	if (link.link) {
		links->v[links->n - 1] = link;
		return 0;
	}
	links->n--;
	return report_error(env->report, -errno, attach_hint(-errno), "cannot attach %s: %m", ap->name);
}

int usdt_attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		uint32_t npoints, link_vec *links)
{
	int err = 0;

	for (uint32_t i = 0; i < npoints; i++) {
		const struct usdt_point *p = points[i]->priv;

		for (size_t j = 0; !err && j < p->nsites; j++)
			err = site_attach(env, prog, points[i], j, links);
	}
	return err;
}
