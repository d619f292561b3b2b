/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attaching kprobes: thousands through one link where the kernel can (kprobe.multi), with their returns
 * (kprobe.session) where it can do that too, each through a perf event of its own where not, and why one was
 * refused.
 */
#include <sys/resource.h>

#include <linux/perf_event.h>

#include <bpf/libbpf.h>

#include "base/util.h"
#include "probe/common.h"
#include "probe/kinds_all.h"
#include "probe/kprobe.h"
#include "probe/nearest_kind.h"

/* ---- why not ---- */

/* The function is there, but: what the kernel's lists say of it. NULL: nothing. */
static const char *function_trouble(struct probe_env *env, const struct attach_point *ap)
{
	const struct kernel_function *fns;
	size_t n;

	if (!ap->func || kernel_functions_named(env->kernel, env->arena, ap->target, ap->func, &fns, &n) ||
	    fns->state == FUNCTION_TRACEABLE)
		return NULL;
	return fns->variant ? arena_printf(env->arena, "%s (%s)", function_state_text(fns->state), fns->variant)
			    : function_state_text(fns->state);
}

static int refused(struct probe_env *env, const struct attach_point *ap, int err)
{
	const struct kprobe_place *place = ap->priv;
	const char *trouble;

	if (err == -EACCES || err == -EPERM || err == -EMFILE || err == -ENFILE || err == -ENOMEM)
		return attach_report(env, ap, err);
	trouble = function_trouble(env, ap);
	if (trouble)
		return report_error(env->report, err, NULL, "cannot attach %s: %s", ap->name, trouble);
	if ((err == -EILSEQ || err == -EINVAL || err == -ENOENT) && (place->offset || !ap->func))
		return report_error(env->report, err, "objdump -d shows where its instructions begin",
				    "cannot attach %s: no instruction begins there", ap->name);
	if (err == -EINVAL)
		return report_error(env->report, err, NULL, "cannot attach %s: the kernel allows no kprobe there", ap->name);
	return attach_report(env, ap, err);
}

/* ---- one by one ---- */

/* The kernel takes the name of a function of its own, or an address. */
static int perf_one(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap, uint64_t address,
		    const struct perf_event_attr *base, int cpu, link_vec *links)
{
	const struct kprobe_place *place = ap->priv;
	struct perf_event_attr attr = *base;
	const char *name = ap->func;

	if (address) {
		attr.config2 = address + place->offset;
		return perf_attach_cookie(env, prog, &attr, -1, cpu, ap->cookie, true, links);
	}
	if (strcmp(ap->target, "vmlinux"))
		name = arena_printf(env->arena, "%s:%s", ap->target, name);
	attr.config1 = (uintptr_t)name;
	attr.config2 = place->offset;
	return perf_attach_cookie(env, prog, &attr, -1, cpu, ap->cookie, true, links);
}

/* Several functions have the name: then by their addresses. */
static int addresses_find(struct probe_env *env, const struct attach_point *ap)
{
	struct kprobe_place *place = ap->priv;
	const struct kernel_function *fns;
	uint64_t *addresses;
	size_t n;
	int err = kernel_functions_named(env->kernel, env->arena, ap->target, ap->func, &fns, &n);

	if (err)
		return err;
	addresses = arena_array_of(env->arena, uint64_t, n);
	for (size_t i = 0; i < n; i++)
		if (fns[i].address && fns[i].state == FUNCTION_TRACEABLE)
			addresses[place->naddresses++] = fns[i].address;
	place->addresses = addresses;
	return place->naddresses ? 0 : -ENOENT;
}

static int perf_point(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap,
		      const struct perf_event_attr *base, int cpu, link_vec *links)
{
	const struct kprobe_place *place = ap->priv;
	int err = 0;

	if (!place->naddresses) {
		err = perf_one(env, prog, ap, 0, base, cpu, links);
		if (err != -EADDRNOTAVAIL || addresses_find(env, ap))
			return err;
	}
	err = 0;
	for (uint32_t i = 0; !err && i < place->naddresses; i++)
		err = perf_one(env, prog, ap, place->addresses[i], base, cpu, links);
	return err;
}

