/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pressure_kill: look, decide, kill, wait, look again. Everything it needs is in memory and locked there before it begins.
 */
#include "subject/pressure_kill.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/util.h"

#define LOOK_SHORTEST_NS (10 * MS)
#define LOOK_LONGEST_NS (250 * MS)
/* How fast memory can be filled by a program that has not begun yet, bytes per second: of the machine; of a cgroup, which is
 * smaller, so that it would otherwise be looked at all the time. */
#define FASTEST_MACHINE 4e9
#define FASTEST_CGROUP 1e9
#define WALK_NS (1000 * MS)
/* So long after a stall everything is looked at as often as can be. */
#define ALERT_NS (1000 * MS)
/* On a machine that lets us wait for a processor, we look and decide so much earlier: what it lately took, up to this. */
#define LATE_MOST_NS (40 * MS)
/* A victim that has not died by then does not keep us from choosing another. */
#define DYING_NS (1000 * MS)
/* What was stalled before somebody died says nothing about now. */
#define LATELY_NS (1200 * MS)
#define ATTRIBUTE_NS (20 * MS)
#define THRASH_LIMIT 100.0
#define THRASH_LEAST 30.0
/* What the kernel's own account is asked to tell: somebody stood still, and nobody could do anything. */
#define PSI_SOME_US 70000
#define PSI_FULL_US 700000
#define PSI_WINDOW_US 1000000
#define PSI_PAST_NS (3 * (uint64_t)PSI_WINDOW_US * 1000)

struct killer {
	struct subject_run *run;
	const struct pressure_settings *set;
	struct stall_source source;
	struct window window;
	struct domains domains;
	struct loop_watch *timer;
	uint64_t alert_until_ns, decide_ns, told_ns;
	uint64_t due_ns, late_ns; /* when the next look was to be; how late looks have been lately */
	struct psi_watch {
		struct killer *k;
		int fd;
		bool full;
		uint64_t stall_ns, until_ns; /* the kernel said so, which holds for a second */
		uint64_t died_us;            /* all that it had counted when the last victim died */
	} psi[2];
	double thrash_limit;
	struct strbuf text;
	struct json j;
	int log_fd;
	/* The last victim. */
	struct victim victim;
	int dying_fd;
	struct loop_watch *dying;
	uint64_t killed_ns, died_ns;
	uint64_t kills, kernel_kills;
	/* Where no event tells of the kernel's kills, they are counted every second. */
	bool counts;
	uint64_t counted, counted_ns;
};

/* ---- the log ---- */

static void log_line(struct killer *k, const char *type)
{
	struct strbuf *line = &k->text;

	if (k->log_fd >= 0 && k->j.b.len) {
		strbuf_reset(line);
		strbuf_addf(line, "{\"type\": \"%s\", \"data\": %s}\n", type, k->j.b.s);
		if (write(k->log_fd, line->s, line->len) < 0)
			subject_warn(k->run, NULL, "cannot write to %s: %m", k->set->log);
	}
	out_json(k->run, type, &k->j);
	out_flush(k->run);
}

static void add_time(struct json *j)
{
	struct timespec t;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &t);
	snprintf(text, sizeof(text), "%lld%09ld", (long long)t.tv_sec, t.tv_nsec);
	json_raw(j, "time_ns", text);
}

static void add_evidence(struct json *j, const struct domain *d)
{
	uint64_t end = domain_end_ns(d);

	json_object(j, "evidence");
	json_u64(j, "limit_bytes", d->limit);
	json_u64(j, "used_bytes", d->used);
	json_u64(j, "left_bytes", d->left);
	json_u64(j, "file_bytes", d->file);
	json_u64(j, "anon_bytes", d->anon);
	json_u64(j, "swap_bytes", d->swap_total);
	json_u64(j, "swap_left_bytes", d->swap_left);
	json_number(j, "filled_bytes_per_s", d->fill_rate > 0 ? d->fill_rate : 0);
	if (end != UINT64_MAX)
		json_number(j, "ends_in_ms", (double)end / 1e6);
	json_number(j, "refaults_percent_per_s", d->thrash_percent);
	json_u64(j, "stalled_ns", d->stalled_ns);
	if (d->stalled.pid) {
		json_object(j, "stalled");
		json_i64(j, "pid", d->stalled.pid);
		json_text(j, "comm", d->stalled.comm);
		json_text(j, "cgroup", cgroup_name(d->stalled.cgroup));
		json_end(j);
	}
	json_end(j);
}

