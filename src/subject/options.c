/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options: the command line of a subject, read by the table of its entry and the one that all have. */
#include "subject/options.h"

#include <errno.h>
#include <stdio.h>

#include "base/util.h"

const struct subject_option subject_common[] = {
	{ 'f', "view", "NAME", "text for people or json, one object per line", OPTION_CHOICE,
	  offsetof(struct subject_common_settings, view), .choices = "text json" },
	{ 'o', "output", "FILE", "write there instead of to standard output", OPTION_TEXT,
	  offsetof(struct subject_common_settings, output) },
	{ 0, "duration", "TIME", "end after this many seconds (500ms, 2m), with the results", OPTION_TIME,
	  offsetof(struct subject_common_settings, duration_ns) },
	{ 'h', "help", NULL, "show this", OPTION_FLAG, offsetof(struct subject_common_settings, help) },
	{ 0 },
};

struct parse {
	struct subject_run *run;
	struct subject_common_settings common;
};

struct unit {
	const char *name;
	double factor;
};

static const struct unit time_units[] = { { "", 1e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 }, { "ns", 1 }, { "m", 60e9 },
					  { "h", 3600e9 }, { NULL, 0 } };
static const struct unit byte_units[] = { { "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 },
					  { "T", 0x1p40 }, { NULL, 0 } };

static int set_scaled(struct subject_run *r, const struct subject_option *o, const char *value, const struct unit *units,
		      const char *hint)
{
	uint64_t *at = (uint64_t *)((char *)r->settings + o->at);
	char *end;
	double n;

	errno = 0;
	n = strtod(value, &end);
	for (; units->name && end != value && !errno; units++) {
		if (!str_eq(units->name, end) || !(n >= 0) || n * units->factor >= 9e18 || n * units->factor < (double)o->least)
			continue;
		*at = (uint64_t)(n * units->factor);
		return 0;
	}
	return subject_fail(r, SUBJECT_USAGE, hint, "--%s: '%s' is no %s", o->name, value,
			    o->type == OPTION_TIME ? "time" : "size");
}

static int set_number(struct subject_run *r, const struct subject_option *o, const char *value)
{
	uint64_t most = o->most ? o->most : UINT64_MAX, n;
	char *end;

	errno = 0;
	n = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno || n < o->least || n > most) {
		if (o->most)
			return subject_fail(r, SUBJECT_USAGE, NULL, "--%s: '%s' is no number from %llu to %llu", o->name, value,
					    (unsigned long long)o->least, (unsigned long long)o->most);
		return subject_fail(r, SUBJECT_USAGE, NULL, "--%s: '%s' is no number", o->name, value);
	}
	*(uint64_t *)((char *)r->settings + o->at) = n;
	return 0;
}

static int set_choice(struct subject_run *r, const struct subject_option *o, const char *value)
{
	_cleanup_strbuf_ struct strbuf hint = STRBUF_INIT;
	unsigned i = 0;

	for (const char *p = o->choices; *p; i++) {
		size_t len = strcspn(p, " ");

		if (strlen(value) == len && !memcmp(p, value, len)) {
			*(unsigned *)((char *)r->settings + o->at) = i;
			return 0;
		}
		p += len + strspn(p + len, " ");
	}
	strbuf_addf(&hint, "one of: %s", o->choices);
	return subject_fail(r, SUBJECT_USAGE, hint.s, "--%s: there is no '%s'", o->name, value);
}

static int add_text(struct subject_run *r, struct text_list *list, const char *value)
{
	const char **grown = realloc(list->v, (list->n + 1) * sizeof(*grown));

	if (!grown)
		return subject_fail(r, SUBJECT_FAILED, NULL, "out of memory");
	list->v = grown;
	list->v[list->n++] = value;
	return 0;
}

/* r->settings are those that o->at is an offset in. */
static int option_set(struct subject_run *r, const struct subject_option *o, const char *value)
{
	void *at = (char *)r->settings + o->at;

	if (!value) {
		*(bool *)at = true;
		return 0;
	}
	switch (o->type) {
	case OPTION_FLAG:
		break;
	case OPTION_TEXT:
		*(const char **)at = value;
		return 0;
	case OPTION_LIST:
		return add_text(r, at, value);
	case OPTION_NUMBER:
		return set_number(r, o, value);
	case OPTION_TIME:
		return set_scaled(r, o, value, time_units, "seconds, or a number with us, ms, s, m or h: 500ms");
	case OPTION_BYTES:
		return set_scaled(r, o, value, byte_units, "bytes, or a number with K, M, G or T: 512M");
	case OPTION_CHOICE:
		return set_choice(r, o, value);
	}
	return 0;
}