/* Each takes a descriptor, and many systems allow 1024 until somebody asks for more. */
static void descriptors_allow(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int attach_perf(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		       uint32_t n, link_vec *links)
{
	const struct kprobe_place *first = points[0]->priv;
	struct perf_event_attr attr = { .size = sizeof(attr) };
	uint32_t type, return_bit, left_out = 0;
	const int *cpus;
	size_t ncpus;
	int err = kernel_kprobe_pmu(env->kernel, &type, &return_bit);

	/* Programs belong to the kprobe, not to the CPU of the event: one event serves all CPUs. */
	err = err ? err : kernel_online_cpus(env->kernel, &cpus, &ncpus);

	if (err)
		return refused(env, points[0], err);
	attr.type = type;
	attr.config = first->is_return ? 1ULL << return_bit : 0;
	if (n > 256)
		descriptors_allow();
	for (uint32_t i = 0; i < n; i++) {
		const struct kprobe_place *place = points[i]->priv;

		err = perf_point(env, prog, points[i], &attr, cpus[0], links);
		if (!err && first->is_return)
			links->v[links->n - 1].returns = true;
		if (!err)
			continue;
		/* What a pattern has brought along may be unfit for reasons that no list tells. */
		if (place->by_name || (err != -EINVAL && err != -ENOENT && err != -EADDRNOTAVAIL) || left_out == n - 1)
			return refused(env, points[i], err);
		report_debug(env->report, "%s is left out: %s", points[i]->name, strerror(-err));
		left_out++;
	}
	return 0;
}

/* ---- many at once ---- */

struct multi {
	const char **names;
	unsigned long *addresses;
	__u64 *cookies;
	size_t n;
};

static struct multi multi_of(struct probe_env *env, struct attach_point *const *points, uint32_t npoints)
{
	struct arena *a = env->arena;
	struct multi m = { 0 };
	bool addresses = true;
	size_t most = 0;

	for (uint32_t i = 0; i < npoints; i++) {
		const struct kprobe_place *place = points[i]->priv;

		addresses &= place->naddresses > 0;
		most += MAX(place->naddresses, 1u);
	}
	m.names = addresses ? NULL : arena_array_of(a, const char *, most);
	m.addresses = addresses ? arena_array_of(a, unsigned long, most) : NULL;
	m.cookies = arena_array_of(a, __u64, most);
	for (uint32_t i = 0; i < npoints; i++) {
		const struct kprobe_place *place = points[i]->priv;

		for (uint32_t j = 0; j < (addresses ? place->naddresses : 1); j++) {
			if (m.addresses)
				m.addresses[m.n] = place->addresses[j];
			else if (m.names)
				m.names[m.n] = points[i]->func;
			m.cookies[m.n++] = points[i]->cookie;
		}
	}
	return m;
}

static int multi_link(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		      uint32_t npoints, link_vec *links)
{
	const struct kprobe_place *first = points[0]->priv;
	struct multi m = multi_of(env, points, npoints);
	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .syms = m.names, .addrs = m.addresses, .cookies = m.cookies,
		    .cnt = m.n, .retprobe = first->is_return);
	struct probe_link *slot = link_slot(env, links);

	int err;

	slot->slow_close = true;
	slot->returns = first->is_return || first->session;
	if (first->session) {
		slot->fd = err = kernel_kprobe_session_link(bpf_program__fd(prog), m.names, m.addresses, m.cookies, m.n);
	} else {
		slot->link = bpf_program__attach_kprobe_multi_opts(prog, NULL, &opts);
		err = slot->link ? 0 : -errno;
	}
	if (err < 0)
		links->n--;
	return MIN(err, 0);
}

/*
 * One function that the kernel refuses makes it refuse all: then it is looked for by halves, and those that
 * are left are attached again as one.
 */
