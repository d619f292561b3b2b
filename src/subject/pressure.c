/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pressure: who stalls for want of memory, processor or disk, and what is done about it. */
#include "subject/pressure.h"

static const struct pressure_settings defaults = { .interval_ns = 1000 * MS, .top = 5, .floor_percent = 4 };

static const struct subject_option options[] = {
	{ 'i', "interval", "TIME", "how often to show (1 s)", OPTION_TIME, offsetof(struct pressure_settings, interval_ns),
	  .least = 10 * MS },
	{ 0, "top", "N", "processes to show for each resource (5)", OPTION_NUMBER, offsetof(struct pressure_settings, top),
	  .least = 1, .most = 1000 },
	{ 0, "watch", "WHAT", "say when a task has stood still for so long within a window, and run the\n"
	  "command behind --: memory:100ms/1s, cpu:..., io:...; memory:some:150ms/1s and\n"
	  "full wait for PSI; @/CGROUP behind it limits it to one and those below",
	  OPTION_LIST, offsetof(struct pressure_settings, watch) },
	{ 0, "kill", NULL, "be a low-memory killer: end what uses up the memory before the kernel must",
	  OPTION_FLAG, offsetof(struct pressure_settings, kill) },
	{ 0, "policy", "NAME", "whom: the highest oom_score_adj and of those the largest (lmkd), the largest\n"
	  "cgroup as a whole (cgroup), the largest process (largest)", OPTION_CHOICE,
	  offsetof(struct pressure_settings, policy), .choices = "lmkd cgroup largest" },
	{ 0, "protect", "WHO", "never kill it: a name (wildcards are understood), a process number, or a cgroup\n"
	  "(/system.slice/ssh.service) with all below; can be given several times", OPTION_LIST,
	  offsetof(struct pressure_settings, protect) },
	{ 0, "cgroup", "PATH", "look after this cgroup only, and kill only there", OPTION_TEXT,
	  offsetof(struct pressure_settings, cgroup) },
	{ 0, "floor", "PERCENT", "of a limit that is to stay free (4)", OPTION_NUMBER,
	  offsetof(struct pressure_settings, floor_percent), .least = 1, .most = 50 },
	{ 0, "dry-run", NULL, "say whom it would kill, and why", OPTION_FLAG, offsetof(struct pressure_settings, dry_run) },
	{ 0, "log", "FILE", "append every decision with its evidence there, a line of JSON each", OPTION_TEXT,
	  offsetof(struct pressure_settings, log) },
	{ 0 },
};

static int run(struct subject_run *r)
{
	const struct pressure_settings *set = r->settings;

	if (set->dry_run && !set->kill)
		return subject_fail(r, SUBJECT_USAGE, NULL, "--dry-run belongs to --kill");
	if (set->kill && set->watch.n)
		return subject_fail(r, SUBJECT_USAGE, "start two", "--kill and --watch are two things");
	if (r->command && !set->watch.n)
		return subject_fail(r, SUBJECT_USAGE, NULL, "a command is run by --watch; there is none");
	if (set->kill)
		return kill_run(r);
	return set->watch.n ? watch_run(r) : view_run(r);
}

const struct subject subject_pressure = {
	.name = "pressure",
	.args = "[-- COMMAND]",
	.summary = "who stalls for want of memory, processor or disk, who causes it, and what to do about it",
	.text = "Shows every interval which processes stood still, on what, for how long, in which cgroup and because of whom, from "
		"events as they happen; beside it what the kernel's pressure stall information (PSI) says.\n\n"
		"A stall of memory is the time a task has to find memory itself, or waits for pages that it had lost; where "
		"functions of the kernel cannot be traced, only the first is seen. A stall of the processor is the time that a task is "
		"ready and another one runs; one of the disk, the time it sleeps until the disk has answered.\n\n"
		"The cause of a stall of memory is the process that grew most, first in the same cgroup; of the disk, the one that gave "
		"it most to do; of the processor, the one that ran before.\n\n"
		"With --kill it watches what the machine and every cgroup with a limit have left, and how fast it is used "
		"up. It looks more often the nearer the end is, and kills by pidfd, waits, and looks again. Processes with an "
		"oom_score_adj of -1000, process 1, sonde itself and what is protected are never killed. The command of "
		"--watch finds SONDE_WATCH, SONDE_RESOURCE, SONDE_STALLED_US, SONDE_CGROUP, SONDE_PID and SONDE_COMM in its environment.",
	.examples = "sonde pressure\n  the present pressure, every second\n"
		    "sonde pressure --watch memory:100ms/1s -- logger -t pressure stalled\n  a line in the log when a task stands still\n"
		    "sonde pressure --kill --dry-run\n  whom it would kill, and why\n"
		    "sonde pressure --kill --policy cgroup --protect /system.slice --log /var/log/pressure.json\n"
		    "  end the largest group of processes when memory comes to its end",
	.options = options,
	.settings_size = sizeof(struct pressure_settings),
	.defaults = &defaults,
	.run = run,
};
