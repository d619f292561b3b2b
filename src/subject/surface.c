/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Surface: how much of the kernel a container reaches, and a profile that allows no more. */
#include "subject/surface.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/util.h"

static const struct subject_option options[] = {
	{ 'g', "cgroup", "PATH", "processes of this cgroup (version 2) and of those below it",
	  OPTION_TEXT,
	  offsetof(struct surface_settings, cgroup) },
	{ 'n', "container", "ID",
	  "a container that runs, by the name that its runtime knows\n(runc, crun, containerd, docker)", OPTION_TEXT,
	  offsetof(struct surface_settings, container) },
	{ 'p', "profile", "FILE",
	  "write a seccomp profile that allows what was seen, as\n\"linux.seccomp\" of the OCI runtime specification",
	  OPTION_TEXT, offsetof(struct surface_settings, profile) },
	{ 0, "functions", "PATTERN",
	  "also functions of the kernel that match (as in the name of a\nkprobe; * is understood)",
	  OPTION_TEXT,
	  offsetof(struct surface_settings, functions) },
	{ 0, "audit", NULL, "report what a seccomp filter refuses, as it happens", OPTION_FLAG,
	  offsetof(struct surface_settings, audit) },
	{ 0 },
};

static uint64_t count_compat(const struct surface *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->table[TABLE_COMPAT].n; i++)
		n += s->table[TABLE_COMPAT].v[i].count;
	return n;
}

/* A profile from half of what happened would break what it is for. */
static int write_profile(struct subject_run *r, const struct surface *s, const char *path)
{
	uint64_t compat = count_compat(s);

	if (!s->table[TABLE_CALLS].n && !s->table[TABLE_SETUP].n)
		return subject_fail(r, SUBJECT_FAILED, NULL,
				    "nothing was seen, so no profile is written to %s", path);
	if (s->lost)
		subject_warn(r, "record again while less happens",
			     "%" PRIu64 " events were lost: the profile may allow too little",
			     s->lost);
	if (compat)
		subject_warn(r, "add SCMP_ARCH_X86 and those calls by hand",
			     "%" PRIu64 " system calls were 32-bit ones, which the profile does not allow", compat);
	return profile_write(r, s, path);
}

static int record_run(struct subject_run *r, struct target *t)
{
	const struct surface_settings *settings = r->settings;
	struct surface s = { 0 };
	int status = surface_record(&s, r, t);

	if (!status) {
		report_show(r, &s, t);
		if (settings->profile)
			status = write_profile(r, &s, settings->profile);
		if (t->gone)
			out_text(r, "\nThe %s has ended.\n", t->name.s);
	}
	asks_finish(r);
	surface_free(&s);
	return status;
}

static int run(struct subject_run *r)
{
	const struct surface_settings *s = r->settings;
	struct target t;
	int status;

	if (s->audit && (s->profile || s->functions))
		return subject_fail(r, SUBJECT_USAGE, NULL,
				    "--audit only looks at refusals: --profile and --functions do not go with it");
	status = target_open(&t, r);
	if (!status)
		status = s->audit ? audit_run(r, &t) : record_run(r, &t);
	target_close(&t);
	return status;
}

const struct subject subject_surface = {
	.name = "surface",
	.args = "[-- COMMAND]",
	.summary = "how much of the kernel a container reaches, its seccomp profile, and what that refuses",
	.text =
		"System calls, arguments that decide how much they reach, capabilities that were asked for and granted, sockets, files of /proc and "
		"/sys, and functions of the kernel where they can be traced. What a container's own programs do is told from what its runtime "
		"does to make it.\n\n"
		"A profile allows what the programs did, what the runtime does between loading the profile and starting the first program, and "
		"what its threads may do at any time. Record the start of a container for that: the runtime as COMMAND. Calls that were not made "
		"while sonde looked are not allowed, so let the container do all of its work. The recording ends with COMMAND.\n\n"
		"Refusals are found by what is missing (--audit): a refused call leaves the kernel and never entered it. So it works with every profile, "
		"and also where nothing is logged. Give the recordings (-f json -o FILE) to \"sonde surface diff\".",
	.examples =
		"sonde surface -p profile.json -- runc run web\n  record a container from its start, and write its profile\n"
		"sonde surface --container web --duration 1m\n  what one that runs does in a minute\n"
		"sonde surface --audit --container web\n  what its profile refuses, until it ends or Ctrl-C",
	.verdicts = true,
	.options = options,
	.settings_size = sizeof(struct surface_settings),
	.run = run,
};
