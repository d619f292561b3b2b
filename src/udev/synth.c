/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synth: a device that a rule is about, made up from what the rule and the jumps before it ask for.
 *
 * Needs are tokens that have to hold, or not to hold. A device is built from them and sent through the file; the first
 * jump that leads past the rule gives a new need (one of its tokens must fail), an unconditional one that some earlier
 * jump is taken, and so on. Whether a device was found is not believed but seen: the rule must be among the hits.
 */
#include "base/util.h"
#include "udev/udev.h"

#define MOST_TRIES 200
#define MOST_NEEDS 200

struct need {
	const struct udev_token *t;
	bool hold;
};

/* Where matches of parents find their device. */
enum placing { ON_ITSELF, ON_ONE_PARENT, ON_OWN_PARENTS, NPLACINGS };

struct synth {
	struct arena *a;
	struct udev_rules file; /* the one of the rule */
	const struct udev_rule *rule;
	const char *action, *why;
	VEC(struct need) needs;
	enum placing placing;
	unsigned tries;
	bool failed; /* some need has no value */
	bool not_for; /* a jump that asks for nothing but this event leads past the rule */
};

/* ---- values ---- */

/* What a value is looked for: a key, its attribute, and for parents the rule whose parent it is (NULL: any). */
struct slot {
	enum udev_what what;
	const char *attr;
	const struct udev_rule *group;
};

static bool is_in_slot(const struct need *n, const struct slot *slot)
{
	return n->t->what == slot->what && str_eq(n->t->attr, slot->attr) &&
		(!slot->group || n->t->rule == slot->group);
}

static bool token_holds(const struct udev_token *t, const char *value)
{
	/* A match of an attribute that is not there fails either way. */
	if (!value && (t->what == UDEV_M_ATTR || t->what == UDEV_P_ATTR))
		return false;
	return udev_pattern_match(t->value, value, t->nocase) == (t->op == UDEV_MATCH);
}

static bool value_fits(struct synth *s, const struct slot *slot, const char *value)
{
	vec_each(n, &s->needs)
		if (is_in_slot(n, slot) && token_holds(n->t, value) != n->hold)
			return false;
	return true;
}

static const char *pick_example(struct synth *s, const struct slot *slot, bool only_bus)
{
	vec_each(n, &s->needs) {
		const char *value;

		if (!is_in_slot(n, slot) || n->hold != (n->t->op == UDEV_MATCH))
			continue;
		for (unsigned i = 0; i < 64 &&
		     (value = udev_pattern_example(s->a, n->t->value, i)); i++)
			if (value_fits(s, slot, value) &&
			    (!only_bus || udev_subsystem_kind(value) == UDEV_BUS))
				return value;
	}
	return NULL;
}

/* A value for the slot; `usual` when that will do (NULL: none). */
static const char *pick(struct synth *s, struct slot slot, const char *usual)
{
	static const char *const common[] = { "1", "0", "x", "", "sonde", "00" };
	const char *value;

	if (value_fits(s, &slot, usual))
		return usual;
	value = slot.what == UDEV_M_SUBSYSTEM ? pick_example(s, &slot, true) : NULL;
	value = value ? value : pick_example(s, &slot, false);
	for (size_t i = 0; !value && i < ARRAY_SIZE(common); i++)
		if (value_fits(s, &slot, common[i]))
			value = common[i];
	if (!value)
		s->failed = true;
	return value;
}

static bool is_asked(struct synth *s, enum udev_what what, const char *attr)
{
	vec_each(n, &s->needs)
		if (n->t->what == what && n->hold && (!attr || str_eq(n->t->attr, attr)))
			return true;
	return false;
}

/* ---- building ---- */

