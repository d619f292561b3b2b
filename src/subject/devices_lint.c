/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices lint: rules of udev that do not do what they seem to. The judging is that of src/udev; here files are found,
 * and one verdict is given for each of them.
 */
#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/util.h"
#include "subject/devices_replay.h"

struct settings {
	struct text_list context;
	bool no_context, notes;
	uint64_t lines;
	const char *device;
	struct text_list events;
};

static const struct settings defaults = { .lines = 6 };

static const struct subject_option options[] = {
	{ 'c', "context", "DIR",
	  "rules that run together with those to be judged (those of this\nmachine); may be given several times",
	  OPTION_LIST, offsetof(struct settings, context) },
	{ 0, "no-context", NULL, "judge the rules as if there were no others", OPTION_FLAG,
	  offsetof(struct settings, no_context) },
	{ 0, "notes", NULL, "also what does no harm on most machines", OPTION_FLAG,
	  offsetof(struct settings, notes) },
	{ 0, "lines", "N", "how many corrected lines to print for a finding (6)", OPTION_NUMBER,
	  offsetof(struct settings, lines), 1, 100000 },
	{ 0, "device", "PATH",
	  "instead: send events of this device through the rules, and show\nwhat each comes to",
	  OPTION_TEXT,
	  offsetof(struct settings, device) },
	{ 0, "event", "NAME", "which events (add, bind); may be given several times", OPTION_LIST,
	  offsetof(struct settings, events) },
	{ 0 },
};

/* Where udev looks, what goes first. */
static const char *const system_dirs[] = {
	"/etc/udev/rules.d", "/run/udev/rules.d", "/usr/local/lib/udev/rules.d",
	"/usr/lib/udev/rules.d", "/lib/udev/rules.d",
};

struct lint {
	struct subject_run *run;
	const struct settings *settings;
	struct arena *a;
	struct udev_rules rules;
	struct udev_lint found;
	struct strbuf text; /* of the file at hand */
	struct json json;
	unsigned counts[3]; /* findings and problems by severity */
};

/* ---- which files ---- */

static int read_path(struct lint *l, const char *path, bool context)
{
	struct stat st;
	int err = stat(path, &st) ? -errno : S_ISDIR(st.st_mode) ?
		udev_rules_read_dir(l->a, &l->rules, path, context) :
		  udev_rules_read(l->a, &l->rules, path, context);

	if (err >= 0)
		return 0;
	return subject_fail(l->run, SUBJECT_FAILED,
			    err == -EINVAL ? "files and directories are read" : NULL,
			    "cannot read %s: %s", path,
			    strerror(-err));
}

static int read_system(struct lint *l, bool context)
{
	struct stat st, seen[ARRAY_SIZE(system_dirs)] = { 0 };
	size_t nseen = 0;
	int status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(system_dirs) && !status; i++) {
		bool twice = false;

		if (stat(system_dirs[i], &st))
			continue;
		/* On many machines /lib is /usr/lib. */
		for (size_t k = 0; k < nseen; k++)
			twice |= seen[k].st_ino == st.st_ino && seen[k].st_dev == st.st_dev;
		seen[nseen++] = st;
		if (!twice)
			status = read_path(l, system_dirs[i], context);
	}
	return status;
}

static int read_all(struct lint *l)
{
	const struct settings *s = l->settings;
	int status = 0;

	for (int i = 0; i < l->run->nwords && !status; i++)
		status = read_path(l, l->run->words[i], false);
	for (size_t i = 0; i < s->context.n && !status; i++)
		status = read_path(l, s->context.v[i], true);
	if (!status && (!l->run->nwords || (!s->context.n && !s->no_context)))
		status = read_system(l, l->run->nwords > 0);
	udev_rules_sort(l->a, &l->rules);
	if (!status && !l->rules.files.n)
		return subject_fail(l->run, SUBJECT_FAILED, "name files or directories of rules",
				    "there are no files of rules here");
	return status;
}

