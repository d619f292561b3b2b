/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Usdt_attach: every site of every marker is a uprobe, whose semaphore the kernel counts up. */
#include <errno.h>

#include "base/util.h"
#include "probe/common.h"
#include "probe/uprobe_attach.h"
#include "probe/usdt.h"

/* Where it is written by name, a marker that would never fire is worth an error. */
static int semaphore_lost(struct probe_env *env, const struct attach_point *ap)
{
	return report_error(env->report, -EINVAL, "the file is built in a way that no tracer can switch it on",
			    "cannot attach %s: its semaphore is not in memory that the file says how to fill", ap->name);
}

static int places_add(struct probe_env *env, const struct attach_point *ap, uprobe_place_vec *places)
{
	const struct usdt_point *p = ap->priv;

	for (size_t i = 0; i < p->nsites; i++) {
		struct uprobe_place place = {
			.point = ap, .path = p->file->path, .offset = p->sites[i].offset,
			.variant = p->places ? p->places[i] : 0, .ref_ctr_offset = p->sites[i].semaphore,
			.optional = p->by_pattern,
		};

		if (p->sites[i].lost_semaphore && !p->by_pattern)
			return semaphore_lost(env, ap);
		if (p->sites[i].lost_semaphore)
			report_warning(env->report, NULL, "%s may never fire: its semaphore is not in memory that the "
				       "file says how to fill", ap->name);
		vec_push(env->arena, places, place);
	}
	return 0;
}

int usdt_attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		uint32_t npoints, link_vec *links)
{
	uprobe_place_vec places = { 0 };
	int err = 0;

	for (uint32_t i = 0; !err && i < npoints; i++)
		err = places_add(env, points[i], &places);
	return err ? err : uprobe_attach(env, prog, &places, false, links);
}
