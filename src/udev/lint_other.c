/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lint, the other traps: rules that never do what they seem to. */
#include <ctype.h>

#include "base/util.h"
#include "udev/lint.h"

/* ---- late-tag ---- */

/* Does a rule look whether a device itself has this tag? */
static bool looks_at_tag(const struct udev_rule *rule, const char *tag)
{
	vec_each(t, &rule->tokens)
		if (t->what == UDEV_M_TAG && t->op == UDEV_MATCH &&
		    udev_pattern_match(t->value, tag, t->nocase))
			return true;
	return false;
}

static bool comes_before(const struct udev_rule *x, const struct udev_rule *y)
{
	int order = strcmp(x->file->name, y->file->name);

	return order ? order < 0 : x->index < y->index;
}

/* The last rule of all that looks at the tag; *behind: one of them comes after `rule`. */
static const struct udev_rule *last_look(const struct udev_rules *r, const char *tag,
					 const struct udev_rule *rule, bool *behind)
{
	const struct udev_rule *last = NULL;

	*behind = false;
	vec_each(file, &r->files)
		vec_each(other, &(*file)->rules) {
			if (!looks_at_tag(*other, tag))
				continue;
			last = *other;
			/* Within a file, the order may be as it is for a reason. */
			*behind = *behind || comes_before(rule, *other) || *file == rule->file;
		}
	return last;
}

static void replay_late(struct arena *a, struct udev_lint *l, struct udev_finding *f,
			const struct udev_rule *rule,
			const struct udev_rule *look, const char *tag)
{
	const char *why;
	struct udev_device *d = udev_synth(a, rule, "add", &why);
	struct udev_state *s;
	bool has = false;

	if (!d)
		return;
	s = udev_event_replay(a, l->rules, d, "add", NULL);
	vec_each(t, &s->tags)
		has = has || str_eq(t->name, tag);
	f->device = lint_device_text(a, d);
	lint_replay(a, f, "add", arena_printf(a,
					      "%s TAG \"%s\" at its end, but %s:%u, which looks at it, %s", has ? "has" : "has no", tag,
					      look->file->name, look->line,
					      udev_state_hit(s, look) ? "has run" :
					      "has not matched"));
}

void lint_late_tag(struct arena *a, struct udev_lint *l, const struct udev_check *c,
		   const struct udev_rule *rule)
{
	const struct udev_token *t = udev_rule_token(rule, UDEV_A_TAG);
	const struct udev_rule *look;
	struct udev_finding *f;
	bool behind, is_new;

	for (; t && t < rule->tokens.v + rule->tokens.n && t->what == UDEV_A_TAG; t++) {
		if (t->op == UDEV_REMOVE)
			continue;
		look = last_look(l->rules, t->value, rule, &behind);
		if (!look || behind)
			continue;
		/* One word for each file is enough. */
		f = lint_finding(a, l, c, rule->file->rules.v[0], &is_new);
		vec_push(a, &f->rules, rule);
		if (!is_new)
			continue;
		f->severity = UDEV_ERROR;
		f->text = arena_printf(a,
				       "TAG \"%s\" is given after %s, the last file that looks at it: it does nothing at this event", t->value,
				       look->file->name);
		f->advice = arena_printf(a, "give the file a name that sorts before %s: 70-%s",
					 look->file->name,
					 rule->file->name + strspn(rule->file->name,
								   "0123456789-_."));
		replay_late(a, l, f, rule, look, t->value);
	}
}

/* ---- clears ---- */

static const struct {
	enum udev_what what;
	const char *key, *what_is_lost;
} clearing[] = {
	{ UDEV_A_RUN, "RUN", "the commands that earlier rules have asked for" },
	{ UDEV_A_SYMLINK, "SYMLINK", "the links that earlier rules have asked for" },
	{ UDEV_A_TAG, "TAG", "the tags that earlier rules have given" },
};

