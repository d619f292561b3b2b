/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Surface diff: what one recording reached and another did not. */
#include <errno.h>
#include <inttypes.h>

#include "base/arena.h"
#include "base/util.h"
#include "subject/json_read.h"
#include "subject/proc.h"
#include "subject/surface.h"

struct settings {
	bool runtime;
};

static const struct subject_option options[] = {
	{ 'r', "runtime", NULL, "also what the runtime did to make the container", OPTION_FLAG,
	  offsetof(struct settings, runtime) },
	{ 0 },
};

static const struct {
	const char *member, *title;
} kinds[] = {
	{ "calls", "System calls" }, { "arguments", "Arguments" }, { "sockets", "Sockets" },
		{ "capabilities", "Capabilities" },
	{ "files", "Files of /proc and /sys" }, { "functions", "Functions of the kernel" },
};

struct diff {
	struct subject_run *run;
	const struct json_value *before, *after;
	bool runtime;
	struct json j;
	unsigned grown, shrunk;
};

/* The line of a recording that is meant; other lines may stand before it. */
static const struct json_value *find_recording(struct arena *a, const char *text)
{
	while (*text) {
		const char *at, *end = text + strcspn(text, "\n");
		const struct json_value *line = json_parse(a,
							   arena_strndup(a, text,
							   		(size_t)(end - text)), &at,
							   		false);

		if (str_eq(json_member_text(line, "type", NULL), "surface") &&
		    json_member(json_member(line, "data"), "calls"))
			return json_member(line, "data");
		text = end + (*end != 0);
	}
	return NULL;
}

static const struct json_value *recording_read(struct subject_run *r, struct arena *a,
					       struct strbuf *text, const char *path)
{
	int err = file_read(text, path);
	const struct json_value *v;

	if (err) {
		subject_fail(r, SUBJECT_FAILED, NULL, "cannot read %s: %s", path, strerror(-err));
		return NULL;
	}
	v = strlen(text->s) == text->len ? find_recording(a, text->s) : NULL;
	if (!v)
		subject_fail(r, SUBJECT_FAILED, "sonde surface -f json -o FILE makes one",
			     "%s is no recording of sonde surface", path);
	return v;
}

/* Is this one of the container's own programs, or the runtime's? */
static bool is_compared(const struct diff *d, const struct json_value *recording,
			const struct json_value *row)
{
	const struct json_value *contained = json_member(recording, "contained");

	if (d->runtime || !contained || contained->number == 0)
		return true;
	return str_eq(json_member_text(row, "part", NULL), "work");
}

/* How often the recording has this, in all parts that count. */
static double count_of(const struct diff *d, const struct json_value *recording, const char *kind,
		       const char *name)
{
	double n = 0;

	json_each(row, json_member(recording, kind))
		if (str_eq(json_member_text(row, "name", NULL), name) &&
		    is_compared(d, recording, row))
			n += json_member_number(row, "count", 0);
	return n;
}

static bool is_unseen(const struct json_value *recording, const char *kind)
{
	json_each(u, json_member(recording, "not_observable"))
		if (str_eq(json_member_text(u, "item", NULL), kind))
			return true;
	return false;
}

/* Is this the first row of its name? Parts have rows of their own. */
static bool is_first(const struct diff *d, const struct json_value *recording, const char *kind,
		     const struct json_value *row)
{
	json_each(other, json_member(recording, kind)) {
		if (other == row)
			return true;
		if (str_eq(json_member_text(other, "name", ""),
			   json_member_text(row, "name", "")) && is_compared(d, recording, other))
			return false;
	}
	return true;
}