static void add_victim(struct json *j, const struct victim *v)
{
	json_object(j, "victim");
	json_i64(j, "pid", v->pid);
	json_text(j, "comm", v->comm);
	json_i64(j, "oom_score_adj", v->adj);
	json_u64(j, "bytes", v->bytes);
	if (*v->cgroup)
		json_text(j, "cgroup", v->cgroup);
	json_end(j);
}

static const char *domain_name(const struct domain *d)
{
	return *d->path ? d->path : "the machine";
}

/* `v` NULL: nobody may be killed. */
static void decision_log(struct killer *k, const struct domain *d, const struct reason *why, const struct victim *v,
			 uint64_t took_ns)
{
	static const char *const policies[] = { "lmkd", "cgroup", "largest" };
	const char *action = !v ? "nobody" : k->set->dry_run ? "would-kill" : "kill";
	struct json *j = &k->j;

	json_reset(j);
	json_object(j, NULL);
	add_time(j);
	json_text(j, "action", action);
	json_text(j, "reason", why->name);
	json_text(j, "why", why->text);
	json_text(j, "domain", domain_name(d));
	json_text(j, "policy", policies[k->set->policy]);
	if (v) {
		add_victim(j, v);
		json_u64(j, "considered", v->considered);
		json_u64(j, "spared", v->spared);
	}
	add_evidence(j, d);
	json_number(j, "decided_in_ms", (double)took_ns / 1e6);
	json_end(j);
	if (v)
		out_text(k->run, "%s %s[%d] (%.1f MiB, adj %d)%s%s in %s: %s: %s; %.1f MiB and %.1f MiB swap left\n", action, v->comm,
			 (int)v->pid, (double)v->bytes / 0x1p20, v->adj, *v->cgroup ? " with " : "", v->cgroup, domain_name(d),
			 why->name, why->text, (double)d->left / 0x1p20, (double)d->swap_left / 0x1p20);
	else
		out_text(k->run, "nobody may be killed in %s: %s: %s\n", domain_name(d), why->name, why->text);
	log_line(k, "decision");
}

/* ---- the deed ---- */

/*
 * Its memory is given back now and not when it comes to run again. Not every kernel can; then it takes its time. That is
 * work of a tenth of a second for some hundred MiB, during which those run who have something to do: not from a place in
 * front of everybody.
 */
static void memory_release(int pidfd)
{
	struct sched_param was = { 0 }, others = { 0 };
	int policy = sched_getscheduler(0);
	bool in_front = policy > 0 && !sched_getparam(0, &was) && !sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &others);

	syscall(SYS_process_mrelease, pidfd, 0);
	if (in_front)
		sched_setscheduler(0, policy, &was);
}

static int pid_kill(pid_t pid, uint64_t start_ticks, bool release)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return -errno;
	/* The number may have gone to another process since it was looked at. */
	if ((start_ticks && proc_start_ticks(pid) != start_ticks) || syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0)) {
		close(fd);
		return -ESRCH;
	}
	if (release)
		memory_release(fd);
	return fd;
}

static int group_kill_member(void *ctx, pid_t pid)
{
	int fd = pid == getpid() ? -1 : pid_kill(pid, 0, true);

	(void)ctx;
	close_fd(&fd);
	return 0;
}

/* Its largest process, whose end is waited for, and then everyone. */
static int victim_kill(struct killer *k, const struct victim *v)
{
	char path[PATH_MAX];
	int fd;

	if (*v->cgroup) {
		snprintf(path, sizeof(path), "%s/cgroup.kill", v->cgroup);
		fd = (int)syscall(SYS_pidfd_open, v->pid, 0);
		if (!file_write(path, "1"))
			return fd;
		cgroup_each(v->cgroup, &k->text, group_kill_member, NULL);
		return fd;
	}
	return pid_kill(v->pid, v->start_ticks, true);
}

static void dying_end(struct killer *k)
{
	loop_unwatch(k->run, k->dying);
	k->dying = NULL;
	close_fd(&k->dying_fd);
	k->dying_fd = -1;
}

static uint64_t psi_counted_us(const struct psi_watch *w)
{
	struct psi psi;
	char path[64];

	psi_path(path, sizeof(path), RES_MEMORY, NULL);
	psi_read(&psi, path);
	return w->full ? psi.full_us : psi.some_us;
}

