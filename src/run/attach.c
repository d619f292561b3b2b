/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attach: programs to their probes, and away again: what closes slowly last, and in parallel. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>

#include "base/util.h"
#include "run/internal.h"

/* More threads do not make it faster: the kernel's grace periods are shared by all that wait for one. */
#define CLOSERS_MOST 32

/* Messages of probes that may be missing: a warning, or nothing. */
struct softener {
	const struct session *session;
	bool optional;
	struct reporter reporter;
};

static void soften(void *ctx, enum severity sev, const char *text, const char *hint)
{
	const struct softener *so = ctx;
	const struct reporter *r = so->session->report;

	if (sev == SEV_ERROR)
		sev = SEV_WARNING;
	if (sev == SEV_WARNING && (so->optional || so->session->module->config.missing_probes == MISSING_IGNORE))
		sev = SEV_DEBUG;
	if (r && r->emit)
		r->emit(r->ctx, sev, text, hint);
}

static int program_attach(struct session *s, uint32_t index)
{
	const struct program_desc *d = &s->module->programs.v[index];
	bool optional = d->points[0]->optional, may_be_missing = optional || s->module->config.missing_probes != MISSING_ERROR;
	struct softener so = { .session = s, .optional = optional };
	struct probe_env env = s->probe;
	int err;

	so.reporter = (struct reporter){ .emit = soften, .ctx = &so };
	if (may_be_missing)
		env.report = &so.reporter;
	err = d->kind->attach(&env, s->programs[index], d->points, d->npoints, &s->links);
	if (err && !may_be_missing)
		return err;
	s->nattached += err ? 0 : d->npoints;
	s->nleft_out += err && optional ? d->npoints : 0;
	return 0;
}

/* What a pattern has found and the kernel will not have: it is told how much that is, once. */
static int left_out_tell(const struct session *s)
{
	if (!s->nleft_out)
		return 0;
	if (!s->nattached)
		return report_error(s->report, -ENOENT, "sonde -v says why", "the kernel traces none of the %u probes that match",
				    s->nleft_out);
	report_warning(s->report, "sonde -v says which and why", "left out %u probe%s, which the kernel does not trace",
		       s->nleft_out, s->nleft_out == 1 ? "" : "s");
	return 0;
}

static int program_start(struct session *s, uint32_t index)
{
	const struct program_desc *d = &s->module->programs.v[index];

	if (s->left_out[index])
		return 0;
	if (probe_run_by_kernel(d->kind))
		return program_attach(s, index);
	s->nattached += d->npoints;
	return 0;
}

/* In an order that makes programs at one place run as they stand in the script. */
int probes_attach(struct session *s)
{
	uint32_t n = s->module->programs.n;
	int err = 0;

	for (uint32_t i = 0; !err && i < n; i++)
		if (!s->module->programs.v[i].kind->last_runs_first)
			err = program_start(s, i);
	for (uint32_t i = n; !err && i-- > 0;)
		if (s->module->programs.v[i].kind->last_runs_first)
			err = program_start(s, i);
	return err ? err : left_out_tell(s);
}

static void link_close(struct probe_link *l)
{
	if (l->link)
		bpf_link__destroy(TAKE_PTR(l->link));
	if (l->fd >= 0)
		close(TAKE_FD(l->fd));
}

void probes_switch_off(struct session *s)
{
	if (s->control)
		__atomic_store_n(&s->control->off, 1, __ATOMIC_SEQ_CST);
	vec_each(l, &s->links)
		if (!l->slow_close)
			link_close(l);
}

void probes_unwatch(struct session *s, uint64_t address)
{
	vec_each(l, &s->links)
		if (l->watches && l->address == address)
			link_close(l);
	follow_unwatched(s);
}

bool probes_watch(const struct session *s, uint64_t address)
{
	vec_each(l, &s->links)
		if (l->watches && l->address == address && (l->link || l->fd >= 0))
			return true;
	return false;
}

void probes_follow(struct session *s, uint32_t follower, uint64_t address)
{
	struct softener so = { .session = s };
	struct probe_env env = s->probe;

	so.reporter = (struct reporter){ .emit = soften, .ctx = &so };
	env.report = &so.reporter;
	for (uint32_t i = 0; i < s->module->programs.n; i++) {
		const struct program_desc *d = &s->module->programs.v[i];

		for (uint32_t k = 0; s->programs[i] && k < d->npoints; k++)
			if (d->points[k]->follower == follower)
				d->kind->follow_attach(&env, s->programs[i], d->points[k], address, &s->links);
	}
}

struct closing {
	struct session *session;
	_Atomic uint32_t next;
};

static void *closer(void *arg)
{
	struct closing *c = arg;
	uint32_t i;

	while ((i = c->next++) < c->session->links.n)
		link_close(&c->session->links.v[i]);
	return NULL;
}

static void links_close_parallel(struct session *s, uint32_t nslow)
{
	struct closing c = { .session = s };
	pthread_t threads[CLOSERS_MOST];
	uint32_t n = 0;

	/* This thread closes too, and all of them when no other can be made. */
	while (n + 1 < nslow && n < CLOSERS_MOST && !pthread_create(&threads[n], NULL, closer, &c))
		n++;
	closer(&c);
	for (uint32_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

/*
 * A forked process shares the links; whoever closes them last waits for the kernel. It lets go of the
 * files that others may wait to be closed (a pipe to a pager) first.
 */
static bool links_leave_behind(struct session *s, uint32_t nslow)
{
	pid_t pid = fork();

	if (pid)
		return pid > 0;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		close(fd);
	links_close_parallel(s, nslow);
	_exit(0);
}

void probes_detach(struct session *s)
{
	uint32_t nslow = 0;

	vec_each(l, &s->links)
		nslow += l->link || l->fd >= 0;
	if (nslow && s->opt.detach_behind && links_leave_behind(s, nslow))
		nslow = 0; /* ours are not the last references: closing them is quick */
	links_close_parallel(s, nslow);
	s->links.n = 0;
}