/* ---- one file ---- */

static const char *const severities[] = { [UDEV_NOTE] = "note", [UDEV_WARNING] = "warning",
	[UDEV_ERROR] = "error" };

static bool is_shown(const struct lint *l, enum udev_severity severity)
{
	return severity != UDEV_NOTE || l->settings->notes;
}

static void show_numbers(struct lint *l, const struct udev_finding *f)
{
	if (f->rules.n == 1 && f->rules.v[0] == f->rule)
		return;
	strbuf_addf(&l->text, "  concerns %s", f->rules.n == 1 ? "line" : "lines");
	for (uint32_t i = 0; i < f->rules.n && i < 12; i++)
		strbuf_addf(&l->text, "%s %u", i ? "," : "", f->rules.v[i]->line);
	if (f->rules.n > 12)
		strbuf_addf(&l->text, ", ... (%u in all)", f->rules.n);
	strbuf_addch(&l->text, '\n');
}

static void show_lines(struct lint *l, uint32_t line, const char *text)
{
	for (bool first = true; text; first = false) {
		size_t n = strcspn(text, "\n");

		if (first)
			strbuf_addf(&l->text, "  %5u | ", line);
		else
			strbuf_addstr(&l->text, "        | ");
		strbuf_addf(&l->text, "%.*s%s\n", (int)MIN(n, 400), text, n > 400 ? " ..." : "");
		text = text[n] ? text + n + 1 : NULL;
	}
}

static void show_fixes(struct lint *l, const struct udev_finding *f)
{
	if (f->advice)
		strbuf_addf(&l->text, "  do: %s\n", f->advice);
	if (!f->fixes.n)
		return;
	strbuf_addstr(&l->text, "  should be\n");
	for (uint32_t i = 0; i < f->fixes.n && i < l->settings->lines; i++)
		show_lines(l, f->fixes.v[i].rule->line, f->fixes.v[i].text);
	if (f->fixes.n > l->settings->lines)
		strbuf_addf(&l->text, "        ... and %u more lines (--lines)\n",
			    f->fixes.n - (uint32_t)l->settings->lines);
	if (f->fixed)
		strbuf_addf(&l->text, "  %s\n", f->fixed);
}

static void show_finding(struct lint *l, const struct udev_finding *f)
{
	strbuf_addf(&l->text, "line %u: %s: %s: %s\n", f->rule->line, severities[f->severity],
		    f->check->name, f->text);
	show_lines(l, f->rule->line, f->rule->text);
	show_numbers(l, f);
	if (f->device)
		strbuf_addf(&l->text, "  replayed with %s\n", f->device);
	vec_each(r, &f->replays)
		strbuf_addf(&l->text, "    %-7s %s\n", r->event, r->text);
	show_fixes(l, f);
}

static void json_finding(struct lint *l, const struct udev_finding *f)
{
	struct json *j = &l->json;

	json_object(j, NULL);
	json_text(j, "check", f->check->name);
	json_text(j, "severity", severities[f->severity]);
	json_u64(j, "line", f->rule->line);
	json_text(j, "source", f->rule->text);
	json_text(j, "text", f->text);
	json_array(j, "lines");
	vec_each(r, &f->rules)
		json_u64(j, NULL, (*r)->line);
	json_end(j);
	json_text(j, "device", f->device);
	json_array(j, "replay");
	vec_each(r, &f->replays) {
		json_object(j, NULL);
		json_text(j, "event", r->event);
		json_text(j, "result", r->text);
		json_end(j);
	}
	json_end(j);
	json_array(j, "corrected");
	vec_each(x, &f->fixes) {
		json_object(j, NULL);
		json_u64(j, "line", x->rule->line);
		json_text(j, "text", x->text);
		json_end(j);
	}
	json_end(j);
	json_text(j, "advice", f->advice);
	json_text(j, "corrected_result", f->fixed);
	json_end(j);
}

