/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices, what is remembered: a ring of the kernel's events, and for each device what udev last said of it. */
#include "base/util.h"
#include "subject/devices.h"

struct kernel_event {
	uint64_t seqnum, at_ns; /* seqnum 0: free, or answered */
};

struct device {
	char *devpath;    /* NULL: free */
	char *driver;
	char *properties; /* "NAME=value", each ended by a zero byte; the last by two */
	char *action;     /* of the event that said so */
	uint64_t used;    /* the number of its last event: the oldest makes room */
};

struct memory {
	struct kernel_event event[MEMORY_EVENTS]; /* by sequence number */
	struct device device[MEMORY_DEVICES];
	uint64_t clock;
};

struct memory *memory_new(void)
{
	return calloc(1, sizeof(struct memory));
}

static void device_forget(struct device *d)
{
	free(d->devpath);
	free(d->driver);
	free(d->properties);
	free(d->action);
	*d = (struct device){ 0 };
}

void memory_free(struct memory *m)
{
	for (size_t i = 0; m && i < MEMORY_DEVICES; i++)
		device_forget(&m->device[i]);
	free(m);
}

void memory_kernel(struct memory *m, const struct device_event *e)
{
	if (e->seqnum)
		m->event[e->seqnum % MEMORY_EVENTS] = (struct kernel_event){ e->seqnum, e->at_ns };
}

int64_t memory_udev(struct memory *m, const struct device_event *e)
{
	struct kernel_event *k = &m->event[e->seqnum % MEMORY_EVENTS];
	int64_t ns = e->seqnum && k->seqnum == e->seqnum ? (int64_t)(e->at_ns - k->at_ns) : -1;

	if (ns >= 0)
		k->seqnum = 0;
	return ns;
}

size_t memory_unanswered(const struct memory *m, uint64_t older_than_ns)
{
	uint64_t now = now_ns();
	size_t n = 0;

	for (size_t i = 0; i < MEMORY_EVENTS; i++)
		n += m->event[i].seqnum && now - m->event[i].at_ns > older_than_ns;
	return n;
}

static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

/* Within a few places of where it belongs; the one that was used longest ago makes room. NULL: no memory. */
static struct device *device_of(struct memory *m, const char *devpath)
{
	uint32_t h = hash(devpath);
	struct device *oldest = NULL;

	for (uint32_t i = 0; i < 16; i++) {
		struct device *d = &m->device[(h + i) % MEMORY_DEVICES];

		if (str_eq(d->devpath, devpath)) {
			d->used = ++m->clock;
			return d;
		}
		if (!oldest || (oldest->devpath && (!d->devpath || d->used < oldest->used)))
			oldest = d;
	}
	device_forget(oldest);
	oldest->devpath = strdup(devpath);
	oldest->used = ++m->clock;
	return oldest->devpath ? oldest : NULL;
}

const char *memory_driver(struct memory *m, const struct device_event *e)
{
	struct device *d = device_of(m, e->devpath);

	if (!d)
		return e->driver;
	if (e->driver && !str_eq(e->driver, d->driver)) {
		free(d->driver);
		d->driver = strdup(e->driver);
	}
	return e->driver ? e->driver : d->driver;
}

/* Properties of the event itself, not of the device. */
static bool is_of_event(const char *name)
{
	static const char *const names[] = { "ACTION", "SEQNUM", "UDEV_DATABASE_VERSION",
		"USEC_INITIALIZED", "SYNTH_UUID", "SYNTH_ARG",
					     "DRIVER", "DISK_MEDIA_CHANGE", "TAGS", "DEVPATH_OLD",
					     "DISK_RO", "RESIZE" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(names[i], name))
			return true;
	return str_starts(name, "SYNTH_ARG_");
}

static char *properties_join(const struct device_event *e)
{
	struct strbuf b = STRBUF_INIT;

	for (size_t i = 0; i < e->n; i++)
		if (!is_of_event(e->name[i])) {
			strbuf_addf(&b, "%s=%s", e->name[i], e->value[i]);
			strbuf_addch(&b, 0);
		}
	return strbuf_take(&b);
}

/* Each tag of ":a:b:" that the other list does not have. */
static void tags_lost(const char *before, const char *now, const char *since,
		      void (*fn)(void *ctx, const char *name, const char *value, const char *since),
		      void *ctx)
{
	while (before && *before) {
		_cleanup_strbuf_ struct strbuf tag = STRBUF_INIT;
		size_t n;

		before += *before == ':';
		n = strcspn(before, ":");
		if (!n)
			break;
		strbuf_addch(&tag, ':');
		strbuf_add(&tag, before, n);
		strbuf_addch(&tag, ':');
		if (!now || !strstr(now, tag.s)) {
			tag.s[tag.len - 1] = 0;
			fn(ctx, "TAG", tag.s + 1, since);
		}
		before += n;
	}
}

void memory_lost(struct memory *m, const struct device_event *e,
		 void (*fn)(void *ctx, const char *name, const char *value, const char *since),
		 void *ctx)
{
	struct device *d = device_of(m, e->devpath);

	if (!d)
		return;
	if (str_eq(e->action, "remove")) {
		device_forget(d);
		return;
	}
	for (char *p = d->properties; p && *p;) {
		size_t len = strlen(p);
		char *eq = strchr(p, '=');

		if (!eq)
			break;
		*eq = 0;
		if (str_eq(p, "CURRENT_TAGS"))
			tags_lost(eq + 1, event_property(e, p), d->action, fn, ctx);
		else if (!event_property(e, p))
			fn(ctx, p, eq + 1, d->action);
		p += len + 1;
	}
	free(d->properties);
	free(d->action);
	d->properties = properties_join(e);
	d->action = strdup(e->action);
}