/* Every attribute of this kind that is asked for. */
static void fill_map(struct synth *s, enum udev_what what, const struct udev_rule *group,
		     struct strmap *m)
{
	vec_each(n, &s->needs) {
		struct slot slot = { what, n->t->attr, group };
		const char *value;

		if (!is_in_slot(n, &slot) || strmap_get(m, n->t->attr))
			continue;
		value = pick(s, slot, what == UDEV_M_ENV ? strmap_get(m, n->t->attr) : NULL);
		if (value)
			udev_device_set(s->a, m, n->t->attr, value);
	}
}

static void fill_parent(struct synth *s, const struct udev_rule *group, struct udev_device *d,
			bool itself)
{
	fill_map(s, UDEV_P_ATTR, group, &d->attrs);
	if (itself)
		return;
	d->subsystem = pick(s, (struct slot){ UDEV_P_SUBSYSTEM, NULL, group }, "usb");
	d->kernel = pick(s, (struct slot){ UDEV_P_KERNEL, NULL, group }, "1-1");
	d->driver = pick(s, (struct slot){ UDEV_P_DRIVER, NULL, group }, NULL);
	d->devpath = "/devices/sonde/1-1";
	vec_each(n, &s->needs)
		if (n->t->what == UDEV_P_TAG && n->hold && n->t->op == UDEV_MATCH &&
		    (!group || n->t->rule == group))
			udev_device_set(s->a, &d->tags, udev_pattern_example(s->a, n->t->value, 0),
					"1");
}

static struct udev_device *add_parent(struct synth *s, struct udev_device *d)
{
	struct udev_device *p = arena_new_of(s->a, struct udev_device);

	for (; d->parent; d = d->parent)
		;
	d->parent = p;
	return p;
}

static void place_parents(struct synth *s, struct udev_device *d)
{
	const struct udev_rule *last = NULL;
	bool any = false;

	vec_each(n, &s->needs) {
		if (!udev_is_parent_match(n->t->what) || !n->hold)
			continue;
		any = true;
		if (s->placing == ON_OWN_PARENTS && n->t->rule != last)
			fill_parent(s, n->t->rule, add_parent(s, d), false);
		last = n->t->rule;
	}
	if (!any || s->placing == ON_OWN_PARENTS)
		return;
	/* Devices of classes have such attributes above them. */
	if (s->placing == ON_ITSELF && udev_subsystem_kind(d->subsystem) != UDEV_CLASS)
		fill_parent(s, NULL, d, true);
	else
		fill_parent(s, NULL, add_parent(s, d), false);
}

static const char *example_of(struct synth *s, enum udev_what what)
{
	return pick_example(s, &(struct slot){ what, NULL, NULL }, false);
}

/* Names that tell which devices a rule is about. */
static const struct hint {
	enum udev_what what;
	bool by_value; /* else by the name in braces */
	const char *begins, *subsystem;
} hints[] = {
	{ UDEV_M_ENV, false, "DM_", "block" }, { UDEV_M_ENV, false, "MD_", "block" },
		{ UDEV_M_ENV, false, "LVM_", "block" },
	{ UDEV_M_ENV, false, "ID_FS_", "block" }, { UDEV_M_ENV, false, "ID_PART_", "block" },
		{ UDEV_M_ENV, false, "ID_CDROM", "block" },
	{ UDEV_M_ENV, false, "DISK_", "block" }, { UDEV_M_ENV, false, "SCSI_", "block" },
		{ UDEV_M_ENV, false, "ID_ATA", "block" },
	{ UDEV_M_ENV, false, "ID_NET_", "net" }, { UDEV_M_ENV, false, "INTERFACE", "net" },
		{ UDEV_M_ENV, false, "ID_INPUT", "input" },
	{ UDEV_M_ENV, false, "ID_V4L_", "video4linux" }, { UDEV_M_ENV, false, "SOUND_", "sound" },
	{ UDEV_M_ENV, false, "POWER_SUPPLY_", "power_supply" },
		{ UDEV_M_ENV, false, "HID_", "hid" }, { UDEV_M_ENV, false, "PCI_", "pci" },
	{ UDEV_M_ENV, false, "IEEE1394_", "firewire" },
		{ UDEV_M_ENV, false, "ID_USB_INTERFACES", "usb" },
	{ UDEV_M_ENV, false, "ID_VENDOR_ID", "usb" }, { UDEV_M_ENV, false, "ID_MODEL_ID", "usb" },
	{ UDEV_M_ENV, true, "usb_", "usb" }, { UDEV_M_ENV, true, "disk", "block" },
		{ UDEV_M_ENV, true, "partition", "block" },
	{ UDEV_M_ENV, true, "scsi_", "scsi" }, { UDEV_M_ENV, true, "wlan", "net" },
		{ UDEV_M_ENV, true, "bridge", "net" },
	{ UDEV_M_IMPORT, true, "blkid", "block" }, { UDEV_M_IMPORT, true, "btrfs", "block" },
		{ UDEV_M_IMPORT, true, "net_", "net" },
	{ UDEV_M_IMPORT, true, "input_id", "input" }, { UDEV_M_IMPORT, true, "keyboard", "input" },
		{ UDEV_M_IMPORT, true, "usb_id", "usb" },
	{ UDEV_P_SUBSYSTEM, true, "usb-serial", "tty" }, { UDEV_M_ATTR, false, "idVendor", "usb" },
		{ UDEV_M_ATTR, false, "idProduct", "usb" },
	{ UDEV_M_ATTR, false, "bInterface", "usb" }, { UDEV_A_SYMLINK, true, "disk/", "block" },
		{ UDEV_A_NAME, true, "", "net" },
};

