/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Token check: values that udev itself refuses or ignores, one entry for each kind of token. */
#include "udev/token.h"

#include "base/util.h"

struct check {
	enum udev_what what;
	/* Returns what is wrong, or NULL. */
	const char *(*wrong)(struct arena *a, const struct udev_token *t);
	enum udev_severity severity; /* UDEV_ERROR: udev ignores the line; else only the token has no effect */
	const char *hint;
};

static const char *not_one_of(struct arena *a, const char *word, const char *const *names, size_t n,
			      const char *what)
{
	const char *near;

	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i], word))
			return NULL;
	near = nearest_name(word, names, n);
	return near ? arena_printf(a, "there is no %s '%.40s'; did you mean '%s'?", what, word,
				   near) :
		      arena_printf(a, "there is no %s '%.40s'", what, word);
}

static const char *builtin_wrong(struct arena *a, const char *command)
{
	static const char *const names[] = {
		"blkid", "btrfs", "dissect_image", "factory_reset", "firmware", "hwdb", "input_id",
		"keyboard", "kmod",
		"net_driver", "net_id", "net_link", "net_setup_link", "path_id", "tpm2_id",
		"uaccess", "usb_id",
	};

	return not_one_of(a, arena_strndup(a, command, strcspn(command, " \t")), names,
			  ARRAY_SIZE(names), "builtin");
}

static const char *import_wrong(struct arena *a, const struct udev_token *t)
{
	static const char *const kinds[] = { "file", "program", "builtin", "db", "cmdline",
		"parent" };
	const char *wrong = not_one_of(a, t->attr, kinds, ARRAY_SIZE(kinds), "way to import");

	return !wrong && str_eq(t->attr, "builtin") ? builtin_wrong(a, t->value) : wrong;
}

static const char *run_wrong(struct arena *a, const struct udev_token *t)
{
	static const char *const kinds[] = { "program", "builtin" };
	const char *wrong = t->attr ? not_one_of(a, t->attr, kinds, ARRAY_SIZE(kinds),
						 "way to run") : NULL;

	return !wrong && str_eq(t->attr, "builtin") ? builtin_wrong(a, t->value) : wrong;
}

static const char *const_wrong(struct arena *a, const struct udev_token *t)
{
	static const char *const names[] = { "arch", "virt", "cvm" };

	return not_one_of(a, t->attr, names, ARRAY_SIZE(names), "constant");
}

static const char *env_wrong(struct arena *a, const struct udev_token *t)
{
	static const char *const fixed[] = {
		"ACTION", "DEVLINKS", "DEVNAME", "DEVPATH", "DEVTYPE", "DRIVER", "IFINDEX", "MAJOR",
		"MINOR", "SEQNUM",
		"SUBSYSTEM", "TAGS",
	};

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		if (str_eq(fixed[i], t->attr))
			return arena_printf(a, "the kernel says what %s is: it cannot be set",
					    t->attr);
	return NULL;
}

static bool all_octal(const char *s)
{
	return *s && strlen(s) <= 5 && s[strspn(s, "01234567")] == 0;
}

static const char *mode_wrong(struct arena *a, const struct udev_token *t)
{
	if (all_octal(t->value) || strpbrk(t->value, "%$"))
		return NULL;
	return arena_printf(a, "'%.40s' is not an octal mode", t->value);
}

static const char *test_wrong(struct arena *a, const struct udev_token *t)
{
	if (t->nocase)
		return "TEST takes no i\"...\"";
	if (!t->attr || !*t->attr || all_octal(t->attr))
		return NULL;
	return arena_printf(a, "'%.40s' is not an octal mode", t->attr);
}

static const char *name_wrong(struct arena *a, const struct udev_token *t)
{
	(void)a;
	if (!*t->value)
		return "an empty NAME does nothing";
	return str_eq(t->value, "%k") || str_eq(t->value, "$kernel") ? "NAME=\"%k\" does nothing" :
		NULL;
}

static const char *options_wrong(struct arena *a, const struct udev_token *t)
{
	static const char *const names[] = {
		"dump", "string_escape=none", "string_escape=replace", "db_persist", "watch",
		"nowatch", "dump-json",
	};
	static const char *const prefixes[] = { "static_node=", "link_priority=", "log_level=",
		"event_timeout=" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_starts(t->value, prefixes[i]))
			return NULL;
	return not_one_of(a, t->value, names, ARRAY_SIZE(names), "option");
}

static const char *tag_wrong(struct arena *a, const struct udev_token *t)
{
	(void)a;
	return *t->value ? NULL : "an empty tag does nothing";
}

static const struct check checks[] = {
	{ UDEV_M_IMPORT, import_wrong, UDEV_ERROR, "udev ignores the whole line" },
	{ UDEV_A_RUN, run_wrong, UDEV_ERROR, "udev ignores the whole line" },
	{ UDEV_M_CONST, const_wrong, UDEV_ERROR, "udev ignores the whole line" },
	{ UDEV_A_ENV, env_wrong, UDEV_ERROR, "udev ignores the whole line" },
	{ UDEV_M_TEST, test_wrong, UDEV_ERROR, "udev ignores the whole line" },
	{ UDEV_A_NAME, name_wrong, UDEV_ERROR, "udev ignores the whole line: leave it out" },
	{ UDEV_A_MODE, mode_wrong, UDEV_WARNING, "udev leaves the mode as it is" },
	{ UDEV_A_OPTIONS, options_wrong, UDEV_WARNING, "udev ignores it: leave it out" },
	{ UDEV_A_TAG, tag_wrong, UDEV_WARNING, "leave it out" },
};

/* Tokens whose value may hold substitutions. */
static bool expands(const struct udev_token *t)
{
	switch (t->what) {
	case UDEV_M_TEST: case UDEV_M_PROGRAM: case UDEV_M_IMPORT:
	case UDEV_A_OWNER: case UDEV_A_GROUP: case UDEV_A_MODE: case UDEV_A_SECLABEL: case UDEV_A_ENV: case UDEV_A_TAG:
	case UDEV_A_NAME: case UDEV_A_SYMLINK: case UDEV_A_ATTR: case UDEV_A_SYSCTL: case UDEV_A_RUN:
		return true;
	default:
		return false;
	}
}

int udev_token_check(struct arena *a, struct udev_rules *r, const struct udev_rule *rule,
		     const struct udev_token *t,
		     const char *where, uint32_t indent)
{
	struct udev_problem p = {
		.file = rule->file, .line = rule->line, .source = rule->text,
		.column = rule->line == rule->last_line ?
			(uint32_t)(where - rule->text) + 1 + indent : 0,
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		if (checks[i].what != t->what || !(p.text = checks[i].wrong(a, t)))
			continue;
		p.severity = checks[i].severity;
		p.hint = checks[i].hint;
		vec_push(a, &r->problems, p);
		return p.severity == UDEV_ERROR ? -1 : 0;
	}
	if (expands(t) && (p.text = udev_expand_check(a, t->value))) {
		p.severity = UDEV_WARNING;
		p.hint = "udev leaves the value out; a dollar or percent sign itself is written twice";
		vec_push(a, &r->problems, p);
	}
	return 0;
}
