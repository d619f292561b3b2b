/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event: one event of a device, replayed through the rules.
 *
 * What udev carries from one event of a device to the next is its database: properties only where a rule asks with
 * IMPORT{db}, tags as "all tags" but not as current ones, and the node with its owner, group and mode, which only
 * change when something sets them.
 */
#include <fnmatch.h>
#include <sys/stat.h>

#include "base/util.h"
#include "udev/udev.h"

struct event {
	struct arena *a;
	const struct udev_device *d,
		*parent; /* parent: the one that this rule's matches of parents found */
	const char *action;
	const struct udev_state *before;
	struct udev_state *s;
	const char *result; /* of PROGRAM */
	bool links_final, runs_final, mode_final, owner_final, group_final, name_final;
};

/* ---- what an event collects ---- */

#define items_find(items, want) ({ \
	struct udev_item *found_ = NULL; \
	vec_each(it_, (items)) \
		if (str_eq(it_->name, (want))) \
			found_ = it_; \
	found_; \
})

#define items_set(e, items, n, val, rule) do { \
	struct udev_item item_ = { (n), (val), (rule) }, *old_ = items_find((items), (n)); \
	if (old_) \
		*old_ = item_; \
	else \
		vec_push((e)->a, (items), item_); \
} while (0)

#define items_drop(items, want) do { \
	uint32_t kept_ = 0; \
	for (uint32_t i_ = 0; i_ < (items)->n; i_++) \
		if (!str_eq((items)->v[i_].name, (want))) \
			(items)->v[kept_++] = (items)->v[i_]; \
	(items)->n = kept_; \
} while (0)

const char *udev_prop(const struct udev_device *d, const struct udev_state *s, const char *name)
{
	const struct udev_item *set = s ? items_find(&s->props, name) : NULL;

	return set ? set->value : strmap_get(&d->props, name);
}

/* ---- matches ---- */

static bool token_match(const struct udev_token *t, const char *value)
{
	return udev_pattern_match(t->value, value, t->nocase) == (t->op == UDEV_MATCH);
}

static bool attr_match(struct event *e, const struct udev_token *t, const struct udev_device *d)
{
	const char *name = udev_expand(e->a, d, NULL, e->s, t->attr);
	const char *value = name ? udev_device_attr(e->a, d, name) : NULL;
	size_t n = strlen(t->value), len;

	if (!value)
		return false;
	/* Most attributes end with a newline, and some with blanks; a pattern that ends with one wants it. */
	len = strlen(value);
	if (!n || (t->value[n - 1] != ' ' && t->value[n - 1] != '\t'))
		while (len && strchr(" \t\n\r", value[len - 1]))
			len--;
	return token_match(t, arena_strndup(e->a, value, len));
}

static bool tags_match(const struct udev_token *t, const char *const *tags, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (udev_pattern_match(t->value, tags[i], t->nocase))
			return t->op == UDEV_MATCH;
	return t->op == UDEV_NOMATCH;
}

static bool match_tag(struct event *e, const struct udev_token *t)
{
	const char **tags = arena_array_of(e->a, const char *, e->s->tags.n + 1);

	for (uint32_t i = 0; i < e->s->tags.n; i++)
		tags[i] = e->s->tags.v[i].name;
	return tags_match(t, tags, e->s->tags.n);
}

static bool parent_tags_match(struct event *e, const struct udev_token *t,
			      const struct udev_device *d)
{
	const char **tags;

	if (d == e->d)
		return match_tag(e, t);
	tags = arena_array_of(e->a, const char *, d->tags.entries.n + 1);
	for (uint32_t i = 0; i < d->tags.entries.n; i++)
		tags[i] = d->tags.entries.v[i].key;
	return tags_match(t, tags, d->tags.entries.n);
}

static bool match_symlink(struct event *e, const struct udev_token *t)
{
	vec_each(l, &e->s->links)
		if (udev_pattern_match(t->value, l->name, t->nocase))
			return t->op == UDEV_MATCH;
	return t->op == UDEV_NOMATCH;
}

static bool subsystem_match(const struct udev_token *t, const char *value)
{
	/* Names from before there was one word for both. */
	if (str_eq(t->value, "subsystem") || str_eq(t->value, "bus") || str_eq(t->value, "class"))
		return (value && (str_eq(value, "subsystem") || str_eq(value, "bus") ||
				  str_eq(value, "class"))) ==
		       (t->op == UDEV_MATCH);
	return token_match(t, value);
}

static bool match_test(struct event *e, const struct udev_token *t)
{
	const char *path = udev_expand(e->a, e->d, e->parent, e->s, t->value);
	bool there;

	if (!path)
		return false;
	if (strmap_get(&e->d->files, path))
		there = true;
	else if (path[0] != '/')
		there = udev_device_attr(e->a, e->d, path) != NULL;
	else
		there = e->d->syspath && access(path, F_OK) == 0;
	return there == (t->op == UDEV_MATCH);
}

/* Programs are not run: a device that is made up says what they answer. */
static bool match_program(struct event *e, const struct udev_token *t)
{
	e->result = e->d->program_result;
	return (e->result != NULL) == (t->op == UDEV_MATCH);
}