static bool is_hinted(const struct hint *h, const struct udev_token *t)
{
	const char *name = h->by_value ? t->value : t->attr;

	return t->what == h->what && name && str_starts(name, h->begins);
}

static const char *hinted_subsystem(struct synth *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
		vec_each(t, &s->rule->tokens)
			if (is_hinted(&hints[i], t))
				return hints[i].subsystem;
		vec_each(n, &s->needs)
			if (is_hinted(&hints[i], n->t))
				return hints[i].subsystem;
	}
	return NULL;
}

/* What the device would be if SUBSYSTEM does not say so. */
static const char *usual_subsystem(struct synth *s)
{
	const char *kernel = example_of(s, UDEV_M_KERNEL), *hinted = hinted_subsystem(s);

	if (kernel && *kernel)
		return udev_subsystem_of_kernel(kernel) ? udev_subsystem_of_kernel(kernel) :
			hinted ? hinted : "misc";
	if (hinted)
		return hinted;
	if (s->placing != ON_ITSELF)
		return "misc"; /* something below that parent */
	if (is_asked(s, UDEV_P_SUBSYSTEM, NULL))
		return example_of(s, UDEV_P_SUBSYSTEM);
	return is_asked(s, UDEV_P_ATTR, NULL) ? "usb" : "platform";
}

static const char *usual_kernel(const char *subsystem, bool interface)
{
	static const struct { const char *subsystem, *kernel; } names[] = {
		{ "tty", "ttyS0" }, { "block", "sda" }, { "net", "eth0" }, { "input", "event3" },
			{ "drm", "card0" },
		{ "sound", "controlC0" }, { "video4linux", "video0" }, { "pci", "0000:00:1f.0" },
	};

	if (str_eq(subsystem, "usb"))
		return interface ? "1-1:1.0" : "1-1";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(names[i].subsystem, subsystem))
			return names[i].kernel;
	return NULL;
}

static bool is_interface(struct synth *s)
{
	vec_each(n, &s->needs)
		if ((n->t->what == UDEV_M_ATTR || n->t->what == UDEV_P_ATTR) && n->hold &&
		    str_starts(n->t->attr, "bInterface"))
			return true;
	return false;
}

