/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices: events of devices as the kernel and udev send them. For the files of this subject.
 *
 *   devices.c        the entry, filters, what is shown
 *   devices_event.c  the socket and its messages
 *   devices_memory.c what is remembered of events and devices: when the kernel spoke, what udev had said before
 *   devices_lint.c   rules of udev, a subject of its own
 */
#ifndef SONDE_SUBJECT_DEVICES_H
#define SONDE_SUBJECT_DEVICES_H

#include "subject/loop.h"

#define EVENT_PROPERTIES 192

struct device_event {
	bool from_udev;
	uint64_t at_ns;       /* when it was read, CLOCK_MONOTONIC */
	const char *action, *devpath, *subsystem, *driver; /* NULL: not said */
	uint64_t seqnum;      /* 0: not said */
	const char *name[EVENT_PROPERTIES], *value[EVENT_PROPERTIES];
	size_t n, left_out;   /* left_out: properties beyond the room for them */
};

/* The value of a property, or NULL. */
const char *event_property(const struct device_event *e, const char *name);

/* A socket for the kernel's events, udev's, or both. A negative errno after a message. */
int events_open(struct subject_run *r, bool kernel, bool udev);
/* Read one message. 1: here it is, it points into `buf`; 0: there is none, or not one of theirs; -ENOBUFS: some were lost. */
int events_read(int fd, char *buf, size_t size, struct device_event *e);

#define MEMORY_EVENTS 4096
#define MEMORY_DEVICES 4096

struct memory;
struct memory *memory_new(void);
void memory_free(struct memory *m);
/* The kernel has sent this event. */
void memory_kernel(struct memory *m, const struct device_event *e);
/* udev has: nanoseconds since the kernel did; -1: not seen. */
int64_t memory_udev(struct memory *m, const struct device_event *e);
/* The driver it has, or had until now; NULL: not known. Valid until the next call. */
const char *memory_driver(struct memory *m, const struct device_event *e);
/*
 * What udev said of the device at an event before, and does not say any more: fn(ctx, name, value, action of that
 * event). Then remembers what it says now.
 */
void memory_lost(struct memory *m, const struct device_event *e,
		 void (*fn)(void *ctx, const char *name, const char *value, const char *since),
		 void *ctx);
/* Events of the kernel that udev has not answered, older than this. */
size_t memory_unanswered(const struct memory *m, uint64_t older_than_ns);

#endif
