/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rt_process: threads, their processors, and which memory is locked, from /proc while the process lives. */
#include "subject/rt.h"

#include <stdio.h>

#include "base/util.h"

#define SMAPS_NS ((uint64_t)2000000000)

bool cpu_list_parse(const char *text, cpu_set_t *out)
{
	CPU_ZERO(out);
	while (*text >= '0' && *text <= '9') {
		char *end;
		unsigned long first = strtoul(text, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (unsigned long c = first; c <= last && c < CPU_SETSIZE; c++)
			CPU_SET(c, out);
		text = end + (*end == ',');
	}
	return CPU_COUNT(out) > 0;
}

void cpu_list_text(const cpu_set_t *set, struct strbuf *out)
{
	for (int c = 0; c < CPU_SETSIZE; c++) {
		int last = c;

		if (!CPU_ISSET(c, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		strbuf_addf(out, last > c ? "%s%d-%d" : "%s%d", out->len ? "," : "", c, last);
		c = last;
	}
}

void rt_cpus(const struct rt *rt, cpu_set_t *out)
{
	CPU_ZERO(out);
	for (size_t i = 0; i < rt->nthreads; i++)
		if (rt->thread[i].is_rt && rt->thread[i].known)
			CPU_OR(out, out, &rt->thread[i].cpus);
}

/* Fields 40 and 41 of stat: the realtime priority and the policy. */
static bool policy_read(pid_t pid, pid_t tid, int *policy, int *priority)
{
	_cleanup_strbuf_ struct strbuf stat = STRBUF_INIT;
	const char *p;

	if (file_readf(&stat, "/proc/%d/task/%d/stat", (int)pid, (int)tid))
		return false;
	p = strrchr(stat.s, ')');
	for (int field = 2; p && field < 40; field++)
		p = strchr(p + 1, ' ');
	return p && sscanf(p, "%d %d", priority, policy) == 2;
}

static int thread_look(void *ctx, pid_t tid)
{
	struct rt *rt = ctx;
	_cleanup_strbuf_ struct strbuf status = STRBUF_INIT;
	struct rt_thread *t = rt_thread_get(rt, tid);
	int policy, priority;
	char cpus[1024];

	if (!t || !policy_read(rt->pid, tid, &policy, &priority) ||
	    file_readf(&status, "/proc/%d/task/%d/status", (int)rt->pid, (int)tid))
		return 0;
	/* What it was as a realtime thread is what is judged, also when it stops being one at its end. */
	if (policy_is_rt(policy) || !t->is_rt) {
		t->policy = policy;
		t->priority = priority;
	}
	t->is_rt |= policy_is_rt(policy);
	field_text(status.s, "Name:", t->comm, sizeof(t->comm));
	if (field_text(status.s, "Cpus_allowed_list:", cpus, sizeof(cpus)))
		t->known = cpu_list_parse(cpus, &t->cpus);
	return 0;
}

/* ---- locked memory ---- */

/* "7f..-7f.. rw-p 0 08:01 12 /lib/x": a mapping that the process can use. */
static bool is_mapping(const char *line, char *name, size_t size)
{
	char perms[5];
	int at = 0;

	if (sscanf(line, "%*x-%*x %4s %*x %*s %*s %n", perms, &at) != 1 || !at)
		return false;
	snprintf(name, size, "%s", line[at] ? line + at : "memory without a name");
	return true;
}

struct locked {
	char name[128];
	uint64_t kib, unlocked_kib, largest_kib, locked_kib;
	char largest[128];
};

static void line_look(struct locked *l, const char *line)
{
	char flags[160];

	if (is_mapping(line, l->name, sizeof(l->name)))
		return;
	field_u64(line, "Size:", &l->kib);
	if (!field_text(line, "VmFlags:", flags, sizeof(flags)))
		return;
	strncat(flags, " ", sizeof(flags) - strlen(flags) - 1);
	if (strstr(flags, "lo ")) {
		l->locked_kib += l->kib;
		return;
	}
	/* What cannot be used at all, and what the kernel itself maps, cannot be locked and need not be. */
	if (!(strstr(flags, "rd ") || strstr(flags, "wr ") || strstr(flags, "ex ")) || strstr(flags, "io ") ||
	    strstr(flags, "pf ") || str_starts(l->name, "[v"))
		return;
	l->unlocked_kib += l->kib;
	if (l->kib >= l->largest_kib) {
		l->largest_kib = l->kib;
		snprintf(l->largest, sizeof(l->largest), "%s", l->name);
	}
}

static void locked_look(struct rt *rt)
{
	_cleanup_strbuf_ struct strbuf smaps = STRBUF_INIT;
	struct locked l = { 0 };
	char *save = NULL;

	if (file_readf(&smaps, "/proc/%d/smaps", (int)rt->pid) || !strstr(smaps.s, "VmFlags:"))
		return;
	for (char *line = strtok_r(smaps.s, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		line_look(&l, line);
	rt->smaps_read = true;
	rt->smaps_ns = now_ns();
	rt->unlocked_kib = l.unlocked_kib;
	rt->locked_kib = l.locked_kib;
	snprintf(rt->unlocked_name, sizeof(rt->unlocked_name), "%s", l.largest);
}

static void libc_look(struct rt *rt)
{
	_cleanup_strbuf_ struct strbuf maps = STRBUF_INIT;

	if (!rt->libc_mapped && *rt->libc && !file_readf(&maps, "/proc/%d/maps", (int)rt->pid))
		rt->libc_mapped = strstr(maps.s, rt->libc);
}

void rt_process_look(struct rt *rt)
{
	char comm[COMM_BYTES];

	proc_comm(rt->pid, comm, sizeof(comm));
	if (!*comm)
		return;
	rt->seen = true;
	memcpy(rt->comm, comm, sizeof(comm));
	proc_each_thread(rt->pid, thread_look, rt);
	/* Before work begins, its memory may not be locked yet; and looking holds up whoever maps memory. */
	if (rt->first_sleep && now_ns() - rt->smaps_ns > SMAPS_NS)
		locked_look(rt);
	libc_look(rt);
}