static bool has_node(const char *subsystem, const char *devtype)
{
	static const char *const without[] = {
		"net", "power_supply", "leds", "backlight", "hwmon", "rfkill", "bluetooth",
		"scsi_host", "module", "firmware", "udc",
		"thermal", "powercap", "ieee80211", "dmi", "pci_bus", "wakeup", "devlink",
		"infiniband", "scsi_device", "scsi_disk",
	};

	for (size_t i = 0; i < ARRAY_SIZE(without); i++)
		if (str_eq(without[i], subsystem))
			return false;
	if (str_eq(subsystem, "usb"))
		return !str_eq(devtype, "usb_interface");
	return str_eq(subsystem, "firewire") || udev_subsystem_kind(subsystem) != UDEV_BUS;
}

static void fill_identity(struct synth *s, struct udev_device *d)
{
	const char *type = NULL, *kernel;

	d->subsystem = pick(s, (struct slot){ UDEV_M_SUBSYSTEM, NULL, NULL }, usual_subsystem(s));
	if (str_eq(d->subsystem, "usb"))
		type = is_interface(s) && s->placing == ON_ITSELF ? "usb_interface" : "usb_device";
	else if (str_eq(d->subsystem, "block"))
		type = "disk";
	type = pick(s, (struct slot){ UDEV_M_ENV, "DEVTYPE", NULL }, type);
	if (type)
		udev_device_set(s->a, &d->props, "DEVTYPE", type);
	kernel = usual_kernel(d->subsystem, str_eq(type, "usb_interface"));
	d->kernel = pick(s, (struct slot){ UDEV_M_KERNEL, NULL, NULL },
			 kernel ? kernel : arena_printf(s->a, "%s0",
							d->subsystem ? d->subsystem : "device"));
	d->driver = pick(s, (struct slot){ UDEV_M_DRIVER, NULL, NULL }, NULL);
	d->devpath = pick(s, (struct slot){ UDEV_M_DEVPATH, NULL, NULL },
			  arena_printf(s->a, "/devices/sonde/%s", d->kernel ? d->kernel : "x"));
	d->net = str_eq(d->subsystem, "net");
	d->node = has_node(d->subsystem, type);
	if (d->subsystem)
		udev_device_set(s->a, &d->props, "SUBSYSTEM", d->subsystem);
	if (d->node) {
		udev_device_set(s->a, &d->props, "MAJOR", "189");
		udev_device_set(s->a, &d->props, "MINOR", "3");
		udev_device_set(s->a, &d->props, "DEVNAME",
				str_eq(d->subsystem, "usb") ? "/dev/bus/usb/001/004" :
				arena_printf(s->a, "/dev/%s", d->kernel ? d->kernel : "x"));
	}
}

static void fill_outside(struct synth *s, struct udev_device *d)
{
	d->imports_succeed = true;
	vec_each(n, &s->needs) {
		bool there = n->hold == (n->t->op == UDEV_MATCH);
		const char *path;

		if (n->t->what == UDEV_M_TEST && there &&
		    (path = udev_expand(s->a, d, d, NULL, n->t->value)))
			udev_device_set(s->a, &d->files, path, "1");
		else if (n->t->what == UDEV_M_IMPORT && !there)
			d->imports_succeed = false;
		else if (n->t->what == UDEV_M_PROGRAM && there)
			d->program_result = pick(s, (struct slot){ UDEV_M_RESULT, NULL, NULL },
						 "ok");
	}
}

static struct udev_device *build(struct synth *s)
{
	struct udev_device *d = arena_new_of(s->a, struct udev_device);

	s->failed = false;
	fill_identity(s, d);
	fill_map(s, UDEV_M_ENV, NULL, &d->props);
	fill_map(s, UDEV_M_ATTR, NULL, &d->attrs);
	fill_map(s, UDEV_M_CONST, NULL, &d->consts);
	fill_map(s, UDEV_M_SYSCTL, NULL, &d->sysctl);
	place_parents(s, d);
	fill_outside(s, d);
	return s->failed || !d->kernel ? NULL : d;
}

/* ---- searching ---- */

static struct udev_device *search(struct synth *s);

static void push_need(struct synth *s, const struct udev_token *t, bool hold)
{
	struct need n = { t, hold };

	vec_push(s->a, &s->needs, n);
}