static void show_problem(struct lint *l, const struct udev_problem *p)
{
	struct json *j = &l->json;

	if (p->line && p->column)
		strbuf_addf(&l->text, "line %u, column %u: %s: %s\n", p->line, p->column,
			    severities[p->severity], p->text);
	else if (p->line)
		strbuf_addf(&l->text, "line %u: %s: %s\n", p->line, severities[p->severity],
			    p->text);
	else
		strbuf_addf(&l->text, "%s: %s\n", severities[p->severity], p->text);
	if (p->source)
		show_lines(l, p->line, p->source);
	if (p->hint)
		strbuf_addf(&l->text, "  %s\n", p->hint);
	if (p->corrected) {
		strbuf_addstr(&l->text, "  should be\n");
		show_lines(l, p->line, p->corrected);
	}
	json_object(j, NULL);
	json_text(j, "check", "syntax");
	json_text(j, "severity", severities[p->severity]);
	json_u64(j, "line", p->line);
	json_u64(j, "column", p->column);
	json_text(j, "source", p->source);
	json_text(j, "text", p->text);
	json_text(j, "advice", p->hint);
	json_text(j, "corrected", p->corrected);
	json_end(j);
}

/* What is wrong in this file, the worst of it. */
static unsigned show_all(struct lint *l, const struct udev_file *file, unsigned shown[3])
{
	unsigned n = 0;

	json_array(&l->json, "findings");
	vec_each(p, &l->rules.problems)
		if (p->file == file && is_shown(l, p->severity)) {
			show_problem(l, p);
			shown[p->severity]++;
			n++;
		}
	vec_each(f, &l->found.findings)
		if ((*f)->rule->file == file && is_shown(l, (*f)->severity)) {
			show_finding(l, *f);
			json_finding(l, *f);
			shown[(*f)->severity]++;
			n++;
		}
	json_end(&l->json);
	return n;
}

static unsigned show_unproven(struct lint *l, const struct udev_file *file)
{
	unsigned n = 0;

	json_array(&l->json, "unproven");
	vec_each(u, &l->found.unproven) {
		if (u->rule->file != file)
			continue;
		if (n++ < l->settings->lines)
			strbuf_addf(&l->text, "line %u: not observable: %s\n", u->rule->line,
				    u->why);
		json_object(&l->json, NULL);
		json_u64(&l->json, "line", u->rule->line);
		json_text(&l->json, "why", u->why);
		json_end(&l->json);
	}
	json_end(&l->json);
	if (n > l->settings->lines)
		strbuf_addf(&l->text, "... and %u more lines\n", n - (unsigned)l->settings->lines);
	return n;
}

static const char *found_text(struct lint *l, const struct udev_file *file, const unsigned shown[3],
			      unsigned unproven)
{
	const char *text = arena_printf(l->a, "%u rules", file->rules.n);

	for (int s = UDEV_ERROR; s >= UDEV_NOTE; s--)
		if (shown[s])
			text = arena_printf(l->a, "%s, %u %s%s", text, shown[s], severities[s],
					    shown[s] == 1 ? "" : "s");
	if (unproven)
		text = arena_printf(l->a, "%s; no device could be made up for %u of them", text,
				    unproven);
	return text;
}

static void judge_file(struct lint *l, const struct udev_file *file)
{
	unsigned shown[3] = { 0 }, unproven;
	struct verdict v = { .item = file->name, .title = file->path };

	strbuf_reset(&l->text);
	json_object(&l->json, NULL);
	json_text(&l->json, "file", file->path);
	show_all(l, file, shown);
	unproven = show_unproven(l, file);
	json_end(&l->json);
	for (int i = 0; i < 3; i++)
		l->counts[i] += shown[i];
	v.is = shown[UDEV_ERROR] || shown[UDEV_WARNING] ? VERDICT_FAIL : unproven ? VERDICT_UNSEEN :
		VERDICT_PASS;
	v.found = found_text(l, file, shown, unproven);
	v.details = l->text.failed ? "out of memory" : l->text.s;
	v.evidence = &l->json;
	verdict(l->run, &v);
}

