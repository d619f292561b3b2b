/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Surface, profile: linux.seccomp as the OCI runtime specification has it. Everything is refused with EPERM but what was
 * seen of the container's own programs, what the runtime does between loading the filter and starting the first of them,
 * and what its threads may do meanwhile. Where an argument decides, it is limited to what was seen too.
 */
#include <errno.h>

#include "base/file.h"
#include "base/util.h"
#include "subject/surface.h"

#define NAMESPACE_FLAGS 0x7e020000u

#if defined(__x86_64__)
#define ARCHITECTURE "SCMP_ARCH_X86_64"
#elif defined(__aarch64__)
#define ARCHITECTURE "SCMP_ARCH_AARCH64"
#else
#define ARCHITECTURE "SCMP_ARCH_NATIVE"
#endif

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_once(const char **names, size_t *n, const char *name)
{
	for (size_t i = 0; i < *n; i++)
		if (str_eq(names[i], name))
			return;
	names[(*n)++] = name;
}

/* Sorted; free() it. NULL: no memory. */
static const char **needed_calls(const struct surface *s, size_t *n)
{
	const struct rows *calls = &s->table[TABLE_CALLS], *setup = &s->table[TABLE_SETUP];
	const char **names = calloc(calls->n + setup->n + 64, sizeof(*names));

	*n = 0;
	if (!names)
		return NULL;
	for (size_t i = 0; i < calls->n; i++)
		if (surface_is_needed(s, &calls->v[i]))
			add_once(names, n, calls->v[i].text);
	for (size_t i = 0; i < setup->n; i++)
		if (surface_is_needed(s, &setup->v[i]))
			add_once(names, n, setup->v[i].text);
	for (const char *const *c = calls_always; *c; c++)
		add_once(names, n, *c);
	if (*n > 1)
		qsort(names, *n, sizeof(*names), by_text);
	return names;
}

size_t profile_calls(const struct surface *s)
{
	size_t n;
	const char **names = needed_calls(s, &n);

	free(names);
	return names ? n : 0;
}

static bool is_of_profile(const struct surface *s, const struct row *r)
{
	return surface_is_contained(s) ? r->part != PART_OUTSIDE : r->part == PART_OUTSIDE;
}

/* ---- calls with arguments ---- */

static void allow_begin(struct json *j, const char *name)
{
	json_object(j, NULL);
	json_array(j, "names");
	json_text(j, NULL, name);
	json_end(j);
	json_text(j, "action", "SCMP_ACT_ALLOW");
}

static void allow_argument(struct json *j, const char *name, uint64_t value, uint64_t mask)
{
	allow_begin(j, name);
	json_array(j, "args");
	json_object(j, NULL);
	json_u64(j, "index", 0);
	json_u64(j, "value", mask ? mask : value);
	if (mask)
		json_u64(j, "valueTwo", value);
	json_text(j, "op", mask ? "SCMP_CMP_MASKED_EQ" : "SCMP_CMP_EQ");
	json_end(j);
	json_end(j);
	json_end(j);
}

/* socket: only families that were seen. */
static bool limit_socket(const struct surface *s, struct json *j)
{
	const struct rows *rows = &s->table[TABLE_SOCKETS];
	bool any = false;

	for (size_t i = 0; i < rows->n; i++) {
		bool twice = false;

		for (size_t k = 0; k < i; k++)
			twice |= rows->v[k].a == rows->v[i].a && is_of_profile(s, &rows->v[k]);
		if (twice || !is_of_profile(s, &rows->v[i]))
			continue;
		allow_argument(j, "socket", (uint64_t)rows->v[i].a, 0);
		any = true;
	}
	return any;
}

static bool limit_personality(const struct surface *s, struct json *j)
{
	const struct rows *rows = &s->table[TABLE_ARGUMENTS];
	bool any = false;

	for (size_t i = 0; i < rows->n; i++) {
		bool twice = false;

		if (!str_eq(rows->v[i].text, "personality") || !is_of_profile(s, &rows->v[i]))
			continue;
		for (size_t k = 0; k < i; k++)
			twice |= str_eq(rows->v[k].text, "personality") &&
				rows->v[k].a == rows->v[i].a && is_of_profile(s, &rows->v[k]);
		if (!twice)
			allow_argument(j, "personality", (uint64_t)rows->v[i].a, 0);
		any = true;
	}
	return any;
}

/* clone: no new namespaces, unless they were seen. */
static bool limit_clone(const struct surface *s, struct json *j)
{
	const struct rows *rows = &s->table[TABLE_ARGUMENTS];

	for (size_t i = 0; i < rows->n; i++)
		if (str_eq(rows->v[i].text, "clone") && rows->v[i].a &&
		    is_of_profile(s, &rows->v[i]))
			return false;
	allow_argument(j, "clone", 0, NAMESPACE_FLAGS);
	return true;
}

static const struct {
	const char *call;
	bool (*limit)(const struct surface *s,
		      struct json *j); /* false: nothing to limit it by was seen */
} limits[] = {
	{ "clone", limit_clone }, { "personality", limit_personality }, { "socket", limit_socket },
};

static bool is_limited(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (str_eq(limits[i].call, name))
			return true;
	return false;
}

static void add_limited(const struct surface *s, struct json *j, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (str_eq(limits[i].call, name) && !limits[i].limit(s, j)) {
			allow_begin(j, name);
			json_end(j);
		}
}

/* ---- the file ---- */

static void profile_json(const struct surface *s, struct json *j, const char **names, size_t n)
{
	json_object(j, NULL);
	json_text(j, "defaultAction", "SCMP_ACT_ERRNO");
	json_u64(j, "defaultErrnoRet", EPERM);
	json_array(j, "architectures");
	json_text(j, NULL, ARCHITECTURE);
	json_end(j);
	json_array(j, "syscalls");
	json_object(j, NULL);
	json_array(j, "names");
	for (size_t i = 0; i < n; i++)
		if (!is_limited(names[i]))
			json_text(j, NULL, names[i]);
	json_end(j);
	json_text(j, "action", "SCMP_ACT_ALLOW");
	json_end(j);
	for (size_t i = 0; i < n; i++)
		add_limited(s, j, names[i]);
	json_end(j);
	json_end(j);
}

int profile_write(struct subject_run *r, const struct surface *s, const char *path)
{
	_cleanup_json_ struct json j = JSON_INIT;
	size_t n;
	const char **names = needed_calls(s, &n);
	int err = names ? 0 : -ENOMEM;

	if (names)
		profile_json(s, &j, names, n);
	free(names);
	strbuf_addch(&j.b, '\n');
	if (j.b.failed)
		err = -ENOMEM;
	if (!err)
		err = file_replace(path, j.b.s, j.b.len);
	if (err)
		return subject_fail(r, SUBJECT_FAILED, NULL, "cannot write %s: %s", path,
				    strerror(-err));
	return 0;
}
