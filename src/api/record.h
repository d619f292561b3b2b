/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Record: a record as the caller sees it; its texts are made when they are asked for. */
#ifndef SONDE_API_RECORD_H
#define SONDE_API_RECORD_H

#include "view/view.h"

struct sonde_record {
	const struct record *rec;
	const struct module *module;
	const struct resolver *resolver;
	/* Views that write nowhere: what they gather is the text. Opened when first needed. */
	struct view text, json;
	bool has_text, has_json;   /* for the present record */
	struct strbuf key, value;
	struct strbuf filled;      /* the payload of a record that came shorter than its type */
};

void record_init(struct sonde_record *r, const struct module *m, const struct resolver *resolver);
void record_set(struct sonde_record *r, const struct record *rec);
void record_free(struct sonde_record *r);

#endif
