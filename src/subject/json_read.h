/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Json read: a JSON text as a tree, in an arena. For files that sonde or other programs have written. */
#ifndef SONDE_SUBJECT_JSON_READ_H
#define SONDE_SUBJECT_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_TEXT, JSON_ARRAY, JSON_OBJECT };

struct json_value {
	enum json_kind kind;
	const char *key;  /* as a member of an object */
	const char *text; /* of a text; of a number, as it is written */
	double number;    /* 1 for true */
	struct json_value *first, *next; /* members or elements; what follows in the same */
};

/* NULL: it is not JSON, and *at says where it ceases to be. What follows the first value must be blank, unless `rest`. */
struct json_value *json_parse(struct arena *a, const char *text, const char **at, bool rest);
/* NULL: there is none, or v is no object. v may be NULL. */
const struct json_value *json_member(const struct json_value *v, const char *key);
/* The member as a text or number, else what stands in for it. */
const char *json_member_text(const struct json_value *v, const char *key, const char *otherwise);
double json_member_number(const struct json_value *v, const char *key, double otherwise);

/* for (element `e` of an array or object that may be NULL) */
#define json_each(e, v) for (const struct json_value *e = (v) ? (v)->first : NULL; e; e = e->next)

#endif
