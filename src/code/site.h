/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Site: a place in a program that sends an event, and what its event means. Every event in the ring
 * buffer begins with struct event_header; the payload that follows is packed as site->payload says.
 */
#ifndef SONDE_CODE_SITE_H
#define SONDE_CODE_SITE_H

#include "base/strbuf.h"
#include "code/record.h"
#include "lang/func.h"

struct event_header {
	uint32_t site; /* index into module.sites */
	uint32_t len;  /* payload bytes that are meaningful; the ring's record may be longer */
};

/* Before the bytes of a packet that skboutput() hands on. */
struct packet_header {
	uint32_t site;    /* index into module.sites, whose text is the file */
	uint32_t offset;  /* of the first byte that is wanted */
	uint32_t bytes;   /* of the packet; some of padding may follow */
	uint32_t pad;
	uint64_t time_ns; /* CLOCK_MONOTONIC */
};

struct site {
	uint32_t id;
	const struct func_def *func; /* whose act() handles it */
	struct span span;            /* the call */
	const struct expanded *expanded; /* the macros it is from, or NULL */
	const struct type *payload;  /* TY_TUPLE: type and offset of each argument, or NULL: none */
	const struct format *format; /* of formatting functions, or NULL */
	struct map *map;             /* of print(@m), clear(@m), ... or NULL */
	int64_t num[2];              /* constants known at compile time: top, div, ... */
	const char *text;
	enum site_shows {
		SITE_OTHER,
		SITE_SHOWS_ONCE, /* print() in a probe of the beginning or the end */
		SITE_SHOWS,      /* print() that may come again and again */
	} shows;
};

/*
 * What an act() may do. The session provides it; functions see no more of the session than this.
 * Each returns 0 or a negative errno after a report.
 */
struct act {
	void *ctx;
	const struct reporter *report;
	/* Hand a record to the views. */
	int (*record)(void *ctx, const struct record *rec);
	/* Read a map, reduced over CPUs and sorted, and hand it on as a REC_MAP. top 0: all. */
	int (*map_print)(void *ctx, const struct map *map, int64_t top, int64_t div);
	/* One entry of a keyed map as a REC_MAP with one row. */
	int (*map_print_key)(void *ctx, const struct map *map, const uint8_t *key);
	int (*map_clear)(void *ctx, const struct map *map);
	int (*map_delete)(void *ctx, const struct map *map); /* the value of a scalar */
	int (*map_zero)(void *ctx, const struct map *map);
	/* Append what printf() would show of these arguments. */
	int (*format)(void *ctx, const struct format *f, const struct type *args, const uint8_t *data,
		      struct strbuf *out);
	/* End the session with this exit status after what has arrived is shown. */
	void (*stop)(void *ctx, int status);
	/* False: the user has interrupted the session, and what waits to be run is not run any more. */
	bool (*wants_command)(void *ctx);
	/* Detach the watchpoints at this address. */
	void (*unwatch)(void *ctx, uint64_t address);
	/* Monotonic (boot) nanoseconds at which the session began. */
	uint64_t (*start_ns)(void *ctx);
};

#endif