static const char *op_fix(struct arena *a, const struct udev_rule *rule, const struct udev_token *t,
			  const char *op)
{
	const char *text = rule->text + t->begin, *eq = memchr(text, '=', t->end - t->begin);
	const char *quote = memchr(text, '"', t->end - t->begin);

	if (!eq || !quote || eq > quote)
		return NULL;
	return lint_with(a, rule, t, arena_printf(a, "%.*s%s%.*s", (int)(eq - text), text, op,
						  (int)(text + (t->end - t->begin) - eq - 1),
						  eq + 1));
}

/* Earlier rules that ask for the same kind of thing, made up: what would be left of it? */
static const char *clears_text(const struct udev_state *s, enum udev_what what)
{
	unsigned n = what == UDEV_A_RUN ? s->cleared_runs : what == UDEV_A_TAG ? s->cleared_tags :
		s->cleared_links;

	return n ? "is gone" : "is still there";
}

static void replay_clears(struct arena *a, struct udev_lint *l, struct udev_finding *f,
			  const struct udev_rule *rule,
			  enum udev_what what, const char *key)
{
	struct udev_rules *with = arena_new_of(a, struct udev_rules);
	const char *line = arena_printf(a, "%s+=\"earlier\"\n", key), *why;
	struct udev_device *d = NULL;
	static const char *const actions[] = { "add", "change", "remove" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(actions) && !d; i++)
		d = udev_synth(a, rule, actions[i], &why);
	if (!d)
		return;
	udev_rules_parse(a, with, "00-earlier.rules", line, strlen(line), true);
	vec_each(file, &l->rules->files)
		vec_push(a, &with->files, *file);
	f->device = lint_device_text(a, d);
	lint_replay(a, f, actions[i - 1], arena_printf(a,
						       "%s \"earlier\", asked for by a rule before it, %s", key,
						       clears_text(udev_event_replay(a, with, d,
						       		actions[i - 1], NULL), what)));
}

void lint_clears(struct arena *a, struct udev_lint *l, const struct udev_check *c,
		 const struct udev_rule *rule)
{
	for (size_t i = 0; i < ARRAY_SIZE(clearing); i++) {
		const struct udev_token *t = udev_rule_token(rule, clearing[i].what);
		struct udev_finding *f;
		const char *fix;

		/* An empty value says that clearing is what is wanted. */
		if (!t || t->op != UDEV_ASSIGN || !*t->value || !(fix = op_fix(a, rule, t, "+=")))
			continue;
		f = lint_finding(a, l, c, rule, NULL);
		vec_push(a, &f->rules, rule);
		f->text = arena_printf(a, "%s= drops %s", clearing[i].key,
				       clearing[i].what_is_lost);
		lint_fix(a, f, rule, fix);
		replay_clears(a, l, f, rule, clearing[i].what, clearing[i].key);
	}
}

/* ---- gone ---- */

static bool is_only_remove(const struct udev_rule *rule)
{
	const struct udev_token *t = udev_rule_token(rule, UDEV_M_ACTION);

	return t && t->op == UDEV_MATCH && str_eq(t->value, "remove");
}

static bool drop_token(const struct udev_token *t, void *ctx)
{
	return t == ctx;
}

void lint_gone(struct arena *a, struct udev_lint *l, const struct udev_check *c,
	       const struct udev_rule *rule)
{
	const struct udev_token *attr = udev_rule_token(rule, UDEV_M_ATTR);
	struct udev_finding *f;
	struct udev_device *d;
	struct udev_state *s;
	const char *why, *fix;
	bool before;

	if (!attr || !is_only_remove(rule))
		return;
	d = udev_synth(a, rule, "remove", &why);
	if (!d)
		return;
	s = udev_event_replay(a, l->rules, d, "remove", NULL);
	before = udev_state_hit(s, rule);
	d->gone = true;
	s = udev_event_replay(a, l->rules, d, "remove", NULL);
	if (!before || udev_state_hit(s, rule))
		return;
	f = lint_finding(a, l, c, rule, NULL);
	f->severity = UDEV_ERROR;
	vec_push(a, &f->rules, rule);
	f->text = arena_printf(a,
			       "it never matches: at \"remove\" the device has no attributes any more, so no ATTR{%s}", attr->attr);
	f->device = lint_device_text(a, d);
	lint_replay(a, f, "remove", "the rule would match if the attribute were still there");
	lint_replay(a, f, "remove", "does not match");
	f->advice = "match a property that was kept from \"add\", as ENV{ID_VENDOR_ID}, ENV{ID_MODEL_ID} or ENV{PRODUCT}";
	fix = lint_without(a, rule, drop_token, (void *)(uintptr_t)attr);
	if (fix && str_eq(attr->attr, "idVendor"))
		lint_fix(a, f, rule, lint_with(a, rule, attr,
					       arena_printf(a, "ENV{ID_VENDOR_ID}==\"%s\"",
							    attr->value)));
}

