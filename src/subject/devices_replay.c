/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices, replay: what rules make of a device of this machine, event by event. Nothing is done to it. */
#include "subject/devices_replay.h"

#include <errno.h>
#include <sys/utsname.h>

#include "base/util.h"

struct replay {
	struct subject_run *run;
	struct arena *a;
	const struct udev_device *device;
	struct json j;
};

/* As udev calls it. */
static const char *arch_name(struct arena *a)
{
	static const struct { const char *machine, *name; } names[] = {
		{ "x86_64", "x86-64" }, { "aarch64", "arm64" }, { "i686", "x86" },
			{ "ppc64le", "ppc64-le" },
	};
	struct utsname u;

	if (uname(&u))
		return "";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(names[i].machine, u.machine))
			return names[i].name;
	return arena_strdup(a, u.machine);
}

#define show_items(r, title, key, items, with_value) do { \
	json_array(&(r)->j, (key)); \
	vec_each(it_, (items)) { \
		json_object(&(r)->j, NULL); \
		json_text(&(r)->j, "name", it_->name); \
		if (with_value) \
			json_text(&(r)->j, "value", it_->value); \
		json_text(&(r)->j, "by", udev_rule_place((r)->a, it_->by)); \
		json_end(&(r)->j); \
		if ((with_value) && it_->value) \
			out_text((r)->run, "  %-10s %s=%s  (%s:%u)\n", (title), it_->name, it_->value, it_->by->file->name, it_->by->line); \
		else \
			out_text((r)->run, "  %-10s %s  (%s:%u)\n", (title), it_->name, it_->by->file->name, it_->by->line); \
	} \
	json_end(&(r)->j); \
} while (0)

static void show_node(struct replay *r, const struct udev_state *s)
{
	if (!s->node_mode)
		return;
	out_text(r->run, "  %-10s mode %s, owner %s, group %s\n", "node", s->node_mode,
		 s->node_owner, s->node_group);
	json_object(&r->j, "node");
	json_text(&r->j, "mode", s->node_mode);
	json_text(&r->j, "owner", s->node_owner);
	json_text(&r->j, "group", s->node_group);
	json_end(&r->j);
}

static void show_state(struct replay *r, const char *action, const struct udev_state *s)
{
	out_text(r->run, "\n%s: %u rules match\n", action, s->hits.n);
	json_object(&r->j, NULL);
	json_text(&r->j, "event", action);
	show_items(r, "property", "properties", &s->props, true);
	show_items(r, "tag", "tags", &s->tags, false);
	show_items(r, "link", "links", &s->links, false);
	show_items(r, "writes", "writes", &s->writes, true);
	show_items(r, "would run", "runs", &s->runs, false);
	show_items(r, "not run", "not_run", &s->imports, false);
	show_node(r, s);
	json_array(&r->j, "all_tags");
	vec_each(t, &s->all_tags)
		json_text(&r->j, NULL, t->name);
	json_end(&r->j);
	json_array(&r->j, "matched");
	vec_each(h, &s->hits)
		json_text(&r->j, NULL, udev_rule_place(r->a, *h));
	json_end(&r->j);
	json_end(&r->j);
	out_json(r->run, "replay", &r->j);
}

int replay_device(struct subject_run *run, struct arena *a, const struct udev_rules *rules,
		  const char *path, const char *const *actions,
		  size_t n)
{
	struct udev_device *d = udev_device_open(a, path);
	struct replay r = { .run = run, .a = a, .device = d, .j = JSON_INIT };
	const struct udev_state *s = NULL;

	if (!d)
		return subject_fail(run, SUBJECT_FAILED,
				    "a directory below /sys, or a node in /dev",
				    "there is no device %s: %s", path,
				    strerror(errno));
	/* What programs and builtins find out is not known here; that they succeed is. */
	d->imports_succeed = true;
	udev_device_set(a, &d->consts, "arch", arch_name(a));
	out_text(run, "%s (%s)\n", d->devpath, d->subsystem ? d->subsystem : "no subsystem");
	for (size_t i = 0; i < n; i++) {
		s = udev_event_replay(a, rules, d, actions[i], s);
		show_state(&r, actions[i], s);
	}
	json_free(&r.j);
	return SUBJECT_FINE;
}
