/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Udev: rules files as udev(7) describes them, read, replayed and judged.
 *
 * rules.c reads files into rules; event.c replays one event of a device through them, as systemd-udevd 247 and later
 * would (properties are forgotten at each event, tags stick, current tags do not); synth.c makes up a device that a
 * rule is about; lint.c finds what goes wrong and proves it by replaying both ways.
 *
 * Nothing here runs a program, writes to a device or needs udev. All memory is the arena's.
 */
#ifndef SONDE_UDEV_UDEV_H
#define SONDE_UDEV_UDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "base/strmap.h"

/* ---- rules ---- */

enum udev_op { UDEV_MATCH, UDEV_NOMATCH, UDEV_ADD, UDEV_REMOVE, UDEV_ASSIGN, UDEV_FINAL };

/* What a token does. The order is that in which udev handles the tokens of one rule. */
enum udev_what {
	UDEV_NOTHING,
	UDEV_M_ACTION, UDEV_M_DEVPATH, UDEV_M_KERNEL, UDEV_M_SYMLINK, UDEV_M_NAME, UDEV_M_ENV,
		UDEV_M_CONST,
	UDEV_M_TAG, UDEV_M_SUBSYSTEM, UDEV_M_DRIVER, UDEV_M_ATTR, UDEV_M_SYSCTL,
	UDEV_P_KERNEL, UDEV_P_SUBSYSTEM, UDEV_P_DRIVER, UDEV_P_ATTR, UDEV_P_TAG,
	UDEV_M_TEST, UDEV_M_PROGRAM, UDEV_M_IMPORT, UDEV_M_RESULT,
	UDEV_A_OPTIONS, UDEV_A_OWNER, UDEV_A_GROUP, UDEV_A_MODE, UDEV_A_SECLABEL, UDEV_A_ENV,
		UDEV_A_TAG, UDEV_A_NAME,
	UDEV_A_SYMLINK, UDEV_A_ATTR, UDEV_A_SYSCTL, UDEV_A_RUN,
	UDEV_X_GOTO, UDEV_X_LABEL,
	UDEV_NWHAT,
};

static inline bool udev_is_match(enum udev_what w)
{
	return w < UDEV_A_OPTIONS;
}

static inline bool udev_is_parent_match(enum udev_what w)
{
	return w >= UDEV_P_KERNEL && w <= UDEV_P_TAG;
}

enum udev_attr_use { UDEV_ATTR_NONE, UDEV_ATTR_MAY, UDEV_ATTR_MUST };

struct udev_key {
	const char *name;
	enum udev_what match, assign; /* UDEV_NOTHING: it cannot */
	enum udev_attr_use attr;
	uint8_t ops;                  /* assigning operators that it has, a bit for each */
	uint8_t as_assign;            /* those that udev takes for "=", with a warning */
	bool any_op_matches;          /* PROGRAM and IMPORT: "=" means "==" */
};
extern const struct udev_key udev_keys[]; /* ends with a NULL name */
const struct udev_key *udev_key_find(const char *name, size_t len);
const char *udev_op_text(enum udev_op op);

struct udev_rule;

struct udev_token {
	const struct udev_key *key;
	enum udev_what what;
	enum udev_op op;
	const char *attr; /* NULL: none */
	const char *value;
	bool nocase;
	uint32_t begin, end; /* its place in the text of the rule */
	struct udev_rule *rule;
};

struct udev_rule {
	struct udev_file *file;
	uint32_t line, last_line; /* from 1 */
	uint32_t index;           /* in the file */
	const char *text;         /* continued lines are joined */
	VEC(struct udev_token) tokens; /* in the order in which they are handled */
	const char *label, *go;   /* LABEL and GOTO */
	struct udev_rule *target; /* of GOTO */
};

/* How bad it is. */
enum udev_severity { UDEV_NOTE, UDEV_WARNING, UDEV_ERROR };

/* What is wrong with the text of a file. */
struct udev_problem {
	struct udev_file *file;
	uint32_t line, column; /* from 1; column 0: the whole line */
	enum udev_severity severity;
	const char *text, *hint; /* hint: NULL or what to do */
	const char *source;      /* the line */
	const char *corrected;   /* the line as it should be, or NULL */
};

struct udev_file {
	const char *path, *name; /* name: without directories, which is what decides the order */
	bool context;            /* read to know what else happens; not judged */
	VEC(struct udev_rule *) rules;
};

struct udev_rules {
	VEC(struct udev_file *) files; /* sorted by name after udev_rules_sort() */
	VEC(struct udev_problem) problems;
};

/* Read one file into `r`. 0, or a negative errno when it cannot be read at all. What is wrong inside becomes problems. */
int udev_rules_read(struct arena *a, struct udev_rules *r, const char *path, bool context);
/* The same of a text. */
void udev_rules_parse(struct arena *a, struct udev_rules *r, const char *path, const char *text,
		      size_t len, bool context);
/* All *.rules of a directory. The number of files, or a negative errno. */
int udev_rules_read_dir(struct arena *a, struct udev_rules *r, const char *path, bool context);
/* Into the order in which udev reads them. A file that comes later with the name of an earlier one is left out. */
void udev_rules_sort(struct arena *a, struct udev_rules *r);
/* One line of rules; NULL when it is not one (problems then say why). */
struct udev_rule *udev_rule_parse(struct arena *a, struct udev_rules *r, struct udev_file *f,
				  const char *text,
				  uint32_t line);
/* "path:12" */
const char *udev_rule_place(struct arena *a, const struct udev_rule *rule);
/* A token of this kind, from the n-th on; NULL: none. */
const struct udev_token *udev_rule_token(const struct udev_rule *rule, enum udev_what what);
/* "KEY{attr}op"value"" as canonical text. */
void udev_token_text(const struct udev_token *t, struct strbuf *out);

