/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watched: what programs and session share to follow the arguments of functions. */
#ifndef SONDE_CODE_WATCHED_H
#define SONDE_CODE_WATCHED_H

#include <stdint.h>

#define MODULE_MAP_WATCHED "watched" /* HASH: struct watched_key -> u64, enum watched_state */
/* Processors watch far fewer; those that are refused stand in the map too, so that each is refused once. */
#define WATCHED_MOST 4096

struct watched_key {
	uint64_t address, follower; /* attach_point.follower */
};

enum watched_state {
	WATCHED_ASKED,
	WATCHED_ASKED_STOPPED, /* and the process is stopped until that is done */
	WATCHED_DONE,
};

#endif