static void push_rule(struct synth *s, const struct udev_rule *rule)
{
	vec_each(t, &rule->tokens)
		if (udev_is_match(t->what) && t->what != UDEV_M_ACTION)
			push_need(s, t, true);
}

/* The jump that was taken and leads past the rule. */
static const struct udev_rule *taken_past(const struct udev_state *st, const struct udev_rule *rule)
{
	vec_each(h, &st->hits)
		if ((*h)->target && (*h)->index < rule->index && (*h)->target->index > rule->index)
			return *h;
	return NULL;
}

static bool asks_only_action(const struct udev_rule *rule)
{
	bool any = false;

	vec_each(t, &rule->tokens) {
		if (udev_is_match(t->what) && t->what != UDEV_M_ACTION)
			return false;
		any = any || t->what == UDEV_M_ACTION;
	}
	return any;
}

/* Make the jump fail: with one token after the other. What was meant to exclude ("!=") is tried first. */
static struct udev_device *avoid(struct synth *s, const struct udev_rule *jump)
{
	uint32_t n = s->needs.n;
	struct udev_device *d = NULL;

	s->not_for = s->not_for || asks_only_action(jump);
	for (int op = UDEV_NOMATCH; op >= UDEV_MATCH && !d; op--)
		vec_each(t, &jump->tokens) {
			if (!udev_is_match(t->what) || t->what == UDEV_M_ACTION ||
			    t->op != (enum udev_op)op)
				continue;
			push_need(s, t, false);
			d = search(s);
			if (d)
				break;
			s->needs.n = n;
		}
	return d;
}

/* An earlier jump leads over this one, to the rule or to before it. */
static struct udev_device *jump_over(struct synth *s, const struct udev_rule *jump)
{
	uint32_t n = s->needs.n;

	for (uint32_t i = 0; i < jump->index; i++) {
		const struct udev_rule *other = jump->file->rules.v[i];
		struct udev_device *d;

		if (!other->target || other->target->index <= jump->index ||
		    other->target->index > s->rule->index)
			continue;
		if (!udev_rule_is_for(other, s->action)) {
			s->not_for = true;
			continue;
		}
		push_rule(s, other);
		d = search(s);
		if (d)
			return d;
		s->needs.n = n;
	}
	return NULL;
}

static struct udev_device *search(struct synth *s)
{
	const struct udev_rule *jump;
	struct udev_device *d;
	struct udev_state *st;

	if (s->tries++ >= MOST_TRIES || s->needs.n > MOST_NEEDS) {
		s->why = "the jumps before it are too many to be followed";
		return NULL;
	}
	d = build(s);
	if (!d) {
		s->why = "what it asks for together with the jumps before it contradicts itself";
		return NULL;
	}
	st = udev_event_replay(s->a, &s->file, d, s->action, NULL);
	if (udev_state_hit(st, s->rule))
		return d;
	jump = taken_past(st, s->rule);
	if (!jump) {
		s->why = "it asks for something that cannot be made up (a tag, a link, a name, a value that another rule sets)";
		return NULL;
	}
	s->why = arena_printf(s->a, "the jump in line %u leads past it", jump->line);
	d = avoid(s, jump);
	return d ? d : jump_over(s, jump);
}

struct udev_device *udev_synth(struct arena *a, const struct udev_rule *rule, const char *action,
			       const char **why)
{
	struct synth s = { .a = a, .rule = rule, .action = action };
	struct udev_device *d = NULL;

	vec_push(a, &s.file.files, rule->file);
	*why = NULL;
	if (!udev_rule_is_for(rule, action))
		return NULL;
	for (s.placing = ON_ITSELF; s.placing < NPLACINGS && !d; s.placing++) {
		s.needs.n = s.tries = 0;
		push_rule(&s, rule);
		d = search(&s);
	}
	*why = s.not_for ? NULL : s.why;
	return d;
}
