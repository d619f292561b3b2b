/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices: live events of devices, as the kernel sends them and as udev passes them on. */
#include "subject/devices.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/util.h"

#define MS UINT64_C(1000000)
#define ANSWER_NS (3000 * MS) /* how long udev may take before an event counts as not answered */

enum from { FROM_BOTH, FROM_KERNEL, FROM_UDEV };

struct settings {
	struct text_list subsystem, action, property;
	unsigned from; /* enum from */
	bool properties;
};

static const struct subject_option options[] = {
	{ 's', "subsystem", "NAME",
	  "only devices of this subsystem (usb, block, ...; * and ? are\nunderstood); may be given several times",
	  OPTION_LIST, offsetof(struct settings, subsystem) },
	{ 'a', "action", "NAME",
	  "only this action (add, bind, change, ...); may be given several\ntimes", OPTION_LIST,
	  offsetof(struct settings, action) },
	{ 'P', "property", "NAME[=VALUE]",
	  "only events that have this property; may be given several times,\nand all must hold",
	  OPTION_LIST, offsetof(struct settings, property) },
	{ 0, "from", "WHOM", "kernel or udev: only what it sends (both)", OPTION_CHOICE,
	  offsetof(struct settings, from),
	  .choices = "both kernel udev" },
	{ 'p', "properties", NULL, "show the properties of each event", OPTION_FLAG,
	  offsetof(struct settings, properties) },
	{ 0 },
};

struct devices {
	struct subject_run *run;
	const struct settings *settings;
	struct memory *memory;
	int fd;
	uint64_t shown, lost, answers, sum_ns, worst_ns;
	char worst[256];
	uint64_t last_seqnum;
	struct strbuf gone; /* what the event at hand has lost, one line each */
	struct json j;
};

/* ---- filters ---- */

static bool list_takes(const struct text_list *list, const char *value)
{
	for (size_t i = 0; i < list->n; i++)
		if (glob_match(list->v[i], value ? value : ""))
			return true;
	return !list->n;
}

static bool property_holds(const struct device_event *e, const char *asked)
{
	size_t n = strcspn(asked, "=");

	for (size_t i = 0; i < e->n; i++)
		if (strlen(e->name[i]) == n && !memcmp(e->name[i], asked, n))
			return !asked[n] || glob_match(asked + n + 1, e->value[i]);
	return false;
}

static bool is_wanted(const struct devices *d, const struct device_event *e)
{
	const struct settings *s = d->settings;

	for (size_t i = 0; i < s->property.n; i++)
		if (!property_holds(e, s->property.v[i]))
			return false;
	return list_takes(&s->subsystem, e->subsystem) && list_takes(&s->action, e->action);
}

/* ---- showing ---- */

static void clock_text(char *out, size_t size)
{
	struct timespec t;
	struct tm tm;
	char hms[16] = "";

	clock_gettime(CLOCK_REALTIME, &t);
	localtime_r(&t.tv_sec, &tm);
	strftime(hms, sizeof(hms), "%H:%M:%S", &tm);
	snprintf(out, size, "%s.%06u", hms, (unsigned)(t.tv_nsec / 1000) % 1000000);
}

static void show_text(struct devices *d, const struct device_event *e, const char *driver,
		      int64_t after_ns)
{
	char at[32];

	clock_text(at, sizeof(at));
	out_text(d->run, "%s  %-6s  %-7s  %-12s  %s", at, e->from_udev ? "udev" : "kernel",
		 e->action,
		 e->subsystem ? e->subsystem : "-", e->devpath);
	if (driver)
		out_text(d->run, "  (driver %s%s)", str_eq(e->action, "unbind") ? "was " : "",
			 driver);
	if (after_ns >= 0)
		out_text(d->run, "  %.3f ms after the kernel", (double)after_ns / 1e6);
	out_text(d->run, "\n");
	for (size_t i = 0; d->settings->properties && i < e->n; i++)
		out_text(d->run, "    %s=%s\n", e->name[i], e->value[i]);
	if (e->left_out)
		out_text(d->run, "    ... and %zu properties for which there is no room\n",
			 e->left_out);
	out_text(d->run, "%s", d->gone.s);
}

static void on_lost(void *ctx, const char *name, const char *value, const char *since)
{
	struct devices *d = ctx;

	strbuf_addf(&d->gone, "    lost since \"%s\": %s=%s\n", since ? since : "?", name, value);
	json_object(&d->j, NULL);
	json_text(&d->j, "name", name);
	json_text(&d->j, "value", value);
	json_text(&d->j, "since", since);
	json_end(&d->j);
}

static void show_event(struct devices *d, const struct device_event *e, int64_t after_ns)
{
	const char *driver = memory_driver(d->memory, e);
	struct json *j = &d->j;

	strbuf_reset(&d->gone);
	json_object(j, NULL);
	json_array(j, "lost");
	if (e->from_udev)
		memory_lost(d->memory, e, on_lost, d);
	json_end(j);
	json_text(j, "from", e->from_udev ? "udev" : "kernel");
	json_text(j, "action", e->action);
	json_text(j, "devpath", e->devpath);
	json_text(j, "subsystem", e->subsystem);
	json_text(j, "driver", driver);
	json_u64(j, "seqnum", e->seqnum);
	json_u64(j, "time_ns", e->at_ns);
	if (after_ns >= 0)
		json_i64(j, "after_kernel_ns", after_ns);
	json_object(j, "properties");
	for (size_t i = 0; i < e->n; i++)
		json_text(j, e->name[i], e->value[i]);
	json_end(j);
	if (e->left_out)
		json_u64(j, "properties_left_out", e->left_out);
	json_end(j);
	if (is_wanted(d, e)) {
		d->shown++;
		show_text(d, e, driver, after_ns);
		out_json(d->run, "event", j);
	}
	json_reset(j);
}