static uint32_t multi_sort_out(struct probe_env *env, struct bpf_program *prog, struct attach_point **points,
			       uint32_t n, link_vec *links)
{
	uint32_t before = links->n, left, right;

	int err = multi_link(env, prog, points, n, links);

	if (!err) {
		struct probe_link *l = &links->v[before];

		bpf_link__destroy(TAKE_PTR(l->link));
		if (l->fd >= 0)
			close(TAKE_FD(l->fd));
		links->n = before;
		return n;
	}
	if (n == 1) {
		report_debug(env->report, "%s is left out: %s", points[0]->name, strerror(-err));
		return 0;
	}
	left = multi_sort_out(env, prog, points, n / 2, links);
	right = multi_sort_out(env, prog, points + n / 2, n - n / 2, links);
	memmove(points + left, points + n / 2, right * sizeof(*points));
	return left + right;
}

static int attach_multi(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
			uint32_t n, link_vec *links)
{
	int err = multi_link(env, prog, points, n, links);
	struct attach_point **rest;
	uint32_t left;

	if (!err || (err != -EINVAL && err != -ENOENT && err != -ESRCH))
		return err ? attach_report(env, points[0], err) : 0;
	rest = arena_array_of(env->arena, struct attach_point *, n);
	memcpy(rest, points, n * sizeof(*rest));
	left = multi_sort_out(env, prog, rest, n, links);
	err = left ? multi_link(env, prog, rest, left, links) : err;
	return err ? refused(env, points[0], err) : 0;
}

/* ---- both ends of functions ---- */

/*
 * A session can count no entry when all the blocks that wait for returns are taken (the kernel has two for each
 * function and processor, in one pool). With so many functions it does not come to that.
 */
#define SESSION_LEAST 32

static bool same_functions(const struct attach_point *x, const struct attach_point *y)
{
	const struct kprobe_place *p = x->priv, *q = y->priv;

	return p->multi && q->multi && !p->session && !q->session && x->cookie == y->cookie &&
	       p->naddresses == q->naddresses && !strcmp(x->func, y->func) && !strcmp(x->target, y->target);
}

bool kprobe_join(struct probe_env *env, const attach_vec *begin, const attach_vec *end)
{
	if (begin->n < SESSION_LEAST || begin->n != end->n || end->v[0]->kind != &probe_kretprobe)
		return false;
	for (uint32_t i = 0; i < begin->n; i++)
		if (!same_functions(begin->v[i], end->v[i]))
			return false;
	if (!kernel_has_kprobe_session(env->kernel) || kernel_kfunc_params(env->kernel, "bpf_session_is_return"))
		return false;
	for (uint32_t i = 0; i < begin->n; i++) {
		struct kprobe_place *p = begin->v[i]->priv, *q = end->v[i]->priv;

		p->session = q->session = true;
		begin->v[i]->section = arena_printf(env->arena, "kprobe.session%s",
						    begin->v[i]->section + strlen("kprobe.multi"));
	}
	return true;
}

int kprobe_prepare(struct probe_env *env, struct bpf_program *prog, const struct attach_point *ap, link_vec *links)
{
	const struct kprobe_place *place = ap->priv;

	(void)env;
	(void)links;
	if (!place->session)
		return 0;
	bpf_program__set_type(prog, BPF_PROG_TYPE_KPROBE);
	return bpf_program__set_expected_attach_type(prog, (enum bpf_attach_type)KERNEL_ATTACH_KPROBE_SESSION);
}

const char *kprobe_missing(struct probe_env *env)
{
	/* Which of the two it is takes longer to find out than another way takes to begin. */
	return kernel_has_kprobes(env->kernel) ? NULL : "CONFIG_KPROBES or CONFIG_KPROBE_EVENTS is off";
}

int kprobe_attach(struct probe_env *env, struct bpf_program *prog, struct attach_point *const *points,
		  uint32_t npoints, link_vec *links)
{
	const struct kprobe_place *first = points[0]->priv;

	/* The second half of a session's points are the returns of the first. */
	if (first->multi)
		return attach_multi(env, prog, points, first->session ? npoints / 2 : npoints, links);
	if (!kernel_has_kprobes(env->kernel))
		return nearest_kind_report(env, points[0], kernel_kprobes_missing(env->kernel), -ENODEV);
	return attach_perf(env, prog, points, npoints, links);
}