/* Directories with files that cannot be read. */
static void judge_unread(struct lint *l)
{
	vec_each(p, &l->rules.problems)
		if (!p->file)
			verdict(l->run, &(struct verdict){ .item = "read",
				.title = "every file can be read", .is = VERDICT_UNSEEN,
							   .found = p->text });
}

/* ---- the whole ---- */

static int replay_one(struct lint *l)
{
	static const char *const usual[] = { "add", "bind" };
	const struct text_list *events = &l->settings->events;

	if (events->n)
		return replay_device(l->run, l->a, &l->rules, l->settings->device, events->v,
				     events->n);
	return replay_device(l->run, l->a, &l->rules, l->settings->device, usual,
			     ARRAY_SIZE(usual));
}

static int lint_all(struct lint *l)
{
	int status = read_all(l);
	uint32_t files = 0;

	if (status)
		return status;
	if (l->settings->device)
		return replay_one(l);
	udev_lint(l->a, &l->rules, &l->found);
	judge_unread(l);
	vec_each(f, &l->rules.files)
		if (!(*f)->context) {
			judge_file(l, *f);
			files++;
		}
	out_text(l->run, "\n%u files with %u rules, %u of them replayed: %u errors, %u warnings%s\n", files, l->found.judged, l->found.replayed,
		 l->counts[UDEV_ERROR], l->counts[UDEV_WARNING],
		 l->settings->notes ? "" : " (--notes shows what does no harm on most machines)");
	return verdicts_status(l->run);
}

static void lint_free(struct lint *l)
{
	strbuf_free(&l->text);
	json_free(&l->json);
	arena_free(l->a);
}

static int run(struct subject_run *r)
{
	struct lint l = { .run = r, .settings = r->settings, .text = STRBUF_INIT,
		.json = JSON_INIT };
	int status;

	l.a = arena_new();
	if (!l.a || setjmp(*arena_guard(l.a))) {
		lint_free(&l);
		return subject_fail(r, SUBJECT_FAILED, NULL, "out of memory");
	}
	if (l.settings->events.n && !l.settings->device)
		status = subject_fail(r, SUBJECT_USAGE, NULL, "--event goes with --device");
	else
		status = lint_all(&l);
	lint_free(&l);
	return status;
}

const struct subject subject_devices_lint = {
	.name = "devices lint",
	.args = "[FILE|DIRECTORY]...",
	.summary = "find rules of udev that lose what they give a device, and other traps",
	.text =
		"Since Linux 4.14 a device on a bus gets the event \"bind\" after \"add\", when its driver has taken it, and udev forgets at "
		"each event what rules have set at the one before. Rules that only run at \"add\" or \"change\" give a device its tags, "
		"properties, links and permissions for a moment only. Every such loss is shown by sending a made-up device through the rules, "
		"first with \"add\" and then with the later event, and once more with the corrected lines.\n\n"
		"Without files, the rules of this machine are judged. With files, those of this machine are read too, to see what else "
		"happens to a device, unless --context names others. A rule for which no device can be made up is said to be not "
		"observable. Nothing is changed, no program is run and udev is not needed.",
	.examples =
		"sonde devices lint\n  the rules of this machine\n"
		"sonde devices lint 60-mydevice.rules\n  a file before it is installed\n"
		"sonde devices lint --device /dev/bus/usb/001/002\n  what the rules make of a device, at \"add\" and at \"bind\"\n"
		"sonde devices lint -f json debian/package.udev\n  in a build pipeline",
	.verdicts = true,
	.options = options,
	.settings_size = sizeof(struct settings),
	.defaults = &defaults,
	.run = run,
};