/* ---- events ---- */

static void on_event(struct devices *d, const struct device_event *e)
{
	int64_t after = -1;

	if (!e->from_udev) {
		memory_kernel(d->memory, e);
		d->last_seqnum = MAX(d->last_seqnum, e->seqnum);
	} else {
		after = memory_udev(d->memory, e);
	}
	if (after >= 0) {
		d->answers++;
		d->sum_ns += (uint64_t)after;
		if ((uint64_t)after >= d->worst_ns) {
			d->worst_ns = (uint64_t)after;
			snprintf(d->worst, sizeof(d->worst), "%s %s", e->action, e->devpath);
		}
	}
	show_event(d, e, after);
}

static void on_overrun(struct devices *d)
{
	struct json *j = &d->j;

	d->lost++;
	out_text(d->run, "(events were lost here: they came faster than they were read)\n");
	json_object(j, NULL);
	json_u64(j, "after_seqnum", d->last_seqnum);
	json_end(j);
	out_json(d->run, "lost", j);
}

static int on_ready(void *ctx, uint32_t events)
{
	struct devices *d = ctx;
	char buf[64 * 1024];
	struct device_event e;
	int n;

	(void)events;
	for (int i = 0; i < 1000 && (n = events_read(d->fd, buf, sizeof(buf), &e)); i++) {
		if (n == 1)
			on_event(d, &e);
		else if (n == -ENOBUFS)
			on_overrun(d);
		else if (n != -EAGAIN)
			return subject_fail(d->run, n, NULL, "cannot read events of devices: %s",
					    strerror(-n));
	}
	return 0;
}

static bool udev_runs(void)
{
	return !access("/run/udev/control", F_OK);
}

static void summary(struct devices *d, bool udev)
{
	size_t unanswered = d->settings->from == FROM_BOTH &&
		udev ? memory_unanswered(d->memory, ANSWER_NS) : 0;
	struct json *j = &d->j;

	out_text(d->run, "\n%" PRIu64 " events", d->shown);
	if (d->answers)
		out_text(d->run, "; udev passed them on after %.3f ms on average, at worst %.3f ms (%s)",
			 (double)d->sum_ns / (double)d->answers / 1e6, (double)d->worst_ns / 1e6,
			 d->worst);
	if (unanswered)
		out_text(d->run, "; %zu were not passed on by udev", unanswered);
	if (d->lost)
		out_text(d->run, "; some were lost %" PRIu64 " times", d->lost);
	out_text(d->run, "\n");
	json_object(j, NULL);
	json_u64(j, "events", d->shown);
	json_u64(j, "overruns", d->lost);
	json_bool(j, "udev_runs", udev);
	json_u64(j, "answers", d->answers);
	json_u64(j, "unanswered", unanswered);
	if (d->answers) {
		json_u64(j, "average_ns", d->sum_ns / d->answers);
		json_u64(j, "worst_ns", d->worst_ns);
		json_text(j, "worst", d->worst);
	}
	json_end(j);
	out_json(d->run, "summary", j);
}

/* From here on nothing is missed. */
static void announce(struct devices *d, bool udev)
{
	json_object(&d->j, NULL);
	json_bool(&d->j, "udev_runs", udev);
	json_end(&d->j);
	out_json(d->run, "attached", &d->j);
}

static int watch_all(struct devices *d)
{
	enum from from = d->settings->from;
	bool udev = udev_runs();

	if (!udev && from == FROM_UDEV)
		return subject_fail(d->run, SUBJECT_UNSEEN, "start systemd-udevd",
				    "not observable: udev is not running here, so it sends nothing");
	if (!udev && from == FROM_BOTH)
		subject_warn(d->run, NULL,
			     "udev is not running here: only what the kernel sends can be observed");
	d->fd = events_open(d->run, from != FROM_UDEV, from != FROM_KERNEL);
	if (d->fd < 0)
		return SUBJECT_FAILED;
	announce(d, udev);
	if (!loop_watch(d->run, d->fd, EPOLLIN, on_ready, d) || loop_run(d->run))
		return SUBJECT_FAILED;
	on_ready(d, 0);
	summary(d, udev);
	return SUBJECT_FINE;
}

static int run(struct subject_run *r)
{
	struct devices d = { .run = r, .settings = r->settings, .memory = memory_new(), .fd = -1,
		.gone = STRBUF_INIT, .j = JSON_INIT };
	int status = d.memory ? watch_all(&d) :
		subject_fail(r, SUBJECT_FAILED, NULL, "out of memory");

	close_fd(&d.fd);
	strbuf_free(&d.gone);
	json_free(&d.j);
	memory_free(d.memory);
	return status;
}

const struct subject subject_devices = {
	.name = "devices",
	.summary = "live events of devices: what the kernel sends and what udev makes of it",
	.text =
		"Each event is shown twice: as the kernel sends it, and as udev passes it on to programs when its rules have run, with the "
		"time that took. Where udev knew something of a device at an event before and does not at this one (a tag, a property), that "
		"is shown too: \"sonde devices lint\" finds the rule that loses it.\n\n"
		"The driver of a device that was unbound is the one it had before. Filters take shell patterns.",
	.examples =
		"sonde devices -s usb -p\n  what happens when a USB device is plugged in, with all properties\n"
		"sonde devices -a bind -a unbind\n  drivers that take and leave devices\n"
		"sonde devices --from udev -P ID_BUS=usb -f json\n  for programs",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = run,
};