static int on_death(void *ctx, uint32_t events)
{
	struct killer *k = ctx;
	uint64_t now = now_ns();
	double ms = (double)(now - k->killed_ns) / 1e6;

	(void)events;
	dying_end(k);
	k->died_ns = now;
	k->window.ntasks = 0;
	for (size_t i = 0; i < ARRAY_SIZE(k->psi); i++) {
		k->psi[i].until_ns = 0;
		k->psi[i].died_us = psi_counted_us(&k->psi[i]);
	}
	json_reset(&k->j);
	json_object(&k->j, NULL);
	add_time(&k->j);
	json_i64(&k->j, "pid", k->victim.pid);
	json_text(&k->j, "comm", k->victim.comm);
	json_number(&k->j, "after_ms", ms);
	json_end(&k->j);
	out_text(k->run, "%s[%d] has gone after %.1f ms\n", k->victim.comm, (int)k->victim.pid, ms);
	log_line(k, "death");
	k->victim.pid = 0;
	return 0;
}

static void kill_now(struct killer *k, const struct victim *v)
{
	int fd = victim_kill(k, v);

	if (fd < 0)
		return;
	dying_end(k);
	k->kills++;
	k->victim = *v;
	k->killed_ns = now_ns();
	k->dying_fd = fd;
	k->dying = loop_watch(k->run, fd, EPOLLIN, on_death, k);
}

/* ---- the decision ---- */

static bool waits_for_victim(const struct killer *k, uint64_t now)
{
	return k->dying && now - k->killed_ns < DYING_NS;
}

static struct rule_facts facts_of(const struct killer *k, const struct domain *d, uint64_t now)
{
	return (struct rule_facts){
		.floor_bytes = d->limit / 100 * k->set->floor_percent,
		.horizon_ns = 2 * LOOK_SHORTEST_NS + 2 * k->decide_ns + k->late_ns,
		.killed_lately = k->died_ns && now - k->died_ns < LATELY_NS,
		.thrash_limit = k->thrash_limit,
	};
}

static void decide(struct killer *k, struct domain *d, const struct reason *why, uint64_t now)
{
	struct chooser c = { .policy = (enum policy)k->set->policy, .protect = &k->set->protect, .domain = d,
		.least_adj = why->least_adj, .text = &k->domains.text, .dying = k->dying ? k->victim.pid : 0 };
	struct victim v;
	bool found = victim_choose(&c, &v);
	uint64_t took = now_ns() - now;

	/* What is only said is said once a second. */
	if ((!found || k->set->dry_run) && now - k->told_ns < 1000 * MS)
		return;
	if (!found && why->least_adj > 0)
		return;
	k->told_ns = now;
	if (found && !k->set->dry_run) {
		kill_now(k, &v);
		k->decide_ns = MAX(took, k->decide_ns / 2);
		if (strstr(why->name, "thrashing"))
			k->thrash_limit = MAX(k->thrash_limit * 0.9, THRASH_LEAST);
	}
	decision_log(k, d, why, found ? &v : NULL, took);
}

static uint64_t next_look(const struct killer *k, const struct domain *d, uint64_t now)
{
	bool machine = d == &k->domains.d[0];
	double left = (double)(d->left + d->swap_left), wait_ns = left / (machine ? FASTEST_MACHINE : FASTEST_CGROUP) / 2 * 1e9;
	uint64_t end = domain_end_ns(d);

	if (end != UINT64_MAX)
		wait_ns = MIN(wait_ns, (double)end / 4);
	wait_ns -= (double)k->late_ns;
	if (now < k->alert_until_ns)
		wait_ns = 0;
	return now + (uint64_t)MAX(MIN(wait_ns, (double)LOOK_LONGEST_NS), (double)LOOK_SHORTEST_NS);
}

/* PSI also counts waiting for pages that were lost, but does not say of which cgroup's limit: it is the machine's. */
static void psi_attribute(struct killer *k, uint64_t now)
{
	struct domain *machine = &k->domains.d[0];

	for (size_t i = 0; i < ARRAY_SIZE(k->psi); i++)
		if (now < k->psi[i].until_ns)
			machine->stalled_ns = MAX(machine->stalled_ns, k->psi[i].stall_ns);
}