static bool import_db(struct event *e, const struct udev_token *t)
{
	const char *value = e->before ? udev_prop(e->d, e->before, t->value) : NULL;

	if (value)
		items_set(e, &e->s->props, t->value, value, t->rule);
	return value;
}

static bool import_parent(struct event *e, const struct udev_token *t)
{
	const char *pattern = udev_expand(e->a, e->d, e->parent, e->s, t->value);
	bool have = false;

	if (!e->d->parent || !pattern)
		return false;
	vec_each(p, &e->d->parent->props.entries)
		if (udev_pattern_match(pattern, p->key, false)) {
			items_set(e, &e->s->props, p->key, p->value, t->rule);
			have = true;
		}
	return have;
}

static bool match_import(struct event *e, const struct udev_token *t)
{
	bool done;

	if (str_eq(t->attr, "db"))
		done = import_db(e, t);
	else if (str_eq(t->attr, "parent"))
		done = import_parent(e, t) || (e->d->imports_succeed && e->d->parent);
	else
		done = e->d->imports_succeed;
	if (done && !str_eq(t->attr, "db")) {
		struct udev_item item = { arena_printf(e->a, "IMPORT{%s}=\"%s\"", t->attr,
						       t->value), t->value, t->rule };

		vec_push(e->a, &e->s->imports, item);
	}
	return done == (t->op == UDEV_MATCH);
}

static bool match_token(struct event *e, const struct udev_token *t)
{
	switch (t->what) {
	case UDEV_M_ACTION: return token_match(t, e->action);
	case UDEV_M_DEVPATH: return token_match(t, e->d->devpath);
	case UDEV_M_KERNEL: return token_match(t, e->d->kernel);
	case UDEV_M_SYMLINK: return match_symlink(e, t);
	case UDEV_M_NAME: return token_match(t, e->s->name.value);
	case UDEV_M_ENV: return token_match(t, udev_prop(e->d, e->s, t->attr));
	case UDEV_M_CONST: return token_match(t, strmap_get(&e->d->consts, t->attr));
	case UDEV_M_TAG: return match_tag(e, t);
	case UDEV_M_SUBSYSTEM: return subsystem_match(t, e->d->subsystem);
	case UDEV_M_DRIVER: return token_match(t, e->d->driver);
	case UDEV_M_ATTR: return attr_match(e, t, e->d);
	case UDEV_M_SYSCTL: return token_match(t, strmap_get(&e->d->sysctl, t->attr));
	case UDEV_M_TEST: return match_test(e, t);
	case UDEV_M_PROGRAM: return match_program(e, t);
	case UDEV_M_IMPORT: return match_import(e, t);
	case UDEV_M_RESULT: return token_match(t, e->result);
	default: return true;
	}
}

static bool parent_token_match(struct event *e, const struct udev_token *t,
			       const struct udev_device *d)
{
	switch (t->what) {
	case UDEV_P_KERNEL: return token_match(t, d->kernel);
	case UDEV_P_SUBSYSTEM: return subsystem_match(t, d->subsystem);
	case UDEV_P_DRIVER: return token_match(t, d->driver);
	case UDEV_P_ATTR: return attr_match(e, t, d);
	default: return parent_tags_match(e, t, d);
	}
}

/* All of a rule's matches of parents have to hold for one device, this one or one above it. */
static bool parents_match(struct event *e, const struct udev_rule *rule)
{
	for (const struct udev_device *d = e->d; d; d = d->parent) {
		bool all = true;

		vec_each(t, &rule->tokens)
			all = all && (!udev_is_parent_match(t->what) ||
				      parent_token_match(e, t, d));
		if (all) {
			e->parent = d;
			return true;
		}
	}
	return false;
}

static bool rule_matches(struct event *e, const struct udev_rule *rule)
{
	bool parents = false;

	vec_each(t, &rule->tokens) {
		if (!udev_is_match(t->what))
			break;
		if (!udev_is_parent_match(t->what)) {
			if (!match_token(e, t))
				return false;
		} else if (!parents) {
			parents = true;
			if (!parents_match(e, rule))
				return false;
		}
	}
	return true;
}

/* ---- assignments ---- */

static void apply_env(struct event *e, const struct udev_token *t, const char *value)
{
	const char *old = udev_prop(e->d, e->s, t->attr);

	if (t->op == UDEV_ADD && !*value)
		return;
	if (t->op == UDEV_ADD && old && *old)
		value = arena_printf(e->a, "%s %s", old, value);
	items_set(e, &e->s->props, t->attr, *value ? value : NULL, t->rule);
}

static void apply_tag(struct event *e, const struct udev_token *t, const char *value)
{
	if (t->op == UDEV_REMOVE) {
		items_drop(&e->s->tags, value);
		return;
	}
	if (t->op == UDEV_ASSIGN) {
		e->s->cleared_tags += e->s->tags.n;
		e->s->tags.n = e->s->all_tags.n = 0;
	}
	items_set(e, &e->s->tags, value, value, t->rule);
	items_set(e, &e->s->all_tags, value, value, t->rule);
}

