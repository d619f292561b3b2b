/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Record: one thing a session has to show. Made by run/ and by the act() of functions, shown by view/.
 * A record and all it points to are valid only during the call that hands it over.
 */
#ifndef SONDE_CODE_RECORD_H
#define SONDE_CODE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lang/format.h"
#include "lang/tree.h"

enum record_kind {
	REC_ATTACHED,  /* number: probes attached */
	REC_PRINTF,    /* format, type (a tuple), data: printf */
	REC_VALUE,     /* type, data: print(expression) */
	REC_MAP,       /* table: print(@m), and every map at the end */
	REC_TIME,      /* text: the formatted time (no newline is added) */
	REC_TEXT,      /* text: output that is shown as it is (cat, join, system); `label` says which */
	REC_LOST,      /* number: events lost since the last such record (label NULL), or another loss since
			* its last record: label ("map", "fault", "truncated", "missed", "corrupt"), number,
			* text: a sentence that says what it means (for "map" it names the map) */
	REC_MESSAGE,   /* severity, text, span: errorf, warnf */
	REC_TEST,      /* test: one test begins, or has been run; then text is what it had to say */
	REC_BENCH,     /* test: one benchmark begins, or has been run */
};

/* One of the tests or benchmarks of a script, and those before it. */
struct test_report {
	const char *const *names;
	const bool *passed;   /* of those up to index */
	uint32_t n, index;
	bool begins;          /* it has not been run yet: what follows is its output */
	uint64_t duration_ns; /* of the test; of one run of the benchmark */
	uint64_t iterations;
};

/* One key and its value, reduced over all CPUs. */
struct row {
	const uint8_t *key;   /* type of the map's key; NULL for a scalar map */
	const uint8_t *value; /* the map's value type; aggregations in the layout of lang/type.h */
};

struct table {
	const struct map *map;
	const struct row *rows; /* in the order in which they are shown */
	size_t nrows;
	int64_t top, div;       /* 0: not given */
	bool final;             /* shown because the session ends */
	bool goes_on;           /* it was shown before and not cleared since: what was shown then is part of this */
};

struct record {
	enum record_kind kind;
	const struct type *type;
	const uint8_t *data;
	uint32_t len;
	const struct format *format;
	const char *text; /* NUL-terminated */
	size_t text_len;
	bool is_line;      /* REC_TEXT: for people, a newline follows */
	const char *label; /* JSON type of REC_TEXT ("cat", "join", "syscall") and REC_MESSAGE, name of a loss */
	const char *helper; /* REC_MESSAGE "helper_error": what failed; number is its error */
	bool shows_source;  /* REC_MESSAGE: people want to see the line it is about */
	const struct expanded *expanded; /* REC_MESSAGE: the macros it is from, or NULL */
	uint64_t number;
	enum severity sev;
	struct span span;
	const struct table *table;
	const struct test_report *test;
	uint64_t time_ns; /* CLOCK_MONOTONIC when it was taken from the ring; 0: unknown */
};

#endif