/* What was is no reason any more: neither when a while has passed without a stall, nor when somebody has been killed. */
static void stalls_forget(struct killer *k)
{
	for (size_t i = 0; i < k->domains.n; i++) {
		k->domains.d[i].stalled_ns = k->domains.d[i].stalls_ns = 0;
		k->domains.d[i].stalled = (struct stall){ 0 };
	}
}

static void stalls_attribute(struct killer *k, uint64_t now)
{
	for (size_t i = 0; i < k->window.ntasks; i++) {
		const struct window_task *t = &k->window.task[i];
		uint64_t ns = window_task_ns(&k->window, t, now);
		struct domain *d = ns >= ATTRIBUTE_NS ? domain_of(&k->domains, t->last.pid) : NULL;

		if (!d)
			continue;
		d->stalls_ns += ns;
		if (ns > d->stalled_ns) {
			d->stalled_ns = ns;
			d->stalled = t->last;
		}
	}
	psi_attribute(k, now);
}

static void domain_check(struct killer *k, struct domain *d, uint64_t now)
{
	struct rule_facts f;
	const struct reason *why;

	if (now < d->next_ns || !domain_look(&k->domains, d, now))
		return;
	d->next_ns = next_look(k, d, now);
	/* The machine is still looked at: cgroups share its swap. */
	if (k->set->cgroup && d == &k->domains.d[0])
		return;
	f = facts_of(k, d, now);
	why = waits_for_victim(k, now) ? NULL : reason_find(d, &f);
	if (why)
		decide(k, d, why, now);
}

/* As on_oom_kill(), of nobody knows whom. */
static void kernel_kills_look(struct killer *k, uint64_t now)
{
	uint64_t n;

	if (!k->counts || now - k->counted_ns < 1000 * MS)
		return;
	k->counted_ns = now;
	n = kernel_kills_count(&k->domains);
	if (n <= k->counted)
		return;
	k->kernel_kills += n - k->counted;
	json_reset(&k->j);
	json_object(&k->j, NULL);
	add_time(&k->j);
	json_u64(&k->j, "count", n - k->counted);
	json_end(&k->j);
	out_text(k->run, "the kernel has killed %llu processes for want of memory\n", (unsigned long long)(n - k->counted));
	k->counted = n;
	log_line(k, "kernel_kill");
}

static void look_in(struct killer *k, uint64_t now, uint64_t ns)
{
	k->due_ns = now + ns;
	loop_every_set(k->timer, ns);
}

/* How long we waited for a processor, or the processor for the machine below it; forgotten within some twenty looks. */
static void lateness(struct killer *k, uint64_t now)
{
	uint64_t late = k->due_ns && now > k->due_ns ? now - k->due_ns : 0;

	k->late_ns = MIN(MAX(late, k->late_ns - k->late_ns / 16), LATE_MOST_NS);
}

static int on_tick(void *ctx, uint32_t events)
{
	struct killer *k = ctx;
	uint64_t now = now_ns(), next = now + LOOK_LONGEST_NS;

	(void)events;
	lateness(k, now);
	if (now - k->domains.walked_ns > WALK_NS)
		domains_walk(&k->domains, now);
	stalls_forget(k);
	if (now < k->alert_until_ns)
		stalls_attribute(k, now);
	for (size_t i = 0; i < k->domains.n; i++) {
		domain_check(k, &k->domains.d[i], now);
		next = MIN(next, k->domains.d[i].next_ns);
	}
	kernel_kills_look(k, now);
	if (now > k->killed_ns + 30000 * MS)
		k->thrash_limit = THRASH_LIMIT;
	now = now_ns();
	look_in(k, now, next > now + MS ? next - now : MS);
	return 0;
}

/* Somebody stands still: look at once, and often from now on. */
static void alert(struct killer *k, uint64_t now)
{
	bool quiet = now >= k->alert_until_ns;

	k->alert_until_ns = now + ALERT_NS;
	if (!quiet)
		return;
	for (size_t i = 0; i < k->domains.n; i++)
		k->domains.d[i].next_ns = 0;
	look_in(k, now, 1);
}

static void on_stall(void *ctx, const struct stall *s)
{
	struct killer *k = ctx;
	uint64_t now = now_ns();

	window_add(&k->window, s, now);
	alert(k, now);
}

static void on_ongoing(void *ctx, const struct stall *s)
{
	struct killer *k = ctx;
	uint64_t now = now_ns();

	window_ongoing(&k->window, s, now);
	if (s)
		alert(k, now);
}

