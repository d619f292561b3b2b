/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expand: $kernel, %k and the others, within values. */
#include <ctype.h>

#include "base/util.h"
#include "udev/token.h"

struct view {
	struct arena *a;
	const struct udev_device *d, *parent;
	const struct udev_state *s;
};

/* Where the value of an attribute of a parent is looked for too: the parent that the rule has matched. */
static const char *sub_attr(struct view *v, const char *attr)
{
	const char *value = udev_device_attr(v->a, v->d, attr);

	if (!value && v->parent)
		value = udev_device_attr(v->a, v->parent, attr);
	return value;
}

static const char *sub_kernel(struct view *v, const char *attr)
{
	(void)attr;
	return v->d->kernel;
}

static const char *sub_number(struct view *v, const char *attr)
{
	const char *end = v->d->kernel + strlen(v->d->kernel);

	(void)attr;
	while (end > v->d->kernel && isdigit((unsigned char)end[-1]))
		end--;
	return end;
}

static const char *sub_devpath(struct view *v, const char *attr)
{
	(void)attr;
	return v->d->devpath;
}

static const char *sub_id(struct view *v, const char *attr)
{
	(void)attr;
	return v->parent ? v->parent->kernel : "";
}

static const char *sub_driver(struct view *v, const char *attr)
{
	(void)attr;
	return v->parent ? v->parent->driver : "";
}

static const char *sub_env(struct view *v, const char *attr)
{
	return udev_prop(v->d, v->s, attr);
}

static const char *sub_major(struct view *v, const char *attr)
{
	(void)attr;
	return udev_prop(v->d, v->s, "MAJOR");
}

static const char *sub_minor(struct view *v, const char *attr)
{
	(void)attr;
	return udev_prop(v->d, v->s, "MINOR");
}

/* The whole answer of PROGRAM, its nth word, or with "n+" all from that word on. */
static const char *sub_result(struct view *v, const char *attr)
{
	const char *s = v->d->program_result;
	char *end;
	unsigned long n;

	if (!s || !attr)
		return s;
	n = strtoul(attr, &end, 10);
	while (n-- > 1 && s)
		s = strchr(s, ' ') ? strchr(s, ' ') + 1 : NULL;
	return !s || *end == '+' ? s : arena_strndup(v->a, s, strcspn(s, " "));
}

static const char *node_of(const struct view *v, const struct udev_device *d)
{
	const char *name = udev_prop(d, d == v->d ? v->s : NULL, "DEVNAME");

	return name && str_starts(name, "/dev/") ? name + 5 : name;
}

static const char *sub_parent(struct view *v, const char *attr)
{
	(void)attr;
	return v->d->parent ? node_of(v, v->d->parent) : NULL;
}

static const char *sub_name(struct view *v, const char *attr)
{
	const char *node = node_of(v, v->d);

	(void)attr;
	return v->s && v->s->name.value ? v->s->name.value : node ? node : v->d->kernel;
}

static const char *sub_links(struct view *v, const char *attr)
{
	const char *all = "";

	(void)attr;
	if (v->s)
		vec_each(l, &v->s->links)
			all = arena_printf(v->a, "%s%s%s", all, *all ? " " : "", l->name);
	return all;
}

static const char *sub_root(struct view *v, const char *attr)
{
	(void)v;
	(void)attr;
	return "/dev";
}

static const char *sub_sys(struct view *v, const char *attr)
{
	(void)v;
	(void)attr;
	return "/sys";
}

static const char *sub_devnode(struct view *v, const char *attr)
{
	const char *node = node_of(v, v->d);

	(void)attr;
	return node ? arena_printf(v->a, "/dev/%s", node) : NULL;
}

static const struct sub {
	const char *name; /* after the dollar sign */
	char letter;      /* after the percent sign; 0: none */
	bool must;        /* it needs {attr} */
	const char *(*value)(struct view *v, const char *attr);
} subs[] = {
	{ "devnode", 'N', false, sub_devnode }, { "tempnode", 'N', false, sub_devnode },
		{ "attr", 's', true, sub_attr },
	{ "sysfs", 's', true, sub_attr }, { "env", 'E', true, sub_env },
		{ "kernel", 'k', false, sub_kernel },
	{ "number", 'n', false, sub_number }, { "driver", 'd', false, sub_driver },
		{ "devpath", 'p', false, sub_devpath },
	{ "id", 'b', false, sub_id }, { "major", 'M', false, sub_major },
		{ "minor", 'm', false, sub_minor },
	{ "result", 'c', false, sub_result }, { "parent", 'P', false, sub_parent },
		{ "name", 'D', false, sub_name },
	{ "links", 'L', false, sub_links }, { "root", 'r', false, sub_root },
		{ "sys", 'S', false, sub_sys },
};

/* The substitution at *p, which stands on a $ or %; moves *p behind it. NULL: *wrong says why. */
static const struct sub *scan_sub(struct arena *a, const char **p, const char **attr,
				  const char **wrong)
{
	const struct sub *found = NULL;
	const char *s = *p, *end;

	for (size_t i = 0; i < ARRAY_SIZE(subs) && !found; i++)
		if (*s == '$' ? str_starts(s + 1, subs[i].name) : s[1] && s[1] == subs[i].letter)
			found = &subs[i];
	if (!found) {
		*wrong = arena_printf(a, "'%.*s' is no substitution", (int)MIN(strlen(s), 12), s);
		return NULL;
	}
	s += *s == '$' ? 1 + strlen(found->name) : 2;
	*attr = NULL;
	if (*s == '{') {
		end = strchr(s, '}');
		if (!end) {
			*wrong = arena_printf(a, "the brace of %s is not closed", found->name);
			return NULL;
		}
		*attr = arena_strndup(a, s + 1, (size_t)(end - s) - 1);
		s = end + 1;
	}
	if (found->must && (!*attr || !**attr)) {
		*wrong = arena_printf(a, "%s needs a name in braces", found->name);
		return NULL;
	}
	*p = s;
	return found;
}

const char *udev_expand_check(struct arena *a, const char *text)
{
	const char *attr, *wrong = NULL;

	for (const char *p = text; *p;) {
		if (*p != '$' && *p != '%')
			p++;
		else if (p[1] == *p)
			p += 2;
		else if (!scan_sub(a, &p, &attr, &wrong))
			return wrong;
	}
	return NULL;
}

const char *udev_expand(struct arena *a, const struct udev_device *d,
			const struct udev_device *parent,
			const struct udev_state *s, const char *text)
{
	struct view v = { a, d, parent, s };
	const char *attr, *wrong, *value;
	VEC(char) out = { 0 };

	if (!strpbrk(text, "$%"))
		return text;
	for (const char *p = text; *p;) {
		const struct sub *sub;

		if ((*p != '$' && *p != '%') || p[1] == *p) {
			vec_push(a, &out, *p);
			p += *p == '$' || *p == '%' ? 2 : 1;
			continue;
		}
		sub = scan_sub(a, &p, &attr, &wrong);
		if (!sub)
			return NULL;
		value = sub->value(&v, attr);
		for (; value && *value; value++)
			vec_push(a, &out, *value);
	}
	vec_push(a, &out, 0);
	return out.v;
}
