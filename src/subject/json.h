/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Json: a JSON value built member by member. `key` is NULL in arrays. Numbers beyond what a 64-bit floating-point number
 * holds stay numbers; text that is not UTF-8 gets U+FFFD where it is not.
 *
 *   struct json j = JSON_INIT;
 *   json_object(&j, NULL); json_text(&j, "comm", comm); json_i64(&j, "pid", pid); json_end(&j);
 */
#ifndef SONDE_SUBJECT_JSON_H
#define SONDE_SUBJECT_JSON_H

#include <stdbool.h>

#include "base/strbuf.h"

#define JSON_DEPTH 16

struct json {
	struct strbuf b;
	char ends[JSON_DEPTH]; /* of what is open */
	unsigned depth;
};
#define JSON_INIT { .b = STRBUF_INIT }

void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
/* Ends the object or array that was begun last. */
void json_end(struct json *j);
/* NULL becomes null. */
void json_text(struct json *j, const char *key, const char *value);
void json_i64(struct json *j, const char *key, int64_t value);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_number(struct json *j, const char *key, double value);
void json_bool(struct json *j, const char *key, bool value);
/* Text that is JSON already. */
void json_raw(struct json *j, const char *key, const char *value);
void json_reset(struct json *j);
void json_free(struct json *j);

#define _cleanup_json_ __attribute__((cleanup(json_free)))

#endif
