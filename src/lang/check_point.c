/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points of the checker: one body that looks at `probe` or `func` can serve many attach points when it can
 * find out for which of them it runs: by the number that its guard has compared anyway (the system call), or
 * by the cookie that the kernel keeps with each attachment.
 */
#include "lang/check_priv.h"

#include <linux/bpf.h>

#include "kernel/kernel.h"

const char *point_program_type(const struct attach_point *ap)
{
	if (ap->section && str_starts(ap->section, "tp_btf"))
		return "tracing";
	return ap->section && str_starts(ap->section, "raw_tp") ? "raw_tracepoint" : ap->kind->prog_type;
}

/* The helper and the kernel's readiness to keep cookies came together, for each type of program. */
static bool has_cookies(struct checker *c, const struct attach_point *ap)
{
	static char yes, no;
	const char *type = point_program_type(ap);
	void *known;

	/* Where it is typed a program serves one place only, and knows which. */
	if (!ap->kind->takes_cookie || !type || ap->uses_btf_ctx)
		return false;
	known = strmap_get(&c->priv->cookie_types, type);
	if (!known) {
		known = kernel_helper_allowed(type, BPF_FUNC_get_attach_cookie) ? &yes : &no;
		strmap_put(c->arena, &c->priv->cookie_types, type, known);
	}
	return known == &yes;
}

bool points_told_apart(struct checker *c, const struct attach_point *x, const struct attach_point *y)
{
	if (!str_eq(x->group, y->group))
		return false;
	if (!x->group)
		return has_cookies(c, x) && has_cookies(c, y);
	return x->guard.kind != GUARD_NONE && x->guard.kind == y->guard.kind && x->guard.bytes == y->guard.bytes &&
	       x->guard.ctx_offset == y->guard.ctx_offset && x->guard.offset == y->guard.offset;
}

/* Where the kernel takes no cookies, no body that serves several points asks for one. */
void points_number(struct checker *c, struct unit *u)
{
	for (uint32_t i = 0; i < u->points.n; i++)
		if (!u->points.v[i]->group && has_cookies(c, u->points.v[i]))
			u->points.v[i]->cookie = i;
}