/* What `has` reached and `lacks` did not. */
static unsigned show_missing(struct diff *d, const char *kind, const char *title,
			     const struct json_value *has,
			     const struct json_value *lacks, char sign)
{
	unsigned n = 0;

	json_array(&d->j, sign == '+' ? "added" : "removed");
	json_each(row, json_member(has, kind)) {
		const char *name = json_member_text(row, "name", NULL);

		if (!name || !is_compared(d, has, row) || !is_first(d, has, kind, row) ||
		    count_of(d, lacks, kind, name) > 0)
			continue;
		if (!n++ && title)
			out_text(d->run, "\n%s\n", title);
		out_text(d->run, "  %c %s  (%.0f)\n", sign, name, count_of(d, has, kind, name));
		json_object(&d->j, NULL);
		json_text(&d->j, "name", name);
		json_number(&d->j, "count", count_of(d, has, kind, name));
		json_end(&d->j);
	}
	json_end(&d->j);
	return n;
}

static void compare_kind(struct diff *d, size_t i)
{
	const char *kind = kinds[i].member;
	bool unseen = is_unseen(d->before, kind) || is_unseen(d->after, kind);
	unsigned more, less;

	json_object(&d->j, kind);
	json_bool(&d->j, "comparable", !unseen);
	if (unseen) {
		out_text(d->run, "\n%s\n  not observable in %s\n", kinds[i].title,
			 !is_unseen(d->after, kind) ? "the first recording" :
			 is_unseen(d->before, kind) ? "both recordings" : "the second recording");
	} else {
		more = show_missing(d, kind, kinds[i].title, d->after, d->before, '+');
		less = show_missing(d, kind, more ? NULL : kinds[i].title, d->before, d->after,
				    '-');
		d->grown += more;
		d->shrunk += less;
	}
	json_end(&d->j);
}

static void warn_losses(struct diff *d)
{
	if (json_member_number(d->before, "lost", 0) > 0 ||
	    json_member_number(d->after, "lost", 0) > 0)
		subject_warn(d->run, NULL,
			     "events were lost in a recording: what it does not have may have happened all the same");
}

static void compare(struct diff *d)
{
	warn_losses(d);
	out_text(d->run, "before: %s\nafter:  %s\n", json_member_text(d->before, "target", "?"),
		 json_member_text(d->after, "target", "?"));
	json_object(&d->j, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		compare_kind(d, i);
	json_u64(&d->j, "added", d->grown);
	json_u64(&d->j, "removed", d->shrunk);
	json_end(&d->j);
	if (d->grown || d->shrunk)
		out_text(d->run, "\n%u more, %u less\n", d->grown, d->shrunk);
	else
		out_text(d->run, "\nThey reach the same.\n");
	out_json(d->run, "diff", &d->j);
}

static int run_in(struct subject_run *r, struct arena *a, struct strbuf text[2])
{
	const struct settings *s = r->settings;
	struct diff d = { .run = r, .runtime = s->runtime, .j = JSON_INIT };

	d.before = recording_read(r, a, &text[0], r->words[0]);
	d.after = d.before ? recording_read(r, a, &text[1], r->words[1]) : NULL;
	if (d.after)
		compare(&d);
	json_free(&d.j);
	return d.after ? SUBJECT_FINE : SUBJECT_FAILED;
}

static int run(struct subject_run *r)
{
	struct strbuf text[2] = { STRBUF_INIT, STRBUF_INIT };
	struct arena *a;
	int status;

	if (r->nwords != 2)
		return subject_fail(r, SUBJECT_USAGE, "sonde surface diff BEFORE.json AFTER.json",
				    "two recordings are compared");
	a = arena_new();
	if (!a || setjmp(*arena_guard(a)))
		status = subject_fail(r, SUBJECT_FAILED, NULL, "out of memory");
	else
		status = run_in(r, a, text);
	arena_free(a);
	strbuf_free(&text[0]);
	strbuf_free(&text[1]);
	return status;
}

const struct subject subject_surface_diff = {
	.name = "surface diff",
	.args = "BEFORE.json AFTER.json",
	.summary = "what one recording of a surface reached and another did not",
	.text =
		"Compares recordings that \"sonde surface -f json -o FILE\" made: a release with the one before, a run with a test against one "
		"without. Of containers, what their own programs did is compared. What could not be observed in one of them is said and not "
		"compared.",
	.examples =
		"sonde surface diff old.json new.json\n  what a new version reaches that the old one did not",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = run,
};