static void apply_symlink(struct event *e, const struct udev_token *t, const char *value)
{
	char *words, *word, *rest;

	if (e->links_final || !e->d->node)
		return;
	if (t->op == UDEV_ASSIGN || t->op == UDEV_FINAL) {
		e->s->cleared_links += e->s->links.n;
		e->s->links.n = 0;
	}
	e->links_final = t->op == UDEV_FINAL;
	words = arena_strdup(e->a, value);
	for (word = strtok_r(words, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (t->op == UDEV_REMOVE)
			items_drop(&e->s->links, word);
		else
			items_set(e, &e->s->links, word, word, t->rule);
	}
}

static void apply_run(struct event *e, const struct udev_token *t, const char *value)
{
	struct udev_item item = { t->attr && str_eq(t->attr, "builtin") ?
		arena_printf(e->a, "builtin %s", value) : value, value, t->rule };

	if (e->runs_final)
		return;
	if (t->op == UDEV_ASSIGN || t->op == UDEV_FINAL) {
		e->s->cleared_runs += e->s->runs.n;
		e->s->runs.n = 0;
	}
	e->runs_final = t->op == UDEV_FINAL;
	vec_push(e->a, &e->s->runs, item);
}

static void apply_one(struct udev_item *to, bool *final, const struct udev_token *t,
		      const char *value)
{
	if (*final)
		return;
	*final = t->op == UDEV_FINAL;
	*to = (struct udev_item){ t->key->name, value, t->rule };
}

static void apply_write(struct event *e, const struct udev_token *t, const char *value)
{
	items_set(e, &e->s->writes, arena_printf(e->a, "%s{%s}", t->key->name, t->attr), value,
		  t->rule);
}

static void apply_token(struct event *e, const struct udev_token *t)
{
	const char *value = udev_expand(e->a, e->d, e->parent, e->s, t->value);

	if (!value)
		return;
	switch (t->what) {
	case UDEV_A_OWNER: apply_one(&e->s->owner, &e->owner_final, t, value); break;
	case UDEV_A_GROUP: apply_one(&e->s->group, &e->group_final, t, value); break;
	case UDEV_A_MODE: apply_one(&e->s->mode, &e->mode_final, t, value); break;
	case UDEV_A_NAME: if (e->d->net) apply_one(&e->s->name, &e->name_final, t, value); break;
	case UDEV_A_ENV: apply_env(e, t, value); break;
	case UDEV_A_TAG: apply_tag(e, t, value); break;
	case UDEV_A_SYMLINK: apply_symlink(e, t, value); break;
	case UDEV_A_SECLABEL: items_set(e, &e->s->seclabels, t->attr, value, t->rule); break;
	case UDEV_A_ATTR:
	case UDEV_A_SYSCTL: apply_write(e, t, value); break;
	case UDEV_A_RUN: apply_run(e, t, value); break;
	default: break;
	}
}

/* ---- the whole event ---- */

static void replay_file(struct event *e, const struct udev_file *f)
{
	for (uint32_t i = 0; i < f->rules.n; i++) {
		const struct udev_rule *rule = f->rules.v[i];

		e->parent = NULL;
		if (!rule_matches(e, rule))
			continue;
		vec_push(e->a, &e->s->hits, rule);
		vec_each(t, &rule->tokens)
			if (!udev_is_match(t->what))
				apply_token(e, t);
		if (rule->target)
			i = rule->target->index - 1; /* it stands below: this ends */
	}
}

/* What the node becomes: what a rule says, else what the kernel says, else what it was. */
static void settle_node(struct event *e)
{
	struct udev_state *s = e->s;
	const char *mode = strmap_get(&e->d->props, "DEVMODE");

	if (!e->d->node)
		return;
	s->node_owner = s->owner.value ? s->owner.value : e->before ? e->before->node_owner :
		"root";
	s->node_group = s->group.value ? s->group.value : e->before ? e->before->node_group :
		"root";
	s->node_mode = s->mode.value ? s->mode.value : mode ? mode : e->before ?
		e->before->node_mode : "0600";
	/* A group without a mode gets access to it. */
	if (!s->mode.value && !mode && s->group.value && !str_eq(s->group.value, "root"))
		s->node_mode = "0660";
}

struct udev_state *udev_event_replay(struct arena *a, const struct udev_rules *r,
				     const struct udev_device *d,
				     const char *action, const struct udev_state *before)
{
	struct udev_state *s = arena_new_of(a, struct udev_state);
	struct event e = { .a = a, .d = d, .action = action, .before = before, .s = s };

	if (before)
		vec_each(t, &before->all_tags)
			vec_push(a, &s->all_tags, *t);
	for (uint32_t i = 0; i < r->files.n; i++)
		replay_file(&e, r->files.v[i]);
	settle_node(&e);
	return s;
}

bool udev_state_hit(const struct udev_state *s, const struct udev_rule *rule)
{
	vec_each(h, &s->hits)
		if (*h == rule)
			return true;
	return false;
}
