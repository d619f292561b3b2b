/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options: reading the command line of a subject. */
#ifndef SONDE_SUBJECT_OPTIONS_H
#define SONDE_SUBJECT_OPTIONS_H

#include "subject/subject.h"

struct subject_common_settings {
	unsigned view;
	const char *output;
	uint64_t duration_ns;
	bool help;
};

/* Fill in r's settings, words and command; r->words has room for argc of them. 0 or SUBJECT_USAGE after a message. */
int options_take(struct subject_run *r, int argc, char **argv);
void options_release(struct subject_run *r);

#endif