/* An option by its word without the dashes; *value is what is behind a =, or behind a letter. */
static const struct subject_option *option_find(const struct subject_option *o, const char *arg, const char **value)
{
	for (; o && o->name; o++) {
		size_t len = strlen(o->name);

		*value = NULL;
		if (arg[1] == '-' && !strncmp(arg + 2, o->name, len) && (!arg[2 + len] || arg[2 + len] == '=')) {
			*value = arg[2 + len] ? arg + 2 + len + 1 : NULL;
			return o;
		}
		if (arg[1] != '-' && arg[1] == o->letter && o->letter) {
			*value = arg[2] ? arg + 2 : NULL;
			return o;
		}
	}
	return NULL;
}

static int option_unknown(struct subject_run *r, const char *arg)
{
	const struct subject_option *tables[] = { r->subject->options, subject_common };
	_cleanup_strbuf_ struct strbuf hint = STRBUF_INIT;
	const char *all[64], *near;
	size_t n = 0;

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct subject_option *o = tables[t]; o && o->name && n < ARRAY_SIZE(all); o++)
			all[n++] = o->name;
	near = arg[1] == '-' ? nearest_name(arg + 2, all, n) : NULL;
	if (near)
		strbuf_addf(&hint, "did you mean --%s?", near);
	else
		strbuf_addf(&hint, "`sonde %s --help` shows all options", r->subject->name);
	return subject_fail(r, SUBJECT_USAGE, hint.s, "%s: there is no option '%s'", r->subject->name, arg);
}

/* One option, *i moving over its value. */
static int take_option(struct parse *p, int argc, char **argv, int *i)
{
	struct subject_run *r = p->run;
	const char *arg = argv[*i], *value;
	const struct subject_option *o = option_find(r->subject->options, arg, &value);
	void *own = r->settings;
	int err;

	if (!o) {
		o = option_find(subject_common, arg, &value);
		r->settings = &p->common;
	}
	if (!o)
		err = option_unknown(r, arg);
	else if (!o->arg && value)
		err = subject_fail(r, SUBJECT_USAGE, NULL, "--%s takes no value", o->name);
	else if (o->arg && !value && ++*i >= argc)
		err = subject_fail(r, SUBJECT_USAGE, NULL, "--%s needs a value: %s", o->name, o->arg);
	else
		err = option_set(r, o, o->arg && !value ? argv[*i] : value);
	r->settings = own;
	return err;
}

static int take_all(struct parse *p, int argc, char **argv)
{
	struct subject_run *r = p->run;

	for (int i = 0; i < argc; i++) {
		int err = 0;

		if (str_eq(argv[i], "--")) {
			r->command = argv + i + 1;
			return 0;
		}
		if (argv[i][0] == '-' && argv[i][1])
			err = take_option(p, argc, argv, &i);
		else
			r->words[r->nwords++] = argv[i];
		if (err)
			return err;
	}
	return 0;
}

static int check_words(struct subject_run *r)
{
	const char *args = r->subject->args;

	if (r->command && !(args && strstr(args, "-- ")))
		return subject_fail(r, SUBJECT_USAGE, NULL, "%s takes no command behind --", r->subject->name);
	if (r->command && !*r->command)
		return subject_fail(r, SUBJECT_USAGE, NULL, "%s: there is no command behind --", r->subject->name);
	if (r->nwords && (!args || args[strspn(args, "[")] == '-'))
		return subject_fail(r, SUBJECT_USAGE, args ? "a command stands behind --" : NULL,
				    "%s does not know what to do with '%s'", r->subject->name, r->words[0]);
	return 0;
}

int options_take(struct subject_run *r, int argc, char **argv)
{
	struct parse p = { .run = r };
	int err = take_all(&p, argc, argv);

	r->json = p.common.view == 1;
	r->help = p.common.help;
	r->output = p.common.output;
	r->duration_ns = p.common.duration_ns;
	return err || r->help ? err : check_words(r);
}

void options_release(struct subject_run *r)
{
	for (const struct subject_option *o = r->subject->options; o && o->name; o++)
		if (o->type == OPTION_LIST)
			free(((struct text_list *)((char *)r->settings + o->at))->v);
}
