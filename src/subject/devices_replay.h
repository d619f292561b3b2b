/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices, replay: rules and a device of this machine. */
#ifndef SONDE_SUBJECT_DEVICES_REPLAY_H
#define SONDE_SUBJECT_DEVICES_REPLAY_H

#include "subject/subject.h"
#include "udev/udev.h"

/* Send these events, one after the other, through the rules and show what each came to. 0 or an exit status. */
int replay_device(struct subject_run *run, struct arena *a, const struct udev_rules *rules,
		  const char *path, const char *const *actions,
		  size_t n);

#endif