/*
 * The kernel tells at most once in a window, and what it has put off for that reason a window later: it may still speak of
 * the stall that the last victim was the reason for.
 */
static bool psi_is_past(const struct psi_watch *p, uint64_t now)
{
	return p->k->died_ns && now - p->k->died_ns < PSI_PAST_NS && psi_counted_us(p) - p->died_us < p->stall_ns / 1000;
}

static int on_psi(void *ctx, uint32_t events)
{
	struct psi_watch *p = ctx;
	uint64_t now = now_ns();

	(void)events;
	if (!psi_is_past(p, now))
		p->until_ns = now + ALERT_NS;
	alert(p->k, now);
	return 0;
}

static void psi_open(struct killer *k, struct psi_watch *p, bool full, uint64_t stall_us)
{
	uint64_t window_us = PSI_WINDOW_US;
	char path[64];

	psi_path(path, sizeof(path), RES_MEMORY, NULL);
	p->k = k;
	p->full = full;
	p->fd = psi_trigger(path, full, &stall_us, &window_us);
	p->stall_ns = stall_us * 1000 * PSI_WINDOW_US / window_us;
	if (p->fd >= 0)
		loop_watch(k->run, p->fd, EPOLLPRI, on_psi, p);
}

/* The kernel was faster, or somebody else's limit is none of ours. It belongs into the log. */
static void on_oom_kill(void *ctx, pid_t victim)
{
	struct killer *k = ctx;

	k->kernel_kills++;
	json_reset(&k->j);
	json_object(&k->j, NULL);
	add_time(&k->j);
	json_i64(&k->j, "pid", victim);
	json_end(&k->j);
	out_text(k->run, "the kernel has killed process %d for want of memory\n", (int)victim);
	log_line(k, "kernel_kill");
}

/* ---- start ---- */

/*
 * Give back what only the beginning needed: the code of the compiler, mostly. What is called from now on comes back at
 * once, and stays.
 */
static void code_drop(struct killer *k)
{
	unsigned long begin, end;
	char *save = NULL;

	if (file_read(&k->text, "/proc/self/maps"))
		return;
	for (char *line = strtok_r(k->text.s, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%lx-%lx r-xp", &begin, &end) == 2 && strstr(line, " r-xp ") && strchr(line, '/'))
			madvise((void *)(uintptr_t)begin, end - begin, MADV_DONTNEED);
}

/* What must work when nothing else does. */
static void protect_self(struct killer *k)
{
	struct sched_param priority = { .sched_priority = 1 };

	malloc_trim(0);
	code_drop(k);
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		subject_warn(k->run, "ulimit -l, or CAP_IPC_LOCK", "cannot lock own memory: %m");
	if (k->set->dry_run)
		return;
	if (file_write("/proc/self/oom_score_adj", "-1000"))
		subject_warn(k->run, "CAP_SYS_RESOURCE", "the kernel may choose sonde itself: cannot set oom_score_adj: %m");
	if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &priority))
		subject_warn(k->run, "CAP_SYS_NICE", "sonde may have to wait for a processor: %m");
}

/* A process of our own is killed as any other would be. */
static void rehearse_kill(struct killer *k)
{
	struct victim v = { .pid = fork(), .comm = "rehearsal" };
	struct pollfd p = { .events = POLLIN };

	if (!v.pid)
		for (;;)
			pause();
	if (v.pid < 0)
		return;
	v.start_ticks = proc_start_ticks(v.pid);
	p.fd = victim_kill(k, &v);
	if (p.fd < 0)
		kill(v.pid, SIGKILL);
	else
		poll(&p, 1, 1000);
	waitpid(v.pid, NULL, 0);
	close_fd(&p.fd);
}

/* Goes all ways once, so that they are in memory, and how long they take is known. */
static void rehearse(struct killer *k)
{
	struct domain *machine = &k->domains.d[0];
	struct rule_facts f = facts_of(k, machine, now_ns());
	struct chooser c = { .policy = (enum policy)k->set->policy, .protect = &k->set->protect, .domain = machine,
		.text = &k->domains.text };
	struct victim v;
	uint64_t begin;

	reason_find(machine, &f);
	begin = now_ns();
	victim_choose(&c, &v);
	k->decide_ns = now_ns() - begin;
	add_victim(&k->j, &v);
	add_time(&k->j);
	add_evidence(&k->j, machine);
	json_reset(&k->j);
	rehearse_kill(k);
}

