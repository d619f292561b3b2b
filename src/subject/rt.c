/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rt: the audit of a realtime process: watch it at work, then judge. */
#include "subject/rt.h"

#include <errno.h>
#include <signal.h>

#include "base/util.h"

static const struct subject_option options[] = {
	{ 'p', "pid", "PID", "the process to look at, for 10 s or --duration", OPTION_NUMBER, offsetof(struct rt_settings, pid),
	  .least = 1, .most = 4194304 },
	{ 0, "scope", "WHAT", "judge the process, the machine or all of it (all)", OPTION_CHOICE, offsetof(struct rt_settings, scope),
	  .choices = "all process machine" },
	{ 0, "latency", "TIME", "the longest that a thread may take from its time, or from being woken, to running", OPTION_TIME,
	  offsetof(struct rt_settings, latency_ns), .least = 1 },
	{ 0, "skip", "ITEM", "leave this item out; can be given several times", OPTION_LIST, offsetof(struct rt_settings, skip) },
	{ 0 },
};

bool rt_skipped(const struct rt *rt, const char *item)
{
	for (size_t i = 0; i < rt->set->skip.n; i++)
		if (str_eq(rt->set->skip.v[i], item))
			return true;
	return false;
}

static int check(struct subject_run *r, const struct rt_settings *set)
{
	if (set->pid && r->command)
		return subject_fail(r, SUBJECT_USAGE, NULL, "-p PID and -- COMMAND are two things");
	if (!set->pid && !r->command && set->scope != SCOPE_MACHINE)
		return subject_fail(r, SUBJECT_USAGE, "sonde rt -p PID, or sonde rt -- COMMAND; --scope machine needs neither",
				    "rt: there is no process to look at");
	if (set->pid && kill((pid_t)set->pid, 0) && errno == ESRCH)
		return subject_fail(r, SUBJECT_FAILED, NULL, "-p: there is no process %llu", (unsigned long long)set->pid);
	return 0;
}

static void judge(struct rt *rt)
{
	if (rt->set->scope != SCOPE_MACHINE) {
		out_text(rt->run, "%s[%d]\n", rt->comm, (int)rt->pid);
		rt_process_items(rt);
	}
	if (rt->set->scope != SCOPE_PROCESS) {
		out_text(rt->run, rt->set->scope == SCOPE_ALL ? "\nthe machine\n" : "the machine\n");
		rt_machine_items(rt);
	}
	rt_latency_show(rt);
}

static int watch(struct rt *rt, struct sonde_child *child)
{
	struct subject_run *r = rt->run;
	int err = rt_ask(rt);

	if (!err && !child)
		err = loop_until_exit(r, rt->pid);
	if (!err && !child)
		rt_process_look(rt);
	file_read(&rt->interrupts_before, "/proc/interrupts");
	if (!err && child)
		err = sonde_child_continue(child);
	err = err ? err : loop_run(r);
	file_read(&rt->interrupts_after, "/proc/interrupts");
	rt->ended = kill(rt->pid, 0) && errno == ESRCH;
	return err;
}

/* Interrupts are those of a second, or of --duration. */
static int watch_machine(struct rt *rt)
{
	int err;

	file_read(&rt->interrupts_before, "/proc/interrupts");
	err = loop_run(rt->run);
	file_read(&rt->interrupts_after, "/proc/interrupts");
	return err;
}

static int audit(struct rt *rt)
{
	struct subject_run *r = rt->run;
	struct sonde_child *child = NULL;
	int err = 0, ended = 0;

	rt->pid = (pid_t)rt->set->pid;
	if (!r->command && !r->duration_ns)
		r->duration_ns = (uint64_t)(rt->pid ? 10 : 1) * 1000000000;
	if (r->command) {
		child = command_prepare(r);
		if (!child)
			return SUBJECT_FAILED;
		rt->pid = sonde_child_pid(child);
	}
	err = rt->pid ? watch(rt, child) : watch_machine(rt);
	if (!err)
		judge(rt);
	sonde_child_end(child, &ended);
	if (!err && child && ended && ended != 128 + SIGTERM)
		subject_warn(r, NULL, "%s ended with status %d", r->command[0], ended);
	return err ? SUBJECT_FAILED : verdicts_status(r);
}

static int run(struct subject_run *r)
{
	struct rt rt = { .run = r, .set = r->settings, .no_faults = STRBUF_INIT, .no_locks = STRBUF_INIT,
		.interrupts_before = STRBUF_INIT, .interrupts_after = STRBUF_INIT };
	int status = check(r, rt.set);

	if (status)
		return status;
	rt.thread = calloc(RT_MOST_THREADS, sizeof(*rt.thread));
	rt.offence = calloc(RT_MOST_OFFENCES, sizeof(*rt.offence));
	if (rt.thread && rt.offence)
		status = audit(&rt);
	else
		status = subject_fail(r, SUBJECT_FAILED, NULL, "out of memory");
	rt_facts_free(&rt);
	return status;
}

const struct subject subject_rt = {
	.name = "rt",
	.args = "[-- COMMAND]",
	.summary = "audit a realtime process against the checklist of realtime programming",
	.text = "Watches a process at work and says item by item whether it does what a realtime program should: pass, fail with the "
		"thread, how often, and the stack of the offending call, or not observable with the reason. Then how late each realtime "
		"thread came to run, and who ran before it at worst.\n\n"
		"A thread is realtime when its policy is SCHED_FIFO, SCHED_RR or SCHED_DEADLINE. Its work has begun when it has come back "
		"from its first sleep as a realtime thread; what it does before, to prepare, is not judged.\n\n"
		"A command is watched from its beginning until it ends, --duration or Ctrl-C. Its locks are looked at in the C library, which "
		"costs about a microsecond for each; programs that are linked statically cannot be looked at there.",
	.examples = "sonde rt -p 1234 --duration 30\n  what it does in half a minute\n"
		    "sonde rt --scope process --latency 200us -f json -- ./controller --selftest\n"
		    "  in a build: ends with status 3 when an item fails\n"
		    "sonde rt --scope machine\n  is this machine fit for realtime work?\n",
	.verdicts = true,
	.options = options,
	.settings_size = sizeof(struct rt_settings),
	.run = run,
};