/* ---- patterns ---- */

/* Does `value` (NULL counts as empty) satisfy the pattern of a token, whatever its operator? */
bool udev_pattern_match(const char *pattern, const char *value, bool nocase);
/* A short text that satisfies the nth alternative of the pattern; NULL: it has no such alternative. */
const char *udev_pattern_example(struct arena *a, const char *pattern, unsigned nth);

/* ---- devices and events ---- */

struct udev_device {
	const char *kernel, *subsystem, *driver, *devpath;
	const char *syspath;         /* of a real device: attributes that are not in attrs are read there; NULL: made up */
	struct strmap props;         /* const char *: what the kernel, and imports that are not replayed, give at each event */
	struct strmap attrs;         /* const char * */
	struct strmap tags;          /* those it has as a parent */
	struct strmap files;         /* paths of TEST that exist (value "1") or not (NULL) */
	struct udev_device *parent;  /* NULL: none */
	bool node, net;
	bool gone;                   /* its directory in sysfs is: removed */
	const char *program_result;  /* what PROGRAM answers; NULL: it fails */
	struct strmap consts, sysctl;
	bool imports_succeed;
};

/* Something an event has set, and which rule did it. */
struct udev_item {
	const char *name, *value;
	const struct udev_rule *by;
};

/* A device after an event, as udev's database and the device node have it. */
struct udev_state {
	VEC(struct udev_item) props;    /* set by rules: those of the device are not among them */
	VEC(struct udev_item) tags;     /* current */
	VEC(struct udev_item) all_tags; /* sticky */
	VEC(struct udev_item) links, runs, writes, seclabels;
	VEC(struct udev_item) imports;  /* "IMPORT{builtin}" "hwdb", those that succeeded */
	struct udev_item mode, owner, group, name; /* by this event; value NULL: none */
	const char *node_mode, *node_owner,
		*node_group; /* what the node has: stays from event to event */
	VEC(const struct udev_rule *) hits; /* rules whose every match succeeded, in order */
	unsigned cleared_links, cleared_runs, cleared_tags; /* by a plain "=" */
};

/* Replay one event. `before`: the state after the previous event, or NULL. */
struct udev_state *udev_event_replay(struct arena *a, const struct udev_rules *r,
				     const struct udev_device *d,
				     const char *action, const struct udev_state *before);
/* The current rule's substitutions, also outside of an event (state may be empty). */
const char *udev_expand(struct arena *a, const struct udev_device *d,
			const struct udev_device *parent,
			const struct udev_state *s, const char *text);
/* The value of a property in this state; NULL: none. */
const char *udev_prop(const struct udev_device *d, const struct udev_state *s, const char *name);
/* An attribute of sysfs; NULL: it is not there. */
const char *udev_device_attr(struct arena *a, const struct udev_device *d, const char *name);
bool udev_state_hit(const struct udev_state *s, const struct udev_rule *rule);
/* A device of this machine by its path in /sys (or a node in /dev). NULL and errno when there is none. */
struct udev_device *udev_device_open(struct arena *a, const char *path);
void udev_device_set(struct arena *a, struct strmap *m, const char *name, const char *value);

/* Does each ACTION of the rule hold for this event? */
bool udev_rule_is_for(const struct udev_rule *rule, const char *action);

/* Is this a bus, whose devices get drivers and so bind events? */
enum udev_kind { UDEV_BUS, UDEV_CLASS, UDEV_UNKNOWN };
enum udev_kind udev_subsystem_kind(const char *subsystem);
/* The subsystem whose devices have such names in the kernel; NULL: not known. */
const char *udev_subsystem_of_kernel(const char *kernel);

/*
 * Make up a device that comes to this rule and matches it at this event. NULL when none is found, and *why says for
 * people what stands in the way, or is NULL when the rule is not for this event.
 */
struct udev_device *udev_synth(struct arena *a, const struct udev_rule *rule, const char *action,
			       const char **why);
/* In one line, for people. */
void udev_device_text(const struct udev_device *d, struct strbuf *out);

/* ---- lint ---- */

/* Lines as they should be. */
struct udev_fix {
	const struct udev_rule *rule; /* which one they replace */
	const char *text;
};

struct udev_replay {
	const char *event; /* "add", "bind" */
	const char *text;  /* what it came to */
};

struct udev_finding {
	const struct udev_check *check;
	enum udev_severity severity;
	const struct udev_rule *rule;       /* the line to be changed */
	VEC(const struct udev_rule *) rules; /* those that lose by it, at least one */
	const char *text;
	const char *device;                 /* the one it was replayed with */
	VEC(struct udev_replay) replays;
	VEC(struct udev_fix) fixes;
	const char *advice;                 /* where no line can be corrected: what to do; NULL: none */
	const char *fixed;                  /* what a replay with the fixes came to; NULL: there was none */
};

/* A rule for which no device could be made up, so that nothing can be said of it. */
struct udev_unproven {
	const struct udev_rule *rule;
	const char *why;
};

struct udev_lint {
	const struct udev_rules *rules;
	VEC(struct udev_finding *) findings;
	VEC(struct udev_unproven) unproven;
	uint32_t judged;   /* rules */
	uint32_t replayed; /* of which that many by made-up events */
};

/* Judge all files that are not context. */
void udev_lint(struct arena *a, const struct udev_rules *r, struct udev_lint *out);

struct udev_check {
	const char *name, *summary;
	/* Look at one rule and add what is found. */
	void (*run)(struct arena *a, struct udev_lint *l, const struct udev_check *c,
		    const struct udev_rule *rule);
};
extern const struct udev_check udev_checks[]; /* ends with a NULL name */

#endif