static int log_open(struct killer *k)
{
	k->log_fd = -1;
	if (!k->set->log)
		return 0;
	k->log_fd = open(k->set->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (k->log_fd < 0)
		return subject_fail(k->run, -errno, NULL, "cannot open %s: %m", k->set->log);
	return 0;
}

static int check_cgroup(struct killer *k)
{
	const char *root = cgroup1_root("memory") ? cgroup1_root("memory") : cgroup2_root();
	char path[PATH_MAX];

	if (!k->set->cgroup)
		return 0;
	snprintf(path, sizeof(path), "%s%s", root ? root : "", k->set->cgroup);
	if (k->set->cgroup[0] != '/' || access(path, F_OK))
		return subject_fail(k->run, -ENOENT, "a path below the root of the hierarchy that has the limits, \"/a/b\"",
				    "--cgroup: there is no %s", path);
	return 0;
}

/* Without them, what is left is looked at as before. */
static void events_ask(struct killer *k)
{
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	int err;

	err = reclaim_ask(k->run, &k->source, &why);
	k->counts = err != 0;
	k->counted = kernel_kills_count(&k->domains);
	if (err < 0)
		subject_warn(k->run, NULL, "stalls are not observable, only what is left: %s", why.s);
	if (k->set->cgroup)
		return;
	psi_open(k, &k->psi[0], false, PSI_SOME_US);
	psi_open(k, &k->psi[1], true, PSI_FULL_US);
	if (k->psi[0].fd < 0)
		subject_warn(k->run, "start the kernel with psi=1", "PSI is not observable: stalls other than reclaim are not noticed");
}

static int start(struct killer *k)
{
	struct subject_run *r = k->run;
	uint64_t now = now_ns();
	int err = log_open(k);

	err = err ? err : check_cgroup(k);
	err = err ? err : domains_open(r, &k->domains, k->set->cgroup);
	if (err)
		return err;
	events_ask(k);
	domains_walk(&k->domains, now);
	for (size_t i = 0; i < k->domains.n; i++)
		domain_look(&k->domains, &k->domains.d[i], now);
	if (k->domains.too_many)
		subject_warn(r, NULL, "more than %d cgroups have a limit: only the first are looked after", MOST_DOMAINS - 1);
	k->timer = loop_every(r, LOOK_SHORTEST_NS, on_tick, k);
	if (!k->timer)
		return -ENOMEM;
	protect_self(k);
	rehearse(k);
	out_text(r, "looking after %s and %zu cgroups with a limit\n", k->set->cgroup ? k->set->cgroup : "the machine",
		 k->domains.n - 1);
	return 0;
}

static void show_end(struct killer *k)
{
	k->counted_ns = 0;
	kernel_kills_look(k, now_ns());
	json_reset(&k->j);
	json_object(&k->j, NULL);
	json_u64(&k->j, "kills", k->kills);
	json_u64(&k->j, "kernel_kills", k->kernel_kills);
	json_end(&k->j);
	out_text(k->run, "%llu killed; the kernel itself killed %llu\n", (unsigned long long)k->kills,
		 (unsigned long long)k->kernel_kills);
	log_line(k, "end");
}

int kill_run(struct subject_run *r)
{
	struct killer *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return subject_fail(r, SUBJECT_FAILED, NULL, "out of memory");
	k->run = r;
	k->set = r->settings;
	k->text = (struct strbuf)STRBUF_INIT;
	k->j = (struct json)JSON_INIT;
	k->psi[0].fd = k->psi[1].fd = -1;
	k->dying_fd = k->log_fd = k->domains.meminfo_fd = k->domains.vmstat_fd = -1;
	k->thrash_limit = THRASH_LIMIT;
	k->window.window_ns = 1000 * MS;
	k->source = (struct stall_source){ .ctx = k, .stall = on_stall, .ongoing = on_ongoing, .oom_kill = on_oom_kill };
	err = start(k);
	err = err ? err : loop_run(r);
	if (!err)
		show_end(k);
	dying_end(k);
	domains_close(&k->domains);
	close_fd(&k->psi[0].fd);
	close_fd(&k->psi[1].fd);
	close_fd(&k->log_fd);
	strbuf_free(&k->text);
	json_free(&k->j);
	free(k);
	return err ? SUBJECT_FAILED : SUBJECT_FINE;
}