/* ---- two-parents ---- */

static bool is_among(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

static const char *const of_device[] = {
	"idVendor", "idProduct", "bcdDevice", "manufacturer", "product", "serial", "bDeviceClass",
	"bDeviceSubClass",
	"bDeviceProtocol", "bNumConfigurations", "bNumInterfaces", "bConfigurationValue", "busnum",
	"devnum", "devpath", "speed", "maxchild",
};
static const char *const of_interface[] = {
	"bInterfaceNumber", "bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol",
	"bAlternateSetting", "bNumEndpoints",
	"interface",
};

static const struct udev_token *parent_attr(const struct udev_rule *rule, const char *const *names,
					    size_t n)
{
	vec_each(t, &rule->tokens)
		if (t->what == UDEV_P_ATTR && is_among(t->attr, names, n))
			return t;
	return NULL;
}

/* An interface on a device, each with its own attributes, as they are on a USB bus. */
static struct udev_device *usb_chain(struct arena *a, const struct udev_rule *rule)
{
	struct udev_device *d[3];

	for (int i = 0; i < 3; i++) {
		d[i] = arena_new_of(a, struct udev_device);
		d[i]->subsystem = i ? "usb" : "tty";
		d[i]->kernel = i == 0 ? "ttyUSB0" : i == 1 ? "1-1:1.0" : "1-1";
		d[i]->devpath = "/devices/sonde";
		d[i]->node = i != 1;
		if (i)
			d[i - 1]->parent = d[i];
	}
	vec_each(t, &rule->tokens) {
		const char *value = udev_pattern_example(a, t->value, 0);

		if (t->what != UDEV_P_ATTR)
			continue;
		udev_device_set(a, is_among(t->attr, of_interface, ARRAY_SIZE(of_interface)) ?
				&d[1]->attrs : &d[2]->attrs, t->attr, value);
	}
	return d[0];
}

static bool drop_not_parent(const struct udev_token *t, void *ctx)
{
	(void)ctx;
	return !udev_is_parent_match(t->what) || t->what != UDEV_P_ATTR;
}

void lint_two_parents(struct arena *a, struct udev_lint *l, const struct udev_check *c,
		      const struct udev_rule *rule)
{
	const struct udev_token *dev = parent_attr(rule, of_device, ARRAY_SIZE(of_device));
	const struct udev_token *iface = parent_attr(rule, of_interface, ARRAY_SIZE(of_interface));
	struct udev_rules only = { 0 };
	struct udev_finding *f;
	struct udev_device *d;
	const char *text;

	if (!dev || !iface || !(text = lint_without(a, rule, drop_not_parent, NULL)))
		return;
	/* The matches of parents alone, on a device that has all of them. */
	text = arena_printf(a, "%s, TAG+=\"sonde\"\n", text);
	udev_rules_parse(a, &only, "00-parents.rules", text, strlen(text), true);
	d = usb_chain(a, rule);
	if (!only.files.n || udev_event_replay(a, &only, d, "add", NULL)->tags.n)
		return;
	f = lint_finding(a, l, c, rule, NULL);
	f->severity = UDEV_ERROR;
	vec_push(a, &f->rules, rule);
	f->text = arena_printf(a,
			       "it never matches: all ATTRS of a rule have to hold for one parent, but %s is of the USB device and %s of its "
				  "interface", dev->attr, iface->attr);
	f->device = lint_device_text(a, d);
	lint_replay(a, f, "add", "does not match, though each of the attributes is there");
	lint_fix(a, f, rule, lint_with(a, rule, iface,
				       arena_printf(a, "ENV{.%s}%s\"%s\"", iface->attr,
						    udev_op_text(iface->op), iface->value)));
	f->fixes.v[0].text = arena_printf(a,
					  "SUBSYSTEMS==\"usb\", ATTRS{%s}==\"?*\", ENV{.%s}=\"$attr{%s}\"\n%s", iface->attr, iface->attr,
					  iface->attr, f->fixes.v[0].text);
}

/* ---- writes ---- */

/* Attributes that only ever can be read. */
static const char *const read_only[] = {
	"idVendor", "idProduct", "bcdDevice", "manufacturer", "product", "serial", "bDeviceClass",
	"bInterfaceClass", "bInterfaceNumber",
	"bInterfaceProtocol", "bInterfaceSubClass", "vendor", "device", "class", "name", "address",
	"model", "type", "size", "dev", "modalias",
	"removable", "ro", "subsystem_vendor", "subsystem_device", "partition", "start",
};

void lint_writes(struct arena *a, struct udev_lint *l, const struct udev_check *c,
		 const struct udev_rule *rule)
{
	const struct udev_token *t = udev_rule_token(rule, UDEV_A_ATTR);
	struct udev_finding *f;
	const char *fix;

	if (!t || !is_among(t->attr, read_only, ARRAY_SIZE(read_only)) ||
	    !(fix = op_fix(a, rule, t, "==")))
		return;
	f = lint_finding(a, l, c, rule, NULL);
	f->severity = UDEV_ERROR;
	vec_push(a, &f->rules, rule);
	f->text = arena_printf(a,
			       "ATTR{%s}= writes to an attribute that can only be read, and does not ask for it", t->attr);
	lint_fix(a, f, rule, fix);
	lint_replay(a, f, "add", arena_printf(a, "matches whatever %s is, and writes \"%s\" to it",
					      t->attr, t->value));
}

/* ---- shell ---- */

/* A word of the command that only a shell understands; NULL: none. */
static const char *shell_word(struct arena *a, const char *command)
{
	static const char *const words[] = { ">", ">>", "<", "|", "||", "&&", "&", ";", "2>&1",
		">/dev/null", "2>/dev/null" };
	char *copy = arena_strdup(a, command), *rest, quote = 0;

	/* Words in quotes belong to the program. */
	for (char *p = copy; *p; p++) {
		if (quote && *p == quote)
			quote = 0;
		else if (!quote && (*p == '\'' || *p == '"'))
			quote = *p;
		else if (quote)
			*p = 'x';
	}
	for (char *w = strtok_r(copy, " \t", &rest); w; w = strtok_r(NULL, " \t", &rest))
		if (is_among(w, words, ARRAY_SIZE(words)))
			return w;
	return NULL;
}

void lint_shell(struct arena *a, struct udev_lint *l, const struct udev_check *c,
		const struct udev_rule *rule)
{
	vec_each(t, &rule->tokens) {
		bool command = t->what == UDEV_M_PROGRAM ||
			(t->what == UDEV_A_RUN && !str_eq(t->attr, "builtin")) ||
			       (t->what == UDEV_M_IMPORT && str_eq(t->attr, "program"));
		const char *word = command ? shell_word(a, t->value) : NULL;
		struct udev_finding *f;

		if (!word)
			continue;
		f = lint_finding(a, l, c, rule, NULL);
		vec_push(a, &f->rules, rule);
		f->text = arena_printf(a,
				       "'%s' becomes an argument of the program: udev starts no shell", word);
		lint_replay(a, f, "add", arena_printf(a,
						      "starts %.*s with '%s' among its arguments",
						      (int)strcspn(t->value, " \t"), t->value,
						      word));
		lint_fix(a, f, rule, lint_with(a, rule, t,
					       arena_printf(a, "%s%s%s%s%s\"/bin/sh -c '%s'\"",
							    t->key->name, t->attr ? "{" : "",
				t->attr ? t->attr : "", t->attr ? "}" : "",
					udev_op_text(t->what == UDEV_A_RUN ? t->op : UDEV_MATCH),
						t->value)));
	}
}
